"""The door to apprise, with apprise itself and a server on this machine: what arrives, what fails, what leaks."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import get_args

import pytest

from tests.adapters.git_world import DOCKER, HELIOS, Clone, git, new_repository
from tests.core.fleets import T0
from tsunami_cli.adapters import notifications
from tsunami_cli.adapters.notifications import FILE, VARIABLE, addresses, send
from tsunami_cli.commands.notifying import new_decisions, notify
from tsunami_cli.core.journal import Entry
from tsunami_cli.core.notices import Kind, Notice
from tsunami_cli.errors import Refused

pytestmark = [
    pytest.mark.server,
    # apprise imports some 150 plugins, and these warn of what they import in turn.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

ROOT = Path(__file__).resolve().parents[2]
SECRET = "hunter2"
HALT = Notice("halt", "docker", "backend: docker halted by the guard", "0.21 > 0.01\n*a* <b> & :smile: \\n")
ENTRY = Entry(T0, "c0ffee" * 6, "Ann <ann@example.com>", "halt", "docker", "docker-1", "logins fail")


class Server(ThreadingHTTPServer):
    """Keeps what it is sent."""

    daemon_threads = True
    block_on_close = False
    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.got: list[tuple[str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"json://ann:{SECRET}@127.0.0.1:{self.server_port}/{SECRET}?:{SECRET}=x"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.got.append((self.headers["User-Agent"], body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture(autouse=True)
def _nothing_leaks(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    out, err = capfd.readouterr()
    assert SECRET not in out + err
    assert not [line for line in err.splitlines() if not line.startswith("warning: ")]


@contextmanager
def deaf_server(answer: bytes = b"") -> Iterator[str]:
    """Take connections, answer them with some bytes again and again, and never to the end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = threading.Event()
        thread = threading.Thread(target=_trickle, args=(listener, answer, over))
        thread.start()
        yield f"json://{SECRET}@127.0.0.1:{listener.getsockname()[1]}"
        over.set()
        thread.join()


def _trickle(listener: socket.socket, answer: bytes, over: threading.Event) -> None:
    listener.settimeout(0.05)
    with ExitStack() as taken:
        readers: list[socket.socket] = []
        while not over.is_set():
            with suppress(TimeoutError):
                readers.append(taken.enter_context(listener.accept()[0]))
            for one in readers:
                with suppress(OSError):  # it has gone
                    one.send(answer)


def test_what_arrives(server: Server, home: Path) -> None:
    assert send([server.url], [HALT]) == []
    ((agent, body),) = server.got
    assert agent == "Tsunami"
    wanted = {"title": HALT.title, "message": HALT.text, "type": "failure", "attachments": []}
    assert {key: body[key] for key in wanted} == wanted
    assert not list(home.iterdir()), "apprise keeps nothing"


