"""The door to JSON Schema: its complaints, and the check of values."""

import math
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tsunami_cli.adapters.schemas import MOST_COMPLAINTS, BadValueSchema, Complaint, Kind, complaints, value_checker
from tsunami_cli.core.nodes import Plain

ROOT = Path(__file__).resolve().parents[2]
VERSION: dict[str, Plain] = {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"}
GOOD: dict[str, Plain] = {"name": "docker", "value": {"type": "string"}, "default": "a"}


def said(kind: Kind, data: Plain) -> list[tuple[Any, ...]]:
    return [(*complaint.path, complaint.message) for complaint in complaints(kind, data)]


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({}, []),
        ({"defualt": 1}, [("defualt", "unknown key: did you mean default?")]),
        (
            {"limits": {"*": {"zzz": 1}}},
            [("limits", "*", "zzz", "unknown key: take it away; the keys here are at_least, at_most, per_hour")],
        ),
        ({"description": 5}, [("description", "5 is not text: put it in quotes")]),
        ({"roles": "*"}, [("roles", 'is not a list: write ["*"]')]),
        ({"pins": None}, [("pins", "an empty value is not a list, or leave the key out")]),
        ({"limits": {"7": {"at_most": "x"}}}, [("limits", "7", "at_most", '"x" is not a share: ')]),
        ({"limits": {"007": {"at_most": "x"}}}, [("limits", "007", "at_most", '"x" is not a share: ')]),
        ({"limits": {"a b": {"at_most": 1}}}, [("limits", "a b", '"a b" is not a glob of names: ')]),
        (
            {"calendar": {"timezone": "UTC", "days": ["monday"]}},
            [("calendar", "days", 0, '"monday" is none of mon, tue, wed, thu, fri, sat, sun: did you mean mon?')],
        ),
        (
            {"calendar": {"timezone": "UTC", "days": ["mon", "mon"]}},
            [("calendar", "days", "the list holds an item twice")],
        ),
        (
            {"rollouts": [{"id": "a-1", "selection": 1, "from": ["a"], "to": "b", "over": 14, "schedule": []}]},
            [
                (
                    "rollouts",
                    0,
                    "over",
                    "14 is not a duration above zero: write 90s, 45m, 36h, 14d, 2w or a sum such as 1d12h",
                ),
                ("rollouts", 0, "schedule", "an empty list needs 1 or more items"),
            ],
        ),
        (
            {"pins": [{"value": "a"}]},
            [
                ("pins", 0, "a mapping is not a pin: it needs hosts, roles or both"),
                ("pins", 0, "reason", "reason is missing: write for example reason: "),
            ],
        ),
    ],
)
def test_complaints_of_a_variable(extra: dict[str, Plain], expected: list[tuple[Any, ...]]) -> None:
    found = said("variable", GOOD | extra)
    assert [one[:-1] for one in found] == [one[:-1] for one in expected], found
    for (*_, message), (*_, part) in zip(found, expected, strict=True):
        assert part in message


def test_missing_keys_are_each_where_they_would_be() -> None:
    assert said("variable", {}) == [
        ("default", 'default is missing: write for example default: "1.12.1"'),
        ("name", 'name is missing: write for example name: "docker"'),
        ("value", "value is missing"),
    ]


def test_a_file_of_nothing_is_empty() -> None:
    assert complaints("settings", None) == (Complaint((), "the file is empty"),)


def test_secrets_are_not_repeated() -> None:
    found = said("settings", {"fleet": "a", "guard": {"prometheus": "http://ada:secret@metrics.example"}})
    assert "secret" not in str(found)
    assert "with no credentials in it" in str(found)


def test_complaints_are_the_same_in_every_order_of_keys() -> None:
    bad: dict[str, Plain] = {"a": 1, "name": 1, "default": None, "roles": 1, "limits": {"*": {"x": 1, "y": 2}}}
    assert complaints("variable", bad) == complaints("variable", dict(reversed(bad.items())))


