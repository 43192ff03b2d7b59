"""What was measured: every host's values averaged first, then the cohort's, at every instant of the window."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import islice
from math import fsum, isfinite

from tsunami_cli.core.guard.cohorts import Cohorts, Part
from tsunami_cli.core.guard.naming import Names, host_in
from tsunami_cli.core.guard.questions import Answer, Series, Window

CLOSE = 1e-9
"""Relative distance to a bound below which a mean is worked out again, exactly."""

Row = tuple[Sequence[float | None], bool]
"""A host's value at every instant, None where it has no finite one; and whether it has one at all of them."""


@dataclass(frozen=True)
class Side:
    """The values of a cohort, host by host, at every instant."""

    columns: Sequence[Sequence[float]]
    """For every instant the finite values of the hosts that have one and belong to the cohort then."""

    @cached_property
    def means(self) -> Sequence[float | None]:
        """The mean over hosts at every instant, None where no host has a value."""
        return [fsum(column) / len(column) if column else None for column in self.columns]

    @property
    def latest(self) -> tuple[float | None, int]:
        """The last mean, and over how many hosts."""
        found = ((mean, len(column)) for mean, column in zip(self.means, self.columns, strict=True) if column)
        return next(reversed(list(found)), (None, 0))


@dataclass(frozen=True)
class Measured:
    """The answer to an SLO's query, joined to the hosts of its cohorts."""

    window: Window
    cohorts: Cohorts
    moved: Side
    rest: Side
    fleet: Side
    series: int
    """How many there were."""
    strays: int
    """How many of them name no host of the inventory."""
    silent: tuple[str, ...]
    """Hosts moved and settled without any series, sorted."""
    silent_rest: int
    """Hosts not moved without any series."""
    useless: int
    """Hosts moved and settled whose series have no finite value."""
    useless_rest: int
    last_values: Mapping[str, float]
    """The last finite value of every moved host that has one."""
    queries: tuple[str, ...] = ()
    """What was asked."""
    failure: str | None = None
    """Why there is nothing to rely on."""

    @property
    def hosts(self) -> int:
        """Hosts moved and settled, silent ones included."""
        return len(self.cohorts.moved)

    @property
    def silence(self) -> Fraction:
        """By how much the share of silent hosts among the moved exceeds that among the rest."""
        return self._excess(len(self.silent), self.silent_rest)

    @property
    def uselessness(self) -> Fraction:
        """The same of hosts without a value to go by, silent ones included."""
        return self._excess(len(self.silent) + self.useless, self.silent_rest + self.useless_rest)

    def worst(self, *, high: bool, count: int) -> list[tuple[str, float]]:
        """Return the moved hosts with the highest or lowest last values, worst first."""
        return sorted(self.last_values.items(), key=lambda item: (-item[1] if high else item[1], item[0]))[:count]

    def _excess(self, moved: int, rest: int) -> Fraction:
        mine = Fraction(moved, self.hosts) if self.hosts else Fraction(0)
        waiting = len(self.cohorts.waiting)
        return mine - (Fraction(rest, waiting) if waiting else Fraction(0))


def exact_mean(values: Sequence[float]) -> Fraction:
    """Return the mean of values as they are written in decimal digits, exact."""
    return sum((Fraction(f"{value:.15g}") for value in values), Fraction(0)) / len(values)


def difference(moved: Sequence[float], rest: Sequence[float], bound: Fraction) -> Fraction:
    """Return the mean of `moved` minus that of `rest`, 0 where there is none; exact where it is close to a bound.

    Floats are good enough to see that 0.3 is more than 0.01; not to see whether thirty times 0.01 is.
    """
    mine, theirs = fsum(moved) / len(moved), fsum(rest) / len(rest) if rest else 0.0
    scale = max(abs(mine), abs(theirs), abs(float(bound)))
    if abs(mine - theirs - float(bound)) > CLOSE * scale:
        return Fraction(mine) - Fraction(theirs)
    return exact_mean(moved) - (exact_mean(rest) if rest else 0)


def measured(window: Window, cohorts: Cohorts, answers: Iterable[Answer], names: Names, label: str) -> Measured:
    """Return what answers say of the cohorts; with several of them, for several roles, all their series together."""
    found = list(answers)
    failure = next((answer.failure for answer in found if answer.failure), None)
    series = [one for answer in found for one in answer.series] if failure is None else []
    joined = names.joined(series, label)
    rows = {host: row for host, several in joined.items() if (row := _row(several)) is not None}
    count = window.steps + 1
    silent = sorted(cohorts.moved.keys() - joined.keys())
    waiting_known = cohorts.waiting & joined.keys()
    return Measured(
        window=window,
        cohorts=cohorts,
        moved=_side(cohorts.moved, rows, count),
        rest=_side(cohorts.rest, rows, count),
        fleet=_fleet(series, joined, rows, label, count),
        series=len(series),
        strays=len(series) - sum(map(len, joined.values())),
        silent=tuple(silent),
        silent_rest=len(cohorts.waiting) - len(waiting_known),
        useless=len((cohorts.moved.keys() & joined.keys()) - rows.keys()),
        useless_rest=len(waiting_known - rows.keys()),
        last_values={host: last for host in cohorts.moved if (last := _last(rows.get(host))) is not None},
        failure=failure,
    )


def _row(series: Sequence[Series]) -> Row | None:
    """Return the values of one host, averaged over its series; None where none is finite."""
    rows = [_finite(one.values) for one in series]
    if len(rows) > 1:
        columns = (
            [value for value in column if value is not None] for column in zip(*(r for r, _ in rows), strict=True)
        )
        values: Sequence[float | None] = [fsum(column) / len(column) if column else None for column in columns]
    else:
        values, whole = rows[0]
        if whole:
            return values, True
    if all(value is None for value in values):
        return None
    return values, None not in values


def _finite(values: Sequence[float | None]) -> Row:
    if None not in values and all(map(isfinite, values)):  # type: ignore[arg-type]
        return values, True
    return [value if value is not None and isfinite(value) else None for value in values], False


def _last(row: Row | None) -> float | None:
    return next((value for value in reversed(row[0]) if value is not None), None) if row else None


def _side(parts: Mapping[str, Part], rows: Mapping[str, Row], count: int) -> Side:
    groups: dict[tuple[Part, bool], list[Sequence[float | None]]] = {}
    for host, part in parts.items():
        row = rows.get(host)
        if row is not None and part[0] < part[1]:
            groups.setdefault((part, row[1]), []).append(row[0])
    columns: list[list[float]] = [[] for _ in range(count)]
    for ((first, end), _), members in groups.items():
        for place, column in zip(range(first, end), islice(zip(*members, strict=True), first, end), strict=True):
            columns[place] += [value for value in column if value is not None]
    return Side(columns)


def _fleet(
    series: Sequence[Series], joined: Mapping[str, list[Series]], rows: Mapping[str, Row], label: str, count: int
) -> Side:
    """Return every series of the answer: of a host averaged, and by the label's text where that names none."""
    if not series:
        return Side([[] for _ in range(count)])
    known = {id(one) for several in joined.values() for one in several}
    strays: dict[str, list[Series]] = {}
    for place, one in enumerate(series):
        if id(one) not in known:
            text = one.labels.get(label)
            strays.setdefault(host_in(text) if text else f"#{place}", []).append(one)
    others = {f" {name}": row for name, several in strays.items() if (row := _row(several)) is not None}
    every = {**rows, **others}
    return _side(dict.fromkeys(every, (0, count)), every, count)
