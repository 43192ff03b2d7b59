"""Inventories that other tools keep, one module each: bytes in, hosts out.

They are full of passwords. Complaints name places and hosts, never content, and no exception is chained to another
that may hold some.
"""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from tsunami_cli.errors import Refused

if TYPE_CHECKING:
    from tsunami_cli.core.importing.machines import Machine, Source

_MODULES: "Mapping[Source, str]" = {
    "ansible": "ansible",
    "consul": "consul",
    "puppetdb": "puppetdb",
    "prometheus-sd": "prometheus",
    "csv": "tables",
}


def machines(source: "Source", data: bytes, file: str) -> "list[Machine]":
    """Return the hosts that a source's file holds, in its order; Refused, naming `file`, for anything else."""
    module = import_module(f"{__name__}.{_MODULES[source]}")
    read: Callable[[bytes, str], Iterator[Machine]] = module.machines
    found = list(read(data, file))
    if not found:
        raise Refused(f"{file}: holds no host: nothing was imported; expected {module.EXPECTED}")
    return found