def test_no_terminal_obeys_what_stands_in_a_file() -> None:
    found = said("variable", GOOD | {"name": "\x1b[31mred\u202e"})
    assert found[0][-1].isprintable()


@pytest.mark.parametrize(
    ("data", "part"),
    [
        ({"a": "\ud800"}, "half a character"),
        ({"\ud800": "a"}, "half a character"),
        ({"a": math.inf}, "not a value"),
        ({"a": math.nan}, "not a value"),
        ({"a": 10**5000}, "too many digits"),
        ([], "is not a mapping"),
        ("a" * 10**6, "is not a mapping"),
    ],
)
def test_what_is_not_json_is_complained_of_too(data: Plain, part: str) -> None:
    found = complaints("host", data)
    assert part in found[0].message
    assert all(len(complaint.message) < 400 for complaint in found)


def test_deep_nesting_is_a_complaint() -> None:
    data: Plain = "a"
    for _ in range(5000):
        data = [data]
    assert "nested too deeply" in complaints("host", data)[0].message


def test_a_huge_document_ends_in_a_bounded_number_of_complaints() -> None:
    data: dict[str, Plain] = {f"host-{i}": {"A": None} for i in range(10_000)}
    begun = time.process_time()
    found = complaints("bundle", {"role": "a", "sequence": 1, "hosts": data})
    assert 0 < len(found) <= MOST_COMPLAINTS
    assert time.process_time() - begun < 5


# --- values


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        (VERSION, "1.12.3", ()),
        (VERSION, "1.12", (r'"1.12" does not match ^\d+\.\d+\.\d+$',)),
        (VERSION, "1.12.3\n", (r'"1.12.3\n" does not match ^\d+\.\d+\.\d+$',)),
        (VERSION, "١.١٢.٣", (r'"١.١٢.٣" does not match ^\d+\.\d+\.\d+$',)),
        (VERSION, 1.12, ("1.12 is not text: put it in quotes",)),
        ({}, math.inf, ("a number must be finite",)),
        ({}, None, ("a value is text, a number, true or false",)),
        ({}, ["a"], ("a value is text, a number, true or false",)),
        (
            {"type": "string"},
            "\ud800",
            ("a text holds half a character (a lone surrogate, \\ud800 to \\udfff): take it away",),
        ),
        ({"type": "integer", "minimum": 128}, 64, ("64 is less than 128",)),
        ({"type": "integer"}, True, ("true is not a whole number",)),
        ({"type": "integer", "maximum": 10**30}, 10**31, (f"{10**31} is more than {10**30}",)),
        ({"enum": ["cubic", "bbr"]}, "cubik", ('"cubik" is none of cubic, bbr: did you mean cubic?',)),
        ({"const": 1}, True, ("true is not 1",)),
        ({"not": {"const": "1.12.2"}}, "1.12.2", ('"1.12.2" is excluded by not',)),
        ({"format": "ipv4"}, "10.0.0.300", ('"10.0.0.300" is not of the format ipv4',)),
        (
            {"anyOf": [{"type": "integer"}, {"pattern": "^max$"}]},
            "min",
            ('"min" is not a whole number, and "min" does not match ^max$',),
        ),
        ({"oneOf": [{"type": "integer"}, {"minimum": 1}]}, 5, ("5 fits more than one schema of oneOf",)),
        ({"minLength": 3}, "ab", ('"ab" has fewer than 3 characters',)),
        ({"$ref": "#/$defs/v", "$defs": {"v": {"maxLength": 1}}}, "ab", ('"ab" has more than 1 characters',)),
    ],
)
def test_value_checker(schema: dict[str, Plain], value: object, expected: tuple[str, ...]) -> None:
    assert value_checker(schema)(value) == expected


