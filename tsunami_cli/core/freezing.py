"""Stopping the line: no rollout of any variable moves and none can start, until it is let go on where it stood."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from tsunami_cli.core.decisions import Change, waypoint_edits
from tsunami_cli.core.edits import Edit, Put, Remove
from tsunami_cli.core.model import Freeze, Rollout, Variable
from tsunami_cli.core.problems import Refusal
from tsunami_cli.core.reschedule import resumed
from tsunami_cli.core.status import UNDER_WAY, Status
from tsunami_cli.core.text import instant_text
from tsunami_cli.core.values import yaml_quoted

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
    """Stop the line; None where it is stopped already."""
    if before is not None:
        return None
    new = Freeze(now, reason, tuple(sorted(set(excepted))))
    but = f" but {', '.join(new.excepted)}" if new.excepted else ""
    return Line("freeze", new, (Put((KEY,), freeze_text(new)),), f"freeze: every rollout{but} stands still")


def unfreeze(before: Freeze | None, names: Iterable[str]) -> Line | None:
    """Let the line go on, or the variables of these names alone; None where nothing stops it, or them."""
    wanted = sorted(set(names))
    if before is None or (wanted and not any(before.holds(name) for name in wanted)):
        return None
    if not wanted:
        return Line("unfreeze", None, (Remove((KEY,)),), "unfreeze: every rollout goes on where it stood")
    new = replace(before, excepted=tuple(sorted({*before.excepted, *wanted})))
    subject = f"unfreeze: {', '.join(wanted)} may go on"
    return Line("unfreeze", new, (Put((KEY,), freeze_text(new)),), subject)


def thawed(status: Status, now: datetime) -> Change | None:
    """Let a rollout go on where a freeze stopped it; None where its file says so already.

    `status` is that under the freeze. Later waypoints keep the open time, in a fall the wall time, that each had left.
    """
    variable, rollout = status.variable, status.variable.active
    if rollout is None or rollout.frozen is None:
        return None
    since = min(rollout.frozen, now)
    loose = replace(rollout, frozen=None)
    if rollout.halted is not None and rollout.halted > since:
        # It was halted while it stood still already: it must not be found further on than where it stood.
        return _change(variable, replace(loose, halted=since), _halted(variable, since))
    if status.state not in UNDER_WAY or rollout.after is not None or rollout.schedule.starts > now:
        return None
    reached = status.planned if status.told is None else status.told
    try:
        schedule = resumed(rollout, now, reached, None)
    except Refusal:
        if loose.progress(now) == rollout.progress(now):
            # It was to be through before the freeze: nothing has piled up meanwhile.
            return None
        # Falls to a halt: that there is no safe way on must not keep the others from theirs.
        return _change(variable, replace(loose, halted=since), _halted(variable, since))
    path = ("rollouts", len(variable.rollouts) - 1, "schedule")
    edits = waypoint_edits(path, rollout.schedule.waypoints, schedule.waypoints)
    return _change(variable, replace(loose, schedule=schedule), edits)


def freeze_text(freeze: Freeze) -> str:
    """Return a freeze as it stands in the settings, on one line."""
    excepted = f", except: [{', '.join(freeze.excepted)}]" if freeze.excepted else ""
    return f"{{since: {instant_text(freeze.since)}, reason: {yaml_quoted(freeze.reason)}{excepted}}}"


def _halted(variable: Variable, since: datetime) -> tuple[Edit, ...]:
    return (Put(("rollouts", len(variable.rollouts) - 1, "halted"), instant_text(since)),)


def _change(variable: Variable, rollout: Rollout, edits: tuple[Edit, ...]) -> Change:
    changed = replace(variable, freeze=None, rollouts=(*variable.rollouts[:-1], rollout))
    return Change("unfreeze", changed, edits, f"{variable.name}: unfreeze")
