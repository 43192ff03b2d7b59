"""Bad input: exit code, one line that names the thing and the way out, and nothing changed."""

import gc
import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.commands.fleet_world import (
    DOCKER,
    HELIOS,
    HELIOS_TEXT,
    NOW,
    Fleet,
    assert_plain,
    assert_refused,
    git,
    inventory_text,
)

START = ("start", "helios", "--to", "0.9.12", "--over", "1d")
ROLLOUT = """rollouts:
  - id: helios-1
    selection: 1
    from: ["0.9.10"]
    to: "0.9.12"
    over: 1d
    schedule:
      - {at: 2026-11-17T09:00:00Z, percent: 0}
      - {at: 2026-11-18T09:00:00Z, percent: 100}
"""
RUNNING = HELIOS_TEXT + ROLLOUT
CALENDAR = HELIOS_TEXT + "calendar: {timezone: Europe/Stockholm, days: [mon], hours: 09:00-17:00}\n"


# At the prompt

PROMPT: list[tuple[tuple[str, ...], int, str]] = [
    # values
    (("start", "helios", "--to", "0.9", "--over", "1d"), 1, '"0.9" does not match'),
    (("start", "somaxconn", "--to", "70000", "--over", "1d"), 1, "65535"),
    (("start", "somaxconn", "--to", "many", "--over", "1d"), 1, "many is not of type integer"),
    (("start", "somaxconn", "--to", "4096.0", "--over", "1d"), 1, "4096.0 is not of type integer"),
    (("start", "somaxconn", "--to", "1" * 100, "--over", "1d"), 1, "65535"),
    (("start", "somaxconn", "--to", "1" * 5000, "--over", "1d"), 1, "somaxconn"),
    (("start", "helios", "--to", "1" * 200_000, "--over", "1d"), 1, "200000 characters"),
    (("pin", "helios", "--to", "0.9", "--role", "proxy", "--reason", "r"), 1, '"0.9" does not match'),
    (("new", "other", "--default", "x", "--type", "integer"), 1, "x is not of type integer"),
    (("new", "other", "--default", "1e999", "--type", "number"), 1, "finite"),
    (("new", "other", "--default", "nan", "--type", "number"), 1, "nan is not of type number"),
    (("new", "other", "--default", "yes", "--type", "boolean"), 1, "yes is not of type boolean"),
    (("new", "other", "--default", "x", "--type", "text"), 2, "'text'"),
    (("new", "other", "--default", "x", "--pattern", "("), 1, "regular expression"),
    (("new", "other", "--default", "x", "--pattern", "^y"), 1, "does not match"),
    # what hosts have
    ((*START, "--from", "0.9.9"), 1, "no host has 0.9.9; 43 hosts have 0.9.10. Say --from 0.9.10"),
    ((*START, "--from", "0.9.10", "--from", "0.9.9"), 1, "no host has 0.9.9"),
    (("start", "helios", "--to", "0.9.10", "--over", "1d"), 1, "43 hosts have 0.9.10 already"),
    # names
    (("start", "helois", "--to", "0.9.12", "--over", "1d"), 1, "do you mean helios?"),
    (("status", "dokcer"), 1, "do you mean docker?"),
    (("plan", "dokcer"), 1, "do you mean docker?"),
    (("log", "dokcer"), 1, "do you mean docker?"),
    (("halt", "dokcer"), 1, "do you mean docker?"),
    (("resume", "dokcer"), 1, "do you mean docker?"),
    (("get", "lon2-search-a1", "dokcer"), 1, "do you mean docker?"),
    (("explain", "lon2-search-a1", "dokcer"), 1, "do you mean docker?"),
    (("get", "lon2-serch-a1"), 1, "do you mean lon2-search-a1"),
    (("get", "LON2-SEARCH-A1"), 1, "inventory.csv has no such host"),
    (("explain", "lon2-serch-a1", "docker"), 1, "do you mean lon2-search-a1"),
    (("render", "--out", "out", "--role", "serch"), 1, "do you mean search?"),
    (("pin", "docker", "--to", "1.12.1", "--host", "lon2-serch-a1", "--reason", "r"), 1, "do you mean lon2-search-a1"),
    (("pin", "docker", "--to", "1.12.1", "--role", "serch", "--reason", "r"), 1, "do you mean search"),
    (("get", "lon2-db-a1", "helios"), 1, "does not apply to lon2-db-a1"),
    (("explain", "lon2-db-a1", "helios"), 1, "does not apply to lon2-db-a1"),
    (("new", "docker", "--default", "1"), 1, "rollouts/docker.yaml: is there already"),
    (("new", "Docker", "--default", "1"), 1, "lower-case"),
    (("new", "../x", "--default", "1"), 1, "lower-case"),
    (("new", "x" * 64, "--default", "1"), 1, "63 at most"),
    (("new", "", "--default", "1"), 1, "lower-case"),
    # instants
    ((*START, "--at", "2026-11-16T08:58:59Z"), 1, "in the past"),
    ((*START, "--at", "2016-11-16T09:00:00Z"), 1, "in the past"),
    ((*START, "--at", "2028-11-16T09:00:00Z"), 1, "is the year right?"),
    ((*START, "--at", "tomorrow"), 2, "write it in UTC"),
    ((*START, "--at", "2026-11-31T09:00:00Z"), 2, "no such day"),
    ((*START, "--at", "2026-11-17T09:00:00+01:00"), 2, "write it in UTC"),
    ((*START, "--at", "2026-11-17T09:00:00"), 2, "write it in UTC"),
    ((*START, "--at", "2026-11-17T09:00:00.5Z"), 2, "to the second"),
    ((*START, "--at", "２026-11-17T09:00:00Z"), 2, "write it in UTC"),
    (("status", "--at", "now"), 2, "write it in UTC"),
    (("get", "lon2-search-a1", "--at", "2026-13-01T00:00:00Z"), 2, "no such day"),
    # durations
    *[
        (("start", "helios", "--to", "0.9.12", "--over", text), 2, f"{text} is not a duration")
        for text in ("14", "1.5h", "14days", "1h1d", "1d1d", "-1d", "1 d", "1D", "d", "１d")
    ],
    (("start", "helios", "--to", "0.9.12", "--over", ""), 2, "is not a duration"),
    (("start", "helios", "--to", "0.9.12", "--over", "9" * 30 + "d"), 2, "longer than any rollout"),
    (("start", "helios", "--to", "0.9.12", "--over", "0s"), 1, "1s to 366d"),
    (("start", "helios", "--to", "0.9.12", "--over", "366d1s"), 1, "1s to 366d"),
    (("pace", "helios", "--over", "14"), 2, "14 is not a duration"),
    (("rollback", "helios", "--over", "2"), 2, "2 is not a duration"),
    (("resume", "helios", "--over", "2"), 2, "2 is not a duration"),
    # points to go through
    ((*START, "--via", "101%@1h"), 2, "101%"),
    ((*START, "--via", "-1%@1h"), 2, "-1%"),
    ((*START, "--via", "nan%@1h"), 2, "nan%"),
    ((*START, "--via", "10@1h"), 2, "10"),
    ((*START, "--via", "10%"), 2, "10%@2d"),
    ((*START, "--via", "10%@"), 2, "10%"),
    ((*START, "--via", "10%@25h"), 1, "--via"),
    ((*START, "--via", "50%@1h", "--via", "10%@2h"), 1, "--via"),
    # a calendar that is closed all the time
    (("start", "docker", "--to", "1.12.3", "--over", "1h", "--at", "2026-11-21T09:00:00Z"), 1, "never open"),
    # usage
    (("strat",), 2, "strat"),
    (("start",), 2, "VAR"),
    (("start", "helios", "--to", "0.9.12"), 2, "--over"),
    (("start", "helios", "--over", "1d"), 2, "--to"),
    (("start", "helios", "--bogus"), 2, "--bogus"),
    (("get",), 2, "HOST"),
    (("get", "a", "b", "c"), 2, "c"),
    (("--bogus",), 2, "--bogus"),
    (("pin", "docker", "--to", "1.12.1", "--reason", "r"), 2, "--host"),
    (("pin", "docker", "--to", "1.12.1", "--role", "db"), 2, "--reason"),
    (("pin", "docker", "--to", "1.12.1", "--role", "db", "--reason", ""), 1, "reason"),
    (("unpin", "docker"), 2, "--host"),
    (("render",), 2, "--out"),
    (("log", "-n", "0"), 2, "0"),
    # places
    (("-C", "nowhere", "status"), 1, "nowhere"),
    (("status", "-C", "nowhere"), 1, "nowhere"),
    (("-C", "tsunami.yaml", "status"), 1, "tsunami.yaml"),
    (("validate", "nope.yaml"), 1, "nope.yaml"),
    (("validate", "/etc/passwd"), 1, "/etc/passwd"),
    (("validate", "../../etc/passwd"), 1, "passwd"),
    (("render", "--out", "tsunami.yaml"), 1, "tsunami.yaml"),
    (("render", "--out", "tsunami.yaml/below"), 1, "tsunami.yaml"),
]


