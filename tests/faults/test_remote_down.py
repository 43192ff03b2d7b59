"""A remote that refuses, is gone or does not answer: nobody is told anything, and nothing begins afresh."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.fleet_world import git
from tests.faults.looking import LEDGER
from tests.faults.world import AGENT, World, assert_one_line, shared

CLOSED = """#!/bin/sh
while read -r old new ref; do
    case "$ref" in {refs}) echo "protected: ask the platform team" >&2; exit 1;; esac
done
"""


def close(world: World, refs: str) -> Path:
    """Let the remote refuse pushes to some refs; return the hook that does so."""
    hook = world.counts / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(CLOSED.format(refs=refs))
    hook.chmod(0o755)
    return hook


def untouched(world: World, code: int, minute: float, **env: str) -> str:
    """Publish, which fails and changes nothing anywhere; return what it said."""
    before = (world.objects(), world.tip, git(world.counts, "for-each-ref"))
    error = world.no(code, minute, **env)
    assert (world.objects(), world.tip, git(world.counts, "for-each-ref")) == before
    return error


@pytest.mark.parametrize("published", [0, 2])
def test_a_remote_that_refuses_the_ledger_is_exit_1_with_the_way_out(tmp_path: Path, published: int) -> None:
    world = shared(tmp_path / "world", published=published)
    hook = close(world, f"refs/heads/{LEDGER}")
    for _ in range(2):
        error = untouched(world, 1, 60)
        assert "protected: ask the platform team" in error
        assert "nobody was told anything" in error
        assert "right to push" in error
    hook.unlink()
    world.ok("publish", minute=60)
    world.check_mended()


def test_a_refused_ledger_is_no_matter_for_a_pull_request(tmp_path: Path) -> None:
    """Nobody reviews and merges who was told what, least of all every five minutes."""
    world = shared(tmp_path / "world")
    close(world, f"refs/heads/{LEDGER}")
    assert "pull request" not in untouched(world, 1, 60)


@contextlib.contextmanager
def silent_server() -> Iterator[int]:
    """Listen on a port, take connections, and never answer."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(16)
        yield server.getsockname()[1]


@pytest.mark.parametrize("published", [0, 2])
def test_a_remote_that_is_gone_is_exit_4_and_no_first_publish(tmp_path: Path, published: int) -> None:
    world = shared(tmp_path / "world", published=published)
    before, place = world.objects(), world.counts
    place.rename(tmp_path / "gone")
    assert "origin" in world.no(4, 60)
    assert world.objects() == before
    (tmp_path / "gone").rename(place)
    world.ok("publish", minute=60)
    world.check_mended()


def test_a_remote_that_does_not_answer_is_exit_4_in_time(tmp_path: Path) -> None:
    world = shared(tmp_path / "world", published=1)
    with silent_server() as port:
        world.git("remote", "set-url", "origin", f"git://127.0.0.1:{port}/remote.git")
        assert "TSUNAMI_GIT_TIMEOUT" in untouched(world, 4, 60, TSUNAMI_GIT_TIMEOUT="0.5")
    assert "origin" in untouched(world, 4, 60, TSUNAMI_GIT_TIMEOUT="2")


def test_a_folder_that_is_no_repository_any_more_is_no_empty_remote(tmp_path: Path) -> None:
    world = shared(tmp_path / "world", published=2)
    before = world.objects()
    head = world.counts / "HEAD"
    head.rename(tmp_path / "HEAD")
    assert "origin" in world.no(4, 60)
    assert world.objects() == before


@pytest.mark.parametrize("published", [0, 2])
def test_fetching_works_and_pushing_does_not(tmp_path: Path, published: int) -> None:
    world = shared(tmp_path / "world", published=published)
    world.git("config", "remote.origin.pushurl", str(tmp_path / "nowhere.git"))
    assert "origin" in untouched(world, 4, 60)
    world.git("config", "--unset", "remote.origin.pushurl")
    world.ok("publish", minute=60)
    world.check_mended()


def test_no_ledger_no_manifest_and_a_remote_that_answers_are_a_first_publish(tmp_path: Path) -> None:
    world = shared(tmp_path / "world").clone("fresh")
    assert world.run("publish", "--json", minute=0).data["sequence"] == 1
    world.check_mended()


def test_a_store_that_is_new_gets_everything(tmp_path: Path) -> None:
    world = shared(tmp_path / "world", published=2)
    world.ok("publish", "--to", f"file:{tmp_path}/second", minute=60)
    other = World(world.root, f"file:{tmp_path}/second", world.remote)
    other.check_mended()


