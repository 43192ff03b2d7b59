"""What a change will do, in words that the terminal and a pull request's comment share.

Text from files and commits is marked as `Foreign` where it stands in a sentence, so that each kind of output can make
it harmless in its own way.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeAlias

from tsunami_cli.core.journal import Entry
from tsunami_cli.core.minutes import because
from tsunami_cli.core.previewing.courses import Course
from tsunami_cli.core.previewing.fleet import Effect, InventoryChange
from tsunami_cli.core.previewing.keys import KeyChange
from tsunami_cli.core.previewing.preview import Preview, VariableChange
from tsunami_cli.core.previewing.standing import Standing, Turn, state_word
from tsunami_cli.core.text import percent_shown
from tsunami_cli.core.values import brief
from tsunami_cli.output.started import guard_text, held_lines, hours_text, schedule_lines
from tsunami_cli.output.streams import count_of
from tsunami_cli.output.times import distance, zone_of

NAMED = 4
"""Hosts that are named, and keys that a headline names; JSON has all."""
LISTED = 8
"""Roles, keys and decisions that are listed."""
LONGEST = 240
"""Characters of a text from outside that are shown."""


class Foreign(str):
    """Text that somebody else wrote: a value, a reason, a name."""

    __slots__ = ()


Sentence: TypeAlias = Sequence[str]
"""Pieces to be joined, some of them Foreign."""


def cut(text: str) -> str:
    """Return a text short enough to be shown."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def details(one: VariableChange, now: datetime) -> Iterator[tuple[str, str]]:
    """Yield all there is to say of a variable, as label and text; a label may be empty where it goes on."""
    yield "state", states_text(one, " -> ")
    yield from _values_before_and_after(one)
    yield "at once", hosts_text(one.turns) or "no host is told anything else"
    if one.spared:
        yield "not now", f"{names_text(one.spared)}: would change with the next publish, and keep what they have"
    if one.course is not None:
        yield from _course_lines(one.course, now)
    yield from _labelled("changed", (key_text(change) for change in one.keys))
    yield from decided_lines(one.decisions)


