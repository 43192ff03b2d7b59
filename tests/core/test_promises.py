"""The promises, over random fleets, schedules, limits, pins, calendars, outages and clocks at rest."""

from collections import defaultdict
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from tests.core import oracle
from tests.core.fleets import EVERY, HOUR, after, have, inventory, publish, rollout, variable
from tests.core.worlds import Moment, fleets, inventory_of, settings, stories
from tsunami_cli.core.calendar import unix
from tsunami_cli.core.model import Variable
from tsunami_cli.core.quota import role_quota
from tsunami_cli.core.told import Told


def run(story: list[Moment]) -> list[Told]:
    told: list[Told] = []
    for moment in story:
        told.append(publish(moment.variable, moment.fleet, moment.now, told[-1] if told else None, held=moment.held))
    return told


def given_to(told: Told, moment: Moment) -> dict[str, str]:
    return {host: told.given[host] for host in moment.fleet.hosts}


def is_up(moment: Moment) -> bool:
    """Rising and neither halted nor held."""
    active = moment.variable.rollouts[-1]
    return active.halted is None and not moment.held and not oracle.is_falling(active, unix(moment.now))


@given(stories())
def test_every_publish_tells_what_the_design_says(story: list[Moment]) -> None:
    ledger = oracle.Ledger(int(EVERY.total_seconds()))
    for moment, told in zip(story, run(story), strict=True):
        expected = ledger.publish(moment.variable, moment.fleet, unix(moment.now), held=moment.held)
        assert told.progress[moment.variable.rollouts[-1].id] == ledger.e[moment.variable.rollouts[-1].id], str(moment)
        assert given_to(told, moment) == expected, str(moment)
        assert have(moment.variable, moment.fleet, moment.now, told) == expected, str(moment)


@given(settings(), fleets(), st.integers(-3, 3))
def test_with_unchanged_membership_and_publishes_on_time_the_plan_is_told(
    setting: Variable, fleet: dict[str, tuple[str, str]], begin: int
) -> None:
    """2.5, in open hours: the first publish of a day may lag by one interval, and so may a step in closed time."""
    where, told = inventory_of(fleet), None
    steps = [moment for moment, _ in oracle.planned_steps(setting.rollouts[-1].schedule)]
    assume(all(oracle.is_open(setting.calendar, moment) for moment in steps))
    assume(all(limit.per_hour is None for limit in setting.limits))
    for fives in range(begin, 55):
        now = after(5 * fives)
        told = publish(setting, where, now, told)
        if all(oracle.is_open(setting.calendar, unix(now) - back) for back in (0, 300)):
            assert told.progress["x-2"] == oracle.planned(setting.rollouts[-1], unix(now)), now
            assert {h: told.given[h] for h in where.hosts} == oracle.plan(setting, where, unix(now)), now


@given(st.integers(1, 200), st.fractions(0, 1, max_denominator=1000), st.text("ab", min_size=1))
def test_exact(n: int, p: Fraction, role: str) -> None:
    assert abs(role_quota("x-2", role, n, None, None).at(p) - p * n) <= 1


@given(stories(falls=False))
def test_no_flapping(story: list[Moment]) -> None:
    """2: who was moved keeps the new value, unless a pin takes it away."""
    ours: set[str] = set()
    for moment, told in zip(story, run(story), strict=True):
        to = moment.variable.rollouts[-1].to
        for host, role in zip(moment.fleet.hosts, moment.fleet.roles, strict=True):
            pinned = oracle.pin_of(moment.variable, host, role)
            if pinned is not None and pinned != to:
                ours.discard(host)
            elif host in ours:
                assert told.given[host] == to, (host, str(moment))
            elif told.given[host] == to:
                ours.add(host)


@given(stories(pins=False, halts=False))
def test_first_in_last_out(story: list[Moment]) -> None:
    """3: who returns was told no earlier than anybody of the role who stays, and had been moved."""
    tellings: dict[str, datetime] = {}
    before: set[str] = set()
    for moment, told in zip(story, run(story), strict=True):
        active = moment.variable.rollouts[-1]
        now = {host for host in moment.fleet.hosts if told.given[host] == active.to}
        if oracle.is_falling(active, unix(moment.now)) and len(tellings) > 0:
            gone = (before & set(moment.fleet.hosts)) - now
            assert not now - before, str(moment)
            for role in set(moment.fleet.roles):
                line = oracle.order(moment.variable, active.id, moment.fleet, role)
                key = {host: (tellings[host], line.index(host)) for host in line if host in tellings}
                for host in gone & set(line):
                    assert all(key[stayed] < key[host] for stayed in now & set(line)), (host, str(moment))
        for host in now - before:
            tellings[host] = moment.now
        for host in before & set(moment.fleet.hosts) - now:
            del tellings[host]
        before = (before - set(moment.fleet.hosts)) | now


