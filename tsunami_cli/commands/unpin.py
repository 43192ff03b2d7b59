"""`tsunami unpin`: lift pins."""

from tsunami_cli.commands.deciding import Decider
from tsunami_cli.commands.fleet import Fleet
from tsunami_cli.commands.options import Folder, HostGlobs, Json, Reason, RoleGlobs, Variable
from tsunami_cli.core.decisions import Change, unpin
from tsunami_cli.core.status import Effect, Status, effect_of
from tsunami_cli.errors import Usage


def command(
    var: Variable,
    host: HostGlobs = None,
    role: RoleGlobs = None,
    reason: Reason = None,
    as_json: Json = False,
    folder: Folder = None,
) -> int:
    """Lift pins, by the names or patterns that stand in the file. The hosts go by the rollouts again.

    [dim]tsunami unpin docker --role login[/]
    """
    from tsunami_cli.output import decided as screen

    if not host and not role:
        raise Usage("say whose pin to lift: --host GLOB or --role GLOB, as it stands in the file")
    decider = Decider(folder)
    effects: list[Effect] = []

    def make(fleet: Fleet, status: Status) -> Change:
        change = unpin(status.variable, tuple(host or ()), tuple(role or ()))
        effects[:] = [
            effect_of(status.variable, change.variable, fleet.roles, decider.now, decider.told(status.variable))
        ]
        return change

    decided = decider.one(var, make, reason)
    screen.show(decided, decider.now, as_json=as_json, effect=effects[0])
    return decided.exit_code
