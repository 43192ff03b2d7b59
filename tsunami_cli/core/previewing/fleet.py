"""Two inventories held against each other, and what that does to rollouts whose files stay as they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from tsunami_cli.core.inventory import Inventory
from tsunami_cli.core.previewing.standing import Standing, Turn, state_word, turns
from tsunami_cli.core.told import Told


@dataclass(frozen=True, slots=True)
class InventoryChange:
    """What differs between two inventories."""

    file: str
    before: int
    """Hosts."""
    after: int
    joined: Sequence[tuple[str, str]]
    """Host and role, sorted, as in the next two."""
    left: Sequence[tuple[str, str]]
    rerolled: Sequence[tuple[str, str, str]]
    """Host, old role, new role."""
    relabelled: int
    """Hosts that stay in their role and have another label in some column."""
    roles: Sequence[tuple[str, int, int]]
    """Hosts before and after, of the roles in which that differs."""
    max_shrink: Fraction

    @property
    def gone(self) -> Fraction:
        """The share of the hosts that are gone."""
        return Fraction(len(self.left), self.before) if self.before else Fraction(0)


def inventory_change(file: str, before: Inventory, after: Inventory, max_shrink: Fraction) -> InventoryChange:
    """Return what differs between two inventories."""
    old, new = (dict(zip(one.hosts, one.roles, strict=True)) for one in (before, after))
    counts = [{role: len(hosts) for role, hosts in one.members().items()} for one in (before, after)]
    sizes = [(role, counts[0].get(role, 0), counts[1].get(role, 0)) for role in sorted({*counts[0], *counts[1]})]
    labels = [_labels(one) for one in (before, after)]
    return InventoryChange(
        file=file,
        before=len(old),
        after=len(new),
        joined=[(host, role) for host, role in new.items() if host not in old],
        left=[(host, role) for host, role in old.items() if host not in new],
        rerolled=[(host, old[host], role) for host, role in new.items() if host in old and old[host] != role],
        relabelled=sum(labels[0][host] != labels[1][host] for host in new if host in old and old[host] == new[host]),
        roles=[row for row in sizes if row[1] != row[2]],
        max_shrink=max_shrink,
    )


def _labels(inventory: Inventory) -> dict[str, tuple[tuple[str, str], ...]]:
    names = sorted(inventory.labels)
    columns = [inventory.labels[name] for name in names]
    rows = zip(*columns, strict=True) if columns else (() for _ in inventory.hosts)
    return {host: tuple(zip(names, row, strict=True)) for host, row in zip(inventory.hosts, rows, strict=True)}


@dataclass(frozen=True, slots=True)
class Effect:
    """What the inventory or the settings do to a variable whose own file stays as it is."""

    name: str
    rollout: str | None
    """The active rollout's id."""
    state: tuple[str, str]
    """Before and after; `frozen` for one that would move on if the line were not stopped."""
    quotas: Sequence[tuple[str, int, int]]
    """By role, how many hosts the plan wants moved now, before and after, where that differs."""
    turns: Sequence[Turn]
    """Hosts of both inventories that are told another value, or lose or gain the variable."""
    spared: Sequence[str] = ()
    """Hosts of both that would be told something else with the next publish, and are not."""


def effect(
    name: str, before: Standing, after: Standing, stays: frozenset[str], told: Told | None = None
) -> Effect | None:
    """Return what differs between two standings of a variable whose file is the same; None where nothing does.

    `stays` are the hosts of both inventories: that others come and go is the inventory's news.
    """
    if before.status is None or after.status is None or after.variable is None:
        return None
    old, new = ({role.role: role.quota for role in one.roles} for one in (before.status, after.status))
    quotas = [(role, old.get(role, 0), new.get(role, 0)) for role in sorted({*old, *new})]
    turned, spared = turns(before.given, after.given, told)
    found = Effect(
        name=name,
        rollout=after.variable.active.id if after.variable.active else None,
        state=(state_word(before.status), state_word(after.status)),
        quotas=[row for row in quotas if row[1] != row[2]],
        turns=[turn for turn in turned if turn.host in stays],
        spared=[host for host in spared if host in stays],
    )
    return found if found.quotas or found.turns or found.spared or len(set(found.state)) > 1 else None
