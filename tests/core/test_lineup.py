"""Which hosts: the order, its prefixes, pins and the values that follow, against naive sorting."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core import oracle
from tests.core.fleets import globs, inventory, pin, rollout, variable
from tsunami_cli.core import lineup as under_test
from tsunami_cli.core.inventory import Inventory
from tsunami_cli.core.lineup import Lineup, Role, lineups, roles_of
from tsunami_cli.core.model import Pin, Variable

NAMES = [f"{site}-{kind}-{number}" for site in ("lon", "sto") for kind in ("canary", "web") for number in range(5)]
GLOBS = st.lists(st.sampled_from(["lon-*", "*-canary-*", "*-3", "sto-web-[12]", "*", "nothing"]), max_size=2).map(tuple)
PINS = st.lists(
    st.builds(
        lambda value, hosts, roles: pin(value, *hosts, roles=roles),
        st.sampled_from(["1", "2", "p"]),
        GLOBS,
        st.sampled_from([(), ("b*",), ("a",)]),
    ),
    max_size=3,
)


@st.composite
def fleets(draw: st.DrawFn) -> Inventory:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=len(NAMES)))
    roles: dict[str, list[str]] = {"a": [], "b1": [], "c": []}
    for name in names:
        roles[draw(st.sampled_from(sorted(roles)))].append(name)
    return inventory({name: draw(st.sampled_from(["r1", "r2", "r3", ""])) for name in names}, **roles)


@st.composite
def variables(draw: st.DrawFn) -> Variable:
    return variable(
        rollout((0, 0), (100, 100), name=draw(st.sampled_from(["x-1", "x-2", "docker-20161114T095512Z"]))),
        first=globs(*draw(GLOBS)),
        spread=draw(st.sampled_from([None, "rack"])),
        pins=tuple(draw(PINS)),
        roles=globs(*draw(st.sampled_from([("*",), ("a", "b*"), ("c",)]))),
    )


@given(variables(), fleets())
def test_order_and_leading(setting: Variable, fleet: Inventory) -> None:
    active = setting.rollouts[0]
    found = {lineup.role.name: lineup for lineup in lineups(setting, roles_of(fleet))}
    assert sorted(found) == oracle.roles(setting, fleet)
    for role, lineup in found.items():
        expected = oracle.order(setting, active.id, fleet, role)
        assert lineup.order(active) == expected
        assert list(lineup.free) == sorted(expected)
        for quota in range(-1, len(expected) + 2):
            assert set(lineup.leading(active, quota)) == set(expected[: max(0, quota)]), quota


@given(variables(), fleets())
def test_the_first_pin_in_the_file_counts(setting: Variable, fleet: Inventory) -> None:
    for lineup in lineups(setting, roles_of(fleet)):
        for host in lineup.role.hosts:
            expected = oracle.pin_of(setting, host, lineup.role.name)
            found = lineup.pins.get(host)
            assert (found.value if found else None) == expected, host


def test_spread_keeps_every_prefix_balanced() -> None:
    hosts = [f"h{i:03d}" for i in range(60)]
    racks = {host: f"r{i % 3}" if i < 45 else "r0" for i, host in enumerate(hosts)}
    fleet = inventory(racks, a=hosts)
    setting = variable(rollout((0, 0), (100, 100)), spread="rack")
    line = Lineup(setting, roles_of(fleet)[0]).order(setting.rollouts[0])
    sizes = {rack: list(racks.values()).count(rack) for rack in racks.values()}
    for quota in range(len(line) + 1):
        for rack, size in sizes.items():
            taken = sum(racks[host] == rack for host in line[:quota])
            assert abs(taken - Fraction(quota * size, len(line))) <= 1, (quota, rack, taken)


def test_every_rollout_has_its_own_order() -> None:
    fleet = inventory(a=50)
    one, two = rollout((0, 0), (1, 100), name="x-1"), rollout((0, 0), (1, 100), name="x-2")
    lineup = Lineup(variable(one, two), roles_of(fleet)[0])
    assert lineup.order(one)[:10] != lineup.order(two)[:10]


def test_ties_go_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    class Tied:
        """Tickets that hardly differ, which 64 bits do once in a blue moon."""

        def __init__(self, hosts: tuple[str, ...]) -> None:
            self._hosts = hosts

        def tickets(self, _: str) -> list[int]:
            return [int(host.startswith("b")) for host in self._hosts]

    monkeypatch.setattr(under_test, "Lanes", Tied)
    fleet = inventory({"a1": "r", "b1": "s"}, a=["a2", "b2", "b1", "a1", "a3"])
    active = rollout((0, 0), (1, 100))
    lineup = Lineup(variable(active), Role("a", fleet))
    assert lineup.order(active) == ["a1", "a2", "a3", "b1", "b2"]
    assert set(lineup.leading(active, 2)) == {"a1", "a2"}
    assert set(lineup.leading(active, 4)) == {"a1", "a2", "a3", "b1"}


def test_golden_order() -> None:
    """Frozen: whom selection rule 1 moves first in this fleet."""
    fleet = inventory(web=12)
    active = rollout((0, 0), (100, 100), name="docker-20161114T095512Z")
    assert Lineup(variable(active), roles_of(fleet)[0]).order(active) == [
        "web-1",
        "web-9",
        "web-4",
        "web-6",
        "web-7",
        "web-0",
        "web-11",
        "web-2",
        "web-5",
        "web-10",
        "web-3",
        "web-8",
    ]


def test_a_pin_of_a_role_leaves_nobody_to_move() -> None:
    setting = variable(rollout((0, 100)), pins=(Pin(globs(), globs("web"), variable().default, "stays"),))
    lineup = Lineup(setting, roles_of(inventory(web=3))[0])
    assert (lineup.free, lineup.quota(setting.rollouts[0]).n) == ((), 0)
