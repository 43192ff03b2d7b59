"""The schemas: what they let through, two engines that agree on it, and the examples."""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsunami_cli.adapters.schemas import complaints, value_checker
from tsunami_cli.adapters.yaml.documents import parse
from tsunami_cli.core.nodes import Node, Plain, at, plain

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = Path(__file__).resolve().parent / "examples"
SCHEMAS = {path.name.split(".")[0]: json.loads(path.read_text()) for path in sorted((ROOT / "schemas").iterdir())}
KINDS = ("bundle", "host", "manifest", "settings", "variable")
EXPECTATION = re.compile(r"# expect: (\d+): (.+?)( # schema)?")

MANIFEST: dict[str, Plain] = {
    "fleet": "backend",
    "sequence": 812,
    "rendered_at": "2016-11-18T13:20:00Z",
    "expires_at": "2016-11-18T14:20:00Z",
    "source": "3" * 40,
    "ledger": "a" * 64,
    "objects": {
        "roles/accesspoint.json": {"sha256": "0" * 64, "size": 4711},
        "hosts/lon2-accesspoint-a1.example.json": {"sha256": "f" * 64, "size": 0},
    },
}
BUNDLE: dict[str, Plain] = {
    "role": "accesspoint",
    "sequence": 812,
    "hosts": {"lon2-accesspoint-a1": {"docker": "1.12.3", "somaxconn": 4096}, "a.b-1": {}},
}


