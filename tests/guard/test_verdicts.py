"""What becomes of a rollout whose moved hosts do well, do badly, or say nothing."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from tests.guard.world import (
    AGENT,
    BAD,
    BROKEN,
    DEAD,
    HEALTHY,
    HOSTS,
    QUIET,
    ROLLOUT,
    World,
    at,
    fresh,
    moves,
    order,
    slo,
    unix,
)


def test_a_healthy_rollout_is_held_until_its_first_hosts_settle_and_never_again(
    make: Callable[[Path], World],
) -> None:
    world = make(fresh(over="50m"))
    world.watch(slo(query=HEALTHY))
    held = []
    for minute in range(0, 81, 10):
        done = world.publish(minute)
        assert done["guard"] == []
        held += [minute] * any(one["slo"] for one in done["held"])
    assert held == [20]
    assert world.status(80)["state"] == "complete"
    assert world.have() == set(HOSTS)
    assert world.actions() == ["start"]


def test_moved_hosts_that_are_bad_halt_though_the_fleet_is_fine(world: World) -> None:
    world.watch(slo())
    before, had, tip = world.told(), world.have(), world.fleet.head()
    done = world.publish(30)
    (ruled,) = done["guard"]
    settled = sum(minute <= 20 for minute in moves().values())
    assert (ruled["variable"], ruled["action"], ruled["slo"]) == ("agent", "halt", "errors")
    assert ruled["commit"] == world.fleet.head()
    assert world.fleet.git("rev-parse", "main^") == tip
    assert world.fleet.changed(tip) == [AGENT]
    assert f"\n    halted: {at(30)}\n" in world.fleet.read(AGENT), "as a person's halt"
    message = world.fleet.message()
    assert message.startswith(f"agent: halt at 6.6 %\n\nerrors: 0.02 > 0.01 on {settled} moved hosts for 10m\n")
    assert f"\nerrors is {BROKEN} <= 0.01, compare moved\n" in message
    trailers = f"Tsunami-Action: halt\nTsunami-Variable: agent\nTsunami-Rollout: {ROLLOUT}\nTsunami-Guard: errors\n"
    assert f"{message}\n".endswith(f"\n\n{trailers}")
    line = world.fleet.ok("log", "agent").splitlines()[-1]
    assert all(word in line for word in ("halt", "guard", "0.02 > 0.01 on 8 moved hosts")), line
    world.assert_halted(30)
    for minute in (40, 50, 60):
        done = world.publish(minute)
        assert done["guard"] == []
        assert {one["variable"] for one in done["changes"]} <= {"kernel"}
    assert world.told() == before
    assert world.have() == had
    assert world.actions() == ["start", "halt"]


def test_the_same_data_over_the_fleet_stops_nothing(world: World) -> None:
    world.watch(slo(compare="fleet"))
    for minute in (30, 40):
        assert world.publish(minute)["guard"] == []
    found = world.judge(40)
    assert (found["status"], found["hosts"]) == ("ok", len(HOSTS))
    assert world.told() == {host: at(minute) for host, minute in moves().items() if minute <= 40}


def test_what_is_as_bad_everywhere_halts_moved(world: World) -> None:
    world.watch(slo(query=BAD))
    world.publish(30)
    world.assert_halted(30)


def test_what_is_as_bad_everywhere_is_no_difference(world: World) -> None:
    world.watch(slo(query=BAD, compare="moved-minus-rest"))
    done = world.publish(30)
    assert (done["guard"], done["held"]) == ([], [])
    assert set(world.told()) == {host for host, minute in moves().items() if minute <= 30}


def test_worse_than_the_rest_halts(world: World) -> None:
    world.watch(slo(query=f"{BROKEN} + 0.3", compare="moved-minus-rest"))
    world.publish(30)
    world.assert_halted(30)
    assert "> 0.01 on 8 moved hosts minus 92 others for 10m\n" in world.fleet.message()


def test_the_last_hosts_have_no_rest_and_finish(world: World) -> None:
    world.watch(slo(query=BAD, compare="moved-minus-rest"))
    world.fleet.at(at(20)).ok("pace", "agent", "--over", "20m")
    for minute in (30, 40, 50, 60):
        assert world.publish(minute)["guard"] == []
    assert world.status(60)["state"] == "complete"
    assert world.actions() == ["start", "pace"]


def test_hosts_that_fall_silent_once_moved_halt(world: World) -> None:
    world.watch(slo(query=DEAD))
    world.publish(30)
    world.assert_halted(30)
    silent = sorted(order()[1:4])
    assert "errors: 3 of 8 moved hosts gone silent\n" in world.fleet.message()
    assert f"silent: {', '.join(silent)}\n" in world.fleet.message()


def test_where_the_rest_is_as_silent_it_is_the_exporter(world: World) -> None:
    world.watch(slo(query=QUIET))
    found = world.judge(30)
    assert found["silent"] == 7
    assert found["status"] != "violated"
    assert world.publish(30)["guard"] == []
    assert not world.halted()


def test_a_rollback_goes_on_whatever_is_measured(world: World) -> None:
    world.watch(slo(query=BAD))
    world.fleet.at(at(20)).ok("rollback", "agent", "--over", "20m")
    found = world.judge(30)
    assert (found["status"], found["action"]) == ("violated", "none")
    for minute in (30, 40):
        done = world.publish(minute)
        assert (done["guard"], done["held"]) == ([], [])
    assert world.have() == set()
    assert world.status(40)["state"] == "rolled-back"
    assert world.actions() == ["start", "rollback"]


def test_a_rollback_goes_on_where_the_server_is_down(world: World, closed: str) -> None:
    world.watch(slo(query=BAD, on_no_data="halt"))
    world.fleet.at(at(20)).ok("rollback", "agent", "--over", "10m")
    world.fleet.patch.setenv("TSUNAMI_PROMETHEUS_URL", closed)
    done = world.publish(30)
    assert done["held"] == []
    assert world.have() == set()


def test_one_bad_sample_halts_nothing_and_one_good_one_resets(world: World) -> None:
    instant = unix(25)
    for wrong, status in ((f"time() == bool {instant}", "ok"), (f"time() != bool {instant}", "ok"), ("1", "violated")):
        world.watch(slo(query=f"{HEALTHY} + 0.5 * ({wrong})"))
        assert world.judge(30)["status"] == status, wrong
    world.publish(30)
    world.assert_halted(30)


def test_never_more_is_told_between_two_publishes_than_twice_the_plan(world: World) -> None:
    world.watch(slo(query=HEALTHY))
    counts = [len(world.have())]
    for minute in (30, 40, 50):
        world.publish(minute)
        counts.append(len(world.have()))
    assert max(b - a for a, b in pairwise(counts)) <= 5
