"""Who is held against whom, to the second, against an oracle that asks of every host at every instant."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.fleets import T0, after, inventory, pin, rollout, val, variable
from tests.core.worlds import fleets, inventory_of, settings
from tsunami_cli.core.calendar import moment_of, unix
from tsunami_cli.core.guard.cohorts import Cohorts, cohorts_of
from tsunami_cli.core.guard.questions import COARSE, FINE, LONGEST_STEP, MOST, Window
from tsunami_cli.core.inventory import Inventory
from tsunami_cli.core.lineup import lineups, roles_of
from tsunami_cli.core.model import Variable
from tsunami_cli.core.told import Telling, Told, planned_by

UP = rollout((0, 0), (100, 100))
SETTING = variable(UP)
FLEET = inventory(a=6)
END = unix(after(60))


def second(number: int) -> datetime:
    """Return an instant, in seconds from the window's usual end."""
    return moment_of(END + number)


def told(**since: int) -> Told:
    """Tell hosts that had another value before the new one, in seconds from the window's usual end."""
    rows = {host.replace("_", "-"): Telling(UP.to, second(at)) for host, at in since.items()}
    return as_ledger(rows)


def as_ledger(rows: Mapping[str, Telling]) -> Told:
    before = dict.fromkeys(rows, Telling(val("1"), second(-90_000)))
    given = {host: telling.value for host, telling in rows.items()}
    return Told(after(60), moved={UP.id: rows}, before=before, given=given)


def cohorts(
    found: Told | None,
    setting: Variable = SETTING,
    fleet: Inventory = FLEET,
    *,
    step: int = 10,
    steps: int = 6,
    settle: int = 30,
) -> Cohorts:
    assert setting.active is not None
    window = Window(END, step, steps)
    return cohorts_of(setting, setting.active, roles_of(fleet), found, window, timedelta(seconds=settle))


def at(parts: Mapping[str, tuple[int, int]], place: int) -> set[str]:
    return {host for host, (first, end) in parts.items() if first <= place < end}


@pytest.mark.parametrize(
    ("since", "places"),
    [
        # Samples stand at -60, -50, ... 0; who was told at s counts from s + 30 on.
        (-1000, [0, 1, 2, 3, 4, 5, 6]),
        (-91, [0, 1, 2, 3, 4, 5, 6]),
        (-90, [0, 1, 2, 3, 4, 5, 6]),
        (-89, [1, 2, 3, 4, 5, 6]),
        (-80, [1, 2, 3, 4, 5, 6]),
        (-31, [6]),
        (-30, [6]),
        (-29, []),
        (0, []),
    ],
)
def test_a_host_counts_from_the_second_on_at_which_it_has_settled(since: int, places: list[int]) -> None:
    found = cohorts(told(a_0=since))
    assert [place for place in range(7) if "a-0" in at(found.moved, place)] == places
    assert [place for place in range(7) if found.moved_at(place)] == places
    assert ("a-0" in found.fresh) == (not places)
    assert found.size == 1
    assert found.last == second(since)


@pytest.mark.parametrize(
    ("since", "places"), [(-1000, 0), (-61, 0), (-60, 0), (-59, 1), (-50, 1), (-1, 6), (0, 6), (None, 7)]
)
def test_a_host_is_one_of_the_rest_until_the_second_at_which_it_is_told(since: int | None, places: int) -> None:
    found = cohorts(told() if since is None else told(a_0=since))
    assert [place for place in range(7) if "a-0" in at(found.rest, place)] == list(range(places))
    assert [len(at(found.rest, place)) for place in range(7)] == [6] * places + [5] * (7 - places)
    assert ("a-0" in found.waiting) == (since is None)


def test_with_nothing_to_settle_a_host_counts_at_once() -> None:
    found = cohorts(told(a_0=-30, a_1=0), settle=0)
    assert [sorted(at(found.moved, place)) for place in (2, 3, 5, 6)] == [[], ["a-0"], ["a-0"], ["a-0", "a-1"]]
    assert not found.fresh


