"""What becomes of a rollout of which nothing is known: it waits, and nobody else waits with it."""

import io
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.guard.world import GAP, HEALTHY, LEDGER, VARIABLE, World, at, fresh, moves, slo
from tests.metrics_servers import Server, start_prometheus

PINNED = "web-00"


def test_a_gap_holds_and_passes_by_itself(world: World) -> None:
    world.watch(slo(query=GAP))
    before, tip = world.told(), world.fleet.head()
    for minute in (30, 40, 50):
        done = world.publish(minute)
        assert [(one["variable"], one["slo"]) for one in done["held"]] == [("agent", "errors")]
        assert done["guard"] == []
        state = world.status(minute)
        assert (state["state"], state["held"]) == ("running", "errors")
        assert world.judge(minute)["status"] == "no-data"
        assert f"agent held by errors since {at(30)}\n" in world.minutes()
    assert world.told() == before
    assert world.fleet.head() == tip, "no commit on the branch"
    for minute in (60, 70, 80):
        share = world.status(minute - 1)["rollout"]["told_percent"]
        done = world.publish(minute)
        assert done["guard"] == []
        assert [one for one in done["held"] if one["slo"]] == []
        grown = world.status(minute)["rollout"]["told_percent"] - share
        assert 0 < grown <= 2 * 100 * 10 / 300 + 0.001
    assert "agent no longer held by errors" in world.minutes(3)
    assert world.status(80)["held"] is None
    assert len(world.told()) == len([host for host, minute in moves().items() if minute <= 80])


def test_half_of_the_samples_are_enough(world: World) -> None:
    world.watch(slo(query=GAP))
    assert world.judge(59)["status"] == "no-data"
    found = world.judge(60)
    assert (found["status"], found["value"]) == ("ok", 0.001), "data from 55 on"


def test_server_down_holds_while_all_else_goes_on(world: World, closed: str) -> None:
    world.watch(slo())
    world.fleet.patch.setenv("TSUNAMI_PROMETHEUS_URL", closed)
    before = world.told()
    world.fleet.at(at(21)).ok("pin", "agent", "--to", "2", "--host", PINNED, "--reason", "first of all")
    done = world.publish(30, code=4)
    assert [(one["variable"], one["slo"]) for one in done["held"]] == [("agent", "errors")]
    assert closed in done["held"][0]["why"]
    told = {(one["variable"], tuple(one["hosts"])) for one in done["changes"]}
    assert ("agent", (PINNED,)) in told
    assert {name for name, _ in told} == {"agent", "kernel"}
    assert world.told() == before
    (found,) = world.guard(30, code=4)
    assert (found["status"], found["action"], found["commit"]) == ("error", "hold", None)
    assert world.status(30)["held"] == "errors"
    said = world.run(40, "run", "--once")
    assert said.code == 4, said
    assert world.told() == before


def test_no_address_at_all_holds(world: World) -> None:
    world.watch(slo())
    world.fleet.patch.delenv("TSUNAMI_PROMETHEUS_URL")
    done = world.publish(30, code=4)
    assert "set guard.prometheus in tsunami.yaml" in done["held"][0]["why"]


def test_the_address_in_the_settings_counts(world: World) -> None:
    url = os.environ["TSUNAMI_PROMETHEUS_URL"]
    world.fleet.patch.delenv("TSUNAMI_PROMETHEUS_URL")
    world.watch(slo(query=HEALTHY))
    settings = world.fleet.read("tsunami.yaml")
    world.fleet.commit({"tsunami.yaml": f"{settings}guard: {{prometheus: '{url}'}}\n"})
    assert world.judge(30)["status"] == "ok"


def test_a_query_that_the_server_refuses_holds(world: World) -> None:
    world.watch(slo(query="avg by (instance) (healthy"))
    done = world.publish(30, code=4)
    assert "refuses the query" in done["held"][0]["why"]


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[Server]:
    server = start_prometheus(tmp_path / "prometheus")
    server.pause()
    yield server
    server.resume()
    server.end()


