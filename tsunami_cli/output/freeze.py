"""A line that was stopped, or goes on, as a screen and as JSON."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tsunami_cli.core.model import Freeze
from tsunami_cli.core.status import UNDER_WAY, Status
from tsunami_cli.core.text import instant_text, percent_shown
from tsunami_cli.core.values import printable
from tsunami_cli.output.decided import Decided, as_data, committed, from_now_on, reached
from tsunami_cli.output.streams import TROUBLE, console, emit
from tsunami_cli.output.times import distance, local, zone_of


def show_frozen(
    decided: Decided,
    before: Freeze | None,
    statuses: Sequence[Status],
    but: Sequence[str],
    now: datetime,
    *,
    as_json: bool,
) -> None:
    """Write that the line is stopped to stdout, and what stands still by it."""
    if as_json:
        emit(as_data(decided) | {"already": before is not None})
        return
    from rich.text import Text

    out = console()
    if before is not None:
        out.print(f"the line was frozen already, and nothing was changed: {frozen_text(before, now)}")
        out.print("one more exception: tsunami unfreeze VAR        all: tsunami unfreeze")
        return
    for status in statuses:
        if status.state in UNDER_WAY and status.variable.name not in but:
            out.print(Text(f"froze {status.variable.name} at {percent_shown(reached(status))}", TROUBLE))
    if but:
        out.print(f"{', '.join(but)} may go on all the same")
    out.print(f"{committed(decided)}; {from_now_on(decided, 'no rollout moves, and none can start,')}")
    out.print("go on: tsunami unfreeze        one of them alone: tsunami unfreeze VAR")


def show_thawed(decided: Decided, before: Freeze | None, names: Sequence[str], now: datetime, *, as_json: bool) -> None:
    """Write that the line goes on to stdout, and when what stood still is through."""
    if as_json:
        emit(as_data(decided))
        return
    out = console()
    if decided.outcome.commit is None:
        what = f"{', '.join(names)}: not frozen" if before and names else "the line is not frozen"
        out.print(f"{what}: nothing to do")
        return
    if not decided.made:
        out.print("nothing stood still: every schedule stays as it is")
    for made in decided.made:
        variable = made.change.variable
        active = variable.active
        if active is None:
            continue
        if active.halted is not None:
            out.print(f"{variable.name} stays halted: tsunami resume {variable.name} --over D lets it go on")
            continue
        ends = active.schedule.arrives
        when = f"{local(ends, zone_of(variable), now)} ({distance(ends, now)})"
        out.print(f"{variable.name} goes on, to be through {when}")
    out.print(committed(decided))


def frozen_text(freeze: Freeze, now: datetime) -> str:
    """Return `since Fri 18 Nov 14:20 CET (3 h ago): holidays; but docker`."""
    since = min(freeze.since, now)
    but = f"; but {', '.join(freeze.excepted)}" if freeze.excepted else ""
    return f"since {local(since, None, now)} ({distance(since, now)}): {printable(freeze.reason)}{but}"


def freeze_data(freeze: Freeze | None) -> dict[str, Any] | None:
    """Return a freeze as JSON data."""
    if freeze is None:
        return None
    return {"since": instant_text(freeze.since), "reason": freeze.reason, "except": list(freeze.excepted)}
