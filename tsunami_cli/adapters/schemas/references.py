"""The schemas within a schema, by every way that leads to them."""

from collections.abc import Iterator

from tsunami_cli.adapters.schemas.findings import BadValueSchema
from tsunami_cli.core.nodes import Path, Plain

MOST_SUBSCHEMAS = 1_000


def subschemas(root: dict[str, Plain]) -> Iterator[dict[str, Plain]]:
    """Yield the schemas that a check may visit, once for every way to them.

    Raises BadValueSchema for a reference that leads nowhere or in a circle, and for too many ways: ten definitions
    that each name the one before twice are a thousand.
    """
    count = 0
    todo: list[tuple[Path, Plain, frozenset[str]]] = [((), root, frozenset())]
    while todo:
        path, schema, inside = todo.pop()
        count += 1
        if count > MOST_SUBSCHEMAS:
            raise BadValueSchema(path, f"the schema comes to more than {MOST_SUBSCHEMAS} parts to check: simplify it")
        if not isinstance(schema, dict):
            continue
        yield schema
        todo.extend((path + step, part, inside) for step, part in _parts(schema))
        if isinstance(ref := schema.get("$ref"), str):
            target = _target(root, ref, path, inside)
            todo.append((("$defs", ref.rpartition("/")[2]), target, inside | {ref}))


def _parts(schema: dict[str, Plain]) -> Iterator[tuple[Path, Plain]]:
    """Yield the schemas that stand in a schema, but for its `$defs`, which count where they are used."""
    for key in ("allOf", "anyOf", "oneOf"):
        if isinstance(several := schema.get(key), list):
            yield from (((key, place), part) for place, part in enumerate(several))
    yield from (((key,), schema[key]) for key in ("not", "if", "then", "else") if key in schema)


def _target(root: dict[str, Plain], ref: str, path: Path, inside: frozenset[str]) -> Plain:
    definitions, name = root.get("$defs"), ref.rpartition("/")[2]
    if not isinstance(definitions, dict) or name not in definitions:
        raise BadValueSchema((*path, "$ref"), f"there is no {ref}: write that schema under $defs at the top of value")
    if ref in inside:
        raise BadValueSchema((*path, "$ref"), f"{ref} leads back to itself")
    return definitions[name]
