"""A folder's files: staged beside their places, made durable, and then put there; never through a symlink.

Every file is opened below the open folder that it is in, so that nobody who may write there can send us elsewhere
between a look and a write.
"""

import os
import re
import stat
from contextlib import suppress
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK, opening a named pipe would wait for its other end.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")
_TEMPORARY = re.compile(r"\.tsunami-[0-9]+-[0-9]+\.tmp")
_SINGLY = 64


class Places:
    """The files of a folder, while it is open. Its methods raise OSError; `touching` is what that is about."""

    def __init__(self, root: Path) -> None:
        self.touching = ""
        self._root = root
        self._folders: dict[str, int] = {}
        self._staged: list[tuple[int, str, str]] = []
        self._settled = 0

    def __enter__(self) -> "Places":
        self._folders[""] = os.open(self._root, _FOLDER & ~os.O_NOFOLLOW)
        return self

    def __exit__(self, *failure: object) -> None:
        # What was staged and not settled has no place: after a failure, or Ctrl-C.
        for folder, temporary, _ in self._staged[self._settled :]:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=folder)
        for folder in self._folders.values():
            os.close(folder)

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a file, or None where there is none."""
        self.touching = path
        try:
            folder, name = self._at(path)
            with os.fdopen(os.open(name, _READ, dir_fd=folder), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise IsADirectoryError(0, "not a regular file")
                return file.read()
        except FileNotFoundError:
            return None

    def stage(self, path: str, data: bytes, *, durable: bool) -> None:
        """Write a file's next bytes beside its place, `durable` against a power cut."""
        self.touching = path
        folder, _ = self._at(path, make=True)
        temporary = f".tsunami-{os.getpid()}-{len(self._staged)}.tmp"
        # With 0644, less the umask: a web server reads it.
        handle = os.open(temporary, _NEW, 0o644, dir_fd=folder)
        self._staged.append((folder, temporary, path))
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(handle)

    def settle(self, *, durable: bool) -> None:
        """Put every staged file in its place, and have all of it on the disk.

        A manifest must not outlive a power cut that the objects in it did not. Where each file was not made durable
        on its own, because 100,000 of those would take minutes, one sync of everything comes before.
        """
        if not durable:
            os.sync()
        changed = set()
        while self._settled < len(self._staged):
            folder, temporary, self.touching = self._staged[self._settled]
            name = self.touching.rpartition("/")[2]
            os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            self._settled += 1
            changed.add(folder)
        self._sync(changed)

    def remove(self, paths: "list[str]") -> None:
        """Delete files; those that are not there are fine."""
        changed = set()
        for path in paths:
            self.touching = path
            with suppress(FileNotFoundError):
                folder, name = self._at(path)
                os.unlink(name, dir_fd=folder)
                changed.add(folder)
        self._sync(changed)

    def sweep(self) -> None:
        """Delete what a publisher that was killed had staged. We have the lock: no living one has."""
        for name in ("", "roles", "hosts"):
            self.touching = name
            with suppress(FileNotFoundError):
                folder = self._folder(name)
                with os.scandir(folder) as entries:
                    stale = [entry.name for entry in entries if _TEMPORARY.fullmatch(entry.name)]
                for found in stale:
                    os.unlink(found, dir_fd=folder)

    def _sync(self, folders: set[int]) -> None:
        for folder in folders:
            os.fsync(folder)

    def _at(self, path: str, *, make: bool = False) -> tuple[int, str]:
        """Return the open folder that a file is in, and the file's name there."""
        *above, name = path.split("/")
        if not all(map(_PART.fullmatch, (*above, name))):
            raise ValueError(f"{path!r} is no path of an object")
        return self._folder("/".join(above), make=make), name

    def _folder(self, path: str, *, make: bool = False) -> int:
        if path in self._folders:
            return self._folders[path]
        above, _, name = path.rpartition("/")
        parent = self._folder(above, make=make)
        if make:
            with suppress(FileExistsError):
                os.mkdir(name, 0o755, dir_fd=parent)
                os.fsync(parent)
        self._folders[path] = os.open(name, _FOLDER, dir_fd=parent)
        return self._folders[path]


def one_by_one(count: int) -> bool:
    """Say whether so many files are made durable each on its own: a few are done sooner than the whole disk is."""
    return count <= _SINGLY
