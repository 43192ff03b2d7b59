"""The README and the docs keep their word: every command shown is run, in the order shown."""

import re
import shlex
import shutil
import subprocess
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.metrics_servers import openmetrics, shared_prometheus
from tsunami_cli.cli import COMMANDS, run

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def shown(page: Path) -> list[str]:
    """Return the command lines of a page."""
    blocks = re.findall(r"```console\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert all(line.startswith("$ ") for line in lines), lines
    return [line.removeprefix("$ ") for line in lines]


def objective() -> str:
    """Return the objective that the README shows."""
    found = re.search(r"```yaml\n(slos:.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def test_every_command_of_the_readme_works_in_the_order_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prometheus = shared_prometheus(openmetrics({})).url if shutil.which("prometheus") else "http://127.0.0.1:1"
    monkeypatch.setenv("TSUNAMI_PROMETHEUS_URL", prometheus)
    folder, now, ran = tmp_path, datetime(2026, 3, 2, 9, tzinfo=UTC), 0
    for line in shown(ROOT / "README.md"):
        monkeypatch.setenv("TSUNAMI_NOW", now.isoformat().replace("+00:00", "Z"))
        for part in line.split(" && "):
            words = shlex.split(part, comments=True)
            match words:
                case ["make", target]:
                    assert f"\n{target}: " in (ROOT / "Makefile").read_text("utf-8")
                case ["pip", "install", name]:
                    assert name == tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["name"]
                case ["cd", name]:
                    folder = folder / name
                    monkeypatch.chdir(folder)
                case ["git", "commit", "--all", *_]:
                    file = folder / "rollouts" / "docker.yaml"
                    file.write_text(f"{file.read_text('utf-8')}{objective()}", "utf-8")
                    subprocess.run(words, cwd=folder, check=True, capture_output=True)
                case ["git", *_]:
                    subprocess.run(words, cwd=folder, check=True, capture_output=True)
                case ["tsunami", *arguments]:
                    code = run(arguments)
                    asks = arguments[0] in ("slo", "guard") and shutil.which("prometheus") is None
                    assert code == (4 if asks else 0), (line, capsys.readouterr().err)
                    ran += 1
                case _:
                    pytest.fail(f"nobody runs this: {line}")
        if "--dry-run" not in line:
            now += timedelta(hours=20)
    assert ran > 12


def test_the_readme_shows_every_command() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    missing = [name for name in COMMANDS if f"tsunami {name}" not in text and f"make {name}" not in text]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_yaml_in_the_docs_is_yaml() -> None:
    from tsunami_cli.adapters.yaml.documents import parse

    for page in PAGES:
        for block in re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
            _, problems = parse(block.encode(), page.name)
            assert not problems, (page.name, problems)
