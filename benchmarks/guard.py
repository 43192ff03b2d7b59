"""How long the guard takes, and where: `python benchmarks/guard.py`, `--keep DIR` to use fleet and data again.

20 variables with three SLOs each on 10,000 hosts, all with a rollout under way, judged against a real Prometheus that
runs on the same machine. Every query differs from every other by a matcher that lets all series pass, so that nothing
is asked once for two; the data is one gauge, one `up` and one counter, of an hour, with a sample a minute. They are
realistic in form and in the number of series and samples, not in how much else the server has in its index.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Empty, SimpleQueue
from statistics import median
from typing import TypeVar

from fleets import ENVIRONMENT, NOW, Fleet, git, inventory, variable
from measure import measure
from metrics import backfill, serving, version

HOSTS, VARIABLES, MINUTES = 10_000, 20, 60
PUBLISHES, EVERY = 8, timedelta(minutes=5)
"""Publishes before the instant of the run, so that hosts were told at different times within the window."""
AT_ONCE = 4
T = TypeVar("T")
BUDGET = 5.0
"""Seconds."""
TSUNAMI = (sys.executable, "-c", "from tsunami_cli.cli import main; main()")
SLOS = """\
slos:
  - name: failures
    query: avg by (instance) (avg_over_time(failure_ratio{unit!="$variable"}[10m]))
    objective: "<= 0.01"
    compare: COMPARE
  - name: up
    query: min by (instance) (up_m{unit!="$variable"})
    objective: ">= 0.9"
    compare: COMPARE
  - name: errors
    query: sum by (instance) (rate(errors_total{unit!="$variable"}[10m]))
    objective: "<= 5"
    compare: COMPARE
"""
"""All met: then every sample is looked at."""


@dataclass(frozen=True)
class Times:
    """Where the time of one run goes, in seconds, in a process that does the parts one after the other."""

    read: float
    """Fleet and ledger from git."""
    cases: float
    """Parsing what was told, cohorts, queries."""
    server: float
    """The questions, four at a time, their answers read and thrown away."""
    decoded: float
    judged: float
    """Series to hosts, columns, means, verdicts."""
    answers: int
    """Bytes."""
    series: int


def samples(hosts: int) -> Iterator[str]:
    """Yield an hour of data: every host with a level of its own, and noise."""
    chance, names = random.Random(1), [host for host, *_ in inventory(hosts)]
    ends = int(datetime.fromisoformat(NOW).timestamp())
    instants = range(ends - 60 * MINUTES, ends + 1, 60)
    for host in names:
        labels, level = f'instance="{host}:9100",job="a"', chance.lognormvariate(-6, 0.5)
        yield from (f"failure_ratio{{{labels}}} {level * chance.lognormvariate(0, 0.3):.6g} {at}\n" for at in instants)
    for host in names:
        yield from (f'up_m{{instance="{host}:9100",job="a"}} 1 {at}\n' for at in instants)
    for host in names:
        labels, total = f'instance="{host}:9100",job="a"', 0
        for at in instants:
            total += chance.randrange(60)
            yield f"errors_total{{{labels}}} {total} {at}\n"


def make(folder: Path, hosts: int, variables: int, compare: str) -> None:
    """Make a fleet with a ledger of a few publishes."""
    Fleet(hosts, variables).make(folder)
    for number in range(variables):
        file = folder / "rollouts" / f"{variable(number)}.yaml"
        head, _, tail = file.read_text().partition("slos:\n")
        _, _, rollouts = tail.partition("\nrollouts:\n")
        file.write_text(f"{head}{SLOS.replace('COMPARE', compare)}\nrollouts:\n{rollouts}")
    git(folder, "commit", "-qam", "SLOs")
    now = datetime.fromisoformat(NOW)
    for place in reversed(range(PUBLISHES)):
        at = (now - timedelta(seconds=150) - place * EVERY).astimezone(UTC).isoformat()
        environment = ENVIRONMENT | {"TSUNAMI_NOW": at.replace("+00:00", "Z")}
        command = (*TSUNAMI, "publish", "--no-guard")
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)


def point(folder: Path, url: str) -> None:
    """Write the server's address into the settings."""
    file = folder / "tsunami.yaml"
    rows = [row for row in file.read_text().splitlines() if not row.startswith("guard:")]
    file.write_text("\n".join([*rows, f'guard: {{prometheus: "{url}"}}', ""]))
    git(folder, "commit", "-qam", "Where metrics are")


