"""Files of the repository, read from the work tree or from a commit, through the same two questions."""

import errno
import os
import stat
from pathlib import Path
from typing import Protocol

from tsunami_cli.adapters.git.objects import FOLDER, REGULAR, Entry
from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.errors import Refused


class Tree(Protocol):
    """Where a command reads its files from; paths run from the repository's root, with `/`."""

    def read(self, path: str) -> bytes | None:
        """Return a file's content, None where there is no such file; Refused where it is no plain file of ours."""
        ...

    def names(self, folder: str) -> tuple[str, ...]:
        """Return the names in a folder, sorted, those of folders among them; none where there is no such folder.

        The empty path is the root.
        """
        ...


def parts_of(path: str) -> tuple[str, ...]:
    """Split a path from the root into its names; Refused where it could lead out of the repository or into `.git`."""
    parts = tuple(path.split("/")) if path else ()
    bad = any(part in ("", ".", "..") or part.lower() == ".git" or not part.isprintable() for part in parts)
    if not parts or bad:
        raise Refused(f"{path!r} is no path from the repository's root: it must stay inside, and out of .git")
    return parts


class WorkTree:
    """The files as they are checked out, edited or not. A link may be followed as long as it stays inside."""

    def __init__(self, root: Path) -> None:
        """Read below `root`, the top folder of a work tree."""
        self._root = Path(os.path.realpath(root))
        self._folders: dict[tuple[str, ...], Path] = {}

    def read(self, path: str) -> bytes | None:
        """Return a file's content, None where there is none."""
        *folder, name = parts_of(path)
        place = self._folder(tuple(folder), path) / name
        try:
            return _content(place)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if not place.is_symlink():
                raise Refused(f"{path}: cannot be read: {error.strerror}") from error
        return self._linked(place, path)

    def names(self, folder: str) -> tuple[str, ...]:
        """Return the names in a folder, sorted."""
        place = self._folder(parts_of(folder) if folder else (), folder)
        try:
            return tuple(sorted(entry.name for entry in place.iterdir()))
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise Refused(f"{folder}: cannot be listed: {error.strerror}") from error

    def _folder(self, parts: tuple[str, ...], path: str) -> Path:
        if parts not in self._folders:
            self._folders[parts] = self._inside(self._root.joinpath(*parts), path)
        return self._folders[parts]

    def _inside(self, place: Path, path: str) -> Path:
        target = Path(os.path.realpath(place))
        inside = target.is_relative_to(self._root)
        if not inside or ".git" in (part.lower() for part in target.relative_to(self._root).parts):
            raise Refused(f"{path}: a link leads out of the repository, to {target}: put the file itself there")
        return target

    def _linked(self, place: Path, path: str) -> bytes:
        try:
            return _content(self._inside(place, path))
        except OSError as error:
            raise Refused(f"{path}: is a link that cannot be followed: {error.strerror}") from error


def _content(place: Path) -> bytes:
    # O_NONBLOCK: a FIFO must not hang us. O_NOFOLLOW: a link is looked at before it is followed.
    handle = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "it is no plain file")
    with os.fdopen(handle, "rb", buffering=0) as file:
        return file.readall()


class CommitTree:
    """The files of one commit. Nothing but plain files is read: no link, no submodule."""

    def __init__(self, repository: Repository, commit: str) -> None:
        """Read the commit with this id."""
        self.commit = commit
        """The commit's id."""
        self._objects = repository.objects

    def read(self, path: str) -> bytes | None:
        """Return a file's content, None where the commit has none."""
        entry = self.entry(path)
        if entry is None:
            return None
        if entry.mode not in REGULAR:
            raise Refused(f"{path}: is no plain file in git (mode {entry.mode}): put the file itself there")
        return self._objects.blob(entry.sha)

    def names(self, folder: str) -> tuple[str, ...]:
        """Return the names in a folder, sorted."""
        if not folder:
            return tuple(sorted(self._objects.tree(f"{self.commit}^{{tree}}")))
        entry = self.entry(folder)
        if entry is None:
            return ()
        if entry.mode != FOLDER:
            raise Refused(f"{folder}: is no folder in git (mode {entry.mode})")
        return tuple(sorted(self._objects.tree(entry.sha)))

    def paths(self) -> tuple[str, ...]:
        """Return the paths of all files and folders at the top, and of all files one folder below, sorted."""
        found = []
        for name, entry in self._objects.tree(f"{self.commit}^{{tree}}").items():
            inner = self._objects.tree(entry.sha) if entry.mode == FOLDER else {}
            found += [f"{name}/{below}" for below in inner] or [name]
        return tuple(sorted(found))

    def entry(self, path: str) -> Entry | None:
        """Return mode and id of a file or folder, None where the commit has none."""
        *folders, name = parts_of(path)
        tree = f"{self.commit}^{{tree}}"
        for folder in folders:
            entry = self._objects.tree(tree).get(folder)
            if entry is None:
                return None
            if entry.mode != FOLDER:
                raise Refused(f"{path}: {folder} is no folder in git (mode {entry.mode})")
            tree = entry.sha
        return self._objects.tree(tree).get(name)
