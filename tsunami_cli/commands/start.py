"""`tsunami start`: a rollout begins."""

from dataclasses import replace
from typing import Annotated

import typer

from tsunami_cli.commands.deciding import Decider
from tsunami_cli.commands.fleet import Fleet, suggestion, value_from
from tsunami_cli.commands.options import After, AskedOver, Folder, Json, Ramp, Reason, StartAt, Variable, Via
from tsunami_cli.core import model, text
from tsunami_cli.core.decisions import Change
from tsunami_cli.core.starting import Order, start
from tsunami_cli.core.status import Status, status_of
from tsunami_cli.core.text import duration
from tsunami_cli.core.waiting import awaited
from tsunami_cli.errors import Refused, Usage


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
    ramp: Ramp = None,
    after: After = None,
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

    [dim]tsunami start docker --to 1.12.3 --over 14d --ramp careful --after containerd[/]
    """
    from tsunami_cli.output import started as screen

    if via and ramp:
        raise Usage("--via and --ramp both say what to go through: give one of them")
    if at and after:
        raise Usage("--at and --after both say when it begins: give one of them")
    decider = Decider(folder)
    shown: list[Change] = []

    def make(fleet: Fleet, status: Status) -> Change:
        variable = status.variable
        old = tuple(value_from(variable, text, "--from") for text in came_from or ())
        points = tuple(via or ()) if ramp is None else _ramp(fleet, ramp)
        way = f"--ramp {ramp}:" if ramp else "--via"
        value = value_from(variable, to, "--to")
        order = Order(value, duration(over), over, old, at, points, way, supersede)
        if after is not None:
            order = _waiting(order, variable, fleet, decider, after)
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


def _ramp(fleet: Fleet, name: str) -> tuple[text.Via, ...]:
    """Return the points of a ramp that the settings have; Refused for an unknown name."""
    ramps = fleet.settings.ramps
    if name not in ramps:
        known = f"; there are {', '.join(ramps)}" if ramps else ": name some under ramps: in tsunami.yaml"
        raise Refused(f"--ramp {name}: there is no such ramp{suggestion(name, list(ramps)) or known}")
    return ramps[name]


def _waiting(order: Order, variable: model.Variable, fleet: Fleet, decider: Decider, name: str) -> Order:
    """Return the order so that it waits for another variable's rollout, to begin when that is planned to be through."""
    other = fleet.variable(name)
    status = status_of(other, fleet.roles, decider.now, decider.told(other))
    after = awaited(variable.name, status, {one.name: one for one in fleet.split()[0]})
    ends = other.active.schedule.ends if other.active else decider.now
    return replace(order, after=after, at=max(decider.now, ends))
