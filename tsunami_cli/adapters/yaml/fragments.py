"""Write YAML: fragments as the lines of a block, or within one line as flow."""

import re
from collections.abc import Mapping
from typing import cast

from tsunami_cli.adapters.yaml.documents import parse
from tsunami_cli.adapters.yaml.scalars import resolved
from tsunami_cli.core.edits import Fragment
from tsunami_cli.core.nodes import Plain, plain

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def meaning(fragment: Fragment) -> Plain:
    """Return what `fragment` says; raises ValueError for a text that is not one line of YAML."""
    if isinstance(fragment, str):
        root, problems = parse(fragment.encode(), fragment)
        if root is None or "\n" in fragment:
            raise ValueError(f"not one line of YAML: {fragment!r}: {'; '.join(p.message for p in problems)}")
        return plain(root)
    if isinstance(fragment, tuple):
        return [meaning(item) for item in fragment]
    return {key: meaning(value) for key, value in _pairs(fragment)}


def same(one: Plain, other: Plain) -> bool:
    """Tell whether two documents say the same: 1, 1.0 and true differ, the order of keys does not count."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return type(one) is type(other) and repr(one) == repr(other)


def fits_a_line(fragment: Fragment) -> bool:
    """Tell whether `fragment` is written behind its key or dash: a text, and what is empty."""
    return isinstance(fragment, str) or not fragment


def flow(fragment: Fragment) -> str:
    """Return `fragment` as it is written within brackets or braces."""
    if isinstance(fragment, str):
        return _within_flow(fragment)
    if isinstance(fragment, tuple):
        return f"[{', '.join(map(flow, fragment))}]"
    return f"{{{', '.join(flow_pair(key, value) for key, value in _pairs(fragment))}}}"


def flow_pair(key: str, fragment: Fragment) -> str:
    """Return key and value as they are written within braces."""
    return f"{_key(key)}: {flow(fragment)}"


def block(fragment: Fragment, indent: int) -> list[str]:
    """Return the lines of a mapping or sequence that is not empty, `indent` spaces in."""
    if isinstance(fragment, tuple):
        return [line for item in fragment for line in _item(item, indent)]
    return [line for key, value in _pairs(fragment) for line in _pair(key, value, indent)]


def _item(fragment: Fragment, indent: int) -> list[str]:
    if fits_a_line(fragment):
        return [f"{' ' * indent}- {line(fragment)}"]
    first, *rest = block(fragment, indent + 2)
    return [f"{' ' * indent}- {first.lstrip()}", *rest]


def _pair(key: str, fragment: Fragment, indent: int) -> list[str]:
    head = f"{' ' * indent}{_key(key)}:"
    return [f"{head} {line(fragment)}"] if fits_a_line(fragment) else [head, *block(fragment, indent + 2)]


def line(fragment: Fragment) -> str:
    """Return `fragment`, which fits a line, as it is written in a block."""
    return fragment if isinstance(fragment, str) else flow(fragment)


def _key(key: str) -> str:
    return key if _PLAIN_KEY.fullmatch(key) and resolved(key)[1] is None else _quoted(key)


def _within_flow(text: str) -> str:
    """Quote a plain text that would end early within brackets: `moved, by hand`."""
    said = meaning(text)
    root, _ = parse(f"[{text}]".encode(), text)
    kept = root is not None and same(plain(root), [said])
    return text if kept or not isinstance(said, str) else _quoted(said)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _pairs(fragment: Fragment) -> list[tuple[str, Fragment]]:
    return list(cast("Mapping[str, Fragment]", fragment).items())
