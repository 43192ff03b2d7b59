"""The manifest: what was published, from what, and until when it counts as fresh."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tsunami_cli.core.record import ROLES, Bundle, parse_bundle
from tsunami_cli.core.text import instant, instant_text

MANIFEST = "manifest.json"
HOSTS = "hosts"

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_PATH = re.compile(r"(roles|hosts)/[a-z0-9]([a-z0-9_.-]{0,251}[a-z0-9])?\.json")
Objects = Mapping[str, Mapping[str, Any]]
"""By path, sha256 and size."""


@dataclass(frozen=True)
class Manifest:
    """What lies in the store."""

    fleet: str
    sequence: int
    rendered_at: datetime
    expires_at: datetime
    source: str
    ledger: str
    objects: Objects

    @property
    def text(self) -> bytes:
        """The document, one object a line."""
        head = {
            "fleet": self.fleet,
            "sequence": self.sequence,
            "rendered_at": instant_text(self.rendered_at),
            "expires_at": instant_text(self.expires_at),
            "source": self.source,
            "ledger": self.ledger,
        }
        lines = ",\n".join(
            f'"{path}":{{"sha256":"{found["sha256"]}","size":{found["size"]}}}'
            for path, found in sorted(self.objects.items())
        )
        body = f"{{\n{lines}}}" if lines else "{}"
        return f'{json.dumps(head, ensure_ascii=False)[:-1]}, "objects": {body}}}\n'.encode()


def parse_manifest(data: bytes) -> Manifest:
    """Read a manifest; ValueError, with the reason, for anything else."""
    try:
        read = json.loads(data)
        if not all(_COMMIT.fullmatch(read[key]) for key in ("source", "ledger")):
            raise ValueError("it names no commits")
        if not all(_PATH.fullmatch(path) and ".." not in path for path in read["objects"]):
            raise ValueError("it lists what is no object of ours")
        return Manifest(
            fleet=str(read["fleet"]),
            sequence=int(read["sequence"]),
            rendered_at=instant(read["rendered_at"]),
            expires_at=instant(read["expires_at"]),
            source=str(read["source"]),
            ledger=str(read["ledger"]),
            objects={str(path): {"sha256": o["sha256"], "size": int(o["size"])} for path, o in read["objects"].items()},
        )
    except (KeyError, TypeError, AttributeError, RecursionError) as wrong:
        raise ValueError(f"it lacks or garbles {wrong}") from None


@dataclass(frozen=True)
class Sync:
    """How a store gets from one state to another."""

    puts: Mapping[str, bytes]
    deletes: frozenset[str]
    objects: Objects
    """All that lies there afterwards."""


def sync(kept: Objects, old: Mapping[str, Bundle] | None, new: Mapping[str, bytes | None], *, per_host: bool) -> Sync:
    """Return what is to be uploaded and deleted.

    `kept` is what the store's manifest lists, `old` the bundles that this was made of, `new` the bundles of the roles
    that differ from those, None for a role that is gone; what the manifest lists for all other roles stays. Where
    `old` is not known, None, `new` has every role.
    """
    objects = dict(kept) if old is not None else {}
    old = old or {}
    puts: dict[str, bytes] = {}
    came: dict[str, str] = {}
    gone: set[str] = set()
    for role, data in new.items():
        path = f"{ROLES}/{role}.json"
        if data is None:
            objects.pop(path, None)
        else:
            puts[path] = data
        if per_host:
            had = old[role].objects if role in old else {}
            has = _texts(data)
            came.update((host, text) for host, text in has.items() if had.get(host) != text)
            gone.update(had.keys() - has.keys())
    # A host that changed its role leaves one bundle and comes into another.
    staying = {host for data in new.values() for host in _texts(data)} if gone else set()
    for host in gone - staying:
        objects.pop(f"{HOSTS}/{host}.json", None)
    puts.update((f"{HOSTS}/{host}.json", f"{text}\n".encode()) for host, text in came.items())
    if not per_host:
        objects = {path: found for path, found in objects.items() if not path.startswith(f"{HOSTS}/")}
    listed = {path: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)} for path, data in puts.items()}
    # What lies there already, byte for byte, need not be sent again.
    puts = {path: data for path, data in puts.items() if kept.get(path) != listed[path]}
    objects.update(listed)
    return Sync(puts, frozenset(kept.keys() - objects.keys()), objects)


def _texts(data: bytes | None) -> Mapping[str, str]:
    return parse_bundle(data).objects if data is not None else {}
