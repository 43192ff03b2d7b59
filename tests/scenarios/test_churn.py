"""Hosts that come, leave, vanish, come back and change roles under a rollout: no host goes back."""

import random
from fractions import Fraction

import pytest

from tests.scenarios.world import AGENT, DOCKER, HOSTS, IGNORED, SIZES, World, new_world

world = pytest.fixture(new_world)
pytestmark = pytest.mark.filterwarnings(IGNORED)

DAY = 24 * 60


class Churn:
    """An inventory in which every day two of a hundred hosts leave or join."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.chance = world, random.Random(seed)
        self.hosts = dict(HOSTS)
        self.away: dict[str, str] = {}
        self.number = 50
        self.ever: set[str] = set()

    def day(self) -> None:
        had = dict(self.hosts)
        for _ in range(self.chance.choice((0, 1, 2))):
            host = self.chance.choice(sorted(self.hosts))
            role = self.hosts.pop(host)
            if self.chance.random() < 0.6:
                self.away[host] = role
        for _ in range(self.chance.choice((0, 1, 2))):
            self.hosts[f"web-{self.number}"] = self.chance.choice(tuple(SIZES))
            self.number += 1
        if self.away and self.chance.random() < 0.5:
            host = self.chance.choice(sorted(self.away))
            role = self.away.pop(host)
            self.hosts[host] = self.chance.choice((role, "db"))
        if self.chance.random() < 0.4:
            self.hosts[self.chance.choice(sorted(self.hosts))] = self.chance.choice(tuple(SIZES))
        if self.hosts != had:
            self.world.hosts(self.hosts)

    def look(self) -> None:
        """Whoever has had the new value has it, in whatever role it is now."""
        self.ever |= self.world.moved()
        for host in self.ever & set(self.world.values):
            assert self.world.values[host]["agent"] == '"2"', host


def fourteen_days(world: World, seed: int, step: int) -> None:
    world.set_every(step)
    world.publish()
    world.do("start", "agent", "--to", "2", "--over", "14d")
    churn = Churn(world, seed)
    for day in range(14):
        if 3 <= day < 12:
            churn.day()
        world.over(DAY, then=churn.look)
        if day < 3:
            for role, size in SIZES.items():
                assert abs(len(world.moved(role=role)) - Fraction(day + 1, 14) * size) <= 1, (day, role)
    world.over(DAY)
    assert world.counts() == {'"2"': len(world.values)}
    assert world.fleet.status("agent")["state"] == "complete"


def test_fourteen_days_of_churn(world: World) -> None:
    fourteen_days(world, 1, 240)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_fourteen_days_of_churn_in_finer_steps(world: World, seed: int) -> None:
    fourteen_days(world, seed, 60)


@pytest.mark.slow
def test_churn_under_a_calendar_racks_and_bounds(world: World) -> None:
    world.set_every(60)
    world.publish()
    world.do("start", "docker", "--to", "1.12.3", "--over", "4d")
    churn = Churn(world, 4)
    for _ in range(5):
        churn.day()
        world.over(10 * 60)
        churn.day()
        world.at(world.minute + 14 * 60)
    rest = world.counts("docker")
    edges = [host for host, role in world.roles.items() if role == "edge"]
    assert rest['"1.12.3"'] >= len(world.values) - (len(edges) + 1) // 2


def test_a_host_that_vanishes_and_comes_back_has_what_it_was_told(world: World) -> None:
    world.publish()
    world.do("start", "agent", "--to", "2", "--over", "10h")
    world.over(5 * 60, 20)
    gone = sorted(world.moved())[:2] + sorted(set(HOSTS) - world.moved())[:2]
    world.hosts({host: role for host, role in HOSTS.items() if host not in gone})
    world.over(60, 20)
    assert not set(gone) & set(world.values)
    world.do("halt", "agent")
    world.hosts(HOSTS)
    world.at(world.minute + 10).publish()
    assert [world.values[host]["agent"] for host in gone] == ['"2"', '"2"', '"1"', '"1"']


@pytest.mark.slow
def test_a_host_that_comes_back_after_the_rollout_was_taken_back_has_the_old_value(world: World) -> None:
    world.publish()
    world.do("start", "agent", "--to", "2", "--over", "10h")
    world.over(5 * 60, 20)
    gone = sorted(world.moved())[0]
    world.hosts({host: role for host, role in HOSTS.items() if host != gone})
    world.over(20)
    world.do("rollback", "agent", "--over", "2h")
    world.over(120)
    assert world.counts() == {'"1"': 71}
    world.hosts(HOSTS)
    world.over(40)
    assert world.counts() == {'"1"': 72}


def test_a_new_host_gets_the_new_value_at_once_where_all_are_through(world: World) -> None:
    world.set_every(60)
    world.publish()
    world.do("start", "docker", "--to", "1.12.3", "--over", "7h")
    world.over(8 * 60)
    at_night = 14 * 60
    world.hosts(HOSTS | {"web-77": "web"})
    world.at(at_night).publish()
    assert world.values["web-77"]["docker"] == '"1.12.3"'


def test_a_role_gets_another_name(world: World) -> None:
    world.publish()
    world.do("start", "agent", "--to", "2", "--over", "10h")
    world.over(5 * 60, 20)
    moved = world.moved()
    renamed = {host: "www" if role == "web" else role for host, role in HOSTS.items()}
    world.hosts(renamed, "web is www now")
    world.at(world.minute + 1).publish()
    # Another role has an offset of its own: at most one host more.
    assert moved <= world.moved()
    assert len(world.moved()) <= len(moved) + 1
    assert not any("kernel" in told for host, told in world.values.items() if renamed[host] == "www"), "by its globs"
    assert not (world.fleet.root / "public/roles/web.json").exists()
    world.over(5 * 60, 20)
    assert world.counts() == {'"2"': 72}


@pytest.mark.slow
def test_a_variable_applies_to_a_role_no_more_and_then_again(world: World) -> None:
    world.publish()
    world.edit(AGENT, 'default: "1"\n', 'default: "1"\nroles: [db, edge, search, web]\n')
    world.do("start", "agent", "--to", "2", "--over", "10h")
    world.over(5 * 60, 20)
    moved = world.moved(role="search")
    narrowed = world.edit(AGENT, "roles: [db, edge, search, web]", "roles: [db, edge, web]", "not for search")
    world.over(20)
    assert all("agent" not in told for host, told in world.values.items() if HOSTS[host] == "search")
    last = [row for row in world.rows if row["to"] is None]
    assert {(row["role"], row["commit"]) for row in last} == {("search", narrowed)}
    assert len(last) == SIZES["search"]
    world.edit(AGENT, "roles: [db, edge, web]", "roles: [db, edge, search, web]", "for search again")
    world.at(world.minute + 1).publish()
    assert moved <= world.moved(role="search")
    world.over(5 * 60, 20)
    assert world.counts() == {'"2"': 72}


def test_a_host_whose_new_role_has_no_such_variable_loses_it_by_the_inventory(world: World) -> None:
    world.publish()
    world.do("start", "agent", "--to", "2", "--over", "10h")
    world.do("start", "kernel", "--to", "8192", "--over", "10h")
    world.over(2 * 60)
    world.do("halt", "--reason", "both of them")
    moved = world.hosts(HOSTS | {"edge-11": "search"}, "edge-11 searches now")
    world.over(20)
    rows = [row for row in world.rows if row["to"] is None]
    assert [(row["host"], row["variable"], row["commit"]) for row in rows] == [("edge-11", "kernel", moved)]


@pytest.mark.slow
def test_racks_are_balanced_at_every_step(world: World) -> None:
    world.set_every(60)
    world.edit(DOCKER, 'first: ["web-07"]\n', "")
    world.publish()
    world.do("start", "docker", "--to", "1.12.3", "--over", "31h")

    def look() -> None:
        racks = [sum(int(host[-2:]) % 4 == rack for host in world.moved("docker", "web")) for rack in range(4)]
        assert max(racks) - min(racks) <= 1, racks

    world.over(31 * 60, then=look)
