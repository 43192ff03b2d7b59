"""A fleet for every test: a copy of one repository that is made once."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.fleet_world import NOW, Fleet, copy_of, git, new_repository
from tests.inventory.sources import FILES


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Commands that run in one process leave what they read git through to be collected."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))


@pytest.fixture(scope="module", autouse=True)
def _tidy() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture(scope="session")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"):
            patch.setenv(name, "2026-11-02T09:00:00Z")
        return new_repository(tmp_path_factory.mktemp("template") / "fleet", FILES)


@pytest.fixture
def fleet(
    tmp_path: Path, _template: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Fleet:
    """Return a fleet in a repository without a remote; the test stands in it."""
    root = copy_of(_template, tmp_path / "fleet")
    monkeypatch.chdir(root)
    monkeypatch.setenv("TSUNAMI_NOW", NOW)
    monkeypatch.setenv("COLUMNS", "300")  # lines are to be searched, not looked at
    return Fleet(root, capsys, monkeypatch)


@pytest.fixture
def remote(fleet: Fleet) -> Path:
    """Return the bare repository that is the fleet's origin."""
    place = fleet.root.parent / "remote.git"
    fleet.git("clone", "-q", "--bare", ".", str(place))
    fleet.git("remote", "add", "origin", str(place))
    fleet.git("fetch", "-q")
    fleet.git("branch", "-q", "-u", "origin/main", "main")
    assert git(place, "rev-parse", "main") == fleet.head()
    return place
