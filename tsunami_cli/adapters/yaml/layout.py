"""Where the pieces of a YAML document stand in its lines, and which comments belong to which piece.

Comments on lines of their own belong to the piece before them if they are indented deeper than its key or dash;
to the piece after them if they stand directly above its key or dash, in the same column, and it is not the first of
its collection (above that they speak of the whole).
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

from tsunami_cli.core.nodes import ListNode, MapNode, Node, Path, ScalarNode

_DASH = re.compile(r"(?:\s|#[^\n]*+)*+-")
_COMMENT_LINE = re.compile(r"( *)#")


Splice: TypeAlias = tuple[int, int, str]
"""Put the text in the place of the characters from the first offset to the second."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A key with its value, or an item of a sequence."""

    parent: MapNode | ListNode
    place: int
    head: int
    """Offset of the key, the dash, or the item in a flow sequence."""
    key: ScalarNode | None
    node: Node


def entries(text: str, parent: MapNode | ListNode) -> list[Entry]:
    """Return what stands in `parent`."""
    if isinstance(parent, MapNode):
        return [Entry(parent, n, key.span.start, key, node) for n, (key, node) in enumerate(parent.entries)]
    found: list[Entry] = []
    after = parent.span.start
    for n, node in enumerate(parent.items):
        dash = None if parent.flow else _DASH.match(text, after)
        found.append(Entry(parent, n, dash.end() - 1 if dash else node.span.start, None, node))
        after = node.span.end
    return found


def entry(text: str, root: Node, path: Path) -> Entry | None:
    """Return what stands at `path`, None where nothing does."""
    node, found = root, None
    for step in path:
        if isinstance(node, ScalarNode) or isinstance(node, MapNode) is not isinstance(step, str):
            return None
        found = next((e for e in entries(text, node) if step == (e.key.text if e.key else e.place)), None)
        if found is None:
            return None
        node = found.node
    return found


def node_at(text: str, root: Node, path: Path) -> Node | None:
    """Return the node at `path`, the root for an empty one, None where nothing stands."""
    found = entry(text, root, path)
    return found.node if found else None if path else root


def line_start(text: str, offset: int) -> int:
    """Return where the line of `offset` begins."""
    return text.rfind("\n", 0, offset) + 1


def line_end(text: str, offset: int) -> int:
    """Return where the line of `offset` ends, its line ending not included."""
    found = text.find("\n", offset)
    end = len(text) if found < 0 else found
    return end - 1 if found > offset and text[end - 1] == "\r" else end


def next_line(text: str, offset: int) -> int:
    """Return where the line after that of `offset` begins, the end of the text where there is none."""
    found = text.find("\n", offset)
    return len(text) if found < 0 else found + 1


def next_content(text: str, offset: int) -> int:
    """Return where the next line begins that is not blank, the end of the text where there is none."""
    at = next_line(text, offset)
    while at < len(text) and not text[at : next_line(text, at)].strip():
        at = next_line(text, at)
    return at


def column(text: str, offset: int) -> int:
    """Return the column of `offset`, from 0."""
    return offset - line_start(text, offset)


def line_ending(text: str) -> str:
    """Return the line ending that most lines have."""
    return "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"


def end_with_comments(text: str, offset: int, indent: int) -> int:
    """Return the end of the line of `offset`, or of the last comment below it that is indented by `indent` or more."""
    end = line_end(text, offset)
    at = next_line(text, end)
    while at < len(text):
        stop = line_end(text, at)
        comment = _COMMENT_LINE.match(text, at, stop)
        if comment and len(comment[1]) >= indent:
            end = stop
        elif text[at:stop].strip():
            break
        at = next_line(text, stop)
    return end


def start_with_comments(text: str, offset: int, after: int) -> int:
    """Return `offset`, a key or dash, or the first of the comments directly above it in its column, behind `after`."""
    indent = column(text, offset)
    start = offset
    while (begin := line_start(text, start)) > 0:
        above = line_start(text, begin - 1)
        comment = _COMMENT_LINE.match(text, above, line_end(text, above))
        if above <= after or not comment or len(comment[1]) != indent:
            break
        start = above + indent
    return start


def ends_in_block_scalar(text: str, node: Node) -> bool:
    """Tell whether the last scalar of `node` is a `|` or `>`."""
    while not isinstance(node, ScalarNode):
        last = node.entries[-1][1] if isinstance(node, MapNode) and node.entries else None
        last = node.items[-1] if isinstance(node, ListNode) and node.items else last
        if last is None:
            return False
        node = last
    return text[node.span.start : node.span.start + 1] in ("|", ">")
