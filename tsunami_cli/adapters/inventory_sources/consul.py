"""Consul: nodes or the nodes of services, as its catalog and health endpoints give them."""

from collections.abc import Iterator
from typing import Any

from tsunami_cli.adapters.inventory_sources.texts import Wrong, json_of, maybe_object_at, rows_of, text_at
from tsunami_cli.core.importing.machines import Machine
from tsunami_cli.errors import Refused

EXPECTED = "the JSON of Consul's /v1/catalog/nodes, /v1/catalog/service/NAME or /v1/health/service/NAME"


def machines(data: bytes, file: str) -> Iterator[Machine]:
    """Yield the nodes, with the service that they were asked for as their group."""
    try:
        places: dict[str, object] = {}
        for where, row in rows_of(json_of(data, file, EXPECTED), file, EXPECTED):
            found = _nested(where, row) if isinstance(row.get("Node"), dict) else _flat(where, row)
            place = found.facts.get("Datacenter")
            if places.setdefault(found.name, place) != place:
                raise Wrong(where, f"is a second {found.name}, of another datacenter: import one of them at a time")
            yield found
    except Wrong as wrong:
        raise Refused(f"{file}: {wrong}: expected {EXPECTED}") from None


def _flat(where: str, row: dict[str, Any]) -> Machine:
    """Read a row of the catalog: of a node, or of a service's node."""
    node = text_at(row.get("Node"), f"{where}.Node")
    service = row.get("ServiceName")
    groups = () if service is None else (text_at(service, f"{where}.ServiceName"),)
    meta: dict[str, Any] = {}
    for key in ("Meta", "NodeMeta", "ServiceMeta"):
        meta |= maybe_object_at(row.get(key), f"{where}.{key}")
    return Machine(where, node, groups, (), meta | _datacenter(row))


def _nested(where: str, row: dict[str, Any]) -> Machine:
    """Read a row of the health endpoint."""
    node = row["Node"]
    service = maybe_object_at(row.get("Service"), f"{where}.Service")
    groups = (text_at(service.get("Service"), f"{where}.Service.Service"),) if service else ()
    meta: dict[str, Any] = {}
    for key, one in (("Node", node), ("Service", service)):
        meta |= maybe_object_at(one.get("Meta"), f"{where}.{key}.Meta")
    return Machine(where, text_at(node.get("Node"), f"{where}.Node.Node"), groups, (), meta | _datacenter(node))


def _datacenter(row: dict[str, Any]) -> dict[str, Any]:
    return {"Datacenter": row["Datacenter"]} if "Datacenter" in row else {}
