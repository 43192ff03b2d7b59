"""What the guard asks, how closely, and what it makes of a question that cannot be asked or an answer it trips over."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from tests.core.fleets import after, inventory, rollout, val, variable
from tsunami_cli.core.guard.cases import Case, Docket
from tsunami_cli.core.guard.judging import Judgement
from tsunami_cli.core.guard.naming import Names
from tsunami_cli.core.guard.questions import Answer, Question, Series, Window
from tsunami_cli.core.lineup import roles_of
from tsunami_cli.core.model import Slo
from tsunami_cli.core.told import Telling, Told

NOW = after(120)
UP = rollout((0, 0), (600, 100))
FLEET = inventory(web=4, db=2)
SLO = Slo("errors", "errors_total", "<= 0.01")
MOVED = ("web-0", "db-0")
FIRST, CLOSE = 3, 41
"""Samples of ten minutes at first sight, and of a closer look."""


def told(*hosts: str, minute: float = 0) -> Told:
    rows = {host: Telling(UP.to, after(minute)) for host in hosts}
    before = {host: Telling(val("1"), after(-1000)) for host in FLEET.hosts}
    given = {host: val("2" if host in hosts else "1") for host in FLEET.hosts}
    return Told(after(115), {UP.id: Fraction(1, 5)}, {UP.id: rows}, before, given)


def docket(*slos: Slo, found: Told | None = None, **changes: object) -> Docket:
    setting = replace(variable(UP), slos=slos or (SLO,), **changes)  # type: ignore[arg-type]
    return Docket(setting, roles_of(FLEET), found or told(*MOVED), NOW)


def slo(**changes: object) -> Slo:
    return replace(SLO, **changes)  # type: ignore[arg-type]


def the(case: Docket, **how: bool) -> Case:
    (one,) = case.cases(**how)
    return one


def answer(case: Case, said: Mapping[str, float]) -> Judgement:
    """Judge by the same value at all samples, host by host."""
    answers = {
        question: Answer(
            tuple(Series({"instance": h}, [value] * (question.window.steps + 1)) for h, value in said.items())
        )
        for question in case.questions
    }
    return case.judged(answers, Names(FLEET.hosts), "instance")


BAD = dict.fromkeys(FLEET.hosts, 0.05)
GOOD = dict.fromkeys(FLEET.hosts, 0.0)


@pytest.mark.parametrize(
    ("sustained", "first", "close"),
    [
        (timedelta(minutes=10), FIRST, CLOSE),
        (timedelta(seconds=1), 2, 2),
        (timedelta(minutes=1), 3, 61),
        (timedelta(hours=3), 3, 41),
        # Not further apart than a metrics server looks back, and not more than so many.
        (timedelta(hours=5), 3, 61),
        (timedelta(hours=10), 3, 121),
        (timedelta(days=31), 3, 121),
    ],
)
def test_how_many_samples(sustained: timedelta, first: int, close: int) -> None:
    one = the(docket(slo(sustained=sustained, settle=timedelta(0))))
    assert len(one.window.instants) == first
    assert len(Window.until(NOW, sustained, fine=True).instants) == close


def test_a_closer_look_only_where_there_is_a_doubt() -> None:
    one = the(docket())
    assert (one.fine, len(one.window.instants)) == (False, FIRST)
    assert one.closer(answer(one, GOOD)) is None
    bad = answer(one, BAD)
    closer = one.closer(bad)
    assert bad.status == "violated"
    assert closer is not None
    assert (closer.fine, len(closer.window.instants), closer.slo) == (True, CLOSE, SLO)
    again = answer(closer, BAD)
    assert (again.status, again.action) == ("violated", "halt")
    assert closer.closer(again) is None, "not closer and closer"


def test_what_is_looked_at_by_somebody_is_looked_at_closely() -> None:
    one = the(docket(found=told()), anyway=True)
    assert (one.unjudged, one.fine, len(one.questions)) == ("no host has moved yet", True, 1)
    found = answer(one, BAD)
    assert (found.status, found.action, found.why) == ("not-judged", "none", "no host has moved yet")
    assert found.measured is not None
    assert list(found.measured.fleet.means) == pytest.approx([0.05] * CLOSE)
    assert the(docket(found=told())).questions == ()


def test_slos_that_ask_alike_ask_once() -> None:
    first, second, third = docket(SLO, slo(name="b", objective="< 1"), slo(name="c", sustained=timedelta(1))).cases()
    assert first.questions == second.questions != third.questions
    assert first.cohorts is second.cohorts


def test_role_by_role() -> None:
    one = the(docket(slo(query='errors{role="$role"}')))
    assert [question.query for question in one.questions] == ['errors{role="db"}', 'errors{role="web"}']
    empty: Mapping[Question, Answer] = dict.fromkeys(one.questions, Answer())
    _, web = one.questions
    series = tuple(Series({"instance": f"web-{n}"}, [0.0] * FIRST) for n in range(4))
    found = one.judged({**empty, web: Answer(series)}, Names(FLEET.hosts), "instance")
    assert (found.status, found.hosts) == ("ok", 1), "of db nothing is measured"
    failed = one.judged({**empty, web: Answer(failure="down")}, Names(FLEET.hosts), "instance")
    assert (failed.status, failed.why, failed.action) == ("error", "down", "hold")


def test_a_query_that_cannot_be_filled_holds() -> None:
    came_from = replace(UP, came_from=(val("1"), val("0")))
    one = the(docket(slo(query='errors{version="$from"}'), rollouts=(came_from,)))
    assert one.questions == ()
    found = one.judged({}, Names(FLEET.hosts), "instance")
    assert (found.status, found.action) == ("error", "hold")
    assert found.why == "the query cannot be asked: $from is 1 and 0 here: match it with =~"
    assert one.closer(found) is None


@pytest.mark.parametrize(
    ("found", "changes", "action"),
    [
        (told(*MOVED), {}, "hold"),
        (told(), {}, "none"),
        (told(*MOVED), {"rollouts": (replace(UP, halted=after(100)),)}, "none"),
    ],
)
def test_a_bug_holds_where_anybody_would_move(found: Told, changes: Mapping[str, object], action: str) -> None:
    one = the(docket(found=found, **changes))
    judgement = one.failed("this is a bug in tsunami (ZeroDivisionError: division by zero)")
    assert (judgement.status, judgement.action) == ("error", action)
    assert judgement.why.startswith("this is a bug in tsunami")


def through(*missing: str, new: str = "", since: float = 10) -> Docket:
    """Return a rollout of long ago that has moved all but some; a new host was told at an instant of its own."""
    moved = {host: Telling(UP.to, after(10)) for host in FLEET.hosts if host not in missing}
    if new:
        moved[new] = Telling(UP.to, after(since))
    before = {host: Telling(val("1"), after(-1000)) for host in FLEET.hosts if host not in (*missing, new)}
    ledger = Told(after(115), {UP.id: Fraction(1)}, {UP.id: moved}, before, dict.fromkeys(moved, UP.to))
    setting = replace(variable(rollout((0, 0), (10, 100))), slos=(SLO,))
    return Docket(setting, roles_of(FLEET), ledger, NOW)


LONG_AGO = "complete: nobody was moved in the last 20m"


@pytest.mark.parametrize("since", [10, 99, 115, 120])
def test_whoever_joined_an_old_rollout_has_it_judged_no_more(since: float) -> None:
    """A machine that is new has no value before, and so was not moved."""
    one = the(through(new="web-3", since=since))
    assert one.docket.state == "complete"
    assert (one.unjudged, one.questions) == (LONG_AGO, ())


def test_who_was_moved_late_by_an_old_rollout_is_watched() -> None:
    late = through()
    assert late.told is not None
    moved = {UP.id: {**late.told.moved[UP.id], "web-3": Telling(UP.to, after(115))}}
    one = the(replace(late, told=replace(late.told, moved=moved)))
    assert (one.unjudged, len(one.questions)) == (None, 1)


def test_whoever_is_about_to_join_an_old_rollout_has_it_judged_no_more() -> None:
    one = the(through("web-3"))
    assert (one.unjudged, one.questions) == (LONG_AGO, ())