def decided_lines(decisions: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    """Yield what was decided by command, by whom and why."""
    yield from _labelled("decided", (because(entry) for entry in decisions))


def states_text(one: VariableChange, arrow: str) -> str:
    """Return the state before and after, once where it is the same."""
    before = _state_of(one.before, "broken") if one.before or one.kind != "changed" else "broken"
    after = "broken" if one.broken else _state_of(one.after, "kept")
    return before if before == after else after if one.kind == "added" else f"{before}{arrow}{after}"


def _state_of(side: Standing | None, without: str) -> str:
    """Return a state in a word; `without` is that of hosts which keep what they were told, file or no file."""
    if side is None:
        return "gone"
    return state_word(side.status) if side.status else without


def _values_before_and_after(one: VariableChange) -> Iterator[tuple[str, str]]:
    old, new = (standing.values if standing else {} for standing in (one.before, one.after))
    yield from _labelled("values", (_sizes(brief(v), old.get(v, 0), new.get(v, 0)) for v in {**old, **new}))
    if not one.turns or one.kind == "added":
        return
    olds, news = (standing.by_role if standing else {} for standing in (one.before, one.after))
    lines = []
    for role in sorted({*olds, *news}):
        was, will = olds.get(role, {}), news.get(role, {})
        if was != will:
            parts = (_sizes(brief(v), was.get(v, 0), will.get(v, 0)) for v in sorted({**was, **will}))
            lines.append(f"{role}: {', '.join(parts)}")
    yield from _labelled("by role", lines)


def _sizes(name: str, before: int, after: int) -> str:
    return f"{after:,} on {name}" if before == after else f"{before:,} -> {after:,} on {name}"


def _labelled(label: str, lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield some lines under one label, and how many more there are."""
    found = list(lines)
    for place, line in enumerate(found[:LISTED]):
        yield ("" if place else label), cut(line)
    if len(found) > LISTED:
        yield "", f"and {len(found) - LISTED:,} more: --json has all"


def _course_lines(course: Course, now: datetime) -> Iterator[tuple[str, str]]:
    variable, rollout = course.variable, course.rollout
    if variable.calendar is not None:
        yield "hours", hours_text(variable.calendar)
    yield from schedule_lines(course.placed, rollout, zone_of(variable), now)
    yield "at first", f"{count_of(course.first_hour, 'host')} within an hour, {course.first_day:,} within a day"
    sizes = sorted(course.roles, key=lambda role: (-role.final, role.role))
    parts = [f"{one.role} {one.final:,}" + (f" of {one.hosts:,}" if one.final < one.hosts else "") for one in sizes]
    more = f" and {len(parts) - LISTED:,} more roles" if len(parts) > LISTED else ""
    yield "moves", ", ".join(parts[:LISTED]) + more if parts else "no host: it applies to no role"
    yield from _labelled("held back", held_lines(course.placed, rollout))
    if rollout.after is not None:
        yield "waits for", f"{rollout.after.variable} ({rollout.after.rollout}) to be complete"
    if variable.freeze is not None:
        yield "frozen", f"the line is stopped: {variable.freeze.reason}"
    yield "guarded by", guard_text(variable) or "nothing"


def hosts_text(turns: Sequence[Turn]) -> str:
    """Return `12 hosts: lon2-search-a1, lon2-search-a2 and 10 more`; empty for none."""
    return names_text([turn.host for turn in turns])


def names_text(names: Sequence[str]) -> str:
    """Return how many hosts, and the first of them."""
    if not names:
        return ""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return f"{count_of(len(names), 'host')}: {', '.join(names[:NAMED])}{more}"


def key_text(change: KeyChange) -> str:
    """Return `limits.accesspoint.at_most: 30% -> 50%`."""
    if change.before is None:
        return f"{change.key}: + {cut(change.after or '')}"
    if change.after is None:
        return f"{change.key}: - {cut(change.before)}"
    return f"{change.key}: {_half(change.before)} -> {_half(change.after)}"


def _half(text: str) -> str:
    return text if len(text) <= LONGEST // 2 else f"{text[: LONGEST // 2 - 1]}…"


def inventory_headline(change: InventoryChange) -> str:
    """Return how many hosts came and went."""
    parts = [f"{len(change.joined):,} joined"] if change.joined else []
    parts += [f"{len(change.left):,} left ({percent_shown(change.gone)})"] if change.left else []
    parts += [f"{len(change.rerolled):,} in another role"] if change.rerolled else []
    parts += [f"{change.relabelled:,} with another label"] if change.relabelled else []
    sizes = count_of(change.after, "host")
    return f"{f'{change.before:,} -> ' * (change.before != change.after)}{sizes}: {', '.join(parts) or 'as they were'}"


def inventory_details(change: InventoryChange) -> Iterator[tuple[str, str]]:
    """Yield who came, who went, and what that makes of roles."""
    for label, names in (("joined", change.joined), ("left", change.left)):
        if names:
            yield label, names_text([f"{host} ({role})" for host, role in names])
    if change.rerolled:
        yield "role", names_text([f"{host} ({old} -> {new})" for host, old, new in change.rerolled])
    yield from _labelled("by role", (f"{role}: {old:,} -> {new:,}" for role, old, new in change.roles))


def effect_text(found: Effect) -> str:
    """Return what the inventory or the settings do to a variable whose file stays as it is."""
    parts = [] if found.state[0] == found.state[1] else [f"is {found.state[1]}, was {found.state[0]}"]
    parts += [f"{hosts_text(found.turns)} told something else"] if found.turns else []
    parts += [f"{names_text(found.spared)} would change, and do not"] if found.spared else []
    quotas = [f"{role} {old:,} -> {new:,}" for role, old, new in found.quotas]
    more = f" and {len(quotas) - NAMED} more roles" if len(quotas) > NAMED else ""
    parts += [f"hosts to have moved by now: {', '.join(quotas[:NAMED])}{more}"] if quotas else []
    return "; ".join(parts)


def ends_text(found: Preview) -> Sentence:
    """Return what is held against each other."""
    head = f"commit {found.ends.head[:7]}" if found.ends.head else "the work tree"
    return [head, " against ", Foreign(cut(found.ends.base_name)), f" ({found.ends.base[:7]})"]


def source_text(found: Preview) -> str:
    """Return what figures go by."""
    if found.ledger is None:
        return "as planned: no ledger is known here"
    sequence, commit, at = found.ledger
    return f"by what hosts were told {distance(at, found.now)} (#{sequence}, {commit[:7]})"


def nothing_text(found: Preview) -> Sentence:
    """Return that there is nothing to preview."""
    return ["nothing to preview: no variable, setting or host differs, ", *ends_text(found)]
