"""Rollouts that begin when another variable's is complete: the command line, and publishes over simulated time."""

import contextlib
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.commands.fleet_world import DOCKER, HELIOS, SOMAXCONN_TEXT, Fleet, copy_of, git
from tsunami_cli import cli
from tsunami_cli.commands.deciding import Decider
from tsunami_cli.commands.fleet import load_variable

SOMAXCONN = "rollouts/somaxconn.yaml"
FIRST = ("start", "helios", "--to", "0.9.12", "--over", "1h")
THEN = ("start", "somaxconn", "--to", "256", "--over", "2h", "--after", "helios")
ROLLOUT = "somaxconn-20261116T090000Z"
FREEZE = ("freeze", "--reason", "x")


@pytest.fixture(scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory, _template: Path) -> dict[str, Path]:
    """Make what every test begins with: one that waits; and what it waits for complete."""
    folder = tmp_path_factory.mktemp("after")
    root = copy_of(_template, folder / "fleet")

    def run(clock: str, *words: str) -> None:
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as out:
            patch.setenv("TSUNAMI_NOW", instant(clock))
            assert cli.run([*words, "-C", str(root), "--json"]) == 0, out.getvalue()

    (root / ".gitignore").write_text("public\n")
    git(root, "add", ".gitignore")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"):
            patch.setenv(name, instant("8:00"))
        git(root, "commit", "-q", "-m", "what is published is not kept here")
    run("09:00", "publish", "--no-guard")
    run("09:00", *FIRST)
    run("09:00", *THEN)
    waiting = copy_of(root, folder / "waiting")
    for clock in ("09:20", "09:40", "10:00"):
        run(clock, "publish", "--no-guard")
    return {"waiting": waiting, "complete": root}


