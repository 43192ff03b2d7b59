"""Real Prometheus, Alertmanager and Pushgateway on loopback, and a page of metrics for Prometheus to scrape.

Each function starts a server with a folder of its own; it ends with the `with`, and with this process at the latest.
"""

import contextlib
import json
import os
import shutil
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.adapters.store_servers import NotReady, Server, free_ports, spawn, started

Found = TypeVar("Found")

_PATIENCE = 20.0
_MEMORY = {"GOMEMLIMIT": "150MiB"}


def binary(name: str) -> str:
    """The path of a program; where it is missing the test is skipped, or fails where servers are required."""
    found = shutil.which(name)
    if found is None:
        if os.environ.get("TSUNAMI_REQUIRE_SERVERS") == "1":
            pytest.fail(f"TSUNAMI_REQUIRE_SERVERS=1, and there is no {name}", pytrace=False)
        pytest.skip(f"there is no {name}: apt install prometheus prometheus-alertmanager prometheus-pushgateway")
    return found


@contextlib.contextmanager
def pushgateway() -> Iterator[Server]:
    """Run a Pushgateway that keeps everything in memory."""
    with _running(
        "prometheus-pushgateway", lambda place, _: ["--persistence.file=", f"--web.listen-address={place}"]
    ) as it:
        yield it


@contextlib.contextmanager
def alertmanager() -> Iterator[Server]:
    """Run an Alertmanager that keeps what it gets and tells nobody."""

    def words(place: str, folder: Path) -> list[str]:
        route = {"receiver": "nobody", "group_wait": "0s", "group_interval": "1s"}
        config = _written(folder / "alertmanager.json", {"route": route, "receivers": [{"name": "nobody"}]})
        return [
            *(f"--config.file={config}", f"--storage.path={folder}", f"--web.listen-address={place}"),
            "--cluster.listen-address=",
        ]

    with _running("prometheus-alertmanager", words) as it:
        yield it


@contextlib.contextmanager
def prometheus(targets: Sequence[str], *, rules: str = "", alertmanager: str = "") -> Iterator[Server]:
    """Run a Prometheus that scrapes HOST:PORT targets and evaluates rules, given as YAML, every second."""

    def words(place: str, folder: Path) -> list[str]:
        (folder / "rules.yml").write_text(rules or "groups: []\n")
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules.yml"],
            "scrape_configs": [{"job_name": "tsunami", "static_configs": [{"targets": list(targets)}]}],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}] if alertmanager else []},
        }
        file = _written(folder / "prometheus.json", config)
        return [f"--config.file={file}", f"--storage.tsdb.path={folder}/data", f"--web.listen-address={place}"]

    with _running("prometheus", words) as it:
        yield it


@contextlib.contextmanager
def page(text: str) -> Iterator[str]:
    """Serve a text to whoever asks; return HOST:PORT."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def ask(server: Server, path: str, **query: str) -> Any:
    """Return what a server answers, JSON already read."""
    found = get(server, f"{path}?{urllib.parse.urlencode(query)}" if query else path)
    return json.loads(found)


def get(server: Server, path: str) -> str:
    with urllib.request.urlopen(f"http://{server.place}{path}", timeout=5) as answer:
        text: str = answer.read().decode()
        return text


def until(look: Callable[[], Found], what: str) -> Found:
    """Look again and again until something true is found; return it."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    pytest.fail(f"after {_PATIENCE:.0f} seconds there is still no {what}")


@contextlib.contextmanager
def _running(name: str, words: Callable[[str, Path], list[str]]) -> Iterator[Server]:
    path = binary(name)
    with contextlib.ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix=f"tsunami-{name}-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)

        def start(attempt: int) -> Server:
            own = folder / str(attempt)
            own.mkdir()
            place = f"127.0.0.1:{free_ports(1)[0]}"
            return Server(spawn([path, *words(place, own)], own, _MEMORY), place, {})

        try:
            server = started(name, start, _ready)
        except NotReady as error:
            pytest.fail(str(error), pytrace=False)
        stack.callback(server.end)
        yield server


def _ready(server: Server) -> bool:
    try:
        get(server, "/-/ready")
    except OSError:
        return False
    return True


def _written(file: Path, config: object) -> Path:
    """Write a configuration as JSON, which is YAML too."""
    file.write_text(json.dumps(config))
    return file
