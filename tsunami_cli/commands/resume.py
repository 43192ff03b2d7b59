"""`tsunami resume`: go on."""

from tsunami_cli.commands.deciding import Decider
from tsunami_cli.commands.fleet import Fleet
from tsunami_cli.commands.options import Folder, Json, MaybeOver, Reason, Variable
from tsunami_cli.core.decisions import Change, resume
from tsunami_cli.core.status import Status
from tsunami_cli.core.waiting import resume_waiting


def command(
    var: Variable, over: MaybeOver = None, reason: Reason = None, as_json: Json = False, folder: Folder = None
) -> int:
    """Let a rollout go on from where it was halted or rolled back to, over the open time that was left, or over D.

    One that waits for another variable begins at once; if it was halted, it waits again.

    [dim]tsunami resume docker[/]

    [dim]tsunami resume docker --over 7d --reason "fixed in 1.12.3-2"[/]
    """
    from tsunami_cli.output import decided as screen

    decider = Decider(folder)

    def make(_: Fleet, status: Status) -> Change:
        active = status.variable.active
        decide = resume_waiting if active and active.after else resume
        return decide(status, decider.now, over)

    decided = decider.one(var, make, reason)
    screen.show(decided, decider.now, as_json=as_json)
    return decided.exit_code
