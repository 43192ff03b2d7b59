"""Decisions on a variable: what a person or the guard wants, checked against where it stands, as edits of its file."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction

from tsunami_cli.core.edits import Edit, Insert, Put, Remove
from tsunami_cli.core.model import Ack, Globs, Pin, Rollout, Variable
from tsunami_cli.core.problems import Refusal
from tsunami_cli.core.reschedule import FAR, checked_length, paced, resumed, rolled_back
from tsunami_cli.core.schedule import Schedule, Waypoint
from tsunami_cli.core.status import Status
from tsunami_cli.core.text import decimal_text, duration_text, instant_text, percent_shown
from tsunami_cli.core.values import Value, brief, shown, yaml_quoted, yaml_text


@dataclass(frozen=True, slots=True)
class Change:
    """A decision that fits: how the variable's file changes, and what it then means."""

    action: str
    """`new`, `start`, `begin`, `halt`, `resume`, `pace`, `rollback`, `pin`, `unpin`, `retire`, `ack` or `unfreeze`."""
    variable: Variable
    """As it is after the decision."""
    edits: tuple[Edit, ...]
    subject: str
    """The decision in a line: `docker: start 1.12.1 -> 1.12.3 over 14d`."""
    guard: str | None = None
    """The SLO on which the guard decided; None for a person's decision."""

    @property
    def rollout(self) -> str | None:
        """The id of the rollout that was decided on; None for decisions on no rollout."""
        active = self.variable.active
        return active.id if active and self.action not in ("pin", "unpin", "retire") else None


HALTABLE = ("scheduled", "rolling-back", "running", "capped")
"""The states in which there is something to halt."""


def check_line(variable: Variable) -> None:
    """Raise Refusal where the line is stopped for a variable."""
    stopped = variable.freeze
    if stopped is not None:
        raise Refusal(
            f"{variable.name}: the line is frozen since {instant_text(stopped.since)} ({stopped.reason}): "
            f"tsunami unfreeze {variable.name} lets this one go on, tsunami unfreeze all of them"
        )


def halt_edits(variable: Variable, now: datetime) -> tuple[Edit, ...]:
    """Return how a file says that its active rollout is halted."""
    return (Put((*_place(variable), "halted"), instant_text(now)),)


def halt(status: Status, now: datetime, *, roles_known: bool = True) -> Change | None:
    """Halt the active rollout; None where there is nothing to halt.

    Without the roles a rollout that is through cannot be told from one whose bounds hold hosts back: it is halted.
    """
    rollout = status.variable.active
    # A halt that was written for later does not hold yet where nothing is published: it is moved to now.
    late = rollout is not None and rollout.halted is not None and rollout.halted > now
    through = status.state == "complete" and not roles_known
    if rollout is None or not (status.state in HALTABLE or late or through):
        return None
    edits = halt_edits(status.variable, now)
    return Change(
        "halt",
        _with_active(status.variable, rollout.halt(now)),
        edits,
        f"{status.variable.name}: halt{_progress(status)}",
    )


def resume(status: Status, now: datetime, over: timedelta | None) -> Change:
    """Let a halted rollout go on, over the open time that was left or over `over`; or one that was rolled back."""
    variable, rollout = status.variable, status.variable.active
    check_line(variable)
    if rollout is None or status.state not in ("halted", "rolled-back"):
        raise Refusal(f"{variable.name} is {status.state}: only what was halted or rolled back can be resumed")
    went_back = status.state == "rolled-back" or (rollout.falling(now) and not _reached(status))
    if over is None and went_back:
        raise Refusal(f"{variable.name} was rolled back: say how long the new attempt may take with --over")
    schedule = resumed(rollout, now, _reached(status), None if over is None else checked_length(over))
    spelled = "" if over is None else f" over {duration_text(over)}"
    return _rescheduled("resume", status, rollout, schedule, f"resume{spelled}")


