"""Open time against stepping second by second, over every kind of clock change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core import oracle
from tests.core.fleets import WEEK, at, office
from tsunami_cli.core.calendar import DAY, Calendar, moment_of, unix
from tsunami_cli.core.open_time import OpenTime, after

CHANGES = {
    "Europe/Stockholm": ["2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z"],
    "America/New_York": ["2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z"],
    "Australia/Lord_Howe": ["2026-04-04T15:00:00Z", "2026-10-03T15:30:00Z"],
    "Africa/Cairo": ["2026-04-23T22:00:00Z", "2026-10-29T21:00:00Z"],
    "Pacific/Apia": ["2011-12-30T10:00:00Z"],
    "America/Havana": ["2026-03-08T05:00:00Z", "2026-11-01T05:00:00Z"],
    "UTC": ["2026-03-29T01:00:00Z"],
}
HOURS = (
    "00:00-24:00",
    "09:00-17:00",
    "22:00-06:00",
    "23:30-00:30",
    "02:00-03:00",
    "01:30-02:30",
    "00:00-00:01",
    "23:59-24:00",
    "12:00-11:00",
)
AROUND = [(zone, moment) for zone, moments in CHANGES.items() for moment in moments]


def calendars(zone: str) -> list[Calendar]:
    found = [office(zone, hours, days) for hours in HOURS for days in (WEEK, {5}, {6}, {0, 4})]
    change = at(CHANGES[zone][0]).date().isoformat()
    return [
        *found,
        office(zone, "22:00-06:00", WEEK, [change]),
        office(zone, "09:00-17:00", WEEK, [f"{change}/2027-01-01"]),
    ]


@pytest.mark.no_cover  # a million steps, each of which would be measured
@pytest.mark.parametrize("reach", [16, pytest.param(40, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("zone", "moment"), AROUND)
def test_minutes_around_a_clock_change(zone: str, moment: str, reach: int) -> None:
    start, end = unix(at(moment)) - reach * 3600, unix(at(moment)) + reach * 3600
    for calendar in calendars(zone):
        opened = OpenTime.between(calendar, start, end)
        passed = 0
        for minute in range(start, end, 60):
            assert opened.passed(minute) == passed, (calendar, moment_of(minute))
            passed += 60 * oracle.is_open(calendar, minute)
        assert opened.total == passed, calendar


@pytest.mark.parametrize(("zone", "moment"), AROUND)
def test_seconds_around_a_clock_change(zone: str, moment: str) -> None:
    start, end = unix(at(moment)) - 3700, unix(at(moment)) + 3700
    for hours in ("00:00-24:00", "02:00-03:00", "23:30-00:30"):
        calendar = office(zone, hours, WEEK)
        assert OpenTime.between(calendar, start, end).total == oracle.open_by_second(calendar, start, end), calendar


def test_the_hours_may_end_and_begin_again_within_a_repeated_hour() -> None:
    # 03:00 becomes 02:00: the closed quarter before 02:30 comes twice.
    calendar = office("Europe/Stockholm", "02:30-02:15", WEEK)
    start = unix(at("2026-10-24T22:00:00Z"))
    opened = OpenTime.between(calendar, start, start + 8 * 3600)
    for moment in range(start, start + 8 * 3600 + 1, 60):
        assert opened.passed(moment) == oracle.open_seconds(calendar, start, moment), moment_of(moment)


def test_a_clock_change_just_after_midnight_keeps_the_order_of_time() -> None:
    # St. John's went back from 00:01 to 23:01 until 2011.
    calendar = office("America/St_Johns", "00:00-24:00", WEEK)
    start = unix(at("2010-11-07T00:00:00Z"))
    opened = OpenTime.between(calendar, start, start + 8 * 3600)
    for moment in range(start, start + 8 * 3600 + 1, 60):
        assert opened.passed(moment) == moment - start, moment_of(moment)


CLOSED_DATES = [
    # calendar, instant, open?
    (office("UTC", "22:00-06:00", WEEK, ["2026-03-03"]), "2026-03-03T05:59:59Z", True),
    (office("UTC", "22:00-06:00", WEEK, ["2026-03-03"]), "2026-03-03T22:00:00Z", False),
    (office("UTC", "22:00-06:00", WEEK, ["2026-03-03"]), "2026-03-04T05:00:00Z", False),
    (office("UTC", "22:00-06:00", WEEK, ["2026-03-03"]), "2026-03-04T22:00:00Z", True),
    (office("UTC", "22:00-06:00", {4}), "2026-03-07T05:00:00Z", True),
    (office("UTC", "22:00-06:00", {4}), "2026-03-06T05:00:00Z", False),
    (office("UTC", "09:00-17:00"), "2026-03-02T09:00:00Z", True),
    (office("UTC", "09:00-17:00"), "2026-03-02T08:59:59Z", False),
    (office("UTC", "09:00-17:00"), "2026-03-02T16:59:59Z", True),
    (office("UTC", "09:00-17:00"), "2026-03-02T17:00:00Z", False),
    (office("UTC", "18:00-24:00", WEEK), "2026-03-02T23:59:59Z", True),
    (office("UTC", "18:00-24:00", WEEK), "2026-03-03T00:00:00Z", False),
    (office("UTC", "09:00-17:00", WEEK, ["2026-12-24/2026-12-26"]), "2026-12-26T12:00:00Z", False),
    (office("UTC", "09:00-17:00", WEEK, ["2026-12-24/2026-12-26"]), "2026-12-27T12:00:00Z", True),
    (office("Pacific/Apia", "00:00-24:00", WEEK, ["2011-12-30"]), "2011-12-30T09:59:59Z", True),
    (office("Pacific/Apia", "00:00-24:00", WEEK, ["2011-12-30"]), "2011-12-30T10:00:00Z", True),
]


@pytest.mark.parametrize(("calendar", "moment", "opened"), CLOSED_DATES)
def test_is_open(calendar: Calendar, moment: str, opened: bool) -> None:
    assert calendar.is_open(unix(at(moment))) is opened
    assert oracle.is_open(calendar, unix(at(moment))) is opened, "the oracle"


HOUR_TEXTS = (
    st.tuples(st.integers(0, 95), st.integers(1, 96))
    .filter(lambda pair: pair[0] != pair[1])
    .map(lambda pair: f"{pair[0] // 4:02d}:{pair[0] % 4 * 15:02d}-{pair[1] // 4:02d}:{pair[1] % 4 * 15:02d}")
)
CALENDARS = st.builds(
    office, st.sampled_from(sorted(CHANGES)), HOUR_TEXTS, st.sets(st.integers(0, 6), min_size=1), st.just(())
)


@given(CALENDARS, st.integers(0, 2 * DAY), st.integers(0, 9 * DAY), st.data())
def test_passed_and_when_are_each_others_inverse(
    calendar: Calendar, lead: int, length: int, data: st.DataObject
) -> None:
    start = unix(at(CHANGES[calendar.timezone][-1])) - lead
    opened = OpenTime.between(calendar, start, start + length)
    assert opened.total == oracle.open_seconds(calendar, start, start + length)
    amount = data.draw(st.integers(0, opened.total))
    moment = opened.when(amount)
    assert opened.passed(moment) == amount
    assert moment == start or amount == 0 or opened.passed(moment - 1) == amount - 1
    instant = data.draw(st.integers(start, start + length))
    assert opened.passed(instant) == oracle.open_seconds(calendar, start, instant)
    assert opened.when(opened.passed(instant)) <= instant
    with pytest.raises(ValueError, match="less open time"):
        opened.when(opened.total + 1)


@given(CALENDARS, st.integers(0, 9 * DAY), st.integers(0, 30 * 3600))
def test_after_is_the_first_moment_by_which_so_much_has_passed(calendar: Calendar, lead: int, amount: int) -> None:
    start = unix(at(CHANGES[calendar.timezone][0])) - lead
    end = after(calendar, start, amount)
    if amount == 0:
        assert end == start
        return
    assert oracle.is_open(calendar, end - 1)
    assert OpenTime.between(calendar, start, end).total == amount
    # The core's own sum over months is held against the oracle where that is quick.
    if end - start < 10 * DAY:
        assert oracle.open_seconds(calendar, start, end) == amount


def test_without_a_calendar_all_time_is_open() -> None:
    opened = OpenTime.between(None, 100, 200)
    assert [opened.passed(m) for m in (0, 100, 150, 200, 300)] == [0, 0, 50, 100, 100]
    assert (opened.when(0), opened.when(1), opened.when(100)) == (100, 101, 200)
    assert after(None, 5, 7) == 12


def test_after_gives_up_where_ten_years_hold_too_little() -> None:
    never = office("UTC", "09:00-17:00", WEEK, ["2026-01-01/2050-01-01"])
    with pytest.raises(ValueError, match="less open time"):
        after(never, unix(at("2026-03-02T00:00:00Z")), 1)


def test_after_finds_an_opening_years_ahead() -> None:
    late = office("UTC", "09:00-17:00", WEEK, ["2026-01-01/2033-12-31"])
    assert after(late, unix(at("2026-03-02T00:00:00Z")), 60) == unix(at("2034-01-01T09:01:00Z"))
