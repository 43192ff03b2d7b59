"""A disk that is full, a file system that is read-only, a repository that cannot be written."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.commands.fleet_world import ROOT, Said
from tests.faults.world import World, alone, assert_one_line, at, shared


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """Return a file system of 64 KiB."""
    place = tmp_path / "small"
    place.mkdir()
    words = ("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place))
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot mount a small file system: {done.stderr.strip()}")
    yield place
    subprocess.run(("umount", str(place)), check=True)


def limited(world: World, bytes_: int, minute: float) -> Said:
    """Publish in a process whose files must not grow beyond a size; the runtime's own are all smaller than that."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, bytes_))

    done = subprocess.run(
        (sys.executable, "-m", "tsunami_cli", "publish"),
        cwd=world.root,
        # What measures coverage would write files that are larger.
        env={name: value for name, value in os.environ.items() if not name.startswith("COV")}
        | {"PYTHONPATH": str(ROOT), "TSUNAMI_PUBLISH_TO": world.to, "TSUNAMI_NOW": at(minute)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=limit,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def test_a_store_on_a_full_disk_is_exit_4_and_one_entry_behind(tmp_path: Path, small: Path) -> None:
    world = replace(alone(tmp_path / "world"), to=f"file:{small}/store")
    filler = small / "filler"
    filler.write_bytes(b"x" * 40_000)
    for minute in (0, 10, 20):
        error = world.no(4, minute)
        assert "make room" in error
        assert len(world.entries()) <= 1
        world.check()
    filler.unlink()
    # A tmpfs of 64 KiB holds no 27 files: each takes a page.
    subprocess.run(("mount", "-o", "remount,size=1m", str(small)), check=True)
    world.ok("publish", minute=30)
    world.check_mended()
    assert list(small.rglob("*.tmp")) == []


def test_a_disk_that_fills_up_leaves_the_last_state_whole(tmp_path: Path, small: Path) -> None:
    subprocess.run(("mount", "-o", "remount,size=1m", str(small)), check=True)
    world = replace(shared(tmp_path / "world"), to=f"file:{small}/store")
    world.ok("publish", minute=0)
    before = world.objects()
    free = os.statvfs(small)
    (small / "filler").write_bytes(b"x" * (free.f_bavail * free.f_frsize))
    for minute in (20, 40, 60):
        world.no(4, minute)
        assert world.objects() == before
        assert len(world.entries()) == 2
    world.check()
    (small / "filler").unlink()
    world.ok("publish", minute=60)
    world.check_mended()


def test_a_store_that_is_mounted_read_only(tmp_path: Path, small: Path) -> None:
    subprocess.run(("mount", "-o", "remount,size=1m", str(small)), check=True)
    world = replace(alone(tmp_path / "world"), to=f"file:{small}/store")
    world.ok("publish", minute=0)
    before = world.objects()
    subprocess.run(("mount", "-o", "remount,ro", str(small)), check=True)
    for minute in (20, 40):
        assert "writing" in world.no(4, minute)
    assert (world.objects(), len(world.entries())) == (before, 1)
    subprocess.run(("mount", "-o", "remount,rw", str(small)), check=True)
    world.ok("publish", minute=40)
    world.check_mended()


def test_a_manifest_that_is_too_large_for_the_disk_is_written_by_the_next(tmp_path: Path) -> None:
    """The limit on the size of files lets the ledger and every object through, the manifest not."""
    world = alone(tmp_path / "world", published=2)
    said = limited(world, 2_500, 40)
    assert_one_line(said, 4)
    assert "manifest.json" in said.err
    assert "#3 is recorded, but not uploaded in full" in said.err
    world.check()
    world.ok("publish", minute=40)
    world.check_mended()


@pytest.mark.parametrize("published", [0, 2])
def test_a_repository_on_a_full_disk_tells_nobody_anything(tmp_path: Path, published: int) -> None:
    world = alone(tmp_path / "world", published=published)
    before, tip = world.objects(), world.tip
    assert_one_line(limited(world, 100, 60), 1)
    assert (world.objects(), world.tip) == (before, tip)
    world.check()
    world.ok("publish", minute=60)
    world.check_mended()


@pytest.fixture
def sealed(tmp_path: Path) -> Iterator[World]:
    """Return a world whose repository is mounted read-only, as even root cannot write there."""
    world = alone(tmp_path / "world", published=2)
    done = subprocess.run(("mount", "--bind", str(world.root / ".git"), str(world.root / ".git")), check=False)
    if done.returncode:
        pytest.skip("cannot mount a folder onto itself")
    subprocess.run(("mount", "-o", "remount,bind,ro", str(world.root / ".git")), check=True)
    yield world
    subprocess.run(("umount", str(world.root / ".git")), check=True)


def test_a_repository_that_cannot_be_written(sealed: World) -> None:
    before, tip = sealed.objects(), sealed.tip
    error = sealed.no(1, 60)
    assert "nothing was changed" in error or "nobody was told anything" in error
    assert (sealed.objects(), sealed.tip) == (before, tip)
    # What needs no entry is done all the same.
    subprocess.run(("mount", "-o", "remount,bind,rw", str(sealed.root / ".git")), check=True)
    sealed.ok("publish", minute=60)
    sealed.check_mended()


@pytest.mark.slow
def test_a_ledger_whose_ref_is_locked_by_a_dead_git_says_which_file(tmp_path: Path) -> None:
    """A machine that lost its power leaves git's lock behind: no other publisher is to blame."""
    world = alone(tmp_path / "world", published=1)
    lock = world.root / ".git/refs/heads/tsunami-ledger.lock"
    lock.touch()
    before = world.objects()
    said = world.publish(60)
    assert said.code in (1, 4), said
    assert "tsunami-ledger.lock" in said.err
    assert world.objects() == before
    lock.unlink()
    world.ok("publish", minute=60)
    world.check_mended()
