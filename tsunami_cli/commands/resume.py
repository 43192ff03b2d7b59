"""`tsunami resume`: go on."""

from tsunami_cli.commands.deciding import Decider
from tsunami_cli.commands.options import Folder, Json, MaybeOver, Reason, Variable
from tsunami_cli.core.decisions import resume


def command(
    var: Variable, over: MaybeOver = None, reason: Reason = None, as_json: Json = False, folder: Folder = None
) -> int:
    """Let a rollout go on from where it was halted or rolled back to, over the open time that was left, or over D.

    [dim]tsunami resume docker[/]

    [dim]tsunami resume docker --over 7d --reason "fixed in 1.12.3-2"[/]
    """
    from tsunami_cli.output import decided as screen

    decider = Decider(folder)
    decided = decider.one(var, lambda _, status: resume(status, decider.now, over), reason)
    screen.show(decided, decider.now, as_json=as_json)
    return decided.exit_code
