"""Everything that answers what hosts have, agrees with what is published; and a dry run with what comes."""

import json

import pytest

from tests.scenarios.world import DOCKER, HOSTS, IGNORED, LEDGER, World, beginning, instant, new_world

world = pytest.fixture(new_world)
pytestmark = pytest.mark.filterwarnings(IGNORED)


@beginning
def busy(world: World) -> None:
    """Two rollouts on their way, some hosts pinned, some that joined."""
    world.set_every(20)
    world.do("pin", "docker", "--to", "1.12.0", "--host", "web-1*", "--reason", "batch")
    world.publish()
    world.do("start", "agent", "--to", "2", "--over", "10h")
    world.do("start", "docker", "--to", "1.12.3", "--over", "2d")
    world.over(60)
    world.hosts(HOSTS | {"web-88": "web", "db-77": "db"})
    world.over(100)


def bundles(world: World) -> dict[str, bytes]:
    return {path: data for path, data in world.lying().items() if path.startswith("roles/")}


def rendered(world: World, *words: str) -> dict[str, bytes]:
    out = world.fleet.root.parent / "rendered"
    said = world.fleet.run("render", "--out", str(out), *words)
    assert said.code == 0, said
    return {f"roles/{file.name}": file.read_bytes() for file in (out / "roles").iterdir()}


def test_every_answer_is_what_was_published(world: World) -> None:
    busy(world)
    for host in ("web-01", "web-12", "web-88", "db-77", "edge-00", "search-03"):
        published = json.loads(world.lying()[f"hosts/{host}.json"])
        assert world.fleet.json("get", host) == published
        assert world.fleet.json("get", host, "--told") == published
        for name, value in published.items():
            found = world.fleet.json("explain", host, name)
            assert (found["value"], found["role"]) == (value, world.roles[host])
            last = [row for row in world.rows if (row["host"], row["variable"]) == (host, name)][-1]
            assert (found["told"], found["told_at"]) == (value, last["at"])
            assert (found["commit"], found["author"]) == (last["commit"], last["author"]), (host, name)


def test_the_status_counts_what_was_published(world: World) -> None:
    busy(world)
    status = world.fleet.json("status")
    assert status["ledger"] == world.manifest["ledger"]
    for found in status["variables"]:
        name = found["name"]
        counts = {str(json.loads(value)): count for value, count in world.counts(name).items()}
        assert found["values"] == counts, name
        for role in found["roles"]:
            assert role["hosts"] == sum(r == role["role"] for r in world.roles.values())
            if found["rollout"]:
                assert role["moved"] == len(world.moved(name, role["role"])), (name, role)
        if found["rollout"]:
            assert found["rollout"]["moved"] == len(world.moved(name))
            share = world.memory[name].shares[found["rollout"]["id"]]
            assert found["rollout"]["told_percent"] == round(float(100 * share), 4)


def test_the_plan_is_what_then_happens(world: World) -> None:
    busy(world)
    moves = world.fleet.json("plan", "agent")["variables"][0]["moves"]
    assert moves == sorted(moves, key=lambda move: (move["at"], move["host"]))
    assert {move["host"] for move in moves} == set(world.values) - world.moved()
    told = len(world.rows)
    world.over(2 * 60)
    came = {row["host"] for row in world.rows[told:] if row["variable"] == "agent"}
    assert came == {move["host"] for move in moves if move["at"] <= instant(world.minute)}


def test_what_is_rendered_is_what_the_next_publish_writes(world: World) -> None:
    assert rendered(world) == bundles_after(world)
    busy(world)
    for _ in range(3):
        world.at(world.minute + 20)
        assert rendered(world) == bundles_after(world)
    assert rendered(world) == bundles(world), "and once more, at the same instant"
    world.at(world.minute + 500)
    world.edit(DOCKER, "per_hour: 2", "per_hour: 3")
    assert rendered(world) == bundles_after(world), "late, and edited"


def bundles_after(world: World) -> dict[str, bytes]:
    world.publish()
    return bundles(world)


def test_the_past_is_answered_as_it_was_told(world: World) -> None:
    busy(world)
    minutes, seen, lying = world.minute, world.values, bundles(world)
    counts = {str(json.loads(value)): count for value, count in world.counts("docker").items()}
    world.hosts({host: role for host, role in HOSTS.items() if host != "web-01"})
    world.do("halt", "agent")
    world.over(40)
    world.do("resume", "agent", "--over", "1h")
    world.over(80)
    for later in (0, 7):
        then = ("--at", instant(minutes + later))
        for host in ("web-01", "web-12", "web-88", "db-77"):
            answer = {name: json.dumps(value) for name, value in world.fleet.json("get", host, *then).items()}
            assert answer == seen[host]
        assert world.fleet.status("docker", *then)["values"] == counts
        assert rendered(world, *then) == lying
        assert world.fleet.json("explain", "web-01", "agent", *then)["value"] == json.loads(seen["web-01"]["agent"])


def test_a_dry_run_says_what_the_publish_then_does_and_changes_nothing(world: World) -> None:
    before = world.fleet.snapshot()
    assert world.fleet.json("publish", "--dry-run")["told"] == 72 * 2 + 52
    assert world.fleet.snapshot() == before
    busy(world)
    world.hosts({host: role for host, role in HOSTS.items() if host != "web-01"})
    for _ in range(3):
        world.at(world.minute + 20)
        before, objects = world.fleet.snapshot(), world.fleet.git("count-objects", "-v")
        dry = world.fleet.json("publish", "--dry-run")
        assert (world.fleet.snapshot(), world.fleet.git("count-objects", "-v")) == (before, objects)
        done = world.publish()
        for key in ("sequence", "rendered_at", "source", "told", "uploaded", "deleted", "unchanged", "held", "changes"):
            assert dry[key] == done[key], key


def test_a_publish_with_nothing_new_makes_no_entry_and_renews_the_manifest(world: World) -> None:
    world.publish()
    tip = world.fleet.git("rev-parse", LEDGER)
    world.at(30).publish()
    assert world.fleet.git("rev-parse", LEDGER) == tip
    assert world.manifest["rendered_at"] == instant(30)
    assert world.manifest["expires_at"] == instant(90)


@pytest.mark.slow
def test_the_manifest_of_a_slow_rollout_moves_on_with_its_ledger(world: World) -> None:
    """Two hosts over ten days: nobody is told anything for long, and told progress is recorded all the same."""
    world.set_every(60)
    world.hosts({"db-00": "db", "web-01": "web"})
    world.publish()
    world.do("start", "agent", "--to", "2", "--over", "10d")
    world.over(24 * 60)
    assert world.manifest["sequence"] >= 24
    world.over(11 * 24 * 60, 4 * 60)
    assert len(world.rows) >= 2 * 3
