"""Which series is about which host, and what the names in a query stand for, against a real server."""

import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.guard.world import HEALTHY, World, at, repository, slo, unix
from tests.metrics_servers import Server, labels, openmetrics, shared_prometheus

SHORT = ("web-0", "web-1", "web-2", "web-3")
LONG = ("web-0.lon.example.net", "web-1.lon.example.net", "web-2.lon.example.net", "web-2.sto.example.net")
HOSTILE = (
    '"',
    "\\",
    'a"b',
    "a\\b",
    "a\\",
    "'",
    "`",
    ".*",
    "a|b",
    "(",
    "[a",
    "$",
    "$role",
    "${to}",
    "1.2+build#7",
    '"} or vector(9) or up{x="',
    "\u00e5\u20ac\U0001f30a",
    "a b",
)
"""Values that a careless query takes for something else."""
INSTANCES: Mapping[str, Mapping[str, float]] = {
    "ports": {"web-0:9100": 1, "web-1:9100": 2, "web-2:80": 4, "web-3": 8},
    "fqdn": {f"web-{n}.lon.example.net:9100": 2.0**n for n in range(4)},
    "upper": {f"WEB-{n}.Lon.Example.NET:9100": 2.0**n for n in range(4)},
    "dots": {f"web-{n}.:9100": 2.0**n for n in range(4)},
    "short": {f"web-{n}:9100": 2.0**n for n in range(4)},
    "claimed": {"web-0:9100": 1, "web-0.evil.example.com:9100": 1000, "web-1:9100": 2},
    "disputed": {"web-0.lon.example.net:9100": 1, "web-0.evil.example.com:9100": 1000, "web-1:9100": 2},
    "twice": {"web-0:9100": 0, "web-0:9256": 2, "web-1:9100": 2},
    "strangers": {"proxy-1:9100": 1000, "web-10:9100": 1000, "web:9100": 1000, "eb-1:9100": 1000},
}


@functools.cache
def server() -> Server:
    """Return a server with a metric for every way to name hosts, and `info` with hostile versions."""
    moments = [unix(minute) for minute in range(-15, 61)]
    found = {
        (metric, labels(instance=instance, node=f"{instance}|")): [(at, value) for at in moments]
        for metric, instances in INSTANCES.items()
        for instance, value in instances.items()
    }
    for version in (*HOSTILE, "1", "plain"):
        found["info", labels(instance="web-1:9100", version=version)] = [(at, 1.0) for at in moments]
    return shared_prometheus(openmetrics(found))


def files(hosts: tuple[str, ...], to: str = "2") -> dict[str, str]:
    schedule = f"[{{at: {at(0)}, percent: 50}}, {{at: {at(600)}, percent: 51}}]"
    value = json.dumps(to, ensure_ascii=False)
    rollout = f'  - {{id: agent-x, selection: 1, from: ["1"], to: {value}, over: 10h, schedule: {schedule}}}\n'
    return {
        "tsunami.yaml": "fleet: backend\n",
        "inventory.csv": "host,role\n" + "".join(f"{host},web\n" for host in hosts),
        "rollouts/agent.yaml": f'name: agent\nvalue: {{type: string}}\ndefault: "1"\nrollouts:\n{rollout}',
    }


@functools.cache
def template() -> Path:
    return repository("names", files(SHORT))


@pytest.fixture
def named(make: Callable[[Path], World]) -> World:
    """Return four hosts, two of which a plan has moved; nothing is published."""
    world = make(template())
    world.fleet.patch.setenv("TSUNAMI_PROMETHEUS_URL", server().url)
    return world


def measured(world: World, *hosts: str, to: str = "2", label: str = "", **given: object) -> Any:
    """Return what is measured under an inventory and an SLO, written but not committed."""
    for path, text in files(hosts or SHORT, to).items():
        if path.startswith("rollouts/"):
            text = text.replace("rollouts:\n", f"slos:\n{slo(objective='>= 0', settle='1s', **given)}rollouts:\n")  # type: ignore[arg-type]
        if label and path == "tsunami.yaml":
            text += f"guard: {{host_label: {label}}}\n"
        world.fleet.write({path: text})
    said = world.run(30, "slo", "agent", "--json")
    assert said.code == 0, said
    return said.data["slos"][0]


def total(found: Any) -> float:
    """Return the sum over all hosts to which series were joined."""
    sides = (found["cohorts"][name] for name in ("moved", "rest"))
    return float(sum((side["value"] or 0) * side["samples"][-1]["hosts"] for side in sides))


