"""What is held against what: branches, merges, clones that CI made, and names that are no commits."""

from pathlib import Path

import pytest

from tests.commands.fleet_world import DOCKER, HELIOS, Fleet, git
from tsunami_cli import cli

CHANGED = "owner: platform\n"


def edited(fleet: Fleet, branch: str = "change", file: str = HELIOS) -> str:
    """Commit a change on a branch of its own; return the commit."""
    fleet.git("checkout", "-q", "-b", branch)
    fleet.commit({file: fleet.read(file) + CHANGED})
    return fleet.git("rev-parse", "HEAD")


def names(fleet: Fleet, *words: str) -> list[str]:
    return [one["name"] for one in fleet.json("preview", *words)["variables"]]


def clone(fleet: Fleet, root: Path, *words: str) -> Fleet:
    """Clone as CI does, over a protocol that knows depth."""
    git(fleet.root.parent, "clone", "-q", *words, f"file://{fleet.root}", str(root))
    fleet.patch.chdir(root)
    return Fleet(root, fleet.capture, fleet.patch)


def test_nothing_to_preview_on_the_branch_itself(fleet: Fleet) -> None:
    head = fleet.head()
    assert fleet.ok("preview") == (
        f"nothing to preview: no variable, setting or host differs, the work tree against main ({head[:7]})\n"
    )
    assert "nothing to preview" in fleet.ok("preview", "--markdown")
    data = fleet.json("preview")
    assert data == {
        "now": "2026-11-16T09:00:00Z",
        "base": head,
        "head": None,
        "ledger": None,
        "variables": [],
        "inventory": None,
        "settings": [],
        "decisions": [],
        "effects": [],
        "problems": [],
    }


def test_a_dirty_tree_is_held_against_what_is_checked_out(fleet: Fleet) -> None:
    fleet.write({HELIOS: fleet.read(HELIOS) + CHANGED, "rollouts/new.yaml": 'name: new\nvalue: {}\ndefault: "1"\n'})
    assert names(fleet) == ["helios", "new"]
    assert names(fleet, "--head", "HEAD") == []


def test_a_branch_is_held_against_where_it_left(fleet: Fleet) -> None:
    base, commit = fleet.head(), edited(fleet)
    fleet.git("checkout", "-q", "main")
    fleet.commit({DOCKER: fleet.read(DOCKER) + "# later\n"})
    assert names(fleet) == []
    data = fleet.json("preview", "--head", "change")
    assert (data["base"], data["head"], [one["name"] for one in data["variables"]]) == (base, commit, ["helios"])
    assert names(fleet, "--base", "change") == ["docker"]
    assert names(fleet, "--base", "change~1", "--head", commit[:9]) == ["helios"]
    # On the branch with nothing dirty.
    fleet.git("checkout", "-q", "change")
    assert names(fleet) == ["helios"]


def test_a_detached_head_and_a_tag_will_do(fleet: Fleet) -> None:
    edited(fleet)
    fleet.git("tag", "-a", "-m", "x", "v1")
    fleet.git("checkout", "-q", "--detach")
    assert names(fleet) == ["helios"]
    assert names(fleet, "--head", "v1") == ["helios"]


def test_a_merge_as_ci_checks_it_out(fleet: Fleet, tmp_path: Path) -> None:
    edited(fleet)
    fleet.git("checkout", "-q", "main")
    fleet.commit({DOCKER: fleet.read(DOCKER) + "# later\n"})
    fleet.git("checkout", "-q", "-b", "pull/1/merge")
    fleet.git("merge", "-q", "--no-edit", "change")
    fleet.git("checkout", "-q", "main")
    ci = clone(fleet, tmp_path / "ci")
    ci.git("checkout", "-q", "--detach", "origin/pull/1/merge")
    ci.git("branch", "-D", "main", "-q")
    assert names(ci) == ["helios"]
    assert names(ci, "--base", "main") == ["helios"]
    assert names(ci, "--base", "origin/main", "--head", "HEAD") == ["helios"]


def test_a_shallow_clone_says_how_to_deepen_it(fleet: Fleet, tmp_path: Path) -> None:
    edited(fleet)
    fleet.git("checkout", "-q", "main")
    fleet.commit({DOCKER: fleet.read(DOCKER) + "# later\n"})
    ci = clone(fleet, tmp_path / "ci", "--depth=1", "--branch=change", "--single-branch")
    assert ci.no("preview") == (
        "error: there is no main in this clone to compare with: git fetch origin main, or fetch-depth: 0 where CI "
        "checks out, or --base REF\n"
    )
    ci.git("fetch", "-q", "--depth=1", "origin", "main:refs/remotes/origin/main")
    assert ci.no("preview") == (
        "error: main and what is to be previewed have no commit in common here: this clone is shallow: git fetch "
        "--unshallow, or fetch-depth: 0 where CI checks out\n"
    )
    ci.git("fetch", "-q", "--unshallow")
    assert names(ci) == ["helios"]


