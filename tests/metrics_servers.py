"""Real Prometheus servers with data of long ago, and a server that answers by a script what no real one will.

    server = shared_prometheus(openmetrics({("up", (("instance", "a1"),)): [(1_600_000_000, 1.0)]}))
    server.url

`shared_prometheus` starts one server for each text in a process, for tests that only read; `start_prometheus` is for
what has to be a server of its own, and whoever starts it ends it.
"""

import atexit
import contextlib
import functools
import http.client
import http.server
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.adapters.store_servers import NotReady, free_ports, spawn

Labels = tuple[tuple[str, str], ...]
Samples = Mapping[tuple[str, Labels], Sequence[tuple[int, float]]]
_STARTS = 3
_WAITED = 20.0
_IS_READY = b"Server is ready to receive web requests"


@dataclass(frozen=True)
class Server:
    """A Prometheus that runs until it is ended, or this process ends."""

    process: subprocess.Popen[bytes]
    url: str
    folder: Path

    def pause(self) -> None:
        """Stop it with SIGSTOP: it takes connections, and answers none."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def labels(**given: str) -> Labels:
    return tuple(sorted(given.items()))


def openmetrics(samples: Samples) -> str:
    """Write samples, {(metric, labels): [(unix, value), ...]}, as `promtool` reads them."""
    lines = []
    for (metric, its_labels), values in sorted(samples.items()):  # all of a metric stand together
        inner = ",".join(f'{name}="{_escaped(value)}"' for name, value in its_labels)
        lines += [f"{metric}{{{inner}}} {value!r} {at}" for at, value in sorted(values, key=lambda sample: sample[0])]
    return "\n".join([*lines, "# EOF", ""])


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def need_prometheus() -> None:
    """Skip the test where there is no Prometheus; fail where there has to be one."""
    for command in ("prometheus", "promtool"):
        if shutil.which(command) is None:
            missing = f"no {command}: apt-get install prometheus"
            if os.environ.get("TSUNAMI_REQUIRE_SERVERS") == "1":
                pytest.fail(f"TSUNAMI_REQUIRE_SERVERS=1, and there is {missing}", pytrace=False)
            pytest.skip(f"there is {missing}")


def start_prometheus(
    folder: Path,
    openmetrics_text: str | None = None,
    *,
    web_config: str | None = None,
    extra_config: str = "",
    flags: Sequence[str] = (),
) -> Server:
    """Start a server in a folder, an empty one, with such data in it; `web_config` is the text of that file."""
    need_prometheus()
    data = folder / "data"
    data.mkdir(parents=True)
    if openmetrics_text is not None:
        text = folder / "samples.txt"
        text.write_text(openmetrics_text, encoding="utf-8")
        backfill = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", str(text), str(data)]
        done = subprocess.run(backfill, capture_output=True, text=True, check=False, cwd=folder)
        assert done.returncode == 0, done.stdout + done.stderr
    (folder / "prometheus.yml").write_text(f"global: {{scrape_interval: 1m}}\n{extra_config}", encoding="utf-8")
    words = [
        *(str(shutil.which("prometheus")), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={data}"),
        *("--storage.tsdb.retention.time=100y", *flags),
    ]
    if web_config is not None:
        (folder / "web.yml").write_text(web_config, encoding="utf-8")
        words.append(f"--web.config.file={folder}/web.yml")
    scheme = "https" if web_config is not None and "tls_server_config" in web_config else "http"
    for _ in range(_STARTS):  # somebody may take the port
        (port,) = free_ports(1)
        process = spawn([*words, f"--web.listen-address=127.0.0.1:{port}"], folder, {"GOMEMLIMIT": "200MiB"})
        server = Server(process, f"{scheme}://127.0.0.1:{port}", folder)
        if _is_ready(server):
            return server
        server.end()
    raise NotReady(f"prometheus did not start: {(folder / 'log').read_text()[-2000:]}")


def _is_ready(server: Server) -> bool:
    """Wait for its word in the log: over HTTP it may want credentials and TLS for /-/ready too."""
    end = time.monotonic() + _WAITED
    while server.process.poll() is None and time.monotonic() < end:
        if _IS_READY in (server.folder / "log").read_bytes():
            return True
        time.sleep(0.02)
    return False


@functools.cache
def shared_prometheus(openmetrics_text: str) -> Server:
    """Return the server of this process with that data, for tests that only read."""
    need_prometheus()
    # Not below pytest's folder: it may be cleared away while the server still writes.
    folder = Path(tempfile.mkdtemp(prefix="tsunami-prometheus-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        server = start_prometheus(folder, openmetrics_text)
    except NotReady as error:
        pytest.fail(str(error), pytrace=False)
    atexit.register(server.end)
    return server


class Handler(http.server.BaseHTTPRequestHandler):
    """A request to a scripted server."""

    protocol_version = "HTTP/1.1"
    body: bytes
    form: Mapping[str, str]
    over: threading.Event
    """Set when the test is over: what hangs waits for it."""
    take: Callable[["Handler"], None]

    def do_POST(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.form = dict(parse_qsl(self.body.decode()))
        type(self).take(self)

    do_GET = do_POST

    def answer(self, status: int, data: bytes = b"", **headers: str) -> None:
        """Answer; in the names of headers _ stands for -."""
        self.send_response_only(status)
        for name, value in {"Content_Length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


Reply = Callable[[Handler], None]


@dataclass
class Scripted:
    """A scripted server on loopback."""

    url: str
    seen: list[Mapping[str, str]] = field(default_factory=list)
    """The forms that were posted."""
    headers: list[Mapping[str, str]] = field(default_factory=list)
    """The headers that came with them, their names in lower case."""


class _Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        pass


@contextlib.contextmanager
def scripted(*replies: Reply) -> Iterator[Scripted]:
    """Run a server that gives the replies one after the other, the last one for ever."""
    lock, over = threading.Lock(), threading.Event()

    def take(handler: Handler) -> None:
        with lock:
            reply = replies[min(len(state.seen), len(replies) - 1)]
            state.seen.append(handler.form)
            state.headers.append({name.lower(): value for name, value in handler.headers.items()})
        reply(handler)

    own = type("Own", (Handler,), {"over": over, "take": staticmethod(take)})
    with _Quiet(("127.0.0.1", 0), own) as server:
        state = Scripted(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield state
        finally:
            over.set()
            server.shutdown()
            thread.join()


def says(status: int, data: bytes | str = b"", **headers: str) -> Reply:
    """Answer just that."""
    body = data.encode() if isinstance(data, str) else data
    return lambda handler: handler.answer(status, body, **headers)


def wants_token(url: str, token: str) -> Reply:
    """Pass requests that carry the token on to the server at `url`, as a proxy with authentication before it does."""

    def reply(handler: Handler) -> None:
        if handler.headers.get("Authorization") != f"Bearer {token}":
            handler.answer(401, b"who are you?")
            return
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
        try:
            kept = {"Content-Type": handler.headers["Content-Type"]}
            connection.request(handler.command, handler.path, handler.body, kept)
            got = connection.getresponse()
            handler.answer(got.status, got.read(), Content_Type=got.headers["Content-Type"])
        finally:
            connection.close()

    return reply