@pytest.mark.parametrize("metric", ["ports", "fqdn", "upper", "dots", "short"])
def test_short_names_in_the_inventory(named: World, metric: str) -> None:
    found = measured(named, query=metric)
    assert total(found) == pytest.approx(15)
    assert (found["hosts"], found["silent"], found["cohorts"]["fleet"]["hosts"]) == (2, 0, 4)


@pytest.mark.parametrize(("metric", "sum_of"), [("fqdn", 7), ("upper", 7), ("short", 3), ("dots", 3)])
def test_long_names_in_the_inventory(named: World, metric: str, sum_of: float) -> None:
    """Of two hosts with the same first label neither is meant by it."""
    found = measured(named, *LONG, query=metric)
    assert total(found) == pytest.approx(sum_of)
    assert found["cohorts"]["fleet"]["hosts"] == 4


def test_a_longer_name_of_another_domain_is_nobody(named: World) -> None:
    assert total(measured(named, *(host.replace("lon", "sto") for host in LONG[:3]), query="fqdn")) == 0


def test_a_target_that_claims_the_name_of_another(named: World) -> None:
    assert total(measured(named, query="claimed")) == 3, "the inventory's own name wins"
    assert total(measured(named, query="disputed")) == 2, "two that claim a name are nobody"
    assert total(measured(named, query="strangers")) == 0


def test_the_series_of_a_host_are_averaged_first(named: World) -> None:
    assert total(measured(named, query="twice")) == 3


def test_series_that_name_no_host_are_no_data(named: World) -> None:
    for query in ("strangers", "sum(short)", "sum by (node) (short)", "vector(1)"):
        found = measured(named, query=query)
        assert (found["status"], total(found)) == ("no-data", 0), query
        assert "names a host of the inventory" in found["why"]
    assert measured(named, query="sum(short)", compare="fleet")["status"] == "ok"


def test_another_label(named: World) -> None:
    query = 'label_replace(short, "nodename", "$1.lon", "instance", "(.*):.*")'
    assert total(measured(named, query=query, label="nodename")) == pytest.approx(15)
    assert total(measured(named, query=f"{query} * 1", label="absent")) == 0


# What `$to` and the like stand for


QUERIES = (
    'info{version="$to"}',
    "info{version='${to}'}",
    'info{version=~"$to"}',
    'info{version=~"x|$to"}',
    "info{version=~'$to', instance!=\"\"}",
    'info{version!="$from", version=~"$from|$to"}',
)
OTHERS = 'count by (instance) (info{version!~"$to"})'


def test_values_inject_nothing(named: World) -> None:
    for value in HOSTILE:
        for path, text in files(SHORT, value).items():
            slos = "".join(slo(f"s{place}", query, settle="1s") for place, query in enumerate((*QUERIES, OTHERS)))
            named.fleet.write({path: text.replace("rollouts:\n", f"slos:\n{slos}rollouts:\n")})
        said = named.run(30, "slo", "agent", "--json")
        assert said.code == 0, said
        *found, others = said.data["slos"]
        for one in found:
            assert one["cohorts"]["fleet"]["hosts"] == total(one) == 1, (value, one["asked"])
        assert total(others) == len(HOSTILE) + 1, (value, others["asked"])


def test_the_names_stand_for_what_they_say(named: World) -> None:
    query = 'label_replace(info{version="plain"}, "v", "$variable $from $to $role", "", "")'
    (asked,) = measured(named, query=query)["asked"]
    assert '"agent 1 2 web"' in asked


def test_a_role_that_is_compared_is_asked_role_by_role(world: World) -> None:
    world.watch(slo(query='avg by (instance) (healthy{role="$role"})'), slo("both", 'healthy{role=~"$role"}'))
    one, both = world.run(30, "slo", "agent", "--json").data["slos"]
    assert one["asked"] == [f'avg by (instance) (healthy{{role="{role}"}})' for role in ("db", "web")]
    assert both["asked"] == ['healthy{role=~"(?:db|web)"}']
    for found in (one, both):
        assert (found["status"], found["cohorts"]["fleet"]["hosts"]) == ("ok", 100)
    world.watch(slo(query='healthy{role="$role"} and on() healthy{role="web"}', compare="fleet"))
    assert world.judge(30)["hosts"] == 100


def test_the_same_question_is_the_same_answer(world: World) -> None:
    world.watch(slo("one", HEALTHY), slo("two", HEALTHY, objective="<= 0.0001"))
    assert [one["status"] for one in world.guard(30, "--dry-run")] == ["ok", "violated"]
