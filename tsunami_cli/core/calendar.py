"""The hours in which a variable may move: wall-clock hours in one time zone, across DST, as exact intervals in UTC."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = 86_400

Interval = tuple[int, int]
"""Unix seconds, the start included and the end not."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """An instant is open if the wall clock then reads inside the hours of an open day."""

    timezone: str
    """IANA name; it must exist."""
    days: frozenset[int]
    """Open weekdays, Monday 0."""
    opens: int
    """Second of the day at which the hours start."""
    closes: int
    """Second at which they end, counted from the midnight before `opens`: beyond 86,400 where they cross midnight."""
    closed: tuple[tuple[date, date], ...]
    """Closed dates, first and last of each run."""

    def intervals(self, start: int, end: int) -> list[Interval]:
        """Return the open intervals between two Unix times, in order, joined where they touch."""
        found: list[Interval] = []
        if start >= end:
            return found
        first = _local_date(start, self.timezone) - timedelta(days=2)
        last = _local_date(end, self.timezone) + timedelta(days=1)
        days = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
        # Sorted, for a clock that goes back may bring the evening's hours after the next morning's.
        for opening, closing in sorted(opening for day in days for opening in self._openings(day)):
            begun, ended = max(opening, start), min(closing, end)
            if begun >= ended:
                continue
            if found and found[-1][1] == begun:
                found[-1] = (found[-1][0], ended)
            else:
                found.append((begun, ended))
        return found

    def is_open(self, moment: int) -> bool:
        """Say whether that second is open."""
        return bool(self.intervals(moment, moment + 1))

    def _openings(self, day: date) -> list[Interval]:
        """Return the intervals of the hours that begin on a local date.

        A repeated hour gives two of them, a skipped one none: the hours are cut by the stretches of constant UTC
        offset around that day, and within such a stretch wall time and UTC differ by a constant.
        """
        if day.weekday() not in self.days or any(first <= day <= last for first, last in self.closed):
            return []
        midnight = (day.toordinal() - _EPOCH) * DAY
        begins, ends = midnight + self.opens, midnight + self.closes
        pieces = []
        for start, end, offset in _offsets(self.timezone, day):
            opening, closing = max(start, begins - offset), min(end, ends - offset)
            if opening < closing:
                pieces.append((opening, closing))
        return pieces


_EPOCH = date(1970, 1, 1).toordinal()


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _offset(moment: int, zone: ZoneInfo) -> int:
    """Return the UTC offset then, in seconds east."""
    offset = datetime.fromtimestamp(moment, zone).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def _local_date(moment: int, timezone: str) -> date:
    return datetime.fromtimestamp(moment, _zone(timezone)).date()


@lru_cache(maxsize=8192)
def _offsets(timezone: str, day: date) -> tuple[tuple[int, int, int], ...]:
    """Return the stretches of constant UTC offset (start, end, offset) that can hold a local day and the one after.

    The tz database is asked every six hours; between two answers that differ, the change is found to the second.
    """
    zone = _zone(timezone)
    midnight = (day.toordinal() - _EPOCH) * DAY
    stretches: list[tuple[int, int, int]] = []
    begun, last = midnight - DAY, midnight + 3 * DAY
    offset = _offset(begun, zone)
    for moment in range(begun + DAY // 4, last + 1, DAY // 4):
        if _offset(moment, zone) == offset:
            continue
        low, high = moment - DAY // 4, moment
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _offset(middle, zone) == offset else (low, middle)
        stretches.append((begun, high, offset))
        begun, offset = high, _offset(high, zone)
    stretches.append((begun, last, offset))
    return tuple(stretches)


def unix(moment: datetime) -> int:
    """Return an aware instant as Unix seconds, cut to the second."""
    return (moment - _UNIX_EPOCH) // timedelta(seconds=1)


def moment_of(seconds: int) -> datetime:
    """Return Unix seconds as an aware instant in UTC; OverflowError beyond the year 9999."""
    return _UNIX_EPOCH + timedelta(seconds=seconds)


_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
