"""A job that runs again from an old commit must not undo a halt; and the same inputs give the same bytes."""

import shutil
from dataclasses import replace

import pytest

from tests.commands.fleet_world import copy_of, git
from tests.scenarios.world import IGNORED, LEDGER, World, beginning, new_world

world = pytest.fixture(new_world)
pytestmark = pytest.mark.filterwarnings(IGNORED)


@beginning
def begun(world: World) -> None:
    world.set_every(20)
    world.publish()
    world.do("start", "agent", "--to", "2", "--over", "10h")
    world.do("start", "docker", "--to", "1.12.3", "--over", "2d")
    world.over(3 * 60)


def test_a_branch_that_was_set_back_before_a_halt_is_not_published(world: World) -> None:
    begun(world)
    world.do("halt", "agent")
    world.over(40)
    moved = world.moved()
    world.fleet.git("reset", "-q", "--hard", "HEAD~1")
    said = world.at(world.minute + 20).refused()
    assert "--accept-rewind" in said
    assert world.fleet.run("publish", "--accept-rewind").code == 2, "a reason is needed"
    world.publish("--accept-rewind", "--reason", "the halt was a test")
    assert "Published with --accept-rewind: the halt was a test" in world.fleet.message(LEDGER)
    assert moved <= world.moved()
    world.over(7 * 60 + 40)
    assert world.counts() == {'"2"': 72}


def test_a_branch_that_was_rewritten_is_not_published(world: World) -> None:
    begun(world)
    world.fleet.git("commit", "-q", "--amend", "-m", "another story")
    world.at(world.minute + 20).refused()
    world.at(world.minute + 20).refused("--dry-run")


def test_an_old_clone_in_a_job_that_runs_again_is_refused(world: World) -> None:
    """A clone of a remote with the commit before the halt checked out: the branch of the remote counts."""
    root = world.fleet.root
    begun(world)
    git(root.parent, "clone", "-q", "--bare", "fleet", "remote.git")
    before = world.fleet.head()
    world.fleet.git("remote", "add", "origin", "../remote.git")
    world.fleet.git("fetch", "-q")
    world.fleet.git("branch", "-q", "-u", "origin/main", "main")
    world.do("halt", "agent")
    world.over(20)
    git(root.parent, "clone", "-q", "remote.git", "job")
    job = replace(world.fleet, root=root.parent / "job")
    job.git("reset", "-q", "--hard", before)
    had, tip = world.lying(), git(root.parent / "remote.git", "rev-parse", LEDGER)
    world.at(world.minute + 20)
    words = ("-C", str(job.root), "publish", "--to", f"file:{root}/public", "--json")
    said = world.fleet.run(*words)
    # Its branch is behind the remote's, which is what is published.
    assert said.code == 0
    assert said.data["source"] == world.fleet.head()
    assert said.data["told"] == sum(1 for row in said.data["changes"] for _ in row["hosts"])
    assert not any(row["variable"] == "agent" for row in said.data["changes"])
    git(root.parent / "remote.git", "update-ref", "refs/heads/main", before)
    job.git("update-ref", "refs/heads/main", before)
    world.at(world.minute + 20)
    said = world.fleet.run(*words)
    assert said.code == 1
    assert "--accept-rewind" in said.err
    assert had.keys() == world.lying().keys()
    assert git(root.parent / "remote.git", "rev-parse", f"{LEDGER}~1") in (tip, git(root, "rev-parse", f"{tip}~1"))


def test_the_same_inputs_give_the_same_bytes(world: World) -> None:
    """Two copies publish the same commit at the same instants to two folders."""
    begun(world)
    root = world.fleet.root
    copy = copy_of(root, root.parent / "copy")
    shutil.rmtree(copy / "public")
    for step in range(4):
        world.at(world.minute + 20)
        for folder in (root, copy):
            assert world.fleet.run("-C", str(folder), "publish").code == 0
        assert {path: data for path, data in world.lying(root).items() if path != "manifest.json"} == {
            path: data for path, data in world.lying(copy).items() if path != "manifest.json"
        }
        trees = [git(folder, "rev-parse", f"{LEDGER}^{{tree}}") for folder in (root, copy)]
        assert trees[0] == trees[1], step
    assert world.lying(root) == world.lying(copy), "the dates and the authors of the entries were the same too"
    world.rows = world.fleet.json("audit")
    for row in world.rows:
        del row["publish"]
