"""`tsunami get`: what one host is to run."""

import json
import sys
from typing import Annotated

import typer

from tsunami_cli.commands.options import At, Folder, Host, Json, variables
from tsunami_cli.commands.workspace import Workspace
from tsunami_cli.core.lineup import Lineup, Role
from tsunami_cli.core.model import Variable
from tsunami_cli.core.problems import Refusal
from tsunami_cli.core.status import values_now
from tsunami_cli.core.values import Value, scalar, shown


def command(
    host: Host,
    var: Annotated[
        str | None,
        typer.Argument(metavar="[VAR]", help="The one variable to show.", autocompletion=variables, show_default=False),
    ] = None,
    at: At = None,
    as_json: Json = False,
    folder: Folder = None,
) -> None:
    """Show what a host is to run: its flat JSON object, or one value bare.

    [dim]tsunami get lon2-accesspoint-a7[/]           {"docker": "1.12.3", "helios": "0.9.12"}

    [dim]tsunami get lon2-accesspoint-a7 docker[/]    1.12.3
    """
    workspace = Workspace(folder, at)
    role = workspace.fleet.role_of(host)
    found: dict[str, Value] = {}
    for variable in workspace.fleet.variables([var] if var else ()):
        if variable.roles.match(role.name):
            found[variable.name] = value_of_host(variable, role, host, workspace)
    if var and not found:
        raise Refusal(f"{var} does not apply to {host}: its roles leave {role.name} out")
    if var and not as_json:
        sys.stdout.write(f"{shown(found[var])}\n")
    else:
        objects = {name: scalar(value) for name, value in found.items()}
        sys.stdout.write(json.dumps(objects[var] if var else objects, ensure_ascii=False) + "\n")
    workspace.warn()


def value_of_host(variable: Variable, role: Role, host: str, workspace: Workspace) -> Value:
    """Return the value of one host."""
    return values_now(Lineup(variable, role), workspace.now, None)[role.hosts.index(host)]
