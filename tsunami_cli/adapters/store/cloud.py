"""A bucket of S3, Google Cloud Storage or Azure, or of what speaks like one.

The sequence of an object is in its metadata, and every write is conditional on the version that was read, so that of
two publishers the newer one wins, wherever they run and however long one of them was asleep. S3 makes the version of an
object, its ETag, from its bytes alone: who sleeps between reading and writing while others write something else and
then those very bytes again is not noticed. Nor does any of them delete conditionally; the reader's manifest tells.
"""

from collections.abc import Callable, Collection, Container, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotModifiedError, PreconditionError
from obstore.store import AzureStore, GCSStore, S3Store

from tsunami_cli.adapters.store.clouds import Cloud
from tsunami_cli.adapters.store.crew import work_off
from tsunami_cli.adapters.store.failures import explained, is_missing
from tsunami_cli.adapters.store.model import MANIFEST, Kept, Overtaken, manifest_sequence

if TYPE_CHECKING:
    from obstore import Attributes, ObjectMeta, UpdateVersion

_LOST = (AlreadyExistsError, PreconditionError, NotModifiedError)
_TRIES = 4
"""One, and three more after looking again."""

Bucket = S3Store | GCSStore | AzureStore


@dataclass(frozen=True, slots=True)
class _Seen:
    """An object as the store describes it."""

    version: "UpdateVersion"
    sequence: int


class CloudStore:
    """A bucket, below a prefix."""

    def __init__(self, address: str, bucket: Bucket, cloud: Cloud) -> None:
        self._address = address
        self._bucket = bucket
        self._cloud = cloud

    @property
    def address(self) -> str:
        """The URL, as the settings have it."""
        return self._address

    def hold(self) -> AbstractContextManager[None]:
        """Hold nothing: conditional writes tell who is newer."""
        return nullcontext()

    def read(self, path: str) -> Kept | None:
        """Return an object; None only where the store says that it has none, not where something else says 404."""
        try:
            found = obstore.get(self._bucket, path)
            return Kept(bytes(found.bytes()), _version(found.meta))
        except (BaseError, OSError) as error:
            if is_missing(error, self._cloud):
                return None
            raise explained(error, self._address, f"{path} cannot be read", self._cloud) from None

    def write(
        self, objects: Mapping[str, bytes], sequence: int, known: Container[str], report: Callable[[int], None]
    ) -> None:
        """Write objects; see Store."""

        def one(path: str) -> None:
            self._write(path, objects[path], sequence, self._look(path) if path in known else None)

        work_off(objects, one, report)

    def write_manifest(self, data: bytes, sequence: int, over: Kept | None) -> None:
        """Write the manifest; see Store.

        A lost race against the same bytes is none: it was our own request, whose answer was lost.
        """
        current = over
        for _ in range(_TRIES):
            if current is not None and manifest_sequence(current.data) > sequence:
                raise Overtaken(f"{self._address}: {MANIFEST} is of a newer publish than {sequence}")
            if self._put(MANIFEST, data, sequence, current.version if current else None):
                return
            current = self.read(MANIFEST)
            if current is not None and current.data == data:
                return
            if (current and current.data) != (over and over.data):
                break
        raise Overtaken(f"{self._address}: {MANIFEST} was written by another publish meanwhile")

    def delete(self, paths: Collection[str], sequence: int) -> None:
        """Delete objects; see Store."""

        def one(path: str) -> None:
            seen = self._look(path)
            if seen is not None and seen.sequence <= sequence:
                self._delete(path)

        work_off(paths, one, lambda _: None)

    def _write(self, path: str, data: bytes, sequence: int, seen: _Seen | None) -> None:
        for _ in range(_TRIES):
            if seen is not None and seen.sequence > sequence:
                raise Overtaken(f"{self._address}: {path} is of publish {seen.sequence}, newer than {sequence}")
            if seen is not None and seen.sequence == sequence:
                return
            if self._put(path, data, sequence, seen.version if seen else None):
                return
            seen = self._look(path)
        raise Overtaken(f"{self._address}: {path} was written by others again and again")

    def _look(self, path: str) -> _Seen | None:
        """Ask for an object's version and sequence. A 404 to this question has no body that would say of what.

        Taken for a missing object it leads to a write, which then is told what is missing.
        """
        try:
            found = obstore.get(self._bucket, path, options={"head": True})
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise explained(error, self._address, f"{path} cannot be looked at", self._cloud) from None
        stated = next((value for name, value in found.attributes.items() if name.lower() == "sequence"), "")
        # One that was put by hand has none, and is older than any.
        counts = stated.isascii() and stated.isdigit() and len(stated) < 19
        return _Seen(_version(found.meta), int(stated) if counts else 0)

    def _put(self, path: str, data: bytes, sequence: int, version: object) -> bool:
        """Write over a version, or where there is none; say whether that was so."""
        attributes: Attributes = {
            "Content-Type": "application/json; charset=utf-8",
            # Not "do not store": hosts and proxies keep it, and ask each time whether it still holds. Any age that
            # they might believe in instead would be added to the time that a halt takes to arrive.
            "Cache-Control": "no-cache",
            "sequence": str(sequence),
        }
        mode = version if isinstance(version, dict) else "create"
        try:
            obstore.put(self._bucket, path, data, attributes=attributes, mode=mode)  # type: ignore[arg-type]
        except _LOST:
            return False
        except (BaseError, OSError) as error:
            # Some say 404 where the version to write over is gone.
            if version is not None and is_missing(error, self._cloud):
                return False
            raise explained(error, self._address, f"{path} cannot be written", self._cloud) from None
        return True

    def _delete(self, path: str) -> None:
        try:
            obstore.delete(self._bucket, path)
        except FileNotFoundError:
            pass
        except (BaseError, OSError) as error:
            raise explained(error, self._address, f"{path} cannot be deleted", self._cloud) from None


def _version(meta: "ObjectMeta") -> "UpdateVersion":
    """Return what a conditional write needs; obstore takes no None in it."""
    version: UpdateVersion = {}
    if meta["e_tag"] is not None:
        version["e_tag"] = meta["e_tag"]
    if meta["version"] is not None:
        version["version"] = meta["version"]
    return version
