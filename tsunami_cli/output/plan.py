"""The moves ahead, as a table and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tsunami_cli.core.forecast import Move
from tsunami_cli.core.model import Variable
from tsunami_cli.core.text import instant_text
from tsunami_cli.core.values import scalar, shown
from tsunami_cli.output.streams import NEW, OLD, console, emit
from tsunami_cli.output.times import column, distance, stamp, zone_of

FIRST = 20
"""Moves of a variable that the screen shows; JSON has them all."""


@dataclass(frozen=True, slots=True)
class PlanScreen:
    """What the plan command found."""

    now: datetime
    rows: Sequence[tuple[Variable, Sequence[Move]]]


def show(found: PlanScreen, *, as_json: bool, everything: bool) -> None:
    """Write the plans to stdout."""
    if as_json:
        emit(as_data(found))
        return
    from rich.table import Table
    from rich.text import Text

    out = console()
    for variable, moves in found.rows:
        if not moves:
            out.print(f"{variable.name}: no host moves as things stand")
            continue
        zone = zone_of(variable)
        last = moves[-1].at
        out.print(
            f"{variable.name}: {len(moves):,} moves, the last one {stamp(last, zone)} ({distance(last, found.now)})"
        )
        table = Table(box=None, pad_edge=False, header_style="", padding=(0, 2, 0, 0))
        some = moves if everything else moves[:FIRST]
        head, when = column([move.at for move in some], zone)
        for name in (head, "", "host", "role", "from", "to"):
            table.add_column(name, no_wrap=True)
        for moment, move in zip(when, some, strict=True):
            values = Text(shown(move.before), OLD), Text(shown(move.after), NEW)
            table.add_row(moment, distance(move.at, found.now), move.host, move.role, *values)
        out.print(table)
        if not everything and len(moves) > FIRST:
            out.print(f"... and {len(moves) - FIRST:,} more: tsunami plan {variable.name} --all, or --json")


def as_data(found: PlanScreen) -> dict[str, Any]:
    """Return the plans as JSON data."""
    return {
        "now": instant_text(found.now),
        "variables": [
            {
                "name": variable.name,
                "rollout": variable.active and variable.active.id,
                "moves": [_move(move) for move in moves],
            }
            for variable, moves in found.rows
        ],
    }


def _move(move: Move) -> dict[str, Any]:
    return {
        "at": instant_text(move.at),
        "host": move.host,
        "role": move.role,
        "from": scalar(move.before),
        "to": scalar(move.after),
    }
