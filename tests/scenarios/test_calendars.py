"""Calendars that somebody changes while a rollout is on its way."""

import pytest

from tests.scenarios.world import DOCKER, IGNORED, World, new_world

world = pytest.fixture(new_world)
pytestmark = pytest.mark.filterwarnings(IGNORED)

DAY = 24 * 60


def workday(world: World, hours: int = 8) -> None:
    """Publish every hour from ten to six in Stockholm, and go to the next morning."""
    world.over(hours * 60)
    world.at(world.minute + (24 - hours) * 60)


def begun(world: World, over: str) -> None:
    world.set_every(60)
    world.publish()
    world.do("start", "docker", "--to", "1.12.3", "--over", over)


@pytest.mark.slow
def test_nobody_moves_outside_hours(world: World) -> None:
    begun(world, "4d")
    for _ in range(5):
        world.over(7 * 60)
        moved = world.moved("docker")
        world.over(13 * 60, 4 * 60 + 20)
        assert world.moved("docker") == moved
        world.at(world.minute + 4 * 60)
    assert world.counts("docker") == {'"1.12.1"': 6, '"1.12.3"': 66}, "half of edge, and everybody else"
    assert world.fleet.status("docker")["state"] == "capped"


@pytest.mark.slow
def test_christmas_in_the_middle(world: World) -> None:
    """Two days are closed when half a week is gone, and one is opened again."""
    begun(world, "7d")
    workday(world)
    workday(world)
    world.edit(DOCKER, "  hours: 09:00-17:00\n", "  hours: 09:00-17:00\n  closed: [2026-11-18/2026-11-20]\n")
    world.at(2 * DAY - 30).publish()
    moved = world.moved("docker")
    workday(world)
    workday(world)
    assert world.moved("docker") == moved
    world.edit(DOCKER, "closed: [2026-11-18/2026-11-20]", "closed: [2026-11-18/2026-11-19]")
    workday(world)
    assert world.moved("docker") > moved
    world.at(7 * DAY)
    workday(world)
    workday(world)
    assert world.counts("docker") == {'"1.12.1"': 6, '"1.12.3"': 66}


@pytest.mark.slow
def test_a_calendar_that_is_taken_away_at_night_is_caught_up_at_twice_the_pace(world: World) -> None:
    begun(world, "5d")
    workday(world)
    text = world.fleet.read(DOCKER)
    begin, end = text.index("calendar:"), text.index("rollouts:")
    world.commit({DOCKER: text[:begin] + text[end:]}, "at any hour")
    had = len(world.moved("docker"))
    world.at(world.minute - 6 * 60).publish()
    # By wall time 18 of 120 hours would be gone; told are those of open hours, and four hours more at most.
    assert len(world.moved("docker")) <= had + 60 * 4 / 120 + 4
    world.over(DAY)


@pytest.mark.slow
def test_a_calendar_put_on_holds_from_the_next_publish_on(world: World) -> None:
    world.set_every(60)
    world.publish()
    world.do("start", "agent", "--to", "2", "--over", "48h")
    world.over(10 * 60)
    moved = world.moved()
    calendar = "calendar: {timezone: Europe/Stockholm, hours: 09:00-17:00}\n"
    world.edit("rollouts/agent.yaml", "rollouts:\n", f"{calendar}rollouts:\n")
    world.over(13 * 60)
    assert world.moved() == moved
    world.over(DAY)
    assert world.moved() > moved
