"""What will happen and when: every host move ahead, by inverting the schedule, not by scanning time."""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from tsunami_cli.core.calendar import moment_of
from tsunami_cli.core.lineup import Lineup, Role, lineups
from tsunami_cli.core.model import Rollout, Variable
from tsunami_cli.core.quota import RoleQuota
from tsunami_cli.core.status import layered, moved_by
from tsunami_cli.core.told import Told, adopted
from tsunami_cli.core.values import Value


@dataclass(frozen=True, slots=True, order=True)
class Move:
    """A host changes its value, as planned."""

    at: datetime
    """The first whole second at which the plan has it so; the present for a host that is overdue."""
    host: str
    role: str
    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class Next:
    """The next change of a variable."""

    at: datetime
    hosts: int


def moves_ahead(variable: Variable, roles: Iterable[Role], now: datetime, told: Told | None = None) -> list[Move]:
    """Return the moves of the active rollout after `now`, sorted by instant and host.

    The files are taken as they stand: a rollout that is halted, frozen or waits for another moves nobody.
    """
    active = variable.active
    if active is None or active.still:
        return []
    told = adopted(variable, told, now) if told else None
    return sorted(move for lineup in lineups(variable, roles) for move in _role(lineup, active, now, told))


def next_moves(variable: Variable, roles: Iterable[Role], now: datetime, told: Told | None = None) -> Next | None:
    """Return when the active rollout changes hosts next, and how many in that second; None where it never does."""
    active = variable.active
    if active is None or active.still:
        return None
    told = adopted(variable, told, now) if told else None
    instants: Counter[datetime] = Counter()
    for lineup in lineups(variable, roles):
        quota = lineup.quota(active)
        moved = len(moved_by(lineup, active, now, told))
        first: datetime | None = None
        for at, _ in crossings(quota, active, moved, now):
            first = first or at
            if at > first:
                break
            instants[at] += 1
    return Next(*min(instants.items())) if instants else None


def crossings(quota: RoleQuota, rollout: Rollout, moved: int, now: datetime) -> Iterator[tuple[datetime, bool]]:
    """Yield the instants at which one more host of a role moves (True) or one returns (False), `moved` having moved.

    Each is where progress crosses the threshold of a position, found by inverting the schedule. Where a step
    back in the same second undoes it, nobody moves.
    """
    planned = quota.at(rollout.progress(now))
    if rollout.falling(now):
        yield from ((now, False) for _ in range(moved - planned))
        moved = min(moved, planned)
    else:
        yield from ((now, True) for _ in range(planned - moved))
        moved = max(moved, planned)
    for stretch in rollout.schedule.ahead(now):
        goal = quota.at(stretch.ends)
        while stretch.slope > 0 and moved < goal:
            threshold = quota.threshold(moved + 1)
            at = rollout.schedule.reaches(stretch, threshold)
            if rollout.schedule.progress(at) < threshold:
                break
            moved += 1
            yield at, True
        # Who moved beyond the quota, bounds or hosts having changed since, returns as soon as it falls.
        while stretch.slope < 0 and moved > max(goal, quota.at(stretch.begins)):
            moved -= 1
            yield moment_of(stretch.start), False
        while stretch.slope < 0 and moved > goal:
            threshold = quota.threshold(moved)
            at = rollout.schedule.falls_below(stretch, threshold)
            if rollout.schedule.progress(at) >= threshold:
                break
            moved -= 1
            yield at, False


def _role(lineup: Lineup, rollout: Rollout, now: datetime, told: Told | None) -> Iterator[Move]:
    """Yield the moves of one role."""
    queue = _Queue(lineup, rollout, now, told)
    for at, forth in crossings(lineup.quota(rollout), rollout, queue.moved, now):
        yield queue.take(at) if forth else queue.give_back(at)


class _Queue:
    """The hosts of a role on either side of a rollout: who is next to move, and who would be first to return."""

    def __init__(self, lineup: Lineup, rollout: Rollout, now: datetime, told: Told | None) -> None:
        self._lineup, self._to = lineup, rollout.to
        self._order = lineup.order(rollout)
        place = {host: i for i, host in enumerate(self._order)}
        ours = moved_by(lineup, rollout, now, told)
        since = told.moved.get(rollout.id, {}) if told else {}
        stack = [(since[host].since if host in since else now, place[host]) for host in self._order if host in ours]
        self._moved = [place for _, place in sorted(stack)]
        self._waiting = [place[host] for host in self._order if host not in ours]
        older = Lineup(_without(lineup.variable, rollout), lineup.role)
        self._before = dict(zip(lineup.role.hosts, layered(older, now, told), strict=True))

    @property
    def moved(self) -> int:
        """How many hosts have moved."""
        return len(self._moved)

    def take(self, at: datetime) -> Move:
        """Move the next host."""
        place = heapq.heappop(self._waiting)
        self._moved.append(place)
        host = self._order[place]
        return Move(at, host, self._lineup.role.name, self._before[host], self._to)

    def give_back(self, at: datetime) -> Move:
        """Return the host that moved last."""
        place = self._moved.pop()
        heapq.heappush(self._waiting, place)
        host = self._order[place]
        return Move(at, host, self._lineup.role.name, self._to, self._before[host])


def _without(variable: Variable, rollout: Rollout) -> Variable:
    """Return the variable as if its active rollout were not there."""
    return replace(variable, rollouts=tuple(r for r in variable.rollouts if r is not rollout))
