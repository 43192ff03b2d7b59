"""What is broken, missing or dead in part: it holds what it is about, and costs nobody else a halt or a move."""

import shutil
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from tests.guard.world import BAD, BROKEN, HEALTHY, World, at, begun, moves, order, pass_on, slo
from tests.metrics_servers import Handler, scripted
from tsunami_cli.commands import guarding
from tsunami_cli.core.decisions import Change, halt
from tsunami_cli.core.guard import judging
from tsunami_cli.core.guard.judging import Judgement
from tsunami_cli.core.notices import Notice
from tsunami_cli.core.problems import Refusal
from tsunami_cli.core.status import Status

MOVED = "(broken offset 1m == 0.02)"
"""On moved hosts alone, on all of them; the instant before, as at this one the next ones would be moved."""
VERSION = 'label_replace(vector(1), "version", "$to", "", "")'
ALIVE = f'label_replace(dead and on (instance) {MOVED}, "version", "2", "", "")'


def planned(minute: int) -> set[str]:
    return {host for host, at_minute in moves().items() if at_minute <= minute}


def held(done: object) -> list[tuple[str, str]]:
    assert isinstance(done, dict)
    return [(one["variable"], one["slo"]) for one in done["held"] if one["slo"]]


# Who says nothing


def test_a_query_about_the_new_version_of_which_hosts_died_holds(world: World) -> None:
    """Nobody of the rest is asked for: whether those are dead, or were never measured, is not known."""
    world.watch(slo(query=f"{ALIVE} * on (version) group_left () {VERSION}"))
    before = world.told()
    done = world.publish(30)
    assert (done["guard"], held(done)) == ([], [("agent", "errors")])
    assert "3 of 8 moved hosts without a value" in done["held"][0]["why"]
    assert world.told() == before
    assert not world.halted()


def test_a_query_about_the_new_version_goes_by_what_it_says(world: World) -> None:
    query = f'label_replace({MOVED}, "version", "2", "", "") * on (version) group_left () {VERSION}'
    world.watch(slo(query=query, objective="<= 0.02"))
    found = world.judge(30)
    assert (found["status"], found["hosts"], found["silent"]) == ("ok", 8, 0)
    world.watch(slo(query=query))
    assert world.judge(30)["status"] == "violated"


@pytest.mark.parametrize("role", ["db", "web"])
def test_a_metric_of_one_role_alone_neither_holds_nor_halts(world: World, role: str) -> None:
    world.watch(slo(query=f'avg by (instance) (healthy{{role="{role}"}})', compare="moved-minus-rest", min_hosts=1))
    mine = [host for host in order()[:8] if host.startswith(role)]
    found = world.judge(30)
    assert (found["status"], found["hosts"], found["silent"]) == ("ok", len(mine), 0)
    done = world.publish(30)
    assert (done["guard"], done["held"]) == ([], [])
    assert set(world.told()) == planned(30)


def test_the_dead_of_the_one_role_that_is_measured_halt(world: World) -> None:
    world.watch(slo(query='avg by (instance) (dead{role="web"})'))
    found = world.judge(30)
    assert (found["status"], found["action"], found["hosts"], found["silent"]) == ("violated", "halt", 6, 3)


def test_the_last_hosts_are_dead_and_the_rollout_finishes(world: World) -> None:
    late = [host for host in order() if host not in planned(20)][-2:]
    names = "|".join(late)
    world.watch(
        slo(query=f'{HEALTHY} unless on (instance) healthy{{instance=~"({names}):.*"}}', compare="moved-minus-rest")
    )
    world.fleet.at(at(20)).ok("pace", "agent", "--over", "40m")
    for minute in (30, 40, 50, 60, 70):
        done = world.publish(minute)
        assert (done["guard"], done["held"]) == ([], []), minute
    assert world.status(70)["state"] == "complete"


# What is broken


