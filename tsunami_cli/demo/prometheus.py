"""A real Prometheus with the samples of the story, for as long as it takes to ask it."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tsunami_cli.demo.story import METRIC, RANGE, Story

ASKED = 1000
"""Seconds for which the guard asks: what `for` of `agent-crashes` says, and a little more."""
_TOOLS = ("prometheus", "promtool")
_STARTS = 3
_WAITED = 10.0
_IS_READY = b"Server is ready to receive web requests"


class NotReady(Exception):
    """It is installed, and does not run here."""


def installed() -> bool:
    """Say whether there is a Prometheus on this machine."""
    return all(map(shutil.which, _TOOLS))


@contextmanager
def prometheus(story: Story, now: int) -> Iterator[str]:
    """Run a server that has the samples which can be asked for at `now`; give its address. Raises NotReady."""
    with tempfile.TemporaryDirectory(prefix="tsunami-demo-metrics-", ignore_cleanup_errors=True) as folder, _orderly():
        place = Path(folder)
        _backfill(story, now, place)
        process, url = _started(place)
        try:
            yield url
        finally:
            # It has nothing to save.
            process.kill()
            process.wait()


@contextmanager
def _orderly() -> Iterator[None]:
    """Let a SIGTERM or a SIGHUP end this process the way an error does, so that no server outlives it."""

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _backfill(story: Story, now: int, place: Path) -> None:
    """Write the samples to a database that Prometheus opens as its own."""
    text = place / "samples.txt"
    with text.open("w", encoding="utf-8") as out:
        for host, samples in story.samples(now - ASKED - RANGE, now):
            out.writelines(f'{METRIC}{{instance="{host}:9100"}} {count} {at}\n' for at, count in samples)
        out.write("# EOF\n")
    words = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", str(text), str(place / "data")]
    try:
        done = subprocess.run(words, capture_output=True, check=False, cwd=place, timeout=_WAITED)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotReady(str(error)) from None
    if done.returncode:
        raise NotReady(f"promtool ended with status {done.returncode}")


def _started(place: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start a server in a folder with data, and wait until it answers."""
    (place / "prometheus.yml").write_text("global: {scrape_interval: 1m}\n", encoding="utf-8")
    words = [
        *("prometheus", f"--config.file={place}/prometheus.yml", f"--storage.tsdb.path={place}/data"),
        "--storage.tsdb.retention.time=100y",  # the story is of 2016
    ]
    for _ in range(_STARTS):  # somebody may be faster to take the port
        port = _free_port()
        with (place / "log").open("wb") as log:
            try:
                process = subprocess.Popen(
                    [*words, f"--web.listen-address=127.0.0.1:{port}"],
                    cwd=place,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=os.environ | {"GOMEMLIMIT": "200MiB"},
                )
            except OSError as error:
                raise NotReady(str(error)) from None
        try:
            ready = _is_ready(process, place / "log")
        except BaseException:
            process.kill()
            process.wait()
            raise
        if ready:
            return process, f"http://127.0.0.1:{port}"
        process.kill()
        process.wait()
    raise NotReady("prometheus does not start")


def _is_ready(process: subprocess.Popen[bytes], log: Path) -> bool:
    """Wait for its word in the log: over HTTP somebody else could answer at that port."""
    ends = time.monotonic() + _WAITED
    while process.poll() is None and time.monotonic() < ends:
        if _IS_READY in log.read_bytes():
            return True
        time.sleep(0.01)
    return False


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
