"""`tsunami get`: what one host is to run."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from tsunami_cli.commands.fleet import note
from tsunami_cli.commands.options import At, Folder, Host, Json, variables
from tsunami_cli.commands.workspace import Workspace
from tsunami_cli.core.lineup import Lineup
from tsunami_cli.core.problems import Problem, Refusal
from tsunami_cli.core.status import values_now
from tsunami_cli.core.values import Value, scalar, shown
from tsunami_cli.errors import Refused

if TYPE_CHECKING:
    from tsunami_cli.core.record import Record


def command(
    host: Host,
    var: Annotated[
        str | None,
        typer.Argument(metavar="[VAR]", help="The one variable to show.", autocompletion=variables, show_default=False),
    ] = None,
    at: At = None,
    told: Annotated[bool, typer.Option("--told", help="What it was told last, from the ledger alone.")] = False,
    as_json: Json = False,
    folder: Folder = None,
) -> int:
    """Show what a host is to run, by the files and what it was told: its flat JSON object, or one value bare.

    [dim]tsunami get lon2-accesspoint-a7[/]           {"docker": "1.12.3", "helios": "0.9.12"}

    [dim]tsunami get lon2-accesspoint-a7 docker[/]    1.12.3
    """
    workspace = Workspace(folder, at)
    record = None if told else workspace.record_of(workspace.fleet.role_of(host))
    problems: Sequence[Problem] = ()
    if told:
        found = _told(host, workspace)
    elif record is None:
        found = _planned(host, var, workspace)
    else:
        found, problems = _answered(host, var, workspace, record)
    if told and var and var not in found:
        raise Refusal(f"{host} was never told {var}")
    if told and var:
        found = {var: found[var]}
    if var and not found:
        role = workspace.fleet.role_of(host).name
        raise Refusal(f"{var} does not apply to {host}: its roles leave {role} out")
    if var and not as_json:
        sys.stdout.write(f"{shown(found[var])}\n")
    else:
        objects = {name: scalar(value) for name, value in found.items()}
        sys.stdout.write(json.dumps(objects[var] if var else objects, ensure_ascii=False) + "\n")
    workspace.warn()
    for problem in problems:
        note(f"{problem}: shown is what the host was told")
    return 1 if problems else 0


def _planned(host: str, var: str | None, workspace: Workspace) -> dict[str, Value]:
    """Return what the host is to run, all of it or of one variable, where nothing was published."""
    role = workspace.fleet.role_of(host)
    return {
        variable.name: values_now(Lineup(variable, role), workspace.now, None)[role.hosts.index(host)]
        for variable in workspace.fleet.variables([var] if var else ())
        if variable.roles.match(role.name)
    }


def _answered(
    host: str, var: str | None, workspace: Workspace, record: "Record"
) -> tuple[dict[str, Value], Sequence[Problem]]:
    """Return what a publish now would tell the host, and what is wrong with files of which it keeps what it has."""
    from tsunami_cli.core.record import values_in

    role = workspace.fleet.role_of(host)
    admitted = workspace.admitted([var] if var else [], record)
    found: dict[str, Value] = {}
    for variable in admitted.variables:
        if variable.roles.match(role.name):
            answer = workspace.answer(variable, (role,), record)
            if answer is not None and host in answer.given:
                found[variable.name] = answer.given[host]
    text = record.objects.get(host)
    for name in admitted.kept:
        # Who was away and is back keeps what it was told, too.
        value = values_in(text).get(name) if text is not None else record.told(name).given.get(host)
        if value is not None:
            found[name] = value
    return dict(sorted(found.items())), admitted.problems


def _told(host: str, workspace: Workspace) -> Mapping[str, Value]:
    """Return what the host was told last, from the ledger alone."""
    from tsunami_cli.core.record import values_in

    if workspace.record is None:
        raise Refused("nothing was published yet, so no host was told anything: tsunami publish")
    text = workspace.record.objects.get(host)
    if text is None:
        raise Refused(f"{host}: #{workspace.record.sequence} has no such host")
    return values_in(text)
