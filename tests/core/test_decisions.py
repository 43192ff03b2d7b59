"""Halt, resume, pace, rollback, pin and unpin, sentence by sentence; no ledger unless it says so."""

from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from tests.core import oracle
from tests.core.documents import document, edited
from tests.core.fleets import (
    HOUR,
    MINUTE,
    WEEK,
    after,
    globs,
    inventory,
    office,
    pin,
    publish,
    publish_until,
    rollout,
    share_bound,
    val,
    variable,
)
from tests.core.worlds import schedules
from tsunami_cli.core import decisions
from tsunami_cli.core.calendar import Calendar, unix
from tsunami_cli.core.decisions import Change
from tsunami_cli.core.lineup import roles_of
from tsunami_cli.core.model import Limit, Pin, Rollout, Variable
from tsunami_cli.core.problems import Refusal
from tsunami_cli.core.status import Status, status_of
from tsunami_cli.core.told import Told

FLEET = inventory(a=10)
UP = rollout((0, 0), (60, 50), (120, 100))


def status(setting: Variable, minute: float, told: Told | None = None) -> Status:
    return status_of(setting, roles_of(FLEET), after(minute), told)


def points(change: Change) -> list[tuple[float, str]]:
    """Waypoints after a decision as (minutes after T0, percent)."""
    active = change.variable.rollouts[-1]
    return [((w.at - after(0)) / MINUTE, str(w.share * 100)) for w in active.schedule.waypoints]


def check(change: Change, before: Variable) -> None:
    """The file as edited says what the decision says."""
    assert edited(before, change.edits) == document(change.variable), change.edits


def halted(active: Rollout, minute: float) -> Variable:
    return variable(replace(active, halted=after(minute)))


HALTS = [
    # variable, minute, is there something to halt?
    (variable(), 0, False),
    (variable(UP), -10, True),
    (variable(UP), 30, True),
    (variable(UP), 120, False),
    (variable(UP, limits=(Limit("*", None, share_bound(30)),)), 120, True),
    (halted(UP, 30), 40, False),
    (variable(rollout((0, 0), (60, 100), (120, 0))), 90, True),
    (variable(rollout((0, 0), (60, 100), (120, 0))), 130, False),
]


@pytest.mark.parametrize(("setting", "minute", "fits"), HALTS)
def test_halt(setting: Variable, minute: float, fits: bool) -> None:
    change = decisions.halt(status(setting, minute), after(minute))
    assert (change is not None) is fits
    if change:
        check(change, setting)
        assert change.variable.rollouts[-1].halted == after(minute)
        assert (change.action, change.rollout) == ("halt", "x-1")


RESUMES = [
    # variable, now, over in minutes, waypoints
    (halted(UP, 30), 50, None, [(0, "0"), (30, "25"), (50, "25"), (80, "50"), (140, "100")]),
    (halted(UP, 60), 90, None, [(0, "0"), (60, "50"), (90, "50"), (150, "100")]),
    (halted(UP, 30), 50, 10, [(0, "0"), (30, "25"), (50, "25"), (60, "100")]),
    (halted(UP, 30), 30, None, [(0, "0"), (30, "25"), (60, "50"), (120, "100")]),
    (halted(UP, 130), 150, None, [(0, "0"), (60, "50"), (120, "100"), (130, "100"), (150, "100")]),
    # Before its first waypoint it is shifted whole, nothing added.
    (halted(UP, -20), 40, None, [(60, "0"), (120, "50"), (180, "100")]),
    (halted(UP, -20), -10, None, [(10, "0"), (70, "50"), (130, "100")]),
    # A halt in the future counts as now.
    (halted(UP, 90), 30, None, [(0, "0"), (30, "25"), (60, "50"), (120, "100")]),
    # Rounded up, and not up to 100.
    (halted(rollout((0, 0), (3, 100)), 1), 2, 1, [(0, "0"), (1, "33.333333334"), (2, "33.333333334"), (3, "100")]),
    # A halted rollback goes on falling, rounded down, in wall time.
    (
        halted(rollout((0, 0), (60, 100), (90, 0)), 80),
        100,
        None,
        [(0, "0"), (60, "33.333333333"), (80, "33.333333333"), (100, "33.333333333"), (110, "0")],
    ),
    # A halted rollback may go up again.
    (
        halted(rollout((0, 0), (60, 100), (120, 0)), 90),
        100,
        60,
        [(0, "0"), (60, "50"), (90, "50"), (100, "50"), (160, "100")],
    ),
    # What was rolled back starts anew.
    (
        variable(rollout((0, 0), (60, 100), (120, 0))),
        130,
        60,
        [(0, "0"), (60, "0"), (120, "0"), (130, "0"), (190, "100")],
    ),
    (halted(rollout((0, 0), (60, 100), (120, 0)), 125), 130, 60, None),
]


