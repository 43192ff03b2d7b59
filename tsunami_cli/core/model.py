"""The checked meaning of a variable file and of the settings: everything in its final type, nothing left to default."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase, translate
from fractions import Fraction
from functools import cached_property

from tsunami_cli.core.calendar import Calendar
from tsunami_cli.core.nodes import Plain
from tsunami_cli.core.quota import Bound
from tsunami_cli.core.schedule import Schedule
from tsunami_cli.core.text import Via
from tsunami_cli.core.values import Value


@dataclass(frozen=True, slots=True)
class Globs:
    """Names by shell patterns, matched whole (`fnmatch.fnmatchcase`)."""

    patterns: tuple[str, ...]

    def match(self, name: str) -> bool:
        """Say whether any pattern matches."""
        return any(fnmatchcase(name, pattern) for pattern in self.patterns)

    def among(self, names: Sequence[str]) -> list[str]:
        """Return the names that match, in their order."""
        if not self.patterns:
            return []
        found = re.compile("|".join(translate(pattern) for pattern in self.patterns)).match
        return [name for name in names if found(name)]


@dataclass(frozen=True, slots=True)
class Limit:
    """The bounds of the roles that a glob matches."""

    roles: str
    at_least: Bound | None = None
    at_most: Bound | None = None
    per_hour: int | None = None
    """Hosts of a role that may be changed within an hour; None for twice what the schedule can plan."""


@dataclass(frozen=True, slots=True)
class Pin:
    """Hosts, by their own names or by their roles', that get one value whatever the rollouts do."""

    hosts: Globs
    roles: Globs
    value: Value
    reason: str


@dataclass(frozen=True, slots=True)
class Slo:
    """A service level objective that the guard checks, as it stands in the file."""

    name: str
    query: str
    objective: str
    compare: str = "moved"
    sustained: timedelta = timedelta(minutes=10)
    settle: timedelta = timedelta(minutes=10)
    on_violation: str = "halt"
    on_no_data: str = "hold"
    min_hosts: int = 1
    max_silent: Fraction = Fraction(1, 10)


@dataclass(frozen=True, slots=True)
class Ack:
    """Somebody accepts, for one rollout and until an instant, that an SLO is violated."""

    slo: str
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class After:
    """Another variable's rollout, which is to be complete before this one begins."""

    variable: str
    rollout: str


@dataclass(frozen=True, slots=True)
class Freeze:
    """The line is stopped: no rollout moves and none can start, but those of the variables that are excepted."""

    since: datetime
    reason: str
    excepted: tuple[str, ...] = ()

    def holds(self, variable: str) -> bool:
        """Say whether a variable is stopped by it."""
        return variable not in self.excepted


@dataclass(frozen=True)
class Rollout:
    """One change of a variable to a new value, following a schedule."""

    id: str
    """Also the salt of the order in which hosts move."""
    came_from: tuple[Value, ...]
    """The values that hosts had when it was decided."""
    to: Value
    over: timedelta
    """What was asked for; the schedule is what counts."""
    schedule: Schedule
    halted: datetime | None = None
    acks: tuple[Ack, ...] = ()
    after: After | None = None
    """What it waits for; until that is complete it has not begun, whatever its schedule says."""
    frozen: datetime | None = None
    """Since when the line is stopped for it, by the settings."""

    def frozen_at(self, now: datetime) -> datetime:
        """Return the instant whose progress counts: `now`, or that of whatever stops it if it is earlier."""
        stops = [stop for stop in (self.halted, self.frozen) if stop is not None]
        if self.after is not None:
            stops.append(self.schedule.starts - timedelta(seconds=1))
        return min(now, *stops) if stops else now

    @property
    def still(self) -> bool:
        """Whether something stops it that time does not lift: a halt, a freeze, or what it waits for."""
        return self.halted is not None or self.frozen is not None or self.after is not None

    def begun(self, now: datetime) -> bool:
        """Say whether its first waypoint is past, by the progress that counts."""
        return self.frozen_at(now) >= self.schedule.starts

    def progress(self, now: datetime) -> Fraction:
        """Return planned progress p, 0 to 1, exact."""
        return self.schedule.progress(self.frozen_at(now))

    def falling(self, now: datetime) -> bool:
        """Say whether the rollout is on its way back."""
        return self.schedule.falling(self.frozen_at(now))

    def halt(self, now: datetime) -> "Rollout":
        """Return the same rollout, halted."""
        return replace(self, halted=now)


@dataclass(frozen=True)
class Variable:
    """A named setting that hosts ask for."""

    name: str
    description: str
    owner: str | None
    value: dict[str, Plain]
    """JSON Schema of one value."""
    default: Value
    roles: Globs
    first: Globs
    """Hosts that lead in their role."""
    spread: str | None
    """The inventory column over whose values every prefix of a role is balanced."""
    limits: tuple[Limit, ...]
    """Only the first whose glob matches a role counts for it."""
    calendar: Calendar | None
    pins: tuple[Pin, ...]
    """The first that matches a host counts for it."""
    slos: tuple[Slo, ...]
    rollouts: tuple[Rollout, ...]
    """Oldest first."""
    freeze: Freeze | None = None
    """What stops the line for it, by the settings."""

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The JSON Schema types that a value may have; none where the schema does not say."""
        kind = self.value.get("type")
        return tuple(str(k) for k in kind) if isinstance(kind, list) else (str(kind),) if kind is not None else ()

    @property
    def active(self) -> Rollout | None:
        """The last rollout of the file."""
        return self.rollouts[-1] if self.rollouts else None

    def under(self, freeze: Freeze | None) -> "Variable":
        """Return the variable as a freeze leaves it: all its rollouts stand still, unless it is excepted."""
        if freeze is None or not freeze.holds(self.name):
            return self
        rollouts = tuple(replace(rollout, frozen=freeze.since) for rollout in self.rollouts)
        return replace(self, freeze=freeze, rollouts=rollouts)

    def limit(self, role: str) -> Limit:
        """Return the bounds of a role."""
        return next((limit for limit in self.limits if fnmatchcase(role, limit.roles)), Limit(role))


@dataclass(frozen=True, slots=True)
class Settings:
    """What `tsunami.yaml` says."""

    fleet: str
    inventory: str
    branch: str
    publish_to: str
    every: timedelta
    expire: timedelta
    per_host: bool
    max_shrink: Fraction
    prometheus: str | None
    host_label: str
    ramps: Mapping[str, tuple[Via, ...]] = field(default_factory=dict)
    """Points that a rollout can go through, by the name of the ramp."""
    freeze: Freeze | None = None
    """What stops the line; None while it runs."""
