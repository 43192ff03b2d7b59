"""What hosts were told of one variable, and the one step that a publish takes from there: the ratchet."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction

from tsunami_cli.core.calendar import unix
from tsunami_cli.core.holds import Hold
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
    """What hosts had before the first rollout of the file that knew them."""
    given: Mapping[str, Value] = field(default_factory=dict)
    """What every host was told last, by whatever rule; who left the inventory is still there."""
    pinned: frozenset[str] = frozenset()
    """Hosts whose last value came from a pin."""
    changed: Mapping[str, Sequence[datetime]] = field(default_factory=dict)
    """By role, when hosts that had been told another value were moved, within the last hour."""
    held: tuple[Hold, ...] = ()
    """What kept new hosts from being moved; empty where nothing did."""

    def knows(self, host: str) -> bool:
        """Say whether a host was ever told anything of the variable."""
        return host in self.given


def planned_moves(lineup: Lineup, now: datetime) -> dict[str, Collection[str]]:
    """Return for each rollout's id the hosts that file and clock alone say it has moved."""
    return {rollout.id: planned_by(lineup, rollout, now) for rollout in lineup.variable.rollouts}


def planned_by(lineup: Lineup, rollout: Rollout, now: datetime) -> Collection[str]:
    """Return the hosts of a role that file and clock alone say a rollout has moved."""
    return lineup.leading(rollout, lineup.quota(rollout).at(rollout.progress(now)))


def adopted(variable: Variable, told: Told, now: datetime) -> Told:
    """Return what was told as the file now sees it.

    What rollouts that left the file moved is what hosts had before those that remain; what a rollout moved has its
    value, also where somebody edited that.
    """
    before, moved = dict(told.before), {}
    values = {rollout.id: rollout.to for rollout in variable.rollouts}
    for rollout, rows in told.moved.items():
        if rollout in values:
            to = values[rollout]
            moved[rollout] = {h: t if t.value == to else Telling(to, now) for h, t in rows.items()}
        elif told.progress.get(rollout):
            before.update((h, t) for h, t in rows.items() if told.given.get(h) == t.value)
    return replace(told, moved=moved, before=before)


def tell(
    variable: Variable,
    roles: Iterable[Role],
    now: datetime,
    told: Told | None,
    every: timedelta,
    *,
    held: Sequence[Hold] = (),
) -> Told:
    """Return what hosts are told of a variable by a publish at `now`.

    `told` is None where nothing of the whole fleet was ever published: then the plan is told. `every` is how often
    publishes are meant to run; with anything in `held` the guard lets no new host move.
    """
    if told is None:
        return _first(variable, roles, now)
    told = adopted(variable, told, now)
    progress = told_progress(variable, now, told.at, told.progress, every, held=bool(held))
    publish = _Publish(variable, told, now, progress, held=tuple(held))
    for lineup in lineups(variable, roles):
        publish.role(lineup)
    return publish.done()


def foreseen(variable: Variable, roles: Iterable[Role], at: datetime, told: Told) -> Told:
    """Return what hosts will have been told at `at`, if publishes come on time and the files stay as they are.

    Every step is taken as planned: what bounds a publish that comes late does not bind those to come.
    """
    told = adopted(variable, told, at)
    active = variable.active
    progress = Fraction(0)
    if active is not None:
        stopped = active.halted is not None or variable.freeze is not None
        progress = told.progress.get(active.id, Fraction(0)) if stopped else active.progress(at)
    publish = _Publish(variable, told, at, progress, bounded=False)
    for lineup in lineups(variable, roles):
        publish.role(lineup)
    return publish.done()


def _first(variable: Variable, roles: Iterable[Role], now: datetime) -> Told:
    """Tell the plan: the first publish of a fleet."""
    moved: dict[str, dict[str, Telling]] = {rollout.id: {} for rollout in variable.rollouts}
    before: dict[str, Telling] = {}
    given: dict[str, Value] = {}
    pinned: set[str] = set()
    for lineup in lineups(variable, roles):
        planned = planned_moves(lineup, now)
        for rollout in variable.rollouts:
            moved[rollout.id].update((host, Telling(rollout.to, now)) for host in planned[rollout.id])
        if variable.rollouts:
            before.update((host, Telling(variable.default, now)) for host in lineup.role.hosts)
        given.update(zip(lineup.role.hosts, lineup.values(planned, {}), strict=True))
        pinned.update(lineup.pins)
    progress = {rollout.id: rollout.progress(now) for rollout in variable.rollouts}
    return Told(now, progress, moved, before, given, frozenset(pinned))


