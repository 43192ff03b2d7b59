"""Bundles: what all hosts of a role get, one host a line, in bytes that change only when a value does."""

import json
from collections.abc import Mapping, Sequence

from tsunami_cli.core.values import Value


def host_objects(columns: Mapping[str, Sequence[Value]], count: int) -> list[str]:
    """Return the flat JSON object of each of `count` hosts; `columns` has every variable's values in host order."""
    names = sorted(columns)
    if not names:
        return ["{}"] * count
    keys = [f"{json.dumps(name)}:" for name in names]
    known = _Objects(keys)
    return list(map(known.__getitem__, zip(*(columns[name] for name in names), strict=True)))


class _Objects(dict[tuple[Value, ...], str]):
    """The objects by their values: few combinations occur, and each is put together once."""

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__()
        self._keys = keys

    def __missing__(self, values: tuple[Value, ...]) -> str:
        text = self[values] = "{" + ",".join(map(str.__add__, self._keys, values)) + "}"
        return text


def bundle(role: str, sequence: int, hosts: Sequence[str], objects: Sequence[str]) -> bytes:
    """Return a role's bundle; hosts come sorted by name."""
    lines = ",\n".join([f'"{host}": {text}' for host, text in zip(hosts, objects, strict=True)])
    body = f"{{\n{lines}}}" if lines else "{}"
    return f'{{"role": {json.dumps(role)}, "sequence": {sequence}, "hosts": {body}}}\n'.encode()