def pace(status: Status, now: datetime, over: timedelta) -> Change:
    """Spread the rest of a running rollout over `over` from now."""
    variable, rollout = status.variable, status.variable.active
    check_line(variable)
    if rollout is None or status.state != "running":
        hint = f": tsunami resume {variable.name} --over {duration_text(over)}" if status.state == "halted" else ""
        raise Refusal(f"{variable.name} is {status.state}: only a running rollout has a pace{hint}")
    schedule = paced(rollout, now, _reached(status), checked_length(over))
    return _rescheduled("pace", status, rollout, schedule, f"pace: the rest over {duration_text(over)}")


def rollback(status: Status, now: datetime, over: timedelta) -> Change:
    """Take back what a rollout moved, last told first, within `over` from now."""
    variable, rollout = status.variable, status.variable.active
    check_line(variable)
    if rollout is None or status.state == "rolled-back":
        raise Refusal(f"{variable.name} is {status.state}: there is nothing to roll back")
    if not status.moved and not _reached(status):
        raise Refusal(f"{rollout.id} has moved no host yet: stop it with tsunami halt {variable.name}")
    schedule = rolled_back(rollout, now, _reached(status), checked_length(over))
    return _rescheduled("rollback", status, rollout, schedule, f"rollback over {duration_text(over)}")


def pin(variable: Variable, value: Value, hosts: tuple[str, ...], roles: tuple[str, ...], reason: str) -> Change:
    """Pin hosts to a value. The new pin stands first, so that it wins over older ones."""
    same = (
        old for old in variable.pins if (old.hosts.patterns, old.roles.patterns, old.value) == (hosts, roles, value)
    )
    if next(same, None) is not None:
        raise Refusal(f"{variable.name}: {', '.join((*hosts, *roles))} is pinned to {shown(value)} already")
    fragment = {"hosts": _flow(hosts), "roles": _flow(roles), "value": yaml_text(value), "reason": yaml_quoted(reason)}
    line = ", ".join(f"{key}: {text}" for key, text in fragment.items() if text != "[]")
    edits = (Insert(("pins", 0), f"{{{line}}}"),)
    pins = (Pin(Globs(hosts), Globs(roles), value, reason), *variable.pins)
    return Change(
        "pin",
        replace(variable, pins=pins),
        edits,
        f"{variable.name}: pin {', '.join((*hosts, *roles))} to {brief(value)}",
    )


def unpin(variable: Variable, hosts: tuple[str, ...], roles: tuple[str, ...]) -> Change:
    """Lift the pins of these globs, as they stand in the file; a pin with others beside them keeps those."""
    edits: list[Edit] = []
    left: list[Pin] = []
    missing = {*hosts, *roles}
    for place, pin in reversed(list(enumerate(variable.pins))):
        kept = replace(pin, hosts=_less(pin.hosts, hosts), roles=_less(pin.roles, roles))
        missing -= {*pin.hosts.patterns, *pin.roles.patterns} - {*kept.hosts.patterns, *kept.roles.patterns}
        if kept.hosts.patterns or kept.roles.patterns:
            left.insert(0, kept)
            edits += _glob_edits(place, "hosts", pin.hosts, kept.hosts)
            edits += _glob_edits(place, "roles", pin.roles, kept.roles)
        else:
            edits.append(Remove(("pins", place)))
    if missing:
        names = ", ".join(sorted(missing))
        there = ", ".join(glob for pin in variable.pins for glob in (*pin.hosts.patterns, *pin.roles.patterns))
        raise Refusal(f"{variable.name} has no pin of {names}; it has {f'those of {there}' if there else 'none'}")
    changed = replace(variable, pins=tuple(left))
    return Change("unpin", changed, tuple(edits), f"{variable.name}: unpin {', '.join((*hosts, *roles))}")


