"""`tsunami explain`: why a host has its value."""

from collections.abc import Iterator
from datetime import datetime

from tsunami_cli.commands.options import At, Folder, Host, Json, Variable
from tsunami_cli.commands.workspace import FOLDER, Workspace, load_variable, note
from tsunami_cli.core.explaining import Explanation, Version, decision_behind, explain
from tsunami_cli.core.journal import Entry, entries


def command(host: Host, var: Variable, at: At = None, as_json: Json = False, folder: Folder = None) -> None:
    """Say why a host has its value of a variable, whose decision it was, and when it will change.

    [dim]tsunami explain lon2-accesspoint-a7 docker[/]
    """
    from tsunami_cli.output import explain as screen

    workspace = Workspace(folder, at)
    variable = workspace.fleet.variable(var)
    found = explain(host, workspace.fleet.role_of(host), variable, workspace.now)
    decision = _decision(workspace, found, at)
    file = f"{FOLDER}/{var}.yaml"
    screen.show(screen.ExplainScreen(workspace.now, found, decision, file), as_json=as_json)
    workspace.warn()


def _decision(workspace: Workspace, found: Explanation, until: datetime | None) -> Entry | None:
    """Return the decision that the host's value goes back to; None where history does not tell."""
    from tsunami_cli.adapters.git.history import decisions
    from tsunami_cli.adapters.git.trees import CommitTree

    head, file = workspace.source, f"{FOLDER}/{found.variable.name}.yaml"
    if head is None:
        return None
    if workspace.repository.shallow:
        note("history was cut off when this was cloned: whose decision it was may lie before (git fetch --unshallow)")

    def versions() -> Iterator[Version]:
        for commit in decisions(workspace.repository, head, [file]):
            if until is not None and commit.at > until:
                continue
            data = CommitTree(workspace.repository, commit.sha).read(file)
            variable = load_variable(data, file, None).variable if data is not None else None
            yield Version([e for e in entries([commit]) if e.variable == found.variable.name], variable)

    return decision_behind(found, versions())
