"""A variable file held against the fleet it is for: what is legal, but does nothing or too much."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from tsunami_cli.core.checks.document import Document
from tsunami_cli.core.inventory import Inventory
from tsunami_cli.core.model import Globs, Rollout, Variable
from tsunami_cli.core.nodes import Node, Path
from tsunami_cli.core.problems import Problem
from tsunami_cli.core.text import duration_text, instant_text

ABRUPT = 10
"""Percent of a rollout between two publishes from which it hardly is a rollout."""


def fleet_problems(
    file: str,
    root: Node,
    variable: Variable,
    inventory: Inventory,
    every: timedelta,
    now: datetime,
    known: Collection[str],
) -> tuple[Problem, ...]:
    """Return warnings: patterns that match nothing, starts in the past, publishes too rare for the plan.

    `known` holds the ids of the rollouts that are decided already, on the branch that counts.
    """
    document = Document(file, root, {})
    roles = list(inventory.members())
    for path, pattern, kind in _patterns(document):
        names = roles if kind == "role" else inventory.hosts
        if not Globs((pattern,)).among(names):
            document.note(path, f"{pattern} matches no {kind} of the inventory", "warning")
    for place, rollout in enumerate(variable.rollouts):
        _judge(document, ("rollouts", place), rollout, every, now, new=rollout.id not in known)
    return document.problems


def _judge(document: Document, path: Path, rollout: Rollout, every: timedelta, now: datetime, *, new: bool) -> None:
    starts = rollout.schedule.starts
    if rollout.halted is not None and rollout.halted > now:
        message = f"{instant_text(rollout.halted)} is still to come: the halt counts from now on all the same"
        document.note((*path, "halted"), message, "warning")
    if not new:
        return
    if starts < now:
        share = float(100 * rollout.progress(now))
        message = f"starts in the past ({instant_text(starts)}) though it is new: {share:g} % would move at once"
        document.note((*path, "schedule", 0, "at"), message, "warning")
    rise = float(100 * rollout.schedule.steepest(every // timedelta(seconds=1), steps=True))
    if rise > ABRUPT:
        message = f"moves up to {rise:.3g} % between two publishes ({duration_text(every)}): is that slow enough?"
        document.note((*path, "schedule"), message, "warning")


def _patterns(document: Document) -> Iterator[tuple[Path, str, str]]:
    """Yield every glob with its path and what it is to match, a role or a host."""
    lists: list[tuple[Path, str]] = [(("roles",), "role"), (("first",), "host")]
    for pin in document.items(("pins",)):
        lists += [((*pin, "hosts"), "host"), ((*pin, "roles"), "role")]
    for path, kind in lists:
        for item in document.items(path):
            yield item, document.text(item) or "", kind
    for path in document.items(("limits",)):
        yield path, str(path[-1]), "role"