@pytest.fixture
def waiting(
    tmp_path: Path, _made: dict[str, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Fleet:
    """Return the fleet with one rollout that runs, one that waits for it, and an entry in the ledger."""
    return standing_in(copy_of(_made["waiting"], tmp_path / "waiting"), "09:00", capsys, monkeypatch)


@pytest.fixture
def complete(
    tmp_path: Path, _made: dict[str, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Fleet:
    """Return the same where what is waited for is complete; the next publish finds it so."""
    return standing_in(copy_of(_made["complete"], tmp_path / "complete"), "10:30", capsys, monkeypatch)


def standing_in(root: Path, clock: str, capture: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> Fleet:
    patch.chdir(root)
    patch.setenv("COLUMNS", "300")
    return Fleet(root, capture, patch).at(instant(clock))


def instant(clock: str) -> str:
    """Return an instant of the day, `25:10` the next one's."""
    hours, minutes = clock.split(":")
    return f"2026-11-{16 + int(hours) // 24}T{int(hours) % 24:02}:{minutes}:00Z"


def at(fleet: Fleet, clock: str) -> Fleet:
    return fleet.at(instant(clock))


def publish(fleet: Fleet, clock: str, *words: str, code: int = 0) -> Any:
    said = at(fleet, clock).run("publish", "--no-guard", *words, "--json")
    assert said.code == code, said
    return said.data


def told(fleet: Fleet, name: str = "somaxconn") -> dict[str, Any]:
    """Return what every published host was told of one variable."""
    found = {}
    for file in sorted((fleet.root / "public/hosts").glob("*.json")):
        values = json.loads(file.read_text())
        if name in values:
            found[file.stem] = values[name]
    return found


def moved(fleet: Fleet) -> int:
    return list(told(fleet).values()).count(256)


def begun(fleet: Fleet, name: str = "somaxconn") -> bool:
    return "after:" not in fleet.git("show", f"main:rollouts/{name}.yaml")


# The decision


def test_what_a_start_that_waits_commits(fleet: Fleet) -> None:
    fleet.ok(*FIRST)
    before = fleet.head()
    text = fleet.decide(*THEN)
    assert text.startswith("somaxconn: start 128 -> 256 over 2h after helios\n")
    assert fleet.changed(before) == [SOMAXCONN]
    file = fleet.read(SOMAXCONN)
    assert "after: {variable: helios, rollout: helios-20261116T090000Z}" in file
    assert fleet.schedule("somaxconn") == [("2026-11-16T10:00:00Z", "0"), ("2026-11-16T12:00:00Z", "100")]
    fleet.ok("validate")
    found = fleet.status("somaxconn")
    assert found["state"] == "scheduled"
    assert found["rollout"]["after"] == {"variable": "helios", "rollout": "helios-20261116T090000Z"}
    assert found["rollout"]["starts_at"] == "2026-11-16T10:00:00Z"
    assert "waits for helios: running at" in fleet.ok("status")
    assert "waits for helios" in fleet.ok("status", "somaxconn")
    assert fleet.json("plan", "somaxconn")["variables"][0]["moves"] == []
    assert "not before helios is complete" in fleet.ok("explain", "lon2-proxy-a1", "somaxconn")


def test_a_dry_run_says_so_and_commits_nothing(fleet: Fleet) -> None:
    fleet.ok(*FIRST)
    before = fleet.snapshot()
    assert "helios" in fleet.ok(*THEN, "--dry-run")
    fleet.json(*THEN, "--dry-run")
    assert fleet.snapshot() == before


@pytest.mark.parametrize(
    ("words", "code", "part"),
    [
        (("--after", "helos"), 1, "helios"),
        (("--after", "somaxconn"), 1, "itself"),
        (("--after", "docker"), 1, "docker is settled"),
        (("--after", "helios", "--at", "2026-11-17T09:00:00Z"), 2, "--at"),
        (("--after", ""), 1, ""),
    ],
)
def test_what_cannot_be_waited_for_is_refused(fleet: Fleet, words: tuple[str, ...], code: int, part: str) -> None:
    fleet.ok(*FIRST)
    before = fleet.snapshot()
    assert part in fleet.no("start", "somaxconn", "--to", "256", "--over", "2h", *words, code=code)
    assert fleet.snapshot() == before


@pytest.mark.slow
def test_a_broken_file_cannot_be_waited_for(fleet: Fleet) -> None:
    fleet.commit({HELIOS: "name: helios\nbroken\n"})
    assert HELIOS in fleet.no(*THEN)


def test_circles_are_refused(waiting: Fleet) -> None:
    before = waiting.snapshot()
    for words in (
        ("start", "helios", "--to", "0.9.13", "--over", "1h", "--after", "somaxconn", "--supersede"),
        ("start", "somaxconn", "--to", "300", "--over", "1h", "--after", "somaxconn", "--supersede"),
    ):
        assert "somaxconn" in waiting.no(*words)
    assert waiting.snapshot() == before


def test_after_something_far_ahead(fleet: Fleet) -> None:
    """A year is not too far for what begins by itself."""
    fleet.ok("start", "helios", "--to", "0.9.12", "--over", "366d", "--at", "2027-01-01T00:00:00Z")
    said = fleet.run(*THEN)
    assert "--at" not in said.err, "nobody said that"


# Beginning


def test_the_first_publish_that_finds_it_complete_begins_it(complete: Fleet) -> None:
    assert (begun(complete), moved(complete)) == (False, 0)
    before = complete.head()
    data = publish(complete, "10:40")
    assert [(one["variable"], one["after"], one["failure"]) for one in data["begun"]] == [("somaxconn", "helios", None)]
    assert data["begun"][0]["commit"] == complete.head() == data["source"]
    assert complete.git("rev-parse", "main^") == before
    assert complete.changed(before) == [SOMAXCONN]
    assert complete.schedule("somaxconn") == [("2026-11-16T10:40:00Z", "0"), ("2026-11-16T12:40:00Z", "100")]
    assert complete.message().endswith(
        f"\n\nTsunami-Action: begin\nTsunami-Variable: somaxconn\nTsunami-Rollout: {ROLLOUT}"
    )
    assert complete.git("status", "--porcelain") == ""
    assert moved(complete) == 0, "nobody moves by the beginning"
    for minutes in (50, 59):
        data = publish(complete, f"10:{minutes}")
        assert data["begun"] == []
    assert moved(complete) in range(1, 7)
    assert complete.head() == data["source"]
    rows = [row for row in complete.json("audit", "--variable", "somaxconn") if row["to"] == 256]
    started = [entry for entry in complete.json("log", "somaxconn") if entry["action"] == "start"]
    assert {(row["action"], row["commit"]) for row in rows} == {("start", started[0]["commit"])}
    assert [entry["action"] for entry in complete.json("log", "somaxconn")][-2:] == ["start", "begin"]
    complete.ok("log", "somaxconn")
    found = complete.json("explain", rows[0]["host"], "somaxconn")
    assert (found["action"], found["commit"]) == ("start", started[0]["commit"])


@pytest.mark.slow
def test_it_begins_as_late_as_that_is_late_and_never_by_time(waiting: Fleet) -> None:
    waiting.ok("halt", "helios")
    for clock in ("10:00", "36:00"):
        assert publish(waiting, clock)["begun"] == []
        assert (begun(waiting), moved(waiting)) == (False, 0)
    assert waiting.state("somaxconn") == "scheduled"


@pytest.mark.slow
def test_it_begins_early_where_that_was_early(waiting: Fleet) -> None:
    waiting.ok("pace", "helios", "--over", "10m")
    for clock in ("09:05", "09:10", "09:15", "09:20"):
        publish(waiting, clock)
    assert begun(waiting)
    assert waiting.schedule("somaxconn")[0][0] < "2026-11-16T10:00:00Z"


def test_a_dry_run_of_a_publish_begins_nothing(complete: Fleet) -> None:
    before = complete.snapshot()
    data = publish(complete, "10:40", "--dry-run")
    assert [(one["variable"], one["commit"], one["failure"]) for one in data["begun"]] == [("somaxconn", None, None)]
    assert "would begin" in complete.ok("publish", "--no-guard", "--dry-run")
    assert complete.snapshot() == before


def test_via_points_and_steps_move_along(waiting: Fleet) -> None:
    waiting.ok(*THEN, "--via", "10%@0s", "--via", "20%@30m", "--supersede")
    at(waiting, "10:40").ok("resume", "somaxconn")
    assert waiting.schedule("somaxconn") == [
        ("2026-11-16T10:40:00Z", "0"),
        ("2026-11-16T10:40:00Z", "10"),
        ("2026-11-16T11:10:00Z", "20"),
        ("2026-11-16T12:40:00Z", "100"),
    ]


KEEPS: dict[str, list[tuple[str, ...]]] = {
    "rolled back": [("rollback", "helios", "--over", "10m")],
    "superseded": [("start", "helios", "--to", "0.9.13", "--over", "1d", "--supersede")],
    "retired": [("retire", "helios")],
    "frozen": [("freeze", "--reason", "x")],
    "that is frozen": [("freeze", "--reason", "x", "--except", "somaxconn")],
    "halted": [("halt", "helios")],
    "halted itself": [("halt", "somaxconn")],
}


SHORT = ("that is frozen", "halted itself")


@pytest.mark.parametrize("case", [pytest.param(c, marks=() if c in SHORT else pytest.mark.slow) for c in KEEPS])
def test_what_keeps_it_waiting(waiting: Fleet, case: str) -> None:
    publish(waiting, "09:10")
    for words in KEEPS[case]:
        assert waiting.run(*words).code == 0
    for clock in ("10:10", "11:00"):
        data = publish(waiting, clock)
        if case != "halted itself":
            assert (data["begun"], begun(waiting), moved(waiting)) == ([], False, 0), clock
    assert (begun(waiting), moved(waiting)) == (False, 0)
    assert waiting.run("status").code == 0


@pytest.mark.slow
def test_a_cap_and_a_broken_file_keep_it_waiting(waiting: Fleet) -> None:
    text = waiting.read(HELIOS)
    waiting.commit({HELIOS: text + 'limits: {"*": {at_most: 50%}}\n'})
    for clock in ("09:30", "10:00", "10:20", "10:30"):
        publish(waiting, clock)
    assert (waiting.state("helios"), begun(waiting)) == ("capped", False)
    waiting.commit({HELIOS: "name: helios\nbroken\n"})
    publish(waiting, "10:40", code=1)
    assert not begun(waiting)
    waiting.run("status")
    waiting.commit({HELIOS: text})
    for clock in ("10:50", "11:10", "11:30", "12:00", "13:10", "14:20", "15:30"):
        publish(waiting, clock)
    assert (waiting.state("helios"), begun(waiting)) == ("complete", True)


@pytest.mark.slow
def test_folded_away_by_a_newer_rollout_it_keeps_waiting_and_resume_begins_it(complete: Fleet) -> None:
    complete.ok("start", "helios", "--to", "0.9.13", "--over", "1h")
    publish(complete, "10:40")
    assert not begun(complete)
    assert "tsunami resume begins it" in complete.ok("status")
    text = complete.decide("resume", "somaxconn", "--reason", "enough")
    assert "Tsunami-Action: resume" in text
    assert (begun(complete), complete.state("somaxconn")) == (True, "running")
    assert complete.schedule("somaxconn")[0] == ("2026-11-16T10:40:00Z", "0")


def test_resume_begins_at_once_and_only_once(waiting: Fleet) -> None:
    at(waiting, "09:30").ok("resume", "somaxconn")
    assert waiting.schedule("somaxconn") == [("2026-11-16T09:30:00Z", "0"), ("2026-11-16T11:30:00Z", "100")]
    assert waiting.state("somaxconn") == "running"
    waiting.no("resume", "somaxconn")
    assert publish(waiting, "09:40")["begun"] == []


def test_halt_takes_it_too_and_supersede_replaces_it(waiting: Fleet) -> None:
    assert "somaxconn" in waiting.ok("halt")
    assert waiting.state("somaxconn") == "halted"
    waiting.ok("start", "somaxconn", "--to", "512", "--over", "1h", "--supersede")
    text = waiting.read(SOMAXCONN)
    assert text.count("- id:") == 1
    assert "after:" not in text
    assert waiting.state("somaxconn") == "running"


@pytest.mark.slow
def test_a_freeze_and_its_end_leave_it_waiting(waiting: Fleet) -> None:
    waiting.ok("freeze", "--reason", "x")
    file = waiting.read(SOMAXCONN)
    at(waiting, "14:00").ok("unfreeze")
    assert waiting.read(SOMAXCONN) == file
    for clock in ("14:20", "14:40", "15:00", "15:10", "15:20"):
        publish(waiting, clock)
    assert begun(waiting)


@pytest.mark.slow
def test_complete_and_frozen_since_it_begins_with_the_end_of_the_freeze(complete: Fleet) -> None:
    complete.ok("freeze", "--reason", "x")
    assert publish(complete, "14:00")["begun"] == []
    at(complete, "14:00").ok("unfreeze")
    assert [one["variable"] for one in publish(complete, "14:10")["begun"]] == ["somaxconn"]
    assert complete.schedule("somaxconn")[0] == ("2026-11-16T14:10:00Z", "0")


def test_two_that_wait_for_the_same_begin_together(complete: Fleet) -> None:
    complete.ok("start", "docker", "--to", "1.12.3", "--over", "14d", "--at", "2026-11-20T09:00:00Z")
    line = "    after: {variable: helios, rollout: helios-20261116T090000Z}\n"
    complete.commit({DOCKER: complete.read(DOCKER).replace("    over: 14d\n", f"    over: 14d\n{line}")})
    data = publish(complete, "10:40")
    assert sorted(one["variable"] for one in data["begun"]) == ["docker", "somaxconn"]
    assert all(one["failure"] is None for one in data["begun"])
    assert (begun(complete), begun(complete, "docker")) == (True, True)
    assert data["source"] == complete.head()


@pytest.mark.slow
def test_a_chain_begins_link_by_link(waiting: Fleet) -> None:
    waiting.ok("start", "docker", "--to", "1.12.3", "--over", "1d", "--after", "somaxconn")
    began: dict[str, str] = {}
    for step in range(30):
        clock = f"{9 + step // 6}:{step % 6 * 10:02}"
        for one in publish(waiting, clock)["begun"]:
            began[one["variable"]] = clock
        if not begun(waiting, "docker"):
            assert set(told(waiting, "docker").values()) == {"1.12.1"}
    assert list(began) == ["somaxconn", "docker"]
    assert waiting.status("docker")["state"] == "running"


@pytest.mark.slow
def test_by_hand_it_counts_the_same(complete: Fleet) -> None:
    complete.ok("halt", "somaxconn")
    complete.ok("resume", "somaxconn")
    file = complete.read(SOMAXCONN)
    assert "after:" in file
    line = re.search(r"^ +after:.*\n", file, re.MULTILINE)
    assert line
    block = "    after:\n      variable: helios   # first\n      rollout: helios-20261116T090000Z\n"
    complete.commit({SOMAXCONN: file.replace(line[0], block)})
    complete.ok("validate")
    publish(complete, "10:40")
    assert begun(complete)
    complete.ok("validate")


@pytest.mark.parametrize(
    ("after", "part"),
    [
        ("{variable: somaxconn, rollout: x}", "itself"),
        ("{variable: helios}", "rollout"),
        ("{rollout: x}", "variable"),
        ("helios", "after"),
        ("{variable: Helios, rollout: x}", "variable"),
        ("{variable: helios, rollout: x, by: me}", "by"),
    ],
)
def test_what_makes_no_sense_by_hand_is_an_error(after: str, part: str) -> None:
    schedule = "[{at: 2026-11-16T10:00:00Z, percent: 0}, {at: 2026-11-16T12:00:00Z, percent: 100}]"
    rollout = f"{{id: x-1, selection: 1, from: [128], to: 256, over: 2h, schedule: {schedule},\n after: {after}}}"
    loaded = load_variable(f"{SOMAXCONN_TEXT}rollouts:\n- {rollout}\n".encode(), SOMAXCONN, None)
    assert loaded.errors
    assert loaded.errors[0].line == SOMAXCONN_TEXT.count("\n") + 3
    assert part in f"{loaded.errors[0].where} {loaded.errors[0].message}", loaded.errors


# Where it cannot be committed


def test_a_file_that_is_being_edited_keeps_it_waiting_and_all_else_is_published(complete: Fleet) -> None:
    complete.write({SOMAXCONN: complete.read(SOMAXCONN) + "# mine\n"})
    complete.ok("start", "docker", "--to", "1.12.3", "--over", "14d")
    data = publish(complete, "10:40", code=1)
    assert [(one["variable"], one["commit"]) for one in data["begun"]] == [("somaxconn", None)]
    assert SOMAXCONN in data["begun"][0]["failure"]
    assert not begun(complete)
    assert data["source"] == complete.head()
    assert complete.read(SOMAXCONN).endswith("# mine\n")


def test_a_refused_push_keeps_it_waiting_and_all_else_is_published(complete: Fleet) -> None:
    remote = complete.root.parent / "remote.git"
    complete.git("clone", "-q", "--bare", ".", str(remote))
    complete.git("remote", "add", "origin", str(remote))
    complete.git("fetch", "-q")
    complete.git("branch", "-q", "-u", "origin/main", "main")
    complete.ok("pin", "docker", "--to", "1.12.3", "--role", "db", "--reason", "r")
    hook = remote / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ngrep -q refs/heads/main || exit 0\necho protected branch >&2\nexit 1\n")
    hook.chmod(0o755)
    before = complete.head()
    data = publish(complete, "10:40", code=1)
    assert "protected branch" in data["begun"][0]["failure"]
    assert (complete.head(), git(remote, "rev-parse", "main")) == (before, before)
    assert told(complete, "docker")["lon2-db-a1"] == "1.12.3"
    assert git(remote, "rev-parse", "tsunami-ledger") == data["ledger"]
    hook.unlink()
    publish(complete, "10:50")
    assert begun(complete)
    assert git(remote, "rev-parse", "main") == complete.head()


def test_screens_of_a_beginning(complete: Fleet) -> None:
    out = at(complete, "10:40").ok("publish", "--no-guard", "--metrics", str(complete.root.parent / "x.prom"))
    assert "somaxconn: begins" in out
    assert "helios is complete" in out


def test_what_waits_for_ever_is_warned_of(waiting: Fleet) -> None:
    assert not [one for one in waiting.json("validate")["problems"] if "begins by itself" in one["message"]]
    text = waiting.read(SOMAXCONN)
    for changed, why in (
        (text.replace("variable: helios", "variable: helium"), "there is no variable helium"),
        (text.replace("rollout: helios-", "rollout: helix-"), "helios has no rollout helix-20261116T090000Z"),
    ):
        assert changed != text
        (waiting.root / SOMAXCONN).write_text(changed)
        data = waiting.json("validate")
        found = [one for one in data["problems"] if "begins by itself" in one["message"]]
        assert [(one["where"], one["severity"]) for one in found] == [("rollouts[0].after", "warning")], why
        assert found[0]["message"] == f"{why}: it never begins by itself, but by tsunami resume somaxconn"
        assert data["ok"] is True


@pytest.mark.parametrize("words", [("rollback", "helios", "--over", "1h"), ("halt", "somaxconn"), FREEZE])
def test_who_is_faster_than_the_beginning_prevents_it(
    complete: Fleet, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at what is complete and the commit, somebody takes it back."""
    decide, others = Decider.decide, [words]

    def late(self: Decider, *given: Any, **more: Any) -> Any:
        if others:
            complete.at(instant("10:40")).ok(*others.pop())
        return decide(self, *given, **more)

    monkeypatch.setattr("tsunami_cli.commands.waiting.Decider.decide", late)
    publish(complete, "10:40")
    assert not begun(complete)
    assert moved(complete) == 0


def test_it_waits_until_the_guard_has_seen_the_last_of_the_other(complete: Fleet) -> None:
    slos = "slos:\n  - {name: up, query: up, objective: '>= 1', settle: 20m, for: 10m}\n"
    complete.commit({HELIOS: complete.read(HELIOS) + slos})
    # The last hosts were told at 10:00.
    for clock, began in (("10:20", False), ("10:30", False), ("10:35", True)):
        publish(complete, clock)
        assert begun(complete) == began, clock
