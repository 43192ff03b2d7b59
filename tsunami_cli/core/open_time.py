"""Open time as a clock of its own: how much of it passed by an instant, and when a given amount has passed."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import accumulate

from tsunami_cli.core.calendar import DAY, Calendar, Interval

HORIZON = 10 * 366 * DAY
"""How far ahead an opening is looked for, in seconds."""


@dataclass(frozen=True, slots=True)
class OpenTime:
    """The open time of a calendar from `start` to `end` (Unix seconds); without a calendar all time is open."""

    start: int
    end: int
    intervals: tuple[Interval, ...]
    _passed: tuple[int, ...]
    """Open seconds before each interval, and at the end of the last."""

    @classmethod
    def between(cls, calendar: Calendar | None, start: int, end: int) -> "OpenTime":
        """Measure a calendar over a range."""
        intervals = [(start, max(start, end))] if calendar is None else calendar.intervals(start, end)
        return cls(start, end, tuple(intervals), tuple(accumulate((b - a for a, b in intervals), initial=0)))

    @property
    def total(self) -> int:
        """Open seconds in the whole range."""
        return self._passed[-1]

    def passed(self, moment: int) -> int:
        """Return the open seconds from the start to a moment; moments outside the range count as its ends."""
        place = bisect_right(self.intervals, (moment, self.end + 1)) - 1
        if place < 0:
            return 0
        opened, closed = self.intervals[place]
        return self._passed[place] + min(moment, closed) - opened

    def when(self, seconds: int) -> int:
        """Return the first moment by which that many open seconds have passed.

        Raises ValueError where the range has fewer.
        """
        if seconds <= 0:
            return self.start
        place = bisect_left(self._passed, seconds)
        if place == len(self._passed):
            raise ValueError("there is less open time than that")
        return self.intervals[place - 1][0] + seconds - self._passed[place - 1]


def after(calendar: Calendar | None, start: int, seconds: int) -> int:
    """Return the first moment, from `start` on, by which that many open seconds have passed.

    Raises ValueError where ten years do not hold that much open time.
    """
    if calendar is None or seconds <= 0:
        return start + max(0, seconds)
    span = 4 * seconds + 14 * DAY
    while span < HORIZON:
        opened = OpenTime.between(calendar, start, start + span)
        if opened.total >= seconds:
            return opened.when(seconds)
        span *= 2
    return OpenTime.between(calendar, start, start + HORIZON).when(seconds)
