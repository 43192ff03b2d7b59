"""Where every variable stands: its state, its progress and exact counts by value and role."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Literal

from tsunami_cli.core.holds import Hold
from tsunami_cli.core.lineup import Lineup, Role, lineups
from tsunami_cli.core.model import Freeze, Rollout, Variable
from tsunami_cli.core.told import Told, adopted, planned_by
from tsunami_cli.core.values import Value

State = Literal["halted", "scheduled", "rolling-back", "rolled-back", "running", "capped", "complete", "settled"]
UNDER_WAY: tuple[State, ...] = ("scheduled", "rolling-back", "running")
"""The states that time changes."""


@dataclass(frozen=True, slots=True)
class RoleStatus:
    """One role of a variable under its active rollout."""

    role: str
    hosts: int
    """All hosts of the role, pinned ones included."""
    pinned: int
    moved: int
    """Hosts that the rollout has moved and no pin matches."""
    quota: int
    """How many the plan wants moved now."""
    final: int
    """How many the plan wants moved at full progress, its bounds being as they are."""


@dataclass(frozen=True, slots=True)
class Status:
    """One variable at an instant."""

    variable: Variable
    state: State
    values: Mapping[Value, int]
    """Hosts by the value they have, most hosts first."""
    planned: Fraction
    """Planned progress p of the active rollout, 0 where there is none."""
    told: Fraction | None
    """Told progress e; None without a ledger."""
    roles: tuple[RoleStatus, ...]
    holds: tuple[Hold, ...] = ()
    """What keeps the guard from letting new hosts move, as of the last publish."""

    @property
    def held(self) -> Hold | None:
        """The first hold of a rollout that would move on without it."""
        return self.holds[0] if self.holds and self.state == "running" else None

    @property
    def frozen(self) -> Freeze | None:
        """What stops the line for it, where it has a rollout that would move on without."""
        return self.variable.freeze if self.state in UNDER_WAY else None

    @property
    def moved(self) -> int:
        """Hosts moved in all roles."""
        return sum(role.moved for role in self.roles)

    @property
    def hosts(self) -> int:
        """Hosts that no pin matches in all roles."""
        return sum(role.hosts - role.pinned for role in self.roles)


def moves_so_far(lineup: Lineup, now: datetime, told: Told | None) -> Mapping[str, Collection[str]]:
    """Return for each rollout's id the hosts of a role it has moved: as told, or as planned where nothing was told."""
    return {rollout.id: moved_by(lineup, rollout, now, told) for rollout in lineup.variable.rollouts}


def moved_by(lineup: Lineup, rollout: Rollout, now: datetime, told: Told | None) -> Collection[str]:
    """Return the hosts of a role, of those no pin matches, that one of the file's rollouts has moved."""
    if told is None:
        return planned_by(lineup, rollout, now)
    rows, active = told.moved.get(rollout.id, {}), rollout is lineup.variable.active
    # Who was told the active rollout's value by a pin that was lifted since counts as moved.
    return {h for h in lineup.free if h in rows or (active and told.given.get(h) == rollout.to)}


def layered(lineup: Lineup, now: datetime, told: Told | None) -> list[Value]:
    """Return what the file and what was moved so far give every host of a role, in the order of the role's hosts."""
    before = {host: told.before[host].value for host in lineup.role.hosts if host in told.before} if told else {}
    return lineup.values(moves_so_far(lineup, now, told), before)


def values_now(lineup: Lineup, now: datetime, told: Told | None) -> list[Value]:
    """Return what every host of a role has: what it was told last; as planned where it was told nothing yet."""
    found = layered(lineup, now, told)
    if told is None:
        return found
    return [told.given.get(host, value) for host, value in zip(lineup.role.hosts, found, strict=True)]


def status_of(variable: Variable, roles: Iterable[Role], now: datetime, told: Told | None = None) -> Status:
    """Return where a variable stands."""
    told = adopted(variable, told, now) if told else None
    counts: Counter[Value] = Counter()
    rows = []
    active = variable.active
    for lineup in lineups(variable, roles):
        counts.update(values_now(lineup, now, told))
        rows.append(_role(lineup, active, now, told))
    planned = active.progress(now) if active else Fraction(0)
    e = told.progress.get(active.id, Fraction(0)) if told and active else None
    values = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    holds = told.held if told else ()
    return Status(variable, state_of(active, now, rows), values, planned, e, tuple(rows), holds)


@dataclass(frozen=True, slots=True)
class Effect:
    """What another version of a variable changes at once."""

    pinned: int
    """Hosts that get another pin than before, or lose theirs."""
    changed: int
    """Those of them that get another value."""
    others: int
    """All other hosts that get another value."""


def effect_of(
    before: Variable, after: Variable, roles: Iterable[Role], now: datetime, told: Told | None = None
) -> Effect:
    """Return how many hosts differ between two versions of a variable: by what was told, or as planned."""
    pinned = changed = others = 0
    for old in lineups(before, roles):
        new = Lineup(after, old.role)
        values = zip(old.role.hosts, layered(old, now, told), layered(new, now, told), strict=True)
        for host, had, has in values:
            meant = old.pins.get(host) != new.pins.get(host)
            pinned += meant
            changed += meant and had != has
            others += not meant and had != has
    return Effect(pinned, changed, others)


def state_of(active: Rollout | None, now: datetime, roles: Iterable[RoleStatus]) -> State:
    """Return the state of a variable, the first that applies."""
    if active is None:
        return "settled"
    if active.halted is not None:
        return "halted"
    if not active.begun(now):
        return "scheduled"
    planned = active.progress(now)
    if active.falling(now):
        return "rolling-back" if planned or any(role.moved for role in roles) else "rolled-back"
    rows = list(roles)
    if planned < 1 or any(role.moved < role.final for role in rows):
        return "running"
    return "capped" if any(role.moved < role.hosts - role.pinned for role in rows) else "complete"


def _role(lineup: Lineup, active: Rollout | None, now: datetime, told: Told | None) -> RoleStatus:
    pinned, hosts = len(lineup.pins), len(lineup.role.hosts)
    if active is None:
        return RoleStatus(lineup.role.name, hosts, pinned, 0, 0, 0)
    quota = lineup.quota(active)
    planned = quota.at(active.progress(now))
    moved = planned if told is None else len(moved_by(lineup, active, now, told))
    return RoleStatus(lineup.role.name, hosts, pinned, moved, planned, quota.at(Fraction(1)))
