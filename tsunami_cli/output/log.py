"""Decisions, as a table and as JSON."""

from collections.abc import Sequence
from typing import Any

from tsunami_cli.core.journal import Entry
from tsunami_cli.core.text import instant_text
from tsunami_cli.core.values import printable
from tsunami_cli.output.streams import OLD, TROUBLE, console, emit
from tsunami_cli.output.times import column


def show(entries: Sequence[Entry], *, as_json: bool) -> None:
    """Write decisions, oldest first, to stdout."""
    if as_json:
        emit([as_data(entry) for entry in entries])
        return
    out = console()
    if not entries:
        out.print("no decisions yet")
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="", padding=(0, 2, 0, 0))
    head, when = column([entry.at for entry in entries])
    for name in (head, "variable", "action", "commit", "by", "reason"):
        table.add_column(name, no_wrap=name not in ("by", "reason"))
    for moment, entry in zip(when, entries, strict=True):
        style = TROUBLE if entry.action in ("halt", "rollback") else OLD if entry.action == "edit" else ""
        by, reason = printable(entry.author.partition(" <")[0]), printable(entry.reason or "")
        table.add_row(
            moment,
            entry.variable,
            Text(printable(entry.action), style),
            entry.commit[:7],
            Text(by),
            Text(reason),
        )
    out.print(table)


def as_data(entry: Entry) -> dict[str, Any]:
    """Return a decision as JSON data."""
    return {
        "at": instant_text(entry.at),
        "commit": entry.commit,
        "author": entry.author,
        "action": entry.action,
        "variable": entry.variable,
        "rollout": entry.rollout,
        "reason": entry.reason,
    }
