"""What a publish reports: messages to people, and a file of metrics."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.commands.fleet_world import ROOT, Fleet

pytestmark = [
    pytest.mark.server,
    # apprise imports some 150 plugins, and these warn of what they import in turn.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]

LATER = "2026-11-16T10:00:00Z"


class Inbox(ThreadingHTTPServer):
    """A server that keeps what it is sent."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.got: list[Any] = []

    def titles(self) -> list[str]:
        """Return the titles of what came since the last look."""
        found = [body["title"] for body in self.got]
        self.got.clear()
        return found


class Handler(BaseHTTPRequestHandler):
    server: Inbox

    def do_POST(self) -> None:
        self.server.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    made = Inbox()
    thread = threading.Thread(target=made.serve_forever, args=(0.02,))
    thread.start()
    monkeypatch.setenv("TSUNAMI_NOTIFY", f"json://127.0.0.1:{made.server_port}/")
    monkeypatch.setenv("TSUNAMI_PROMETHEUS_URL", "http://127.0.0.1:9")  # nobody is there
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def test_people_hear_of_each_event_once(fleet: Fleet, inbox: Inbox) -> None:
    fleet.ok("publish")
    assert inbox.titles() == []
    fleet.ok("start", "docker", "--to", "1.12.3", "--over", "5h", "--reason", "the proxy fix")
    fleet.ok("start", "somaxconn", "--to", "1024", "--over", "10s")
    fleet.at("2026-11-16T09:20:00Z").ok("publish")
    assert sorted(inbox.titles()) == [
        "backend: docker started by Ada Operator",
        "backend: somaxconn complete: 1024 on 23 hosts",
        "backend: somaxconn started by Ada Operator",
    ]
    # The metrics server does not answer: the first hosts have moved, and the others wait.
    said = fleet.at("2026-11-16T09:40:00Z").run("publish")
    assert said.code == 4
    assert "held: docker-running: http://127.0.0.1:9: " in said.out
    assert inbox.titles() == ["backend: docker held: the guard cannot ask about docker-running"]
    fleet.at("2026-11-16T09:45:00Z").run("publish")
    assert inbox.titles() == []
    fleet.ok("halt", "docker", "--reason", "search is slow")
    fleet.ok("publish", "--dry-run")
    assert inbox.titles() == []
    fleet.ok("publish")
    assert inbox.titles() == ["backend: docker halted by Ada Operator"]
    fleet.ok("publish")
    assert inbox.titles() == []


def test_a_message_that_does_not_arrive_changes_nothing(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TSUNAMI_NOTIFY", "json://hunter2@127.0.0.1:9/")
    fleet.ok("publish")
    fleet.ok("start", "helios", "--to", "0.9.12", "--over", "5h")
    said = fleet.at(LATER).run("publish")
    assert said.code == 0
    assert said.err.startswith("warning: json://")
    assert "hunter2" not in said.err


def test_metrics_are_written_whole_and_only_of_what_was_published(fleet: Fleet, tmp_path: Path) -> None:
    file = tmp_path / "tsunami.prom"
    fleet.ok("publish", "--metrics", str(file), "--dry-run")
    assert not file.exists()
    fleet.ok("publish", "--metrics", str(file))
    first = file.read_text()
    assert 'tsunami_hosts{fleet="backend",variable="docker",value="1.12.1",role="db"} 6' in first
    assert 'tsunami_publish_interval_seconds{fleet="backend"} 300' in first
    fleet.at(LATER).ok("run", "--once", "--every", "15s", "--metrics", str(file))
    assert 'tsunami_publish_interval_seconds{fleet="backend"} 15' in file.read_text()
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".tsunami")] == []
    said = fleet.run("publish", "--metrics", str(tmp_path / "nowhere" / "tsunami.prom"))
    assert said.code == 0
    assert "the metrics cannot be written" in said.err


def test_the_commands_of_the_page_write_the_file(fleet: Fleet, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "metrics.md").read_text("utf-8")
    lines = re.findall(r"^tsunami (.*)$", page, re.MULTILINE)
    assert len(lines) == 3
    for line in lines:
        words = line.split()
        file = tmp_path / Path(words[-1]).name
        # The loop is asked for one round.
        once = ["--once"] if words[0] == "run" and "--once" not in words else []
        fleet.ok(*words[:-1], str(file), *once)
        assert file.read_text().startswith("# HELP tsunami_")
        file.unlink()
