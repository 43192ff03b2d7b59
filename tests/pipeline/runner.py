"""A stand-in for GitHub's runner: workflows are read, their jobs' steps run with bash, and what those leave is kept.

Anything that it does not know, an expression, an action, a shell, fails the test.
"""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.pipeline.expressions import ROOT, Contexts, evaluate, load, resolved, shown

WORKFLOWS = ".github/workflows"
ACTION = ".github/actions/tsunami/action.yml"
CHECKOUT, PYTHON, OURS = "actions/checkout", "actions/setup-python", "./.github/actions/tsunami"
INSTALL = (ACTION, "Install tsunami")

LEFT_OUT = ("GIT_AU", "GIT_COMM", "COVERAGE_", "COV_CORE")
"""What jobs do not see of the tests' environment: who commits; and what is run by others is not measured here."""


@dataclass
class Runner:
    """Runs workflows of a remote repository; what the jobs said and left stands in it."""

    remote: Path
    scratch: Path
    env: Mapping[str, str] = field(default_factory=dict)
    """What steps get beside what GitHub gives them."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    actor: str = "ann"
    again: str = ""
    """Who runs the job again, where somebody does."""
    installs: bool = False
    """Whether tsunami is installed as users do it; else it is there already."""
    id_token: Mapping[str, str] = field(default_factory=dict)
    """What a job with `id-token: write` gets."""
    ran: list[tuple[str, str]] = field(default_factory=list)
    said: str = ""
    summary: str = ""
    exported: dict[str, str] = field(default_factory=dict)
    """What steps of the last job put into GITHUB_ENV."""
    outcomes: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def trigger(self, caller: str, event: str, ref: str = "main", inputs: Mapping[str, Any] | None = None) -> bool:
        """Run a workflow of the branch as GitHub does for an event; return whether it is green."""
        self.said = self.summary = ""
        self.outcomes = {}
        github = {"event_name": event, "base_ref": "main" if event == "pull_request" else "", "ref": ref, "run_id": "7"}
        text = self.git("show", f"{ref}:{WORKFLOWS}/{caller}")
        (self.scratch / caller).write_text(text)
        found = load(self.scratch / caller)
        assert event in found["on"]
        declared = (found["on"][event] or {}).get("inputs", {}) if isinstance(found["on"][event], dict) else {}
        given = {name: (inputs or {}).get(name, what.get("default", "")) for name, what in declared.items()}
        self._workflow(f"{WORKFLOWS}/{caller}", found, given, self.secrets, github, None)
        return "failure" not in self.outcomes.values()

    def git(self, *words: str) -> str:
        done = subprocess.run(("git", *words), cwd=self.remote, capture_output=True, text=True, check=True)
        return done.stdout.rstrip("\n")

    def commands(self) -> list[str]:
        """Return what the runner would take for its commands, of all that the jobs said."""
        found, until = [], None
        for line in self.said.splitlines():
            if until is not None:
                until = None if line.strip() == f"::{until}::" else until
            elif line.lstrip().startswith("::stop-commands::"):
                until = line.strip().removeprefix("::stop-commands::")
            elif line.lstrip().startswith("::") or "##[" in line:
                found.append(line)
        return found

    def _workflow(
        self, path: str, found: Mapping[str, Any], inputs: Any, secrets: Any, github: Any, allowed: Any
    ) -> None:
        assert found["permissions"] == {}, f"{path}: rights are given job by job"
        contexts = {"github": github, "inputs": inputs, "secrets": secrets}
        outcomes: dict[str, str] = {}
        for name, job in found["jobs"].items():
            condition = resolved(job.get("if", "true"), contexts)
            condition = evaluate(condition, contexts) if isinstance(condition, str) else condition
            failed = outcomes.get(job.get("needs", "")) == "failure" and "cancelled" not in str(job.get("if"))
            rights = job["permissions"]
            assert allowed is None or rights.items() <= allowed.items(), f"{path}: {name} wants {rights} of {allowed}"
            before = set(self.outcomes.items())
            if not condition or failed:
                outcomes[name] = "skipped"
            elif "uses" in job:
                self._call(job, contexts, github)
                red = "failure" in dict(set(self.outcomes.items()) - before).values()
                outcomes[name] = "failure" if red else "success"
            else:
                resolved(job["runs-on"], contexts)
                resolved(job["concurrency"]["group"], contexts)
                resolved(job.get("environment", ""), contexts)
                outcomes[name] = self._job(path, job, contexts)
            self.outcomes[f"{Path(path).stem}/{name}"] = outcomes[name]

    def _call(self, job: Any, contexts: Contexts, github: Any) -> None:
        path = job["uses"].removeprefix("./")
        found = load(ROOT / path)
        declared = found["on"]["workflow_call"] or {}
        inputs, secrets = declared.get("inputs", {}), declared.get("secrets", {})
        given = {name: resolved(value, contexts) for name, value in job.get("with", {}).items()}
        passed = {name: resolved(value, contexts) for name, value in job.get("secrets", {}).items()}
        assert given.keys() <= inputs.keys(), f"{path}: takes no {given.keys() - inputs.keys()}"
        assert passed.keys() <= secrets.keys(), f"{path}: takes no {passed.keys() - secrets.keys()}"
        assert all(name in given for name, what in inputs.items() if what.get("required")), path
        given = {name: given.get(name, what.get("default")) for name, what in inputs.items()}
        passed = {name: passed.get(name, "") for name in secrets}
        self._workflow(path, found, given, passed, github, job["permissions"])

    def _job(self, path: str, job: Any, contexts: Contexts) -> str:
        assert job["defaults"]["run"]["shell"] == "bash", "without it, `a | b` hides the failure of a"
        assert job["timeout-minutes"] <= 15
        self.count += 1
        place = self.scratch / f"job-{self.count}"
        (place / "temp").mkdir(parents=True)
        self.exported = {}
        paths: list[str] = []
        outcome = "success"
        steps = [(path, step, contexts) for step in job["steps"]]
        while steps:
            source, step, known = steps.pop(0)
            condition = str(step.get("if", "true")).removeprefix("${{").removesuffix("}}")
            if (outcome == "failure" and "cancelled" not in condition) or not evaluate(condition, known):
                continue
            action = step.get("uses", "").partition("@")[0]
            if action == CHECKOUT:
                self._checkout(place, {k: resolved(v, known) for k, v in step["with"].items()})
            elif action == OURS:
                action_file = load(ROOT / ACTION)
                given = {k: shown(resolved(v, known)) for k, v in step.get("with", {}).items()}
                assert given.keys() <= action_file["inputs"].keys()
                inner = {**known, "inputs": {k: given.get(k, v["default"]) for k, v in action_file["inputs"].items()}}
                steps[:0] = [(ACTION, one, inner) for one in action_file["runs"]["steps"]]
            elif action == PYTHON:
                pass
            elif "run" not in step:
                raise AssertionError(f"{source}: {step['uses']} is not known here")
            elif self.installs or (source, step["name"]) != INSTALL:
                rights = self.id_token if job["permissions"].get("id-token") == "write" else {}
                if self._run(place, source, step, known, paths, rights):
                    outcome = "failure"
        return outcome

    def _checkout(self, place: Path, given: Mapping[str, Any]) -> None:
        assert given["fetch-depth"] == 0, "the ledger is on another branch, and causes are in history"
        self.shell("git", "clone", "-q", "--template=", f"file://{self.remote}", str(place / "checkout"))
        if "ref" in given:
            self.shell("git", "checkout", "-q", given["ref"], cwd=place / "checkout")
        else:
            self.shell("git", "fetch", "-q", "origin", "refs/pull/1/merge", cwd=place / "checkout")
            self.shell("git", "checkout", "-q", "--detach", "FETCH_HEAD", cwd=place / "checkout")
        if given["persist-credentials"] is False:
            # Without them a private repository lets nobody in any more.
            self.shell("git", "remote", "set-url", "origin", "file:///gone", cwd=place / "checkout")

    def _run(
        self, place: Path, source: str, step: Any, contexts: Contexts, paths: list[str], rights: Mapping[str, str]
    ) -> int:
        assert source != ACTION or step["shell"] == "bash"
        assert "${{" not in step["run"], f"{step['name']}: what is inside an expression would become part of the script"
        self.ran.append((source, step["name"]))
        files = {name: place / name for name in ("GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("")
        (place / "script.sh").write_text(step["run"])
        own = {name: shown(resolved(value, contexts)) for name, value in step.get("env", {}).items()}
        path = os.pathsep.join([*reversed(paths), self.env.get("PATH", os.environ["PATH"])])
        done = subprocess.run(
            ("bash", "--noprofile", "--norc", "-eo", "pipefail", str(place / "script.sh")),
            cwd=place / "checkout",
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith(LEFT_OUT)},
                **self._given(place),
                **rights,
                **self.env,
                **self.exported,
                **own,
                **{name: str(file) for name, file in files.items()},
                "PATH": path,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        self.said += done.stdout
        self.summary += files["GITHUB_STEP_SUMMARY"].read_text()
        paths += files["GITHUB_PATH"].read_text().splitlines()
        for line in files["GITHUB_ENV"].read_text().splitlines():
            assert re.match(r"[A-Z_]+=[^<]", line), line
            name, _, value = line.partition("=")
            self.exported[name] = value
        return done.returncode

    def _given(self, place: Path) -> dict[str, str]:
        return {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str((ROOT / ACTION).parent),
            "GITHUB_ACTOR": self.actor,
            "GITHUB_ACTOR_ID": "1234",
            "GITHUB_RUN_ID": "7",
            "GITHUB_TRIGGERING_ACTOR": self.again or self.actor,
            "GITHUB_WORKSPACE": str(place / "checkout"),
            "RUNNER_TEMP": str(place / "temp"),
        }

    def shell(self, *words: str, cwd: Path | None = None) -> None:
        subprocess.run(words, cwd=cwd or self.scratch, check=True, capture_output=True)
