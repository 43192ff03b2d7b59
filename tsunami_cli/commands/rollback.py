"""`tsunami rollback`: the way back."""

from tsunami_cli.commands.deciding import Decider
from tsunami_cli.commands.options import Folder, Json, Over, Reason, Variable
from tsunami_cli.core.decisions import rollback


def command(var: Variable, over: Over, reason: Reason = None, as_json: Json = False, folder: Folder = None) -> int:
    """Take back what a rollout moved, in reverse order, within D from now; also of a complete rollout.

    The calendar does not hold it up. Hosts that never moved are not touched.

    [dim]tsunami rollback docker --over 2h --reason "containers lose DNS"[/]
    """
    from tsunami_cli.output import decided as screen

    decider = Decider(folder)
    decided = decider.one(var, lambda _, status: rollback(status, decider.now, over), reason)
    screen.show(decided, decider.now, as_json=as_json)
    return decided.exit_code
