"""How fast Tsunami is, beside the budgets of its design: `make bench`, `make bench ARGS='--only get --runs 50'`.

A measurement, not a test: it ends with 0 whatever the figures are, and with 1 where something could not be run.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fleets import ENVIRONMENT, Fleet, a_host, git, variable
from measure import Failed, Result, measure

TSUNAMI = (sys.executable, "-c", "from tsunami_cli.cli import main; main()")
"""As the installed script does it: `-m` would add what runpy takes."""

IN_PROCESS = """\
from time import perf_counter
from tsunami_cli.adapters.inventory_files import read_csv
data = open("inventory.csv", "rb").read()
began = perf_counter()
inventory, problems = read_csv(data, "inventory.csv")
print(perf_counter() - began)
assert inventory is not None, problems[0]
"""

SMALL = Fleet(10_000, 10, settled=1)


@dataclass(frozen=True)
class Case:
    """A command on a fleet, and what it may take."""

    name: str
    what: str
    fleet: Fleet
    words: Sequence[str]
    runs: int
    times: float | None = None
    """Budget in times bare python."""
    seconds: float | None = None
    """Budget in seconds, on two cores."""
    megabytes: float | None = None
    fresh: str = ""
    """What is made anew before each run: the `repository`, or the `output`."""
    large: bool = False
    inside: bool = False
    """Whether the process measures itself, without its start."""
    published: str = ""
    """The instant of a first publish beforehand."""


BEFORE = "2026-11-17T11:07:30Z"
"""Two and a half intervals before the instant of every run."""
RENDER = ("render", "--out", "../out")
CASES = (
    Case("version", "tsunami --version", SMALL, ("--version",), 21),
    Case("get", "get HOST VAR, 10,000 hosts", SMALL, ("get", a_host(10_000), variable(0)), 21, times=16),
    Case(
        "start",
        "start with its commit",
        SMALL,
        ("start", variable(10), "--to", "1.12.3", "--over", "14d"),
        15,
        times=28,
        fresh="repository",
    ),
    Case("halt", "halt VAR with its commit", SMALL, ("halt", variable(0)), 15, times=28, fresh="repository"),
    Case("render", "render 10,000 x 10, unchanged", Fleet(10_000, 10), RENDER, 15, times=20),
    Case(
        "render-100k",
        "render 100,000 x 10",
        Fleet(100_000, 10),
        RENDER,
        5,
        seconds=1.1,
        megabytes=150,
        fresh="output",
    ),
    Case(
        "render-mixed",
        "render 100,000 x 10, with pins, spread, first",
        Fleet(100_000, 10, mixed=True),
        RENDER,
        3,
        fresh="output",
    ),
    Case(
        "get-told",
        "get HOST VAR, 10,000 hosts, on a ledger",
        SMALL,
        ("get", a_host(10_000), variable(0)),
        21,
        published=BEFORE,
    ),
    Case("render-told", "render 10,000 x 10, on a ledger", Fleet(10_000, 10), RENDER, 9, published=BEFORE),
    Case(
        "publish",
        "publish to a folder, 10,000 hosts, 29 changed",
        Fleet(10_000, 1),
        ("publish", "--no-guard"),
        9,
        seconds=0.5,
        fresh="repository",
        published=BEFORE,
    ),
    Case(
        "publish-10",
        "the same, 10 rollouts, 250 changed",
        Fleet(10_000, 10),
        ("publish", "--no-guard"),
        5,
        fresh="repository",
        published=BEFORE,
    ),
    Case(
        "publish-first",
        "first publish of 100,000 hosts, to a folder",
        Fleet(100_000, 1),
        ("publish", "--no-guard"),
        3,
        fresh="repository",
        large=True,
    ),
    Case("validate", "validate, 500 variables", Fleet(10_000, 500), ("validate",), 5, seconds=1.5),
    Case("inventory", "read a CSV of 100,000 hosts, in-process", Fleet(100_000, 1), (), 9, inside=True),
    Case("render-1m", "render 1,000,000 x 1", Fleet(1_000_000, 1), RENDER, 3, seconds=4, fresh="output", large=True),
    Case(
        "render-1m-10",
        "render 1,000,000 x 10",
        Fleet(1_000_000, 10),
        RENDER,
        3,
        seconds=8,
        megabytes=800,
        fresh="output",
        large=True,
    ),
)


def run(case: Case, runs: int | None) -> Result:
    """Make a case's fleet and measure."""
    with tempfile.TemporaryDirectory(prefix="tsunami-bench-") as name:
        origin, work, out = (Path(name) / part for part in ("origin", "work", "out"))
        case.fleet.make(origin)
        if case.published:
            environment = ENVIRONMENT | {"TSUNAMI_NOW": case.published}
            subprocess.run((*TSUNAMI, "publish"), cwd=origin, env=environment, check=True, capture_output=True)

        def renew() -> None:
            if case.fresh == "output":
                shutil.rmtree(out, ignore_errors=True)
            elif case.fresh == "repository":
                # Anew with its objects: those of the run before would not have to be written again.
                shutil.rmtree(work, ignore_errors=True)
                shutil.copytree(origin, work)
                git(work, "update-index", "--refresh")

        command = (sys.executable, "-c", IN_PROCESS) if case.inside else (*TSUNAMI, *case.words)
        folder = work if case.fresh == "repository" else origin
        if folder is work:
            work.mkdir()
        return measure(command, folder, runs or case.runs, renew, inside=case.inside)


