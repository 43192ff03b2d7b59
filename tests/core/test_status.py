"""States by precedence and exact counts."""

from fractions import Fraction

import pytest

from tests.core.fleets import (
    EVERY,
    HOUR,
    after,
    have,
    hosts_bound,
    inventory,
    pin,
    publish,
    publish_until,
    rollout,
    share_bound,
    val,
    variable,
)
from tsunami_cli.core.lineup import roles_of
from tsunami_cli.core.model import Limit, Variable
from tsunami_cli.core.status import Status, status_of
from tsunami_cli.core.told import Told

FLEET = inventory(a=10, b=4)
UP = rollout((0, 0), (60, 100))
CAP = (Limit("a", None, share_bound(30)),)


def status(setting: Variable, minute: float, told: Told | None = None) -> Status:
    return status_of(setting, roles_of(FLEET), after(minute), told)


PLANNED = [
    # variable, minute, state
    (variable(), 0, "settled"),
    (variable(UP), -1, "scheduled"),
    (variable(UP), 0, "running"),
    (variable(UP), 30, "running"),
    (variable(UP), 60, "complete"),
    (variable(UP, limits=CAP), 60, "capped"),
    (variable(UP, limits=CAP), 59, "running"),
    (variable(UP, limits=(Limit("a", hosts_bound(10), share_bound(30)),)), 60, "complete"),
    (variable(rollout((0, 0), (60, 50))), 90, "running"),
    (variable(rollout((0, 0), (60, 100), (120, 0))), 60, "rolling-back"),
    (variable(rollout((0, 0), (60, 100), (120, 0))), 119, "rolling-back"),
    (variable(rollout((0, 0), (60, 100), (120, 0))), 120, "rolled-back"),
    (variable(rollout((0, 0), (60, 100), (120, 50))), 200, "rolling-back"),
    (variable(rollout((0, 0), (60, 100), (70, 100), (120, 0))), 65, "complete"),
    (variable(rollout((0, 0), (60, 100), halted=after(30))), 10, "halted"),
    (variable(rollout((0, 0), (60, 100), halted=after(90))), 100, "halted"),
    (variable(rollout((10, 0), (60, 100), halted=after(0))), 0, "halted"),
    (variable(rollout((0, 0), (60, 100), (120, 0), halted=after(130))), 140, "halted"),
]


@pytest.mark.parametrize(("setting", "minute", "state"), PLANNED)
def test_state_by_the_plan(setting: Variable, minute: float, state: str) -> None:
    assert status(setting, minute).state == state


def test_state_by_what_was_told() -> None:
    setting = variable(UP)
    told = publish_until(setting, FLEET, after(-5), after(30), None)
    late = status(setting, 60, told)
    assert (late.state, late.planned, late.told) == ("running", Fraction(1), Fraction(1, 2))
    told = publish_until(setting, FLEET, after(35), after(60), told)
    assert status(setting, 60, told).state == "complete"
    larger = inventory(a=11, b=4)
    assert status_of(setting, roles_of(larger), after(61), told).state == "running"
    back = variable(rollout((0, 0), (60, 100), (65, 100), (80, 0)))
    lagging = status(back, 90, told)
    assert (lagging.state, lagging.planned, lagging.moved) == ("rolling-back", Fraction(0), 14)
    told = publish(back, FLEET, after(90), told)
    assert status(back, 90, told).state == "rolled-back"


def test_counts_are_what_hosts_have() -> None:
    setting = variable(UP, pins=(pin("p", "a-0"), pin("2", "b-1")))
    now = status(setting, 30)
    assert [(r.role, r.hosts, r.pinned) for r in now.roles] == [("a", 10, 1), ("b", 4, 1)]
    assert all(abs(r.quota - Fraction(r.hosts - r.pinned, 2)) <= 1 for r in now.roles)
    assert now.moved == sum(r.quota for r in now.roles)
    assert now.values == {val("2"): now.moved + 1, val("1"): 12 - now.moved, val("p"): 1}
    assert list(now.values.values()) == sorted(now.values.values(), reverse=True)
    assert now.told is None


def test_counts_after_publishes_are_those_told() -> None:
    setting = variable(UP)
    told = publish_until(setting, FLEET, after(-5), after(30), None)
    now = status(setting, 45, told)
    assert now.values == {val("2"): now.moved, val("1"): 14 - now.moved}
    assert [r.quota for r in now.roles] != [r.moved for r in now.roles]
    assert sum(have(setting, FLEET, after(45), told)[host] == val("2") for host in FLEET.hosts) == now.moved


def test_a_ledger_that_has_not_seen_the_rollout_has_told_nothing_of_it() -> None:
    """for the first publish that sees a rollout e_last is 0. `told_percent` is null without a ledger only."""
    told = publish(variable(), FLEET, after(-5), None)
    assert status(variable(UP), 30, told).told == 0


def test_hosts_missing_from_the_inventory_hold_no_state_open() -> None:
    setting = variable(UP)
    told = publish_until(setting, FLEET, after(-5), after(60), None)
    smaller = inventory(a=9, b=4)
    assert status_of(setting, roles_of(smaller), after(60) + EVERY, told).state == "complete"
    assert status_of(setting, roles_of(smaller), after(60) + HOUR, told).moved == 13
