"""What hosts were told of one variable, and the one step that a publish takes from there: the ratchet (DESIGN 2.5)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction

from tsunami_cli.core.calendar import unix
from tsunami_cli.core.lineup import Lineup, Role, lineups
from tsunami_cli.core.model import Rollout, Variable
from tsunami_cli.core.pacing import per_hour, told_progress
from tsunami_cli.core.values import Value

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Telling:
    """A value that a host was told, and when it was first told it."""

    value: Value
    since: datetime


@dataclass(frozen=True)
class Told:
    """What the ledger says of one variable."""

    at: datetime
    """The instant of the last entry."""
    progress: Mapping[str, Fraction] = field(default_factory=dict)
    """Told progress e of every rollout of the file, by id."""
    moved: Mapping[str, Mapping[str, Telling]] = field(default_factory=dict)
    """For every rollout of the file the hosts that it has moved, missing ones included."""
    before: Mapping[str, Telling] = field(default_factory=dict)
    """What hosts had before the first rollout of the file that knew them. Who joined later has no row until told."""
    given: Mapping[str, Value] = field(default_factory=dict)
    """What every host was told last, by whatever rule; who left the inventory is still there."""

    def knows(self, host: str) -> bool:
        """Say whether a host was ever told anything of the variable."""
        return host in self.given


def planned_moves(lineup: Lineup, now: datetime) -> dict[str, frozenset[str]]:
    """Return for each rollout's id the hosts that file and clock alone say it has moved (DESIGN 2.1 to 2.3)."""
    moved = {}
    for rollout in lineup.variable.rollouts:
        moved[rollout.id] = frozenset(lineup.leading(rollout, lineup.quota(rollout).at(rollout.progress(now))))
    return moved


def tell(
    variable: Variable,
    roles: Iterable[Role],
    now: datetime,
    told: Told | None,
    every: timedelta,
    *,
    held: bool = False,
) -> Told:
    """Return what hosts are told of a variable by a publish at `now`.

    `told` is None where nothing of the whole fleet was ever published: then the plan is told. `every` is how often
    publishes are meant to run; `held` says that the guard lets no new host move.
    """
    if told is None:
        return _first(variable, roles, now)
    told = _adopted(variable, told)
    active = variable.active
    moved = {rollout.id: dict(told.moved.get(rollout.id, {})) for rollout in variable.rollouts}
    before = dict(told.before) if active else {}
    progress = {rollout.id: told.progress.get(rollout.id, Fraction(0)) for rollout in variable.rollouts}
    given = dict(told.given)
    if active is not None:
        progress[active.id] = told_progress(variable, now, told.at, told.progress.get(active.id), every, held=held)
    for lineup in lineups(variable, roles):
        if active is not None:
            _remember(lineup, told, before, now)
            step = _Step(lineup, active, told, now, progress[active.id], held)
            moved[active.id] = step.take(moved[active.id], before)
        shown = {host: telling.value for host, telling in before.items()}
        given.update(zip(lineup.role.hosts, lineup.values(moved, shown), strict=True))
    return Told(now, progress, moved, before, given)


def _first(variable: Variable, roles: Iterable[Role], now: datetime) -> Told:
    """Tell the plan: the first publish of a fleet."""
    moved: dict[str, dict[str, Telling]] = {rollout.id: {} for rollout in variable.rollouts}
    before: dict[str, Telling] = {}
    given: dict[str, Value] = {}
    for lineup in lineups(variable, roles):
        planned = planned_moves(lineup, now)
        for rollout in variable.rollouts:
            moved[rollout.id].update((host, Telling(rollout.to, now)) for host in planned[rollout.id])
        if variable.rollouts:
            before.update((host, Telling(variable.default, now)) for host in lineup.role.hosts)
        given.update(zip(lineup.role.hosts, lineup.values(planned, {}), strict=True))
    progress = {rollout.id: rollout.progress(now) for rollout in variable.rollouts}
    return Told(now, progress, moved, before, given)


