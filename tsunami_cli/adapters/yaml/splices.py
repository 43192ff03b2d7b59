"""Which characters of a YAML text to replace, and by what, so that one key or item changes and nothing else."""

import re
from collections.abc import Sequence

from tsunami_cli.adapters.yaml.fragments import block, fits_a_line, flow, flow_pair, line
from tsunami_cli.adapters.yaml.layout import (
    Entry,
    Splice,
    column,
    end_with_comments,
    ends_in_block_scalar,
    entries,
    line_end,
    line_ending,
    line_start,
    next_content,
    next_line,
    start_with_comments,
)
from tsunami_cli.core.edits import Fragment
from tsunami_cli.core.nodes import ListNode, MapNode, Node, ScalarNode

_COMMA = re.compile(r"(?:\s|#[^\n]*+)*+,")
_REST_OF_ENTRY = re.compile(r"[ \t]*(,?)[ \t]*(?:#.*)?\r?$", re.MULTILINE)


def replaced(text: str, old: Entry, fragment: Fragment) -> Sequence[Splice]:
    """Give a key or item another value."""
    span = old.node.span
    if old.parent.flow:
        return [_within_line(text, old, flow(fragment))]
    in_line = fits_a_line(fragment)
    if old.key is None or line_start(text, span.start) > old.key.span.end:
        if not in_line:
            return [_as_block(text, old, fragment)]
        if old.key is None or not _is_block(old.node):
            return [_within_line(text, old, line(fragment))]
    colon = text.index(":", old.key.span.end) + 1
    if not in_line:
        lines = block(fragment, column(text, old.head) + 2)
        end = line_end(text, span.end)
        return [(colon, span.end, ""), (end, end, _joined(text, ["", *lines]))]
    if _is_block(old.node):
        # What stands between key and value are comments; they stay.
        gone = (line_start(text, span.start), next_line(text, span.end), "")
        return [(colon, colon, f" {line(fragment)}"), gone]
    return [_within_line(text, old, line(fragment))]


def replaced_root(text: str, root: Node, fragment: Fragment) -> Sequence[Splice]:
    """Give the document another root."""
    new = line(fragment) if fits_a_line(fragment) else _joined(text, block(fragment, column(text, root.span.start)))
    return [(root.span.start, _end(text, root), new.lstrip(" "))]


def appended(text: str, parent: MapNode, key: str, fragment: Fragment) -> Sequence[Splice]:
    """Add a key to a mapping, behind the others."""
    if parent.flow:
        return [_behind(text, parent, flow_pair(key, fragment))]
    last_key, last = parent.entries[-1]
    indent = column(text, parent.span.start)
    lines = block({key: fragment}, indent)
    if ends_in_block_scalar(text, last) and line_end(text, last.span.end) == len(text):
        # A line behind it would give its value a line ending.
        return [_in_front(text, last_key.span.start, lines)]
    end = end_with_comments(text, last.span.end, indent)
    return [(end, end, _joined(text, ["", *lines]))]


def inserted(text: str, parent: ListNode, held: Entry | None, place: int, fragment: Fragment) -> Sequence[Splice]:
    """Add an item to a sequence that is not empty; `held` is the entry whose value the sequence is."""
    siblings = entries(text, parent)
    if parent.flow:
        if place == len(siblings):
            return [_behind(text, parent, flow(fragment))]
        return [(siblings[place].head, siblings[place].head, f"{flow(fragment)}, ")]
    indent = column(text, parent.span.start)
    lines = block((fragment,), indent)
    if place == 0:
        return [_in_front(text, siblings[0].head, lines)]
    # Comments in the column of the dashes belong to the next item, behind the last to the sequence; but where the
    # dashes stand below their key, without indentation, to the next key.
    own = place < len(siblings) or (held is not None and held.key is not None and column(text, held.head) == indent)
    end = end_with_comments(text, siblings[place - 1].node.span.end, indent + 1 if own else indent)
    return [(end, end, _joined(text, ["", *lines]))]


