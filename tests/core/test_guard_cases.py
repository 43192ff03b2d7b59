"""What the guard asks, how closely, and what it makes of a question that cannot be asked or an answer it trips over."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from tests.core.fleets import T0, after, inventory, rollout, val, variable
from tsunami_cli.core.calendar import unix
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


# Who fell silent, and who never spoke: `db` has moved as a whole, and says nothing.

CANARY = ("db-0", "db-1", "web-0")
WEB = {f"web-{number}": 0.0 for number in range(4)}


def of_canary(*, before: Mapping[str, float] | None, objective: Slo = SLO) -> tuple[Judgement, Case | None, Judgement]:
    """Return the first look, and the closer one with what it finds: `before` said something before the rollout.

    None for `before` is an answer that failed.
    """
    one = the(docket(objective, found=told(*CANARY)))
    first = answer(one, WEB)
    closer = one.closer(first)
    if closer is None:
        return first, None, first
    heard = dict.fromkeys(closer.now, WEB) | dict.fromkeys(closer.before, before)
    answers = {
        question: Answer(failure="down")
        if said is None
        else Answer(tuple(Series({"instance": h}, [v] * (question.window.steps + 1)) for h, v in said.items()))
        for question, said in heard.items()
    }
    return first, closer, closer.judged(answers, Names(FLEET.hosts), "instance")


@pytest.mark.parametrize(
    ("before", "status", "action", "why"),
    [
        (dict.fromkeys(FLEET.hosts, 0.0), "violated", "halt", "2 of 3 moved hosts gone silent"),
        ({**WEB, "db-1": 0.0}, "violated", "halt", "2 of 3 moved hosts gone silent"),
        (WEB, "ok", "none", "0 on 1 moved host"),
        ({}, "violated", "halt", "2 of 3 moved hosts gone silent"),
        (None, "violated", "halt", "2 of 3 moved hosts gone silent"),
    ],
    ids=["all spoke", "one of them spoke", "never spoke", "nothing is known of then", "then cannot be asked about"],
)
def test_a_role_that_moved_as_a_whole_and_is_silent(
    before: Mapping[str, float] | None, status: str, action: str, why: str
) -> None:
    first, closer, found = of_canary(before=before)
    assert (first.status, first.action, first.unclear) == ("violated", "halt", True)
    assert closer is not None
    assert closer.questions == (*closer.now, *closer.before)
    (now,), (then,) = closer.now, closer.before
    assert (now.query, len(now.window.instants)) == (then.query, CLOSE)
    # Three samples of ten minutes, up to the rollout's first instant.
    assert (then.window.end, len(then.window.instants), then.window.start) == (unix(T0), FIRST, unix(T0) - 600)
    assert (found.status, found.action, found.why) == (status, action, why)
    assert found.measured is not None
    assert found.measured.queries == ("errors_total",)
    assert closer.closer(found) is None, "that is asked once"


def test_of_the_time_before_nothing_is_asked_where_nothing_follows_from_it() -> None:
    first, closer, _ = of_canary(before=None, objective=slo(max_silent=Fraction(1)))
    assert (first.status, first.unclear, closer) == ("ok", False, None)
    all_speak = the(docket(found=told(*CANARY)))
    bad = all_speak.closer(answer(all_speak, BAD))
    assert bad is not None
    assert (len(bad.now), bad.before) == (1, ()), "nobody is silent"
    assert the(docket(found=told(*CANARY))).before == ()


def test_what_is_looked_at_closely_at_once_asks_of_the_time_before_all_the_same() -> None:
    one = the(docket(found=told(*CANARY)), anyway=True)
    assert (one.fine, one.before) == (True, ())
    closer = one.closer(answer(one, WEB))
    assert closer is not None
    assert (closer.fine, len(closer.before)) == (True, 1)


def test_role_by_role_the_time_before_is_asked_about_role_by_role() -> None:
    one = the(docket(slo(query='errors{role="$role"}'), found=told(*CANARY)))
    closer = one.closer(answer(one, WEB))
    assert closer is not None
    assert [question.query for question in closer.now] == [question.query for question in closer.before]
    assert len(set(closer.questions)) == len(closer.questions) == 4


@pytest.mark.parametrize("query", ['errors{version="$to"}', "errors{version!~'${from}'}"])
def test_of_a_query_about_one_version_silence_holds_and_no_role_is_left_out(query: str) -> None:
    first, closer, found = of_canary(before=WEB, objective=slo(query=query))
    assert (first.status, first.action, first.unclear) == ("no-data", "hold", False)
    assert first.why == "2 of 3 moved hosts without a value"
    assert closer is not None, "who speaks rarely may have spoken between two samples"
    assert (closer.before, found.status, found.hosts, found.silent) == ((), "no-data", 3, 2)


# Where a variable stands


def test_a_machine_that_waits_for_its_turn_keeps_a_rollout_running() -> None:
    """It was told something before: it is one of those that the rollout is to move."""
    late = through("web-3")
    assert late.told is not None
    waits = replace(late, told=replace(late.told, given={**late.told.given, "web-3": val("1")}))
    assert waits.state == "running"
    assert the(waits).unjudged is None


def test_states_that_are_not_asked_twice() -> None:
    none = replace(docket(), variable=replace(variable(), slos=(SLO,)))
    assert none.state == "settled"
    assert none.cohorts(Window.until(NOW, SLO.sustained, fine=False), SLO.settle).size == 0
    assert the(none).unjudged == "no rollout"
    assert docket().state == "running"
    # By the plan, where nothing was ever published.
    assert replace(docket(), told=None).state == "running"
