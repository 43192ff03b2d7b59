"""The page on the inventory keeps its word: its commands run in the order shown, on what those sources give."""

import io
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.fleet_world import git, new_repository
from tests.inventory import sources
from tests.test_readme import ROOT, shown
from tsunami_cli.cli import run

PAGE = ROOT / "docs" / "inventory.md"

ANSWERS = {
    "/v1/catalog/nodes": sources.catalog_nodes(),
    "/v1/catalog/service/web": [row for row in sources.catalog_service() if row["ServiceName"] == "web"],
    "/v1/catalog/service/db": [row for row in sources.catalog_service() if row["ServiceName"] == "db"],
    "/pdb/query/v4/inventory": sources.puppet_inventory(),
    "/pdb/query/v4/facts": sources.puppet_facts(),
}
"""What a server has at each path."""

TABLE = sources.table().replace("host,", "hostname,").replace(",role,", ",purpose,")
FEWER = "".join(line for line in sources.INVENTORY.splitlines(True) if not line.startswith("db"))


def given(words: list[str], folder: Path) -> bytes:
    """Return what a command that is not ours writes."""
    match words:
        case ["ansible-inventory", "--list"]:
            return json.dumps(sources.ansible()).encode()  # what it really prints is looked at in another test
        case ["curl", *_]:
            url = next(word for word in words if word.startswith("http://"))
            return json.dumps(ANSWERS["/" + url.split("/", 3)[3]]).encode()
        case ["jq", "--slurp", "add", *files]:
            if shutil.which("jq"):
                return subprocess.run(words, cwd=folder, check=True, capture_output=True).stdout
            return json.dumps([row for file in files for row in json.loads((folder / file).read_bytes())]).encode()
        case _:
            pytest.fail(f"nobody runs this: {words}")


def test_the_commands_work_in_the_order_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = new_repository(tmp_path / "fleet", sources.FILES)
    monkeypatch.chdir(folder)
    for name, text in (("targets.json", json.dumps(sources.file_sd())), ("machines.csv", TABLE), ("fewer.csv", FEWER)):
        (folder / name).write_text(text)
    ran = 0
    for line in shown(PAGE):
        first, pipe, second = line.partition(" | ")
        first, into, file = first.partition(" > ")
        words = shlex.split(second if pipe else first)
        if pipe:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given(shlex.split(first), folder))))
        if into:
            (folder / file).write_bytes(given(words, folder))
            continue
        assert (words[0], run(words[1:])) == ("tsunami", 0), (line, capsys.readouterr().err)
        ran += 1
        # Every source holds the same hosts as the inventory does; only the last import takes some away.
        assert git(folder, "rev-list", "--count", "main") == ("2" if "--accept-shrink" in words else "1"), line
    assert ran > 8
    assert git(folder, "log", "-1", "--format=%s") == "inventory: import 3 hosts from csv (+0 -2)"


def test_every_flag_and_key_of_the_page_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = PAGE.read_text("utf-8")
    monkeypatch.setenv("COLUMNS", "200")
    assert run(["inventory", "import", "--help"]) == 0
    known = capsys.readouterr().out
    for flag in set(re.findall(r"`(--[a-z-]+)", text)):
        assert flag in known, flag
    monkeypatch.chdir(new_repository(tmp_path / "fleet", sources.FILES))
    Path("machines.csv").write_text(sources.table())
    assert run(["inventory", "import", "--from", "csv", "machines.csv", "--label", "site=meta:site", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    for key in re.findall(r"`([a-z_]+)`", text.partition("`--json` has everything")[2]):
        assert key in data, key
