"""What a host believes: manifests and objects, checked in their order, and what is kept of them."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.published import FLEET, HOST, ROLE, VALUES, bundle, entry, flat, manifest, objects
from tsunami_cli.core import pulling
from tsunami_cli.core.problems import Refusal
from tsunami_cli.core.pulling import Kept, Notice, Unmatched, Wanted

WANTED = Wanted(HOST)
OBJECTS = objects()
NOTICE = pulling.read_manifest(manifest(OBJECTS), WANTED, None, None)
KEPT = Kept("place", '"e"', NOTICE, NOTICE.sha256)


def refused(data: bytes, fleet: str | None = None, kept: Kept | None = None, wanted: Wanted = WANTED) -> str:
    with pytest.raises(Refusal) as no:
        pulling.read_manifest(data, wanted, fleet, kept)
    assert "\n" not in str(no.value)
    return str(no.value)


def test_a_manifest_is_read() -> None:
    assert (
        Notice(
            "backend",
            812,
            datetime(2026, 11, 16, 9, tzinfo=UTC),
            datetime(2026, 11, 16, 10, tzinfo=UTC),
            **entry(flat(VALUES)),
        )
        == NOTICE
    )
    assert pulling.read_object(flat(VALUES), WANTED, NOTICE) == flat(VALUES)


def test_the_names_of_objects() -> None:
    assert Wanted(HOST).object == f"hosts/{HOST}.json"
    assert Wanted(HOST, ROLE).object == f"roles/{ROLE}.json"
    for odd in ("", "../x", "A", "a/b", "a..b", "-a", "a\n", "a" * 64):
        assert Wanted(odd).fault(), odd
    for odd in ("", "../x", "a/b", "a..b", "A"):
        assert Wanted(HOST, odd).fault(), odd
    assert Wanted(HOST, ROLE).fault() is None


NO_ENTRIES: list[Any] = [
    None,
    "x",
    [],
    {},
    {"size": 3},
    entry(b"") | {"size": -1},
    *(entry(b"") | {"sha256": odd} for odd in (None, "0" * 63, "Z" * 64, ["a"] * 64)),
]

# In the order of the checks: each document has this fault and all the later ones.
WRONG: dict[str, Any] = {"fleet": "staging", "sequence": 811, "objects": {}}


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        (WRONG, "of the fleet staging, not of backend"),
        (WRONG | {"fleet": "backend"}, "has sequence 811, and the one before had 812"),
        (WRONG | {"fleet": "backend", "sequence": 812}, f"has no hosts/{HOST}.json"),
    ],
)
def test_the_checks_of_a_manifest_have_an_order(fields: dict[str, Any], says: str) -> None:
    assert says in refused(manifest({}, **fields), kept=KEPT)


def test_the_checks_of_an_object_have_an_order() -> None:
    nested = flat({"docker": {"a": 1}})
    with pytest.raises(Unmatched, match="is not what the manifest names"):
        pulling.read_object(nested, WANTED, NOTICE)
    right = dataclasses.replace(NOTICE, **entry(nested))
    with pytest.raises(Refusal, match="docker: a value is text, a number, true or false"):
        pulling.read_object(nested, WANTED, right)


@pytest.mark.parametrize(
    ("fleet", "kept", "sequence", "says"),
    [
        (None, None, 1, None),
        ("backend", None, 1, None),
        ("staging", None, 1, "is of the fleet backend, not of staging"),
        (None, KEPT, 812, None),
        (None, KEPT, 813, None),
        (None, KEPT, 811, "an old one came back"),
        ("backend", KEPT, 811, "an old one came back"),
    ],
)
def test_fleet_and_sequence(fleet: str | None, kept: Kept | None, sequence: int, says: str | None) -> None:
    data = manifest(OBJECTS, sequence=sequence)
    if says:
        assert says in refused(data, fleet, kept)
    else:
        assert pulling.read_manifest(data, WANTED, fleet, kept).sequence == sequence


def test_another_fleet_is_no_accident_where_it_is_named() -> None:
    assert pulling.remembered(KEPT, None) is KEPT
    assert pulling.remembered(KEPT, "backend") is KEPT
    assert pulling.remembered(KEPT, "staging") is None
    assert pulling.remembered(None, "staging") is None


def test_who_is_missing_is_told_why() -> None:
    assert f"is {HOST} in the inventory?" in refused(manifest({"hosts/other.json": b"{}"}))
    assert "with --role" in refused(manifest(objects(per_host=False)))
    assert "is nope a role" in refused(manifest(OBJECTS), wanted=Wanted(HOST, "nope"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"<html>502 Bad Gateway</html>",
        b"\xff\xfe{}",
        b"\xef\xbb\xbf{}",
        b'{"fleet": "a", "fleet": "a"}',
        b'{"sequence": NaN}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"sequence": ' + b"9" * 5_000 + b"}",
        manifest(OBJECTS)[:-20],
        manifest(OBJECTS) + b"{}",
        *(manifest(OBJECTS, **{name: None}) for name in ("fleet", "sequence", "rendered_at", "expires_at", "objects")),
        *(manifest(OBJECTS, fleet=odd) for odd in ("", 3, ["backend"])),
        *(manifest(OBJECTS, sequence=odd) for odd in (-1, 1.5, "812", True)),
        *(manifest(OBJECTS, expires_at=odd) for odd in (3, "tomorrow", "2026-11-16T10:00:00+01:00")),
        manifest(OBJECTS, objects=[]),
        *(manifest(OBJECTS, objects={WANTED.object: odd}) for odd in NO_ENTRIES),
    ],
)
def test_what_is_no_manifest(data: bytes) -> None:
    assert refused(data).startswith("manifest.json: ")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b'{"a":null}',
        b'{"a":[1]}',
        b'{"a":{"b":1}}',
        b'{"a":1,"a":1}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1e999}',
        b'{"a":"\\ud800"}',
        b'{"\\ud800":1}',
        b'{"a":"\xff"}',
        b'{"a":1} {"b":2}',
        b"{'a':1}",
        b'{"a":1,}',
    ],
)
def test_what_is_no_flat_object(data: bytes) -> None:
    with pytest.raises(Refusal) as no:
        pulling.read_object(data, WANTED, dataclasses.replace(NOTICE, **entry(data)))
    assert not isinstance(no.value, Unmatched)
    assert str(no.value).startswith(WANTED.object)


@pytest.mark.parametrize("data", [flat(VALUES)[:-1], flat(VALUES) + b" ", flat(VALUES).replace(b"1", b"2"), b""])
def test_an_object_that_does_not_match(data: bytes) -> None:
    with pytest.raises(Unmatched):
        pulling.read_object(data, WANTED, NOTICE)


def from_bundle(data: bytes, host: str = HOST, role: str = ROLE) -> bytes:
    return pulling.read_object(data, Wanted(host, role), dataclasses.replace(NOTICE, **entry(data)))


def test_a_line_of_a_bundle_is_the_same_bytes_as_the_object_of_the_host() -> None:
    for role, hosts in FLEET.items():
        for host in hosts:
            data = from_bundle(OBJECTS[f"roles/{role}.json"], host, role)
            assert data == OBJECTS[f"hosts/{host}.json"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (bundle("db", 1, FLEET[ROLE]), "is not the bundle of role"),
        (bundle(ROLE, 1, FLEET["db"]), f"has no host {HOST}"),
        (flat({"role": ROLE, "hosts": []}), f"has no host {HOST}"),
        (flat({"role": ROLE, "hosts": {HOST: 3}}), "is not a JSON object"),
        (bundle(ROLE, 1, {HOST: {"a": None}}), "a: a value is"),
    ],
)
def test_bundles_that_are_wrong(data: bytes, says: str) -> None:
    with pytest.raises(Refusal, match=says):
        from_bundle(data)


def test_expired_is_past_the_instant() -> None:
    assert not NOTICE.expired(NOTICE.expires_at)
    assert NOTICE.expired(NOTICE.expires_at + timedelta(seconds=1))


@pytest.mark.parametrize("kept", [KEPT, Kept("p", None, NOTICE, "w", "x")])
def test_what_is_kept_reads_back(kept: Kept) -> None:
    assert Kept.parse(kept.text()) == kept


def damaged() -> list[bytes]:
    found = json.loads(KEPT.text())
    without = [{k: v for k, v in found.items() if k != name} for name in found if name != "executed"]
    other = [found | {name: 3} for name in found]
    inner = [found | {"notice": found["notice"] | {name: None}} for name in found["notice"]]
    texts = [json.dumps(document).encode() for document in (*without, *other, *inner, found | {"more": 1}, [], None)]
    return [b"", b"\0" * 500, KEPT.text()[:100], b"\xff", *texts]


@pytest.mark.parametrize("data", damaged())
def test_what_is_kept_may_be_damaged(data: bytes) -> None:
    assert Kept.parse(data) is None


def test_what_is_kept_tells_of_one_origin_and_one_content() -> None:
    assert KEPT.describes("place", flat(VALUES))
    assert not KEPT.describes("place", flat(VALUES) + b" ")
    assert not KEPT.describes("elsewhere", flat(VALUES))
    assert not KEPT.describes("place", None)


def test_differences() -> None:
    before, after = flat({"a": 1, "b": "x", "c": True}), flat({"a": 1, "b": "y", "d": 1.5})
    assert pulling.differences(before, after) == [("b", '"x"', '"y"'), ("c", "true", None), ("d", None, "1.5")]
    assert pulling.differences(None, flat({"a": 1})) == [("a", None, "1")]
    assert pulling.differences(b"# mine\n", flat({"a": 1})) == [("a", None, "1")]
    assert pulling.differences(flat({"a": {}}), flat({"a": 1})) == [("a", None, "1")]
    assert pulling.differences(flat({"a": 1}), flat({"a": True})) == [("a", "1", "true")]
    assert pulling.differences(flat({"a": 1}), b'{ "a": 1 }') == []


def test_the_splay_is_the_hosts_own_and_even() -> None:
    minute = timedelta(seconds=60)
    hosts = [f"lon2-web-a{number}" for number in range(5_000)]
    waits = [pulling.splay(host, minute) for host in hosts]
    assert waits == [pulling.splay(host, minute) for host in hosts]
    assert all(timedelta(0) <= wait < minute for wait in waits)
    each = [sum(int(wait.total_seconds()) == second for wait in waits) for second in range(60)]
    assert max(each) < 130, "83 a second would be even"
    assert pulling.splay(HOST, timedelta(0)) == timedelta(0)


texts = st.text(st.characters(exclude_categories=["Cs"]))
scalars = texts | st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)


@given(st.dictionaries(texts, scalars))
def test_every_flat_object_passes_whole(values: dict[str, Any]) -> None:
    data = flat(values)
    assert pulling.read_object(data, WANTED, dataclasses.replace(NOTICE, **entry(data))) == data
    packed = json.dumps({"role": ROLE, "sequence": 1, "hosts": {HOST: values}}, ensure_ascii=False).encode()
    assert from_bundle(packed) == data


@given(st.binary(max_size=300))
def test_nothing_breaks_it(data: bytes) -> None:
    for read in (lambda: pulling.read_manifest(data, WANTED, None, KEPT), lambda: from_bundle(data)):
        with pytest.raises(Refusal):
            read()
    assert Kept.parse(data) is None
