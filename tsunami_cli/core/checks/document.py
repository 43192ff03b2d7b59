"""A document under check: its pieces by path, and what was found wrong with them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from tsunami_cli.core.model import Globs
from tsunami_cli.core.nodes import ListNode, MapNode, Node, Path, ScalarNode, at, spelled
from tsunami_cli.core.problems import Problem, Severity

T = TypeVar("T")


@dataclass
class Document:
    """A parsed file with the schema's complaints by path; it collects problems."""

    file: str
    root: Node
    shape: Mapping[Path, str]
    _problems: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Take the schema's complaints over as problems."""
        for path, message in self.shape.items():
            self.note(path, message)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that was found, in the order of the file."""
        return tuple(sorted(set(self._problems)))

    @property
    def failed(self) -> bool:
        """Whether any of it is an error."""
        return any(problem.severity == "error" for problem in self._problems)

    def note(self, path: Path, message: str, severity: Severity = "error") -> None:
        """Note a problem with the piece at `path`, or with what would hold it."""
        span = at(self.root, path).span
        self._problems.append(Problem(self.file, span.line, span.column, spelled(path), message, severity))

    def sound(self, path: Path) -> bool:
        """Say whether the schema had nothing against a piece, what holds it, or anything in it."""
        return not any(path[: len(bad)] == bad or bad[: len(path)] == path for bad in self.shape)

    def node(self, path: Path) -> Node | None:
        """Return the piece at `path`, None where there is none."""
        node: Node | None = self.root
        for step in path:
            if isinstance(node, MapNode) and isinstance(step, str):
                node = node.get(step)
            elif isinstance(node, ListNode) and isinstance(step, int):
                node = node.items[step]
            else:
                return None
        return node

    def line(self, path: Path) -> int:
        """Return the line on which a piece begins."""
        return at(self.root, path).span.line

    def items(self, path: Path) -> list[Path]:
        """Return the paths of a sequence's items or a mapping's keys; none where there is neither."""
        match self.node(path):
            case ListNode(items=items):
                return [(*path, place) for place in range(len(items))]
            case MapNode(entries=entries):
                return [(*path, key.text) for key, _ in entries]
            case _:
                return []

    def text(self, path: Path) -> str | None:
        """Return a scalar's characters; None where it is absent or the schema complained of it."""
        node = self.node(path)
        return node.text if isinstance(node, ScalarNode) and self.sound(path) else None

    def read(self, path: Path, reader: Callable[[str], T]) -> T | None:
        """Read a scalar's text; where that fails the reason becomes a problem and the answer is None."""
        text = self.text(path)
        if text is None:
            return None
        try:
            return reader(text)
        except ValueError as reason:
            self.note(path, str(reason))
            return None

    def read_all(self, path: Path, reader: Callable[[str], T]) -> tuple[T, ...]:
        """Read every item of a sequence; those that cannot be read are left out."""
        found = (self.read(item, reader) for item in self.items(path))
        return tuple(item for item in found if item is not None)

    def globs(self, path: Path) -> Globs:
        """Return a sequence of patterns."""
        return Globs(self.read_all(path, str))

    def unique(self, path: Path, key: str) -> None:
        """Note every item of a sequence whose `key` an item above it has."""
        lines: dict[str, int] = {}
        for item in self.items(path):
            name = self.text((*item, key))
            if name is None:
                continue
            if name in lines:
                self.note((*item, key), f"{name} stands twice, first on line {lines[name]}: give it another {key}")
            lines.setdefault(name, self.line((*item, key)))
