"""A ledger that comes back from the store alone, in the states in which that is hard."""

import json
from pathlib import Path

import pytest

from tests.commands.fleet_world import git
from tests.faults.looking import LEDGER
from tests.faults.test_killed import KILLED, mortal
from tests.faults.test_recovery import REASON, RECOVER, check_store, deleted, goes_on, gone_for_good
from tests.faults.world import AGENT, World, ended, shared


@pytest.fixture
def gone(tmp_path: Path) -> World:
    """Return a world after three publishes, the last at minute 40; some hosts have moved."""
    return shared(tmp_path / "world", published=3)


@pytest.mark.slow
def test_a_rollout_that_was_complete_stays_complete(tmp_path: Path) -> None:
    """Also if it is recovered from the store alone, and a machine has joined meanwhile."""
    world = shared(tmp_path / "world")
    for minute in range(0, 281, 40):
        world.ok("publish", minute=minute)
    assert set(world.values().values()) == {"2"}
    deleted(world)
    fresh = gone_for_good(world)
    inventory = fresh.root / "inventory.csv"
    inventory.write_text(inventory.read_text() + "db-99,db\n")
    fresh.git("commit", "-qam", "One more")
    fresh.git("push", "-q")
    fresh.ok(*RECOVER, minute=300)
    assert set(fresh.values().values()) == {"2"}
    assert len(fresh.values()) == 25


@pytest.mark.slow
def test_a_rollback_goes_on_after_a_recovery(gone: World) -> None:
    gone.ok("rollback", "agent", "--over", "1h", minute=41)
    gone.ok("publish", minute=42)
    before = gone.values()
    deleted(gone)
    fresh = gone_for_good(gone)
    fresh.ok(*RECOVER, minute=42)
    assert fresh.values() == before
    fresh.ok("publish", minute=70)
    middle = fresh.values()
    assert all(middle[host] == "1" for host in before if before[host] == "1")
    fresh.ok("publish", minute=102)
    assert set(fresh.values().values()) == {"1"}


@pytest.mark.slow
def test_a_halted_rollout_stays_as_it_is_after_a_recovery(gone: World) -> None:
    gone.ok("halt", "agent", minute=41)
    gone.ok("publish", minute=41)
    before = gone.values()
    deleted(gone)
    fresh = gone_for_good(gone)
    fresh.ok(*RECOVER, minute=60)
    fresh.ok("publish", minute=100)
    assert fresh.values() == before
    fresh.ok("resume", "agent", minute=101)
    fresh.ok("publish", minute=121)
    after = fresh.values()
    assert all(after[host] == "2" for host in before if before[host] == "2")


def test_a_role_that_was_gone_is_not_brought_back_by_a_recovery(gone: World) -> None:
    rows = (gone.root / "inventory.csv").read_text().splitlines()
    (gone.root / "inventory.csv").write_text("\n".join(row for row in rows if not row.startswith("db-")) + "\n")
    gone.git("commit", "-qam", "No databases")
    gone.git("push", "-q")
    gone.ok("publish", "--accept-shrink", "8", minute=41)
    git(gone.counts, "update-ref", f"refs/heads/{LEDGER}", f"{LEDGER}~2")
    fresh = gone_for_good(gone)
    fresh.ok(*RECOVER, minute=42)
    check_store(fresh)
    assert "roles/db.json" not in fresh.objects()


def test_a_store_that_is_not_as_its_manifest_says_is_no_ground_for_a_recovery(gone: World) -> None:
    deleted(gone)
    fresh = gone_for_good(gone)
    bundle = Path(gone.to.removeprefix("file:")) / "roles/web.json"
    bundle.write_bytes(bundle.read_bytes().replace(b'"2"', b'"1"'))
    error = fresh.no(1, 60, "--recover", "--reason", REASON)
    assert "roles/web.json" in error
    assert fresh.tip is None


def test_recovering_what_is_not_lost_changes_nothing(gone: World) -> None:
    entries, before = gone.entries(), gone.objects()
    gone.ok(*RECOVER, minute=40)
    assert gone.entries() == entries
    assert gone.objects().keys() == before.keys()
    assert gone.values() == {path[6:-5]: json.loads(before[path])["agent"] for path in before if path[:6] == "hosts/"}


def test_two_recover_at_once(gone: World) -> None:
    before = gone.values()
    deleted(gone)
    clones = [gone.clone("one"), gone.clone("two")]
    begun = [clone.begin(*RECOVER, minute=40) for clone in clones]
    said = [ended(process) for process in begun]
    assert [one.code for one in said] == [0, 0], said
    assert gone.values() == before
    check_store(gone)
    goes_on(clones[0], before)


def test_a_dry_run_of_a_recovery_changes_nothing(gone: World) -> None:
    deleted(gone)
    refs, before = git(gone.counts, "for-each-ref"), gone.objects()
    for world in (gone, gone_for_good(gone)):
        world.run(*RECOVER, "--dry-run", minute=60)
        assert git(gone.counts, "for-each-ref") == refs
        assert gone.objects() == before


def test_a_variable_that_cannot_be_read_is_not_forgotten_by_a_recovery(gone: World) -> None:
    """Who was moved has to be known still when its file is mended: a rollback returns exactly them."""
    before = gone.values()
    sound = (gone.root / AGENT).read_text()
    edit(gone, sound + "<<<<<<< HEAD\n")
    deleted(gone)
    fresh = gone_for_good(gone)
    for _ in range(2):  # refused until the file is mended, or recovered and exit 1: never forgotten
        assert fresh.run(*RECOVER, minute=40).code == 1
        assert fresh.values() == before
    edit(fresh, sound)
    fresh.ok(*RECOVER, minute=40)
    assert fresh.values() == before
    fresh.ok("rollback", "agent", "--over", "10m", minute=41)
    for minute in (45, 52, 60):
        fresh.ok("publish", minute=minute)
    assert set(fresh.values().values()) == {"1"}


def edit(world: World, text: str) -> None:
    (world.root / AGENT).write_text(text)
    world.git("commit", "-qam", "An edit")
    world.git("push", "-q")


@pytest.mark.parametrize("steps", [(16,), pytest.param(range(1, 40), marks=pytest.mark.slow)])
def test_a_recovery_that_was_killed_is_finished_by_the_next(tmp_path: Path, steps: range) -> None:
    for n in steps:
        world = shared(tmp_path / str(n), published=3)
        before = world.values()
        deleted(world)
        fresh = gone_for_good(world)
        said = fresh.apart(*RECOVER, minute=40, **mortal(tmp_path / "mortal", n))
        assert said.code in (0, KILLED), said
        assert fresh.publish(40).code in (0, 1)
        fresh.ok(*RECOVER, minute=40)
        assert world.values() == before
        check_store(world)
        if said.code != KILLED:
            return