def verdict(case: Case, result: Result) -> str:
    """Say whether a result is within its budget."""
    over = [
        had > may
        for had, may in (
            (result.ratio, case.times),
            (result.seconds, case.seconds),
            (result.megabytes, case.megabytes),
        )
        if may is not None
    ]
    return "" if not over else "OVER" if any(over) else "ok"


def budget(case: Case) -> str:
    """Return a case's budget in words."""
    parts = (
        f"{case.times:g} x" if case.times else "",
        f"{case.seconds:g} s" if case.seconds else "",
        f"{case.megabytes:g} MB" if case.megabytes else "",
    )
    return ", ".join(filter(None, parts)) or "-"


def row(case: Case, result: Result) -> str:
    """Return a line of the table."""
    times = f"{1000 * result.seconds:9.0f} {1000 * result.least:8.0f} {result.ratio:8.1f} {result.work:7.1f}"
    figures = f"{times} {result.megabytes:7.0f}"
    return f"{case.name:<13} {case.what:<46}{figures}   {budget(case):<14} {verdict(case, result)}".rstrip()


def data(case: Case, result: Result) -> dict[str, object]:
    """Return a result as JSON data."""
    return {
        "name": case.name,
        "what": case.what,
        "runs": len(result.samples),
        "seconds": round(result.seconds, 4),
        "least_seconds": round(result.least, 4),
        "bare_seconds": round(result.bare, 4),
        "ratio": round(result.ratio, 2),
        "cpu_ratio": round(result.work, 2),
        "megabytes": round(result.megabytes, 1),
        "budget": {"ratio": case.times, "seconds": case.seconds, "megabytes": case.megabytes},
        "ok": {"ok": True, "OVER": False}.get(verdict(case, result)),
    }


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=[case.name for case in CASES], help="repeatable")
    parser.add_argument("--runs", type=int, metavar="N", help="runs of each command")
    parser.add_argument("--large", action="store_true", help="also a million hosts")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    asked = parser.parse_args()

    wanted = [case for case in CASES if (case.name in asked.only if asked.only else asked.large or not case.large)]
    if not asked.json:
        print(f"{'':<60}{'median ms':>9} {'min ms':>8} {'x python':>8} {'its cpu':>7} {'peak MB':>7}   budget")
    found, failed = [], False
    for case in wanted:
        try:
            result = run(case, asked.runs)
        except (Failed, OSError, RuntimeError) as error:
            failed = True
            print(f"{case.name}: {error}", file=sys.stderr)
            continue
        found.append(data(case, result))
        if not asked.json:
            print(row(case, result), flush=True)
    if asked.json:
        print(json.dumps(found, indent=2))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
