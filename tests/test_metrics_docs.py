"""The page on metrics keeps its word: Prometheus and its relatives take the metrics, the rules and the dashboard."""

import json
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import observability_servers as servers
from tests.core.paper import Paper
from tests.core.test_metrics import FLEET, NASTY, of, read, text_of, world
from tests.observability_servers import ask, binary, get, until
from tests.test_readme import ROOT
from tsunami_cli.cli import COMMANDS
from tsunami_cli.core.metrics import HELP
from tsunami_cli.core.problems import Problem

PAGE = ROOT / "docs" / "metrics.md"
RULES = ROOT / "docs" / "prometheus" / "tsunami.rules.yml"
RULE_TESTS = RULES.with_suffix(".test.yml")
DASHBOARD = ROOT / "docs" / "grafana" / "tsunami.json"
GONE = "TsunamiPublisherGone"

Board = dict[str, Any]


@pytest.fixture
def text() -> str:
    """A fleet that was published last 50 minutes ago, with all kinds of trouble."""
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=50)
    plan = Paper().publish(world(now), FLEET, now)
    problems = [Problem("rollouts/x.yaml", 1, 1, "", "wrong")]
    return text_of(plan, held={"docker": ["latency"]}, problems=problems)


@pytest.fixture
def board() -> Board:
    found: Board = json.loads(DASHBOARD.read_text("utf-8"))
    return found


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]]


def queries(board: Board) -> Iterator[str]:
    """Every query of the panels, and of the variables the series that they look for."""
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            match = re.fullmatch(r"label_values\((.*), ([a-z]+)\)", variable["query"]["query"])
            assert match, variable
            yield f"count by ({match[2]}) ({match[1]})"


