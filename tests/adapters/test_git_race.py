"""Several processes that decide at once: every decision is in history, and no file is lost."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.adapters.git_world import DOCKER, HELIOS, Clone, git, new_clone, new_remote, new_repository

PROCESSES = 4
DECISIONS = pytest.mark.parametrize("decisions", [4, pytest.param(10, marks=pytest.mark.slow)])
ROOT = Path(__file__).resolve().parents[2]

DECIDER = """
import sys
from pathlib import Path
from tests.adapters.git_world import DOCKER, HELIOS, Clone

clone, who, count = Clone(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
for number in range(count):
    outcome = clone.decide(f"{who}: {number}", HELIOS if number % 2 else DOCKER, urgent=number % 3 == 0)
    print(outcome.commit, flush=True)
    if outcome.failure:
        raise outcome.failure
"""


def at_once(clones: list[Clone], decisions: int) -> list[str]:
    """Let a process make so many decisions in each of the clones; return the ids of all commits."""
    command = [sys.executable, "-c", DECIDER]
    started = [
        subprocess.Popen(
            [*command, str(clone.root), f"p{number}", str(decisions)],
            cwd=ROOT,
            # Unmeasured: the same is run in this process by others.
            env=os.environ | {"COVERAGE_PROCESS_CONFIG": ""},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number, clone in enumerate(clones)
    ]
    answers = [process.communicate(timeout=100) for process in started]
    assert not any(err for _, err in answers), "\n".join(err for _, err in answers)
    return [commit for out, _ in answers for commit in out.split()]


def assert_nothing_is_lost(repository: Path, commits: list[str], decisions: int) -> None:
    history = git(repository, "rev-list", "main").split()
    assert set(commits) <= set(history)
    assert len(history) == 1 + PROCESSES * decisions == 1 + len(set(commits))
    text = git(repository, "show", f"main:{DOCKER}", f"main:{HELIOS}").split("\n")
    expected = {f"p{process}: {number}" for process in range(PROCESSES) for number in range(decisions)}
    assert expected <= set(text)
    assert git(repository, "ls-tree", "-r", "--name-only", "main").split() == [
        "inventory.csv",
        "other.txt",
        DOCKER,
        HELIOS,
        "tsunami.yaml",
    ]
    assert git(repository, "fsck", "--strict", "--no-dangling") == ""


@DECISIONS
@pytest.mark.parametrize("checked_out", ["main", "feature"])
def test_in_one_clone_without_a_remote(tmp_path: Path, checked_out: str, decisions: int) -> None:
    clone = new_repository(tmp_path / "alone")
    clone.git("checkout", "-q", "-B", checked_out)
    commits = at_once([clone] * PROCESSES, decisions)
    assert_nothing_is_lost(clone.root, commits, decisions)
    assert clone.status() == ""
    assert not list((clone.root / ".git").glob("*tsunami*"))


@DECISIONS
def test_two_each_in_two_clones_of_one_remote(tmp_path: Path, decisions: int) -> None:
    remote = new_remote(tmp_path / "remote.git", new_repository(tmp_path / "first"))
    clones = [new_clone(tmp_path / f"clone{number}", remote) for number in range(2)]
    commits = at_once([*clones, *clones], decisions)
    assert_nothing_is_lost(remote, commits, decisions)
    for clone in clones:
        assert clone.status() == ""
        clone.git("pull", "-q", "--ff-only")
        assert clone.status() == ""
