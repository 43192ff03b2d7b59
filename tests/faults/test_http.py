"""The remote over http, as a forge serves it: a web server on loopback before `git http-backend`."""

import http.server
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.commands.fleet_world import git
from tests.faults.world import World, shared

BACKEND = Path(subprocess.run(("git", "--exec-path"), capture_output=True, text=True, check=True).stdout.strip())
Rule = Callable[[str], str]
"""What is asked for -> pass, hang, or a status."""


@dataclass
class Forge:
    """A web server that serves repositories, and does as the rule says."""

    url: str = ""
    rule: Rule = field(default=lambda asked: "pass")
    over: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Forge]:
    state = Forge()

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path, _, query = self.path.partition("?")
            what = state.rule(f"{path}?{query}")
            if what == "hang":
                state.over.wait(20)
                self.close_connection = True
                return
            if what != "pass":
                self.send_error(int(what))
                return
            done = subprocess.run(
                (str(BACKEND / "git-http-backend"),),
                input=body,
                capture_output=True,
                check=True,
                env=os.environ
                | {
                    "GIT_PROJECT_ROOT": str(tmp_path / "world"),
                    "GIT_HTTP_EXPORT_ALL": "1",
                    "PATH_INFO": path,
                    "QUERY_STRING": query,
                    "REQUEST_METHOD": self.command,
                    "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                    "CONTENT_LENGTH": str(len(body)),
                    "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                    "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                    "REMOTE_ADDR": "127.0.0.1",
                },
            )
            head, _, data = done.stdout.partition(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            self.send_response(int(fields.pop("Status", "200").split()[0]))
            for name, value in fields.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = answer

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    class Quiet(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass

    with Quiet(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_port}/remote.git"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield state
        finally:
            state.over.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def world(tmp_path: Path, forge: Forge) -> World:
    """Return a clone over http."""
    found = shared(tmp_path / "world")
    git(found.counts, "config", "http.receivepack", "true")
    git(tmp_path, "clone", "-q", forge.url, "clone")
    return World(tmp_path / "clone", found.to, found.counts)


pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(
        not (BACKEND / "git-http-backend").exists() and os.environ.get("TSUNAMI_REQUIRE_SERVERS") != "1",
        reason="there is no git-http-backend: it comes with git",
    ),
]


def test_decide_publish_and_audit_over_http(world: World, forge: Forge, tmp_path: Path) -> None:
    world.ok("pin", "agent", "--to", "1", "--role", "db", "--reason", "r", minute=1)
    world.ok("publish", minute=20)
    world.check_mended()
    git(tmp_path, "clone", "-q", forge.url, "second")
    second = World(tmp_path / "second", world.to, world.remote)
    assert second.run("publish", "--json", minute=40).data["sequence"] == 2
    second.check_mended()
    world.ok("publish", minute=60)
    world.check_mended()
    assert len(world.entries()) == 3
    rows = world.run("audit", "--json", minute=60).data
    assert len(rows) == sum(len(entry.tellings) for entry in world.entries())


@pytest.mark.slow
def test_two_clones_over_http_at_once(world: World, forge: Forge, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", forge.url, "second")
    # Each to its own store, so that nothing but the push decides who is first.
    second = World(tmp_path / "second", f"file:{tmp_path}/other", world.remote)
    for minute in (20, 40):
        begun = [one.begin("publish", minute=minute) for one in (world, second)]
        said = [process.communicate(timeout=60) for process in begun]
        assert [process.returncode for process in begun] == [0, 0], said
        world.check()
    for one in (world, second):
        one.ok("publish", minute=60)
        one.check_mended()


@pytest.mark.parametrize("status", ["401", "403"])
def test_a_push_that_is_forbidden_is_exit_1(world: World, forge: Forge, status: str) -> None:
    forge.rule = lambda asked: status if "receive-pack" in asked else "pass"
    world.no(1, 20)
    assert (world.tip, world.objects()) == (None, {})
    forge.rule = lambda asked: "pass"
    world.ok("publish", minute=20)
    world.check_mended()


@pytest.mark.parametrize("status", ["404", "500", "503"])
def test_a_forge_in_trouble_is_exit_4_and_no_first_publish(world: World, forge: Forge, status: str) -> None:
    forge.rule = lambda asked: status
    assert "origin" in world.no(4, 20)
    assert (world.tip, world.objects()) == (None, {})


@pytest.mark.parametrize(
    "where",
    ["upload-pack", *(pytest.param(one, marks=pytest.mark.slow) for one in ("receive-pack", "/git-receive-pack"))],
)
def test_a_forge_that_hangs_is_exit_4_in_time(world: World, forge: Forge, where: str) -> None:
    forge.rule = lambda asked: "hang" if where in asked else "pass"
    assert "TSUNAMI_GIT_TIMEOUT" in world.no(4, 20, TSUNAMI_GIT_TIMEOUT="0.7")
    assert (world.tip, world.objects()) == (None, {})
    forge.rule = lambda asked: "pass"
    world.ok("publish", minute=20)
    world.check_mended()


@pytest.mark.slow
def test_a_push_whose_answer_was_lost_counts_and_is_told_once(world: World, forge: Forge) -> None:
    """The remote has taken the entry, and the publisher never heard of it."""
    world.ok("publish", minute=0)
    hook = world.counts / "hooks/post-receive"
    hook.write_text("#!/bin/sh\nexec sleep 2 >/dev/null 2>&1\n")
    hook.chmod(0o755)
    error = world.no(4, 20, TSUNAMI_GIT_TIMEOUT="1")
    assert "origin" in error
    hook.unlink()
    world.check()
    world.ok("publish", minute=20)
    world.check_mended()
    assert len(world.entries()) == 2
