"""The repository around a folder: where its parts lie, and what its refs point at, mostly without a process."""

import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from subprocess import DEVNULL, Popen

from tsunami_cli.adapters.git.objects import ObjectReader
from tsunami_cli.adapters.git.process import end, output, run, start
from tsunami_cli.errors import Refused

_ID = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_OF_ONE_WORK_TREE = ("refs/bisect/", "refs/worktree/", "refs/rewritten/")
_MAX_LINKS = 5


class Repository:
    """One git repository with a work tree, its main one or a linked one."""

    def __init__(self, root: Path, git_dir: Path, common_dir: Path) -> None:
        """Name the parts; `discover` finds them."""
        self.root = root
        """The work tree's top folder."""
        self.git_dir = git_dir
        """Where HEAD and the index lie: `.git`, or a folder of the main `.git` for a linked work tree."""
        self.common_dir = common_dir
        """Where objects, branches and configuration lie."""
        self.objects = ObjectReader(root)
        """Reads objects; its process starts with the first one asked for."""

    @classmethod
    def discover(cls, folder: Path) -> "Repository":
        """Find the repository whose work tree holds the folder, looking upward; no process is started."""
        try:
            start_at = Path(os.path.realpath(folder))
        except OSError as error:
            raise Refused(f"{folder}: the current folder is gone: go to another") from error
        if not stat.S_ISDIR(_mode(start_at)):
            raise Refused(f"{folder}: no such folder")
        for place in (start_at, *start_at.parents):
            git_dir = _git_dir_of(place)
            if git_dir is not None:
                return cls(place, git_dir, _common_dir(git_dir))
            if _is_git_dir(place):
                raise Refused(f"{place}: is a bare repository or the inside of one: go to a clone with a work tree")
        raise Refused(f"{folder}: not a git repository: go to one, name it with -C DIR, or make one with `git init`")

    @property
    def shallow(self) -> bool:
        """Whether history was cut off when this repository was cloned: what lies before is unknown here."""
        return (self.common_dir / "shallow").exists()

    @property
    def has_remote(self) -> bool:
        """Whether any remote is configured."""
        return bool(self.remotes)

    @property
    def boundary(self) -> frozenset[str]:
        """The commits before which history was cut off."""
        try:
            return frozenset((self.common_dir / "shallow").read_text("ascii").split())
        except OSError:
            return frozenset()

    def close(self) -> None:
        """End the process that reads objects, if one runs."""
        self.objects.close()

    def head_commit(self) -> str | None:
        """Return the id of the commit that is checked out; None where nothing is committed yet."""
        return self.ref("HEAD")

    def head_ref(self) -> str | None:
        """Return the full name of the branch that is checked out; None on a detached HEAD."""
        if (self.common_dir / "reftable").exists():
            done = run(self.root, "symbolic-ref", "--quiet", "HEAD")
            return done.out.decode("utf-8", "surrogateescape").strip() or None
        text = self._loose("HEAD") or ""
        return text.removeprefix("ref: ") if text.startswith("ref: ") else None

    def tip(self, branch: str) -> str | None:
        """Return the id of the last commit of a local branch; None where there is no such branch."""
        return self.ref(branch_ref(branch))

    def counting_tip(self, branch: str) -> str | None:
        """Return the tip of the branch that counts: that of the remote, as last fetched, where the local one is behind.

        A halt that was pushed from a clone that had not pulled stands there alone.
        """
        ours, theirs = self.tip(branch), self.tracked(branch)
        if ours is None or theirs is None or ours == theirs:
            return ours or theirs
        return theirs if self.descends(theirs, ours) else ours

    def tracked(self, branch: str) -> str | None:
        """Return the tip of a branch as last fetched; None where no remote is known to have it.

        That of the remote which this clone's branches have as upstream, else of `origin`, else of the only remote that
        has it. Told from files alone.
        """
        tips = self.tips(branch)
        ways = [remote for remote in (*self._upstreams, "origin") if remote in tips]
        if "" in tips:
            return tips[""]
        return tips[ways[0]] if ways else next(iter(tips.values())) if len(tips) == 1 else None

    def tips(self, branch: str) -> dict[str, str]:
        """Return the tips of a branch as last fetched, by remote; that of an upstream by URL by the empty name."""
        found = {remote: self.ref(f"refs/remotes/{remote}/{branch}") for remote in self.remotes}
        found[""] = self.ref(f"refs/tsunami/upstream/{branch}")
        return {remote: tip for remote, tip in found.items() if tip is not None}

    @property
    def remotes(self) -> tuple[str, ...]:
        """The names of the remotes that are configured in this repository."""
        return tuple(re.findall(r'^\s*\[remote "([^"\n]+)"\]', self._config, re.MULTILINE))

    @property
    def _upstreams(self) -> tuple[str, ...]:
        """The remotes that branches here have as upstream, `main` and its like first."""
        sections = re.findall(r'^\s*\[branch "([^"\n]+)"\]([^\[]*)', self._config, re.MULTILINE)
        found = {name: re.search(r"^\s*remote\s*=\s*(\S+)", text, re.MULTILINE) for name, text in sections}
        order = sorted(found, key=lambda name: (name not in ("main", "master"), name))
        return tuple(match[1] for name in order if (match := found[name]) is not None)

    @cached_property
    def _config(self) -> str:
        try:
            return (self.common_dir / "config").read_text("utf-8", "replace")
        except OSError:
            return ""

    def ref(self, name: str) -> str | None:
        """Return the commit id of a ref by its full name (`refs/remotes/origin/main`, `HEAD`), or None."""
        if (self.common_dir / "reftable").exists():
            done = run(self.root, "rev-parse", "--verify", "--quiet", "--end-of-options", name)
            return done.out.decode().strip() if done.status == 0 else None
        for _ in range(_MAX_LINKS):
            text = self._loose(name) or self._packed(name)
            if text is None or not text.startswith("ref: "):
                return text
            name = text.removeprefix("ref: ").strip()
        raise Refused(f"{self.root}: the ref {name} leads round in a circle: mend it with `git symbolic-ref`")

    def _loose(self, name: str) -> str | None:
        own = not name.startswith("refs/") or name.startswith(_OF_ONE_WORK_TREE)
        try:
            text = ((self.git_dir if own else self.common_dir) / name).read_text("ascii").strip()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise Refused(f"{self.root}: the ref {name} cannot be read: {error}") from error
        if not text.startswith("ref: ") and not _ID.fullmatch(text):
            # Falls to exit 1: a power cut can leave a ref empty, and "no branch" would be the wrong answer.
            raise Refused(f"{self.root}: {name} is damaged: see `git reflog`, then `git update-ref {name} COMMIT`")
        return text

    def _packed(self, name: str) -> str | None:
        # Read after the loose file was found missing: git packs a ref before it takes the loose file away.
        try:
            text = (self.common_dir / "packed-refs").read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Refused(f"{self.root}: packed-refs cannot be read: {error.strerror}") from error
        found = re.search(rb"^([0-9a-f]+) " + re.escape(name.encode()) + rb"$", text, re.MULTILINE)
        return found[1].decode() if found else None

    def apart(self, ours: str, theirs: str) -> tuple[int, int]:
        """Count the commits that only the first has, and those that only the second has."""
        words = output(self.root, "rev-list", "--count", "--left-right", f"{ours}...{theirs}").split()
        return int(words[0]), int(words[1])

    def descends(self, commit: str, ancestor: str) -> bool:
        """Whether the commit is the ancestor itself or comes after it; False too where the ancestor is unknown."""
        return run(self.root, "merge-base", "--is-ancestor", ancestor, commit).status == 0


