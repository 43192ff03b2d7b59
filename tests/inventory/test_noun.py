"""A noun with verbs, on the command line: help, the folder, what the shell completes, wrong words."""

import pytest

from tests.commands.fleet_world import Fleet
from tsunami_cli import cli


def test_help_of_the_noun_and_its_verbs(fleet: Fleet) -> None:
    assert "The hosts of the fleet and their roles" in fleet.run("--help").out
    said = fleet.run("inventory", "--help")
    assert said.code == 0
    assert [line.split()[1] for line in said.out.splitlines() if line.startswith(("│ import", "│ list"))] == [
        "import",
        "list",
    ]
    assert fleet.run("inventory").code == 2
    assert "tsunami inventory import [OPTIONS]" in fleet.run("inventory", "import", "-h").out
    assert "No such command 'bogus'. (see tsunami inventory --help)" in fleet.no("inventory", "bogus", code=2)
    assert "Missing argument 'FILE'" in fleet.no("inventory", "import", code=2)


@pytest.mark.parametrize(
    "words",
    [("-C", "fleet", "inventory", "list"), ("inventory", "list", "-C", "fleet")],
    ids=["before the noun", "after the verb"],
)
def test_the_folder(fleet: Fleet, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    monkeypatch.chdir(fleet.root.parent)
    assert fleet.run(*words).out.startswith("db1")
    assert fleet.run("-C", "..", "inventory", "list", "-C", f"{fleet.root.parent.name}/fleet").out.startswith("db1")


def test_what_the_shell_completes(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(fleet.root.parent)
    table = {
        "tsunami inv": ["inventory"],
        "tsunami inventory ": ["import", "list"],
        "tsunami inventory import --drop": ["--drop-label"],
        "tsunami inventory import --from p": ["puppetdb", "prometheus-sd"],
        "tsunami -C fleet inventory list --role w": ["web"],
        "tsunami inventory list -C fleet --role ": ["db", "web"],
    }
    monkeypatch.setenv("_TSUNAMI_COMPLETE", "complete_bash")
    for line, found in table.items():
        words = line.split(" ")
        monkeypatch.setenv("COMP_WORDS", "\n".join(words))
        monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
        capsys.readouterr()
        with pytest.raises(SystemExit):
            cli.run([])
        assert capsys.readouterr().out.split() == found, line
