"""What a start will do, before it is committed, and that it was."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from fractions import Fraction

from tsunami_cli.core.calendar import DAY, DAYS, Calendar
from tsunami_cli.core.course import Steepest, capped, milestones, pinned, steepest
from tsunami_cli.core.decisions import Change
from tsunami_cli.core.edits import Put, Remove
from tsunami_cli.core.lineup import Lineup, Role, lineups
from tsunami_cli.core.model import Rollout, Variable
from tsunami_cli.core.text import percent_shown
from tsunami_cli.core.values import shown
from tsunami_cli.output.decided import Decided, as_data, change_data, committed
from tsunami_cli.output.streams import NEW, OLD, console, count_of, emit
from tsunami_cli.output.times import distance, local, span, zone_of

_VIOLATED = {"halt": "halts", "rollback": "rolls back"}


def show_plan(change: Change, roles: Sequence[Role], now: datetime, *, every: timedelta) -> None:
    """Write what a start is about to do to stdout: when, how many hosts, how steeply, what is held back."""
    from rich.text import Text

    variable, rollout = change.variable, change.variable.active
    if rollout is None:
        return
    out = console()
    head = Text(f"{variable.name}  ")
    head.append(", ".join(shown(value) for value in rollout.came_from), OLD).append(" -> ").append(
        shown(rollout.to), NEW
    )
    hours = f", {hours_text(variable.calendar)}" if variable.calendar else ""
    out.print(head.append(f"  over {span(rollout.over)}{hours}"))
    out.print()
    placed = list(lineups(variable, roles))
    for name, line in schedule_lines(placed, rollout, zone_of(variable), now):
        out.print(f"  {name:<10} {line}")
    if rollout.after is not None:
        out.print(
            f"  {'waits for':<10} {rollout.after.variable} to be complete: the instants above move along with that"
        )
    for name, line in (*_tidied(change), *_remarks(variable, placed, rollout, every)):
        out.print(f"  {name:<10} {line}")
    out.print()


def show(decided: Decided, *, as_json: bool) -> None:
    """Write that a start is committed."""
    if as_json:
        emit(as_data(decided))
        return
    out = console()
    out.print(committed(decided))
    name = decided.made[0].change.variable.name
    out.print(f"next: tsunami status {name}        stop it: tsunami halt {name}")


def show_dry_run(change: Change, *, as_json: bool) -> None:
    """Write that nothing was committed."""
    if as_json:
        emit({"commit": None, "decisions": [change_data(change)]})
        return
    console().print("nothing committed: that was a dry run")


def hours_text(calendar: Calendar) -> str:
    """Return `Mon-Fri 09:00-17:00 Europe/Stockholm`."""
    days = sorted(calendar.days)
    run = days == list(range(days[0], days[-1] + 1)) and len(days) > 2
    names = [DAYS[day].capitalize() for day in days]
    spelled = f"{names[0]}-{names[-1]}" if run else ", ".join(names)
    opens, closes = (
        f"{second // 3600:02d}:{second % 3600 // 60:02d}" for second in (calendar.opens, calendar.closes % DAY)
    )
    return f"{spelled} {opens}-{'24:00' if calendar.closes == DAY else closes} {calendar.timezone}"


def schedule_lines(
    placed: Sequence[Lineup], rollout: Rollout, zone: tzinfo | None, now: datetime
) -> Iterator[tuple[str, str]]:
    """Yield when a rollout gets where, with distances and exact counts, and how steep it is."""
    stones = list(milestones(placed, rollout))
    wide = max(len(distance(stone.at, now)) for stone in stones)
    whens = [local(stone.at, zone, now) for stone in stones]
    clock = max(24, *map(len, whens))
    for stone, when in zip(stones, whens, strict=True):
        hosts = f"   {count_of(stone.hosts, 'host')} in {count_of(stone.roles, 'role')}" if stone.share else ""
        yield stone.name, f"{when:<{clock}} {distance(stone.at, now):<{wide}}{hosts}".rstrip()
    found = steepest(placed, rollout)
    if found is not None:
        yield "steepest", steepest_text(found)


def steepest_text(found: Steepest) -> str:
    """Return `search: up to 12 hosts an hour of 812 (1.5 %)`."""
    percent = f" ({percent_shown(found.share)})" if found.share is not None else ""
    return f"{found.role}: up to {count_of(found.hosts, 'host')} an hour of {found.of:,}{percent}"


def held_lines(placed: Sequence[Lineup], rollout: Rollout) -> list[str]:
    """Return what caps and pins keep back, role by role."""
    held = [f"{role} stops at {stops:,} of {of:,}" for role, stops, of in capped(placed, rollout)]
    kept = pinned(placed).items()
    return held + [f"{role} pinned to {shown(value)} ({count_of(count, 'host')})" for (role, value), count in kept]


def guard_text(variable: Variable) -> str:
    """Return `docker-running (halts), failures (rolls back)`; empty where no SLO watches."""
    return ", ".join(f"{slo.name} ({_VIOLATED[slo.on_violation.partition(' ')[0]]})" for slo in variable.slos)


def _tidied(change: Change) -> Iterator[tuple[str, str]]:
    """Yield what else changes in the file: finished rollouts leave it, and the default takes their value."""
    gone = [edit for edit in change.edits if isinstance(edit, Remove) and edit.path[0] == "rollouts"]
    if gone:
        default = any(isinstance(edit, Put) and edit.path == ("default",) for edit in change.edits)
        what = f"; its default is {shown(change.variable.default)} now" if default else ""
        yield "tidied", f"{count_of(len(gone), 'rollout')} that moved all or none left the file{what}"


def _remarks(
    variable: Variable, placed: Sequence[Lineup], rollout: Rollout, every: timedelta
) -> Iterator[tuple[str, str]]:
    """Yield what keeps hosts back, and what watches over them."""
    held = held_lines(placed, rollout)
    if held:
        yield "held back", ", ".join(held[:4]) + (f" and {len(held) - 4} more" if len(held) > 4 else "")
    if variable.slos:
        yield "guarded by", guard_text(variable)
    rise = rollout.schedule.steepest(every // timedelta(seconds=1), steps=True)
    if rise > Fraction(1, 10):
        yield "abrupt", f"up to {float(100 * rise):.3g} % of all hosts change between two publishes ({span(every)})"