@pytest.mark.parametrize(("setting", "minute", "over", "expected"), RESUMES)
def test_resume(setting: Variable, minute: float, over: int | None, expected: list[tuple[float, str]] | None) -> None:
    change = decisions.resume(status(setting, minute), after(minute), over * MINUTE if over else None)
    exact = [(m, str(Fraction(percent))) for m, percent in expected] if expected else points(change)
    assert [(m, str(Fraction(p))) for m, p in points(change)] == exact
    check(change, setting)
    active = change.variable.rollouts[-1]
    assert active.halted is None
    assert active.schedule.falling(after(minute)) == (over is None and setting.rollouts[-1].falling(after(minute)))


REFUSED = [
    # decision, variable, minute, over in minutes, message
    ("resume", variable(), 0, None, "settled"),
    ("resume", variable(UP), 30, None, "running"),
    ("resume", variable(UP), 130, None, "complete"),
    ("resume", variable(UP), -10, None, "scheduled"),
    ("resume", variable(rollout((0, 0), (60, 100), (120, 0))), 90, 60, "rolling-back"),
    ("resume", variable(rollout((0, 0), (60, 100), (120, 0))), 130, None, "--over"),
    ("resume", halted(UP, 30), 50, 366 * 24 * 60 + 1, "366d"),
    ("pace", variable(), 0, 60, "settled"),
    ("pace", variable(UP), -10, 60, "scheduled"),
    ("pace", variable(UP), 130, 60, "complete"),
    ("pace", halted(UP, 30), 40, 60, "halted"),
    ("pace", variable(rollout((0, 0), (60, 100), (120, 0))), 90, 60, "rolling-back"),
    ("pace", variable(UP), 30, 366 * 24 * 60 + 1, "366d"),
    ("pace", variable(UP), 30, 0, "1s"),
    ("pace", variable(UP, limits=(Limit("*", None, share_bound(30)),)), 130, 60, "capped"),
    ("rollback", variable(), 0, 60, "settled"),
    ("rollback", variable(rollout((0, 0), (60, 100), (120, 0))), 130, 60, "rolled-back"),
    ("rollback", variable(UP), 30, 366 * 24 * 60 + 1, "366d"),
    ("rollback", variable(UP), 30, 0, "1s"),
]


@pytest.mark.parametrize(("decision", "setting", "minute", "over", "message"), REFUSED)
def test_what_does_not_fit_the_state(
    decision: str, setting: Variable, minute: float, over: int | None, message: str
) -> None:
    length = None if over is None else over * MINUTE
    with pytest.raises(Refusal, match=message):
        getattr(decisions, decision)(status(setting, minute), after(minute), length)


def test_a_resume_over_no_time_at_all_is_refused() -> None:
    with pytest.raises(Refusal, match="1s"):
        decisions.resume(status(halted(UP, 30), 50), after(50), timedelta(0))


PACES = [
    (variable(UP), 30, 10, [(0, "0"), (30, "25"), (40, "100")]),
    (variable(UP), 60, 10, [(0, "0"), (60, "50"), (70, "100")]),
    (variable(UP), 0, 10, [(0, "0"), (10, "100")]),
    (variable(rollout((0, 0), (3, 100))), 1, 10, [(0, "0"), (1, "33.333333334"), (11, "100")]),
    (variable(rollout((0, 0), (60, 40))), 90, 10, [(0, "0"), (60, "40"), (90, "40"), (100, "100")]),
    (variable(UP), 30, 366 * 24 * 60, [(0, "0"), (30, "25"), (30 + 366 * 24 * 60, "100")]),
]


@pytest.mark.parametrize(("setting", "minute", "over", "expected"), PACES)
def test_pace(setting: Variable, minute: float, over: int, expected: list[tuple[float, str]]) -> None:
    change = decisions.pace(status(setting, minute), after(minute), over * MINUTE)
    assert [(m, Fraction(p)) for m, p in points(change)] == [(m, Fraction(p)) for m, p in expected]
    check(change, setting)


ROLLBACKS = [
    (variable(UP), 30, 10, [(0, "0"), (30, "25"), (40, "0")]),
    (halted(UP, 30), 50, 10, [(0, "0"), (30, "25"), (50, "25"), (60, "0")]),
    (variable(UP), 200, 10, [(0, "0"), (60, "50"), (120, "100"), (200, "100"), (210, "0")]),
    (variable(rollout((0, 0), (3, 100))), 1, 10, [(0, "0"), (1, "33.333333333"), (11, "0")]),
    (
        variable(rollout((0, 0), (60, 100), (120, 0))),
        90,
        10,
        [(0, "0"), (60, "50"), (90, "50"), (100, "0")],
    ),
]


