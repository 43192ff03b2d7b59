"""`tsunami audit`: who was told what, when, and whose decision caused it."""

import csv
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.commands.fleet_world import ROOT, Fleet, assert_plain, git
from tests.ledgers import COMMIT, LEDGER, publish, telling, write
from tsunami_cli.core.audit import Telling, lines

KEYS = "at,host,role,variable,from,to,rollout,publish,sequence,commit,author,action,reason"
A, B, SEARCH = "lon2-db-a1", "sto1-db-a2", "lon2-search-a1"


def story() -> list[list[Telling]]:
    """Return four publishes: everybody joins, A moves, nobody, then SEARCH gets a number and A leaves."""
    search = {
        "role": "search",
        "variable": "somaxconn",
        "commit": "77d0c91" + "0" * 33,
        "action": "pin",
        "reason": None,
    }
    return [
        [telling(A, before=None, after="1.12.1"), telling(B, before=None, after="1.12.1")],
        [telling(A)],
        [],
        [telling(SEARCH, before=128, after=4096, author="Bo Lind <bo@example.com>", **search), telling(A, after=None)],
    ]  # fmt: skip


@pytest.fixture
def told(fleet: Fleet) -> list[str]:
    """Return the commits of a ledger with the story, beside the fleet."""
    return publish(fleet.root, *story())


def hosts(fleet: Fleet, *words: str) -> list[tuple[str, int]]:
    return [(row["host"], row["sequence"]) for row in fleet.json("audit", *words)]


def test_the_table_of_one_host(fleet: Fleet, told: list[str]) -> None:
    out = fleet.ok("audit", "--host", A)
    assert [line.rstrip() for line in out.splitlines()] == [
        "when (UTC)           role  variable  told                      publish  because of",
        "2026-11-16 09:00:00  db    docker    first told 1.12.1         #1       start by Ann Ek (3f2c1ab) proxy fix",
        "2026-11-16 09:05:00  db    docker    1.12.1 -> 1.12.3          #2       start by Ann Ek (3f2c1ab) proxy fix",
        "2026-11-16 09:15:00  db    docker    told no more, had 1.12.1  #4       start by Ann Ek (3f2c1ab) proxy fix",
    ]  # fmt: skip


def test_columns_that_would_say_the_same_all_the_way_down_are_left_out(fleet: Fleet, told: list[str]) -> None:
    def head(*words: str) -> list[str]:
        return fleet.ok("audit", *words).splitlines()[0].split()[2:]

    rest = ["variable", "told", "publish", "because", "of"]
    assert head() == ["host", "role", *rest]
    assert head("--host", A) == ["role", *rest]
    assert head("--role", "db") == ["host", *rest]
    assert head("--role", "db", "--host", A) == rest
    assert head("--host", "lon2-*") == ["host", "role", *rest]
    assert head("--host", A, "--host", B) == ["host", "role", *rest]


def test_times_are_local(fleet: Fleet, told: list[str]) -> None:
    fleet.patch.setenv("TZ", "Europe/Stockholm")
    time.tzset()
    out = fleet.ok("audit", "--host", B).splitlines()
    assert out[0].startswith("when (CET) ")
    assert out[1].startswith("2026-11-16 10:00:00 ")


def test_json(fleet: Fleet, told: list[str]) -> None:
    rows = fleet.json("audit")
    assert [(row["host"], row["sequence"], row["publish"]) for row in rows] == [
        (A, 1, told[0]),
        (B, 1, told[0]),
        (A, 2, told[1]),
        (A, 4, told[3]),
        (SEARCH, 4, told[3]),
    ]
    assert {tuple(row) for row in rows} == {tuple(KEYS.split(","))}
    assert rows[-1] == {
        "at": "2026-11-16T09:15:00Z",
        "host": SEARCH,
        "role": "search",
        "variable": "somaxconn",
        "from": 128,
        "to": 4096,
        "rollout": "docker-20261116T090000Z",
        "publish": told[3],
        "sequence": 4,
        "commit": "77d0c91" + "0" * 33,
        "author": "Bo Lind <bo@example.com>",
        "action": "pin",
        "reason": None,
    }
    assert (rows[0]["from"], rows[3]["to"]) == (None, None)


