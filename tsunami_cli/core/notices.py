"""What people are told of a publish wherever they are: decisions, holds and completions, in words."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from tsunami_cli.core.journal import Entry
from tsunami_cli.core.text import instant_text
from tsunami_cli.core.values import printable

Kind = Literal["start", "halt", "hold", "resume", "rollback", "edit", "completion", "unasked"]

LONGEST_TITLE = 120
LONGEST_TEXT = 1500
LONGEST_REASON = 900
LONGEST_NAME = 80
MOST = 6
"""Notices of one publish; beyond that the last one sums the others up. Thirty messages at once are read by nobody."""

_GRAVEST: tuple[Kind, ...] = ("halt", "rollback", "unasked", "hold", "completion", "resume", "start", "edit")
_DONE: dict[str, tuple[Kind, str]] = {
    "start": ("start", "started"),
    "halt": ("halt", "halted"),
    "resume": ("resume", "resumed"),
    "rollback": ("rollback", "rolled back"),
    "edit": ("edit", "edited by hand"),
    "begin": ("start", "begun"),
    "freeze": ("halt", "frozen"),
    "unfreeze": ("resume", "let go on"),
}
"""The decisions that are worth a message, and what to say of them."""
_CALLS_EVERYBODY = re.compile(r"(?<!\w)@(?=(?:all|channel|everyone|here)\b)|<(?=[!@#])")


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to people, in plain text."""

    kind: Kind
    """`resume` also where a hold is over."""
    variable: str
    """Its name, empty for several."""
    title: str
    """One line: `backend: docker halted by the guard`."""
    text: str
    """A few lines: who, why, in which commit, what to do next."""


@dataclass(frozen=True, slots=True)
class HoldNote:
    """A hold on a variable that begins or ends."""

    variable: str
    slo: str
    why: str
    unasked: bool
    """Whether the guard could not ask the metrics server, rather than got no data from it."""


def notices(
    fleet: str,
    entries: Iterable[Entry],
    completed: Iterable[tuple[str, str, int]],
    began: Iterable[HoldNote],
    ended: Iterable[HoldNote],
) -> list[Notice]:
    """Return what is worth a message, at most MOST.

    `entries` are the new decisions, oldest first; `completed` names variables with the value, as shown, and how many
    hosts have it. Two publishes that are given the same say the same.
    """
    # What an unfreeze lets go on is said once, not for each variable.
    found = [_decided(one) for one in entries if one.action in _DONE and (one.action != "unfreeze" or one.whole)]
    found += [_held(note) for note in began]
    found += [_over(note) for note in ended]
    found += [_complete(*row) for row in completed]
    where = f"{_person(fleet, LONGEST_NAME)}: "
    return [Notice(n.kind, n.variable, _cut(where + n.title, LONGEST_TITLE), n.text) for n in _few(found)]


def _decided(entry: Entry) -> Notice:
    kind, done = _DONE[entry.action]
    name = "the line" if entry.whole else entry.variable
    if entry.guard is not None:
        who, lead = "the guard", f"The guard found that {name} violates {_person(entry.guard, LONGEST_NAME)}."
    else:
        who = _person(entry.author.partition(" <")[0], LONGEST_NAME) or "somebody"
        lead = f"{name} was {done} by {who}."
    rollout = f", rollout {_person(entry.rollout, LONGEST_NAME)}" if entry.rollout else ""
    lines = [
        lead,
        *_reason(entry.reason),
        f"Commit {entry.commit[:12]} of {instant_text(entry.at)}{rollout}.",
        _on_line(entry.action) if entry.whole else _next(kind, name, entry.commit),
    ]
    return _notice(kind, "" if entry.whole else name, f"{name} {done} by {who}", lines)


