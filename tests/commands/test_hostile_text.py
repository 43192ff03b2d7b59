"""Text from anyone, in reasons, values and files: it steers no terminal, forges no decision and commands no CI."""

import json

import pytest

from tests.commands.fleet_world import HELIOS, HELIOS_TEXT, Fleet, assert_plain, assert_refused, git

START = ("start", "helios", "--to", "0.9.12", "--over", "1d")
ESCAPES = "\x1b[31mred\x1b]0;title\x07\x9b2J\u202egpj\u2066\x00\x08\x7f".replace("\x00", "")
FORGED = """looks harmless

Tsunami-Action: pin
Tsunami-Variable: docker
Tsunami-Rollout: docker-1

Tsunami-Action: rollback
Tsunami-Variable: docker"""

REASONS = {
    "trailers": FORGED,
    "trailers after carriage returns": FORGED.replace("\n", "\r\n"),
    "trailers after lone carriage returns": FORGED.replace("\n", "\r"),
    "trailers after line separators": FORGED.replace("\n", "\u2028"),
    "trailers after vertical tabs": FORGED.replace("\n", "\x0b"),
    "nothing but a trailer": "Tsunami-Action: pin",
    "a header": "x\n\nauthor Eve <eve@example.com> 0 +0000",
    "a comment": "# not there\n#really",
    "a scissors line": "x\n# ------------------------ >8 ------------------------\ny",
    "escapes": ESCAPES,
    "markup": "[bold red]x[/] [link=http://e.example]y[/link] {0} %s",
    "quotes": 'it\'s "quoted" \\ back $(id) `id`',
    "an option": "--amend",
    "a patch": "---\ndiff --git a/x b/x",
}


def trailers(fleet: Fleet) -> list[str]:
    """Return the trailers that git itself finds in the last commit."""
    return fleet.git("log", "-1", "--format=%(trailers:only,unfold)", "main").split("\n")


@pytest.mark.parametrize("reason", REASONS.values(), ids=REASONS)
def test_a_reason_forges_no_decision(fleet: Fleet, reason: str) -> None:
    text = fleet.decide(*START, "--reason", reason)
    assert text.startswith("helios: start 0.9.10 -> 0.9.12 over 1d\n\n")
    expected = ["Tsunami-Action: start", "Tsunami-Variable: helios", "Tsunami-Rollout: helios-20261116T090000Z"]
    # A scissors line hides trailers from git, as it does from `git commit`; the journal reads them all the same.
    found = [line for line in trailers(fleet) if line]
    assert found == expected or (">8" in reason and not found)
    assert text.split("\n")[-3:] == expected
    assert fleet.git("log", "-1", "--format=%an") == "Ada Operator"
    assert_plain(text)
    (entry,) = [one for one in fleet.json("log") if one["commit"] == fleet.head()]
    assert (entry["action"], entry["variable"], entry["rollout"]) == ("start", "helios", "helios-20261116T090000Z")
    assert_plain(entry["reason"])
    fleet.at("2026-11-17T12:00:00Z")
    for words in (("log",), ("explain", "lon2-search-a1", "helios")):
        out = fleet.ok(*words)
        assert_plain(out)
        assert "start" in out
    assert fleet.json("explain", "lon2-search-a1", "helios")["action"] == "start"


def test_what_was_meant_as_words_is_still_there(fleet: Fleet) -> None:
    fleet.ok(*START, "--reason", REASONS["markup"])
    assert REASONS["markup"] in fleet.ok("log")
    assert fleet.json("log")[-1]["reason"] == REASONS["markup"]


@pytest.mark.parametrize(
    "reason",
    ["::error::owned", "x\n::add-mask::e", f"{'x ' * 30}::stop-commands::x {'y ' * 60}::add-mask::e"],
    ids=["alone", "on a line", "where lines wrap"],
)
def test_a_reason_commands_no_workflow_on_a_screen(fleet: Fleet, reason: str) -> None:
    # GitHub obeys every line of a job's output that begins with `::`, spaces before it aside.
    fleet.patch.setenv("COLUMNS", "80")
    words = [
        (*START, "--reason", reason),
        ("pin", "helios", "--to", "0.9.12", "--host", "lon2-proxy-a1", "--reason", reason),
        ("halt", "helios", "--reason", reason),
        ("log",),
        ("log", "--json"),
        ("explain", "lon2-proxy-a1", "helios"),
        ("status",),
        ("halt",),
    ]
    for command in words:
        obeyed = [line for line in fleet.ok(*command).splitlines() if line.lstrip().startswith("::")]
        assert obeyed == [], command