def asked(url: str, forms: list[dict[str, str]]) -> tuple[float, list[bytes]]:
    """Ask as the guard does, four at a time, by other means; return seconds and answers."""
    waiting: SimpleQueue[tuple[int, dict[str, str]]] = SimpleQueue()
    for numbered in enumerate(forms):
        waiting.put(numbered)
    found = [b""] * len(forms)

    def work() -> None:
        while True:
            try:
                place, form = waiting.get_nowait()
            except Empty:
                return
            data = urllib.parse.urlencode(form).encode()
            with urllib.request.urlopen(f"{url}/api/v1/query_range", data, timeout=60) as response:
                found[place] = response.read()

    threads = [threading.Thread(target=work) for _ in range(AT_ONCE)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began, found


def timed(do: Callable[[], T]) -> tuple[float, T]:
    """Return how long something takes, and what comes of it."""
    began = time.perf_counter()
    done = do()
    return time.perf_counter() - began, done


def parts(folder: Path, url: str) -> Times:
    """Do what `tsunami guard --dry-run` does, part by part."""
    from tsunami_cli.adapters.git.repository import Repository
    from tsunami_cli.adapters.prometheus.answers import answer
    from tsunami_cli.commands.guard import _standing
    from tsunami_cli.core.guard.cases import Docket
    from tsunami_cli.core.guard.naming import Names

    now = datetime.fromisoformat(NOW)
    read, (fleet, record) = timed(lambda: _standing(Repository.discover(folder), push_along=False))
    good, bad = fleet.split(())
    assert record is not None
    assert not bad, bad
    made, found = timed(
        lambda: [case for v in good for case in Docket(v, fleet.roles, record.told(v.name), now).cases()]
    )
    questions = list(dict.fromkeys(question for case in found for question in case.questions))
    forms = [
        {"query": q.query, "start": str(q.window.start), "end": str(q.window.end), "step": str(q.window.step)}
        for q in questions
    ]
    asked(url, forms[:6])
    server, data = asked(url, forms)
    texts = [bytearray(one) for one in data]
    decoded, answers = timed(lambda: [answer(text, q.window) for text, q in zip(texts, questions, strict=True)])
    by_question = dict(zip(questions, answers, strict=True))
    names, known = timed(lambda: Names(fleet.inventory.hosts))
    judged, verdicts = timed(lambda: [case.judged(by_question, known, "instance") for case in found])
    assert {one.status for one in verdicts} == {"ok"}, [one.why for one in verdicts if one.status != "ok"]
    assert not any(one.doubtful for one in verdicts)
    series = sum(len(one.series) for one in answers)
    return Times(read, made, server, decoded, names + judged, sum(map(len, data)), series)


def inside(folder: Path, url: str) -> dict[str, float]:
    """Return `parts` of a new process."""
    command = (sys.executable, __file__, "--inside", str(folder), url)
    done = subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Make fleet and data, and measure."""
    if sys.argv[1:2] == ["--inside"]:
        import gc

        gc.disable()  # as the command does
        print(json.dumps(vars(parts(Path(sys.argv[2]), sys.argv[3]))))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=HOSTS)
    parser.add_argument("--variables", type=int, default=VARIABLES)
    parser.add_argument("--compare", default="moved", choices=("moved", "moved-minus-rest", "fleet"))
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="fleet and data, made there if they are not yet")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tsunami-bench-") as name:
        place = (wanted.keep or Path(name)).absolute()
        if not (place / "prometheus").exists():
            backfill(place / "prometheus", samples(wanted.hosts))
        fleet = place / f"fleet-{wanted.compare}"
        if not fleet.exists():
            make(fleet, wanted.hosts, wanted.variables, wanted.compare)
        with serving(place / "prometheus") as url:
            point(fleet, url)
            show(wanted, fleet, url)


def show(wanted: argparse.Namespace, fleet: Path, url: str) -> None:
    """Measure, and print a table."""
    found = [inside(fleet, url) for _ in range(max(3, wanted.runs // 2))]
    result = measure((*TSUNAMI, "guard", "--dry-run"), fleet, wanted.runs, lambda: None, inside=False)
    middle = {name: median(one[name] for one in found) for name in found[0]}
    questions = 3 * wanted.variables
    print(f"{questions} queries, {wanted.hosts:,} hosts, compare {wanted.compare}, {version()}:", end=" ")
    print(f"{middle['series']:,.0f} series, {middle['answers'] / 1e6:.0f} MB of answers")
    verdict = "ok" if result.seconds <= BUDGET else "OVER"
    print(
        f"tsunami guard --dry-run, cold    {result.seconds:6.2f} s, {result.least:.2f} at best   {BUDGET:g} s {verdict}"
    )
    print(f"  its processor time{result.work * result.bare:20.2f} s, about; {result.megabytes:.0f} MB at most")
    for part, what in (
        ("server", "the server alone, 4 at a time"),
        ("decoded", "decoding"),
        ("judged", "series to hosts, means, verdicts"),
        ("cases", "what was told, cohorts"),
        ("read", "fleet and ledger from git"),
    ):
        print(f"  {what:<32}{middle[part]:6.2f} s")


if __name__ == "__main__":
    main()
