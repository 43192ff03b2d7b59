"""The host's side: what a host may believe of what was published, and what of it is still to be done."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, TypeGuard

from tsunami_cli.core.hashing import h64
from tsunami_cli.core.inventory import host_fault, role_fault
from tsunami_cli.core.problems import Refusal
from tsunami_cli.core.text import instant, instant_text
from tsunami_cli.core.values import Value, value_of

MANIFEST = "manifest.json"
MANIFEST_LIMIT = 64 << 20
"""Bytes of a manifest: 500,000 hosts with an object each."""
OBJECT_LIMIT = 16 << 20
"""Bytes of a published object."""
_HEX = frozenset("0123456789abcdef")


class Unmatched(Refusal):
    """An object is not the one that the manifest names. A publish that is under way looks like that too."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a host asks for: its own object, or its line of its role's bundle."""

    host: str
    role: str | None = None

    @property
    def object(self) -> str:
        """The name of the published object."""
        return f"hosts/{self.host}.json" if self.role is None else f"roles/{self.role}.json"

    def fault(self) -> str | None:
        """Say what is wrong with the names; None where nothing is. A name that is right cannot leave its folder."""
        return host_fault(self.host) or (None if self.role is None else role_fault(self.role))


@dataclass(frozen=True, slots=True)
class Notice:
    """What a manifest says to one host."""

    fleet: str
    sequence: int
    rendered_at: datetime
    expires_at: datetime
    sha256: str
    """Of the published object."""
    size: int
    """Of the published object, in bytes."""

    def expired(self, now: datetime) -> bool:
        """Say whether it is old. The host's clock may be wrong: no more than a warning follows from this."""
        return now > self.expires_at


@dataclass(frozen=True, slots=True)
class Kept:
    """What a host remembers from one run to the next."""

    origin: str
    """Where the object came from, and whose it is: an etag or a hash of another place means nothing here."""
    etag: str | None
    """The manifest's."""
    notice: Notice
    written: str
    """SHA-256 of what was written to the host's file."""
    executed: str | None = None
    """SHA-256 of what the host's file held when the command last succeeded."""

    def text(self) -> bytes:
        """Return it as one JSON document."""
        instants = {name: instant_text(getattr(self.notice, name)) for name in ("rendered_at", "expires_at")}
        return json.dumps(asdict(self) | {"notice": asdict(self.notice) | instants}, indent=1).encode() + b"\n"

    @classmethod
    def parse(cls, data: bytes) -> "Kept | None":
        """Read what `text` wrote; None where it is damaged: then the host starts afresh."""
        try:
            found = _document(data)
            kept = cls(**(found | {"notice": _notice(found["notice"], found["notice"])}))
        except (Refusal, TypeError, KeyError, AttributeError):
            return None
        texts = (kept.origin, kept.written, kept.etag or "", kept.executed or "")
        return kept if all(isinstance(text, str) for text in texts) else None

    def describes(self, origin: str, content: bytes | None) -> bool:
        """Say whether it still tells of this origin, and of what the host's file holds now."""
        return content is not None and (self.origin, self.written) == (origin, sha256(content).hexdigest())


def remembered(kept: Kept | None, fleet: str | None) -> Kept | None:
    """Return what counts of what was kept: nothing of another fleet, once the host was told which one is its own."""
    return None if kept is None or fleet not in (None, kept.notice.fleet) else kept


def read_manifest(data: bytes, wanted: Wanted, fleet: str | None, kept: Kept | None) -> Notice:
    """Return what a manifest says to a host.

    Args:
        data: The manifest.
        wanted: What the host asks for.
        fleet: The fleet it must be of; None: that of what was kept, if anything.
        kept: What counts of earlier runs.

    Raises Refusal where it is of another fleet, older than what was kept, has nothing for the host, or is no manifest.
    """
    found = _named(data, MANIFEST)
    name, sequence, objects = (found.get(key) for key in ("fleet", "sequence", "objects"))
    if not isinstance(name, str) or not name or not _is_count(sequence) or not isinstance(objects, dict):
        raise Refusal(f"{MANIFEST}: fleet, sequence or objects is missing: this is no manifest")
    expected = fleet or (kept.notice.fleet if kept else name)
    if name != expected:
        way_out = "" if fleet else f": if that is meant, say --fleet {name}"
        raise Refusal(f"{MANIFEST}: is of the fleet {name}, not of {expected}{way_out}")
    if kept and sequence < kept.notice.sequence:
        raise Refusal(
            f"{MANIFEST}: has sequence {sequence}, and the one before had {kept.notice.sequence}: an old one came "
            "back; if that is meant, remove the .state file beside yours"
        )
    if wanted.object not in objects:
        raise Refusal(f"{MANIFEST}: has no {wanted.object}: {_why_missing(wanted, objects)}")
    return _notice(found, objects[wanted.object])


