"""`tsunami publish`: tells hosts their values, and records it."""

from pathlib import Path
from typing import Annotated

import typer

from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.commands import reporting
from tsunami_cli.commands.options import Folder, Json, Metrics
from tsunami_cli.commands.publishing import Asked
from tsunami_cli.errors import Usage


def command(
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="URL",
            help="file:PATH, s3://bucket/prefix, gs:// or az://; else TSUNAMI_PUBLISH_TO, else publish.to.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be told, and change nothing.")] = False,
    no_guard: Annotated[
        bool, typer.Option("--no-guard", help="Judge no SLO: what the guard holds moves on. What was halted stays so.")
    ] = False,
    accept_shrink: Annotated[
        int,
        typer.Option(
            "--accept-shrink", metavar="N", min=0, help="Let up to N hosts leave the inventory.", show_default=False
        ),
    ] = 0,
    accept_rewind: Annotated[
        bool, typer.Option("--accept-rewind", help="The branch went back, and that is meant. Needs --reason.")
    ] = False,
    reset_clock: Annotated[
        bool, typer.Option("--reset-clock", help="The clock was wrong before, and is right now. Needs --reason.")
    ] = False,
    recover: Annotated[
        bool,
        typer.Option("--recover", help="The ledger was lost: get it back, here or from the store. Needs --reason."),
    ] = False,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Why, for the ledger.", show_default=False)
    ] = None,
    metrics: Metrics = None,
    as_json: Json = False,
    folder: Folder = None,
) -> int:
    """Tell hosts their values: judge the SLOs, record in the ledger who is told what, and upload what changed.

    Meant to run every few minutes, by CI or tsunami run. Whatever is wrong, no host moves; exit 1 where some files
    cannot be used and their hosts keep what they have, 4 where a rollout is held because its SLOs could not be asked.

    [dim]tsunami publish --dry-run[/]

    [dim]tsunami publish --to s3://infra-state/tsunami[/]
    """
    from tsunami_cli.output import publish as screen

    if (accept_rewind or reset_clock or recover) and not reason:
        raise Usage("--accept-rewind, --reset-clock and --recover need a --reason: it stands in the ledger")
    if recover and dry_run:
        raise Usage("--recover changes the ledger: it cannot be tried with --dry-run")
    asked = Asked(
        to=to,
        dry_run=dry_run,
        no_guard=no_guard,
        accept_shrink=accept_shrink,
        accept_rewind=accept_rewind,
        reset_clock=reset_clock,
        recover=recover,
        reason=reason,
    )
    repository = Repository.discover(folder or Path.cwd())
    with screen.progress(shown=not as_json) as report:
        done = reporting.publish(repository, asked, metrics=metrics, report=report)
    screen.show(done, as_json=as_json)
    return done.exit_code
