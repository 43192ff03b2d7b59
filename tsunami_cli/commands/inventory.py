"""The hosts of the fleet and their roles: take them over from another inventory, or show them."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.commands.fleet import note, suggestion
from tsunami_cli.commands.options import Folder, Json, Reason, RoleGlobs
from tsunami_cli.commands.workspace import Workspace
from tsunami_cli.core.model import Globs
from tsunami_cli.errors import Refused


class Tool(StrEnum):
    """Whose inventory it is."""

    ANSIBLE = "ansible"
    CONSUL = "consul"
    PUPPETDB = "puppetdb"
    PROMETHEUS = "prometheus-sd"
    CSV = "csv"


def import_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What that tool gave; - for stdin.")],
    source: Annotated[Tool, typer.Option("--from", help="Whose inventory it is.")],
    role_from: Annotated[
        str | None,
        typer.Option("--role-from", metavar="RULE", help="Where a host's role stands.", show_default=False),
    ] = None,
    name_from: Annotated[
        str | None,
        typer.Option("--name-from", metavar="RULE", help="Where its name stands, if not its own.", show_default=False),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", metavar="NAME=RULE", help="A label to take along; repeatable.", show_default=False),
    ] = None,
    drop_label: Annotated[
        list[str] | None,
        typer.Option("--drop-label", metavar="NAME", help="A label that is to go; repeatable.", show_default=False),
    ] = None,
    accept_shrink: Annotated[
        int, typer.Option("--accept-shrink", metavar="N", min=0, help="Let up to N hosts leave.", show_default=False)
    ] = 0,
    reason: Reason = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change and commit nothing.")] = False,
    as_json: Json = False,
    folder: Folder = None,
) -> int:
    """Take hosts over from another inventory: their names, roles and the labels asked for, in one commit.

    Nothing else that it holds is taken, passwords least of all. Where nothing has changed there is no commit.

    RULE: group, group:GLOB, meta:NAME, label:NAME, regex:PATTERN or value:TEXT.

    [dim]ansible-inventory --list | tsunami inventory import --from ansible - --label site=meta:site[/]

    [dim]tsunami inventory import --from consul web.json --name-from meta:fqdn --dry-run[/]
    """
    from tsunami_cli.adapters.inventory_sources import machines
    from tsunami_cli.adapters.inventory_sources.arriving import arrived
    from tsunami_cli.commands.fleet import LARGE
    from tsunami_cli.commands.importing import Asked, bring_in, rules_from
    from tsunami_cli.core.importing.intake import taken_in
    from tsunami_cli.output import inventory as screen
    from tsunami_cli.output.streams import outlive_readers

    rules = rules_from(source.value, role_from, name_from, label or ())
    repository = Repository.discover(folder or Path.cwd())
    outlive_readers()
    data, name = arrived(str(file), LARGE)
    intake = taken_in(machines(source.value, data, name), rules, name)
    asked = Asked(source.value, tuple(drop_label or ()), accept_shrink, reason, dry_run)
    screen.show_import(bring_in(repository, intake, asked), as_json=as_json)
    return 0


def list_command(role: RoleGlobs = None, as_json: Json = False, folder: Folder = None) -> int:
    """Show the hosts with their roles and labels, and how many there are of each.

    [dim]tsunami inventory list --role accesspoint[/]

    [dim]tsunami inventory list --json | jq .counts.roles[/]
    """
    from tsunami_cli.output import inventory as screen

    workspace = Workspace(folder)
    inventory, file = workspace.fleet.inventory, workspace.fleet.settings.inventory
    _check_roles(role or [], tuple(inventory.members()), file)
    wanted = screen.picked(inventory, Globs(tuple(role)) if role else None)
    screen.show_list(wanted, file, as_json=as_json)
    workspace.warn()
    return 0


def _check_roles(globs: list[str], roles: tuple[str, ...], file: str) -> None:
    """Refuse names of roles that do not exist; a pattern may match nothing."""
    for glob in globs:
        if Globs((glob,)).among(roles):
            continue
        if not set(glob) & set("*?["):
            raise Refused(f"{glob}: {file} has no such role{suggestion(glob, roles)}")
        note(f"{glob} matches no role")


COMMANDS = {"import": import_command, "list": list_command}
