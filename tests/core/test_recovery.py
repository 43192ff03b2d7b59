"""A lost ledger made anew of what lies in the store: nobody moves by that, and nobody goes back."""

from collections.abc import Mapping
from fractions import Fraction

from hypothesis import given

from tests.core.fleets import after, have, inventory, pin, publish, rollout, variable
from tests.core.worlds import Moment, stories
from tsunami_cli.core.lineup import roles_of
from tsunami_cli.core.recovery import recovered

UP = rollout((0, 0), (100, 100))
FLEET = inventory(a=40)


def objects(values: Mapping[str, str]) -> dict[str, str]:
    return {host: f'{{"x":{value}}}' for host, value in values.items()}


def test_a_rollout_goes_on_from_where_hosts_are() -> None:
    told = None
    for minute in range(0, 55, 5):
        told = publish(variable(UP), FLEET, after(minute), told)
    assert told is not None
    values = have(variable(UP), FLEET, after(50), told)
    found = recovered(variable(UP), roles_of(FLEET), objects(values), after(50))
    assert set(found.moved["x-1"]) == set(told.moved["x-1"])
    assert found.progress["x-1"] == Fraction(len(found.moved["x-1"]), 40)
    later = publish(variable(UP), FLEET, after(55), found)
    assert have(variable(UP), FLEET, after(55), later) == have(
        variable(UP), FLEET, after(55), publish(variable(UP), FLEET, after(55), told)
    )


def test_pinned_hosts_are_not_taken_for_moved() -> None:
    pinned = variable(UP, pins=(pin("2", "a-1"),))
    found = recovered(pinned, roles_of(FLEET), objects({"a-1": '"2"', "a-2": '"1"'}), after(50))
    assert found.pinned == {"a-1"}
    assert "a-1" not in found.moved["x-1"]
    assert set(found.before) == {"a-2"}


@given(stories(falls=False))
def test_nobody_goes_back_by_a_recovery(story: list[Moment]) -> None:
    told = None
    for moment in story:
        told = publish(moment.variable, moment.fleet, moment.now, told, held=moment.held)
    assert told is not None
    last = story[-1]
    values = {host: told.given[host] for host in last.fleet.hosts}
    texts = {host: f'{{"x":{value}}}' for host, value in values.items()}
    found = recovered(last.variable, roles_of(last.fleet), texts, last.now)
    again = publish(last.variable, last.fleet, last.now, found)
    active = last.variable.rollouts[-1]
    for host in last.fleet.hosts:
        if values[host] == active.to:
            assert again.given[host] == active.to, (str(last), host)