@pytest.mark.parametrize(("setting", "minute", "over", "expected"), ROLLBACKS)
def test_rollback(setting: Variable, minute: float, over: int, expected: list[tuple[float, str]]) -> None:
    change = decisions.rollback(status(setting, minute), after(minute), over * MINUTE)
    assert [(m, Fraction(p)) for m, p in points(change)] == [(m, Fraction(p)) for m, p in expected]
    check(change, setting)
    assert change.variable.rollouts[-1].falling(after(minute))


def test_a_rollback_under_a_calendar_runs_at_night() -> None:
    calendar = office(hours="09:00-11:00", days=WEEK)
    setting = variable(rollout((0, 0), (60, 100), calendar=calendar), calendar=calendar)
    change = decisions.rollback(status(setting, 300), after(300), HOUR)
    assert change.variable.rollouts[-1].progress(after(330)) == Fraction(1, 2)


def test_a_pace_within_closed_hours_is_refused() -> None:
    calendar = office(hours="09:00-11:00", days=WEEK)
    setting = variable(rollout((0, 0), (2000, 100), calendar=calendar), calendar=calendar)
    with pytest.raises(Refusal, match="never open"):
        decisions.pace(status(setting, 300), after(300), HOUR)


def test_what_was_told_is_what_it_goes_on_from() -> None:
    """c is the told progress; waypoints up to T with a higher percent are lowered to it."""
    setting = variable(UP)
    told = publish_until(setting, FLEET, after(-5), after(30), None)
    change = decisions.rollback(status(setting, 90, told), after(90), HOUR)
    assert points(change) == [(0, "0"), (60, "25"), (90, "25"), (150, "0")]
    change = decisions.pace(status(setting, 90, told), after(90), HOUR)
    assert points(change) == [(0, "0"), (60, "25"), (90, "25"), (150, "100")]
    stopped = halted(UP, 90)
    change = decisions.resume(status(stopped, 100, told), after(100), None)
    assert points(change) == [(0, "0"), (60, "25"), (90, "25"), (100, "25"), (130, "100")]
    check(change, stopped)


def test_a_ledger_that_has_not_seen_the_rollout_told_nothing() -> None:
    """c is the planned progress only where there is no ledger; here there is one, and e is 0."""
    told = publish(variable(), FLEET, after(-5), None)
    change = decisions.resume(status(halted(UP, 60), 70, told), after(70), None)
    assert points(change) == [(0, "0"), (60, "0"), (70, "0"), (130, "100")]


def test_a_rollback_halted_after_its_end_goes_on_falling() -> None:
    """Publishes stopped during the rollback; it was halted before they came back. `resume` goes on falling."""
    setting = variable(UP)
    told = publish_until(setting, FLEET, after(-5), after(60), None)
    setting = decisions.rollback(status(setting, 60, told), after(60), 10 * MINUTE).variable
    lagging = status(setting, 90, told)
    assert (lagging.state, lagging.told) == ("rolling-back", Fraction(1, 2))
    stopped = decisions.halt(lagging, after(90))
    assert stopped is not None
    try:
        going = decisions.resume(status(stopped.variable, 100, told), after(100), None).variable
    except Refusal:
        return
    assert going.rollouts[-1].falling(after(100))
    assert going.rollouts[-1].progress(after(600)) == 0


@given(schedules(), st.integers(0, 50), st.integers(0, 100))
def test_resume_keeps_the_open_time_that_was_left(planned: object, halt: int, wait: int) -> None:
    active = replace(rollout((0, 0)), schedule=planned)  # type: ignore[arg-type]
    now, stop = after(5 * halt + 5 * wait), after(5 * halt)
    stopped = variable(replace(active, halted=stop), calendar=active.schedule.calendar)
    assume(stop >= active.schedule.starts)
    change = decisions.resume(status_of(stopped, roles_of(FLEET), now), now, None)
    later = [w for w in active.schedule.waypoints if w.at > stop]
    made = change.variable.rollouts[-1].schedule
    shifted = made.waypoints[len(made.waypoints) - len(later) :]
    for old, new in zip(later, shifted, strict=True):
        assert old.share == new.share
        assert new.at == earliest(active.schedule.calendar, stop, old.at, now), (old, new)
    if not later or shifted[0].at > now:
        assert 0 <= made.progress(now) - active.schedule.progress(stop) < Fraction(1, 10**11)
    check(change, stopped)


