"""The settings file."""

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise

from tsunami_cli.core.checks.document import Document
from tsunami_cli.core.model import Freeze, Settings
from tsunami_cli.core.nodes import Node, Path
from tsunami_cli.core.problems import Problem
from tsunami_cli.core.text import Via, duration, instant, share, via


def check_settings(file: str, root: Node, shape: Mapping[Path, str]) -> tuple[Settings | None, tuple[Problem, ...]]:
    """Return the settings that a document describes, None where it has errors, and every problem."""
    document = Document(file, root, shape)
    inventory = document.read(("inventory",), _inside)
    every, expire = (document.read(("publish", key), _positive) for key in ("every", "expire"))
    shrink = document.read(("publish", "max_shrink"), share)
    settings = Settings(
        fleet=document.text(("fleet",)) or "",
        inventory=inventory or "inventory.csv",
        branch=document.read(("branch",), _branch) or "main",
        publish_to=document.read(("publish", "to"), str) or "file:public",
        every=every or timedelta(minutes=5),
        expire=expire or timedelta(hours=1),
        per_host=document.text(("publish", "per_host")) != "false",
        max_shrink=Fraction(1, 10) if shrink is None else shrink,
        prometheus=document.text(("guard", "prometheus")),
        host_label=document.text(("guard", "host_label")) or "instance",
        ramps={str(path[-1]): _ramp(document, path) for path in document.items(("ramps",))},
        freeze=_freeze(document),
    )
    return (None if document.failed else settings), document.problems


def _ramp(document: Document, path: Path) -> tuple[Via, ...]:
    """Return the points of a ramp; each lies after the one before, and at least as high."""
    points = document.read_all(path, via)
    for place, (one, other) in enumerate(pairwise(points), 1):
        if other[0] < one[0] or other[1] <= one[1]:
            document.note((*path, place), "a ramp goes up: each point later than the one before, and no lower")
    return points


def _freeze(document: Document) -> Freeze | None:
    since = document.read(("freeze", "since"), instant)
    reason = document.text(("freeze", "reason"))
    if since is None or reason is None:
        return None
    return Freeze(since, reason, document.read_all(("freeze", "except"), str))


def _inside(path: str) -> str:
    if path.startswith(("/", "~")) or ".." in path.split("/") or "\\" in path:
        raise ValueError(f"{path} leaves the repository: give a path inside it, such as inventory.csv")
    return path


def _branch(name: str) -> str:
    if (
        name.startswith(("-", "/", "."))
        or name.endswith(("/", ".", ".lock"))
        or set(name) & set(" ~^:?*[\\")
        or ".." in name
    ):
        raise ValueError(f"{name} is no name of a git branch")
    return name


def _positive(text: str) -> timedelta:
    length = duration(text)
    if length > timedelta(days=366):
        raise ValueError(f"{text} is over a year: publishes run every few minutes")
    if not length:
        raise ValueError(f"{text} is no time at all: write 5m, or whatever the publishing job runs at")
    return length
