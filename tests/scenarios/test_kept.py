"""What hosts keep: of files that break or vanish, and of rollouts, pins and progress that come and go meanwhile."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.scenarios.world import AGENT, AGENT_TEXT, HOSTS, IGNORED, KERNEL, KERNEL_TEXT, World, beginning, new_world
from tsunami_cli.core.record import parse_told, told_text
from tsunami_cli.core.told import Telling, Told
from tsunami_cli.core.values import value_of

world = pytest.fixture(new_world)
pytestmark = pytest.mark.filterwarnings(IGNORED)

BROKEN = "oops: [\n"


@beginning
def begun(world: World, hours: int = 5, variable: str = "agent", to: str = "2") -> None:
    world.set_every(60)
    world.publish()
    world.do("start", variable, "--to", to, "--over", "10h")
    world.over(hours * 60)


def breaks(world: World, path: str = AGENT, subject: str = "a typo") -> str:
    """Break a file; return what it was."""
    text = world.fleet.git("show", f"main:{path}") + "\n"
    world.commit({path: text + BROKEN}, subject)
    return text


# Publishing


@pytest.mark.parametrize("pinned", [False, True])
def test_a_host_that_is_back_while_the_file_is_bad_gets_what_it_was_told(world: World, pinned: bool) -> None:
    begun(world)
    host, value = min(world.moved()), '"2"'
    if pinned:
        world.do("pin", "agent", "--to", "9", "--host", host, "--reason", "a test")
        world.at(world.minute + 1).publish()
        value = '"9"'
    world.hosts({name: role for name, role in HOSTS.items() if name != host})
    world.at(world.minute + 10).publish()
    breaks(world)
    world.hosts(HOSTS, "it is back")
    told = len(world.rows)
    world.at(world.minute + 10).publish(code=1)
    assert world.values[host]["agent"] == value
    rows = [row for row in world.rows[told:] if row["variable"] == "agent"]
    assert [(row["host"], row["from"], json.dumps(row["to"])) for row in rows] == [(host, None, value)]


def test_a_new_host_gets_nothing_of_a_bad_file(world: World) -> None:
    begun(world)
    text = breaks(world)
    world.hosts(HOSTS | {"web-77": "web"})
    world.at(world.minute + 10).publish(code=1)
    assert "agent" not in world.values["web-77"]
    world.commit({AGENT: text}, "mended")
    world.at(world.minute + 10).publish()
    assert "agent" in world.values["web-77"]


def test_rollouts_of_a_variable_for_nobody_are_kept_while_its_file_is_bad(world: World) -> None:
    begun(world, variable="kernel", to="8192")
    had, moved = world.values, world.moved("kernel")
    good = world.fleet.git("show", f"main:{KERNEL}") + "\n"
    world.edit(KERNEL, "roles: [edge, web]", "roles: [zz]")
    world.at(world.minute + 1).publish()
    assert not any("kernel" in told for told in world.values.values())
    breaks(world, KERNEL)
    world.at(world.minute + 1).publish(code=1)
    world.commit({KERNEL: good}, "as it was")
    world.at(world.minute + 1).publish()
    assert all(world.values[host]["kernel"] == had[host]["kernel"] == "8192" for host in moved)


def test_progress_is_forgotten_with_the_rollout_also_while_another_file_is_bad(world: World) -> None:
    """Else the rollout, put back, would go on where it was with everybody at once."""
    begun(world)
    rollout = world.variable("agent").rollouts[-1].id
    text = world.fleet.git("show", f"main:{AGENT}") + "\n"
    world.commit({AGENT: AGENT_TEXT, KERNEL: KERNEL_TEXT + BROKEN}, "a bad merge")
    world.at(world.minute + 1).publish(code=1)
    assert world.counts() == {'"1"': 72}
    assert rollout not in json.loads(world.blob("tsunami-ledger:progress.json") or b"")
    world.set_every(5)
    world.commit({AGENT: text, KERNEL: KERNEL_TEXT}, "mended")
    # What the hour allows is used up by then no more.
    world.at(world.minute + 61).publish()
    assert world.moved()
    # At most what twice the pace gives in two intervals, and one for each role by rounding.
    assert len(world.moved()) <= 72 * 20 / 600 + 4


def test_progress_of_a_bad_file_is_kept(world: World) -> None:
    begun(world)
    rollout = world.variable("agent").rollouts[-1].id
    breaks(world)
    world.hosts(HOSTS | {"web-77": "web"})
    world.at(world.minute + 10).publish(code=1)
    assert json.loads(world.blob("tsunami-ledger:progress.json") or b"")[rollout] == "1/2"


def test_a_host_pinned_to_the_new_value_keeps_it_through_a_role_without_the_variable(world: World) -> None:
    begun(world, 1, "kernel", "8192")
    host = max(name for name in set(HOSTS) - world.moved("kernel") if HOSTS[name] == "web")
    world.do("pin", "kernel", "--to", "8192", "--host", host, "--reason", "early")
    world.at(world.minute + 1).publish()
    world.hosts(HOSTS | {host: "db"}, "away")
    world.at(world.minute + 1).publish()
    assert "kernel" not in world.values[host]
    world.do("unpin", "kernel", "--host", host)
    world.hosts(HOSTS, "back")
    world.at(world.minute + 1).publish()
    assert world.values[host]["kernel"] == "8192"


def test_a_long_text_is_read_back(world: World) -> None:
    """The csv module stops at 131,072 characters of its own accord."""
    at = datetime(2026, 11, 16, 9, tzinfo=UTC)
    for text in ("x" * 140_000, '"' * 140_000):
        telling = Telling(value_of(text), at)
        told = Told(at, {}, {"r": {"h": telling}}, {"h": telling}, {})
        found = parse_told(told_text(told, ["r"]))
        assert (found.moved, found.before) == ({"r": {"h": telling}}, {"h": telling})


# What get and render say of it


def shown(world: World, host: str, out: Path) -> tuple[int, dict[str, object], dict[str, object], str]:
    """Return what get and render show a host, with their exit code and what they note."""
    got = world.fleet.run("get", host)
    rendered = world.fleet.run("render", "--out", str(out))
    assert rendered.code == got.code
    bundle = json.loads((out / f"roles/{HOSTS[host]}.json").read_text())
    return got.code, got.data, bundle["hosts"][host], got.err + rendered.err


@pytest.mark.parametrize("how", ["broken", "gone"])
def test_get_and_render_show_what_hosts_keep_of_a_bad_file(world: World, tmp_path: Path, how: str) -> None:
    begun(world)
    host = min(world.moved())
    if how == "broken":
        breaks(world)
    else:
        world.fleet.git("rm", "-q", AGENT)
        world.commit({}, "tidied up")
    code, got, rendered, err = shown(world, host, tmp_path / "out")
    assert (code, got, rendered) == (1, rendered, got)
    assert got["agent"] == "2"
    assert err.count(f"warning: {AGENT}:") == 2
    assert world.fleet.run("get", host, "agent").out == "2\n"
    assert world.fleet.ok("get", host, "docker") == "1.12.1\n", "the others are not concerned"
    world.publish(code=1)
    assert json.loads(world.lying()[f"hosts/{host}.json"]) == got


def test_get_and_render_leave_out_what_was_retired(world: World, tmp_path: Path) -> None:
    begun(world)
    host = min(world.moved())
    world.do("retire", "agent")
    code, got, rendered, err = shown(world, host, tmp_path / "out")
    assert (code, got, err) == (0, rendered, "")
    assert "agent" not in got
    assert "no such variable" in world.fleet.no("get", host, "agent")


def test_a_bad_file_of_which_nobody_was_told_anything_is_an_error(world: World) -> None:
    world.publish()
    world.commit({"rollouts/new.yaml": "name: new\n"})
    assert "nobody was ever told new" in world.fleet.no("get", "web-00")
    assert "nobody was ever told new" in world.refused()
