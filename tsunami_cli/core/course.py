"""The course of a rollout before it runs: when it gets where, how many hosts that is, how steep, what is held back."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from tsunami_cli.core.calendar import DAY, Calendar, moment_of, unix
from tsunami_cli.core.lineup import Lineup
from tsunami_cli.core.model import Rollout
from tsunami_cli.core.quota import RAMP
from tsunami_cli.core.schedule import HOUR
from tsunami_cli.core.values import Value

_LOOKED_AHEAD = 30 * DAY
"""How far ahead the first opening is looked for, in seconds: no calendar is closed for longer but by mistake."""


@dataclass(frozen=True, slots=True)
class Milestone:
    """An instant worth knowing, with what is reached by then."""

    name: str
    """`starts`, `1 %`, `half` or `complete`."""
    at: datetime
    share: Fraction
    """Planned progress, 0 to 1."""
    hosts: int
    roles: int
    """How many roles they are in."""


@dataclass(frozen=True, slots=True)
class Steepest:
    """The role that changes most hosts in an open hour, at most."""

    role: str
    hosts: int
    of: int
    """Hosts of the role that no pin matches."""
    rate: Fraction
    """Hosts an hour, exact, where `hosts` is rounded up."""

    @property
    def share(self) -> Fraction | None:
        """The rate as a share of the role; None where it has no host to move."""
        return self.rate / self.of if self.of else None


def milestones(placed: Sequence[Lineup], rollout: Rollout) -> Iterator[Milestone]:
    """Yield the start and, as far as the schedule rises to them, 1 %, half and all."""
    schedule = rollout.schedule
    yield Milestone("starts", schedule.starts, Fraction(0), 0, 0)
    for name, share in (("1 %", Fraction(1, 100)), ("half", Fraction(1, 2)), ("complete", Fraction(1))):
        stretch = next((s for s in schedule.stretches if s.slope > 0 and s.begins < share <= s.ends), None)
        if stretch is not None:
            counts = [lineup.quota(rollout).at(share) for lineup in placed]
            at = schedule.reaches(stretch, share)
            yield Milestone(name, at, share, sum(counts), sum(map(bool, counts)))


def rates(placed: Sequence[Lineup], rollout: Rollout) -> list[Steepest]:
    """Return, for every role, how many hosts the plan changes there in the steepest open hour."""
    rise = rollout.schedule.steepest(HOUR, steps=True)
    found = []
    for lineup in placed:
        quota = lineup.quota(rollout)
        # While `at_least` is ramped in, hosts go by it twenty times as fast as by progress.
        ramped = RAMP * quota.lowest if rise < Fraction(1, RAMP) else 0
        rate = min(Fraction(quota.n), rise * max(quota.n, ramped))
        found.append(Steepest(lineup.role.name, max(1, -(-rate.numerator // rate.denominator)), quota.n, rate))
    return found


def steepest(placed: Sequence[Lineup], rollout: Rollout) -> Steepest | None:
    """Return the role that changes most hosts in an open hour; None where there is no role."""
    return max(rates(placed, rollout), key=lambda one: (one.rate, one.role, one.of), default=None)


def capped(placed: Sequence[Lineup], rollout: Rollout) -> list[tuple[str, int, int]]:
    """Return the roles that `at_most` holds back at full progress: role, hosts that move, hosts that could."""
    quotas = [(lineup.role.name, lineup.quota(rollout)) for lineup in placed]
    return [(role, quota.at(Fraction(1)), quota.n) for role, quota in quotas if quota.capped]


def pinned(placed: Sequence[Lineup]) -> Mapping[tuple[str, Value], int]:
    """Count the hosts that pins keep out of a rollout, by role and value."""
    return Counter((lineup.role.name, pin.value) for lineup in placed for pin in lineup.pins.values())


def moved_within(placed: Sequence[Lineup], rollout: Rollout, since: datetime, length: timedelta) -> int:
    """Return how many more hosts the plan has moved that long after an instant."""
    before, after = rollout.schedule.progress(since), rollout.schedule.progress(since + length)
    # The step at the first waypoint stands at its very instant.
    if since <= rollout.schedule.starts:
        before = Fraction(0)
    quotas = [lineup.quota(rollout) for lineup in placed]
    return max(0, sum(quota.at(after) - quota.at(before) for quota in quotas))


def opens_at(calendar: Calendar | None, moment: datetime) -> datetime:
    """Return the first open second at or after an instant; the instant itself where a month has none."""
    if calendar is None:
        return moment
    begun = unix(moment)
    opened = calendar.intervals(begun, begun + _LOOKED_AHEAD)
    return moment_of(opened[0][0]) if opened else moment
