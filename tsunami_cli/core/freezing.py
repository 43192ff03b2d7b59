"""Stopping the line: no rollout of any variable moves and none can start, until it is let go on where it stood."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction

from tsunami_cli.core.calendar import moment_of, unix
from tsunami_cli.core.decisions import Change, waypoint_edits
from tsunami_cli.core.edits import Edit, Put, Remove
from tsunami_cli.core.model import Freeze, Rollout, Variable
from tsunami_cli.core.problems import Refusal
from tsunami_cli.core.reschedule import resumed
from tsunami_cli.core.schedule import Schedule
from tsunami_cli.core.status import Status
from tsunami_cli.core.text import instant_text
from tsunami_cli.core.values import yaml_name, yaml_quoted

LONGEST = 1000
"""Characters of a reason that the settings take; the commit has it all."""
KEY = "freeze"
"""Where it stands in the settings."""


@dataclass(frozen=True, slots=True)
class Line:
    """A decision on the line as a whole, as edits of the settings."""

    action: str
    """`freeze` or `unfreeze`."""
    freeze: Freeze | None
    """As it is after the decision."""
    edits: tuple[Edit, ...]
    subject: str


def freeze(before: Freeze | None, now: datetime, reason: str, excepted: Iterable[str]) -> Line | None:
    """Stop the line; None where it is stopped already.

    Where variables were excepted that are not any more, it is stopped anew from now on: what stood still has to be
    `thawed` in the same commit, so that it stands where it stood.
    """
    if before is not None and not set(before.excepted) - set(excepted):
        return None
    new = Freeze(now, reason[:LONGEST], tuple(sorted(set(excepted))))
    but = f" but {', '.join(new.excepted)}" if new.excepted else ""
    return Line("freeze", new, (Put((KEY,), freeze_text(new)),), f"freeze: every rollout{but} stands still")


def unfreeze(before: Freeze | None, names: Iterable[str]) -> Line | None:
    """Let the line go on, or the variables of these names alone; None where nothing stops it, or them."""
    wanted = sorted(set(names))
    if before is None or (wanted and not any(before.holds(name) for name in wanted)):
        return None
    if not wanted:
        return Line("unfreeze", None, (Remove((KEY,), bare=True),), "unfreeze: every rollout goes on where it stood")
    new = replace(before, excepted=tuple(sorted({*before.excepted, *wanted})))
    subject = f"unfreeze: {', '.join(wanted)} may go on"
    return Line("unfreeze", new, (Put((KEY,), freeze_text(new)),), subject)


def thawed(status: Status, now: datetime, every: timedelta) -> Change | None:
    """Let a rollout go on where a freeze stopped it; None where its file says so already.

    `status` is that under the freeze, `every` how often publishes are meant to run. Later waypoints keep the open time,
    in a fall the wall time, that each had left. What was told may lag behind the plan as it did: it catches up as ever.
    """
    variable, rollout = status.variable, status.variable.active
    if rollout is None or rollout.frozen is None:
        return None
    since = min(rollout.frozen, now)
    loose = replace(rollout, frozen=None)
    if rollout.halted is not None:
        # Halted while it stood still already, it must not be found further on than where it stood.
        return _halted(variable, loose, since) if rollout.halted > since else None
    if rollout.after is not None or rollout.schedule.starts > now:
        return None
    stood = _stood(loose, since, now, status.told, every)
    if stood is None:
        # Falls to a halt: where it stood is in no plan, so there is none to go on by.
        return _halted(variable, loose, now)
    if rollout.schedule.waypoints[-1].at <= stood:
        return None
    try:
        schedule = resumed(replace(rollout, frozen=stood), now, loose.progress(stood), None)
    except Refusal:
        # Falls to a halt: that there is no open time to go on in must not keep the others from theirs.
        return _halted(variable, loose, stood)
    path = ("rollouts", len(variable.rollouts) - 1, "schedule")
    edits = waypoint_edits(path, rollout.schedule.waypoints, schedule.waypoints)
    return _change(variable, replace(loose, schedule=schedule), edits)


def _stood(
    rollout: Rollout, since: datetime, now: datetime, told: Fraction | None, every: timedelta
) -> datetime | None:
    """Return the instant of the plan at which a rollout stands still; None where there is none.

    That is `since`, unless it was written by hand and hosts were told more after it, or told to return: then it is the
    last instant at which the plan was where they are.
    """
    if told is None:
        return since
    before, then = rollout.progress(since - 2 * every), rollout.progress(since)
    turned = rollout.falling(since) != rollout.falling(now) and not min(before, then) <= told <= max(before, then)
    ahead = told > then and not rollout.falling(since)
    return _last_at(rollout.schedule, told, now) if turned or ahead else since


def _last_at(schedule: Schedule, share: Fraction, now: datetime) -> datetime | None:
    """Return the last second until now at which a schedule was at a share."""
    for stretch in reversed([s for s in schedule.stretches if s.start <= unix(now)]):
        if not min(stretch.begins, stretch.ends) <= share <= max(stretch.begins, stretch.ends):
            continue
        if not stretch.slope:
            return min(moment_of(stretch.end), now)
        if stretch.slope > 0:
            at = schedule.reaches(stretch, share)
        else:
            at = max(schedule.falls_below(stretch, share) - timedelta(seconds=1), moment_of(stretch.start))
        if at <= now:
            return at
    return None


def freeze_text(freeze: Freeze) -> str:
    """Return a freeze as it stands in the settings, on one line."""
    excepted = f", except: [{', '.join(map(yaml_name, freeze.excepted))}]" if freeze.excepted else ""
    return f"{{since: {instant_text(freeze.since)}, reason: {yaml_quoted(freeze.reason)}{excepted}}}"


def _halted(variable: Variable, rollout: Rollout, at: datetime) -> Change:
    edit = Put(("rollouts", len(variable.rollouts) - 1, "halted"), instant_text(at))
    return _change(variable, replace(rollout, halted=at), (edit,))


def _change(variable: Variable, rollout: Rollout, edits: tuple[Edit, ...]) -> Change:
    changed = replace(variable, freeze=None, rollouts=(*variable.rollouts[:-1], rollout))
    return Change("unfreeze", changed, edits, f"{variable.name}: unfreeze")
