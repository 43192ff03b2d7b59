"""What is built of this repository: the sdist, the wheel, a fresh environment with it, and the hook for pre-commit."""

import base64
import csv
import hashlib
import re
import shlex
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path

import pytest
import yaml

from tsunami_cli import __version__, cli

ROOT = Path(__file__).parents[1]
SHARED = {
    "share/man/man1/tsunami.1": "man/tsunami.1",
    "share/bash-completion/completions/tsunami": "completions/tsunami.bash",
    "share/zsh/site-functions/_tsunami": "completions/_tsunami",
    "share/fish/vendor_completions.d/tsunami.fish": "completions/tsunami.fish",
}
"""Where it is installed -> where it lies in `docs`."""
HEART = {
    *("CHANGELOG.md", "LICENSE", "Makefile", "README.md", "inventory.csv", "pyproject.toml", "tsunami.yaml"),
    *(".ci/constraints.txt", ".ci/run", ".pre-commit-hooks.yaml", "benchmarks/run.py", "docs/reference.py"),
    *("rollouts/docker.yaml", "schemas/variable.schema.json", "tests/conftest.py", "tests/examples/valid/design.yaml"),
}


@dataclass(frozen=True)
class Built:
    """An sdist and a wheel of this tree."""

    sdist: Path
    wheel: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build both, as `python -m build --no-isolation` does."""
    if not (ROOT / "tsunami_cli").is_dir():
        pytest.skip("the sources are not here: these tests are of the tree that packages are built from")
    folder = tmp_path_factory.mktemp("dist")
    words = (sys.executable, "-m", "hatchling", "build", "-d", str(folder))
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return Built(sdist, wheel)


@pytest.fixture
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a fresh environment with the wheel alone; libraries are those of the environment that runs the tests."""
    place = tmp_path_factory.mktemp("user") / "venv"
    subprocess.run((sys.executable, "-m", "venv", "--without-pip", str(place)), check=True)
    python = place / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index")
    subprocess.run((*pip, "--no-compile", str(built.wheel)), check=True)
    (libraries,) = place.glob("lib/python*/site-packages")
    (libraries / "borrowed.pth").write_text(sysconfig.get_paths()["purelib"])
    return place


