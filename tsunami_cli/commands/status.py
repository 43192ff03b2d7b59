"""`tsunami status`: where every variable stands."""

from collections.abc import Mapping

from tsunami_cli.commands.fleet import FOLDER
from tsunami_cli.commands.options import At, Folder, Json, Variables
from tsunami_cli.commands.workspace import Workspace
from tsunami_cli.core.forecast import next_moves
from tsunami_cli.core.journal import Entry, entries
from tsunami_cli.core.model import Rollout
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
    halted = {s.variable.name: s.variable.active for s, _ in rows if s.state == "halted" and s.variable.active}
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


def _halts(workspace: Workspace, halted: Mapping[str, Rollout]) -> dict[str, Entry]:
    """Return, for halted variables, the decision that did it: the newest halt, or else an edit by hand since.

    Of several edits it is the one that is nearest to the instant of the halt.
    """
    if not halted or workspace.source is None:
        return {}
    from tsunami_cli.adapters.git.history import decisions

    found: dict[str, Entry] = {}
    edits: dict[str, list[Entry]] = {}
    open_ones = dict(halted)
    for entry in entries(decisions(workspace.repository, workspace.source, [FOLDER])):
        if entry.variable not in open_ones:
            continue
        if entry.action == "edit":
            edits.setdefault(entry.variable, []).append(entry)
        elif entry.action == "halt" or entry.rollout == open_ones[entry.variable].id:
            # Any other decision on the rollout lifted the halts before it.
            if entry.action == "halt":
                found[entry.variable] = entry
            del open_ones[entry.variable]
            if not open_ones:
                break
    for name in halted.keys() & edits.keys() - found.keys():
        at = halted[name].halted or workspace.now
        found[name] = min(edits[name], key=lambda entry: abs(entry.at - at))
    return found
