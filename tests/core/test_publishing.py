"""A publish as a value, and the ledger's files: what is written is what is read, and nothing is lost on the way."""

import json
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.fleets import after, inventory, pin, publish, rollout, val, variable
from tests.core.paper import Paper
from tests.core.worlds import Moment, stories
from tsunami_cli.core.audit import Filter, select
from tsunami_cli.core.record import CHANGES, ROLES, parse_bundle, parse_told, told_text
from tsunami_cli.core.told import Telling, Told

UP = rollout((0, 0), (100, 100))
FLEET = inventory(a=10, b=3)


@given(stories())
def test_a_ledger_on_paper_tells_what_one_in_memory_does(story: list[Moment]) -> None:
    paper, told = Paper(), None
    for moment in story:
        plan = paper.publish([moment.variable], moment.fleet, moment.now, held=moment.held)
        fresh: Told = publish(moment.variable, moment.fleet, moment.now, told, held=moment.held)
        name, active = moment.variable.name, moment.variable.rollouts[-1].id
        expected = {host: fresh.given[host] for host in moment.fleet.hosts}
        assert {host: plan.told[name].given[host] for host in moment.fleet.hosts} == expected, str(moment)
        assert plan.told[name].progress[active] == fresh.progress[active], str(moment)
        assert paper.values(name) == expected, str(moment)
        if plan.worth_recording:
            told = fresh


@given(stories())
def test_the_changes_replayed_are_what_hosts_have(story: list[Moment]) -> None:
    paper, have = Paper(), dict[str, str]()
    for moment in story:
        plan = paper.publish([moment.variable], moment.fleet, moment.now, held=moment.held)
        if plan.worth_recording:
            rows, bad = select(paper.files[CHANGES], "x", Filter())
            assert not bad
            assert len(rows) == len(plan.news)
            for row in rows:
                assert have.get(row.host) == row.before, str(moment)
                assert row.sequence == paper.sequence
                if row.after is None:
                    del have[row.host]
                else:
                    have[row.host] = row.after
        else:
            assert not plan.news
        assert have == paper.values(moment.variable.name), str(moment)


@given(stories())
def test_a_bundle_changes_only_when_its_hosts_or_values_do(story: list[Moment]) -> None:
    paper = Paper()
    for moment in story:
        before = dict(paper.files)
        paper.publish([moment.variable], moment.fleet, moment.now, held=moment.held)
        for path, data in paper.files.items():
            if not path.startswith(f"{ROLES}/"):
                continue
            bundle = parse_bundle(data)
            same = path in before and parse_bundle(before[path]).objects == bundle.objects
            assert (data == before.get(path)) == same
            assert same or bundle.sequence == paper.sequence
            assert json.loads(data)["hosts"] == {host: json.loads(text) for host, text in bundle.objects.items()}


SCALARS = st.one_of(
    st.text(max_size=12),
    st.integers(-(10**20), 10**20),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
)
TEXTS = st.sampled_from(
    [
        "1.10",
        "1",
        "true",
        "null",
        "1e9",
        "NaN",
        "Infinity",
        '"',
        "a,b",
        "a\nb",
        " a ",
        "",
        "0.5",
        "-1",
        "[]",
        "1.12.3",
        "é",
    ]
)
NAMES = st.from_regex("[a-z][a-z0-9]{0,6}", fullmatch=True)


@given(st.dictionaries(NAMES, SCALARS | TEXTS, max_size=6), st.dictionaries(NAMES, SCALARS | TEXTS, max_size=6))
def test_what_was_told_reads_as_it_was_written(before: dict[str, object], moved: dict[str, object]) -> None:
    def rows(found: dict[str, object]) -> dict[str, Telling]:
        scalars = {h: s for h, s in found.items() if not (isinstance(s, str) and not s.isprintable() and "\ud800" in s)}
        return {host: Telling(val(scalar), after(len(host))) for host, scalar in scalars.items()}

    told = Told(after(0), before=rows(before), moved={"x-1": rows(moved), "x-0": {}})
    found = parse_told(told_text(told, ["x-0", "x-1"]))
    assert found.before == told.before
    assert found.moved.get("x-1", {}) == told.moved["x-1"]
    assert found.last == {h: t.value for h, t in {**told.before, **told.moved["x-1"]}.items()}
    some = set(list(before)[:1])
    assert parse_told(told_text(told, ["x-0", "x-1"]), some).before == {
        h: t for h, t in told.before.items() if h in some
    }


@pytest.mark.parametrize(
    "data", [b"", b"host,value\n", b"host,value,rollout,since\na,1,,2016", b"host,value,rollout,since\na,1,,x\n"]
)
def test_a_damaged_file_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_told(data)


def test_plain_text_stands_bare() -> None:
    told = Told(after(0), before={"a1": Telling(val("1.12.1"), after(0)), "a2": Telling(val(4096), after(0))})
    assert told_text(told, []).decode() == (
        "host,value,rollout,since\na1,1.12.1,,2026-11-16T09:00:00Z\na2,4096,,2026-11-16T09:00:00Z\n"
    ).replace("2026-11-16T09:00:00Z", after(0).isoformat().replace("+00:00", "Z"))


def test_only_news_is_recorded() -> None:
    paper = Paper()
    assert paper.publish([variable()], FLEET, after(0)).worth_recording
    assert not paper.publish([variable()], FLEET, after(5)).worth_recording
    # A progress that moved is news too, though nobody was told anything.
    slow = variable(rollout((0, 0), (100_000, 100)))
    plan = paper.publish([slow], FLEET, after(10))
    assert plan.worth_recording
    assert not plan.news
    assert paper.sequence == 2


def test_what_is_kept_stays_as_it_was_and_new_hosts_do_not_get_it() -> None:
    paper = Paper()
    other = replace(variable(), name="other")
    pinned = variable(UP, pins=(pin("9", "a-1"),))
    for minute in (0, 5, 50):
        paper.publish([pinned, other], FLEET, after(minute))
    files, have = dict(paper.files), paper.values("x")
    plan = paper.publish([other], inventory(a=11, b=3), after(55), kept=["x"])
    assert [(one.host, one.variable) for one in plan.news] == [("a-10", "other")]
    assert paper.values("x") == have
    assert paper.files["told/x.csv"] == files["told/x.csv"]
    again = paper.publish([pinned, other], inventory(a=11, b=3), after(60))
    assert again.told["x"].pinned == {"a-1"}
    assert again.told["x"].progress["x-1"] == Fraction(35, 100)


def test_a_pinned_host_that_was_away_comes_back_as_pinned() -> None:
    paper = Paper()
    pinned = variable(UP, pins=(pin("2", "a-1"),))
    paper.publish([pinned], FLEET, after(0))
    paper.publish([pinned], FLEET, after(5))
    without = inventory(a=[f"a-{n}" for n in range(10) if n != 1], b=3)
    paper.publish([pinned], without, after(10))
    assert "a-1" not in paper.values("x")
    record = paper.record()
    assert record is not None
    assert record.told("x").pinned == {"a-1"}
    # Lifted while it had the rollout's value, it counts as moved.
    paper.publish([variable(UP)], FLEET, after(15))
    assert paper.values("x")["a-1"] == val("2")


def test_a_host_that_changes_its_role_is_told_nothing_new() -> None:
    paper = Paper()
    paper.publish([variable(UP)], inventory(a=["h1", "h2"], b=["h3"]), after(60))
    have = paper.values("x")
    plan = paper.publish([variable(UP)], inventory(a=["h1"], b=["h2", "h3"]), after(60))
    assert not plan.news
    assert plan.worth_recording
    assert paper.values("x") == have
