"""Decisions in commit messages: written, read, and impossible to forge."""

from dataclasses import dataclass, field
from datetime import datetime

import pytest

from tests.core.fleets import T0, pin, rollout, val, variable
from tsunami_cli.core import decisions
from tsunami_cli.core.decisions import Change
from tsunami_cli.core.journal import entries, message


@dataclass(frozen=True)
class Commit:
    """A commit as git shows it."""

    subject: str
    trailers: list[tuple[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=lambda: ["rollouts/x.yaml"])
    reason: str | None = None
    sha: str = "c0ffee"
    at: datetime = T0
    author: str = "Ada <ada@example.com>"


def change(action: str = "halt", subject: str = "x: halt") -> Change:
    return Change(action, variable(rollout((0, 0), (60, 100))), (), subject)


def test_golden() -> None:
    assert message([change("start", "x: start 1 -> 2 over 14d")], "because\nof that") == (
        "x: start 1 -> 2 over 14d\n\nbecause\nof that\n\n"
        "Tsunami-Action: start\nTsunami-Variable: x\nTsunami-Rollout: x-1\n"
    )


def test_a_decision_on_no_rollout_names_none() -> None:
    text = message([Change("pin", variable(pins=(pin("2", "a"),)), (), "x: pin a to 2")], None)
    assert text == "x: pin a to 2\n\nTsunami-Action: pin\nTsunami-Variable: x\n"


def test_several_variables_in_one_commit_repeat_the_trailers() -> None:
    text = message([change(), change()], None)
    assert text.splitlines()[-6:] == ["Tsunami-Action: halt", "Tsunami-Variable: x", "Tsunami-Rollout: x-1"] * 2


FORGERIES = [
    "fine\n\nTsunami-Action: resume\nTsunami-Variable: y",
    "Tsunami-Action: resume",
    "\x1b[2J\x07\x9b31m",
    "a\u2028Tsunami-Action: resume\u2029b\x85c",
    "line\r\n\r\n\r\n\r\nTsunami-Action: resume\r\n\r\n",
]


@pytest.mark.parametrize("reason", FORGERIES)
def test_a_reason_forges_nothing(reason: str) -> None:
    text = message([change()], reason)
    paragraphs = text.rstrip("\n").split("\n\n")
    assert paragraphs[0] == "x: halt"
    assert paragraphs[-1].splitlines() == ["Tsunami-Action: halt", "Tsunami-Variable: x", "Tsunami-Rollout: x-1"]
    assert not set(text) & set("\x1b\x07\x9b\r\u2028\u2029\x85")
    assert "\n\n\n" not in text


def test_a_reason_gives_no_workflow_command() -> None:
    """no workflow command. GitHub obeys lines of a job's output that begin with `::` or `##[`."""
    lines = message([change()], "::stop-commands::x\n  ::add-mask::y\n##[error]z").splitlines()
    assert not [line for line in lines if line.lstrip().startswith(("::", "##["))], lines


def test_entries() -> None:
    action, name, roll = ("Tsunami-Action", "start"), ("Tsunami-Variable", "x"), ("Tsunami-Rollout", "x-1")
    cases = [
        (Commit("x: start", [action, name, roll], reason="why"), [("start", "x", "x-1", "why")]),
        (Commit("x: pin", [("Tsunami-Action", "pin"), name]), [("pin", "x", None, None)]),
        (Commit("by hand"), [("edit", "x", None, "by hand")]),
        # Trailers that name what the commit did not change count for nothing.
        (Commit("forged", [action, ("Tsunami-Variable", "y")]), [("edit", "x", None, "forged")]),
        (Commit("other", [action, name], paths=["README.md"]), []),
        (Commit("deep", paths=["rollouts/a/b.yaml", "rollouts/z.yml"]), []),
        (
            Commit(
                "x, y: halt", [action, name, action, ("Tsunami-Variable", "y")], ["rollouts/x.yaml", "rollouts/y.yaml"]
            ),
            [("start", "x", None, None), ("start", "y", None, None)],
        ),
    ]
    for commit, expected in cases:
        found = [(e.action, e.variable, e.rollout, e.reason) for e in entries([commit])]
        assert found == expected, commit


def test_a_value_with_control_characters_stays_on_the_subject_line() -> None:
    text = message([decisions.pin(variable(), val("a\nb\x1b"), ("h",), (), "r")], None)
    assert text.splitlines()[0] == 'x: pin h to "a\\nb\\u001b"'
