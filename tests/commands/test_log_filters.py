"""`tsunami log` narrowed down: by time, action, author, and by whom it made be told something."""

import csv
import io

import pytest

from tests.commands.fleet_world import Fleet, assert_plain
from tests.ledgers import publish, telling

DAY = "2026-11-16T"


@pytest.fixture
def decided(fleet: Fleet) -> list[str]:
    """Return the commits of a start, a halt by somebody else, a pin and a resume, an hour apart from 09:00."""
    commits = []
    for hour, name, words in (
        (9, "Ann Ek", ("start", "helios", "--to", "0.9.12", "--over", "1d")),
        (10, "Bo Lind", ("halt", "helios", "--reason", 'slow,\n"quoted"')),
        (11, "Ann Ek", ("pin", "docker", "--to", "1.12.3", "--role", "db", "--reason", "by hand")),
        (12, "Ann Ek", ("resume", "helios")),
    ):
        fleet.at(f"{DAY}{hour:02}:00:00Z").patch.setenv("GIT_AUTHOR_NAME", name)
        fleet.ok(*words)
        commits.append(fleet.head())
    return commits


def actions(fleet: Fleet, *words: str) -> list[str]:
    return [entry["action"] for entry in fleet.json("log", *words)]


def test_by_time_action_and_author(fleet: Fleet, decided: list[str]) -> None:
    fleet.at(f"{DAY}12:00:00Z")
    cases = {
        ("--since", f"{DAY}10:00:00Z"): ["halt", "pin", "resume"],
        ("--since", f"{DAY}10:00:01Z"): ["pin", "resume"],
        ("--since", "2h"): ["halt", "pin", "resume"],
        ("--since", "2h", "--until", "1h"): ["halt", "pin"],
        ("--since", f"{DAY}09:00:00Z", "--until", f"{DAY}10:00:00Z"): ["start", "halt"],
        ("--since", "3h", "--at", f"{DAY}11:00:00Z"): ["start", "halt", "pin"],
        ("--action", "halt", "--action", "pin"): ["halt", "pin"],
        ("--author", "ANN ek"): ["start", "pin", "resume"],
        ("--author", "lind"): ["halt"],
        ("--author", "nobody"): [],
        ("helios", "--author", "ann", "-n", "1"): ["resume"],
        ("docker", "--since", "2h"): ["pin"],
        ("helios", "--since", "59m", "--until", "1m"): [],
    }
    for words, expected in cases.items():
        assert actions(fleet, *words) == expected, words
    assert fleet.ok("log", "--author", "nobody") == "no decisions\n"


def test_by_host_and_role(fleet: Fleet, decided: list[str]) -> None:
    start, halt, pin, resume = decided
    fleet.at(f"{DAY}13:00:00Z")
    publish(
        fleet.root,
        [telling("lon2-search-a1", role="search", variable="helios", commit=start)],
        [telling("lon2-db-a1", variable="docker", commit=pin)],
        [telling("lon2-proxy-a1", role="proxy", variable="helios", commit=resume)],
        # The same commit, but of a variable that it did not decide on.
        [telling("lon2-db-a3", variable="other", commit=halt)],
    )
    assert actions(fleet, "--host", "lon2-search-a1") == ["start"]
    assert actions(fleet, "--host", "lon2-*") == ["start", "pin", "resume"]
    assert actions(fleet, "--host", "lon2-*", "--action", "pin") == ["pin"]
    assert actions(fleet, "--role", "proxy", "--role", "search") == ["start", "resume"]
    assert actions(fleet, "helios", "--role", "db") == []
    assert actions(fleet, "--host", "lon2-db-a3") == []
    assert actions(fleet, "--host", "lon2-proxy-a1", "--role", "db") == []


def test_by_host_where_nothing_was_published(fleet: Fleet, decided: list[str]) -> None:
    said = fleet.run("log", "--host", "lon2-search-a1", "--json")
    assert (said.code, said.data) == (0, [])
    assert said.err == "warning: nothing was published yet: tsunami publish\n"


def test_csv(fleet: Fleet, decided: list[str]) -> None:
    rows = list(csv.DictReader(io.StringIO(fleet.ok("log", "--csv"))))
    expected = fleet.json("log")
    assert [list(row) for row in rows] == [list(entry) for entry in expected]
    assert rows == [{key: value or "" for key, value in entry.items()} for entry in expected]
    assert rows[-3]["reason"] == 'slow,\n"quoted"'


def test_an_action_that_nobody_took(fleet: Fleet, decided: list[str]) -> None:
    said = fleet.run("log", "--action", "hlat\x1b[31m")
    assert (said.code, said.out) == (0, "no decisions\n")
    assert "no decision here is called hlat" in said.err
    assert_plain(said.err)
    assert "do you mean halt?" in fleet.run("log", "--action", "hatl").err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--json", "--csv"), 2, "say one of them"),
        (("--since", "soon"), 2, "neither an instant"),
        (("--since", "1h", "--until", "2h"), 2, "--since is later than --until"),
        (("dokcer", "--since", "1h"), 1, "do you mean docker?"),
    ],
)
def test_what_makes_no_sense_is_refused(still: Fleet, words: tuple[str, ...], code: int, said: str) -> None:
    assert said in still.no("log", *words, code=code)
