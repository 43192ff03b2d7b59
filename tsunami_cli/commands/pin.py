"""`tsunami pin`: hosts that keep a value whatever happens."""

from typing import Annotated

import typer

from tsunami_cli.commands.deciding import Decider
from tsunami_cli.commands.fleet import Fleet, note, suggestion, value_from
from tsunami_cli.commands.options import Folder, HostGlobs, Json, RoleGlobs, Variable
from tsunami_cli.core.decisions import Change, pin
from tsunami_cli.core.model import Globs
from tsunami_cli.core.status import Effect, Status, effect_of
from tsunami_cli.errors import Refused, Usage


def command(
    var: Variable,
    to: Annotated[str, typer.Option("--to", metavar="V", help="The value they keep.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; others will ask.")],
    host: HostGlobs = None,
    role: RoleGlobs = None,
    as_json: Json = False,
    folder: Folder = None,
) -> int:
    """Pin hosts, or all hosts of roles, to a value. No rollout moves them until they are unpinned.

    A new pin stands first in the file, and so wins over older ones.

    [dim]tsunami pin docker --to 1.12.1 --role login --reason "holds sessions; upgraded by hand"[/]

    [dim]tsunami pin docker --to 1.12.3 --host 'lon2-search-a*' --reason "needs the proxy fix"[/]
    """
    from tsunami_cli.output import decided as screen

    if not host and not role:
        raise Usage("say whom to pin: --host GLOB or --role GLOB")
    if not reason.strip():
        raise Refused(f"{var}: --reason must not be blank: others will ask why")
    decider = Decider(folder)
    effects: list[Effect] = []

    def make(fleet: Fleet, status: Status) -> Change:
        _check(fleet, host or [], role or [])
        value = value_from(status.variable, to, "--to")
        change = pin(status.variable, value, tuple(host or ()), tuple(role or ()), reason)
        effects[:] = [
            effect_of(status.variable, change.variable, fleet.roles, decider.now, decider.told(status.variable))
        ]
        return change

    decided = decider.one(var, make, reason)
    screen.show(decided, decider.now, as_json=as_json, effect=effects[0])
    return decided.exit_code


def _check(fleet: Fleet, hosts: list[str], roles: list[str]) -> None:
    """Refuse names that do not exist; a pattern that matches nothing yet may be meant."""
    kinds = (("host", hosts, fleet.inventory.hosts), ("role", roles, tuple(fleet.inventory.members())))
    for kind, globs, names in kinds:
        for glob in globs:
            if Globs((glob,)).among(names):
                continue
            if not set(glob) & set("*?["):
                raise Refused(f"{glob}: there is no such {kind}{suggestion(glob, names)}")
            note(f"{glob} matches no {kind} yet")
