"""Stopping the line and letting it go on, in the states that a clone is in when it matters."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.commands.fleet_world import DOCKER, HELIOS, NOW, SETTINGS_TEXT, Fleet, assert_plain, copy_of, git
from tests.commands.test_hostile_text import ESCAPES, REASONS
from tests.commands.test_on_call import together
from tsunami_cli import cli
from tsunami_cli.adapters.yaml.edits import edit
from tsunami_cli.commands.fleet import load_settings
from tsunami_cli.core.freezing import Line, freeze, unfreeze
from tsunami_cli.core.model import Settings
from tsunami_cli.core.text import instant

SETTINGS = "tsunami.yaml"
SOMAXCONN = "rollouts/somaxconn.yaml"
FREEZE = ("freeze", "--reason", "holidays")
START = ("start", "helios", "--to", "0.9.12", "--over", "24h")
NOON = "2026-11-16T12:00:00Z"
LINE = 'freeze: {since: 2026-11-16T15:00:00Z, reason: "holidays"}\n'
REFUSED = [
    START,
    ("start", "somaxconn", "--to", "256", "--over", "1h"),
    ("start", "somaxconn", "--to", "256", "--over", "1h", "--dry-run"),
    ("start", "somaxconn", "--to", "256", "--over", "1h", "--after", "helios"),
    ("start", "helios", "--to", "0.9.13", "--over", "1h", "--supersede"),
    ("pace", "helios", "--over", "1h"),
    ("rollback", "helios", "--over", "1h"),
    ("resume", "helios"),
    ("resume", "helios", "--over", "1h"),
]


@pytest.fixture(scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory, _template: Path) -> Path:
    root = copy_of(_template, tmp_path_factory.mktemp("running") / "fleet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TSUNAMI_NOW", NOW)
        assert cli.run([*START, "-C", str(root), "--json"]) == 0
        patch.setenv("GIT_AUTHOR_DATE", NOW)
        patch.setenv("GIT_COMMITTER_DATE", NOW)
        (root / ".gitignore").write_text("public\n")
        git(root, "add", ".gitignore")
        git(root, "commit", "-q", "-m", "what is published is not kept here")
    return root


@pytest.fixture(scope="module")
def _stopped(tmp_path_factory: pytest.TempPathFactory, _running: Path) -> Path:
    root = copy_of(_running, tmp_path_factory.mktemp("stopped") / "fleet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TSUNAMI_NOW", "2026-11-16T15:00:00Z")
        reason = "incident \x1b[31m4711 ::error::x"
        assert cli.run(["freeze", "--reason", reason, "-C", str(root), "--json"]) == 0
    return root


@pytest.fixture
def running(
    tmp_path: Path, _running: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Fleet:
    """Return the fleet six hours into a rollout of helios."""
    return standing_in(copy_of(_running, tmp_path / "fleet"), capsys, monkeypatch)


@pytest.fixture
def stopped(_stopped: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """Return the frozen fleet that those tests share who assert that nothing has changed in it."""
    return standing_in(_stopped, capsys, monkeypatch)


def standing_in(root: Path, capture: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> Fleet:
    patch.chdir(root)
    patch.setenv("COLUMNS", "300")
    capture.readouterr()
    return Fleet(root, capture, patch).at("2026-11-16T15:00:00Z")


@pytest.fixture
def remote(running: Fleet) -> Path:
    """Return the bare repository that is the running fleet's origin."""
    place = running.root.parent / "remote.git"
    running.git("clone", "-q", "--bare", ".", str(place))
    running.git("remote", "add", "origin", str(place))
    running.git("fetch", "-q")
    running.git("branch", "-q", "-u", "origin/main", "main")
    return place


def committed(fleet: Fleet, ref: str = "main") -> str:
    return fleet.git("show", f"{ref}:{SETTINGS}") + "\n"


def frozen(fleet: Fleet, ref: str = "main") -> bool:
    return re.search(r"^freeze:", committed(fleet, ref), re.MULTILINE) is not None


def told(fleet: Fleet) -> dict[str, str]:
    """Return which helios every published host was told."""
    found = {}
    for file in sorted((fleet.root / "public/hosts").glob("*.json")):
        found[file.stem] = json.loads(file.read_text()).get("helios")
    return found


def publish(fleet: Fleet, instant: str, code: int = 0) -> dict[str, str]:
    said = fleet.at(instant).run("publish", "--no-guard", "--json")
    assert said.code == code, said
    return told(fleet)


# The commit


def test_a_freeze_is_one_line_in_one_commit(running: Fleet) -> None:
    before = running.head()
    out = running.ok(*FREEZE)
    assert "helios" in out
    assert running.git("rev-parse", "main^") == before
    assert running.changed(before) == [SETTINGS]
    assert committed(running) == SETTINGS_TEXT + LINE
    assert running.read(SETTINGS) == SETTINGS_TEXT + LINE
    assert running.git("status", "--porcelain") == ""
    subject, reason, trailers = running.message().rstrip("\n").split("\n\n")
    assert subject.startswith("freeze: ")
    assert (reason, trailers) == ("holidays", "Tsunami-Action: freeze\nTsunami-Variable: *")