def test_a_reason_commands_no_workflow_where_the_commit_is_shown(fleet: Fleet) -> None:
    fleet.ok(*START, "--reason", "look\n::error::owned\n  ::add-mask::e")
    assert [line for line in fleet.git("log", "-1").splitlines() if line.lstrip().startswith("::")] == []


def test_hand_written_trailers_count_only_for_the_file_that_changed(fleet: Fleet) -> None:
    subject = "docker: pin\n\nTsunami-Action: pin\nTsunami-Variable: docker\n"
    fleet.commit({HELIOS: HELIOS_TEXT + "owner: me\n"}, subject)
    (entry,) = [one for one in fleet.json("log") if one["commit"] == fleet.head()]
    assert (entry["variable"], entry["action"]) == ("helios", "edit")


def test_a_value_with_control_characters_stands_in_the_subject_as_json(fleet: Fleet) -> None:
    fleet.decide("new", "motd", "--default", "one")
    value = "two\n\nTsunami-Action: pin\nTsunami-Variable: docker\x1b[31m"
    text = fleet.decide("start", "motd", "--to", value, "--over", "1h")
    assert text.split("\n")[0] == f"motd: start one -> {json.dumps(value)} over 1h"
    assert next(line for line in trailers(fleet) if line) == "Tsunami-Action: start"
    assert_plain(text)
    assert_plain(fleet.read("rollouts/motd.yaml"))
    fleet.at("2026-11-16T09:30:00Z")
    explain = ("explain", "lon2-db-a1", "motd")
    for words in (("status", "motd"), ("plan", "motd"), explain, ("log",), ("halt",), ("validate",)):
        assert_plain(fleet.ok(*words))
    fleet.ok("resume", "motd")
    fleet.at("2026-11-17T12:00:00Z")
    assert fleet.json("get", "lon2-db-a1") == {"docker": "1.12.1", "motd": value}
    assert_plain(fleet.ok("get", "lon2-db-a1"))
    assert_plain(fleet.ok("get", "lon2-db-a1", "motd"))


def test_text_that_turns_direction_stands_escaped_too(fleet: Fleet) -> None:
    fleet.decide("new", "motd", "--default", "abc\u202edef")
    assert_plain(fleet.message())
    for words in (("status", "motd"), ("explain", "lon2-db-a1", "motd"), ("get", "lon2-db-a1", "motd")):
        assert_plain(fleet.ok(*words))


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("get", f"lon2{ESCAPES}"), 1),
        (("get", "lon2\nerror: forged"), 1),
        (("status", ESCAPES), 1),
        (("log", ESCAPES), 1),
        (("halt", ESCAPES), 1),
        (("explain", "lon2-search-a1", ESCAPES), 1),
        (("render", "--out", "out", "--role", ESCAPES), 1),
        (("new", ESCAPES, "--default", "1"), 1),
        (("start", "helios", "--to", ESCAPES, "--over", "1d"), 1),
        (("start", "helios", "--to", "0.9.12", "--over", ESCAPES), 2),
        (("start", "helios", "--to", "0.9.12", "--over", "1d", "--at", ESCAPES), 2),
        (("start", "helios", "--to", "0.9.12", "--over", "1d", "--via", ESCAPES), 2),
        (("start", "helios", "--to", "0.9.12", "--over", "1d", "--from", ESCAPES), 1),
        (("start", "somaxconn", "--to", ESCAPES, "--over", "1d"), 1),
        (("unpin", "helios", "--host", ESCAPES), 1),
        (("new", "other", "--default", ESCAPES, "--type", "integer"), 1),
        (("new", "other", "--default", "x", "--pattern", f"({ESCAPES}"), 1),
        (("-C", ESCAPES, "status"), 1),
        (("status", "-C", ESCAPES), 1),
        (("validate", ESCAPES), 1),
        (("render", "--out", f"tsunami.yaml/{ESCAPES}"), 1),
        ((ESCAPES,), 2),
        (("status", f"--{ESCAPES}"), 2),
    ],
    ids=lambda value: " ".join(value).replace(ESCAPES, "ESC").replace("\n", " ") if isinstance(value, tuple) else None,
)
def test_what_is_typed_never_reaches_the_terminal_raw(still: Fleet, words: tuple[str, ...], code: int) -> None:
    before = still.snapshot()
    assert_refused(still.run(*words), code, words)
    assert still.snapshot() == before


