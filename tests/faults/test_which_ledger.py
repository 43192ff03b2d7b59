"""Which ledger counts: of remotes by any name, of clones that went their own way or are cut off, after clocks."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.commands.fleet_world import git
from tests.faults.looking import LEDGER
from tests.faults.world import AGENT, World, assert_one_line, shared


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world after two publishes, the last at minute 20."""
    return shared(tmp_path / "world", published=2)


def cloned(world: World, *words: str) -> World:
    """Return a clone as `git clone` makes it with more words."""
    place = world.root.parent / "other"
    git(world.root.parent, "clone", "-q", *words, f"file://{world.counts}", str(place))
    return replace(world, root=place)


def refs(world: World) -> str:
    return world.git("for-each-ref") + git(world.counts, "for-each-ref")


def committed(world: World, path: str, text: str) -> None:
    """Commit a change by hand, and push it."""
    (world.root / path).write_text(text)
    world.git("commit", "-q", "-a", "-m", f"Change {path}")
    world.git("push", "-q")


def told(world: World, host: str, minute: float) -> object:
    return world.run("get", host, "agent", "--told", "--json", minute=minute).data


def percent(world: World) -> float:
    found: float = world.run("status", "agent", "--json", minute=21).data["variables"][0]["rollout"]["told_percent"]
    return found


# Remotes by any name


def test_a_remote_by_another_name_is_read(world: World) -> None:
    other = cloned(world, "-o", "up")
    data = other.run("status", "agent", "--json", minute=230).data
    assert data["ledger"] == world.tip
    assert data["variables"][0]["rollout"]["told_percent"] < 20 < data["variables"][0]["rollout"]["percent"]
    assert {told(other, host, 230) for host in ("api-0", "web-1")} <= {"1", "2"}


def test_decisions_go_on_from_what_a_remote_by_another_name_says(world: World) -> None:
    other, before = cloned(world, "-o", "up"), percent(world)
    assert 0 < before < 20
    said = other.run("start", "agent", "--to", "3", "--over", "1h", minute=300)
    assert_one_line(said, 1)
    assert "is running" in said.err
    other.ok("rollback", "agent", "--over", "1h", minute=300)
    text = git(world.counts, "show", f"main:{AGENT}")
    points = [line.rpartition("percent: ")[2].rstrip("}") for line in text.splitlines() if "percent: " in line]
    assert float(points[-1]) == 0
    assert all(abs(float(one) - before) < 0.001 for one in points[1:-1]), points


def test_a_publish_goes_on_from_a_remote_by_another_name(world: World) -> None:
    other = cloned(world, "-o", "up")
    other.ok("publish", minute=40)
    assert [entry.sequence for entry in world.entries()] == [1, 2, 3]
    world.check_mended()


def test_a_branch_without_an_upstream_does_not_begin_a_ledger_beside_that_of_a_remote(world: World) -> None:
    other = cloned(world, "-o", "up")
    other.git("branch", "-q", "--unset-upstream", "main")
    before = refs(other)
    elsewhere = replace(other, to=f"file:{world.root.parent}/elsewhere")
    assert "git branch -u" in elsewhere.no(1, 40)
    assert refs(other) == before
    assert not (world.root.parent / "elsewhere/manifest.json").exists()
    other.git("branch", "-q", "-u", "up/main", "main")
    other.ok("publish", minute=40)
    world.check_mended()


# Ledgers that went apart, or are gone


def test_what_was_fetched_wins_over_a_branch_that_went_another_way(world: World) -> None:
    other = cloned(world)
    first = f"origin/{LEDGER}~1"
    text = other.git("log", "-1", "--format=%B", first).replace("Tsunami-Sequence: 1", "Tsunami-Sequence: 2")
    rival = other.git("commit-tree", "-p", first, "-m", text, f"{first}^{{tree}}")
    other.git("update-ref", f"refs/heads/{LEDGER}", rival)
    assert other.run("status", "--json", minute=21).data["ledger"] == world.tip
    moved = min(host for host, value in world.values().items() if value == "2")
    assert told(other, moved, 21) == "2"
    other.ok("rollback", "agent", "--over", "1h", minute=21)
    assert "percent: 8.3333" in git(world.counts, "show", f"main:{AGENT}"), "a twelfth, as the remote's says"
    other.ok("publish", minute=22)
    world.check_mended()


@pytest.mark.parametrize("prune", [False, True])
def test_an_old_ledger_does_not_come_back_where_the_remotes_is_gone(world: World, prune: bool) -> None:
    old = cloned(world)
    old.git("branch", "-q", "--no-track", LEDGER, f"origin/{LEDGER}~1")
    last = world.tip
    git(world.counts, "update-ref", "-d", f"refs/heads/{LEDGER}")
    if prune:
        old.git("fetch", "-q", "--prune")
    before = refs(old)
    elsewhere = replace(old, to=f"file:{world.root.parent}/elsewhere")
    said = elsewhere.no(1, 40)
    assert "git push origin" in said
    assert "--recover" in said
    assert refs(old) == before
    assert not (world.root.parent / "elsewhere/manifest.json").exists()
    # The way out that it names, from the clone that has the last one.
    world.git("push", "-q", "origin", f"{last}:refs/heads/{LEDGER}")
    old.ok("publish", minute=40)
    world.check_mended()


# History that is cut off


def test_a_clone_that_is_cut_off_records_no_wrong_decision(world: World) -> None:
    committed(world, "inventory.csv", (world.root / "inventory.csv").read_text() + "\n")
    world.ok("publish", minute=21)
    other = cloned(world, "--depth", "1")
    said = other.publish(60)
    assert said.code == 0, said
    assert "git fetch --unshallow" in said.err
    rows = world.entries()[-1].tellings
    assert {row["to"] for row in rows} == {"2"}
    assert {(row["commit"], row["author"], row["action"], row["reason"]) for row in rows} == {(None,) * 4}
    other.git("fetch", "-q", "--unshallow")
    assert other.publish(80).err == ""
    assert {row["action"] for row in world.entries()[-1].tellings} == {"start"}
    world.check_mended()


def test_a_clone_that_is_cut_off_after_the_decision_knows_it(world: World) -> None:
    other = cloned(world, "--depth", "1")
    assert other.publish(40).err == ""
    assert {row["action"] for row in world.entries()[-1].tellings} == {"start"}


# Clocks


def test_changes_of_a_future_that_was_none_do_not_use_up_the_hour(tmp_path: Path) -> None:
    world = shared(tmp_path / "world", published=1)
    committed(world, AGENT, (world.root / AGENT).read_text() + 'limits: {"*": {per_hour: 1}}\n')
    world.ok("publish", minute=20 * 365 * 24 * 60)
    recent = json.loads(git(world.counts, "show", f"{LEDGER}:recent.json"))
    assert len(recent["agent"]) == 3, "every role has used its hour up"
    world.ok("publish", "--reset-clock", "--reason", "a typed year", minute=30)
    before = list(world.values().values()).count("2")
    world.ok("publish", minute=50)
    world.ok("publish", minute=70)
    assert list(world.values().values()).count("2") > before
    world.check_mended()
