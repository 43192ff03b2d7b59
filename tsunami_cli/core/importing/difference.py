"""What an import changes in the inventory, what of that is refused, and the commit that says it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from tsunami_cli.core.inventory import Inventory
from tsunami_cli.core.journal import clean_reason
from tsunami_cli.core.model import Globs, Variable
from tsunami_cli.core.problems import Refusal
from tsunami_cli.core.text import decimal_text

EMPTY = Inventory((), ())


@dataclass(frozen=True, slots=True)
class Changed:
    """A host that stays, with another role or label."""

    host: str
    label: str | None
    """The label; None for the role."""
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two inventories; hosts sorted by name."""

    joined: tuple[tuple[str, str], ...]
    """Hosts with their roles."""
    left: tuple[tuple[str, str], ...]
    roles: tuple[Changed, ...]
    labels: tuple[Changed, ...]
    added: tuple[str, ...]
    """Labels that are new."""
    dropped: tuple[str, ...]
    """Labels that are gone."""

    def __bool__(self) -> bool:
        """Say whether anything differs."""
        return any((self.joined, self.left, self.roles, self.labels, self.added, self.dropped))

    @property
    def brief(self) -> str:
        """`+3 -1`, and how many of those that stay differ."""
        changed = len({one.host for one in (*self.roles, *self.labels)})
        return f"+{len(self.joined):,} -{len(self.left):,}" + (f", {changed:,} changed" if changed else "")


def difference(before: Inventory, after: Inventory) -> Difference:
    """Compare two inventories."""
    old, new = (dict(zip(one.hosts, one.roles, strict=True)) for one in (before, after))
    columns = list(dict.fromkeys((*before.labels, *after.labels)))
    was, became = (_labels(one, columns) for one in (before, after))
    changed = [host for host in after.hosts if host in old and was[host] != became[host]]
    return Difference(
        joined=tuple((host, role) for host, role in new.items() if host not in old),
        left=tuple((host, role) for host, role in old.items() if host not in new),
        roles=tuple(Changed(h, None, old[h], role) for h, role in new.items() if h in old and old[h] != role),
        labels=tuple(
            Changed(host, label, one, other)
            for host in changed
            for label, one, other in zip(columns, was[host], became[host], strict=True)
            if one != other
        ),
        added=tuple(name for name in after.labels if name not in before.labels),
        dropped=tuple(name for name in before.labels if name not in after.labels),
    )


def _labels(inventory: Inventory, columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
    nothing = ("",) * len(inventory.hosts)
    rows = zip(*(inventory.labels.get(name, nothing) for name in columns), strict=True)
    return dict(zip(inventory.hosts, rows, strict=True)) if columns else dict.fromkeys(inventory.hosts, ())


def check_shrink(before: Inventory, change: Difference, most: Fraction, accepted: int, file: str) -> bool:
    """Refuse an import that takes more hosts from their roles than the settings, or a person, let pass.

    A rule that is mistyped gives every host another role, which is as bad as if it were gone. Return whether more are
    gone than the settings let pass.
    """
    gone, had = [host for host, _ in change.left], len(before.hosts)
    hosts = [*gone, *(one.host for one in change.roles)]
    lost = len(hosts)
    if lost > most * had and lost > accepted:
        names = ", ".join(hosts[:3]) + (", ..." if lost > 3 else "")
        what = "gone" if len(gone) == lost else "gone or in another role" if gone else "in another role"
        share = decimal_text(Fraction(round(Fraction(1000 * lost, had)), 10))
        raise Refusal(
            f"{file}: {lost:,} of {had:,} hosts would be {what} ({share} %: {names}), more than max_shrink: "
            f"{decimal_text(100 * most)}%: nothing was imported; if it is meant, --accept-shrink {lost}"
        )
    return len(gone) > most * had


def check_columns(before: Inventory, after: Inventory, droppable: Sequence[str], file: str) -> None:
    """Refuse an import that leaves out labels which the inventory has: variables may spread hosts over them."""
    missing = [name for name in before.labels if name not in after.labels and name not in droppable]
    if missing:
        first = missing[0]
        raise Refusal(
            f"{file}: has the label{'s' * (len(missing) > 1)} {', '.join(missing)}, which the import does not give: "
            f"say where it is, as in --label {first}=meta:{first}, or --drop-label {first} if it is to go"
        )


def check_spread(change: Difference, spreads: Iterable[tuple[str, str | None]]) -> None:
    """Refuse to drop a label over which a variable spreads its hosts; `spreads` are variables with that label."""
    for name, label in spreads:
        if label is not None and label in change.dropped:
            raise Refusal(
                f"rollouts/{name}.yaml: spread: {label}: so this label cannot be dropped: give it with "
                f"--label {label}=RULE, or take the line out of that file first"
            )


def roles_left_behind(variable: Variable, before: Sequence[str], after: Sequence[str]) -> list[str]:
    """Return the patterns of a variable that matched roles before, and match none of those that there are now."""
    patterns = [*variable.roles.patterns, *(one.roles for one in variable.limits)]
    patterns += [pattern for pin in variable.pins for pattern in pin.roles.patterns]
    found = dict.fromkeys(patterns)
    return [one for one in found if Globs((one,)).among(before) and not Globs((one,)).among(after)]


def by_role(hosts: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Count hosts by role, most first."""
    return dict(sorted(Counter(role for _, role in hosts).items(), key=lambda item: (-item[1], item[0])))


def subject(hosts: int, source: str, change: Difference) -> str:
    """Return the first line of an import's commit."""
    return f"inventory: import {hosts:,} host{'' if hosts == 1 else 's'} from {source} ({change.brief})"


def message(first: str, reason: str | None) -> str:
    """Return the commit message of an import; the reason can forge no trailer."""
    told = clean_reason(reason)
    return "\n\n".join([first, *([told] if told else []), "Tsunami-Action: import"]) + "\n"
