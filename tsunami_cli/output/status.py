"""The status of variables, as a screen and as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tsunami_cli.core.calendar import unix
from tsunami_cli.core.forecast import Next
from tsunami_cli.core.journal import Entry
from tsunami_cli.core.model import Freeze
from tsunami_cli.core.record import Record
from tsunami_cli.core.status import Status
from tsunami_cli.core.text import instant_text, percent_shown
from tsunami_cli.core.values import key_text, printable, scalar, shown
from tsunami_cli.core.waiting import waits_for
from tsunami_cli.output.freeze import freeze_data, frozen_text
from tsunami_cli.output.streams import NEW, OLD, TROUBLE, console, count_of, emit
from tsunami_cli.output.times import distance, local, zone_of

if TYPE_CHECKING:
    from rich.text import Text

NARROWEST, WIDEST = 10, 40
"""Characters that a bar has at least and at most."""
LAGS = Fraction(1, 100)
"""How far told progress may be from the plan before the screen says so: publishes come now and then."""
_EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True, slots=True)
class StatusScreen:
    """What the status command found."""

    now: datetime
    source: str | None
    fleet: str
    hosts: int
    rows: Sequence[tuple[Status, Next | None]]
    record: Record | None = None
    """The newest ledger entry; None where nothing was published."""
    halts: Mapping[str, Entry] = field(default_factory=dict)
    """By variable the decision that halted it, where history has it."""
    freeze: Freeze | None = None
    """What stops the line."""
    awaited: Mapping[str, Status] = field(default_factory=dict)
    """The variables that others wait for, by name."""
    broken: int = 0
    """Variables that are left out because their files have errors."""


def show(found: StatusScreen, *, as_json: bool) -> None:
    """Write the statuses to stdout."""
    if as_json:
        emit(as_data(found))
        return
    from rich.text import Text

    screen = console()
    head = f"{found.fleet} · {found.hosts:,} hosts · {_published(found)}"
    screen.print(Text(head), Text(local(found.now), OLD), sep="   ")
    if found.freeze is not None:
        screen.print(Text(f"frozen {frozen_text(found.freeze, found.now)}", TROUBLE))
    if not found.rows and not found.broken:
        screen.print("no variables yet: make one with tsunami new")
        return
    screen.print()
    rows = [_row(status, coming, found) for status, coming in found.rows]
    widths = [max((row[place].cell_len for row in rows), default=0) for place in range(4)]
    for (status, _), (name, state, percent, counts, then) in zip(found.rows, rows, strict=True):
        name.pad_right(widths[0] - name.cell_len + 2)
        state.pad_right(widths[1] - state.cell_len + 2)
        room = screen.width - sum(widths) - 12
        line = name + state
        if room >= NARROWEST:
            bar = bar_of(_reached(status), min(WIDEST, room)) if status.variable.active else " " * min(WIDEST, room)
            line = line.append(bar).append("  ")
        percent.pad_left(widths[2] - percent.cell_len)
        line = line + percent + Text("  ") + counts
        apart = widths[3] - counts.cell_len + 2
        if line.cell_len + apart + then.cell_len <= screen.width:
            screen.print(line.append(" " * apart if then else "") + then)
        else:
            screen.print(line, overflow="fold")
            if then:
                screen.print(Text(" " * (widths[0] + 2)) + then)


def _published(found: StatusScreen) -> str:
    record = found.record
    if record is None:
        return "nothing published yet"
    return f"last told {distance(record.at, found.now)} (#{record.sequence}, {record.commit[:7]})"


def _row(status: Status, coming: Next | None, found: StatusScreen) -> "tuple[Text, Text, Text, Text, Text]":
    """Return name, state, percent, counts and what comes next of one variable."""
    from rich.text import Text

    active = status.variable.active
    to = active.to if active else None
    values = sorted(status.values.items(), key=lambda item: item[0] != to)
    counts = Text(", ").join(
        Text(f"{count:,} on {shown(value)}", NEW if value == to else OLD) for value, count in values
    )
    pinned = sum(role.pinned for role in status.roles)
    if status.told is not None and active is not None and abs(_reached(status) - status.told) > LAGS:
        counts.append(f" (told so far: {percent_shown(status.told)})", OLD)
    if active is None and len(values) == 1:
        counts = Text(f"{shown(values[0][0])} everywhere")
    elif pinned:
        counts.append(f" ({pinned:,} pinned)", OLD)
    stuck = status.held or status.frozen
    trouble = TROUBLE if stuck or status.state in ("halted", "rolling-back") else ""
    percent = Text(percent_shown(_reached(status)) if active else "")
    then = Text(_then(status, coming, found), trouble)
    state = Text("frozen" if status.frozen else "held" if status.held else status.state, trouble)
    return Text(status.variable.name), state, percent, counts, then


def _reached(status: Status) -> Fraction:
    """Return the progress to show: that of the plan; of what stands still, where it stands."""
    still = status.state == "halted" or status.held or status.frozen
    return status.told if still and status.told is not None else status.planned


def _then(status: Status, coming: Next | None, found: StatusScreen) -> str:
    """Return what comes next, or since when nothing does."""
    active, now = status.variable.active, found.now
    if active is None:
        return ""
    if active.halted is not None:
        return f"halted {distance(min(active.halted, now), now)}{_why(found.halts.get(status.variable.name))}"
    if status.frozen is not None:
        return "stands still until tsunami unfreeze"
    if status.held is not None:
        return f"held {distance(status.held.since, now)}: {status.held.slo}: {printable(status.held.why)}"
    if active.after is not None:
        return waits_for(active.after, found.awaited.get(active.after.variable))
    if status.state == "scheduled":
        starts = active.schedule.starts
        return f"starts {local(starts, zone_of(status.variable), now)} ({distance(starts, now)})"
    if status.state == "capped":
        capped = [role.role for role in status.roles if role.moved < role.hosts - role.pinned]
        more = f" and {len(capped) - 1} more" if len(capped) > 1 else ""
        return f"at_most holds back {capped[0]}{more}"
    if coming is None:
        return ""
    hosts = count_of(coming.hosts, "host")
    if coming.at > now:
        return f"next: {hosts} {distance(coming.at, now)}"
    calendar = status.variable.calendar
    closed = calendar is not None and not calendar.is_open(unix(now)) and not active.falling(now)
    return f"{hosts} due{' once hours open' if closed else ''}"


def _why(halt: Entry | None) -> str:
    """Return ` by Ann Ek: search is slow`; the guard's reason names the SLO first."""
    if halt is None:
        return ""
    reason = f": {printable(halt.brief)}" if halt.brief else ""
    return f" by {halt.by}{reason}"


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
        "ledger": found.record and found.record.commit,
        "freeze": freeze_data(found.freeze),
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
        "after": active.after and {"variable": active.after.variable, "rollout": active.after.rollout},
        "moved": status.moved,
        "hosts": status.hosts,
    }
    return {
        "name": status.variable.name,
        "state": status.state,
        "values": {key_text(value): count for value, count in status.values.items()},
        "held": status.held and status.held.slo,
        "frozen": status.frozen is not None,
        "rollout": rollout,
        "roles": [
            {"role": r.role, "hosts": r.hosts, "pinned": r.pinned, "moved": r.moved, "quota": r.quota}
            for r in status.roles
        ],
    }
