"""On what ground a host was told something else: which decision it goes back to."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from tsunami_cli.core.journal import SETTING_OFF, Entry
from tsunami_cli.core.model import Pin, Variable
from tsunami_cli.core.told import Told
from tsunami_cli.core.values import Value

GOING = (*SETTING_OFF, "rollback")
"""The actions after which a rollout changes hosts, forth or back."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Why hosts have a value, or have it no more. Hashable: many hosts share one."""

    kind: Literal["rollout", "pin", "unpin", "default", "file", "inventory"]
    variable: str
    rollout: str | None = None
    pin: Pin | None = None
    value: Value | None = None
    back: bool = False
    """Whether the rollout took its value away again."""


@dataclass(frozen=True, slots=True)
class Version:
    """A variable as one commit left it."""

    made: Sequence[Entry]
    """The decisions on it in that commit."""
    variable: Variable | None
    """None where the file was missing or wrong."""


def ground_of(variable: Variable, host: str, pin: Pin | None, new: Told, old: Told | None) -> Ground:
    """Return the ground on which a host has what it is told now.

    `pin` is the host's own, `old` what the ledger said before, adopted or not.
    """
    name = variable.name
    if pin is not None:
        return Ground("pin", name, pin=pin)
    for rollout in reversed(variable.rollouts):
        if host in new.moved.get(rollout.id, {}):
            return Ground("rollout", name, rollout.id)
    if old is not None and host in old.pinned:
        return Ground("unpin", name)
    for rollout in reversed(variable.rollouts):
        if old is not None and host in old.moved.get(rollout.id, {}):
            return Ground("rollout", name, rollout.id, back=True)
    value = new.given.get(host)
    return Ground("default", name, value=value) if value == variable.default else Ground("file", name)


def behind(ground: Ground, now: Variable | None, versions: Iterable[Version]) -> Entry | None:
    """Return the decision that a ground goes back to, from the versions of its variable, newest first.

    For a rollout it is what set it going last: a start, a resume, another pace or the way back, or else the edit that
    brought it in. For a pin or a default it is the commit that set it, for a lifted pin the one that lifted it. None
    where history does not tell. `now` is the variable as it stands.
    """
    latest: Entry | None = None
    for version in versions:
        if ground.kind == "file":
            return next(iter(version.made), None)
        if version.variable is None or not _holds(ground, version.variable, now):
            break
        actions = GOING if ground.back else SETTING_OFF
        ours = (e for e in version.made if e.rollout == ground.rollout and e.action in actions)
        if ground.kind == "rollout" and (entry := next(ours, None)) is not None:
            return entry
        latest = next(iter(version.made), latest)
    return latest


def _holds(ground: Ground, version: Variable, now: Variable | None) -> bool:
    """Say whether a version of the variable has what the ground says."""
    if ground.kind == "pin":
        return ground.pin in version.pins
    if ground.kind == "rollout":
        return any(rollout.id == ground.rollout for rollout in version.rollouts)
    if ground.kind == "unpin":
        lifted: Collection[Pin] = set(version.pins) - set(now.pins if now else ())
        return not lifted
    return version.default == ground.value
