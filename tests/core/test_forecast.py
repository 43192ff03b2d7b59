"""What is ahead: against living through every second."""

from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.core import oracle
from tests.core.fleets import (
    HOUR,
    WEEK,
    after,
    hosts_bound,
    inventory,
    office,
    pin,
    publish,
    rollout,
    schedule,
    share_bound,
    variable,
)
from tests.core.worlds import fleets, inventory_of
from tsunami_cli.core.calendar import moment_of, unix
from tsunami_cli.core.forecast import Move, Next, moves_ahead, next_moves
from tsunami_cli.core.inventory import Inventory
from tsunami_cli.core.lineup import roles_of
from tsunami_cli.core.model import Limit, Variable
from tsunami_cli.core.schedule import Schedule, Waypoint
from tsunami_cli.core.told import Told
from tsunami_cli.core.values import Value

END = 320
CALENDARS = st.sampled_from(
    [None, None, office(hours="10:01-10:04", days=WEEK), office(hours="10:02-10:03", days=WEEK)]
)
LIMITS = st.sampled_from(
    [(), (Limit("*", hosts_bound(1), share_bound(30)),), (Limit("a", hosts_bound(3)), Limit("*", None, hosts_bound(2)))]
)


def simulated(setting: Variable, fleet: Inventory, now: datetime, told: Told | None) -> list[Move]:
    """Step through every second: the ratchet with the planned progress, from what was told."""
    active, found = setting.rollouts[-1], []
    older = oracle.plan(replace(setting, rollouts=setting.rollouts[:-1]), fleet, unix(now))
    for role in oracle.roles(setting, fleet):
        line = oracle.order(setting, active.id, fleet, role)
        if told is None:
            ours = line[: oracle.quota_of(setting, active, role, len(line), oracle.planned(active, unix(now)))]
        else:
            mine = told.moved.get(active.id, {})
            ours = sorted((h for h in line if h in mine), key=lambda h: (mine[h].since, line.index(h)))
        for moment in range(unix(now), unix(after(0)) + END):
            quota = oracle.quota_of(setting, active, role, len(line), oracle.planned(active, moment))
            ways = {oracle.is_falling(active, moment)}
            if moment > unix(now):
                ways |= ways_that_end(active.schedule, moment)
            if True in ways:
                while len(ours) > quota:
                    host = ours.pop()
                    found.append(Move(moment_of(moment), host, role, active.to, Value(older[host])))
            if False in ways:
                for host in [host for host in line if host not in ours][: max(0, quota - len(ours))]:
                    ours.append(host)
                    found.append(Move(moment_of(moment), host, role, Value(older[host]), active.to))
    return sorted(found)


def ways_that_end(planned: Schedule, moment: int) -> set[bool]:
    """Whether what ends in that second falls: the second of a peak belongs to the way there and to the way back."""
    return {
        end.share < begin.share
        for begin, end in pairwise((Waypoint(planned.starts, Fraction(0)), *planned.waypoints))
        if unix(end.at) == moment and end.share != begin.share
    }


@st.composite
def settings(draw: st.DrawFn) -> Variable:
    """Waypoints on whole seconds, one direction at each instant, within five minutes."""
    calendar = draw(CALENDARS)
    seconds = sorted(draw(st.lists(st.integers(0, 300), min_size=1, max_size=5, unique=draw(st.booleans()))))
    shares = [draw(st.integers(0, 20)) * 5 for _ in seconds]
    for place in range(1, len(seconds)):
        if seconds[place - 1] == seconds[place]:  # a step goes on in the direction in which it was reached
            before, (low, high) = shares[place - 2] if place > 1 else 0, sorted(shares[place - 1 : place + 1])
            down = before >= high > low
            shares[place - 1 : place + 1] = (high, low) if down else (low, high if before <= low else low)
    planned = schedule(*((Fraction(s, 60), p) for s, p in zip(seconds, shares, strict=True)), calendar=calendar)
    if planned.rises_in_closed_time is not None:
        planned = replace(planned, calendar=None)
    below = [rollout((-9, 0), (-8, 50), name="x-1", halted=after(-7))] if draw(st.booleans()) else []
    active = replace(rollout((0, 0), to="3", name="x-2"), schedule=planned)
    return variable(*below, active, limits=draw(LIMITS), calendar=planned.calendar)


