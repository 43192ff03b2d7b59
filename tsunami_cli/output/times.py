"""Instants as people read them: local time, and how far away that is."""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from tsunami_cli.core.model import Variable

DAY = timedelta(days=1)


def zone_of(variable: Variable) -> tzinfo | None:
    """Return the time zone in which to show a variable's instants: its calendar's, else None, the machine's own."""
    return ZoneInfo(variable.calendar.timezone) if variable.calendar else None


def local(moment: datetime, zone: tzinfo | None = None, now: datetime | None = None) -> str:
    """Return `Mon 14 Nov 10:00 CET`, with the year where it is not that of `now`, with seconds where there are any."""
    here = moment.astimezone(zone)
    year = f" {here.year}" if now is not None and here.year != now.astimezone(zone).year else ""
    return f"{here:%a} {here.day} {here:%b}{year} {_clock(here)} {here:%Z}"


def stamp(moment: datetime, zone: tzinfo | None = None) -> str:
    """Return `2016-11-14 10:00:00`, for tables."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def column(moments: Sequence[datetime], zone: tzinfo | None = None) -> tuple[str, list[str]]:
    """Return the head and the cells of a column of instants; where the clock is put back within it, cells name it."""
    names = {f"{moment.astimezone(zone):%Z}" for moment in moments}
    if len(names) == 1:
        return f"when ({names.pop()})", [stamp(moment, zone) for moment in moments]
    return "when", [f"{stamp(moment, zone)} {moment.astimezone(zone):%Z}" for moment in moments]


def distance(moment: datetime, now: datetime) -> str:
    """Return `now`, `in 48 min`, `in 2 d 18 h` or `3 h ago`."""
    if moment == now:
        return "now"
    return f"in {span(moment - now)}" if moment > now else f"{span(now - moment)} ago"


def span(length: timedelta) -> str:
    """Return a length in its two largest units, rounded down: `2 d 18 h`, `48 min`, `30 s`."""
    seconds = length // timedelta(seconds=1)
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    for place, (name, size) in enumerate(units):
        if seconds >= size:
            rest, below = seconds % size, units[min(place + 1, 3)]
            part = f" {rest // below[1]} {below[0]}" if rest >= below[1] and below[0] != "s" else ""
            return f"{seconds // size} {name}{part}"
    return "0 s"


def _clock(here: datetime) -> str:
    return f"{here:%H:%M:%S}" if here.second else f"{here:%H:%M}"
