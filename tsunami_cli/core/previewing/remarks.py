"""What a reviewer should stop at: nothing that is illegal, but what has upgraded whole fleets at once before."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from tsunami_cli.core.model import Rollout, Variable
from tsunami_cli.core.nodes import Node, Path, at, spelled
from tsunami_cli.core.previewing.courses import Course
from tsunami_cli.core.previewing.remark import Remark, hosts_text
from tsunami_cli.core.previewing.standing import Standing, Turn
from tsunami_cli.core.reschedule import FAR
from tsunami_cli.core.text import instant_text, percent_shown
from tsunami_cli.core.values import Value, brief

LONG_AGO = timedelta(days=180)
"""A start that lies further back is a year that somebody mistyped."""
SMALL = 3
"""Hosts up to which a role is too small to be moved in parts."""
QUICK = timedelta(days=1)
"""A value that nobody has had yet is to take longer than this."""
UNDER_WAY = ("running", "rolling-back", "capped", "halted")
"""States in which a rollout has hosts that go by it."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One variable whose file differs, as far as remarks need it."""

    file: str
    root: Node
    before: Variable | None
    was: Standing | None
    after: Variable
    course: Course | None
    turns: Sequence[Turn]
    actions: Collection[str]
    """What was decided about it by command: such edits are safe."""
    now: datetime


def remarks(one: Reviewed) -> list[Remark]:
    """Return what a reviewer should stop at, in the order of the file."""
    found = [*_course(one), *_under_way(one), *_default(one)]
    return sorted(_placed(one, *remark) for remark in found)


Found = tuple[Path, str, Literal["warning", "info"]]


def _placed(one: Reviewed, path: Path, message: str, severity: Literal["warning", "info"]) -> Remark:
    span = at(one.root, path).span
    return Remark(one.file, span.line, span.column, spelled(path), message, severity)


def _course(one: Reviewed) -> Iterator[Found]:
    """Yield what is odd about a new or rescheduled rollout."""
    course = one.course
    if course is None:
        return
    path: Path = ("rollouts", len(one.after.rollouts) - 1)
    yield from _instants(one, course, (*path, "schedule"))
    quick = [found for role in course.roles if (found := _too_quick(course, role.role, one.after))]
    if quick:
        more = f" (and {len(quick) - 1} more roles)" if len(quick) > 1 else ""
        yield (*path, "schedule"), f"{quick[0]} within an hour{more}: is that slow enough?", "warning"
    had = _ever(one)
    took = course.rollout.schedule.arrives - course.begins
    if course.kind == "new" and course.rollout.to not in had and took < QUICK and course.hosts > SMALL:
        message = f"no host has had {brief(course.rollout.to)} yet, and all of them get it within a day"
        yield (*path, "to"), message, "warning"
    if course.kind == "new" and not one.after.slos:
        yield path, "no SLO watches over it: nothing halts it but a person", "info"


def _instants(one: Reviewed, course: Course, path: Path) -> Iterator[Found]:
    starts, ends, now = course.rollout.schedule.starts, course.rollout.schedule.ends, one.now
    moved = course.before is None or course.before.schedule.starts != starts
    if moved and starts < now - LONG_AGO:
        years = round((now - starts) / timedelta(days=365.25))
        ago = f"{years} year{'s' * (years != 1)}" if years else f"{(now - starts).days // 30} months"
        ended = ", and has ended" if ends <= now else ""
        share = percent_shown(course.rollout.progress(now))
        message = (
            f"starts {ago} ago ({starts.date().isoformat()}){ended}: is the year a typo? By the plan {share} have "
            f"moved, and {_at_once(one.turns)}"
        )
        yield (*path, 0, "at"), message, "warning"
    elif moved and course.kind == "rescheduled" and starts < now and not one.actions:
        message = f"is moved to start in the past ({instant_text(starts)}): {_at_once(one.turns)}"
        yield (*path, 0, "at"), message, "warning"
    elif starts > now + FAR:
        message = f"starts on {starts.date().isoformat()}, over a year ahead: is the year right?"
        yield (*path, 0, "at"), message, "warning"
    if ends <= now and starts >= now - LONG_AGO and not course.rollout.falling(now):
        last = len(course.rollout.schedule.waypoints) - 1
        message = f"has ended already ({instant_text(ends)}): every host is to have moved by now"
        yield (*path, last, "at"), message, "warning"


