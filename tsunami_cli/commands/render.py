"""`tsunami render`: the bundles of all roles, as files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tsunami_cli.commands.fleet import Fleet, note, suggestion
from tsunami_cli.commands.options import At, Folder, Json, roles
from tsunami_cli.commands.workspace import Workspace
from tsunami_cli.core.bundle import bundle, host_objects
from tsunami_cli.core.lineup import Lineup, Role
from tsunami_cli.core.model import Variable
from tsunami_cli.core.problems import Problem
from tsunami_cli.core.status import values_now
from tsunami_cli.errors import Refused

if TYPE_CHECKING:
    from tsunami_cli.core.record import Record

SEQUENCE = 1
"""What the first publish would write: there was none yet."""


def command(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder for roles/ROLE.json; made if need be.")],
    role: Annotated[
        list[str] | None,
        typer.Option(
            "--role", metavar="R", help="Only this role; repeatable.", autocompletion=roles, show_default=False
        ),
    ] = None,
    at: At = None,
    as_json: Json = False,
    folder: Folder = None,
) -> int:
    """Write the bundles: for every role a JSON file with what each of its hosts is to run.

    Files whose bytes would be the same stay untouched; those of roles that are gone are deleted.

    [dim]tsunami render --out public[/]

    [dim]tsunami render --out /tmp/next-week --at 2016-11-21T10:00:00Z --role accesspoint[/]
    """
    from tsunami_cli.adapters.folders import write_changed
    from tsunami_cli.output import render as screen

    workspace = Workspace(folder, at)
    fleet = workspace.fleet
    wanted = _wanted(fleet, role or [])
    problems: Sequence[Problem] = ()
    if workspace.record is None:
        files = _planned(fleet.variables(), wanted, workspace)
    elif workspace.back and workspace.page is not None:
        files = _named(workspace.page.raw_bundles(), wanted)
    else:
        files, problems = _published(wanted, workspace, workspace.record)
    written = write_changed(out / "roles", files, prune=not role)
    screen.show(screen.RenderScreen(str(out), sum(len(r.hosts) for r in wanted), written), as_json=as_json)
    workspace.warn()
    for problem in problems:
        note(f"{problem}: hosts keep what they were told")
    return 1 if problems else 0


def _wanted(fleet: Fleet, names: list[str]) -> list[Role]:
    known = [role.name for role in fleet.roles]
    for name in names:
        if name not in known:
            raise Refused(f"{name}: {fleet.settings.inventory} has no such role{suggestion(name, known)}")
    return [role for role in fleet.roles if not names or role.name in names]


def _planned(variables: Sequence[Variable], roles: Sequence[Role], workspace: Workspace) -> dict[str, bytes]:
    """Return the bundles as the first publish would write them."""
    files = {}
    for role in roles:
        applying = (v for v in variables if v.roles.match(role.name))
        columns = {v.name: values_now(Lineup(v, role), workspace.now, None) for v in applying}
        files[f"{role.name}.json"] = bundle(role.name, SEQUENCE, role.hosts, host_objects(columns, len(role.hosts)))
    return files


def _published(
    wanted: Sequence[Role], workspace: Workspace, record: "Record"
) -> tuple[dict[str, bytes], Sequence[Problem]]:
    """Return the bundles as a publish would write them on top of what was told, and what is wrong with files."""
    from tsunami_cli.core.publishing import publication

    roles, admitted = workspace.fleet.roles, workspace.admitted([], record)
    told = {v.name: answer for v in admitted.variables if (answer := workspace.answer(v, roles, record))}
    plan = publication(record, roles, admitted.variables, admitted.kept, workspace.now, told)
    return _named(plan.all_bundles(), wanted), admitted.problems


def _named(bundles: Mapping[str, bytes | None], wanted: Sequence[Role]) -> dict[str, bytes]:
    names = {role.name for role in wanted}
    return {f"{role}.json": data for role, data in bundles.items() if role in names and data is not None}
