"""The flags that commands share, and what the shell completes them with."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from tsunami_cli.core.text import duration, instant, via
from tsunami_cli.errors import TsunamiError


def _folder(ctx: typer.Context, given: Path | None) -> Path | None:
    """Return the folder given to the command, else the one given before its name."""
    # While the shell completes, the options before the command were read but not acted on.
    before = ctx.obj or (ctx.parent.params.get("folder") if ctx.parent else None)
    above = Path(before) if before else None
    return above / given if above and given else given or above


def _parser(read: Callable[[str], object]) -> Callable[[str], object]:
    """Make a reader of text say its reason the way the prompt wants it."""

    def parser(text: str) -> object:
        try:
            return read(text)
        except ValueError as reason:
            raise typer.BadParameter(str(reason)) from None

    return parser


duration_parser, instant_parser = _parser(duration), _parser(instant)
"""Read a length of time, or an instant, for a flag."""


def _duration_text(text: str) -> str:
    """Return a duration as it was typed, once it is known to be one."""
    _parser(duration)(text)
    return text


def _completer(names: "Callable[[Path | None], Iterable[str]]") -> Callable[[typer.Context, str], list[str]]:
    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        try:
            folder = ctx.params.get("folder")
            found = list(names(Path(folder) if folder else None))
        except TsunamiError:
            # Completion has nobody to complain to: outside a repository there is nothing to complete.
            return []
        return [name for name in found if name.startswith(incomplete)]

    return complete


def _variables(folder: Path | None) -> Iterator[str]:
    from tsunami_cli.commands.workspace import Workspace

    yield from Workspace(folder).fleet.names


def _hosts(folder: Path | None) -> Iterator[str]:
    from tsunami_cli.commands.workspace import Workspace

    yield from Workspace(folder).fleet.inventory.hosts


def _roles(folder: Path | None) -> Iterator[str]:
    from tsunami_cli.commands.workspace import Workspace

    yield from Workspace(folder).fleet.inventory.members()


def slos(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete the SLOs of the variable that was named before."""

    def names(folder: Path | None) -> Iterator[str]:
        from tsunami_cli.commands.workspace import Workspace

        yield from (slo.name for slo in Workspace(folder).fleet.variable(ctx.params.get("var") or "").slos)

    return _completer(names)(ctx, incomplete)


def _ramps(folder: Path | None) -> Iterator[str]:
    from tsunami_cli.commands.workspace import Workspace

    yield from Workspace(folder).fleet.settings.ramps


ramps = _completer(_ramps)
variables, hosts, roles = _completer(_variables), _completer(_hosts), _completer(_roles)

Folder = Annotated[
    Path | None,
    typer.Option("-C", metavar="DIR", callback=_folder, help="Work in the repository around DIR.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Write one JSON document to stdout.")]
At = Annotated[
    datetime | None,
    typer.Option(
        "--at",
        metavar="INSTANT",
        parser=_parser(instant),
        help="By the files as they are, at this instant: 2016-11-14T10:00:00Z.",
        show_default=False,
    ),
]
Back = Annotated[
    datetime | None,
    typer.Option(
        "--at",
        metavar="INSTANT",
        parser=_parser(instant),
        help="As it was known at this instant: 2016-11-14T10:00:00Z.",
        show_default=False,
    ),
]
Variable = Annotated[str, typer.Argument(metavar="VAR", help="A variable.", autocompletion=variables)]
Variables = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[VAR]...", help="Variables; all where none is named.", autocompletion=variables, show_default=False
    ),
]
Host = Annotated[
    str, typer.Argument(metavar="HOST", help="A host, by its name in the inventory.", autocompletion=hosts)
]
Reason = Annotated[
    str | None,
    typer.Option("--reason", metavar="TEXT", help="Why, for the log and for those who ask later.", show_default=False),
]
Over = Annotated[
    timedelta, typer.Option("--over", metavar="D", parser=_parser(duration), help="How long, as 2h, 14d or 1d12h.")
]
MaybeOver = Annotated[
    timedelta | None,
    typer.Option(
        "--over", metavar="D", parser=_parser(duration), help="How long, as 2h, 14d or 1d12h.", show_default=False
    ),
]
AskedOver = Annotated[
    str,
    typer.Option(
        "--over", metavar="D", callback=_duration_text, help="How long until all have it, as 36h, 14d or 1d12h."
    ),
]
StartAt = Annotated[
    datetime | None,
    typer.Option(
        "--at",
        metavar="INSTANT",
        parser=_parser(instant),
        help="When it begins, if not now, as 2016-11-14T10:00:00Z.",
        show_default=False,
    ),
]
Via = Annotated[
    list[Any] | None,
    typer.Option(
        "--via",
        metavar="P%@D",
        parser=_parser(via),
        help="A point to go through, D after the start; repeatable.",
        show_default=False,
    ),
]
After = Annotated[
    str | None,
    typer.Option(
        "--after",
        metavar="VAR",
        help="Begin when the rollout of another variable is complete.",
        autocompletion=variables,
        show_default=False,
    ),
]
Ramp = Annotated[
    str | None,
    typer.Option(
        "--ramp",
        metavar="NAME",
        help="Points to go through, by a name that the settings have.",
        autocompletion=ramps,
        show_default=False,
    ),
]
Metrics = Annotated[
    Path | None,
    typer.Option(
        "--metrics",
        metavar="FILE",
        help="Write metrics there too, for Prometheus.",
        show_default=False,
    ),
]
HostGlobs = Annotated[
    list[str] | None,
    typer.Option(
        "--host", metavar="GLOB", help="Hosts by name or pattern; repeatable.", autocompletion=hosts, show_default=False
    ),
]
RoleGlobs = Annotated[
    list[str] | None,
    typer.Option(
        "--role", metavar="GLOB", help="Roles by name or pattern; repeatable.", autocompletion=roles, show_default=False
    ),
]
