"""From the library's errors to complaints in our own words."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from tsunami_cli.adapters.schemas.findings import Complaint
from tsunami_cli.core.nodes import Path, Plain

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError


def complaints_of(error: "ValidationError", schema: dict[str, Any], data: Plain) -> Iterator[Complaint]:
    """Yield what one error of the library says of a document."""
    path = typed(tuple(error.instance_path), data)
    owner = at(schema, tuple(error.schema_path[:-1]))
    keyword = str(error.kind.name)
    if keyword == "additionalProperties":
        known = tuple(owner["properties"])
        yield from (Complaint((*path, key), _unknown(key, known)) for key in error.kind.value)
    elif keyword == "propertyNames":
        name = error.kind.value.instance
        yield Complaint((*path, name), f"{_shown(name)} is {owner['errorMessage']}")
    elif keyword == "required":
        key = error.kind.value
        yield Complaint((*path, key), _missing(key, owner.get("properties")))
    else:
        value = at(data, path)
        own = owner.get("errorMessage")
        yield Complaint(path, f"{_shown(value)} is {own}" if own else said(error, value, "key"))


def _unknown(key: str, known: tuple[str, ...]) -> str:
    few = f"; the keys here are {', '.join(known)}" if len(known) <= 12 else ""
    return f"unknown key{_near(key, known) or f': take it away{few}'}"


def _missing(key: str, properties: Mapping[str, Any] | None) -> str:
    example = ((properties or {}).get(key, {}).get("examples") or [{}])[0]
    if isinstance(example, dict | list):
        return f"{key} is missing"
    return f"{key} is missing: write for example {key}: {json.dumps(example)}"


_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}
_LIMITS = {
    "minimum": "is less than {}",
    "maximum": "is more than {}",
    "exclusiveMinimum": "is not more than {}",
    "exclusiveMaximum": "is not less than {}",
    "multipleOf": "is not a multiple of {}",
    "minLength": "has fewer than {} characters",
    "maxLength": "has more than {} characters",
    "minItems": "needs {} or more items",
    "minProperties": "needs {} or more keys",
    "const": "is not {}",
    "pattern": "does not match {}",
    "format": "is not of the format {}",
}


def said(error: "ValidationError", value: object, what: Literal["key", "value"]) -> str:
    """Say what does not fit, for a key of one of our documents or for a value of a variable."""
    from jsonschema_rs import ValidationErrorKind as Kinds

    shown, kind = _shown(value), error.kind
    match kind:
        case Kinds.Type():
            return f"{shown} is not {' or '.join(_TYPES[each] for each in kind.types)}{_hint(kind.types, value, what)}"
        case Kinds.Enum():
            return f"{shown} is none of {', '.join(map(_bare, kind.options))}{_near(value, kind.options)}"
        case Kinds.UniqueItems():
            return "the list holds an item twice"
        case Kinds.BacktrackLimitExceeded() | Kinds.RegexEngineFailure():
            return f"the pattern is too much work for {shown}: write a simpler one"
        case Kinds.AnyOf() | Kinds.OneOfNotValid():
            branches = [said(branch[0], value, what) for branch in kind.context if branch]
            return ", and ".join(dict.fromkeys(branches[:5]))
        case Kinds.OneOfMultipleValid():
            return f"{shown} fits more than one schema of oneOf"
        case _ if kind.name in _LIMITS:
            return f"{shown} {_LIMITS[kind.name].format(_bare(kind.value))}"
        case _:
            return f"{shown} is excluded by {kind.name}"


def _hint(types: list[str], value: object, what: Literal["key", "value"]) -> str:
    if value is None:
        return ", or leave the key out" if what == "key" else ""
    if "string" in types and isinstance(value, int | float):
        return ": put it in quotes"
    if types == ["array"] and isinstance(value, str | int | float):
        return f": write [{_shown(value)}]"
    return ""


def _near(value: object, options: Iterable[Any]) -> str:
    """Return what was probably meant, as a question; nothing where that is no guess."""
    from difflib import get_close_matches

    if not isinstance(value, str) or len(value) > 60:
        return ""
    near = get_close_matches(value.lower(), [option for option in options if isinstance(option, str)], 1)
    return f": did you mean {near[0]}?" if near else ""


def _shown(value: object) -> str:
    """Show what stands in the document, short, in one line, and such that no terminal obeys it."""
    match value:
        case None:
            return "an empty value"
        case dict():
            return "a mapping"
        case list():
            return "a list" if value else "an empty list"
        case int() if value.bit_length() > 200:
            return "a number of more than 60 digits"
        case str():
            value = re.sub("//[^/@]*@", "//***@", value)
            value = value if len(value) <= 60 else value[:57] + "..."
    return json.dumps(value, ensure_ascii=not str(value).isprintable())


def _bare(value: object) -> str:
    """Show what stands in a schema."""
    return _clean(value) if isinstance(value, str) else _shown(value)


def _clean(text: str) -> str:
    text = text if len(text) <= 200 else text[:197] + "..."
    return text if text.isprintable() else json.dumps(text)[1:-1]


def not_json(unreadable: Exception) -> str:
    """Say why a document could not even be read as JSON."""
    if isinstance(unreadable, UnicodeError) or "Unicode" in str(unreadable):
        return "a text holds half a character (a lone surrogate, \\ud800 to \\udfff): take it away"
    if "ecursion" in str(unreadable):
        return "lists and mappings are nested too deeply"
    return "a number has too many digits"


def said_of_schema(wrong: "ValidationError", path: Path, schema: Plain) -> str:
    """Say what is wrong with a schema that stands in a variable."""
    shown = _shown(at(schema, path))
    if path[-1:] == ("pattern",):
        return f"{shown} is not a regular expression (ECMA 262), or one that is far too large"
    if path[-1:] == ("format",):
        return f"{shown} is not a format of JSON Schema: write a pattern instead"
    return f"not a JSON Schema: {_clean(wrong.message)}"


def typed(path: tuple[str | int, ...], data: Plain) -> Path:
    """Give a path back the keys that the library took for places: `7` and `007` where they are keys."""
    steps: list[str | int] = []
    for step in path:
        if isinstance(data, dict) and isinstance(step, int):
            same = (key for key in data if key.lstrip("+0") == str(step).lstrip("0"))
            step = str(step) if str(step) in data else next(same)
        steps.append(step)
        data = at(data, (step,))
    return tuple(steps)


def at(data: Any, path: Path) -> Any:
    """Return the piece of some data at a path."""
    for step in path:
        data = data[step]
    return data