def test_every_notice_reaches_every_address_in_order(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    other = server.url + "&:other=y"
    kinds = get_args(Kind)
    assert send([server.url, other], [replace(HALT, kind=kind, title=kind) for kind in kinds]) == []
    told = [(body["title"], body["type"], "other" in body) for _, body in server.got]
    grave = {"halt": "failure", "rollback": "failure", "hold": "warning", "unasked": "warning", "completion": "success"}
    wanted = [(kind, grave.get(kind, "info")) for kind in kinds]
    for second in (False, True):
        assert [(title, how) for title, how, which in told if which is second] == wanted


def test_nothing_to_do_loads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    assert send([], [HALT]) == send(["json://127.0.0.1"], []) == []


def test_an_error_of_the_server(server: Server) -> None:
    server.status = 500
    assert send([server.url], [HALT, HALT, HALT]) == ["json://: 3 of 3 notifications did not arrive: HTTP 500"]
    assert len(server.got) == 3, "the others are tried"


def test_one_address_does_not_keep_another_from_being_told(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        closed = f"json://{SECRET}@127.0.0.1:{gone.getsockname()[1]}"
    found = send([closed, f"slakc://{SECRET}/x", SECRET, server.url, f"slack://{SECRET}"], [HALT])
    assert len(server.got) == 1
    starts = [line.partition(": the notification did not arrive: ") for line in found]
    assert [start for start, _, _ in starts] == [
        "json:// (1 of 5)",
        "slakc:// (2 of 5)",
        "an address without a scheme (3 of 5)",
        "slack:// (5 of 5)",
    ]
    assert starts[0][2] == "no connection, or no answer"
    assert "apprise -b test URL" in starts[1][2]
    assert not [line for line in found if SECRET in line or "\n" in line]


@pytest.mark.parametrize("bytewise", [b"", b"HTTP/1.1 200 OK\r\nX-A: b\r\n"])
def test_a_server_that_hangs_or_trickles(server: Server, bytewise: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifications, "LIMIT", 0.6)
    monkeypatch.setattr(notifications, "ONE_WAIT", 0.4)
    send([server.url], [HALT])  # so that the time is not that of apprise being loaded
    with deaf_server(bytewise) as deaf:
        begun = time.monotonic()
        (line,) = send([deaf, server.url], [HALT, HALT, HALT])
        assert time.monotonic() - begun < 2
    assert line.startswith("json:// (1 of 2): 3 of 3 notifications did not arrive: no ")
    assert len(server.got) == 4


def test_a_plugin_that_fails_in_its_own_way(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(url: str) -> None:
        raise ValueError(url)

    monkeypatch.setattr(notifications, "_service", broken)
    assert send([server.url], [HALT]) == ["json://: the notification did not arrive: ValueError"]


def test_without_apprise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    (line,) = send([f"json://{SECRET}", f"slack://{SECRET}"], [HALT, HALT])
    assert "pip install 'tsunami-cli[notify]'" in line
    assert SECRET not in line


ALONE = """\
import logging, sys, warnings
from urllib3.exceptions import InsecureRequestWarning
from tsunami_cli.adapters.notifications import send
from tsunami_cli.core.notices import Notice
found = send(sys.argv[1:], [Notice("halt", "docker", "title", "text")])
for name in ("apprise", "urllib3.connectionpool", "requests", "a.plugin"):
    logging.getLogger(name).error("Failed to parse headers (url=%s)", sys.argv[1])
logging.getLogger("apprise").error("badly %d made", "x")
warnings.warn(f"Unverified HTTPS request is being made to host {sys.argv[1]}", InsecureRequestWarning)
print(*found, sep="\\n")
"""


def test_in_a_process_of_its_own_nothing_is_printed_and_nothing_waited_for(server: Server) -> None:
    """pytest takes logs and warnings away; and threads that hang would show only at the end of a process."""
    server.status = 401
    limits = "notifications.LIMIT, notifications.ONE_WAIT = 1.5, 60"
    code = ALONE.replace("found", f"from tsunami_cli.adapters import notifications; {limits}\nfound", 1)
    with deaf_server(b"HTTP/1.1 200 OK\r\nX-A: b\r\n") as deaf:
        words = (sys.executable, "-c", code, server.url, f"slakc://{SECRET}", deaf)
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "json:// (1 of 3): the notification did not arrive: HTTP 401"
    assert [line.partition(" ")[0] for line in done.stdout.splitlines()] == ["json://", "slakc://", "json://"]
    assert SECRET not in done.stdout


# Where addresses come from


def never() -> bool:
    raise AssertionError("git is asked only where there is a file")


def test_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert addresses(tmp_path, never) == ()
    monkeypatch.setenv(VARIABLE, " json://a\tjson://b\n json://a ")
    assert addresses(tmp_path, never) == ("json://a", "json://b")
    (tmp_path / FILE).write_text("\ufeff# ours\n\n  slack://T/A/B/#ops \r\njson://b\n#json://c\n", "utf-8")
    assert addresses(tmp_path, lambda: False) == ("json://a", "json://b", "slack://T/A/B/#ops")


def _folder(place: Path) -> None:
    place.mkdir()


def _latin(place: Path) -> None:
    place.write_bytes(b"json://\xe9" + SECRET.encode())


def _dangling(place: Path) -> None:
    place.symlink_to("nowhere")


@pytest.mark.parametrize("make", [_folder, _latin, _dangling])
def test_a_file_that_cannot_be_read(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / FILE)
    with pytest.raises(Refused, match=r"\.tsunami-notify .*one URL a line") as refused:
        addresses(tmp_path, lambda: False)
    assert SECRET not in str(refused.value)


# With a repository


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return new_repository(tmp_path / "clone")


def told(clone: Clone, *entries: Entry) -> None:
    repository = clone.repository
    notify(repository, "backend", entries, [], [], [])
    repository.close()


def test_notify(clone: Clone, server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    clone.write(FILE, f"{server.url}\nslakc://{SECRET}\n")
    told(clone, ENTRY)
    assert [body["title"] for _, body in server.got] == ["backend: docker halted by Ann"]
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("warning: slakc:// (2 of 2): the notification did not arrive")


def test_a_file_that_git_tracks_is_refused_and_the_environment_still_told(
    clone: Clone, server: Server, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, server.url)
    clone.commit("oops", {FILE: f"slack://{SECRET}\n"})
    told(clone, ENTRY)
    assert len(server.got) == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("warning: .tsunami-notify: git tracks it")
    assert "git rm --cached .tsunami-notify" in line

    clone.git("rm", "-q", "--cached", FILE)
    told(clone, ENTRY)
    assert len(server.got) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("warning: slack:// (2 of 2)")


def test_notify_without_notices_or_addresses_loads_nothing(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    told(clone, ENTRY)
    monkeypatch.setenv(VARIABLE, "json://127.0.0.1")
    told(clone, replace(ENTRY, action="pace"))


def decisions(clone: Clone, since: str, until: str = "main") -> list[tuple[str, str, str | None]]:
    repository = clone.repository
    found = [(e.action, e.variable, e.reason) for e in new_decisions(repository, since, clone.git("rev-parse", until))]
    repository.close()
    return found


def test_new_decisions(clone: Clone) -> None:
    begun = clone.git("rev-parse", "HEAD")
    assert decisions(clone, begun) == []
    halt = "docker: halt\n\nlogins fail\n\nTsunami-Action: halt\nTsunami-Variable: docker"
    first = clone.commit(halt, {DOCKER: "name: docker\n"})
    clone.commit("about something else", {"other.txt": "x\n"})
    clone.git("switch", "-q", "-c", "side", begun)
    clone.commit("from the side", {HELIOS: "name: helios\n"})
    clone.git("switch", "-q", "main")
    clone.git("merge", "-q", "--no-edit", "side")

    both = [("halt", "docker", "logins fail"), ("edit", "helios", "from the side")]
    assert sorted(decisions(clone, begun)) == sorted(both)
    assert decisions(clone, first) == both[1:]
    assert decisions(clone, clone.git("rev-parse", "main")) == []


@pytest.mark.parametrize("since", ["", "0" * 40, "main", "--all", "not a commit"])
def test_no_news_where_the_last_source_is_unknown(clone: Clone, since: str) -> None:
    before = clone.git("rev-parse", "HEAD")
    clone.commit("docker by hand", {DOCKER: "name: docker\n"})
    assert decisions(clone, since) == []
    assert decisions(clone, clone.git("rev-parse", "HEAD"), before) == [], "no ancestor"


def test_a_clone_that_is_cut_off_makes_no_news_of_old_files(clone: Clone, tmp_path: Path) -> None:
    for number in range(3):
        clone.commit(f"number {number}", {DOCKER: f"name: docker\n# {number}\n"})
    git(tmp_path, "clone", "-q", "--depth=2", f"file://{clone.root}", "cut")
    cut = Clone(tmp_path / "cut")
    assert decisions(cut, clone.git("rev-parse", "main~1")) == [("edit", "docker", "number 2")]
    assert decisions(cut, clone.git("rev-parse", "main~2")) == []


def test_a_side_that_is_cut_off_makes_no_news_of_old_files(clone: Clone, tmp_path: Path) -> None:
    clone.git("switch", "-q", "-c", "side")
    for number in range(3):
        clone.commit(f"side {number}", {HELIOS: f"name: helios\n# {number}\n"})
    clone.git("switch", "-q", "main")
    known = clone.commit("known", {"other.txt": "x\n"})
    clone.git("merge", "-q", "--no-edit", "side")
    git(tmp_path, "clone", "-q", "--depth=3", f"file://{clone.root}", "cut")
    assert decisions(Clone(tmp_path / "cut"), known) == [("edit", "helios", "side 2")]
