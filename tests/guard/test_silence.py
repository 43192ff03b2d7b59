"""A role that moves as a whole, canaries before all others: who falls silent there, and who never spoke."""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.guard.world import (
    DEAD,
    FILES,
    HEALTHY,
    World,
    at,
    moves,
    order,
    pass_on,
    quietly,
    repository,
    slo,
    unix,
)
from tests.metrics_servers import Handler, Scripted, scripted


@functools.cache
def canaries() -> tuple[str, str]:
    """Return two hosts that die at the minute 10 in the metric `dead`."""
    _, first, second = order()[:3]
    assert moves()[first] == moves()[second] == 10
    return first, second


@functools.cache
def others() -> list[str]:
    """Return hosts that live until the minute 60 whatever happens to them."""
    return sorted(host for host in order() if moves()[host] > 60)


@functools.cache
def template() -> Path:
    """Make a repository in which the canaries have been moved, and some of the others."""
    rows = [*(f"{host},canary" for host in canaries()), *(f"{host},web" for host in others())]
    limits = "limits: {canary: {at_least: 2}}\n"
    agent = FILES["rollouts/agent.yaml"] + limits
    root = repository(
        "canaries",
        {**FILES, "inventory.csv": "\n".join(["host,role", *rows, ""]), "rollouts/agent.yaml": agent},
    )
    quietly(root, 0, "publish")
    quietly(root, 0, "start", "agent", "--to", "2", "--over", "5h")
    for minute in (10, 20):
        quietly(root, minute, "publish")
    return root


@pytest.fixture
def canary(make: Callable[[Path], World]) -> World:
    return make(template())


@pytest.fixture
def asked(canary: World) -> Iterator[Scripted]:
    """Return what the server is asked, and let it answer."""
    with scripted(pass_on) as proxy:
        canary.fleet.patch.setenv("TSUNAMI_PROMETHEUS_URL", proxy.url)
        yield proxy


def of_web_alone() -> str:
    """Return a query that canaries never had a series of."""
    return f'{HEALTHY} unless on (instance) healthy{{instance=~"({"|".join(canaries())}):.*"}}'


def windows(proxy: Scripted) -> list[tuple[int, str]]:
    """Return when each question ends, in minutes, and its step."""
    return sorted(((int(form["end"]) - unix(0)) // 60, form["step"]) for form in proxy.seen)


def test_canaries_that_all_died_halt(canary: World, asked: Scripted) -> None:
    moved = len(canary.have())
    assert set(canaries()) < canary.have()
    canary.watch(slo(query=DEAD))
    (ruled,) = canary.publish(30)["guard"]
    assert (ruled["action"], ruled["slo"]) == ("halt", "errors")
    assert ruled["why"] == f"2 of {moved} moved hosts gone silent"
    canary.assert_halted(30)
    assert f"silent: {', '.join(sorted(canaries()))}\n" in canary.fleet.message()
    # At first, more closely, and before the rollout began.
    assert windows(asked) == [(0, "300"), (30, "15"), (30, "300")]


def test_canaries_of_which_nothing_was_ever_measured_stop_nobody(canary: World, asked: Scripted) -> None:
    canary.watch(slo(query=of_web_alone()))
    moved = canary.have() - set(canaries())
    found = canary.judge(30)
    assert (found["status"], found["action"], found["hosts"], found["silent"]) == ("ok", "none", len(moved), 0)
    assert windows(asked) == [(0, "300"), (30, "15"), (30, "300")]
    done = canary.publish(30)
    assert (done["guard"], [one for one in done["held"] if one["slo"]]) == ([], [])
    (shown,) = canary.fleet.at(at(30)).json("slo", "agent")["slos"]
    assert (shown["status"], shown["hosts"]) == ("ok", len(moved))
    assert shown["asked"] == [of_web_alone()], "once, whatever it was asked about"


def test_where_the_time_before_cannot_be_asked_about_the_silent_are_gone(canary: World) -> None:
    def reply(handler: Handler) -> None:
        if int(handler.form["end"]) == unix(0):
            handler.answer(500)
        else:
            pass_on(handler)

    canary.watch(slo(query=of_web_alone()))
    with scripted(reply) as proxy:
        canary.fleet.patch.setenv("TSUNAMI_PROMETHEUS_URL", proxy.url)
        found = canary.judge(30)
    assert (found["status"], found["action"], found["silent"]) == ("violated", "halt", 2)


def test_a_query_about_the_new_version_alone_holds_for_dead_canaries(canary: World) -> None:
    """Who has no series may have another version, whatever there was before the rollout."""
    canary.watch(slo(query='avg by (instance) (dead{job!="$to"})'))
    found = canary.judge(30)
    assert (found["status"], found["action"], found["silent"]) == ("no-data", "hold", 2)
