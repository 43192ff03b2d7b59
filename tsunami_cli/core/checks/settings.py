"""The settings file."""

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction

from tsunami_cli.core.checks.document import Document
from tsunami_cli.core.model import Settings
from tsunami_cli.core.nodes import Node, Path
from tsunami_cli.core.problems import Problem
from tsunami_cli.core.text import duration, share


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
    )
    return (None if document.failed else settings), document.problems


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
