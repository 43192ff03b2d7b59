"""Clocks that go back, jump ahead or stand still: nobody goes back, and nothing is caught up faster than twice."""

from fractions import Fraction
from itertools import pairwise

import pytest

from tests.scenarios.world import IGNORED, World, new_world

world = pytest.fixture(new_world)
pytestmark = pytest.mark.filterwarnings(IGNORED)


def started(world: World, over: str = "24h") -> None:
    world.publish()
    world.do("start", "agent", "--to", "2", "--over", over)


def test_on_time_the_plan_is_told(world: World) -> None:
    world.set_every(60)
    started(world)
    world.over(30 * 60)
    assert world.counts() == {'"2"': 72}


def test_a_clock_that_lags_three_minutes_is_taken_for_the_last_publish(world: World) -> None:
    started(world)
    world.over(60)
    had = world.values
    data = world.at(57).publish()
    assert (data["told"], data["rendered_at"]) == (0, "2026-11-16T10:00:00Z")
    assert world.values == had
    world.at(60).over(60)


@pytest.mark.slow
def test_a_clock_that_lags_an_hour_is_refused_until_somebody_says_that_it_is_right(world: World) -> None:
    started(world)
    world.over(240)
    moved = world.moved()
    assert "--reset-clock" in world.at(180).refused()
    world.publish("--reset-clock", "--reason", "ntp was off")
    assert "Published with --reset-clock: ntp was off" in world.fleet.message("tsunami-ledger")
    assert world.moved() == moved
    world.over(24 * 60, 40)
    assert world.moved() >= moved


@pytest.mark.slow
def test_a_clock_that_was_ten_days_ahead_once_moves_no_more_than_one_publish_may(world: World) -> None:
    world.set_every(60)
    started(world, "4d")
    world.over(12 * 60)
    had = len(world.moved())
    world.at(10 * 24 * 60).publish()
    moved = world.moved()
    assert had < len(moved) <= had + 72 * 4 / 96 + 4
    world.at(13 * 60).refused()
    world.publish("--reset-clock", "--reason", "a bad clock")
    assert world.moved() == moved
    world.over(4 * 24 * 60)
    assert world.counts() == {'"2"': 72}


@pytest.mark.slow
def test_after_two_days_without_publishes_it_catches_up_at_twice_the_pace(world: World) -> None:
    world.set_every(120)
    started(world, "8d")
    world.over(24 * 60)
    shares: list[Fraction] = []
    world.at(3 * 24 * 60)
    world.over(72 * 60, then=lambda: shares.append(*world.memory["agent"].shares.values()))
    # Two days behind of eight, and another two while it catches up: twice the plan's share of two hours, each time.
    assert shares[0] == Fraction(24 + 8, 192)
    steps = [192 * (b - a) for a, b in pairwise(shares)]
    assert steps == sorted(steps, reverse=True)
    assert [steps[0], steps[-1]] == [Fraction(4), Fraction(2)]
    assert shares[-1] == Fraction(144, 192)
