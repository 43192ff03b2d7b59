"""Bundles and hosts' objects."""

import json

from hypothesis import given
from hypothesis import strategies as st

from tests.core.fleets import val
from tsunami_cli.core.bundle import bundle, host_objects

GOLDEN = b"""{"role": "accesspoint", "sequence": 812, "hosts": {
"lon2-accesspoint-a1": {"docker":"1.12.3","helios":"0.9.12"},
"lon2-accesspoint-a2": {"docker":"1.12.1","helios":"0.9.12"}}}
"""


def test_golden() -> None:
    columns = {"helios": [val("0.9.12")] * 2, "docker": [val("1.12.3"), val("1.12.1")]}
    assert (
        bundle("accesspoint", 812, ["lon2-accesspoint-a1", "lon2-accesspoint-a2"], host_objects(columns, 2)) == GOLDEN
    )


def test_a_role_without_variables_and_one_without_hosts() -> None:
    assert json.loads(bundle("a", 1, ["h"], host_objects({}, 1))) == {"role": "a", "sequence": 1, "hosts": {"h": {}}}
    assert json.loads(bundle("a", 1, [], host_objects({"x": []}, 0))) == {"role": "a", "sequence": 1, "hosts": {}}


SCALARS = st.text() | st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)


NAMES = st.from_regex(r"[a-z][a-z0-9_-]{0,5}", fullmatch=True)


@given(st.dictionaries(NAMES, st.lists(SCALARS, min_size=3, max_size=3), max_size=5))
def test_what_is_read_back(columns: dict[str, list[str | int | float | bool]]) -> None:
    hosts = ["h1", "h2", "h3"]
    objects = host_objects({name: [val(scalar) for scalar in column] for name, column in columns.items()}, 3)
    raw = bundle("a", 7, hosts, objects)
    text = raw.decode("utf-8")
    assert text.endswith("}\n")
    assert text.count("\n") == 4, "one host a line"
    read = json.loads(text)
    assert read["hosts"] == {host: {name: columns[name][i] for name in columns} for i, host in enumerate(hosts)}
    for host in hosts:
        assert list(read["hosts"][host]) == sorted(columns)
    assert [json.loads(line) for line in objects] == list(read["hosts"].values())
