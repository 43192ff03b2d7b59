"""A ledger that was deleted, rewound or replaced on the remote, and how it comes back."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands.fleet_world import git
from tests.faults.looking import LEDGER
from tests.faults.world import World, alone, shared

REASON = "somebody cleaned up branches"
RECOVER = ("publish", "--recover", "--reason", REASON)


def deleted(world: World) -> None:
    git(world.counts, "update-ref", "-d", f"refs/heads/{LEDGER}")


def rewound(world: World) -> None:
    git(world.counts, "update-ref", f"refs/heads/{LEDGER}", f"{LEDGER}~2")


def replaced(world: World) -> None:
    """Put a history in its place that has nothing to do with it and is no ledger either."""
    tree = git(world.counts, "rev-parse", "main^{tree}")
    commit = git(world.counts, "commit-tree", tree, "-m", "pages")
    git(world.counts, "update-ref", f"refs/heads/{LEDGER}", commit)


def begun_afresh(world: World) -> None:
    """Put another ledger in its place, as a publish to another store begins one."""
    deleted(world)
    git(world.root.parent, "clone", "-q", "remote.git", "rival")
    World(world.root.parent / "rival", f"file:{world.root.parent}/elsewhere").ok("publish", minute=41)


def gone_for_good(world: World) -> World:
    """Return a fresh clone that has nothing of what was lost: cloning on one disk copies what no branch names too."""
    git(world.counts, "reflog", "expire", "--expire=now", "--all")
    git(world.counts, "gc", "-q", "--prune=now")
    return world.clone("fresh")


SLOW = pytest.mark.slow


@pytest.fixture
def gone(tmp_path: Path) -> World:
    """Return a world after three publishes, the last at minute 40; some hosts have moved."""
    world = shared(tmp_path / "world", published=3)
    assert 0 < list(world.values().values()).count("2") < 24
    return world


def refused(world: World) -> None:
    """A publish without --recover says what to do, and changes nothing."""
    before = (world.objects(), git(world.counts, "for-each-ref"))
    assert "--recover" in world.no(1, 60)
    assert (world.objects(), git(world.counts, "for-each-ref")) == before


def goes_on(world: World, before: dict[str, str]) -> None:
    """After a recovery: publishing goes on where it was, from a fresh clone too, and audit says what it can."""
    world.ok("publish", minute=60)
    check_store(world)
    middle = world.values()
    fresh = world.clone("ci")
    fresh.ok("publish", minute=80)
    check_store(world)
    after = world.values()
    for earlier, later in ((before, middle), (middle, after)):
        assert all(later[host] == "2" for host in earlier if earlier[host] == "2"), "no host goes back"
        # 20 minutes of 240 for 24 hosts, at most twice that, and one for each role by rounding.
        assert sum(later[host] != earlier[host] for host in earlier) <= 7
    assert list(after.values()).count("2") > list(before.values()).count("2")
    rows = fresh.run("audit", "--json", minute=90).data
    moved = {row["host"] for row in rows if row["to"] == "2" and row["at"] > "2026-11-16T09:41:00Z"}
    assert moved >= {host for host in after if after[host] != before[host]}
    assert git(world.counts, "fsck", "--strict", "--no-dangling", "--no-progress") == ""


def check_store(world: World) -> None:
    """The store is what the ledger's tip says."""
    objects = world.objects()
    manifest = json.loads(objects.pop("manifest.json"))
    assert manifest["ledger"] == world.tip
    assert world.tip is not None
    assert objects == world.bundles(world.tip)
    sequence = git(world.counts, "log", "-1", "--format=%(trailers:key=Tsunami-Sequence,valueonly)", LEDGER)
    assert manifest["sequence"] == int(sequence)


@pytest.mark.parametrize(
    "lose", [deleted, replaced, *(pytest.param(one, marks=SLOW) for one in (rewound, begun_afresh))]
)
def test_a_lost_ledger_comes_back_from_a_clone_that_has_it(gone: World, lose: Callable[[World], None]) -> None:
    before, tip = gone.values(), gone.tip
    assert tip is not None
    lose(gone)
    refused(gone)
    gone.ok(*RECOVER, minute=40)
    assert gone.values() == before, "nobody moves because of it"
    check_store(gone)
    git(gone.counts, "merge-base", "--is-ancestor", tip, LEDGER)
    rows = gone.run("audit", "--json", minute=40).data
    assert len([row for row in rows if row["to"] == "2"]) == list(before.values()).count("2")
    goes_on(gone, before)


@pytest.mark.parametrize(
    "lose", [rewound, replaced, *(pytest.param(one, marks=SLOW) for one in (deleted, begun_afresh))]
)
def test_a_lost_ledger_comes_back_from_the_store_alone(gone: World, lose: Callable[[World], None]) -> None:
    before = gone.values()
    lose(gone)
    fresh = gone_for_good(gone)
    refused(fresh)
    fresh.ok(*RECOVER, minute=40)
    assert gone.values() == before, "nobody moves because of it"
    check_store(gone)
    assert REASON in git(gone.counts, "log", "--format=%B", LEDGER)
    goes_on(fresh, before)


@pytest.mark.parametrize("lose", [deleted, pytest.param(rewound, marks=SLOW)])
def test_a_repository_without_a_remote_recovers_too(tmp_path: Path, lose: Callable[[World], None]) -> None:
    world = alone(tmp_path / "world", published=3)
    before = world.values()
    lose(world)
    assert "--recover" in world.no(1, 60)
    world.ok(*RECOVER, minute=40)
    assert world.values() == before
    check_store(world)
    world.ok("publish", minute=60)
    check_store(world)
