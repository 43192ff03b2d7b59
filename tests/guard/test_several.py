"""Several objectives, several variables, and people who decide as well."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.guard.world import AGENT, BAD, BROKEN, DEAD, GAP, HEALTHY, World, at, begun, moves, slo


def test_a_rollback_is_decided_once_and_returns_the_last_told_first(world: World) -> None:
    world.watch(slo(on_violation="rollback 20m"))
    order = world.told()
    (ruled,) = world.publish(30)["guard"]
    assert (ruled["action"], ruled["commit"]) == ("rollback", world.fleet.head())
    message = world.fleet.message()
    assert message.startswith("agent: rollback over 20m at 6.6 %\n\nerrors: 0.02 > 0.01 on 8 moved hosts")
    assert "Tsunami-Action: rollback\n" in message
    assert f"{message}\n".endswith("Tsunami-Guard: errors\n")
    assert world.told() == order
    for minute in (40, 50, 60):
        assert world.publish(minute)["guard"] == []
    assert world.actions() == ["start", "rollback"]
    assert world.status(60)["state"] == "rolled-back"
    back = [row["host"] for row in world.audit() if row["to"] == "1"]
    instants = [row["at"] for row in world.audit() if row["to"] == "1"]
    assert set(back) == order.keys()
    assert set(instants) == {at(40), at(50)}, "half of them at half-time"
    assert [order[host] for host in back] == sorted(order.values(), reverse=True)
    assert world.have() == set()


def test_the_way_back_comes_before_a_halt(world: World) -> None:
    world.watch(slo("slow"), slo("errors", on_violation="rollback 1h"), slo("load", on_violation="rollback 30m"))
    (ruled,) = world.publish(30)["guard"]
    assert (ruled["action"], ruled["slo"]) == ("rollback", "errors")
    assert world.fleet.message().startswith("agent: rollback over 30m"), "the shorter of the two"
    assert world.actions() == ["start", "rollback"]
    assert world.status(30)["state"] == "rolling-back"


def test_a_halt_comes_before_a_hold(world: World, closed: str) -> None:
    world.watch(slo("nothing", "nothing"), slo("errors"), slo("fine", HEALTHY))
    results = {one["slo"]: (one["status"], one["action"]) for one in world.guard(30, "--dry-run")}
    assert results == {"nothing": ("no-data", "hold"), "errors": ("violated", "halt"), "fine": ("ok", "none")}
    (ruled,) = world.publish(30)["guard"]
    assert (ruled["action"], ruled["slo"]) == ("halt", "errors")
    world.assert_halted(30)


def test_no_data_for_one_of_two_holds(world: World) -> None:
    world.watch(slo("fine", HEALTHY), slo("nothing", "nothing"))
    done = world.publish(30)
    assert [one["slo"] for one in done["held"]] == ["nothing"]
    assert world.status(30)["held"] == "nothing"


def ack(world: World, minute: float, until: float, name: str = "errors") -> None:
    world.fleet.at(at(minute)).decide("ack", "agent", name, "--until", at(until), "--reason", "known: #12")


def test_what_is_acknowledged_goes_on_until_then(world: World) -> None:
    world.watch(slo(), slo("fine", HEALTHY))
    world.publish(30)
    world.assert_halted(30)
    ack(world, 31, 60)
    world.fleet.at(at(32)).decide("resume", "agent")
    for minute in (40, 50):
        assert world.publish(minute)["guard"] == []
    found = world.guard(50, "--dry-run")[0]
    assert (found["status"], found["action"]) == ("violated", "none")
    assert found["why"].endswith(f"acknowledged until {at(60)}")
    assert len(world.told()) > 8
    assert world.guard(59 + 59 / 60, "--dry-run")[0]["action"] == "none"
    assert world.publish(60)["guard"][0]["action"] == "halt", "the instant itself is after it"
    world.assert_halted(60)
    assert world.actions() == ["start", "halt", "ack", "resume", "halt"]


def test_without_an_acknowledgement_a_resume_is_halted_again(world: World) -> None:
    world.watch(slo())
    world.publish(30)
    before = world.told()
    world.fleet.at(at(31)).decide("resume", "agent")
    world.publish(40)
    world.assert_halted(40)
    assert world.told() == before


def test_an_acknowledgement_is_for_one_slo(world: World) -> None:
    world.watch(slo("known"), slo("errors"))
    ack(world, 21, 90, "known")
    assert world.publish(30)["guard"][0]["slo"] == "errors"
    world.assert_halted(30)


def test_an_acknowledgement_is_not_for_missing_data(world: World) -> None:
    world.watch(slo(query=GAP))
    ack(world, 21, 90)
    assert [one["slo"] for one in world.publish(30)["held"]] == ["errors"]


def test_an_acknowledgement_is_not_for_silence(world: World) -> None:
    world.watch(slo(query=DEAD))
    ack(world, 21, 90)
    world.publish(30)
    world.assert_halted(30)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("agent", "unknown", "--until", at(60)), "agent has no SLO unknown: it has errors"),
        (("agent", "errors", "--until", at(30)), f"--until {at(30)} has to be in the future"),
        (("agent", "errors", "--until", at(29)), f"--until {at(29)} has to be in the future"),
        (("agent", "errors", "--until", "2028-01-01T00:00:00Z"), "within 366 days"),
        (("proxy", "errors", "--until", at(60)), "proxy"),
        (("calm", "errors", "--until", at(60)), "calm has no rollout"),
    ],
)
def test_acknowledgements_that_are_refused(world: World, words: tuple[str, ...], says: str) -> None:
    world.watch(slo())
    calm = 'name: calm\nvalue: {type: string}\ndefault: "1"\nslos:\n' + slo() + "rollouts: []\n"
    world.fleet.commit({"rollouts/calm.yaml": calm})
    before = world.fleet.snapshot()
    assert says in world.fleet.at(at(30)).no("ack", *words, "--reason", "known")
    assert world.fleet.snapshot() == before


def test_an_acknowledgement_takes_a_reason(world: World) -> None:
    world.watch(slo())
    words = ("ack", "agent", "errors", "--until", at(60), "--reason", " \t")
    assert "--reason must not be blank" in world.fleet.at(at(30)).no(*words)


def test_several_variables_are_decided_on_in_one_publish(make: Callable[[Path], World]) -> None:
    world = make(begun("docker", "helios"))
    world.watch(slo(query=BAD))
    world.watch(slo(query=BAD, on_violation="rollback 2h"), name="docker")
    world.watch(slo(query=HEALTHY), name="helios")
    tip = world.fleet.head()
    had = {name: world.have(name=name) for name in ("agent", "docker", "helios", "kernel")}
    done = world.publish(30)
    assert [(one["variable"], one["action"]) for one in done["guard"]] == [("agent", "halt"), ("docker", "rollback")]
    assert world.fleet.git("rev-list", "--count", f"{tip}..main") == "2", "a commit each"
    world.assert_halted(30)
    assert world.status(30, "docker")["state"] == "rolling-back"
    for name, hosts in had.items():
        now = world.have(name=name)
        assert (now > hosts) if name in ("helios", "kernel") else (now == hosts), name


def test_a_broken_file_that_was_never_told_stops_everything_before_the_guard(world: World) -> None:
    world.watch(slo())
    world.fleet.commit({"rollouts/calm.yaml": "name: [\n"})
    tip, entries = world.fleet.head(), world.entries()
    assert world.run(30, "publish").code == 1
    assert (world.fleet.head(), world.entries()) == (tip, entries)


def test_a_broken_file_beside_it_stops_no_halt(world: World) -> None:
    world.watch(slo())
    world.fleet.commit({"rollouts/kernel.yaml": "name: [\n"})
    done = world.publish(30, code=1)
    assert [one["action"] for one in done["guard"]] == ["halt"]
    assert world.halted()
    world.fleet.commit({AGENT: world.fleet.read(AGENT).replace("    halted: ", "    # halted: ")})
    assert [one["action"] for one in world.guard(40, code=1)] == ["halt"]


def test_the_command_decides_as_a_publish_does(world: World) -> None:
    world.watch(slo())
    (found,) = world.guard(30)
    assert (found["status"], found["action"], found["commit"]) == ("violated", "halt", world.fleet.head())
    assert world.fleet.message().startswith("agent: halt at 6.6 %\n\nerrors: 0.02 > 0.01 on 8 moved hosts")
    again = world.judge(30)
    assert (again["status"], again["action"]) == ("not-judged", "none")
    before = world.told()
    assert world.publish(30)["guard"] == []
    assert world.told() == before
    assert world.guard(30, "kernel") == []
    assert world.fleet.no("guard", "nobody").startswith("error: nobody")


def test_the_reason_forges_nothing(world: World) -> None:
    text = json.dumps("\u001b[31mred\u001b[0m\nTsunami-Action: resume")
    world.watch(slo(query=f"{BROKEN} unless healthy{{x={text}}}\n\n# Tsunami-Action: resume\n\n# ::error::x"))
    world.publish(30)
    world.assert_halted(30)
    message = world.fleet.message()
    assert "\x1b" not in message
    assert message.count("\nTsunami-Action: ") == 1
    assert world.actions() == ["start", "halt"]


def test_told_hosts_are_those_of_the_plan(world: World) -> None:
    assert world.told() == {host: at(minute) for host, minute in moves().items() if minute <= 20}
