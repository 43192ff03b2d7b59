"""The workflows do what they say: every step of them is run, on a repository with a bare remote."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands.fleet_world import HELIOS, HELIOS_TEXT, git
from tests.pipeline.clouds import Clouds
from tests.pipeline.expressions import ROOT, run_steps
from tests.pipeline.runner import ACTION, INSTALL, WORKFLOWS
from tests.pipeline.world import World, publish_to
from tests.servers import (
    Place,
    s3,  # noqa: F401
)

FILES = (ACTION, *(f"{WORKFLOWS}/tsunami-{name}.yml" for name in ("preview", "publish", "halt")))
BOT = "github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>"
ROLLING = (
    HELIOS_TEXT
    + """rollouts:
  - id: helios-20261116T090000Z
    selection: 1
    from: ["0.9.10"]
    to: "0.9.12"
    over: 2h
    schedule:
      - {at: 2026-11-16T09:00:00Z, percent: 0}
      - {at: 2026-11-16T11:00:00Z, percent: 100}
"""
)


def at(world: World, instant: str) -> World:
    world.runner.env = {**world.runner.env, "TSUNAMI_NOW": instant}
    return world


def moved(world: World) -> int:
    """Count the hosts that look into the folder and find the new version."""
    return sum('"helios":"0.9.12"' in file.read_text() for file in (world.public / "hosts").iterdir())


def offline(wheel: Path, folder: Path, *, without_pip: bool) -> dict[str, str]:
    """Let pip install this project's wheel, and take all else from where the tests have it.

    Making a venv with pip takes most of the time; without it, the pip is also that of the tests.
    """
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    folder.mkdir()
    more = "--without-pip " if without_pip else ""
    (folder / "python").write_text(f'#!/bin/sh\ntest "$2" = venv && exec {sys.executable} -m venv {more}"$3"\nexit 9\n')
    (folder / "python").chmod(0o755)
    path = os.environ["PATH"].partition(os.pathsep)[2]  # without the tests' own tsunami
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheel), "PIP_NO_DEPS": "1", "PIP_IGNORE_INSTALLED": "1"}
    return offline | {"PATH": f"{folder}{os.pathsep}{path}", "PYTHONPATH": packages}


@pytest.mark.slow
def test_a_job_installs_what_it_runs_with_a_pip_of_its_own(
    world: World, wheel: Callable[[], Path | None], tmp_path: Path
) -> None:
    publish_installed(world, wheel(), tmp_path / "bin", without_pip=False)


def publish_installed(world: World, wheel: Path | None, folder: Path, *, without_pip: bool = True) -> None:
    """Publish, with tsunami installed from a wheel as users' jobs do it; with that of the tests where there is none."""
    before = world.runner.env
    if wheel:
        world.runner.installs = True
        world.runner.env = {**before, **offline(wheel, folder, without_pip=without_pip)}
    assert world.runner.trigger("rollouts.yml", "push"), world.runner.said
    world.runner.installs, world.runner.env = False, before
    for venv in world.runner.scratch.glob("job-*/temp/tsunami"):
        (package,) = venv.glob("lib/python3*/site-packages/tsunami_cli-*.dist-info")
        assert package.name == f"tsunami_cli-{version()}.dist-info"
        assert list(venv.glob("lib/python3*/site-packages/typer")) == []


def version() -> str:
    from tsunami_cli import __version__

    return __version__


def test_from_a_pull_request_to_a_halt(
    world: World, cloud: Clouds, wheel: Callable[[], Path | None], tmp_path: Path
) -> None:
    runner = world.runner
    publish_to(world, f"file:{world.public}", "aws-role: arn:aws:iam::1:role/r", "aws-region: eu-north-1")
    publish_installed(world, built := wheel(), tmp_path / "bin")
    assert (world.told(), moved(world)) == ([BOT], 0)
    assert re.search(r"### Published to `file:\S+`: exit code 0\n\n    2026-11-16T09:00:00Z  #1 rec", runner.summary)

    world.propose(HELIOS, ROLLING)
    assert runner.trigger("rollouts.yml", "pull_request"), runner.said
    assert "helios" in runner.summary
    assert "0.9.12" in runner.summary
    assert world.told() == [BOT], "a pull request publishes nothing"

    world.push({HELIOS: ROLLING}, "helios: faster")
    assert at(world, "2026-11-16T09:05:00Z").runner.trigger("rollouts.yml", "workflow_dispatch"), runner.said
    before = moved(world)
    assert 0 < before < 5

    at(world, "2026-11-16T09:06:00Z")
    assert runner.trigger("halt.yml", "workflow_dispatch", inputs={"reason": "search is slow"}), runner.said
    message = git(world.remote, "log", "-1", "--format=%an <%ae>%n%B", "main")
    assert message.startswith("ann <1234+ann@users.noreply.github.com>\nhelios: halt")
    assert "\nsearch is slow\n" in message
    assert "### Halt: exit code 0\n\n    halted helios at" in runner.summary
    halted = git(world.remote, "rev-parse", "main")
    assert json.loads((world.public / "manifest.json").read_text())["source"] == halted, "hosts are told at once"
    assert at(world, "2026-11-16T10:30:00Z").runner.trigger("rollouts.yml", "schedule"), runner.said
    assert moved(world) == before
    assert set(world.told()) == {BOT}

    elsewhere = set() if built else {INSTALL}
    assert set(runner.ran) | elsewhere == set().union(*map(run_steps, FILES)), "every step was run, and no other"