# Local commits that the remote does not have


def halted_without_a_network(world: World) -> str:
    """Halt while the remote is gone; return the commit."""
    gone = world.counts.with_name("gone")
    world.counts.rename(gone)
    assert world.run("halt", "agent", "--reason", "errors", minute=45).code == 4
    gone.rename(world.counts)
    return world.git("rev-parse", "main")


def test_a_halt_that_was_not_pushed_is_pushed_first_and_counts(tmp_path: Path) -> None:
    world = shared(tmp_path / "world", published=2)
    commit = halted_without_a_network(world)
    before = world.values()
    assert git(world.counts, "rev-parse", "main") != commit
    said = world.publish(60, "--json")
    assert said.code == 0
    assert git(world.counts, "rev-parse", "main") == commit
    assert said.data["source"] == commit
    assert "pushed" in said.err
    assert world.values() == before, "halt means halt"
    world.clone("fresh").ok("publish", minute=100)
    assert world.values() == before


def test_a_dry_run_pushes_nothing_and_shows_what_counts_here(tmp_path: Path) -> None:
    world = shared(tmp_path / "world", published=2)
    commit = halted_without_a_network(world)
    refs = git(world.counts, "for-each-ref")
    data = world.run("publish", "--dry-run", "--json", minute=60).data
    assert (data["source"], data["told"]) == (commit, 0)
    assert git(world.counts, "for-each-ref") == refs


def test_a_halt_that_cannot_be_pushed_stops_the_publish(tmp_path: Path) -> None:
    """The remote takes the ledger, but not the branch: publishing without the halt would move hosts."""
    world = shared(tmp_path / "world", published=2)
    halted_without_a_network(world)
    close(world, "refs/heads/main")
    assert "protected" in untouched(world, 1, 60)


def test_diverged_branches_are_exit_1(tmp_path: Path) -> None:
    world = shared(tmp_path / "world", published=2)
    other = world.clone("second")
    other.ok("pin", "agent", "--to", "1", "--role", "db", "--reason", "r", minute=45)
    halted_without_a_network(world)
    assert "diverged" in untouched(world, 1, 60)


def test_a_branch_that_went_back_is_refused_unless_it_is_meant(tmp_path: Path) -> None:
    world = shared(tmp_path / "world", published=2)
    world.ok("pace", "agent", "--over", "2h", "--reason", "hurry", minute=50)
    world.ok("publish", minute=60)
    git(world.counts, "update-ref", "refs/heads/main", "main~1")
    fresh = world.clone("fresh")
    assert "--accept-rewind" in untouched(fresh, 1, 80)
    assert_one_line(fresh.run("publish", "--accept-rewind", minute=80), 2)
    fresh.ok("publish", "--accept-rewind", "--reason", "hurry was a typo", minute=80)
    fresh.check_mended()
    assert "hurry was a typo" in git(world.counts, "log", "-1", LEDGER)


def test_a_clock_that_was_put_right_is_right_for_the_next_publish_too(tmp_path: Path) -> None:
    """Also where the publish that did it had nobody to tell anything."""
    world = shared(tmp_path / "world", published=2)
    world.ok("halt", "agent", minute=21)
    world.ok("pin", "agent", "--to", "3", "--host", "api-1", "--reason", "r", minute=21)
    world.ok("publish", minute=5000)
    assert "--reset-clock" in untouched(world, 1, 40)
    world.ok("publish", "--reset-clock", "--reason", "ntp was down", minute=40)
    world.ok("publish", minute=41)
    assert "ntp was down" in git(world.counts, "log", "--format=%B", LEDGER)


def test_a_job_of_yesterday_undoes_no_halt(tmp_path: Path) -> None:
    """Also where the publish that saw the halt had nothing to record: the manifest names its source."""
    world = shared(tmp_path / "world", published=2)
    world.ok("halt", "agent", minute=50)
    world.ok("publish", minute=60)
    git(world.counts, "update-ref", "refs/heads/main", "main~1")
    assert "--accept-rewind" in untouched(world.clone("fresh"), 1, 80)


def test_a_broken_file_keeps_everybody_at_what_they_have_and_is_exit_1(tmp_path: Path) -> None:
    world = shared(tmp_path / "world", published=2)
    before = world.values()
    with (world.root / AGENT).open("a") as file:
        file.write("<<<<<<< HEAD\n")
    world.git("commit", "-qam", "A merge")
    world.git("push", "-q")
    said = world.publish(60, "--json")
    assert said.code == 1
    assert said.data["problems"]
    assert world.values() == before
    world.check_mended()
