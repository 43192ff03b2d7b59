"""A folder as a store, for a web server or rsync: written under a lock, each file whole, the manifest last."""

import errno
import fcntl
import os
import stat
import time
from collections.abc import Callable, Collection, Container, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tsunami_cli.adapters.store.limits import plain, request_limit
from tsunami_cli.adapters.store.model import MANIFEST, Kept, Overtaken, bundle_sequence, manifest_sequence
from tsunami_cli.adapters.store.places import Places, one_by_one
from tsunami_cli.errors import Unreachable

_LOCK = ".tsunami.lock"
_POLL = 0.05
_REPORTS = 0.05


class FolderStore:
    """A folder. What writes to it takes the lock, unless it is held already."""

    def __init__(self, folder: Path, address: str) -> None:
        self._folder = folder
        self._address = address
        self._held = False

    @property
    def address(self) -> str:
        """The URL, as the settings have it."""
        return self._address

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep other publishers out; raises Unreachable where one is still at it after `TSUNAMI_STORE_TIMEOUT`."""
        if self._held:
            yield
            return
        handle = self._lock()
        try:
            self._held = True
            yield
        finally:
            self._held = False
            os.close(handle)

    def read(self, path: str) -> Kept | None:
        """Return a file, or None where there is none; a folder that is not there yet has none."""
        places = Places(self._folder)
        try:
            with places:
                data = places.read(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failed(error, path, "read") from None
        return None if data is None else Kept(data, None)

    def write(
        self, objects: Mapping[str, bytes], sequence: int, known: Container[str], report: Callable[[int], None]
    ) -> None:
        """Write files; see Store.

        Hosts' objects do not say their sequence. Under the lock it is enough that the manifest is not newer: all
        that is written before it is of an entry that the next publish finishes, and nobody writes meanwhile.
        """
        del known  # every file is looked at
        durable = one_by_one(len(objects))
        with self._open(sequence) as places:
            places.sweep()
            shown = time.monotonic()
            for done, (path, data) in enumerate(objects.items(), 1):
                there = places.read(path)
                if there is not None and bundle_sequence(there) > sequence:
                    raise Overtaken(f"{self._folder / path} is of a newer publish than {sequence}")
                if there != data:
                    places.stage(path, data, durable=durable)
                if done < len(objects) and time.monotonic() > shown + _REPORTS:
                    shown = time.monotonic()
                    report(done)
            # All are staged before the first is put in its place: on a full disk, nothing has changed.
            places.settle(durable=durable)
            report(len(objects))

    def write_manifest(self, data: bytes, sequence: int, over: Kept | None) -> None:
        """Write the manifest; see Store."""
        with self._open(sequence) as places:
            there = places.read(MANIFEST)
            if there == data:
                return
            if there != (over.data if over else None):
                raise Overtaken(f"{self._folder / MANIFEST} was written by another publish meanwhile")
            places.stage(MANIFEST, data, durable=True)
            places.settle(durable=True)

    def delete(self, paths: Collection[str], sequence: int) -> None:
        """Delete files; see Store."""
        with self._open(sequence) as places:
            places.remove([path for path in paths if bundle_sequence(places.read(path) or b"") <= sequence])

    @contextmanager
    def _open(self, sequence: int) -> Iterator[Places]:
        """Open the folder for a publish, unless a newer one has finished here."""
        with self.hold():
            places = Places(self._folder)
            try:
                with places:
                    if manifest_sequence(places.read(MANIFEST) or b"") > sequence:
                        raise Overtaken(f"{self._folder / MANIFEST} is of a newer publish than {sequence}")
                    yield places
            except OSError as error:
                raise self._failed(error, places.touching, "written") from None

    def _lock(self) -> int:
        """Return the open lock file, locked; made with its folder if need be."""
        limit = request_limit()
        end = time.monotonic() + limit
        try:
            self._folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
            handle = os.open(self._folder / _LOCK, flags, 0o644)
        except FileExistsError:
            raise Unreachable(f"{plain(str(self._folder))}: a file, where the folder to publish to should be") from None
        except OSError as error:
            raise self._failed(error, _LOCK, "written") from None
        try:
            while not self._locked(handle):
                if time.monotonic() > end:
                    # Falls to exit 4: a lock file without a living owner is not locked, so somebody is at it.
                    raise Unreachable(f"{self._address}: another publish is writing to it, for {limit:g} s: try later")
                time.sleep(_POLL)
        except BaseException:
            os.close(handle)
            raise
        return handle

    def _locked(self, handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            raise self._failed(error, _LOCK, "locked") from None
        return True

    def _failed(self, error: OSError, path: str, how: str) -> Unreachable:
        """Say in one line why a file of the folder cannot be read or written, and what to do about it."""
        way_out = {
            errno.ENOSPC: ": make room; what is there stays as it is",
            errno.EDQUOT: ": make room; what is there stays as it is",
            errno.EFBIG: ": raise the limit on the size of files; what is there stays as it is",
            errno.EACCES: ": give this user the right",
            errno.EROFS: ": mount it for writing",
            errno.ENAMETOOLONG: ": this file system takes no such name",
        }.get(error.errno or 0, "")
        file, reason = self._folder, error.strerror or str(error)
        for part in path.split("/") if path else ():
            file = file / part
            try:
                mode = file.lstat().st_mode
            except OSError:
                continue
            if stat.S_ISLNK(mode):
                reason, way_out = "a symlink, which is never followed here", ": take it away"
                break
            if error.errno == errno.ENOTDIR and stat.S_ISREG(mode):
                reason, way_out = "a file, where a folder should be", ": take it away"
                break
        return Unreachable(f"{plain(str(file))}: cannot be {how}: {reason}{way_out}")