def test_a_second_one_is_done_already_and_says_since_when(running: Fleet) -> None:
    running.ok(*FREEZE)
    before = running.snapshot()
    out = running.at("2026-11-16T18:00:00Z").ok("freeze", "--reason", "more", "--except", "docker")
    assert "3 h ago" in out
    assert "holidays" in out
    data = running.json("freeze", "--reason", "more")
    assert (data["already"], data["commit"]) == (True, None)
    assert running.snapshot() == before


@pytest.mark.parametrize("reason", ["", "  \n ", "\x07"], ids=repr)
def test_a_reason_is_needed(still: Fleet, reason: str) -> None:
    before = still.snapshot()
    assert "--reason" in still.no("freeze", "--reason", reason, code=2)
    assert still.snapshot() == before


def test_unknown_exceptions_are_refused(still: Fleet) -> None:
    before = still.snapshot()
    assert "helios" in still.no(*FREEZE, "--except", "helos")
    assert "helos" in still.no("unfreeze", "helos")
    assert still.snapshot() == before


def test_a_fleet_that_is_not_frozen_has_nothing_to_unfreeze(still: Fleet) -> None:
    before = still.snapshot()
    assert "not frozen" in still.ok("unfreeze")
    assert "not frozen" in still.ok("unfreeze", "helios")
    assert still.json("unfreeze")["commit"] is None
    assert still.snapshot() == before


def test_unfreeze_takes_the_line_away_and_reschedules_in_one_commit(running: Fleet) -> None:
    running.ok(*FREEZE)
    before = running.head()
    out = running.at("2026-11-16T17:00:00Z").ok("unfreeze", "--reason", "back")
    assert "helios goes on" in out
    assert running.git("rev-parse", "main^") == before
    assert running.changed(before) == [HELIOS, SETTINGS]
    assert committed(running) == running.read(SETTINGS) == SETTINGS_TEXT
    assert running.git("status", "--porcelain") == ""
    assert running.schedule("helios") == [
        ("2026-11-16T09:00:00Z", "0"),
        ("2026-11-16T15:00:00Z", "25"),
        ("2026-11-16T17:00:00Z", "25"),
        ("2026-11-17T11:00:00Z", "100"),
    ]
    subject, reason, trailers = running.message().rstrip("\n").split("\n\n")
    assert subject.startswith("unfreeze: ")
    assert reason == "back"
    assert trailers == (
        "Tsunami-Action: unfreeze\nTsunami-Variable: *\nTsunami-Action: unfreeze\nTsunami-Variable: helios\n"
        "Tsunami-Rollout: helios-20261116T090000Z"
    )


@pytest.mark.slow
def test_a_fleet_with_nothing_under_way_is_frozen_and_unfrozen_too(fleet: Fleet) -> None:
    fleet.ok(*FREEZE)
    assert frozen(fleet)
    for words in REFUSED[:4]:
        fleet.no(*words)
    fleet.ok("unfreeze")
    assert committed(fleet) == SETTINGS_TEXT
    fleet.ok(*START)


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_what_sets_going_is_refused_and_names_the_way_out(stopped: Fleet, words: tuple[str, ...]) -> None:
    before = stopped.snapshot()
    error = stopped.no(*words)
    for part in ("incident", "4711", "tsunami unfreeze"):
        assert part in error, error
    assert not re.search(r"(^|\s)::error::", error), error
    assert stopped.snapshot() == before


@pytest.mark.parametrize(
    "words",
    [
        ("halt", "helios"),
        ("halt",),
        ("pin", "helios", "--to", "0.9.10", "--role", "proxy", "--reason", "r"),
        pytest.param(("unpin", "docker", "--role", "login"), marks=pytest.mark.slow),
        pytest.param(("retire", "somaxconn"), marks=pytest.mark.slow),
        pytest.param(("new", "other", "--default", "1"), marks=pytest.mark.slow),
    ],
    ids=" ".join,
)
def test_all_else_is_possible(running: Fleet, words: tuple[str, ...]) -> None:
    running.ok(*FREEZE)
    before = running.head()
    assert running.run(*words).code == 0
    assert running.git("rev-parse", "main^") == before
    assert frozen(running)


@pytest.mark.slow
def test_an_ack_is_possible(fleet: Fleet) -> None:
    fleet.ok("start", "docker", "--to", "1.12.3", "--over", "14d")
    fleet.ok(*FREEZE)
    fleet.ok("ack", "docker", "docker-running", "--until", "2026-11-20T00:00:00Z", "--reason", "known")


@pytest.mark.slow
def test_who_is_excepted_goes_on(running: Fleet) -> None:
    running.ok(*FREEZE, "--except", "helios", "--except", "docker", "--except", "helios")
    assert 'reason: "holidays", except: [docker, helios]}' in committed(running)
    running.ok("pace", "helios", "--over", "1h")
    running.ok("start", "docker", "--to", "1.12.3", "--over", "14d")
    assert "somaxconn" in running.no("start", "somaxconn", "--to", "256", "--over", "1h")
    later = running.at("2026-11-16T16:00:00Z").status("helios")
    assert (later["state"], later["frozen"]) == ("complete", False)


