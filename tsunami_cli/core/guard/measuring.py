"""What was measured: every host's values averaged first, then the cohort's, at every instant of the window."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import chain, islice
from math import fsum, isfinite
from typing import Any

from tsunami_cli.core.guard.cohorts import Cohorts, Part
from tsunami_cli.core.guard.naming import Names, host_in
from tsunami_cli.core.guard.questions import Answer, Series, Window

LARGEST = 1e300
"""A value beyond that is taken for infinite."""

Row = tuple[Sequence[float | None], bool]
"""A host's value at every instant, None where it has no finite one; and whether it has one at all of them."""


@dataclass(frozen=True)
class Side:
    """The values of a cohort, host by host, at every instant."""

    columns: Sequence[Sequence[float]]
    """For every instant the finite values of the hosts that have one and belong to the cohort then."""
    hosts: int = 0
    """How many of its hosts have any."""

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
    """Without the roles of which no host has a series, where others have: the query is not about those."""
    series: Sequence[Series]
    joined: Mapping[str, Sequence[Series]]
    """By host its series."""
    label: str
    """The label by which series name their hosts."""
    queries: tuple[str, ...] = ()
    """What was asked."""
    failure: str | None = None
    """Why there is nothing to rely on."""
    versioned: bool = False
    """Whether hosts with another version have no series by design."""
    unclear: bool = False
    """Whether there are roles, moved as a whole, of which it is not known if they fell silent or never had a series."""

    @cached_property
    def rows(self) -> Mapping[str, Row]:
        """The values of every host that has a finite one."""
        if self.strays + len(self.joined) == len(self.series):
            # One series for each host, as is usual, is looked at all at once: neither a NaN nor an infinity gets by.
            every = list(chain.from_iterable([several[0].values for several in self.joined.values()]))
            if None not in every and sum(map(abs, every)) < LARGEST:  # type: ignore[arg-type]
                return {host: (several[0].values, True) for host, several in self.joined.items()}
        return {host: row for host, several in self.joined.items() if (row := _row(several)) is not None}

    @cached_property
    def moved(self) -> Side:
        """The hosts that the rollout had moved."""
        return _side(self.cohorts.moved_by_part, self.rows, self.window.steps + 1)

    @cached_property
    def rest(self) -> Side:
        """The hosts that it had not moved."""
        return _side(self.cohorts.rest_by_part, self.rows, self.window.steps + 1)

    @cached_property
    def fleet(self) -> Side:
        """Every series of the answer: of a host averaged, and by the label's text where that names none."""
        strays: dict[str, list[Series]] = {}
        known = {id(one) for several in self.joined.values() for one in several}
        for place, one in enumerate(self.series):
            if id(one) not in known:
                text = one.labels.get(self.label)
                strays.setdefault(host_in(text) if text else f"#{place}", []).append(one)
        others = {f" {name}": row for name, several in strays.items() if (row := _row(several)) is not None}
        every = {**self.rows, **others}
        count = self.window.steps + 1
        return _side({(0, count): list(every)}, every, count)

    @cached_property
    def strays(self) -> int:
        """How many series name no host of the inventory."""
        return len(self.series) - sum(map(len, self.joined.values()))

    @cached_property
    def silent(self) -> Sequence[str]:
        """Hosts moved and settled without any series, sorted."""
        return sorted(self.cohorts.moved.keys() - self.joined.keys())

    @cached_property
    def mute(self) -> int:
        """How many hosts moved and settled have series, but no finite value."""
        return len(self.cohorts.moved) - len(self.silent) - len(self.cohorts.moved.keys() & self.rows.keys())

    @property
    def hosts(self) -> int:
        """Hosts moved and settled, silent ones included."""
        return len(self.cohorts.moved)

    @cached_property
    def silent_rest(self) -> int:
        """Hosts not moved without any series."""
        return len(self.cohorts.waiting) - len(self.cohorts.waiting & self.joined.keys())

    @cached_property
    def others(self) -> int:
        """Hosts with series that were not moved at some instant: one side of a comparison."""
        return sum(1 for host, (_, end) in self.cohorts.rest.items() if end and host in self.joined)

    @property
    def comparable(self) -> bool:
        """Whether any host that is not moved has a series, so that silence can be held against something."""
        return not self.versioned and self.silent_rest < len(self.cohorts.waiting)

    @property
    def silence(self) -> Fraction:
        """By how much the share of silent hosts among the moved exceeds that among the rest."""
        return self._excess(len(self.silent), self.silent_rest)

    @property
    def muteness(self) -> Fraction:
        """The same of hosts without a value to go by, silent ones included."""
        heard = len(self.cohorts.waiting & self.rows.keys())
        return self._excess(len(self.silent) + self.mute, len(self.cohorts.waiting) - heard)

    def worst(self, *, high: bool, count: int) -> list[tuple[str, float]]:
        """Return the moved hosts with the highest or lowest last values, worst first."""
        last = {host: value for host in self.cohorts.moved if (value := _last(self.rows.get(host))) is not None}
        return sorted(last.items(), key=lambda item: (-item[1] if high else item[1], item[0]))[:count]

    def _excess(self, moved: int, rest: int) -> Fraction:
        """Return a share of the moved less that of the rest, where there are others to compare with."""
        mine = Fraction(moved, self.hosts) if self.hosts else Fraction(0)
        return mine - (Fraction(rest, len(self.cohorts.waiting)) if self.comparable else 0)


