"""A rollouts repository on a bare remote, and an operator's clone of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import tsunami_cli
from tests.commands.fleet_world import git
from tests.pipeline.runner import Runner

CALLERS = Path(tsunami_cli.__file__).parent / "template/.github/workflows"


@dataclass(frozen=True)
class World:
    """The remote, a clone of the operator's, and where hosts look."""

    remote: Path
    clone: Path
    public: Path
    runner: Runner

    def git(self, *words: str) -> str:
        return git(self.clone, *words)

    def push(self, files: Mapping[str, str], subject: str = "by hand", ref: str = "main") -> None:
        for path, text in files.items():
            (self.clone / path).write_text(text)
        self.git("commit", "-q", "--all", "-m", subject)
        self.git("push", "-q", "origin", f"HEAD:{ref}")

    def propose(self, path: str, text: str) -> None:
        """Open the pull request number 1, as GitHub does: merged, for the check, with what it is to be merged into."""
        self.git("checkout", "-q", "-b", "change")
        self.push({path: text}, "a change", "refs/pull/1/merge")
        self.git("checkout", "-q", "main")

    def told(self) -> list[str]:
        """Return who entered what into the ledger on the remote, newest first."""
        return git(self.remote, "log", "--format=%an <%ae>", "tsunami-ledger").splitlines()


def publish_to(world: World, to: str, *more: str) -> None:
    """Fill in where the callers publish to, and as whom."""
    for name in ("rollouts.yml", "halt.yml"):
        file = world.clone / ".github/workflows" / name
        text = file.read_text()
        before = next(line for line in text.splitlines() if line.strip().startswith("to: "))
        indented = [f'      to: "{to}"', *(f"      {line}" for line in more)]
        file.write_text(text.replace(before, "\n".join(indented), 1))
    world.push({}, "Set up")
