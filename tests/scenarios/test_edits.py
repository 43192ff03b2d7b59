"""Pins that come and go, and values that somebody edits, while a rollout is on its way."""

import pytest

from tests.scenarios.world import (
    AGENT,
    AGENT_TEXT,
    DOCKER,
    HOSTS,
    IGNORED,
    KERNEL,
    World,
    beginning,
    instant,
    new_world,
    rollout_text,
)

world = pytest.fixture(new_world)
pytestmark = [pytest.mark.filterwarnings(IGNORED), pytest.mark.slow]


@beginning
def begun(world: World, hours: int = 5, variable: str = "agent", to: str = "2") -> None:
    world.set_every(20)
    world.publish()
    world.do("start", variable, "--to", to, "--over", "10h")
    world.over(hours * 60)


def test_a_pin_takes_the_value_away_and_counts_for_nobody(world: World) -> None:
    begun(world)
    moved = sorted(world.moved(role="web"))[:5]
    words = [word for host in moved for word in ("--host", host)]
    pinned = world.do("pin", "agent", "--to", "1", *words, "--reason", "benchmarks")
    told = len(world.rows)
    world.at(world.minute + 1).publish()
    back = [row for row in world.rows[told:] if row["to"] == "1"]
    assert [row["host"] for row in back] == moved
    assert {row["commit"] for row in back} == {pinned}
    world.over(60)
    world.do("unpin", "agent", *words)
    told = len(world.rows)
    world.at(world.minute + 1).publish()
    world.over(5 * 60)
    assert world.counts() == {'"2"': 72}


def test_a_pin_to_the_new_value_that_is_lifted_leaves_it(world: World) -> None:
    begun(world, 2)
    early = sorted(set(HOSTS) - world.moved())[:6]
    words = [word for host in early for word in ("--host", host)]
    world.do("pin", "agent", "--to", "2", *words, "--reason", "they need it")
    world.at(world.minute + 1).publish()
    world.over(20)
    world.do("unpin", "agent", *words)
    world.at(world.minute + 1).publish()
    assert {world.values[host]["agent"] for host in early} == {'"2"'}
    assert set(early) <= world.moved()
    world.over(8 * 60 + 20)
    assert world.counts() == {'"2"': 72}


def test_a_pin_lifted_under_a_halt_changes_that_host_alone(world: World) -> None:
    world.do("pin", "agent", "--to", "0", "--role", "db", "--reason", "old kernels")
    begun(world)
    world.do("halt", "agent")
    world.at(world.minute + 1).publish()
    had = {host: told for host, told in world.values.items() if HOSTS[host] != "db"}
    lifted = world.do("unpin", "agent", "--role", "db")
    told = len(world.rows)
    world.over(60)
    assert {host: told for host, told in world.values.items() if HOSTS[host] != "db"} == had
    assert {(row["from"], row["to"], row["commit"]) for row in world.rows[told:]} == {("0", "1", lifted)}
    assert len(world.rows[told:]) == 5
    world.do("resume", "agent")
    world.over(6 * 60)
    assert world.counts() == {'"2"': 72}


def test_another_pin_that_comes_first_counts(world: World) -> None:
    world.do("pin", "agent", "--to", "0", "--role", "db", "--reason", "old kernels")
    begun(world, 1)
    pins = '  - {hosts: ["db-00"], value: "9", reason: "by hand"}\n'
    edited = world.edit(AGENT, "pins:\n", f"pins:\n{pins}", "one is special")
    world.over(20)
    last = [row for row in world.rows if row["to"] == "9"]
    assert [(row["host"], row["from"], row["commit"], row["action"]) for row in last] == [
        ("db-00", "0", edited, "edit")
    ]


def test_a_default_of_a_variable_without_rollouts_is_told_to_everybody_at_once(world: World) -> None:
    world.publish()
    edited = world.edit(KERNEL, "default: 4096", "default: 16384", "more room")
    world.at(5).publish()
    assert world.counts("kernel") == {"16384": 52}
    rows = [row for row in world.rows if row["to"] == 16384]
    assert len(rows) == 52
    assert {(row["commit"], row["action"], row["reason"]) for row in rows} == {(edited, "edit", "more room")}


