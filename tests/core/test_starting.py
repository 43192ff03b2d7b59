"""The start of a rollout: refusals, the schedule, what leaves the file."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from tests.core.documents import document, edited
from tests.core.fleets import (
    EVERY,
    HOUR,
    MINUTE,
    WEEK,
    after,
    at,
    have,
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
from tests.core.worlds import fleets, inventory_of, settings
from tsunami_cli.core import decisions
from tsunami_cli.core.decisions import Change
from tsunami_cli.core.inventory import Inventory
from tsunami_cli.core.lineup import roles_of
from tsunami_cli.core.model import Limit, Variable
from tsunami_cli.core.problems import Refusal
from tsunami_cli.core.starting import Order, start
from tsunami_cli.core.status import status_of
from tsunami_cli.core.told import Told

FLEET = inventory(a=10, b=4)
UP = rollout((0, 0), (60, 100))


def order(to: object = "9", *, over: timedelta = HOUR, **rest: object) -> Order:
    return Order(val(to), over, f"{over // timedelta(seconds=1)}s", **rest)  # type: ignore[arg-type]


def started(
    setting: Variable,
    minute: float,
    asked: Order,
    told: Told | None = None,
    fleet: Inventory = FLEET,
    used: tuple[str, ...] = (),
) -> Change:
    change = start(setting, roles_of(fleet), after(minute), asked, told, used)
    assert edited(setting, change.edits) == document(change.variable), change.edits
    assert change.action == "start"
    assert have(change.variable, fleet, after(minute), told) == have(setting, fleet, after(minute), told), "hosts moved"
    return change


def test_a_first_rollout() -> None:
    change = started(variable(), 0, order("2"))
    made = change.variable.rollouts[-1]
    assert made.id == change.rollout == "x-20260302T100000Z"
    assert (made.came_from, made.to, made.over, made.halted) == ((val("1"),), val("2"), HOUR, None)
    assert [(w.at, w.share) for w in made.schedule.waypoints] == [(after(0), Fraction(0)), (after(60), Fraction(1))]
    assert change.subject == "x: start 1 -> 2 over 3600s"


REFUSED = [
    # variable, minute, order, message
    (variable(), 0, order("1"), "already"),
    (variable(), 0, order(came_from=(val("2"),)), "no host has 2"),
    (variable(), 0, order(came_from=(val("1"), val("2"))), "no host has 2"),
    (
        variable(rollout((-60, 0), (-30, 50), halted=after(-30))),
        0,
        order(came_from=(val("1"),), supersede=True),
        "not all",
    ),
    (variable(rollout((-60, 0), (-30, 50), halted=after(-30))), 0, order("2", supersede=True), "already"),
    (variable(rollout((-60, 0), (-30, 50), halted=after(-30))), 0, order("1", supersede=True), "already"),
    (variable(), 0, order(at=after(0) - timedelta(seconds=61)), "in the past"),
    (variable(), 0, order(at=after(0) + timedelta(days=366, seconds=1)), "over a year"),
    (variable(), 0, order(over=timedelta(0)), "1s to 366d"),
    (variable(), 0, order(over=timedelta(days=366, seconds=1)), "1s to 366d"),
    (variable(UP), 30, order(), "running"),
    (variable(UP), -30, order(), "scheduled"),
    (variable(replace(UP, halted=after(10))), 30, order(), "halted"),
    (variable(UP, limits=(Limit("*", None, share_bound(30)),)), 90, order(), "capped"),
    (variable(rollout((0, 0), (60, 100), (120, 0))), 90, order(), "rolling-back"),
    (variable(calendar=office(hours="20:00-21:00")), 0, order(), "never open"),
    (
        variable(calendar=office(hours="20:00-21:00")),
        0,
        order(over=24 * HOUR, via=((Fraction(1, 2), HOUR),)),
        "never open",
    ),
    (variable(), 0, order(via=((Fraction(1, 2), 2 * HOUR),)), "--via"),
    (variable(), 0, order(via=((Fraction(1, 2), MINUTE), (Fraction(1, 4), 2 * MINUTE))), "--via"),
    (variable(pins=(pin("1", "*"),)), 0, order(), "no host"),
]


@pytest.mark.parametrize(("setting", "minute", "asked", "message"), REFUSED)
def test_refusals(setting: Variable, minute: float, asked: Order, message: str) -> None:
    with pytest.raises(Refusal, match=message):
        start(setting, roles_of(FLEET), after(minute), asked)


def test_limits_that_are_just_met() -> None:
    start(variable(), roles_of(FLEET), after(0), order(at=after(0) - MINUTE))
    for asked in (
        order(at=after(0) + timedelta(days=366)),
        order(over=timedelta(seconds=1)),
        order(over=timedelta(days=366)),
        order(came_from=(val("1"),)),
    ):
        started(variable(), 0, asked)


def test_a_layer_below_that_gives_the_value_though_no_host_has_it_yet() -> None:
    """`start` refuses a `--to` that a live layer below already gives; x-1 stays in the file, and its `to` is 2."""
    setting = variable(rollout((0, 0), (600, 100)))
    with pytest.raises(Refusal, match="2"):
        start(setting, roles_of(inventory(a=2)), after(1), order("2", supersede=True))


def test_from_leaves_pinned_hosts_out() -> None:
    setting = variable(pins=(pin("p", "a-1"),))
    assert started(setting, 0, order(came_from=(val("1"),))).variable.rollouts[-1].came_from == (val("1"),)


def test_via_stands_at_wall_time_and_over_is_wall_time_under_a_calendar() -> None:
    calendar = office("Europe/Stockholm")
    setting, friday = variable(calendar=calendar), at("2026-03-06T15:00:00Z")
    asked = order(
        over=timedelta(days=14),
        at=friday,
        via=((Fraction(1, 2), timedelta(days=7)), (Fraction(1, 10), timedelta(days=3))),
    )
    waypoints = started(setting, 0, asked).variable.rollouts[-1].schedule.waypoints
    assert [(w.at - friday, w.share) for w in waypoints] == [
        (timedelta(0), 0),
        (timedelta(days=3), Fraction(1, 10)),
        (timedelta(days=7), Fraction(1, 2)),
        (timedelta(days=14), 1),
    ]


def test_an_id_is_never_used_twice() -> None:
    first = started(variable(), 0, order())
    assert first.rollout == "x-20260302T100000Z"
    second = started(variable(), 0, order(), used=("x-20260302T100000Z",))
    assert second.rollout == "x-20260302T100000Z-2"
    third = started(variable(), 0, order(), used=("x-20260302T100000Z", "x-20260302T100000Z-2"))
    assert third.rollout == "x-20260302T100000Z-3"
    scheduled = started(variable(), 0, order(at=after(60))).variable
    assert started(scheduled, 0, order("8", supersede=True)).rollout == "x-20260302T100000Z-2"


def test_supersede_halts_what_runs_and_goes_on_top() -> None:
    change = started(variable(UP), 30, order(supersede=True))
    below, top = change.variable.rollouts
    assert (below.halted, below.schedule, top.came_from) == (after(30), UP.schedule, (val("1"), val("2")))
    assert change.variable.default == val("1")


def test_supersede_leaves_a_halt_as_it_is() -> None:
    change = started(variable(replace(UP, halted=after(10))), 30, order(supersede=True))
    assert [r.halted for r in change.variable.rollouts] == [after(10), None]


def test_supersede_removes_what_is_only_scheduled() -> None:
    change = started(variable(UP), -30, order(supersede=True))
    assert [r.id for r in change.variable.rollouts] == [change.rollout]


def test_a_complete_rollout_leaves_the_file() -> None:
    change = started(variable(UP), 90, order())
    assert ([r.id for r in change.variable.rollouts], change.variable.default) == ([change.rollout], val("2"))


def test_a_rolled_back_rollout_leaves_the_file() -> None:
    change = started(variable(rollout((0, 0), (60, 100), (120, 0))), 130, order("2"))
    assert ([r.id for r in change.variable.rollouts], change.variable.default) == ([change.rollout], val("1"))


def test_below_a_rolled_back_rollout_one_that_was_halted_part_way_stays() -> None:
    below = rollout((-60, 0), (-30, 50), name="x-0", halted=after(-30))
    back = rollout((0, 0), (60, 100), (120, 0), to="3")
    change = started(variable(below, back), 130, order())
    assert [r.id for r in change.variable.rollouts] == ["x-0", change.rollout]
    assert change.variable.rollouts[-1].came_from == (val("1"), val("2"))


def test_a_complete_rollout_takes_what_it_hides_with_it() -> None:
    below = rollout((-60, 0), (-30, 50), name="x-0", halted=after(-30))
    change = started(variable(below, rollout((0, 0), (60, 100), to="3")), 90, order())
    assert (len(change.variable.rollouts), change.variable.default) == (1, val("3"))


def test_the_ledger_says_what_is_complete() -> None:
    setting = variable(UP)
    told = publish_until(setting, FLEET, after(-5), after(30), None)
    with pytest.raises(Refusal, match="running"):
        start(setting, roles_of(FLEET), after(90), order(), told)
    told = publish_until(setting, FLEET, after(35), after(90), told)
    change = start(setting, roles_of(FLEET), after(90), order(), told)
    assert change.variable.default == val("2")


def complete() -> tuple[Variable, Told]:
    return variable(UP), publish_until(variable(UP), FLEET, after(-5), after(90), None)


def test_between_a_start_and_its_first_publish_hosts_have_what_they_were_told() -> None:
    setting, told = complete()
    change = start(setting, roles_of(FLEET), after(90), order(), told)
    assert have(change.variable, FLEET, after(90), told) == have(setting, FLEET, after(90), told)
    assert status_of(change.variable, roles_of(FLEET), after(90), told).values == {val("2"): 14}


def test_a_second_start_before_the_next_publish_starts_from_what_hosts_have() -> None:
    setting, told = complete()
    one = start(setting, roles_of(FLEET), after(90), order("8"), told).variable
    two = start(one, roles_of(FLEET), after(92), order("9", supersede=True), told).variable
    assert (two.rollouts[-1].came_from, two.default) == ((val("2"),), val("2"))


def test_a_host_pinned_while_its_rollout_was_folded_gets_the_default_without_the_pin() -> None:
    """2: a pin, else the newest rollout in the file that moved it, else the default, which is 2 by then."""
    stays = pin("p", "a-0")
    setting = variable(UP, pins=(stays,))
    told = publish_until(setting, FLEET, after(-5), after(90), None)
    change = start(setting, roles_of(FLEET), after(90), order(over=100 * HOUR), told)
    told = publish(change.variable, FLEET, after(90), told)
    told = publish(decisions.unpin(change.variable, ("a-0",), ()).variable, FLEET, after(95), told)
    assert told.given["a-0"] == val("2")


@given(settings(), fleets(), st.integers(0, 60), st.booleans())
def test_a_start_changes_no_host_by_the_plan(
    setting: Variable, fleet: dict[str, tuple[str, str]], fives: int, supersede: bool
) -> None:
    try:
        started(setting, 5 * fives, order(over=200 * HOUR, supersede=supersede), fleet=inventory_of(fleet))
    except Refusal:
        reject()


@given(settings(), fleets(), st.integers(0, 60), st.booleans())
def test_a_start_changes_no_host_at_the_next_publish(
    setting: Variable, fleet: dict[str, tuple[str, str]], fives: int, supersede: bool
) -> None:
    where, now = inventory_of(fleet), after(5 * fives)
    told = publish_until(setting, where, after(-5), now, None)
    had = have(setting, where, now, told)
    assert had == {host: told.given[host] for host in where.hosts}
    try:
        change = start(setting, roles_of(where), now, order(over=200 * HOUR, supersede=supersede), told)
    except Refusal:
        reject()
    assert edited(setting, change.edits) == document(change.variable)
    after_it = publish(change.variable, where, now, told)
    assert {host: after_it.given[host] for host in where.hosts} == had
    later = publish(change.variable, where, now + EVERY, after_it)
    assert all(later.given[host] in (had[host], val("9")) for host in where.hosts)


def test_values_of_every_kind_are_written_and_read_back() -> None:
    for before, to in ((1, 2), (True, False), (1.5, "1.5"), ("no", "yes"), ('a"b', "c: {d}, [e] # f")):
        change = started(variable(default=before), 0, order(to))
        assert change.variable.rollouts[-1].to == val(to)


def test_a_night_calendar_is_open_for_a_start_that_reaches_into_the_night() -> None:
    setting = variable(calendar=office(hours="22:00-06:00", days=WEEK))
    started(setting, 0, order(over=13 * HOUR))