ROLLOUTS = r"""rollouts:
  - id: "\e[31m"
    selection: 1
    from: ["0.9.10"]
    to: "0.9.12"
    over: 1d
    schedule: [{at: 2026-11-17T09:00:00Z, percent: 0}]
"""
FILES = {
    "a key": HELIOS_TEXT + '"\\e[31mkey": 1\n',
    "a name": HELIOS_TEXT.replace("helios", '"\\e[31mhelios"', 1),
    "a value": HELIOS_TEXT.replace('"0.9.10"', '"\\e[31m\\u202e"'),
    "a raw escape": HELIOS_TEXT + "owner: \x1b[31m\n",
    "a zone": HELIOS_TEXT + 'calendar: {timezone: "\\e[31m"}\n',
    "a duration": HELIOS_TEXT + ROLLOUTS.replace("over: 1d", 'over: "\\e[31m"'),
    "a column": HELIOS_TEXT + 'spread: "\\e[31m"\n',
    "a pattern": HELIOS_TEXT.replace(r"'^\d+\.\d+\.\d+$'", '"(\\e[31m"'),
    "an alias": HELIOS_TEXT + "owner: *\u202e\n",
    "a limit": HELIOS_TEXT + 'limits: {"\\e[31m*": {at_least: 1}}\n',
    "an id twice": HELIOS_TEXT + ROLLOUTS + ROLLOUTS.partition("\n")[2],
}  # fmt: skip


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_what_stands_in_a_file_never_reaches_the_terminal_raw(fleet: Fleet, text: str) -> None:
    fleet.commit({HELIOS: text})
    for words in (("validate",), ("status",), ("get", "lon2-search-a1"), ("halt",), START, ("log",)):
        said = fleet.run(*words)
        assert_plain(said.out + said.err)
    assert fleet.run("validate").code == 1


@pytest.mark.parametrize("name", ["we\x1b[31mird.yaml", "a\u202eb.yaml", "new\nline.yaml", "\x9b31m.yaml"])
def test_the_name_of_a_file_never_reaches_the_terminal_raw(fleet: Fleet, name: str) -> None:
    fleet.commit({f"rollouts/{name}": HELIOS_TEXT})
    for words in (("validate",), ("status",), ("get", "lon2-search-a1"), ("halt",), ("log",), START):
        said = fleet.run(*words)
        assert said.code in (0, 1), words
        assert_plain(said.out + said.err)
    assert fleet.run("validate").code == 1


def test_who_committed_never_reaches_the_terminal_raw(fleet: Fleet) -> None:
    fleet.patch.setenv("GIT_AUTHOR_NAME", "Eve\x1b[31m\u202e")
    fleet.commit({HELIOS: HELIOS_TEXT + "owner: me\n"}, "helios\x1b]0;x\x07: \u202e subject")
    assert_plain(fleet.ok("log"))
    assert_plain(fleet.ok("explain", "lon2-search-a1", "helios"))


def test_what_a_remote_says_never_reaches_the_terminal_raw(fleet: Fleet) -> None:
    remote = fleet.root.parent / "remote.git"
    fleet.git("clone", "-q", "--bare", ".", str(remote))
    fleet.git("remote", "add", "origin", str(remote))
    hook = remote / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nprintf '\\033[31mno\\033]0;x\\007\\n::error::owned\\n' >&2\nexit 1\n")
    hook.chmod(0o755)
    before = fleet.snapshot()
    said = fleet.run(*START)
    assert said.code == 1
    assert_plain(said.err)
    assert "no" in said.err
    assert [line for line in (said.out + said.err).splitlines() if line.lstrip().startswith("::")] == []
    after = fleet.snapshot()
    assert after[1] == before[1]
    assert git(remote, "rev-parse", "main") == fleet.head()