def test_what_is_broken_in_one_objective_costs_no_other_its_halt(make: Callable[[Path], World]) -> None:
    """A bug on `docker`, numbers that overflow on `helios`: each holds, and `agent` is halted."""
    world = make(begun("docker", "helios"))
    judged = judging.judged

    def broken(variable: object, rollout: object, one: object, *more: object) -> Judgement:
        if getattr(one, "name", "") == "buggy":
            raise OverflowError("too\nlarge")
        return judged(variable, rollout, one, *more)  # type: ignore[arg-type]

    world.fleet.patch.setattr("tsunami_cli.core.guard.cases.judged", broken)
    world.watch(slo("fine", HEALTHY), slo("buggy", HEALTHY), name="docker")
    world.watch(slo(query=f"{HEALTHY} * 0 + 1.7e308", compare="moved-minus-rest"), name="helios")
    world.watch(slo("buggy"), slo())
    done = world.publish(30, code=4)
    assert [(one["variable"], one["action"], one["slo"]) for one in done["guard"]] == [("agent", "halt", "errors")]
    assert held(done) == [("docker", "buggy"), ("helios", "errors")]
    assert "this is a bug in tsunami (OverflowError: too" in done["held"][0]["why"]
    assert {one["variable"] for one in done["changes"]} == {"kernel"}
    world.assert_halted(30)
    assert {one["status"] for one in world.guard(30, "docker", code=4)} == {"ok", "error"}


def test_an_objective_that_nothing_can_meet_is_an_error_of_its_file_alone(make: Callable[[Path], World]) -> None:
    world = make(begun("docker"))
    world.watch(slo())
    for key, value, says in (
        ("for", "32d", "32d is over 31 days"),
        ("settle", "745h", "745h is over 31 days"),
        ("on_violation", "rollback 367d", "rollback 367d takes longer than 366 days"),
        ("objective", "<= 1e301", "nothing measures numbers of that size"),
    ):
        world.watch(slo(query=BAD, **{"objective": "<= 0.1"} | {key: value}), name="docker")
        said = world.run(30, "validate")
        assert said.code == 1, value
        assert says in said.out + said.err
    before = world.told("docker")
    done = world.publish(30, code=1)
    assert [(one["variable"], one["action"]) for one in done["guard"]] == [("agent", "halt")]
    assert [one["variable"] for one in done["held"]] == ["docker", "agent"]
    assert [one["file"] for one in done["problems"]] == ["rollouts/docker.yaml"]
    assert world.told("docker") == before
    for key, value in (
        ("for", "31d"),
        ("settle", "744h"),
        ("on_violation", "rollback 366d"),
        ("objective", "<= 1e300"),
    ):
        world.watch(slo(query=BAD, **{"objective": "<= 0.1"} | {key: value}), name="docker")
        assert world.run(30, "validate").code == 0, value


def closely(handler: Handler) -> bool:
    return int(handler.form["step"]) < 150


@pytest.mark.parametrize("on_no_data", ["hold", "ignore"])
def test_a_closer_look_that_fails_holds_what_was_seen_at_first(world: World, on_no_data: str) -> None:
    world.watch(slo(on_no_data=on_no_data))
    before = world.told()
    with scripted(lambda handler: handler.answer(500) if closely(handler) else pass_on(handler)) as proxy:
        world.fleet.patch.setenv("TSUNAMI_PROMETHEUS_URL", proxy.url)
        done = world.publish(30, code=4)
    assert [form["step"] for form in proxy.seen] == ["300", "15"], "three samples, then 41"
    assert (done["guard"], held(done)) == ([], [("agent", "errors")])
    assert "answers 500" in done["held"][0]["why"]
    assert done["held"][0]["why"].endswith("at first sight 0.02 > 0.01 on 8 moved hosts for 10m")
    assert world.told() == before
    assert not world.halted()


def test_a_first_look_that_finds_nothing_wrong_is_all(world: World) -> None:
    world.watch(slo(query=HEALTHY))
    with scripted(pass_on) as proxy:
        world.fleet.patch.setenv("TSUNAMI_PROMETHEUS_URL", proxy.url)
        world.publish(30)
    assert [form["step"] for form in proxy.seen] == ["300"]


