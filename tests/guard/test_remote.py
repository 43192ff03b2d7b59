"""With a remote that others push to: what the guard decides lands there, or nobody moves."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.commands.fleet_world import Fleet, git
from tests.guard.world import AGENT, World, at, pass_on, server, slo
from tests.metrics_servers import Handler, scripted


@pytest.fixture
def shared(world: World) -> World:
    """Return a world with a bare remote, and a colleague's clone beside it."""
    world.watch(slo())
    root = world.fleet.root
    git(root.parent, "clone", "-q", "--bare", "fleet", "remote.git")
    world.fleet.git("remote", "add", "origin", "../remote.git")
    world.fleet.git("fetch", "-q")
    world.fleet.git("branch", "-q", "-u", "origin/main", "main")
    git(root.parent, "clone", "-q", "remote.git", "colleague")
    return world


def colleague(world: World) -> World:
    return replace(world, fleet=Fleet(world.fleet.root.parent / "colleague", world.fleet.capture, world.fleet.patch))


def remote(world: World) -> Path:
    return world.fleet.root.parent / "remote.git"


def theirs(world: World, path: str = AGENT) -> str:
    return git(remote(world), "show", f"main:{path}")


def meanwhile(world: World, act: Callable[[], object]) -> Callable[[Handler], None]:
    """Return a server in between that does something once, while the guard waits for its first answer."""
    acted: list[bool] = []

    def reply(handler: Handler) -> None:
        if not acted:
            acted.append(True)
            act()
        pass_on(handler)

    return reply


def test_a_halt_is_pushed(shared: World) -> None:
    (ruled,) = shared.publish(30)["guard"]
    assert git(remote(shared), "rev-parse", "main") == ruled["commit"]
    assert f"halted: {at(30)}" in theirs(shared)
    assert shared.fleet.git("status", "--porcelain") == ""


def edited(world: World, path: str, old: str, new: str) -> Callable[[], None]:
    """Return how the colleague edits a file and pushes that, in git alone: it runs in another thread."""
    clone = world.fleet.root.parent / "colleague"

    def act() -> None:
        place = clone / path
        text = place.read_text()
        assert old in text
        place.write_text(text.replace(old, new))
        git(clone, "commit", "-q", "-am", "meanwhile")
        git(clone, "push", "-q")

    return act


@contextmanager
def raced(world: World, act: Callable[[], None]) -> Iterator[None]:
    """Let somebody act while the guard waits for its first answer."""
    with scripted(meanwhile(world, act)) as proxy:
        world.fleet.patch.setenv("TSUNAMI_PROMETHEUS_URL", proxy.url)
        yield
        world.fleet.patch.setenv("TSUNAMI_PROMETHEUS_URL", server().url)


def test_others_push_something_else_meanwhile(shared: World) -> None:
    with raced(shared, edited(shared, ".gitignore", "public", "public\nout")):
        (ruled,) = shared.publish(30)["guard"]
    assert git(remote(shared), "log", "--format=%s", "-2", "main").splitlines() == ["agent: halt at 6.6 %", "meanwhile"]
    assert git(remote(shared), "rev-parse", "main") == ruled["commit"]
    assert f"halted: {at(30)}" in theirs(shared)


def test_somebody_halts_meanwhile(shared: World) -> None:
    halted = f"    halted: {at(29)}\n    schedule:"
    before = shared.told()
    with raced(shared, edited(shared, AGENT, "    schedule:", halted)):
        done = shared.publish(30)
    assert done["guard"] == []
    assert f"halted: {at(29)}" in theirs(shared)
    assert git(remote(shared), "log", "--format=%s", "-1", "main") == "meanwhile"
    assert shared.told() == before


def test_somebody_acknowledges_meanwhile(shared: World) -> None:
    text = f'    acks:\n      - {{slo: errors, until: {at(90)}, reason: "known"}}\n    schedule:'
    with raced(shared, edited(shared, AGENT, "    schedule:", text)):
        done = shared.publish(30)
    assert (done["guard"], done["held"]) == ([], [])
    assert "halted" not in theirs(shared)
    assert len(shared.told()) > 8


def test_somebody_mends_the_objective_meanwhile(shared: World) -> None:
    with raced(shared, edited(shared, AGENT, '"<= 0.01"', '"<= 0.5"')):
        done = shared.publish(30)
    assert (done["guard"], done["held"]) == ([], [])
    assert "halted" not in theirs(shared)
    assert len(shared.told()) > 8


def test_somebody_drops_the_objective_meanwhile(shared: World) -> None:
    with raced(shared, edited(shared, AGENT, f"slos:\n{slo()}", "")):
        done = shared.publish(30)
    assert (done["guard"], done["held"]) == ([], [])
    assert "halted" not in theirs(shared)


def test_somebody_rewords_the_query_meanwhile(shared: World) -> None:
    """It is as bad by the new words."""
    with raced(shared, edited(shared, AGENT, "avg by (instance) (broken)", "max by (instance) (broken)")):
        done = shared.publish(30)
    assert [one["action"] for one in done["guard"]] == ["halt"]
    assert f"halted: {at(30)}" in theirs(shared)


def test_somebody_resumes_after_the_halt(shared: World) -> None:
    shared.publish(30)
    other = colleague(shared)
    git(other.fleet.root, "pull", "-q")
    git(other.fleet.root, "fetch", "-q", "origin", "tsunami-ledger:tsunami-ledger")
    other.fleet.patch.chdir(other.fleet.root)
    other.run(31, "resume", "agent")
    assert "halted" not in theirs(shared)
    shared.fleet.patch.chdir(shared.fleet.root)
    (ruled,) = shared.publish(40)["guard"]
    assert ruled["action"] == "halt", "it is a decision anew, on the commit that resumed"
    assert f"halted: {at(40)}" in theirs(shared)


HOOK = """#!/bin/sh
while read old new ref; do
  [ "$ref" = refs/heads/main ] && { echo protected >&2; exit 1; }
done
exit 0
"""


@pytest.fixture
def protected(shared: World) -> World:
    hook = remote(shared) / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(HOOK)
    hook.chmod(0o755)
    return shared


def test_a_protected_branch_holds_the_variable(protected: World) -> None:
    before = protected.told()
    done = protected.publish(30, code=1)
    (ruled,) = done["guard"]
    assert (ruled["action"], bool(ruled["failure"])) == ("halt", True)
    assert "halted" not in theirs(protected)
    assert [one["slo"] for one in done["held"] if one["variable"] == "agent"] == ["errors"]
    assert {one["variable"] for one in done["changes"]} == {"kernel"}
    assert protected.told() == before
    assert protected.fleet.head() == git(remote(protected), "rev-parse", "main"), "nothing stays that blocks a push"
    assert protected.fleet.git("status", "--porcelain") == ""


def test_a_protected_branch_goes_on_holding_that_variable_alone(protected: World) -> None:
    protected.publish(30, code=1)
    before, kernel = protected.told(), len(protected.have(name="kernel"))
    said = protected.run(40, "publish", "--json")
    assert said.code == 1, said
    assert protected.told() == before
    assert len(protected.have(name="kernel")) > kernel, said
    (remote(protected) / "hooks/pre-receive").unlink()
    protected.run(50, "publish", "--json")
    assert "halted" in theirs(protected)
    assert protected.told() == before


def test_an_unreachable_remote_publishes_nothing(shared: World) -> None:
    before = shared.told()
    away = remote(shared).rename(remote(shared).with_name("away"))
    assert shared.run(30, "publish").code == 4
    away.rename(remote(shared))
    assert shared.told() == before
