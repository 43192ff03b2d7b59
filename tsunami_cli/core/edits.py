"""Changes to a document, as values: a decision is computed as edits, and the document's door carries them out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from tsunami_cli.core.nodes import Path

Fragment: TypeAlias = "str | tuple[Fragment, ...] | Mapping[str, Fragment]"
"""What is to be written: a text is one line of YAML as it shall stand (`"1.12.3"`, `{at: ..., percent: 0}`), a tuple a
block sequence, a mapping a block mapping."""


@dataclass(frozen=True, slots=True)
class Put:
    """Give the mapping at `path[:-1]` the key `path[-1]`, or replace what stands there."""

    path: Path
    fragment: Fragment


@dataclass(frozen=True, slots=True)
class Insert:
    """Insert an item into the sequence at `path[:-1]` so that it gets the place `path[-1]`.

    A sequence that is missing, null or empty is made.
    """

    path: Path
    fragment: Fragment


@dataclass(frozen=True, slots=True)
class Remove:
    """Take away the key or item at `path`; what stands there must exist."""

    path: Path
    bare: bool = False
    """Leave the comments above it: it was added below them, and they are about something else."""


Edit: TypeAlias = Put | Insert | Remove