def measured(
    window: Window,
    cohorts: Cohorts,
    answers: Iterable[Answer],
    names: Names,
    label: str,
    *,
    before: Iterable[Answer] | None = None,
    versioned: bool = False,
) -> Measured:
    """Return what answers say of the cohorts; with several of them, for several roles, all their series together.

    `before` is what was answered about the time before the rollout, where that was asked; `versioned` says that the
    query is for one version alone.
    """
    found = list(answers)
    failure = next((answer.failure for answer in found if answer.failure), None)
    series = [one for answer in found for one in answer.series] if failure is None else []
    joined = names.joined(series, label)
    unclear = False
    if not versioned and not cohorts.waiting.isdisjoint(joined):
        mute = {role: hosts for role, hosts in cohorts.roles.items() if joined.keys().isdisjoint(hosts)}
        if before is not None:
            spoke = names.joined([one for answer in before for one in answer.series], label)
            gone = {role for role, hosts in mute.items() if not spoke.keys().isdisjoint(hosts)}
        else:
            # A role that has moved as a whole and is silent counts as gone, until it is known that it never spoke.
            gone = {role for role, hosts in mute.items() if cohorts.waiting.isdisjoint(hosts)}
            # Of a role that is pinned or still settles there is nothing to find out yet.
            unclear = any(not cohorts.moved.keys().isdisjoint(mute[role]) for role in gone)
        if len(gone) < len(mute):
            covered = cohorts.roles.keys() - (mute.keys() - gone)
            cohorts = cohorts.of({host for role in covered for host in cohorts.roles[role]})
    return Measured(window, cohorts, series, joined, label, failure=failure, versioned=versioned, unclear=unclear)


def _row(series: Sequence[Series]) -> Row | None:
    """Return the values of one host, averaged over its series; None where none is finite."""
    rows = [_finite(one.values) for one in series]
    if len(rows) > 1:
        columns = (
            [value for value in column if value is not None] for column in zip(*(r for r, _ in rows), strict=True)
        )
        # Without the noise of adding floats, so that 0.1 and 0.2 are 0.15 as written.
        values: Sequence[float | None] = [
            float(f"{fsum(column) / len(column):.15g}") if column else None for column in columns
        ]
    else:
        values, whole = rows[0]
        if whole:
            return values, True
    if all(value is None for value in values):
        return None
    return values, None not in values


def _finite(values: Sequence[float | None]) -> Row:
    known = [value for value in values if value is not None]
    if len(known) == len(values) and all(map(isfinite, known)) and -LARGEST < min(known) <= max(known) < LARGEST:
        return values, True
    return [value if value is not None and abs(value) < LARGEST else None for value in values], False


def _last(row: Row | None) -> float | None:
    return next((value for value in reversed(row[0]) if value is not None), None) if row else None


def _side(parts: Mapping[Part, Sequence[str]], rows: Mapping[str, Row], count: int) -> Side:
    columns: list[list[Any]] = [[] for _ in range(count)]
    known = 0
    for (first, end), hosts in parts.items():
        if first >= end:
            continue
        members = [rows[host] for host in hosts if host in rows]
        known += len(members)
        for whole in (True, False):
            several = (values for values, complete in members if complete is whole)
            for place, column in zip(range(first, end), islice(zip(*several, strict=True), first, end), strict=False):
                columns[place] += column if whole else [value for value in column if value is not None]
    return Side(columns, known)