@pytest.mark.parametrize(
    ("schema", "path", "part"),
    [
        ({"type": "strin"}, ("type",), "write string, integer, number or boolean"),
        ({"type": ["string", "null"]}, ("type", 1), "null"),
        ({"patern": "a"}, ("patern",), "did you mean pattern?"),
        ({"pattern": "^[0-9"}, ("pattern",), "is not a regular expression"),
        ({"anyOf": [{"pattern": "("}]}, ("anyOf", 0, "pattern"), "is not a regular expression"),
        ({"pattern": "a{1000000000}"}, ("pattern",), "is not a regular expression"),
        ({"pattern": "((a{100}){100}){100}"}, ("pattern",), "far too large"),
        ({"pattern": "a" * 1001}, ("pattern",), "more than 1000 characters"),
        ({"pattern": "\ud800"}, (), "half a character"),
        ({"format": "semver"}, ("format",), "write a pattern instead"),
        ({"minLength": -1}, ("minLength",), "is less than 0"),
        ({"multipleOf": 0}, ("multipleOf",), "is not more than 0"),
        ({"$ref": "https://schemas.example/a.json"}, ("$ref",), "is not a local reference"),
        ({"$ref": "file:///etc/passwd"}, ("$ref",), "is not a local reference"),
        ({"$ref": "#"}, ("$ref",), "is not a local reference"),
        ({"$ref": "#/$defs/a"}, ("$ref",), "there is no #/$defs/a"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}, ("$defs", "a", "$ref"), "leads back to itself"),
        ({"$schema": "https://json-schema.org/draft/2020-12/schema"}, ("$schema",), "unknown key"),
        ({"$id": "a"}, ("$id",), "unknown key"),
        ({"not": {"$dynamicRef": "#a"}}, ("not", "$dynamicRef"), "unknown key"),
    ],
)
def test_a_wrong_schema_is_refused_with_its_place(
    schema: dict[str, Plain], path: tuple[str | int, ...], part: str
) -> None:
    with pytest.raises(BadValueSchema) as caught:
        value_checker(schema)
    assert (caught.value.path, part in caught.value.message) == (path, True), caught.value


def doubling(depth: int) -> dict[str, Plain]:
    definitions: dict[str, Plain] = {"a0": {"type": "string"}}
    for i in range(depth):
        ref: Plain = {"$ref": f"#/$defs/a{i}"}
        definitions[f"a{i + 1}"] = {"anyOf": [ref, ref]}
    return {"$ref": f"#/$defs/a{depth}", "$defs": definitions}


def test_definitions_that_double_are_refused() -> None:
    assert value_checker(doubling(5))("a") == ()
    with pytest.raises(BadValueSchema, match="simplify"):
        value_checker(doubling(60))


@pytest.mark.parametrize(
    "pattern", [r"^(a+)+$", r"^(?=a)(a+)+$", r"^(a|a)*\1$", r"(?!x).*y", r"(?!x)(a|b)*y(?!z)", r"^(\w{1,900}\W?)+y$"]
)
@pytest.mark.parametrize("length", [50, 4000, 1_000_000])
def test_no_pattern_hangs(pattern: str, length: int) -> None:
    begun = time.perf_counter()
    assert value_checker({"pattern": pattern})("a" * length + "!") != ()
    assert time.perf_counter() - begun < 3


def test_a_number_too_long_to_show_is_not_shown() -> None:
    assert value_checker({"enum": ["cubic"]})(10**5000) == ("a number of more than 60 digits is none of cubic",)


def test_regular_expressions_are_those_of_ecma_262() -> None:
    """Python's own `re` would say yes to all three."""
    assert value_checker({"pattern": "^a$"})("a\n") != ()
    assert value_checker({"pattern": r"^\d$"})("٣") != ()
    assert value_checker({"pattern": r"^\w$"})("ä") != ()
    assert value_checker({"pattern": "b"})("abc") == ()


def test_the_library_is_imported_only_when_asked() -> None:
    code = (
        "import sys, tsunami_cli.adapters.schemas as s; print('jsonschema_rs' in sys.modules, s.complaints('host', {}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("False ()\n", "")
