"""A line that is stopped and goes on, and rollouts that wait for others, with all that is published checked."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.scenarios.world import HOSTS, IGNORED, World, instant, new_world, text_of
from tsunami_cli.commands.fleet import load_settings
from tsunami_cli.core.model import Freeze, Variable

made = pytest.fixture(new_world)
pytestmark = pytest.mark.filterwarnings(IGNORED)
read = World._read


@pytest.fixture
def world(made: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """What stands still by a freeze, or waits, is for those who are known already as if it was halted then."""

    def as_halted(self: World) -> None:
        seen = self._source
        read(self)
        if self._source == seen:
            return
        settings, _ = load_settings(self.blob(f"{self._source}:tsunami.yaml") or b"")
        freeze = settings.freeze if settings else None
        self._files = {name: one and standing(one, freeze) for name, one in self._files.items()}

    monkeypatch.setattr(World, "_read", as_halted)
    return made


def standing(variable: Variable, freeze: Freeze | None) -> Variable:
    rollouts = []
    for rollout in variable.rollouts:
        stops = [rollout.halted, freeze.since if freeze and freeze.holds(variable.name) else None]
        stops.append(rollout.schedule.starts - timedelta(seconds=1) if rollout.after else None)
        known = [stop for stop in stops if stop is not None]
        rollouts.append(replace(rollout, halted=min(known) if known else None))
    return replace(variable, rollouts=tuple(rollouts))


def test_three_rollouts_stand_still_and_go_on_where_they_stood(world: World) -> None:
    """One that rises, one in office hours, one on its way back; hosts come and go meanwhile, and one is halted."""
    world.set_every(40)
    world.publish()
    world.do("start", "agent", "--to", "2", "--over", "10h")
    world.do("start", "docker", "--to", "1.12.3", "--over", "3d")
    world.do("start", "kernel", "--to", "8192", "--over", "1h")
    world.over(80)
    world.do("rollback", "kernel", "--over", "3h", "--reason", "slow")
    world.over(80)
    had, counts = world.values, world.counts("kernel")
    since = world.minute
    world.do("freeze", "--reason", "incident")
    world.over(40)
    assert world.values == had
    fewer = {host: role for host, role in HOSTS.items() if not host.endswith("7")}
    world.hosts(fewer)
    world.at(world.minute + 2000).publish()
    world.hosts(HOSTS)
    world.at(world.minute + 5).publish()
    assert world.values == had
    world.do("halt", "docker")
    told = len(world.rows)
    on = world.do("unfreeze", "--reason", "over")
    world.publish()
    assert (world.values, len(world.rows)) == (had, told)
    took = world.minute - since
    world.over(80)
    assert world.variable("docker").rollouts[-1].halted is not None
    assert {row["variable"] for row in world.rows[told:]} == {"agent", "kernel"}
    assert {row["commit"] for row in world.rows[told:]} == {on}
    assert 0 < int(world.counts("kernel").get("8192", 0)) < counts["8192"]
    assert text_of(world.variable("agent").rollouts[-1].schedule.ends) == instant(600 + took)


@pytest.mark.slow
def test_again_and_again(world: World) -> None:
    world.set_every(20)
    world.publish()
    world.do("start", "agent", "--to", "2", "--over", "10h")
    world.do("start", "docker", "--to", "1.12.3", "--over", "3d")
    for _ in range(6):
        world.over(80)
        world.do("freeze", "--reason", "again")
        had = world.values
        world.over(200)
        assert world.values == had
        world.do("unfreeze", "docker")
        assert world.publish()["held"] != []
        world.do("unfreeze")
        world.publish()
        assert world.values == had
    world.over(200)
    assert world.counts() == {'"2"': 72}


@pytest.mark.slow
def test_one_after_the_other(world: World) -> None:
    world.set_every(20)
    world.publish()
    world.do("start", "agent", "--to", "2", "--over", "1h")
    started = world.do("start", "kernel", "--to", "8192", "--over", "2h", "--after", "agent")
    world.over(200, 20)
    assert re.search(r"begin, agent is complete", world.fleet.git("log", "--format=%s", "main"))
    assert {row["commit"] for row in world.rows if row["variable"] == "kernel" and row["to"] == 8192} == {started}
    first = min(row["at"] for row in world.rows if row["variable"] == "kernel" and row["to"] == 8192)
    assert first > max(row["at"] for row in world.rows if row["variable"] == "agent" and row["to"] == "2")
    assert first >= instant(80)
    assert world.counts("kernel") == {"8192": 52}