@given(settings(), fleets(), st.integers(-10, 310))
def test_the_plan_ahead(setting: Variable, fleet: dict[str, tuple[str, str]], second: int) -> None:
    where, now = inventory_of(fleet), moment_of(unix(after(0)) + second)
    expected = simulated(setting, where, now, None)
    assert moves_ahead(setting, roles_of(where), now) == expected
    assert next_moves(setting, roles_of(where), now) == head(expected)


@given(settings(), fleets(), fleets(), st.lists(st.integers(-10, 200), min_size=1, max_size=4), st.integers(200, 310))
def test_the_plan_ahead_from_what_was_told(
    setting: Variable,
    fleet: dict[str, tuple[str, str]],
    later: dict[str, tuple[str, str]],
    published: list[int],
    second: int,
) -> None:
    told = None
    setting = replace(setting, rollouts=setting.rollouts[-1:])
    if any(limit.at_most for limit in setting.limits):
        setting = replace(setting, limits=())  # see the next test
    for place, moment in enumerate(sorted(published)):
        told = publish(
            setting, inventory_of(fleet if place % 2 == 0 else later), moment_of(unix(after(0)) + moment), told
        )
    where, now = inventory_of(later), moment_of(unix(after(0)) + second)
    expected = simulated(setting, where, now, told)
    assert moves_ahead(setting, roles_of(where), now, told) == expected
    assert next_moves(setting, roles_of(where), now, told) == head(expected)


def test_more_than_at_most_allows_are_returned_in_the_second_in_which_a_fall_begins() -> None:
    """falling, those told last are returned down to the quota, which `at_most` keeps below all from the start."""
    planned = rollout((0, 0), (1, 100), (2, 100), (4, 0), name="x-2", to="3")
    setting = variable(planned, limits=(Limit("*", None, share_bound(50)),))
    fleet, now = inventory(a=4), after(1.5)
    told = publish(variable(planned), fleet, now, None)
    assert len(told.moved["x-2"]) == 4
    assert moves_ahead(setting, roles_of(fleet), now, told) == simulated(setting, fleet, now, told)


def head(moves: list[Move]) -> Next | None:
    return Next(moves[0].at, sum(move.at == moves[0].at for move in moves)) if moves else None


def test_a_peak_that_lasts_no_second_moves_nobody() -> None:
    """`at` is the first whole second at which the plan moves the host; the plan never stands at 100 % here."""
    setting, fleet = variable(rollout((0, 0), (5, 50), (5, 100), (5, 50), (10, 50))), inventory(a=4)
    expected = simulated(setting, fleet, after(0), None)
    assert moves_ahead(setting, roles_of(fleet), after(0)) == expected


def test_who_has_the_new_value_from_a_lifted_pin_does_not_move() -> None:
    """a host whose pin is lifted while it has the rollout's `to` is counted as moved."""
    fleet, planned = inventory(a=4), rollout((0, 0), (60, 100))
    pinned = variable(planned, pins=(pin("2", "a-0", "a-1"),))
    told = publish(pinned, fleet, after(0), publish(variable(pins=pinned.pins), fleet, after(-5), None))
    ahead = moves_ahead(variable(planned), roles_of(fleet), after(0), told)
    assert sorted(move.host for move in ahead) == ["a-2", "a-3"]


def test_halted_or_settled_nothing_is_ahead() -> None:
    fleet = roles_of(inventory(a=3))
    for setting in (variable(), variable(rollout((0, 0), (60, 100), halted=after(10)))):
        assert moves_ahead(setting, fleet, after(20)) == []
        assert next_moves(setting, fleet, after(20)) is None


def test_overdue_hosts_move_now() -> None:
    setting, fleet = variable(rollout((0, 0), (60, 100))), inventory(a=10)
    told = publish(setting, fleet, after(0), None)
    now = after(30)
    overdue = [move for move in moves_ahead(setting, roles_of(fleet), now, told) if move.at == now]
    assert len(overdue) == oracle.quota_of(setting, setting.rollouts[0], "a", 10, Fraction(1, 2))
    assert max(move.at for move in moves_ahead(setting, roles_of(fleet), now, told)) <= after(0) + HOUR
