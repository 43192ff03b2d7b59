"""`tsunami pace`: faster or slower."""

from tsunami_cli.commands.deciding import Decider
from tsunami_cli.commands.options import Folder, Json, Over, Reason, Variable
from tsunami_cli.core.decisions import pace


def command(var: Variable, over: Over, reason: Reason = None, as_json: Json = False, folder: Folder = None) -> int:
    """Spread the rest of a running rollout over D from now: slower, or faster.

    [dim]tsunami pace docker --over 3d --reason "quiet so far"[/]
    """
    from tsunami_cli.output import decided as screen

    decider = Decider(folder)
    decided = decider.one(var, lambda _, status: pace(status, decider.now, over), reason)
    screen.show(decided, decider.now, as_json=as_json)
    return decided.exit_code
