"""One publish as a value: what every host is told, what of it is new, and what the ledger records of it."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from functools import cached_property

from tsunami_cli.core.bundle import bundle, host_objects
from tsunami_cli.core.grounds import Ground, ground_of
from tsunami_cli.core.holds import Holds, kinds_in
from tsunami_cli.core.lineup import Lineup, Role
from tsunami_cli.core.model import Variable
from tsunami_cli.core.record import Record, values_in
from tsunami_cli.core.told import Told
from tsunami_cli.core.values import Value


@dataclass(frozen=True, slots=True)
class News:
    """A host is told another value of a variable, its first one, or none any more."""

    host: str
    role: str
    variable: str
    before: Value | None
    after: Value | None
    ground: Ground


@dataclass(frozen=True, slots=True)
class Sum:
    """How many hosts are told the same."""

    variable: str
    before: Value | None
    after: Value | None
    hosts: Sequence[str]
    roles: Mapping[str, int]
    """How many of them by role, sorted by name."""
    have: int
    """How many hosts of the fleet have the new value now, of `of` that have the variable."""
    of: int


@dataclass(frozen=True)
class Publication:
    """What a publish at `now` tells, beside what the ledger says of the last one."""

    now: datetime
    sequence: int
    """Of the ledger entry, where there is to be one; else of the last."""
    told: Mapping[str, Told]
    """By variable."""
    variables: Sequence[Variable]
    kept: Collection[str]
    """Variables that cannot be read, or vanished: everybody keeps what they were told of them."""
    objects: Mapping[str, Sequence[str]]
    """By role, every host's object, in the order of the role's hosts."""
    hosts: Mapping[str, Sequence[str]]
    """By role, its hosts."""
    roles: Sequence[Role]
    previous: Record | None
    noted: bool = False
    """Whether a person let something pass that is to be recorded."""

    @cached_property
    def news(self) -> Sequence[News]:
        """What is new, sorted by host and variable."""
        found = [*_told_news(self), *_gone_news(self)]
        found.sort(key=lambda one: (one.host, one.variable))
        return found

    @cached_property
    def progress(self) -> dict[str, Fraction]:
        """Told progress by rollout."""
        found = {r.id: self.told[v.name].progress[r.id] for v in self.variables for r in v.rollouts}
        if self.previous is None or not self.kept:
            return found
        # What is left may be of the variables that are kept, unless it was of one that is not.
        others = {rollout for v in self.variables for rollout in self.previous.rows(v.name).moved}
        return {**{r: share for r, share in self.previous.progress.items() if r not in others}, **found}

    @cached_property
    def holds(self) -> Holds:
        """What the guard holds, by variable; of variables that are kept, as it was."""
        before = self.previous.holds if self.previous else {}
        kept = {name: before[name] for name in self.kept if name in before}
        return {**kept, **{name: told.held for name, told in self.told.items() if told.held}}

    @cached_property
    def holds_changed(self) -> bool:
        """Whether the guard began or ceased to hold something, or does so for another kind of reason."""
        before = self.previous.holds if self.previous else {}
        return kinds_in(self.holds) != kinds_in(before)

    @cached_property
    def roles_changed(self) -> Sequence[str]:
        """The roles whose bundle is another one, or gone."""
        if self.previous is None:
            return sorted(self.objects)
        old = self.previous.bundles
        differing = {
            role
            for role, objects in self.objects.items()
            if role not in old
            or (list(old[role].objects), list(old[role].objects.values())) != (list(self.hosts[role]), list(objects))
        }
        return sorted(differing | (set(old) - set(self.objects)))

    @property
    def worth_recording(self) -> bool:
        """Whether the ledger gets an entry.

        Somebody is told something new, came or left, a told progress moved, or a hold began or ended.
        """
        if self.previous is None or self.roles_changed or self.noted or self.holds_changed:
            return True
        told, before = self.progress, self.previous.progress
        return any(share != before.get(rollout, 0) for rollout, share in told.items())

    @cached_property
    def sums(self) -> Sequence[Sum]:
        """What is new, counted, by variable, most hosts first."""
        counts: Counter[tuple[str, Value]] = Counter()
        for texts in self.objects.values():
            for text, count in Counter(texts).items():
                for item in values_in(text).items():
                    counts[item] += count
        alike: dict[tuple[str, Value | None, Value | None], list[News]] = {}
        for one in self.news:
            alike.setdefault((one.variable, one.before, one.after), []).append(one)
        totals: Counter[str] = Counter()
        for (name, _), count in counts.items():
            totals[name] += count
        sums = [
            Sum(
                variable=name,
                before=before,
                after=after,
                hosts=[one.host for one in news],
                roles=dict(sorted(Counter(one.role for one in news).items())),
                have=counts[name, after] if after else 0,
                of=totals[name],
            )
            for (name, before, after), news in alike.items()
        ]
        return sorted(sums, key=lambda one: (one.variable, -len(one.hosts), one.after or "", one.before or ""))

    def bundle(self, role: str) -> bytes | None:
        """Return the new bundle of a role; None where the role is gone."""
        if role not in self.objects:
            return None
        return bundle(role, self.sequence, self.hosts[role], self.objects[role])

    def all_bundles(self) -> dict[str, bytes | None]:
        """Return the bundles of all roles; those that are as they were keep the number they had."""
        changed = set(self.roles_changed)
        found: dict[str, bytes | None] = {role: self.bundle(role) for role in changed}
        for role, last in self.previous.bundles.items() if self.previous else ():
            if role not in changed:
                found[role] = bundle(role, last.sequence, self.hosts[role], self.objects[role])
        return found


def publication(
    previous: Record | None,
    roles: Sequence[Role],
    variables: Sequence[Variable],
    kept: Collection[str],
    now: datetime,
    told: Mapping[str, Told],
    *,
    noted: bool = False,
) -> Publication:
    """Return what a publish at `now` tells, every variable's own telling being `told`.

    `previous` is what the ledger says, None where nothing was ever published; `kept` names variables whose hosts keep
    what they were told. `noted` says that a person let something pass, which the ledger notes in any case.
    """
    objects = {role.name: _objects(role, variables, told, kept, previous) for role in roles}
    draft = Publication(
        now=now,
        sequence=previous.sequence if previous else 0,
        told=told,
        variables=variables,
        kept=kept,
        objects=objects,
        hosts={role.name: role.hosts for role in roles},
        roles=roles,
        previous=previous,
        noted=noted,
    )
    return replace(draft, sequence=draft.sequence + 1) if draft.worth_recording else draft


def _objects(
    role: Role, variables: Sequence[Variable], told: Mapping[str, Told], kept: Collection[str], previous: Record | None
) -> list[str]:
    """Return every host's object in a role."""
    columns: dict[str, Sequence[Value | None]] = {
        v.name: [told[v.name].given[host] for host in role.hosts] for v in variables if v.roles.match(role.name)
    }
    if previous is not None:
        texts = [previous.objects.get(host) for host in role.hosts]
        for name in kept:
            # Who was away and is back keeps it too.
            away = previous.told(name).given if None in texts else {}
            columns[name] = [
                away.get(host) if text is None else values_in(text).get(name)
                for host, text in zip(role.hosts, texts, strict=True)
            ]
    return host_objects(columns, len(role.hosts))


