"""Publishers that run at the same time: each sequence once, no fork, and all of them end well."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands.fleet_world import Said
from tests.faults.world import World, alone, ended, live, shared
from tests.servers import Place, azure, s3  # noqa: F401

ROUNDS = [2, pytest.param(40, marks=pytest.mark.slow)]


def together(worlds: list[World], minute: float | None) -> list[Said]:
    """Publish from all of them at once."""
    return [ended(process) for process in [world.begin("publish", "--json", minute=minute) for world in worlds]]


def race(worlds: list[World], minutes: list[float | None]) -> None:
    """Publish round after round, and assert after each that all ended well and that nothing was told twice."""
    for minute in minutes:
        before = len(worlds[0].entries())
        said = together(worlds, minute)
        assert [one.code for one in said] == [0] * len(worlds), said
        worlds[0].check_mended()
        entries = worlds[0].entries()
        assert {one.data["sequence"] for one in said} <= set(range(before, len(entries) + 1))


def forward(rounds: int) -> list[float | None]:
    return [20.0 * number for number in range(1, rounds + 1)]


@pytest.mark.parametrize("rounds", ROUNDS)
def test_two_in_one_repository(tmp_path: Path, rounds: int) -> None:
    world = alone(tmp_path / "world")
    race([world, world], forward(rounds))
    assert len(world.entries()) >= min(rounds, 10)


@pytest.mark.parametrize("rounds", ROUNDS)
def test_two_in_one_clone(tmp_path: Path, rounds: int) -> None:
    world = shared(tmp_path / "world")
    race([world, world], forward(rounds))


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.slow
def test_three_clones_of_one_remote(tmp_path: Path, rounds: int) -> None:
    world = shared(tmp_path / "world")
    race([world, world.clone("second"), world.clone("third")], forward(rounds))


@pytest.mark.slow
def test_two_whose_clocks_differ(tmp_path: Path) -> None:
    """One is four minutes behind: it publishes at the ledger's instant, and takes nothing back."""
    world = shared(tmp_path / "world", published=1)
    other = world.clone("second")
    for number in range(1, 4):
        ahead = world.begin("publish", minute=20 * number)
        behind = other.begin("publish", minute=20 * number - 4)
        assert [ended(process).code for process in (ahead, behind)] == [0, 0]
        world.check_mended()


@pytest.mark.server
@pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=pytest.mark.slow)])
@pytest.mark.parametrize("count", [2, pytest.param(3, marks=pytest.mark.slow)])
@pytest.mark.slow
def test_several_clones_and_a_bucket(tmp_path: Path, s3: Place, rounds: int, count: int) -> None:  # noqa: F811
    several(tmp_path, s3, rounds, count)


@pytest.mark.server
@pytest.mark.slow
def test_three_clones_and_azure(tmp_path: Path, azure: Place) -> None:  # noqa: F811
    several(tmp_path, azure, 6, 3)


def several(tmp_path: Path, place: Place, rounds: int, count: int) -> None:
    world = live(tmp_path / "world", place.url)
    worlds = [world, *(world.clone(f"clone{number}") for number in range(1, count))]
    for _ in range(rounds):
        race(worlds, [None])
        time.sleep(1)


@pytest.mark.parametrize(
    "asleep",
    [
        pytest.param(("hash-object", 1), id="before it records"),
        pytest.param(("push", 1), id="as it pushes", marks=pytest.mark.slow),
        pytest.param(("merge-base", 2), id="before it uploads", marks=pytest.mark.slow),
    ],
)
@pytest.mark.slow
def test_one_that_was_asleep_overwrites_nothing(
    tmp_path: Path, asleep: tuple[str, int], sleepy: Callable[[Path, str, int], str]
) -> None:
    """While one sleeps in the middle of it, another publishes twice, elsewhere and to another store too."""
    world = shared(tmp_path / "world", published=1)
    other = world.clone("second")
    slow = world.begin("publish", minute=20, PATH=sleepy(tmp_path, *asleep))
    deadline = time.monotonic() + 10
    while not (tmp_path / "asleep").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    for minute in (40, 60):
        said = other.publish(minute, TSUNAMI_STORE_TIMEOUT="0.5")
        assert said.code in (0, 4), said
    (tmp_path / "awake").touch()
    said = ended(slow)
    # The clock of the one that slept may by now be too far behind the ledger.
    assert said.code in (0, 1), said
    world.check()
    assert other.publish(80).code == 0
    world.check_mended()


@pytest.fixture
def sleepy() -> Callable[[Path, str, int], str]:
    """Return what makes a PATH on which the n-th git with a word waits until somebody makes the file `awake`."""

    def make(folder: Path, word: str, n: int) -> str:
        place = folder / "bin"
        place.mkdir()
        (place / "git").write_text(
            f"""#!/bin/sh
export PATH="${{PATH#*:}}"
case "$*" in *{word}*)
    echo x >> {folder}/calls
    if [ "$(wc -l < {folder}/calls)" -eq {n} ]; then
        touch {folder}/asleep
        while [ ! -e {folder}/awake ]; do sleep 0.02; done
    fi;;
esac
exec git "$@"
"""
        )
        (place / "git").chmod(0o755)
        import os

        return f"{place}{os.pathsep}{os.environ['PATH']}"

    return make
