"""What jumps, lifted bounds, lifted pins, late merges and mistyped years, is told at twice the plan and no faster."""

from datetime import timedelta

import pytest

from tests.scenarios.world import AGENT, AGENT_TEXT, DOCKER, HOSTS, IGNORED, SIZES, World, new_world, rollout_text

world = pytest.fixture(new_world)
pytestmark = pytest.mark.filterwarnings(IGNORED)


def written(world: World, *waypoints: tuple[float, float | str], to: str = '"2"') -> None:
    """Commit a rollout of agent that somebody wrote by hand."""
    world.commit({AGENT: f"{AGENT_TEXT}rollouts:\n{rollout_text('agent-by-hand', to, *waypoints)}"}, "our schedule")


@pytest.mark.slow
def test_a_start_that_is_merged_two_days_late_does_not_begin_with_two_days(world: World) -> None:
    world.set_every(60)
    world.publish()
    world.at(48 * 60)
    written(world, (0, 0), (96, 100))
    world.publish()
    assert len(world.moved()) <= 72 * 4 / 96 + 4, "two intervals at twice the plan, and one host of a role"
    world.over(24 * 60)
    assert 72 * 40 / 96 - 4 <= len(world.moved()) <= 72 * 52 / 96 + 4
    world.over(96 * 60, 120)
    assert world.counts() == {'"2"': 72}


def test_a_rollout_of_ten_years_ago_is_told_no_faster_than_it_was_meant(world: World) -> None:
    """A year like 2016 where 2026 was meant: the whole plan lies in the past."""
    world.set_every(60)
    world.publish()
    text = rollout_text("agent-by-hand", '"2"', (0, 0), (24, 100)).replace("2026-", "2016-")
    world.commit({AGENT: f"{AGENT_TEXT}rollouts:\n{text}"})
    world.publish()
    assert len(world.moved()) <= 72 * 4 / 24 + 4
    world.over(3 * 60)
    assert len(world.moved()) <= 72 * 10 / 24 + 4
    world.over(12 * 60)
    assert world.counts() == {'"2"': 72}


def test_a_step_that_everybody_missed_is_no_step_any_more(world: World) -> None:
    world.publish()
    written(world, (1, 0), (1, 50), (11, 60))
    world.at(10 * 60).publish()
    # A minute of the whole ten hours is one in 600: of two intervals, twice, that is one in 15.
    assert len(world.moved()) <= 72 * 40 / 600 + 4


def test_a_step_on_time_is_one(world: World) -> None:
    world.publish()
    written(world, (1, 0), (1, 50), (11, 60))
    world.over(60)
    assert 36 - 4 <= len(world.moved()) <= 36 + 4


def test_a_first_publish_tells_the_plan_whatever_it_is(world: World) -> None:
    written(world, (-48, 0), (48, 100))
    world.publish()
    assert 36 - 4 <= len(world.moved()) <= 36 + 4
    world.over(60)


@pytest.mark.slow
def test_at_most_lifted_goes_by_the_hour(world: World) -> None:
    world.set_every(20)
    world.edit(AGENT, 'default: "1"\n', 'default: "1"\nlimits:\n  "*": {at_most: 30%}\n')
    world.publish()
    world.do("start", "agent", "--to", "2", "--over", "10h")
    world.over(11 * 60)
    assert world.fleet.status("agent")["state"] == "capped"
    assert len(world.moved(role="web")) == 12
    world.edit(AGENT, 'limits:\n  "*": {at_most: 30%}\n', "")
    counts: list[int] = []
    world.over(5 * 60, then=lambda: counts.append(len(world.moved(role="web"))))
    # What the plan can ask of forty hosts in an hour is four; twice that may change.
    assert counts[:4] == [20, 20, 20, 28]
    assert counts[-1] == 40


def test_forty_of_a_hundred_hosts_unpinned_at_once_go_by_the_hour(world: World) -> None:
    world.set_every(20)
    world.do("pin", "agent", "--to", "1", "--host", "web-[012]*", "--reason", "batch")
    world.publish()
    world.do("start", "agent", "--to", "2", "--over", "10h")
    world.over(11 * 60)
    assert world.counts() == {'"1"': 30, '"2"': 42}
    lifted = world.do("unpin", "agent", "--host", "web-[012]*")
    world.at(world.minute + 1).publish()
    assert len(world.moved(role="web")) == 10 + 8
    world.over(4 * 60)
    assert world.counts() == {'"2"': 72}
    assert lifted not in {row["commit"] for row in world.rows}, "it has moved nobody itself"


@pytest.mark.slow
def test_hosts_that_all_change_their_role_go_by_the_hour(world: World) -> None:
    world.set_every(20)
    world.edit(AGENT, 'default: "1"\n', 'default: "1"\nlimits:\n  web: {at_most: 0}\n')
    world.publish()
    world.do("start", "agent", "--to", "2", "--over", "10h")
    world.over(11 * 60)
    assert not world.moved(role="web")
    world.hosts({host: "search" if role == "web" else role for host, role in HOSTS.items()})
    world.at(world.minute + 1).publish()
    # Twice the plan for an hour: of 55 hosts in ten hours that is 11.
    assert len(world.moved(role="search")) == SIZES["search"] + 11
    world.over(5 * 60)
    assert world.counts() == {'"2"': 72}


def test_a_bound_by_the_hour_holds_whatever_the_plan_says(world: World) -> None:
    world.publish()
    world.do("start", "docker", "--to", "1.12.3", "--over", "2h")
    world.over(4 * 60)
    edges = [row for row in world.rows if row["role"] == "edge" and row["to"] == "1.12.3"]
    assert len(edges) == 6
    instants = [row["at"] for row in edges]
    assert instants[0] < instants[2] < instants[4]
    assert world.fleet.status("docker")["state"] == "capped"


def test_publishes_that_come_too_rarely_stay_within_twice_the_plan(world: World) -> None:
    world.publish()
    world.do("start", "agent", "--to", "2", "--over", "24h")
    world.over(24 * 60, 4 * 60)
    # Of every four hours two intervals of ten minutes count, twice.
    share = next(iter(world.memory["agent"].shares.values()))
    assert timedelta(days=1) * float(share) == timedelta(minutes=6 * 40)


@pytest.mark.slow
def test_a_steep_stretch_is_caught_up_at_its_own_pace(world: World) -> None:
    """The allowance is that of the steepest stretch, and waits for the plan where that is slow."""
    world.publish()
    written(world, (1, 0), (11, 10), (12, 90), (22, 100))
    world.over(11 * 60, 20)
    world.at(13 * 60 + 30)
    world.over(3 * 60)
    world.over(6 * 60, 20)
    assert world.counts() == {'"2"': 72}


def test_a_calendar_does_not_add_up_over_night(world: World) -> None:
    world.set_every(60)
    world.publish()
    world.do("start", "docker", "--to", "1.12.3", "--over", "2d")
    world.over(4 * 60)
    had = len(world.moved("docker", "web"))
    world.at(22 * 60).publish()
    world.at(25 * 60).publish()
    # Missed were four open hours of 16 and one of the morning; told are two, twice.
    assert len(world.moved("docker", "web")) - had <= 40 * 4 / 16 + 1
    world.edit(DOCKER, '  "*": {at_least: 1}', '  "*": {at_least: 1, per_hour: 3}')
    world.over(6 * 60)
