"""A stopped line: what stands still, and how it goes on; without a repository."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tests.core import oracle
from tests.core.documents import document, edited
from tests.core.fleets import (
    EVERY,
    HOUR,
    MINUTE,
    WEEK,
    after,
    have,
    hosts_bound,
    inventory,
    office,
    pin,
    publish,
    publish_until,
    rollout,
    share_bound,
    variable,
)
from tests.core.worlds import Moment, fallen, fleets, inventory_of, schedules, settings, stories
from tsunami_cli.core import decisions
from tsunami_cli.core.calendar import unix
from tsunami_cli.core.decisions import Change
from tsunami_cli.core.edits import Put, Remove
from tsunami_cli.core.forecast import moves_ahead, next_moves
from tsunami_cli.core.freezing import freeze, freeze_text, thawed, unfreeze
from tsunami_cli.core.held_back import held_back
from tsunami_cli.core.inventory import Inventory
from tsunami_cli.core.lineup import roles_of
from tsunami_cli.core.model import After, Freeze, Limit, Rollout, Variable
from tsunami_cli.core.problems import Refusal
from tsunami_cli.core.schedule import Schedule
from tsunami_cli.core.status import UNDER_WAY, Status, status_of
from tsunami_cli.core.told import Told, foreseen

FLEET = inventory(a=20, b=6)
UP = rollout((0, 0), (200, 100))
BACK = rollout((0, 0), (60, 60), (60, 60), (180, 0))
TINY = Fraction(1, 10**9)


def stopped(setting: Variable, since: float | datetime, *but: str) -> Variable:
    moment = since if isinstance(since, datetime) else after(since)
    return setting.under(Freeze(moment, "holidays", but))


def loose(setting: Variable) -> Variable:
    """Return the variable as its file has it, without what the settings do to it."""
    return replace(setting, freeze=None, rollouts=tuple(replace(r, frozen=None) for r in setting.rollouts))


def stand(setting: Variable, now: datetime, told: Told | None = None, fleet: Inventory = FLEET) -> Status:
    return status_of(setting, roles_of(fleet), now, told)


def let_go(setting: Variable, now: datetime, told: Told | None = None, fleet: Inventory = FLEET) -> Variable:
    """Unfreeze a variable that is stopped; its file says what the decision says."""
    change = thawed(stand(setting, now, told, fleet), now, EVERY)
    if change is None:
        return loose(setting)
    check(change, setting)
    return change.variable


def check(change: Change, before: Variable) -> None:
    assert edited(loose(before), change.edits) == document(change.variable), change.edits
    assert change.action == "unfreeze"
    assert change.variable.freeze is None
    assert change.variable.rollouts[-1].frozen is None
    assert change.variable.rollouts[-1].id == before.rollouts[-1].id == change.rollout


def ends(setting: Variable) -> float:
    """Return when a rollout ends, in minutes."""
    return (setting.rollouts[-1].schedule.waypoints[-1].at - after(0)) / MINUTE


def given_to(told: Told, where: Inventory) -> dict[str, str]:
    return {host: told.given[host] for host in where.hosts}


# The line itself


def test_a_line_is_stopped_once_and_goes_on_once() -> None:
    line = freeze(None, after(0), "holidays", ["b", "a", "b"])
    assert line is not None
    assert line.freeze == Freeze(after(0), "holidays", ("a", "b"))
    assert line.edits == (Put(("freeze",), freeze_text(line.freeze)),)
    assert freeze(line.freeze, after(60), "again", ["a", "b", "c"]) is None
    stricter = freeze(line.freeze, after(60), "again", ["b"])
    assert stricter is not None
    assert stricter.freeze == Freeze(after(60), "again", ("b",))
    on = unfreeze(line.freeze, [])
    assert on is not None
    assert (on.freeze, on.edits) == (None, (Remove(("freeze",), bare=True),))
    assert unfreeze(None, []) is None
    assert unfreeze(None, ["a"]) is None
    assert unfreeze(line.freeze, ["a", "b"]) is None, "they are not stopped"
    some = unfreeze(line.freeze, ["c", "a"])
    assert some is not None
    assert some.freeze == replace(line.freeze, excepted=("a", "b", "c"))


def test_who_is_excepted_is_not_stopped() -> None:
    assert stopped(variable(UP), 10, "x") == variable(UP)
    assert stopped(variable(UP), 10, "y").rollouts[-1].frozen == after(10)
    assert variable(UP).under(None) == variable(UP)


# What stands still


@pytest.mark.parametrize(
    ("since", "now", "percent"),
    [(100, 100, 50), (100, 150, 50), (100, 10_000, 50), (100, 40, 20), (-30, 50, 0), (300, 400, 100)],
)
def test_planned_progress_stands_where_it_was(since: float, now: float, percent: int) -> None:
    found = stand(stopped(variable(UP), since), after(now))
    assert found.planned == Fraction(percent, 100), (since, now)


@given(
    stories(),
    st.integers(0, 16),
    st.integers(1, 16),
    st.sampled_from([-200, -20, 0, 0, 0, 7, 300]),
)
def test_nobody_who_was_told_anything_moves_whatever_jumps(
    story: list[Moment], begins: int, lasts: int, by: int
) -> None:
    """Pins aside: those are decisions. Who was told nothing yet moves within the quota of what was told."""
    told: Told | None = None
    since = story[min(begins, len(story) - 1)].now + by * MINUTE
    for place, moment in enumerate(story):
        setting, before = moment.variable, told
        if begins <= place < begins + lasts:
            setting = stopped(setting, since)
        told = publish(setting, moment.fleet, moment.now, told, held=moment.held)
        if before is None or setting.freeze is None:
            continue
        active = setting.rollouts[-1]
        reached = before.progress.get(active.id, Fraction(0))
        assert told.progress[active.id] == reached, str(moment)
        for host, role in zip(moment.fleet.hosts, moment.fleet.roles, strict=True):
            value, pinned = told.given[host], oracle.pin_of(moment.variable, host, role)
            if pinned is not None:
                assert value == pinned
            elif host in before.pinned:
                assert value != active.to or before.given[host] == active.to, (host, str(moment))
            elif host in before.given:
                assert value == before.given[host], (host, str(moment))
        for role in set(moment.fleet.roles):
            line = oracle.order(setting, active.id, moment.fleet, role)
            fresh = [host for host in line if host not in before.given and told.given[host] == active.to]
            moved = sum(host in told.moved[active.id] for host in line)
            quota = oracle.quota_of(setting, active, role, len(line), reached)
            assert not fresh or moved <= quota, (role, fresh, str(moment))


@examples(max_examples=20)
@given(stories(pins=False))
def test_a_machine_that_joins_a_complete_rollout_gets_its_value_at_once(story: list[Moment]) -> None:
    told: Told | None = None
    for moment in story:
        setting = replace(moment.variable, limits=())
        up = replace(setting.rollouts[-1], schedule=UP.schedule, halted=None)
        setting = stopped(replace(setting, rollouts=(*setting.rollouts[:-1], up), calendar=None), 300)
        told = publish(setting, moment.fleet, moment.now + 24 * HOUR, told)
        assert {told.given[host] for host in moment.fleet.hosts} == {up.to}, str(moment)


JUMPS: dict[str, Callable[[Variable], Variable]] = {
    "nothing": lambda v: v,
    "its limits are lifted": lambda v: replace(v, limits=()),
    "more an hour": lambda v: replace(v, limits=(Limit("*", None, None, 1000),)),
    "at least": lambda v: replace(v, limits=(Limit("*", hosts_bound(15)),)),
    "another calendar": lambda v: replace(v, calendar=office(hours="00:00-23:00", days=WEEK)),
    "a shorter schedule": lambda v: with_active(v, rollout((0, 0), (30, 100))),
    "a schedule that falls": lambda v: with_active(v, rollout((0, 0), (50, 80), (90, 0))),
    "a step": lambda v: with_active(v, rollout((0, 0), (100, 20), (100, 100))),
    "nothing at all": lambda v: with_active(v, rollout((0, 0), (1, 0))),
    "first": lambda v: replace(v, first=pin("2", "a-*", "b-*").hosts),
    "spread": lambda v: replace(v, spread="rack"),
    "pins are lifted": lambda v: replace(v, pins=()),
}


def with_active(setting: Variable, active: Rollout) -> Variable:
    return replace(setting, rollouts=(*setting.rollouts[:-1], active))


@pytest.mark.parametrize("jump", JUMPS)
@pytest.mark.parametrize("falls", [False, True], ids=["up", "down"])
def test_an_edited_file_moves_nobody(jump: str, falls: bool) -> None:
    setting = variable(
        BACK if falls else UP, limits=(Limit("a", None, share_bound(40)),), pins=(pin("2", "b-1"), pin("1", "b-2"))
    )
    told = publish_until(setting, FLEET, after(-5), after(100), None)
    had = {host: told.given[host] for host in FLEET.hosts}
    assert len(set(had.values())) == 2
    changed = stopped(JUMPS[jump](setting), 100)
    for late in (5, 5, 2000, 5):
        told = publish(changed, FLEET, told.at + late * MINUTE, told)
        if jump == "pins are lifted":
            # Without its pin a host has what it had before, and then keeps that.
            had |= {"b-1": told.given["b-1"], "b-2": told.given["b-2"]}
            assert told.given["b-2"] == setting.default
        assert {host: told.given[host] for host in FLEET.hosts} == had, (jump, late)


def test_hosts_that_leave_come_back_and_change_roles_keep_what_they_have() -> None:
    setting = variable(UP)
    told = publish_until(setting, FLEET, after(-5), after(100), None)
    had = dict(told.given)
    still = stopped(setting, 100)
    homes = [FLEET, inventory(b=20), inventory(b=[*(f"a-{i}" for i in range(20))]), inventory(c=FLEET.hosts), FLEET]
    for place, fleet in enumerate(homes):
        told = publish(still, fleet, after(105 + 5 * place), told)
        for host in fleet.hosts:
            assert host not in had or told.given[host] == had[host], (host, place)


def test_roles_that_change_move_nobody_to_the_new_value() -> None:
    setting = variable(UP)
    told = publish_until(setting, FLEET, after(-5), after(100), None)
    had = dict(told.given)
    told = publish(stopped(replace(setting, roles=pin("1", "b").hosts), 100), FLEET, after(105), told)
    told = publish(stopped(setting, 100), FLEET, after(110), told)
    assert {host: told.given[host] for host in FLEET.hosts} == had


def test_a_way_back_stands_still_too() -> None:
    setting = variable(BACK)
    told = publish_until(setting, FLEET, after(-5), after(120), None)
    had = dict(told.given)
    assert 2 <= list(had.values()).count(BACK.to) <= 12
    told = publish_until(stopped(setting, 120), FLEET, after(125), after(400), told)
    assert dict(told.given) == had
    found = stand(stopped(setting, 120), after(400), told)
    assert (found.state, found.planned, found.told) == ("rolling-back", Fraction(3, 10), Fraction(3, 10))
    assert found.frozen is not None


@pytest.mark.parametrize("since", [90, 250, 20_000])
def test_a_look_ahead_sees_nobody_move(since: float) -> None:
    setting = variable(UP)
    told = publish_until(setting, FLEET, after(-5), after(100), None)
    still = stopped(setting, since)
    assert moves_ahead(still, roles_of(FLEET), after(100), told) == []
    assert next_moves(still, roles_of(FLEET), after(100), told) is None
    for later in (110, 250, 30_000):
        ahead = foreseen(still, roles_of(FLEET), after(later), told)
        assert {host: ahead.given[host] for host in FLEET.hosts} == {host: told.given[host] for host in FLEET.hosts}


@pytest.mark.parametrize(
    ("setting", "minute", "said"),
    [
        (variable(UP), 100, ["frozen: holidays"]),
        (variable(BACK), 100, ["frozen: holidays"]),
        (variable(), 100, []),
        (variable(replace(UP, halted=after(50))), 100, ["halted"]),
        (variable(UP), 1000, []),
        (variable(BACK), 1000, []),
    ],
    ids=["up", "down", "settled", "halted", "complete", "rolled back"],
)
def test_what_is_said_to_be_held_back(setting: Variable, minute: float, said: list[str]) -> None:
    told = publish_until(setting, FLEET, after(-5), after(minute), None) if minute < 999 else None
    told = publish(setting, FLEET, after(minute), told)
    assert held_back(stopped(setting, minute), roles_of(FLEET), told, after(minute + 5)) == said


@pytest.mark.parametrize(
    ("setting", "minute", "state", "frozen"),
    [
        (variable(), 100, "settled", False),
        (variable(UP), -50, "scheduled", True),
        (variable(UP), 100, "running", True),
        (variable(replace(UP, halted=after(50))), 100, "halted", False),
        (variable(UP), 300, "complete", False),
        (variable(UP, limits=(Limit("*", None, share_bound(30)),)), 300, "capped", False),
        (variable(BACK), 100, "rolling-back", True),
        (variable(BACK), 300, "rolled-back", False),
    ],
)
def test_states_stay_what_they_are(setting: Variable, minute: float, state: str, frozen: bool) -> None:
    """Planned alone, and told."""
    told = publish(setting, FLEET, after(minute), None)
    for known in (None, told):
        found = stand(stopped(setting, minute), after(minute + 500), known)
        assert (found.state, found.frozen is not None) == (state, frozen), known


@pytest.mark.parametrize("action", ["resume", "resume over", "pace", "rollback"])
@pytest.mark.parametrize("setting", [UP, replace(UP, halted=after(50)), BACK], ids=["up", "halted", "down"])
def test_decisions_that_set_going_are_refused(setting: Rollout, action: str) -> None:
    found = stand(stopped(variable(setting), 100), after(120))
    decide: dict[str, Callable[[], object]] = {
        "resume": lambda: decisions.resume(found, after(120), None),
        "resume over": lambda: decisions.resume(found, after(120), HOUR),
        "pace": lambda: decisions.pace(found, after(120), HOUR),
        "rollback": lambda: decisions.rollback(found, after(120), HOUR),
    }
    with pytest.raises(Refusal) as refused:
        decide[action]()
    for part in ("holidays", "tsunami unfreeze x"):
        assert part in str(refused.value)


def test_a_halt_is_not() -> None:
    change = decisions.halt(stand(stopped(variable(UP), 100), after(120)), after(120))
    assert change is not None
    assert change.variable.rollouts[-1].halted == after(120)


# Going on


TWINS = given(
    settings(), fleets(), st.integers(0, 50), st.integers(0, 60), st.booleans(), st.integers(1, 15), st.integers(0, 50)
)
FEW = examples(max_examples=12)


@FEW
@TWINS
def test_afterwards_it_is_as_if_nothing_had_been_but_later(
    setting: Variable, fleet: dict[str, tuple[str, str]], begins: int, lasts: int, falls: bool, fives: int, turns: int
) -> None:
    check_twins(setting, fleet, begins, lasts, falls, fives, turns)


@pytest.mark.slow
@examples(max_examples=400)
@TWINS
def test_afterwards_it_is_often_as_if_nothing_had_been(
    setting: Variable, fleet: dict[str, tuple[str, str]], begins: int, lasts: int, falls: bool, fives: int, turns: int
) -> None:
    check_twins(setting, fleet, begins, lasts, falls, fives, turns)


def check_twins(
    setting: Variable, fleet: dict[str, tuple[str, str]], begins: int, lasts: int, falls: bool, fives: int, turns: int
) -> None:
    """Publishes on time, no calendar: host by host what an unfrozen twin had, as much earlier as it took."""
    assume(all(limit.per_hour is None for limit in setting.limits))
    active = replace(setting.rollouts[-1], schedule=replace(setting.rollouts[-1].schedule, calendar=None))
    if falls:
        active = written(fallen(active, after(5 * turns), fives))
        assume(any(w.share for w in active.schedule.waypoints))
    setting = replace(setting, calendar=None, rollouts=(*setting.rollouts[:-1], active))
    where = inventory_of(fleet)
    # At the turn itself nothing more is told, so that hosts lag behind the plan, and the way back is less steep.
    assume(not falls or begins != turns)
    # What is through for now, and is to fall later: see the tests after this.
    assume(not falls or active.progress(after(5 * begins)) < 1 or active.falling(after(5 * begins)))
    twin = on_time(setting, where, -3, 80)
    since, until = after(5 * begins), after(5 * (begins + lasts))
    # Who has not begun and starts later is left alone.
    late = active.schedule.starts > until
    told, now = publish_until(setting, where, after(-15), since, None), since
    while now < until:
        now += EVERY
        told = publish(stopped(setting, since), where, now, told)
    setting = let_go(stopped(setting, since), until, told, where)
    delay = until - since
    for place in range(begins + lasts, 80):
        now = after(5 * place)
        told = publish(setting, where, now, told)
        then = now if late else now - delay
        assert given_to(told, where) == given_to(twin[then], where), (now, then)
        assert abs(told.progress[active.id] - twin[then].progress[active.id]) <= TINY, (now, then)


@pytest.mark.parametrize("cap", [None, 30], ids=["complete", "capped"])
def test_what_is_to_fall_later_falls_later_still(cap: int | None) -> None:
    """A schedule by hand that goes up, stays, and goes back: the stay is not over because the line stood still."""
    limits = () if cap is None else (Limit("*", None, share_bound(cap)),)
    setting = variable(rollout((0, 0), (50, 100), (200, 100), (300, 0)), limits=limits)
    told = publish_until(setting, FLEET, after(-5), after(100), None)
    had = given_to(told, FLEET)
    told = publish_until(stopped(setting, 100), FLEET, after(105), after(400), told)
    on = let_go(stopped(setting, 100), after(400), told)
    told = publish_until(on, FLEET, after(400), after(500), told)
    assert given_to(told, FLEET) == had, "the stay has a hundred minutes left"
    told = publish_until(on, FLEET, after(505), after(600), told)
    assert set(told.given.values()) == {setting.default}


def test_what_is_to_rise_again_later_rises_later_still() -> None:
    setting = variable(rollout((0, 0), (50, 100), (50, 100), (60, 0), (200, 0), (300, 100)))
    told = publish_until(setting, FLEET, after(-5), after(100), None)
    assert set(told.given.values()) == {setting.default}
    told = publish_until(stopped(setting, 100), FLEET, after(105), after(400), told)
    on = let_go(stopped(setting, 100), after(400), told)
    told = publish_until(on, FLEET, after(400), after(500), told)
    assert set(told.given.values()) == {setting.default}


def written(active: Rollout) -> Rollout:
    """Return a rollout with percents as they can be written."""
    points = [replace(w, share=Fraction(int(w.share * 10**11), 10**11)) for w in active.schedule.waypoints]
    return replace(active, schedule=replace(active.schedule, waypoints=tuple(points)))


def on_time(setting: Variable, where: Inventory, begins: int, through: int) -> Mapping[datetime, Told]:
    """Return what publishes every five minutes tell."""
    told, found = None, {}
    for place in range(begins, through):
        told = publish(setting, where, after(5 * place), told)
        found[told.at] = told
    return found


@given(schedules(), st.integers(-5, 60), st.integers(0, 80), st.integers(-15, 0))
def test_it_goes_on_as_what_was_halted_then_and_is_resumed_now(
    planned: Schedule, begins: int, lasts: int, lags: int
) -> None:
    active = replace(UP, schedule=planned)
    setting = variable(active, calendar=active.schedule.calendar)
    since, now = after(5 * begins), after(5 * (begins + lasts))
    for told in (None, publish(setting, FLEET, since + lags * MINUTE, None)):
        found = stand(stopped(setting, since), now, told)
        change = thawed(found, now, EVERY)
        if active.schedule.starts > now or active.schedule.waypoints[-1].at <= since:
            assert change is None
            continue
        if found.state not in UNDER_WAY:
            continue
        halted = with_active(setting, replace(active, halted=since))
        try:
            # The plan goes on where the plan stood, whatever was told of it.
            expected = decisions.resume(stand(halted, now), now, None)
        except Refusal:
            # It was to be through, and catches up; or there is no way on: then it stands halted where it stood.
            assert change is None or change.variable.rollouts[-1].halted == since
            continue
        assert change is not None
        check(change, stopped(setting, since))
        assert change.variable.rollouts == expected.variable.rollouts


@examples(max_examples=20)
@given(schedules(through=True), st.integers(0, 48), st.integers(0, 80))
def test_under_a_calendar_it_is_later_by_the_open_time_that_it_took(planned: Schedule, begins: int, lasts: int) -> None:
    active = replace(UP, schedule=planned)
    calendar = active.schedule.calendar
    assume(all(oracle.is_open(calendar, moment) for moment, _ in oracle.planned_steps(active.schedule)))
    setting = variable(active, calendar=calendar)
    since, now = after(5 * begins), after(5 * (begins + lasts))
    assume(since >= active.schedule.starts)
    went_on = let_go(stopped(setting, since), now).rollouts[-1]
    before = {oracle.open_seconds(calendar, unix(since), unix(since) + 300 * i): i for i in range(100)}
    for fives in range(60):
        opened = oracle.open_seconds(calendar, unix(now), unix(now) + 300 * fives)
        if opened in before and oracle.is_open(calendar, unix(now) + 300 * fives - 1):
            expected = oracle.progress(active.schedule, unix(since) + 300 * before[opened])
            assert abs(oracle.progress(went_on.schedule, unix(now) + 300 * fives) - expected) <= TINY, fives


@examples(max_examples=20)
@given(stories(pins=False, halts=False), st.integers(1, 14), st.sampled_from([0, 0, -15, 5]), st.integers(0, 300))
def test_nobody_moves_by_going_on(story: list[Moment], begins: int, by: int, lasts: int) -> None:
    """Whatever was going on: who was told something before is told the same right after."""
    told: Told | None = None
    for moment in story[: begins + 1]:
        told = publish(moment.variable, moment.fleet, moment.now, told, held=moment.held)
    moment = story[min(begins, len(story) - 1)]
    assert told is not None
    active = written(moment.variable.rollouts[-1])
    setting = stopped(with_active(moment.variable, active), moment.now + by * MINUTE)
    now = moment.now + lasts * MINUTE
    roles = roles_of(moment.fleet)
    # Those that the hour's bound kept waiting have waited long enough.
    reached = told.progress.get(active.id, Fraction(0))
    for role in roles:
        line = oracle.order(setting, active.id, moment.fleet, role.name)
        quota = oracle.quota_of(setting, active, role.name, len(line), reached)
        assume(sum(host in told.moved[active.id] for host in line) == quota)
    told = publish(setting, moment.fleet, now, told)
    had = {host: told.given[host] for host in moment.fleet.hosts}
    onward = let_go(setting, now, told, moment.fleet)
    assert have(onward, moment.fleet, now, told) == had
    told = publish(onward, moment.fleet, now, told)
    assert {host: told.given[host] for host in moment.fleet.hosts} == had, str(moment)


def test_what_was_not_told_in_time_is_told_afterwards() -> None:
    """The plan goes on where it stood, and what was told catches up."""
    setting = variable(UP)
    told = publish_until(setting, FLEET, after(-5), after(50), None)
    setting = let_go(stopped(setting, 60), after(400), told)
    assert setting.rollouts[-1].progress(after(400)) == Fraction(3, 10)
    assert ends(setting) == 200 + 340
    told = publish_until(setting, FLEET, after(400), after(540), told)
    assert set(told.given.values()) == {UP.to}


def test_without_a_ledger_it_goes_on_from_the_plan() -> None:
    setting = let_go(stopped(variable(UP), 50), after(1050))
    active = setting.rollouts[-1]
    assert [active.progress(after(m)) for m in (1050, 1100, 1200)] == [Fraction(1, 4), Fraction(1, 2), Fraction(1)]
    assert have(setting, FLEET, after(1050), None) == have(variable(UP), FLEET, after(50), None)


HALTS = [
    # halted, since, now, halted afterwards
    (40, 60, 100, 40),
    (60, 60, 100, 60),
    (80, 60, 100, 60),
    (100, 60, 100, 60),
    (500, 60, 100, 60),
    (500, 400, 100, 100),
    (80, -20, 100, -20),
]


@pytest.mark.parametrize(("halted", "since", "now", "expected"), HALTS)
def test_what_was_halted_stays_halted_and_where_it_stood(halted: int, since: int, now: int, expected: int) -> None:
    before = variable(replace(UP, halted=after(halted)))
    stood = stand(stopped(before, since), after(now)).planned
    on = let_go(stopped(before, since), after(now))
    assert on.rollouts[-1].halted == after(expected)
    for later in (now, now + 500):
        found = stand(on, after(later))
        assert (found.state, found.planned) == ("halted", stood), later
    resumed = decisions.resume(stand(on, after(now + 500)), after(now + 500), None)
    assert resumed.variable.rollouts[-1].progress(after(now + 500)) == stood


def test_what_has_not_begun_and_starts_later_is_left_alone() -> None:
    later = variable(rollout((100, 0), (300, 100)))
    assert thawed(stand(stopped(later, 0), after(99)), after(99), EVERY) is None
    begun = let_go(stopped(later, 0), after(150))
    assert (begun.rollouts[-1].schedule.starts, ends(begun)) == (after(250), 450)


@pytest.mark.parametrize(
    "setting", [variable(), variable(replace(UP, after=After("y", "y-1")))], ids=["settled", "waits"]
)
def test_what_does_not_stand_still_by_it_is_left_alone(setting: Variable) -> None:
    assert thawed(stand(stopped(setting, 50), after(150)), after(150), EVERY) is None


def test_what_is_not_frozen_is_left_alone() -> None:
    assert thawed(stand(variable(UP), after(150)), after(150), EVERY) is None
    assert thawed(stand(stopped(variable(UP), 50, "x"), after(150)), after(150), EVERY) is None


def test_a_complete_rollout_lets_machines_join_throughout() -> None:
    setting = variable(UP)
    told = publish_until(setting, FLEET, after(-5), after(210), None)
    wider = inventory(a=25, b=6, c=4)
    told = publish(stopped(setting, 215), wider, after(300), told)
    assert {told.given[host] for host in wider.hosts} == {UP.to}
    assert thawed(stand(stopped(setting, 215), after(300), told, wider), after(300), EVERY) is None


def test_a_way_back_goes_on_in_wall_time() -> None:
    night = office(hours="09:00-12:00", days=WEEK)
    back = rollout((0, 0), (60, 60), (60, 60), (180, 0), calendar=night)
    setting = variable(back, calendar=night)
    told = publish_until(setting, FLEET, after(-5), after(120), None)
    on = let_go(stopped(setting, 120), after(1000), told)
    assert ends(on) == 1060
    assert on.rollouts[-1].falling(after(1000))
    had = {host for host in FLEET.hosts if told.given[host] == back.to}
    told = publish_until(on, FLEET, after(1000), after(1030), told)
    left = {host for host in FLEET.hosts if told.given[host] == back.to}
    assert left < had
    since = told.moved["x-1"]
    assert max(since[host].since for host in left) <= after(60)
    told = publish_until(on, FLEET, after(1035), after(1060), told)
    assert set(told.given.values()) == {variable().default}


@pytest.mark.parametrize("since", [100, 90, 30])
def test_a_freeze_dated_back_sends_no_way_back_up_again(since: float) -> None:
    """Somebody writes it by hand, with an instant before the rollback was decided."""
    setting = variable(rollout((0, 0), (100, 50), (100, 50), (200, 0)))
    told = publish_until(setting, FLEET, after(-5), after(150), None)
    had = {host for host in FLEET.hosts if told.given[host] == UP.to}
    told = publish_until(stopped(setting, since), FLEET, after(155), after(200), told)
    on = let_go(stopped(setting, since), after(200), told)
    for fives in range(60):
        told = publish(on, FLEET, after(200 + 5 * fives), told)
        has = {host for host in FLEET.hosts if told.given[host] == UP.to}
        assert has <= had, fives
        had = has


@pytest.mark.parametrize("since", [100, 90, 10, -60])
def test_a_freeze_dated_back_takes_nothing_back(since: float) -> None:
    setting = variable(UP)
    told = publish_until(setting, FLEET, after(-5), after(100), None)
    told = publish(stopped(setting, since), FLEET, after(150), told)
    on = let_go(stopped(setting, since), after(200), told)
    reached, has = told.progress["x-1"], {host for host in FLEET.hosts if told.given[host] == UP.to}
    assert reached == Fraction(1, 2)
    for fives in range(80):
        told = publish(on, FLEET, after(200 + 5 * fives), told)
        assert told.progress["x-1"] >= reached, fives
        now = {host for host in FLEET.hosts if told.given[host] == UP.to}
        assert has <= now, fives
        reached, has = told.progress["x-1"], now
    assert has == set(FLEET.hosts)


@pytest.mark.parametrize("since", [100, 120, 500, 10_000])
def test_a_freeze_dated_ahead_makes_nothing_faster(since: float) -> None:
    """It counts from when it is seen: what the plan went on meanwhile is not made up for in a hurry."""
    setting = variable(rollout((0, 0), (1000, 100)))
    fleet = inventory(a=100)
    told = publish_until(setting, fleet, after(-5), after(100), None)
    told = publish_until(stopped(setting, since), fleet, after(105), after(900), told)
    assert told.progress["x-1"] == Fraction(1, 10)
    on = let_go(stopped(setting, since), after(900), told, fleet)
    told = publish_until(on, fleet, after(900), after(1000), told)
    assert told.progress["x-1"] <= Fraction(1, 10) + Fraction(2 * 100, 1000)


def test_a_freeze_after_an_outage_makes_nothing_faster() -> None:
    """Without the freeze it would catch up at twice its pace."""
    setting = variable(rollout((0, 0), (1000, 100)))
    fleet = inventory(a=100)
    told = publish_until(setting, fleet, after(-5), after(100), None)
    told = publish(stopped(setting, 900), fleet, after(905), told)
    on = let_go(stopped(setting, 900), after(950), told, fleet)
    told = publish_until(on, fleet, after(950), after(1050), told)
    # The first publish after the silence makes up for two intervals.
    assert told.progress["x-1"] <= Fraction(1, 10) + Fraction(2 * (100 + 10), 1000)


@pytest.mark.parametrize("times", [1, 3, 20])
def test_again_and_again_it_stays_on_its_line(times: int) -> None:
    setting, now = variable(rollout((0, 0), (1000, 100))), 50.0
    told = publish_until(setting, FLEET, after(-5), after(now), None)
    for _ in range(times):
        told = publish_until(stopped(setting, now), FLEET, after(now + 5), after(now + 20), told)
        setting = let_go(stopped(setting, now), after(now + 20), told)
        told = publish_until(setting, FLEET, after(now + 20), after(now + 30), told)
        now += 30
    assert abs(told.progress["x-1"] - Fraction(50 + 10 * times, 1000)) <= times * TINY
    assert ends(setting) == 1000 + 20 * times