def _name(words: object) -> str | None:
    return " ".join(word[:40] for word in words).replace("::", ":")[:90] if isinstance(words, tuple) else None


@pytest.mark.parametrize(("words", "code", "says"), PROMPT, ids=_name)
def test_what_makes_no_sense_at_the_prompt_is_refused_and_changes_nothing(
    still: Fleet, words: tuple[str, ...], code: int, says: str
) -> None:
    before = still.snapshot()
    error = still.no(*words, code=code)
    assert says in error
    assert still.snapshot() == before


@pytest.mark.parametrize(
    "words",
    [("status", "dokcer"), ("get", "nope"), (*START, "--at", "x"), ("validate", "nope"), ("halt", "x")],
    ids=_name,
)
def test_stdout_stays_empty_on_an_error_with_json_too(fleet: Fleet, words: tuple[str, ...]) -> None:
    said = fleet.run(*words, "--json")
    assert (said.code > 0, said.out) == (True, "")


def test_an_error_about_a_huge_value_is_a_line_that_can_be_read(fleet: Fleet) -> None:
    for name, value in (("somaxconn", "1" * 5000), ("helios", "x" * 200_000)):
        assert len(fleet.no("start", name, "--to", value, "--over", "1d")) < 2000


def test_a_huge_value_is_taken_whole_or_refused_for_what_it_is(fleet: Fleet) -> None:
    before = fleet.snapshot()
    said = fleet.run("new", "big", "--default", "x" * 200_000)
    if said.code == 0:
        assert fleet.json("get", "lon2-db-a1")["big"] == "x" * 200_000
        return
    assert_refused(said, 1)
    assert "big" in said.err
    assert "install git" not in said.err
    assert fleet.snapshot() == before


