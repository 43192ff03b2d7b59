"""The files of a ledger entry: what they say, and how they are written."""

import csv
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any

from tsunami_cli.core.holds import Hold, Holds
from tsunami_cli.core.text import instant, instant_text
from tsunami_cli.core.told import Telling, Told
from tsunami_cli.core.values import Value, value_of

LEDGER = "tsunami-ledger"
"""The branch."""
CHANGES, PROGRESS, PINNED, RECENT, HELD = "changes.ndjson", "progress.json", "pinned.json", "recent.json", "held.json"
ROLES, TOLD = "roles", "told"
SOURCE, CLOCK, SEQUENCE = "Tsunami-Source", "Tsunami-Clock", "Tsunami-Sequence"
"""The trailers of an entry's message."""

_HEAD = "host,value,rollout,since"
# A value may be of any length; the module's own limit is a guard against wrong dialects.
csv.field_size_limit(1 << 30)
_BARE = re.compile(r"""[^\x00-\x1f\x7f",]+""")
_BUNDLE = re.compile(r'\{"role": "([^"]*)", "sequence": ([0-9]+), "hosts": \{')


@dataclass(frozen=True)
class Bundle:
    """A bundle as it was published."""

    role: str
    sequence: int
    """The publish that changed it last."""
    objects: Mapping[str, str]
    """Every host's flat JSON object, as its text."""


def parse_bundle(data: bytes) -> Bundle:
    """Read a bundle of ours; ValueError for anything else."""
    head, *lines = data.decode().split("\n")
    found = _BUNDLE.match(head)
    if found is None or not data.endswith(b"}}\n"):
        raise ValueError("it is no bundle")
    objects: dict[str, str] = {}
    # Each line is `"host": {...},`; the last one has the two braces that end the document in the comma's place.
    for line in lines[:-1]:
        host, _, text = line[1:].partition('": ')
        objects[host] = text[:-1]
    if objects:
        objects[host] = text[:-2]
    return Bundle(found[1], int(found[2]), objects)


@lru_cache(maxsize=65_536)
def values_in(text: str) -> Mapping[str, Value]:
    """Return the values in the text of a host's object, by variable; few different ones occur."""
    return {name: _text(scalar) if isinstance(scalar, str) else value_of(scalar) for name, scalar in _items(text)}


def _items(text: str) -> Iterable[tuple[str, Any]]:
    found: dict[str, Any] = json.loads(text)
    return found.items()


@lru_cache(maxsize=65_536)
def _text(text: str) -> Value:
    return value_of(text)


@dataclass(frozen=True)
class Rows:
    """What `told/<variable>.csv` says."""

    moved: Mapping[str, Mapping[str, Telling]] = field(default_factory=dict)
    """By rollout, the hosts that it moved."""
    before: Mapping[str, Telling] = field(default_factory=dict)
    """What hosts had before all rollouts."""
    last: Mapping[str, Value] = field(default_factory=dict)
    """What every host has by these rows: the newest rollout's value."""


def told_text(told: Told, rollouts: Sequence[str]) -> bytes:
    """Write what hosts were told under rollouts, one row for each host and rollout, sorted by host."""
    rows: dict[str, list[str]] = {}
    for rollout, tellings in (("", told.before), *((name, told.moved.get(name, {})) for name in rollouts)):
        ends: dict[Telling, str] = {}
        for host, telling in tellings.items():
            end = ends.get(telling)
            if end is None:
                end = ends[telling] = f",{_cell(telling.value)},{rollout},{instant_text(telling.since)}"
            rows.setdefault(host, []).append(host + end)
    lines = [line for host in sorted(rows) for line in rows[host]]
    return ("\n".join([_HEAD, *lines]) + "\n").encode()


def parse_told(data: bytes | None, hosts: Collection[str] | None = None) -> Rows:
    """Read what `told_text` wrote, all of it or that of some hosts; ValueError for anything else."""
    if data is None:
        return Rows()
    head, *lines = data.decode().split("\n")
    if head != _HEAD or lines[-1]:
        raise ValueError(f"its first line is not {_HEAD}, or its last one is cut off")
    moved: dict[str, dict[str, Telling]] = {}
    before: dict[str, Telling] = {}
    last: dict[str, Value] = {}
    ends: dict[str, tuple[dict[str, Telling], Telling]] = {}
    for line in lines[:-1]:
        host, _, end = line.partition(",")
        if hosts is not None and host not in hosts:
            continue
        known = ends.get(end)
        if known is None:
            value, rollout, since = next(csv.reader([end]))
            known = ends[end] = (
                moved.setdefault(rollout, {}) if rollout else before,
                Telling(_value(value), instant(since)),
            )
        rows, telling = known
        rows[host] = telling
        last[host] = telling.value
    return Rows(moved, before, last)


def _cell(value: Value) -> str:
    """Write a value bare where it is text that reads as nothing but text, else as JSON."""
    text = json.loads(value)
    if isinstance(text, str) and _BARE.fullmatch(text) and _value(text) == value:
        return text
    return '"' + value.replace('"', '""') + '"' if '"' in value else value


def _value(cell: str) -> Value:
    try:
        return value_of(json.loads(cell))
    except ValueError:
        return value_of(cell)


