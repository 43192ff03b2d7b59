"""What a change will do, as a screen; `preview_markdown` and `preview_data` have the other two forms."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tsunami_cli.core.previewing.preview import Preview
from tsunami_cli.core.previewing.remark import Remark
from tsunami_cli.core.values import printable
from tsunami_cli.output.preview_headlines import headline
from tsunami_cli.output.preview_words import (
    Sentence,
    cut,
    decided_lines,
    details,
    effect_text,
    ends_text,
    inventory_details,
    inventory_headline,
    key_text,
    nothing_text,
    source_text,
)
from tsunami_cli.output.streams import NEW, OLD, TROUBLE, console, count_of, emit
from tsunami_cli.output.times import local

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_INDENT = 2
"""Columns by which what belongs to a name stands further in."""
WORDS = {"error": "error", "warning": "warning", "info": "note"}
_LABEL = 13
"""Columns that a label takes, those before it and after it included."""


def show(found: Preview, *, as_json: bool, markdown: bool) -> None:
    """Write a preview to stdout."""
    if as_json:
        from tsunami_cli.output.preview_data import as_data

        emit(as_data(found))
        return
    if markdown:
        import sys

        from tsunami_cli.output.preview_markdown import comment

        sys.stdout.write(comment(found))
        return
    _screen(found)


def _screen(found: Preview) -> None:
    from rich.text import Text

    out = console()
    if found.empty:
        out.print(_plain(nothing_text(found)))
        return
    out.print(Text(_plain(ends_text(found))), Text(local(found.now), OLD), sep="   ")
    out.print(Text(source_text(found), OLD))
    for one in found.variables:
        _block(out, one.name, _plain(headline(one, found.now)), details(one, found.now), one.problems)
    if found.inventory is not None:
        change = found.inventory
        _block(out, change.file, inventory_headline(change), inventory_details(change), ())
    if found.settings:
        lines = [("changed" if not place else "", key_text(one)) for place, one in enumerate(found.settings)]
        lines += decided_lines(found.decisions)
        count = len(found.settings)
        _block(out, "settings", f"{count_of(count, 'key')} differ{'s' * (count == 1)}", lines, ())
    for effect in found.effects:
        _block(out, effect.name, f"its file stays, but {effect_text(effect)}", (), ())
    if found.others:
        out.print()
        _table(out, [_remark(remark, placed=True) for remark in sorted(found.others)])
    out.print()
    out.print(_ending(found))


def _block(out: "Console", name: str, head: str, lines: Iterable[tuple[str, str]], problems: Iterable[Remark]) -> None:
    """Print the name and what happens, the problems, then the details."""
    from rich.text import Text

    out.print()
    _wrapped(out, Text(f"{printable(name)}  ", NEW), Text(printable(head), "default"), _INDENT)
    rows = [_remark(problem, placed=False) for problem in problems]
    _table(out, [*rows, *((Text(label, OLD), Text(printable(text))) for label, text in lines)])


def _remark(remark: Remark, *, placed: bool) -> "tuple[Text, Text]":
    from rich.text import Text

    style = TROUBLE if remark.severity != "info" else ""
    where = f"{remark.file}:{remark.line}:{remark.column}  " if placed else f"line {remark.line}  "
    key = f"{remark.where}  " if remark.where else ""
    return Text(WORDS[remark.severity], style), Text(printable(cut(f"{where}{key}{remark.message}")), style)


def _table(out: "Console", rows: "list[tuple[Text, Text]]") -> None:
    """Print labels and texts."""
    for label, text in rows:
        label.pad_left(_INDENT)
        label.pad_right(_LABEL - label.cell_len)
        _wrapped(out, label, text, _LABEL)


def _wrapped(out: "Console", head: "Text", text: "Text", indent: int) -> None:
    """Print a head and a text that goes on below it, indented, with nothing after the end of a line."""
    from rich.text import Text

    whole = head + text
    first, *rest = whole.wrap(out, out.width, overflow="fold") or [whole]
    if rest:
        # The first line is the longer one: what is left after it is broken anew.
        left = whole.plain[len(first.plain) :]
        rest = list(whole[len(whole) - len(left.lstrip(" ")) :].wrap(out, max(20, out.width - indent), overflow="fold"))
    for line in (first, *(Text(" " * indent) + line for line in rest)):
        line.rstrip()
        out.print(line, overflow="fold")


def _ending(found: Preview) -> "Text":
    """Return the sum of it: who changes at once, and how much there is to stop at."""
    from rich.text import Text

    changed = sum(len(one.turns) for one in found.variables) + sum(len(one.turns) for one in found.effects)
    counts = [(kind, sum(one.severity == kind for one in found.problems)) for kind in ("error", "warning")]
    said = [count_of(count, kind) for kind, count in counts if count]
    count = f"{changed:,}" if changed else "no"
    text = Text(f"because of this the next publish tells {count} value{'s' * (changed != 1)} anew")
    return text.append(f"; {' and '.join(said)}", TROUBLE) if said else text.append("; nothing to stop at")


def _plain(sentence: Sentence) -> str:
    return printable("".join(sentence))
