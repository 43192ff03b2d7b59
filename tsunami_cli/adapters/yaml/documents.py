"""Read YAML: bytes become nodes that know where they stand, or problems that say how to mend them.

Only what every YAML reader takes alike gets through: one document, with text for keys, without anchors and tags. What
a plain scalar means is decided by the rules of YAML itself, never by a library.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from tsunami_cli.adapters.yaml.events import Unreadable, decoded, events
from tsunami_cli.adapters.yaml.scalars import TooLong, resolved
from tsunami_cli.core.nodes import ListNode, MapNode, Node, ScalarNode, Span, spelled
from tsunami_cli.core.problems import Problem

MIB: Final = 1 << 20
DEEPEST: Final = 20
"""How many mappings and sequences may stand within each other."""
_MOST_PROBLEMS: Final = 50

_COLON = re.compile(r"(?:\s|#[^\n]*+)*+:")
_DASH = re.compile(r"(?:\s|#[^\n]*+)*+-")
_QUESTION = re.compile(r"#[^\n]*|(\?)")
_DOCUMENT_END = re.compile(r"^\.\.\.", re.MULTILINE)
_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*(?: +(?:#[^\n]*)?)?\r?(?:\n(?!(?:\r?\n)* *(?:\t| \r?\n))|\Z)")
# What of these is text within braces is a matter of the reader.
_ODD_IN_FLOW = re.compile(r"\A:|[\"']:|:\Z|(?:\A|\s)\?")


def parse(data: bytes, file: str, largest: int = MIB) -> tuple[Node | None, tuple[Problem, ...]]:
    """Return the root of the document in `data`, or None and what is wrong with it, in the order of the lines.

    `file` is the name that the problems carry, `largest` the number of bytes allowed.
    """
    reader = _Reader(file)
    try:
        reader.read(decoded(data, largest))
    except Unreadable as error:
        reader.problems.append(Problem(file, error.line, error.column, "", error.message))
    except _Enough:
        pass
    return (None if reader.problems else reader.root), tuple(sorted(reader.problems))


class _Enough(Exception):
    """There are more problems than anybody reads."""


@dataclass(slots=True)
class _Open:
    """A mapping or sequence whose end has not come yet."""

    span: Span
    is_map: bool
    flow: bool
    key: ScalarNode | None = None
    """The key that waits for its value."""
    lines: dict[str, int] = field(default_factory=dict)
    """The line of each key."""
    entries: list[tuple[ScalarNode, Node]] = field(default_factory=list)
    items: list[Node] = field(default_factory=list)

    def reached(self) -> int:
        """Return where the last child ends."""
        if self.key is not None:
            return self.key.span.end
        if self.entries:
            return self.entries[-1][1].span.end
        return self.items[-1].span.end if self.items else self.span.start


class _Reader:
    """Builds nodes from parsing events, and collects complaints."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.text = ""
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self.open: list[_Open] = []
        self.documents = 0

    def read(self, text: str) -> None:
        self.text = text
        for event in events(text):
            handler = _HANDLERS.get(type(event))
            if handler is not None:
                handler(self, event)
        if self.root is None or self.root.span.start == self.root.span.end:
            raise Unreadable(text, 0, "the file is empty")

    def note(self, line: int, column: int, message: str, key: str = "") -> None:
        path = [len(up.items) if not up.is_map else up.key.text if up.key else key for up in self.open]
        where = "".join(c if c.isprintable() else "?" for c in spelled(tuple(step for step in path if step != "")))
        self.problems.append(Problem(self.file, line, column, where, message))
        if len(self.problems) >= _MOST_PROBLEMS:
            raise _Enough

    def document(self, event: DocumentStartEvent) -> None:
        self.documents += 1
        if self.documents > 1:
            raise Unreadable(self.text, event.start_mark.index, "a second document begins here: a file holds one")

    def document_end(self, event: DocumentEndEvent) -> None:
        ends = list(_DOCUMENT_END.finditer(self.text, event.start_mark.index))
        if len(ends) > 1:
            raise Unreadable(self.text, ends[1].start(), "a second document ends here: a file holds one")

    def opened(self, event: MappingStartEvent | SequenceStartEvent) -> None:
        span = _span(event)
        if len(self.open) >= DEEPEST:
            raise Unreadable(self.text, span.start, f"nested deeper than {DEEPEST} levels: write it flatter")
        self.check_properties(event, span)
        if event.flow_style and self.text[span.start] not in "[{&!":
            self.note(span.line, span.column, "a pair within brackets: put it in braces")
        self.open.append(_Open(span, isinstance(event, MappingStartEvent), bool(event.flow_style)))

    def closed(self, event: MappingEndEvent | SequenceEndEvent) -> None:
        done = self.open.pop()
        begin = done.span
        end = event.end_mark.index if done.flow else done.reached()
        span = Span(begin.start, end, begin.line, begin.column)
        if done.is_map:
            self.add(MapNode(span, tuple(done.entries), done.flow))
        else:
            self.add(ListNode(span, tuple(done.items), done.flow))

    def alias(self, event: AliasEvent) -> None:
        span = _span(event)
        self.note(span.line, span.column, "an alias (`*`): write the value itself, or quote the text")
        self.add(ScalarNode(span, "", "", None))

    def scalar(self, event: ScalarEvent) -> None:
        span, text = _span(event), event.value
        self.check_properties(event, span)
        if event.style:
            if event.style in "|>":
                span = self.block(span, text)
            self.add(ScalarNode(span, text, text, None))
        elif text:
            self.add(self.plain(span, text))
        else:
            self.add(ScalarNode(self.nothing(span), None, "", "null"))

    def check_properties(self, event: Any, span: Span) -> None:
        if event.anchor is not None:
            self.note(span.line, span.column, "an anchor (`&`): write the value where it is used, or quote the text")
        if event.tag is not None:
            self.note(span.line, span.column, "a tag (`!`): take it out, or quote the text")

    def plain(self, span: Span, text: str) -> ScalarNode:
        if self.open and self.open[-1].flow and _ODD_IN_FLOW.search(text):
            self.note(span.line, span.column, "not every reader takes this `:` or `?` for text: put it in quotes")
        try:
            value, taken_for = resolved(text)
        except TooLong:
            self.note(span.line, span.column, f"a number of {len(text)} digits: put it in quotes if it is text")
            value, taken_for = text, None
        return ScalarNode(span, value, text, taken_for)

    def nothing(self, span: Span) -> Span:
        """Place a value that is not there directly behind its colon or dash."""
        if not self.open:
            return Span(span.start, span.start, span.line, span.column)
        up = self.open[-1]
        found = (_COLON if up.is_map else _DASH).match(self.text, up.reached())
        start = found.end() if found else up.reached()
        line = span.line - self.text.count("\n", start, span.start)
        return Span(start, start, line, start - self.text.rfind("\n", 0, start))

    def block(self, span: Span, text: str) -> Span:
        """Let a block scalar end with its last line, blank ones only where they are part of its value."""
        if not self.open or not _BLOCK_HEADER.match(self.text, span.start):
            self.note(span.line, span.column, "readers of YAML take this block scalar differently: write it in quotes")
        raw = self.text[span.start : span.end]
        keeps = "+" in raw[:3] or text.rstrip("\n")[-1:] in (" ", "\t")
        newline = raw.find("\n", len(raw) - 1 if keeps else len(raw.rstrip(" \t\r\n")))
        end = len(raw) if newline < 0 else len(raw[:newline].removesuffix("\r"))
        return Span(span.start, span.start + end, span.line, span.column)

    def add(self, node: Node) -> None:
        if not self.open:
            self.root = node
            return
        up = self.open[-1]
        if not up.is_map:
            up.items.append(node)
        elif up.key is None:
            up.key = self.key(up, node)
        else:
            up.entries.append((up.key, node))
            up.key = None

    def key(self, up: _Open, node: Node) -> ScalarNode:
        span = node.span
        gap = self.text[up.reached() : span.start]
        if "?" in gap and any(found[1] for found in _QUESTION.finditer(gap)):
            self.note(span.line, span.column, "a key with `?`: write `key: value`, or quote the text")
        if not isinstance(node, ScalarNode):
            self.note(span.line, span.column, "a mapping or sequence as key: keys are text")
            return ScalarNode(span, "", "", None)
        if node.text == "<<" and node.taken_for:
            self.note(span.line, span.column, "a merge key (`<<`): write the keys out")
        elif node.taken_for:
            self.note(span.line, span.column, f"this key is read as {node.taken_for}: put it in quotes")
        elif node.text in up.lines:
            first = up.lines[node.text]
            self.note(span.line, span.column, f"the key stands on line {first} already: keep one of them", node.text)
        up.lines.setdefault(node.text, span.line)
        return node


def _span(event: Any) -> Span:
    start = event.start_mark
    return Span(start.index, event.end_mark.index, start.line + 1, start.column + 1)


_HANDLERS: dict[type, Callable[[_Reader, Any], None]] = {
    AliasEvent: _Reader.alias,
    DocumentEndEvent: _Reader.document_end,
    DocumentStartEvent: _Reader.document,
    MappingEndEvent: _Reader.closed,
    MappingStartEvent: _Reader.opened,
    ScalarEvent: _Reader.scalar,
    SequenceEndEvent: _Reader.closed,
    SequenceStartEvent: _Reader.opened,
}