# In the files

OTHER_BYTES = "é".encode("latin-1")
BOMB = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else 'lol'}]\n" for n in range(12))

VARIABLE: list[tuple[str, str | bytes, int, str]] = [
    ("a value that does not fit", HELIOS_TEXT.replace('"0.9.10"', '"0.9"'), 4, '"0.9" does not match'),
    ("a version without quotes", HELIOS_TEXT.replace('"0.9.10"', "1.10"), 4, 'write "1.10"'),
    ("a commit without quotes", HELIOS_TEXT.replace('"0.9.10"', "72225e2"), 4, 'write "72225e2"'),
    ("a word without quotes", HELIOS_TEXT.replace('"0.9.10"', "no"), 4, 'write "no"'),
    ("a date without quotes", HELIOS_TEXT.replace('"0.9.10"', "2016-11-14"), 4, 'write "2016-11-14"'),
    ("no value", HELIOS_TEXT.replace('"0.9.10"', "null"), 4, "default"),
    ("infinity", HELIOS_TEXT.replace('"0.9.10"', ".inf"), 4, "default"),
    ("a key twice", HELIOS_TEXT + 'default: "0.9.11"\n', 6, "line 4"),
    ("an unknown key", HELIOS_TEXT + "onwer: me\n", 6, "owner"),
    ("the name of another", HELIOS_TEXT.replace("name: helios", "name: docker"), 1, "docker.yaml"),
    ("waypoints out of order", RUNNING.replace("2026-11-18", "2026-11-16"), 14, "is before the waypoint above it"),
    ("percent 101", RUNNING.replace("percent: 100", "percent: 101"), 14, "101"),
    ("percent -1", RUNNING.replace("percent: 0}", "percent: -1}"), 13, "-1"),
    ("percent .nan", RUNNING.replace("percent: 0}", "percent: .nan}"), 13, "percent"),
    ("percent with its sign", RUNNING.replace("percent: 100", "percent: 100%"), 14, "100%"),
    ("a bare duration", RUNNING.replace("over: 1d", "over: 14"), 11, "14 is not a duration"),
    ("a duration with a fraction", RUNNING.replace("over: 1d", "over: 1.5h"), 11, "1.5h"),
    ("a duration in words", RUNNING.replace("over: 1d", "over: 14days"), 11, "14days"),
    ("a duration backwards", RUNNING.replace("over: 1d", "over: 1h1d"), 11, "1h1d"),
    ("a local instant", RUNNING.replace("2026-11-17T09:00:00Z", "2026-11-17T09:00:00"), 13, "2026-11-17T09:00:00"),
    ("a day that is not", RUNNING.replace("2026-11-18T09", "2026-11-31T09"), 14, "2026-11-31T09:00:00Z"),
    ("halted: yes", RUNNING + "    halted: yes\n", 15, "halted"),
    ("no id", RUNNING.replace("  - id: helios-1\n    selection", "  - selection"), 7, "id"),
    ("a selection of tomorrow", RUNNING.replace("selection: 1", "selection: 2"), 8, "selection"),
    ("an unknown zone", CALENDAR.replace("Stockholm", "Stokholm"), 6, "Europe/Stockholm"),
    ("a zone as offset", CALENDAR.replace("Europe/Stockholm", '"+01:00"'), 6, "timezone"),
    ("hours of no length", CALENDAR.replace("09:00-17:00", "09:00-09:00"), 6, "09:00-09:00"),
    ("hours after midnight", CALENDAR.replace("09:00-17:00", "25:00-26:00"), 6, "25:00-26:00"),
    ("no days", CALENDAR.replace("[mon]", "[]"), 6, "days"),
    ("a day in full", CALENDAR.replace("[mon]", "[monday]"), 6, "mon"),
    ("a column that is not", HELIOS_TEXT + "spread: zone\n", 6, "rack, site"),
    ("a share above all", HELIOS_TEXT + 'limits: {"*": {at_most: 130%}}\n', 6, "130%"),
    ("a broken pattern", HELIOS_TEXT.replace(r"^\d", "^("), 3, "regular expression"),
    ("a remote reference", HELIOS_TEXT.replace("{type: string,", '{$ref: "http://example.com/s.json",'), 3, "$ref"),
    ("conflict markers", HELIOS_TEXT + "<<<<<<< HEAD\nowner: a\n=======\nowner: b\n>>>>>>> x\n", 6, "<<<<<<<"),
    ("the middle of a conflict", HELIOS_TEXT + "=======\nowner: b\n", 6, "======="),
    ("a byte order mark", "\ufeff" + HELIOS_TEXT, 1, "byte order mark"),
    ("tabs", HELIOS_TEXT + "limits:\n\tsearch: {at_least: 1}\n", 7, "tab"),
    ("Latin-1", HELIOS_TEXT.encode() + b"owner: Andr" + OTHER_BYTES + b"\n", 6, "UTF-8"),
    ("UTF-16", HELIOS_TEXT.encode("utf-16"), 1, "UTF-8"),
    ("a NUL", HELIOS_TEXT + "owner: a\0b\n", 6, "U+0000"),
    ("100 levels", HELIOS_TEXT + f"owner: {'[' * 100}{']' * 100}\n", 6, "deeper"),
    ("100,000 levels", HELIOS_TEXT + f"owner: {'[' * 100_000}\n", 6, "deeper"),
    ("an alias bomb", HELIOS_TEXT + BOMB, 6, "anchor"),
    ("a merge key", HELIOS_TEXT + "limits:\n  search: {<<: {at_least: 1}}\n", 7, "<<"),
    ("a tag", HELIOS_TEXT.replace('"0.9.10"', '!!python/object/apply:os.system ["true"]'), 4, "tag"),
    ("two documents", HELIOS_TEXT + "---\n" + HELIOS_TEXT, 6, "document"),
    ("a file that is empty", "", 1, "empty"),
    ("a file of text", "helios", 1, "mapping"),
    ("not closed", HELIOS_TEXT + 'owner: "me\n', 7, "begun on line 6"),
    ("over a megabyte", HELIOS_TEXT + "# " + "x" * 1_100_000 + "\n", 1, "bytes"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "says"), [row[1:] for row in VARIABLE], ids=[row[0] for row in VARIABLE])