def read_object(data: bytes, wanted: Wanted, notice: Notice) -> bytes:
    """Return the flat JSON object of a host, as it is to be written, out of a published object.

    Raises Unmatched where the bytes are not those that the manifest names, Refusal where they hold no such object.
    """
    if len(data) != notice.size or sha256(data).hexdigest() != notice.sha256:
        raise Unmatched(
            f"{wanted.object}: is not what the manifest names ({len(data)} bytes, {notice.size} there): "
            "it is damaged, or a publish is under way"
        )
    found = _named(data, wanted.object)
    if wanted.role is None:
        _flat(found, wanted.object)
        return data
    if found.get("role") != wanted.role:
        raise Refusal(f"{wanted.object}: is not the bundle of role {wanted.role}")
    hosts = found.get("hosts")
    if not isinstance(hosts, dict) or wanted.host not in hosts:
        raise Refusal(f"{wanted.object}: has no host {wanted.host}: is it of another role, or not in the inventory?")
    values = _flat(hosts[wanted.host], f"{wanted.object}: {wanted.host}")
    # Byte for byte what hosts/HOST.json would be: a host that changes from one to the other sees no change.
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode() + b"\n"


def differences(before: bytes | None, after: bytes) -> list[tuple[str, Value | None, Value | None]]:
    """Return the values that two flat objects differ in, by name; what was there before may be anything."""
    old: dict[str, Any] = {}
    if before is not None:
        try:
            old = _flat(_document(before), "")
        except Refusal:
            # Somebody else's text: all that is written now is new.
            old = {}
    new = _document(after)
    pairs = {name: tuple(value_of(o[name]) if name in o else None for o in (old, new)) for name in {*old, *new}}
    return [(name, was, now) for name, (was, now) in sorted(pairs.items()) if was != now]


def splay(host: str, length: timedelta) -> timedelta:
    """Return the host's own part of a stretch of time, always the same: many hosts spread evenly over it."""
    whole = length // timedelta(microseconds=1)
    return timedelta(microseconds=h64(host) % whole) if whole else timedelta(0)


def _named(data: bytes, name: str) -> dict[str, Any]:
    try:
        return _document(data)
    except Refusal as reason:
        raise Refusal(f"{name}: {reason}") from None


def _document(data: bytes) -> dict[str, Any]:
    """Return a JSON object, with what JSON's readers disagree about refused. Raises Refusal."""
    try:
        found = json.loads(data.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except UnicodeDecodeError:
        raise Refusal("is not UTF-8") from None
    except (ValueError, RecursionError):
        raise Refusal("is not JSON") from None
    if not isinstance(found, dict):
        raise Refusal("is not a JSON object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refusal("has a key twice in one object")
    return found


def _no_number(text: str) -> object:
    raise Refusal(f"{text} is no number that JSON has")


def _flat(found: object, name: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise Refusal(f"{name}: is not a JSON object")
    for key, value in found.items():
        try:
            value_of(key), value_of(value)
        except ValueError as reason:
            raise Refusal(f"{name}: {key}: {reason}") from None
    return found


def _notice(found: dict[str, Any], entry: object) -> Notice:
    """Read what a manifest says; the entry of the object may stand elsewhere. Raises Refusal."""
    if not isinstance(entry, dict) or not _is_count(entry.get("size")) or not _is_hash(entry.get("sha256")):
        raise Refusal(f"{MANIFEST}: an object has no sha256 or no size: this is no manifest")
    fleet, sequence = found.get("fleet"), found.get("sequence")
    if not isinstance(fleet, str) or not fleet or not _is_count(sequence):
        raise Refusal(f"{MANIFEST}: fleet or sequence is missing: this is no manifest")
    rendered, expires = (_instant(found, name) for name in ("rendered_at", "expires_at"))
    return Notice(fleet, sequence, rendered, expires, entry["sha256"], entry["size"])


def _instant(found: dict[str, Any], name: str) -> datetime:
    try:
        return instant(str(found.get(name)))
    except ValueError as reason:
        raise Refusal(f"{MANIFEST}: {name}: {reason}") from None


def _is_hash(text: object) -> bool:
    return isinstance(text, str) and len(text) == 64 and _HEX.issuperset(text)


def _is_count(number: object) -> TypeGuard[int]:
    return isinstance(number, int) and not isinstance(number, bool) and number >= 0


def _why_missing(wanted: Wanted, objects: Iterable[str]) -> str:
    if wanted.role is not None:
        return f"is {wanted.role} a role of the inventory?"
    if not any(name.startswith("hosts/") for name in objects):
        return "this fleet publishes no objects of single hosts: name the host's role with --role"
    return f"is {wanted.host} in the inventory?"