class _Publish:
    """One publish of one variable, role by role."""

    def __init__(
        self,
        variable: Variable,
        told: Told,
        now: datetime,
        progress: Fraction,
        *,
        held: tuple[Hold, ...] = (),
        bounded: bool = True,
    ) -> None:
        self._variable, self._told, self._now, self._held, self._bounded = variable, told, now, held, bounded
        self._progress = progress
        self._moved = {rollout.id: dict(told.moved.get(rollout.id, {})) for rollout in variable.rollouts}
        self._before = dict(told.before) if variable.rollouts else {}
        self._had = {host: telling.value for host, telling in self._before.items()}
        self._given = dict(told.given)
        self._pinned: set[str] = set()
        self._changed: dict[str, list[datetime]] = {}

    def role(self, lineup: Lineup) -> None:
        """Tell the hosts of one role."""
        active = self._variable.active
        name = lineup.role.name
        self._changed[name] = [at for at in self._told.changed.get(name, ()) if self._now - HOUR < at <= self._now]
        if active is not None:
            self._remember(lineup)
            self._count_pins(lineup, active)
            self._move(lineup, active)
        self._given.update(zip(lineup.role.hosts, lineup.values(self._moved, self._had), strict=True))
        self._pinned.update(lineup.pins)

    def done(self) -> Told:
        """Return what is told after all roles."""
        progress = {r.id: self._told.progress.get(r.id, Fraction(0)) for r in self._variable.rollouts}
        if self._variable.active is not None:
            progress[self._variable.active.id] = self._progress
        changed = {role: instants for role, instants in self._changed.items() if instants}
        pinned = frozenset(self._pinned)
        return Told(self._now, progress, self._moved, self._before, self._given, pinned, changed, self._held)

    def _remember(self, lineup: Lineup) -> None:
        """Note, for hosts that the rollouts of the file never saw, what they were told before these began."""
        told, default = self._told, self._variable.default
        for host in lineup.role.hosts:
            if not told.knows(host):
                continue
            pinned = host in lineup.pins
            if not pinned and (host in self._before or any(host in rows for rows in self._moved.values())):
                continue
            # What a pin says is not what the host had: without the pin it goes by the rollouts and the default.
            had = default if pinned or host in told.pinned else told.given[host]
            if self._had.get(host) != had:
                self._before[host] = Telling(had, told.at)
                self._had[host] = had

    def _count_pins(self, lineup: Lineup, active: Rollout) -> None:
        """Drop hosts that a pin gave another value; count those whose pin was lifted while they had ours."""
        rows = self._moved[active.id]
        for host, pin in lineup.pins.items():
            if pin.value != active.to:
                rows.pop(host, None)
        for host in lineup.free:
            if host not in rows and self._told.given.get(host) == active.to:
                rows[host] = Telling(active.to, self._now)

    def _move(self, lineup: Lineup, active: Rollout) -> None:
        """Move hosts of one role to and fro under the active rollout."""
        rows = self._moved[active.id]
        ours = [host for host in lineup.free if host in rows]
        quota = lineup.quota(active).at(self._progress)
        if active.halted is not None:
            # Halt means halt: nobody moves, to either side.
            return
        if active.falling(self._now):
            # A freeze stops the way back too.
            if self._variable.freeze is None:
                self._give_back(lineup, active, ours, len(ours) - quota)
        elif not self._held:
            self._advance(lineup, active, quota - len(ours))

    def _give_back(self, lineup: Lineup, active: Rollout, ours: list[str], surplus: int) -> None:
        """Return the hosts that were told last."""
        if surplus <= 0:
            return
        rows = self._moved[active.id]
        place = {host: i for i, host in enumerate(lineup.order(active))}
        for host in sorted(ours, key=lambda host: (rows[host].since, place[host]), reverse=True)[:surplus]:
            del rows[host]

    def _advance(self, lineup: Lineup, active: Rollout, missing: int) -> None:
        """Move the next hosts in order, within the hour's bound.

        In closed time, and under a freeze, only such as were told nothing yet.
        """
        if missing <= 0:
            return
        rows, changed = self._moved[active.id], self._changed[lineup.role.name]
        calendar = self._variable.calendar
        opened = not self._bounded or calendar is None or calendar.is_open(unix(self._now))
        opened = opened and self._variable.freeze is None
        room = per_hour(lineup, active) - len(changed) if self._bounded else missing
        for host in lineup.order(active):
            known = self._told.knows(host)
            if host in rows or (known and (not opened or room <= 0)):
                continue
            rows[host] = Telling(active.to, self._now)
            if known:
                changed.append(self._now)
                room -= 1
            missing -= 1
            if not missing:
                return
