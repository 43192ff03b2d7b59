"""The manifest, and how a store gets from one state to another."""

import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.fleets import after
from tests.test_schemas import ROOT
from tsunami_cli.core.bundle import bundle
from tsunami_cli.core.manifest import Manifest, parse_manifest, sync
from tsunami_cli.core.record import parse_bundle

EMPTY = Manifest("backend", 1, after(0), after(60), "a" * 40, "b" * 40, {})
FLEETS = st.dictionaries(
    st.sampled_from([f"h{n}" for n in range(8)]),
    st.tuples(st.sampled_from(["web", "db", "search"]), st.sampled_from(['{"x":"1"}', '{"x":"2"}', "{}"])),
)


def bundles(fleet: dict[str, tuple[str, str]], sequence: int) -> dict[str, bytes]:
    found = {}
    for role in sorted({role for role, _ in fleet.values()}):
        hosts = sorted(host for host, (where, _) in fleet.items() if where == role)
        found[role] = bundle(role, sequence, hosts, [fleet[host][1] for host in hosts])
    return found


def expected(made: dict[str, bytes], fleet: dict[str, tuple[str, str]], *, per_host: bool) -> dict[str, bytes]:
    found = {f"roles/{role}.json": data for role, data in made.items()}
    if per_host:
        found |= {f"hosts/{host}.json": f"{text}\n".encode() for host, (_, text) in fleet.items()}
    return found


def listed(objects: dict[str, bytes]) -> dict[str, dict[str, object]]:
    return {path: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)} for path, data in objects.items()}


@given(FLEETS, FLEETS, st.booleans(), st.booleans())
def test_a_store_gets_from_any_state_to_any_other(
    old: dict[str, tuple[str, str]], new: dict[str, tuple[str, str]], per_host: bool, known: bool
) -> None:
    before, after_ = bundles(old, 1), bundles(new, 2)
    lies = expected(before, old, per_host=per_host)
    # Bundles whose hosts did not change keep their number.
    for role, data in before.items():
        if role in after_ and parse_bundle(data).objects == parse_bundle(after_[role]).objects:
            after_[role] = data
    if known:
        changed = {role: after_.get(role) for role in {*before, *after_} if before.get(role) != after_.get(role)}
        found = sync(listed(lies), {r: parse_bundle(d) for r, d in before.items()}, changed, per_host=per_host)
    else:
        found = sync(listed(lies), None, dict(after_), per_host=per_host)
    for path, data in found.puts.items():
        assert lies.get(path) != data, f"{path} lies there already"
        lies[path] = data
    for path in found.deletes:
        del lies[path]
    assert lies == expected(after_, new, per_host=per_host)
    assert found.objects == listed(lies)


@given(FLEETS)
def test_host_objects_go_when_they_are_switched_off(fleet: dict[str, tuple[str, str]]) -> None:
    made = bundles(fleet, 1)
    lies = expected(made, fleet, per_host=True)
    off = sync(listed(lies), None, dict(made), per_host=False)
    assert off.deletes == {path for path in lies if path.startswith("hosts/")}
    assert not off.puts


def test_a_manifest_reads_as_it_was_written_and_fits_its_schema() -> None:
    import jsonschema

    objects = listed(expected(bundles({"h1": ("web", "{}")}, 1), {"h1": ("web", "{}")}, per_host=True))
    made = replace(EMPTY, objects=objects)
    assert parse_manifest(made.text) == made
    assert parse_manifest(EMPTY.text) == EMPTY
    schema = json.loads((ROOT / "schemas" / "manifest.schema.json").read_text())
    jsonschema.validate(json.loads(made.text), schema)
    assert made.text.endswith(b"}}\n")


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"null", b"<html>", b'{"fleet": "x"}', EMPTY.text.replace(b"2026", b"26"), b"\xff\xfe"],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_manifest(data)