def _too_quick(course: Course, role: str, variable: Variable) -> str | None:
    """Say that over half of a role moves within an hour, None where it does not."""
    rate = next(one.steepest for one in course.roles if one.role == role)
    most = variable.limit(role).per_hour
    hosts = rate.hosts if most is None else min(rate.hosts, most)
    if rate.of <= SMALL or 2 * hosts <= rate.of or not rate.rate:
        return None
    return f"{hosts:,} of {rate.of:,} hosts of {role} move"


def _ever(one: Reviewed) -> set[Value]:
    """Return the values that hosts are known to have had."""
    known = set(one.was.values) if one.was else set()
    if one.before is not None:
        known |= {one.before.default, *(pin.value for pin in one.before.pins)}
        known |= {value for rollout in one.before.rollouts for value in (rollout.to, *rollout.came_from)}
    return known


def _under_way(one: Reviewed) -> Iterator[Found]:
    """Yield edits by hand of what hosts go by."""
    before, was = one.before, one.was
    if before is None or was is None or was.status is None:
        return
    active, state = before.active, was.status.state
    after = {rollout.id: (place, rollout) for place, rollout in enumerate(one.after.rollouts)}
    for rollout in before.rollouts:
        if rollout.id not in after:
            if rollout is active and state in UNDER_WAY:
                yield ("rollouts",), _taken_out(one, rollout), "warning"
            continue
        place, new = after[rollout.id]
        if state != "scheduled" or rollout is not active:
            yield from _edited(one, ("rollouts", place), rollout, new)
    if active is None or state not in ("running", "capped", "halted") or active.id not in after:
        return
    for key, old, fresh_one in (
        ("first", before.first, one.after.first),
        ("spread", before.spread, one.after.spread),
    ):
        if old != fresh_one:
            message = f"differs while {active.id} is {state}: who moved stays, the others go in another order"
            yield (key,), message, "warning"
    if before.slos and not one.after.slos:
        yield ("slos",), f"are gone while {active.id} is {state}: nothing halts it but a person any more", "warning"


def _taken_out(one: Reviewed, rollout: Rollout) -> str:
    status = one.was.status if one.was else None
    far = f" at {percent_shown(status.planned if status.told is None else status.told)}" if status else ""
    state = status.state if status else ""
    twin = next((r for r in one.after.rollouts if r.to == rollout.to), None)
    if twin is not None:
        return (
            f"the id of {rollout.id} differs ({twin.id}) while it is {state}{far}: the id decides the order of hosts, "
            f"so this is another rollout: {_at_once(one.turns)}"
        )
    back = f"tsunami rollback {one.after.name} --over ... takes it back slowly"
    return f"{rollout.id} is taken out while it is {state}{far}: {_at_once(one.turns)}; {back}"


def _edited(one: Reviewed, path: Path, old: Rollout, new: Rollout) -> Iterator[Found]:
    if old.to != new.to:
        message = (
            f"was {brief(old.to)} when the rollout began: {_at_once(one.turns)}, and whoever moves from now on gets "
            f"{brief(new.to)}; tsunami start begins another"
        )
        yield (*path, "to"), message, "warning"
    if old.came_from != new.came_from:
        message = "differs from what was there when the rollout began: it is a record, no setting"
        yield (*path, "from"), message, "warning"
    lifted = old.halted is not None and new.halted is None and "resume" not in one.actions
    if lifted and old.schedule.waypoints == new.schedule.waypoints:
        jump = f"from {percent_shown(old.progress(one.now))} to {percent_shown(new.progress(one.now))}"
        message = f"its halt is taken away by hand, and the plan jumps {jump}: tsunami resume goes on from there"
        yield path, message, "warning"


def _default(one: Reviewed) -> Iterator[Found]:
    """Yield that a default changes hosts, or the one of those to come, with no rollout."""
    before, after = one.before, one.after
    if before is None or before.default == after.default:
        return
    sides = (brief(before.default), brief(after.default))
    concerned = [turn for turn in one.turns if turn.before == before.default and turn.after == after.default]
    if concerned:
        hosts = hosts_text(len(concerned))
        message = f"{sides[0]} -> {sides[1]} by hand changes {hosts} at once: tsunami start does it slowly"
        yield ("default",), message, "warning"
    elif after.rollouts and "start" not in one.actions:
        message = f"{sides[0]} -> {sides[1]} under a rollout: hosts keep what they were told, those that join get it"
        yield ("default",), message, "warning"


def _at_once(found: Sequence[Turn]) -> str:
    changed = sum(turn.before is not None and turn.after is not None for turn in found)
    if not changed:
        return "no host changes with the next publish"
    return f"{hosts_text(changed)} change{'s' * (changed == 1)} with the next publish"