def test_a_default_edited_under_a_rollout_moves_nobody_that_is_known(world: World) -> None:
    begun(world)
    had = world.values
    edited = world.edit(AGENT, 'default: "1"', 'default: "1.1"', "for new ones")
    world.hosts(HOSTS | {"web-88": "web", "web-89": "web"})
    world.at(world.minute + 1).publish()
    changed = {host for host, told in had.items() if told != world.values[host]}
    assert all(world.values[host]["agent"] == '"2"' for host in changed), "nobody but those whose turn it is"
    new = [row for row in world.rows if row["to"] == "1.1"]
    assert {row["host"] for row in new} <= {"web-88", "web-89"}
    assert {row["commit"] for row in new} <= {edited}
    world.do("rollback", "agent", "--over", "1h")
    world.over(80)
    counts = world.counts()
    assert counts['"1"'] == 72
    assert sum(counts.values()) == 74


def test_the_value_of_a_rollout_is_edited(world: World) -> None:
    begun(world)
    moved = world.moved()
    edited = world.edit(AGENT, 'to: "2"', 'to: "2.0.1"', "a typo")
    told = len(world.rows)
    world.at(world.minute + 1).publish()
    assert moved <= world.moved()
    changed = [row for row in world.rows[told:] if row["from"] == "2"]
    assert {row["host"] for row in changed} == moved
    assert {(row["to"], row["action"]) for row in changed} == {("2.0.1", "edit")}
    assert {row["commit"] for row in changed} == {edited}
    world.over(5 * 60)
    assert world.counts() == {'"2.0.1"': 72}


def test_rollouts_taken_out_by_hand_leave_the_default(world: World) -> None:
    begun(world)
    moved = world.moved()
    world.commit({AGENT: AGENT_TEXT}, "no rollouts")
    told = len(world.rows)
    world.at(world.minute + 1).publish()
    assert world.counts() == {'"1"': 72}
    assert {row["host"] for row in world.rows[told:]} == moved


def test_a_percent_lowered_by_hand_takes_nobody_back(world: World) -> None:
    """An edit that makes the plan less steep: who was moved stays until the plan is there again."""
    world.set_every(60)
    world.publish()
    head = f"{AGENT_TEXT}rollouts:\n"
    world.commit({AGENT: head + rollout_text("agent-by-hand", '"2"', (0, 0), (10, 100))})
    world.over(5 * 60)
    moved = world.moved()
    world.commit({AGENT: head + rollout_text("agent-by-hand", '"2"', (0, 0), (20, 100))}, "slower")
    world.over(4 * 60)
    assert moved == world.moved()
    world.over(11 * 60)
    assert world.counts() == {'"2"': 72}


def test_a_schedule_that_falls_by_hand_is_a_rollback(world: World) -> None:
    begun(world)
    end = instant(600)
    points = f"{{at: {instant(300)}, percent: 50}}\n      - {{at: {instant(420)}, percent: 0}}"
    edited = world.edit(AGENT, f"{{at: {end}, percent: 100}}", points, "back, quick")
    told = len(world.rows)
    world.over(140)
    assert world.counts() == {'"1"': 72}
    assert {(row["commit"], row["action"]) for row in world.rows[told:]} == {(edited, "edit")}


def test_another_order_by_hand_moves_nobody_back(world: World) -> None:
    world.set_every(60)
    world.publish()
    world.do("start", "docker", "--to", "1.12.3", "--over", "2d")
    world.over(4 * 60)
    moved = world.moved("docker")
    world.edit(DOCKER, 'spread: rack\nfirst: ["web-07"]\n', 'first: ["*-00"]\n', "another order")
    world.over(3 * 60)
    assert moved <= world.moved("docker")


def test_another_variable_edited_again_and_again_does_not_disturb(world: World) -> None:
    begun(world, 1)
    for number in range(5):
        world.edit(KERNEL, f"default: {4096 + number}", f"default: {4097 + number}", f"kernel {number}")
        world.over(20)
    assert world.counts("kernel") == {"4101": 52}


@pytest.mark.parametrize("action", ["halt", "rollback"])
def test_a_pinned_host_is_left_alone_whatever_happens(world: World, action: str) -> None:
    begun(world, 2)
    host = sorted(world.moved())[0]
    world.do("pin", "agent", "--to", "2", "--host", host, "--reason", "keep it")
    world.over(20)
    world.do(action, "agent", *(("--over", "1h") if action == "rollback" else ()))
    world.over(80)
    assert world.values[host]["agent"] == '"2"'
    world.do("unpin", "agent", "--host", host)
    world.over(20)
    assert world.values[host]["agent"] == ('"2"' if action == "halt" else '"1"')
