"""`tsunami freeze`: stop the line."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer

from tsunami_cli.commands.deciding import Decider, Made, roles_anyhow
from tsunami_cli.commands.fleet import Fleet
from tsunami_cli.commands.options import Folder, Json, variables
from tsunami_cli.commands.thawing import thaw
from tsunami_cli.core.freezing import Line, freeze
from tsunami_cli.core.journal import clean_reason
from tsunami_cli.core.model import Freeze
from tsunami_cli.core.status import Status, status_of
from tsunami_cli.errors import Usage


def command(
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for those who want to start one.")],
    but: Annotated[
        list[str] | None,
        typer.Option(
            "--except",
            metavar="VAR",
            help="A variable that goes on all the same; repeatable.",
            autocompletion=variables,
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
    folder: Folder = None,
) -> int:
    """Stop the line: from the next publish on no rollout of any variable moves, forth or back, and none can start.

    Halts and pins stay possible, and the guard need not watch what stands still. tsunami unfreeze lets each rollout go
    on where it stood, at its own pace. With no network it is a local commit, said loudly (exit 4). Said again without
    an exception, it stops that one too.

    [dim]tsunami freeze --reason "holidays"[/]

    [dim]tsunami freeze --reason "incident 4711" --except sysctl-somaxconn[/]
    """
    from tsunami_cli.output import freeze as screen

    why = " ".join((clean_reason(reason) or "").split())
    if not why:
        raise Usage("--reason is empty: say why the line is stopped")
    decider = Decider(folder)
    before: list[Freeze | None] = []
    stopped: list[Status] = []

    def line(fleet: Fleet) -> Line | None:
        for name in but or ():
            fleet.load(name, alone=True)
        before.append(fleet.settings.freeze)
        found = [fleet.load(name, alone=True).variable for name in fleet.names]
        roles = roles_anyhow(fleet)
        stopped[:] = [status_of(one, roles, decider.now, decider.told_anyhow(one)) for one in found if one]
        return freeze(before[-1], decider.now, why, but or ())

    def make(fleet: Fleet) -> Sequence[Made]:
        """Let what a freeze stops already stand where it stands, under one that begins now."""
        made = thaw(fleet, decider, fleet.names)[0] if before[-1] else []
        return [replace(one, change=replace(one.change, action="freeze")) for one in made]

    decided = decider.decide(make, why, urgent=True, line=line)
    already = before[-1] if decided.outcome.commit is None else None
    screen.show_frozen(decided, already, stopped, but or (), decider.now, as_json=as_json)
    return decided.exit_code