def _told_news(plan: Publication) -> Iterator[News]:
    """Yield what hosts are told anew, by comparing objects first: few of them differ."""
    previous = plan.previous
    before = previous.objects if previous else {}
    lay = {host: name for name, last in previous.bundles.items() for host in last.objects} if previous else {}
    by_name = {variable.name: variable for variable in plan.variables}
    for role in plan.roles:
        texts = zip(role.hosts, plan.objects[role.name], strict=True)
        differing = [(host, text) for host, text in texts if before.get(host) != text]
        placed = {v.name: Lineup(v, role) for v in plan.variables if v.roles.match(role.name)} if differing else {}
        for host, text in differing:
            had, has = values_in(before.get(host, "{}")), values_in(text)
            for name in sorted(had.keys() | has.keys()):
                if had.get(name) == has.get(name):
                    continue
                variable = by_name.get(name)
                if name in has and variable is not None:
                    old = previous.told(name) if previous else None
                    ground = ground_of(variable, host, placed[name], plan.told[name], old)
                elif name in has:
                    ground = Ground("inventory", name, host=host)
                elif variable is None:
                    ground = Ground("retired", name)
                else:
                    ground = (
                        Ground("roles", name) if lay.get(host) == role.name else Ground("inventory", name, host=host)
                    )
                yield News(host, role.name, name, had.get(name), has.get(name), ground)


def _gone_news(plan: Publication) -> Iterator[News]:
    """Yield what hosts are told no more that left the inventory."""
    here = {host for role in plan.roles for host in role.hosts}
    for role, last in plan.previous.bundles.items() if plan.previous else ():
        for host, text in last.objects.items():
            if host not in here:
                for name, value in values_in(text).items():
                    yield News(host, role, name, value, None, Ground("inventory", name, host=host))
