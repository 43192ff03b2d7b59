"""A hundred things in any order: decisions, edits, accidents and late publishes, checked after each publish."""

import random

import pytest

from tests.scenarios.world import AGENT, AGENT_TEXT, DOCKER, HOSTS, IGNORED, KERNEL, SIZES, World, new_world

world = pytest.fixture(new_world)
pytestmark = pytest.mark.filterwarnings(IGNORED)

NAMES = ("agent", "docker", "kernel")


class Chance:
    """Somebody who does whatever comes to mind; what is refused is refused."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.dice = world, random.Random(seed)
        self.hosts = dict(HOSTS)
        self.away: dict[str, str] = {}
        self.value = 2
        self.done: list[str] = []

    def say(self, *words: str) -> None:
        said = self.world.fleet.run(*words)
        assert said.code in (0, 1), said
        self.done.append(f"{self.world.minute:.0f} {' '.join(words)}: {said.code}")

    def act(self) -> None:
        self.dice.choice(
            (self.start, self.stop, self.go_on, self.back, self.pin, self.unpin, self.churn, self.churn, self.bound)
        )()

    def start(self) -> None:
        self.value += 1
        name = self.dice.choice(NAMES)
        words = self.dice.choice((("--supersede",), ()))
        self.say("start", name, "--to", str(self.value), "--over", self.dice.choice(("2h", "6h", "1d12h")), *words)

    def stop(self) -> None:
        self.say("halt", *self.dice.choice(((), ("agent",), ("docker",))))

    def go_on(self) -> None:
        name = self.dice.choice(NAMES)
        words = self.dice.choice(((), ("--over", "3h")))
        self.say("resume", name, *words)
        if self.dice.random() < 0.3:
            self.say("pace", name, "--over", self.dice.choice(("1h", "10h")))

    def back(self) -> None:
        self.say("rollback", self.dice.choice(NAMES), "--over", self.dice.choice(("1h", "4h")))

    def pin(self) -> None:
        name = self.dice.choice(NAMES)
        glob = self.dice.choice(("web-0*", "edge-*", "search-1?", "*-04"))
        value = self.dice.choice((str(self.value), "1"))
        self.say("pin", name, "--to", value, "--host", glob, "--reason", "why not")

    def unpin(self) -> None:
        for glob in ("web-0*", "edge-*", "search-1?", "*-04"):
            for name in NAMES:
                if self.dice.random() < 0.4:
                    self.say("unpin", name, "--host", glob)

    def churn(self) -> None:
        had = dict(self.hosts)
        for host in self.dice.sample(sorted(self.hosts), 3):
            self.away[host] = self.hosts.pop(host)
        for host in self.dice.sample(sorted(self.away), min(len(self.away), 3)):
            role = self.away.pop(host)
            self.hosts[host] = self.dice.choice((role, role, *SIZES))
        if self.hosts != had:
            self.world.hosts(self.hosts)
            self.done.append(f"{self.world.minute:.0f} churn")

    def bound(self) -> None:
        number = self.dice.choice((1, 2, 3))
        text = self.world.fleet.git("show", f"main:{DOCKER}") + "\n"
        old = f"per_hour: {text.partition('per_hour: ')[2][0]}"
        if old != f"per_hour: {number}":
            self.world.edit(DOCKER, old, f"per_hour: {number}")


def a_day_and_a_half(world: World, seed: int, publishes: int) -> None:
    world.set_every(20)
    world.commit({KERNEL: "name: kernel\nvalue: {type: integer}\ndefault: 1\nroles: [edge, web]\n", AGENT: AGENT_TEXT})
    chance = Chance(world, seed)
    world.publish()
    for _ in range(publishes):
        if chance.dice.random() < 0.4:
            world.at(world.minute + chance.dice.choice((0, 1, 7)))
            chance.act()
        world.at(world.minute + chance.dice.choice((0, 1, 20, 20, 20, 40, 300)))
        try:
            world.publish()
        except BaseException:
            print("\n".join(chance.done))
            raise


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)])
def test_whatever_is_done_what_has_to_hold_holds(world: World, seed: int) -> None:
    a_day_and_a_half(world, seed, 60)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [12, 13])
def test_whatever_is_done_for_longer(world: World, seed: int) -> None:
    a_day_and_a_half(world, seed, 200)
