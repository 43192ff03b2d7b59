"""Queries as people write them: `$variable`, `$from`, `$to` and `$role` stand for what the rollout is about."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tsunami_cli.core.model import Rollout, Variable
from tsunami_cli.core.values import key_text

NAMES = ("variable", "from", "to", "role")
_PIECE = re.compile(
    r"""(?P<comment>\#[^\n]*)
      | (?P<string>"(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' | `[^`]*`)
      | (?P<bare>\$(?:\{(?:variable|from|to|role)\}|(?:variable|from|to|role)\b))
      | (?P<other>[^\#"'`$]+ | .)""",
    re.VERBOSE | re.DOTALL,
)
_PLACE = re.compile(r"\$(?:\{(variable|from|to|role)\}|(variable|from|to|role)\b)")
_UNKNOWN = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_CONTROL = re.compile("[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class _Words:
    """What the names stand for; `role` may be one of them, or all."""

    variable: str
    values: tuple[str, ...]
    to: str
    roles: tuple[str, ...]

    def of(self, name: str) -> tuple[str, ...]:
        return {"variable": (self.variable,), "from": self.values, "to": (self.to,), "role": self.roles}[name]


def expanded(query: str, variable: Variable, rollout: Rollout, roles: Sequence[str]) -> tuple[str, ...]:
    """Return a query with the names in it replaced; `roles` are those to which the variable applies.

    Inside a string a name becomes escaped text, in a regular expression (after `=~` or `!~`) escaped for that too, and
    several values become alternatives. Outside of strings it becomes a string. Where `$role` has to be one role, there
    is a query for each. Raises ValueError where `$from` has to be one value and is several, or a value cannot be
    written.
    """
    if "$" not in query:
        return (query,)
    words = _Words(variable.name, tuple(map(key_text, rollout.came_from)), key_text(rollout.to), tuple(roles))
    whole = _filled(query, words)
    if whole is not None:
        return (whole,)
    return tuple(text for role in roles if (text := _filled(query, _only(words, role))) is not None)


def names_version(query: str) -> bool:
    """Say whether a query asks for one version alone, so that hosts with another one have no series by design."""
    pieces = (piece[0] for piece in _PIECE.finditer(query) if piece["comment"] is None)
    return any(name in ("to", "from") for text in pieces for found in _PLACE.finditer(text) for name in found.groups())


def unknown_names(query: str) -> Iterator[str]:
    """Yield what looks like one of our names and is none; `label_replace` has names of its own."""
    if "label_replace" not in query:
        yield from (found[1] for found in _UNKNOWN.finditer(query) if found[1] not in NAMES)


def _only(words: _Words, role: str) -> _Words:
    return _Words(words.variable, words.values, words.to, (role,))


def _filled(query: str, words: _Words) -> str | None:
    """Return the query with its names replaced; None where it has to be asked role by role."""
    found = ""
    for piece in _PIECE.finditer(query):
        text = piece[0]
        if piece["comment"] is not None:
            continue
        if piece["bare"] is not None:
            # As if it stood in quotes.
            filled = _in_string(f'"{text}"', words, pattern=found.rstrip().endswith(("=~", "!~")))
            if filled is None:
                return None
            text = filled
        elif piece["string"] is not None and "$" in text:
            filled = _in_string(text, words, pattern=found.rstrip().endswith(("=~", "!~")))
            if filled is None:
                return None
            text = filled
        found += text
    return found


def _in_string(text: str, words: _Words, *, pattern: bool) -> str | None:
    quote, inside, parts, last = text[0], text[1:-1], [], 0
    for place in _PLACE.finditer(inside):
        name = place[1] or place[2]
        if pattern:
            options = [re.escape(value) for value in words.of(name)]
            value: str | None = options[0] if len(options) == 1 else f"(?:{'|'.join(options)})"
        else:
            value = _one(name, words)
        if value is None:
            return None
        parts += [inside[last : place.start()], _escaped(value, quote)]
        last = place.end()
    return quote + "".join([*parts, inside[last:]]) + quote


def _one(name: str, words: _Words) -> str | None:
    """Return the one value of a name; None for a role among several, which is asked for one by one."""
    values = words.of(name)
    if len(values) == 1:
        return values[0]
    if name == "role":
        return None
    raise ValueError(f"${name} is {' and '.join(values) or 'nothing'} here: match it with =~")


def _escaped(value: str, quote: str) -> str:
    """Return text as it stands inside a PromQL string."""
    if quote == "`":
        if "`" in value:
            raise ValueError(f"{value} cannot stand between backticks: use quotes")
        return value
    text = value.replace("\\", "\\\\").replace(quote, f"\\{quote}")
    return _CONTROL.sub(lambda char: f"\\x{ord(char[0]):02x}", text)
