"""A fleet whose files are about to change: settled, or an hour into a rollout that hosts were told of."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.fleet_world import FILES, NOW, Fleet, copy_of, new_repository
from tsunami_cli import cli

LATER = "2026-11-16T15:00:00Z"
"""Six hours after helios began to move over a day, 12 minutes after the last publish."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What commands read git through is collected by `_tidy`."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))


@pytest.fixture(scope="session")
def _settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"):
            patch.setenv(name, "2026-11-02T09:00:00Z")
        return new_repository(tmp_path_factory.mktemp("settled") / "fleet")


@pytest.fixture(scope="session")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = {**FILES, "tsunami.yaml": FILES["tsunami.yaml"].replace("every: 5m", "every: 1h")}
    root = new_repository(tmp_path_factory.mktemp("running") / "fleet", files)
    with pytest.MonkeyPatch.context() as patch:
        publish = ("publish", "--no-guard", "--to", f"file:{root.parent}/public")
        begun = ("start", "helios", "--to", "0.9.12", "--over", "24h", "--reason", "memory leak")
        hours = [f"2026-11-16T{hour:02}:00:00Z" for hour in range(9, 15)]
        for now, words in ((NOW, begun), *((hour, publish) for hour in hours), ("2026-11-16T14:48:00Z", publish)):
            patch.setenv("TSUNAMI_NOW", now)
            assert cli.run(["-C", str(root), *words]) == 0, words
    return root


def _standing_in(root: Path, now: str, capture: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> Fleet:
    patch.chdir(root)
    patch.setenv("TSUNAMI_NOW", now)
    patch.setenv("COLUMNS", "300")  # lines are to be searched, not looked at
    return Fleet(root, capture, patch)


@pytest.fixture
def fleet(tmp_path: Path, _settled: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """Return a fleet with no rollout and no ledger, on a Monday at nine."""
    return _standing_in(copy_of(_settled, tmp_path / "fleet"), NOW, capsys, monkeypatch)


@pytest.fixture
def still(_settled: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """Return the fleet that those tests share who assert that nothing has changed in it."""
    return _standing_in(_settled, NOW, capsys, monkeypatch)


@pytest.fixture
def running(
    tmp_path: Path, _running: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Fleet:
    """Return a fleet that was published every hour, a quarter into a rollout of helios."""
    return _standing_in(copy_of(_running, tmp_path / "fleet"), LATER, capsys, monkeypatch)


@pytest.fixture(scope="module", autouse=True)
def _tidy() -> Iterator[None]:
    """Collect here what was left open, where nobody minds, and not in the tests of others."""
    yield
    gc.collect()