def _held(note: HoldNote) -> Notice:
    name, slo = note.variable, _person(note.slo, LONGEST_NAME)
    kind: Kind = "hold"
    title, lead = f"{name} held by {slo}", f"The guard has too little data to judge {slo}."
    if note.unasked:
        kind = "unasked"
        title, lead = f"{name} held: the guard cannot ask about {slo}", f"The guard could not ask for {slo}."
    effect = f"No further host is told the new value of {name} until it can be judged again."
    return _notice(kind, name, title, [lead, *_reason(note.why), effect, _next("hold", name)])


def _over(note: HoldNote) -> Notice:
    name, slo = note.variable, _person(note.slo, LONGEST_NAME)
    lines = [f"What held {name} is over: {slo}.", *_reason(note.why), f"How it goes on: tsunami status {name}"]
    return _notice("resume", name, f"{name} no longer held by {slo}", lines)


def _complete(variable: str, value: str, hosts: int) -> Notice:
    value, number = _person(value, LONGEST_NAME), f"{hosts:,} host{'s' * (hosts != 1)}"
    lines = [
        f"Every host of {variable} that no pin matches was told {value}: {number}.",
        f"Where it stands: tsunami status {variable}; what happened: tsunami log {variable}",
    ]
    return _notice("completion", variable, f"{variable} complete: {value} on {number}", lines)


def _on_line(action: str) -> str:
    """Return what to type after a decision on the line as a whole."""
    more = "; to let it go on: tsunami unfreeze" if action == "freeze" else ""
    return f"Where it stands: tsunami status{more}"


def _next(kind: Kind, variable: str, commit: str = "") -> str:
    """Return what to type next."""
    stands = f"Where it stands: tsunami status {variable}"
    match kind:
        case "halt":
            return f"{stands}; then tsunami resume {variable}, or tsunami rollback {variable} --over 2h"
        case "hold":
            return f"{stands}; what is measured: tsunami slo {variable}"
        case "edit":
            return f"{stands}; what was changed: git show {commit[:12]}"
        case "start" | "resume":
            return f"{stands}; to stop it: tsunami halt {variable}"
        case _:
            return stands


def _few(found: Sequence[Notice]) -> list[Notice]:
    """Return the notices in their order; where they are many, the gravest of them and one on the others."""
    if len(found) <= MOST:
        return list(found)
    ranked = sorted(range(len(found)), key=lambda at: (_GRAVEST.index(found[at].kind), at))
    alone = set(ranked[: MOST - 1])
    others = [notice for at, notice in enumerate(found) if at not in alone]
    kind = found[ranked[MOST - 1]].kind
    more = Notice(kind, "", f"{len(others)} more: {others[0].title}, ...", _listed([n.title for n in others]))
    return [*(notice for at, notice in enumerate(found) if at in alone), more]


def _listed(titles: Sequence[str]) -> str:
    """Return as many lines as there is room for, and how many there was none for."""
    last = "See: tsunami status; tsunami log"
    room, lines = LONGEST_TEXT - len(last) - len(f"... and {len(titles)} more") - 2, list[str]()
    for title in titles:
        room -= len(title) + 1
        if room < 0:
            lines.append(f"... and {len(titles) - len(lines)} more")
            break
        lines.append(title)
    return "\n".join([*lines, last])


def _notice(kind: Kind, variable: str, title: str, lines: Iterable[str]) -> Notice:
    return Notice(kind, variable, _cut(title, LONGEST_TITLE), _cut("\n".join(lines), LONGEST_TEXT))


def _reason(text: str | None) -> list[str]:
    """Return the lines of a reason, of a bounded length in all."""
    lines = [_person(line, LONGEST_REASON) for line in (text or "").splitlines()]
    whole = _cut("\n".join(line for line in lines if line), LONGEST_REASON)
    return whole.split("\n") if whole else []


def _person(text: str, longest: int) -> str:
    """Return what somebody wrote, on one line; it steers no terminal and calls nobody into a chat."""
    return _cut(_CALLS_EVERYBODY.sub(lambda found: f"{found[0]} ", printable(text).strip()), longest)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