def test_a_server_that_does_not_answer_holds(world: World, stopped: Server) -> None:
    world.watch(slo())
    world.fleet.patch.setenv("TSUNAMI_PROMETHEUS_URL", stopped.url)
    world.fleet.patch.setenv("TSUNAMI_PROMETHEUS_TIMEOUT", "0.2")
    done = world.publish(30, code=4)
    assert "no answer" in done["held"][0]["why"]
    assert {one["variable"] for one in done["changes"]} == {"kernel"}


def test_on_no_data_halt_halts(world: World, closed: str) -> None:
    world.watch(slo(on_no_data="halt"))
    world.fleet.patch.setenv("TSUNAMI_PROMETHEUS_URL", closed)
    before = world.told()
    (ruled,) = world.publish(30)["guard"]
    assert ruled["action"] == "halt"
    world.assert_halted(30)
    assert world.told() == before
    world.publish(40)


def test_on_no_data_halt_of_missing_data_has_done_its_work(world: World) -> None:
    world.watch(slo(query="nothing", on_no_data="halt"))
    (found,) = world.guard(30)
    assert (found["status"], found["action"]) == ("no-data", "halt")
    assert found["commit"] == world.fleet.head()
    world.assert_halted(30)


def test_on_no_data_ignore_goes_on_and_says_so(world: World, closed: str) -> None:
    world.watch(slo(on_no_data="ignore"))
    world.fleet.patch.setenv("TSUNAMI_PROMETHEUS_URL", closed)
    done = world.publish(30)
    assert (done["guard"], done["held"]) == ([], [])
    assert set(world.told()) == {host for host, minute in moves().items() if minute <= 30}
    found = world.judge(40, code=4)
    assert (found["status"], found["action"]) == ("error", "none")
    assert found["why"].endswith("; ignored, as on_no_data says")


def test_what_is_held_is_seen_and_moves_nobody_until_the_next_publish(world: World) -> None:
    world.watch(slo(query=GAP))
    world.publish(30)
    had = world.have()
    waiting = [host for host, minute in moves().items() if minute == 30]
    assert had.isdisjoint(waiting)
    for minute in (31, 39):
        fleet = world.fleet.at(at(minute))
        for host in waiting:
            assert fleet.json("get", host)["agent"] == "1", f"{host} is held at {minute}"
    fleet.ok("render", "--out", "rendered")
    rendered = "".join(place.read_text() for place in (fleet.root / "rendered/roles").iterdir())
    assert rendered.count('"agent":"2"') == len(had)
    for host in waiting:
        assert fleet.json("explain", host, "agent")["value"] == "1"


def test_a_halt_is_seen_by_all_commands_alike(world: World) -> None:
    world.watch(slo())
    world.publish(30)
    had = world.have()
    fleet = world.fleet.at(at(45))
    fleet.ok("render", "--out", "rendered")
    rendered = "".join(place.read_text() for place in (fleet.root / "rendered/roles").iterdir())
    assert rendered.count('"agent":"2"') == len(had)
    for host, minute in moves().items():
        if minute <= 40:
            value = "2" if host in had else "1"
            assert fleet.json("get", host)["agent"] == value
            assert fleet.json("explain", host, "agent")["value"] == value
    assert fleet.json("plan", "agent")["variables"][0]["moves"] == []


def test_no_guard_moves_on_and_the_entry_says_so(world: World, closed: str) -> None:
    world.watch(slo())
    world.fleet.patch.setenv("TSUNAMI_PROMETHEUS_URL", closed)
    world.publish(30, code=4)
    done = world.publish(40, "--no-guard", "--reason", "the metrics are being moved")
    assert (done["held"], done["guard"]) == ([], [])
    assert len(world.told()) > 8
    assert "Published with --no-guard: the metrics are being moved\n" in world.minutes()
    assert world.status(40)["held"] is None
    assert not world.halted()