def test_a_bad_variable_is_found_by_validate_and_refused_by_all_others(
    fleet: Fleet, text: str | bytes, line: int, says: str
) -> None:
    fleet.commit({HELIOS: text})
    before = fleet.snapshot()
    said = fleet.run("validate", "--json")
    assert (said.code, said.err) == (1, "")
    data = said.data
    assert set(data) == {"ok", "problems"}
    assert data["ok"] is False
    assert all(set(one) == {"file", "line", "column", "where", "message", "severity"} for one in data["problems"])
    errors = [one for one in data["problems"] if one["severity"] == "error"]
    assert {one["file"] for one in errors} == {HELIOS}
    found = [f"{one['line']}: {one['where']} {one['message']}" for one in errors]
    assert any(one.startswith(f"{line}: ") and says in one for one in found), found
    screen = fleet.run("validate")
    assert screen.code == 1
    assert f"{HELIOS}:{line}:" in screen.out
    assert_plain(screen.out)

    assert f"{HELIOS}:" in fleet.no(*START)
    assert f"{HELIOS}:" in fleet.no("get", "lon2-search-a1")
    status = fleet.run("status", "--json")
    assert status.code == 1
    assert HELIOS in status.err
    assert [one["name"] for one in status.data["variables"]] == ["docker", "somaxconn"], "the others are shown"
    assert fleet.snapshot() == before


