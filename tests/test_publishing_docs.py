"""The page on publishing keeps its word: its commands run in the order shown, and systemd takes its unit."""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers import (
    Place,
    s3,  # noqa: F401
)
from tests.test_readme import ROOT, shown
from tsunami_cli.adapters import clock, own_files
from tsunami_cli.adapters.folders import write_new
from tsunami_cli.adapters.git.creation import create
from tsunami_cli.cli import run

PAGE = ROOT / "docs" / "publishing.md"


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TSUNAMI_NOW", "2026-11-16T09:00:00Z")
    folder = tmp_path / "fleet"
    folder.mkdir()
    write_new(folder, own_files.example())
    create(folder, "The example fleet", clock.now())
    monkeypatch.chdir(folder)
    return folder


def test_the_commands_work_in_the_order_shown(fleet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ran = 0
    for line in shown(PAGE):
        words = shlex.split(line)
        if words[0] == "git":
            done = subprocess.run(words, cwd=fleet, check=True, capture_output=True, text=True)
            assert "first publish" in done.stdout
        else:
            assert (words[0], run(words[1:])) == ("tsunami", 0), (line, capsys.readouterr().err)
            ran += 1
    assert ran > 5


def test_every_flag_of_the_page_is_there(fleet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = PAGE.read_text("utf-8")
    assert run(["publish", "--help"]) == 0
    known = capsys.readouterr().out
    for flag in ("--accept-shrink", "--accept-rewind", "--reset-clock", "--recover", "--to", "--dry-run"):
        assert flag in text
        assert flag in known


@pytest.mark.server
def test_the_same_goes_to_a_bucket(
    fleet: Path,
    s3: Place,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("TSUNAMI_NOW")
    monkeypatch.setenv("TSUNAMI_PUBLISH_TO", s3.url)
    for line in shown(PAGE):
        words = shlex.split(line)
        if words[0] == "tsunami":
            assert run(words[1:]) == 0, (line, capsys.readouterr().err)
    host = "lon2-accesspoint-a7"
    assert run(["pull", "--from", s3.url, "--host", host, "--out", "values.json"]) == 0
    assert '"docker":"1.12.1"' in (fleet / "values.json").read_text()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed here")
def test_the_unit_is_right(tmp_path: Path) -> None:
    unit = tmp_path / "tsunami-run.service"
    text = (ROOT / "docs" / "publishing" / unit.name).read_text("utf-8")
    # It looks whether the command is there.
    unit.write_text(text.replace("/usr/local/bin/tsunami", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    ours = [line for line in done.stderr.splitlines() if "tsunami" in line]
    assert (done.returncode, ours) == (0, []), done.stderr