def test_pinned_and_missing_hosts_are_in_no_cohort() -> None:
    found = cohorts(told(a_0=-500, a_1=-500, gone=-500), replace(SETTING, pins=(pin("9", "a-1", "a-2"),)))
    assert set(found.moved) == {"a-0"}
    assert set(found.rest) == {"a-0", "a-3", "a-4", "a-5"}
    assert found.waiting == {"a-3", "a-4", "a-5"}


def test_roles_to_which_the_variable_does_not_apply_are_in_no_cohort() -> None:
    fleet = inventory(a=2, b=2)
    ours = replace(SETTING, roles=replace(SETTING.roles, patterns=("a",)))
    assert set(cohorts(told(a_0=-500, b_0=-500), ours, fleet).rest) == {"a-0", "a-1"}
    assert set(cohorts(None, ours, fleet).rest) == {"a-0", "a-1"}


def test_hosts_of_an_older_rollout_are_the_rest() -> None:
    older = rollout((-100, 0), (-50, 100), to="1b", name="x-0", halted=after(-60))
    rows = {UP.id: {"a-0": Telling(UP.to, second(-500))}, "x-0": {"a-1": Telling(val("1b"), second(-9000))}}
    found = cohorts(Told(after(60), moved=rows), variable(older, UP))
    assert set(found.moved) == {"a-0"}
    assert "a-1" in found.waiting


def test_a_machine_that_joins_an_old_rollout_is_not_moved_by_it_anew() -> None:
    rows = {"a-0": Telling(UP.to, second(-9000)), "a-1": Telling(UP.to, second(-100))}
    known = {"a-0": Telling(val("1"), second(-90_000))}
    found = cohorts(Told(after(60), moved={UP.id: rows}, before=known))
    assert (set(found.moved), found.last) == ({"a-0", "a-1"}, second(-9000))
    assert cohorts(Told(after(60), moved={UP.id: {"a-1": rows["a-1"]}})).last is None


def test_hosts_by_role_without_those_that_are_pinned() -> None:
    fleet = inventory(a=2, b=2)
    for ledger in (told(a_0=-500), None):
        found = cohorts(ledger, replace(SETTING, pins=(pin("9", "b-1"),)), fleet)
        assert {role: sorted(hosts) for role, hosts in found.roles.items()} == {"a": ["a-0", "a-1"], "b": ["b-0"]}


def test_the_cohorts_of_some_hosts() -> None:
    whole = cohorts(told(a_0=-500, a_1=-500, a_2=-5, a_3=-5))
    found = whole.of({"a-0", "a-2", "a-4", "strange"})
    assert [set(part) for part in (found.moved, found.fresh, found.waiting)] == [{"a-0"}, {"a-2"}, {"a-4"}]
    assert found.size == 2
    assert set(found.rest) == {"a-0", "a-2", "a-4"}
    assert [found.moved_at(place) for place in range(7)] == [1] * 7
    assert (found.last, found.roles) == (whole.last, whole.roles)


def test_another_value_by_hand_settles_anew() -> None:
    edited = variable(replace(UP, to=val("3")))
    found = cohorts(told(a_0=-5000), edited)
    assert found.fresh == {"a-0"}
    assert found.last == second(0)
    assert found.rest["a-0"] == (0, 6)


def test_nobody() -> None:
    assert cohorts(told(), fleet=inventory(a=1)).size == 0
    empty = Cohorts()
    assert (empty.size, at(empty.rest, 0), empty.moved_at(0), empty.last) == (0, set(), 0, None)


# The oracle.

SECONDS = st.integers(-700, 0)
WINDOWS = st.builds(lambda step, steps: Window(END, step, steps), st.integers(1, 60), st.integers(1, 8))
SETTLES = st.sampled_from([0, 1, 30, 60, 119, 300, 1000])
HOSTS = [f"a-{number}" for number in range(6)]


