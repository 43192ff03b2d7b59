"""Decisions, as a table, as JSON and as CSV."""

import sys
from collections.abc import Sequence
from typing import Any

from tsunami_cli.core.journal import Entry
from tsunami_cli.core.text import instant_text
from tsunami_cli.core.values import printable
from tsunami_cli.output.streams import OLD, TROUBLE, console, emit
from tsunami_cli.output.times import column

KEYS = ("at", "commit", "author", "action", "variable", "rollout", "reason", "guard")


def show(entries: Sequence[Entry], *, as_json: bool, as_csv: bool) -> None:
    """Write decisions, oldest first, to stdout."""
    if as_json:
        emit([as_data(entry) for entry in entries])
        return
    if as_csv:
        import csv

        out = csv.DictWriter(sys.stdout, KEYS, lineterminator="\n")
        out.writeheader()
        out.writerows(as_data(entry) for entry in entries)
        return
    _write_table(entries)


def _write_table(entries: Sequence[Entry]) -> None:
    out = console()
    if not entries:
        out.print("no decisions")
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="", padding=(0, 2, 0, 0))
    head, when = column([entry.at for entry in entries])
    for name in (head, "variable", "action", "commit", "by", "reason"):
        table.add_column(name, no_wrap=name not in ("by", "reason"))
    for moment, entry in zip(when, entries, strict=True):
        style = TROUBLE if entry.action in ("halt", "rollback") else OLD if entry.action == "edit" else ""
        by, reason = entry.by, printable(entry.brief or "")
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
    at = instant_text(entry.at)
    who = (at, entry.commit, entry.author, entry.action, entry.variable, entry.rollout)
    return dict(zip(KEYS, (*who, entry.reason, entry.guard), strict=True))
