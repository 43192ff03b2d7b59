"""The calendar of a variable file: its zone, hours, days and closed dates."""

import re
from datetime import date
from difflib import get_close_matches
from zoneinfo import ZoneInfo, available_timezones

from tsunami_cli.core.calendar import DAY, DAYS, Calendar
from tsunami_cli.core.checks.document import Document

_HOURS = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])")


def calendar_of(document: Document) -> Calendar | None:
    """Return the calendar, None where there is none or none that can be read."""
    if document.node(("calendar",)) is None:
        return None
    zone = document.read(("calendar", "timezone"), _zone)
    closed = document.read_all(("calendar", "closed"), _closed)
    days = frozenset(document.read_all(("calendar", "days"), DAYS.index))
    hours: tuple[int, int] | None = (0, DAY)
    if document.node(("calendar", "hours")) is not None:
        hours = document.read(("calendar", "hours"), _hours)
    if zone is None or hours is None:
        return None
    return Calendar(zone, days or frozenset(range(7)), *hours, closed)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        near = get_close_matches(name, available_timezones(), n=1)
        hint = f"do you mean {near[0]}?" if near else "write an IANA name such as Europe/Stockholm"
        raise ValueError(f"there is no time zone {name}: {hint}") from None
    return name


def _hours(text: str) -> tuple[int, int]:
    """Return the seconds of the day at which the hours start and end; the end may lie in the next day."""
    found = _HOURS.fullmatch(text)
    if not found:
        raise ValueError(f"{text} are no hours: write 09:00-17:00, or 22:00-06:00 over midnight")
    opens, closes = (60 * (60 * int(found[i]) + int(found[i + 1])) for i in (1, 3))
    if opens >= DAY or closes > DAY:
        raise ValueError(f"{text} are no hours: a day ends at 24:00, and 24:00 is only an end")
    if opens == closes:
        raise ValueError(f"{text} is never open: leave hours out for the whole day")
    return opens, closes if closes > opens else closes + DAY


def _closed(text: str) -> tuple[date, date]:
    """Return the first and the last day of a closed run."""
    first, _, last = text.partition("/")
    try:
        run = (date.fromisoformat(first), date.fromisoformat(last or first))
    except ValueError:
        raise ValueError(f"{text} is no date: write 2016-12-24, or 2016-12-24/2016-12-26 for a run of days") from None
    if run[0] > run[1]:
        raise ValueError(f"{text} ends before it begins")
    return run