def test_what_was_asked_stands_when_the_publish_begins_again(make: Callable[[Path], World]) -> None:
    """The halt of one variable is published instead; of the others nothing is asked again."""
    world = make(begun("docker", "helios"))
    world.watch(slo())
    world.watch(slo(query=f"{HEALTHY} * 1"), name="docker")
    world.watch(slo(query="nothing"), name="helios")
    with scripted(pass_on) as proxy:
        world.fleet.patch.setenv("TSUNAMI_PROMETHEUS_URL", proxy.url)
        done = world.publish(30)
    assert [one["variable"] for one in done["guard"]] == ["agent"]
    assert held(done) == [("helios", "errors")]
    asked = [form["query"] for form in proxy.seen]
    assert sorted(asked) == sorted([BROKEN, BROKEN, f"{HEALTHY} * 1", "nothing"])


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("TOKEN_FILE", "/nowhere/token", "TSUNAMI_PROMETHEUS_TOKEN_FILE: /nowhere/token cannot be read"),
        ("TIMEOUT", "soon", "TSUNAMI_PROMETHEUS_TIMEOUT: 'soon' is no number of seconds"),
        ("URL", "metrics:9090", "TSUNAMI_PROMETHEUS_URL: not the address of a metrics server"),
    ],
)
def test_an_environment_without_meaning_holds_what_is_watched(world: World, name: str, value: str, says: str) -> None:
    world.watch(slo())
    before = world.told()
    world.fleet.patch.setenv(f"TSUNAMI_PROMETHEUS_{name}", value)
    done = world.publish(30, code=4)
    assert (done["guard"], held(done)) == ([], [("agent", "errors")])
    assert says in done["held"][0]["why"]
    assert {one["variable"] for one in done["changes"]} == {"kernel"}
    assert world.told() == before


@pytest.fixture
def one_way(world: World) -> World:
    """Return a world with no way back."""

    def refused(*_: object) -> None:
        raise Refusal("there is no way back")

    world.fleet.patch.setattr(guarding, "rollback", refused)
    world.watch(slo(on_violation="rollback 20m"))
    return world


def test_a_halt_in_the_place_of_a_rollback_is_said_to_be_one(one_way: World) -> None:
    (ruled,) = one_way.publish(30)["guard"]
    assert ruled["action"] == "halt"


def test_where_there_is_no_way_back_it_halts(one_way: World) -> None:
    world = one_way
    before = world.told()
    (ruled,) = world.publish(30)["guard"]
    assert ruled["commit"] == world.fleet.head()
    world.assert_halted(30)
    assert world.told() == before
    assert world.fleet.message().startswith("agent: halt at 6.6 %\n\nerrors: 0.02 > 0.01 on 8 moved hosts")


def test_a_decision_that_cannot_be_made_is_tried_once(make: Callable[[Path], World]) -> None:
    """The halt of `agent` makes the publish begin again; that of `docker` was refused before."""
    world = make(begun("docker"))
    world.watch(slo(query=BAD))
    world.watch(slo(query=BAD), name="docker")
    tried = []

    def refused(status: Status, now: datetime) -> Change | None:
        if status.variable.name == "docker":
            tried.append(status)
            raise Refusal("docker cannot be halted")
        return halt(status, now)

    world.fleet.patch.setattr(guarding, "halt", refused)
    before = world.told("docker")
    done = world.publish(30, code=1)
    assert [(one["variable"], one["action"], one["failure"]) for one in done["guard"]] == [
        ("agent", "halt", None),
        ("docker", "halt", "docker cannot be halted"),
    ]
    assert len(tried) == 1
    assert held(done) == [("docker", "errors")]
    assert done["held"][0]["why"].endswith("(the guard could not halt)")
    assert world.told("docker") == before
    assert [one["commit"] for one in world.guard(31, "docker", code=1)] == [None]
    said = world.run(31, "guard", "docker")
    assert (said.code, "halt: not done" in said.out) == (1, True)
    assert "docker: halt: docker cannot be halted" in said.err


def test_people_hear_of_a_halt_though_the_publish_fails_and_their_file_is_no_good(world: World) -> None:
    told: list[tuple[Sequence[str], list[str]]] = []

    def send(where: Sequence[str], found: Sequence[Notice]) -> list[str]:
        told.append((where, [one.title for one in found]))
        return ["json:// was not told"]

    world.watch(slo())
    world.fleet.commit({".tsunami-notify": "json://hunter2@127.0.0.1:9/\n"})
    shutil.rmtree(world.fleet.root / "public/roles")
    world.fleet.write({"public/roles": "in the way"})
    world.fleet.patch.setattr("tsunami_cli.commands.notifying.send", send)
    world.fleet.patch.setenv("TSUNAMI_NOTIFY", "json://127.0.0.1:9/")
    said = world.run(30, "publish")
    assert said.code != 0, said
    assert world.halted()
    assert told == [(("json://127.0.0.1:9/",), ["backend: agent halted by the guard"])]
    assert "git tracks it" in said.err
    assert "json:// was not told" in said.err
    assert "hunter2" not in said.err
    # It is said once; a dry run says nothing.
    world.run(31, "publish")
    world.run(32, "publish", "--dry-run")
    assert len(told) == 1
