"""The hosts of one role, lined up for one variable: who is pinned, who comes first, how many have moved."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from tsunami_cli.core.hashing import Lanes
from tsunami_cli.core.inventory import Inventory
from tsunami_cli.core.model import Pin, Rollout, Variable
from tsunami_cli.core.quota import RoleQuota, role_quota
from tsunami_cli.core.values import Value


@dataclass(frozen=True)
class Role:
    """A role of the inventory with what all variables share of it."""

    name: str
    inventory: Inventory

    @cached_property
    def hosts(self) -> tuple[str, ...]:
        """All hosts of the role, sorted by name."""
        return self.inventory.members()[self.name]

    @cached_property
    def lanes(self) -> Lanes:
        """The hosts' hashes, made once for all rollouts."""
        return Lanes(self.hosts)


@dataclass(frozen=True)
class Lineup:
    """One variable in one role to which it applies."""

    variable: Variable
    role: Role

    @cached_property
    def pins(self) -> Mapping[str, Pin]:
        """The pin of every pinned host."""
        found: dict[str, Pin] = {}
        for pin in reversed(self.variable.pins):
            matched = self.role.hosts if pin.roles.match(self.role.name) else pin.hosts.among(self.role.hosts)
            found.update(dict.fromkeys(matched, pin))
        return found

    @cached_property
    def free(self) -> tuple[str, ...]:
        """The hosts that no pin matches, sorted by name: n of them."""
        return tuple(host for host in self.role.hosts if host not in self.pins) if self.pins else self.role.hosts

    def quota(self, rollout: Rollout) -> RoleQuota:
        """Return the role's quota under a rollout."""
        limit = self.variable.limit(self.role.name)
        return role_quota(rollout.id, self.role.name, len(self.free), limit.at_least, limit.at_most)

    def order(self, rollout: Rollout) -> list[str]:
        """Return the hosts that no pin matches in the order in which a rollout moves them.

        Those of `first` lead; then by ticket, or by place where the variable is spread over a label; ties by name.
        """
        tickets = dict(zip(self.role.hosts, self.role.lanes.tickets(rollout.id), strict=True))
        leaders = set(self.variable.first.among(self.free))
        if self.variable.spread is None:
            return sorted(self.free, key=lambda host: (host not in leaders, tickets[host], host))
        places = self._places(self.variable.spread, tickets)
        return sorted(self.free, key=lambda host: (host not in leaders, places[host], tickets[host], host))

    def leading(self, rollout: Rollout, quota: int) -> Collection[str]:
        """Return the first `quota` hosts of the order, as a set."""
        if quota <= 0:
            return frozenset()
        if quota >= len(self.free):
            return frozenset(self.free)
        if self.variable.first.patterns or self.variable.spread is not None or self.pins:
            return frozenset(self.order(rollout)[:quota])
        # Who is among the first k can be told from the k-th ticket alone, which is cheaper than the whole order.
        tickets = self.role.lanes.tickets(rollout.id)
        last = sorted(tickets)[quota - 1]
        found = {host for host, ticket in zip(self.free, tickets, strict=True) if ticket <= last}
        return found if len(found) == quota else frozenset(self.order(rollout)[:quota])

    def values(self, moved: Mapping[str, Collection[str]], before: Mapping[str, Value]) -> list[Value]:
        """Return every host's value, in the order of the role's hosts.

        `moved` holds for each rollout's id the hosts it has moved, `before` what hosts had before all rollouts of the
        file where that is not the default.
        """
        hosts, default = self.role.hosts, self.variable.default
        found = [before.get(host, default) for host in hosts] if before else [default] * len(hosts)
        for rollout in self.variable.rollouts:
            ours, to = moved[rollout.id], rollout.to
            if ours:
                found = [to if host in ours else value for host, value in zip(hosts, found, strict=True)]
        if self.pins:
            found = [
                self.pins[host].value if host in self.pins else value for host, value in zip(hosts, found, strict=True)
            ]
        return found

    def _places(self, label: str, tickets: Mapping[str, int]) -> dict[str, int]:
        """Return (2i+1)/2m, times 2^64, for the i-th of the m hosts with the same value of a label, in ticket order.

        Rounding down keeps the order: two such fractions that differ do so by more than 2^-63 for any m below 2^31.
        """
        groups: dict[str, list[str]] = {}
        for host in sorted(self.role.hosts, key=lambda host: (tickets[host], host)):
            groups.setdefault(self.role.inventory.label(label, host), []).append(host)
        return {host: (2 * i + 1 << 63) // len(group) for group in groups.values() for i, host in enumerate(group)}


def roles_of(inventory: Inventory) -> tuple[Role, ...]:
    """Return the roles of an inventory, sorted by name; make them once, for all variables."""
    return tuple(Role(name, inventory) for name in inventory.members())


def lineups(variable: Variable, roles: Iterable[Role]) -> Iterator[Lineup]:
    """Yield the variable in every role to which it applies, in the order of the roles."""
    return (Lineup(variable, role) for role in roles if variable.roles.match(role.name))