def promtool(*words: str, given: str = "", folder: Path = ROOT) -> None:
    done = subprocess.run(
        [binary("promtool"), *words], input=given, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.server
def test_the_metrics_follow_the_conventions(text: str) -> None:
    promtool("check", "metrics", given=text)
    now = datetime.now(UTC)
    promtool("check", "metrics", given=text_of(Paper().publish(world(now), FLEET, now), fleet=NASTY))


@pytest.mark.server
def test_the_rules_are_right_and_every_alert_fires_when_it_should() -> None:
    promtool("check", "rules", str(RULES))
    promtool("test", "rules", RULE_TESTS.name, folder=RULES.parent)


def test_every_alert_is_tested_both_ways() -> None:
    cases = [
        case for group in yaml.safe_load(RULE_TESTS.read_text("utf-8"))["tests"] for case in group["alert_rule_test"]
    ]
    names = {rule["alert"] for rule in rules()}
    assert {case["alertname"] for case in cases if case.get("exp_alerts")} == names
    assert {case["alertname"] for case in cases if not case.get("exp_alerts")} == names


def test_every_alert_says_what_to_do() -> None:
    for rule in rules():
        commands = re.findall(r"`tsunami ([a-z]+)", rule["annotations"]["description"])
        assert commands, rule["alert"]
        assert set(commands) <= {*COMMANDS, "guard"}


@pytest.mark.server
def test_prometheus_answers_the_dashboard_and_the_alerts_arrive(text: str, board: Board) -> None:
    hasty = re.sub(r"for: \w+", "for: 0s", RULES.read_text("utf-8"))
    with ExitStack() as stack:
        target = stack.enter_context(servers.page(text))
        manager = stack.enter_context(servers.alertmanager())
        prometheus = stack.enter_context(servers.prometheus([target], rules=hasty, alertmanager=manager.place))

        def answer(query: str) -> list[dict[str, Any]]:
            found = ask(prometheus, "/api/v1/query", query=query)
            assert found["status"] == "success", found
            result: list[dict[str, Any]] = found["data"]["result"]
            return result

        until(lambda: answer("tsunami_hosts"), "tsunami_hosts in Prometheus")
        for metric in HELP:
            assert len(answer(metric)) == len([name for name, _ in read(text) if name == metric]), metric
        assert [one["metric"]["value"] for one in answer('tsunami_hosts{variable="motd",role="db"}')] == [
            json.dumps(NASTY)
        ]

        for query in queries(board):
            for variable in ("docker", "helios"):
                asked = query.replace("$fleet", "backend").replace("$variable", variable)
                assert "$" not in asked
                assert answer(asked), asked
        assert {one["metric"]["variable"]: one["value"][1] for one in answer(_state_query(board))} == {
            "docker": "2",
            "helios": "3",
            "motd": "8",
            "somaxconn": "8",
        }

        wanted = {rule["alert"] for rule in rules()} - {GONE}

        def arrived() -> dict[str, dict[str, Any]]:
            found = {one["labels"]["alertname"]: one for one in ask(manager, "/api/v2/alerts")}
            return found if found.keys() >= wanted else {}

        # Before the first scrape there is nothing: the one that says so may have come too.
        alerts = until(arrived, f"{', '.join(sorted(wanted))} at Alertmanager")
        assert "`tsunami resume helios`" in alerts["TsunamiRolloutHalted"]["annotations"]["description"]


@pytest.mark.server
def test_a_pushgateway_takes_the_metrics_and_forgets_old_ones(text: str) -> None:
    with servers.pushgateway() as gateway:
        calm = text_of(Paper().publish(world(datetime.now(UTC))[2:], FLEET, datetime.now(UTC)))
        for body, states in ((text, 32), (calm, 16)):
            push(gateway.place, body)
            kept = get(gateway, "/metrics")
            assert kept.count("\ntsunami_rollout_state{") == states
            ours = "\n".join(
                line.replace(',instance="",job="tsunami"', "")
                for line in kept.splitlines()
                if re.match(r"(# (HELP|TYPE) )?tsunami_", line)
            )
            hosts = of(body, "tsunami_hosts", variable="motd")
            assert hosts == {f"{json.dumps(NASTY)},db": 4, f"{json.dumps(NASTY)},web": 10}
            assert {frozenset(labels): n for (_, labels), n in read(ours + "\n").items()} == {
                frozenset(labels): n for (_, labels), n in read(body).items()
            }


def push(place: str, body: str) -> None:
    """What the page says, with curl where there is one."""
    url = f"http://{place}/metrics/job/tsunami"
    if shutil.which("curl"):
        words = ["curl", "--fail", "-X", "PUT", "--data-binary", "@-", url]
        assert f"{' '.join(words[:5])} @" in PAGE.read_text("utf-8")
        subprocess.run(words, input=body.encode(), check=True, capture_output=True)
    else:
        request = urllib.request.Request(url, body.encode(), method="PUT")
        urllib.request.urlopen(request, timeout=5).close()


def _state_query(board: Board) -> str:
    [panel] = [one for one in board["panels"] if one["title"].startswith("State of")]
    query: str = panel["targets"][0]["expr"]
    return query.replace("$fleet", "backend")


def test_the_states_of_the_dashboard_have_names(board: Board) -> None:
    [panel] = [one for one in board["panels"] if one["title"].startswith("State of")]
    numbered = dict(
        re.findall(
            r'(\d+) \* \(max by \(variable\) \(tsunami_rollout_state\{.*?state="([a-z-]+)"', panel["targets"][0]["expr"]
        )
    )
    [mapping] = panel["fieldConfig"]["defaults"]["mappings"]
    assert numbered == {number: said["text"] for number, said in mapping["options"].items()}


def test_the_dashboard_imports_anywhere(board: Board) -> None:
    assert board["id"] is None
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert all(panel["title"] and panel["description"] for panel in panels)
    sources = [found["datasource"] for panel in panels for found in (panel, *panel["targets"])]
    assert sources == [{"type": "prometheus", "uid": "${datasource}"}] * len(sources)
    assert [one["name"] for one in board["templating"]["list"]] == ["datasource", "fleet", "variable"]
    places = [
        (x, y)
        for p in board["panels"]
        for g in [p["gridPos"]]
        for x in range(g["x"], g["x"] + g["w"])
        for y in range(g["y"], g["y"] + g["h"])
    ]
    assert len(places) == len(set(places))
    assert max(x for x, _ in places) < 24


def test_the_page_lists_every_metric_with_its_labels(text: str) -> None:
    rows = dict(re.findall(r"^\| `(tsunami_[a-z_]+)` \| (.*?) \|", PAGE.read_text("utf-8"), re.MULTILINE))
    found = {metric: ", ".join(f"`{name}`" for name, _ in labels if name != "fleet") for metric, labels in read(text)}
    assert rows == found
    used = set(re.findall(r"tsunami_[a-z_]+", RULES.read_text("utf-8") + DASHBOARD.read_text("utf-8")))
    assert used <= set(HELP)
