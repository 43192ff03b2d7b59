"""Decisions in the states that a clone is in when it matters, through the command line alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.fleet_world import DOCKER, HELIOS, ROOT, Fleet, Said, git

START = ("start", "helios", "--to", "0.9.12", "--over", "24h")


@pytest.fixture
def running(fleet: Fleet) -> Fleet:
    """Return the fleet six hours into a rollout of helios."""
    fleet.ok(*START)
    return fleet.at("2026-11-16T15:00:00Z")


@pytest.fixture
def remote(fleet: Fleet) -> Path:
    """Return the bare repository that is the fleet's origin."""
    place = fleet.root.parent / "remote.git"
    fleet.git("clone", "-q", "--bare", ".", str(place))
    fleet.git("remote", "add", "origin", str(place))
    fleet.git("fetch", "-q")
    fleet.git("branch", "-q", "-u", "origin/main", "main")
    return place


def tip(remote: Path) -> str:
    return git(remote, "rev-parse", "main")


def halted(fleet: Fleet, ref: str = "main") -> bool:
    return "    halted: 2026-11-16T15:00:00Z" in fleet.git("show", f"{ref}:{HELIOS}")


# Whatever is checked out


def test_on_a_feature_branch_decisions_go_to_the_branch_that_counts(running: Fleet) -> None:
    running.git("checkout", "-q", "-b", "feature")
    running.commit({"notes.txt": "x\n"})
    feature, files = running.git("rev-parse", "feature"), running.snapshot()[1]
    running.ok("halt", "helios")
    assert halted(running)
    assert running.git("rev-parse", "feature") == feature
    assert running.snapshot()[1] == files
    running.ok("resume", "helios")
    assert running.git("log", "-1", "--format=%s", "main").startswith("helios: resume")


def test_on_a_branch_without_settings_a_halt_works_too(running: Fleet) -> None:
    running.git("checkout", "-q", "--orphan", "pages")
    running.git("rm", "-rq", "--cached", ".")
    for path in ("tsunami.yaml", "inventory.csv"):
        (running.root / path).unlink()
    said = running.run("halt", "helios")
    assert (said.code, halted(running)) == (0, True), said


@pytest.mark.parametrize("text", ["<<<<<<< HEAD\nfleet: a\n=======\n", "fleet: backend\ninventroy: x\n", ""])
def test_settings_that_are_half_merged_in_the_checkout_stop_no_halt(running: Fleet, text: str) -> None:
    running.write({"tsunami.yaml": text})
    said = running.run("halt", "helios")
    assert (said.code, halted(running)) == (0, True), said
    assert running.read("tsunami.yaml") == text


def test_an_inventory_that_is_half_merged_in_the_checkout_stops_no_decision(running: Fleet) -> None:
    running.write({"inventory.csv": "<<<<<<< HEAD\n"})
    running.ok("halt", "helios")
    running.ok("resume", "helios")
    assert running.read("inventory.csv") == "<<<<<<< HEAD\n"


def test_a_merge_in_progress_stops_no_decision(running: Fleet) -> None:
    running.git("checkout", "-q", "-b", "theirs")
    running.commit({DOCKER: running.read(DOCKER).replace("owner: containers", "owner: theirs")})
    running.git("checkout", "-q", "main")
    running.commit({DOCKER: running.read(DOCKER).replace("owner: containers", "owner: ours")})
    subprocess.run(("git", "merge", "-q", "theirs"), cwd=running.root, capture_output=True, check=False)
    assert "<<<<<<<" in running.read(DOCKER)
    before = running.git("status", "--porcelain")
    running.ok("halt", "helios")
    assert halted(running)
    assert running.git("status", "--porcelain") == before


# A dirty own file


@pytest.mark.parametrize(
    "words",
    [
        ("resume", "helios"),
        ("pace", "helios", "--over", "1h"),
        ("rollback", "helios", "--over", "1h"),
        ("pin", "helios", "--to", "0.9.10", "--role", "proxy", "--reason", "r"),
    ],
    ids=lambda words: words[0],
)
@pytest.mark.parametrize("staged", [False, True], ids=["edited", "staged"])
def test_a_dirty_own_file_is_refused_before_anything_changes(
    running: Fleet, words: tuple[str, ...], *, staged: bool
) -> None:
    if words[0] == "resume":
        running.ok("halt", "helios")
    running.write({HELIOS: running.read(HELIOS) + "owner: me\n"})
    if staged:
        running.git("add", HELIOS)
    before = running.snapshot()
    error = running.no(*words)
    assert HELIOS in error
    assert "git stash" in error
    assert running.snapshot() == before


def test_a_new_file_of_the_same_name_is_not_overwritten(fleet: Fleet) -> None:
    fleet.write({"rollouts/other.yaml": "precious\n"})
    before = fleet.snapshot()
    assert "rollouts/other.yaml" in fleet.no("new", "other", "--default", "1")
    assert fleet.snapshot() == before


