"""Whole lives of a variable: decisions, publishes between them, and what must hold all along."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from tests.core import oracle
from tests.core.documents import document, edited
from tests.core.fleets import EVERY, HOUR, MINUTE, T0, WEEK, have, inventory, office, publish, val, variable
from tsunami_cli.core import decisions
from tsunami_cli.core.calendar import Calendar
from tsunami_cli.core.decisions import Change
from tsunami_cli.core.inventory import Inventory
from tsunami_cli.core.lineup import roles_of
from tsunami_cli.core.model import Variable
from tsunami_cli.core.problems import Refusal
from tsunami_cli.core.starting import Order, start
from tsunami_cli.core.status import Status, status_of
from tsunami_cli.core.told import Told

FLEET = inventory({"a-0": "r1", "a-1": "r1"}, a=7, b=3)
CALENDARS = st.sampled_from([None, None, office(hours="09:00-13:00", days=WEEK)])
ACTIONS = [
    "start",
    "supersede",
    "halt",
    "halt",
    "resume",
    "resume over",
    "pace",
    "rollback",
    "rollback",
    "wait",
    "wait",
]


@dataclass
class Life:
    """A variable under its ledger."""

    setting: Variable
    now: datetime = T0
    fleet: Inventory = FLEET
    told: Told | None = None
    used: set[str] = field(default_factory=set)
    number: int = 1

    def publish(self) -> Mapping[str, str]:
        self.told = publish(self.setting, self.fleet, self.now, self.told)
        return self.values()

    def values(self) -> dict[str, str]:
        assert self.told is not None
        return {host: self.told.given[host] for host in self.fleet.hosts}

    def status(self) -> Status:
        return status_of(self.setting, roles_of(self.fleet), self.now, self.told)

    def wait(self, fives: int) -> None:
        for _ in range(fives):
            self.now += EVERY
            self.publish()

    def decide(self, action: str, minutes: int) -> Change | None:
        over, status = minutes * MINUTE, self.status()
        match action:
            case "start" | "supersede":
                self.number += 1
                asked = Order(val(str(self.number)), over, f"{minutes}m", supersede=action == "supersede")
                return start(self.setting, roles_of(self.fleet), self.now, asked, self.told, self.used)
            case "halt":
                return decisions.halt(status, self.now)
            case "resume":
                return decisions.resume(status, self.now, None)
            case "resume over":
                return decisions.resume(status, self.now, over)
            case "pace":
                return decisions.pace(status, self.now, over)
            case "rollback":
                return decisions.rollback(status, self.now, over)
        return None

    def take(self, change: Change) -> None:
        assert edited(self.setting, change.edits) == document(change.variable), (change.action, change.edits)
        self.setting = change.variable
        if change.rollout:
            self.used.add(change.rollout)


@given(CALENDARS, st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(1, 180), st.integers(0, 14)), max_size=12))
def test_a_life(calendar: Calendar | None, steps: list[tuple[str, int, int]]) -> None:
    life = Life(variable(calendar=calendar))
    life.publish()
    started_from: dict[str, Mapping[str, str]] = {}
    for action, minutes, fives in steps:
        had = life.values()
        # A steeper pace lets more hosts change within an hour: those that waited for that alone move at once.
        waited = any(role.moved < role.quota for role in life.status().roles)
        try:
            change = life.decide(action, minutes)
        except Refusal:
            change = None
        if change:
            life.take(change)
            assert have(life.setting, life.fleet, life.now, life.told) == had, (action, "status moves hosts")
            assert life.publish() == had or waited, (action, "a decision moves nobody by itself")
            active = life.setting.rollouts[-1]
            started_from.setdefault(active.id, had)
            if action != "halt":
                assert active.falling(life.now) == (action == "rollback" or (action == "resume" and falls(life))), (
                    action
                )
        for _ in range(fives):
            before = life.values()
            life.wait(1)
            check_moves(life, before, life.values(), started_from)
    finish(life, started_from)


def falls(life: Life) -> bool:
    return life.setting.rollouts[-1].schedule.waypoints[-1].share == 0


def check_moves(
    life: Life, before: Mapping[str, str], now: Mapping[str, str], started_from: Mapping[str, Mapping[str, str]]
) -> None:
    changed = {host for host in now if now[host] != before[host]}
    if not life.setting.rollouts:
        assert not changed
        return
    active = life.setting.rollouts[-1]
    if active.halted:
        assert not changed, active
    for host in changed:
        if active.falling(life.now):
            assert (before[host], now[host]) == (active.to, started_from[active.id][host]), (host, life.now)
        else:
            assert (before[host], now[host]) == (started_from[active.id][host], active.to), (host, life.now)


def finish(life: Life, started_from: Mapping[str, Mapping[str, str]]) -> None:
    """Whatever went on, it can be brought to an end: on to all, or back to what was."""
    if not life.setting.rollouts:
        return
    active = life.setting.rollouts[-1]
    forward = life.setting
    for action in ("resume over", "pace"):
        try:
            change = life.decide(action, 24 * 60)
        except Refusal:
            continue
        assert change is not None
        life.take(change)
        forward = life.setting
    life.wait(12 * 50)
    rising = not forward.rollouts[-1].falling(life.now)
    expected = dict.fromkeys(life.fleet.hosts, active.to) if rising else dict(started_from[active.id])
    assert life.values() == expected, life.status().state
    assert life.status().state == ("complete" if rising else "rolled-back")
    if rising:
        change = life.decide("rollback", 60)
        assert change is not None
        life.take(change)
        life.wait(20)
        assert life.values() == started_from[active.id]
        assert life.status().state == "rolled-back"
    life.number += 1
    change = life.decide("start", 30 * 60)
    assert change is not None
    assert life.setting.rollouts[-1].id not in [r.id for r in change.variable.rollouts]


ROUGH = [*ACTIONS, "pin", "unpin", "join", "leave", "role"]
NAMES = [f"a-{number}" for number in range(9)]


@given(
    CALENDARS,
    st.lists(
        st.tuples(
            st.sampled_from(ROUGH), st.sampled_from(NAMES), st.integers(1, 120), st.sampled_from([0, 5, 5, 20, 70])
        ),
        max_size=20,
    ),
)
def test_a_rough_life(calendar: Calendar | None, steps: list[tuple[str, str, int, int]]) -> None:
    """With pins, hosts that come and go, and publishes that come when they like."""
    life = Life(variable(calendar=calendar))
    life.publish()
    fleet = dict(zip(FLEET.hosts, FLEET.roles, strict=True))
    last = dict(life.values())
    for action, host, minutes, wait in steps:
        match action:
            case "join":
                fleet.setdefault(host, "b")
            case "leave":
                fleet.pop(host, None)
            case "role" if host in fleet:
                fleet[host] = "a" if fleet[host] == "b" else "b"
        life.fleet = inventory(None, **{role: [h for h, r in fleet.items() if r == role] for role in fleet.values()})
        try:
            change = rough_decision(life, action, host, minutes)
        except Refusal:
            change = None
        if change:
            life.take(change)
        pinned = {h: value for h, r in fleet.items() if (value := oracle.pin_of(life.setting, h, r)) is not None}
        known = set(life.told.given) if life.told else set()
        values = life.publish()
        assert have(life.setting, life.fleet, life.now, life.told) == values
        assert {h: values[h] for h in pinned} == pinned
        # Where hosts came or left, the others may owe a move: it is made once a halt is lifted or the way back begins.
        if change and action in ("start", "supersede", "halt"):
            kept = {h for h in values if h in known} - set(pinned)
            assert {h: values[h] for h in kept} == {h: last[h] for h in kept}, (action, "a decision moves nobody")
        last.update(values)
        life.now += wait * MINUTE
        values = life.publish()
        stopped = not life.setting.rollouts or life.setting.rollouts[-1].halted is not None
        if stopped:
            assert values == {h: last[h] for h in values}, action
        last.update(values)
    check_end(life)


def rough_decision(life: Life, action: str, host: str, minutes: int) -> Change | None:
    if action == "pin":
        return decisions.pin(life.setting, val(str(minutes % 4)), (host,), (), "because")
    if action == "unpin":
        return decisions.unpin(life.setting, (host,), ())
    return life.decide(action, minutes)


def check_end(life: Life) -> None:
    """It can be brought to an end, and then every host without a pin has the value."""
    if not life.setting.rollouts or not life.fleet.hosts:
        return
    for action in ("resume over", "pace"):
        try:
            change = life.decide(action, 24 * 60)
        except Refusal:
            continue
        assert change is not None
        life.take(change)
    life.wait(12 * 50)
    active = life.setting.rollouts[-1]
    free = {
        h for h, r in zip(life.fleet.hosts, life.fleet.roles, strict=True) if oracle.pin_of(life.setting, h, r) is None
    }
    has = {h for h in free if life.values()[h] == active.to}
    assert life.status().state == ("rolled-back" if active.falling(life.now) else "complete")
    assert has == (set() if active.falling(life.now) else free)


def test_back_to_a_layer_that_was_halted_part_way() -> None:
    life = Life(variable())
    life.publish()
    for action, fives in (("start", 8), ("supersede", 8), ("rollback", 20)):
        change = life.decide(action, 60)
        assert change is not None
        life.take(change)
        before = life.publish()
        life.wait(fives)
        if action == "supersede":
            layered = before
    assert life.status().state == "rolled-back"
    assert life.values() == layered
    assert len(set(layered.values())) == 2


def test_hosts_missing_through_a_rollback_are_returned_when_they_come_back() -> None:
    life = Life(variable())
    life.publish()
    change = life.decide("start", 60)
    assert change is not None
    life.take(change)
    life.wait(12)
    assert life.status().state == "complete"
    change = life.decide("rollback", 30)
    assert change is not None
    life.take(change)
    life.fleet = inventory(a=4, b=3)
    life.wait(10)
    assert life.status().state == "rolled-back"
    life.fleet = FLEET
    assert life.told is not None
    assert life.told.given["a-6"] == val("2")
    life.wait(1)
    assert set(life.values().values()) == {val("1")}


def test_a_host_keeps_the_new_value_whatever_its_role() -> None:
    life = Life(variable())
    life.publish()
    change = life.decide("start", 60)
    assert change is not None
    life.take(change)
    life.wait(6)
    moved = [host for host, value in life.values().items() if value == val("2")]
    assert 3 <= len(moved) <= 7
    life.fleet = inventory(a=[h for h in FLEET.hosts if h not in moved], c=moved)
    life.wait(1)
    assert all(life.values()[host] == val("2") for host in moved)


def test_joining_what_is_complete_halted_or_closed() -> None:
    night = office(hours="09:00-12:00", days=WEEK)
    for fives, halt, new in ((12, False, "2"), (12 * 6, False, "2"), (6, True, "1")):
        life = Life(variable(calendar=night))
        life.publish()
        change = life.decide("start", 60)
        assert change is not None
        life.take(change)
        life.wait(fives)
        if halt:
            stop = life.decide("halt", 0)
            assert stop is not None
            life.take(stop)
        life.fleet = inventory(a=8, b=3, c=2)
        life.now += HOUR / 12
        values = life.publish()
        assert {values["a-7"], values["c-0"], values["c-1"]} == {val(new)}, (fives, halt)
