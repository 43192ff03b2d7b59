"""What a rollouts repository begins with, and which versions may upgrade it."""

import pytest

from tsunami_cli.core.laying_out import Ci, admit, beginning, ci_of, pinned, upgrade
from tsunami_cli.core.problems import Refusal

FILES = dict.fromkeys(("tsunami.yaml", "inventory.csv", "rollouts/docker.yaml", ".github/CODEOWNERS", "README.md"), b"")


@pytest.mark.parametrize(
    ("origin", "there", "ci"),
    [
        ("", (), Ci.GITHUB),
        ("github.com", (), Ci.GITHUB),
        ("git.example.net", (), Ci.GITHUB),
        ("GitLab.example.net", (), Ci.GITLAB),
        ("gitlab.com", (".github/workflows",), Ci.GITLAB),
        ("git.example.net", (".gitlab-ci.yml",), Ci.GITLAB),
        ("git.example.net", (".gitlab-ci.yml", ".github/workflows"), Ci.GITHUB),
        ("github.com", (".gitlab-ci.yml",), Ci.GITHUB),
    ],
)
def test_who_publishes_is_told_by_the_remote_and_by_files(origin: str, there: tuple[str, ...], ci: Ci) -> None:
    assert ci_of(origin, there.__contains__) is ci


@pytest.mark.parametrize(
    ("there", "inventory", "gone"),
    [
        ((), None, ()),
        (("rollouts/",), None, ("rollouts/docker.yaml",)),
        ((), "inventory.csv", ("rollouts/docker.yaml",)),
        ((), "hosts/all.yaml", ("inventory.csv", "rollouts/docker.yaml")),
        (("CODEOWNERS",), None, (".github/CODEOWNERS",)),
        (("docs/CODEOWNERS",), None, (".github/CODEOWNERS",)),
        ((".github/CODEOWNERS",), None, ()),
        (("README.rst",), None, ("README.md",)),
    ],
)
def test_nothing_is_laid_out_that_speaks_against_what_is_there(
    there: tuple[str, ...], inventory: str | None, gone: tuple[str, ...]
) -> None:
    assert tuple(sorted(set(FILES) - set(beginning(FILES, there.__contains__, inventory)))) == gone


@pytest.mark.parametrize(
    ("text", "version"),
    [
        (b"tsunami-cli==1.2.3\n", "1.2.3"),
        (b"# why\n  tsunami-cli[notify] == 1.10 # no\n", "1.10"),
        (b'    - pip install --quiet "tsunami-cli[notify]==0.1.0"\n', "0.1.0"),
        (b"tsunami-cli==1.2.0rc1\n", "1.2.0"),
        (b"# tsunami-cli==9.9\ntsunami-cli==1.0\n", "1.0"),
        (b"# tsunami-cli==9.9\n", None),
        (b"not-tsunami-cli-at-all==9.9\n", None),
        (b"tsunami-cli>=9.9\n", None),
        (b"tsunami-cli==main\n", None),
        (b"\xff\xfe", None),
        (b"", None),
    ],
)
def test_the_version_that_a_file_names(text: bytes, version: str | None) -> None:
    assert pinned(text) == version


@pytest.mark.parametrize("theirs", [None, "1.9.9", "1.10", "1.10.0", "1.10.0.0", "0.99", "1", "1.9.11"])
def test_the_same_version_or_an_older_one_is_upgraded(theirs: str | None) -> None:
    admit("1.10.0", theirs)


@pytest.mark.parametrize("theirs", ["1.10.1", "1.10.0.1", "1.11", "2", "10.0"])
def test_a_newer_one_is_not_taken_back(theirs: str) -> None:
    with pytest.raises(Refusal, match=rf"on tsunami {theirs}, this is tsunami 1.10: .*tsunami-cli>={theirs}"):
        admit("1.10", theirs)


def test_an_upgrade_sorts_every_path_once() -> None:
    owned = {"b": b"new", "a": b"new", "c": b"same"}
    done = upgrade("1.2", owned, {"a": None, "b": b"old", "c": b"same"}, {"y": True, "x": False})
    assert (done.made, done.upgraded, done.removed, done.left, done.kept) == (("a",), ("b",), ("y",), ("x",), ("c",))
    assert done.changed == ("a", "b", "y")