def progress_text(progress: Mapping[str, Fraction]) -> bytes:
    """Write told progress by rollout, exact: `{"docker-20161114T095512Z": "5/14"}`."""
    return _document({rollout: str(share) for rollout, share in progress.items()})


def parse_progress(data: bytes | None) -> dict[str, Fraction]:
    """Read what `progress_text` wrote; ValueError for anything else."""
    return {rollout: Fraction(text) for rollout, text in _parsed(data).items()}


Pinned = Mapping[str, Mapping[str, Value]]
"""By variable, hosts whose last value came from a pin, and that value; who has left the inventory is still there."""


def pinned_text(pinned: Pinned) -> bytes:
    """Write who was pinned."""
    found = {name: {host: json.loads(value) for host, value in hosts.items()} for name, hosts in pinned.items()}
    return _document({name: hosts for name, hosts in found.items() if hosts})


def parse_pinned(data: bytes | None) -> dict[str, dict[str, Value]]:
    """Read what `pinned_text` wrote; ValueError for anything else."""
    return {name: {h: value_of(scalar) for h, scalar in hosts.items()} for name, hosts in _parsed(data).items()}


Recent = Mapping[str, Mapping[str, Sequence[datetime]]]
"""By variable and role, when hosts were moved from one value to another within the last hour, once for each."""


def recent_text(recent: Recent) -> bytes:
    """Write what changed within the hour, as counts by instant."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for name, roles in recent.items():
        for role, instants in roles.items():
            for at in instants:
                counts = found.setdefault(name, {}).setdefault(role, {})
                counts[instant_text(at)] = counts.get(instant_text(at), 0) + 1
    return _document(found)


def parse_recent(data: bytes | None) -> dict[str, dict[str, list[datetime]]]:
    """Read what `recent_text` wrote; ValueError for anything else."""
    return {
        name: {
            role: [at for text, count in counts.items() for at in [instant(text)] * count]
            for role, counts in roles.items()
        }
        for name, roles in _parsed(data).items()
    }


def held_text(holds: Holds) -> bytes:
    """Write what is held."""
    rows = {
        name: [
            {"slo": h.slo, "why": h.why, "since": instant_text(h.since), "unasked": h.unasked}
            for h in sorted(found, key=lambda hold: hold.slo)
        ]
        for name, found in holds.items()
        if found
    }
    return _document(rows)


def parse_held(data: bytes | None) -> dict[str, tuple[Hold, ...]]:
    """Read what `held_text` wrote; ValueError for anything else. Entries from before there was a guard have none."""
    return {
        name: tuple(Hold(row["slo"], row["why"], instant(row["since"]), row.get("unasked", False)) for row in rows)
        for name, rows in _parsed(data).items()
    }


def _document(found: Mapping[str, object]) -> bytes:
    return (json.dumps(found, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


def _parsed(data: bytes | None) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(data) if data else {}
    return read


def trailers_text(source: str, at: datetime, sequence: int) -> str:
    """Return the last paragraph, which `parse_trailers` reads."""
    return f"{SOURCE}: {source}\n{CLOCK}: {instant_text(at)}\n{SEQUENCE}: {sequence}"


def parse_trailers(found: Mapping[str, str]) -> tuple[str, datetime, int]:
    """Return source, instant and sequence from an entry's trailers; ValueError where they are not there or wrong."""
    try:
        return found[SOURCE], instant(found[CLOCK]), int(found[SEQUENCE])
    except KeyError as missing:
        raise ValueError(f"it has no {missing.args[0]}") from None


@dataclass(frozen=True)
class Record:
    """What the newest ledger entry says of all hosts, or of those of some roles."""

    sequence: int
    at: datetime
    """The instant of the publish."""
    commit: str
    source: str
    """The commit of the branch that it was rendered from."""
    bundles: Mapping[str, Bundle]
    """By role."""
    rows: Callable[[str], Rows]
    """What hosts were told under the rollouts of a variable."""
    progress: Mapping[str, Fraction]
    pinned: Pinned
    recent: Recent
    holds: Holds = field(default_factory=dict)
    known: Collection[str] = ()
    """Variables under whose rollouts hosts were told something, missing ones too."""
    _told: dict[str, Told] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def objects(self) -> dict[str, str]:
        """The text of every host's object."""
        return {host: text for bundle in self.bundles.values() for host, text in bundle.objects.items()}

    @cached_property
    def _texts(self) -> frozenset[str]:
        return frozenset(self.objects.values())

    def told(self, variable: str) -> Told:
        """Return what hosts were told of a variable; one that the ledger has never seen was told to nobody."""
        if variable not in self._told:
            self._told[variable] = self._read(variable)
        return self._told[variable]

    def _read(self, variable: str) -> Told:
        rows, pinned = self.rows(variable), self.pinned.get(variable, {})
        # Who left the inventory counts as told what it was told last, for the whole life of the rollout.
        given = {**rows.last, **pinned}
        # Few different objects occur.
        has = {text: value for text in self._texts if (value := values_in(text).get(variable)) is not None}
        given.update((host, has[text]) for host, text in self.objects.items() if text in has)
        return Told(
            self.at,
            self.progress,
            rows.moved,
            rows.before,
            given,
            frozenset(pinned),
            self.recent.get(variable, {}),
            tuple(self.holds.get(variable, ())),
        )
