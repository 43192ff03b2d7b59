"""A rollouts repository on a bare remote, with the workflows that `tsunami init` lays out, and its runner."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.adapters.git_world import Clone, new_remote
from tests.commands.fleet_world import FILES, NOW, new_repository
from tests.pipeline.clouds import Clouds, clouds
from tests.pipeline.expressions import ROOT
from tests.pipeline.runner import Runner
from tests.pipeline.world import CALLERS, World, publish_to

LAID_OUT = (
    ".github/actions/tsunami/action.yml",
    ".github/actions/tsunami/requirements.txt",
    ".github/workflows/tsunami-halt.yml",
    ".github/workflows/tsunami-preview.yml",
    ".github/workflows/tsunami-publish.yml",
)


@pytest.fixture(scope="session")
def _fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pipeline")
    files = {path: (ROOT / path).read_text("utf-8") for path in LAID_OUT}
    for caller in CALLERS.glob("*.yml"):
        files[f".github/workflows/{caller.name}"] = caller.read_text("utf-8").replace("@BRANCH@", "main")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"):
            patch.setenv(name, "2026-11-02T09:00:00Z")
        return new_repository(folder / "fleet", {**FILES, **files})


@pytest.fixture
def world(tmp_path: Path, _fleet: Path) -> World:
    """Return the repository with its callers as an operator sets them up: to a folder that hosts look into."""
    new_remote(tmp_path / "remote.git", Clone(shutil.copytree(_fleet, tmp_path / "clone")))
    (tmp_path / "runs").mkdir()
    runner = Runner(tmp_path / "remote.git", tmp_path / "runs", {"TSUNAMI_NOW": NOW})
    made = World(tmp_path / "remote.git", tmp_path / "clone", tmp_path / "public", runner)
    publish_to(made, f"file:{made.public}")
    return made


@pytest.fixture
def cloud(tmp_path: Path, home: Path, world: World) -> Iterator[Clouds]:
    """Return the clouds, and let jobs with the right ask for tokens there."""
    with clouds(tmp_path) as found:
        found.curl(home)
        world.runner.id_token = found.id_token
        yield found


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path | None]:
    """Return what builds the wheel, once; None where these are the tests of one, without the sources."""
    made: list[Path] = []

    def build() -> Path | None:
        if not (ROOT / "tsunami_cli").is_dir():
            return None
        if not made:
            folder = tmp_path_factory.mktemp("wheel")
            words = ("-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder))
            subprocess.run((sys.executable, *words), cwd=ROOT, check=True, capture_output=True)
            made.append(folder)
        return made[0]

    return build
