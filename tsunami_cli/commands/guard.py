"""`tsunami guard`: judges SLOs, and halts or rolls back."""

from pathlib import Path
from typing import Annotated

import typer

from tsunami_cli.adapters import clock
from tsunami_cli.adapters.git.decider import current
from tsunami_cli.adapters.git.ledger import Ledger, ledger_at
from tsunami_cli.adapters.git.pages import Page
from tsunami_cli.adapters.git.remote import remote_of, settings
from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.adapters.git.trees import CommitTree, WorkTree
from tsunami_cli.commands.deciding import Decider
from tsunami_cli.commands.fleet import Fleet, note
from tsunami_cli.commands.guarding import DECISIONS, Enacted, enact, judge
from tsunami_cli.commands.options import Folder, Json, Variables
from tsunami_cli.core.guard.rulings import rulings
from tsunami_cli.core.record import Record


def command(
    var: Variables = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Judge, and decide nothing.")] = False,
    as_json: Json = False,
    folder: Folder = None,
) -> int:
    """Judge the SLOs of rollouts that are under way; halt, or roll back, where one is violated on the moved hosts.

    Every publish does this first. What it decides is a commit like yours, with what was measured in it. Exit 0 also
    where it halted something, 4 where it could not ask.

    [dim]tsunami guard --dry-run[/]

    [dim]tsunami guard docker --json | jq '.results'[/]
    """
    from tsunami_cli.output import guard as screen

    repository = Repository.discover(folder or Path.cwd())
    fleet, record = _standing(repository, push_along=not dry_run)
    good, bad = fleet.split(var or ())
    now = clock.now()
    with screen.asking(shown=not as_json):
        found = rulings(judge(fleet, good, lambda v: record.told(v.name) if record else None, now))
    decider = Decider(folder, repository)
    enacted = [
        enact(ruling, decider) if ruling.action in DECISIONS and not dry_run else Enacted(ruling) for ruling in found
    ]
    screen.show(enacted, now, published=record is not None, dry_run=dry_run, as_json=as_json)
    for one in enacted:
        if one.failure is not None:
            note(f"{one.ruling.variable}: {one.action}: {one.failure}")
    for loaded in bad:
        note(f"{loaded.errors[0]}: its SLOs cannot be judged; a publish keeps its hosts as they are")
    return max([one.exit_code for one in enacted], default=0) or (1 if bad else 0)


def _standing(repository: Repository, *, push_along: bool) -> tuple[Fleet, Record | None]:
    """Return the fleet as the branch has it, and what hosts were told."""
    branch = Fleet(WorkTree(repository.root)).settings.branch
    remote = remote_of(settings(repository), branch)
    tip = Ledger(repository, ledger_at(remote) if remote else None).tip()
    source, notes = current(repository, branch, push_along=push_along)
    for line in notes:
        note(line)
    return Fleet(CommitTree(repository, source)), Page(repository, tip).record() if tip else None