@pytest.mark.parametrize("text", [row[1] for row in VARIABLE[:3]], ids=[row[0] for row in VARIABLE[:3]])
def test_all_problems_of_all_files_are_told_at_once(fleet: Fleet, text: str) -> None:
    fleet.write({HELIOS: text + "onwer: me\n", "rollouts/other.yaml": "name: other\n"})
    errors = fleet.run("validate", "--json").data["problems"]
    assert {HELIOS, "rollouts/other.yaml"} <= {one["file"] for one in errors}
    assert len([one for one in errors if one["file"] == HELIOS]) >= 2
    places = [(one["file"], one["line"], one["column"]) for one in errors]
    assert places == sorted(places)


def test_validate_checks_the_files_it_is_given_only(fleet: Fleet) -> None:
    fleet.write({HELIOS: HELIOS_TEXT + "onwer: me\n"})
    assert fleet.json("validate", DOCKER)["ok"] is True
    assert fleet.run("validate", HELIOS).code == 1
    assert fleet.run("validate", HELIOS, DOCKER).code == 1


def test_line_ends_of_windows_are_fine_and_stay(fleet: Fleet) -> None:
    fleet.commit({HELIOS: HELIOS_TEXT.replace("\n", "\r\n")})
    assert fleet.json("validate")["ok"] is True
    fleet.decide(*START)
    data = (fleet.root / HELIOS).read_bytes()
    assert data.count(b"\n") == data.count(b"\r\n") > len(HELIOS_TEXT.splitlines())


def test_a_new_rollout_by_hand_that_starts_in_the_past_is_a_warning(fleet: Fleet) -> None:
    fleet.write({HELIOS: RUNNING.replace("2026-11-17", "2026-11-10")})
    said = fleet.run("validate", "--json")
    (problem,) = said.data["problems"]
    assert (said.code, said.data["ok"], problem["severity"], problem["line"]) == (0, True, "warning", 13)
    assert "starts in the past" in problem["message"]
    assert "75 %" in problem["message"]
    fleet.commit({})
    assert fleet.json("validate")["problems"] == [], "it is decided now"


@pytest.mark.parametrize(
    ("more", "line", "says"),
    [
        ('first: ["lon3-*"]\n', 6, "lon3-*"),
        ('pins: [{roles: [serch], value: "0.9.10", reason: r}]\n', 6, "serch"),
        ("limits: {serch: {at_least: 1}}\n", 6, "serch"),
        (ROLLOUT + "    halted: 2027-01-01T00:00:00Z\n", 15, "still to come"),
        (ROLLOUT.replace("2026-11-18T09:00", "2026-11-17T09:30"), 13, "between two publishes"),
        (ROLLOUT.replace("percent: 100", "percent: 60"), 13, "60 %"),
    ],
    ids=lambda value: str(value)[:20] if isinstance(value, str) else None,
)
def test_what_is_legal_but_seldom_meant_is_a_warning(fleet: Fleet, more: str, line: int, says: str) -> None:
    fleet.write({HELIOS: HELIOS_TEXT + more})
    said = fleet.run("validate", "--json")
    problems = [(one["severity"], one["line"], says in one["message"]) for one in said.data["problems"]]
    assert (said.code, said.data["ok"]) == (0, True)
    assert ("warning", line, True) in problems, said.data


