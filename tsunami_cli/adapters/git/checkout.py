"""Work trees that have a branch checked out: whether a decision's files are edited there, and how they follow it."""

import os
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

from tsunami_cli.adapters.git.objects import Entry
from tsunami_cli.adapters.git.process import output, pause, run
from tsunami_cli.adapters.git.repository import Repository, branch_ref
from tsunami_cli.errors import Refused

Entries: TypeAlias = Mapping[str, Entry | None]
_LOCK_WAIT = 2.0


def checkouts(repository: Repository, branch: str) -> tuple[Repository, ...]:
    """Return the work trees of this repository, linked ones too, that have the branch checked out."""
    ref = branch_ref(branch)
    # A work tree without an index (`git clone --no-checkout`) holds nothing that could follow.
    found = [place for place in _work_trees(repository) if (place.git_dir / "index").exists()]
    return tuple(place for place in found if place.head_ref() == ref)


def _work_trees(repository: Repository) -> Iterator[Repository]:
    """Yield this work tree, the main one and the linked ones, from what `git worktree` keeps about them."""
    yield repository
    common = repository.common_dir
    others = {common: common.parent} if common.name == ".git" else {}
    for note in common.glob("worktrees/*/gitdir"):
        with suppress(OSError, UnicodeDecodeError):  # Falls to passing over it, as over one that is deleted.
            others[note.parent] = (note.parent / note.read_text("utf-8").strip()).parent
    for git_dir, root in others.items():
        if git_dir != repository.git_dir and (root / ".git").exists():
            yield Repository(root, git_dir, common)


@dataclass(frozen=True, slots=True)
class OwnFile:
    """One file of a decision as it stands in a checkout."""

    path: str
    tip: Entry | None
    """What the branch's tip has."""
    staged: Entry | None
    """What the index has."""
    unmerged: bool
    """Whether the index holds it as a conflict."""
    hidden: bool
    """Whether a sparse checkout leaves it out of the work tree."""
    work: str | None
    """The id that the file in the work tree would have if it was committed; None for no file, `?` for what is none."""

    @property
    def edited(self) -> bool:
        """Whether index or work tree hold something else than the tip."""
        expected = None if self.tip is None or (self.hidden and self.work is None) else self.tip.sha
        return self.unmerged or self.staged != self.tip or self.work != expected


def own_files(checkout: Repository, tips: Entries) -> tuple[OwnFile, ...]:
    """Look at a decision's files, given as path and entry in the tip, in index and work tree."""
    staged: dict[str, tuple[str, Entry, str]] = {}
    listing = output(checkout.root, "--literal-pathspecs", "ls-files", "-t", "-s", "-z", "--", *tips)
    for line in listing.decode("utf-8", "surrogateescape").split("\0")[:-1]:
        tag, mode, sha, stage, path = line.replace("\t", " ", 1).split(" ", 4)
        staged[path] = (tag, Entry(mode, sha), stage)
    work = _work_ids(checkout, tips)
    return tuple(_own_file(path, tip, staged.get(path), work[path]) for path, tip in tips.items())


def _own_file(path: str, tip: Entry | None, staged: tuple[str, Entry, str] | None, work: str | None) -> OwnFile:
    tag, entry, stage = staged or ("", None, "0")
    unmerged = stage != "0"
    return OwnFile(path, tip, None if unmerged else entry, unmerged, tag.upper() == "S", work)


def _work_ids(checkout: Repository, tips: Entries) -> dict[str, str | None]:
    ids: dict[str, str | None] = {path: _work_id(checkout, path, tip) for path, tip in tips.items()}
    files = [path for path, found in ids.items() if found == ""]
    if files:
        names = "\n".join(files).encode("utf-8", "surrogateescape")
        done = run(checkout.root, "hash-object", "--stdin-paths", data=names)
        # Falls to "something else": a file that cannot be read is not ours to overwrite.
        found = done.out.decode().split() if done.status == 0 else ["?"] * len(files)
        ids.update(zip(files, found, strict=True))
    return ids


def _work_id(checkout: Repository, path: str, tip: Entry | None) -> str | None:
    """Return the id where it can be told without git's filters, `?` for what is no plain file, and else an empty id."""
    place = checkout.root / path
    if os.path.realpath(place.parent) != str(place.parent):
        return "?"
    try:
        if not stat.S_ISREG(place.lstat().st_mode):
            return "?"
        same = tip is not None and place.read_bytes() == checkout.objects.blob(tip.sha)
    except FileNotFoundError:
        return None
    except OSError:
        return "?"
    return tip.sha if tip and same else ""


def refuse_edited(checkout: Repository, tips: Entries) -> None:
    """Refuse where a decision's files hold something else in this checkout than in its tip."""
    edited = [file.path for file in own_files(checkout, tips) if file.edited]
    if edited:
        # Another decision may be on its way into this checkout: look again while nobody can write the index.
        with IndexLock(checkout):
            edited = [file.path for file in own_files(checkout, tips) if file.edited]
    if edited:
        raise Refused(
            f"{', '.join(edited)}: has changes in {checkout.root} that are not committed; nothing was changed: "
            "commit them or `git stash` them, then again"
        )


class IndexLock:
    """Git's own lock on the index of a work tree, waited for a little; `held` tells whether it was had."""

    def __init__(self, checkout: Repository) -> None:
        """Name the lock; `take` or `with` takes it."""
        self.index = checkout.git_dir / "index"
        self.held = False
        self._lock = checkout.git_dir / "index.lock"

    def take(self) -> bool:
        """Take the lock, giving up after two seconds."""
        give_up_at = time.monotonic() + _LOCK_WAIT
        while not self.held:
            try:
                os.close(os.open(self._lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o666))
                self.held = True
            except FileExistsError:
                if time.monotonic() > give_up_at:
                    break
                pause(0.05)
        return self.held

    def give(self) -> None:
        """Give the lock back, if it is ours."""
        if self.held:
            self._lock.unlink(missing_ok=True)
            self.held = False

    def __enter__(self) -> "IndexLock":
        """Take the lock, or go on without it."""
        with suppress(OSError):
            self.take()
        return self

    def __exit__(self, *_: object) -> None:
        """Give the lock back."""
        self.give()
