"""Every rollout of Fedora CoreOS from 2019 to 2026, written as a variable file: real input of real operators."""

import json
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tsunami_cli.adapters.yaml.edits import edit
from tsunami_cli.commands.fleet import load_variable
from tsunami_cli.core.edits import Fragment, Insert
from tsunami_cli.core.text import compact, decimal_text, duration_text, instant_text
from tsunami_cli.core.values import yaml_quoted

ROLLOUTS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "vectors" / "real-rollouts.json").read_text("utf-8")
)
FILE = b"""\
# yaml-language-server: $schema=../schemas/variable.schema.json
name: coreos
value: {type: string}
default: "before"
rollouts: []   # one for each release
"""


def written(row: dict[str, Any]) -> tuple[bytes, datetime, Fraction, timedelta]:
    """Return a variable file with a rollout, its start, its first share and its length."""
    start = datetime.fromtimestamp(row["start_epoch"], UTC)
    share = Fraction(str(row["start_percentage"]))
    percent = share if share > 1 else 100 * share  # two operators wrote 100 where 1 was meant
    over = timedelta(minutes=row["duration_minutes"])
    fragment: Fragment = {
        "id": f"coreos-{compact(start)}",
        "selection": "1",
        "from": '["before"]',
        "to": yaml_quoted(row["version"]),
        "over": duration_text(over),
        "schedule": (
            f"{{at: {instant_text(start)}, percent: {decimal_text(percent)}}}",
            f"{{at: {instant_text(start + over)}, percent: 100}}",
        ),
    }
    return edit(FILE, [Insert(("rollouts", 0), fragment)], "rollouts/coreos.yaml"), start, percent / 100, over


def test_there_are_as_many_as_there_were() -> None:
    assert len(ROLLOUTS) == 305


@pytest.mark.parametrize("row", ROLLOUTS, ids=lambda row: f"{row['stream']}-{row['version']}")
def test_a_real_rollout_is_a_valid_variable_with_the_progress_it_had(row: dict[str, Any]) -> None:
    data, start, first, over = written(row)
    loaded = load_variable(data, "rollouts/coreos.yaml", None)
    assert loaded.variable is not None, loaded.problems
    assert loaded.errors == ()
    rollout = loaded.variable.rollouts[0]
    assert rollout.progress(start - timedelta(seconds=1)) == 0
    assert rollout.progress(start) == first
    assert rollout.progress(start + over / 4) == first + (1 - first) / 4
    assert rollout.progress(start + over) == 1
