"""`tsunami slo`: what the SLOs of a variable measure now."""

from tsunami_cli.commands.guarding import judge
from tsunami_cli.commands.options import At, Folder, Json, Variable
from tsunami_cli.commands.workspace import Workspace
from tsunami_cli.errors import Refused


def command(var: Variable, at: At = None, as_json: Json = False, folder: Folder = None) -> int:
    """Show each SLO of a variable: its query, what it measures now on which hosts, and what the guard would do.

    The command to write SLOs with: it reads the files as they stand, and decides nothing.

    [dim]tsunami slo docker[/]

    [dim]tsunami slo docker --at 2026-11-20T08:30:00Z --json[/]
    """
    from tsunami_cli.output import slo as screen

    workspace = Workspace(folder, at)
    fleet, now = workspace.fleet, workspace.now
    variable = fleet.variable(var)
    if not variable.slos:
        raise Refused(f"{var} has no slos: docs/guard.md says how to write one")
    record = workspace.record
    with screen.asking(shown=not as_json):
        found = judge(fleet, [variable], lambda v: workspace.told(v, fleet.roles, record), now, anyway=True)
    screen.show(variable, found, now, published=record is not None, as_json=as_json)
    workspace.warn()
    return 4 if any(one.measured is not None and one.measured.failure for one in found) else 0