def test_unfreeze_of_some_lets_those_go_on_and_the_rest_stands(running: Fleet) -> None:
    running.ok("start", "somaxconn", "--to", "256", "--over", "24h")
    running.ok(*FREEZE)
    running.at("2026-11-16T17:00:00Z").ok("unfreeze", "helios")
    assert 'reason: "holidays", except: [helios]}' in committed(running)
    assert [running.status(name)["frozen"] for name in ("helios", "somaxconn")] == [False, True]
    running.at("2026-11-16T23:00:00Z")
    before = running.snapshot()
    assert "nothing to do" in running.ok("unfreeze", "helios")
    assert running.snapshot() == before
    running.ok("unfreeze")
    assert running.schedule("somaxconn")[-1] == ("2026-11-17T23:00:00Z", "100")
    assert running.schedule("helios")[-1] == ("2026-11-17T11:00:00Z", "100"), "let go on only once"


@pytest.mark.slow
def test_what_was_halted_meanwhile_stays_halted_where_it_stood(running: Fleet) -> None:
    running.ok(*FREEZE)
    running.at("2026-11-16T20:00:00Z").ok("halt", "helios")
    running.at("2026-11-16T21:00:00Z")
    assert "stays halted" in running.ok("unfreeze")
    assert "    halted: 2026-11-16T15:00:00Z" in running.read(HELIOS)
    running.at("2026-11-16T22:00:00Z")
    assert running.status("helios")["rollout"]["percent"] == 25
    running.ok("resume", "helios")
    assert running.status("helios")["rollout"]["percent"] == 25
    assert running.schedule("helios")[-1] == ("2026-11-17T16:00:00Z", "100")


# By hand

BLOCK = "freeze:   # who: Ada\n  since: 2026-11-16T15:00:00Z\n  reason: >-\n    two\n    lines\n"
BY_HAND = {
    "one line": LINE,
    "block": BLOCK,
    "block with exceptions": f"{BLOCK}  except:\n    - docker  # needs the fix\n    - somaxconn\n",
    "no spaces": "freeze: {since: '2026-11-16T15:00:00Z',reason: x,except: []}\n",
    "over lines": 'freeze: {since: "2026-11-16T15:00:00Z",\n  reason: "x: # y"}\n',
}


@pytest.mark.parametrize("line", BY_HAND.values(), ids=BY_HAND)
@pytest.mark.parametrize("place", ["first", "last", "between"])
def test_a_line_by_hand_is_lifted_for_some_and_for_all(line: str, place: str) -> None:
    head, tail = SETTINGS_TEXT.split("branch: main\n")
    text = {
        "first": f"{line}{SETTINGS_TEXT}# end\n",
        "last": f"{SETTINGS_TEXT}{line}",
        "between": f"{head}branch: main   # counts\n\n{line}\n# how\n{tail}",
    }[place]
    stop = settings(text.encode()).freeze
    assert stop is not None
    assert stop.since == instant("2026-11-16T15:00:00Z")
    some = changed(text.encode(), unfreeze(stop, ["helios"]))
    found = settings(some).freeze
    assert found is not None
    assert (found.reason, "helios" in found.excepted) == (stop.reason, True)
    assert set(stop.excepted) <= set(found.excepted)
    for after in (changed(text.encode(), unfreeze(stop, [])), changed(some, unfreeze(found, []))):
        assert after.decode().split("\n\n") == text.replace(line, "").split("\n\n") or place == "between"
        assert yaml.safe_load(after) == yaml.safe_load(SETTINGS_TEXT)
        for kept in ("# end", "# how", "# counts"):
            assert (kept.encode() in after) == (kept in text), after


def settings(data: bytes) -> Settings:
    found, problems = load_settings(data)
    assert found is not None, problems
    return found


def changed(data: bytes, line: Line | None) -> bytes:
    assert line is not None
    return edit(data, line.edits, SETTINGS)


def test_a_block_by_hand_counts_the_same(running: Fleet) -> None:
    running.commit({SETTINGS: f"{SETTINGS_TEXT}{BLOCK}"}, "STOP")
    running.ok("validate")
    assert running.status("helios")["frozen"] is True
    running.no("pace", "helios", "--over", "1h")
    running.at("2026-11-16T17:00:00Z").ok("unfreeze", "helios")
    assert running.schedule("helios")[-1] == ("2026-11-17T11:00:00Z", "100")
    running.ok("unfreeze")
    assert committed(running) == SETTINGS_TEXT


