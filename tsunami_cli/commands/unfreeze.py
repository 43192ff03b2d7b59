"""`tsunami unfreeze`: let the line go on."""

from collections.abc import Sequence

from tsunami_cli.commands.deciding import Decider, Made
from tsunami_cli.commands.fleet import Fleet, note
from tsunami_cli.commands.options import Folder, Json, Reason, Variables
from tsunami_cli.commands.thawing import thaw
from tsunami_cli.core.freezing import Line, unfreeze
from tsunami_cli.core.model import Freeze


def command(var: Variables = None, reason: Reason = None, as_json: Json = False, folder: Folder = None) -> int:
    """Let the line go on: each rollout where it stood and at its own pace, later by as long as the freeze took.

    With VAR those alone, as exceptions; the rest stays frozen. What was halted stays halted.

    [dim]tsunami unfreeze[/]

    [dim]tsunami unfreeze docker --reason "security fix"[/]
    """
    from tsunami_cli.output import freeze as screen

    decider = Decider(folder)
    before: list[Freeze | None] = []
    broken: list[str] = []

    def line(fleet: Fleet) -> Line | None:
        for name in var or ():
            fleet.load(name, alone=True)
        before.append(fleet.settings.freeze)
        return unfreeze(before[-1], var or ())

    def make(fleet: Fleet) -> Sequence[Made]:
        made, broken[:] = thaw(fleet, decider, list(dict.fromkeys(var or fleet.names)))
        return made

    decided = decider.decide(make, reason, line=line)
    screen.show_thawed(decided, before[-1], var or (), decider.now, as_json=as_json)
    for problem in broken:
        note(f"{problem}: its rollout goes on by its old schedule once that is mended; pace or halt it then")
    return decided.exit_code