@given(stories(pins=False))
def test_halt_means_halt(story: list[Moment]) -> None:
    """4: halted or held on the way up, nobody who was told anything changes; halted, not on the way back either."""
    told_before: dict[str, str] = {}
    published = run(story)
    for place, (moment, told) in enumerate(zip(story, published, strict=True)):
        active = moment.variable.rollouts[-1]
        stopped = active.halted is not None or (moment.held and not oracle.is_falling(active, unix(moment.now)))
        if place and stopped:
            for host in moment.fleet.hosts:
                if host in told_before:
                    assert told.given[host] == told_before[host], (host, str(moment))
                else:
                    assert told.given[host] != active.to, (host, str(moment))
            if published[place - 1].progress.get(active.id) is not None:
                assert told.progress[active.id] == published[place - 1].progress[active.id]
        told_before.update(given_to(told, moment))


@given(stories(pins=False))
def test_in_closed_hours_only_new_hosts_move(story: list[Moment]) -> None:
    told_before: dict[str, str] = {}
    for place, (moment, told) in enumerate(zip(story, run(story), strict=True)):
        falls = oracle.is_falling(moment.variable.rollouts[-1], unix(moment.now))
        if place and not falls and not oracle.is_open(moment.variable.calendar, unix(moment.now)):
            known = {host: value for host, value in given_to(told, moment).items() if host in told_before}
            assert known == {host: told_before[host] for host in known}, str(moment)
        told_before.update(given_to(told, moment))


@given(stories())
def test_told_progress_is_never_faster_than_twice_the_plan(story: list[Moment]) -> None:
    """Never faster than twice the plan, in other words; and never ahead of the plan on the way up."""
    published = run(story)
    every = int(EVERY.total_seconds())
    for last, told, moment in zip(published, published[1:], story[1:], strict=False):
        active = moment.variable.rollouts[-1]
        if not is_up(moment) or active.id not in last.progress:
            continue
        e, e_last, now = told.progress[active.id], last.progress[active.id], unix(moment.now)
        wait = min(oracle.open_seconds(moment.variable.calendar, unix(last.at), now), 2 * every)
        steps = active.schedule.steps(max(last.at, moment.now - 2 * EVERY), moment.now)
        assert e <= e_last + oracle.allowance(active.schedule, 2 * wait // 60) + steps, str(moment)
        assert e <= max(e_last, oracle.planned(active, now)), str(moment)


@given(stories(leave=False))
def test_no_role_is_changed_by_more_than_per_hour_within_an_hour(story: list[Moment]) -> None:
    """5: changed to the new value within (now - 1h, now]; a first telling is no change, nor is a pin."""
    changed: dict[str, list[datetime]] = defaultdict(list)
    told_before: dict[str, str] = {}
    for place, (moment, told) in enumerate(zip(story, run(story), strict=True)):
        active, setting = moment.variable.rollouts[-1], moment.variable
        roles = dict(zip(moment.fleet.hosts, moment.fleet.roles, strict=True))
        for host, role in roles.items():
            changes = place and host in told_before and told_before[host] != told.given[host] == active.to
            if changes and oracle.pin_of(setting, host, role) is None:
                changed[role].append(moment.now)
        for role in set(roles.values()):
            n = len(oracle.order(setting, active.id, moment.fleet, role))
            recent = [at for at in changed[role] if at > moment.now - HOUR]
            just = [at for at in recent if at == moment.now]
            assert not just or len(recent) <= oracle.per_hour(setting, active, role, n), (role, recent, str(moment))
        told_before.update(given_to(told, moment))


@given(stories())
def test_same_inputs_same_outputs(story: list[Moment]) -> None:
    one, two = run(story), run(story)
    assert one == two


@given(stories(limits=False, falls=False, pins=False, halts=False, through=True))
def test_in_the_end_everybody_has_it(story: list[Moment]) -> None:
    """A rollout that goes to 100 % gets there, whatever happened on the way."""
    told = run(story)[-1]
    setting, fleet = story[-1].variable, story[-1].fleet
    now = max(told.at, after(250))
    for _ in range(12 * 24 * 3):
        now += EVERY
        told = publish(setting, fleet, now, told)
        if all(told.given[host] == setting.rollouts[-1].to for host in fleet.hosts):
            return
    raise AssertionError((now, told.progress, told.given))


@given(settings(limits=False), fleets(), st.lists(st.sampled_from([0, -60, -240, 300]), min_size=2, max_size=12))
def test_a_clock_that_goes_back_takes_nothing_away(
    setting: Variable, fleet: dict[str, tuple[str, str]], leaps: list[int]
) -> None:
    where, told, now = inventory_of(fleet), None, after(30)
    had: set[str] = set()
    for leap in leaps:
        now += timedelta(seconds=leap)
        told = publish(setting, where, now, told)
        has = {host for host in where.hosts if told.given[host] == setting.rollouts[-1].to}
        assert had <= has, (now, had - has)
        had = has


def test_many_hosts_at_a_slow_pace_move_one_by_one() -> None:
    setting, fleet = variable(rollout((0, 0), (1000, 100))), inventory(web=100)
    told, counts = None, []
    for fives in range(0, 201):
        told = publish(setting, fleet, after(5 * fives), told)
        counts.append(sum(told.given[host] == '"2"' for host in fleet.hosts))
    assert counts[0] == 0
    assert counts[-1] == 100
    assert max(b - a for a, b in pairwise(counts)) <= 1