def _adopted(variable: Variable, told: Told) -> Told:
    """Take over what rollouts that left the file did: their values are what hosts had before those that remain."""
    ids = {rollout.id for rollout in variable.rollouts}
    gone = [rollout for rollout in told.moved if rollout not in ids]
    if not gone or not ids:
        return told
    before = dict(told.before)
    for rollout in gone:
        for host, telling in told.moved[rollout].items():
            if told.given.get(host) == telling.value:
                before[host] = telling
    return replace(told, moved={rollout: moved for rollout, moved in told.moved.items() if rollout in ids}, before=before)


def _remember(lineup: Lineup, told: Told, before: dict[str, Telling], now: datetime) -> None:
    """Note, for hosts that the rollouts of the file never saw, what they were told before these began."""
    ids = [rollout.id for rollout in lineup.variable.rollouts]
    for host in lineup.role.hosts:
        if host in before or not told.knows(host) or any(host in told.moved.get(rollout, {}) for rollout in ids):
            continue
        # What a pin says is not what the host had: without the pin it goes by the rollouts and the default.
        had = lineup.variable.default if host in lineup.pins else told.given[host]
        before[host] = Telling(had, told.at)


@dataclass(frozen=True)
class _Step:
    """What one publish does to the hosts of one role under the active rollout."""

    lineup: Lineup
    rollout: Rollout
    told: Told
    now: datetime
    progress: Fraction
    held: bool

    def take(self, moved: dict[str, Telling], before: Mapping[str, Telling]) -> dict[str, Telling]:
        """Return the hosts moved after this publish, of all roles, from those moved before it."""
        moved = self._without_pins(moved)
        ours = [host for host in self.lineup.free if host in moved]
        quota = self.lineup.quota(self.rollout).at(self.progress)
        if self.rollout.halted is not None:
            # Halt means halt: nobody moves, to either side.
            return moved
        if self.rollout.falling(self.now):
            return self._returned(moved, ours, len(ours) - quota)
        if self.held:
            return moved
        return moved | self._joined(moved, before, quota - len(ours))

    def _without_pins(self, moved: dict[str, Telling]) -> dict[str, Telling]:
        """Drop hosts that a pin gave another value; count those whose pin was lifted while they had ours."""
        to = self.rollout.to
        lost = {host for host, pin in self.lineup.pins.items() if pin.value != to and host in moved}
        kept = {host: telling for host, telling in moved.items() if host not in lost}
        for host in self.lineup.free:
            if host not in kept and self.told.given.get(host) == to:
                kept[host] = Telling(to, self.now)
        return kept

    def _returned(self, moved: dict[str, Telling], ours: list[str], surplus: int) -> dict[str, Telling]:
        """Return the hosts left after a rollback took back the `surplus` that were told last."""
        if surplus <= 0:
            return moved
        place = {host: i for i, host in enumerate(self.lineup.order(self.rollout))}
        last = sorted(ours, key=lambda host: (moved[host].since, place[host]), reverse=True)[:surplus]
        return {host: telling for host, telling in moved.items() if host not in set(last)}

    def _joined(
        self, moved: Mapping[str, Telling], before: Mapping[str, Telling], missing: int
    ) -> dict[str, Telling]:
        """Return the hosts that move now: the next in order, within the hour's bound, new ones alone in closed time."""
        if missing <= 0:
            return {}
        calendar = self.lineup.variable.calendar
        opened = calendar is None or calendar.is_open(unix(self.now))
        room = per_hour(self.lineup, self.rollout) - self._changed(moved, before)
        joining: dict[str, Telling] = {}
        for host in self.lineup.order(self.rollout):
            if len(joining) == missing:
                break
            known = self.told.knows(host)
            if host in moved or (known and (not opened or room <= 0)):
                continue
            joining[host] = Telling(self.rollout.to, self.now)
            room -= known
        return joining

    def _changed(self, moved: Mapping[str, Telling], before: Mapping[str, Telling]) -> int:
        """Count the hosts of the role that were changed, not told for the first time, within the last hour."""
        recent = (host for host in self.lineup.role.hosts if host in moved and moved[host].since > self.now - HOUR)
        return sum(host in before and before[host].since < moved[host].since for host in recent)