def subschemas(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping in a schema that is itself a schema."""
    if isinstance(schema, list):
        for part in schema:
            yield from subschemas(part)
    if not isinstance(schema, dict):
        return
    yield schema
    for key, part in schema.items():
        if key in ("properties", "$defs", "patternProperties"):
            for below in part.values():
                yield from subschemas(below)
        elif key not in ("examples", "const", "enum", "default"):
            yield from subschemas(part)


def properties() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for kind, schema in SCHEMAS.items():
        for sub in subschemas(schema):
            for name, prop in sub.get("properties", {}).items():
                yield kind, name, prop


def document(path: Path) -> Node:
    root, problems = parse(path.read_bytes(), path.name)
    assert root is not None, problems
    return root


def data_of(path: Path) -> Any:
    return plain(document(path))


DESIGN = data_of(EXAMPLES / "valid" / "design.yaml")


# --- the schemas themselves


def test_there_is_one_schema_for_each_kind() -> None:
    assert tuple(SCHEMAS) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_schema_is_a_self_contained_2020_12_schema(kind: str) -> None:
    schema = SCHEMAS[kind]
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:tsunami:schema:{kind}"
    assert all(sub.get("$ref", "#/$defs/").startswith("#/$defs/") for sub in subschemas(schema))
    assert all("title" in sub for sub in (schema, *schema.get("$defs", {}).values()))


def test_every_property_helps_while_typing() -> None:
    for kind, name, prop in properties():
        assert {"title", "description", "examples"} <= set(prop), f"{kind}: {name}"


def test_every_example_fits_its_own_property() -> None:
    for kind, name, prop in properties():
        own = jsonschema_rs.validator_for({**prop, "$defs": SCHEMAS[kind].get("$defs", {})})
        for example in (*prop["examples"], *([prop["default"]] if "default" in prop else [])):
            assert own.is_valid(example), f"{kind}: {name}: {example}"


def test_every_object_with_fixed_keys_is_closed() -> None:
    for kind, schema in SCHEMAS.items():
        for sub in subschemas(schema):
            if "properties" in sub:
                assert sub["additionalProperties"] is False, f"{kind}: {sub['title']}"


def test_every_pattern_is_anchored_and_ascii_and_says_what_to_write() -> None:
    for kind, schema in SCHEMAS.items():
        for sub in subschemas(schema):
            if "pattern" not in sub:
                continue
            pattern = sub["pattern"]
            assert pattern.isascii(), f"{kind}: {pattern}"
            assert not re.search(r"\\[dDwWsSbB]", pattern), f"{kind}: {pattern}"
            assert pattern == "[^ \\t\\r\\n]" or (pattern[0] == "^" and pattern.endswith("$(?!\\n)")), (
                f"{kind}: {pattern}"
            )
            assert sub["errorMessage"].startswith("not "), f"{kind}: {pattern}"


def test_what_two_schemas_define_is_the_same() -> None:
    for name in {name for schema in SCHEMAS.values() for name in schema.get("$defs", {})}:
        found = [schema["$defs"][name] for schema in SCHEMAS.values() if name in schema.get("$defs", {})]
        assert all(one == found[0] for one in found), name


# --- formats


def variable_with(path: tuple[str | int, ...], value: Plain) -> Any:
    data = copy.deepcopy(DESIGN)
    inner = data
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return data


FORMATS: dict[tuple[str | int, ...], tuple[list[Any], list[Any]]] = {
    ("name",): (["a", "a-b_9", "a" * 63], ["", "A", "9a", "-a", "a.b", "a" * 64, "ä", "a\n", " a", 1]),
    ("slos", 0, "settle"): (
        ["90s", "45m", "36h", "14d", "2w", "1d12h", "1w2d3h4m5s", "0s", "007d"],
        ["", "14", 14, "1.5d", "d", "1d1d", "12h1d", "1D", "1d ", " 1d", "+1d", "-1d", "١d", "1d\n", "1y", "1 d", None],
    ),
    ("rollouts", 0, "over"): (["1s", "100d", "0w1d"], ["0s", "0d0h", "s0", "14"]),
    ("limits", "*", "at_most"): (
        [0, 5, 10**30, "0%", "30%", "0.5%", "100%", "100.0%", "99.999999999%"],
        ["101%", "100.1%", "30", "%", "30 %", "-1%", -1, 0.5, "٣%", ".5%", "30%\n", True, "1e1%"],
    ),
    ("slos", 0, "max_silent"): (["10%", "0%", "100%"], [10, "10", "101%"]),
    ("rollouts", 0, "halted"): (
        ["2016-11-20T08:31:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"],
        [
            "2016-11-20",
            "2016-11-20T08:31Z",
            "2016-11-20 08:31:00Z",
            "2016-11-20T08:31:00+00:00",
            "2016-11-20t08:31:00z",
            "2016-13-20T08:31:00Z",
            "2016-11-20T24:00:00Z",
            "2016-11-20T08:31:60Z",
            "2016-11-20T08:31:00.5Z",
        ],
    ),
    ("calendar", "hours"): (
        ["09:00-17:00", "22:00-06:00", "00:00-24:00", "23:59-00:00"],
        ["9-17", "9:00-17:00", "24:00-08:00", "09:00-24:01", "09:60-17:00", "09:00 - 17:00", "09:00-17:00\n", ""],
    ),
    ("calendar", "closed", 0): (
        ["2016-12-24", "2016-12-24/2016-12-26"],
        ["2016-12-24/", "2016-12-32", "2016-00-01", "16-12-24", "2016-12-24 2016-12-26", "2016-12-24\n"],
    ),
    ("calendar", "days", 0): (["sun"], ["Mon", "monday", 1, ""]),
    ("calendar", "timezone"): (
        ["UTC", "Etc/GMT+1", "America/Argentina/Buenos_Aires"],
        ["", "+01:00", "../etc/passwd", "/etc/localtime", "Europe/", "Europe Stockholm"],
    ),
    ("slos", 0, "objective"): (
        ["<= 0.01", ">=1", "< -1e-3", "!= 0", "== 1", "> .5"],
        ["0.01", 0.01, "", "<= ", "=< 1", "<= 1%", "<= nan", "<= 1 ", "<= 1\n", "= 1"],
    ),
    ("slos", 0, "on_violation"): (
        ["halt", "rollback 2h", "rollback 1d12h"],
        ["rollback", "rollback 0s", "rollback 2", "rollback  2h", "stop", "halt\n"],
    ),
    ("rollouts", 0, "schedule", 0, "percent"): ([0, 100, 12.5, 1e-9], [-1, 100.5, "30", "30%", True, None]),
    ("rollouts", 0, "selection"): ([1], [2, "1", True, None]),
    ("rollouts", 0, "to"): (["", "a", 1, 1.5, False, 10**30], [None, [], {}]),
    ("rollouts", 0, "schedule"): ([], [[], None, {}]),
    ("pins", 0): (
        [{"hosts": ["a"], "value": 1, "reason": "x"}, {"hosts": ["a"], "roles": ["b"], "value": 1, "reason": "x"}],
        [{"value": 1, "reason": "x"}, {"hosts": [], "value": 1, "reason": "x"}, {"hosts": ["a"], "value": 1}],
    ),
    ("value",): (
        [{}, {"type": ["string", "integer"]}, {"anyOf": [{"type": "string"}, True]}, {"x-note": 1}],
        [
            True,
            None,
            "string",
            {"type": "null"},
            {"type": []},
            {"type": "array"},
            {"$ref": "#"},
            {"$ref": "#a"},
            {"$ref": "other.json#/$defs/a"},
            {"$schema": "x"},
            {"$dynamicRef": "#/$defs/a"},
            {"properties": {}},
        ],
    ),
}


@pytest.mark.parametrize(
    ("path", "value", "fits"),
    [
        pytest.param(path, value, fits, id=f"{path[-1]}={value!r}")
        for path, both in FORMATS.items()
        for values, fits in zip(both, (True, False), strict=True)
        for value in values
    ],
)
def test_format(path: tuple[str | int, ...], value: Plain, fits: bool) -> None:
    data = variable_with(path, value)
    assert (complaints("variable", data) == ()) is fits, complaints("variable", data)
    assert jsonschema.Draft202012Validator(SCHEMAS["variable"]).is_valid(data) is fits


SETTINGS_FORMATS: list[tuple[str, str, list[str], list[str]]] = [
    (
        "",
        "inventory",
        ["inventory.csv", "fleet/hosts.yaml"],
        ["/etc/hosts.csv", "../a.csv", "a/../b.csv", "a", "a\\b.csv"],
    ),
    (
        "",
        "branch",
        ["main", "release/1.2", "a_b-c"],
        ["", "-a", "a..b", "a b", "a~1", "a:b", "/a", "a/", "a.lock", "@{-1}"],
    ),
    ("", "fleet", ["backend", "Backend-2"], ["", "a b", "-a", "a\n"]),
    (
        "publish",
        "to",
        ["file:public", "file:/srv/tsunami", "s3://infra-state/tsunami", "gs://bucket", "az://container/a/b"],
        ["public", "s3://", "s3://key:secret@bucket/a", "https://a/b", "file:", "s3://bucket/a?b", "s3://bucket\n"],
    ),
    (
        "guard",
        "prometheus",
        ["http://localhost:9090", "https://metrics.example/prometheus", "http://[::1]:9090/"],
        [
            "localhost:9090",
            "http://ada:secret@metrics.example",
            "http://",
            "http://a b",
            "http://a?b=c",
            "http://a/b@c",
        ],
    ),
    ("guard", "host_label", ["instance", "_host"], ["", "1", "a-b", "instance\n"]),
]


@pytest.mark.parametrize(
    ("part", "key", "value", "fits"),
    [
        (part, key, value, fits)
        for part, key, good, bad in SETTINGS_FORMATS
        for values, fits in ((good, True), (bad, False))
        for value in values
    ],
)
def test_settings_format(part: str, key: str, value: str, fits: bool) -> None:
    data: dict[str, Plain] = {"fleet": "backend"}
    data |= {part: {key: value}} if part else {key: value}
    assert (complaints("settings", data) == ()) is fits
    assert jsonschema.Draft202012Validator(SCHEMAS["settings"]).is_valid(data) is fits


def test_published_objects_fit() -> None:
    assert complaints("manifest", MANIFEST) == ()
    assert complaints("bundle", BUNDLE) == ()
    assert complaints("host", {"docker": "1.12.3", "limit": 0.5, "on": True}) == ()


# --- two engines, one judgement

ODD: st.SearchStrategy[Plain] = st.sampled_from(
    [
        "14d",
        "14d\n",
        "30%",
        "٣%",
        "halt\n",
        "rollback 2h",
        "2016-11-20T08:31:00Z",
        "09:00-24:00",
        "mon",
        "<= 1",
        "#/$defs/a",
    ]
)
VALUES: st.SearchStrategy[Plain] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | ODD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def bent(draw: st.DrawFn, data: Any) -> Any:
    """A good document with some pieces of it replaced, taken away or added."""
    data = copy.deepcopy(data)
    for _ in range(draw(st.integers(1, 3))):
        places = [(up, key) for up in containers(data) for key in (up if isinstance(up, dict) else range(len(up)))]
        up, key = draw(st.sampled_from(places))
        action = draw(st.sampled_from(["replace", "remove", "add"]))
        if action == "remove":
            del up[key]
        elif action == "add" and isinstance(up, dict):
            up[draw(st.sampled_from(["x-a", "hosts", "percent", "a", "$ref"]))] = draw(VALUES)
        else:
            up[key] = draw(VALUES)
        if not isinstance(data, dict | list) or not list(containers(data)) or not any(map(len, containers(data))):
            break
    return data


def containers(data: Any) -> Iterator[Any]:
    if isinstance(data, dict | list):
        yield data
        for part in data.values() if isinstance(data, dict) else data:
            yield from containers(part)


@given(st.data())
@pytest.mark.parametrize(
    ("kind", "good"),
    [("variable", DESIGN), ("manifest", MANIFEST), ("bundle", BUNDLE)],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_both_engines_judge_alike(kind: str, good: Any, data: st.DataObject) -> None:
    instance = data.draw(bent(good))
    ours = jsonschema_rs.validator_for(SCHEMAS[kind]).is_valid(instance)
    assert jsonschema.Draft202012Validator(SCHEMAS[kind]).is_valid(instance) is ours


# --- the examples and the example fleet


def examples(folder: str) -> list[Any]:
    return [pytest.param(path, id=path.stem) for path in sorted((EXAMPLES / folder).glob("*.yaml"))]


def test_there_are_enough_examples() -> None:
    assert len(examples("valid")) >= 12
    assert len(examples("invalid")) >= 40


@pytest.mark.parametrize("path", examples("valid"))
def test_valid_example_fits(path: Path) -> None:
    data = data_of(path)
    assert complaints("variable", data) == ()
    assert value_checker(data["value"])(data["default"]) == ()
    assert data["name"] == path.stem


@pytest.mark.parametrize("path", examples("invalid"))
def test_invalid_example_is_complained_of_where_it_says(path: Path) -> None:
    found = EXPECTATION.fullmatch(path.read_text().partition("\n")[0])
    assert found is not None, "the first line says what to expect"
    line, message, by_schema = int(found[1]), found[2], found[3]
    root, _ = parse(path.read_bytes(), path.name)
    if root is None:
        assert not by_schema
        return
    said = [
        (at(root, complaint.path).span.line, complaint.message) for complaint in complaints("variable", plain(root))
    ]
    if by_schema:
        assert any(where == line and message in what for where, what in said), said
    else:
        assert said == [], "this is for the checks that a schema cannot make"


@pytest.mark.parametrize("path", sorted((ROOT / "rollouts").glob("*.yaml")), ids=lambda path: path.stem)
def test_example_fleet_has_sound_variables(path: Path) -> None:
    data = data_of(path)
    assert complaints("variable", data) == ()
    assert value_checker(data["value"])(data["default"]) == ()
    assert data["name"] == path.stem
    assert "rollouts" not in data


def test_example_fleet_has_sound_settings() -> None:
    assert complaints("settings", data_of(ROOT / "tsunami.yaml")) == ()
