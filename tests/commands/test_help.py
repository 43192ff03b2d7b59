"""The first page of help."""

import re

import pytest

from tsunami_cli.cli import COMMANDS, run


def test_the_first_page_names_all_commands(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert run(["--help"]) == 0
    named = re.findall(r"^│ ([a-z]+) +\S", capsys.readouterr().out, re.MULTILINE)
    assert named == sorted(COMMANDS, key=list(COMMANDS).index)
