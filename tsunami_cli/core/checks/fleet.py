"""A variable file held against the fleet it is for: what is legal, but does nothing or too much."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from tsunami_cli.core.checks.document import Document
from tsunami_cli.core.guard.queries import NAMES, unknown_names
from tsunami_cli.core.inventory import Inventory
from tsunami_cli.core.lineup import lineups, roles_of
from tsunami_cli.core.model import Globs, Rollout, Settings, Variable
from tsunami_cli.core.nodes import Node, Path
from tsunami_cli.core.problems import Problem
from tsunami_cli.core.text import duration_text, instant_text

SHORT = timedelta(minutes=1)
"""A `for` below that is hardly longer than what metrics servers take between two samples."""
ABRUPT = 10
"""Percent of a rollout between two publishes from which it hardly is a rollout."""


def fleet_problems(
    file: str,
    root: Node,
    variable: Variable,
    inventory: Inventory,
    settings: Settings,
    now: datetime,
    known: Collection[str],
) -> tuple[Problem, ...]:
    """Return warnings: patterns that match nothing, starts in the past, objectives that cannot be judged.

    `known` holds the ids of the rollouts that are decided already, on the branch that counts.
    """
    document = Document(file, root, {})
    roles = list(inventory.members())
    for path, pattern, kind in _patterns(document):
        names = roles if kind == "role" else inventory.hosts
        if not Globs((pattern,)).among(names):
            document.note(path, f"{pattern} matches no {kind} of the inventory", "warning")
    for place, rollout in enumerate(variable.rollouts):
        _judge(document, ("rollouts", place), rollout, settings.every, now, new=rollout.id not in known)
    _watch(document, variable, inventory, settings)
    return document.problems


def _watch(document: Document, variable: Variable, inventory: Inventory, settings: Settings) -> None:
    """Note objectives that hold every rollout, or never judge one."""
    if variable.slos and settings.prometheus is None:
        message = "the settings do not say where metrics are: rollouts are held until guard.prometheus does"
        document.note(("slos",), message, "warning")
    for place, slo in enumerate(variable.slos):
        for name in unknown_names(slo.query):
            known = ", ".join(f"${one}" for one in NAMES)
            document.note(("slos", place, "query"), f"${name} stands for nothing: there are {known}", "warning")
        if slo.sustained < SHORT:
            message = (
                f"is as short as a missed scrape or two: hosts may seem silent; {duration_text(SHORT)} or more is wiser"
            )
            document.note(("slos", place, "for"), message, "warning")
        if slo.compare == "fleet" or slo.min_hosts == 1:
            continue
        hosts = sum(len(lineup.free) for lineup in lineups(variable, roles_of(inventory)))
        if slo.min_hosts > hosts:
            message = f"the variable has {hosts:,} hosts that are not pinned: this is never judged"
            document.note(("slos", place, "min_hosts"), message, "warning")


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
