"""A publisher that is killed at any step: nothing is lost, nothing is told that is not recorded, the next one mends."""

import os
import signal
import stat
from pathlib import Path

import pytest

from tests.commands.fleet_world import ROOT
from tests.faults.world import World, alone, live, shared
from tests.servers import Place, s3  # noqa: F401

# Counts what a process does to the outside, and dies right before the n-th of these steps: it starts git, or makes,
# replaces or deletes a file of the store. With DIES_ASKING only what it asks of a bucket counts.
MORTAL = """
import os, signal, sys

count, last = 0, int(os.environ["DIES_AT"])

def step():
    global count
    count += 1
    if count == last:
        os.kill(os.getpid(), signal.SIGKILL)

def hook(event, arguments):
    name = str(arguments[0]) if arguments else ""
    if event in ("subprocess.Popen", "os.rename"):
        step()
    elif event == "os.remove" and name.endswith(".json"):
        step()
    elif event == "open" and arguments[1] is None and ".tsunami" in name or event == "os.mkdir" and "/" not in name:
        step()

def watched(function):
    def call(*arguments, **options):
        step()
        return function(*arguments, **options)
    return call

if os.environ.get("DIES_ASKING"):
    import obstore
    for name in ("get", "put", "delete"):
        setattr(obstore, name, watched(getattr(obstore, name)))
else:
    sys.addaudithook(hook)
"""
# Kills who started it and then does its work all the same: it can end long after the next publish has begun.
ORPHAN = """#!/bin/sh
case "$*" in *{word}*) kill -9 $PPID; sleep {late};; esac
exec {git} "$@"
"""
KILLED = -signal.SIGKILL


def mortal(folder: Path, n: int, **env: str) -> dict[str, str]:
    """Return the environment of a process that dies before its n-th step."""
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(MORTAL)
    return {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "DIES_AT": str(n)} | env


def killed_at_every_step(world: World, tmp_path: Path, first: int, stride: int) -> int:
    """Kill a publish at one step after the other, each time mending by the next; return how many it survived."""
    minute, n = 20.0, first
    while True:
        said = world.apart("publish", minute=minute, **mortal(tmp_path / "mortal", n))
        world.check()
        if said.code != KILLED:
            assert said.code == 0, said
            world.check_mended()
            return n
        entries = len(world.entries())
        again = world.publish(minute + 1)
        assert again.code == 0, f"after step {n}: {again}"
        world.check_mended()
        assert len(world.entries()) >= entries
        # Long enough for somebody to be told something, so that there is work in every round.
        minute, n = minute + (10 if stride == 1 else 20), n + stride


def test_killed_at_some_steps_of_the_first_publish(tmp_path: Path) -> None:
    for n in (13, 41):
        world = alone(tmp_path / str(n))
        said = world.apart("publish", minute=30, **mortal(tmp_path / "mortal", n))
        assert said.code in (KILLED, 0)
        world.check()
        assert world.publish(30).code == 0, n
        world.check_mended()


@pytest.mark.slow
@pytest.mark.parametrize("make", [alone, shared], ids=["alone", "with a remote"])
def test_killed_at_every_step_of_the_first_publish(make: type[World], tmp_path: Path) -> None:
    for n in range(1, 200):
        world = make(tmp_path / str(n))  # type: ignore[call-arg]
        said = world.apart("publish", minute=30, **mortal(tmp_path / "mortal", n))
        world.check()
        assert world.publish(30).code == 0, n
        world.check_mended()
        if said.code != KILLED:
            assert n > 50
            return
    pytest.fail("it never survived")


@pytest.mark.slow
def test_killed_at_some_steps_without_a_remote(tmp_path: Path) -> None:
    world = alone(tmp_path / "world", published=1)
    assert killed_at_every_step(world, tmp_path, 11, 2) > 15


def test_killed_at_some_steps_with_a_remote(tmp_path: Path) -> None:
    world = shared(tmp_path / "world", published=1)
    assert killed_at_every_step(world, tmp_path, 14, 2) > 20


@pytest.mark.slow
@pytest.mark.parametrize("remote", [False, True], ids=["alone", "with a remote"])
def test_killed_at_every_step(tmp_path: Path, *, remote: bool) -> None:
    world = (shared if remote else alone)(tmp_path / "world", published=1)
    assert killed_at_every_step(world, tmp_path, 1, 1) > 12


@pytest.mark.server
@pytest.mark.parametrize("steps", [(9, 29, 4), pytest.param(range(1, 60), marks=pytest.mark.slow)])
@pytest.mark.slow
def test_killed_while_it_asks_a_bucket(s3: Place, steps: range, tmp_path: Path) -> None:  # noqa: F811
    world = live(tmp_path / "world", s3.url, "1h")
    for n in steps:
        said = world.apart("publish", minute=None, **mortal(tmp_path / "mortal", n, DIES_ASKING="1"))
        world.check()
        assert world.publish(None).code == 0
        world.check_mended()
        if said.code != KILLED:
            break


@pytest.mark.parametrize(
    ("word", "late"),
    [("push", 0.4), *(pytest.param(*pair, marks=pytest.mark.slow) for pair in (("push", 0), ("commit-tree", 0.1)))],
)
def test_killed_while_git_is_at_it_for_it(tmp_path: Path, word: str, late: float) -> None:
    """The push of a dead publisher arrives while, or after, the next one is at work."""
    world = shared(tmp_path / "world", published=1)
    assert world.apart("publish", minute=20, PATH=orphans(tmp_path, word, late)).code == KILLED
    world.check()
    for minute in (21, 22):
        assert world.publish(minute).code == 0
        world.check()
    assert world.publish(40).code == 0
    world.check_mended()


def test_killed_while_git_moves_the_branch_without_a_remote(tmp_path: Path) -> None:
    world = alone(tmp_path / "world", published=1)
    assert world.apart("publish", minute=20, PATH=orphans(tmp_path, "update-ref", 0.1)).code == KILLED
    world.check()
    assert world.publish(21).code == 0
    assert world.publish(40).code == 0
    world.check_mended()


def orphans(folder: Path, word: str, late: float) -> str:
    """Return a PATH on which git, given a word, survives the one who started it."""
    place = folder / "bin"
    place.mkdir()
    path = os.environ["PATH"]
    real = next(f"{one}/git" for one in path.split(os.pathsep) if Path(one, "git").is_file())
    (place / "git").write_text(ORPHAN.format(word=word, late=late, git=real))
    (place / "git").chmod(stat.S_IRWXU)
    return f"{place}{os.pathsep}{path}"


def test_a_killed_publisher_leaves_no_lock_and_no_litter(tmp_path: Path) -> None:
    world = alone(tmp_path / "world", published=1)
    store = Path(world.to.removeprefix("file:"))
    for n in (14, 17, 19):
        world.apart("publish", minute=20 + n, **mortal(tmp_path / "mortal", n))
    assert world.publish(60, TSUNAMI_STORE_TIMEOUT="1").code == 0
    assert list(store.rglob("*.tmp")) == []
