"""`tsunami retire`: a variable goes."""

from tsunami_cli.commands.deciding import Decider
from tsunami_cli.commands.options import Folder, Json, Reason, Variable
from tsunami_cli.core.decisions import retire


def command(var: Variable, reason: Reason = None, as_json: Json = False, folder: Folder = None) -> int:
    """Delete a variable: hosts stop getting it with the next publish.

    A file that is only deleted is taken for an accident: its hosts keep what they have.

    [dim]tsunami retire sysctl-somaxconn --reason "the kernel's default is high enough now"[/]
    """
    from tsunami_cli.output import decided as screen

    decider = Decider(folder)
    decided = decider.one(var, lambda _fleet, status: retire(status), reason)
    screen.show(decided, decider.now, as_json=as_json)
    return decided.exit_code
