"""The ratchet and its pace, case by case."""

from fractions import Fraction

import pytest

from tests.core import oracle
from tests.core.fleets import (
    EVERY,
    WEEK,
    after,
    have,
    hosts_bound,
    inventory,
    moved_by,
    office,
    pin,
    publish,
    publish_until,
    rollout,
    share_bound,
    val,
    variable,
)
from tsunami_cli.core.model import Limit, Rollout

FLEET = inventory(a=100)
UP = rollout((0, 0), (100, 100))


def percent(fraction: Fraction) -> Fraction:
    return fraction * 100


FIRST_SEEN = [
    # rollout, minutes of publishes after it was decided, told percent at each
    (rollout((0, 50), (60, 100)), (0,), (50,)),
    (rollout((0, 50), (60, 100)), (5,), (Fraction(325, 6),)),
    (rollout((0, 0), (0, 30), (100, 100)), (0, 5), (30, Fraction(67, 2))),
    (UP, (0, 5, 10), (0, 5, 10)),
    (UP, (10,), (10,)),
    # A merge two hours after the planned start: no more than 2 * every at twice the pace, then on and on.
    (UP, (50,), (20,)),
    (UP, (50, 55, 60, 65, 70, 75), (20, 30, 40, 50, 60, 70)),
    # An outage.
    (UP, (0, 40, 45, 50, 55), (0, 20, 30, 40, 50)),
    # The clock stands still.
    (UP, (0, 40, 40, 40), (0, 20, 20, 20)),
    # A step that is seen on time is taken; one missed by more than 2 * every is spread.
    (rollout((0, 0), (50, 10), (50, 60), (100, 100)), (45, 50, 55), (9, 60, 64)),
    (rollout((0, 0), (10, 0), (10, 50), (110, 50)), (5, 10), (0, 50)),
    (rollout((0, 0), (10, 0), (10, 50), (110, 50)), (5, 21), (0, Fraction(200, 11))),
]


@pytest.mark.parametrize(("planned", "minutes", "expected"), FIRST_SEEN)
def test_told_progress(planned: Rollout, minutes: tuple[int, ...], expected: tuple[int | Fraction, ...]) -> None:
    told = publish(variable(), FLEET, after(-5), None)
    found = []
    for minute in minutes:
        told = publish(variable(planned), FLEET, after(minute), told)
        found.append(percent(told.progress["x-1"]))
    assert found == list(expected)


def test_the_first_publish_of_a_fleet_tells_the_plan() -> None:
    told = publish(variable(UP), FLEET, after(50), None)
    assert told.progress["x-1"] == Fraction(1, 2)
    assert {host: told.given[host] for host in FLEET.hosts} == oracle.plan(
        variable(UP), FLEET, int(told.at.timestamp())
    )


def test_a_rollback_takes_back_first_who_was_told_last() -> None:
    """Who was told later is not who stands later in the order: a host that joined late leads here."""
    setting = variable(rollout((0, 0), (50, 50), (100, 50), (150, 0)))
    line = oracle.order(setting, "x-1", inventory(a=40), "a")
    late = line[0]
    fleet = inventory(a=[host for host in line if host != late])
    told = publish_until(setting, fleet, after(0), after(60), None)
    told = publish_until(setting, inventory(a=40), after(65), after(95), told)
    first = moved_by(told)
    assert late in first
    told = publish_until(setting, inventory(a=40), after(100), after(100) + EVERY, told)
    gone = first - moved_by(told)
    assert late in gone
    stayed = [line.index(host) for host in moved_by(told)]
    assert max(stayed) < min(line.index(host) for host in gone - {late})


def test_per_hour_counts_the_hour_that_ends_now() -> None:
    """(now - 1h, now]: what changed exactly an hour ago is out."""
    capped, fleet = Limit("*", None, None, 2), inventory(a=10)
    setting = variable(rollout((0, 0), (1, 100)), limits=(capped,))
    told = publish(setting, fleet, after(-5), None)
    counts = []
    for minute in (0, 5, 10, 60, 64, 65, 119, 125):
        told = publish(setting, fleet, after(minute), told)
        counts.append(len(moved_by(told)))
    assert counts == [0, 2, 2, 2, 2, 4, 4, 6]


def test_a_lifted_bound_is_caught_up_with_at_the_hours_pace() -> None:
    fleet = inventory(a=100)
    tight = variable(rollout((0, 0), (1000, 100)), limits=(Limit("*", None, share_bound(5)),))
    told = publish_until(tight, fleet, after(-5), after(500), None)
    assert len(moved_by(told)) == 5
    told = publish(variable(tight.rollouts[0]), fleet, after(505), told)
    # Twice what may be planned for an hour: 2 * 6 % of 100 hosts.
    assert len(moved_by(told)) == 5 + 12


def test_hosts_that_vanish_still_count_within_the_hour() -> None:
    """a host counts as known, with what it was told, also while it is missing from the inventory."""
    limits = (Limit("*", None, None, 2),)
    setting, fleet = variable(rollout((0, 0), (1, 100)), limits=limits), inventory(a=10)
    told = publish(setting, fleet, after(5), publish(setting, fleet, after(-5), None))
    first = moved_by(told)
    assert len(first) == 2
    smaller = inventory(a=[host for host in fleet.hosts if host not in first])
    assert moved_by(publish(setting, smaller, after(10), told)) == first


def test_at_most_is_outranked_by_what_was_told() -> None:
    setting = variable(UP)
    told = publish_until(setting, FLEET, after(-5), after(50), None)
    lowered = variable(UP, limits=(Limit("*", None, hosts_bound(3)),))
    assert moved_by(publish(lowered, FLEET, after(55), told)) == moved_by(told)


def test_pins_set_and_lifted_on_the_way() -> None:
    setting = variable(rollout((0, 0), (1000, 100)))
    told = publish_until(setting, FLEET, after(-5), after(500), None)
    ours = sorted(moved_by(told))
    other = sorted(set(FLEET.hosts) - set(ours))
    pinned = variable(setting.rollouts[0], pins=(pin("1", ours[0]), pin("2", other[0], ours[1]), pin("p", other[1])))
    told = publish(pinned, FLEET, after(505), told)
    assert [told.given[host] for host in (ours[0], other[0], ours[1], other[1])] == [*map(val, ("1", "2", "2", "p"))]
    told = publish(setting, FLEET, after(505), told)
    kept = {host: told.given[host] for host in (ours[0], other[0], ours[1], other[1])}
    assert kept == {ours[0]: kept[ours[0]], other[0]: val("2"), ours[1]: val("2"), other[1]: kept[other[1]]}
    assert kept[other[1]] in (val("1"), val("2"))
    assert have(setting, FLEET, after(505), told) == {host: told.given[host] for host in FLEET.hosts}


def test_closed_hours_hold_what_is_known_and_open_ones_go_on() -> None:
    calendar = office(hours="09:00-11:00", days=WEEK)
    planned = rollout((0, 0), (24 * 60 + 60, 100), calendar=calendar)
    setting = variable(planned, calendar=calendar)
    told = publish_until(setting, FLEET, after(-5), after(55), None)
    evening = publish_until(setting, FLEET, after(60), after(22 * 60 + 55), told)
    assert moved_by(evening) == moved_by(told)
    morning = publish_until(setting, FLEET, after(23 * 60), after(23 * 60 + 10), evening)
    assert morning.progress["x-1"] == planned.progress(after(23 * 60 + 10))
