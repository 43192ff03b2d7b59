"""Real object stores on loopback, and a proxy before one of them that fails as told."""

import base64
import contextlib
import email.utils
import hashlib
import hmac
import http.client
import http.server
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

BUCKET = "tsunami-test"
S3_KEYS = {"AWS_ACCESS_KEY_ID": "tsunami", "AWS_SECRET_ACCESS_KEY": "not-a-secret-at-all"}
AZURE_KEYS = {  # Azurite's own, the same everywhere
    "AZURE_STORAGE_ACCOUNT_NAME": "devstoreaccount1",
    "AZURE_STORAGE_ACCOUNT_KEY": "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/"
    "K1SZFPTOtr/KBHBeksoGMGw==",
}
_PARTS = ("s3", "master", "volume", "filer", "admin")
_STARTS = 3
_READY = 30.0
# Also when the test run is killed: PR_SET_PDEATHSIG, SIGKILL.
_MORTAL = """
import ctypes, os, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 9)
os.execv(sys.argv[1], sys.argv[1:])
"""


class NotReady(Exception):
    """A server did not start."""


@dataclass(frozen=True)
class Server:
    """A server that runs until this process ends."""

    process: subprocess.Popen[bytes]
    place: str
    """HOST:PORT"""
    env: Mapping[str, str]

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)  # until then it may answer still

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def find_weed() -> str | None:
    return shutil.which("weed")


def find_azurite() -> str | None:
    """`azurite-blob` on the PATH or below TSUNAMI_AZURITE, a folder that npm installed it into."""
    folder = os.environ.get("TSUNAMI_AZURITE", "")
    places = [f"{folder}/node_modules/.bin", f"{folder}/bin", folder] if folder else []
    return shutil.which("azurite-blob", path=os.pathsep.join([*places, os.environ.get("PATH", "")]))


def start_weed(weed: str, folder: Path) -> Server:
    def start(attempt: int) -> Server:
        names = [f"{part}.port{kind}" for part in _PARTS for kind in ("", ".grpc")]
        ports = free_ports(len(names))
        data = folder / f"weed-{attempt}"
        data.mkdir()
        process = spawn(
            [
                *(weed, "mini", f"-dir={data}", f"-bucket={BUCKET}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
                *("-master.telemetry=false", "-webdav=false", "-admin.ui=false", "-s3.autoCreateBucket=false"),
                *("-s3.port.iceberg=0", "-s3.port.lance=0"),
                *(f"-{name}={port}" for name, port in zip(names, ports, strict=True)),
            ],
            data,
            {**S3_KEYS, "GOMEMLIMIT": "512MiB"},
        )
        place = f"127.0.0.1:{ports[0]}"
        return Server(process, place, {**S3_KEYS, "AWS_ENDPOINT_URL": f"http://{place}", "AWS_REGION": "us-east-1"})

    def ready(server: Server) -> bool:
        import obstore
        from obstore.store import S3Store

        bucket = S3Store(
            BUCKET,
            access_key_id=S3_KEYS["AWS_ACCESS_KEY_ID"],
            secret_access_key=S3_KEYS["AWS_SECRET_ACCESS_KEY"],
            endpoint=f"http://{server.place}",
            region="us-east-1",
            client_options={"allow_http": True, "timeout": "5s"},
            retry_config={"max_retries": 0},
        )
        try:
            obstore.put(bucket, "ready", b"")
        except (obstore.exceptions.BaseError, OSError):
            return False
        return True

    return started("weed", start, ready)


def start_azurite(azurite: str, folder: Path) -> Server:
    def start(attempt: int) -> Server:
        (port,) = free_ports(1)
        data = folder / f"azurite-{attempt}"
        data.mkdir()
        process = spawn(
            [
                *(azurite, "--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(data)),
                *("--silent", "--skipApiVersionCheck", "--disableTelemetry"),
            ],
            data,
            {},
        )
        place = f"127.0.0.1:{port}"
        return Server(process, place, {**AZURE_KEYS, "AZURE_STORAGE_ENDPOINT": f"http://{place}/devstoreaccount1"})

    return started("azurite", start, _container_made)


def _container_made(server: Server) -> bool:
    """Create the container by hand: obstore creates none."""
    account, date = AZURE_KEYS["AZURE_STORAGE_ACCOUNT_NAME"], email.utils.formatdate(usegmt=True)
    signed = (
        f"PUT{12 * chr(10)}x-ms-date:{date}\nx-ms-version:2020-10-02\n/{account}/{account}/{BUCKET}\nrestype:container"
    )
    key = base64.b64decode(AZURE_KEYS["AZURE_STORAGE_ACCOUNT_KEY"])
    signature = base64.b64encode(hmac.new(key, signed.encode(), hashlib.sha256).digest()).decode()
    headers = {
        "x-ms-date": date,
        "x-ms-version": "2020-10-02",
        "Authorization": f"SharedKey {account}:{signature}",
    }
    url = f"http://{server.place}/{account}/{BUCKET}?restype=container"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="PUT", headers=headers), timeout=5) as answer:
            return bool(answer.status == 201)
    except urllib.error.HTTPError as error:
        with error:
            raise NotReady(f"azurite: {error.code} {error.read()!r}") from error
    except OSError:
        return False


