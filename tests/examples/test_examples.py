"""Every file of `valid` and `invalid`, run through `tsunami validate` in a repository with a fleet."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tsunami_cli import cli

HERE = Path(__file__).parent
VALID = sorted((HERE / "valid").glob("*.yaml"))
INVALID = sorted((HERE / "invalid").glob("*.yaml"))
EXPECT = re.compile(r"# expect: (?P<line>[0-9]+): (?P<says>.*?)(?P<schema>  *# schema)?")

FILES = {
    "tsunami.yaml": "fleet: examples\n",
    "inventory.csv": "host,role,site,rack\n"
    "lon2-canary-1,accesspoint,lon2,r1\nlon2-search-a1,search,lon2,r2\nsto1-login-a1,login,sto1,r1\n",
}


@pytest.fixture(scope="module")
def _root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("examples")
    for path, text in FILES.items():
        (root / path).write_text(text)
    (root / "rollouts").mkdir()
    for words in (("init", "-q", "-b", "main"), ("add", "--all"), ("commit", "-q", "-m", "A fleet")):
        subprocess.run(("git", *words), cwd=root, check=True)
    return root


@pytest.fixture
def root(_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository with an inventory and no variable."""
    for place in (_root / "rollouts").iterdir():
        place.unlink()
    monkeypatch.setenv("TSUNAMI_NOW", "2016-11-14T09:55:12Z")
    return _root


def validate(root: Path, example: Path, capture: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, object]]]:
    """Return the exit code, and the errors that are found in an example."""
    file = f"rollouts/{example.name}"
    (root / file).write_bytes(example.read_bytes())
    capture.readouterr()
    code = cli.run(["-C", str(root), "validate", "--json"])
    problems: list[dict[str, object]] = json.loads(capture.readouterr().out)["problems"]
    errors = [one for one in problems if one["severity"] == "error"]
    assert {one["file"] for one in errors} <= {file}
    return code, errors


def test_there_are_examples_of_either_kind() -> None:
    assert len(VALID) > 10
    assert len(INVALID) > 50


@pytest.mark.parametrize("example", VALID, ids=lambda path: path.stem)
def test_a_valid_example_has_no_error(example: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert validate(root, example, capsys) == (0, [])


@pytest.mark.parametrize("example", INVALID, ids=lambda path: path.stem)
def test_an_invalid_example_has_the_error_it_expects(
    example: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = example.read_bytes().split(b"\n", 1)[0].decode()
    expected = EXPECT.fullmatch(first)
    assert expected, f"{example}: begins with {first!r}, and not with `# expect: LINE: SUBSTRING`"
    code, errors = validate(root, example, capsys)
    assert code == 1
    found = {f"{one['where']} {one['message']}": one["line"] for one in errors}
    hits = [text for text, line in found.items() if expected["says"] in text and line == int(expected["line"])]
    assert hits, f"{first}\nfound: {found}"
