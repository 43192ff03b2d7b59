"""A parsed document, before anything is known of its meaning: every piece remembers where it stands."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

Plain: TypeAlias = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]
"""What JSON can say."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where a piece stands: character offsets `start` to `end` (not included); line and column of its start, from 1."""

    start: int
    end: int
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A scalar."""

    span: Span
    value: None | bool | int | float | str
    """As the YAML 1.2 core schema reads it; instants and dates stay text."""
    text: str
    """The scalar's own characters, unquoted: `1.10` where `value` is 1.1."""
    taken_for: str | None
    """What some YAML reader, 1.1 or 1.2, takes the unquoted scalar for: `the number 1.1`, `a date`,
    `the boolean false`; None for what every reader takes for text, and for everything quoted."""


@dataclass(frozen=True, slots=True)
class ListNode:
    """A sequence."""

    span: Span
    items: tuple["Node", ...]
    flow: bool


@dataclass(frozen=True, slots=True)
class MapNode:
    """A mapping; its keys are distinct."""

    span: Span
    entries: tuple[tuple[ScalarNode, "Node"], ...]
    flow: bool

    def get(self, key: str) -> "Node | None":
        """Return the node under `key`, None where there is none."""
        return next((node for name, node in self.entries if name.text == key), None)


Node: TypeAlias = ScalarNode | ListNode | MapNode
Path: TypeAlias = tuple[str | int, ...]
"""The way from the root: keys of mappings and, from 0, places in sequences."""


def plain(node: Node) -> Plain:
    """Return the document as JSON data, with floats where YAML has floats."""
    match node:
        case ScalarNode():
            return node.value
        case ListNode():
            return [plain(item) for item in node.items]
        case MapNode():
            return {key.text: plain(value) for key, value in node.entries}


def at(root: Node, path: Path) -> Node:
    """Return the node at `path`, or the nearest one above it that exists."""
    node = root
    for step in path:
        below: Node | None = None
        if isinstance(node, MapNode) and isinstance(step, str):
            below = node.get(step)
        elif isinstance(node, ListNode) and isinstance(step, int) and step < len(node.items):
            below = node.items[step]
        if below is None:
            return node
        node = below
    return node


def spelled(path: Path) -> str:
    """Spell a path the way people write it: `rollouts[0].schedule[1].at`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def walk(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Yield every node with its path, parents first."""
    yield path, node
    if isinstance(node, ListNode):
        for place, item in enumerate(node.items):
            yield from walk(item, (*path, place))
    elif isinstance(node, MapNode):
        for key, value in node.entries:
            yield from walk(value, (*path, key.text))