def removed(text: str, old: Entry, *, bare: bool = False) -> Sequence[Splice]:
    """Take a key or item away: not the only one of a block. `bare` leaves the comments above it."""
    siblings = entries(text, old.parent)
    if old.parent.flow:
        return [_removed_from_flow(text, siblings, old.place)]
    indent = column(text, old.head)
    end = end_with_comments(text, old.node.span.end, indent + 1)
    begin = line_start(text, old.head)
    if not text[begin : old.head].strip():
        if old.place == 0:
            return [(begin, next_line(text, end), "")]
        before = siblings[old.place - 1].node
        top = old.head if bare else start_with_comments(text, old.head, before.span.end)
        # Blank lines below a block scalar would become part of it.
        beyond = next_content(text, end) if ends_in_block_scalar(text, before) else next_line(text, end)
        return [(line_start(text, top), beyond, "")]
    # The first of its collection, on the line of a dash that has to stay.
    following = siblings[old.place + 1].head
    if not text[end:following].strip():
        return [(old.head, following, "")]
    return [(begin + len(text[begin : old.head].rstrip()), end, "")]


def _removed_from_flow(text: str, siblings: Sequence[Entry], place: int) -> Splice:
    start, end = siblings[place].head, siblings[place].node.span.end
    is_last = place == len(siblings) - 1
    rest = _REST_OF_ENTRY.match(text, end)
    begin = line_start(text, start)
    if rest and (rest[1] or is_last) and not text[begin:start].strip():
        return begin, next_line(text, end), ""
    comma = _COMMA.match(text, end)
    beyond = comma.end() if comma else end
    if len(siblings) == 1:
        return start, beyond, ""
    if is_last:
        before = siblings[place - 1].node.span.end
        return (start, beyond, "") if "#" in text[before:start] else (before, end, "")
    following = siblings[place + 1].head
    return start, beyond if "#" in text[end:following] else following, ""


def _within_line(text: str, old: Entry, new: str) -> Splice:
    """Replace a value by `new`, kept apart from what stands before and behind it."""
    start, end = old.node.span.start, _end(text, old.node)
    before = text[start - 1 : start]
    if old.key is not None and start == old.key.span.end:
        before, new = "", f": {new}"
    return start, end, f"{' ' if before in (':', '-') else ''}{new}{' ' if text[end : end + 1] == '#' else ''}"


def _as_block(text: str, old: Entry, fragment: Fragment) -> Splice:
    """Replace a value that stands on lines of its own, or behind a dash, by the lines of `fragment`."""
    start, end = old.node.span.start, _end(text, old.node)
    begin = line_start(text, start)
    indent = column(text, start)
    if old.key is None and start == end:
        indent = column(text, old.head) + 2
    if old.key is not None and indent == column(text, old.head) and not isinstance(fragment, tuple):
        indent += 2
    lines = block(fragment, indent)
    if not text[begin:start].strip():
        return begin, end, _joined(text, lines)
    return start, end, (" " if start == end else "") + _joined(text, lines).lstrip(" ")


def _behind(text: str, parent: MapNode | ListNode, new: str) -> Splice:
    """Write `new` behind what a flow collection has."""
    siblings = entries(text, parent)
    if not siblings:
        return parent.span.start + 1, parent.span.start + 1, new
    end = siblings[-1].node.span.end
    return end, end, f"{' ' if text[end - 1] == ':' else ''}, {new}"


def _in_front(text: str, head: int, lines: Sequence[str]) -> Splice:
    """Write `lines` before a key or dash in the same column."""
    return head, head, _joined(text, [*lines, " " * column(text, head)]).lstrip(" ")


def _joined(text: str, lines: Sequence[str]) -> str:
    return line_ending(text).join(lines)


def _is_block(node: Node) -> bool:
    return not isinstance(node, ScalarNode) and not node.flow


def _end(text: str, node: Node) -> int:
    """Return where a value ends, the comment on the last line of a block included."""
    return line_end(text, node.span.end) if _is_block(node) else node.span.end
