"""What a command loads before it answers: most of the time of a cold process, and so part of the design."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import tsunami_cli

ROOT = Path(__file__).resolve().parent.parent

RUN = """\
import sys
from tsunami_cli.cli import run
code = run(sys.argv[1:])
print(*sorted(sys.modules))
sys.exit(code)
"""
BARE = "import sys; print(*sorted(sys.modules))"

FILES = {
    "tsunami.yaml": "fleet: test\ninventory: inventory.csv\nbranch: main\npublish: {to: file:public}\n",
    "inventory.csv": "host,role,site\na1,web,lon2\na2,web,lon2\nb1,login,ash1\n",
    "rollouts/docker.yaml": """\
name: docker
value: {type: string, pattern: '^\\d+\\.\\d+\\.\\d+$'}
default: "1.12.1"
first: ["a*"]
spread: site
limits:
  "*": {at_least: 1, at_most: 90%}
calendar: {timezone: Europe/Stockholm, days: [mon, tue, wed, thu, fri], hours: 09:00-17:00}
pins:
  - {roles: [login], value: "1.12.1", reason: "by hand"}
rollouts:
  - id: docker-20161114T095512Z
    selection: 1
    from: ["1.12.1"]
    to: "1.12.3"
    over: 14d
    schedule:
      - {at: 2016-11-14T10:00:00Z, percent: 0}
      - {at: 2016-11-28T10:00:00Z, percent: 100}
""",
}

TYPER = {"annotated_doc", "shellingham", "typer", "typing_extensions"}
"""typer with what it imports; 0.29 brings pydantic, and is not allowed for that."""

FOR_VERSION = """
    tsunami_cli tsunami_cli.cli tsunami_cli.errors tsunami_cli.core tsunami_cli.core.problems
"""
FOR_GET = f"""
    {FOR_VERSION}
    tsunami_cli.commands tsunami_cli.commands.get tsunami_cli.commands.fleet tsunami_cli.commands.options
    tsunami_cli.commands.workspace
    tsunami_cli.adapters tsunami_cli.adapters.clock tsunami_cli.adapters.inventory_files tsunami_cli.adapters.schemas
    tsunami_cli.adapters.yaml tsunami_cli.adapters.yaml.documents tsunami_cli.adapters.yaml.events
    tsunami_cli.adapters.yaml.scalars tsunami_cli.adapters.schemas.findings tsunami_cli.adapters.schemas.references
    tsunami_cli.adapters.schemas.wording
    tsunami_cli.adapters.git tsunami_cli.adapters.git.objects tsunami_cli.adapters.git.process
    tsunami_cli.adapters.git.repository tsunami_cli.adapters.git.trees
    tsunami_cli.core.guard tsunami_cli.core.guard.objective tsunami_cli.core.holds
    tsunami_cli.core.calendar tsunami_cli.core.hashing tsunami_cli.core.inventory tsunami_cli.core.lineup
    tsunami_cli.core.model tsunami_cli.core.nodes tsunami_cli.core.open_time tsunami_cli.core.pacing
    tsunami_cli.core.quota tsunami_cli.core.schedule tsunami_cli.core.status tsunami_cli.core.text
    tsunami_cli.core.told tsunami_cli.core.values
    tsunami_cli.core.checks tsunami_cli.core.checks.document tsunami_cli.core.checks.hours
    tsunami_cli.core.checks.rollouts tsunami_cli.core.checks.scalars tsunami_cli.core.checks.settings
    tsunami_cli.core.checks.variable
"""

HOW_TO_DECIDE = """
Hosts run `tsunami get` every minute, each time as a new process that loads everything anew.
- Needed for some answers only, or for other commands? Import it inside the function that needs it.
- Needed for every answer? Look at `make bench ARGS='--only get'` before and after; if that is still within the
  budget, add it to the list in tests/test_imports.py."""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fleet")
    for path, text in FILES.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
    for words in ("-c init.defaultBranch=main init -q", "add --all", "commit -q -m start"):
        subprocess.run(["git", *words.split()], cwd=folder, check=True)
    return folder


@pytest.fixture
def loaded(fleet: Path) -> Callable[..., tuple[str, set[str]]]:
    """Return how to run a command: its output, and the modules that it loaded."""
    # Coverage of this process would measure, and load, on.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE_", "COV_CORE_"))}
    environment = kept | {"PYTHONPATH": str(ROOT), "TSUNAMI_NOW": "2016-11-21T10:00:00Z"}

    def python(code: str, *words: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", code, *words],
            cwd=fleet,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    # What the environment's own .pth files load is none of our doing.
    before = set(python(BARE)[-1].split())

    def run(*words: str) -> tuple[str, set[str]]:
        *output, modules = python(RUN, *words)
        return "\n".join(output), set(modules.split()) - before

    return run


def ours(modules: set[str]) -> set[str]:
    return {name for name in modules if name.partition(".")[0] == "tsunami_cli"}


def third_party(modules: set[str]) -> set[str]:
    tops = {name.partition(".")[0] for name in modules}
    # Some are no packages: what `zoneinfo` and Cython's modules leave behind.
    packages = {name for name in tops if not name.startswith(("_cython_", "cython_runtime", "_sysconfigdata_"))}
    return packages - sys.stdlib_module_names - {"tsunami_cli"}


def test_get_loads_only_what_it_needs(loaded: Callable[..., tuple[str, set[str]]]) -> None:
    output, modules = loaded("get", "a1", "docker")
    assert output in ("1.12.1", "1.12.3")

    strange = third_party(modules) - TYPER - {"_ruamel_yaml", "jsonschema_rs", "ruamel"}
    assert not strange, f"`tsunami get` loads the packages {sorted(strange)}.{HOW_TO_DECIDE}"
    assert {"typer", "_ruamel_yaml", "jsonschema_rs"} <= third_party(modules), "what it parses with has changed"
    more = ours(modules) - set(FOR_GET.split())
    assert not more, f"`tsunami get` loads {sorted(more)}.{HOW_TO_DECIDE}"


def test_the_version_loads_no_command(loaded: Callable[..., tuple[str, set[str]]]) -> None:
    output, modules = loaded("--version")
    assert output.startswith("tsunami ")

    strange = third_party(modules) - TYPER
    assert not strange, f"`tsunami --version` loads the packages {sorted(strange)}: import them where they are needed"
    more = ours(modules) - set(FOR_VERSION.split())
    assert not more, f"`tsunami --version` loads {sorted(more)}: cli.py is to import no command, and nothing for one"


def test_the_lists_name_modules_that_exist() -> None:
    gone = {
        name
        for name in FOR_GET.split()
        for place in [Path(tsunami_cli.__file__).parents[1].joinpath(*name.split("."))]
        if not place.is_dir() and not place.with_suffix(".py").is_file()
    }
    assert not gone, f"take {sorted(gone)} out of tests/test_imports.py"
