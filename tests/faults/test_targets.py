"""Where a publish goes, and what lies there afterwards."""

import json
from pathlib import Path

import pytest

from tests.faults.world import World, alone, assert_one_line, live, shared
from tests.servers import Place, s3  # noqa: F401


def settings(world: World, more: str) -> None:
    change(world, "tsunami.yaml", (world.root / "tsunami.yaml").read_text() + more)


@pytest.mark.slow
def test_the_option_wins_over_the_environment_and_that_over_the_settings(tmp_path: Path) -> None:
    world = alone(tmp_path / "world")
    settings(world, f"  to: file:{tmp_path}/settings\n")
    option, variable = f"file:{tmp_path}/option", f"file:{tmp_path}/variable"

    def there() -> set[str]:
        return {place.name for place in tmp_path.iterdir() if (place / "manifest.json").exists()}

    world.ok("publish", minute=0, TSUNAMI_PUBLISH_TO="")
    assert there() == {"settings"}
    world.ok("publish", minute=10, TSUNAMI_PUBLISH_TO=variable)
    assert there() == {"settings", "variable"}
    world.ok("publish", "--to", option, minute=20, TSUNAMI_PUBLISH_TO=variable)
    assert there() == {"settings", "variable", "option"}
    # The three take turns, and each catches up.
    for words in ((), ("--to", option)):
        world.ok("publish", *words, minute=40, TSUNAMI_PUBLISH_TO=variable)
    for place in (variable, option):
        World(world.root, place).check_mended()


@pytest.mark.parametrize("scheme", ["s3", "gs", "az"])
def test_under_a_pretended_clock_no_bucket_is_touched(tmp_path: Path, scheme: str) -> None:
    world = alone(tmp_path / "world")
    said = world.publish(0, "--to", f"{scheme}://bucket/prefix", AWS_ENDPOINT_URL="http://127.0.0.1:9")
    assert_one_line(said, 1)
    assert "TSUNAMI_NOW" in said.err
    assert world.tip is None


@pytest.mark.parametrize("url", ["", "public", "ftp://x/y", "s3://", "file:", "file:../out", "file:.git/x"])
def test_what_is_no_place_to_publish_to_is_refused_before_anything_is_recorded(tmp_path: Path, url: str) -> None:
    world = alone(tmp_path / "world")
    said = world.publish(0, "--to", url)
    if url:  # empty: as if it was not given
        assert said.code in (1, 2), said
        assert world.tip is None


def test_a_host_and_a_role_that_are_gone_are_deleted_and_come_back(tmp_path: Path) -> None:
    world = shared(tmp_path / "world", published=2)
    inventory = (world.root / "inventory.csv").read_text()
    rows = [row for row in inventory.splitlines() if not row.startswith(("db-", "api-0,"))]
    change(world, "inventory.csv", "\n".join(rows) + "\n")
    before = (world.objects(), world.tip)
    assert "--accept-shrink 9" in world.no(1, 60)
    assert (world.objects(), world.tip) == before
    assert world.run("publish", "--accept-shrink", "9", "--json", minute=60).data["deleted"] == 10
    world.check_mended()
    assert "roles/db.json" not in world.objects()
    change(world, "inventory.csv", inventory)
    world.ok("publish", minute=80)
    world.check_mended()
    assert "hosts/api-0.json" in world.objects()


def test_per_host_objects_are_switched_off_and_on(tmp_path: Path) -> None:
    world = shared(tmp_path / "world", published=2)
    settings = (world.root / "tsunami.yaml").read_text()
    bundles = {path for path in world.objects() if path.startswith("roles/")}
    change(world, "tsunami.yaml", settings + "  per_host: false\n")
    assert world.run("publish", "--json", minute=40).data["deleted"] == 24
    assert world.objects().keys() == bundles | {"manifest.json"}
    world.ok("publish", minute=60)
    assert world.objects().keys() == bundles | {"manifest.json"}
    change(world, "tsunami.yaml", settings)
    world.ok("publish", minute=60)
    world.check_mended()


def change(world: World, path: str, text: str) -> None:
    """Change a file by hand, and push it."""
    (world.root / path).write_text(text)
    world.git("commit", "-q", "-a", "-m", f"Change {path}")
    if world.remote:
        world.git("push", "-q")


@pytest.mark.server
def test_a_bucket_from_end_to_end(tmp_path: Path, s3: Place) -> None:  # noqa: F811
    """Publish, and read it as a host does; hosts and proxies ask each time whether what they have still holds."""
    import obstore
    from obstore.store import from_url

    world = live(tmp_path / "world", s3.url)
    world.ok("publish", minute=None)
    world.check_mended()
    bucket = from_url(s3.url, client_options={"allow_http": True})
    for path in world.objects():
        attributes = {str(name).lower(): value for name, value in obstore.get(bucket, path).attributes.items()}
        assert attributes["content-type"] == "application/json; charset=utf-8", path
        assert attributes["cache-control"] == "no-cache", path
        assert attributes["sequence"] == "1", path
    out = tmp_path / "facts.json"
    world.ok("pull", "--from", s3.url, "--host", "api-1", "--out", str(out), minute=None)
    assert json.loads(out.read_bytes()) == {"agent": world.values()["api-1"]}
    world.ok("halt", "agent", minute=None)
    world.ok("publish", minute=None)
    world.ok("pull", "--from", s3.url, "--host", "api-1", "--role", "api", "--out", str(out), minute=None)
    assert json.loads(out.read_bytes()) == {"agent": world.values()["api-1"]}


@pytest.mark.server
@pytest.mark.slow
def test_what_is_gone_is_deleted_from_a_bucket(tmp_path: Path, s3: Place) -> None:  # noqa: F811
    world = live(tmp_path / "world", s3.url)
    world.ok("publish", minute=None)
    rows = (world.root / "inventory.csv").read_text().splitlines()
    change(world, "inventory.csv", "\n".join(row for row in rows if not row.startswith("db-")) + "\n")
    world.ok("publish", "--accept-shrink", "8", minute=None)
    world.check_mended()
    assert not [path for path in world.objects() if "db" in path]