def test_a_branch_with_another_name_counts_where_settings_say_so(fleet: Fleet) -> None:
    fleet.git("branch", "-m", "main", "trunk")
    fleet.write({"tsunami.yaml": fleet.read("tsunami.yaml").replace("branch: main", "branch: trunk")})
    fleet.git("commit", "-qam", "the branch is called trunk")
    fleet.git("checkout", "-q", "-b", "change")
    fleet.write({HELIOS: fleet.read(HELIOS) + CHANGED})
    assert names(fleet) == ["helios"]
    assert "against trunk (" in fleet.ok("preview")


def test_a_change_that_renames_the_branch_is_held_against_the_old_one(fleet: Fleet) -> None:
    fleet.git("checkout", "-q", "-b", "change")
    fleet.write({"tsunami.yaml": fleet.read("tsunami.yaml").replace("branch: main", "branch: trunk")})
    data = fleet.json("preview")
    assert data["settings"] == [{"key": "branch", "before": "main", "after": "trunk"}]


def test_a_repository_whose_branch_is_nowhere(fleet: Fleet) -> None:
    fleet.git("branch", "-m", "main", "other")
    assert fleet.no("preview") == (
        "error: there is no main in this clone to compare with: see git branch -a, or --base REF\n"
    )


def test_branches_with_nothing_in_common(fleet: Fleet) -> None:
    fleet.git("checkout", "-q", "--orphan", "pages")
    fleet.git("commit", "-qm", "pages")
    assert "have no commit in common here: is main the branch that it is to be merged into?" in fleet.no("preview")


def test_nothing_committed_yet(fleet: Fleet, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "empty")
    assert "nothing is committed here yet" in fleet.no("preview", "-C", str(tmp_path / "empty"))


def test_the_first_change_brings_all_files(fleet: Fleet) -> None:
    files = {path: fleet.read(path) for path in ("tsunami.yaml", "inventory.csv", HELIOS)}
    fleet.git("checkout", "-q", "--orphan", "empty")
    fleet.git("rm", "-rqf", ".")
    fleet.git("commit", "-qm", "nothing", "--allow-empty")
    fleet.git("branch", "-M", "main")
    fleet.write(files)
    data = fleet.json("preview")
    assert [(one["name"], one["change"], one["at_once"]["hosts"]) for one in data["variables"]] == [
        ("helios", "added", 43)
    ]
    assert data["problems"] == []


NO_COMMITS = {
    "an option": "--output=stolen",
    "a short option": "-h",
    "another option": "--all",
    "nothing": "",
    "no such branch": "nosuch",
    "a range": "main..main",
    "a file": "main:tsunami.yaml",
    "a zero": "0" * 40,
    "a line more": "main\nmain",
    "a path": "../../etc/passwd",
    "an escape": "\x1b[31mred",
}


@pytest.mark.parametrize("flag", ["--base", "--head"])
@pytest.mark.parametrize("name", NO_COMMITS.values(), ids=NO_COMMITS)
def test_names_that_are_no_commits(still: Fleet, flag: str, name: str) -> None:
    before = still.snapshot()
    error = still.no("preview", f"{flag}={name}")
    assert error.startswith(f"error: {flag} "), error
    assert "there is no such commit here" in error
    assert still.snapshot() == before


def test_two_kinds_of_output_are_one_too_many(still: Fleet) -> None:
    assert still.run("preview", "--json", "--markdown").code == 2


def test_another_folder(running: Fleet, tmp_path: Path) -> None:
    edited(running)
    running.patch.chdir(tmp_path)
    capture = running.capture
    capture.readouterr()
    assert cli.run(["-C", str(running.root), "preview"]) == 0
    assert "helios  owner differs" in capture.readouterr().out


def test_a_ledger_that_only_the_remote_has_is_used(running: Fleet, tmp_path: Path) -> None:
    edited(running)
    ci = clone(running, tmp_path / "ci")
    assert ci.json("preview")["ledger"] == running.git("rev-parse", "tsunami-ledger")
    assert "by what hosts were told 12 min ago (#7, " in ci.ok("preview")
    bare = clone(running, tmp_path / "bare", "--single-branch", "--branch=change")
    bare.git("fetch", "-q", "origin", "main:refs/remotes/origin/main")
    assert bare.json("preview")["ledger"] is None
    assert "as planned: no ledger is known here" in bare.ok("preview")
