"""`tsunami inventory import` in a real repository: what it changes, refuses, commits and pushes."""

import io
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.commands.fleet_world import Fleet, git
from tests.inventory import sources
from tests.inventory.sources import HOSTS, INVENTORY, SECRET
from tsunami_cli.commands import importing

SITE = ("--label", "site=meta:site")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return the file that the tests import from; `given` writes it."""
    return tmp_path / "given.json"


def given(source: Path, roles: Mapping[str, str] = HOSTS, **sites: str) -> tuple[str, ...]:
    """Write an inventory of Ansible's; return the words that import it."""
    found: dict[str, Any] = sources.ansible(dict(roles))
    for host, site in sites.items():
        found["_meta"]["hostvars"][host]["site"] = site
    source.write_text(json.dumps(found))
    return ("inventory", "import", "--from", "ansible", str(source), *SITE)


def without(*hosts: str, **more: str) -> dict[str, str]:
    return {host: role for host, role in HOSTS.items() if host not in hosts} | more


def test_nothing_new_is_no_commit(fleet: Fleet, source: Path) -> None:
    before = fleet.snapshot()
    said = fleet.ok(*given(source))
    assert said == "inventory.csv  5 hosts in 2 roles from ansible\nnothing changed: no commit\n"
    assert fleet.json(*given(source))["commit"] is None
    assert fleet.snapshot() == before


def test_an_import_is_one_commit_that_says_what_it_did(fleet: Fleet, source: Path) -> None:
    before = fleet.head()
    words = given(source, without("web3", web4="web", web5="web", db2="web"), web1="lon1")
    said = fleet.ok(*words, "--accept-shrink", "2", "--reason", "rack 7 is new\n\nTsunami-Action: halt")
    lines = [line.split() for line in said.splitlines()]
    assert lines[1:5] == [
        ["joined", "2", "2", "web", "web4,", "web5"],
        ["left", "1", "1", "web", "web3"],
        ["role", "1", "1", "db", "->", "web", "db2"],
        ["site", "1", "1", "fra2", "->", "lon1", "web1"],
    ]
    assert said.splitlines()[-1] == f"committed {fleet.head()[:7]} on main"
    assert fleet.git("rev-parse", "main^") == before
    assert fleet.changed(before) == ["inventory.csv"]
    assert fleet.git("status", "--porcelain") == ""
    assert fleet.message() == (
        "inventory: import 6 hosts from ansible (+2 -1, 2 changed)\n\nrack 7 is new\n\nTsunami-Action: halt\n\n"
        "Tsunami-Action: import"
    )
    rows = fleet.read("inventory.csv").splitlines()
    assert rows == ["host,role,site", *sorted(rows[1:])]
    assert rows[1:3] == ["db1,db,fra2", "db2,web,ams1"]
    assert fleet.run("validate").code == 0


def test_json_has_all_of_it(fleet: Fleet, source: Path) -> None:
    roles = without("web3", db2="web") | {f"new{number}": "web" for number in range(9)}
    data = fleet.json(*given(source, roles, web1="lon1"), "--label", "rack=meta:rack", "--accept-shrink", "2")
    assert data["commit"] == fleet.head()
    assert {key: data[key] for key in ("file", "source", "branch", "pushed", "dry_run", "hosts", "roles")} == {
        "file": "inventory.csv",
        "source": "ansible",
        "branch": "main",
        "pushed": False,
        "dry_run": False,
        "hosts": 13,
        "roles": {"db": 1, "web": 12},
    }
    assert data["joined"] == [{"host": f"new{number}", "role": "web"} for number in range(9)]
    assert data["left"] == [{"host": "web3", "role": "web"}]
    assert data["changed_roles"] == [{"host": "db2", "from": "db", "to": "web"}]
    site = [row for row in data["changed_labels"] if row["label"] == "site"]
    assert site == [{"host": "web1", "label": "site", "from": "fra2", "to": "lon1"}]
    assert [row["host"] for row in data["changed_labels"] if row["label"] == "rack"] == sorted(without("web3"))
    assert (data["labels_added"], data["labels_dropped"], data["without_label"]) == (["rack"], [], {})


def test_a_dry_run_shows_the_same_and_commits_nothing(fleet: Fleet, source: Path) -> None:
    before = fleet.snapshot()
    words = given(source, without("web3", web4="web"))
    tried, data = fleet.ok(*words, "--dry-run"), fleet.json(*words, "--dry-run")
    assert tried.splitlines()[-1] == "nothing committed: that was a dry run"
    assert (data["commit"], data["dry_run"], len(data["joined"])) == (None, True, 1)
    assert fleet.snapshot() == before
    assert fleet.ok(*words).splitlines()[:-1] == tried.splitlines()[:-1]


