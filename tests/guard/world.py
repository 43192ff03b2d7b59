"""A fleet in the middle of a rollout, and a metrics server that measured it: what a scenario starts from.

A hundred hosts go from 1 to 2 in five hours, from minute 0 on; a publish every ten minutes has told the first of them
at the minutes 10 and 20. The samples are those of a rollout that nothing stops: who is told when follows from the plan.
"""

import atexit
import contextlib
import functools
import http.client
import io
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.commands.fleet_world import Fleet, Said, git, new_repository
from tests.metrics_servers import Handler, Labels, Server, labels, openmetrics, shared_prometheus
from tsunami_cli import cli

BEGAN = datetime(2026, 11, 16, 9, tzinfo=UTC)
"""A Monday."""
LEDGER = "tsunami-ledger"
EVERY = 10
HOURS = 5
LAST = 130
"""The last minute with samples."""
ROLES = {"db": 20, "web": 80}
HOSTS = tuple(f"{role}-{number:02}" for role, size in ROLES.items() for number in range(size))
AGENT = "rollouts/agent.yaml"
ROLLOUT = f"agent-{BEGAN:%Y%m%dT%H%M%SZ}"
SETTINGS = "fleet: backend\npublish: {every: 10m, per_host: false}\n"
VARIABLE = 'name: {}\nvalue: {{type: string}}\ndefault: "1"\n'
FILES = {
    "tsunami.yaml": SETTINGS,
    ".gitignore": "public\n",
    "inventory.csv": "host,role\n" + "".join(f"{host},{host[:-3]}\n" for host in HOSTS),
    AGENT: VARIABLE.format("agent"),
    "rollouts/kernel.yaml": VARIABLE.format("kernel"),
}
"""Of `kernel` nobody watches anything."""

HEALTHY = "avg by (instance) (healthy)"
BROKEN = "avg by (instance) (broken)"
DEAD = "avg by (instance) (dead)"
QUIET = "avg by (instance) (quiet)"
GAP = "avg by (instance) (gap)"
BAD = f"{HEALTHY} + 0.3"
"""As bad on every host."""


def at(minute: float) -> str:
    """Return an instant, in minutes since the rollout began."""
    return (BEGAN + timedelta(seconds=round(minute * 60))).strftime("%Y-%m-%dT%H:%M:%SZ")


def unix(minute: float) -> int:
    return int(BEGAN.timestamp()) + round(minute * 60)


def slo(name: str = "errors", query: str = BROKEN, objective: str = "<= 0.01", **more: object) -> str:
    """Return an SLO as it stands in a variable's file; in names of keys _ stands where YAML has it."""
    given = {"name": name, "query": query, "objective": objective, **more}
    lines = [f"{key.rstrip('_')}: {json.dumps(value)}" for key, value in given.items()]
    return "  - " + "\n    ".join(lines) + "\n"


@dataclass(frozen=True)
class World:
    """A repository with a fleet, and what the guard makes of it."""

    fleet: Fleet

    # Running

    def run(self, minute: float, *words: str) -> Said:
        return self.fleet.at(at(minute)).run(*words)

    def watch(self, *slos: str, name: str = "agent", subject: str = "watch it") -> str:
        """Commit a variable's file with these SLOs in the place of those that it has."""
        path = f"rollouts/{name}.yaml"
        before, _, rest = self.fleet.git("show", f"main:{path}").partition("slos:\n")
        head, rollouts, tail = (before + rest).partition("rollouts:\n")
        head = "\n".join(line for line in head.splitlines() if not line.startswith(("  - name", "    "))) + "\n"
        listed = f"slos:\n{''.join(slos)}" if slos else ""
        return self.fleet.commit({path: f"{head}{listed}{rollouts}{tail}\n"}, subject)

    def publish(self, minute: float, *words: str, code: int = 0) -> Any:
        """Publish; return what it says as JSON."""
        said = self.run(minute, "publish", *words, "--json")
        assert said.code == code, said
        return said.data

    def guard(self, minute: float, *words: str, code: int = 0) -> Any:
        """Judge; return the results."""
        said = self.run(minute, "guard", *words, "--json")
        assert said.code == code, said
        return said.data["results"]

    def judge(self, minute: float, code: int = 0) -> Any:
        """Return the one result of a guard that decides nothing."""
        (found,) = self.guard(minute, "--dry-run", code=code)
        return found

    # Looking

    def status(self, minute: float, name: str = "agent") -> Any:
        (found,) = self.fleet.at(at(minute)).json("status", name)["variables"]
        return found

    def told(self, name: str = "agent") -> dict[str, str]:
        """Return when every host was told to move by the newest entry, in its own words."""
        return {row["host"]: row["at"] for row in self.audit(name) if row["rollout"] and row["to"] == "2"}

    def audit(self, name: str = "agent") -> list[Any]:
        found: list[Any] = self.fleet.json("audit", "--variable", name)
        return [row for row in found if row["from"] is not None]

    def have(self, value: str = "2", name: str = "agent") -> set[str]:
        """Return the hosts that find this value in the store."""
        found: set[str] = set()
        for place in (self.fleet.root / "public/roles").iterdir():
            hosts = json.loads(place.read_text())["hosts"]
            found |= {host for host, values in hosts.items() if values.get(name) == value}
        return found

    def decisions(self, name: str = "agent") -> list[Any]:
        """Return the decisions, without edits by hand."""
        return [row for row in self.fleet.json("log", name) if row["action"] != "edit"]

    def actions(self, name: str = "agent") -> list[str]:
        return [row["action"] for row in self.decisions(name)]

    def entries(self) -> int:
        return int(self.fleet.git("rev-list", "--count", LEDGER))

    def minutes(self, count: int = 1) -> str:
        """Return the messages of the newest ledger entries."""
        return self.fleet.git("log", f"-{count}", "--format=%B", LEDGER)

    def halted(self, name: str = "agent") -> bool:
        return "halted: " in self.fleet.git("show", f"main:rollouts/{name}.yaml")

    def assert_halted(self, minute: float, name: str = "agent") -> None:
        state = self.status(minute, name)
        assert (state["state"], state["held"]) == ("halted", None)
        assert self.halted(name)
        assert self.actions(name)[-1] == "halt"


