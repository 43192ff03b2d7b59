"""Who is held against whom: the hosts that had moved, and the rest, as they were at every instant of a window."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property

from tsunami_cli.core.calendar import moment_of
from tsunami_cli.core.guard.questions import Window
from tsunami_cli.core.lineup import Lineup, Role, lineups
from tsunami_cli.core.model import Rollout, Variable
from tsunami_cli.core.told import Told, adopted, planned_by

Part = tuple[int, int]
"""Places of a window's instants, from one on and up to another, as of a slice."""


@dataclass(frozen=True)
class Cohorts:
    """The hosts of a variable that no pin matches, by whether the active rollout has moved them."""

    moved: Mapping[str, Part] = field(default_factory=dict)
    """For every host moved and settled the instants from which on it was: told at least `settle` before."""
    fresh: frozenset[str] = frozenset()
    """Moved, but told less than `settle` before the window's end."""
    rest: Mapping[str, Part] = field(default_factory=dict)
    """For every host the instants until which it was not moved yet."""
    waiting: frozenset[str] = frozenset()
    """Not moved at the window's end."""
    last: datetime | None = None
    """When a host that had another value before was last moved; None where that is not known, or none was."""
    roles: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """All these hosts by role."""

    @cached_property
    def moved_by_part(self) -> Mapping[Part, Sequence[str]]:
        """The hosts moved and settled, by the instants at which they count."""
        return _by_part(self.moved)

    @cached_property
    def rest_by_part(self) -> Mapping[Part, Sequence[str]]:
        """The hosts of the rest, by the instants at which they count."""
        return _by_part(self.rest)

    @cached_property
    def _came(self) -> Counter[int]:
        """By place, how many of the moved hosts had settled just then."""
        return Counter(first for first, _ in self.moved.values())

    def moved_at(self, place: int) -> int:
        """Return how many hosts had been moved and settled at an instant."""
        return sum(count for first, count in self._came.items() if first <= place)

    def of(self, hosts: Set[str]) -> "Cohorts":
        """Return the cohorts of some of the hosts."""
        return replace(
            self,
            moved={host: part for host, part in self.moved.items() if host in hosts},
            fresh=self.fresh & hosts,
            rest={host: part for host, part in self.rest.items() if host in hosts},
            waiting=self.waiting & hosts,
        )

    @property
    def size(self) -> int:
        """How many hosts have moved, settled or not."""
        return len(self.moved) + len(self.fresh)


def cohorts_of(
    variable: Variable, rollout: Rollout, roles: Iterable[Role], told: Told | None, window: Window, settle: timedelta
) -> Cohorts:
    """Return the cohorts: by what hosts were told, or by the plan where nothing was ever published."""
    placed = list(lineups(variable, roles))
    if told is None:
        return _planned(placed, rollout, window, settle)
    moved = adopted(variable, told, moment_of(window.end)).moved.get(rollout.id, {})
    free = [host for lineup in placed for host in lineup.free]
    since = {host: moved[host].since for host in free if host in moved}
    count, start, step = window.steps + 1, window.start, window.step
    # Few different instants occur.
    places = {at: _place(int(at.timestamp()), start, step, count) for at in set(since.values())}
    settled = {at: _place(int((at + settle).timestamp()), start, step, count) for at in places}
    return Cohorts(
        moved={host: (settled[at], count) for host, at in since.items() if settled[at] < count},
        fresh=frozenset(host for host, at in since.items() if settled[at] >= count),
        rest={host: (0, places[since[host]] if host in since else count) for host in free},
        waiting=frozenset(host for host in free if host not in since),
        last=max((at for host, at in since.items() if host in told.before), default=None),
        roles={lineup.role.name: lineup.free for lineup in placed},
    )


def _place(moment: int, start: int, step: int, count: int) -> int:
    """Return the first place at or after a moment; `count` where there is none."""
    return min(count, max(0, -(-(moment - start) // step)))


def _planned(placed: list[Lineup], rollout: Rollout, window: Window, settle: timedelta) -> Cohorts:
    count = window.steps + 1
    moved: dict[str, Part] = {}
    rest: dict[str, Part] = {}
    going: set[str] = set()
    for lineup in placed:
        left = dict.fromkeys(lineup.free, count)
        for place in reversed(range(count)):
            now = moment_of(window.instants[place])
            moved.update((host, (place, count)) for host in planned_by(lineup, rollout, now - settle))
            for host in planned_by(lineup, rollout, now):
                left[host] = place
        going.update(planned_by(lineup, rollout, moment_of(window.end)))
        rest.update((host, (0, place)) for host, place in left.items())
    waiting = frozenset(host for host in rest if host not in going)
    roles = {lineup.role.name: lineup.free for lineup in placed}
    return Cohorts(moved, frozenset(going - moved.keys()), rest, waiting, roles=roles)


def _by_part(parts: Mapping[str, Part]) -> Mapping[Part, Sequence[str]]:
    found: dict[Part, list[str]] = {}
    for host, part in parts.items():
        found.setdefault(part, []).append(host)
    return found
