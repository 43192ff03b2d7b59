"""Why a host has what it has, and when that changes."""

import pytest

from tests.core import oracle
from tests.core.fleets import after, globs, inventory, pin, publish, publish_until, rollout, val, variable
from tsunami_cli.core.calendar import unix
from tsunami_cli.core.explaining import explain
from tsunami_cli.core.inventory import Inventory
from tsunami_cli.core.lineup import Role
from tsunami_cli.core.model import Variable
from tsunami_cli.core.problems import Refusal
from tsunami_cli.core.told import Told

FLEET = inventory(a=8, b=2)
LAYERS = (rollout((-60, 0), (-30, 50), name="x-1", halted=after(-30)), rollout((0, 0), (60, 100), name="x-2", to="3"))


def test_every_host_of_a_layered_rollout() -> None:
    setting = variable(*LAYERS, pins=(pin("p", "a-3"), pin("q", "a-*3", "b-1")))
    for minute in (-5, 0, 20, 31, 60):
        planned = oracle.plan(setting, FLEET, unix(after(minute)))
        for host in FLEET.hosts:
            role = str(FLEET.role_of(host))
            why = explain(host, Role(role, FLEET), setting, after(minute))
            assert why.value == planned[host], (minute, host)
            line = oracle.order(setting, "x-2", FLEET, role)
            quota = oracle.quota_of(setting, LAYERS[1], role, len(line), oracle.planned(LAYERS[1], unix(after(minute))))
            if host in ("a-3", "b-1"):
                assert (why.because, why.pin, why.position, why.not_before) == (
                    "pin",
                    setting.pins[0] if host == "a-3" else setting.pins[1],
                    None,
                    None,
                )
                continue
            assert (why.position, why.of, why.quota) == (line.index(host) + 1, len(line), quota), (minute, host)
            expected = {'"3"': ("rollout", "x-2"), '"2"': ("rollout", "x-1"), '"1"': ("default", None)}[planned[host]]
            assert (why.because, why.source.id if why.source else None) == expected, (minute, host)
            assert why.moved == (planned[host] == '"3"')
            assert why.not_before == (None if why.moved else first_move(setting, FLEET, host, minute)), (minute, host)


def first_move(setting: Variable, fleet: Inventory, host: str, minute: int) -> object:
    start = unix(after(minute))
    value = oracle.plan(setting, fleet, start)[host]
    role = str(fleet.role_of(host))
    line = oracle.order(setting, "x-2", fleet, role)
    place = line.index(host)
    for moment in range(start, unix(after(61))):
        p = oracle.planned(setting.rollouts[-1], moment)
        if oracle.quota_of(setting, setting.rollouts[-1], role, len(line), p) > place:
            assert value != setting.rollouts[-1].to
            return oracle.instant(moment)
    return None


def test_from_what_was_told() -> None:
    setting = variable(LAYERS[1])
    told = publish_until(setting, FLEET, after(-5), after(30), None)
    for host in FLEET.hosts:
        why = explain(host, Role(str(FLEET.role_of(host)), FLEET), setting, after(40), told)
        assert why.value == told.given[host]
        assert why.moved == (host in told.moved["x-2"])


def test_a_halted_rollout_moves_nobody() -> None:
    setting = variable(rollout((0, 0), (60, 100), halted=after(0)))
    assert explain("a-0", Role("a", FLEET), setting, after(1)).not_before is None


def test_a_variable_of_other_roles_is_refused() -> None:
    with pytest.raises(Refusal, match="does not apply"):
        explain("a-0", Role("a", FLEET), variable(roles=globs("b")), after(0))


def test_between_the_start_of_the_next_rollout_and_its_first_publish() -> None:
    """The rollout that was folded into `default` is still what the host has."""
    told: Told | None = publish_until(variable(LAYERS[1]), FLEET, after(-5), after(90), None)
    folded = variable(rollout((100, 0), (160, 100), name="x-3", to="4"), default="3")
    why = explain("a-0", Role("a", FLEET), folded, after(100), told)
    assert (why.value, why.because) == (val("3"), "default")
    told = publish(folded, FLEET, after(100), told)
    assert told.given["a-0"] == val("3")
