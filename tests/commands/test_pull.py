"""`tsunami pull`: from a folder and over http, as hosts call it, with a publisher and a network that misbehave."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.published import (
    FLEET,
    HOST,
    ROLE,
    VALUES,
    Server,
    dribble,
    flat,
    manifest,
    objects,
    publish,
    put,
    serving,
    silent,
    with_value,
)
from tests.servers import Place, azure, s3  # noqa: F401
from tsunami_cli import cli

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "tsunami_cli")
CHANGED = with_value(HOST, "docker", "1.12.3")


class Host:
    """A host with a file, and the command that keeps it."""

    def __init__(self, folder: Path, published: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.file = folder / "values.json"
        self.state = folder / ".values.json.state"
        self.ran = folder / "ran"
        self.published = published
        self.url = str(published)
        self._capture = capture
        self.out = self.err = ""

    def words(self, *more: str) -> list[str]:
        return ["pull", "--from", self.url, "--host", HOST, "--out", str(self.file), *more]

    def pull(self, *more: str) -> int:
        """Run it here; what it said is in `out` and `err`."""
        self._capture.readouterr()
        code = cli.run(self.words(*more))
        self.out, self.err = self._capture.readouterr()
        return code

    def process(self, *more: str, **environment: str) -> "subprocess.Popen[str]":
        """Start it as a process of its own."""
        return subprocess.Popen(
            (*COMMAND, *self.words(*more)),
            env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def told(self, *more: str) -> Any:
        """Run it with --json; return its answer."""
        assert self.pull("--json", *more) == 0, self.err
        return json.loads(self.out)

    @property
    def values(self) -> Any:
        return json.loads(self.file.read_bytes())

    def kept(self, code: int, *says: str, more: tuple[str, ...] = ()) -> None:
        """Assert that a run fails with one line, and leaves the file untouched."""
        before = self.file.read_bytes(), self.file.stat().st_ino
        assert self.pull(*more) == code, self.err
        assert (self.file.read_bytes(), self.file.stat().st_ino) == before
        assert self.out == ""
        assert self.err.count("\n") == 1
        assert self.err.startswith("error: ")
        assert self.err.endswith(f"{self.file} stays as it was\n")
        for part in says:
            assert part in self.err, self.err


@pytest.fixture
def host(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setenv("TSUNAMI_NOW", "2026-11-16T09:30:00Z")
    (tmp_path / "host").mkdir()
    publish(tmp_path / "published")
    return Host(tmp_path / "host", tmp_path / "published", capsys)


@pytest.fixture
def server(host: Host) -> Iterator[Server]:
    with serving(host.published) as server:
        host.url = server.url
        yield server


@pytest.fixture(params=["folder", "http"])
def either(request: pytest.FixtureRequest, host: Host) -> Host:
    if request.param == "http":
        request.getfixturevalue("server")
    return host


def test_a_file_is_written_once_and_then_left_alone(either: Host) -> None:
    assert either.pull() == 0
    assert either.out == f"{HOST}: docker 1.12.1, helios 0.9.10, somaxconn 4096 (sequence 812)\n"
    assert either.err == ""
    assert either.file.read_bytes() == flat(VALUES)
    assert either.file.stat().st_mode & 0o777 == 0o644
    before = either.file.stat(), either.state.stat()
    assert either.pull() == 0
    assert (either.out, either.err) == ("", "")
    assert (either.file.stat(), either.state.stat()) == before
    assert sorted(file.name for file in either.file.parent.iterdir()) == [
        ".values.json.lock",
        ".values.json.state",
        "values.json",
    ]


def test_a_change_is_written_and_said(either: Host) -> None:
    either.pull()
    publish(either.published, with_value(HOST, "docker", "1.12.3\x1b[31m"), sequence=813)
    assert either.pull() == 0
    assert either.out == f'{HOST}: docker 1.12.1 -> "1.12.3\\u001b[31m" (sequence 813)\n'
    assert either.values["docker"] == "1.12.3\x1b[31m"


def test_json(either: Host) -> None:
    expected = {
        "host": HOST,
        "fleet": "backend",
        "sequence": 812,
        "rendered_at": "2026-11-16T09:00:00Z",
        "expires_at": "2026-11-16T10:00:00Z",
        "expired": False,
        "changed": True,
        "executed": False,
        "busy": False,
    }
    assert either.told() == expected
    assert either.told() == expected | {"changed": False}
    assert either.told("--exec", "true") == expected | {"changed": False, "executed": True}
    assert either.told("--exec", "true") == expected | {"changed": False}


def test_a_bundle_gives_the_same_bytes(either: Host) -> None:
    either.pull()
    before = either.file.stat()
    publish(either.published, per_host=False, sequence=813)
    either.kept(1, "name the host's role with --role")
    assert either.told("--role", ROLE)["changed"] is False
    after = either.file.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    publish(either.published, CHANGED, per_host=False, sequence=814)
    assert either.told("--role", ROLE)["changed"] is True
    assert either.values["docker"] == "1.12.3"


def test_what_changed_nothing_costs_one_question(host: Host, server: Server) -> None:
    host.pull()
    assert [(name, status) for name, _, status in server.asked] == [("manifest.json", 200), (f"hosts/{HOST}.json", 200)]
    server.asked.clear()
    host.pull()
    assert [(name, status) for name, _, status in server.asked] == [("manifest.json", 304)]
    publish(host.published, with_value("lon2-db-a1", "docker", "1.12.3"), sequence=813)
    server.asked.clear()
    assert host.told()["sequence"] == 813
    assert [(name, status) for name, _, status in server.asked] == [("manifest.json", 200)]


def test_another_host_role_or_place_is_asked_anew(host: Host, server: Server) -> None:
    host.pull("--role", ROLE)
    assert host.pull("--role", ROLE, "--host", "lon2-accesspoint-a2") == 0
    assert host.values["docker"] == "1.12.3", "of the same bundle, which did not change"
    host.url = str(host.published)
    host.pull()
    assert host.values == VALUES


def test_a_file_that_somebody_edited_or_removed_is_mended(either: Host) -> None:
    either.pull()
    either.file.write_text('{"docker":"mine"}')
    assert either.told()["changed"] is True
    assert either.values == VALUES
    either.file.unlink()
    assert either.told()["changed"] is True
    assert either.values == VALUES


def test_another_fleet_is_refused(either: Host) -> None:
    either.pull()
    publish(either.published, CHANGED, fleet="staging")
    either.kept(1, "is of the fleet staging, not of backend", "--fleet staging")
    publish(either.published, CHANGED)
    either.kept(1, "is of the fleet backend, not of staging", more=("--fleet", "staging"))
    publish(either.published, CHANGED, fleet="staging", sequence=3)
    assert either.told("--fleet", "staging")["sequence"] == 3, "the sequence of another fleet says nothing"
    assert either.told()["fleet"] == "staging"


def test_an_old_manifest_that_comes_back_is_refused(either: Host) -> None:
    publish(either.published, CHANGED, sequence=813)
    either.pull()
    publish(either.published)
    either.kept(1, "has sequence 812, and the one before had 813", "remove the .state file")
    either.kept(1, "has sequence 812")
    publish(either.published, CHANGED, sequence=813, rendered_at="2026-11-16T09:05:00Z")
    assert either.told()["rendered_at"] == "2026-11-16T09:05:00Z", "the same sequence is fine"


def test_a_host_that_is_gone_keeps_what_it_had(either: Host) -> None:
    either.pull()
    publish(either.published, {"db": FLEET["db"]}, sequence=813)
    either.kept(1, f"has no hosts/{HOST}.json", "in the inventory?")
    either.kept(1, f"has no roles/{ROLE}.json", more=("--role", ROLE))


@pytest.mark.parametrize(
    "data",
    [b"<html>", b"", b"{}", b'{"fleet":1,"fleet":1}', manifest(objects())[:-30], b'{"sequence": NaN}', b"\xff"],
)
def test_a_manifest_that_is_none(either: Host, data: bytes) -> None:
    either.pull()
    put(either.published / "manifest.json", data)
    either.kept(1, "manifest.json: ")


@pytest.mark.parametrize(
    "data",
    [b"[]", b'{"a":{}}', b'{"a":[1]}', b'{"a":null}', b'{"a":1,"a":2}', b'{"a":NaN}', b'{"a":1e999}', b'{"a":"\xff"}'],
)
def test_an_object_that_is_not_flat(either: Host, data: bytes) -> None:
    either.pull()
    found = objects() | {f"hosts/{HOST}.json": data}
    put(either.published / f"hosts/{HOST}.json", data)
    put(either.published / "manifest.json", manifest(found, sequence=813))
    either.kept(1, f"hosts/{HOST}.json: ")


@pytest.mark.parametrize("data", [flat(VALUES)[:-5], flat(VALUES).replace(b"1.12.1", b"6.66.6"), b""])
def test_an_object_that_the_manifest_does_not_name(either: Host, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tsunami_cli.adapters.store.reading.sleep", lambda seconds: None)
    either.pull()
    put(either.published / f"hosts/{HOST}.json", data)
    publish_manifest_alone(either, sequence=813)
    either.kept(1, f"hosts/{HOST}.json: is not what the manifest names", "a publish is under way")


def publish_manifest_alone(host: Host, **fields: Any) -> None:
    put(host.published / "manifest.json", manifest(objects(CHANGED), **fields))


def test_a_publish_that_is_under_way_is_waited_for(host: Host, server: Server) -> None:
    host.pull()
    put(host.published / f"hosts/{HOST}.json", objects(CHANGED)[f"hosts/{HOST}.json"])
    host.file.unlink()

    def finish(request: BaseHTTPRequestHandler) -> bool:
        if request.path.startswith("/hosts/"):
            server.answer = lambda request: False
            server.give(request)
            publish(host.published, CHANGED, sequence=813)
            return True
        return False

    server.answer = finish
    assert host.told()["sequence"] == 813
    assert host.values["docker"] == "1.12.3"


def test_what_has_expired_still_counts(either: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TSUNAMI_NOW", "2026-11-16T10:00:01Z")
    assert either.told()["expired"] is True
    assert either.values == VALUES
    assert either.err.startswith("warning: the manifest was good until 2026-11-16T10:00:00Z")
    assert either.err.count("\n") == 1
    assert either.told()["expired"] is True
    publish(either.published, CHANGED, sequence=813)
    assert either.told()["changed"] is True, "an old manifest tells new values all the same"
    monkeypatch.setenv("TSUNAMI_NOW", "1970-01-01T00:00:01Z")
    assert either.told()["expired"] is False


def huge(request: BaseHTTPRequestHandler) -> bool:
    request.send_response(200)
    request.send_header("Content-Length", str(1 << 40))
    request.end_headers()
    request.wfile.write(b" " * 100_000)
    time.sleep(5)
    return True


def test_what_is_too_large_is_not_read(host: Host, server: Server) -> None:
    host.pull()
    server.answer = huge
    started = time.monotonic()
    host.kept(1, "manifest.json: is larger than 64 MiB")
    publish(host.published, CHANGED, sequence=813)
    server.answer = lambda request: request.path.startswith("/hosts/") and huge(request)
    host.kept(1, f"hosts/{HOST}.json: is larger than 16 MiB")
    assert time.monotonic() - started < 4


def test_what_is_too_large_in_a_folder(host: Host) -> None:
    host.pull()
    for name, size in ((f"hosts/{HOST}.json", 17 << 20), ("manifest.json", 65 << 20)):
        publish(host.published, CHANGED, sequence=813)
        os.truncate(host.published / name, size)
        host.kept(1, f"{name}: is larger than")


def test_a_server_that_is_down(host: Host, server: Server) -> None:
    host.pull()
    server.close()
    host.kept(4, "manifest.json: Connection refused")
    server.__init__(host.published)  # type: ignore[misc]  # for the fixture to close


@pytest.mark.parametrize(
    ("status", "says", "times"),
    [
        (500, "it answers 500 Internal Server Error", 3),
        (503, "it answers 503 Service Unavailable", 3),
        (429, "it answers 429 Too Many Requests", 3),
        (403, "it answers 403 Forbidden", 1),
        (401, "it answers 401 Unauthorized", 1),
        (404, "is not there", 1),
    ],
)
def test_a_server_that_says_no(
    host: Host, server: Server, status: int, says: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tsunami_cli.adapters.store.reading.sleep", lambda seconds: None)
    host.pull()
    server.asked.clear()
    server.answer = lambda request: server.say(request, status, b"<html>\x1b[31m")
    host.kept(4, f"manifest.json: {says}")
    assert "\x1b" not in host.err
    assert "html" not in host.err
    assert len(server.asked) == times


def test_a_server_that_stumbles_is_asked_again(host: Host, server: Server) -> None:
    def stumble(request: BaseHTTPRequestHandler) -> bool:
        server.answer = lambda request: False
        server.say(request, 503, b"")
        return True

    server.answer = stumble
    assert host.told()["changed"] is True


def test_an_answer_that_breaks_off_is_no_answer(host: Host, server: Server) -> None:
    host.pull()
    publish(host.published, CHANGED, sequence=813)

    def cut(request: BaseHTTPRequestHandler) -> bool:
        if not request.path.startswith("/hosts/"):
            return False
        server.say(request, 200, flat(VALUES)[:20], Content_Length=str(len(flat(VALUES))))
        return True

    server.answer = cut
    host.kept(4, f"hosts/{HOST}.json: ")


@pytest.mark.parametrize("answer", [dribble(8), silent(8)], ids=["dribbles", "says nothing"])
def test_a_slow_server_costs_no_more_than_it_is_given(
    host: Host, server: Server, answer: Callable[[BaseHTTPRequestHandler], bool]
) -> None:
    host.pull()
    server.answer = answer
    started = time.monotonic()
    host.kept(4, "it did not answer in time", more=("--timeout", "1s"))
    assert 0.9 < time.monotonic() - started < 3


def test_a_server_that_was_not_asked_whether_something_changed(host: Host, server: Server) -> None:
    server.answer = lambda request: server.say(request, 304, b"")
    assert host.pull() == 4
    assert not host.file.exists()


def test_redirects_are_followed(host: Host, server: Server) -> None:
    def redirect(request: BaseHTTPRequestHandler) -> bool:
        if request.path.startswith("/new/"):
            request.path = request.path.removeprefix("/new")
            return False
        server.say(request, 307, b"", Location=f"/new{request.path}")
        return True

    server.answer = redirect
    assert host.told()["changed"] is True
    server.answer = lambda request: server.say(request, 302, b"", Location=request.path)
    host.kept(4, "error following redirect")


def test_a_server_without_etags(host: Host, server: Server) -> None:
    def plain(request: BaseHTTPRequestHandler) -> bool:
        server.say(request, 200, (host.published / request.path[1:]).read_bytes())
        return True

    server.answer = plain
    assert host.told()["changed"] is True
    assert host.told()["changed"] is False
    assert [name for name, _, _ in server.asked] == ["manifest.json", f"hosts/{HOST}.json", "manifest.json"]


def test_an_object_that_the_manifest_names_and_nobody_has(either: Host) -> None:
    either.pull()
    publish(either.published, CHANGED, sequence=813)
    (either.published / f"hosts/{HOST}.json").unlink()
    either.kept(4, f"hosts/{HOST}.json: is not there")


@pytest.mark.parametrize("odd", ["folder", "pipe", "nothing"])
def test_a_folder_that_has_no_manifest(host: Host, odd: str) -> None:
    host.pull()
    file = host.published / "manifest.json"
    file.unlink()
    if odd == "folder":
        file.mkdir()
    elif odd == "pipe":
        os.mkfifo(file)
    host.kept(4, "manifest.json: ")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--from", "ftp://x/y"], "--from: write https://"),
        (["--from", "public"], "--from: write https://"),
        (["--from", "https://"], "--from: write https://"),
        (["--from", "file://other/x"], "names another machine"),
        (["--from", "https://ada:secret@example.com/x"], "no password"),
        (["--from", "https://example.com/x?token=secret"], "no ? and no #"),
        (["--from", "http://example.com/x"], "use https, or --insecure-http"),
        (["--from", "http://127.evil.example.com/x"], "use https"),
        (["--from", "http://localhost.example.com/x"], "use https"),
        (["--from", "https://exa mple.com/x"], "in ASCII, without spaces"),
        (["--from", "https://example.com/\nx"], "in ASCII, without spaces"),
        (["--from", "s3://bücket/x"], "in ASCII, without spaces"),
        (["--host", "../../etc/passwd"], "--host: "),
        (["--host", "LON2-A1"], "write lon2-a1"),
        (["--role", "../x"], "--role: "),
        (["--exec", "'"], "--exec: No closing quotation"),
        (["--exec", ""], "--exec: names no command"),
        (["--timeout", "20"], "--timeout: 20 is not a duration"),
        (["--timeout", "0s"], "--timeout: is no time at all"),
        (["--exec-timeout", "0s"], "--exec-timeout: is no time at all"),
        (["--splay", "soon"], "--splay: soon is not a duration"),
    ],
)
def test_calls_that_have_no_meaning(host: Host, words: list[str], says: str) -> None:
    assert host.pull(*words) == 2
    assert says in host.err
    assert "secret" not in host.err
    assert not list(host.file.parent.iterdir())


def test_insecure_http_and_other_ways_to_name_a_place(
    host: Host, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = server.url.rpartition(":")[2]
    monkeypatch.chdir(host.published)
    for url in (
        f"http://127.0.0.1:{port}",
        f"http://localhost:{port}/",
        f"file:{host.published}",
        f"file://{host.published}",
        "file:.",
    ):
        host.url = url
        assert host.pull() == 0, (url, host.err)
    # Nobody listens there: the name alone says that it is another machine.
    host.url = "http://127.0.0.1.nip.invalid:9"
    host.kept(4, more=("--insecure-http", "--timeout", "1s"))


def test_the_splay_is_waited_before_anything_else(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("tsunami_cli.commands.pull.sleep", waited.append)
    host.pull("--splay", "60s")
    host.pull("--splay", "60s")
    host.pull()
    assert waited[0] == waited[1]
    assert 0 < waited[0] < 60
    assert waited[2] == 0


def test_a_state_that_is_damaged_or_missing(either: Host) -> None:
    either.pull()
    for damage in (lambda: either.state.write_bytes(b"\0" * 100), either.state.unlink):
        damage()
        assert either.pull() == 0
        assert either.err == (
            f"warning: {either.state}: is missing or damaged: whether the manifest is an old one could not be told\n"
        )
        assert either.pull() == 0
        assert either.err == ""


def record(host: Host, *, fail: bool = False) -> tuple[str, str]:
    """Return the flag of a command that appends what it was given to a file."""
    code = (
        f"import os, sys; open({str(host.ran)!r}, 'a').write(open(os.environ['TSUNAMI_FILE']).read());"
        f"print('talk'); sys.exit({'3' if fail else 'len(sys.stdin.read())'})"
    )
    return "--exec", f'{sys.executable} -c "{code}"'


def test_the_command_runs_after_changes_only(host: Host) -> None:
    out, err = host.process("--json", *record(host)).communicate(timeout=20)
    assert json.loads(out)["executed"] is True
    assert err == "talk\n", "what a command says is talk"
    assert host.told(*record(host))["executed"] is False
    publish(host.published, CHANGED, sequence=813)
    assert host.told(*record(host))["executed"] is True
    publish(host.published, CHANGED, sequence=814)
    assert host.told(*record(host))["executed"] is False
    assert host.ran.read_bytes() == flat(VALUES) + flat(CHANGED[ROLE][HOST])


def test_a_command_that_failed_runs_again(host: Host) -> None:
    host.pull()
    for _ in range(2):
        assert host.pull("--json", *record(host, fail=True)) == 1
        assert json.loads(host.out)["executed"] is False
        assert host.err.endswith("failed with exit code 3: the next pull runs it again\n")
    assert host.told()["executed"] is False, "this run was not asked to"
    assert host.told(*record(host))["executed"] is True
    assert host.ran.read_bytes() == flat(VALUES) * 3


def test_a_command_that_cannot_be_started(host: Host) -> None:
    assert host.pull("--exec", "/nowhere/reload") == 1
    assert "error: --exec /nowhere/reload: cannot be started: No such file" in host.err
    assert host.values == VALUES
    assert host.pull("--exec", "sh -c 'kill -9 $$'") == 1
    assert "was ended by signal 9" in host.err


def test_no_shell_reads_the_command(host: Host) -> None:
    assert host.pull("--exec", f"touch {host.ran} ; touch $HOME && 'a b'") == 0
    names = sorted(file.name for file in Path.cwd().iterdir())
    assert names == ["$HOME", "&&", ";", "a b", "touch"]


def test_a_command_that_takes_too_long_is_ended_with_all_that_it_started(host: Host) -> None:
    script = host.file.parent / "slow.sh"
    script.write_text(f"trap '' TERM\nsleep 300 & echo $! >{host.ran}\nwait\nwait\n")
    started = time.monotonic()
    assert host.pull("--exec", f"sh {script}", "--exec-timeout", "1s") == 1
    assert "took longer than 1 s and was ended: the next pull runs it again" in host.err
    assert time.monotonic() - started < 9
    assert is_gone(int(host.ran.read_text()))
    assert host.values == VALUES


def is_gone(process: int) -> bool:
    ends = time.monotonic() + 5
    while time.monotonic() < ends:
        try:
            if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def wait_for(file: Path) -> str:
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        if file.exists() and file.read_text().endswith("\n"):
            return file.read_text()
        time.sleep(0.02)
    raise AssertionError(f"{file} never came")


def test_two_at_once(host: Host) -> None:
    first = host.process("--exec", f"sh -c 'echo $$ >{host.ran}; exec sleep 60'")
    command = int(wait_for(host.ran))
    assert host.pull() == 0
    assert (host.out, host.err) == ("", "")
    answer = host.told()
    assert answer["busy"] is True
    assert answer["changed"] is False
    assert answer["sequence"] is None
    os.kill(command, signal.SIGKILL)
    _, said = first.communicate(timeout=20)
    assert first.returncode == 1
    assert "was ended by signal 9" in said
    assert host.told()["busy"] is False


def test_who_ends_the_pull_ends_its_command(host: Host) -> None:
    process = host.process("--exec", f"sh -c 'echo $$ >{host.ran}; exec sleep 60'")
    command = int(wait_for(host.ran))
    process.terminate()
    process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGTERM
    assert is_gone(command)
    assert host.told("--exec", "true")["executed"] is True


KILLED = """
import os, signal, sys
from tsunami_cli.adapters.host_file import HostFile
from tsunami_cli.cli import main
setattr(HostFile, sys.argv[1], lambda *words: os.kill(os.getpid(), signal.SIGKILL))
main(sys.argv[2:])
"""


@pytest.mark.parametrize("moment", ["write", "remember"])
def test_killed_in_between(host: Host, moment: str) -> None:
    host.pull(*record(host))
    publish(host.published, CHANGED, sequence=813)
    words = [sys.executable, "-c", KILLED, moment, *host.words(*record(host))]
    done = subprocess.run(words, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert host.values["docker"] == ("1.12.1" if moment == "write" else "1.12.3")
    assert host.told(*record(host))["executed"] is True
    assert host.ran.read_bytes() == flat(VALUES) + flat(CHANGED[ROLE][HOST])
    publish(host.published, sequence=812)
    host.kept(1, "has sequence 812")


def test_what_a_killed_run_left_is_cleared_away(host: Host) -> None:
    left = host.file.parent / ".values.json.new"
    left.write_text("half")
    host.pull()
    assert host.values == VALUES
    assert not left.exists()


def test_a_symbolic_link_is_not_followed(host: Host) -> None:
    target = host.file.parent / "target"
    target.write_text("precious")
    host.file.symlink_to(target)
    assert host.pull() == 1
    assert "is a symbolic link: name the file that it leads to" in host.err
    assert target.read_text() == "precious"
    assert host.file.is_symlink()


def test_a_folder_that_is_not_there(host: Host) -> None:
    host.file = host.file.parent / "none" / "values.json"
    assert host.pull() == 1
    assert host.err == f"error: {host.file}: cannot be written: No such file or directory\n"


def test_a_line_names_five_changes_and_counts_the_rest(host: Host) -> None:
    fleet = {ROLE: {HOST: {f"v{number}": number for number in range(9)}}}
    publish(host.published, fleet)
    host.pull()
    assert host.out == f"{HOST}: v0 0, v1 1, v2 2, v3 3, v4 4 and 4 more (sequence 812)\n"
    host.file.write_bytes(b" " + host.file.read_bytes())
    host.pull()
    assert host.out == f"{HOST}: the same values, written anew (sequence 812)\n"


def upload(url: str, fleet: Any = FLEET, **fields: Any) -> None:
    """Put a fleet into a bucket."""
    import obstore
    from obstore.store import from_url

    store = from_url(url, client_options={"allow_http": True})
    found = objects(fleet)
    for name, data in (found | {"manifest.json": manifest(found, **fields)}).items():
        obstore.put(store, name, data)


@pytest.mark.server
@pytest.mark.parametrize("cloud", ["s3", "azure"])
def test_from_a_bucket(host: Host, cloud: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    place: Place = request.getfixturevalue(cloud)
    host.url = place.url
    upload(place.url)
    assert host.told()["changed"] is True
    assert host.values == VALUES
    assert host.told()["changed"] is False
    upload(place.url, CHANGED, sequence=813)
    assert host.told("--role", ROLE)["changed"] is True
    assert host.values["docker"] == "1.12.3"
    upload(place.url)
    host.kept(1, "has sequence 812")
    host.url += "/none"
    host.kept(4, "none/manifest.json: is not there")
    place.pause()
    host.kept(4, "it did not answer in time", more=("--timeout", "1s"))
    place.resume()
    for name in ("AWS_SECRET_ACCESS_KEY", "AZURE_STORAGE_ACCOUNT_KEY"):
        monkeypatch.setenv(name, "d3Jvbmc=")
    host.kept(4, "it answers 403 Forbidden")


LOADED = """
import sys
from tsunami_cli.cli import run
code = run(sys.argv[1:])
print(*sorted(sys.modules), file=sys.stderr)
sys.exit(code)
"""
HEAVY = {"rich", "ruamel", "_ruamel_yaml", "jsonschema_rs", "asyncio", "ssl", "http", "shlex", "random", "tempfile"}


def test_it_loads_only_what_it_needs(host: Host, server: Server) -> None:
    host.pull()
    for url, store in ((host.url, True), (str(host.published), False)):
        host.url = url
        host.pull()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE_", "COV_CORE_"))}
        words = [sys.executable, "-c", LOADED, *host.words()]
        done = subprocess.run(words, env=kept | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "")
        loaded = {name.partition(".")[0] for name in done.stderr.split()}
        assert not loaded & HEAVY, "it runs every minute on every host: import it where it is needed"
        assert ("obstore" in loaded) == store
