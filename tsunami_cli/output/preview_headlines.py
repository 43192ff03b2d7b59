"""What happens to a variable because of a change, as a sentence."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from tsunami_cli.core.previewing.courses import Course
from tsunami_cli.core.previewing.preview import VariableChange
from tsunami_cli.core.previewing.standing import Standing, state_word
from tsunami_cli.core.text import percent_shown
from tsunami_cli.core.values import Value, brief
from tsunami_cli.output.preview_words import NAMED, Foreign, Sentence, cut
from tsunami_cli.output.streams import count_of
from tsunami_cli.output.times import distance, local, span, zone_of


def headline(one: VariableChange, now: datetime) -> Sentence:
    """Return what happens to a variable, as a sentence without its name."""
    if one.broken:
        if one.after is None:
            return ["its file has errors, and no host was ever told it: no publish can go on before it is mended"]
        return [f"its file has errors: {count_of(len(one.after.given), 'host')} keep what they have"]
    if one.kind == "removed":
        return [_removed(one)]
    said = _course(one.course, now) if one.course else _state(one)
    return [*said, _at_once(one)]


def _removed(one: VariableChange) -> str:
    if one.after is not None:
        return f"its file is gone, without a decision: {count_of(len(one.after.given), 'host')} keep what they have"
    return f"goes: {count_of(one.lost, 'host')} {'is' if one.lost == 1 else 'are'} told it no more"


def _course(course: Course, now: datetime) -> list[str]:
    """Return what a new or rescheduled rollout will do."""
    rollout, zone = course.rollout, zone_of(course.variable)
    way = [*_values(rollout.came_from), " -> ", Foreign(brief(rollout.to))]
    ends = rollout.schedule.arrives
    if course.kind == "rescheduled":
        last = rollout.schedule.waypoints[-1].share
        goal = {0: "back to nothing", 1: "complete"}.get(int(last), f"at {percent_shown(last)}")
        old = course.before.schedule.arrives if course.before else ends
        was = f", was {local(old, zone, now)}" if old != ends else ""
        return [*way, f" is rescheduled: {goal} {local(ends, zone, now)} ({distance(ends, now)}){was}"]
    roles = sum(role.final > 0 for role in course.roles)
    found = course.steepest
    pace = f"; at most {found.hosts:,} an hour in any role" if found is not None and found.rate else ""
    sizes = f"{count_of(course.hosts, 'host')} in {count_of(roles, 'role')}"
    return [*way, f" over {span(rollout.over)}: {sizes}{pace}; ", *_begins(course, now)]


def _begins(course: Course, now: datetime) -> list[str]:
    after = course.rollout.after
    if after is not None:
        return ["begins once ", Foreign(after.variable), " is complete"]
    begins = course.begins
    word = "started" if begins < now else "starts"
    return [f"{word} {local(begins, zone_of(course.variable), now)} ({distance(begins, now)})"]


def _values(values: Iterable[Value]) -> Iterator[str]:
    for place, value in enumerate(values):
        yield from (", ",) if place else ()
        yield Foreign(brief(value))


def _state(one: VariableChange) -> list[str]:
    """Return what happens to a variable that gets no new schedule."""
    if one.kind == "added" and one.after is not None:
        return ["is new: ", *_counts(one.after)]
    states = [state_word(side.status) for side in (one.before, one.after) if side and side.status]
    if len(set(states)) > 1:
        return [f"is {states[1]}, was {states[0]}"]
    if not one.keys:
        return ["nothing but comments or layout differs" if one.before and one.before.variable else "can be read again"]
    names = list(dict.fromkeys(change.key for change in one.keys))
    more = f" and {len(names) - NAMED} more keys" if len(names) > NAMED else ""
    return [*_joined(Foreign(cut(name)) for name in names[:NAMED]), f"{more} differ{'s' if len(names) == 1 else ''}"]


def _joined(pieces: Iterable[str]) -> Iterator[str]:
    for place, piece in enumerate(pieces):
        yield from (", ",) if place else ()
        yield piece


def _counts(standing: Standing) -> Iterator[str]:
    values = list(standing.values.items())
    if not values:
        yield "it concerns no host"
    for place, (value, count) in enumerate(values[:NAMED]):
        yield f"{', ' if place else ''}{count_of(count, 'host')} on "
        yield Foreign(brief(value))


def _at_once(one: VariableChange) -> str:
    if one.kind == "added":
        return ""
    parts = [f"{count_of(one.changed, 'host')} change{'s' * (one.changed == 1)} value"] if one.changed else []
    parts += [f"{count_of(one.gained, 'host')} get{'s' * (one.gained == 1)} it"] if one.gained else []
    parts += [f"{count_of(one.lost, 'host')} lose{'s' * (one.lost == 1)} it"] if one.lost else []
    spared = f"; {count_of(len(one.spared), 'host')} that would change then do not" if one.spared else ""
    return (f"; {', '.join(parts)} with the next publish" if parts else "; no host changes at once") + spared
