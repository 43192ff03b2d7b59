"""Rollouts on top of each other, and variables that move at the same time."""

import pytest

from tests.scenarios.world import AGENT, AGENT_TEXT, HOSTS, IGNORED, World, new_world, rollout_text

world = pytest.fixture(new_world)
pytestmark = [pytest.mark.filterwarnings(IGNORED), pytest.mark.slow]


def test_two_variables_on_their_way_do_not_know_each_other(world: World) -> None:
    world.set_every(20)
    world.publish()
    world.do("start", "agent", "--to", "2", "--over", "5h")
    world.over(60)
    world.do("start", "kernel", "--to", "8192", "--over", "5h")
    world.over(60)
    world.do("halt", "agent")
    agents = world.moved()
    world.over(2 * 60)
    assert world.moved() == agents
    assert 52 * 0.6 - 2 <= len(world.moved("kernel")) <= 52 * 0.6 + 2
    world.do("start", "docker", "--to", "1.12.3", "--over", "5d")
    world.do("resume", "agent")
    world.over(4 * 60)
    assert (world.counts()['"2"'], world.counts("kernel")) == (72, {"8192": 52})


def test_a_halted_rollout_stays_below_the_next(world: World) -> None:
    world.set_every(20)
    world.publish()
    world.do("start", "agent", "--to", "2", "--over", "5h")
    world.over(2 * 60)
    two = world.moved()
    world.do("halt", "agent")
    world.over(20)
    world.do("start", "agent", "--to", "3", "--over", "5h", "--supersede")
    assert len(world.variable("agent").rollouts) == 2
    world.hosts(HOSTS | {"web-88": "web"})
    world.over(3 * 60)
    assert world.counts()['"3"'] > 30
    assert {host for host, told in world.values.items() if told["agent"] == '"2"'} == two - world.moved()
    world.over(3 * 60)
    assert world.counts() == {'"3"': 73}


def test_three_layers_and_the_way_back(world: World) -> None:
    world.set_every(20)
    world.publish()
    for to in ("2", "3", "4"):
        world.do("start", "agent", "--to", to, "--over", "10h", *(("--supersede",) if to > "2" else ()))
        world.over(3 * 60)
    had = {host: told["agent"] for host, told in world.values.items() if host not in world.moved()}
    world.do("rollback", "agent", "--over", "1h")
    world.over(80)
    assert {host: world.values[host]["agent"] for host in had} == had
    assert set(world.counts()) == {'"1"', '"2"', '"3"'}


def test_a_new_rollout_gives_the_old_value_again(world: World) -> None:
    """Forwards to what was before: who still has it is there already, and nobody is told anything twice."""
    world.set_every(20)
    world.publish()
    world.do("start", "agent", "--to", "2", "--over", "10h")
    world.over(3 * 60)
    two = world.moved()
    text = world.fleet.read(AGENT)
    world.commit({AGENT: text + rollout_text("agent-forwards", '"1"', (3, 0), (5, 100))})
    told = len(world.rows)
    world.over(140)
    assert world.counts() == {'"1"': 72}
    assert {row["host"] for row in world.rows[told:]} == two
    assert len(world.rows[told:]) == len(two)


def test_a_rollout_slipped_in_below_by_hand_moves_nobody(world: World) -> None:
    world.set_every(20)
    world.publish()
    world.commit({AGENT: f"{AGENT_TEXT}rollouts:\n" + rollout_text("agent-top", '"3"', (0, 0), (10, 100))})
    world.over(2 * 60)
    had = world.values
    below = rollout_text("agent-below", '"2"', (-10, 0), (-5, 100))
    top = rollout_text("agent-top", '"3"', (0, 0), (10, 100), halted=2)
    world.commit({AGENT: f"{AGENT_TEXT}rollouts:\n{below}{top}"}, "slipped in")
    world.over(60)
    assert world.values == had


def test_a_new_variable_whose_file_has_a_rollout_already_is_told_by_its_pace(world: World) -> None:
    """What the fleet was never told of it begins with the default for all: they are new to it."""
    world.set_every(20)
    world.publish()
    text = AGENT_TEXT.replace("name: agent", "name: late")
    rollout = rollout_text("late-1", '"2"', (0, 0), (10, 100))
    world.commit({"rollouts/late.yaml": f"{text}rollouts:\n{rollout}"})
    world.at(4 * 60).publish()
    assert sum(world.counts("late").values()) == 72
    world.over(7 * 60)
    assert world.counts("late") == {'"2"': 72}


def test_a_variable_that_is_new_and_one_that_is_rolled_out_at_once(world: World) -> None:
    world.set_every(20)
    world.publish()
    made = world.do("new", "extra", "--default", "a", "--reason", "for the proxy")
    world.at(1).publish()
    rows = [row for row in world.rows if row["variable"] == "extra"]
    assert {(row["from"], row["to"], row["commit"], row["action"]) for row in rows} == {(None, "a", made, "new")}
    world.do("start", "extra", "--to", "b", "--over", "2h")
    world.over(140)
    assert world.counts("extra") == {'"b"': 72}


def test_a_decision_on_several_variables_is_one_for_each(world: World) -> None:
    """Whoever looks at one of them finds the decision, and not an edit by hand."""
    world.set_every(20)
    world.publish()
    world.do("start", "agent", "--to", "2", "--over", "5h")
    world.do("start", "kernel", "--to", "8192", "--over", "5h")
    world.over(60)
    halted = world.do("halt", "--reason", "both")
    for name in ("agent", "kernel"):
        last = world.fleet.json("log", name)[-1]
        assert (last["commit"], last["action"], last["reason"]) == (halted, "halt", "both")
    had = world.values
    world.over(60)
    assert world.values == had
    world.edit("rollouts/kernel.yaml", "roles: [edge, web]", "roles: [edge]")
    world.over(20)
