"""The schedule of a rollout: planned progress as an exact function of the instant, its steepness and its inverse."""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import cached_property

from tsunami_cli.core.calendar import Calendar, moment_of, unix
from tsunami_cli.core.open_time import OpenTime

HOUR = 3_600


@dataclass(frozen=True, slots=True, order=True)
class Waypoint:
    """A point that planned progress goes through."""

    at: datetime
    """An instant, to the second, in UTC."""
    share: Fraction
    """Progress there, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The way from one waypoint to the next, in Unix seconds; `start == end` is a step."""

    start: int
    end: int
    begins: Fraction
    ends: Fraction

    @property
    def slope(self) -> int:
        """1 where progress rises, -1 where it falls, 0 where it is flat."""
        return (self.ends > self.begins) - (self.ends < self.begins)


@dataclass(frozen=True)
class Schedule:
    """Waypoints in time order, at least one, under a calendar (None: always open).

    Between two waypoints progress is linear: in open time where it rises, in wall time where it falls.
    """

    waypoints: tuple[Waypoint, ...]
    calendar: Calendar | None = None

    @cached_property
    def stretches(self) -> tuple[Stretch, ...]:
        """All stretches; the first one is the step from nothing to the first waypoint's percent."""
        start = unix(self.waypoints[0].at)
        found, reached = [], (start, Fraction(0))
        for waypoint in self.waypoints:
            moment = unix(waypoint.at)
            found.append(Stretch(reached[0], moment, reached[1], waypoint.share))
            reached = (moment, waypoint.share)
        return tuple(found)

    @cached_property
    def open_time(self) -> OpenTime:
        """The open time from the first waypoint to the last."""
        return OpenTime.between(self.calendar, unix(self.waypoints[0].at), unix(self.waypoints[-1].at))

    @property
    def starts(self) -> datetime:
        """The first waypoint's instant."""
        return self.waypoints[0].at

    @property
    def ends(self) -> datetime:
        """The last waypoint's instant."""
        return self.waypoints[-1].at

    @property
    def arrives(self) -> datetime:
        """The first second at which progress is where it ends: under a calendar often before the last waypoint."""
        last = next((s for s in reversed(self.stretches) if s.slope), None)
        return self.ends if last is None or last.slope < 0 else self.reaches(last, last.ends)

    def progress(self, now: datetime) -> Fraction:
        """Return planned progress p, 0 to 1, exact."""
        known = self._progress
        if now not in known:
            moment = unix(now)
            place = bisect_right(self._starts, moment) - 1
            known.clear()
            known[now] = Fraction(0) if place < 0 else self._within(self.stretches[place], moment)
        return known[now]

    def falling(self, now: datetime) -> bool:
        """Say whether the last stretch or step begun by then that was not flat falls."""
        begun = self.stretches[: bisect_right(self._starts, unix(now))]
        return next((stretch.slope < 0 for stretch in reversed(begun) if stretch.slope), False)

    def length(self, stretch: Stretch) -> int:
        """Return how long a stretch is by the clock it runs on: open seconds where it rises, else wall seconds."""
        if stretch.slope <= 0:
            return stretch.end - stretch.start
        return self.open_time.passed(stretch.end) - self.open_time.passed(stretch.start)

    def reaches(self, stretch: Stretch, share: Fraction) -> datetime:
        """Return the first whole second of a rising stretch at which progress is at least `share`."""
        if share >= stretch.ends and stretch.start == stretch.end:
            return moment_of(stretch.end)
        climbed = (share - stretch.begins) / (stretch.ends - stretch.begins) * self.length(stretch)
        opened = self.open_time.passed(stretch.start) + _ceil(climbed)
        return moment_of(max(stretch.start, self.open_time.when(opened)))

    def falls_below(self, stretch: Stretch, share: Fraction) -> datetime:
        """Return the first whole second of a falling stretch at which progress is less than `share`."""
        fallen = (stretch.begins - share) / (stretch.begins - stretch.ends) * self.length(stretch)
        return moment_of(min(stretch.end, stretch.start + max(0, _floor(fallen) + 1)))

    def steps(self, since: datetime, until: datetime) -> Fraction:
        """Return the sum of the upward steps planned after `since` and not after `until`."""
        low, high = unix(since), unix(until)
        found = (
            s.ends - s.begins for s in self.stretches if s.start == s.end and low < s.start <= high and s.slope > 0
        )
        return sum(found, Fraction(0))

    def steepest(self, seconds: int, *, steps: bool = False) -> Fraction:
        """Return R: the steepest planned rise within any stretch of that much open time, 0 to 1.

        Progress over open time is a chain of straight pieces, so that the steepest window begins or ends at a
        corner of it. Steps count only where asked for.
        """
        known = self._steepest
        if (seconds, steps) not in known:
            known[seconds, steps] = _steepest(self._corners(steps=steps), seconds)
        return known[seconds, steps]

    def allowance(self, seconds: int) -> Fraction:
        """Return R(w): the steepest rise, but at least w's share of the schedule's open time."""
        whole = self.open_time.total
        return max(self.steepest(seconds), min(Fraction(1), Fraction(seconds, whole)) if whole else Fraction(1))

    @property
    def rises_in_closed_time(self) -> Stretch | None:
        """The first rising stretch, no step, in which there is no open time at all: an error."""
        rising = (s for s in self.stretches if s.slope > 0 and s.start < s.end)
        return next((s for s in rising if not self.length(s)), None)

    def ahead(self, now: datetime) -> Iterator[Stretch]:
        """Yield what is left of the stretches after an instant, the one under way cut there."""
        moment = unix(now)
        for stretch in self.stretches:
            if stretch.start > moment:
                yield stretch
            elif stretch.end > moment:
                yield Stretch(moment, stretch.end, self._within(stretch, moment), stretch.ends)

    @cached_property
    def _progress(self) -> dict[datetime, Fraction]:
        """What `progress` said last: every role asks for the same instant."""
        return {}

    @cached_property
    def _steepest(self) -> dict[tuple[int, bool], Fraction]:
        """What `steepest` found already: it is asked for every role."""
        return {}

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        return tuple(stretch.start for stretch in self.stretches)

    def _within(self, stretch: Stretch, moment: int) -> Fraction:
        if moment >= stretch.end:
            return stretch.ends
        if not stretch.slope:
            return stretch.begins
        if stretch.slope < 0:
            gone = moment - stretch.start
        else:
            gone = self.open_time.passed(moment) - self.open_time.passed(stretch.start)
        return stretch.begins + (stretch.ends - stretch.begins) * Fraction(gone, self.length(stretch))

    def _corners(self, *, steps: bool) -> list[tuple[int, Fraction]]:
        """Return progress over open time at both ends of every stretch, the steps taken out unless asked for."""
        corners: list[tuple[int, Fraction]] = []
        stepped = Fraction(0)
        for stretch in self.stretches:
            if stretch.start == stretch.end and not steps:
                stepped += stretch.ends - stretch.begins
            else:
                corners.append((self.open_time.passed(stretch.start), stretch.begins - stepped))
                corners.append((self.open_time.passed(stretch.end), stretch.ends - stepped))
        return corners