def test_csv(fleet: Fleet, told: list[str]) -> None:
    head, *rows = csv.reader(io.StringIO(fleet.ok("audit", "--csv")))
    assert ",".join(head) == KEYS
    assert len(rows) == 5
    assert rows[-1][:6] == ["2026-11-16T09:15:00Z", SEARCH, "search", "somaxconn", "128", "4096"]
    assert (rows[0][4], rows[-1][-1]) == ("", "")


def test_filters(fleet: Fleet, told: list[str]) -> None:
    cases = {
        ("--host", A): [(A, 1), (A, 2), (A, 4)],
        ("--host", "lon2-*"): [(A, 1), (A, 2), (A, 4), (SEARCH, 4)],
        ("--host", B, "--host", SEARCH): [(B, 1), (SEARCH, 4)],
        ("--variable", "somaxconn"): [(SEARCH, 4)],
        ("--variable", "*", "--role", "search"): [(SEARCH, 4)],
        ("--role", "db", "--variable", "somaxconn"): [],
        ("--host", "none-*"): [],
        ("--since", "2026-11-16T09:05:00Z"): [(A, 2), (A, 4), (SEARCH, 4)],
        ("--since", "2026-11-16T09:05:01Z"): [(A, 4), (SEARCH, 4)],
        ("--until", "2026-11-16T09:05:00Z"): [(A, 1), (B, 1), (A, 2)],
        ("--since", "2026-11-16T09:05:00Z", "--until", "2026-11-16T09:05:00Z"): [(A, 2)],
        ("--host", A, "-n", "1"): [(A, 4)],
        ("--limit", "2"): [(A, 4), (SEARCH, 4)],
        ("--at", "2026-11-16T09:05:00Z"): [(A, 1), (B, 1), (A, 2)],
        ("--at", "2026-11-16T09:10:00Z", "--since", "5m"): [(A, 2)],
        ("--at", "2026-11-16T09:04:00Z", "--until", "2026-11-16T09:10:00Z"): [(A, 1), (B, 1)],
    }
    for words, expected in cases.items():
        assert hosts(fleet, *words) == expected, words


def test_how_long_ago(fleet: Fleet, told: list[str]) -> None:
    fleet.at("2026-11-16T11:05:00Z")
    assert hosts(fleet, "--since", "2h") == [(A, 2), (A, 4), (SEARCH, 4)]
    assert hosts(fleet, "--since", "1h55m", "--until", "1h") == [(A, 4), (SEARCH, 4)]
    assert hosts(fleet, "--until", "2h5m") == [(A, 1), (B, 1)]
    for longer_than_time in ("9999w", "3000000d"):
        assert len(hosts(fleet, "--since", longer_than_time)) == 5


def test_no_tellings(fleet: Fleet, told: list[str]) -> None:
    assert fleet.ok("audit", "--host", "lon2-login-a1") == "no tellings\n"
    assert fleet.ok("audit", "--variable", "helios") == "no tellings\n"
    assert fleet.ok("audit", "--role", "login") == "no tellings\n"
    assert fleet.json("audit", "--host", "lon2-login-a1") == []
    assert fleet.ok("audit", "--host", "lon2-login-a1", "--csv") == KEYS + "\n"


@pytest.mark.parametrize(
    ("flag", "name", "near"),
    [
        ("--host", "lon2-db-a11", "do you mean lon2-db-a1"),
        ("--variable", "dokcer", "do you mean docker?"),
        ("--role", "serch", "do you mean search?"),
        ("--host", "\x1b]0;x\x07\n", "no such host"),
        ("--host", "", "no such host"),
    ],
)
def test_a_name_that_nobody_knows(fleet: Fleet, told: list[str], flag: str, name: str, near: str) -> None:
    assert near in fleet.no("audit", flag, name)
    assert near in fleet.no("audit", flag, name, "--json")


def test_what_is_gone_from_the_fleet_was_told_all_the_same(fleet: Fleet) -> None:
    publish(fleet.root, [telling("old-1", role="gone", variable="retired")])
    assert hosts(fleet, "--host", "old-1", "--role", "gone", "--variable", "retired") == [("old-1", 1)]
    # Known to the ledger, though not of this time.
    for words in (("--host", "old-1"), ("--role", "gone"), ("--variable", "retired")):
        assert fleet.json("audit", *words, "--since", "2026-11-17T00:00:00Z") == []


