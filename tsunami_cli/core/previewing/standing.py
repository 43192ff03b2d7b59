"""Where a variable stands after the next publish of one state of the files, and which hosts differ between two."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tsunami_cli.core.lineup import Role, lineups
from tsunami_cli.core.model import Variable
from tsunami_cli.core.status import Status, status_of, values_now
from tsunami_cli.core.told import Told, tell
from tsunami_cli.core.values import Value

Given = Mapping[str, tuple[str, Value]]
"""By host, its role and its value."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One variable by one state of the files: what a publish now would tell, or the plan where nothing was published.

    Both sides of a preview are taken at the same instant, so that they differ by the change alone and not by the time
    that has passed since the last publish.
    """

    variable: Variable | None
    """None where the file has errors: then hosts keep what they were told."""
    status: Status | None
    given: Given

    @property
    def values(self) -> dict[Value, int]:
        """Hosts by value, most hosts first."""
        counts = Counter(value for _, value in self.given.values())
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    @property
    def by_role(self) -> dict[str, dict[Value, int]]:
        """Hosts by role and value, roles sorted."""
        counts: dict[str, Counter[Value]] = {}
        for role, value in self.given.values():
            counts.setdefault(role, Counter())[value] += 1
        return {role: dict(sorted(found.items())) for role, found in sorted(counts.items())}


@dataclass(frozen=True, slots=True, order=True)
class Turn:
    """A host that is told something else because of the change."""

    host: str
    role: str
    before: Value | None
    """None where it has no value of the variable without the change."""
    after: Value | None
    """None where it has none with it."""


def state_word(status: Status) -> str:
    """Return a state for people: `frozen` where it would move on if the line were not stopped."""
    return "frozen" if status.frozen else status.state


def standing(variable: Variable, roles: Sequence[Role], now: datetime, told: Told | None, every: timedelta) -> Standing:
    """Return where a variable stands after a publish at `now`; `told` is None where nothing was ever published."""
    telling = tell(variable, roles, now, told, every, held=told.held) if told else None
    given: dict[str, tuple[str, Value]] = {}
    for lineup in lineups(variable, roles):
        role = lineup.role
        hosts = role.hosts
        values = [telling.given[host] for host in hosts] if telling else values_now(lineup, now, None)
        given.update((host, (role.name, value)) for host, value in zip(hosts, values, strict=True))
    return Standing(variable, status_of(variable, roles, now, telling), given)


def kept(roles: Sequence[Role], told: Told | None) -> Standing:
    """Return what hosts keep of a variable whose file has errors, or is gone without a decision."""
    given = told.given if told else {}
    found = {host: (role.name, given[host]) for role in roles for host in role.hosts if host in given}
    return Standing(None, None, found)


def turns(before: Given, after: Given, told: Told | None) -> tuple[list[Turn], list[str]]:
    """Return the hosts that are told something else than without the change, and those that are told nothing for it.

    The latter would change with the next publish and keep what they have instead, as after a halt. Sorted by name.
    """
    found = []
    for host, (role, value) in after.items():
        had = before.get(host)
        if had is None or had[1] != value:
            found.append(Turn(host, role, had and had[1], value))
    found += [Turn(host, role, value, None) for host, (role, value) in before.items() if host not in after]
    has = told.given if told else {}
    spared = {turn.host for turn in found if turn.after is not None and has.get(turn.host) == turn.after}
    return sorted((turn for turn in found if turn.host not in spared), key=lambda turn: turn.host), sorted(spared)
