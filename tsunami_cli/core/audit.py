"""The audit: which host was told what by which publish, and whose decision caused it; tellings written and read."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, lru_cache
from json.encoder import encode_basestring
from operator import attrgetter
from typing import Any, NamedTuple

from tsunami_cli.core.model import Globs
from tsunami_cli.core.text import instant, instant_text
from tsunami_cli.core.values import Value, value_of

_quoted: Callable[[str], str] = encode_basestring
_order = attrgetter("host", "variable")
_WILD = "*?["
_ALL = Globs(())


class Telling(NamedTuple):
    """That one host was told a new value of one variable.

    A tuple, because a publish may hold 100,000s: a frozen dataclass takes four times as long to make.
    """

    at: datetime
    """The instant of the publish."""
    host: str
    role: str
    """The host's role at that time."""
    variable: str
    before: Value | None
    """None where the host was told for the first time."""
    after: Value | None
    """None where the host is told the variable no more."""
    rollout: str | None
    sequence: int
    commit: str | None
    """That of the decision that caused it; None, with the next two, where history does not tell."""
    author: str | None
    """`Name <mail>`."""
    action: str | None
    reason: str | None
    publish: str = ""
    """The ledger commit that holds it: what is being written has none yet."""


@dataclass(frozen=True)
class Filter:
    """Which tellings are asked for. Names may be patterns; of a kind that is empty, all are."""

    hosts: Globs = _ALL
    variables: Globs = _ALL
    roles: Globs = _ALL
    since: datetime | None = None
    """Inclusive, as is `until`."""
    until: datetime | None = None
    _globs: tuple[tuple[str, Globs], ...] = field(init=False)
    _since: str = field(init=False)
    _until: str = field(init=False)

    def __post_init__(self) -> None:
        kinds = (("host", self.hosts), ("variable", self.variables), ("role", self.roles))
        # Instants of one form stand in the order of their texts.
        set_to = object.__setattr__
        set_to(self, "_globs", tuple((key, globs) for key, globs in kinds if globs.patterns))
        set_to(self, "_since", instant_text(self.since) if self.since else "")
        set_to(self, "_until", instant_text(self.until) if self.until else "~")

    @property
    def needles(self) -> tuple[bytes, ...]:
        """Bytes of which every line that is wanted holds at least one; none where any line may be wanted."""
        for key, globs in self._globs:
            found = {_needle(key, pattern) for pattern in globs.patterns}
            if None not in found:
                return tuple(sorted(needle for needle in found if needle))
        return ()

    def within(self, at: str) -> bool:
        """Say whether an instant, as text, is wanted."""
        return self._since <= at <= self._until

    def admits(self, row: Mapping[str, Any]) -> bool:
        """Say whether a telling, as JSON data, is wanted."""
        return self.within(row["at"]) and all(globs.match(row[key]) for key, globs in self._globs)


def lines(rows: Iterable[Telling]) -> bytes:
    """Write tellings, sorted by host and variable, each as one line of compact JSON.

    What the tellings of a publish have in common, nearly everything, is put together once. What UTF-8 does not have
    (a half of a surrogate pair, from a commit in a strange encoding) is written as `?`.
    """
    heads: dict[datetime, str] = {}
    roles: dict[str, str] = {}
    tails: dict[tuple[object, ...], str] = {}
    out: list[str] = []
    for row in sorted(rows, key=_order):
        key = row[3:12]
        tail = tails.get(key)
        if tail is None:
            tail = tails[key] = _tail(row)
        head = heads.get(row.at)
        if head is None:
            head = heads[row.at] = f'{{"at":"{instant_text(row.at)}","host":'
        role = roles.get(row.role)
        if role is None:
            role = roles[row.role] = f',"role":{_quoted(row.role)}'
        out += (head, _quoted(row.host), role, tail)
    return "".join(out).encode("utf-8", "replace")


