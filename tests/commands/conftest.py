"""A fleet for every test: a copy of one repository that is made once."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.fleet_world import NOW, Fleet, copy_of, new_repository


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One test looks for processes and files left open; the others are not to fail by when that is noticed."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here) and item.get_closest_marker("filterwarnings") is None:
            item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))


@pytest.fixture(scope="session")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"):
            patch.setenv(name, "2026-11-02T09:00:00Z")
        return new_repository(tmp_path_factory.mktemp("template") / "fleet")


@pytest.fixture
def fleet(
    tmp_path: Path, _template: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Fleet:
    """Return a fleet in a repository without a remote; the test stands in it, on Monday morning."""
    return _standing_in(copy_of(_template, tmp_path / "fleet"), capsys, monkeypatch)


@pytest.fixture(scope="session")
def _shared(tmp_path_factory: pytest.TempPathFactory, _template: Path) -> Path:
    return copy_of(_template, tmp_path_factory.mktemp("still") / "fleet")


@pytest.fixture
def still(_shared: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """Return the fleet that those tests share who assert that nothing has changed in it."""
    return _standing_in(_shared, capsys, monkeypatch)


def _standing_in(root: Path, capture: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> Fleet:
    patch.chdir(root)
    patch.setenv("TSUNAMI_NOW", NOW)
    patch.setenv("COLUMNS", "300")  # lines are to be searched, not looked at
    return Fleet(root, capture, patch)


@pytest.fixture(scope="module", autouse=True)
def _tidy() -> Iterator[None]:
    """Collect here what was left open, where nobody minds, and not in the tests of others."""
    yield
    gc.collect()
