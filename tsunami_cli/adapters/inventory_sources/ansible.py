"""Ansible: what `ansible-inventory --list` prints, or a dynamic inventory."""

from collections.abc import Iterator, Mapping
from typing import Any

from tsunami_cli.adapters.inventory_sources.texts import Wrong, json_of, kind, maybe_object_at, object_at, text_at
from tsunami_cli.core.importing.machines import Machine
from tsunami_cli.errors import Refused

EXPECTED = "the output of ansible-inventory --list"

_META = "_meta"
_EVERYBODY = ("all", "ungrouped")
_UNSAFE = "__ansible_unsafe"


def machines(data: bytes, file: str) -> Iterator[Machine]:
    """Yield the hosts, with the groups that list them."""
    try:
        yield from _machines(json_of(data, file, EXPECTED))
    except Wrong as wrong:
        raise Refused(f"{file}: {wrong}: expected {EXPECTED}") from None


def _machines(found: object) -> Iterator[Machine]:
    document = object_at(found, "the document")
    meta = maybe_object_at(document.get(_META), _META)
    facts = maybe_object_at(meta.get("hostvars"), f"{_META}.hostvars")
    groups = {name: _Group(name, group) for name, group in document.items() if name != _META}
    listed: dict[str, list[str]] = {host: [] for host in facts}
    for name, group in groups.items():
        for host in group.hosts:
            listed.setdefault(host, []).append(name)
    lines = _Lines(groups)
    for host, names in listed.items():
        where = f"{_META}.hostvars.{host}"
        near, above = lines.of(tuple(dict.fromkeys(name for name in names if name not in _EVERYBODY)))
        yield Machine(where, text_at(host, where), near, above, _safe(maybe_object_at(facts.get(host), where)))


class _Group:
    """A group: an object, or in old inventories a bare list of hosts."""

    def __init__(self, name: str, found: object) -> None:
        lists = {"hosts": found} if isinstance(found, list) else object_at(found, name)
        if lists and not lists.keys() & {"hosts", "children", "vars"}:
            raise Wrong(name, "is no group: it has neither hosts nor children nor vars")
        self.hosts = _texts(lists.get("hosts"), f"{name}.hosts")
        self.children = _texts(lists.get("children"), f"{name}.children")


class _Lines:
    """Which groups hold which, through others."""

    def __init__(self, groups: Mapping[str, _Group]) -> None:
        self._parents: dict[str, list[str]] = {}
        for name, group in groups.items():
            for child in group.children if name not in _EVERYBODY else ():
                self._parents.setdefault(child, []).append(name)
        self._found: dict[tuple[str, ...], tuple[tuple[str, ...], tuple[str, ...]]] = {}

    def of(self, names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return those of the groups that hold none of the others, and all further ones that hold them."""
        if names not in self._found:
            above = {name: self._above(name) for name in names}
            near = tuple(n for n in names if not any(n in above[m] and m not in above[n] for m in names if m != n))
            far = dict.fromkeys(far for line in above.values() for far in line if far not in near)
            self._found[names] = near, tuple(far)
        return self._found[names]

    def _above(self, name: str) -> dict[str, None]:
        """Return the groups that hold a group; those that hold each other end no loop here."""
        found: dict[str, None] = {}
        waiting = list(self._parents.get(name, ()))
        while waiting:
            one = waiting.pop()
            if one not in found:
                found[one] = None
                waiting += self._parents.get(one, ())
        return found


def _texts(found: object, where: str) -> list[str]:
    if found is None:
        return []
    if not isinstance(found, list):
        raise Wrong(where, f"is {kind(found)}, not a list")
    return [text_at(one, f"{where}[{place}]") for place, one in enumerate(found)]


def _safe(facts: dict[str, Any]) -> dict[str, Any]:
    """Return variables with those bare that Ansible wraps up because they are not to be templated."""
    wrapped = {name: one[_UNSAFE] for name, one in facts.items() if isinstance(one, dict) and _UNSAFE in one}
    return facts | wrapped if wrapped else facts
