"""On what ground a host was told something else: which decision it goes back to."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from tsunami_cli.core.journal import SETTING_OFF, Entry
from tsunami_cli.core.lineup import Lineup
from tsunami_cli.core.model import Pin, Rollout, Variable
from tsunami_cli.core.told import Told
from tsunami_cli.core.values import Value

GOING = (*SETTING_OFF, "rollback")
"""The actions after which a rollout changes hosts, forth or back."""

Kind = Literal["rollout", "to", "gone", "pin", "default", "roles", "retired", "inventory"]

_PLAIN_DEFAULT = re.compile(rb"""^default: *("[^"\\\n]*"|'[^'\n]*'|[A-Za-z0-9._+-]+) *(#.*)?$""", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Ground:
    """Why hosts have a value, or have it no more. Hashable: many hosts share one."""

    kind: Kind
    """A rollout moved or returned them; its `to` was edited; it left the file; they are pinned, or not any more; they
    get the default; the variable's `roles` changed; it was retired; or the inventory changed."""
    variable: str
    rollout: str | None = None
    pin: Pin | None = None
    value: Value | None = None
    host: str | None = None
    """For what is about one host alone."""
    role: str | None = None
    """The host's, for a pin."""
    back: bool = False
    """Whether the rollout took its value away again."""


class Side(Protocol):
    """The file of a variable, or the inventory, before or after a commit."""

    @property
    def data(self) -> bytes | None:
        """Its text; None where there was no such file."""

    @property
    def variable(self) -> Variable | None:
        """What it meant; None where it was missing or wrong."""


@dataclass(frozen=True, slots=True)
class Step:
    """One commit that changed the file."""

    made: Sequence[Entry]
    """The decisions on it in that commit."""
    befores: Sequence[Side]
    """As its parents have it: one, or for a merge several."""
    after: Side
    cut: bool = False
    """Whether history was cut off here, so that what was before is not known."""


def ground_of(variable: Variable, host: str, lineup: Lineup, new: Told, old: Told | None) -> Ground:
    """Return the ground on which a host has what it is told now.

    `lineup` is that of its role, `old` what the ledger said before, as it stands there.
    """
    name, pin = variable.name, lineup.pins.get(host)
    pinned = Ground("pin", name, pin=pin, host=host, role=lineup.role.name)
    if pin is not None:
        return pinned
    had = {rollout for rollout, rows in old.moved.items() if host in rows} if old else set()
    has = [rollout for rollout in reversed(variable.rollouts) if host in new.moved.get(rollout.id, {})]
    unpinned = old is not None and host in old.pinned
    if has and has[0].id not in had and (not unpinned or has[0] is variable.active):
        return Ground("rollout", name, has[0].id)
    if unpinned:
        return pinned
    for rollout in reversed(variable.rollouts):
        if rollout.id in had and rollout not in has:
            return Ground("rollout", name, rollout.id, back=True)
    for gone in sorted(had - {rollout.id for rollout in variable.rollouts}):
        return Ground("gone", name, gone)
    if has:
        return Ground("to", name, has[0].id, value=has[0].to)
    return Ground("default", name, value=new.given.get(host))


def behind(ground: Ground, steps: Iterable[Step]) -> Entry | None:
    """Return the decision that a ground goes back to, from the commits that changed its file, newest first.

    For a rollout it is what set it going last: a start, a resume, another pace or the way back, or else the commit that
    brought it in. For all else it is the newest commit after which it was so and before which it was not; on whichever
    side of a merge that was made. None where history does not tell.
    """
    known = list(steps)
    if ground.kind == "rollout":
        actions = GOING if ground.back else SETTING_OFF
        for step in known:
            for entry in step.made:
                if entry.rollout == ground.rollout and entry.action in actions:
                    return entry
                if entry.action == "edit" and not step.cut and _rescheduled(ground.rollout, step):
                    return entry
    for step in known:
        if turned(ground, step):
            return next(iter(step.made), None)
    return None


def turned(ground: Ground, step: Step) -> bool:
    """Say whether a commit made true what the ground says, and none of its parents had it so."""
    return not step.cut and all(_turned(ground, before, step.after) for before in step.befores)


def _turned(ground: Ground, before: Side, after: Side) -> bool:
    if ground.kind == "retired":
        return after.data is None and before.data is not None
    if ground.kind == "inventory":
        return _line(before.data, ground.host) != _line(after.data, ground.host)
    if ground.kind == "rollout":
        return _names(after.data, ground.rollout) and not _names(before.data, ground.rollout)
    if ground.kind == "gone":
        return _names(before.data, ground.rollout) and not _names(after.data, ground.rollout)
    if ground.kind == "default" and _same_default(before.data, after.data):
        return False
    was, became = before.variable, after.variable
    if became is None:
        return False
    if ground.kind == "default":
        return became.default == ground.value and (was is None or was.default != ground.value)
    if ground.kind == "pin":
        return _pin(became, ground) == ground.pin and (was is None or _pin(was, ground) != ground.pin)
    if ground.kind == "roles":
        return was is None or was.roles != became.roles
    return _goes_to(became, ground) and not (was is not None and _goes_to(was, ground))


def _pin(variable: Variable, ground: Ground) -> Pin | None:
    """Return the pin that holds the ground's host."""
    host, role = ground.host or "", ground.role or ""
    return next((pin for pin in variable.pins if pin.hosts.match(host) or pin.roles.match(role)), None)


def _rescheduled(rollout: str | None, step: Step) -> bool:
    """Say whether a commit by hand gave a rollout another schedule, or lifted its halt."""
    if not all(_names(side.data, rollout) for side in (*step.befores, step.after)):
        return False
    became = _rollout(step.after.variable, rollout)
    if became is None or became.halted is not None:
        return False
    before = [_rollout(side.variable, rollout) for side in step.befores]
    return all(was and (was.schedule, was.halted) != (became.schedule, became.halted) for was in before)


def _rollout(variable: Variable | None, name: str | None) -> Rollout | None:
    return next((rollout for rollout in variable.rollouts if rollout.id == name), None) if variable else None


def _goes_to(variable: Variable, ground: Ground) -> bool:
    return any(rollout.id == ground.rollout and rollout.to == ground.value for rollout in variable.rollouts)


def _names(data: bytes | None, rollout: str | None) -> bool:
    """Say whether the text of a variable has a rollout; the parser would take long for that."""
    if data is None or rollout is None:
        return False
    name = re.escape(rollout.encode())
    return re.search(rb"""\bid: *["']?""" + name + rb"""["']?\s*([,}#]|$)""", data, re.MULTILINE) is not None


def _same_default(before: bytes | None, after: bytes | None) -> bool:
    """Say whether two texts give the same default, as far as can be told without the parser."""
    if before is None or after is None:
        return False
    one, other = _PLAIN_DEFAULT.search(before), _PLAIN_DEFAULT.search(after)
    return one is not None and other is not None and one[1] == other[1]


def _line(data: bytes | None, host: str | None) -> bytes | None:
    """Return what an inventory says of a host: its line in CSV, its place in YAML; None where it has no such host."""
    if data is None or host is None:
        return None
    name = re.escape(host.encode())
    csv = re.search(rb"^" + name + rb",.*$", data, re.MULTILINE)
    if csv is not None:
        return csv[0]
    found = re.search(rb"(?<![a-z0-9.-])" + name + rb"(?![a-z0-9.-])", data)
    if found is None:
        return None
    heads = re.findall(rb"^[^\s#-][^:\n]*:", data[: found.start()], re.MULTILINE)
    return heads[-1] if heads else b""