def ack(status: Status, now: datetime, slo: str, until: datetime, reason: str) -> Change:
    """Accept until an instant that an SLO is violated under the active rollout; an older acceptance is replaced."""
    variable, rollout = status.variable, status.variable.active
    names = [one.name for one in variable.slos]
    if slo not in names:
        raise Refusal(f"{variable.name} has no SLO {slo}: it has {', '.join(names) or 'none'}")
    if rollout is None:
        raise Refusal(f"{variable.name} has no rollout: an acceptance is for one rollout")
    if not now < until <= now + FAR:
        raise Refusal(f"--until {instant_text(until)} has to be in the future, and within 366 days")
    place = (*_place(variable), "acks")
    fields = {"slo": slo, "until": instant_text(until), "reason": yaml_quoted(reason)}
    line = ", ".join(f"{key}: {text}" for key, text in fields.items())
    old = [i for i, one in enumerate(rollout.acks) if one.slo == slo]
    kept = tuple(one for one in rollout.acks if one.slo != slo)
    edits: list[Edit] = [Remove((*place, i)) for i in reversed(old)]
    edits.append(Insert((*place, len(kept)), f"{{{line}}}"))
    if old and not kept:
        # A list is never emptied on the way: what it looks like when empty is not ours to choose.
        edits = [Put((*place, 0), f"{{{line}}}"), *(Remove((*place, i)) for i in reversed(old[1:]))]
    changed = replace(rollout, acks=(*kept, Ack(slo, until, reason)))
    subject = f"{variable.name}: ack {slo} until {instant_text(until)}"
    return Change("ack", _with_active(variable, changed), tuple(edits), subject)


def retire(status: Status) -> Change:
    """Delete a variable: hosts stop getting it with the next publish."""
    hosts = sum(role.hosts for role in status.roles)
    return Change("retire", status.variable, (), f"{status.variable.name}: retire, {hosts:,} hosts have it")


def _less(globs: Globs, gone: tuple[str, ...]) -> Globs:
    return Globs(tuple(glob for glob in globs.patterns if glob not in gone))


def _glob_edits(place: int, kind: str, old: Globs, new: Globs) -> list[Edit]:
    if old == new:
        return []
    return [Put(("pins", place, kind), _flow(new.patterns))] if new.patterns else [Remove(("pins", place, kind))]


def _rescheduled(action: str, status: Status, rollout: Rollout, schedule: Schedule, subject: str) -> Change:
    """Give the active rollout another schedule and lift its halt."""
    variable = status.variable
    edits = waypoint_edits((*_place(variable), "schedule"), rollout.schedule.waypoints, schedule.waypoints)
    if rollout.halted is not None:
        edits = (Remove((*_place(variable), "halted"), bare=True), *edits)
    changed = replace(rollout, schedule=schedule, halted=None)
    return Change(action, _with_active(variable, changed), edits, f"{variable.name}: {subject}{_progress(status)}")


def waypoint_edits(
    path: tuple[str | int, ...], old: tuple[Waypoint, ...], new: tuple[Waypoint, ...]
) -> tuple[Edit, ...]:
    """Return the edits from one list of waypoints to another; those that both begin with stay untouched."""
    same = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    gone = [Remove((*path, place)) for place in reversed(range(max(same, 1), len(old)))]
    edits: list[Edit] = [*gone]
    # A list is never emptied on the way: what it looks like when empty is not ours to choose.
    if same == 0:
        edits.append(Put((*path, 0), waypoint_text(new[0])))
    edits += [Insert((*path, place), waypoint_text(new[place])) for place in range(max(same, 1), len(new))]
    return tuple(edits)


def waypoint_text(waypoint: Waypoint) -> str:
    """Return a waypoint as it stands in the file."""
    return f"{{at: {instant_text(waypoint.at)}, percent: {decimal_text(waypoint.share * 100)}}}"


def _place(variable: Variable) -> tuple[str | int, ...]:
    return ("rollouts", len(variable.rollouts) - 1)


def _reached(status: Status) -> Fraction:
    """Return the progress a decision goes on from: what was told, or the plan where there is no ledger."""
    return status.planned if status.told is None else status.told


def _with_active(variable: Variable, rollout: Rollout) -> Variable:
    return replace(variable, rollouts=(*variable.rollouts[:-1], rollout))


def _progress(status: Status) -> str:
    return f" at {percent_shown(_reached(status))}"


def _flow(globs: tuple[str, ...]) -> str:
    return f"[{', '.join(yaml_quoted(glob) for glob in globs)}]"
