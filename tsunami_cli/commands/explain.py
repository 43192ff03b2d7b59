"""`tsunami explain`: why a host has its value."""

from tsunami_cli.commands.options import At, Folder, Host, Json, Variable
from tsunami_cli.commands.workspace import Workspace, load_variable
from tsunami_cli.core.explaining import Explanation, explain
from tsunami_cli.core.journal import SETTING_OFF, Entry, entries
from tsunami_cli.core.model import Variable as Checked


def command(host: Host, var: Variable, at: At = None, as_json: Json = False, folder: Folder = None) -> None:
    """Say why a host has its value of a variable, whose decision it was, and when it will change.

    [dim]tsunami explain lon2-accesspoint-a7 docker[/]
    """
    from tsunami_cli.output import explain as screen

    workspace = Workspace(folder, at)
    variable = workspace.fleet.variable(var)
    found = explain(host, workspace.fleet.role_of(host), variable, workspace.now)
    decision = _decision(workspace, found)
    file = f"rollouts/{var}.yaml"
    screen.show(screen.ExplainScreen(workspace.now, found, decision, file), as_json=as_json)
    workspace.warn()


def _decision(workspace: Workspace, found: Explanation) -> Entry | None:
    """Return the decision that the host's value goes back to; None where history does not tell."""
    from tsunami_cli.adapters.git.history import decisions
    from tsunami_cli.adapters.git.trees import CommitTree

    head, name = workspace.source, found.variable.name
    if head is None:
        return None
    file = f"rollouts/{name}.yaml"
    latest: Entry | None = None
    for commit in decisions(workspace.repository, head, [file]):
        made = [entry for entry in entries([commit]) if entry.variable == name]
        if found.source is not None:
            ours = (e for e in made if e.rollout == found.source.id and e.action in SETTING_OFF)
            if (entry := next(ours, None)) is not None:
                return entry
            latest = latest or next((e for e in made if e.action == "edit"), None)
            continue
        data = CommitTree(workspace.repository, commit.sha).read(file)
        loaded = load_variable(data, file, tuple(workspace.fleet.inventory.labels)) if data else None
        if loaded is None or loaded.variable is None or not _same(loaded.variable, found):
            break
        latest = made[0] if made else latest
    return latest


def _same(older: Checked, found: Explanation) -> bool:
    """Say whether an older version of the variable already had what gives the host its value."""
    if found.pin is not None:
        return found.pin in older.pins
    return older.default == found.value
