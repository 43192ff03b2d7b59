"""What was decided and where it went, in lines and as JSON."""

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any, Protocol

from tsunami_cli.core.decisions import Change
from tsunami_cli.core.status import Effect, Status
from tsunami_cli.core.text import instant_text, percent_shown
from tsunami_cli.core.values import shown
from tsunami_cli.output.streams import TROUBLE, console, count_of, emit
from tsunami_cli.output.times import distance, local, zone_of


class Outcome(Protocol):
    """Where a commit went."""

    @property
    def commit(self) -> str | None: ...  # noqa: D102
    @property
    def pushed(self) -> bool: ...  # noqa: D102
    @property
    def remote(self) -> str | None: ...  # noqa: D102


class Made(Protocol):
    """A decision on one variable."""

    @property
    def change(self) -> Change: ...  # noqa: D102


class Decided(Protocol):
    """Decisions in one commit."""

    @property
    def made(self) -> Sequence[Made]: ...  # noqa: D102
    @property
    def outcome(self) -> Outcome: ...  # noqa: D102
    @property
    def branch(self) -> str: ...  # noqa: D102
    @property
    def elsewhere(self) -> str | None: ...  # noqa: D102


def show(decided: Decided, now: datetime, *, as_json: bool, effect: Effect | None = None) -> None:
    """Write a decision on one variable to stdout."""
    if as_json:
        emit(as_data(decided))
        return
    out = console()
    for made in decided.made:
        out.print(made.change.subject)
        active = made.change.variable.active
        if active and made.change.rollout and active.halted is None:
            ends, zone = active.schedule.arrives, zone_of(made.change.variable)
            share = active.schedule.waypoints[-1].share
            goal = {0: "back to nothing", 1: "complete"}.get(int(share), f"at {percent_shown(share)}")
            out.print(f"  {goal}  {local(ends, zone, now)}   {distance(ends, now)}")
    if effect is not None:
        others = (
            f"; {count_of(effect.others, 'other host')} too, for fewer or more share the rollout now"
            if effect.others
            else ""
        )
        out.print(f"  {count_of(effect.pinned, 'host')} concerned, {effect.changed:,} of them change{others}")
    out.print(committed(decided))


def show_halt(decided: Decided, statuses: Sequence[Status], now: datetime, *, as_json: bool) -> None:
    """Write what was halted, and what there was nothing to halt of, to stdout."""
    if as_json:
        emit(as_data(decided))
        return
    from rich.text import Text

    out = console()
    halted = {made.change.variable.name for made in decided.made}
    for status in statuses:
        name, active = status.variable.name, status.variable.active
        if name in halted and active:
            out.print(Text(f"halted {name} at {percent_shown(reached(status))} ({_kept(status)})", TROUBLE))
        elif active and active.halted:
            out.print(f"{name} was halted already ({distance(min(active.halted, now), now)})")
        else:
            out.print(f"{name} is {status.state}: nothing to halt")
    if not statuses:
        out.print("nothing to halt: no rollout is under way")
    if not decided.outcome.commit:
        return
    out.print(f"{committed(decided)}; {from_now_on(decided, 'hosts stay as they are')}")
    for status in statuses:
        name = status.variable.name
        back = f"        go back: tsunami rollback {name} --over 2h" if status.moved else ""
        if name in halted:
            out.print(f"go on: tsunami resume {name}{back}")


def reached(status: Status) -> Fraction:
    """Return the progress that a halt keeps: what was told, or the plan where there is no ledger."""
    return status.planned if status.told is None else status.told


def _kept(status: Status) -> str:
    active = status.variable.active
    if not status.roles or active is None:
        return "counts unknown"
    return (
        f"{status.moved:,} of {status.hosts:,} hosts keep {shown(active.to)}" if status.moved else "no host has moved"
    )


def committed(decided: Decided) -> str:
    """Return `committed 3f2c1ab on main, pushed`."""
    outcome = decided.outcome
    if outcome.commit is None:
        return "nothing to change"
    where = f", pushed to {outcome.remote}" if outcome.pushed else ", NOT PUSHED" if outcome.remote else ""
    here = decided.elsewhere
    other = f" ({here or 'another commit'} is checked out here: git switch {decided.branch} shows it)"
    shown = "" if here is None else other
    return f"committed {outcome.commit[:7]} on {decided.branch}{where}{shown}"


def from_now_on(decided: Decided, what: str) -> str:
    """Return from when on a decision that stops hosts holds: the next publish, if it is where that looks."""
    outcome = decided.outcome
    if outcome.remote and not outcome.pushed:
        return f"{what} only once that is pushed"
    return f"{what} from the next publish on"


def as_data(decided: Decided) -> dict[str, Any]:
    """Return decisions and their commit as JSON data."""
    outcome = decided.outcome
    return {
        "commit": outcome.commit,
        "branch": decided.branch,
        "remote": outcome.remote,
        "pushed": outcome.pushed,
        "decisions": [change_data(made.change) for made in decided.made],
    }


def change_data(change: Change) -> dict[str, Any]:
    """Return one decision as JSON data."""
    active = change.variable.active
    schedule = active.schedule.waypoints if active and change.rollout else ()
    return {
        "action": change.action,
        "variable": change.variable.name,
        "rollout": change.rollout,
        "schedule": [{"at": instant_text(w.at), "percent": float(round(100 * w.share, 9))} for w in schedule],
    }
