"""`tsunami log`: who decided what, when and why."""

from typing import Annotated

import typer

from tsunami_cli.commands.options import At, Folder, Json, Variables
from tsunami_cli.commands.workspace import FOLDER, Workspace
from tsunami_cli.core.journal import entries


def command(
    var: Variables = None,
    limit: Annotated[
        int | None, typer.Option("-n", "--limit", min=1, metavar="N", help="Only the newest N.", show_default=False)
    ] = None,
    at: At = None,
    as_json: Json = False,
    folder: Folder = None,
) -> None:
    """Show decisions, oldest first: who started, halted, pinned or edited what, when and why.

    [dim]tsunami log docker[/]

    [dim]tsunami log -n 20 --json[/]
    """
    from tsunami_cli.adapters.git.history import decisions
    from tsunami_cli.output import log as screen

    workspace = Workspace(folder, at)
    branch = workspace.fleet.settings.branch
    tip = workspace.repository.counting_tip(branch) or workspace.source
    paths = [f"{FOLDER}/{name}.yaml" for name in var or ()] or [FOLDER]
    commits = list(decisions(workspace.repository, tip, paths)) if tip else []
    found = (entry for entry in entries(reversed(commits)) if at is None or entry.at <= at)
    wanted = [entry for entry in found if not var or entry.variable in var]
    for name in set(var or ()) - {entry.variable for entry in wanted}:
        workspace.fleet.load(name)
    screen.show(wanted[-limit:] if limit else wanted, as_json=as_json)
