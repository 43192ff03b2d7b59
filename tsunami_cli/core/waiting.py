"""Rollouts that wait for another variable's to be complete, and their beginning."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction

from tsunami_cli.core.decisions import Change, check_line, waypoint_edits
from tsunami_cli.core.edits import Remove
from tsunami_cli.core.model import After, Rollout, Variable
from tsunami_cli.core.problems import Refusal
from tsunami_cli.core.reschedule import begun_at, checked, checked_length
from tsunami_cli.core.schedule import Waypoint
from tsunami_cli.core.status import Status
from tsunami_cli.core.text import duration_text, percent_shown
from tsunami_cli.core.told import Told

UNFINISHED = ("scheduled", "running", "capped", "halted")
"""The states of a rollout that may still become complete."""


def awaited(name: str, other: Status, others: Mapping[str, Variable]) -> After:
    """Return what a new rollout of the variable `name` is to wait for; `others` are the variables by name.

    Raises Refusal where that is not under way, or would wait for this one in turn.
    """
    rollout = other.variable.active
    waited = other.variable.name
    if waited == name:
        raise Refusal(f"{name} cannot wait for itself: name another variable with --after")
    if rollout is None or other.state not in UNFINISHED:
        done = "; leave --after out" if other.state in ("complete", "settled") else ""
        raise Refusal(f"{waited} is {other.state}: there is no rollout to wait for{done}")
    seen = {name}
    link: Variable | None = other.variable
    while link is not None and link.active is not None and link.name not in seen:
        seen.add(link.name)
        link = others.get(link.active.after.variable) if link.active.after else None
    if link is not None and link.name == name:
        raise Refusal(f"{waited} waits for {name}: neither would ever begin")
    return After(waited, rollout.id)


def may_begin(variable: Variable, others: Mapping[str, Status]) -> bool:
    """Say whether a rollout waits for one that is complete now. A halt, a freeze and any doubt keep it waiting."""
    active = variable.active
    if active is None or active.after is None or active.halted is not None or active.frozen is not None:
        return False
    other = others.get(active.after.variable)
    if other is None or other.variable.active is None or other.variable.active.id != active.after.rollout:
        return False
    return other.state == "complete"


def watched(variable: Variable, told: Told, now: datetime) -> bool:
    """Say whether the guard has seen the last of a rollout: its last hosts have settled and been measured."""
    active = variable.active
    last = max((row.since for row in told.moved.get(active.id, {}).values()), default=None) if active else None
    longest = max((slo.settle + slo.sustained for slo in variable.slos), default=timedelta(0))
    return last is None or last + longest < now or not longest


def begin(status: Status, now: datetime) -> Change:
    """Let a rollout that waits begin now: its schedule is shifted as a whole. Raises Refusal where it does not wait."""
    variable, rollout, after = _waiting(status)
    subject = f"{variable.name}: begin, {after.variable} is complete"
    return _rescheduled("begin", status, replace(rollout, schedule=begun_at(rollout, now), after=None), subject)


def resume_waiting(status: Status, now: datetime, over: timedelta | None) -> Change:
    """Let a rollout that waits begin now without waiting, over `over` or as long as planned.

    One that was halted waits again instead. Raises Refusal where it does not wait.
    """
    variable, rollout, after = _waiting(status)
    check_line(variable)
    schedule, spelled = rollout.schedule, ""
    if over is not None:
        ends = schedule.starts + checked_length(over)
        schedule = checked(
            replace(schedule, waypoints=(Waypoint(schedule.starts, Fraction(0)), Waypoint(ends, Fraction(1))))
        )
        spelled = f" over {duration_text(over)}"
    if rollout.halted is not None:
        subject = f"{variable.name}: resume{spelled}, after {after.variable}"
        return _rescheduled("resume", status, replace(rollout, schedule=schedule, halted=None), subject)
    begun = begun_at(replace(rollout, schedule=schedule), now)
    subject = f"{variable.name}: resume{spelled} without waiting for {after.variable}"
    return _rescheduled("resume", status, replace(rollout, schedule=begun, after=None), subject)


def _waiting(status: Status) -> tuple[Variable, Rollout, After]:
    rollout = status.variable.active
    if rollout is None or rollout.after is None:
        raise Refusal(f"{status.variable.name} waits for nothing")
    return status.variable, rollout, rollout.after


def _rescheduled(action: str, status: Status, rollout: Rollout, subject: str) -> Change:
    """Give the active rollout, as it was, the schedule of another, which waits or is halted no more."""
    variable, old = status.variable, status.variable.rollouts[-1]
    place = ("rollouts", len(variable.rollouts) - 1)
    lifted = [key for key in ("halted", "after") if getattr(old, key) is not None and getattr(rollout, key) is None]
    edits = waypoint_edits((*place, "schedule"), old.schedule.waypoints, rollout.schedule.waypoints)
    gone = tuple(Remove((*place, key), bare=True) for key in lifted)
    return Change(action, replace(variable, rollouts=(*variable.rollouts[:-1], rollout)), (*gone, *edits), subject)


def in_vain(variable: Variable, others: Mapping[str, Variable]) -> str | None:
    """Say why a rollout waits for ever, None where it does not; `others` are the variables it may wait for."""
    after = variable.active.after if variable.active else None
    if after is None:
        return None
    other = others.get(after.variable)
    if other is not None and any(rollout.id == after.rollout for rollout in other.rollouts):
        return None
    what = f"{after.variable} has no rollout {after.rollout}" if other else f"there is no variable {after.variable}"
    return f"{what}: it never begins by itself, but by tsunami resume {variable.name}"


def waits_for(after: After, other: Status | None) -> str:
    """Say what a rollout waits for, and how far that is."""
    active = other.variable.active if other else None
    if other is None or active is None or active.id != after.rollout:
        return f"waits for {after.rollout}, which {after.variable} has no more: tsunami resume begins it"
    reached = other.planned if other.told is None else other.told
    return f"waits for {after.variable}: {other.state} at {percent_shown(reached)}"
