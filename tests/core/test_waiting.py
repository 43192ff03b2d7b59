"""Rollouts that wait for another variable's; without a repository."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.documents import document, edited
from tests.core.fleets import (
    HOUR,
    MINUTE,
    after,
    have,
    inventory,
    publish,
    publish_until,
    rollout,
    share_bound,
    val,
    variable,
)
from tests.core.worlds import schedules
from tsunami_cli.core import decisions
from tsunami_cli.core.decisions import Change
from tsunami_cli.core.forecast import moves_ahead
from tsunami_cli.core.lineup import roles_of
from tsunami_cli.core.model import After, Freeze, Limit, Variable
from tsunami_cli.core.problems import Refusal
from tsunami_cli.core.schedule import Schedule
from tsunami_cli.core.starting import Order, start
from tsunami_cli.core.status import Status, status_of
from tsunami_cli.core.told import Told
from tsunami_cli.core.waiting import awaited, begin, may_begin, resume_waiting, waits_for

FLEET = inventory(a=10, b=4)
WAITS = replace(rollout((100, 0), (200, 100), name="v-1"), after=After("w", "w-1"))
V = replace(variable(WAITS), name="v")
UP = rollout((0, 0), (100, 100), name="w-1")
W = replace(variable(UP), name="w")


def stand(setting: Variable, minute: float, told: Told | None = None) -> Status:
    return status_of(setting, roles_of(FLEET), after(minute), told)


def without_waiting(setting: Variable) -> Variable:
    return replace(setting, rollouts=tuple(replace(r, after=None) for r in setting.rollouts))


def check(change: Change, before: Variable) -> None:
    """The file as edited says what the decision says, and waits for nothing any more."""
    written = document(before)
    assert edited_with_after(before, change) == document(change.variable), (written, change.edits)
    assert change.variable.rollouts[-1].after is None
    assert change.rollout == before.rollouts[-1].id


def edited_with_after(before: Variable, change: Change) -> object:
    first, *rest = change.edits
    assert first.path == ("rollouts", len(before.rollouts) - 1, "after")
    return edited(before, rest)


@given(schedules(), st.integers(-1000, 10_000))
def test_time_alone_begins_nothing(planned: Schedule, minute: int) -> None:
    setting = replace(V, rollouts=(replace(WAITS, schedule=planned),), calendar=planned.calendar)
    for told in (None, publish(setting, FLEET, after(minute), None)):
        found = stand(setting, minute, told)
        assert found.state == "scheduled"
        assert found.planned == found.moved == 0
    assert moves_ahead(setting, roles_of(FLEET), after(minute)) == []
    told = publish(without_waiting(variable()), FLEET, after(minute - 5), None)
    for later in (0, 5, 10_000):
        told = publish(setting, FLEET, after(minute + later), told)
        assert set(told.given.values()) == {setting.default}
        assert told.progress["v-1"] == 0


OTHERS = {
    "scheduled": (W, -50, False),
    "running": (W, 50, False),
    "halted": (replace(W, rollouts=(replace(UP, halted=after(50)),)), 300, False),
    "halted, and complete": (replace(W, rollouts=(replace(UP, halted=after(250)),)), 300, False),
    "going back": (replace(W, rollouts=(rollout((0, 0), (100, 100), (400, 0), name="w-1"),)), 300, False),
    "gone back": (replace(W, rollouts=(rollout((0, 0), (100, 100), (200, 0), name="w-1"),)), 300, False),
    "capped": (replace(W, limits=(Limit("*", None, share_bound(50)),)), 300, False),
    "to be 99 %": (replace(W, rollouts=(rollout((0, 0), (100, 99), name="w-1"),)), 300, False),
    "frozen": (W.under(Freeze(after(50), "x")), 300, False),
    "another": (replace(W, rollouts=(replace(UP, id="w-2"),)), 300, False),
    "superseded": (replace(W, rollouts=(UP, rollout((300, 0), (301, 100), to="3", name="w-2"))), 900, False),
    "settled": (replace(W, rollouts=()), 300, False),
    "complete": (W, 100, True),
    "complete long ago": (W, 10_000, True),
    "complete, and frozen since": (W.under(Freeze(after(150), "x")), 300, True),
}


@pytest.mark.parametrize("case", OTHERS)
def test_only_what_is_complete_lets_it_begin(case: str) -> None:
    other, minute, may = OTHERS[case]
    assert may_begin(V, {"w": stand(other, minute)}) is may
    told = publish(other, FLEET, after(minute), None)
    assert may_begin(V, {"w": stand(other, minute, told)}) is may
    assert not may_begin(V, {}), "its file is broken, or it is retired"
    assert not may_begin(V, {"x": stand(other, minute)})


def test_a_host_that_was_not_told_yet_keeps_it_waiting() -> None:
    told = publish_until(W, FLEET, after(-5), after(50), None)
    assert not may_begin(V, {"w": stand(W, 300, told)}), "the plan is through, and hosts are not"
    told = publish_until(W, FLEET, after(55), after(100), told)
    assert may_begin(V, {"w": stand(W, 300, told)})


@pytest.mark.parametrize(
    "setting",
    [
        replace(V, rollouts=()),
        without_waiting(V),
        replace(V, rollouts=(replace(WAITS, halted=after(0)),)),
        replace(V, rollouts=(WAITS, rollout((0, 0), (1, 1), name="v-2"))),
        V.under(Freeze(after(0), "x")),
        V.under(Freeze(after(90_000), "x")),
    ],
    ids=["settled", "waits for nothing", "halted", "superseded", "frozen", "to be frozen"],
)
def test_what_is_stopped_itself_does_not_begin(setting: Variable) -> None:
    assert not may_begin(setting, {"w": stand(W, 300)})


@pytest.mark.parametrize("minute", [20, 100, 150, 1000], ids=["early", "as planned", "late", "much later"])
@pytest.mark.parametrize(
    "points", [((100, 0), (200, 100)), ((100, 0), (100, 10), (140, 10), (200, 100)), ((100, 5), (200, 100))]
)
def test_it_begins_now_and_is_shifted_whole(minute: int, points: tuple[tuple[float, float], ...]) -> None:
    setting = replace(V, rollouts=(replace(rollout(*points, name="v-1"), after=WAITS.after),))
    change = begin(stand(setting, minute), after(minute))
    check(change, setting)
    assert change.action == "begin"
    found = [
        ((w.at - after(0)) / MINUTE, float(w.share * 100)) for w in change.variable.rollouts[-1].schedule.waypoints
    ]
    assert found == [(at - 100 + minute, share) for at, share in points]
    # It moves on as one that was started then.
    told = publish(setting, FLEET, after(minute - 5), None)
    told = publish_until(change.variable, FLEET, after(minute), after(minute + 50), told)
    twin = publish(replace(without_waiting(setting), rollouts=()), FLEET, after(95), None)
    twin = publish_until(without_waiting(setting), FLEET, after(100), after(150), twin)
    assert {h: told.given[h] for h in FLEET.hosts} == {h: twin.given[h] for h in FLEET.hosts}
    assert have(change.variable, FLEET, after(minute), None) == have(without_waiting(setting), FLEET, after(100), None)


def test_what_waits_for_nothing_cannot_begin() -> None:
    for setting in (replace(V, rollouts=()), without_waiting(V)):
        with pytest.raises(Refusal, match="waits for nothing"):
            begin(stand(setting, 0), after(0))


@pytest.mark.parametrize("minute", [50, 100, 500])
def test_halted_and_resumed_it_waits_again(minute: int) -> None:
    change = decisions.halt(stand(V, minute), after(minute))
    assert change is not None
    halted = change.variable
    assert stand(halted, minute).state == "halted"
    for over in (None, HOUR):
        back = resume_waiting(stand(halted, minute + 30), after(minute + 30), over)
        assert back.variable.rollouts[-1].after == WAITS.after
        assert stand(back.variable, minute + 90_000).state == "scheduled"
        begun = begin(stand(back.variable, minute + 60), after(minute + 60)).variable.rollouts[-1]
        assert begun.progress(after(minute + 60)) == 0
        assert not begun.schedule.progress(after(minute + 59))
        assert begun.progress(after(minute + 60 + 110)) == 1
        assert begun.progress(after(minute + 60 + 10)) <= Fraction(1, 5)


def test_a_rollout_to_wait_for_is_under_way() -> None:
    for state, (other, minute, _) in OTHERS.items():
        found = stand(other, minute)
        if found.state in ("scheduled", "running", "capped", "halted"):
            assert awaited("v", found, {}) == After("w", other.rollouts[-1].id), state
        else:
            with pytest.raises(Refusal) as refused:
                awaited("v", found, {})
            assert f"w is {found.state}" in str(refused.value), state


def waiting(name: str, on: str | None) -> Variable:
    active = rollout((0, 0), (100, 100), name=f"{name}-1")
    return replace(variable(replace(active, after=After(on, f"{on}-1") if on else None)), name=name)


CHAINS = [
    # name, waits for, {variable: what it waits for}, fits?
    ("v", "v", {"v": None}, False),
    ("v", "w", {"w": None}, True),
    ("v", "w", {"w": "x", "x": None}, True),
    ("v", "w", {"w": "x", "x": "y", "y": None}, True),
    ("v", "w", {"w": "v", "v": None}, False),
    ("v", "w", {"w": "x", "x": "v", "v": None}, False),
    ("v", "w", {"w": "x", "x": "y", "y": "v", "v": "w"}, False),
    ("v", "w", {"w": "x"}, True),
    ("v", "w", {"w": "x", "x": "w"}, True),
]


@pytest.mark.parametrize(("name", "other", "links", "fits"), CHAINS)
def test_circles_are_refused(name: str, other: str, links: dict[str, str | None], fits: bool) -> None:
    others = {one: waiting(one, on) for one, on in links.items()}
    if fits:
        assert awaited(name, stand(others[other], 50), others) == After(other, f"{other}-1")
        return
    with pytest.raises(Refusal, match=r"(itself|neither)"):
        awaited(name, stand(others[other], 50), others)


def test_a_start_that_waits_says_so() -> None:
    asked = Order(val("9"), HOUR, "1h", at=after(300), after=After("w", "w-1"))
    change = start(replace(variable(), name="v"), roles_of(FLEET), after(0), asked)
    assert change.subject.endswith("over 1h after w")
    active = change.variable.rollouts[-1]
    assert (active.after, active.schedule.starts) == (After("w", "w-1"), after(300))
    assert stand(change.variable, 9000).state == "scheduled"


def test_one_that_waits_is_replaced_and_leaves_nothing() -> None:
    asked = Order(val("9"), HOUR, "1h")
    for minute in (50, 5000):
        with pytest.raises(Refusal, match="--supersede"):
            start(V, roles_of(FLEET), after(minute), asked)
        change = start(V, roles_of(FLEET), after(minute), replace(asked, supersede=True))
        assert [r.to for r in change.variable.rollouts] == [val("9")], minute


def test_what_it_waits_for_is_said() -> None:
    link = After("w", "w-1")
    assert waits_for(link, stand(W, 50)) == "waits for w: running at 50.0 %"
    for gone in (None, stand(OTHERS["another"][0], 300), stand(OTHERS["settled"][0], 0)):
        assert "tsunami resume" in waits_for(link, gone)
