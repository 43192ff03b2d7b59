"""Synthetic fleets: real git repositories of any size, the same every time."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROLES = 50
SITES = ("ash1", "lon2", "sjc3")

NOW = "2026-11-17T11:20:00Z"
"""The instant of every run: a Tuesday within working hours, half-way through every rollout."""

KEPT = ("LD_LIBRARY_PATH", "PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR")
ENVIRONMENT = {name: os.environ[name] for name in KEPT if name in os.environ} | {
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_AUTHOR_NAME": "Ada Operator",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada Operator",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "HOME": os.devnull,
    "LC_ALL": "C.UTF-8",
    "PYTHONPATH": str(ROOT),
    "TSUNAMI_NOW": NOW,
    "TZ": "UTC",
}
"""What processes under measurement see: nothing of the person who measures."""

SETTINGS = """\
fleet: benchmark
inventory: inventory.csv
branch: main
publish: {to: "file:public", every: 5m}
"""

VARIABLE = """\
# yaml-language-server: $schema=../schemas/variable.schema.json
name: NAME
description: One of many settings that hosts ask for
owner: containers

# Quotes round versions, always: without them 1.10 is the number 1.1.
value: {type: string, pattern: '^\\d+\\.\\d+\\.\\d+$'}
default: "1.12.1"
roles: ["*"]
EXTRA
limits:
  role-01: {at_least: 1, at_most: 90%, per_hour: 40}
  "*": {at_least: 1}

calendar:
  timezone: Europe/Stockholm
  days: [mon, tue, wed, thu, fri]
  hours: 09:00-17:00
  closed: [2026-12-24/2026-12-26, 2027-01-01]

slos:
  - name: start-failures
    query: avg by (instance) (avg_over_time(start_failure_ratio[10m]))
    objective: "<= 0.01"
    compare: moved
    for: 10m
    on_violation: halt
    on_no_data: hold
"""

ROLLOUT = """
rollouts:
  - id: NAME-20261109T080000Z
    selection: 1
    from: ["1.12.1"]
    to: "1.12.3"
    over: 14d
    schedule:
      - {at: 2026-11-09T08:00:00Z, percent: 0}
      - {at: 2026-11-23T08:00:00Z, percent: 100}
"""

EXTRAS = (
    "",
    'first: ["lon2-role-*-000000?"]\n',
    "spread: site\n",
    'pins: [{roles: [role-02], value: "1.12.1", reason: "upgraded by hand"}]\n',
    'pins: [{hosts: ["lon2-role-0?-00000?5"], value: "1.12.3", reason: "needs the fix"}]\n',
)
"""What makes one variable's hosts dearer to order than another's."""


@dataclass(frozen=True)
class Fleet:
    """A fleet by its size."""

    hosts: int
    variables: int
    """Variables with a rollout that has come half-way."""
    settled: int = 0
    """Variables without one."""
    mixed: bool = False
    """Whether four of five variables have leaders, a spread or pins."""

    def make(self, folder: Path) -> None:
        """Make the repository, with everything committed on `main`."""
        (folder / "rollouts").mkdir(parents=True)
        (folder / "tsunami.yaml").write_text(SETTINGS)
        with (folder / "inventory.csv").open("w") as file:
            file.write("host,role,site,rack\n")
            file.writelines(f"{host},{role},{site},{rack}\n" for host, role, site, rack in inventory(self.hosts))
        for number in range(self.variables + self.settled):
            name = variable(number)
            text = VARIABLE + (ROLLOUT if number < self.variables else "")
            extra = EXTRAS[number % len(EXTRAS)] if self.mixed else ""
            (folder / "rollouts" / f"{name}.yaml").write_text(text.replace("NAME", name).replace("EXTRA\n", extra))
        git(folder, "-c", "init.defaultBranch=main", "init", "-q", "--template=")
        git(folder, "add", "--all")
        git(folder, "commit", "-q", "-m", "A fleet")


def variable(number: int) -> str:
    """Return the name of a variable."""
    return f"setting-{number:03d}"


def inventory(count: int) -> Iterator[tuple[str, str, str, str]]:
    """Yield hosts with their roles, sites and racks, sorted; the r-th role has about 1/r as many as the first."""
    sizes = role_sizes(count)
    for place, site in enumerate(SITES):
        for number, size in enumerate(sizes, 1):
            role = f"role-{number:02d}"
            for host in range(place, size, len(SITES)):
                yield f"{site}-{role}-{host:07d}", role, site, f"{site}-r{host % 16:02d}"


def role_sizes(count: int) -> list[int]:
    """Return how many hosts each role has, largest first (Zipf's law), as many as asked for in all."""
    whole = sum(1 / rank for rank in range(1, ROLES + 1))
    sizes = [max(1, int(count / rank / whole)) for rank in range(1, ROLES + 1)]
    sizes[0] += count - sum(sizes)
    return sizes


def a_host(count: int) -> str:
    """Return a host from the middle of the inventory."""
    return next(host for place, (host, *_) in enumerate(inventory(count)) if place == count // 2)


def git(folder: Path, *words: str) -> None:
    """Run git."""
    done = subprocess.run(("git", *words), cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"git {json.dumps(words)}: {done.stderr.strip()}")