def test_hosts_come_in_by_stdin_and_from_a_pipe_too(
    fleet: Fleet, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(source, without(web4="web"))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(source.read_bytes())))
    fleet.ok("inventory", "import", "--from", "ansible", "-", *SITE)
    assert "web4,web,ams1" in fleet.read("inventory.csv")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert "stdin: is empty: expected" in fleet.no("inventory", "import", "--from", "ansible", "-")


# Shrinking


def test_more_hosts_gone_than_the_settings_let_pass_is_refused(fleet: Fleet, source: Path) -> None:
    fleet.ok(*given(source, without("web1"), web2="ams1"))  # a fifth
    before = fleet.snapshot()
    words = given(source, without("web1", "db1", "db2"))
    for more in ((), ("--accept-shrink", "1"), ("--dry-run",)):
        said = fleet.no(*words, *more)
        assert (
            "inventory.csv: 2 of 4 hosts would be gone (50 %: db1, db2), more than max_shrink: 25%: nothing was "
            "imported; if it is meant, --accept-shrink 2" in said
        )
    assert fleet.snapshot() == before
    said = fleet.run(*words, "--accept-shrink", "2").out
    assert "publish" not in said, "nothing was published yet, so that publish has nothing against it"
    assert fleet.read("inventory.csv") == "host,role,site\nweb2,web,ams1\nweb3,web,fra2\n"


def test_what_publish_will_say_is_said(fleet: Fleet, source: Path) -> None:
    fleet.ok(*given(source, without("web1")))
    fleet.ok("publish", "--no-guard")
    said = fleet.run(*given(source, without("web1", "db1", "db2")), "--accept-shrink", "2").out
    assert "publish has its own bound: the next one may need tsunami publish --accept-shrink 2" in said


def test_the_bound_is_a_share_exactly(fleet: Fleet, source: Path) -> None:
    fleet.ok(*given(source, without("web3")))
    fleet.ok(*given(source, without("web3", "web2")))  # one of four is a quarter, not more
    assert "33.3 %" in fleet.no(*given(source, without("web3", "web2", "web1")))


def test_variables_that_name_a_role_which_is_gone_are_named(fleet: Fleet, source: Path) -> None:
    words = given(source, dict.fromkeys(HOSTS, "web"))
    assert "2 of 5 hosts would be in another role (40 %: db1, db2), more than max_shrink" in fleet.no(*words)
    said = fleet.run(*words, "--accept-shrink", "2")
    assert said.code == 0
    assert said.err.splitlines() == [
        f"warning: rollouts/kernel.yaml: {pattern} matched a role, and matches none any more: take it out, or mend it"
        for pattern in ("db", "d*")
    ]
    data = fleet.run(*given(source), "--json", "--dry-run", "--accept-shrink", "2").data
    assert data["roles_left_behind"] == []


# Labels


def test_a_label_that_the_import_does_not_give_is_kept_or_dropped_by_name(fleet: Fleet, source: Path) -> None:
    words = given(source)[:-2]
    said = fleet.no(*words)
    assert "inventory.csv: has the label site, which the import does not give" in said
    assert "--label site=meta:site, or --drop-label site" in said
    assert fleet.json(*words, "--drop-label", "site", "--dry-run")["labels_dropped"] == ["site"]
    fleet.ok(*words, "--drop-label", "site")
    assert fleet.read("inventory.csv").splitlines()[:2] == ["host,role", "db1,db"]
    assert "nothing changed" in fleet.ok(*words, "--drop-label", "site")  # the same words, every night


def test_a_label_over_which_a_variable_spreads_stays(fleet: Fleet, source: Path) -> None:
    fleet.commit({"rollouts/kernel.yaml": sources.KERNEL + "spread: site\n"})
    words = (*given(source)[:-2], "--drop-label", "site")
    assert "rollouts/kernel.yaml: spread: site: so this label cannot be dropped" in fleet.no(*words)
    fleet.commit({"rollouts/kernel.yaml": "name: kernel\n"})
    assert "rollouts/kernel.yaml:1:1" in fleet.no(*words)


def test_the_columns_stay_in_their_order_and_new_ones_come_after_them(fleet: Fleet, source: Path) -> None:
    words = given(source)
    fleet.ok(*words[:-2], "--label", "rack=meta:rack", "--label", "tier=value:1, or 2", *SITE)
    assert fleet.read("inventory.csv").splitlines()[:2] == ["host,role,site,rack,tier", 'db1,db,fra2,7,"1, or 2"']
    assert "nothing changed" in fleet.ok(
        *words[:-2], *SITE, "--label", "tier=value:1, or 2", "--label", "rack=meta:rack"
    )


