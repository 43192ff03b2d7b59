"""Decisions on a rollout that is on its way, each followed by publishes."""

from itertools import combinations

import pytest

from tests.scenarios.world import AGENT, IGNORED, World, beginning, instant, new_world

world = pytest.fixture(new_world)
pytestmark = pytest.mark.filterwarnings(IGNORED)


@beginning
def begun(world: World, hours: int = 5) -> None:
    world.set_every(20)
    world.publish()
    world.do("start", "agent", "--to", "2", "--over", "10h")
    world.over(hours * 60)


def causes(world: World, since: int) -> set[str]:
    """Return the actions behind what was told after a number of tellings."""
    return {row["action"] for row in world.rows[since:]}


def by_hand(world: World) -> None:
    line = f"    halted: {instant(world.minute)}\n"
    text = world.fleet.read(AGENT)
    assert text.endswith("\n")
    world.commit({AGENT: text + line}, "STOP")


def by_command(world: World) -> None:
    world.do("halt", "agent", "--reason", "latency")


@pytest.mark.parametrize("halt", [pytest.param(by_hand, marks=pytest.mark.slow), by_command])
def test_from_a_halt_on_nobody_moves_and_then_the_rest_of_the_plan_is_told(world: World, halt: object) -> None:
    begun(world)
    world.at(world.minute + 5)
    assert callable(halt)
    halt(world)
    had, moved, told = world.values, world.moved(), len(world.rows)
    world.at(world.minute + 5).publish()
    world.over(6 * 60)
    assert world.values == had
    resumed = world.do("resume", "agent", "--reason", "it was the network")
    world.over(60)
    assert moved < world.moved()
    assert {row["commit"] for row in world.rows[told:]} == {resumed}
    world.over(4 * 60)
    assert world.counts() == {'"2"': 72}


def test_a_halt_dated_ahead_halts_now(world: World) -> None:
    begun(world, 2)
    text = world.fleet.read(AGENT)
    world.commit({AGENT: f"{text}    halted: {instant(world.minute + 600)}\n"}, "from tonight on")
    had = world.values
    world.over(60)
    assert world.values == had


@pytest.mark.slow
def test_resume_over_and_pace(world: World) -> None:
    begun(world)
    world.do("halt", "agent")
    world.over(60)
    told = len(world.rows)
    world.do("resume", "agent", "--over", "20h")
    world.over(4 * 60)
    assert causes(world, told) == {"resume"}
    assert 36 + 72 * 0.1 - 4 <= len(world.moved()) <= 36 + 72 * 0.1 + 4
    told = len(world.rows)
    paced = world.do("pace", "agent", "--over", "2h")
    world.over(2 * 60)
    assert world.counts() == {'"2"': 72}
    assert {row["commit"] for row in world.rows[told:]} == {paced}


def test_a_rollback_returns_who_was_told_last_and_touches_nobody_else(world: World) -> None:
    begun(world)
    moved = world.moved()
    never = set(world.values) - moved
    told = len(world.rows)
    back = world.do("rollback", "agent", "--over", "3h", "--reason", "it leaks")
    world.over(200)
    returned = world.rows[told:]
    assert {row["host"] for row in returned} == moved
    assert not never & {row["host"] for row in returned}
    assert {(row["to"], row["commit"], row["action"]) for row in returned} == {("1", back, "rollback")}
    since = {row["host"]: row["at"] for row in world.rows[:told] if row["to"] == "2"}
    for role in sorted(set(world.roles.values())):
        ways = [(row["at"], since[row["host"]]) for row in returned if row["role"] == role]
        for (at, told_at), (later, told_before) in combinations(ways, 2):
            assert at == later or told_at >= told_before, role
    assert world.fleet.status("agent")["state"] == "rolled-back"


@pytest.mark.slow
def test_a_rollback_halted_half_way_and_resumed_goes_on_falling(world: World) -> None:
    begun(world)
    world.do("rollback", "agent", "--over", "3h")
    world.over(60)
    world.do("halt", "agent")
    had = world.values
    world.over(60)
    assert world.values == had
    world.do("resume", "agent")
    world.over(3 * 60)
    assert world.counts() == {'"1"': 72}


