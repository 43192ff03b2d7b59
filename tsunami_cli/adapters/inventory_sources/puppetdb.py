"""PuppetDB: results of queries to its inventory, nodes or facts."""

from collections.abc import Iterator
from typing import Any

from tsunami_cli.adapters.inventory_sources.texts import Wrong, json_of, maybe_object_at, rows_of, text_at
from tsunami_cli.core.importing.machines import Machine
from tsunami_cli.errors import Refused

EXPECTED = "the result of a PuppetDB query to /pdb/query/v4/inventory, nodes or facts"

_PREFIX = "facts."


def machines(data: bytes, file: str) -> Iterator[Machine]:
    """Yield the nodes; rows of single facts are put together by node."""
    facts: dict[str, dict[str, Any]] = {}
    try:
        for where, row in rows_of(json_of(data, file, EXPECTED), file, EXPECTED):
            name = text_at(row.get("certname"), f"{where}.certname")
            if "name" in row and "value" in row:
                _add(facts, name, row, where)
            else:
                yield Machine(where, name, facts=_facts(row, where))
        for name, found in facts.items():
            yield Machine(f"certname {name}", name, facts=found)
    except Wrong as wrong:
        raise Refused(f"{file}: {wrong}: expected {EXPECTED}") from None


def _add(facts: dict[str, dict[str, Any]], name: str, row: dict[str, Any], where: str) -> None:
    fact = text_at(row["name"], f"{where}.name")
    mine = facts.setdefault(name, {})
    if fact in mine:
        raise Wrong(where, f"gives a fact of {name} for the second time")
    mine[fact] = row["value"]


def _facts(row: dict[str, Any], where: str) -> dict[str, Any]:
    """Return the facts of a row of the inventory, which may hold some by dotted path; a row of nodes has none."""
    for gone in ("deactivated", "expired"):
        if row.get(gone) is not None:
            raise Wrong(f"{where}.{gone}", "is set: the node is not active any more; leave it out of the query")
    paths = {key.removeprefix(_PREFIX): value for key, value in row.items() if "." in key}
    inner = maybe_object_at(row.get("facts"), f"{where}.facts")
    # What the certificate says counts for more than what the host says of itself.
    trusted = {"trusted": row["trusted"]} if "trusted" in row else {}
    return inner | paths | trusted
