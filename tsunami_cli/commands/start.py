"""`tsunami start`: a rollout begins."""

from typing import Annotated

import typer

from tsunami_cli.commands.deciding import Decider
from tsunami_cli.commands.fleet import Fleet, value_from
from tsunami_cli.commands.options import AskedOver, Folder, Json, Reason, StartAt, Variable, Via
from tsunami_cli.core.decisions import Change
from tsunami_cli.core.starting import Order, start
from tsunami_cli.core.status import Status
from tsunami_cli.core.text import duration


def command(
    var: Variable,
    to: Annotated[str, typer.Option("--to", metavar="V", help="The new value.")],
    over: AskedOver,
    came_from: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="V", help="What hosts have now, to be sure; repeatable.", show_default=False),
    ] = None,
    at: StartAt = None,
    via: Via = None,
    supersede: Annotated[
        bool, typer.Option("--supersede", help="Halt the unfinished rollout and go on top of it.")
    ] = False,
    reason: Reason = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and commit nothing.")] = False,
    as_json: Json = False,
    folder: Folder = None,
) -> int:
    """Start a rollout: the share of every role that has the new value grows from nothing to all over D.

    [dim]tsunami start docker --from 1.12.1 --to 1.12.3 --over 14d[/]

    [dim]tsunami start docker --to 1.12.3 --over 14d --via 1%@1d --via 10%@4d --at 2016-11-21T09:00:00Z --dry-run[/]
    """
    from tsunami_cli.output import started as screen

    decider = Decider(folder)
    shown: list[Change] = []

    def make(fleet: Fleet, status: Status) -> Change:
        variable = status.variable
        old = tuple(value_from(variable, text, "--from") for text in came_from or ())
        order = Order(value_from(variable, to, "--to"), duration(over), over, old, at, tuple(via or ()), supersede)
        used = decider.rollout_ids(fleet, var)
        change = start(variable, fleet.roles, decider.now, order, decider.told(variable), used)
        if not as_json and not shown:
            shown.append(change)
            screen.show_plan(change, fleet.roles, decider.now, every=fleet.settings.every)
        return change

    if dry_run:
        change = decider.try_one(var, make)
        screen.show_dry_run(change, as_json=as_json)
        return 0
    decided = decider.one(var, make, reason)
    screen.show(decided, as_json=as_json)
    return decided.exit_code
