"""The pages that explain keep their word: every command is run, in the order shown, and says what the page shows."""

import re
from fractions import Fraction
from pathlib import Path

import pytest

from tests.pages import Reader, fits, page
from tsunami_cli.cli import COMMANDS
from tsunami_cli.core.hashing import h64

NAMES = ("how-it-decides", "no-flapping", "halts", "threat-model", "comparison")
WORKED = "A role of ten hosts"
"""The section that makes the fleet of all examples."""


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    folder = tmp_path / "ten"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Reader(folder, monkeypatch)


def worked_fleet() -> str:
    """Return the part of the worked example that makes the fleet: up to its first commit."""
    section = page("how-it-decides").partition(f"## {WORKED}\n")[2]
    made, first, _ = section.partition("$ git add --all && git commit --quiet --message 'Ten hosts'\n")
    assert first
    return f"{made}{first}```\n"


def test_the_worked_example(reader: Reader) -> None:
    reader.follow(page("how-it-decides").partition(f"## {WORKED}\n")[2])
    assert len(reader.ran) >= 5


@pytest.mark.parametrize("name", ["no-flapping", "halts"])
def test_the_examples_on_its_fleet(name: str, reader: Reader) -> None:
    reader.follow(worked_fleet())
    reader.follow(page(name))
    assert len(reader.ran) > 10
    if name == "halts":
        _check_resumed(reader.folder)


def _check_resumed(folder: Path) -> None:
    """The schedule that the page shows is the one that `resume` made."""
    shown = re.findall(r"^ *- \{at: .*\}$", page("halts"), re.MULTILINE)
    assert len(shown) == 4
    made = (folder / "rollouts" / "agent.yaml").read_text("utf-8")
    assert [line.strip() for line in shown] == re.findall(r"- \{at: .*\}", made)


def test_the_numbers_of_the_worked_example() -> None:
    text = page("how-it-decides")
    rollout = re.search(r"`(agent-\w+)`", text)
    assert rollout
    prose = " ".join(text.split())
    phis = re.search(r"`(\w+)` gets `phi` = ([0-9.]+)\. A role `(\w+)` would get ([0-9.]+)\.", prose)
    assert phis, "the sentence on phi"
    offsets = {role: Fraction(h64(f"{rollout[1]}\0{role}"), 1 << 64) for role in phis.group(1, 3)}
    assert [f"{float(offset):.4f}" for offset in offsets.values()] == [phis[2], phis[4]]
    after = re.findall(r"after ([0-9]+) min ([0-9]+) s", prose)
    # Ten hosts in ten hours: the first one moves (1 - phi) hours after the start, at the next whole second.
    assert [60 * int(m) + int(s) for m, s in after] == [-(-3600 * (1 - offset) // 1) for offset in offsets.values()]
    rows = re.findall(r"^\| \d\d:\d\d \| ([0-9]+) % \| ([0-9.]+) \| ([0-9]+)", text, re.MULTILINE)
    assert len(rows) == 4
    for percent, sum_, moved in rows:
        reached = Fraction(int(percent), 10) + offsets["web"]
        assert (f"{float(reached):.4f}", int(reached)) == (sum_, int(moved))


def test_every_command_that_is_named_is_there() -> None:
    for name in NAMES:
        named = set(re.findall(r"`tsunami ([a-z]+)", page(name)))
        assert named <= {*COMMANDS}, name


@pytest.mark.parametrize(
    ("shown", "said", "same"),
    [
        ("a ... c\n", "a b c\n", True),
        ("a\n...\n", "a\nb\nc\n", True),
        ("#4 (1ad7861)\n", "#4 (024650e)\n", True),
        ("a  \n", "a\n", True),
        ("a\n", "a\nb\n", False),
        ("#4 (1ad7861)\n", "#5 (1ad7861)\n", False),
        ("...\nb\n", "a\nc\n", False),
    ],
)
def test_an_output_that_differs_is_noticed(shown: str, said: str, same: bool) -> None:
    assert fits(shown, said) is same