INVENTORY: list[tuple[str, str | bytes, int, str]] = [
    ("a host twice", inventory_text() + "lon2-search-a1,login,lon2,r\n", 62, "lon2-search-a1"),
    ("capital letters", inventory_text() + "Lon3,db,lon3,r\n", 62, "Lon3"),
    ("an underscore", inventory_text() + "lon_3,db,lon3,r\n", 62, "lon_3"),
    ("a label of 64", inventory_text() + "x" * 64 + ",db,lon3,r\n", 62, "63"),
    ("a name of 254", inventory_text() + ".".join(["x" * 50] * 5) + ",db,lon3,r\n", 62, "253"),
    ("a path", inventory_text() + "../../etc,db,lon3,r\n", 62, "etc"),
    ("a role with dots", inventory_text() + "lon3,a..b,lon3,r\n", 62, "a..b"),
    ("a role that is a path", inventory_text() + "lon3,a/b,lon3,r\n", 62, "a/b"),
    ("no role", inventory_text() + "lon3,,lon3,r\n", 62, "role"),
    ("too few columns", inventory_text() + "lon3\n", 62, ""),
    ("no hosts", "host,role\n", 1, "no hosts"),
    ("nothing", "", 1, "host,role"),
    ("no header", "lon3,db\n", 1, "host,role"),
    ("conflict markers", inventory_text() + "<<<<<<< HEAD\n", 62, ""),
    ("Latin-1", inventory_text().encode() + b"lon3,db," + OTHER_BYTES + b",r\n", 62, "UTF-8"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "says"), [row[1:] for row in INVENTORY], ids=[row[0] for row in INVENTORY])
def test_a_bad_inventory_stops_everything_but_a_halt(fleet: Fleet, text: str | bytes, line: int, says: str) -> None:
    fleet.commit({"inventory.csv": text})
    before = fleet.snapshot()
    said = fleet.run("validate", "--json")
    errors = [one for one in said.data["problems"] if one["severity"] == "error" and one["file"] == "inventory.csv"]
    assert said.code == 1
    assert any(one["line"] == line and says in f"{one['where']} {one['message']}" for one in errors), said.data
    for words in (START, ("get", "lon2-search-a1"), ("status",), ("plan",), ("render", "--out", "out")):
        assert f"inventory.csv:{line}:" in fleet.no(*words)
    assert fleet.snapshot() == before


SETTINGS: list[tuple[str, str, str]] = [
    ("out of the repository", "fleet: x\ninventory: ../inventory.csv\n", "../inventory.csv"),
    ("an absolute path", "fleet: x\ninventory: /etc/passwd\n", "/etc/passwd"),
    ("a home", "fleet: x\ninventory: ~/hosts.csv\n", "~/hosts.csv"),
    ("the inside of git", "fleet: x\ninventory: .git/config\n", ".git/config"),
    ("an inventory that is not there", "fleet: x\ninventory: hosts.csv\n", "hosts.csv"),
    ("an unknown key", "fleet: x\ninventroy: inventory.csv\n", "inventory"),
    ("no fleet", "inventory: inventory.csv\n", "fleet"),
    ("a bare duration", "fleet: x\npublish: {every: 5}\n", "5"),
    ("a branch that is an option", "fleet: x\nbranch: --upload-pack=x\n", "--upload-pack=x"),
    ("conflict markers", "<<<<<<< HEAD\nfleet: x\n", "<<<<<<<"),
    ("nothing", "", "empty"),
]


@pytest.mark.parametrize(("text", "says"), [row[1:] for row in SETTINGS], ids=[row[0] for row in SETTINGS])
def test_bad_settings_stop_everything_that_moves_hosts(fleet: Fleet, text: str, says: str) -> None:
    fleet.commit({"tsunami.yaml": text})
    before = fleet.snapshot()
    said = fleet.run("validate", "--json")
    assert said.code == 1
    assert any(says in f"{one['where']} {one['message']} {one['file']}" for one in said.data["problems"]), said.data
    for words in (START, ("get", "lon2-search-a1"), ("status",), ("render", "--out", "out")):
        assert says in fleet.no(*words)
    assert fleet.snapshot() == before


