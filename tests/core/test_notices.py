"""What people are told of a publish: which decisions are worth a message, and that no text gets out of hand."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.fleets import T0
from tsunami_cli.core.journal import Entry
from tsunami_cli.core.notices import LONGEST_TEXT, LONGEST_TITLE, MOST, HoldNote, Kind, Notice, notices

COMMIT = "3f2c1ab98765" + "0" * 28
HALT = Entry(T0, COMMIT, "Ann Ek <ann@example.com>", "halt", "docker", "docker-1", "logins fail")
HOLD = HoldNote("docker", "start-failures", "no series for 10m", unasked=False)


def of(*entries: Entry, began: Sequence[HoldNote] = (), ended: Sequence[HoldNote] = ()) -> list[Notice]:
    return notices("backend", entries, [], began, ended)


def test_golden() -> None:
    assert of(HALT) == [
        Notice(
            "halt",
            "docker",
            "backend: docker halted by Ann Ek",
            "docker was halted by Ann Ek.\n"
            "logins fail\n"
            "Commit 3f2c1ab98765 of 2026-03-02T10:00:00Z, rollout docker-1.\n"
            "Where it stands: tsunami status docker; then tsunami resume docker, or tsunami rollback docker --over 2h",
        )
    ]


def test_by_the_guard() -> None:
    (notice,) = of(replace(HALT, guard="start-failures", reason="moved hosts: 0.21, at most 0.01\nfor 10m"))
    assert notice.title == "backend: docker halted by the guard"
    assert notice.text.splitlines()[:3] == [
        "The guard found that docker violates start-failures.",
        "moved hosts: 0.21, at most 0.01",
        "for 10m",
    ]
    assert "Ann" not in notice.text


ACTIONS: list[tuple[str, str | None, str]] = [
    ("start", "backend: docker started by Ann Ek", "tsunami halt docker"),
    ("halt", "backend: docker halted by Ann Ek", "tsunami resume docker"),
    ("resume", "backend: docker resumed by Ann Ek", "tsunami halt docker"),
    ("rollback", "backend: docker rolled back by Ann Ek", "tsunami status docker"),
    ("edit", "backend: docker edited by hand by Ann Ek", "git show 3f2c1ab98765"),
    *((quiet, None, "") for quiet in ("pace", "pin", "unpin", "new", "retire", "ack", "made up")),
]


@pytest.mark.parametrize(("action", "title", "advice"), ACTIONS)
def test_which_decisions(action: str, title: str | None, advice: str) -> None:
    found = of(replace(HALT, action=action, rollout=None, reason=None))
    assert [(n.kind, n.title) for n in found] == ([] if title is None else [(action, title)])
    assert all(advice in n.text and "rollout" not in n.text.splitlines()[-2] for n in found)


def test_holds_and_completions() -> None:
    blind = replace(HOLD, slo="latency", why="no answer within 10 s", unasked=True)
    found = notices("backend", [HALT], [("helios", "0.9.12", 1666), ("a", "1", 1)], [HOLD, blind], [blind])
    assert [(n.kind, n.variable, n.title) for n in found] == [
        ("halt", "docker", "backend: docker halted by Ann Ek"),
        ("hold", "docker", "backend: docker held by start-failures"),
        ("unasked", "docker", "backend: docker held: the guard cannot ask about latency"),
        ("resume", "docker", "backend: docker no longer held by latency"),
        ("completion", "helios", "backend: helios complete: 0.9.12 on 1,666 hosts"),
        ("completion", "a", "backend: a complete: 1 on 1 host"),
    ]
    assert "no series for 10m" in found[1].text
    assert "tsunami slo docker" in found[1].text


def test_nothing_is_nothing() -> None:
    assert of() == []


def test_nobody_has_a_name() -> None:
    assert of(replace(HALT, author=" <>"))[0].title == "backend: docker halted by somebody"


def test_many_become_a_few_and_the_gravest_stand_alone() -> None:
    edits = [replace(HALT, action="edit", variable=f"v{number}") for number in range(40)]
    found = of(*edits[:20], HALT, *edits[20:], began=[HOLD])
    assert len(found) == MOST
    assert [n.kind for n in found] == ["edit"] * (MOST - 3) + ["halt", "hold", "edit"][:2] + ["edit"]
    assert (found[-1].variable, found[-1].title) == ("", "backend: 37 more: v3 edited by hand by Ann Ek, ...")
    listed = found[-1].text.splitlines()
    more = re.fullmatch(r"\.\.\. and (\d+) more", listed[-2])
    assert len(listed) - 1 == 37 if more is None else len(listed) - 2 + int(more[1]) == 37, listed
    assert listed[0] == "v3 edited by hand by Ann Ek"


def test_as_many_as_are_allowed_stand_alone() -> None:
    found = of(*(replace(HALT, variable=f"v{number}") for number in range(MOST)))
    assert [n.variable for n in found] == [f"v{number}" for number in range(MOST)]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("@everyone: look", "@ everyone: look"),
        ("<!channel> and <@U123>", "< !channel> and < @U123>"),
        ("@here", "@ here"),
        ("mail ann@here.example, 3 < 4, <b>", "mail ann@here.example, 3 < 4, <b>"),
        ("a\x1b[2J\u202eb\x07", "a[2Jb"),
    ],
)
def test_a_reason_calls_nobody_and_steers_nothing(typed: str, told: str) -> None:
    assert told in of(replace(HALT, reason=typed))[0].text.splitlines()


WILD = st.text(max_size=3000) | st.sampled_from(["\x1b]0;x\x07" * 500, "a\n" * 2000, "@everyone " * 300, "\u202e" * 9])


@given(WILD, WILD, WILD, WILD, st.integers(0, 12))
def test_texts_stay_small_and_harmless(author: str, reason: str, fleet: str, slo: str, count: int) -> None:
    entry = Entry(T0, COMMIT, author, "halt", "v" * 63, reason, reason, slo or None)
    holds = [HoldNote("docker", slo, reason, unasked=True)] * 2
    for notice in notices(fleet, [entry] * count, [("docker", slo, 3)], holds, holds):
        assert 0 < len(notice.title) <= LONGEST_TITLE
        assert 0 < len(notice.text) <= LONGEST_TEXT
        assert "\n" not in notice.title
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]|@everyone", notice.title + notice.text)
        assert "tsunami status" in notice.text.splitlines()[-1], "what to do next is never cut away"
        assert notice.kind in get_args(Kind)