def test_dry_runs_change_nothing_and_say_what_would_be(world: World) -> None:
    world.watch(slo())
    before = world.fleet.snapshot()
    done = world.publish(30, "--dry-run")
    (ruled,) = done["guard"]
    assert (ruled["action"], ruled["commit"]) == ("halt", None)
    (held,) = done["held"]
    assert held["why"].endswith("(the guard would halt)")
    assert {one["variable"] for one in done["changes"]} == {"kernel"}
    assert "the guard would halt it: errors: 0.02 > 0.01" in world.run(30, "publish", "--dry-run").out
    found = world.judge(30)
    assert (found["status"], found["action"], found["commit"]) == ("violated", "halt", None)
    assert "would halt" in world.run(30, "guard", "--dry-run").out
    assert world.fleet.snapshot() == before
    assert LEDGER in before[0]


def test_slo_shows_what_is_measured(world: World) -> None:
    world.watch(slo())
    before = world.fleet.snapshot()
    fleet = world.fleet.at(at(30))
    shown = fleet.ok("slo", "agent")
    assert "would halt" in shown
    (found,) = fleet.json("slo", "agent")["slos"]
    assert (found["status"], found["action"], found["hosts"]) == ("violated", "halt", 8)
    sides = found["cohorts"]
    assert {name: side["hosts"] for name, side in sides.items()} == {"moved": 8, "rest": 92, "fleet": 100}
    assert {sample["value"] for sample in sides["moved"]["samples"]} == {0.02}
    assert [sides["moved"]["samples"][place]["at"] for place in (0, -1)] == [at(20), at(30)]
    assert sides["fleet"]["value"] < 0.01
    assert world.fleet.snapshot() == before
    assert fleet.no("slo", "kernel").startswith("error: kernel has no slos")


def test_screens_of_what_is_not_known(make: Callable[[Path], World], closed: str) -> None:
    world = make(fresh())
    fleet = world.fleet.at(at(30))
    assert "no SLOs to judge" in fleet.ok("guard", "--dry-run")
    calm = VARIABLE.format("calm") + "slos:\n" + slo(query="up\u202e\n  # x")
    fleet.commit({"rollouts/calm.yaml": calm})
    world.watch(slo("none", "nothing"), slo("nan", f"{HEALTHY} * NaN"))
    shown = fleet.ok("slo", "agent")
    assert "nothing is published: hosts are taken as moved by the plan" in shown
    assert re.search(r"moved +no value +8 hosts, 8 silent", shown)
    assert re.search(r"moved +no value +8 hosts, 2 more not settled yet\n", shown)
    assert re.search(r"guard +would hold", shown)
    judged = fleet.ok("guard", "agent", "--dry-run")
    assert re.search(r"none +no-data +hold +the query has no series", judged)
    none = fleet.ok("slo", "calm")
    assert "calm  no rollout" in none
    assert "\u202e" not in none
    assert re.search(r"not-judged +no rollout", none)
    fleet.patch.setenv("TSUNAMI_PROMETHEUS_URL", closed)
    said = fleet.run("slo", "agent")
    assert (said.code, said.out.count("refuses the connection")) == (4, 2)
    assert "samples from" not in said.out


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("words", [("slo", "agent"), ("guard", "--dry-run")])
def test_who_looks_on_sees_that_it_takes_a_while(world: World, words: tuple[str, ...]) -> None:
    world.watch(slo(query=HEALTHY))
    world.fleet.patch.setattr(sys, "stderr", terminal := Terminal())
    world.fleet.patch.setenv("TERM", "xterm")
    assert world.run(30, *words).code == 0
    assert "asking the metrics server" in terminal.getvalue()
    world.fleet.patch.setattr(sys, "stderr", terminal := Terminal())
    assert world.run(30, *words, "--json").code == 0
    assert terminal.getvalue() == ""
