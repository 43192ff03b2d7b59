"""How long it takes until a rollout that makes hosts worse is halted: `python benchmarks/halting.py`.

`tsunami run` by the real clock, a bare remote, and a real Prometheus that scrapes an exporter which speaks for 200
hosts. Half of them are moved. At some instant all that are moved turn bad; measured is until the remote's `main` has
the halt. The instants are spread evenly over the time between two ticks, from run to run. What happened when, is read
from the exporter (the first scrape that saw it) and from Prometheus's log of queries (the tick that halted).
"""

import argparse
import http.server
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from fleets import ENVIRONMENT, git
from metrics import serving, version

HOSTS = 200
TSUNAMI = (sys.executable, "-c", "from tsunami_cli.cli import main; main()")
REAL = {name: value for name, value in ENVIRONMENT.items() if name != "TSUNAMI_NOW"}
PATIENCE = 60.0
"""Seconds beyond what it should take at most."""
BAD, GOOD = 0.3, 0.001

SETTINGS = """\
fleet: benchmark
publish: {{to: "file:public", every: {every}s}}
guard: {{prometheus: "{url}"}}
"""
VARIABLE = """\
name: docker
value: {{type: string}}
default: "1.12.1"
slos:
  - name: errors
    query: avg by (instance) (error_ratio)
    objective: "<= 0.01"
    for: {sustained}s
    settle: 0s
rollouts:
  - id: docker-{id}
    selection: 1
    from: ["1.12.1"]
    to: "1.12.3"
    over: 4h
    schedule:
      - {{at: {begin}, percent: 0}}
      - {{at: {end}, percent: 100}}
"""
PROMETHEUS = """\
global: {{scrape_interval: {scrape}, query_log_file: {log}}}
scrape_configs:
  - {{job_name: fleet, honor_labels: true, scrape_timeout: {scrape}, static_configs: [{{targets: ["{place}"]}}]}}
"""


@dataclass(frozen=True)
class Run:
    """One halt, in seconds."""

    whole: float
    scrape: float
    """Until the first scrape that saw it."""
    waited: float
    """From there and the SLO's `for` on until the tick asked: for the tick, and for whole seconds."""
    done: float
    """From the tick's first question until the halt was on the remote."""


class Exporter(http.server.ThreadingHTTPServer):
    """Speaks for all hosts."""

    daemon_threads = True

    def __init__(self) -> None:
        self.bundle: Path | None = None
        """What hosts were told, as it was published."""
        self.bad = False
        self.seen: float | None = None
        """When the first scrape since was answered."""
        super().__init__(("127.0.0.1", 0), Scrape)

    def text(self) -> str:
        if self.bad and self.seen is None:
            self.seen = time.time()
        moved = set()
        if self.bad and self.bundle is not None:
            moved = {host for host, has in json.loads(self.bundle.read_text())["hosts"].items() if "1.12.3" in str(has)}
        rows = (f'error_ratio{{instance="{host}:9100"}} {BAD if host in moved else GOOD}\n' for host in hosts())
        return "".join(rows)


class Scrape(http.server.BaseHTTPRequestHandler):
    """One scrape."""

    server: Exporter

    def do_GET(self) -> None:
        data = self.server.text().encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def hosts() -> list[str]:
    """Return the names of all hosts."""
    return [f"web-{number:03d}" for number in range(HOSTS)]


