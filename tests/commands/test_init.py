"""A rollouts repository: laid out, again without harm, and brought up to date without touching what is not ours."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.commands.fleet_world import ROOT, Fleet, copy_of, git
from tsunami_cli import __version__
from tsunami_cli.adapters import own_files
from tsunami_cli.adapters.yaml.documents import parse

SCHEMA = "schemas/host.schema.json"
REQUIREMENTS = ".github/actions/tsunami/requirements.txt"
WORKFLOW = ".github/workflows/tsunami-halt.yml"
OLD_WORKFLOW = ".github/workflows/tsunami.yml"
OLD_TEXT = """name: tsunami
on:
  pull_request:
  push:
    branches: ["trunk"]
permissions:
  contents: read
jobs:
  validate:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          fetch-depth: 0                # what is new is told by what was there before
          persist-credentials: false
      - run: pipx run --spec tsunami-cli==0.1.0 tsunami validate
"""
OLDER = {SCHEMA: "{}\n", WORKFLOW: "name: older\n", REQUIREMENTS: "tsunami-cli==0.0.9\n"}
YOURS = {
    ".github/CODEOWNERS", ".github/workflows/halt.yml", ".github/workflows/rollouts.yml", ".gitignore",
    ".pre-commit-config.yaml", ".vscode/extensions.json", ".vscode/settings.json", "README.md", "inventory.csv",
    "rollouts/docker.yaml", "tsunami.yaml",
}  # fmt: skip
OURS = {
    REQUIREMENTS, WORKFLOW, SCHEMA, ".github/actions/tsunami/action.yml", ".github/workflows/tsunami-preview.yml",
    ".github/workflows/tsunami-publish.yml", "schemas/bundle.schema.json", "schemas/manifest.schema.json",
    "schemas/settings.schema.json", "schemas/variable.schema.json",
}  # fmt: skip


@pytest.fixture(scope="module")
def _laid_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tsunami_cli import cli

    root = tmp_path_factory.mktemp("laid-out") / "fleet"
    root.mkdir()
    git(root, "-c", "init.defaultBranch=main", "init", "-q", "--template=")
    assert cli.run(["-C", str(root), "init"]) == 0
    git(root, "add", "--all")
    git(root, "commit", "-q", "-m", "A rollouts repository")
    return root


@pytest.fixture
def laid(tmp_path: Path, _laid_out: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """Return a repository that this version laid out for GitHub, committed; the test stands in it."""
    return _standing_in(copy_of(_laid_out, tmp_path / "fleet"), capsys, monkeypatch)


@pytest.fixture
def empty(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """Return a git repository without commits; the test stands in it."""
    git(tmp_path, "-c", "init.defaultBranch=main", "init", "-q", "--template=", "fleet")
    return _standing_in(tmp_path / "fleet", capsys, monkeypatch)


def _standing_in(root: Path, capture: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> Fleet:
    patch.chdir(root)
    patch.setenv("TSUNAMI_NOW", "2026-11-16T09:00:00Z")
    patch.setenv("COLUMNS", "300")
    return Fleet(root, capture, patch)


def files(fleet: Fleet) -> set[str]:
    return set(fleet.snapshot()[1])


# The first time


def test_a_new_repository_is_complete_and_valid_at_once(empty: Fleet) -> None:
    said = empty.json("init")
    assert set(said["made"]) == files(empty) == YOURS | OURS
    assert (said["kept"], said["older"], said["ci"], said["dry_run"]) == ([], [], "github", False)
    assert empty.json("validate")["ok"] is True
    empty.git("add", "--all")
    empty.git("commit", "-q", "-m", "A rollouts repository")
    assert empty.json("validate") == {"ok": True, "problems": []}
    assert "7 hosts" in empty.ok("start", "docker", "--to", "1.12.3", "--over", "14d", "--dry-run")
    assert empty.read(REQUIREMENTS) == f"tsunami-cli=={__version__}\n"
    assert empty.git("status", "--porcelain") == ""


@pytest.mark.parametrize("ci", ["github", "gitlab", "none"])
def test_every_file_can_be_read_and_has_no_blank_left(empty: Fleet, ci: str) -> None:
    empty.ok("init", "--ci", ci)
    for path in sorted(files(empty)):
        text = empty.read(path)
        assert not re.findall("@[A-Z]+@", text), path
        assert re.search(r"[^\n]\n\Z", text), path
        if path.endswith(".json"):
            json.loads(text)
        elif path.startswith((".github/workflows/", ".github/actions/")) and path.endswith(".yml"):
            # Their key `on` is text to GitHub alone; our own parser says so.
            assert isinstance(yaml.safe_load(text), dict), path
        elif path.endswith((".yml", ".yaml")):
            _, problems = parse(text.encode(), path)
            assert not problems, path


def test_the_workflows_are_what_github_takes_and_zizmor_likes(laid: Fleet) -> None:
    for words in (
        ("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *_names(laid, ".github/workflows")),
        ("zizmor", "--offline", "--quiet", "--config", str(ROOT / ".github/zizmor.yml"), "."),
    ):
        done = subprocess.run(words, cwd=laid.root, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"


def _names(fleet: Fleet, folder: str) -> list[str]:
    return [str(file.relative_to(fleet.root)) for file in sorted((fleet.root / folder).glob("*.yml"))]


@pytest.mark.parametrize(
    ("asked", "origin", "has", "ci"),
    [
        ((), "git@github.com:gitlab-fans/fleet.git", None, "github"),
        ((), "https://ann@gitlab.example.net/infra/fleet", None, "gitlab"),
        ((), "/srv/gitlab/fleet.git", None, "github"),
        ((), "ssh://git@git.example.net/fleet.git", ".gitlab-ci.yml", "gitlab"),
        (("--ci", "none"), "git@gitlab.com:infra/fleet.git", None, "none"),
    ],
)
def test_who_publishes_is_told_by_the_remote_or_asked_for(
    empty: Fleet, asked: tuple[str, ...], origin: str | None, has: str | None, ci: str
) -> None:
    if origin:
        empty.git("remote", "add", "origin", origin)
    if has:
        empty.write({has: "stages: [mine]\n"})
    assert empty.json("init", *asked)["ci"] == ci
    found = files(empty)
    assert (".github/workflows/rollouts.yml" in found) == (ci == "github")
    assert (".gitlab-ci.yml" in found) == (ci == "gitlab" or has is not None)
    assert ("CODEOWNERS" in found, ".github/CODEOWNERS" in found) == (ci != "github", ci == "github")
    assert any(path.startswith(".github/") for path in found) == (ci == "github")
    assert not has or empty.read(has) == "stages: [mine]\n"


def test_a_system_that_nobody_knows_is_a_wrong_call(empty: Fleet) -> None:
    assert "jenkins" in empty.no("init", "--ci", "jenkins", code=2)
    assert files(empty) == set()


def test_below_the_top_it_lays_out_at_the_top_and_says_so(empty: Fleet) -> None:
    (empty.root / "a/b").mkdir(parents=True)
    empty.patch.chdir(empty.root / "a/b")
    assert f"{empty.root} is a rollouts repository, laid out at its top" in empty.ok("init")
    assert (empty.root / "tsunami.yaml").is_file()
    assert list((empty.root / "a/b").iterdir()) == []
    assert "at its top" not in empty.ok("-C", str(empty.root), "init")


def test_outside_of_a_repository_git_init_comes_first(empty: Fleet) -> None:
    empty.patch.chdir(empty.root.parent)
    assert "`git init`" in empty.no("init")
    assert [place.name for place in empty.root.parent.iterdir()] == ["fleet"]


def test_the_branch_is_that_of_the_remote_before_the_one_checked_out(empty: Fleet, tmp_path: Path) -> None:
    origin = tmp_path / "origin"
    git(tmp_path, "-c", "init.defaultBranch=trunk", "init", "-q", "origin")
    git(origin, "commit", "-q", "--allow-empty", "-m", "empty")
    git(tmp_path, "clone", "-q", "origin", "clone")
    git(tmp_path / "clone", "switch", "-q", "-c", "adopt-tsunami")
    empty.ok("-C", str(tmp_path / "clone"), "init")
    for path in ("tsunami.yaml", ".github/workflows/rollouts.yml", ".github/workflows/halt.yml"):
        text = (tmp_path / "clone" / path).read_text()
        assert re.findall(r'branch: "([^"]*)"', text) in (["trunk"], ["trunk", "trunk"]), path


def test_a_branch_with_quotes_in_its_name_leaves_yaml_yaml(empty: Fleet) -> None:
    empty.git("symbolic-ref", "HEAD", 'refs/heads/a"b')
    empty.ok("init")
    assert 'branch: "a\\"b"' in empty.read("tsunami.yaml")
    assert empty.json("validate")["ok"]


def test_a_dry_run_shows_all_and_writes_nothing(empty: Fleet) -> None:
    said = empty.json("init", "--dry-run")
    assert set(said["made"]) == YOURS | OURS
    assert said["dry_run"] is True
    assert files(empty) == set()
    shown = empty.ok("init", "--dry-run")
    assert "would have made  tsunami.yaml" in shown
    assert "nothing was written" in shown
    assert files(empty) == set()


def steps(said: str) -> list[str]:
    """Return the commands that come next."""
    return [line[23:] for line in said.partition("\n\n")[2].splitlines()]


def test_what_comes_next_works_as_it_is_pasted(empty: Fleet, tmp_path: Path) -> None:
    hosts = tmp_path / "hosts.json"
    hosts.write_text('{"_meta": {"hostvars": {}}, "all": {"children": ["web"]}, "web": {"hosts": ["h1", "h2"]}}')
    git(tmp_path, "init", "-q", "--bare", "--template=", "origin.git")
    empty.git("remote", "add", "origin", "../origin.git")
    empty.patch.setenv("COLUMNS", "80")
    lines = steps(empty.ok("init"))
    assert len(lines) == 9
    for line in lines:
        match shlex.split(line):
            case ["$EDITOR" | "less", *paths]:
                assert all((empty.root / path).is_file() for path in paths), line
            case ["pre-commit", "install"]:
                assert (empty.root / ".pre-commit-config.yaml").is_file()
            case ["ansible-inventory", "--list", "|", "tsunami", *words]:
                assert empty.run(*(str(hosts) if word == "-" else word for word in words)).code == 0, line
                assert empty.read("inventory.csv") == "host,role\nh1,web\nh2,web\n"
            case ["tsunami", *words]:
                assert empty.run(*words).code == 0, line
            case _:
                subprocess.run(line, shell=True, cwd=empty.root, check=True, capture_output=True)
    assert git(tmp_path / "origin.git", "log", "--format=%s", "main").splitlines()[-1] == "A rollouts repository"


def test_later_only_what_is_left_to_do_comes_next(empty: Fleet) -> None:
    empty.ok("init", "--ci", "none")
    assert steps(empty.ok("init", "--ci", "none")) == []
    (empty.root / ".gitignore").unlink()
    empty.write({SCHEMA: "{}\n"})
    again = empty.ok("init", "--ci", "none")
    assert [line.split()[:2] for line in steps(again)] == [["git", "add"], ["tsunami", "init"]]
    assert f"kept  {SCHEMA}  (older or edited: tsunami init --upgrade)" in again


# What is there already


def test_again_and_again_everything_is_kept(laid: Fleet) -> None:
    before = laid.snapshot()
    for _ in range(2):
        said = laid.json("init")
        assert (said["made"], said["older"]) == ([], [])
        assert set(said["kept"]) == (YOURS | OURS) - {"rollouts/docker.yaml"}
    assert laid.snapshot() == before


def test_what_was_there_stays_and_stands_in_no_ones_way(empty: Fleet) -> None:
    mine = {path: f"mine: {path}\n" for path in YOURS | OURS if path not in ("inventory.csv", "tsunami.yaml")}
    mine |= {"inventory.csv": "host,role\nmine-1,web\n", REQUIREMENTS: "requests\n"}
    empty.write(mine)
    said = empty.json("init")
    assert said["made"] == ["tsunami.yaml"]
    assert set(said["older"]) == OURS
    for path, text in mine.items():
        assert empty.read(path) == text, path


@pytest.mark.parametrize("place", ["CODEOWNERS", "docs/CODEOWNERS"])
def test_code_owners_elsewhere_go_on_counting(empty: Fleet, place: str) -> None:
    empty.write({place: "* @example/all\n"})
    empty.ok("init")
    assert not (empty.root / ".github/CODEOWNERS").exists()


def test_a_fleet_gets_no_example_variable_and_no_second_inventory(laid: Fleet) -> None:
    laid.write({"hosts/all.csv": "host,role\nmine-1,web\n"})
    laid.write({"tsunami.yaml": 'fleet: mine\ninventory: hosts/all.csv\nbranch: "trunk"\n'})
    for path in ("inventory.csv", "rollouts/docker.yaml", ".github/workflows/halt.yml"):
        (laid.root / path).unlink()
    (laid.root / "rollouts").rmdir()
    assert laid.json("init")["made"] == [".github/workflows/halt.yml"]
    assert 'branch: "trunk"' in laid.read(".github/workflows/halt.yml")
    assert not (laid.root / "rollouts").exists()


def test_dirty_trees_and_own_variables_do_not_matter(empty: Fleet) -> None:
    empty.commit({"rollouts/mine.yaml": "name: mine\nvalue: {type: integer}\ndefault: 1\n", "notes": "1\n"})
    empty.write({"notes": "2\n", "new": "x\n"})
    said = empty.json("init")
    assert "rollouts/docker.yaml" not in said["made"]
    assert sorted(place.name for place in (empty.root / "rollouts").iterdir()) == ["mine.yaml"]
    assert empty.git("status", "--porcelain", "notes", "new") == " M notes\n?? new"


@pytest.mark.parametrize("link", ["schemas", ".github", ".github/workflows"])
def test_nothing_is_written_through_a_link_that_leads_out(empty: Fleet, tmp_path: Path, link: str) -> None:
    (tmp_path / "outside").mkdir()
    empty.write({"tsunami.yaml": "fleet: mine\n"})
    (empty.root / link).parent.mkdir(exist_ok=True)
    (empty.root / link).symlink_to(tmp_path / "outside")
    before = empty.snapshot()
    for words in (("init",), ("init", "--upgrade", "--ci", "github")):
        assert "a link leads out of the repository" in empty.no(*words), words
    assert empty.snapshot() == before
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_link_that_stays_inside_is_followed(empty: Fleet) -> None:
    (empty.root / "shared").mkdir()
    (empty.root / "schemas").symlink_to("shared")
    empty.ok("init")
    assert (empty.root / "shared/host.schema.json").is_file()


def test_a_file_where_a_folder_should_be_is_refused_before_anything_is_written(empty: Fleet) -> None:
    empty.write({".github": "a file\n"})
    assert "no folder: move it away" in empty.no("init")
    assert files(empty) == {".github"}


# Upgrades


def test_an_upgrade_wants_a_rollouts_repository(empty: Fleet) -> None:
    assert "tsunami init" in empty.no("init", "--upgrade")
    assert files(empty) == set()


def test_an_upgrade_of_what_is_up_to_date_does_nothing(laid: Fleet) -> None:
    before = laid.snapshot()
    said = laid.json("init", "--upgrade")
    assert set(said["kept"]) == OURS
    assert (said["made"], said["upgraded"], said["removed"], said["left"]) == ([], [], [], [])
    assert "all as they should be" in laid.ok("init", "--upgrade")
    assert laid.snapshot() == before


def test_an_upgrade_renews_what_is_ours_and_leaves_the_rest_byte_for_byte(laid: Fleet) -> None:
    current = laid.snapshot()[1]
    theirs = {path: laid.read(path) + "# mine\n" for path in YOURS if not path.endswith(".json")}
    laid.commit({**OLDER, **theirs, "tsunami.yaml": "fleet: [broken\n", "schemas/mine.json": "{}\n"})
    laid.write({"rollouts/docker.yaml": "name: dirty\n", "untracked": "x\n"})
    (laid.root / "schemas/bundle.schema.json").unlink()
    before, commit = laid.snapshot()[1], laid.head()
    shown = laid.json("init", "--upgrade", "--dry-run")
    assert laid.snapshot()[1] == before

    said = laid.json("init", "--upgrade")
    assert said == {**shown, "dry_run": False}
    assert said["made"] == ["schemas/bundle.schema.json"]
    assert said["upgraded"] == sorted(OLDER)
    after = laid.snapshot()[1]
    assert {path: data for path, data in after.items() if path not in OURS} == {
        path: data for path, data in before.items() if path not in OURS
    }
    assert {path: after[path] for path in OURS} == {path: current[path] for path in OURS}
    assert laid.head() == commit
    again = laid.json("init", "--upgrade")
    assert (again["made"], again["upgraded"]) == ([], [])


def test_an_upgrade_says_how_to_look_at_it_and_how_to_keep_it(laid: Fleet) -> None:
    laid.commit(OLDER)
    said = laid.ok("init", "--upgrade")
    assert f"  upgraded  {SCHEMA}" in said
    assert "git diff" in said
    commit = next(line.partition("commit it")[2].strip() for line in said.splitlines() if "git commit" in line)
    subprocess.run(commit, shell=True, cwd=laid.root, check=True, capture_output=True)
    assert laid.git("status", "--porcelain") == ""
    assert laid.git("diff", "--stat", "HEAD~2") == ""


def edited(fleet: Fleet, path: str) -> None:
    fleet.write({path: "mine\n"})


def staged(fleet: Fleet, path: str) -> None:
    edited(fleet, path)
    fleet.git("add", path)


def hidden(fleet: Fleet, path: str) -> None:
    fleet.git("update-index", "--assume-unchanged", path)
    edited(fleet, path)


def untracked(fleet: Fleet, path: str) -> None:
    fleet.git("rm", "-q", "--cached", path)
    fleet.git("commit", "-q", "-m", "not ours")
    edited(fleet, path)


def ignored(fleet: Fleet, path: str) -> None:
    fleet.git("rm", "-q", path)
    fleet.commit({".gitignore": f"/{path}\n"})
    edited(fleet, path)


@pytest.mark.parametrize("make", [edited, staged, hidden, untracked, ignored], ids=lambda make: make.__name__)
def test_what_is_nowhere_in_git_is_not_overwritten(laid: Fleet, make: Callable[[Fleet, str], None]) -> None:
    laid.commit({REQUIREMENTS: "tsunami-cli==0.0.9\n"})
    make(laid, SCHEMA)
    before = laid.snapshot()
    for words in (("init", "--upgrade"), ("init", "--upgrade", "--dry-run")):
        error = laid.no(*words)
        assert re.search(f"{SCHEMA}: .* commit it, .* `git stash", error), words
    assert laid.snapshot() == before


def test_the_way_out_of_that_is_one(laid: Fleet) -> None:
    edited(laid, SCHEMA)
    untracked(laid, WORKFLOW)
    error = laid.no("init", "--upgrade")
    assert SCHEMA in error
    assert WORKFLOW in error
    way_out = error.split("`")[1]
    subprocess.run(way_out, shell=True, cwd=laid.root, check=True, capture_output=True)
    said = laid.json("init", "--upgrade")
    assert (said["made"], said["upgraded"]) == ([WORKFLOW], [])
    assert set(laid.git("stash", "show", "--include-untracked", "--name-only").split()) == {SCHEMA, WORKFLOW}


def test_nothing_that_was_never_committed_is_overwritten(empty: Fleet) -> None:
    empty.ok("init")
    assert empty.json("init", "--upgrade")["upgraded"] == []
    edited(empty, SCHEMA)
    assert "commit it" in empty.no("init", "--upgrade")
    assert empty.read(SCHEMA) == "mine\n"


def linked(fleet: Fleet, path: str) -> None:
    (fleet.root / path).unlink()
    (fleet.root / path).symlink_to(fleet.root.parent / "outside")


def dangling(fleet: Fleet, path: str) -> None:
    (fleet.root / path).unlink()
    (fleet.root / path).symlink_to("nowhere")


def folder(fleet: Fleet, path: str) -> None:
    (fleet.root / path).unlink()
    (fleet.root / path).mkdir()


def fifo(fleet: Fleet, path: str) -> None:
    (fleet.root / path).unlink()
    os.mkfifo(fleet.root / path)


@pytest.mark.parametrize("make", [linked, dangling, folder, fifo], ids=lambda make: make.__name__)
def test_what_is_no_plain_file_is_left_where_it_is(laid: Fleet, make: Callable[[Fleet, str], None]) -> None:
    (laid.root.parent / "outside").write_text("precious")
    laid.commit({REQUIREMENTS: "tsunami-cli==0.0.9\n"})
    make(laid, SCHEMA)
    before = laid.snapshot()
    assert f"{SCHEMA}: is a " in laid.no("init", "--upgrade")
    assert laid.json("init")["older"] == [REQUIREMENTS, SCHEMA]
    assert laid.snapshot() == before
    assert (laid.root.parent / "outside").read_text() == "precious"


def test_a_file_that_is_read_only_is_renewed_all_the_same(laid: Fleet) -> None:
    laid.commit({SCHEMA: "{}\n"})
    (laid.root / SCHEMA).chmod(0o444)
    assert laid.json("init", "--upgrade")["upgraded"] == [SCHEMA]
    assert laid.git("status", "--porcelain") == f" M {SCHEMA}"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_read_only_is_named(laid: Fleet) -> None:
    laid.commit({SCHEMA: "{}\n"})
    (laid.root / "schemas").chmod(0o555)
    assert "cannot be written" in laid.no("init", "--upgrade")
    assert laid.read(SCHEMA) == "{}\n"


@pytest.mark.parametrize(
    ("ci", "there", "renewed"),
    [
        ("gitlab", (), False),
        ("none", (), False),
        ("none", ("--ci", "github"), True),
        ("github", (), True),
        ("github", ("--ci", "none"), False),
    ],
)
def test_workflows_come_only_where_github_runs_them(
    empty: Fleet, ci: str, there: tuple[str, ...], renewed: bool
) -> None:
    empty.ok("init", "--ci", ci)
    if ci == "github":
        (empty.root / WORKFLOW).unlink()
    (empty.root / SCHEMA).unlink()
    made = empty.json("init", "--upgrade", *there)["made"]
    assert SCHEMA in made
    assert (WORKFLOW in made) == renewed
    assert (WORKFLOW in files(empty)) == renewed


# Versions


def test_a_newer_repository_is_not_taken_back(laid: Fleet) -> None:
    laid.commit({REQUIREMENTS: "tsunami-cli==99.0\n", SCHEMA: "{}\n"})
    (laid.root / ".gitignore").unlink()
    before = laid.snapshot()
    for words in (("init",), ("init", "--upgrade"), ("init", "--upgrade", "--dry-run")):
        assert f"on tsunami 99.0, this is tsunami {__version__}: upgrade tsunami" in laid.no(*words), words
    assert laid.snapshot() == before


def test_on_gitlab_the_version_stands_in_the_pipeline(empty: Fleet) -> None:
    empty.ok("init", "--ci", "gitlab")
    text = empty.read(".gitlab-ci.yml")
    assert f"=={__version__}" in text
    empty.write({".gitlab-ci.yml": text.replace(f"=={__version__}", "==99.0")})
    assert "on tsunami 99.0" in empty.no("init", "--upgrade")
    empty.write({".gitlab-ci.yml": text.replace(f"=={__version__}", "==0.0.9")})
    said = empty.run("init", "--upgrade")
    assert said.code == 0
    assert ".gitlab-ci.yml: installs tsunami 0.0.9 still" in said.err


def test_the_workflow_of_the_first_version_goes_once_others_do_its_work(empty: Fleet) -> None:
    empty.commit({"tsunami.yaml": "fleet: mine\ninventory: inventory.csv\nbranch: trunk\n", OLD_WORKFLOW: OLD_TEXT})
    assert empty.json("init", "--upgrade")["left"] == [OLD_WORKFLOW]
    assert OLD_WORKFLOW in empty.json("init")["older"]
    assert empty.read(OLD_WORKFLOW) == OLD_TEXT
    said = empty.json("init", "--upgrade")
    assert (said["removed"], said["left"]) == ([OLD_WORKFLOW], [])
    assert not (empty.root / OLD_WORKFLOW).exists()


def test_the_workflow_of_the_first_version_stays_where_it_was_edited(laid: Fleet) -> None:
    laid.commit({OLD_WORKFLOW: OLD_TEXT + "      - run: make lint\n"})
    before = laid.snapshot()
    said = laid.json("init", "--upgrade")
    assert (said["removed"], said["left"]) == ([], [OLD_WORKFLOW])
    assert OLD_WORKFLOW in laid.ok("init", "--upgrade")
    assert laid.snapshot() == before


# What all of it is made of


def test_this_projects_own_copies_are_what_is_laid_out() -> None:
    for path, data in (own_files.pipeline() | own_files.schemas()).items():
        assert (ROOT / path).read_bytes() == data, path


def test_the_help_says_what_is_kept_and_what_is_renewed(still: Fleet) -> None:
    said = " ".join(still.ok("init", "--help").split())
    for words in (
        "--ci",
        "github|gitlab|none",
        "--upgrade",
        "--dry-run",
        "git init fleet && cd fleet && tsunami init",
    ):
        assert words in said, words


@pytest.mark.slow
def test_the_wheel_has_all_of_it(empty: Fleet, tmp_path: Path) -> None:
    import sys
    import zipfile

    build = (sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path), str(ROOT))
    subprocess.run(build, cwd=tmp_path, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    for ci in ("github", "gitlab", "none"):
        root = tmp_path / ci
        git(tmp_path, "-c", "init.defaultBranch=main", "init", "-q", "--template=", ci)
        environment = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
        words = (sys.executable, "-m", "tsunami_cli", "init", "--ci", ci)
        subprocess.run(words, cwd=root, env=environment, check=True, capture_output=True)
        git(tmp_path, "-c", "init.defaultBranch=main", "init", "-q", "--template=", f"{ci}-here")
        here = Fleet(tmp_path / f"{ci}-here", empty.capture, empty.patch)
        here.ok("-C", str(here.root), "init", "--ci", ci)
        assert Fleet(root, empty.capture, empty.patch).snapshot()[1] == here.snapshot()[1], ci