def test_the_wheel_holds_the_package_and_what_it_brings_along(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        names = set(wheel.namelist())
    own = {f"tsunami_cli/{name}" for name in ("example/tsunami.yaml", "schemas/variable.schema.json")}
    modules = {file.relative_to(ROOT).as_posix() for file in (ROOT / "tsunami_cli").rglob("*.py")}
    data = f"tsunami_cli-{__version__}.data/data"
    assert own | modules | {f"{data}/{path}" for path in SHARED} <= names
    assert {name.partition("/")[0].removeprefix(f"tsunami_cli-{__version__}") for name in names} == {
        *("tsunami_cli", ".data", ".dist-info")
    }
    stray = [name for name in names if re.search(r"__pycache__|\.py[co]$|(^|/)(tests|benchmarks)/|\.cache", name)]
    assert not stray


def test_every_file_of_the_wheel_is_the_one_that_is_recorded(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        record = next(name for name in wheel.namelist() if name.endswith(".dist-info/RECORD"))
        rows = {path: digest for path, digest, _ in csv.reader(wheel.read(record).decode().splitlines())}
        assert rows.pop(record) == ""
        assert {*rows, record} == set(wheel.namelist())
        for path, digest in rows.items():
            sha256 = base64.urlsafe_b64encode(hashlib.sha256(wheel.read(path)).digest()).decode().rstrip("=")
            assert digest == f"sha256={sha256}", path


def test_the_wheel_says_what_it_is(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        info = f"tsunami_cli-{__version__}.dist-info"
        data = message_from_bytes(wheel.read(f"{info}/METADATA"))
        entries = wheel.read(f"{info}/entry_points.txt").decode()
        assert f"{info}/licenses/LICENSE" in wheel.namelist()
    assert (data["Name"], data["Version"], data["License-Expression"]) == ("tsunami-cli", __version__, "Apache-2.0")
    assert (data["Requires-Python"], data["Description-Content-Type"]) == (">=3.11", "text/markdown")
    assert str(data.get_payload()).startswith("# Tsunami\n")
    script = "tsunami_cli.cli:main"
    assert entries == f"[console_scripts]\ntsunami = {script}\ntsunami-cli = {script}\n"


def test_the_sdist_holds_what_a_packager_needs(built: Built) -> None:
    top = f"tsunami_cli-{__version__}"
    with tarfile.open(built.sdist) as sdist:
        names = {name.removeprefix(f"{top}/") for name in sdist.getnames()}
    assert {*HEART, "PKG-INFO"} | {f"docs/{path}" for path in SHARED.values()} <= names
    tests = {file.relative_to(ROOT).as_posix() for file in (ROOT / "tests").rglob("*") if file.is_file()}
    missing = {name for name in tests - names if "__pycache__" not in name}
    assert not missing, "what the tests read is to be in the sdist"
    assert not [name for name in names if re.search(r"__pycache__|^(\.git|\.venv|\.cache|dist|public)(/|$)", name)]


def test_a_user_of_the_wheel_has_all_of_it(installed: Path, tmp_path: Path) -> None:
    for name in ("tsunami", "tsunami-cli"):
        done = subprocess.run((installed / "bin" / name, "--version"), capture_output=True, text=True, check=True)
        assert done.stdout == f"tsunami {__version__}\n"
    for path, source in SHARED.items():
        assert (installed / path).read_bytes() == (ROOT / "docs" / source).read_bytes(), path

    def run(line: str) -> str:
        words = shlex.split(line)
        program = str(installed / "bin" / words[0]) if words[0] in ("tsunami", "python") else words[0]
        done = subprocess.run((program, *words[1:]), cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (line, done.stderr)
        return done.stdout

    where = run("python -c 'import tsunami_cli; print(tsunami_cli.__file__)'")
    assert Path(where.strip()).is_relative_to(installed)
    for line in ("git init -q -b main", "tsunami init", "git add --all", "git commit -q -m start", "tsunami validate"):
        run(line)
    host = (tmp_path / "inventory.csv").read_text().splitlines()[1].split(",")[0]
    assert run(f"tsunami get {host}").startswith('{"docker": "')
    for schema in (ROOT / "schemas").iterdir():
        assert (tmp_path / "schemas" / schema.name).read_bytes() == schema.read_bytes()


def test_the_hook_for_pre_commit_runs_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert {key: type(value) for key, value in hook.items()} == {
        **dict.fromkeys(("id", "name", "description", "entry", "language", "files", "minimum_pre_commit_version"), str),
        "pass_filenames": bool,
    }
    assert (hook["id"], hook["language"], hook["pass_filenames"]) == ("tsunami-validate", "python", False)
    for path in ("tsunami.yaml", "rollouts/docker.yaml", "inventory.csv", "hosts/all.yml"):
        assert re.search(hook["files"], path), path

    monkeypatch.chdir(tmp_path)
    subprocess.run(("git", "init", "-q", "-b", "main"), check=True)
    program, *arguments = shlex.split(hook["entry"])
    assert (program, cli.run(["init"])) == ("tsunami", 0)
    subprocess.run(("git", "add", "--all"), check=True)
    subprocess.run(("git", "commit", "-q", "-m", "start"), check=True)
    # As git runs a hook: these would send another git elsewhere.
    monkeypatch.setenv("GIT_DIR", str(tmp_path / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    assert cli.run(arguments) == 0
    next((tmp_path / "rollouts").glob("*.yaml")).write_text("name: [\n")
    capsys.readouterr()
    assert cli.run(arguments) == 1
    assert re.search(r"^rollouts/\w+\.yaml:\d+:\d+", capsys.readouterr().out)
