"""What differs between two documents, key by key, in words short enough for a line."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from tsunami_cli.core.nodes import Plain


@dataclass(frozen=True, slots=True)
class KeyChange:
    """One key that differs."""

    key: str
    """`limits.accesspoint.at_most`; items of lists go by their name or id, where they have one."""
    before: str | None
    """None where it was not there."""
    after: str | None


def key_changes(before: Plain, after: Plain, key: str = "") -> Iterator[KeyChange]:
    """Yield what differs, in the order of the new document, what is gone last."""
    if before == after and type(before) is type(after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in (*after, *(name for name in before if name not in after)):
            yield from key_changes(before.get(name), after.get(name), f"{key}.{name}" if key else name)
        return
    if isinstance(before or [], list) and isinstance(after or [], list) and (_rows(before) or _rows(after)):
        yield from _list(_rows(before), _rows(after), key)
        return
    old, new = compact(before), compact(after)
    if old == new:
        old, new = json.dumps(before), json.dumps(after)
    yield KeyChange(key, None if before is None else old, None if after is None else new)


def compact(value: Plain) -> str:
    """Write a piece of a document on one line, text bare."""
    match value:
        case str():
            return value
        case list():
            return f"[{', '.join(compact(item) for item in value)}]"
        case dict():
            return f"{{{', '.join(f'{name}: {compact(item)}' for name, item in value.items())}}}"
        case _:
            return json.dumps(value)


def _rows(value: Plain) -> list[dict[str, Plain]]:
    """Return the items of a list of mappings; none where it is anything else."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        return []
    return [item for item in value if isinstance(item, dict)]


def _list(before: list[dict[str, Plain]], after: list[dict[str, Plain]], key: str) -> Iterator[KeyChange]:
    """Yield what differs between two lists of mappings: by name or id, or as items that came and went."""
    if key == "rollouts" or all("name" in item for item in (*before, *after)):
        yield from key_changes(_named(before), _named(after), key)
        return
    if key.endswith(".schedule"):
        yield KeyChange(key, _points(before), _points(after))
        return
    gone = [item for item in before if item not in after]
    come = [item for item in after if item not in before]
    yield from (KeyChange(key, compact(item), None) for item in gone)
    yield from (KeyChange(key, None, compact(item)) for item in come)
    if not gone and not come:
        yield KeyChange(key, f"{len(before)} in their order", f"{len(after)} in another")


def _named(rows: list[dict[str, Plain]]) -> dict[str, Plain]:
    return {str(row.get("id", row.get("name", place))): row for place, row in enumerate(rows)}


def _points(schedule: list[dict[str, Plain]]) -> str:
    return ", ".join(f"{compact(point.get('at'))} {compact(point.get('percent'))} %" for point in schedule)
