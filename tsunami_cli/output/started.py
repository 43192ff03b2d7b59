"""What a start will do, before it is committed, and that it was."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction

from tsunami_cli.core.calendar import DAY, DAYS, Calendar
from tsunami_cli.core.decisions import Change
from tsunami_cli.core.edits import Put, Remove
from tsunami_cli.core.lineup import Lineup, Role, lineups
from tsunami_cli.core.model import Rollout, Variable
from tsunami_cli.core.quota import RAMP
from tsunami_cli.core.schedule import HOUR
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
    stones = list(_milestones(rollout))
    wide = max(len(distance(moment, now)) for _, moment, _ in stones)
    for name, moment, share in stones:
        hosts = f"   {_hosts(placed, rollout, share)}" if share else ""
        when = f"{local(moment, zone_of(variable), now):<24} {distance(moment, now):<{wide}}"
        out.print(f"  {name:<10} {when}{hosts}".rstrip())
    out.print(f"  {'steepest':<10} {_steepest(placed, rollout)}")
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


def _milestones(rollout: Rollout) -> Iterator[tuple[str, datetime, Fraction]]:
    """Yield the instants worth knowing, with the progress reached."""
    schedule = rollout.schedule
    yield "starts", schedule.starts, Fraction(0)
    for name, share in (("1 %", Fraction(1, 100)), ("half", Fraction(1, 2)), ("complete", Fraction(1))):
        stretch = next((s for s in schedule.stretches if s.slope > 0 and s.begins < share <= s.ends), None)
        if stretch is not None:
            yield name, schedule.reaches(stretch, share), share


def _hosts(placed: Sequence[Lineup], rollout: Rollout, share: Fraction) -> str:
    """Return how many hosts have moved at a progress, and in how many roles."""
    counts = [lineup.quota(rollout).at(share) for lineup in placed]
    return f"{count_of(sum(counts), 'host')} in {count_of(sum(map(bool, counts)), 'role')}"


def _steepest(placed: Sequence[Lineup], rollout: Rollout) -> str:
    """Return the role that loses most hosts in an open hour."""
    rise = rollout.schedule.steepest(HOUR, steps=True)
    rates = []
    for lineup in placed:
        quota = lineup.quota(rollout)
        rate = min(Fraction(quota.n), rise * max(quota.n, RAMP * quota.lowest if rise < Fraction(1, RAMP) else 0))
        rates.append((rate, lineup.role.name, quota.n))
    rate, role, n = max(rates)
    hosts = max(1, -(-rate.numerator // rate.denominator))
    percent = f" ({percent_shown(rate / n)})" if n else ""
    return f"{role}: up to {count_of(hosts, 'host')} an hour of {n:,}{percent}"


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
    capped = [(lineup.role.name, lineup.quota(rollout)) for lineup in placed if lineup.quota(rollout).capped]
    held = [f"{role} stops at {quota.at(Fraction(1)):,} of {quota.n:,}" for role, quota in capped]
    pinned: dict[str, int] = {}
    for lineup in placed:
        for pin in lineup.pins.values():
            key = f"{lineup.role.name} pinned to {shown(pin.value)}"
            pinned[key] = pinned.get(key, 0) + 1
    held += [f"{what} ({count:,} hosts)" for what, count in pinned.items()]
    if held:
        yield "held back", ", ".join(held[:4]) + (f" and {len(held) - 4} more" if len(held) > 4 else "")
    if variable.slos:
        names = ", ".join(f"{slo.name} ({_VIOLATED[slo.on_violation.partition(' ')[0]]})" for slo in variable.slos)
        yield "guarded by", names
    rise = rollout.schedule.steepest(every // timedelta(seconds=1), steps=True)
    if rise > Fraction(1, 10):
        yield "abrupt", f"up to {float(100 * rise):.3g} % of all hosts change between two publishes ({span(every)})"
