"""`tsunami plan`: the host moves ahead."""

from typing import Annotated

import typer

from tsunami_cli.commands.options import At, Folder, Json, Variables
from tsunami_cli.commands.workspace import Workspace
from tsunami_cli.core.forecast import moves_ahead


def command(
    var: Variables = None,
    everything: Annotated[bool, typer.Option("--all", help="Show every move, not only the first ones.")] = False,
    at: At = None,
    as_json: Json = False,
    folder: Folder = None,
) -> int:
    r"""Show which hosts move when, from the files as they stand.

    [dim]tsunami plan docker[/]

    [dim]tsunami plan --json | jq -r '.variables\[].moves\[] | \[.at, .host] | @tsv'[/]
    """
    from tsunami_cli.output import plan as screen

    workspace = Workspace(folder, at)
    fleet = workspace.fleet
    good, bad = fleet.split(var or ())
    active = [variable for variable in good if var or variable.active]
    rows = []
    for variable in active:
        told = workspace.told(variable, fleet.roles, workspace.record)
        rows.append((variable, moves_ahead(variable, fleet.roles, workspace.now, told)))
    screen.show(screen.PlanScreen(workspace.now, rows), as_json=as_json, everything=everything)
    workspace.warn()
    return workspace.complain(bad)