def make(folder: Path, remote: Path, url: str, asked: argparse.Namespace) -> None:
    """Make a fleet with a remote, half-way through a rollout, and publish it once."""
    (folder / "rollouts").mkdir(parents=True)
    now = datetime.now(UTC).replace(microsecond=0)
    begin, end = now - timedelta(hours=2), now + timedelta(hours=2)
    (folder / "tsunami.yaml").write_text(SETTINGS.format(every=asked.every, url=url))
    (folder / "inventory.csv").write_text("host,role\n" + "".join(f"{host},web\n" for host in hosts()))
    text = VARIABLE.format(
        sustained=asked.sustained,
        id=begin.strftime("%Y%m%dT%H%M%SZ"),
        begin=begin.strftime("%Y-%m-%dT%H:%M:%SZ"),
        end=end.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    (folder / "rollouts" / "docker.yaml").write_text(text)
    (folder / ".gitignore").write_text("public\n")
    git(folder.parent, "-c", "init.defaultBranch=main", "init", "-q", "--bare", "--template=", str(remote))
    git(folder, "-c", "init.defaultBranch=main", "init", "-q", "--template=")
    git(folder, "add", "--all")
    git(folder, "commit", "-qm", "A fleet")
    git(folder, "remote", "add", "origin", str(remote))
    git(folder, "push", "-qu", "origin", "main")
    subprocess.run((*TSUNAMI, "publish", "--no-guard"), cwd=folder, env=REAL, check=True, capture_output=True)


def halted(folder: Path, url: str, exporter: Exporter, queries: Path, asked: argparse.Namespace, phase: float) -> Run:
    """Let a rollout run, make it bad, and wait for the halt."""
    place, remote = folder / "work", folder / "remote.git"
    make(place, remote, url, asked)
    exporter.bundle, exporter.bad, exporter.seen = place / "public/roles/web.json", False, None
    before = tip(remote)
    command = (*TSUNAMI, "run", "--every", f"{asked.every}s", "--json")
    with (folder / "run.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=place, env=REAL, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            time.sleep(asked.sustained + 5 + phase)
            if tip(remote) != before:
                raise RuntimeError(f"halted before anything was bad: {(folder / 'run.log').read_text()[-500:]}")
            exporter.bad = True
            turned = time.time()
            while tip(remote) == before:
                if time.time() > turned + asked.sustained + 2 * asked.every + PATIENCE or process.poll() is not None:
                    raise RuntimeError(f"no halt: {(folder / 'run.log').read_text()[-2000:]}")
                time.sleep(0.005)
            ended = time.time()
        finally:
            process.terminate()
            process.wait()
    words = ("git", "log", "-1", "--format=%B", "main")
    said = subprocess.run(words, cwd=remote, env=REAL, check=True, capture_output=True, text=True).stdout
    if "Tsunami-Action: halt" not in said or exporter.seen is None:
        raise RuntimeError(f"that is no halt: {said}")
    time.sleep(1)  # for the log of queries
    first = min(at for at in asked_at(queries) if at > ended - min(5, asked.every - 1))
    return Run(ended - turned, exporter.seen - turned, first - exporter.seen - asked.sustained, ended - first)


def tip(remote: Path) -> str:
    """Return the newest commit of the remote's main, by its file: no process that would disturb."""
    return (remote / "refs/heads/main").read_text()


def asked_at(log: Path) -> list[float]:
    """Return when Prometheus began with each query."""
    rows = [json.loads(row) for row in log.read_text().splitlines() if row.endswith("}")]
    # `ts` is when it was done.
    return [
        datetime.fromisoformat(row["ts"][:26].rstrip("Z") + "+00:00").timestamp()
        - row["stats"]["timings"]["execTotalTime"]
        for row in rows
        if "error_ratio" in row["params"]["query"]
    ]


def line(what: str, values: Sequence[float]) -> str:
    """Return a line of the table."""
    return f"{what:<52}{median(values):7.2f} {min(values):7.2f} {max(values):7.2f}"


def main() -> None:
    """Measure several halts, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--every", type=int, default=15, metavar="SECONDS", help="between two ticks")
    parser.add_argument("--for", type=int, default=30, metavar="SECONDS", dest="sustained", help="the SLO's")
    parser.add_argument("--scrape", default="1s", metavar="DURATION")
    asked = parser.parse_args()
    found = []
    with tempfile.TemporaryDirectory(prefix="tsunami-bench-") as name, Exporter() as exporter:
        folder = Path(name)
        threading.Thread(target=exporter.serve_forever, daemon=True).start()
        queries = folder / "queries.log"
        config = PROMETHEUS.format(scrape=asked.scrape, log=queries, place=f"127.0.0.1:{exporter.server_port}")
        with serving(folder / "prometheus", config) as url:
            for number in range(asked.runs):
                own = folder / str(number)
                own.mkdir()
                run = halted(own, url, exporter, queries, asked, number * asked.every / asked.runs)
                print(f"{number + 1}: {run.whole:.2f} s", file=sys.stderr, flush=True)
                found.append(run)
        exporter.shutdown()
    print(f"{asked.runs} runs, {HOSTS} hosts, half of them moved; tsunami run --every {asked.every}s; settle 0s;")
    print(f"{version()}, scrapes every {asked.scrape}, on the same machine; seconds")
    print(f"{'':<52}{'median':>7} {'least':>7} {'worst':>7}")
    print(line("from bad hosts to a halt on the remote", [run.whole for run in found]))
    print(line("  until a scrape saw it", [run.scrape for run in found]))
    print(line("  the SLO's for", [asked.sustained for _ in found]))
    print(line("  until the next tick asked", [run.waited for run in found]))
    print(line("  questions, judgement, commit, push", [run.done for run in found]))


if __name__ == "__main__":
    main()