def spawn(words: list[str], folder: Path, extra: Mapping[str, str]) -> subprocess.Popen[bytes]:
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-c", _MORTAL, *words],
            cwd=folder,
            env={**kept, "HOME": str(folder), **extra},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def started(name: str, start: Callable[[int], Server], ready: Callable[[Server], bool]) -> Server:
    """Start a server and wait for it; again if it ends at once, as when somebody took one of its ports."""
    for attempt in range(_STARTS):
        server = start(attempt)
        end = time.monotonic() + _READY
        while server.process.poll() is None and time.monotonic() < end:
            if ready(server):
                return server
            time.sleep(0.1)
        server.end()
    raise NotReady(f"{name} did not start, in {_STARTS} tries")


Rule = Callable[[int, str], str]
"""Number of a request, from 1, and its method -> pass, drop, hang, or a status such as 503 or 404:NoSuchKey."""


def answer(status: str, code: str) -> tuple[int, list[tuple[str, str]], bytes]:
    """What S3 says when something is wrong; a bare status comes from something else."""
    return int(status), [], f"<Error><Code>{code}</Code></Error>".encode() if code else b""


@dataclass
class Proxy:
    """A proxy on loopback."""

    place: str
    rule: Rule
    seen: list[str]
    """The methods asked for."""


@contextlib.contextmanager
def proxy(upstream: str, rule: Rule) -> Iterator[Proxy]:
    """Run a proxy before a server that does with each request as the rule says."""
    lock, over = threading.Lock(), threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            with lock:
                state.seen.append(self.command)
                what = state.rule(len(state.seen), self.command)
            if what == "hang":
                over.wait(30)
            if what in ("drop", "hang"):
                self.close_connection = True
                return
            status, headers, data = self.passed(body) if what == "pass" else answer(*what.partition(":")[::2])
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                    self.send_header(name, value)
            length = {name.lower(): value for name, value in headers}.get("content-length", str(len(data)))
            self.send_header("Content-Length", length)
            self.end_headers()
            self.wfile.write(data)

        def passed(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
            connection = http.client.HTTPConnection(upstream, timeout=20)
            try:
                # The Host that was signed goes along.
                connection.request(self.command, self.path, body or None, dict(self.headers.items()))
                got = connection.getresponse()
                return got.status, got.getheaders(), got.read()
            finally:
                connection.close()

        do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = handle_one

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    class Quiet(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass

    with Quiet(("127.0.0.1", 0), Handler) as server:
        state = Proxy(f"127.0.0.1:{server.server_port}", rule, [])
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield state
        finally:
            over.set()
            server.shutdown()
            thread.join()
