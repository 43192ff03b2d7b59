"""Planned progress, its inverse and its steepness, against stepping."""

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.core import oracle
from tests.core.fleets import T0, WEEK, after, at, office, schedule
from tsunami_cli.core.calendar import Calendar, unix
from tsunami_cli.core.schedule import Schedule

CALENDARS = st.sampled_from(
    [
        None,
        office(hours="09:00-17:00", days=WEEK),
        office(hours="10:15-10:45", days=WEEK),
        office(hours="22:00-10:30", days=WEEK),
    ]
)


@st.composite
def schedules(draw: st.DrawFn, most: int = 6, unit: int = 1) -> Schedule:
    """Waypoints on whole minutes, rising, falling, flat and stepping, within a few hours."""
    calendar: Calendar | None = draw(CALENDARS)
    minutes = sorted(draw(st.lists(st.integers(0, 300 // unit), min_size=1, max_size=most)))
    points = [(unit * minute, draw(st.integers(0, 20)) * 5) for minute in minutes]
    made = schedule(*points, calendar=calendar)
    assume(made.rises_in_closed_time is None)
    return made


@given(schedules(), st.integers(-3_600, 22_000))
def test_progress(planned: Schedule, offset: int) -> None:
    moment = unix(T0) + offset
    assert planned.progress(oracle.instant(moment)) == oracle.progress(planned, moment)
    assert planned.falling(oracle.instant(moment)) == oracle.falling(planned, moment)


PROGRESS = [
    # waypoints (minutes, percent), minute, percent
    ([(0, 0), (100, 100)], -1, "0"),
    ([(0, 0), (100, 100)], 29, "29"),
    ([(0, 0), (100, 100)], 1000, "100"),
    ([(10, 30)], 9, "0"),
    ([(10, 30)], 10, "30"),
    ([(10, 30)], 1000, "30"),
    ([(10, 30), (20, 30)], 9, "0"),
    ([(0, 10), (10, 20)], 0, "10"),
    ([(0, 0), (10, 20), (10, 60), (20, 100)], 10, "60"),
    ([(0, 0), (10, 20), (10, 60), (20, 100)], 9, "18"),
    ([(0, 0), (0, 5), (0, 7), (100, 7)], 0, "7"),
    ([(0, 0), (10, 100), (20, 0)], 15, "50"),
    ([(0, 0), (10, 100), (10, 0)], 10, "0"),
]


@pytest.mark.parametrize(("points", "minute", "percent"), PROGRESS)
def test_progress_at_an_instant(points: list[tuple[int, int]], minute: int, percent: str) -> None:
    assert schedule(*points).progress(after(minute)) == Fraction(percent) / 100


FALLING = [
    # waypoints, minute, falling?
    ([(0, 0), (10, 100)], -5, False),
    ([(0, 0), (10, 100), (20, 0)], 9, False),
    ([(0, 0), (10, 100), (20, 0)], 10, True),
    ([(0, 0), (10, 100), (20, 0)], 99, True),
    ([(0, 0), (10, 100), (20, 100), (30, 0)], 25, True),
    ([(0, 0), (10, 100), (20, 100), (30, 0)], 20, True),
    ([(0, 0), (10, 100), (20, 100), (30, 0)], 19, False),
    ([(0, 0), (10, 100), (20, 0), (30, 0)], 25, True),
    ([(0, 0), (10, 100), (20, 50), (30, 50), (40, 60)], 30, False),
    ([(0, 100), (10, 0)], 0, True),
    ([(0, 0), (10, 0), (20, 0)], 15, False),
    ([(0, 0), (10, 50), (10, 40), (20, 40)], 15, True),
]


@pytest.mark.parametrize(("points", "minute", "falls"), FALLING)
def test_falling(points: list[tuple[int, int]], minute: int, falls: bool) -> None:
    assert schedule(*points).falling(after(minute)) is falls


def test_the_calendar_holds_a_rise_but_not_a_fall() -> None:
    night = office(hours="09:00-10:30")
    planned = schedule((0, 0), (60, 100), (120, 0), calendar=night)
    assert planned.progress(after(15)) == Fraction(1, 2)
    assert planned.progress(after(45)) == 1
    assert planned.progress(after(90)) == Fraction(1, 2)


def test_a_rise_over_the_weekend_stands_still() -> None:
    planned = schedule((0, 0), (14 * 24 * 60, 100), calendar=office("Europe/Stockholm"))
    friday, monday = at("2026-03-06T16:00:00Z"), at("2026-03-09T08:00:00Z")
    assert planned.progress(friday) == planned.progress(monday) > 0


@given(schedules(), st.fractions(0, 1, max_denominator=997))
def test_reaches_and_falls_below_are_the_first_whole_second(planned: Schedule, share: Fraction) -> None:
    for stretch in planned.stretches:
        if stretch.slope > 0 and share <= stretch.ends:
            found = unix(planned.reaches(stretch, share))
            assert stretch.start <= found <= stretch.end
            assert found == stretch.end or oracle.progress(planned, found) >= share
            assert found == stretch.start or oracle.progress(planned, found - 1) < share
        if stretch.slope < 0 and share > stretch.ends:
            found = unix(planned.falls_below(stretch, share))
            assert stretch.start <= found <= stretch.end
            assert found == stretch.end or oracle.progress(planned, found) < share
            assert found == stretch.start or oracle.progress(planned, found - 1) >= share


@given(schedules(), st.integers(-10, 310), st.integers(-10, 310))
def test_steps(planned: Schedule, since: int, until: int) -> None:
    low, high = unix(after(since)), unix(after(until))
    expected = sum((height for moment, height in oracle.planned_steps(planned) if low < moment <= high), Fraction(0))
    assert planned.steps(after(since), after(until)) == expected


@given(schedules(most=5), st.integers(0, 90), st.booleans())
def test_steepest(planned: Schedule, minutes: int, steps: bool) -> None:
    assert planned.steepest(60 * minutes, steps=steps) == oracle.steepest(planned, minutes, steps)


def test_in_no_time_at_all_nothing_rises_but_steps() -> None:
    """R(0) bounds a publish that comes while the clock stands still, or after closed hours alone."""
    hour = office(hours="10:00-11:00", days=WEEK)
    for planned, steps, height in (
        (schedule((0, 0), (60, 100), (60, 0)), True, 0),
        (schedule((0, 0), (60, 100), (60, 30)), True, 0),
        (schedule((0, 0), (60, 100), (120, 0), calendar=hour), False, 0),
        (schedule((0, 0), (60, 100), (120, 0), calendar=hour), True, 0),
        (schedule((0, 0), (60, 20), (60, 100), (120, 100)), True, 80),
        (schedule((0, 0), (60, 20), (60, 100), (120, 100)), False, 0),
    ):
        assert planned.steepest(0, steps=steps) == Fraction(height, 100), (planned, steps)


@given(schedules(most=5), st.integers(0, 90))
def test_allowance(planned: Schedule, minutes: int) -> None:
    assert planned.allowance(60 * minutes) == oracle.allowance(planned, minutes)


def test_rises_in_closed_time() -> None:
    evening = office(hours="18:00-20:00")
    for points, wrong in (
        ([(0, 0), (60, 100)], 1),
        ([(0, 0), (600, 100)], None),
        ([(0, 0), (0, 100)], None),
        ([(0, 0), (60, 0), (600, 100)], None),
        ([(0, 100), (60, 0)], None),
        ([(0, 0), (520, 50), (900, 50), (901, 60)], 3),
    ):
        found = schedule(*points, calendar=evening).rises_in_closed_time
        expected = None if wrong is None else schedule(*points).stretches[wrong]
        assert found == expected, points


@given(schedules(), st.integers(-10, 310))
def test_what_is_ahead_is_what_is_left(planned: Schedule, minute: int) -> None:
    ahead = list(planned.ahead(after(minute)))
    assert all(stretch.end > unix(after(minute)) for stretch in ahead)
    if ahead and minute >= 0 and ahead[0].start == unix(after(minute)):
        assert ahead[0].begins == planned.progress(after(minute))
    if ahead:
        assert ahead[-1].ends == planned.waypoints[-1].share
