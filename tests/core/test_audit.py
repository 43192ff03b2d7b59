"""Tellings are read as they were written, whatever text they hold, and filters find exactly what they say."""

import json
import time
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledgers import BEGAN, telling
from tsunami_cli.core.audit import Filter, Telling, causes, lines, names, select
from tsunami_cli.core.model import Globs
from tsunami_cli.core.values import value_of

KEYS = ["at", "host", "role", "variable", "from", "to", "rollout", "sequence", "commit", "author", "action", "reason"]
HOSTILE = (
    '"host":"b",', '","host":"b","x":"', '\\","host":"b', "a\nb", "\r\n", "a\u2028b\u2029", "\x00\x1b[31m\x7f\x85",
    "\\", '"', "}\n{", "\ufeff", "😀", "é", "null", "",
)  # fmt: skip
TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
NAMES = st.sampled_from(["a", "b", "ab", "a-1", "a-2", "b.c"])
SCALARS = st.one_of(
    TEXTS, st.integers(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([0, 1, 1.0])
)
VALUES = st.none() | SCALARS.map(value_of)
INSTANTS = st.integers(0, 3).map(lambda hours: BEGAN + timedelta(hours=hours))
MAYBE = st.none() | TEXTS
NONE = st.just("")


def tellings(names_of: st.SearchStrategy[str] = NAMES) -> st.SearchStrategy[Telling]:
    return st.builds(
        Telling,
        INSTANTS,
        names_of,
        names_of,
        names_of,
        VALUES,
        VALUES,
        MAYBE,
        st.integers(1),
        MAYBE,
        MAYBE,
        MAYBE,
        MAYBE,
        NONE,
    )


def ordered(rows: list[Telling]) -> list[Telling]:
    return sorted(rows, key=lambda row: (row.host, row.variable))


def read(data: bytes, wanted: Filter | None = None) -> list[Telling]:
    rows, bad = select(data, "", wanted or Filter())
    assert bad == []
    return rows


def test_zero_and_minus_zero_are_two_values() -> None:
    line = '{{"at":"2026-03-02T10:00:00Z","host":"a","role":"r","variable":"v","from":{},"to":{},"rollout":null,'
    line += '"sequence":1,"commit":null,"author":null,"action":null,"reason":null}}\n'
    found = read((line.format("0.0", "-0.0") + line.format("-0.0", "0.0")).encode())
    assert [(str(one.before), str(one.after)) for one in found] == [("0.0", "-0.0"), ("-0.0", "0.0")]


@given(st.lists(tellings(NAMES | TEXTS), max_size=8))
def test_what_was_written_is_read(rows: list[Telling]) -> None:
    assert read(lines(rows)) == ordered(rows)


@given(st.lists(tellings(NAMES | TEXTS), max_size=8))
def test_every_line_is_what_json_writes(rows: list[Telling]) -> None:
    data = lines(rows)
    for line, row in zip(data.decode().split("\n")[:-1], ordered(rows), strict=True):
        found = json.loads(line)
        assert list(found) == KEYS
        assert json.dumps(found, ensure_ascii=False, separators=(",", ":")) == line
        assert found["at"] == row.at.isoformat().replace("+00:00", "Z")


def test_a_line() -> None:
    at = datetime(2016, 11, 15, 10, 5, tzinfo=UTC)
    row = telling("lon2-accesspoint-a7", at=at, role="accesspoint", sequence=163, commit="3f2c1ab", before=None)
    assert lines([row]).decode() == (
        '{"at":"2016-11-15T10:05:00Z","host":"lon2-accesspoint-a7","role":"accesspoint","variable":"docker",'
        '"from":null,"to":"1.12.3","rollout":"docker-20261116T090000Z","sequence":163,"commit":"3f2c1ab",'
        '"author":"Ann Ek <ann@example.com>","action":"start","reason":"proxy fix"}\n'
    )
    assert lines([]) == b""


def test_values_differ_by_their_type() -> None:
    values = ["1", 1, 1.0, True, "true", None]
    rows = [telling(f"h{number}", after=value) for number, value in enumerate(values)]
    assert [row.after for row in read(lines(rows))] == ['"1"', "1", "1.0", "true", '"true"', None]


def test_what_is_no_utf_8_is_replaced() -> None:
    (row,) = read(lines([telling(reason="a\ud800b")]))
    assert row.reason == "a?b"


PATTERNS = st.lists(st.sampled_from(["a", "b", "a*", "*", "?", "[ab]", "*b", "a-?", "none", "b.c", ""]), max_size=2)


@given(
    st.lists(tellings(), max_size=12), PATTERNS, PATTERNS, PATTERNS, st.none() | INSTANTS, st.none() | INSTANTS
)  # fmt: skip
def test_a_filter_finds_what_it_says_and_nothing_else(
    rows: list[Telling],
    hosts: list[str],
    variables: list[str],
    roles: list[str],
    since: datetime | None,
    until: datetime | None,
) -> None:
    wanted = Filter(Globs(tuple(hosts)), Globs(tuple(variables)), Globs(tuple(roles)), since, until)

    def right(row: Telling) -> bool:
        pairs = ((row.host, hosts), (row.variable, variables), (row.role, roles))
        named = all(not globs or any(fnmatchcase(name, glob) for glob in globs) for name, globs in pairs)
        return named and (since is None or since <= row.at) and (until is None or row.at <= until)

    assert read(lines(rows), wanted) == [row for row in ordered(rows) if right(row)]


@pytest.mark.parametrize("text", [text for text in HOSTILE if "host" in text])
def test_a_reason_or_value_that_looks_like_the_host(text: str) -> None:
    rows = [telling("a", reason=text, after=text), telling("b", sequence=2)]
    assert [row.host for row in read(lines(rows), Filter(Globs(("b",))))] == ["b"]
    assert [row.host for row in read(lines(rows), Filter(Globs(("b*",))))] == ["b"]


def test_lines_written_by_another_tool_are_read() -> None:
    data = json.dumps({"new": 1, **json.loads(lines([telling("a")]))}).encode()  # spaces, one key more, no newline
    assert [row.host for row in read(data)] == ["a"]


@pytest.mark.parametrize(
    "line",
    [
        b"{", b"[]", b"1", b"null", b"{}", b"\xff", b"[" * 100_000, b'{"at":1}',
        lines([telling()]).replace(b'"sequence":1', b'"sequence":"1"'),
        lines([telling()]).replace(b'"sequence":1', b'"sequence":' + b"1" * 5000),
        lines([telling()]).replace(b'"to":"1.12.3"', b'"to":[]'),
        lines([telling()]).replace(b'"to":"1.12.3"', b'"to":NaN'),
        lines([telling()]).replace(b'"reason":"proxy fix"', b'"reason":5'),
        lines([telling()]).replace(b'"host":"lon2-db-a1"', b'"host":null'),
        lines([telling()]).replace(b"2026-11-16T", b"2026-11-36T"),
    ],
)  # fmt: skip
def test_a_line_that_is_no_telling_is_left_out_and_named(line: bytes) -> None:
    good = lines([telling("a")])
    rows, bad = select(good + line.rstrip(b"\n") + b"\n" + good, "0123abc", Filter())
    assert [(row.host, row.publish) for row in rows] == [("a", "0123abc")] * 2
    assert len(bad) == 1
    assert bad[0].startswith("line 2 is no telling")


def test_names() -> None:
    data = lines([telling("a", variable="docker", role="db", reason='"host":"b",')])
    assert names(data, "host", "a")
    assert names(data, "variable", "docker")
    assert names(data, "role", "db")
    assert not names(data, "host", "b")
    assert not names(data, "role", "d")


def test_causes() -> None:
    rows = [telling("a", commit="1"), telling("b", commit="1"), telling("a", commit="2", variable="x")]
    assert causes(rows) == {("1", "docker"), ("2", "x")}


def test_a_hundred_thousand_tellings_are_written_and_searched_at_once() -> None:
    rows = [telling(f"host-{number:06d}", role=f"role-{number % 200}") for number in range(100_000)]
    began = time.process_time()
    data = lines(rows)
    found = read(data, Filter(Globs(("host-050000",))))
    assert time.process_time() - began < 2, "a tenth of that is what it takes"
    assert [row.host for row in found] == ["host-050000"]
    assert len(data.split(b"\n")) == 100_001