@pytest.mark.slow
def test_a_line_that_is_taken_away_by_hand_lets_it_catch_up(running: Fleet) -> None:
    running.ok(*FREEZE)
    running.at("2026-11-17T09:00:00Z").commit({SETTINGS: SETTINGS_TEXT})
    assert running.status("helios")["rollout"]["percent"] == 100


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ("freeze:\n", "7:"),
        ("freeze: true\n", "7:"),
        ("freeze: {reason: x}\n", "7:"),
        ("freeze: {since: 2026-11-16T15:00:00Z}\n", "7:"),
        ('freeze: {since: 2026-11-16T15:00:00Z, reason: ""}\n', "7:47"),
        ("freeze: {since: today, reason: x}\n", "7:17"),
        ("freeze: {since: 2026-11-16, reason: x}\n", "7:17"),
        ("freeze: {since: 2026-13-16T15:00:00Z, reason: x}\n", "7:17"),
        ("freeze: {since: 2026-11-16T15:00:00Z, reason: x, until: y}\n", "7:"),
        ("freeze: {since: 2026-11-16T15:00:00Z, reason: x, except: docker}\n", "7:"),
        ("freeze: {since: 2026-11-16T15:00:00Z, reason: x, except: [Docker]}\n", "7:59"),
    ],
)
def test_a_line_that_makes_no_sense_is_an_error_with_its_place(line: str, where: str) -> None:
    text = SETTINGS_TEXT.replace("guard:\n  prometheus: http://127.0.0.1:9\n", "# no guard\n") + line
    found, problems = load_settings(text.encode())
    assert found is None
    assert any(f"{p.line}:{p.column}".startswith(where) for p in problems), problems
    assert all(p.where.startswith("freeze") for p in problems), problems


def test_settings_that_cannot_be_read_tell_nobody_anything(running: Fleet) -> None:
    running.commit({SETTINGS: SETTINGS_TEXT + "freeze: yes\n"})
    assert "freeze" in running.no("publish", "--no-guard")
    assert running.run("validate").code == 1
    assert running.run("halt", "helios").code == 0


# The text of the settings

LAYOUTS: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "no final newline": lambda text: text.rstrip("\n"),
    "comments": lambda text: (
        "# top\n\n" + text.replace("fleet: backend", "fleet: backend   # 'ours' # \"x\"") + "\n# end\n"
    ),
    "windows": lambda text: text.replace("\n", "\r\n"),
    "windows, no final newline": lambda text: text.replace("\n", "\r\n").rstrip(),
    "a document's marks": lambda text: f"---\n{text}...\n",
    "a mark and a comment": lambda text: f"--- # settings\n{text}",
    "flow": lambda text: json.dumps(yaml.safe_load(text)) + "\n",
    "flow over lines": lambda text: json.dumps(yaml.safe_load(text), indent=2) + "\n",
    "blank lines at the end": lambda text: f"{text}\n\n\n",
    "a comment after a block": lambda text: f"{text}  # about the guard\n# about all\n",
    "unicode": lambda text: f"# Größe 🌊\n{text}",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_all_but_the_line_stays_byte_for_byte(layout: str) -> None:
    text = LAYOUTS[layout](SETTINGS_TEXT).encode()
    stopped = changed(text, freeze(None, instant(NOON), "holidays", []))
    stop = settings(stopped).freeze
    assert stop is not None
    assert (stop.reason, stop.since) == ("holidays", instant(NOON))
    if "flow" not in layout:
        left = [line for line in stopped.splitlines(keepends=True) if b"freeze:" not in line]
        assert b"".join(left).rstrip(b"\r\n") == text.rstrip(b"\r\n")
    if "windows" in layout:
        assert stopped.count(b"\n") == stopped.count(b"\r\n")
    assert changed(stopped, unfreeze(stop, [])).rstrip(b"\r\n") == text.rstrip(b"\r\n")


@pytest.mark.slow
def test_windows_settings_through_the_command(running: Fleet) -> None:
    text = SETTINGS_TEXT.replace("\n", "\r\n").encode()
    running.commit({SETTINGS: text})
    running.ok(*FREEZE)
    running.ok("unfreeze")
    assert Path(running.root / SETTINGS).read_bytes() == text
    assert running.git("status", "--porcelain") == ""


OTHERS = (
    "Größe 🌊 \u2028 \xa0 x",
    "a: b # c",
    "'",
    "- x",
    "{x}",
    "no",
    "1",
    "2026-11-16",
    "\ufeffx",
    "&a *b !c",
    "x\\",
)


@pytest.mark.parametrize(
    "reason",
    [
        f"{REASONS['quotes']} {ESCAPES}{REASONS['trailers after carriage returns']} ::error::x",
        *(pytest.param(reason, marks=pytest.mark.slow) for reason in (*REASONS.values(), *OTHERS)),
    ],
)
def test_a_reason_survives_the_file_and_forges_nothing(fleet: Fleet, reason: str) -> None:
    fleet.ok("freeze", "--reason", reason)
    text = committed(fleet)
    assert text.count("\n") == SETTINGS_TEXT.count("\n") + 1
    found = fleet.json("status")["freeze"]["reason"]
    assert found == yaml.safe_load(text)["freeze"]["reason"]
    assert_plain(found)
    assert_plain(text)
    words = re.findall(r"\w+", re.sub("[\x00-\x1f\x7f-\x9f\u2028\u202a-\u202e\u2066-\u2069]", " ", reason))
    assert re.findall(r"\w+", found) == words or ESCAPES in reason
    assert fleet.message().rstrip("\n").endswith("\n\nTsunami-Action: freeze\nTsunami-Variable: *")
    (entry,) = [one for one in fleet.json("log") if one["commit"] == fleet.head()]
    assert (entry["action"], entry["variable"], entry["rollout"]) == ("freeze", "*", None)
    for out in (fleet.ok("status"), fleet.ok("log")):
        assert_plain(out)
    fleet.ok("unfreeze")
    assert committed(fleet) == SETTINGS_TEXT


