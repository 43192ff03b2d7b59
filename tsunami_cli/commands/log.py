"""`tsunami log`: who decided what, when and why."""

from typing import Annotated

import typer

from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.commands.filters import Csv, Limit, Since, Until, globs, one_format, span
from tsunami_cli.commands.fleet import FOLDER, SETTINGS, note, suggestion
from tsunami_cli.commands.freezes import freezes
from tsunami_cli.commands.options import Back, Folder, HostGlobs, Json, RoleGlobs, Variables
from tsunami_cli.commands.workspace import Workspace
from tsunami_cli.core.journal import EVERY, Entry, entries

Actions = Annotated[
    list[str] | None,
    typer.Option("--action", metavar="A", help="Only start, halt, edit, ...; repeatable.", show_default=False),
]
Author = Annotated[
    str | None,
    typer.Option("--author", metavar="TEXT", help="Only by people whose name or mail has it.", show_default=False),
]


def command(
    var: Variables = None,
    since: Since = None,
    until: Until = None,
    action: Actions = None,
    author: Author = None,
    host: HostGlobs = None,
    role: RoleGlobs = None,
    limit: Limit = None,
    at: Back = None,
    as_json: Json = False,
    as_csv: Csv = False,
    folder: Folder = None,
) -> int:
    """Show decisions, oldest first: who started, halted, pinned or edited what, when and why.

    With --host or --role those alone that made such hosts be told something.

    [dim]tsunami log docker[/]

    [dim]tsunami log --since 7d --action halt --action rollback[/]

    [dim]tsunami log --host lon2-accesspoint-a7 -n 20 --json[/]
    """
    from tsunami_cli.adapters.git.history import decisions
    from tsunami_cli.output import log as screen

    one_format(as_json=as_json, as_csv=as_csv)
    workspace = Workspace(folder, at)
    window = span(since, until, workspace.now, cut=at is not None)
    branch = workspace.fleet.settings.branch
    tip = workspace.repository.counting_tip(branch) or workspace.source
    # All files, whatever was asked for: a decision on several is known as one by all that it changed.
    inventory = workspace.fleet.settings.inventory
    commits = list(decisions(workspace.repository, tip, [FOLDER, SETTINGS, inventory])) if tip else []
    found = [
        one
        for one in entries(reversed(commits), inventory, freezes(workspace.repository))
        if not var or one.variable in (*var, EVERY)
    ]
    for name in set(var or ()) - {entry.variable for entry in found}:
        workspace.fleet.load(name)
    _check_actions(action, found)

    wanted = [
        entry
        for entry in found
        if window.has(entry.at)
        and (not action or entry.action in action)
        and (not author or author.casefold() in entry.author.casefold())
    ]
    code = 0
    if host or role:
        wanted, code = _that_told(workspace.repository, wanted, host, role)
    screen.show(wanted[-limit:] if limit else wanted, as_json=as_json, as_csv=as_csv)
    return code


def _that_told(
    repository: Repository, found: list[Entry], hosts: list[str] | None, roles: list[str] | None
) -> tuple[list[Entry], int]:
    """Return the decisions that tellings of such hosts go back to, and the exit code."""
    from tsunami_cli.commands.filters import told
    from tsunami_cli.core.audit import Filter, causes

    tellings = told(repository, Filter(hosts=globs(hosts), roles=globs(roles)))
    behind = causes(tellings.rows)
    return [entry for entry in found if (entry.commit, entry.variable) in behind], 1 if tellings.unreadable else 0


def _check_actions(asked: list[str] | None, found: list[Entry]) -> None:
    """Say which actions were asked for that are not among the decisions."""
    known = sorted({entry.action for entry in found})
    for name in sorted(set(asked or ()) - set(known)):
        note(f"no decision here is called {name}{suggestion(name, known)}")
