"""JSON Schema: the shape of our own files, and of the values of a variable.

A keyword's own words stand in the schema, as `errorMessage`, where yaml-language-server shows them too.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tsunami_cli.core.nodes import Path, Plain, spelled
from tsunami_cli.errors import Refused

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator, ValidationError

Kind = Literal["variable", "settings", "bundle", "host", "manifest"]
"""The documents that have a schema."""

MOST_COMPLAINTS = 500
MOST_SUBSCHEMAS = 1_000
LONGEST_MATCHED = 4_096
"""Characters of a text that is matched with a pattern: some patterns take the square of it."""


class Complaint(NamedTuple):
    """One thing that does not fit, and how to mend it."""

    path: Path
    """Where; of a missing key, where it would be."""
    message: str


class BadValueSchema(Refused):
    """The schema under `value:` is itself wrong."""

    def __init__(self, path: Path, message: str) -> None:
        """Point at the place within the schema."""
        super().__init__(f"{spelled(('value', *path))}: {message}")
        self.path = path
        self.message = message


def complaints(kind: Kind, data: Plain) -> tuple[Complaint, ...]:
    """Return what in a document does not fit its schema, by path; nothing where all is well."""
    if data is None:
        return (Complaint((), "the file is empty"),)
    schema, validator = _door(kind)
    try:
        json.dumps(data, ensure_ascii=False).encode()  # what the library does not look at may be no JSON all the same
        errors = list(islice(validator.iter_errors(data), MOST_COMPLAINTS))
    except (ValueError, RecursionError) as unreadable:
        return (Complaint((), _not_json(unreadable)),)
    found = {complaint for error in errors for complaint in _complaints_of(error, schema, data)}
    return tuple(sorted(found))


def value_checker(schema: Mapping[str, Plain]) -> Callable[[object], tuple[str, ...]]:
    """Return the check of one value by the schema under `value:`; it says what does not fit.

    Raises BadValueSchema where the schema is wrong, or such that checking might not end.
    """
    root = dict(schema)
    frame: Plain = {"name": "x", "default": "", "value": root}
    for complaint in complaints("variable", frame):
        if complaint.path[:1] in ((), ("value",)):
            raise BadValueSchema(complaint.path[1:], complaint.message)
    subschemas = list(_subschemas(root))
    matched = any("pattern" in sub for sub in subschemas)
    validator = _built(root)
    return lambda value: _misfits(validator, value, matched)


def _misfits(validator: "Draft202012Validator", value: object, matched: bool) -> tuple[str, ...]:
    from math import isfinite

    if not isinstance(value, str | int | float):
        return ("a value is text, a number, true or false",)
    if isinstance(value, float) and not isfinite(value):
        return ("a number must be finite",)
    if matched and isinstance(value, str) and len(value) > LONGEST_MATCHED:
        return (f"the text has {len(value)} characters: with a pattern {LONGEST_MATCHED} are the most",)
    try:
        errors = list(islice(validator.iter_errors(value), MOST_COMPLAINTS))
    except ValueError as unreadable:
        return (_not_json(unreadable),)
    return tuple(sorted({_said(error, value, "value") for error in errors}))


# --- schemas


@cache
def _door(kind: Kind) -> tuple[dict[str, Any], "Draft202012Validator"]:
    """Read and build the schema of a kind of document: beside the package's code, or in a source tree above it."""
    from pathlib import Path as File

    from jsonschema_rs import Draft202012Validator

    package = File(__file__).parents[1]
    for folder in (package / "schemas", package.parent / "schemas"):
        try:
            text = (folder / f"{kind}.schema.json").read_bytes()
        except OSError:
            continue
        schema = json.loads(text)
        return schema, Draft202012Validator(schema, offline=True)
    raise Refused(f"{package / 'schemas'}: {kind}.schema.json is missing: install tsunami again")


def _built(schema: dict[str, Plain]) -> "Draft202012Validator":
    from jsonschema_rs import Draft202012Validator, FancyRegexOptions, ValidationError

    limits = FancyRegexOptions(backtrack_limit=100_000, size_limit=1_000_000)
    try:
        # A format that nobody knows would promise a check that is never made: refused.
        return Draft202012Validator(
            schema, offline=True, validate_formats=True, ignore_unknown_formats=False, pattern_options=limits
        )
    except ValidationError as wrong:
        path = _typed(tuple(wrong.instance_path), schema)
        raise BadValueSchema(path, _said_of_schema(wrong, path, schema)) from None
    except ValueError as unreadable:
        raise BadValueSchema((), _not_json(unreadable)) from None


def _said_of_schema(wrong: "ValidationError", path: Path, schema: Plain) -> str:
    shown = _shown(_at(schema, path))
    if path[-1:] == ("pattern",):
        return f"{shown} is not a regular expression (ECMA 262), or one that is far too large"
    if path[-1:] == ("format",):
        return f"{shown} is not a format of JSON Schema: write a pattern instead"
    return f"not a JSON Schema: {_clean(wrong.message)}"


def _subschemas(root: dict[str, Plain]) -> Iterator[dict[str, Plain]]:
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


# --- from the library's errors to complaints


def _complaints_of(error: "ValidationError", schema: dict[str, Any], data: Plain) -> Iterator[Complaint]:
    path = _typed(tuple(error.instance_path), data)
    owner = _at(schema, tuple(error.schema_path[:-1]))
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
        value = _at(data, path)
        own = owner.get("errorMessage")
        yield Complaint(path, f"{_shown(value)} is {own}" if own else _said(error, value, "key"))


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


def _said(error: "ValidationError", value: object, what: Literal["key", "value"]) -> str:
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
            branches = [_said(branch[0], value, what) for branch in kind.context if branch]
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


def _not_json(unreadable: Exception) -> str:
    """Say why a document could not even be read as JSON."""
    if isinstance(unreadable, UnicodeError) or "Unicode" in str(unreadable):
        return "a text holds half a character (a lone surrogate, \\ud800 to \\udfff): take it away"
    if "ecursion" in str(unreadable):
        return "lists and mappings are nested too deeply"
    return "a number has too many digits"


# --- paths


def _typed(path: tuple[str | int, ...], data: Plain) -> Path:
    """Give a path back the keys that the library took for places: `7` and `007` where they are keys."""
    steps: list[str | int] = []
    for step in path:
        if isinstance(data, dict) and isinstance(step, int):
            same = (key for key in data if key.lstrip("+0") == str(step).lstrip("0"))
            step = str(step) if str(step) in data else next(same)
        steps.append(step)
        data = _at(data, (step,))
    return tuple(steps)


def _at(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data
