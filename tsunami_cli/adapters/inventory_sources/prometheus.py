"""Prometheus: targets of file or HTTP service discovery."""

import re
from collections.abc import Iterator

from tsunami_cli.adapters.inventory_sources.texts import Wrong, json_of, kind, maybe_object_at, rows_of, text_at
from tsunami_cli.core.importing.machines import Machine
from tsunami_cli.errors import Refused

EXPECTED = 'the JSON of Prometheus service discovery, [{"targets": ["host:9100"], "labels": {...}}]'

_TARGET = re.compile(r"([^:/\[\]@\s]+)(?::[0-9]{1,5})?")


def machines(data: bytes, file: str) -> Iterator[Machine]:
    """Yield the targets, without their ports."""
    try:
        for where, row in rows_of(json_of(data, file, EXPECTED), file, EXPECTED):
            targets = row.get("targets")
            if not isinstance(targets, list):
                raise Wrong(f"{where}.targets", "is missing" if targets is None else f"is {kind(targets)}, not a list")
            labels = maybe_object_at(row.get("labels"), f"{where}.labels")
            for place, target in enumerate(targets):
                at = f"{where}.targets[{place}]"
                yield Machine(at, _host(text_at(target, at), at), facts=labels)
    except Wrong as wrong:
        raise Refused(f"{file}: {wrong}: expected {EXPECTED}") from None


def _host(target: str, where: str) -> str:
    found = _TARGET.fullmatch(target)
    if found is not None:
        return found[1]
    if target.startswith("[") or (target.count(":") > 1 and "/" not in target):
        raise Wrong(where, "is an IPv6 address, which is no name of a host: use the names of hosts as targets")
    raise Wrong(where, "is not a host with or without a port")
