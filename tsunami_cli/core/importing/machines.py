"""A host as its source has it, and the rules by which its name, role and labels are read from that."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal, get_args

from tsunami_cli.core.problems import Refusal

Source = Literal["ansible", "consul", "puppetdb", "prometheus-sd", "csv"]
Kind = Literal["group", "meta", "label", "regex", "value"]

KINDS: Mapping[Source, tuple[Kind, ...]] = {
    "ansible": ("group", "meta", "regex", "value"),
    "consul": ("group", "meta", "regex", "value"),
    "puppetdb": ("meta", "regex", "value"),
    "prometheus-sd": ("label", "regex", "value"),
    "csv": ("meta", "label", "regex", "value"),
}
"""The kinds of rules that have a meaning for a source, the usual one first."""

ROLE_BY: Mapping[Source, str] = {
    "ansible": "group",
    "consul": "group",
    "puppetdb": "meta:role",
    "prometheus-sd": "label:role",
    "csv": "meta:role",
}
"""The rule for roles where none is given."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A host of a source. What it knows beyond names holds passwords: no text made of this object shows it."""

    where: str
    """Its place in the source: `[12]`, `line 12`."""
    name: str
    """As the source has it; empty where the source has none."""
    groups: tuple[str, ...] = ()
    """The groups that list it themselves, without those that hold another of them."""
    above: tuple[str, ...] = ()
    """Further groups that hold it."""
    facts: Mapping[str, object] = field(default_factory=dict, repr=False)

    @property
    def shown(self) -> str:
        """Its name, or where it has none its place."""
        return self.name or self.where


class Unreadable(Exception):
    """A rule finds something in a host that is no answer; the text says what, without its content."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How one text is read from a host."""

    kind: Kind
    argument: str

    def __str__(self) -> str:
        """Render as it is typed."""
        return f"{self.kind}:{self.argument}" if self.argument else self.kind

    @property
    def secretive(self) -> bool:
        """Whether it reads where secrets stand too, so that what it finds is not to be shown before it is accepted."""
        return self.kind in ("meta", "label")

    def read(self, machine: Machine) -> str:
        """Return what the rule finds, empty for nothing. Raises Unreadable where it finds no single text."""
        match self.kind:
            case "group":
                return self._group(machine)
            case "regex":
                found = re.search(self.argument, machine.name)
                return ((found[1] if found.re.groups else found[0]) or "") if found else ""
            case "value":
                return self.argument
            case "meta" | "label":
                return _text(_fact(machine.facts, self.argument)).strip()

    def _group(self, machine: Machine) -> str:
        if not self.argument:
            found = list(machine.groups)
        else:
            near, far = (_matching(names, self.argument) for names in (machine.groups, machine.above))
            found = near or far
        if len(found) > 1:
            names = ", ".join(sorted(found)[:4]) + (", ..." if len(found) > 4 else "")
            raise Unreadable(f"is in {len(found)} groups ({names}): pick one with group:GLOB")
        return found[0] if found else ""


def rule(text: str, source: Source) -> Rule:
    """Read a rule as it is typed. Raises Refusal, with the reason, for what has no meaning for the source."""
    kind, colon, argument = text.partition(":")
    kinds = KINDS[source]
    ways = ", ".join(_EXAMPLES[one] for one in kinds)
    if kind not in get_args(Kind):
        raise Refusal(f"{text} is not a rule: write one of {ways}")
    if kind not in kinds:
        raise Refusal(f"{text}: {source} has no {_PLURAL.get(kind, kind)}: write one of {ways}")
    if not argument and (colon or kind != "group"):
        raise Refusal(f"{text}: something is missing: write {_EXAMPLES[kind]}")
    if kind == "regex":
        try:
            re.compile(argument)
        except (re.error, RecursionError, OverflowError) as wrong:
            raise Refusal(f"{text}: is no regular expression ({wrong})") from None
    return Rule(kind, argument)


_EXAMPLES: Mapping[str, str] = {
    "group": "group or group:GLOB",
    "meta": "meta:NAME",
    "label": "label:NAME",
    "regex": "regex:PATTERN",
    "value": "value:TEXT",
}
_PLURAL = {"group": "groups", "meta": "meta", "label": "labels"}


def _matching(names: tuple[str, ...], glob: str) -> list[str]:
    return [name for name in names if fnmatchcase(name, glob)]


def _fact(facts: Mapping[str, object], path: str) -> object:
    """Return what stands under a name, or under a dotted path; None for nothing."""
    if path in facts:
        return facts[path]
    found: object = facts
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _text(found: object) -> str:
    if isinstance(found, str):
        return found
    if found is None:
        return ""
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, int):
        return str(found) if abs(found) < 10**18 else _no_text("a very long number")
    if isinstance(found, float):
        # 1.10 has become 1.1 by now.
        return _no_text("a number with a point, whose digits are lost: put it in quotes there")
    return _no_text("a list" if isinstance(found, list) else "an object")


def _no_text(what: str) -> str:
    raise Unreadable(f"has {what} there, where text is wanted")