def test_a_halt_writes_its_line_into_a_dirty_own_file_too(running: Fleet) -> None:
    edited = running.read(HELIOS).replace("description: Helios agent", "description: being edited")
    running.write({HELIOS: edited})
    before = running.head()
    said = running.run("halt", "helios")
    assert said.code == 0
    assert halted(running)
    assert "being edited" not in running.git("show", f"main:{HELIOS}")
    assert running.changed(before) == [HELIOS]
    text = running.read(HELIOS)
    added = [line for line in text.splitlines() if line not in edited.splitlines()]
    assert added == ["    halted: 2026-11-16T15:00:00Z"]
    assert "being edited" in text
    assert running.run("status", "helios", "--json").data["variables"][0]["state"] == "halted"


def test_a_halt_goes_ahead_where_the_edited_text_makes_no_sense(running: Fleet) -> None:
    running.write({HELIOS: "<<<<<<< HEAD\n" + running.read(HELIOS)})
    said = running.run("halt", "helios")
    assert halted(running)
    assert said.code == 0
    assert HELIOS in said.err
    assert running.read(HELIOS).startswith("<<<<<<< HEAD\n")


# Broken files on the branch


def test_a_halt_halts_what_parses_and_says_what_does_not(running: Fleet) -> None:
    running.commit({DOCKER: "name: docker\nbroken\n"})
    said = running.run("halt", "--reason", "errors")
    assert said.code == 1
    assert halted(running)
    assert DOCKER in said.err
    assert "docker" not in running.message().split("\n")[0]


@pytest.mark.parametrize(
    "text",
    ["host,role\na,web\na,web\n", "host,role\n", "<<<<<<< HEAD\n", None],
    ids=["a host twice", "empty", "conflict", "gone"],
)
@pytest.mark.parametrize("words", [("halt",), ("halt", "helios")], ids=["bare", "named"])
def test_a_halt_needs_no_inventory(running: Fleet, text: str | None, words: tuple[str, ...]) -> None:
    if text is None:
        (running.root / "inventory.csv").unlink()
        running.commit({})
    else:
        running.commit({"inventory.csv": text})
    said = running.run(*words)
    assert halted(running), said


@pytest.mark.parametrize("words", [("halt",), ("halt", "helios")], ids=["bare", "named"])
def test_a_halt_that_did_not_halt_never_says_that_it_did(running: Fleet, words: tuple[str, ...]) -> None:
    running.commit({"inventory.csv": "host,role\n"})
    said = running.run(*words)
    assert said.code == (0 if halted(running) else 1), said


def test_a_halt_needs_no_sound_settings(running: Fleet) -> None:
    running.commit({"tsunami.yaml": "fleet: backend\ninventroy: x\n"})
    said = running.run("halt", "helios")
    assert halted(running), said


def test_a_file_that_is_a_link_in_git_is_told_and_the_others_are_halted(running: Fleet) -> None:
    (running.root / DOCKER).unlink()
    (running.root / DOCKER).symlink_to("helios.yaml")
    running.commit({})
    said = running.run("halt")
    assert halted(running)
    assert DOCKER in said.err
    assert said.code == 1


# The remote


def test_a_decision_is_pushed(fleet: Fleet, remote: Path) -> None:
    data = fleet.json(*START)
    assert (data["pushed"], data["remote"], data["commit"]) == (True, "origin", tip(remote))
    assert fleet.head() == tip(remote)
    assert "pushed" in fleet.ok("halt", "helios")


