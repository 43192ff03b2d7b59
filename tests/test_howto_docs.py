"""The how-to pages keep their word: each is followed from the fleet that they begin with, and shows what is printed."""

import shutil
from pathlib import Path

import pytest

from tests.pages import DOCS, Reader, blocks, page
from tsunami_cli.adapters.yaml.documents import parse

FOLDER = DOCS / "how-to"
BEGINNING = "README"
NAMES = sorted(file.stem for file in FOLDER.glob("*.md") if file.stem != BEGINNING)
LIMIT = 90
"""Lines that a page may have: who has to do something has no time to read."""


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the fleet of all pages, as their first page says, with this repository as the clone in the home."""
    folder, home = tmp_path_factory.mktemp("fleet"), tmp_path_factory.mktemp("home")
    (home / "tsunami").symlink_to(DOCS.parent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.chdir(folder)
        Reader(folder, patch).follow(page(f"how-to/{BEGINNING}"))
    return folder


@pytest.fixture
def reader(beginning: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    folder = tmp_path / "fleet"
    # A publish looks at the manifest and writes what differs: two thousand objects need not be copied ten times.
    shutil.copytree(beginning, folder, ignore=shutil.ignore_patterns("hosts"))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TSUNAMI_NOW", "2026-11-25T12:30:00Z")
    return Reader(folder, monkeypatch)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_is_what_happens(name: str, reader: Reader) -> None:
    reader.follow(page(f"how-to/{name}"))
    assert len(reader.ran) > 3


def test_the_pages_begin_at_the_instant_at_which_their_fleet_ends() -> None:
    consoles = [body for kind, body in blocks(page(f"how-to/{BEGINNING}")) if kind == "console"]
    assert "export TSUNAMI_NOW=2026-11-25T12:30:00Z\n" in consoles[-1]


@pytest.mark.parametrize("name", NAMES)
def test_the_page_is_short(name: str) -> None:
    assert len(page(f"how-to/{name}").splitlines()) <= LIMIT


def test_yaml_of_the_pages_is_yaml() -> None:
    for name in NAMES:
        for kind, body in blocks(page(f"how-to/{name}")):
            if kind == "yaml":
                assert not parse(body.encode(), name)[1], name