def earliest(calendar: Calendar | None, stop: datetime, end: datetime, now: datetime) -> datetime:
    """The earliest instant with the open time that was left; an open one where what is shifted stood at an open one."""
    left, moment = oracle.open_seconds(calendar, unix(stop), unix(end)), unix(now)
    while left > 0 or (oracle.is_open(calendar, unix(end)) and not oracle.is_open(calendar, moment)):
        left -= 60 * oracle.is_open(calendar, moment)
        moment += 60
    return oracle.instant(moment)


@given(st.data(), schedules(), st.integers(0, 250), st.integers(1, 200))
def test_every_reschedule_starts_from_where_it_stands(
    data: st.DataObject, planned: object, minute: int, over: int
) -> None:
    """Nobody moves by the decision itself: progress at `now` is c, and the file says what the decision says."""
    setting = variable(replace(rollout((0, 0)), schedule=planned))  # type: ignore[arg-type]
    now = after(minute)
    standing = status_of(setting, roles_of(FLEET), now)
    decide = data.draw(st.sampled_from([decisions.pace, decisions.rollback]))
    try:
        change = decide(standing, now, over * MINUTE)
    except Refusal:
        reject()
    made, unit = change.variable.rollouts[-1], Fraction(1, 10**11)
    assert abs(made.progress(now) - standing.planned) < unit
    on = decide is decisions.pace
    assert made.progress(now) >= standing.planned if on else made.progress(now) <= standing.planned
    assert made.schedule.waypoints[-1].share == on
    assert list(made.schedule.waypoints) == sorted(made.schedule.waypoints, key=lambda w: w.at)
    check(change, setting)


def test_shares_of_many_decimals_are_written_as_they_are_kept() -> None:
    setting = halted(rollout((0, 0), (60, "33.33333333333"), (120, 100)), 30)
    check(decisions.resume(status(setting, 50), after(50), None), setting)


PINNED = variable(pins=(pin("p", "h-*", "g", roles=("b", "c")), pin("q", "h-*"), pin("r", roles=("d",))))


def test_a_new_pin_stands_first() -> None:
    change = decisions.pin(PINNED, val('z: "1"\n'), ("h-1", "h,2"), ("b",), 'holds "it", {so}: #1')
    assert change.variable.pins == (
        Pin(globs("h-1", "h,2"), globs("b"), val('z: "1"\n'), 'holds "it", {so}: #1'),
        *PINNED.pins,
    )
    assert (change.action, change.rollout) == ("pin", None)
    check(change, PINNED)
    for scalar in (True, 12, -1.5, "true", "1.10"):
        change = decisions.pin(variable(), val(scalar), (), ("b",), "because")
        check(change, variable())


UNPINS = [
    # hosts, roles, pins left as (hosts, roles); None: refused
    (("h-*",), (), [(("g",), ("b", "c")), ((), ("d",))]),
    (("h-*", "g"), (), [((), ("b", "c")), ((), ("d",))]),
    (("h-*", "g"), ("b", "c"), [((), ("d",))]),
    ((), ("b",), [(("h-*", "g"), ("c",)), (("h-*",), ()), ((), ("d",))]),
    ((), ("d",), [(("h-*", "g"), ("b", "c")), (("h-*",), ())]),
    (("h-*", "g"), ("b", "c", "d"), []),
    (("h-1",), (), None),
    (("b",), (), None),
    ((), ("h-*",), None),
    (("h-*", "nothing"), (), None),
]


@pytest.mark.parametrize(("hosts", "roles", "left"), UNPINS)
def test_unpin(
    hosts: tuple[str, ...], roles: tuple[str, ...], left: list[tuple[tuple[str, ...], tuple[str, ...]]] | None
) -> None:
    if left is None:
        with pytest.raises(Refusal, match="no pin of"):
            decisions.unpin(PINNED, hosts, roles)
        return
    change = decisions.unpin(PINNED, hosts, roles)
    assert [(p.hosts.patterns, p.roles.patterns) for p in change.variable.pins] == left
    check(change, PINNED)


def test_subjects() -> None:
    assert decisions.pin(variable(), val("2"), ("a-1",), ("b",), "r").subject == "x: pin a-1, b to 2"
    stop = decisions.halt(status(variable(UP), 1), after(1))
    assert stop is not None
    for change, beginning in (
        (stop, "x: halt"),
        (decisions.resume(status(halted(UP, 30), 50), after(50), None), "x: resume"),
        (decisions.rollback(status(variable(UP), 30), after(30), 2 * HOUR), "x: rollback over 2h"),
    ):
        assert change.subject.startswith(beginning), change.subject
