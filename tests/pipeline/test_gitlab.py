"""What docs/ci/gitlab-ci.yml offers to copy does what it says: every line of its scripts is run."""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.commands.fleet_world import HELIOS, git
from tests.pipeline.clouds import Clouds
from tests.pipeline.expressions import ROOT
from tests.pipeline.runner import LEFT_OUT
from tests.pipeline.test_workflows import ROLLING, at, moved, version
from tests.pipeline.world import World

PIPELINE: dict[str, Any] = yaml.safe_load((ROOT / "docs/ci/gitlab-ci.yml").read_text("utf-8"))
JOBS = ("preview", "halt", "publish")
PROJECT = "group/fleet"
PREDEFINED = {
    "CI_DEFAULT_BRANCH": "main",
    "CI_JOB_ID": "7",
    "CI_PROJECT_PATH": PROJECT,
    "CI_SERVER_HOST": "gitlab.example.com",
    "CI_SERVER_PORT": "443",
    "CI_SERVER_PROTOCOL": "https",
    "GITLAB_USER_EMAIL": "ann@example.com",
    "GITLAB_USER_NAME": "Ann Ek",
}
TOKENS = {f"TSUNAMI_{cloud}_TOKEN": f"jwt.for.{cloud}" for cloud in ("AWS", "AZURE", "GCP")}


def run(world: World, job: str, ref: str = "main", env: Mapping[str, str] | None = None) -> tuple[int, str, Path]:
    """Run a job as GitLab's runner does: one shell, the commit checked out with no branch, the default variables."""
    scratch = world.runner.scratch / f"gitlab-{len(list(world.runner.scratch.iterdir()))}"
    checkout = scratch / "checkout"
    checkout.mkdir(parents=True)
    (scratch / "tmp").mkdir()
    git(checkout, "init", "-q", "--template=")
    git(checkout, "remote", "add", "origin", f"file://{world.remote}")
    git(checkout, "fetch", "-q", "origin", f"+{ref}:refs/pipelines/1")
    git(checkout, "checkout", "-q", "--detach", "refs/pipelines/1")
    address = f"https://tsunami:s3cr3t@gitlab.example.com:443/{PROJECT}.git"
    (scratch / "gitconfig").write_text(f'[url "file://{world.remote}"]\n\tinsteadOf = "{address}"\n')
    lines = [*PIPELINE[".tsunami"]["before_script"], *PIPELINE[job]["script"]]
    declared = {name: what if isinstance(what, str) else what["value"] for name, what in PIPELINE["variables"].items()}
    done = subprocess.run(
        # -u: a variable that GitLab would not set is not to be taken for an empty one.
        ("bash", "-euo", "pipefail", "-c", "\n".join(lines)),
        cwd=checkout,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith(LEFT_OUT)},
            **{"GIT_CONFIG_GLOBAL": str(scratch / "gitconfig"), "TMPDIR": str(scratch / "tmp")},
            **{"TSUNAMI_PUSH_TOKEN": "s3cr3t", "TSUNAMI_PUBLISH_TO": f"file:{world.public}"},
            **declared,
            **PREDEFINED,
            **TOKENS,
            **world.runner.env,
            **(env or {}),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, checkout


@pytest.fixture
def gitlab(world: World, tmp_path: Path) -> World:
    """Return the world, and no wait for pip: what it would install is there, and says what it was asked for."""
    (tmp_path / "bin").mkdir()
    stub = tmp_path / "bin" / "python"
    tests = os.environ["PATH"].partition(os.pathsep)[0]
    stub.write_text(
        '#!/bin/sh\ncase "$*" in\n'
        f'"-m venv "*) mkdir "$3/bin" && cp "$0" "$3/bin/python" && ln -s {tests}/tsunami "$3/bin";;\n'
        f'"-m pip "*) echo "$*";; *) exec {tests}/python "$@";; esac\n'
    )
    stub.chmod(0o755)
    path = os.environ["PATH"].partition(os.pathsep)[2]
    world.runner.env = {**world.runner.env, "PATH": f"{tmp_path}/bin{os.pathsep}{path}"}
    return world


def test_from_a_merge_request_to_a_halt(gitlab: World, cloud: Clouds) -> None:
    keys = {"AWS_ROLE_ARN": "arn", "AZURE_CLIENT_ID": "c", "GCP_PROVIDER": "p", "GCP_ACCOUNT": "me"}
    code, said, _ = run(gitlab, "publish", env=keys)
    assert (code, "#1 recorded" in said) == (0, True), said
    assert f"tsunami-cli[notify]=={version()}" in said
    assert gitlab.told() == ["tsunami <tsunami@noreply.gitlab.example.com>"]
    assert [one[1] for one in cloud.asked] == ["", "Bearer fed.1"]
    assert json.loads(cloud.asked[0][2])["subjectToken"] == "jwt.for.GCP"

    gitlab.propose(HELIOS, ROLLING)
    preview = {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}
    code, said, checkout = run(gitlab, "preview", "refs/pull/1/merge", preview)
    assert (code, "0.9.12" in (checkout / "preview.md").read_text()) == (0, True), said

    gitlab.push({HELIOS: ROLLING})
    assert run(at(gitlab, "2026-11-16T09:05:00Z"), "publish")[0] == 0
    before = moved(gitlab)
    assert before > 0
    reason = '"; rm -rf ~ # $(touch pwned)\ntwo'
    halt = {"TSUNAMI_HALT_REASON": reason, "TSUNAMI_HALT_VARIABLE": " helios"}
    code, said, checkout = run(at(gitlab, "2026-11-16T09:06:00Z"), "halt", env=halt)
    assert (code, "halted helios" in said) == (0, True), said
    assert not (checkout / "pwned").exists()
    message = git(gitlab.remote, "log", "-1", "--format=%an <%ae>%n%B", "main")
    assert message.startswith("Ann Ek <ann@example.com>\nhelios: halt")
    assert reason in message
    assert run(at(gitlab, "2026-11-16T10:30:00Z"), "publish")[0] == 0
    assert moved(gitlab) == before


def test_the_jobs_are_those_that_are_run_here() -> None:
    assert {name for name in PIPELINE if "script" in PIPELINE[name]} == set(JOBS)
    assert PIPELINE["publish"]["resource_group"] == "tsunami"
    text = (ROOT / "docs/ci/gitlab-ci.yml").read_text("utf-8")
    assert re.findall(r"tsunami-cli\S*==([\d.]+)", text) == [version()]
