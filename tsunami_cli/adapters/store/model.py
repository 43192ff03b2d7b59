"""What a publish asks of a store, whichever it is."""

import json
import re
from collections.abc import Callable, Collection, Container, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

MANIFEST = "manifest.json"
"""The path of the one object that is written over what was read, and last."""

_BUNDLE = re.compile(rb'\A\{"role": "[^"]*", "sequence": ([0-9]{1,18}),')


class Overtaken(Exception):
    """Another publisher has written something newer meanwhile."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An object as it was read."""

    data: bytes
    version: object
    """What a conditional write needs, the store's own business."""


class Store(Protocol):
    """A place that hosts read from.

    Every method raises Unreachable where the store does not answer, refuses or is full.
    """

    @property
    def address(self) -> str:
        """The store as it may be shown: it holds no credentials."""

    def hold(self) -> AbstractContextManager[None]:
        """Keep other publishers of this machine out, where the store itself cannot tell who is newer."""

    def read(self, path: str) -> Kept | None:
        """Return an object; None only where the store answers, and has none."""

    def write(
        self, objects: Mapping[str, bytes], sequence: int, known: Container[str], report: Callable[[int], None]
    ) -> None:
        """Write objects by path, each only over one of a lower sequence; those of the same count as written.

        `known` has the paths that the store is believed to have; `report` is told now and then how many are done.
        Raises Overtaken at an object of a higher sequence.
        """

    def write_manifest(self, data: bytes, sequence: int, over: Kept | None) -> None:
        """Write the manifest over the one that was read, or where there was none; raises Overtaken where it is not."""

    def delete(self, paths: Collection[str], sequence: int) -> None:
        """Delete objects, but none of a higher sequence; one that is missing is fine."""


def manifest_sequence(data: bytes) -> int:
    """Return the sequence that a manifest states; one that nobody can read has none, and is older than any."""
    try:
        stated = json.loads(data).get("sequence")
    except (ValueError, AttributeError, RecursionError):
        return 0
    return stated if type(stated) is int else 0


def bundle_sequence(data: bytes) -> int:
    """Return the sequence that a role's bundle states, or 0 for anything but a bundle of ours."""
    found = _BUNDLE.match(data)
    return int(found[1]) if found else 0