def test_a_yaml_inventory_is_as_good(fleet: Fleet) -> None:
    fleet.git("rm", "-q", "rollouts/somaxconn.yaml")
    hosts = "search: [lon2-a, lon2-b]\ndb: [lon2-c]\n"
    fleet.commit({"tsunami.yaml": "fleet: x\ninventory: hosts.yaml\n", "hosts.yaml": hosts})
    assert fleet.json("get", "lon2-c") == {"docker": "1.12.1"}
    fleet.commit({"hosts.yaml": "search: [lon2-a, lon2-b]\ndb: [lon2-a]\n"})
    assert "hosts.yaml:2:" in fleet.no("get", "lon2-a")


# Links

LINKS: Mapping[str, Callable[[Path], None]] = {
    "a variable": lambda root: _link(root / HELIOS, Path("/etc/hostname")),
    "the folder": lambda root: _link(root / "rollouts", (root / "rollouts").rename(root.parent / "outside")),
    "into .git": lambda root: _link(root / HELIOS, Path("../.git/config")),
    "round in a circle": lambda root: _link(root / HELIOS, Path("helios.yaml")),
    "to nowhere": lambda root: _link(root / HELIOS, Path("nowhere")),
    "the inventory": lambda root: _link(root / "inventory.csv", Path("/etc/passwd")),
}


def _link(place: Path, target: Path) -> None:
    place.unlink(missing_ok=True)
    place.symlink_to(target)


@pytest.mark.parametrize("name", LINKS)
def test_a_link_that_leaves_the_repository_is_an_error_and_is_not_read(fleet: Fleet, name: str) -> None:
    LINKS[name](fleet.root)
    before = fleet.snapshot()
    said = fleet.run("validate")
    assert said.code == 1
    assert "link" in said.out + said.err
    for words in (("get", "lon2-search-a1"), ("render", "--out", str(fleet.root.parent / "out"))):
        error = fleet.no(*words)
        assert "link" in error
        assert "root:" not in error
    assert fleet.snapshot() == before


def test_a_link_in_git_is_never_followed_by_a_decision(fleet: Fleet) -> None:
    _link(fleet.root / HELIOS, Path("docker.yaml"))
    fleet.commit({})
    before = fleet.snapshot()
    assert "is no plain file" in fleet.no(*START)
    assert fleet.snapshot() == before


def test_bundles_never_go_through_a_link(fleet: Fleet) -> None:
    out, victim = fleet.root.parent / "out", fleet.root.parent / "victim"
    (out / "roles").mkdir(parents=True)
    victim.write_text("precious")
    (out / "roles/search.json").symlink_to(victim)
    fleet.ok("render", "--out", str(out))
    assert victim.read_text() == "precious"
    assert not (out / "roles/search.json").is_symlink()


# Repositories

EVERY = [
    START, ("halt",), ("new", "x", "--default", "1"), ("status",), ("plan",), ("log",), ("validate",),
    ("get", "lon2-search-a1"), ("explain", "lon2-search-a1", "docker"), ("render", "--out", "out"), ("init",),
]  # fmt: skip


@pytest.mark.parametrize("words", EVERY, ids=_name)
def test_outside_of_a_repository_the_way_in_is_told(fleet: Fleet, words: tuple[str, ...]) -> None:
    fleet.patch.chdir(fleet.root.parent)
    error = fleet.no(*words)
    assert "not a git repository" in error
    assert "-C" in error
    assert sorted(place.name for place in fleet.root.parent.iterdir()) == ["fleet"]


@pytest.mark.parametrize("words", EVERY[:-1], ids=_name)
def test_a_repository_without_settings_says_how_to_lay_it_out(fleet: Fleet, words: tuple[str, ...]) -> None:
    fleet.git("rm", "-q", "tsunami.yaml")
    fleet.commit({})
    before = fleet.snapshot()
    said = fleet.run(*words)
    assert said.code == 1
    assert "tsunami init" in said.out + said.err
    assert fleet.snapshot() == before


def test_a_bare_repository_is_told_from_a_clone(fleet: Fleet) -> None:
    git(fleet.root, "clone", "-q", "--bare", ".", "../bare.git")
    assert "bare" in fleet.no("-C", "../bare.git", "status")


@pytest.mark.parametrize("words", [START, (*START, "--dry-run"), ("halt",), ("new", "x", "--default", "1")], ids=_name)
def test_where_nothing_is_committed_a_decision_says_so(fleet: Fleet, words: tuple[str, ...]) -> None:
    fleet.git("update-ref", "-d", "refs/heads/main")
    before = fleet.snapshot()
    error = fleet.no(*words)
    assert "nothing is committed" in error
    assert "main" in error
    assert fleet.snapshot() == before


