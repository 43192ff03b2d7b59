"""A world for every test: a copy of one repository that is made once, and one metrics server for all that only read."""

import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.adapters.store_servers import free_ports
from tests.commands.fleet_world import Fleet, copy_of
from tests.guard.world import World, at, begun, server


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Commands that run in one process leave what they read git through to be collected."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))
            item.add_marker(pytest.mark.server)


@pytest.fixture(scope="module", autouse=True)
def _tidy() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture
def make(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[[Path], World]:
    """Return how to stand in a copy of a repository, with the shared metrics server at hand."""

    def stand(template: Path) -> World:
        root = copy_of(template, tmp_path / "fleet")
        monkeypatch.chdir(root)
        monkeypatch.setenv("COLUMNS", "300")
        monkeypatch.setenv("TSUNAMI_PROMETHEUS_URL", server().url)
        monkeypatch.setenv("TSUNAMI_NOW", at(20))
        return World(Fleet(root, capsys, monkeypatch))

    return stand


@pytest.fixture
def world(make: Callable[[Path], World]) -> World:
    """Return a fleet whose rollout has moved its first hosts: told at the minutes 10 and 20."""
    return make(begun())


@pytest.fixture
def closed() -> str:
    """Return an address where nobody listens."""
    return f"http://127.0.0.1:{free_ports(1)[0]}"
