"""Told progress: never faster than twice the plan, whatever jumps."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from fractions import Fraction

from tsunami_cli.core.calendar import unix
from tsunami_cli.core.lineup import Lineup
from tsunami_cli.core.model import Rollout, Variable
from tsunami_cli.core.open_time import OpenTime
from tsunami_cli.core.quota import RAMP
from tsunami_cli.core.schedule import HOUR


def told_progress(
    variable: Variable,
    now: datetime,
    last: datetime,
    recorded: Mapping[str, Fraction],
    every: timedelta,
    *,
    held: bool = False,
) -> Fraction:
    """Return the progress e that a publish at `now` tells of the active rollout.

    `last` is the instant of the last ledger entry and `recorded` the progress in it by rollout id, without those that
    it had not seen; `every` is how often publishes are meant to run; `held` says that the guard lets nobody move. A
    variable without a rollout has no progress: 0.
    """
    rollout = variable.active
    if rollout is None:
        return Fraction(0)
    told = recorded.get(rollout.id)
    schedule, planned = rollout.schedule, rollout.progress(now)
    since = max(last, now - 2 * every)
    if told is None:
        told, last = Fraction(0), max(min(schedule.starts, now), now - 2 * every)
        # The step to the first waypoint's percent stands at `last` itself, and counts.
        since = last - timedelta(seconds=1)
    if rollout.halted is not None or variable.freeze is not None:
        return told
    if rollout.falling(now):
        return min(told, planned)
    if held or not _open_at(variable, now):
        return told
    passed = OpenTime.between(variable.calendar, unix(last), unix(now)).total if last < now else 0
    catching_up = schedule.allowance(2 * min(passed, 2 * every // timedelta(seconds=1)))
    return min(planned, told + catching_up + schedule.steps(since, now))


def per_hour(lineup: Lineup, rollout: Rollout) -> int:
    """Return how many hosts of a role may be changed to the new value within an hour.

    Where the file gives no `per_hour`, twice what the schedule can plan there for one open hour.
    """
    given = lineup.variable.limit(lineup.role.name).per_hour
    if given is not None:
        return given
    quota = lineup.quota(rollout)
    most = 2 * rollout.schedule.steepest(HOUR, steps=True) * max(quota.n, RAMP * quota.lowest)
    return max(1, -(-most.numerator // most.denominator))


def _open_at(variable: Variable, now: datetime) -> bool:
    return variable.calendar is None or variable.calendar.is_open(unix(now))
