"""What decisions do to a schedule: halting and resuming, another pace, the way back."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction

from tsunami_cli.core.calendar import Calendar, moment_of, unix
from tsunami_cli.core.model import Rollout
from tsunami_cli.core.open_time import OpenTime, after
from tsunami_cli.core.problems import Refusal
from tsunami_cli.core.schedule import Schedule, Waypoint
from tsunami_cli.core.text import instant_text, percent_text

SHORTEST, LONGEST = timedelta(seconds=1), timedelta(days=366)
FAR = timedelta(days=366)
LEAST = Fraction(1, 10**11)
"""The least progress that can be written."""


def checked_length(over: timedelta) -> timedelta:
    """Return a length that `--over` may have; Refusal for any other."""
    if not SHORTEST <= over <= LONGEST:
        raise Refusal("--over goes from 1s to 366d")
    return over


def checked(schedule: Schedule) -> Schedule:
    """Return the schedule; Refusal where a rise has no open time to happen in."""
    closed = schedule.rises_in_closed_time
    if closed is not None:
        begins, ends = instant_text(moment_of(closed.start)), instant_text(moment_of(closed.end))
        raise Refusal(
            f"the calendar is never open between {begins} and {ends}: choose a longer --over or another start"
        )
    return schedule


def rounded(share: Fraction, *, up: bool) -> Fraction:
    """Return a progress as it can be written: in percent with 9 decimals."""
    return Fraction(percent_text(share, up=up)) / 100


def resumed(rollout: Rollout, now: datetime, progress: Fraction, over: timedelta | None) -> Schedule:
    """Return the schedule of a rollout that goes on at `now` from `progress`, where it was halted or rolled back to.

    Without `over` the later waypoints keep the open time (in a fall the wall time) that each had left.
    """
    schedule, halted = rollout.schedule, rollout.frozen_at(now)
    if over is None and halted < schedule.starts:
        return checked(_with(schedule, _shifted(schedule, halted, now)))
    back = over is None and rollout.falling(now)
    reached = rounded(progress, up=not back)
    later = _shifted(schedule, halted, now) if over is None else [Waypoint(now + over, Fraction(1))]
    if not later and progress != schedule.waypoints[-1].share:
        way = "take the rest back with tsunami rollback" if back else "say how long the rest may take"
        raise Refusal(f"it was to be through by then, but hosts lag behind: {way} --over D")
    if over is None:
        later = _onward(schedule.progress(halted), reached, later)
    # A rollback that is through has nothing later: that it fell is to be seen in what is past.
    top = max(reached, LEAST) if back else reached
    return checked(_with(schedule, _joined(schedule, halted, now, reached, later, top)))


def begun_at(rollout: Rollout, now: datetime) -> Schedule:
    """Return the schedule of a rollout that has not begun, shifted as a whole so that it begins now.

    What stands at the first waypoint's instant stays there: a first percent above nothing is a step now.
    """
    schedule = rollout.schedule
    first = Waypoint(now, schedule.waypoints[0].share)
    later = _shifted(schedule, schedule.starts, now)
    same = [Waypoint(now, w.share) for w in schedule.waypoints[1:] if w.at == schedule.starts]
    return checked(_with(schedule, [first, *same, *later]))


def paced(rollout: Rollout, now: datetime, progress: Fraction, over: timedelta) -> Schedule:
    """Return the schedule of a running rollout whose rest takes `over` from now."""
    later = [Waypoint(now + over, Fraction(1))]
    return checked(_with(rollout.schedule, _joined(rollout.schedule, now, now, rounded(progress, up=True), later)))


def rolled_back(rollout: Rollout, now: datetime, progress: Fraction, over: timedelta) -> Schedule:
    """Return the schedule of a rollout that goes back to nothing within `over` from now."""
    later = [Waypoint(now + over, Fraction(0))]
    # However little was reached, the schedule has to fall: a flat one would return nobody.
    reached = rounded(progress, up=False) or LEAST
    return _with(rollout.schedule, _joined(rollout.schedule, rollout.frozen_at(now), now, reached, later))


def _with(schedule: Schedule, waypoints: Sequence[Waypoint]) -> Schedule:
    return Schedule(tuple(waypoints), schedule.calendar)


def _joined(
    schedule: Schedule,
    halted: datetime,
    now: datetime,
    share: Fraction,
    later: Sequence[Waypoint],
    top: Fraction | None = None,
) -> list[Waypoint]:
    """Return the waypoints up to the halt, none above what was reached, a flat piece until now, and the later ones."""
    past = [Waypoint(w.at, min(w.share, share if top is None else top)) for w in schedule.waypoints if w.at <= halted]
    if (
        past
        and past[-1].share < share
        and not OpenTime.between(schedule.calendar, unix(past[-1].at), unix(halted)).total
    ):
        # Rounded up, it would rise where there is no open time to rise in.
        share = past[-1].share
    joined = list(past)
    for waypoint in (Waypoint(halted, share), Waypoint(now, share)):
        if not joined or waypoint != joined[-1]:
            joined.append(waypoint)
    return [*joined, *later]


def _onward(planned: Fraction, reached: Fraction, later: Sequence[Waypoint]) -> list[Waypoint]:
    """Return the later waypoints so that from `reached` each stretch still goes the way it went from `planned`."""
    onward: list[Waypoint] = []
    for waypoint in later:
        rises = waypoint.share >= planned
        reached = max(reached, waypoint.share) if rises else min(reached, waypoint.share)
        planned = waypoint.share
        onward.append(Waypoint(waypoint.at, reached))
    return onward


def _shifted(schedule: Schedule, halted: datetime, now: datetime) -> list[Waypoint]:
    """Return the waypoints after the halt at the earliest instants that keep the time each stretch had left.

    What stood at an open instant comes to stand at one again, so that a step is not taken at night.
    """
    shifted: list[Waypoint] = []
    old, new = unix(halted), unix(now)
    share = schedule.progress(halted)
    for waypoint in schedule.waypoints:
        moment = unix(waypoint.at)
        if waypoint.at <= halted:
            continue
        falls = waypoint.share < share
        new = new + moment - old if falls else _later(schedule.calendar, old, moment, new)
        shifted.append(Waypoint(moment_of(new), waypoint.share))
        old, share = moment, waypoint.share
    return shifted


def _later(calendar: Calendar | None, old: int, moment: int, new: int) -> int:
    """Return the first moment after `new` with as much open time between as there was from `old` to `moment`."""
    try:
        found = after(calendar, new, OpenTime.between(calendar, old, moment).total)
        if calendar is not None and calendar.is_open(moment) and not calendar.is_open(found):
            found = after(calendar, found, 1) - 1
    except ValueError:
        raise Refusal("the calendar has too little open time within ten years to go on: change its hours") from None
    return found
