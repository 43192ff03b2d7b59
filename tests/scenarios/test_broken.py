"""Files that break, vanish and come back: whoever was told something keeps it, and the others go on."""

import pytest

from tests.scenarios.world import (
    AGENT,
    AGENT_TEXT,
    HOSTS,
    IGNORED,
    KERNEL,
    SETTINGS,
    World,
    beginning,
    inventory_text,
    new_world,
)

world = pytest.fixture(new_world)
pytestmark = pytest.mark.filterwarnings(IGNORED)


@beginning
def begun(world: World) -> None:
    """Two variables on their way, three hours into ten."""
    world.publish()
    world.do("start", "agent", "--to", "2", "--over", "10h")
    world.do("start", "kernel", "--to", "8192", "--over", "10h")
    world.over(3 * 60, 20)


def test_a_deleted_file_keeps_everybody_until_it_is_put_back(world: World) -> None:
    begun(world)
    moved = world.moved()
    world.fleet.git("rm", "-q", AGENT)
    gone = world.commit({}, "tidied up")
    data = world.at(world.minute + 10).publish(code=1)
    assert [problem["file"] for problem in data["problems"]] == [AGENT]
    assert "retire agent" in data["problems"][0]["message"]
    assert "agent" in {held["variable"] for held in data["held"]}
    world.over(60, 20, code=1)
    assert len(world.moved("kernel")) > len(moved) * 52 // 72, "the others go on"
    world.fleet.git("revert", "--no-edit", gone)
    world.at(world.minute + 10).publish()
    assert moved <= world.moved()
    # Told progress stood still for 80 minutes; two intervals of ten at twice the pace may be caught up at once.
    assert len(world.moved()) <= len(moved) + 72 * 40 / 600 + 4
    world.over(7 * 60, 20)
    assert world.counts() == {'"2"': 72}


def test_a_retired_variable_goes_with_the_next_publish(world: World) -> None:
    begun(world)
    retired = world.do("retire", "agent", "--reason", "in the image now")
    world.at(world.minute + 10).publish()
    last = [row for row in world.rows if row["variable"] == "agent" and row["to"] is None]
    assert len(last) == 72
    assert {(row["commit"], row["action"], row["reason"]) for row in last} == {(retired, "retire", "in the image now")}
    world.over(20)
    world.fleet.git("revert", "--no-edit", retired)
    world.at(world.minute + 10).publish()
    assert all("agent" in told for told in world.values.values())


def test_a_variable_deleted_by_hand_can_still_be_retired_once_it_is_back(world: World) -> None:
    begun(world)
    world.fleet.git("rm", "-q", AGENT)
    gone = world.commit({}, "tidied up")
    world.at(world.minute + 10).publish(code=1)
    world.fleet.git("revert", "--no-edit", gone)
    world.do("retire", "agent")
    world.publish()
    assert not any("agent" in told for told in world.values.values())


def test_a_value_schema_that_does_not_fit_any_more_stops_its_variable_alone(world: World) -> None:
    begun(world)
    had = {host: told["agent"] for host, told in world.values.items()}
    kernels = len(world.moved("kernel"))
    world.edit(AGENT, "^[a-z0-9.]+$", "^v[0-9]+$")
    world.over(2 * 60, 20, code=1)
    assert {host: told["agent"] for host, told in world.values.items()} == had
    assert len(world.moved("kernel")) > kernels
    world.edit(AGENT, "^v[0-9]+$", "^[a-z0-9.]+$")
    moved = len(world.moved())
    world.at(world.minute + 10).publish()
    assert len(world.moved()) <= moved + 72 * 40 / 600 + 4
    world.over(8 * 60, 20)
    assert world.counts() == {'"2"': 72}


@pytest.mark.parametrize("text", ["", "name: agent\n", "<<<<<<< a\nname: agent\n", "name: agnt\nvalue: {}\n", "\x00"])
def test_whatever_breaks_a_file_nobody_moves(world: World, text: str) -> None:
    begun(world)
    had = world.values
    world.commit({AGENT: text})
    world.at(world.minute + 10).publish(code=1)
    assert {host: told["agent"] for host, told in had.items()} == {h: t["agent"] for h, t in world.values.items()}


def test_a_host_that_joins_while_the_file_is_broken_is_told_the_rest(world: World) -> None:
    begun(world)
    world.commit({AGENT: "broken: [\n"})
    world.hosts(HOSTS | {"web-77": "web"})
    world.at(world.minute + 10).publish(code=1)
    assert sorted(world.values["web-77"]) == ["docker", "kernel"]
    world.commit({AGENT: AGENT_TEXT})
    world.at(world.minute + 10).publish()
    assert sorted(world.values["web-77"]) == ["agent", "docker", "kernel"]


def test_hosts_that_leave_while_a_file_is_broken_are_known_when_it_is_mended(world: World) -> None:
    begun(world)
    moved = sorted(world.moved())
    gone = moved[0]
    text = world.fleet.read(AGENT)
    world.commit({AGENT: text + "x: 1\n"})
    world.over(20, code=1)
    world.hosts({host: role for host, role in HOSTS.items() if host != gone})
    world.over(20, code=1)
    world.commit({AGENT: text})
    world.over(20)
    world.hosts(HOSTS)
    world.at(world.minute + 10).publish()
    assert world.values[gone]["agent"] == '"2"'


def test_a_host_that_leaves_and_comes_back_while_a_file_is_broken_has_what_it_had(world: World) -> None:
    begun(world)
    gone = sorted(world.moved())[0]
    text = world.fleet.read(AGENT)
    world.hosts({host: role for host, role in HOSTS.items() if host != gone})
    world.at(world.minute + 10).publish()
    world.commit({AGENT: text + "x: 1\n"})
    world.at(world.minute + 10).publish(code=1)
    world.hosts(HOSTS)
    world.at(world.minute + 10).publish(code=1)
    assert world.values[gone].get("agent") in (None, '"2"')
    world.commit({AGENT: text})
    world.at(world.minute + 10).publish()
    assert world.values[gone]["agent"] == '"2"'


def test_a_broken_variable_that_nobody_knows_stops_everything(world: World) -> None:
    begun(world)
    world.commit({"rollouts/new.yaml": "name: new\nvalue: {type: integer}\ndefault: x\n"})
    assert "nobody was ever told new" in world.at(world.minute + 10).refused()
    world.commit({"rollouts/new.yaml": "name: new\nvalue: {type: integer}\ndefault: 3\n"})
    world.publish()
    assert world.counts("new") == {"3": 72}


@pytest.mark.parametrize(
    "files",
    [
        {"tsunami.yaml": "fleet: [\n"},
        {"tsunami.yaml": SETTINGS.format(10) + "  tempo: fast\n"},
        {"inventory.csv": inventory_text(HOSTS) + "web-01,web,r1\n"},
        {"inventory.csv": inventory_text(HOSTS) + "Web_01,web,r1\n"},
    ],
)
def test_broken_settings_and_inventories_stop_everything(world: World, files: dict[str, str]) -> None:
    begun(world)
    moved = world.moved()
    world.commit(files)
    world.at(world.minute + 10).refused()
    world.at(world.minute + 10).refused()
    world.fleet.git("revert", "--no-edit", "HEAD")
    world.publish()
    assert moved <= world.moved()
    assert len(world.moved()) <= len(moved) + 72 * 40 / 600 + 4


def test_a_file_put_back_after_it_was_broken_from_the_first_publish_on(world: World) -> None:
    world.commit({KERNEL: "name: kernel\n"})
    world.refused()
    world.fleet.git("revert", "--no-edit", "HEAD")
    world.publish()
