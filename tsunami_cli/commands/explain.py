"""`tsunami explain`: why a host has its value."""

from tsunami_cli.commands.causes import Causes
from tsunami_cli.commands.fleet import FOLDER, note
from tsunami_cli.commands.options import At, Folder, Host, Json, Variable
from tsunami_cli.commands.workspace import Workspace
from tsunami_cli.core.audit import Filter, Telling, select
from tsunami_cli.core.explaining import Explanation, explain
from tsunami_cli.core.journal import Entry
from tsunami_cli.core.model import Globs


def command(host: Host, var: Variable, at: At = None, as_json: Json = False, folder: Folder = None) -> None:
    """Say why a host has its value of a variable, whose decision it was, and when it will change.

    [dim]tsunami explain lon2-accesspoint-a7 docker[/]
    """
    from tsunami_cli.output import explain as screen

    workspace = Workspace(folder, at)
    variable, role = workspace.fleet.variable(var), workspace.fleet.role_of(host)
    record = workspace.record_of(role)
    found = explain(
        host,
        role,
        variable,
        workspace.now,
        workspace.told(variable, (role,), record),
        workspace.answer(variable, (role,), record),
    )
    file = f"{FOLDER}/{var}.yaml"
    telling = _telling(workspace, found)
    decision = _recorded(found, telling) or _decision(workspace, found)
    screen.show(screen.ExplainScreen(workspace.now, found, decision, telling, file), as_json=as_json)
    workspace.warn()


def _telling(workspace: Workspace, found: Explanation) -> Telling | None:
    """Return when the host was told its value last; None where it never was."""
    if workspace.page is None:
        return None
    from tsunami_cli.adapters.git.ledger_log import tellings

    wanted = Filter(Globs((found.host,)), Globs((found.variable.name,)))
    rows = [
        row
        for commit, data in tellings(workspace.repository, workspace.page.commit)
        for row in select(data, commit, wanted)[0]
    ]
    return rows[-1] if rows else None


def _recorded(found: Explanation, telling: Telling | None) -> Entry | None:
    """Return the decision that the ledger names; None where it does not, or a pin holds the host by now."""
    if telling is None or telling.after != found.value or found.pin is not None:
        return None
    if telling.commit is None or telling.author is None or telling.action is None:
        return None
    return Entry(
        telling.at, telling.commit, telling.author, telling.action, telling.variable, telling.rollout, telling.reason
    )


def _decision(workspace: Workspace, found: Explanation) -> Entry | None:
    """Return the decision that the host's value goes back to; None where history does not tell."""
    head = workspace.source
    if head is None:
        return None
    if workspace.repository.shallow:
        note("history was cut off when this was cloned: whose decision it was may lie before (git fetch --unshallow)")
    return Causes(workspace.repository, head, workspace.fleet.settings.inventory).of(found.ground)