def select(data: bytes, publish: str, wanted: Filter) -> tuple[list[Telling], list[str]]:
    """Read the tellings of a publish that are wanted; return also what is wrong with lines that cannot be read."""
    rows: list[Telling] = []
    bad: list[str] = []
    for start, line in _candidates(data, wanted.needles):
        # Most lines of a long ledger are left out by their instant alone.
        if line.startswith(b'{"at":"') and not wanted.within(line[7:27].decode("ascii", "replace")):
            continue
        try:
            row = json.loads(line)
            if wanted.admits(row):
                rows.append(_telling(row, publish))
        except (ValueError, KeyError, TypeError, RecursionError) as reason:
            # Falls to leaving it out, aloud: one line that somebody spoilt must not take the audit away.
            number = data.count(b"\n", 0, start) + 1
            bad.append(f"line {number} is no telling ({type(reason).__name__}: {reason})")
    return rows, bad


def names(data: bytes, key: str, name: str) -> bool:
    """Say whether any telling of a publish has this name as its host, variable or role."""
    return f'"{key}":{_quoted(name)},'.encode("utf-8", "replace") in data


def causes(rows: Iterable[Telling]) -> set[tuple[str | None, str]]:
    """Return the commits of the decisions that caused tellings, each with its variable."""
    return {(row.commit, row.variable) for row in rows}


def _tail(row: Telling) -> str:
    """Return the second half of a line, from the variable on."""
    values = (row.before or "null", row.after or "null", _text(row.rollout), str(row.sequence))
    because = (_text(row.commit), _text(row.author), _text(row.action), _text(row.reason))
    keys = ("from", "to", "rollout", "sequence", "commit", "author", "action", "reason")
    pairs = zip(keys, (*values, *because), strict=True)
    return f',"variable":{_quoted(row.variable)},' + ",".join(f'"{key}":{text}' for key, text in pairs) + "}\n"


def _text(text: str | None) -> str:
    return "null" if text is None else _quoted(text)


def _needle(key: str, pattern: str) -> bytes | None:
    """Return the bytes that every line holds which has a name of that pattern; None where the pattern says nothing."""
    wild = [place for place in map(pattern.find, _WILD) if place >= 0]
    head = pattern[: min(wild)] if wild else pattern
    # In compact JSON a quote within text follows a backslash: this can be the key alone.
    text = f'"{key}":{_quoted(head)}'
    found = (text[:-1] if wild else f"{text},").encode("utf-8", "replace")
    return found if head or not wild else None


def _candidates(data: bytes, needles: tuple[bytes, ...]) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that hold any of the needles, or all lines, with their places."""
    if not needles:
        place = 0
        for line in data.split(b"\n"):
            if line:
                yield place, line
            place += len(line) + 1
        return
    starts: set[int] = set()
    for needle in needles:
        at = data.find(needle)
        while at >= 0:
            starts.add(data.rfind(b"\n", 0, at) + 1)
            at = data.find(needle, _end(data, at))
    for start in sorted(starts):
        yield start, data[start : _end(data, start)]


def _end(data: bytes, at: int) -> int:
    """Return where the line ends that has this place."""
    found = data.find(b"\n", at)
    return found if found >= 0 else len(data)


def _telling(row: Mapping[str, Any], publish: str) -> Telling:
    kinds: dict[str, type] = dict.fromkeys(("host", "role", "variable"), str) | {"sequence": int}
    for key, kind in kinds.items():
        if not isinstance(row[key], kind):
            raise TypeError(f"{key} is {row[key]!r}")
    loose = {key: row[key] for key in ("rollout", "commit", "author", "action", "reason")}
    for key, text in loose.items():
        if text is not None and not isinstance(text, str):
            raise TypeError(f"{key} is {text!r}")
    return Telling(
        at=_instant(row["at"]),
        host=row["host"],
        role=row["role"],
        variable=row["variable"],
        before=_value(row["from"]),
        after=_value(row["to"]),
        sequence=row["sequence"],
        publish=publish,
        **loose,
    )


def _value(scalar: object) -> Value | None:
    # Zero and minus zero are two values, and one key.
    return value_of(scalar) if isinstance(scalar, float) else _known_value(scalar)


# Typed: 1 and true are two values. Bounded by the ledger, whose values and instants are few.
@lru_cache(maxsize=None, typed=True)
def _known_value(scalar: object) -> Value | None:
    return None if scalar is None else value_of(scalar)


@cache
def _instant(text: str) -> datetime:
    return instant(text).astimezone(UTC)
