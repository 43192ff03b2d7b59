"""A variable file as a whole."""

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from fractions import Fraction

from tsunami_cli.core.checks.document import Document
from tsunami_cli.core.checks.hours import calendar_of
from tsunami_cli.core.checks.rollouts import rollouts_of
from tsunami_cli.core.checks.scalars import Fits, Values
from tsunami_cli.core.guard.objective import Objective
from tsunami_cli.core.model import Globs, Limit, Pin, Slo, Variable
from tsunami_cli.core.nodes import Node, Path, ScalarNode
from tsunami_cli.core.problems import Problem
from tsunami_cli.core.quota import Bound
from tsunami_cli.core.text import duration, share, whole
from tsunami_cli.core.values import yaml_quoted


def check_variable(
    file: str, root: Node, shape: Mapping[Path, str], fits: Fits | None, columns: Collection[str] | None
) -> tuple[Variable | None, tuple[Problem, ...]]:
    """Return the variable that a document describes, None where it has errors, and every problem.

    `shape` holds the schema's complaints by path; `fits` judges one value, None where `value` itself is wrong;
    `columns` are the inventory's, which `spread` may name; None where there is no inventory to ask.
    """
    document = Document(file, root, shape)
    variable = _variable(document, Values(document, fits))
    spread = document.text(("spread",))
    if spread is not None and columns is not None and spread not in columns:
        known = f"its columns are {', '.join(sorted(columns))}" if columns else "it has no columns beside host and role"
        document.note(("spread",), f"the inventory has no column {spread}: {known}")
    return (None if document.failed else variable), document.problems


def _variable(document: Document, values: Values) -> Variable | None:
    name, default = document.text(("name",)), values.value(("default",))
    calendar = calendar_of(document)
    limits, pins, slos = tuple(_limits(document)), tuple(_pins(document, values)), tuple(_slos(document))
    rollouts = rollouts_of(document, values, calendar)
    stem = document.file.rpartition("/")[2].removesuffix(".yaml")
    node = document.node(("name",))
    if isinstance(node, ScalarNode) and node.taken_for is not None:
        document.note(
            ("name",), f"{node.text} is {node.taken_for} to some YAML readers: write {yaml_quoted(node.text)}"
        )
    if name is not None and name != stem:
        document.note(("name",), f"the file of {name} has to be called {name}.yaml: rename it, or write {stem} here")
    if name is None or default is None:
        return None
    return Variable(
        name=name,
        description=document.text(("description",)) or "",
        owner=document.text(("owner",)),
        value=values.schema,
        default=default,
        roles=document.globs(("roles",)) if document.node(("roles",)) else Globs(("*",)),
        first=document.globs(("first",)),
        spread=document.text(("spread",)),
        limits=limits,
        calendar=calendar,
        pins=pins,
        slos=slos,
        rollouts=rollouts,
    )


def _limits(document: Document) -> Iterator[Limit]:
    for path in document.items(("limits",)):
        at_least, at_most = (document.read((*path, key), _bound) for key in ("at_least", "at_most"))
        yield Limit(str(path[-1]), at_least, at_most, document.read((*path, "per_hour"), whole))


def _bound(text: str) -> Bound:
    return Bound(share=share(text)) if text.endswith("%") else Bound(hosts=whole(text))


def _pins(document: Document, values: Values) -> Iterator[Pin]:
    for path in document.items(("pins",)):
        value = values.value((*path, "value"))
        if value is not None:
            hosts, roles = document.globs((*path, "hosts")), document.globs((*path, "roles"))
            yield Pin(hosts, roles, value, document.text((*path, "reason")) or "")


def _slos(document: Document) -> Iterator[Slo]:
    document.unique(("slos",), "name")
    for path in document.items(("slos",)):
        name, query, objective = (document.text((*path, key)) for key in ("name", "query", "objective"))
        compare, on_violation, on_no_data = (
            document.text((*path, key)) for key in ("compare", "on_violation", "on_no_data")
        )
        sustained, settle = (document.read((*path, key), _watched) for key in ("for", "settle"))
        min_hosts, silent = document.read((*path, "min_hosts"), whole), document.read((*path, "max_silent"), share)
        if on_violation:
            document.read((*path, "on_violation"), _way_back)
        document.read((*path, "objective"), Objective.parse)
        if name is None or query is None or objective is None:
            continue
        yield Slo(
            name=name,
            query=query,
            objective=objective,
            compare=compare or "moved",
            sustained=timedelta(minutes=10) if sustained is None else sustained,
            settle=timedelta(minutes=10) if settle is None else settle,
            on_violation=on_violation or "halt",
            on_no_data=on_no_data or "hold",
            min_hosts=1 if min_hosts is None else min_hosts,
            max_silent=Fraction(1, 10) if silent is None else silent,
        )


def _way_back(text: str) -> timedelta | None:
    """Read the duration of `rollback 2h`; `halt` has none."""
    if not text.startswith("rollback "):
        return None
    length = duration(text.removeprefix("rollback "))
    if length > timedelta(days=366):
        raise ValueError(f"{text} takes longer than 366 days, the most that a rollback may take")
    return length


def _watched(text: str) -> timedelta:
    """Read how long something is looked at."""
    length = duration(text)
    if length > timedelta(days=31):
        raise ValueError(f"{text} is over 31 days: no objective is looked at for that long")
    return length