_NEVER_IN_A_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)|^[-./]|[./]$|^(@|HEAD)$")


def branch_ref(branch: str) -> str:
    """Return the full name of a branch's ref; Refused where no branch can have that name."""
    if not branch or _NEVER_IN_A_REF.search(branch):
        raise Refused(f"branch: {branch!r} is no name for a branch")
    return f"refs/heads/{branch}"


def _git_dir_of(place: Path) -> Path | None:
    dot = place / ".git"
    if not stat.S_ISREG(_mode(dot)):
        # As git does, go on looking upward past an empty or half-made `.git` folder.
        return dot if _is_git_dir(dot) else None
    try:
        text = dot.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{dot} cannot be read: {error}") from error
    target = Path(os.path.realpath(place / text.removeprefix("gitdir:").strip()))
    if not text.startswith("gitdir:") or not _is_git_dir(target):
        raise Refused(f"{dot} leads to no git repository: see `git worktree repair` or `git submodule update --init`")
    return target


def _is_git_dir(place: Path) -> bool:
    if not (_mode(place / "HEAD") or (place / "HEAD").is_symlink()):
        return False
    whole = stat.S_ISDIR(_mode(place / "objects")) and stat.S_ISDIR(_mode(place / "refs"))
    return whole or stat.S_ISREG(_mode(place / "commondir"))


def _mode(place: Path) -> int:
    # What may not be looked at counts as absent: the search goes on upward, and ends in "not a git repository".
    try:
        return place.stat().st_mode
    except OSError:
        return 0


def _common_dir(git_dir: Path) -> Path:
    try:
        return Path(os.path.realpath(git_dir / (git_dir / "commondir").read_text("utf-8").strip()))
    except FileNotFoundError:
        return git_dir
    except OSError as error:
        raise Refused(f"{git_dir}: commondir cannot be read: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class Differences:
    """A comparison of the work tree with a commit that goes on in the background."""

    processes: tuple[Popen[bytes], ...]

    def names(self) -> tuple[str, ...] | None:
        """Wait for the answer: the paths that differ, sorted; None where it could not be told."""
        names: set[str] = set()
        try:
            for process in self.processes:
                out, _ = process.communicate()
                if process.returncode:
                    # Falls to None: a warning that cannot be computed must not stop a command that only reads.
                    return None
                names.update(out.decode("utf-8", "surrogateescape").split("\0"))
        finally:
            self.close()
        return tuple(sorted(names - {""})) if self.processes else None

    def close(self) -> None:
        """End the comparison where its answer is not wanted any more."""
        for process in self.processes:
            end(process)


def differs(repository: Repository, branch: str, paths: Sequence[str]) -> Differences:
    """Start comparing the work tree with the tip of the branch that counts, as far as this clone knows it.

    Only the given files and folders count; in them untracked files differ too, ignored ones among them, because
    commands that read the work tree read those as well.
    """
    tip = repository.counting_tip(branch)
    if tip is None:
        return Differences(())
    diff = ("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-relative", "--ignore-submodules", tip)
    calls = (diff, ("ls-files", "--others", "-z"))
    begun = (start(repository.root, "--literal-pathspecs", *call, "--", *paths, stdin=DEVNULL) for call in calls)
    return Differences(tuple(begun))