REASONS = (
    '--help"; rm -rf ~ #\'\\"%s%25\\n $(touch pwned) `touch pwned` ${HOME} ${{ github.token }}',
    "two\nlines\n\nTsunami-Action: resume\n::add-mask::n\n##[add-mask]n\n::stop-commands::n",
)


def test_a_reason_is_text(world: World, home: Path) -> None:
    (home / "kept").write_text("")
    world.runner.again = "eve"
    world.push({HELIOS: ROLLING})
    publish_to(world, "")
    for reason in REASONS:
        world.git("fetch", "-q")
        world.git("reset", "-q", "--hard", "origin/main")
        world.push({HELIOS: ROLLING + f"# {reason!r}\n"})
        at(world, "2026-11-16T10:00:00Z")
        inputs = {"reason": reason, "variable": "helios"}
        assert world.runner.trigger("halt.yml", "workflow_dispatch", inputs=inputs), (reason, world.runner.said)
        assert world.runner.outcomes == {
            "tsunami-halt/halt": "success",
            "tsunami-publish/publish": "skipped",
            "tsunami-halt/publish": "success",
            "halt/halt": "success",
        }
        message = git(world.remote, "log", "-1", "--format=%B", "main")
        # Whoever runs a job again is another one than who ran it first.
        who = git(world.remote, "log", "-1", "--format=%an <%ae>", "main")
        assert who == "eve <eve@users.noreply.github.com>"
        trailers = git(world.remote, "log", "-1", "--format=%(trailers:key=Tsunami-Action,valueonly)", "main")
        assert trailers.split() == ["halt"], reason
        assert "".join(reason.split()) in "".join(message.split()), reason
        assert world.runner.commands() == [], reason
        assert (home / "kept").exists()
        assert not list(world.runner.scratch.rglob("pwned"))


def test_what_cannot_be_halted_is_red(world: World) -> None:
    world.push({HELIOS: ROLLING})
    publish_to(world, "")
    before = git(world.remote, "rev-parse", "main")
    inputs = {"reason": "why", "variable": "--help $(touch pwned)"}
    assert not at(world, "2026-11-16T10:00:00Z").runner.trigger("halt.yml", "workflow_dispatch", inputs=inputs)
    assert git(world.remote, "rev-parse", "main") == before
    assert not list(world.runner.scratch.rglob("pwned"))


def test_what_is_halted_beside_a_broken_file_is_told(world: World) -> None:
    world.push({HELIOS: ROLLING})
    assert world.runner.trigger("rollouts.yml", "push"), world.runner.said
    world.push({"rollouts/somaxconn.yaml": "name: [\n"})
    world.runner.actor = "bo"
    assert not at(world, "2026-11-16T10:00:00Z").runner.trigger("halt.yml", "workflow_dispatch", inputs={"reason": "r"})
    assert world.runner.outcomes["tsunami-halt/halt"] == "failure"
    assert "NOT HALTED: rollouts/somaxconn.yaml" in world.runner.summary
    halted = git(world.remote, "rev-parse", "main")
    assert git(world.remote, "log", "-1", "--format=%an", halted) == "bo"
    assert json.loads((world.public / "manifest.json").read_text())["source"] == halted
    # Of its publish too, which says what it could not tell.
    assert any(
        line.startswith("::error title=Publish::refused, or told only in part") for line in world.runner.commands()
    )


def test_what_is_wrong_is_annotated_at_its_line(world: World) -> None:
    world.propose(HELIOS, HELIOS_TEXT.replace('"0.9.10"', "1.10") + '"::error::x": 1\n')
    assert not world.runner.trigger("rollouts.yml", "pull_request")
    found = world.runner.commands()
    assert found, world.runner.said
    for line in found:
        assert re.match(r"::(error|warning) file=rollouts/helios\.yaml,line=\d+,col=\d+::\S", line), line
    assert any(line.startswith("::error file=rollouts/helios.yaml,line=4,col=10::default: 1.10 is") for line in found)
    assert world.runner.summary, "the preview is shown all the same"


def test_nothing_is_published_before_somebody_says_where(world: World) -> None:
    publish_to(world, "")
    assert world.runner.trigger("rollouts.yml", "schedule")
    assert world.runner.outcomes["tsunami-publish/publish"] == "skipped"
    assert "tsunami-ledger" not in git(world.remote, "branch", "--list")


@pytest.mark.server
def test_the_same_goes_to_a_bucket(world: World, s3: Place) -> None:  # noqa: F811
    publish_to(world, s3.url)
    world.runner.env = {}
    assert world.runner.trigger("rollouts.yml", "schedule"), world.runner.said
    assert world.told() == [BOT]
    assert f"uploaded to {s3.url}" in world.runner.summary
    pulled = subprocess.run(
        ("tsunami", "pull", "--from", s3.url, "--host", "lon2-proxy-a1", "--out", "values.json"),
        check=True,
        cwd=world.clone,
    )
    assert pulled.returncode == 0
    assert json.loads((world.clone / "values.json").read_text())["helios"] == "0.9.10"


def test_the_pins_agree() -> None:
    assert (ROOT / ".github/actions/tsunami/requirements.txt").read_text() == f"tsunami-cli=={version()}\n"
    for file in (ROOT / ".github").rglob("*.yml"):
        for uses in re.findall(r"uses: (\S+.*)", file.read_text("utf-8")):
            assert re.fullmatch(r"\./\S+|[\w./-]+@[0-9a-f]{40} # v[0-9.]+", uses), f"{file}: {uses}"
