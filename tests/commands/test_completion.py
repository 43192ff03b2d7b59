"""What a shell completes: asked of the program, and once through each shell with the file that a package installs."""

import os
import pty
import select
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands.fleet_world import ROOT, Fleet
from tsunami_cli import cli

FILES = ROOT / "docs" / "completions"
Ask = Callable[[str], list[str]]

ROLES = ["accesspoint", "db", "login", "metrics", "proxy", "search"]
TABLE = {
    "tsunami st": ["start", "status"],
    "tsunami start ": ["docker", "helios", "somaxconn"],
    "tsunami start d": ["docker"],
    "tsunami start docker --da": [],
    "tsunami start docker --dr": ["--dry-run"],
    "tsunami halt docker h": ["helios"],
    "tsunami get lon2-db": ["lon2-db-a1", "lon2-db-a3", "lon2-db-a5"],
    "tsunami get lon2-db-a1 s": ["somaxconn"],
    "tsunami explain lon2-db-a1 h": ["helios"],
    "tsunami pin docker --role ": ROLES,
    "tsunami pin docker --role=s": ["search"],
    "tsunami pin docker --host lon2-m": ["lon2-metrics-a1", "lon2-metrics-a3"],
    "tsunami audit --variable s": ["somaxconn"],
    "tsunami render --role a": ["accesspoint"],
    "tsunami ack docker ": ["docker-running"],
    "tsunami ack helios ": [],
    "tsunami ack nothing ": [],
    "tsunami new x --type ": ["string", "integer", "number", "boolean"],
    "tsunami inventory ": ["import", "list"],
    "tsunami inventory import --from ": ["ansible", "consul", "puppetdb", "prometheus-sd", "csv"],
    "tsunami inventory import --from p": ["puppetdb", "prometheus-sd"],
    "tsunami inventory import --from=c": ["consul", "csv"],
    "tsunami render --out ": [],
}
"""A line up to the cursor -> what may stand there."""


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Return how to ask the program as bash asks it; that it says nothing else is asserted."""

    def asked(line: str) -> list[str]:
        words = line.split(" ")
        monkeypatch.setenv("_TSUNAMI_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", "\n".join(words))
        monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            cli.run([])
        said = capsys.readouterr()
        assert (left.value.code, said.err) == (0, ""), line
        return said.out.split()

    return asked


def test_it_completes_what_may_stand_there(still: Fleet, ask: Ask) -> None:
    assert {line: ask(line) for line in TABLE} == TABLE


def test_every_command_can_be_completed(ask: Ask) -> None:
    assert ask("tsunami ") == list(cli.COMMANDS)


def test_the_folder_before_the_command_counts(
    still: Fleet, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ask(f"tsunami -C {still.root} start d") == ["docker"]


@pytest.mark.parametrize("broken", ["no repository", "tsunami.yaml", "inventory.csv", "rollouts/docker.yaml"])
def test_it_is_silent_where_it_cannot_know(
    broken: str, fleet: Fleet, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if broken == "no repository":
        monkeypatch.chdir(tmp_path)
    else:
        (fleet.root / broken).write_text("{[")
    for line in ("tsunami start x", "tsunami get lon9", "tsunami pin docker --role x", "tsunami ack docker x"):
        assert ask(line) == []


def shell(name: str) -> str:
    """Return the path of a shell; where there is none the test is skipped, or fails where CI must have it."""
    found = shutil.which(name)
    if found is None and os.environ.get("TSUNAMI_REQUIRE_SERVERS") == "1":
        pytest.fail(f"there is no {name}: .ci/run installs it")
    if found is None:
        pytest.skip(f"there is no {name}: apt-get install {name}")
    return found


def test_bash_completes_with_the_installed_file(still: Fleet) -> None:
    lines = [
        f"source {FILES / 'tsunami.bash'}",
        "complete -p tsunami",
        'COMP_WORDS=(tsunami start d); COMP_CWORD=2; _tsunami_completion tsunami d start; echo "${COMPREPLY[*]}"',
        'COMP_WORDS=(tsunami pin docker --role ""); COMP_CWORD=4; _tsunami_completion tsunami; echo "${COMPREPLY[*]}"',
    ]
    words = (shell("bash"), "--norc", "-c", "\n".join(lines))
    done = subprocess.run(words, cwd=still.root, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    # Where nothing is known bash goes on with the names of files.
    assert done.stdout.splitlines() == [
        "complete -o default -F _tsunami_completion tsunami",
        "docker",
        " ".join(ROLES),
    ]


def test_fish_completes_with_the_installed_file(still: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vendor = tmp_path / "data" / "fish" / "vendor_completions.d"
    vendor.mkdir(parents=True)
    shutil.copy(FILES / "tsunami.fish", vendor)
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path / "data"))
    asked = ["tsunami pin docker --role ", "tsunami st", "tsunami render --out roll"]
    code = "; ".join(f"complete -C '{line}'; echo ." for line in asked)
    done = subprocess.run((shell("fish"), "-c", code), cwd=still.root, capture_output=True, text=True, check=True)
    roles, commands, files = [part.split("\n") for part in done.stdout.removesuffix("\n.\n").split("\n.\n")]
    assert roles == ROLES
    assert [line.split("\t")[0] for line in commands] == ["start", "status"]
    assert commands[0].split("\t")[1].startswith("Start a rollout")
    assert files == ["rollouts/"]


ZSH = {"tsunami pin d\t": "pin docker ", "--role a\t": "accesspoint ", "--to rol\t": "rollouts/"}
"""What is typed, one after the other on one line -> what it becomes; files where nothing is known."""


def test_zsh_completes_with_the_installed_file_from_the_first_key_on(still: Fleet, tmp_path: Path) -> None:
    (tmp_path / "functions").mkdir()
    shutil.copy(FILES / "_tsunami", tmp_path / "functions")
    setup = f"PS1='> '; fpath=({tmp_path}/functions $fpath); autoload -Uz compinit; compinit -u -D; PS1='ready''> '"
    terminal = _Terminal([shell("zsh"), "-f", "-i"], still.root)
    try:
        terminal.type(f"{setup}\n", until="ready> ")
        for keys, shown in ZSH.items():
            assert shown in terminal.type(keys, until=shown), keys
    finally:
        terminal.close()


class _Terminal:
    """A process in a terminal of its own, typed to as a person types."""

    def __init__(self, words: list[str], folder: Path) -> None:
        ours, theirs = pty.openpty()
        environment = os.environ | {"TERM": "dumb"}
        self._process = subprocess.Popen(
            words, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        self._end = ours

    def type(self, keys: str, *, until: str, seconds: float = 20) -> str:
        """Type, and return what is shown up to and with a text; after so many seconds, what there is."""
        os.write(self._end, keys.encode())
        shown, deadline = "", time.monotonic() + seconds
        while until not in shown.split("\n")[-1] and time.monotonic() < deadline:
            if select.select([self._end], [], [], 0.1)[0]:
                shown += os.read(self._end, 65536).decode(errors="replace")
        return shown

    def close(self) -> None:
        """End the process and the terminal."""
        self._process.kill()
        self._process.wait()
        os.close(self._end)
