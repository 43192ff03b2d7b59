"""Which decision a telling goes back to: across merges and hand edits, and where several were made in between."""

from collections.abc import Iterable

import pytest

from tests.scenarios.world import (
    AGENT,
    AGENT_TEXT,
    HOSTS,
    IGNORED,
    KERNEL,
    Row,
    World,
    beginning,
    instant,
    new_world,
    text_of,
)
from tsunami_cli.adapters.git import history
from tsunami_cli.commands import causes

world = pytest.fixture(new_world)
pytestmark = pytest.mark.filterwarnings(IGNORED)


@beginning
def begun(world: World, hours: int = 5) -> str:
    """Publish a rollout over ten hours for a while; return its start."""
    world.set_every(60)
    world.publish()
    made = world.do("start", "agent", "--to", "2", "--over", "10h", "--reason", "a fix")
    world.over(hours * 60)
    return made


def news(world: World, minutes: float = 1) -> list[Row]:
    """Publish, and return what was told."""
    told = len(world.rows)
    world.at(world.minute + minutes).publish()
    return list(world.rows[told:])


def whose(rows: Iterable[Row]) -> set[tuple[str, str, str | None]]:
    return {(row["commit"], row["action"], row["reason"]) for row in rows}


def beside(world: World, monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    """Decide, while a side branch changes the same file later, and merge that; return the decision."""
    git = world.fleet.git
    git("checkout", "-q", "-B", "side")
    git("checkout", "-q", "main")
    made = world.do(*words)
    git("checkout", "-q", "side")
    world.at(world.minute + 1)
    world.commit({AGENT: f"# At {world.now}\n{world.fleet.read(AGENT)}"}, "a comment")
    git("checkout", "-q", "main")
    world.at(world.minute + 1)
    for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"):
        monkeypatch.setenv(name, text_of(world.now))
    git("merge", "-q", "--no-edit", "side")
    for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"):
        monkeypatch.delenv(name)
    return made


# Merges


def test_a_start_stays_the_cause_where_a_side_branch_is_merged_after_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.set_every(60)
    world.publish()
    made = beside(world, monkeypatch, "start", "agent", "--to", "2", "--over", "10h", "--reason", "a fix")
    told = len(world.rows)
    world.over(3 * 60)
    assert world.moved()
    assert whose(world.rows[told:]) == {(made, "start", "a fix")}
    assert world.fleet.json("explain", min(world.moved()), "agent")["commit"] == made


def test_a_pin_and_its_end_stay_the_cause_where_a_side_branch_is_merged_after_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.publish()
    pinned = beside(world, monkeypatch, "pin", "agent", "--to", "9", "--role", "db", "--reason", "old kernels")
    rows = news(world)
    assert whose(rows) == {(pinned, "pin", "old kernels")}
    assert len(rows) == 5
    lifted = beside(world, monkeypatch, "unpin", "agent", "--role", "db", "--reason", "new kernels")
    rows = news(world)
    assert whose(rows) == {(lifted, "unpin", "new kernels")}
    assert len(rows) == 5


# Edits by hand


def test_another_value_of_a_rollout_is_the_edit_also_where_a_comment_came_after_it(world: World) -> None:
    made = begun(world)
    moved = world.moved()
    edited = world.edit(AGENT, 'to: "2"', 'to: "2.0.1"', "a typo")
    world.edit(AGENT, "name: agent\n", "name: agent  # on every host\n", "a comment")
    rows = news(world)
    assert whose(row for row in rows if row["host"] in moved) == {(edited, "edit", "a typo")}
    assert whose(row for row in rows if row["host"] not in moved) <= {(made, "start", "a fix")}


def test_a_rollout_deleted_by_hand_is_the_edit_that_deleted_it(world: World) -> None:
    begun(world)
    moved = world.moved()
    edited = world.commit({AGENT: AGENT_TEXT}, "no rollouts")
    world.commit({AGENT: f"# Mind the gap\n{AGENT_TEXT}"}, "a comment")
    rows = news(world)
    assert {row["host"] for row in rows} == moved
    assert whose(rows) == {(edited, "edit", "no rollouts")}


def test_a_schedule_that_falls_by_hand_is_that_edit(world: World) -> None:
    begun(world)
    points = f"{{at: {instant(300)}, percent: 50}}\n      - {{at: {instant(420)}, percent: 0}}"
    edited = world.edit(AGENT, f"{{at: {instant(600)}, percent: 100}}", points, "back, quick")
    world.edit(AGENT, "name: agent\n", "name: agent  # on every host\n", "a comment")
    told = len(world.rows)
    world.over(3 * 60)
    assert world.counts() == {'"1"': 72}
    assert whose(world.rows[told:]) == {(edited, "edit", "back, quick")}


def test_a_halt_lifted_by_hand_is_what_goes_on(world: World) -> None:
    begun(world, 2)
    world.do("halt", "agent")
    world.over(60)
    text = world.fleet.read(AGENT)
    edited = world.commit({AGENT: "".join(x for x in text.splitlines(True) if "halted:" not in x)}, "go on")
    assert whose(news(world, 60)) == {(edited, "edit", "go on")}


def test_roles_that_a_variable_leaves_are_the_edit_also_where_a_comment_came_after_it(world: World) -> None:
    world.publish()
    edited = world.edit(KERNEL, "roles: [edge, web]", "roles: [web]", "web alone")
    world.edit(KERNEL, "name: kernel\n", "name: kernel  # of what faces outward\n", "a comment")
    rows = news(world)
    assert {(HOSTS[row["host"]], row["variable"], row["to"]) for row in rows} == {("edge", "kernel", None)}
    assert whose(rows) == {(edited, "edit", "web alone")}


# The inventory


def test_a_host_that_leaves_the_roles_of_a_variable_is_the_inventorys_commit(world: World) -> None:
    world.publish()
    moved = world.hosts(HOSTS | {"web-03": "db"}, "web-03 is a db now")
    world.edit(KERNEL, "name: kernel\n", "name: kernel  # of what faces outward\n", "a comment")
    rows = [row for row in news(world) if row["host"] == "web-03"]
    assert [(row["variable"], row["from"], row["to"]) for row in rows] == [("kernel", 4096, None)]
    assert whose(rows) == {(moved, "edit", "web-03 is a db now")}


def test_a_host_that_is_gone_is_the_commit_that_took_it_out(world: World) -> None:
    world.publish()
    left = {host: role for host, role in HOSTS.items() if host != "web-03"}
    gone = world.hosts(left, "web-03 is scrapped")
    world.hosts(left | {"web-77": "web"}, "web-77 is new")
    rows = [row for row in news(world) if row["host"] == "web-03"]
    assert {row["to"] for row in rows} == {None}
    assert whose(rows) == {(gone, "edit", "web-03 is scrapped")}


# Pins, rollbacks, several at once


def test_a_pin_lifted_above_a_superseded_rollout_is_the_unpin(world: World) -> None:
    begun(world)
    host = min(world.moved())
    world.do("start", "agent", "--to", "3", "--over", "10h", "--supersede")
    world.at(world.minute + 1).publish()
    world.do("pin", "agent", "--to", "9", "--host", host, "--reason", "a test")
    assert [row["to"] for row in news(world) if row["host"] == host] == ["9"]
    lifted = world.do("unpin", "agent", "--host", host, "--reason", "tested")
    rows = [row for row in news(world) if row["host"] == host]
    assert [(row["from"], row["to"]) for row in rows] == [("9", "2")]
    assert whose(rows) == {(lifted, "unpin", "tested")}


def test_a_host_that_was_returned_is_explained_by_the_rollback(world: World) -> None:
    begun(world)
    moved = world.moved()
    back = world.do("rollback", "agent", "--over", "1h", "--reason", "it crashes")
    world.over(120)
    assert world.counts() == {'"1"': 72}
    found = world.fleet.json("explain", min(moved), "agent")
    assert (found["value"], found["commit"], found["action"], found["reason"]) == ("1", back, "rollback", "it crashes")


def test_a_halt_of_several_variables_is_a_halt_in_the_log_of_each(world: World) -> None:
    for name, to in (("agent", "2"), ("kernel", "8192")):
        world.do("start", name, "--to", to, "--over", "10h")
    made = world.at(60).do("halt", "--reason", "incident 42")
    for name in ("agent", "kernel"):
        last = world.fleet.json("log", name)[-1]
        assert (last["commit"], last["action"], last["variable"]) == (made, "halt", name)
        assert last["rollout"].startswith(name)


def test_history_is_walked_once_for_all_variables(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    walks: list[object] = []

    def counted(*given: object) -> object:
        walks.append(given)
        return history.decisions(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(causes, "decisions", counted)
    world.publish()
    assert {row["variable"] for row in world.rows} == {"agent", "docker", "kernel"}
    assert len(walks) == 1
