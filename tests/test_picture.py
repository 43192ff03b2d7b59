"""The picture in the README is what the tool draws today."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[1] / "docs"


def drawer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("picture", DOCS / "picture.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_picture_is_what_status_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    from tsunami_cli.output import status, streams

    # The drawer turns the clock, takes a name and records the screen: both are put back afterwards.
    monkeypatch.setenv("TSUNAMI_NOW", "2016-11-14T09:00:00Z")
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL"):
        monkeypatch.setenv(name, "nobody")
    monkeypatch.setattr(status, "console", streams.console)
    assert drawer().drawn() == (DOCS / "status.svg").read_text("utf-8"), "draw it anew: python docs/picture.py"
