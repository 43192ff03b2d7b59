"""The demo tells the story that it promises, with real figures, and leaves nothing behind."""

import re
from pathlib import Path

import pytest

from tsunami_cli.cli import run


@pytest.fixture
def story(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> tuple[str, Path]:
    # The demo turns the clock of its process: put it back afterwards.
    monkeypatch.setenv("TSUNAMI_NOW", "2016-11-14T09:00:00Z")
    kept = tmp_path / "kept"
    assert run(["demo", "--pause", "0", "--hours", "2", "--keep", str(kept)]) == 0
    return capsys.readouterr().out, kept


def evenings(out: str, variable: str) -> list[tuple[str, int]]:
    """Return day and moved hosts of each line about a variable."""
    lines = re.findall(rf"^  (\w+ \d+ Nov) \S+ CET +{variable} +\S+ +\S+ % +([\d,]+) of", out, re.MULTILINE)
    return [(day, int(count.replace(",", ""))) for day, count in lines]


def test_the_share_grows_stands_still_when_halted_and_ends_complete(story: tuple[str, Path]) -> None:
    out, kept = story
    found = dict(evenings(out, "docker"))
    assert 0 < found["Mon 14 Nov"] < found["Tue 15 Nov"] < found["Wed 16 Nov"]
    assert found["Thu 17 Nov"] == found["Wed 16 Nov"], "halted on Thursday morning"
    assert found["Sat 19 Nov"] == found["Sun 20 Nov"] == found["Fri 18 Nov"] > found["Thu 17 Nov"]
    assert "complete" in out.rsplit("$ tsunami status", 1)[1].split("helios", 1)[0]
    helios = [count for _, count in evenings(out, "helios")]
    assert helios[0] < helios[-1]
    # Every command that is shown was run.
    shown = re.findall(r"\$ tsunami (\w+)", out)
    assert shown == [
        "publish", "pull", "start", "halt", "resume", "start", "explain", "status", "log", "audit", "pull"
    ]  # fmt: skip
    assert len(list((kept / "public" / "roles").iterdir())) == 42


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--keep", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("error: ")
    assert list(tmp_path.iterdir()) == []
