"""The rollouts of a variable file."""

import re
from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction

from tsunami_cli.core.calendar import Calendar
from tsunami_cli.core.checks.document import Document
from tsunami_cli.core.checks.scalars import Values
from tsunami_cli.core.model import Ack, After, Rollout
from tsunami_cli.core.nodes import Path
from tsunami_cli.core.schedule import Schedule, Waypoint
from tsunami_cli.core.text import duration, instant, instant_text

LONGEST = timedelta(days=10 * 366)
"""What a schedule may cover at most: beyond it a year is mistyped."""


def rollouts_of(document: Document, values: Values, calendar: Calendar | None) -> tuple[Rollout, ...]:
    """Return the rollouts that can be read, oldest first."""
    document.unique(("rollouts",), "id")
    found = []
    places = document.items(("rollouts",))
    for path in places:
        rollout = _rollout(document, path, values, calendar)
        if rollout is not None:
            found.append(rollout)
            _warn(document, path, rollout, active=path == places[-1])
    return tuple(found)


def _rollout(document: Document, path: Path, values: Values, calendar: Calendar | None) -> Rollout | None:
    name, to = document.text((*path, "id")), values.value((*path, "to"))
    came_from = [values.value(item) for item in document.items((*path, "from"))]
    over = document.read((*path, "over"), duration)
    halted = document.read((*path, "halted"), instant)
    schedule = _schedule(document, (*path, "schedule"), calendar)
    if name is None or to is None or over is None or schedule is None:
        return None
    came = tuple(value for value in came_from if value is not None)
    acks, after = tuple(_acks(document, (*path, "acks"))), _after(document, (*path, "after"))
    return Rollout(name, came, to, over, schedule, halted, acks, after)


def _after(document: Document, path: Path) -> After | None:
    variable, rollout = (document.text((*path, key)) for key in ("variable", "rollout"))
    if variable is None or rollout is None:
        return None
    if variable == document.text(("name",)):
        document.note((*path, "variable"), f"{variable} cannot wait for itself: name another variable")
    return After(variable, rollout)


def _acks(document: Document, path: Path) -> Iterator[Ack]:
    names = [document.text((*item, "name")) for item in document.items(("slos",))]
    for item in document.items(path):
        slo, until = document.text((*item, "slo")), document.read((*item, "until"), instant)
        if slo is not None and slo not in names:
            document.note((*item, "slo"), f"{slo} is none of the slos of this file", "warning")
        if slo is not None and until is not None:
            yield Ack(slo, until, document.text((*item, "reason")) or "")


def _schedule(document: Document, path: Path, calendar: Calendar | None) -> Schedule | None:
    """Return a schedule, None where a waypoint is wrong."""
    found = [_waypoint(document, place) for place in document.items(path)]
    waypoints = tuple(waypoint for waypoint in found if waypoint is not None)
    if not waypoints or len(waypoints) < len(found):
        return None
    for place in range(1, len(waypoints)):
        moment, above = waypoints[place].at, waypoints[place - 1].at
        if moment < above:
            message = f"{instant_text(moment)} is before the waypoint above it ({instant_text(above)})"
            document.note((*path, place, "at"), message)
            return None
    if waypoints[-1].at - waypoints[0].at > LONGEST:
        document.note(path, "goes over more than ten years: is a year mistyped?")
        return None
    schedule = Schedule(waypoints, calendar)
    closed = schedule.rises_in_closed_time
    if closed is not None:
        message = "the calendar is never open between the waypoint above and this one: give it time to rise in"
        document.note((*path, schedule.stretches.index(closed)), message)
        return None
    return schedule


def _waypoint(document: Document, path: Path) -> Waypoint | None:
    moment = document.read((*path, "at"), instant)
    percent = document.read((*path, "percent"), _percent)
    if moment is None or percent is None:
        return None
    return Waypoint(moment, percent / 100)


def _percent(text: str) -> Fraction:
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,30})?", text):
        raise ValueError(f"{text} is not a percentage: write a decimal number from 0 to 100")
    return Fraction(text)


def _warn(document: Document, path: Path, rollout: Rollout, *, active: bool) -> None:
    """Note what is legal but seldom meant."""
    end = rollout.schedule.waypoints[-1]
    if end.share == 1 or rollout.schedule.falling(end.at):
        return
    if active:
        percent = float(end.share * 100)
        document.note((*path, "schedule"), f"ends at {percent:g} %: it stays there and is never complete", "warning")
    elif rollout.halted is None:
        document.note(path, "is not halted, though another rollout goes on top of it", "warning")
