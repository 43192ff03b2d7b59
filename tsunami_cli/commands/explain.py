"""`tsunami explain`: why a host has its value."""

from tsunami_cli.commands.causes import Causes
from tsunami_cli.commands.options import At, Folder, Host, Json, Variable
from tsunami_cli.commands.workspace import FOLDER, Workspace, note
from tsunami_cli.core.explaining import Explanation, explain
from tsunami_cli.core.journal import Entry


def command(host: Host, var: Variable, at: At = None, as_json: Json = False, folder: Folder = None) -> None:
    """Say why a host has its value of a variable, whose decision it was, and when it will change.

    [dim]tsunami explain lon2-accesspoint-a7 docker[/]
    """
    from tsunami_cli.output import explain as screen

    workspace = Workspace(folder, at)
    variable = workspace.fleet.variable(var)
    found = explain(host, workspace.fleet.role_of(host), variable, workspace.now)
    decision = _decision(workspace, found)
    file = f"{FOLDER}/{var}.yaml"
    screen.show(screen.ExplainScreen(workspace.now, found, decision, file), as_json=as_json)
    workspace.warn()


def _decision(workspace: Workspace, found: Explanation) -> Entry | None:
    """Return the decision that the host's value goes back to; None where history does not tell."""
    head = workspace.source
    if head is None:
        return None
    if workspace.repository.shallow:
        note("history was cut off when this was cloned: whose decision it was may lie before (git fetch --unshallow)")
    return Causes(workspace.repository, head, workspace.fleet.settings.inventory).of(found.ground)
