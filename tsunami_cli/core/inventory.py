"""The hosts of the fleet and their roles, and what their names may look like."""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from operator import lt

LONGEST_HOST = 253
LONGEST_LABEL = 63
_ROLE = re.compile(r"(?!.*\.\.)[a-z0-9]([a-z0-9_.-]{0,61}[a-z0-9])?")
_HOST_CHARACTERS = b"abcdefghijklmnopqrstuvwxyz0123456789.-"


@dataclass(frozen=True)
class Inventory:
    """Every host with its role; made by `of`, which sorts and checks."""

    hosts: tuple[str, ...]
    """Ascending, each once."""
    roles: tuple[str, ...]
    """The role of each host, parallel to `hosts`."""
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    """Further columns by name, each parallel to `hosts`."""

    @classmethod
    def of(cls, hosts: Sequence[str], roles: Sequence[str], labels: Mapping[str, Sequence[str]]) -> "Inventory":
        """Make an inventory of columns in any order of rows.

        Raises ValueError where a host stands twice or a column has another length.
        """
        columns = [hosts, roles, *labels.values()]
        if any(len(column) != len(hosts) for column in columns):
            raise ValueError("columns must be as long as hosts")
        if not is_ascending(hosts):
            order = sorted(range(len(hosts)), key=hosts.__getitem__)
            columns = [list(map(column.__getitem__, order)) for column in columns]
            if not is_ascending(columns[0]):
                raise ValueError("a host stands twice")
        return cls(tuple(columns[0]), tuple(columns[1]), dict(zip(labels, map(tuple, columns[2:]), strict=True)))

    def role_of(self, host: str) -> str | None:
        """Return the role of a host, None for one that is not in the inventory."""
        place = self._place(host)
        return None if place is None else self.roles[place]

    def members(self) -> Mapping[str, tuple[str, ...]]:
        """Return each role's hosts, sorted by name; the roles sorted too."""
        return self._members

    def label(self, name: str, host: str) -> str:
        """Return what a host has in a column, which may be empty; KeyError for an unknown column or host."""
        column, place = self.labels[name], self._place(host)
        if place is None:
            raise KeyError(host)
        return column[place]

    def _place(self, host: str) -> int | None:
        place = bisect_left(self.hosts, host)
        return place if place < len(self.hosts) and self.hosts[place] == host else None

    @cached_property
    def _members(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = defaultdict(list)
        for host, role in zip(self.hosts, self.roles, strict=True):
            found[role].append(host)
        return {role: tuple(found[role]) for role in sorted(found)}


def is_ascending(hosts: Sequence[str]) -> bool:
    """Say whether names are sorted, each once."""
    return all(map(lt, hosts, islice(hosts, 1, None)))


def host_fault(name: str) -> str | None:
    """Say what is wrong with the name of a host and how to mend it; None where nothing is.

    RFC 1123, label by label, in lower case.
    """
    if not name:
        return "the name of the host is missing"
    if name != name.strip():
        return f"there are spaces around {_shown(name.strip())}: take them away"
    if name.isascii() and name != name.lower():
        return f"{_shown(name)} has capital letters: write {_shown(name.lower())}"
    strange = name.encode(errors="replace").translate(None, _HOST_CHARACTERS)
    if strange:
        odd = next(char for char in name if not char.isascii() or char.encode() in strange)
        return f"{_shown(name)} holds {_shown(odd)}: a host name has a to z, 0 to 9, - and . only"
    if len(name) > LONGEST_HOST:
        return f"{_shown(name)} has {len(name)} characters: {LONGEST_HOST} are the most"
    for label in name.split("."):
        if not label:
            return f"{_shown(name)} has a dot too many"
        if len(label) > LONGEST_LABEL:
            return f"{_shown(label)} has {len(label)} characters: {LONGEST_LABEL} between two dots are the most"
        if label[0] == "-" or label[-1] == "-":
            return f"{_shown(name)} has a - next to a dot, at its start or at its end: take it away"
    return None


def hosts_are_named_well(hosts: Sequence[str]) -> bool:
    """Say whether `host_fault` is None for every name; a million of them take a tenth of a second."""
    joined = "\n".join(("", *hosts, ""))
    if not joined.isascii() or joined.encode().translate(None, _HOST_CHARACTERS + b"\n"):
        return False
    if not all(hosts) or len(hosts) + 1 != joined.count("\n"):
        return False
    labels = joined.replace(".", "\n") if "." in joined else joined
    if "\n-" in labels or "-\n" in labels or (labels is not joined and "\n\n" in labels):
        return False
    longest = max(map(len, hosts), default=0)
    return longest <= LONGEST_LABEL or (longest <= LONGEST_HOST and max(map(len, labels.split("\n"))) <= LONGEST_LABEL)


def role_fault(name: str) -> str | None:
    """Say what is wrong with the name of a role and how to mend it; None where nothing is."""
    if _ROLE.fullmatch(name):
        return None
    if not name:
        return "the role is missing"
    if name != name.strip():
        return f"there are spaces around {_shown(name.strip())}: take them away"
    if _ROLE.fullmatch(name.lower()):
        return f"{_shown(name)} has capital letters: write {_shown(name.lower())}"
    if ".." in name:
        return f"{_shown(name)} has two dots in a row: take one away"
    if len(name) > LONGEST_LABEL:
        return f"{_shown(name)} has {len(name)} characters: {LONGEST_LABEL} are the most"
    return f"{_shown(name)} is not the name of a role: write a to z and 0 to 9, and _ - . between them"


def _shown(name: str) -> str:
    name = name if len(name) <= 60 else f"{name[:57]}..."
    return name if name.isprintable() and " " not in name else ascii(name)
