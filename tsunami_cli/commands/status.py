"""`tsunami status`: where every variable stands."""

from tsunami_cli.commands.fleet import FOLDER
from tsunami_cli.commands.options import At, Folder, Json, Variables
from tsunami_cli.commands.workspace import Workspace
from tsunami_cli.core.forecast import next_moves
from tsunami_cli.core.journal import Entry, entries
from tsunami_cli.core.status import Status, status_of


def command(var: Variables = None, at: At = None, as_json: Json = False, folder: Folder = None) -> int:
    r"""Show where every variable stands: state, progress, exact counts, and what comes next.

    [dim]tsunami status[/]

    [dim]tsunami status docker --json | jq '.variables\[0].rollout.percent'[/]
    """
    from tsunami_cli.output import status as screen

    workspace = Workspace(folder, at)
    fleet, now = workspace.fleet, workspace.now
    good, bad = fleet.split(var or ())
    rows = []
    for variable in good:
        told = workspace.told(variable, fleet.roles, workspace.record)
        coming = None if as_json else next_moves(variable, fleet.roles, now, told)
        rows.append((status_of(variable, fleet.roles, now, told), coming))
    awaited = {} if as_json else _awaited(workspace, [status for status, _ in rows])
    halted = [status.variable.name for status, _ in rows if status.state == "halted"]
    found = screen.StatusScreen(
        now=now,
        source=workspace.source,
        fleet=fleet.settings.fleet,
        hosts=len(fleet.inventory.hosts),
        rows=rows,
        record=workspace.record,
        halts={} if as_json else _halts(workspace, halted),
        freeze=fleet.settings.freeze,
        awaited=awaited,
        broken=len(bad),
    )
    screen.show(found, as_json=as_json)
    workspace.warn()
    return workspace.complain(bad)


def _awaited(workspace: Workspace, found: list[Status]) -> dict[str, Status]:
    """Return where the variables stand that others wait for."""
    known = {status.variable.name: status for status in found}
    waits = [active.after for status in found if (active := status.variable.active) and active.after]
    fleet = workspace.fleet
    for name in {after.variable for after in waits} & set(fleet.names) - set(known):
        variable = fleet.load(name).variable
        if variable is not None:
            told = workspace.told(variable, fleet.roles, workspace.record)
            known[name] = status_of(variable, fleet.roles, workspace.now, told)
    return known


def _halts(workspace: Workspace, halted: list[str]) -> dict[str, Entry]:
    """Return, for halted variables, the decision that did it; by hand or by whatever else changed the file last."""
    if not halted or workspace.source is None:
        return {}
    from tsunami_cli.adapters.git.history import decisions

    found: dict[str, Entry] = {}
    for entry in entries(decisions(workspace.repository, workspace.source, [FOLDER])):
        if entry.variable in halted and entry.action in ("halt", "edit"):
            found.setdefault(entry.variable, entry)
            if len(found) == len(halted):
                break
    return found