# Repositories, made once


@functools.cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="tsunami-guard-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def quietly(root: Path, minute: float, *words: str) -> None:
    """Run a command in a repository, in this process."""
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        patch.setenv("TSUNAMI_NOW", at(minute))
        patch.delenv("TSUNAMI_PROMETHEUS_URL", raising=False)
        code = cli.run([*words, "-C", str(root)])
    assert code == 0, f"{words}: {out.getvalue()}"


def repository(name: str, files: Mapping[str, str]) -> Path:
    """Make a repository with one commit of the day before."""
    with pytest.MonkeyPatch.context() as patch:
        for word in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"):
            patch.setenv(word, at(-1440))
        return new_repository(_folder() / name, files)


@functools.cache
def begun(*names: str) -> Path:
    """Make the repository with the rollout under way, of `agent` and of more variables; two publishes told hosts."""
    more = {f"rollouts/{name}.yaml": VARIABLE.format(name) for name in names}
    root = repository("-".join(("begun", *names)), FILES | more)
    quietly(root, 0, "publish")
    for name in ("agent", "kernel", *names):
        quietly(root, 0, "start", name, "--to", "2", "--over", f"{HOURS}h")
    quietly(root, EVERY, "publish")
    quietly(root, 2 * EVERY, "publish")
    git(root, "gc", "-q")
    return root


@functools.cache
def fresh(over: str = f"{HOURS}h") -> Path:
    """Make the repository with the rollout decided on and nothing published."""
    root = repository(f"fresh-{over}", FILES)
    quietly(root, 0, "start", "agent", "--to", "2", "--over", over)
    return root


# What was measured


@functools.cache
def moves() -> Mapping[str, int]:
    """Return the minute of the publish that tells each host, where nothing stops the rollout."""
    root = repository("plan", FILES)
    quietly(root, 0, "start", "agent", "--to", "2", "--over", f"{HOURS}h")
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out):
        patch.setenv("TSUNAMI_NOW", at(0))
        assert cli.run(["plan", "agent", "--json", "-C", str(root)]) == 0
    (found,) = json.loads(out.getvalue())["variables"]
    assert len(found["moves"]) == len(HOSTS)
    seconds = {one["host"]: int(datetime.fromisoformat(one["at"]).timestamp()) - unix(0) for one in found["moves"]}
    return {host: EVERY * -(-second // (60 * EVERY)) for host, second in seconds.items()}


def _value(metric: str, host: str, minute: int) -> float | None:
    """Return what is measured on a host, None for nothing."""
    moved = minute >= moves()[host]
    if metric == "broken":
        # On a fifth of the hosts this is within the objective of the fleet.
        return 0.02 if moved else 0.001
    if metric == "dead":
        # All die that are moved, but the first of them.
        return None if moved and host != order()[0] else 0.001
    if metric == "quiet":
        # One in eight goes on to say how it is, among the moved hosts and among the rest.
        return 0.001 if minute <= 5 or order().index(host) % 8 == 0 else None
    if metric == "gap":
        return None if 12 <= minute < 55 else 0.001
    return 0.001


@functools.cache
def order() -> Sequence[str]:
    """Return the hosts in the order in which they are told."""
    return sorted(HOSTS, key=lambda host: (moves()[host], host))


METRICS = ("healthy", "broken", "dead", "quiet", "gap")


@functools.cache
def samples() -> Mapping[tuple[str, Labels], Sequence[tuple[int, float]]]:
    """Return a sample a minute of every metric of every host."""
    found = {}
    for metric in METRICS:
        for host in HOSTS:
            key = (metric, labels(instance=f"{host}:9100", role=host[:-3]))
            values = ((minute, _value(metric, host, minute)) for minute in range(-15, LAST + 1))
            found[key] = [(unix(minute), value) for minute, value in values if value is not None]
    return found


def server() -> Server:
    """Return the server with all of this, for tests that only read."""
    return shared_prometheus(openmetrics(samples()))


def pass_on(handler: Handler) -> None:
    """Answer as that server does."""
    connection = http.client.HTTPConnection(urlsplit(server().url).netloc, timeout=10)
    try:
        kept = {"Content-Type": handler.headers["Content-Type"]}
        connection.request(handler.command, handler.path, handler.body, kept)
        got = connection.getresponse()
        handler.answer(got.status, got.read(), Content_Type=got.headers["Content-Type"])
    finally:
        connection.close()
