"""Values as they stand in a variable's file: what every YAML reader, and the variable's own schema, takes them for."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from tsunami_cli.core.checks.document import Document
from tsunami_cli.core.nodes import Path, Plain, ScalarNode, plain
from tsunami_cli.core.values import Value, value_of, yaml_quoted, yaml_text

Fits = Callable[[object], Iterable[str]]
"""Whether a scalar is a value that the variable may have: what is wrong with it, nothing where it fits."""

_TEXT_KEYWORDS = {"pattern", "minLength", "maxLength", "format"}
_FITTING: dict[type, set[str]] = {bool: {"boolean"}, int: {"integer", "number"}, float: {"number"}, str: {"string"}}
_PLAIN = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][-+][0-9]+)?)?|true|false")
"""Numbers and booleans that YAML 1.1, YAML 1.2 and JSON read alike."""


@dataclass(frozen=True)
class Values:
    """Reads the values of one variable."""

    document: Document
    fits: Fits | None
    """None where `value` itself is wrong: then nothing can be said about values."""

    @cached_property
    def schema(self) -> dict[str, Plain]:
        """The variable's `value`."""
        node = self.document.node(("value",))
        read = plain(node) if node is not None else {}
        return read if isinstance(read, dict) else {}

    @cached_property
    def kinds(self) -> set[str]:
        """The JSON Schema types that a value may have, as far as the schema says."""
        kinds = self.schema.get("type", [])
        return {str(kind) for kind in kinds} if isinstance(kinds, list) else {str(kinds)}

    def value(self, path: Path) -> Value | None:
        """Return the value at `path`; None where there is none, or none that can be read."""
        node = self.document.node(path)
        if not isinstance(node, ScalarNode) or not self.document.sound(path):
            return None
        try:
            value = value_of(node.value)
        except ValueError as reason:
            self.document.note(path, f"{node.text or 'null'} is no value: {reason}")
            return None
        complaint = self._misread(node)
        if complaint is None and self.fits is not None:
            complaint = next(iter(self.fits(node.value)), None)
        if complaint is not None:
            self.document.note(path, complaint)
        return value

    def _misread(self, node: ScalarNode) -> str | None:
        """Say what is wrong where YAML readers take a plain scalar for other than what is wanted."""
        fitting = bool(_FITTING[type(node.value)] & self.kinds)
        if isinstance(node.value, str):
            return (
                self._wants_text(node, "some YAML readers") if node.taken_for and (fitting or not self.kinds) else None
            )
        wants_text = "string" in self.kinds or (not self.kinds and not _TEXT_KEYWORDS.isdisjoint(self.schema))
        if wants_text and not fitting:
            return self._wants_text(node, "YAML")
        if node.taken_for and not _PLAIN.fullmatch(node.text):
            return f"YAML readers do not agree on {node.text}: write {yaml_text(value_of(node.value))}"
        return None

    def _wants_text(self, node: ScalarNode, readers: str) -> str:
        name = self.document.text(("name",)) or "the variable"
        return f"{node.text} is {node.taken_for} to {readers}, and {name} wants text: write {yaml_quoted(node.text)}"
