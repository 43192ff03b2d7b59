"""Tellings, as a table, as JSON and as CSV."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tsunami_cli.core.audit import Telling
from tsunami_cli.core.text import instant_text
from tsunami_cli.core.values import Value, brief, key_text, printable, scalar

KEYS = (
    "at host role variable from to rollout publish sequence commit author action reason".split()  # noqa: SIM905
)
MANY = 1_000
"""Rows from which on nobody looks at colours and wrapped lines, for which a table of that size would take long."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What exactly one name was asked for: its column would say the same all the way down."""

    host: bool = False
    role: bool = False


def show(rows: Sequence[Telling], asked: Asked, *, as_json: bool, as_csv: bool) -> None:
    """Write tellings, oldest first, to stdout."""
    if as_json:
        _emit(rows)
    elif as_csv:
        _write_csv(rows)
    else:
        _write_table(rows, asked)


def as_data(row: Telling) -> dict[str, Any]:
    """Return a telling as JSON data."""
    ends = (None if value is None else scalar(value) for value in (row.before, row.after))
    return dict(zip(KEYS, _fields(row, *ends), strict=True))


def _fields(row: Telling, before: object, after: object) -> tuple[object, ...]:
    """Return a telling in the order of the keys."""
    subject = (instant_text(row.at), row.host, row.role, row.variable, before, after, row.rollout)
    return (*subject, row.publish, row.sequence, row.commit, row.author, row.action, row.reason)


def _emit(rows: Sequence[Telling]) -> None:
    """Write one JSON document with a telling a line: there may be 100,000s."""
    texts = (json.dumps(as_data(row), ensure_ascii=False) for row in rows)
    sys.stdout.write(f"[{','.join(chr(10) + '  ' + text for text in texts)}{chr(10) if rows else ''}]\n")


def _write_csv(rows: Sequence[Telling]) -> None:
    import csv

    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(KEYS)
    ends = ((None if value is None else key_text(value) for value in (row.before, row.after)) for row in rows)
    out.writerows(_fields(row, *pair) for row, pair in zip(rows, ends, strict=True))


def _write_table(rows: Sequence[Telling], asked: Asked) -> None:
    from tsunami_cli.output.streams import OLD, console
    from tsunami_cli.output.times import column

    if not rows:
        sys.stdout.write("no tellings\n")
        return
    when, moments = column([row.at for row in rows])
    heads = [when, "host", "role", "variable", "told", "publish", "because of"]
    kept = [place for place, head in enumerate(heads) if not (head in ("host", "role") and getattr(asked, head))]
    table = [
        (moment, row.host, row.role, row.variable, _told(row), f"#{row.sequence}", _because(row))
        for moment, row in zip(moments, rows, strict=True)
    ]
    cells = [[printable(row[place]) for place in kept] for row in table]
    names = [heads[place] for place in kept]
    if len(rows) >= MANY:
        sys.stdout.writelines(_plain(names, cells))
        return
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, pad_edge=False, header_style="", padding=(0, 2, 0, 0))
    for name in names:
        grid.add_column(name, no_wrap=name not in ("told", "because of"), overflow="fold")
    for line in cells:
        texts = [Text(cell) for cell in line]
        told = texts[names.index("told")]
        if " -> " in told.plain:
            told.stylize(OLD, 0, told.plain.rindex(" -> "))
        grid.add_row(*texts)
    console().print(grid)


def _plain(names: Sequence[str], cells: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table that is as wide as it takes."""
    widths = [max(map(len, cell)) for cell in zip(names, *cells, strict=True)]
    rows = (zip(line, widths, strict=True) for line in (names, *cells))
    return ["  ".join(cell.ljust(width) for cell, width in row).rstrip() + "\n" for row in rows]


def _told(row: Telling) -> str:
    before, after = _value(row.before), _value(row.after)
    if row.before is None:
        return f"first told {after}"
    return f"told no more, had {before}" if row.after is None else f"{before} -> {after}"


def _value(value: Value | None) -> str:
    return "nothing" if value is None else brief(value)


def _because(row: Telling) -> str:
    """Return `start by Ann Ek (3f2c1ab) orphaned docker-proxy fix`, as far as it is known."""
    by = f"by {row.author.partition(' <')[0]}" if row.author else None
    commit = f"({row.commit[:7]})" if row.commit else None
    return " ".join(part for part in (row.action, by, commit, row.reason) if part) or "unknown"
