"""JSON Schema: the shape of our own files, and of the values of a variable.

A keyword's own words stand in the schema, as `errorMessage`, where yaml-language-server shows them too.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from tsunami_cli.adapters.schemas.findings import BadValueSchema, Complaint
from tsunami_cli.adapters.schemas.references import subschemas
from tsunami_cli.adapters.schemas.wording import complaints_of, not_json, said, said_of_schema, typed
from tsunami_cli.core.nodes import Plain
from tsunami_cli.errors import Refused

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

__all__ = ["BadValueSchema", "Complaint", "Kind", "complaints", "value_checker"]

Kind = Literal["variable", "settings", "bundle", "host", "manifest"]
"""The documents that have a schema."""

MOST_COMPLAINTS = 500
LONGEST_MATCHED = 4_096
"""Characters of a text that is matched with a pattern: some patterns take the square of it."""


def complaints(kind: Kind, data: Plain) -> tuple[Complaint, ...]:
    """Return what in a document does not fit its schema, by path; nothing where all is well."""
    if data is None:
        return (Complaint((), "the file is empty"),)
    schema, validator = _door(kind)
    try:
        json.dumps(data, ensure_ascii=False).encode()  # what the library does not look at may be no JSON all the same
        errors = list(islice(validator.iter_errors(data), MOST_COMPLAINTS))
    except (ValueError, RecursionError) as unreadable:
        return (Complaint((), not_json(unreadable)),)
    found = {complaint for error in errors for complaint in complaints_of(error, schema, data)}
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
    parts = list(subschemas(root))
    matched = any("pattern" in part for part in parts)
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
        return (not_json(unreadable),)
    return tuple(sorted({said(error, value, "value") for error in errors}))


@cache
def _door(kind: Kind) -> tuple[dict[str, Any], "Draft202012Validator"]:
    """Read and build the schema of a kind of document: beside the package's code, or in a source tree above it."""
    from pathlib import Path as File

    from jsonschema_rs import Draft202012Validator

    package = File(__file__).parents[2]
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
        path = typed(tuple(wrong.instance_path), schema)
        raise BadValueSchema(path, said_of_schema(wrong, path, schema)) from None
    except ValueError as unreadable:
        raise BadValueSchema((), not_json(unreadable)) from None
