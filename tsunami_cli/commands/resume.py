"""`tsunami resume`: go on."""

from tsunami_cli.commands.deciding import Decider
from tsunami_cli.commands.fleet import Fleet
from tsunami_cli.commands.options import Folder, Json, MaybeOver, Reason, Variable
from tsunami_cli.core.decisions import Change, check_line, resume
from tsunami_cli.core.status import Status
from tsunami_cli.core.waiting import begin


def command(
    var: Variable, over: MaybeOver = None, reason: Reason = None, as_json: Json = False, folder: Folder = None
) -> int:
    """Let a rollout go on from where it was halted or rolled back to, over the open time that was left, or over D.

    One that waits for another variable begins at once.

    [dim]tsunami resume docker[/]

    [dim]tsunami resume docker --over 7d --reason "fixed in 1.12.3-2"[/]
    """
    from tsunami_cli.output import decided as screen

    decider = Decider(folder)

    def make(_: Fleet, status: Status) -> Change:
        active = status.variable.active
        if active and active.after and active.halted is None and over is None:
            check_line(status.variable)
            return begin(status, decider.now, action="resume")
        return resume(status, decider.now, over)

    decided = decider.one(var, make, reason)
    screen.show(decided, decider.now, as_json=as_json)
    return decided.exit_code
