"""The page on the guard keeps its word: its commands run, and its three objectives tell good from bad."""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.commands.fleet_world import new_repository
from tests.metrics_servers import labels, openmetrics, shared_prometheus
from tests.test_readme import ROOT, shown
from tsunami_cli.cli import run

PAGE = ROOT / "docs" / "guard.md"
HOSTS = [f"web-{number:02}" for number in range(20)]
BEGAN = datetime(2016, 11, 14, 10, tzinfo=UTC)
BAD = BEGAN + timedelta(hours=5)
"""From then on hosts that have moved are broken."""
EXAMPLES = ("start-failures", "engine-up", "agent-crashes")


def blocks() -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


def variable_text(name: str, slos: str) -> str:
    body = "\n".join(line for line in slos.splitlines() if not line.startswith("#"))
    return f'name: {name}\nvalue: {{type: string}}\ndefault: "1.12.1"\n{body}\n'


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fleet with the objectives of the page, each in a variable of its own; six of twenty hosts have moved."""
    _, whole, *examples = blocks()
    files = {f"rollouts/{name}.yaml": variable_text(name, text) for name, text in zip(EXAMPLES, examples, strict=True)}
    inventory = "host,role\n" + "".join(f"{host},web\n" for host in HOSTS)
    settings = "fleet: backend\npublish: {every: 1h}\n"
    others = {
        "tsunami.yaml": settings,
        "inventory.csv": inventory,
        "rollouts/docker.yaml": variable_text("docker", whole),
    }
    root = new_repository(tmp_path / "fleet", files | others | {".gitignore": "public\n"})
    monkeypatch.chdir(root)
    at(monkeypatch, BEGAN)
    assert run(["publish"]) == 0
    for name in ("docker", *EXAMPLES):
        assert run(["start", name, "--to", "1.12.3", "--over", "10h"]) == 0
    for hours in (1, 2, 3):
        at(monkeypatch, BEGAN + timedelta(hours=hours))
        assert run(["publish", "--no-guard"]) == 0
    return root


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    monkeypatch.setenv("TSUNAMI_NOW", moment.isoformat().replace("+00:00", "Z"))


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert run([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def moved(capsys: pytest.CaptureFixture[str], name: str) -> set[str]:
    return {row["host"] for row in told(capsys, "audit", "--variable", name) if row["to"] == "1.12.3"}


def samples(broken: Mapping[str, set[str]]) -> str:
    """Return what hosts measure: those broken, by objective, from five hours on."""
    found: dict[tuple[str, Any], Sequence[tuple[int, float]]] = {}
    minutes = [BEGAN + timedelta(minutes=minute) for minute in range(200, 400)]
    for place, host in enumerate(HOSTS):
        instance = labels(instance=f"{host}:9100")
        bad = {name: [int(at >= BAD and host in hosts) for at in minutes] for name, hosts in broken.items()}
        when = [int(at.timestamp()) for at in minutes]

        def series(metric: str, values: Sequence[float], instance: Any = instance, when: list[int] = when) -> None:
            found[metric, instance] = list(zip(when, values, strict=True))

        series("container_start_failure_ratio", [0.2 * one for one in bad["docker"]])
        series("container_starts_total", [10.0 * count for count in range(len(minutes))])
        failed = [float(sum(bad["start-failures"][: count + 1])) for count in range(len(minutes))]
        series("container_starts_failed_total", failed)
        series("docker_engine_up", [1.0 - one for one in bad["engine-up"]])
        # Now and then an agent crashes anywhere.
        crashes = [(count + place) // 300 + sum(bad["agent-crashes"][: count + 1]) / 5 for count in range(len(minutes))]
        series("helios_agent_crashes_total", [float(int(value)) for value in crashes])
    return openmetrics(found)


@pytest.mark.server
def test_the_page(fleet: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    broken = {name: moved(capsys, name) for name in ("docker", *EXAMPLES)}
    assert all(5 <= len(hosts) <= 7 for hosts in broken.values()), broken
    monkeypatch.setenv("TSUNAMI_PROMETHEUS_URL", shared_prometheus(samples(broken)).url)

    at(monkeypatch, BEGAN + timedelta(hours=4, minutes=30))
    good = {row["slo"]: row for row in told(capsys, "guard", "--dry-run")["results"]}
    assert {name: row["status"] for name, row in good.items()} == dict.fromkeys(good, "ok")

    at(monkeypatch, BEGAN + timedelta(hours=6))
    bad = {row["slo"]: (row["status"], row["action"]) for row in told(capsys, "guard", "--dry-run")["results"]}
    assert bad == {
        "container-start-failures": ("violated", "halt"),
        "start-failures": ("violated", "halt"),
        "engine-up": ("violated", "halt"),
        "agent-crashes": ("violated", "rollback"),
    }

    ran = []
    for line in shown(PAGE):
        words = shlex.split(line)
        assert (words[0], run(words[1:])) == ("tsunami", 0), (line, capsys.readouterr().err)
        ran.append(words[1])
    assert ran == ["slo", "guard", "guard", "status", "log", "slo", "ack", "resume"]
    # What was acknowledged halts nothing; what was not, stays halted.
    again = {row["slo"]: row for row in told(capsys, "guard")["results"]}
    assert (again["container-start-failures"]["status"], again["container-start-failures"]["action"]) == (
        "violated",
        "none",
    )
    assert again["engine-up"]["why"] == "halted already"


def test_every_variable_of_the_environment_is_on_the_page() -> None:
    from tsunami_cli.adapters.prometheus import environment

    names = (environment.URL, environment.TOKEN, environment.TOKEN_FILE, environment.USER, environment.PASSWORD)
    text = PAGE.read_text("utf-8")
    assert all(f"`{name}`" in text for name in (*names, environment.TIMEOUT))
