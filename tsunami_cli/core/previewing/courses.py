"""What a new or rescheduled rollout will do, role by role and hour by hour, as planned."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Literal

from tsunami_cli.core.course import Steepest, moved_within, opens_at, rates
from tsunami_cli.core.lineup import Lineup, Role, lineups
from tsunami_cli.core.model import Rollout, Variable

Kind = Literal["new", "rescheduled"]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RoleCourse:
    """What a rollout comes to in one role."""

    role: str
    hosts: int
    pinned: int
    final: int
    """Hosts that move in all, its bounds being as they are."""
    steepest: Steepest


@dataclass(frozen=True)
class Course:
    """A rollout that the change brings, or whose schedule it changes."""

    kind: Kind
    variable: Variable
    rollout: Rollout
    before: Rollout | None
    """The same one without the change; None where it is new."""
    placed: Sequence[Lineup]
    roles: Sequence[RoleCourse]
    begins: datetime
    """The first open second of the schedule."""
    first_hour: int
    """Hosts that move within an hour of that, or of now where that is past."""
    first_day: int

    @property
    def hosts(self) -> int:
        """Hosts that move in all."""
        return sum(role.final for role in self.roles)

    @property
    def steepest(self) -> Steepest | None:
        """The role that changes most hosts in an hour; None where the variable has no role."""
        found = (role.steepest for role in self.roles)
        return max(found, key=lambda one: (one.rate, one.role), default=None)


def course_of(before: Variable | None, after: Variable, roles: Sequence[Role], now: datetime) -> Course | None:
    """Return the course of the active rollout where it is new or its schedule another one; else None."""
    rollout = after.active
    if rollout is None:
        return None
    old = next((r for r in before.rollouts if r.id == rollout.id), None) if before else None
    if old is not None and old.schedule.waypoints == rollout.schedule.waypoints:
        return None
    placed = list(lineups(after, roles))
    found = zip(placed, rates(placed, rollout), strict=True)
    begins = opens_at(after.calendar, rollout.schedule.starts)
    since = max(begins, now)
    return Course(
        kind="new" if old is None else "rescheduled",
        variable=after,
        rollout=rollout,
        before=old,
        placed=placed,
        roles=[_role(lineup, rollout, rate) for lineup, rate in found],
        begins=begins,
        first_hour=moved_within(placed, rollout, since, HOUR),
        first_day=moved_within(placed, rollout, since, DAY),
    )


def _role(lineup: Lineup, rollout: Rollout, rate: Steepest) -> RoleCourse:
    final = lineup.quota(rollout).at(max((w.share for w in rollout.schedule.waypoints), default=Fraction(0)))
    return RoleCourse(lineup.role.name, len(lineup.role.hosts), len(lineup.pins), final, rate)
