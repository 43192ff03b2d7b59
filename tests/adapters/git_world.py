"""Real repositories and remotes for the tests of the git door."""

import atexit
import functools
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tsunami_cli.adapters.git.decider import Decision, Outcome, decide
from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.adapters.git.trees import CommitTree

DOCKER = "rollouts/docker.yaml"
HELIOS = "rollouts/helios.yaml"
FILES = {
    "tsunami.yaml": "fleet: test\n",
    "inventory.csv": "host,role\na,web\n",
    DOCKER: "name: docker\ndefault: one\n# end\n",
    HELIOS: "name: helios\ndefault: one\n# end\n",
    "other.txt": "other\n",
}


def git(folder: Path, *words: str, check: bool = True) -> str:
    """Run git as a person would, and return what it prints."""
    done = subprocess.run(("git", *words), cwd=folder, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise AssertionError(f"git {' '.join(words)}: {done.stdout}{done.stderr}")
    return done.stdout.strip()


@dataclass(frozen=True)
class Clone:
    """A clone with a work tree."""

    root: Path

    @property
    def repository(self) -> Repository:
        return Repository.discover(self.root)

    def git(self, *words: str, check: bool = True) -> str:
        return git(self.root, *words, check=check)

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def write(self, path: str, text: str) -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def commit(self, subject: str, files: Mapping[str, str]) -> str:
        for path, text in files.items():
            self.write(path, text)
        self.git("add", "--", *files)
        self.git("commit", "-q", "-m", subject)
        return self.git("rev-parse", "HEAD")

    def status(self) -> str:
        return self.git("status", "--porcelain")

    def show(self, path: str, commit: str = "main") -> str:
        return self.git("show", f"{commit}:{path}")

    def decide(self, line: str, path: str = DOCKER, *, urgent: bool = False) -> Outcome:
        return decide(self.repository, "main", adding(line, path), urgent=urgent)


def adding(line: str, path: str = DOCKER) -> Callable[[CommitTree], Decision | None]:
    """Return a change that adds a line before the last one of a file, unless it is there."""

    def add(text: bytes) -> bytes:
        if b"<<<<" in text:
            raise ValueError("it does not parse")
        *lines, last = text.decode().splitlines()
        return "\n".join([*lines, line, last, ""]).encode()

    def change(tree: CommitTree) -> Decision | None:
        text = tree.read(path)
        assert text is not None
        if f"\n{line}\n" in text.decode():
            return None
        return Decision(f"docker: {line}\n\nTsunami-Action: halt\n", {path: add(text)}, {path: add})

    return change


@functools.cache
def _template() -> Path:
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    git(Path(folder.name), "-c", "init.defaultBranch=main", "init", "-q", "--template=", "made")
    made = Clone(Path(folder.name) / "made")
    made.commit("start", FILES)
    return made.root


def new_repository(root: Path) -> Clone:
    """Make a repository with the usual files on `main`."""
    shutil.copytree(_template(), root)
    return Clone(root)


def new_remote(root: Path, of: Clone) -> Path:
    """Make a bare remote with what the clone has, as its `origin`."""
    shutil.copytree(of.root / ".git", root)
    (root / "index").unlink()
    config = of.root / ".git/config"
    text = config.read_text()
    (root / "config").write_text(text.replace("bare = false", "bare = true"))
    config.write_text(
        f'{text}[remote "origin"]\n\turl = file://{root}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n'
        '[branch "main"]\n\tremote = origin\n\tmerge = refs/heads/main\n'
    )
    of.git("update-ref", "refs/remotes/origin/main", "main")
    return root


def new_clone(root: Path, remote: Path) -> Clone:
    """Clone a remote."""
    git(remote, "clone", "-q", f"file://{remote}", str(root))
    return Clone(root)