def test_hosts_without_a_label_are_counted(fleet: Fleet, source: Path) -> None:
    words = given(source, without(web4="web"), web4="", web1="")
    assert fleet.ok(*words).splitlines()[-2].split() == ["no", "site", "2"]
    assert "web1,web,\n" in fleet.read("inventory.csv")
    assert fleet.json(*words)["without_label"] == {"site": 2}


USAGE = [
    (("--label", "site"), "--label site: is no label with its rule"),
    (("--label", "site=meta:a", "--label", "site=meta:b"), "--label site: is there already"),
    (("--label", "role=meta:a"), "--label role: is there already"),
    (("--label", "a b=meta:a"), "--label 'a b' is not the name of a column"),
    (("--label", "a=b"), "--label a: b is not a rule"),
    (("--role-from", "label:x"), "--role-from: label:x: ansible has no labels"),
    (("--name-from", "regex:["), "--name-from: regex:[: is no regular expression"),
    (("--from", "chef"), "'chef' is not one of"),
]


@pytest.mark.parametrize(("words", "says"), USAGE)
def test_flags_without_a_meaning(fleet: Fleet, source: Path, words: tuple[str, ...], says: str) -> None:
    assert says in fleet.no(*given(source)[:-2], *words, code=2)


# Secrets


@pytest.mark.parametrize("debug", ["0", "1"])
def test_no_password_gets_anywhere(fleet: Fleet, source: Path, debug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TSUNAMI_DEBUG", debug)
    words = given(source, without("db1", web4="web"))
    refused = [
        (*words, "--role-from", "meta:deep"),
        (*words, "--role-from", "meta:deep.er"),
        (*words, "--role-from", "meta:number"),
        (*words, "--name-from", "meta:nothing"),
        (*words, "--label", "x=meta:deep"),
        (*words, "--role-from", "group:none*"),
    ]
    for line in refused:
        said = fleet.run(*line)
        assert said.code == 1
        assert SECRET not in said.out + said.err, line
    (source.parent / "bad.json").write_text(source.read_text()[:-9])
    said = fleet.run(*words[:4], str(source.parent / "bad.json"))
    assert "is not JSON" in said.err
    assert SECRET not in said.err
    for more in ("--dry-run", "--json", "--dry-run"):
        said = fleet.run(*words, more)
        assert said.code == 0
        assert SECRET not in said.out + said.err
    assert fleet.git("log", "-p", "-1", "--format=%B", "main").count("web4") == 1
    assert SECRET not in fleet.git("log", "-p", "--all")
    assert SECRET not in fleet.read("inventory.csv")


# Git


def test_it_is_pushed(fleet: Fleet, source: Path, remote: Path) -> None:
    said = fleet.ok(*given(source, without(web4="web")))
    assert said.splitlines()[-1] == f"committed {fleet.head()[:7]} on main, pushed to origin"
    assert git(remote, "rev-parse", "main") == fleet.head()
    assert fleet.json(*given(source))["pushed"]


def test_somebody_else_pushes_meanwhile(
    fleet: Fleet, source: Path, remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = fleet.root.parent / "other"
    git(fleet.root.parent, "clone", "-q", str(remote), str(other))
    plan, seen = importing._plan, []

    def slow(*words: Any) -> Any:
        seen.append(plan(*words))
        if len(seen) == 1:
            (other / "inventory.csv").write_text(INVENTORY + "web9,web,fra2\n")
            git(other, "commit", "-q", "-a", "-m", "web9")
            git(other, "push", "-q")
        return seen[-1]

    monkeypatch.setattr(importing, "_plan", slow)
    said = fleet.run(*given(source, without(web4="web")), "--json")
    data = said.data
    assert (said.code, len(seen)) == (0, 2)
    assert "pull" in said.err
    assert git(remote, "log", "-2", "--format=%s", "main").splitlines() == [
        "inventory: import 6 hosts from ansible (+1 -1)",
        "web9",
    ]
    # What it says is what it did to the inventory that is there now.
    assert (data["left"], data["joined"]) == ([{"host": "web9", "role": "web"}], [{"host": "web4", "role": "web"}])
    assert git(remote, "show", "main:inventory.csv").count("\n") == 6


def test_a_remote_that_cannot_be_reached_changes_nothing(fleet: Fleet, source: Path, remote: Path) -> None:
    before = fleet.snapshot()
    remote.rename(remote.with_name("away.git"))
    fleet.no(*given(source, without(web4="web")), code=4)
    assert fleet.snapshot() == before


def test_an_inventory_that_is_being_edited_is_refused_beforehand(fleet: Fleet, source: Path) -> None:
    fleet.write({"inventory.csv": INVENTORY + "mine,web,fra2\n"})
    before = fleet.snapshot()
    assert "inventory.csv: has changes in" in fleet.no(*given(source, without(web4="web")))
    assert fleet.snapshot() == before
    assert "nothing changed" in fleet.ok(*given(source))


def test_another_branch_may_be_checked_out(fleet: Fleet, source: Path) -> None:
    fleet.git("checkout", "-q", "-b", "feature")
    feature = fleet.git("rev-parse", "feature")
    fleet.ok(*given(source, without(web4="web")))
    assert fleet.git("rev-parse", "feature") == feature
    assert "web4,web,ams1" in fleet.git("show", "main:inventory.csv")
    assert fleet.read("inventory.csv") == INVENTORY


def test_before_the_first_commit_it_is_refused(fleet: Fleet, source: Path) -> None:
    fleet.git("checkout", "-q", "--orphan", "fresh")
    fleet.git("branch", "-q", "-D", "main")
    fleet.git("checkout", "-q", "--orphan", "main")
    for more in ((), ("--dry-run",)):
        assert "nothing is committed on" in fleet.no(*given(source), *more)


def test_the_first_inventory_is_made_and_a_broken_one_is_mended_first(fleet: Fleet, source: Path) -> None:
    fleet.git("rm", "-q", "inventory.csv")
    fleet.commit({}, "none")
    assert fleet.json(*given(source))["joined"][0] == {"host": "db1", "role": "db"}
    assert fleet.read("inventory.csv") == INVENTORY
    fleet.commit({"inventory.csv": "host,role\nx\n"})
    assert "inventory.csv:2:1" in fleet.no(*given(source))


def test_other_places_are_refused_in_one_line(fleet: Fleet, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no/such: cannot be read: No such file" in fleet.no("inventory", "import", "--from", "csv", "no/such")
    assert "cannot be read: Is a directory" in fleet.no("inventory", "import", "--from", "csv", ".")
    monkeypatch.setattr("tsunami_cli.commands.fleet.LARGE", 1 << 20)
    source.write_bytes(b"[" + b" " * (1 << 20))
    assert "is larger than 1 MiB: ask the source for fewer" in fleet.no(
        "inventory", "import", "--from", "consul", str(source)
    )


# YAML


def test_a_yaml_inventory_is_written_in_blocks_under_its_first_comments(fleet: Fleet, source: Path) -> None:
    fleet.git("rm", "-q", "inventory.csv")
    text = "# Ours.\n\n# By role.\nweb: [web1, web2, web3]  # many\ndb: [db1, db2]\n"
    fleet.commit({"hosts.yaml": text, "tsunami.yaml": "fleet: backend\ninventory: hosts.yaml\n"})
    words = given(source, {**HOSTS, "12": "no", "1e3": "no"})
    assert "hosts.yaml: YAML has no place for labels" in fleet.no(*words)
    said = fleet.run(*words[:-2])
    assert said.err == "warning: hosts.yaml: its comments below the first lines do not stay\n"
    assert fleet.read("hosts.yaml") == (
        '# Ours.\n\n# By role.\ndb:\n  - db1\n  - db2\n"no":\n  - "12"\n  - "1e3"\nweb:\n  - web1\n  - web2\n  - web3\n'
    )
    assert "nothing changed" in fleet.ok(*words[:-2])
    assert fleet.run("validate").code == 0


# The rest of the tool


def test_log_publish_and_audit_know_what_to_make_of_it(fleet: Fleet, source: Path) -> None:
    fleet.ok("publish", "--no-guard")
    words = given(source, without("web3", web4="web", web2="mail"))
    fleet.ok(*words, "--accept-shrink", "2", "--reason", "moved house")
    made = fleet.head()
    fleet.at("2026-11-16T09:10:00Z").ok("publish", "--no-guard")
    rows = {(row["host"], row["variable"]): row for row in fleet.json("audit", "--since", "2026-11-16T09:10:00Z")}
    # Who left, and who has a role now without the variable, does so by the import; who joined has the default.
    for told in (("web3", "shell"), ("web3", "kernel"), ("web2", "kernel")):
        row = rows[told]
        assert (row["to"], row["commit"], row["action"], row["reason"]) == (None, made, "import", "moved house")
    assert (rows["web4", "shell"]["from"], rows["web4", "shell"]["action"]) == (None, "edit")
    logged = [(row["variable"], row["commit"], row["reason"]) for row in fleet.json("log") if row["action"] == "import"]
    assert logged == [("*", made, "moved house")]
    assert fleet.ok("log").count("The fleet") == 2
