"""A thousand hosts for days: the long form of what the other tests here look at for an hour."""

import contextlib
import functools
import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from tests.guard.world import VARIABLE, World, at, quietly, repository, slo, unix
from tests.metrics_servers import Server, labels, openmetrics, shared_prometheus
from tsunami_cli import cli

HOSTS = tuple(f"{role}-{number:03}" for role, size in {"db": 100, "web": 900}.items() for number in range(size))
FILES = {
    "tsunami.yaml": "fleet: backend\npublish: {every: 10m, per_host: false}\n",
    ".gitignore": "public\n",
    "inventory.csv": "host,role\n" + "".join(f"{host},{host.partition('-')[0]}\n" for host in HOSTS),
    "rollouts/agent.yaml": VARIABLE.format("agent"),
}
OVER = 600
"""Minutes."""
TURN = 200
"""From here on what has moved is bad."""
GAP = range(300, 400)


@functools.cache
def template() -> Path:
    root = repository("long", FILES)
    quietly(root, 0, "publish")
    quietly(root, 0, "start", "agent", "--to", "2", "--over", f"{OVER}m")
    return root


@functools.cache
def server(told: Callable[[], Mapping[str, int]]) -> Server:
    """Return a server with a sample every two minutes; those of `late` turn bad as the plan moves hosts."""
    minutes = range(-10, OVER + 80, 2)
    found: dict[tuple[str, tuple[tuple[str, str], ...]], Sequence[tuple[int, float]]] = {}
    for host, moved in told().items():
        name = labels(instance=f"{host}:9100")
        found["healthy", name] = [(unix(minute), 0.001) for minute in minutes if minute not in GAP]
        found["late", name] = [(unix(m), 0.1 if m >= TURN and m >= moved else 0.001) for m in minutes]
        early = range(-10, 60)
        found["broken", name] = [(unix(m), 0.1 if m >= moved else 0.001) for m in early]
    return shared_prometheus(openmetrics(found))


@functools.cache
def moves() -> Mapping[str, int]:
    """Return the minute at which the plan moves each host."""
    world = json.loads(planned(template()))
    (found,) = world["variables"]
    return {one["host"]: minute_of(one["at"]) for one in found["moves"]}


def planned(root: Path) -> str:
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out):
        patch.setenv("TSUNAMI_NOW", at(0))
        assert cli.run(["plan", "agent", "--json", "-C", str(root)]) == 0
    return out.getvalue()


def minute_of(instant: str) -> int:
    return -(-(int(datetime.fromisoformat(instant).timestamp()) - unix(0)) // 60)


@pytest.fixture
def large(make: Callable[[Path], World]) -> World:
    world = make(template())
    world.fleet.patch.setenv("TSUNAMI_PROMETHEUS_URL", server(moves).url)
    return world


@pytest.mark.slow
def test_a_thousand_healthy_hosts_with_a_gap(large: World) -> None:
    large.watch(slo(query="avg by (instance) (healthy)"))
    held, counts = [], [0]
    for minute in range(10, OVER + 71, 10):
        done = large.publish(minute)
        assert done["guard"] == []
        held += [minute] * any(one["slo"] for one in done["held"])
        counts.append(len(large.have()))
        assert counts[-1] - counts[-7:][0] <= 2 * len(HOSTS) * 60 / OVER + 2, f"{minute}: faster than twice the plan"
        if minute in held:
            assert counts[-1] == counts[-2], minute
    assert held[0] == 20
    assert all(GAP.start < minute < GAP.stop + 10 for minute in held[1:])
    assert len(held) >= 9
    assert large.status(OVER + 70)["state"] == "complete"
    assert counts[-1] == len(HOSTS)


@pytest.mark.slow
@pytest.mark.parametrize("action", ["halt", "rollback 2h"])
def test_a_thousand_hosts_of_which_the_moved_turn_bad(large: World, action: str) -> None:
    large.watch(slo(query="avg by (instance) (late)", on_violation=action))
    counts: list[int] = []
    decided: list[int] = []
    for minute in range(10, 401, 10):
        done = large.publish(minute)
        decided += [minute] * len(done["guard"])
        counts.append(len(large.have()))
    assert decided == [TURN + 10], "as soon as ten minutes of samples are bad"
    most = max(counts)
    assert most < len(HOSTS) * 0.36
    if action == "halt":
        assert counts[-1] == most
        large.assert_halted(400)
    else:
        assert counts[-1] == 0
        assert large.status(400)["state"] == "rolled-back"
        told: dict[str, str] = {row["host"]: row["at"] for row in large.audit() if row["to"] == "2"}
        back = [row for row in large.audit() if row["to"] == "1"]
        assert len(back) == most
        order = [told[row["host"]] for row in back]
        for place, row in enumerate(back[1:], 1):
            assert row["at"] == back[place - 1]["at"] or order[place] <= order[place - 1]


@pytest.mark.slow
def test_one_host_in_sixty_is_enough(large: World) -> None:
    query = "avg by (instance) (broken)"
    large.watch(slo(query=query), slo("average", query, compare="fleet"))
    for minute in (10, 20, 30):
        done = large.publish(minute)
    assert [one["slo"] for one in done["guard"]] == ["errors"]
    assert len(large.have()) == round(len(HOSTS) / 60)
    large.assert_halted(30)
    average = large.run(30, "slo", "agent", "--json").data["slos"][1]["cohorts"]["fleet"]
    assert (average["hosts"], average["value"] < 0.01) == (len(HOSTS), True), "no alert on averages sees it"