def assert_cohorts(found: Cohorts, window: Window, free: Iterable[str], since: Mapping[str, int], settle: int) -> None:
    """Compare with what follows from when every host was told, in Unix seconds."""
    for place, instant in enumerate(window.instants):
        moved = {host for host, told in since.items() if told + settle <= instant}
        rest = {host for host in free if host not in since or instant < since[host]}
        assert at(found.moved, place) == moved, place
        assert at(found.rest, place) == rest, place
        assert found.moved_at(place) == len(moved)
    assert found.fresh == {host for host, told in since.items() if told + settle > window.end}
    assert found.waiting == set(free) - since.keys()
    assert found.size == len(since)
    assert set(found.moved) | found.fresh == set(since)


@given(st.dictionaries(st.sampled_from(HOSTS), SECONDS), st.sets(st.sampled_from(HOSTS)), WINDOWS, SETTLES)
def test_as_told(since: dict[str, int], pinned: set[str], window: Window, settle: int) -> None:
    setting = replace(SETTING, pins=(pin("9", *sorted(pinned)),) if pinned else ())
    rows = {host: Telling(UP.to, second(moment)) for host, moment in since.items()}
    found = cohorts_of(setting, UP, roles_of(FLEET), as_ledger(rows), window, timedelta(seconds=settle))
    counting = {host: END + moment for host, moment in since.items() if host not in pinned}
    assert_cohorts(found, window, set(HOSTS) - pinned, counting, settle)
    assert found.last == max((moment_of(moment) for moment in counting.values()), default=None)


@given(settings(), fleets(), st.integers(0, 240), st.integers(1, 900), st.integers(1, 5), SETTLES)
def test_as_planned(
    setting: Variable, fleet: dict[str, tuple[str, str]], minute: int, step: int, steps: int, settle: int
) -> None:
    window, placed = Window(unix(after(minute)), step, steps), inventory_of(fleet)
    active = setting.active
    assert active is not None
    found = cohorts_of(setting, active, roles_of(placed), None, window, timedelta(seconds=settle))

    def planned(moment: int) -> set[str]:
        return {
            host
            for lineup in lineups(setting, roles_of(placed))
            for host in planned_by(lineup, active, moment_of(moment))
        }

    for place, instant in enumerate(window.instants):
        assert at(found.moved, place) == planned(instant - settle)
        assert at(found.rest, place) == set(fleet) - planned(instant)
    assert found.fresh == planned(window.end) - planned(window.end - settle)
    assert found.waiting == set(fleet) - planned(window.end)
    assert found.last is None
    assert {role: set(hosts) for role, hosts in found.roles.items()} == {
        lineup.role.name: set(lineup.free) for lineup in lineups(setting, roles_of(placed))
    }


@pytest.mark.parametrize("length", [1, 2, 3, 7, 9, 10, 11, 13, 59, 60, 61, 599, 600, 601, 3600, 86_400, 2_592_000])
@pytest.mark.parametrize("fine", [False, True])
def test_a_window_spans_what_is_asked_evenly_and_ends_now(length: int, fine: bool) -> None:
    window = Window.until(T0, timedelta(seconds=length), fine=fine)
    instants = list(window.instants)
    assert instants[-1] == window.end == unix(T0)
    assert len(instants) == window.steps + 1 >= 2
    assert instants[0] == window.start
    assert length <= window.end - window.start < length + window.step
    assert {later - earlier for earlier, later in pairwise(instants)} == {window.step}
    # So that no fleet's answer is longer than what is read of it; a closer look is not coarser than the first.
    assert window.steps <= (MOST if fine else COARSE)
    assert window.step <= Window.until(T0, timedelta(seconds=length), fine=False).step
    # Samples further apart may all lie between two instants: as close as the most of them allows.
    assert not fine or window.step <= max(LONGEST_STEP, -(-length // MOST))
    assert not fine or length > COARSE * FINE or window.step <= max(1, length // FINE)