@pytest.mark.slow
def test_after_a_rollback_it_goes_up_again(world: World) -> None:
    begun(world)
    first = [row["host"] for row in world.rows if row["to"] == "2"]
    world.do("rollback", "agent", "--over", "2h")
    world.over(3 * 60)
    assert world.counts() == {'"1"': 72}
    told = len(world.rows)
    world.do("resume", "agent", "--over", "10h")
    world.over(5 * 60)
    assert causes(world, told) == {"resume"}
    assert {row["host"] for row in world.rows[told:]} == set(first), "the order is the same"
    world.over(5 * 60)
    assert world.counts() == {'"2"': 72}


def test_a_rollback_of_a_halted_rollout_and_of_a_complete_one(world: World) -> None:
    begun(world, 2)
    world.do("halt", "agent")
    world.over(40)
    world.do("rollback", "agent", "--over", "1h")
    world.over(60)
    assert world.counts() == {'"1"': 72}
    world.do("resume", "agent", "--over", "2h")
    world.over(2 * 60)
    assert world.counts() == {'"2"': 72}
    world.do("rollback", "agent", "--over", "1h")
    world.over(60)
    assert world.counts() == {'"1"': 72}


@pytest.mark.slow
def test_a_second_rollout_supersedes_one_half_way(world: World) -> None:
    begun(world)
    two = world.moved()
    world.do("start", "agent", "--to", "3", "--over", "10h", "--supersede")
    world.over(5 * 60)
    counts = world.counts()
    assert sum(counts.values()) == 72
    assert abs(counts['"3"'] - 36) <= 4
    assert two - world.moved() == {host for host, told in world.values.items() if told["agent"] == '"2"'}
    world.do("rollback", "agent", "--over", "2h")
    world.over(2 * 60)
    assert {host for host, told in world.values.items() if told["agent"] == '"2"'} == two
    assert world.counts() == {'"1"': 72 - len(two), '"2"': len(two)}


@pytest.mark.slow
def test_a_later_start_folds_what_is_through_and_moves_nobody_by_that(world: World) -> None:
    begun(world, 11)
    assert world.counts() == {'"2"': 72}
    world.do("start", "agent", "--to", "3", "--over", "10h")
    assert len(world.variable("agent").rollouts) == 1
    assert world.variable("agent").default == '"2"'
    told = len(world.rows)
    world.publish()
    assert len(world.rows) == told
    world.over(11 * 60)
    assert world.counts() == {'"3"': 72}
    assert {row["from"] for row in world.rows[told:]} == {"2"}


def test_a_fold_after_a_rollback_and_over_pins(world: World) -> None:
    world.do("pin", "agent", "--to", "1", "--role", "db", "--reason", "by hand")
    begun(world, 3)
    world.do("rollback", "agent", "--over", "1h")
    world.over(80)
    world.do("start", "agent", "--to", "3", "--over", "4h")
    assert len(world.variable("agent").rollouts) == 1
    told = len(world.rows)
    world.over(5 * 60)
    assert world.counts() == {'"1"': 5, '"3"': 67}
    assert {row["from"] for row in world.rows[told:]} == {"1"}


def test_a_scheduled_rollout_begins_when_it_says(world: World) -> None:
    world.publish()
    world.do("start", "agent", "--to", "2", "--over", "10h", "--at", instant(120))
    world.over(120, 20)
    assert not world.moved()
    world.over(60)
    assert world.moved()


def test_a_scheduled_rollout_halted_and_resumed_is_shifted_whole(world: World) -> None:
    world.publish()
    world.do("start", "agent", "--to", "2", "--over", "10h", "--at", instant(120))
    world.at(60)
    world.do("halt", "agent")
    world.over(3 * 60, 20)
    assert not world.moved()
    world.do("resume", "agent")
    world.over(60)
    assert not world.moved()
    world.over(60)
    assert world.moved()


def test_a_rollout_made_while_nothing_is_published_begins_where_it_is(world: World) -> None:
    """A start with `via` and a step, told on time."""
    world.publish()
    world.do("start", "agent", "--to", "2", "--over", "10h", "--via", "10%@2h", "--via", "50%@3h")
    world.over(2 * 60)
    assert abs(len(world.moved()) - 7) <= 4
    world.over(60)
    assert abs(len(world.moved()) - 36) <= 4