def test_where_nothing_is_committed_the_files_can_be_looked_at(fleet: Fleet) -> None:
    fleet.git("update-ref", "-d", "refs/heads/main")
    assert fleet.json("validate")["ok"] is True
    assert fleet.json("status")["source"] is None
    assert fleet.json("get", "lon2-db-a1") == {"docker": "1.12.1"}
    assert fleet.json("log") == []


def test_with_a_detached_head_decisions_go_to_the_branch(fleet: Fleet) -> None:
    fleet.git("checkout", "-q", "--detach")
    detached, main = fleet.git("rev-parse", "HEAD"), fleet.head()
    fleet.ok(*START)
    assert fleet.git("rev-parse", "HEAD") == detached
    assert fleet.git("rev-parse", "main^") == main
    assert fleet.changed(main) == [HELIOS]
    assert fleet.git("status", "--porcelain") == ""


def test_a_branch_that_is_not_there_is_named(fleet: Fleet) -> None:
    fleet.commit({"tsunami.yaml": "fleet: x\nbranch: live\n"})
    before = fleet.snapshot()
    assert "live" in fleet.no(*START)
    assert fleet.snapshot() == before


def test_the_folder_may_be_named_before_and_after_the_command(fleet: Fleet) -> None:
    expected = fleet.ok("get", "lon2-search-a1")
    fleet.patch.chdir(fleet.root.parent)
    assert fleet.ok("-C", "fleet", "get", "lon2-search-a1") == expected
    assert fleet.ok("get", "lon2-search-a1", "-C", "fleet") == expected
    assert fleet.ok("get", "-C", "fleet/rollouts", "lon2-search-a1") == expected
    assert fleet.ok("-C", "fleet", "get", "lon2-search-a1", "-C", "rollouts") == expected, "one after the other, as git"


def test_every_subfolder_will_do(fleet: Fleet) -> None:
    fleet.patch.chdir(fleet.root / "rollouts")
    fleet.decide(*START)
    assert fleet.json("validate", "helios.yaml", "../inventory.csv")["ok"] is True
    assert fleet.json("validate", "rollouts/helios.yaml")["ok"] is True
    assert fleet.state("helios") == "running"


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2026-11-16",
        "2026-11-16T09:00:00",
        "2026-11-16T10:00:00+01:00",
        "2026-02-30T00:00:00Z",
        " ",
        "0",
    ],
)
def test_a_clock_that_cannot_be_read_is_usage(fleet: Fleet, text: str) -> None:
    before = fleet.snapshot()
    fleet.at(text)
    looks = (("status",), ("get", "lon2-search-a1"), ("validate",), ("render", "--out", "../out"))
    for words in (START, ("halt",), *looks):
        assert "TSUNAMI_NOW" in fleet.no(*words, code=2)
    fleet.at(NOW)
    assert fleet.snapshot() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_without_permission_to_write_nothing_is_half_done(fleet: Fleet) -> None:
    out = fleet.root.parent / "out"
    out.mkdir(mode=0o500)
    assert str(out) in fleet.no("render", "--out", str(out))


def test_read_only_commands_warn_where_the_checkout_lacks_a_halt(fleet: Fleet) -> None:
    fleet.ok(*START)
    fleet.git("checkout", "-q", "-b", "feature")
    fleet.at("2026-11-16T15:00:00Z")
    fleet.ok("halt", "helios")
    for words in (("status",), ("get", "lon2-search-a1"), ("plan",), ("explain", "lon2-search-a1", "helios")):
        said = fleet.run(*words)
        assert said.code == 0
        assert HELIOS in said.err, words
        assert "main" in said.err
        assert said.err.count("\n") == 1


@pytest.mark.filterwarnings("always::ResourceWarning")
@pytest.mark.parametrize(
    "words",
    [
        ("get", "nope"),
        ("status", "nope"),
        ("get", "lon2-search-a1"),
        ("log",),
        ("validate",),
        ("halt",),
        (*START, "--dry-run"),
    ],
    ids=_name,
)
def test_no_command_leaves_a_process_or_a_file_open(fleet: Fleet, words: tuple[str, ...]) -> None:
    gc.collect()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        fleet.run(*words)
        gc.collect()
    assert [str(one.message) for one in caught if issubclass(one.category, ResourceWarning)] == []
