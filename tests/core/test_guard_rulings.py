"""What follows for a variable from all its objectives; the words for it; what of it the ledger keeps."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.fleets import EVERY, after, inventory, rollout, variable
from tests.core.paper import Paper
from tsunami_cli.core.calendar import unix
from tsunami_cli.core.decisions import halt
from tsunami_cli.core.guard.cohorts import Cohorts
from tsunami_cli.core.guard.judging import Action, Judgement, Verdict
from tsunami_cli.core.guard.measuring import measured
from tsunami_cli.core.guard.naming import Names
from tsunami_cli.core.guard.questions import Answer, Series, Window
from tsunami_cli.core.guard.rulings import Ruling, particulars, rulings
from tsunami_cli.core.holds import Hold
from tsunami_cli.core.journal import message
from tsunami_cli.core.lineup import roles_of
from tsunami_cli.core.model import Slo
from tsunami_cli.core.publishing import publication
from tsunami_cli.core.record import held_text, parse_held, values_in
from tsunami_cli.core.status import status_of
from tsunami_cli.core.told import Told, tell

UP = rollout((0, 0), (100, 100))
NOW = after(60)
SLO = Slo("errors", "rate(x[5m])", "<= 0.01")


def judgement(
    action: Action = "none",
    name: str = "errors",
    *,
    of: str = "x",
    status: Verdict = "violated",
    why: str = "0.05 > 0.01",
    back: str = "halt",
) -> Judgement:
    return Judgement(of, UP, replace(SLO, name=name, on_violation=back), status, why, action)


def ruling(*found: Judgement) -> Ruling:
    (one,) = rulings(found)
    return one


# One action


@pytest.mark.parametrize(
    ("actions", "action", "slos"),
    [
        ([], None, []),
        (["none"], "none", []),
        (["none", "none"], "none", []),
        (["none", "hold"], "hold", ["1"]),
        (["hold", "halt", "none"], "halt", ["1"]),
        (["halt", "hold", "halt"], "halt", ["0", "2"]),
        (["halt", "rollback", "hold", "rollback"], "rollback", ["1", "3"]),
    ],
)
def test_the_gravest_is_done(actions: list[Action], action: Action | None, slos: list[str]) -> None:
    found = rulings(judgement(one, str(place)) for place, one in enumerate(actions))
    assert [one.action for one in found] == ([] if action is None else [action])
    for one in found:
        assert [judgement.slo.name for judgement in one.because] == slos
        assert len(one.judgements) == len(actions)
        assert not slos or one.slo == slos[0]


def test_one_ruling_for_each_variable_in_their_order() -> None:
    found = rulings([judgement("halt", of="b"), judgement("none", of="a"), judgement("hold", of="a")])
    assert [(one.variable, one.action) for one in found] == [("b", "halt"), ("a", "hold")]
    assert found[0].rollout is UP


def test_the_shortest_way_back_is_taken() -> None:
    found = ruling(
        judgement("rollback", "a", back="rollback 2h"),
        judgement("rollback", "b", back="rollback 45m"),
        judgement("halt", "c"),
    )
    assert found.back == timedelta(minutes=45)


# Words


def test_the_reason_says_what_was_measured_first() -> None:
    found = ruling(
        judgement("halt", "errors", why="0.05 > 0.01 on 3 moved hosts for 10m"),
        judgement("hold", "latency"),
        judgement("halt", "crashes", why="1 of 3 moved hosts gone silent"),
    )
    assert found.reason.splitlines() == [
        "errors: 0.05 > 0.01 on 3 moved hosts for 10m",
        "crashes: 1 of 3 moved hosts gone silent",
        "",
        "errors is rate(x[5m]) <= 0.01, compare moved",
        "crashes is rate(x[5m]) <= 0.01, compare moved",
    ]


def looked(moved: int = 9, *, silent: int = 0, compare: str = "moved", objective: str = "<= 0.01") -> Judgement:
    hosts = [f"h{n}" for n in range(moved)]
    series = tuple(Series({"instance": host}, (n / 10, n / 10)) for n, host in enumerate(hosts[silent:]))
    cohorts = Cohorts(moved=dict.fromkeys(hosts, (0, 2)))
    found = measured(Window(unix(NOW), 600, 1), cohorts, [Answer(series)], Names(hosts), "instance")
    slo = replace(SLO, compare=compare, objective=objective)
    return Judgement("x", UP, slo, "violated", "0.05 > 0.01", "halt", measured=found)


def test_how_it_was_come_by() -> None:
    samples = ("samples", "2 from 2026-03-02T10:50:00Z to 2026-03-02T11:00:00Z, of 9 series")
    assert list(particulars(looked())) == [samples, ("worst", "h8 0.8, h7 0.7, h6 0.6, h5 0.5, h4 0.4, h3 0.3")]
    assert list(particulars(looked(objective=">= 0.9")))[1] == (
        "worst",
        "h0 0, h1 0.1, h2 0.2, h3 0.3, h4 0.4, h5 0.5",
    )
    assert list(particulars(looked(compare="fleet"))) == [samples]
    silent = dict(particulars(looked(9, silent=8)))
    assert silent["silent"] == "h0, h1, h2, h3, h4, h5 and 2 more"
    assert dict(particulars(looked(9, silent=6)))["silent"] == "h0, h1, h2, h3, h4, h5"
    assert not list(particulars(judgement("hold")))


HOSTILE = [
    "\n\nTsunami-Action: resume\nTsunami-Variable: docker",
    "\r\nTsunami-Guard: nobody",
    "\x1b[31mred\x1b]0;title\x07",
    "::error::pwned",
    "##[command]rm",
    "\u202eright to left\u2066",
    "\u2028Tsunami-Action: start",
    "a\x00b\x85c",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_text_forges_a_trailer_a_line_or_a_command(hostile: str) -> None:
    bad = replace(judgement("halt", why=f"http://x: answers 500: {hostile}"), slo=replace(SLO, query=f"x # {hostile}"))
    found = ruling(bad)
    made = halt(status_of(variable(UP), roles_of(inventory(a=2)), NOW), NOW)
    assert made is not None
    text = message([replace(made, guard=found.slo)], found.reason)
    *_, trailers = text.rstrip("\n").split("\n\n")
    assert trailers.splitlines() == [
        "Tsunami-Action: halt",
        "Tsunami-Variable: x",
        "Tsunami-Rollout: x-1",
        "Tsunami-Guard: errors",
    ]
    assert not [line for line in text.split("\n\n")[1].split("\n") if line.startswith(("Tsunami-", "::", "##["))]
    assert {char for char in text if not char.isprintable()} == {"\n"}
    (hold,) = found.holds(None, NOW, " (the guard could not halt)")
    assert hold.why.isprintable()
    assert hold.why.startswith("http://x: answers 500:")
    assert hold.why.endswith(" (the guard could not halt)")


# Holds


def test_a_hold_keeps_the_instant_since_when_it_holds() -> None:
    held = (Hold("errors", "the query has no series", after(20)), Hold("gone", "x", after(10)))
    told = Told(after(55), progress={UP.id: Fraction(1, 2)}, held=held)
    found = ruling(
        judgement("hold", "errors", status="no-data", why="NaN"),
        judgement("hold", "latency", status="error", why="down"),
    )
    assert found.holds(told, NOW) == (
        Hold("errors", "NaN", after(20), unasked=False),
        Hold("latency", "down", NOW, unasked=True),
    )
    assert [hold.since for hold in found.holds(None, NOW)] == [NOW, NOW]
    # What held an older rollout began then, and has nothing to do with this one.
    assert [hold.since for hold in found.holds(replace(told, progress={"x-0": Fraction(1)}), NOW)] == [NOW, NOW]
    assert [hold.since for hold in found.holds(replace(told, progress={UP.id: Fraction(0)}), NOW)] == [after(20), NOW]


def test_a_decision_that_could_not_be_made_is_held() -> None:
    found = ruling(judgement("halt"), judgement("hold", "latency"))
    assert found.holds(None, NOW, " (the guard could not halt)") == (
        Hold("errors", "0.05 > 0.01 (the guard could not halt)", NOW),
    )


INSTANTS = st.integers(0, 10**6).map(lambda number: after(0) + timedelta(seconds=number))
NAMES = st.sampled_from(["errors", "latency", "a.b-c_1", "0", "Z"])
HOLDS = st.lists(
    st.builds(Hold, NAMES, st.text(max_size=12), INSTANTS, st.booleans()), max_size=3, unique_by=lambda hold: hold.slo
)


@given(st.dictionaries(st.sampled_from(["docker", "helios", "a-b_1"]), HOLDS, max_size=3))
def test_holds_read_as_they_were_written(holds: dict[str, list[Hold]]) -> None:
    data = held_text(holds)
    expected = {name: tuple(sorted(found, key=lambda hold: hold.slo)) for name, found in holds.items() if found}
    assert parse_held(data) == expected
    assert held_text(parse_held(data)) == data


def test_holds_of_before_they_said_whether_it_was_asked() -> None:
    held = {"x": (Hold("errors", "down", NOW, unasked=True),)}
    text = held_text(held).replace(b'"unasked": true', b'"also": 1')
    assert parse_held(text) == {"x": (Hold("errors", "down", NOW),)}


def test_entries_from_before_there_were_holds_have_none() -> None:
    assert parse_held(None) == {}
    assert parse_held(held_text({})) == {}


def test_the_ledger_keeps_a_hold_until_it_ends_and_nobody_moves_meanwhile() -> None:
    paper, setting, fleet = Paper(), variable(UP), inventory(a=20)
    kept: list[tuple[int, tuple[Hold, ...], int]] = []
    for minute in range(-5, 101, 5):
        now = after(minute)
        record = paper.record()
        told = record.told("x") if record else None
        held = ruling(judgement("hold", status="no-data")).holds(told, now) if 20 <= minute < 40 else ()
        plan = publication(
            record,
            roles_of(fleet),
            [setting],
            (),
            now,
            {"x": tell(setting, roles_of(fleet), now, told, EVERY, held=held)},
        )
        paper.write(plan)
        found = paper.record()
        assert found is not None
        kept.append((minute, tuple(found.holds.get("x", ())), len(found.told("x").moved.get("x-1", {}))))
        assert found.told("x").held == found.holds.get("x", ())
        assert plan.holds_changed == (minute in (20, 40))
    during = [row for row in kept if 20 <= row[0] < 40]
    assert all(row[1] == (Hold("errors", "0.05 > 0.01", after(20)),) for row in during)
    assert len({row[2] for row in during}) == 1
    assert not any(row[1] for row in kept if row not in during)
    # On it goes, no faster than twice the plan: at most two publishes' worth, twice.
    moved = [row[2] for row in kept]
    assert max(later - earlier for earlier, later in pairwise(moved)) <= 4
    assert moved[-1] == 20


def test_a_variable_that_cannot_be_read_stays_held() -> None:
    paper, setting, fleet = Paper(), variable(UP), inventory(a=20)
    for minute in (-5, 5):
        paper.publish([setting], fleet, after(minute))
    paper.publish([setting], fleet, after(10), held=True)
    record = paper.record()
    assert record is not None
    (before,) = record.holds["x"]
    plan = paper.publish([], fleet, after(15), kept=["x"])
    assert plan.holds == {"x": (before,)}
    assert not plan.holds_changed


# The values of hosts, as a bundle has them

ALIKE = ("0", "0.0", "-0.0", "false", '"0"', "1", "1.0", "true", '"1"', '"1.0"', '"true"', "1e3", '"1e3"', '""')
"""To Python 0, 0.0, -0.0 and false are one value, and so are 1, 1.0 and true."""


@pytest.mark.parametrize("texts", [ALIKE, ALIKE[::-1]])
def test_values_that_python_takes_for_one_stay_different(texts: tuple[str, ...]) -> None:
    values_in.cache_clear()
    there = ["1000.0" if text == "1e3" else text for text in texts]
    for text, value in zip(texts, there, strict=True):
        assert values_in(f'{{"x": {text}}}') == {"x": value}
    together = ", ".join(f'"{place}": {text}' for place, text in enumerate(texts))
    assert list(values_in(f"{{{together}}}").values()) == there
    assert len(set(there)) == len(ALIKE)
