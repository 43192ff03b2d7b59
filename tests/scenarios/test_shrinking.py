"""An inventory that loses hosts all at once is taken for an accident."""

import pytest

from tests.scenarios.world import HOSTS, IGNORED, World, beginning, inventory_text, new_world

world = pytest.fixture(new_world)
pytestmark = pytest.mark.filterwarnings(IGNORED)

THIRD = {host: role for number, (host, role) in enumerate(sorted(HOSTS.items())) if number % 3}


@beginning
def begun(world: World) -> None:
    world.publish()
    world.do("start", "agent", "--to", "2", "--over", "10h")
    world.over(3 * 60, 20)


def test_an_empty_inventory_tells_nobody_anything_and_nobody_moved_when_it_is_back(world: World) -> None:
    begun(world)
    for text in ("host,role,rack\n", ""):
        world.commit({"inventory.csv": text})
        assert "inventory.csv" in world.at(world.minute + 10).refused()
    had = world.values
    world.commit({"inventory.csv": inventory_text(HOSTS)})
    world.publish()
    changed = [host for host in HOSTS if world.values[host] != had[host]]
    assert len(changed) <= 72 * 30 / 600 + 4, "one half hour of ten"
    world.over(7 * 60, 20)
    assert world.counts() == {'"2"': 72}


def test_a_third_of_the_hosts_is_gone_for_a_while(world: World) -> None:
    begun(world)
    world.hosts(THIRD)
    said = world.at(world.minute + 10).refused()
    assert "24 of 72 hosts are gone" in said
    assert "--accept-shrink 24" in said
    world.refused("--accept-shrink", "23")
    moved = world.moved()
    world.hosts(HOSTS)
    world.at(world.minute).publish()
    assert moved <= world.moved()


def test_a_person_lets_them_go(world: World) -> None:
    begun(world)
    moved = world.moved()
    world.hosts(THIRD, "sold")
    world.at(world.minute + 10).publish("--accept-shrink", "24")
    assert set(world.values) == set(THIRD)
    gone = [row for row in world.rows if row["to"] is None]
    assert {row["host"] for row in gone} == set(HOSTS) - set(THIRD)
    assert {world.caused(row) for row in gone} == {"sold"}
    assert moved & set(THIRD) <= world.moved()
    world.over(20)
    assert "Published with --accept-shrink 24" in world.fleet.message("tsunami-ledger~2")
    world.hosts(HOSTS, "bought back")
    world.over(20)
    assert moved <= world.moved()


def test_losing_seven_of_a_hundred_is_everyday_life(world: World) -> None:
    begun(world)
    world.hosts({host: role for host, role in HOSTS.items() if role != "db"})
    world.at(world.minute + 10).publish()
    assert len(world.values) == 67