def _steepest(corners: list[tuple[int, Fraction]], seconds: int) -> Fraction:
    """Return the highest rise within any window of a chain of corners, 0 to 1."""
    best = Fraction(0)
    # The corners of the window that ends at a corner, those alone that no later one is below: the first is the lowest.
    window: deque[tuple[int, Fraction]] = deque()
    for passed, share in corners:
        while window and window[0][0] < passed - seconds:
            window.popleft()
        while window and window[-1][1] >= share:
            window.pop()
        window.append((passed, share))
        best = max(best, share - window[0][1])
        later, earlier = _between(corners, passed + seconds), _between(corners, passed - seconds)
        if later is not None:
            best = max(best, later - share)
        if earlier is not None:
            best = max(best, share - earlier)
    return min(best, Fraction(1))


def _between(corners: list[tuple[int, Fraction]], passed: int) -> Fraction | None:
    """Return progress after an amount of open time that lies between two corners, None for all others."""
    place = bisect_right(corners, passed, key=lambda corner: corner[0])
    if place in (0, len(corners)) or corners[place - 1][0] == passed:
        return None
    (begun, begins), (ended, ends) = corners[place - 1], corners[place]
    return begins + (ends - begins) * Fraction(passed - begun, ended - begun)


def _ceil(number: Fraction) -> int:
    return -(-number.numerator // number.denominator)


def _floor(number: Fraction) -> int:
    return number.numerator // number.denominator
