"""`tsunami ack`: accept a violation that is known."""

from datetime import datetime
from typing import Annotated

import typer

from tsunami_cli.commands.deciding import Decider
from tsunami_cli.commands.options import Folder, Json, Variable, instant_parser, slos
from tsunami_cli.core.decisions import ack
from tsunami_cli.errors import Refused


def command(
    var: Variable,
    slo: Annotated[str, typer.Argument(metavar="SLO", help="The SLO, by its name.", autocompletion=slos)],
    until: Annotated[
        datetime,
        typer.Option("--until", metavar="INSTANT", parser=instant_parser, help="Until when, as 2016-11-21T10:00:00Z."),
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; others will ask.")],
    as_json: Json = False,
    folder: Folder = None,
) -> int:
    """Accept, for the active rollout and until an instant, that an SLO is violated: the guard goes on without it.

    A rollout that the guard halted goes on with tsunami resume after that. Silence and missing data are another matter.

    [dim]tsunami ack docker agent-crashes --until 2016-11-21T10:00:00Z --reason "the exporter leaks, fixed on Monday"[/]
    """
    from tsunami_cli.output import decided as screen

    if not reason.strip():
        raise Refused(f"{var}: --reason must not be blank: others will ask why")
    decider = Decider(folder)
    decided = decider.one(var, lambda _, status: ack(status, decider.now, slo, until, reason), reason)
    screen.show(decided, decider.now, as_json=as_json)
    return decided.exit_code
