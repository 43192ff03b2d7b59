"""The status of variables, as a screen and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tsunami_cli.core.forecast import Next
from tsunami_cli.core.status import Status
from tsunami_cli.core.text import instant_text, percent_shown
from tsunami_cli.core.values import key_text, scalar, shown
from tsunami_cli.output.streams import NEW, OLD, TROUBLE, console, count_of, emit
from tsunami_cli.output.times import distance, local, zone_of

if TYPE_CHECKING:
    from rich.text import Text

NARROWEST, WIDEST = 10, 40
"""Characters that a bar has at least and at most."""
_EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True, slots=True)
class StatusScreen:
    """What the status command found."""

    now: datetime
    source: str | None
    fleet: str
    hosts: int
    rows: Sequence[tuple[Status, Next | None]]


def show(found: StatusScreen, *, as_json: bool) -> None:
    """Write the statuses to stdout."""
    if as_json:
        emit(as_data(found))
        return
    from rich.table import Table
    from rich.text import Text

    screen = console()
    head = f"{found.fleet} · {found.hosts:,} hosts · as planned (nothing published yet)"
    screen.print(Text(head), Text(local(found.now), OLD), sep="   ")
    if not found.rows:
        screen.print("no variables yet: make one with tsunami new")
        return
    rows = [_row(status, coming, found.now) for status, coming in found.rows]
    taken = sum(max(cell.cell_len for cell in column) + 2 for column in zip(*rows, strict=True))
    width = max(NARROWEST, min(WIDEST, screen.width - taken - 2))
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for justify in ("left", "left", "left", "right", "left", "left"):
        table.add_column(justify=justify, no_wrap=True)
    for (name, state, *rest), (status, _) in zip(rows, found.rows, strict=True):
        table.add_row(name, state, bar_of(status.planned, width) if status.variable.active else "", *rest)
    screen.print()
    screen.print(table, soft_wrap=True)


def _row(status: Status, coming: Next | None, now: datetime) -> "tuple[Text, Text, Text, Text, Text]":
    """Return name, state, percent, counts and what comes next of one variable."""
    from rich.text import Text

    active = status.variable.active
    counts = Text(", ").join(
        Text(f"{count:,} on {shown(value)}", NEW if active and value == active.to else OLD)
        for value, count in status.values.items()
    )
    if len(status.values) == 1 and active is None:
        counts = Text(f"{shown(next(iter(status.values)))} everywhere")
    trouble = status.state in ("halted", "rolling-back")
    state = Text(status.state, TROUBLE if trouble else "")
    percent = Text(percent_shown(status.planned) if active else "")
    return (
        Text(status.variable.name),
        state,
        percent,
        counts,
        Text(_then(status, coming, now), TROUBLE if trouble else ""),
    )


def _then(status: Status, coming: Next | None, now: datetime) -> str:
    """Return what comes next, or since when nothing does."""
    active = status.variable.active
    if active is None:
        return ""
    if active.halted is not None:
        return f"halted {distance(min(active.halted, now), now)}"
    if status.state == "scheduled":
        starts = active.schedule.starts
        return f"starts {local(starts, zone_of(status.variable), now)} ({distance(starts, now)})"
    if coming is None:
        return ""
    return f"next: {count_of(coming.hosts, 'host')} {distance(coming.at, now)}"


def bar_of(share: Fraction, width: int) -> str:
    """Return a bar of that many characters, filled to eighths of one."""
    eighths = int(share * width * 8)
    full, part = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[part] if part else "")).ljust(width, "░")


def as_data(found: StatusScreen) -> dict[str, Any]:
    """Return the statuses as JSON data."""
    return {
        "now": instant_text(found.now),
        "source": found.source,
        "ledger": None,
        "variables": [_variable(status) for status, _ in found.rows],
    }


def percent(share: Fraction) -> float:
    """Return a progress in percent, rounded to 4 decimals."""
    return float(round(100 * share, 4))


def _variable(status: Status) -> dict[str, Any]:
    active = status.variable.active
    rollout = active and {
        "id": active.id,
        "from": [scalar(value) for value in active.came_from],
        "to": scalar(active.to),
        "percent": percent(status.planned),
        "told_percent": None if status.told is None else percent(status.told),
        "starts_at": instant_text(active.schedule.starts),
        "ends_at": instant_text(active.schedule.ends),
        "halted_at": active.halted and instant_text(active.halted),
        "moved": status.moved,
        "hosts": status.hosts,
    }
    return {
        "name": status.variable.name,
        "state": status.state,
        "values": {key_text(value): count for value, count in status.values.items()},
        "held": None,
        "rollout": rollout,
        "roles": [
            {"role": r.role, "hosts": r.hosts, "pinned": r.pinned, "moved": r.moved, "quota": r.quota}
            for r in status.roles
        ],
    }