@pytest.mark.parametrize(
    "reason",
    [
        "::error::owned",
        pytest.param("x\n::add-mask::e", marks=pytest.mark.slow),
        pytest.param(f"{'x ' * 45}::stop-commands::x", marks=pytest.mark.slow),
    ],
)
@pytest.mark.slow
def test_a_reason_commands_no_workflow(fleet: Fleet, reason: str) -> None:
    fleet.patch.setenv("COLUMNS", "80")
    fleet.commit({".gitignore": "public\n"})
    outs = [fleet.ok("freeze", "--reason", reason), fleet.ok("freeze", "--reason", "x")]
    outs += [fleet.ok("status"), fleet.ok("log")]
    for words in (("publish", "--no-guard"), START, ("explain", "lon2-search-a1", "helios"), ("plan",)):
        said = fleet.run(*words)
        outs += [said.out, said.err]
    for out in outs:
        assert not re.search(r"^\s*::", out, re.MULTILINE), out


@pytest.mark.parametrize("reason", ["x" * 1000, "ö " * 1500], ids=["1000", "3000"])
def test_a_long_reason_stops_the_line_all_the_same(fleet: Fleet, reason: str) -> None:
    """In an emergency nobody counts letters."""
    fleet.run("freeze", "--reason", reason)
    assert frozen(fleet)
    fleet.ok("validate")


# Whatever state the clone is in


def test_a_line_is_written_into_settings_that_are_being_edited_too(running: Fleet) -> None:
    edited = SETTINGS_TEXT.replace("every: 5m", "every: 7m   # trying")
    running.write({SETTINGS: edited})
    said = running.run(*FREEZE)
    assert said.code == 0, said
    assert committed(running) == SETTINGS_TEXT + LINE
    assert running.read(SETTINGS) == edited + LINE


def test_it_is_frozen_where_the_edited_settings_make_no_sense(running: Fleet) -> None:
    text = "<<<<<<< HEAD\n" + SETTINGS_TEXT
    running.write({SETTINGS: text})
    said = running.run(*FREEZE)
    assert (said.code, frozen(running)) == (0, True), said
    assert SETTINGS in said.err
    assert running.read(SETTINGS) == text


def test_unfreeze_does_not_touch_settings_that_are_being_edited(running: Fleet) -> None:
    running.ok(*FREEZE)
    running.write({SETTINGS: running.read(SETTINGS) + "# mine\n"})
    before = running.snapshot()
    assert SETTINGS in running.no("unfreeze")
    assert running.snapshot() == before


BROKEN = {
    "inventory": {"inventory.csv": "host,role\na,web\na,web\n"},
    "inventory and a variable": {"inventory.csv": "<<<<<<< HEAD\n", HELIOS: "x"},
}


@pytest.mark.parametrize("files", BROKEN.values(), ids=BROKEN)
def test_broken_files_keep_no_line_from_being_stopped(running: Fleet, files: dict[str, str]) -> None:
    running.commit(files)
    said = running.run(*FREEZE, "--json")
    assert said.code == 0, said
    assert frozen(running)
    assert said.data["commit"] == running.head()


@pytest.mark.slow
def test_exceptions_with_broken_files_are_taken(running: Fleet) -> None:
    running.commit({HELIOS: "x"})
    said = running.run(*FREEZE, "--except", "helios")
    assert (said.code, frozen(running)) == (0, True), said


def test_a_damaged_ledger_keeps_no_line_from_being_stopped(running: Fleet) -> None:
    publish(running, "2026-11-16T15:00:00Z")
    bad = running.git("commit-tree", "main^{tree}", "-m", "no ledger", "-p", "tsunami-ledger")
    running.git("update-ref", "refs/heads/tsunami-ledger", bad)
    said = running.run(*FREEZE)
    assert (said.code, frozen(running)) == (0, True), said


def test_broken_variables_are_named_by_unfreeze_and_the_others_go_on(running: Fleet) -> None:
    running.ok("start", "somaxconn", "--to", "256", "--over", "24h")
    running.ok(*FREEZE)
    running.at("2026-11-16T17:00:00Z").commit({HELIOS: "x"})
    said = running.run("unfreeze")
    assert HELIOS in said.err
    assert not frozen(running)
    assert running.schedule("somaxconn")[-1] == ("2026-11-17T17:00:00Z", "100")


def test_on_a_detached_head_and_on_other_branches_the_branch_is_frozen(running: Fleet) -> None:
    running.git("checkout", "-q", "--detach")
    files = running.snapshot()[1]
    running.ok(*FREEZE)
    assert frozen(running)
    assert running.snapshot()[1] == files
    running.git("checkout", "-q", "-b", "feature")
    running.commit({"notes.txt": "x\n"})
    running.ok("unfreeze")
    assert not frozen(running)


@pytest.mark.slow
def test_from_a_folder_below(running: Fleet) -> None:
    running.patch.chdir(running.root / "rollouts")
    running.ok(*FREEZE)
    assert frozen(running)


# The remote


