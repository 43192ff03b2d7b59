"""Letting a checkout follow its branch to a new commit, without losing what is being edited in it."""

import os
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from tsunami_cli.adapters.git.checkout import Entries, IndexLock, OwnFile, own_files
from tsunami_cli.adapters.git.objects import REGULAR, Entry
from tsunami_cli.adapters.git.process import output, plain
from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.adapters.git.writing import write_blobs
from tsunami_cli.errors import Refused

Redo: TypeAlias = Callable[[bytes], bytes]
_NO_FILE = "0" * 40


class Follower:
    """Takes one checkout from the branch's old tip to a new commit, under the lock on its index.

    First the index, then (by the caller) the branch, last the files: whatever is cut short in between, the next
    commit of the index holds the decision and does not undo it.
    """

    def __init__(self, checkout: Repository, old: Entries, new: Entries, redo: Mapping[str, Redo]) -> None:
        """Take the decision's files in the old tip and in the new commit.

        `redo` makes the decision anew in a text that differs from the tip's, for those files that may be touched then.
        """
        self.checkout = checkout
        self.stuck = ""
        """Why the checkout cannot follow."""
        self.notes: list[str] = []
        """What could not follow in it."""
        self._old, self._new, self._redo = old, new, redo
        self._lock = IndexLock(checkout)
        self._new_index = self._lock.index.with_name(f"index.tsunami-{os.getpid()}")
        self._old_index = self._lock.index.with_name(f"index.tsunami-{os.getpid()}.old")
        self._files: tuple[OwnFile, ...] = ()

    def begin(self) -> bool:
        """Lock the index and put the new entries in; False, and nothing changed, where that cannot be done."""
        try:
            if not self._lock.take():
                self.stuck = "another git process holds index.lock"
                return False
            self._old_index.unlink(missing_ok=True)  # A process of the same number may have been killed here once.
            self._files = own_files(self.checkout, self._old)
            self._stage()
        except (OSError, Refused) as error:
            self.cancel()
            self.stuck = f"the index cannot be written: {plain(str(error))}"
        return not self.stuck

    def cancel(self) -> None:
        """Put the index back as it was."""
        if self._lock.held:
            with suppress(FileNotFoundError):
                self._old_index.replace(self._lock.index)
            self._lock.give()

    def finish(self) -> None:
        """Bring the files up to date, and unlock the index."""
        try:
            for file in self._files:
                try:
                    self._write(file)
                except (OSError, Refused) as error:
                    # Falls to a note: the decision stands in git, and in the index, whatever the work tree holds.
                    self._left(file, f"could not be written ({plain(str(error))})")
        finally:
            self._old_index.unlink(missing_ok=True)
            self._lock.give()

    def _stage(self) -> None:
        """Replace the index by one with the new entries; all the rest of it is git's to write."""
        entries = {file.path: self._entry(file) for file in self._files}
        changed = {file.path: entries[file.path] for file in self._files if entries[file.path] != file.staged}
        if not changed:
            return
        try:
            self._new_index.write_bytes(self._lock.index.read_bytes())
            self._update(self._new_index, changed)
            # A link takes no room: with a full disk too the old index can be put back.
            self._old_index.hardlink_to(self._lock.index)
            self._new_index.replace(self._lock.index)
        finally:
            for leftover in (self._new_index, self._new_index.with_name(f"{self._new_index.name}.lock")):
                leftover.unlink(missing_ok=True)

    def _entry(self, file: OwnFile) -> Entry | None:
        """Return what the index is to have for a file."""
        new = self._new[file.path]
        if file.unmerged:
            self._left(file, "is in a conflict")
            return file.staged
        if file.staged in (file.tip, new):
            return new
        if file.staged is None or file.staged.mode not in REGULAR:
            self._left(file, "is staged as something else")
            return file.staged
        text = self._redone(file, self.checkout.objects.blob(file.staged.sha))
        return file.staged if text is None else Entry(file.staged.mode, write_blobs(self.checkout.root, [text])[0])

    def _write(self, file: OwnFile) -> None:
        """Give the work tree what it is to have for a file."""
        new = self._new[file.path]
        place = self.checkout.root / file.path
        if file.work == (file.tip.sha if file.tip else None):
            if new is None:
                place.unlink(missing_ok=True)
            elif new.sha != file.work:
                _replace(place, self._smudged(file, new.sha), 0o777 if new.mode == REGULAR[1] else 0o666)
        elif file.work is None:
            if new is not None and not file.hidden:
                self._left(file, "is deleted")
        elif file.work == "?":
            self._left(file, "is no plain file")
        elif new is None or file.work != new.sha:
            text = self._redone(file, place.read_bytes())
            if text is not None:
                _replace(place, text)

    def _redone(self, file: OwnFile, text: bytes) -> bytes | None:
        redo = self._redo.get(file.path)
        if redo is None:
            self._left(file, "has changes that are not committed")
            return None
        try:
            return redo(text)
        except Exception as error:  # Falls to a note: an edited text that makes no sense must not stop a halt.
            self._left(file, f"has changes that are not committed ({plain(str(error))})")
            return None

    def _left(self, file: OwnFile, why: str) -> None:
        place = self.checkout.root / file.path
        note = f"{place}: {why}, and was left as it is: see that your next commit does not undo this decision"
        if not any(str(place) in said for said in self.notes):
            self.notes.append(note)

    def _update(self, index: Path, entries: Entries) -> None:
        extra = {"GIT_INDEX_FILE": str(index)}
        lines = "".join(
            f"{entry.mode} {entry.sha}\t{path}\0" if entry else f"0 {_NO_FILE}\t{path}\0"
            for path, entry in entries.items()
        )
        output(self.checkout.root, "update-index", "-z", "--index-info", data=_bytes(lines), extra=extra)
        hidden = "".join(f"{file.path}\0" for file in self._files if file.hidden and entries.get(file.path))
        if hidden:
            words = ("update-index", "--skip-worktree", "-z", "--stdin")
            output(self.checkout.root, *words, data=_bytes(hidden), extra=extra)

    def _smudged(self, file: OwnFile, sha: str) -> bytes:
        """Return a blob as git would write it into the work tree: line ends and filters applied."""
        objects = self.checkout.objects
        if file.tip and (self.checkout.root / file.path).read_bytes() == objects.blob(file.tip.sha):
            # Nothing was applied to the old text, so nothing is to the new one.
            return objects.blob(sha)
        return output(self.checkout.root, "cat-file", "--filters", f"--path={file.path}", sha)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _replace(place: Path, content: bytes, mode: int = 0o666) -> None:
    """Write a file so that nobody ever sees half of it; an existing one keeps its permissions."""
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f".{place.name}.tsunami-{os.getpid()}")
    try:
        handle = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        with os.fdopen(handle, "wb") as file:
            with suppress(FileNotFoundError):
                os.fchmod(handle, stat.S_IMODE(place.lstat().st_mode))
            file.write(content)
        draft.replace(place)
    finally:
        draft.unlink(missing_ok=True)
