"""A real Prometheus on loopback, for the time of a measurement."""

import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

WAITED = 30.0
"""Seconds until a server has to be ready."""


def backfill(folder: Path, lines: Iterable[str]) -> None:
    """Make a server's data of OpenMetrics lines; all of one metric stand together."""
    data, text = folder / "data", folder / "samples.txt"
    data.mkdir(parents=True)
    with text.open("w") as file:
        file.writelines(lines)
        file.write("# EOF\n")
    command = ("promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", str(text), str(data))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"promtool: {(done.stderr or done.stdout).strip()}")
    text.unlink()


@contextmanager
def serving(folder: Path, config: str = "") -> Iterator[str]:
    """Run a server on the data in a folder; give its address."""
    if shutil.which("prometheus") is None:
        raise RuntimeError("no prometheus: apt-get install prometheus")
    folder.mkdir(exist_ok=True)
    (folder / "prometheus.yml").write_text(config or "global: {scrape_interval: 1m}\n")
    place = f"127.0.0.1:{free_port()}"
    command = (
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address={place}",
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait(f"http://{place}/-/ready", process, folder / "log")
        yield f"http://{place}"
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def version() -> str:
    """Return which Prometheus it is."""
    done = subprocess.run(("prometheus", "--version"), capture_output=True, text=True, check=True)
    return " ".join((done.stdout or done.stderr).split()[:3]).replace("prometheus, version", "Prometheus")


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    ends = time.monotonic() + WAITED
    while time.monotonic() < ends and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"prometheus is not ready: {log.read_text()[-500:]}")