def test_with_a_dead_remote_it_is_local_and_loud_and_is_pushed_later(running: Fleet, remote: Path) -> None:
    remote.rename(remote.with_name("gone.git"))
    before = running.head()
    said = running.run(*FREEZE)
    assert (said.code, frozen(running)) == (4, True), said
    assert running.git("rev-parse", "main^") == before
    assert "LOCAL ONLY" in said.err
    assert "NOT PUSHED" in said.out
    assert running.run(*FREEZE).code == 4, "a second one does not say that all is well"
    remote.with_name("gone.git").rename(remote)
    assert running.run(*FREEZE).code == 0
    assert git(remote, "rev-parse", "main") == running.head()


@pytest.mark.slow
def test_with_a_dead_remote_an_unfreeze_changes_nothing(running: Fleet, remote: Path) -> None:
    running.ok(*FREEZE)
    remote.rename(remote.with_name("gone.git"))
    before = running.snapshot()
    assert "origin" in running.no("unfreeze", code=4)
    assert running.snapshot() == before


@pytest.mark.slow
def test_diverged_branches_stop_no_freeze(running: Fleet, remote: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", str(remote), "colleague")
    running.ok("-C", str(tmp_path / "colleague"), "new", "theirs", "--default", "1")
    running.commit({"notes.txt": "ours\n"})
    said = running.run(*FREEZE)
    assert said.code == 0, said
    assert "freeze:" in git(remote, "show", f"main:{SETTINGS}")


def test_two_clones_freeze_the_line_once(running: Fleet, remote: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", str(remote), "colleague")
    theirs = ("-C", str(tmp_path / "colleague"))
    before = git(remote, "rev-parse", "main")
    assert running.run(*theirs, *FREEZE).code == 0
    said = running.run("freeze", "--reason", "mine", "--json")
    assert (said.code, said.data["already"]) == (0, True), said
    assert git(remote, "rev-list", "--count", f"{before}..main") == "1"
    assert "holidays" in git(remote, "show", f"main:{SETTINGS}")


@pytest.mark.slow
def test_two_freezes_at_once_from_two_clones_are_one(running: Fleet, remote: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", str(remote), "colleague")
    before = git(remote, "rev-parse", "main")
    theirs = ("freeze", "-C", str(tmp_path / "colleague"), "--reason", "theirs")
    said = together(running, FREEZE, theirs, FREEZE, ("freeze", *theirs[1:]))
    assert [one.code for one in said] == [0] * 4, said
    assert git(remote, "rev-list", "--count", f"{before}..main") == "1"
    assert git(remote, "show", f"main:{SETTINGS}").count("freeze:") == 1


@pytest.mark.slow
def test_a_freeze_and_a_start_at_once_end_frozen(fleet: Fleet) -> None:
    said = together(fleet, FREEZE, START)
    assert said[0].code == 0, said
    assert said[1].code in (0, 1), said
    assert frozen(fleet)
    assert fleet.git("status", "--porcelain") == ""


@pytest.mark.slow
def test_an_unfreeze_and_a_start_at_once_end_as_one_after_the_other(running: Fleet) -> None:
    running.ok(*FREEZE)
    running.at("2026-11-16T17:00:00Z")
    said = together(running, ("unfreeze",), ("start", "somaxconn", "--to", "256", "--over", "1h"), ("halt", "helios"))
    assert said[2].code == 0, said
    assert said[1].code in (0, 1), said
    assert said[0].code in (0, 1), said
    assert frozen(running) == (said[0].code == 1)
    assert "    halted: " in running.git("show", f"main:{HELIOS}")
    assert running.git("status", "--porcelain") == ""


@pytest.mark.slow
def test_two_unfreezes_at_once_are_one(running: Fleet) -> None:
    running.ok(*FREEZE)
    before = running.head()
    running.at("2026-11-16T17:00:00Z")
    said = together(running, *[("unfreeze",)] * 3)
    assert [one.code for one in said] == [0] * 3, said
    assert running.git("rev-list", "--count", f"{before}..main") == "1"


@pytest.mark.slow
def test_a_shallow_clone_freezes_and_unfreezes(running: Fleet, remote: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{remote}", "shallow")
    there = ("-C", str(tmp_path / "shallow"))
    assert running.run("freeze", *there, "--reason", "x").code == 0
    running.at("2026-11-16T17:00:00Z")
    said = running.run("unfreeze", *there)
    assert said.code == 0, said
    assert git(remote, "rev-list", "--count", "main") == "5"


# What is published


def test_nobody_moves_until_it_goes_on_and_then_nobody_jumps(running: Fleet) -> None:
    had = publish(running, "2026-11-16T15:00:00Z")
    assert 2 < list(had.values()).count("0.9.12") < 30
    running.ok(*FREEZE)
    said = running.at("2026-11-18T15:00:00Z").run("publish", "--no-guard", "--json")
    assert (said.code, told(running)) == (0, had), said
    assert [(one["variable"], one["why"]) for one in said.data["held"]] == [("helios", "frozen: holidays")]
    running.ok("unfreeze")
    assert publish(running, "2026-11-18T15:00:00Z") == had
    later = publish(running, "2026-11-18T15:05:00Z")
    assert sum(later[host] != had[host] for host in had) <= 1
    found = running.status("helios")
    assert (found["state"], found["frozen"], found["rollout"]["ends_at"]) == ("running", False, "2026-11-19T09:00:00Z")


@pytest.mark.slow
def test_a_publish_of_a_fleet_that_was_never_published_tells_what_stood(running: Fleet) -> None:
    planned = {host: running.ok("get", host, "helios").strip() for host in ("lon2-search-a1", "sto1-proxy-a2")}
    running.ok(*FREEZE)
    had = publish(running, "2026-11-17T15:00:00Z")
    assert {host: had[host] for host in planned} == planned
    assert 2 < list(had.values()).count("0.9.12") < 20
    running.ok("unfreeze")
    assert publish(running, "2026-11-17T15:00:00Z") == had


@pytest.mark.slow
def test_machines_that_join_are_told_within_what_was_reached(running: Fleet) -> None:
    had = publish(running, "2026-11-16T15:00:00Z")
    running.ok(*FREEZE)
    rows = "".join(f"x-{i},search,lon2,r1\n" for i in range(5))
    running.commit({"inventory.csv": running.read("inventory.csv") + rows})
    now = publish(running, "2026-11-17T15:00:00Z")
    assert {host: now[host] for host in had} == had
    assert sum(now[f"x-{i}"] == "0.9.12" for i in range(5)) <= 2


def test_who_moves_afterwards_goes_back_to_the_unfreeze(running: Fleet) -> None:
    publish(running, "2026-11-16T15:00:00Z")
    running.ok(*FREEZE)
    running.at("2026-11-16T17:00:00Z").ok("unfreeze", "--reason", "back")
    commit = running.head()
    for hour in (18, 19, 20):
        publish(running, f"2026-11-16T{hour}:00:00Z")
    rows = [row for row in running.json("audit") if row["at"] > "2026-11-16T17" and row["variable"] == "helios"]
    assert rows
    assert {(row["action"], row["commit"], row["reason"]) for row in rows} == {("unfreeze", commit, "back")}
    host = rows[0]["host"]
    found = running.json("explain", host, "helios")
    assert (found["action"], found["commit"]) == ("unfreeze", commit)


@pytest.mark.slow
def test_an_unfreeze_that_left_a_rollout_alone_is_not_behind_it(fleet: Fleet) -> None:
    fleet.commit({".gitignore": "public\n"})
    fleet.ok("start", "helios", "--to", "0.9.12", "--over", "1h", "--at", "2026-11-16T18:00:00Z")
    started = fleet.head()
    publish(fleet, "2026-11-16T15:00:00Z")
    fleet.ok(*FREEZE)
    before = fleet.head()
    fleet.ok("unfreeze")
    assert fleet.changed(before) == [SETTINGS]
    publish(fleet, "2026-11-16T18:30:00Z")
    rows = [row for row in fleet.json("audit") if row["at"] > "2026-11-16T17" and row["variable"] == "helios"]
    assert {(row["action"], row["commit"]) for row in rows} == {("start", started)}


def test_the_guard_is_not_asked_about_what_stands_still(fleet: Fleet) -> None:
    fleet.commit({".gitignore": "public\n"})
    fleet.ok("start", "docker", "--to", "1.12.3", "--over", "14d")
    for now in (NOON, "2026-11-17T12:00:00Z"):
        publish(fleet, now)
    assert fleet.run("publish").code == 4, "there is nobody to ask"
    fleet.ok(*FREEZE)
    said = fleet.at("2026-11-17T12:10:00Z").run("publish", "--json")
    assert said.code == 0, said
    assert [one["why"] for one in said.data["held"]] == ["frozen: holidays"]
    said = fleet.run("guard", "--json")
    assert (said.code, [one["status"] for one in said.data["results"]]) == (0, ["not-judged"])
    fleet.ok("guard")


def test_screens_say_that_it_is_frozen(running: Fleet) -> None:
    publish(running, "2026-11-16T15:00:00Z")
    running.ok(*FREEZE, "--except", "docker")
    data = running.json("status")
    assert data["freeze"] == {"since": "2026-11-16T15:00:00Z", "reason": "holidays", "except": ["docker"]}
    assert {one["name"]: one["frozen"] for one in data["variables"]} == {
        "docker": False,
        "helios": True,
        "somaxconn": False,
    }
    screen = running.ok("status")
    for part in ("frozen since", "holidays", "but docker", "tsunami unfreeze"):
        assert part in screen
    moved = told(running)
    waits = min(host for host, value in moved.items() if value == "0.9.10")
    assert "not before the freeze is lifted (holidays): tsunami unfreeze" in running.ok("explain", waits, "helios")
    assert running.json("explain", waits, "helios")["not_before"] is None
    assert running.json("plan", "helios")["variables"][0]["moves"] == []
    running.ok("plan")
    assert running.json("status", "--at", "2026-12-24T00:00:00Z")["variables"][1]["rollout"]["percent"] == 25
    assert running.ok("get", waits, "helios", "--at", "2026-12-24T00:00:00Z").strip() == "0.9.10"
    running.at("2026-11-16T15:01:00Z")
    assert running.json("status", "--at", "2026-11-16T15:00:00Z")["freeze"] is None


def test_log_has_both_also_for_one_variable(running: Fleet) -> None:
    running.ok(*FREEZE)
    running.at("2026-11-16T17:00:00Z").ok("unfreeze")
    for words in (("helios",), ("somaxconn",)):
        found = [entry["action"] for entry in running.json("log", *words)]
        assert "freeze" in found, words
        assert "unfreeze" in found, words
        out = running.ok("log", *words)
        assert "freeze" in out
    assert [one["variable"] for one in running.json("log", "--action", "freeze")] == ["*"]
    running.ok("log", "--csv")


def test_metrics_have_a_frozen_fleet(running: Fleet, tmp_path: Path) -> None:
    running.ok(*FREEZE)
    said = running.run("publish", "--no-guard", "--metrics", str(tmp_path / "x.prom"))
    assert said.code == 0, said
    assert 'state="running"} 1' in (tmp_path / "x.prom").read_text()


@pytest.mark.parametrize("words", [FREEZE, ("status",), ("log",), ("plan",), ("log", "helios"), ("validate",)])
def test_json_is_one_document(stopped: Fleet, words: tuple[str, ...]) -> None:
    json.dumps(stopped.json(*words))


def test_json_of_both(running: Fleet) -> None:
    data = running.json("freeze", "--reason", "::error::\x1b[1m x")
    assert (data["already"], data["commit"]) == (False, running.head())
    data = running.json("unfreeze", "helios")
    assert data["commit"] == running.head()


@pytest.mark.slow
def test_nothing_breaks_before_anything_is_there(fleet: Fleet) -> None:
    """No variables, no rollouts, no ledger."""
    for name in (DOCKER, HELIOS, SOMAXCONN):
        fleet.git("rm", "-q", name)
    fleet.commit({})
    fleet.ok(*FREEZE)
    fleet.ok("status")
    fleet.ok("unfreeze")
    assert committed(fleet) == SETTINGS_TEXT


def test_an_exception_that_is_no_variable_is_warned_of(fleet: Fleet) -> None:
    line = 'freeze: {since: 2026-11-16T09:00:00Z, reason: "x", except: [helius, docker]}\n'
    (fleet.root / "tsunami.yaml").write_text(fleet.read("tsunami.yaml") + line)
    found = [one for one in fleet.json("validate")["problems"] if one["where"] == "freeze.except"]
    assert [one["message"] for one in found] == ["helius: there is no such variable: do you mean helios?"]


def test_said_again_without_an_exception_it_stops_that_too(fleet: Fleet) -> None:
    fleet.ok(*START)
    fleet.ok("start", "somaxconn", "--to", "256", "--over", "24h")
    fleet.at("2026-11-16T12:00:00Z").ok("freeze", "--reason", "release", "--except", "somaxconn")
    went_on = fleet.at("2026-11-16T15:00:00Z").json("status")["variables"]
    assert [one["frozen"] for one in went_on if one["rollout"]] == [True, False]
    said = fleet.ok("freeze", "--reason", "all must stop")
    assert "froze somaxconn" in said
    stopped = fleet.json("status")
    assert stopped["freeze"] == {"since": "2026-11-16T15:00:00Z", "reason": "all must stop", "except": []}
    for later in ("2026-11-16T15:00:00Z", "2026-11-18T15:00:00Z"):
        found = fleet.at(later).json("status")["variables"]
        # Each stands where it stood: the one at noon, the other when it was caught.
        assert [one["rollout"]["percent"] for one in found if one["rollout"]] == [
            one["rollout"]["percent"] for one in went_on if one["rollout"]
        ], later
        assert all(one["frozen"] for one in found if one["rollout"])
    assert [one["action"] for one in fleet.json("log")][-2:] == ["freeze", "freeze"]
    assert "nothing was changed" in fleet.ok("freeze", "--reason", "again")


def test_what_is_done_by_hand_is_in_the_log_and_what_is_only_said_is_not(fleet: Fleet) -> None:
    fleet.ok("freeze", "--reason", "storm")
    forged = "tidy\n\nTsunami-Action: unfreeze\nTsunami-Variable: *\n"
    fleet.commit({SETTINGS: fleet.read(SETTINGS) + "# a comment\n"}, forged)
    assert [(one["variable"], one["action"]) for one in fleet.json("log")][-1] == ("*", "freeze")
    fleet.commit({SETTINGS: re.sub("freeze: .*\n", "", fleet.read(SETTINGS))}, "tidy settings")
    found = fleet.json("log")[-1]
    assert (found["variable"], found["action"], found["reason"]) == ("*", "edit", "tidy settings")


def test_a_variable_that_yaml_takes_for_no_text_can_be_excepted(fleet: Fleet) -> None:
    text = fleet.read(SOMAXCONN).replace("name: somaxconn", 'name: "true"')
    fleet.commit({"rollouts/true.yaml": text})
    fleet.ok("freeze", "--reason", "x", "--except", "true", "--except", "helios")
    assert 'except: [helios, "true"]' in fleet.read(SETTINGS)
    fleet.ok("validate")


def test_whoever_is_on_another_branch_is_told_so(fleet: Fleet) -> None:
    fleet.git("switch", "-q", "-c", "feature")
    assert "(feature is checked out here: git switch main shows it)" in fleet.ok(*FREEZE)
    fleet.git("switch", "-q", "--detach")
    assert "(another commit is checked out here: git switch main shows it)" in fleet.ok("unfreeze")
