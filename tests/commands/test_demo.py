"""The demo tells the story that it promises, with real figures, and leaves nothing behind."""

import os
import re
import shutil
import signal
import socket
import tempfile
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.metrics_servers import need_prometheus
from tsunami_cli.adapters import own_files
from tsunami_cli.adapters.git.process import output
from tsunami_cli.cli import run
from tsunami_cli.commands import demo, publish
from tsunami_cli.core.calendar import unix
from tsunami_cli.demo.metrics import metrics, own_environment
from tsunami_cli.demo.prometheus import prometheus
from tsunami_cli.demo.story import Story
from tsunami_cli.output.demo import Stage

BEGIN = demo.MONDAY + timedelta(weeks=3)
"""When the second act begins."""


@pytest.fixture
def story(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> tuple[str, Path]:
    # Whatever the user has set is neither used nor lost.
    own = {name: f"http://127.0.0.1:9/{name}" for name in ("TSUNAMI_PROMETHEUS_URL", "TSUNAMI_NOTIFY")}
    own |= {"TSUNAMI_PROMETHEUS_TOKEN": "no token", "TSUNAMI_PUBLISH_TO": str(tmp_path / "elsewhere")}
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    kept = tmp_path / "kept"
    assert run(["demo", "--pause", "0", "--hours", "4", "--keep", str(kept)]) == 0
    assert {name: text for name, text in os.environ.items() if name.startswith("TSUNAMI_")} == own | required()
    for name in own:
        monkeypatch.delenv(name)
    said = capsys.readouterr()
    assert said.err == ""
    return said.out, kept


def required() -> dict[str, str]:
    """Return what is set for tests."""
    return {name: os.environ[name] for name in ("TSUNAMI_REQUIRE_SERVERS",) if name in os.environ}


def evenings(out: str, variable: str) -> list[tuple[str, int]]:
    """Return day and moved hosts of each line about a variable."""
    lines = re.findall(rf"^  (\w+ \d+ Nov) \S+ CET +{variable} +\S+ +\S+ % +([\d,]+) of", out, re.MULTILINE)
    return [(day, int(count.replace(",", ""))) for day, count in lines]


def test_the_share_grows_stands_still_when_halted_and_ends_complete(
    story: tuple[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
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
        *("publish", "pull", "start", "halt", "resume", "start", "explain", "status", "log", "audit", "pull"),
        *("start", "log"),
    ]
    assert len(list((kept / "public" / "roles").iterdir())) == 42

    # What is kept can be published on.
    now = re.search(r"TSUNAMI_NOW=(\S+) ", out)
    assert now is not None
    monkeypatch.setenv("TSUNAMI_NOW", now[1])
    assert run(["-C", str(kept), "publish"]) == 0
    assert "nothing new" in capsys.readouterr().out
    assert run(["-C", str(kept), "get", demo.LEADER, "helios"]) == 0
    assert capsys.readouterr().out == "0.9.12\n"


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--keep", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("error: ")
    assert list(tmp_path.iterdir()) == []


def second_act(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[list[str], str]:
    """Play the second act alone, on a fleet that was published once; return its lines and the guard's commit."""
    with own_environment():
        files = own_files.example()
        # Thousands of files less to write, and to clear away.
        files["tsunami.yaml"] = files["tsunami.yaml"].replace(b"per_host: true", b"per_host: false")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(own_files, "example", lambda: files)
            demo.lay_out(folder, 1)
        publish.command(folder=folder)
        capsys.readouterr()
        demo.second_act(folder, Stage(), BEGIN, pause=0)
    return capsys.readouterr().out.splitlines(), output(folder, "log", "-1", "main").decode()


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have a folder for temporary files that is nobody else's."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def without_prometheus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have git on the path, and nothing else."""
    git = shutil.which("git")
    assert git is not None
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").symlink_to(git)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


def test_the_guard_takes_a_bad_version_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], without_prometheus: None
) -> None:
    lines, decision = second_act(tmp_path / "fleet", capsys)
    out = "\n".join(lines)
    assert out.count("No Prometheus is installed here: a stand-in answers in its place, with the same numbers") == 1
    told = [int(count) for count in re.findall(r"(\d+) of 1,525 on 0.9.13", out)]
    assert len(told) == 4
    assert told[0] == told[1] > told[2] > told[3] == 0
    (share,) = re.findall(r"agent-crashes: ([\d.]+) > 0.01 on \d+ moved", decision)
    assert 0.02 < float(share) < 0.05
    assert f"{told[0]} moved hosts minus {1525 - told[0]:,} others" in decision
    assert "Tsunami-Guard: agent-crashes" in decision
    assert re.search(r"rollback +\w+ +guard +agent-crashes", out)
    assert lines[-2:] == [
        f"{told[0]} of 1,525 hosts had 0.9.13, for 2h to 3h; 0 have it now.",
        f"The other {1525 - told[0]:,} never moved, and nobody had to be there.",
    ]


@pytest.mark.server
def test_prometheus_and_its_stand_in_tell_the_same(
    tmp_path: Path, temporary: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    need_prometheus()
    real, decision = second_act(tmp_path / "real", capsys)
    # Of one text, commits of one name.
    with monkeypatch.context() as patch:
        patch.setattr("tsunami_cli.demo.metrics.installed", lambda: False)
        other, same = second_act(tmp_path / "other", capsys)
    assert same == decision
    differing = [(one, another) for one, another in zip(real, other, strict=True) if one != another]
    assert [(one.split()[0:3], another.split()[0:2]) for one, another in differing] == [
        (["The", "guard", "asks"], ["No", "Prometheus"])
    ]
    assert list(temporary.iterdir()) == []


@pytest.mark.server
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_no_server_outlives_a_demo_that_is_ended(end: signal.Signals, temporary: Path) -> None:
    need_prometheus()
    ports = []

    def ended() -> None:
        with prometheus(Story(["a1"]), unix(BEGIN)) as url:
            ports.append(urlsplit(url).port)
            socket.create_connection(("127.0.0.1", ports[0] or 0)).close()
            signal.raise_signal(end)

    with pytest.raises((KeyboardInterrupt, SystemExit)):
        ended()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", ports[0] or 0))
    assert list(temporary.iterdir()) == []


def test_a_prometheus_that_does_not_start_is_stood_in_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("prometheus", "promtool"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with metrics(Story(["a1"]), unix(BEGIN)) as source:
        assert source == "does not start"
        assert os.environ["TSUNAMI_PROMETHEUS_URL"].startswith("http://127.0.0.1:")
    assert "TSUNAMI_PROMETHEUS_URL" not in os.environ
