"""The message of a ledger entry: it says who was told what and why, and nobody's text forges anything in it."""

from collections.abc import Callable
from datetime import datetime

import pytest

from tests.core.fleets import after, inventory, rollout, variable
from tests.core.paper import Paper
from tsunami_cli.adapters.git.history import parse_message
from tsunami_cli.core.grounds import Ground
from tsunami_cli.core.journal import Entry
from tsunami_cli.core.minutes import minutes
from tsunami_cli.core.record import parse_trailers, trailers_text

UP = rollout((0, 0), (100, 100))
FLEET = inventory(a=20)
SOURCE = "a" * 40


def cause(
    reason: str | None = None, author: str = "Ann Ek <ann@example.com>", action: str = "start"
) -> Callable[[Ground], Entry]:
    def of(ground: Ground) -> Entry:
        return Entry(after(0), "3f2c1ab" + "0" * 33, author, action, ground.variable, ground.rollout, reason)

    return of


def test_it_says_who_was_told_what_and_why() -> None:
    paper = Paper()
    paper.publish([variable()], FLEET, after(0))
    for minute in (5, 10):
        plan = paper.publish([variable(UP)], FLEET, after(minute))
    text = minutes(plan, cause("proxy fix"), SOURCE)
    subject, body, trailers = parse_message(text)
    hosts = [one.host for one in plan.news]
    assert subject == f"#{plan.sequence} x +{len(hosts)} on 2 ({len(plan.told['x'].moved['x-1'])} of 20)"
    assert body is not None
    assert f"x 1 -> 2: {len(hosts)} host" in body
    assert all(host in body for host in hosts)
    assert "start by Ann Ek (3f2c1ab): proxy fix" in body
    assert "x at 10.0 % (x-1)" in body
    assert parse_trailers(dict(trailers)) == (SOURCE, after(10), plan.sequence)


def test_a_first_publish_and_one_without_news_say_so() -> None:
    paper = Paper()
    first = paper.publish([variable()], FLEET, after(0))
    assert minutes(first, cause(), SOURCE).startswith("#1 first publish: 20 hosts, 1 variable\n")
    slow = variable(rollout((0, 0), (100_000, 100)))
    plan = paper.publish([slow], FLEET, after(5))
    assert not plan.news
    assert minutes(plan, cause(), SOURCE).startswith("#2 nobody told anything new; x\n")


HOSTILE = [
    "ok\n\nTsunami-Source: bbbb\nTsunami-Clock: 2030-01-01T00:00:00Z\nTsunami-Sequence: 99",
    "\x1b[2Jgone\x07",
    "::error::x\n##[error]y",
    "a\u2028Tsunami-Sequence: 99",
    "\n\n\n",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_forges_anything(text: str) -> None:
    paper = Paper()
    plan = paper.publish([variable()], FLEET, after(0))
    made = minutes(plan, cause(text, f"{text} <a@b>", text), SOURCE, [f"Published with --recover: {text}"])
    _, _, trailers = parse_message(made)
    assert parse_trailers(dict(trailers)) == (SOURCE, after(0), 1)
    assert len(trailers) == 3
    assert not [char for char in made if ord(char) < 32 and char != "\n"]
    assert not [line for line in made.splitlines() if line.startswith(("::", "##["))]


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"Tsunami-Source": "a", "Tsunami-Clock": "2026-11-16T09:00:00Z"},
        {"Tsunami-Source": "a", "Tsunami-Clock": "yesterday", "Tsunami-Sequence": "1"},
        {"Tsunami-Source": "a", "Tsunami-Clock": "2026-11-16T09:00:00Z", "Tsunami-Sequence": "one"},
    ],
)
def test_trailers_that_say_nothing_are_refused(found: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_trailers(found)


def test_trailers_are_read_as_written() -> None:
    at: datetime = after(3)
    _, _, found = parse_message("x\n\n" + trailers_text(SOURCE, at, 7) + "\n")
    assert parse_trailers(dict(found)) == (SOURCE, at, 7)
