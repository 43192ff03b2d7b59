"""Bundles: what all hosts of a role get, one host a line, in bytes that change only when a value does."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache

from tsunami_cli.core.values import Value


def host_objects(columns: Mapping[str, Sequence[Value | None]], count: int) -> list[str]:
    """Return the flat JSON object of each of `count` hosts; `columns` has every variable's values in host order.

    A variable that a host has no value of, None, is absent from its object.
    """
    names = tuple(sorted(columns))
    if not names:
        return ["{}"] * count
    known = _objects(names)
    return list(map(known.__getitem__, zip(*(columns[name] for name in names), strict=True)))


class _Objects(dict[tuple[Value | None, ...], str]):
    """The objects by their values: few combinations occur, and each is put together once."""

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__()
        self._keys = keys

    def __missing__(self, values: tuple[Value | None, ...]) -> str:
        pairs = (key + value for key, value in zip(self._keys, values, strict=True) if value is not None)
        text = self[values] = "{" + ",".join(pairs) + "}"
        return text


@lru_cache(maxsize=16)
def _objects(names: tuple[str, ...]) -> _Objects:
    """Return the objects of these variables, the same ones for all roles."""
    return _Objects([f"{json.dumps(name)}:" for name in names])


def bundle(role: str, sequence: int, hosts: Sequence[str], objects: Sequence[str]) -> bytes:
    """Return a role's bundle; hosts come sorted by name."""
    lines = ",\n".join([f'"{host}": {text}' for host, text in zip(hosts, objects, strict=True)])
    body = f"{{\n{lines}}}" if lines else "{}"
    return f'{{"role": {json.dumps(role)}, "sequence": {sequence}, "hosts": {body}}}\n'.encode()
