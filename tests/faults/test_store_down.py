"""A store that refuses, hangs, fails half-way or is down: the fleet freezes, and nothing is lost."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.adapters.store_servers import proxy
from tests.faults.world import World, alone, live, shared
from tests.servers import Place, s3  # noqa: F401


def folder(world: World) -> Path:
    return Path(world.to.removeprefix("file:"))


def test_a_store_that_is_down_for_two_days_freezes_the_fleet(tmp_path: Path) -> None:
    world = shared(tmp_path / "world", published=2)
    store = folder(world)
    store.rename(tmp_path / "aside")
    store.write_text("a file, where the folder should be")
    entries = len(world.entries())
    for minute in (40, 300, 2880):
        error = world.no(4, minute)
        assert str(store) in error
        assert len(world.entries()) <= entries + 1
    store.unlink()
    (tmp_path / "aside").rename(store)
    world.check()
    before = world.values()
    assert world.publish(2900).code == 0
    world.check_mended()
    after = world.values()
    moved = [host for host in after if after[host] != before[host]]
    # 20 minutes' worth at twice the pace, 4 of 24, and rounding.
    assert len(moved) <= 5
    assert all(after[host] == "2" for host in moved)


@pytest.mark.server
@pytest.mark.slow
def test_a_bucket_that_hangs_is_exit_4_and_nothing_is_recorded_meanwhile(tmp_path: Path, s3: Place) -> None:  # noqa: F811
    world = live(tmp_path / "world", s3.url)
    world.ok("publish", minute=None)
    entries = len(world.entries())
    s3.pause()
    assert "TSUNAMI_STORE_TIMEOUT" in world.no(4, None, TSUNAMI_STORE_TIMEOUT="1")
    assert len(world.entries()) == entries
    s3.resume()
    world.ok("publish", minute=None)
    world.check_mended()


@pytest.mark.server
def test_a_wrong_secret_is_exit_4_and_tells_nobody_anything(tmp_path: Path, s3: Place) -> None:  # noqa: F811
    world = live(tmp_path / "world", s3.url)
    error = world.no(4, None, AWS_SECRET_ACCESS_KEY="wrong-secret")
    assert "AWS_" in error
    assert "wrong-secret" not in error
    assert (world.entries(), world.objects()) == ([], {})


@pytest.mark.server
@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(lambda n, method: "503" if method == "PUT" and n > 3 else "pass", id="the third object"),
        pytest.param(
            lambda n, method: "403:AccessDenied" if method == "PUT" else "pass",
            id="every write",
            marks=pytest.mark.slow,
        ),
        pytest.param(lambda n, method: "drop" if n > 12 else "pass", id="the connection", marks=pytest.mark.slow),
    ],
)
def test_a_bucket_that_fails_half_way_is_one_entry_behind(
    tmp_path: Path,
    s3: Place,  # noqa: F811
    rule: Callable[[int, str], str],
) -> None:
    world = live(tmp_path / "world", s3.url)
    with proxy(s3.server.place, rule) as between:
        broken = {"AWS_ENDPOINT_URL": f"http://{between.place}", "TSUNAMI_STORE_TIMEOUT": "1"}
        error = world.no(4, None, **broken)
        assert "#1 is recorded, but not uploaded in full" in error
        first = world.entries()
        assert len(first) == 1
        world.check()
        between.rule = lambda n, method: "503" if method == "PUT" else "pass"
        world.no(4, None, **broken)
        assert world.entries() == first, "no further entry before that one is uploaded"
    assert world.publish(None).code == 0
    world.check_mended()


@pytest.mark.server
@pytest.mark.slow
def test_a_manifest_whose_answer_was_lost_is_no_rival(tmp_path: Path, s3: Place) -> None:  # noqa: F811
    """The write arrived, its answer did not: the second try meets its own bytes."""
    world = live(tmp_path / "world", s3.url, "6h")
    world.ok("publish", minute=None)
    with proxy(s3.server.place, lambda n, method: "pass") as between:
        between.rule = lambda n, method: "hang" if between.seen.count("PUT") == 1 and method == "PUT" else "pass"
        said = world.publish(None, AWS_ENDPOINT_URL=f"http://{between.place}", TSUNAMI_STORE_TIMEOUT="1")
    assert said.code in (0, 4), said
    world.check()
    world.ok("publish", minute=None)
    world.check_mended()


# What lies in the place of our manifest


def with_manifest(world: World, **changes: object) -> bytes:
    """Change fields of the manifest; return its bytes."""
    file = folder(world) / "manifest.json"
    file.write_bytes(json.dumps(json.loads(file.read_bytes()) | changes).encode())
    return file.read_bytes()


def refused(world: World, *words: str) -> str:
    """Publish, which changes nothing and is exit 1."""
    before = (world.objects(), world.tip)
    error = world.no(1, 60, *words)
    assert (world.objects(), world.tip) == before
    return error


def test_the_manifest_of_another_fleet_is_left_alone(tmp_path: Path) -> None:
    world = alone(tmp_path / "world", published=2)
    with_manifest(world, fleet="staging")
    error = refused(world)
    assert "staging" in error
    assert "backend" in error
    refused(world, "--recover", "--reason", "r")


@pytest.mark.parametrize(
    "data",
    [b"", b"null", b"\xff\xfe", b'{"fleet": "backend"}', b"<html>404</html>", b"[" * 100_000],
    ids=["empty", "null", "no text", "half", "a web page", "deep"],
)
def test_a_manifest_that_makes_no_sense_stops_it(tmp_path: Path, data: bytes) -> None:
    world = alone(tmp_path / "world", published=2)
    (folder(world) / "manifest.json").write_bytes(data)
    assert "manifest.json" in refused(world)


@pytest.mark.parametrize("commit", ["f" * 40, "", "main", "tsunami-ledger", "--all", "HEAD\nmain"])
def test_a_manifest_of_an_unknown_entry_stops_it(tmp_path: Path, commit: str) -> None:
    world = alone(tmp_path / "world", published=2)
    with_manifest(world, ledger=commit)
    assert ("--recover" if commit == "f" * 40 else "is none of ours") in refused(world)


def test_a_newer_manifest_of_ours_stops_a_clone_whose_ledger_is_behind(tmp_path: Path) -> None:
    """There is no remote to ask: somebody restored an old copy of the repository."""
    world = alone(tmp_path / "world", published=3)
    world.git("update-ref", "refs/heads/tsunami-ledger", "tsunami-ledger~1")
    assert "--recover" in refused(world)


def test_without_its_manifest_a_store_is_written_anew(tmp_path: Path) -> None:
    world = alone(tmp_path / "world", published=2)
    (folder(world) / "hosts/api-0.json").write_bytes(b"{}")
    (folder(world) / "roles/db.json").unlink()
    (folder(world) / "manifest.json").unlink()
    world.ok("publish", minute=60)
    world.check_mended()


@pytest.mark.parametrize(
    ("path", "behind"),
    [("../precious.json", 0), ("../precious.json", 1), ("hosts/a b.json", 1), ("hosts/\udcff.json", 0)],
)
def test_paths_in_a_manifest_lead_nowhere_else(tmp_path: Path, path: str, behind: int) -> None:
    """Also where the entry before is to be finished first, and what it does not have is deleted."""
    world = alone(tmp_path / "world", published=2)
    outside = tmp_path / "world/precious.json"
    outside.write_text("precious")
    manifest = json.loads((folder(world) / "manifest.json").read_bytes())
    strange = manifest["objects"] | {path: {"sha256": "0" * 64, "size": 8}}
    entry = world.entries()[-1 - behind]
    with_manifest(world, objects=strange, ledger=entry.commit, sequence=entry.sequence)
    said = world.publish(60)
    assert outside.read_text() == "precious"
    assert said.code in (0, 1), said