def test_a_decision_is_made_on_what_the_remote_has(fleet: Fleet, remote: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", str(remote), "colleague")
    colleague = tmp_path / "colleague"
    fleet.ok("-C", str(colleague), "pin", "helios", "--to", "0.9.10", "--role", "proxy", "--reason", "r")
    said = fleet.run(*START)
    assert said.code == 0
    assert "git" in said.err
    assert "pull" in said.err
    text = git(remote, "show", f"main:{HELIOS}")
    assert "proxy" in text
    assert "0.9.12" in text


def test_diverged_branches_are_refused(fleet: Fleet, remote: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", str(remote), "colleague")
    fleet.ok("-C", str(tmp_path / "colleague"), "new", "theirs", "--default", "1")
    fleet.commit({"notes.txt": "ours\n"})
    before, theirs = fleet.snapshot()[1], tip(remote)
    error = fleet.no(*START)
    assert "main" in error
    assert (fleet.snapshot()[1], tip(remote)) == (before, theirs)


def test_with_a_dead_remote_a_start_changes_nothing(fleet: Fleet, remote: Path) -> None:
    remote.rename(remote.with_name("gone.git"))
    before = fleet.snapshot()
    pin = ("pin", "docker", "--to", "1.12.1", "--role", "db", "--reason", "r")
    for words in (START, ("new", "x", "--default", "1"), pin):
        assert "origin" in fleet.no(*words, code=4)
    assert fleet.snapshot() == before


def test_with_a_dead_remote_reading_works(fleet: Fleet, remote: Path) -> None:
    remote.rename(remote.with_name("gone.git"))
    for words in (("status",), ("get", "lon2-db-a1"), ("plan",)):
        said = fleet.run(*words)
        assert said.code == 0, words
        # Whether anything was published is not known here.
        assert said.err == (
            "warning: no tsunami-ledger is known here: this is the plan, not what hosts were told "
            "(git fetch, if there is one)\n"
        )
    assert fleet.run(*START, "--dry-run").code == 0


def test_with_a_dead_remote_a_halt_is_local_and_loud_and_is_pushed_later(running: Fleet, remote: Path) -> None:
    remote.rename(remote.with_name("gone.git"))
    before = running.head()
    said = running.run("halt", "helios", "--reason", "errors")
    assert said.code == 4
    assert halted(running)
    assert running.git("rev-parse", "main^") == before
    assert "origin" in said.err
    assert "LOCAL ONLY" in said.err
    assert "NOT PUSHED" in said.out
    remote.with_name("gone.git").rename(remote)
    ours = running.head()
    said = running.run("new", "other", "--default", "1")
    assert said.code == 0
    assert git(remote, "rev-parse", "main^") == ours
    assert tip(remote) == running.head()


def test_a_second_halt_with_a_dead_remote_does_not_say_that_all_is_well(running: Fleet, remote: Path) -> None:
    remote.rename(remote.with_name("gone.git"))
    assert running.run("halt", "helios").code == 4
    assert running.run("halt", "helios").code == 4
    remote.with_name("gone.git").rename(remote)
    assert running.run("halt", "helios").code == 0
    assert tip(remote) == running.head()


def test_a_push_refused_for_good_says_what_to_do(fleet: Fleet, remote: Path) -> None:
    hook = remote / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho protected branch >&2\nexit 1\n")
    hook.chmod(0o755)
    before = fleet.snapshot()
    said = fleet.run(*START)
    assert (said.code, said.err.count("\n")) == (1, 1)
    for part in ("protected branch", "pull request"):
        assert part in said.err
    assert (fleet.snapshot()[1], fleet.head()) == (before[1], tip(remote))


# Two at once


def together(fleet: Fleet, *calls: tuple[str, ...]) -> list[Said]:
    """Run commands as processes that begin at the same time."""
    # Unmeasured: what they run, others run in this process.
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COVERAGE_PROCESS_CONFIG": ""}
    begun = [
        subprocess.Popen(
            (sys.executable, "-m", "tsunami_cli", *words),
            cwd=fleet.root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for words in calls
    ]
    said = [process.communicate(timeout=60) for process in begun]
    return [Said(process.returncode, *texts) for process, texts in zip(begun, said, strict=True)]


def test_two_halts_at_once_are_one(running: Fleet) -> None:
    before = running.head()
    said = together(running, ("halt", "helios"), ("halt", "helios"))
    assert [one.code for one in said] == [0, 0], said
    assert running.git("rev-list", "--count", f"{before}..main") == "1"
    assert halted(running)
    assert running.git("status", "--porcelain") == ""


def test_two_starts_of_one_variable_at_once_are_one(fleet: Fleet) -> None:
    before = fleet.head()
    said = together(fleet, START, ("start", "helios", "--to", "0.9.13", "--over", "2h"))
    assert sorted(one.code for one in said) == [0, 1], said
    assert fleet.git("rev-list", "--count", f"{before}..main") == "1"
    assert fleet.read(HELIOS).count("- id:") == 1
    assert fleet.git("status", "--porcelain") == ""


def test_decisions_on_different_variables_at_once_are_all_made(running: Fleet, remote: Path) -> None:
    before = running.head()
    said = together(
        running,
        ("halt", "helios"),
        ("start", "docker", "--to", "1.12.3", "--over", "14d"),
        ("pin", "somaxconn", "--to", "256", "--role", "proxy", "--reason", "r"),
    )
    assert [one.code for one in said] == [0, 0, 0], said
    assert running.git("rev-list", "--count", f"{before}..main") == "3"
    assert tip(remote) == running.head()
    assert running.git("status", "--porcelain") == ""


def test_a_halt_and_a_decision_on_the_same_rollout_end_halted_or_refused(running: Fleet) -> None:
    said = together(running, ("halt", "helios"), ("pace", "helios", "--over", "2h"))
    assert said[0].code == 0, said
    assert said[1].code in (0, 1), said
    assert halted(running)
    assert running.git("status", "--porcelain") == ""