def test_it_answers_where_the_work_tree_is_broken(fleet: Fleet, told: list[str]) -> None:
    fleet.write({"tsunami.yaml": "<<<<<<< ours\n", "inventory.csv": "nonsense", "rollouts/docker.yaml": "]"})
    assert hosts(fleet, "--host", A) == [(A, 1), (A, 2), (A, 4)]
    assert hosts(fleet, "--variable", "docker", "-n", "1") == [(A, 4)]
    said = fleet.run("audit", "--host", "lon2-login-a1", "--json")
    assert (said.code, said.data) == (0, [])
    assert said.err.count("\n") == 1
    assert "lon2-login-a1 was never told anything" in said.err
    (fleet.root / "tsunami.yaml").unlink()
    assert hosts(fleet, "--host", A) == [(A, 1), (A, 2), (A, 4)]


def test_where_nothing_was_published(fleet: Fleet) -> None:
    said = fleet.run("audit", "--json")
    assert (said.code, said.data) == (0, [])
    assert said.err == "warning: nothing was published yet: tsunami publish\n"
    said = fleet.run("audit")
    assert (said.code, said.out) == (0, "no tellings\n")
    fleet.run("audit", "--host", A)
    assert "no such host" in fleet.run("audit", "--host", "nobody").err


def test_where_a_remote_may_have_the_ledger(fleet: Fleet, told: list[str], tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--single-branch", "-b", "main", f"file://{fleet.root}", "clone")
    fleet.patch.chdir(tmp_path / "clone")
    said = fleet.run("audit", "--json")
    assert (said.code, said.data) == (0, [])
    way_out = said.err.rpartition(": ")[2].split()
    assert way_out[:3] == ["git", "fetch", "origin"]
    git(tmp_path / "clone", *way_out[1:])
    assert len(fleet.json("audit")) == 5


def test_the_remote_s_ledger_counts_where_it_is_newer(fleet: Fleet, told: list[str], tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", f"file://{fleet.root}", "clone")
    fleet.patch.chdir(tmp_path / "clone")
    git(tmp_path / "clone", "update-ref", LEDGER, told[0])
    assert len(fleet.json("audit")) == 5


def test_a_ledger_that_was_cut_off_says_so(fleet: Fleet, told: list[str], tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth=2", "--no-single-branch", f"file://{fleet.root}", "cut")
    fleet.patch.chdir(tmp_path / "cut")
    said = fleet.run("audit", "--json")
    assert [row["sequence"] for row in said.data] == [4, 4]
    assert said.code == 0
    assert "git fetch --unshallow" in said.err


def test_a_line_that_cannot_be_read_is_named_and_takes_no_other_away(fleet: Fleet) -> None:
    good = lines([telling(A)])
    commits = write(fleet.root, [{"changes.ndjson": good + b"{\x1b[31m\n"}, {"changes.ndjson": good}])
    said = fleet.run("audit", "--json")
    assert said.code == 1
    assert [row["publish"] for row in said.data] == commits
    assert f"changes.ndjson of {commits[0][:7]}: line 2 is no telling" in said.err
    assert_plain(said.err)


def test_a_damaged_ledger_is_refused(fleet: Fleet) -> None:
    write(fleet.root, [{"changes.ndjson/x": b"1"}])
    assert "git fsck" in fleet.no("audit")


HOSTILE = "::error::owned\n\x1b[31mred\x1b]0;title\x07\x9b2J\u202egpj [bold]markup[/] {0}"


def test_text_from_outside_steers_no_terminal(fleet: Fleet) -> None:
    texts = {"author": f"{HOSTILE} <e@example.com>", "action": HOSTILE, "reason": HOSTILE, "commit": HOSTILE}
    names = {"role": HOSTILE, "variable": HOSTILE, "before": HOSTILE, "after": HOSTILE, "rollout": HOSTILE}
    rows = [telling(f"{HOSTILE}{number}", **texts, **names) for number in range(1_100)]
    publish(fleet.root, rows)
    for words in ((), ("--limit", "3")):
        out = fleet.ok("audit", *words)
        assert_plain(out)
        assert "[bold]markup[/] {0}" in out
        assert not [line for line in out.splitlines() if line.lstrip().startswith("::")]
    assert fleet.json("audit", "-n", "1")[0]["reason"] == HOSTILE
    assert list(csv.reader(io.StringIO(fleet.ok("audit", "--csv", "-n", "1"))))[1][-1] == HOSTILE


def test_what_is_not_known_is_left_out(fleet: Fleet) -> None:
    unknown = dict.fromkeys(("commit", "author", "action", "reason", "rollout"))
    publish(fleet.root, [telling(A, **unknown)], [telling(A, **unknown | {"action": "edit", "commit": COMMIT})])
    assert [line.split("#")[1].split(None, 1)[1].strip() for line in fleet.ok("audit").splitlines()[1:]] == [
        "unknown",
        "edit (3f2c1ab)",
    ]


def test_many_rows_stand_in_the_same_columns(fleet: Fleet) -> None:
    publish(fleet.root, [telling(f"host-{number}") for number in range(1_200)])
    many, few = fleet.ok("audit").splitlines(), fleet.ok("audit", "-n", "5").splitlines()
    assert len(many) == 1_201
    assert [line.split() for line in (many[0], *many[-5:])] == [line.split() for line in few]
    assert len({line.index("docker") for line in many[1:]}) == 1
    assert len(fleet.json("audit")) == 1_200


def test_many_publishes(fleet: Fleet) -> None:
    publish(fleet.root, *([telling(A)] if number % 7 == 0 else [] for number in range(3_000)))
    rows = fleet.json("audit", "--host", A)
    assert [row["sequence"] for row in rows] == list(range(1, 3_001, 7))


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--json", "--csv"), 2, "say one of them"),
        (("--since", "yesterday"), 2, "neither an instant"),
        (("--since", "5"), 2, "neither an instant"),
        (("--until", "2016-11-14"), 2, "2016-11-14T10:00:00Z"),
        (("--since", "2016-11-14T10:00:00+01:00"), 2, "UTC"),
        (("--since", "1h", "--until", "2h"), 2, "--since is later than --until"),
        (("-n", "0"), 2, "0"),
        (("-C", "nowhere"), 1, "nowhere"),
    ],
)
def test_what_makes_no_sense_is_refused(still: Fleet, words: tuple[str, ...], code: int, said: str) -> None:
    assert said in still.no("audit", *words, code=code)


def test_the_help_shows_how(still: Fleet) -> None:
    out = still.ok("audit", "--help")
    for text in ("--since 2h", "--csv", "--host lon2-accesspoint-a7"):
        assert text in out, out


def test_json_is_one_document(fleet: Fleet, told: list[str]) -> None:
    out = fleet.ok("audit", "--json")
    assert out.count("\n") == 7, "a telling a line"
    assert len(json.loads(out)) == 5
    assert fleet.ok("audit", "--role", "login", "--json") == "[]\n"


LOADED = "import sys\nfrom tsunami_cli.cli import run\nrun(sys.argv[1:])\nprint(*sys.modules, file=sys.stderr)"


@pytest.mark.parametrize("form", ["--json", "--csv"])
def test_data_are_written_without_loading_what_paints(fleet: Fleet, told: list[str], form: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    words = (sys.executable, "-c", LOADED, "audit", "--host", A, form)
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    assert A in done.stdout
    loaded = done.stderr.split()
    assert "tsunami_cli.core.audit" in loaded
    assert not {"rich", "_ruamel_yaml", "jsonschema_rs", "tsunami_cli.adapters.git.remote"} & set(loaded)


def test_the_shell_completes_names(fleet: Fleet, told: list[str]) -> None:
    fleet.patch.setenv("_TSUNAMI_COMPLETE", "complete_bash")
    fleet.patch.setenv("COMP_CWORD", "3")
    for line, expected in (
        ("tsunami audit --host lon2-db-", "lon2-db-a1"),
        ("tsunami audit --variable do", "docker"),
        ("tsunami log --role se", "search"),
    ):
        fleet.patch.setenv("COMP_WORDS", line)
        with pytest.raises(SystemExit):
            fleet.run()
        assert expected in fleet.capture.readouterr().out.split()
