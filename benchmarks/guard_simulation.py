"""How often the guard is right: `python benchmarks/guard_simulation.py`, a Markdown table of 1,000 made-up rollouts.

Needs numpy, which nothing else here does: `python -m pip install numpy`. No server: the judgements are those of
`core.guard`, on series that a model of a fleet makes. Every seed gives the same table.

The model: 1,000 hosts, moved one after the other over 14 days, a publish with its guard every 5 minutes, a sample a
minute. A host's error ratio is the baseline, times its own level (lognormal, sigma 0.5), times noise (lognormal,
sigma 0.5, forgotten within about 5 minutes), times what all hosts have in common (20 % up and down over the day, and
noise of sigma 0.15 that is forgotten within half an hour). 1 % of the samples are missing. Every host restarts once
in 7 days and when it is moved: 3 minutes without samples, then 5 with ten times the errors.

Half of the rollouts change nothing: half of those meet two incidents that have nothing to do with them, five times
the errors on all hosts for 20 minutes. The other half make it worse for the hosts that are moved, in five ways; of
these the first 3 days count, by when 214 hosts have moved. A rollout that is halted is over.

Only those checks go to the core for which the samples of a first look, worked out as there, all miss the objective or
too many hosts are silent: the others cannot come to a halt. A few of those go there too, as a check on that.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import product
from multiprocessing import Pool
from statistics import median

import numpy as np

from tsunami_cli.core.guard.cases import Docket
from tsunami_cli.core.guard.judging import Judgement
from tsunami_cli.core.guard.naming import Names
from tsunami_cli.core.guard.questions import Answer, Series, Window
from tsunami_cli.core.inventory import Inventory
from tsunami_cli.core.lineup import Role
from tsunami_cli.core.model import Globs, Rollout, Slo, Variable
from tsunami_cli.core.schedule import Schedule, Waypoint
from tsunami_cli.core.told import Telling, Told
from tsunami_cli.core.values import Value

HOSTS, DAYS, BAD_DAYS = 1_000, 14, 3
CHECK = 5
"""Minutes between two checks."""
SETTLE = 10
BASELINE = 0.002
BEFORE = 30
"""Minutes of data before the first host is moved."""
BEGAN = datetime(2026, 11, 2, 8, 0, 30, tzinfo=UTC)
"""Half a minute after the scrapes, as are all checks."""
OLD, NEW = Value('"1.12.1"'), Value('"1.12.3"')
WAYS = ("nothing", "incidents", "x1.5", "x3", "x10", "10 % broken", "30 % silent")
HEALTHY = ("nothing", "incidents")
HOLDS = (timedelta(seconds=1), timedelta(minutes=10))
AUDITED = 5
"""Checks of a rollout that go to the core although they need not."""


@dataclass(frozen=True)
class Variant:
    """An SLO as somebody might write it."""

    compare: str
    distance: float
    """From the baseline to the objective, in times the baseline."""
    sustained: timedelta
    min_hosts: int

    @property
    def bound(self) -> float:
        return BASELINE * (self.distance + (self.compare == "moved"))

    @property
    def slo(self) -> Slo:
        return Slo(
            name="errors",
            query="errors",
            objective=f"<= {self.bound:.6g}",
            compare=self.compare,
            sustained=self.sustained,
            settle=timedelta(minutes=SETTLE),
            min_hosts=self.min_hosts,
        )


VARIANTS = [
    Variant(*chosen) for chosen in product(("moved", "moved-minus-rest"), (0.25, 1.0, 4.0), reversed(HOLDS), (1, 5, 50))
]
HOST_NAMES = tuple(f"web-{number:04d}" for number in range(HOSTS))
INVENTORY = Inventory.of(HOST_NAMES, ("web",) * HOSTS, {})
ROLES = (Role("web", INVENTORY),)
NAMES = Names(HOST_NAMES)
LABELS = [{"instance": f"{host}:9100"} for host in HOST_NAMES]
ROLLOUT = Rollout(
    "errors-20261102T080000Z",
    (OLD,),
    NEW,
    timedelta(days=DAYS),
    Schedule((Waypoint(BEGAN, Fraction(0)), Waypoint(BEGAN + timedelta(days=DAYS), Fraction(1)))),
)
TOLD_AT = np.ceil(np.arange(HOSTS) * (DAYS * 1440 / HOSTS) / CHECK).astype(int)
"""The publish, counted from 0, by which every host is told, in the order in which they move."""


@dataclass(frozen=True)
class Halt:
    """A rollout that was halted."""

    minutes: int
    """After the first host that is worse for it was moved; after the first that was moved, where none is."""
    hosts: int
    silence: bool
    """Whether for hosts gone silent."""


@dataclass(frozen=True)
class Ran:
    """One rollout under all variants."""

    way: str
    halts: Sequence[Halt | None]
    asked: int
    """Checks that went to the core."""
    wrong: int
    """Audited checks that the core sees in another way: none, or this file does not do what it says."""


class Fleet:
    """One rollout's data: errors[minute, host], not-a-number where there is no sample; the hosts as they move."""

    def __init__(self, way: str, seed: Sequence[int]) -> None:
        self.chance = chance = np.random.default_rng(seed)
        self.way = way
        self.checks = (DAYS if way in HEALTHY else BAD_DAYS) * 1440 // CHECK + (5 if way in HEALTHY else 0)
        self.minutes = BEFORE + self.checks * CHECK + CHECK
        moment = np.arange(self.minutes)
        errors = _noise(chance, self.minutes, HOSTS, 0.5, 5)
        errors *= BASELINE * chance.lognormal(-0.125, 0.5, HOSTS).astype(np.float32)
        common = _noise(chance, self.minutes, 1, 0.15, 30)[:, 0] * (1 + 0.2 * np.sin(moment * (2 * np.pi / 1440)))
        if way == "incidents":
            for begins in chance.integers(1440, self.minutes - 1440, 2):
                common[begins : begins + 20] *= 5
        errors *= common.astype(np.float32)[:, None]
        moved = BEFORE + TOLD_AT * CHECK + 1
        self.worse = np.ones(HOSTS, bool)
        if "%" in way:
            self.worse = chance.random(HOSTS) < (0.1 if "broken" in way else 0.3)
        for host in np.flatnonzero(moved < self.minutes):
            if way.startswith("x"):
                errors[moved[host] :, host] *= float(way[1:])
            elif self.worse[host] and "broken" in way:
                errors[moved[host] :, host] = 1
            elif self.worse[host] and "silent" in way:
                errors[moved[host] + 30 :, host] = np.nan
        restarts = [(int(moved[host]), host) for host in range(HOSTS)]
        for host, count in enumerate(chance.poisson(self.minutes / (7 * 1440), HOSTS)):
            restarts += [(int(at), host) for at in chance.integers(0, self.minutes, count)]
        for at, host in restarts:
            errors[at : at + 3, host] = np.nan
            errors[at + 3 : at + 8, host] *= 10
        np.minimum(errors, 1, out=errors)
        errors[chance.random(errors.shape, dtype=np.float32) < 0.01] = np.nan
        self.errors = errors
        self.known: dict[Window, Everything] = {}

    def minute(self, check: int) -> int:
        """Return the last minute that a check sees."""
        return BEFORE + check * CHECK

    def halts(self) -> Ran:
        """Run the rollout under every variant."""
        likely = Likely(self)
        found: list[Halt | None] = []
        asked = wrong = 0
        first = int(TOLD_AT[np.flatnonzero(self.worse)[0]])
        for variant in VARIANTS:
            doubtful = likely.of(variant)
            halt = None
            for check in np.flatnonzero(doubtful):
                asked += 1
                judgement = self.judgement(variant, int(check))
                if judgement.action == "halt":
                    hosts = int(np.searchsorted(TOLD_AT, check))
                    halt = Halt((int(check) - first) * CHECK, hosts, "silent" in judgement.why)
                    break
            found.append(halt)
        for _ in range(AUDITED):
            variant, check = VARIANTS[self.chance.integers(len(VARIANTS))], int(self.chance.integers(5, self.checks))
            if not likely.of(variant)[check]:
                wrong += self.judgement(variant, check).status == "violated"
        return Ran(self.way, found, asked, wrong)

    def judgement(self, variant: Variant, check: int) -> Judgement:
        """Ask the core, as `commands.guarding` does: at first glance, then closely."""
        now = BEGAN + timedelta(minutes=check * CHECK)
        docket = Docket(a_variable(variant.slo), ROLES, self.told(check), now)
        case = docket.case(variant.slo, fine=False)
        first = case.judged(self.answers(case.window, now), NAMES, "instance")
        closer = case.closer(first)
        return first if closer is None else closer.judged(self.answers(closer.window, now), NAMES, "instance")

    def told(self, check: int) -> Told:
        """Return what hosts were told by the publish before."""
        moved = {
            host: Telling(NEW, BEGAN + timedelta(minutes=int(at) * CHECK))
            for host, at in zip(HOST_NAMES, TOLD_AT, strict=True)
            if at < check
        }
        return Told(
            BEGAN + timedelta(minutes=(check - 1) * CHECK),
            {ROLLOUT.id: Fraction(len(moved), HOSTS)},
            {ROLLOUT.id: moved},
            {host: Telling(OLD, BEGAN - timedelta(days=9)) for host in HOST_NAMES},
            {host: NEW if host in moved else OLD for host in HOST_NAMES},
        )

    def answers(self, window: Window, now: datetime) -> "Everything":
        """Return what a metrics server would say over a window."""
        known = self.known.get(window)
        if known is not None:
            return known
        last = self.minute(round((now - BEGAN).total_seconds()) // 60 // CHECK)
        ends = last * 60 + 30
        rows = [(ends - window.end + instant) // 60 for instant in window.instants]
        values = self.errors[rows].T
        there = ~np.isnan(values).all(axis=1)
        series = [Series(LABELS[host], values[host].tolist()) for host in np.flatnonzero(there)]
        self.known[window] = Everything(Answer(series))
        return self.known[window]


class Everything(dict):  # type: ignore[type-arg]
    """The same answer to every question."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __missing__(self, question: object) -> Answer:
        return self.answer


class Likely:
    """For every check whether the first glance, of five samples, makes the core look closely."""

    def __init__(self, fleet: Fleet) -> None:
        checks = np.arange(fleet.checks)
        self.moved = np.searchsorted(TOLD_AT, checks, side="right")
        """Hosts told by a check's own publish or before."""
        self.settled = np.searchsorted(TOLD_AT, checks - SETTLE // CHECK, side="right")
        self.size = np.searchsorted(TOLD_AT, checks, side="left")
        minute = np.array([fleet.minute(check) for check in checks])
        self.parts = [self._sums(fleet.errors[minute + more]) for more in (0, 3)]
        """Of the sample that a check sees last, and of that two and a half minutes later."""
        self.gone = [np.isnan(fleet.errors[minute + more]) for more in (0, 3)]
        self.silence = [self._silence(brief=brief) for brief in (False, True)]

    @staticmethod
    def _sums(errors: "np.ndarray") -> tuple["np.ndarray", "np.ndarray"]:
        there = ~np.isnan(errors)
        zero = np.zeros((len(errors), 1))
        sums = np.cumsum(np.where(there, errors, 0), axis=1, dtype=np.float64)
        return np.hstack([zero, sums]), np.hstack([zero, np.cumsum(there, axis=1)])

    def of(self, variant: Variant) -> "np.ndarray":
        """Return it for one variant."""
        brief = variant.sustained < timedelta(minutes=1)
        missed = self._misses(variant, 0)
        if not brief:
            later = self._misses(variant, 1)
            missed = missed & _back(missed, 1) & _back(missed, 2) & _back(later, 1) & _back(later, 2)
        return (missed | self.silence[brief]) & (np.minimum(self.size, self.settled) >= variant.min_hosts)

    def _silence(self, *, brief: bool) -> "np.ndarray":
        """Return for every check whether many hosts, more than of the others, are silent."""
        one, two = self.gone
        gone = one if brief else one & _back(one, 1) & _back(one, 2) & _back(two, 1) & _back(two, 2)
        counted = np.hstack([np.zeros((len(gone), 1), np.int32), np.cumsum(gone, axis=1, dtype=np.int32)])
        rows = np.arange(len(gone))
        silent, others = counted[rows, self.settled], counted[:, -1] - counted[rows, self.moved]
        share = silent / np.maximum(self.settled, 1) - others / np.maximum(HOSTS - self.moved, 1)
        found: np.ndarray = (silent > 0) & (share > 0.08)
        return found

    def _misses(self, variant: Variant, part: int) -> "np.ndarray":
        sums, counts = self.parts[part]
        rows = np.arange(len(sums))
        count, total = counts[rows, self.settled], sums[rows, self.settled]
        with np.errstate(invalid="ignore", divide="ignore"):
            value = total / count
            if variant.compare == "moved-minus-rest":
                others = counts[:, -1] - counts[rows, self.moved]
                theirs = (sums[:, -1] - sums[rows, self.moved]) / others
                value = np.where(HOSTS - self.moved >= variant.min_hosts, value - theirs, value)
            missed: np.ndarray = ~(value <= variant.bound * (1 - 1e-4)) | (count < variant.min_hosts)
        return missed


def _back(found: "np.ndarray", checks: int) -> "np.ndarray":
    """Return what was found so many checks before."""
    return np.concatenate([np.ones_like(found[:checks]), found[:-checks]])


def _noise(chance: "np.random.Generator", minutes: int, hosts: int, sigma: float, forgotten: float) -> "np.ndarray":
    """Return lognormal noise of mean 1 that is like itself for some minutes."""
    kept = float(np.exp(-1 / forgotten))
    noise = chance.standard_normal((minutes, hosts), dtype=np.float32)
    noise[1:] *= np.sqrt(1 - kept * kept)
    for minute in range(1, minutes):
        noise[minute] += kept * noise[minute - 1]
    noise *= sigma
    noise -= sigma * sigma / 2
    return np.exp(noise, out=noise)


def a_variable(slo: Slo) -> Variable:
    """Return a variable with one SLO and the rollout."""
    every = Globs(("*",))
    none = Globs(())
    return Variable("errors", "", None, {"type": "string"}, OLD, every, none, None, (), None, (), (slo,), (ROLLOUT,))


def one(asked: tuple[str, int, int]) -> Ran:
    """Run one rollout."""
    way, seed, number = asked
    return Fleet(way, (seed, WAYS.index(way), number)).halts()


def rows(found: Mapping[str, Sequence[Ran]]) -> Iterator[str]:
    """Yield the table."""
    counts = {way: len(ran) for way, ran in found.items()}
    bad = [way for way in WAYS if way not in HEALTHY]
    heads = ["compare", "objective", "for", "min_hosts", "right", "nothing wrong: halted", "incidents: halted", *bad]
    yield "| " + " | ".join(heads) + " |"
    yield "|---" * len(heads) + "|"
    for place, variant in enumerate(VARIANTS):
        halts = {way: [ran.halts[place] for ran in found[way]] for way in WAYS}
        right = sum(halt is None for way in HEALTHY for halt in halts[way])
        right += sum(halt is not None and halt.minutes >= 0 for way in bad for halt in halts[way])
        objective = f"{'+' if variant.compare != 'moved' else ''}{100 * (variant.bound / BASELINE):.0f} %"
        held = "10m" if variant.sustained >= timedelta(minutes=1) else "1s"
        cells = [variant.compare, objective, held, str(variant.min_hosts), f"**{right}** of {sum(counts.values())}"]
        for way in HEALTHY:
            false = [halt for halt in halts[way] if halt]
            silent = sum(halt.silence for halt in false)
            late = sum(halt.hosts > 0.95 * HOSTS for halt in false)
            more = f" ({silent} for silence)" if silent else ""
            more += f" ({late} in the last 5 %)" if late else ""
            when = f", at {median(halt.hosts for halt in false):.0f} hosts" if false else ""
            cells.append(f"{len(false)} of {counts[way]}{more}{when}")
        for way in bad:
            caught = [halt for halt in halts[way] if halt and halt.minutes >= 0]
            early, missed = sum(halt.minutes < 0 for halt in halts[way] if halt), halts[way].count(None)
            said = [f"{missed} missed"] if missed else []
            said += [f"{early} too early"] if early else []
            if caught:
                minutes, hosts = median(h.minutes for h in caught), median(h.hosts for h in caught)
                said.append(f"{minutes / 60:.1f} h, {hosts:.0f} hosts")
            cells.append(", ".join(said))
        yield "| " + " | ".join(cells) + " |"


def main() -> None:
    """Run the rollouts, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rollouts", type=int, default=1_000, help="half of them healthy")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    healthy, bad = asked.rollouts // 4, asked.rollouts // 10
    counts = {way: healthy if way in HEALTHY else bad for way in WAYS}
    tasks = [(way, asked.seed, n) for way, count in counts.items() for n in range(count)]
    # Alternating, so that what is said in between has some of all.
    tasks.sort(key=lambda task: (task[2] + 1) / counts[task[0]])
    began = time.perf_counter()
    found: dict[str, list[Ran]] = {way: [] for way in WAYS}
    with Pool(asked.processes) as pool:
        for ran in pool.imap(one, tasks, chunksize=2):
            found[ran.way].append(ran)
            done = sum(map(len, found.values()))
            if done % 100 == 0:
                print(f"after {done}:", *rows(found), sep="\n", file=sys.stderr, flush=True)
    checks = (DAYS * 1440 // CHECK, BAD_DAYS * 1440 // CHECK)
    every = [ran for several in found.values() for ran in several]
    audited = AUDITED * len(every)
    print(f"seed {asked.seed}; {HOSTS:,} hosts; {checks[0]:,} checks of a healthy rollout, {checks[1]:,} of a bad one")
    print(f"settle {SETTLE}m; max_silent 10%; baseline {BASELINE}; objectives in percent of it")
    print(f"{sum(ran.asked for ran in every):,} checks went to the core;", end=" ")
    print(f"{sum(ran.wrong for ran in every)} of {audited:,} audited ones would have halted as well")
    print("bad rollouts: time from the first bad host's move to the halt, hosts moved by then, medians;", end=" ")
    print("too early: before that\n")
    print(*rows(found), sep="\n")
    print(f"\n{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
