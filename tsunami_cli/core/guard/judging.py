"""The judgement: whether an SLO holds for the hosts that have moved, and what the guard does about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Literal

from tsunami_cli.core.calendar import moment_of
from tsunami_cli.core.guard.cohorts import Cohorts
from tsunami_cli.core.guard.measuring import Measured, difference
from tsunami_cli.core.guard.objective import Objective
from tsunami_cli.core.model import Ack, Rollout, Slo, Variable
from tsunami_cli.core.status import State
from tsunami_cli.core.text import duration, duration_text, instant_text

Verdict = Literal["ok", "violated", "no-data", "error", "not-judged"]
Action = Literal["none", "hold", "halt", "rollback"]
SEVERITY: Sequence[Action] = ("none", "hold", "halt", "rollback")
"""Of several actions on one variable the last of these is done."""
WAY_BACK = "rollback "


@dataclass(frozen=True)
class Judgement:
    """What the guard found of one SLO of a variable."""

    variable: str
    rollout: Rollout | None
    slo: Slo
    status: Verdict
    why: str
    """In words, on one line."""
    action: Action = "none"
    value: float | None = None
    """The last mean that was compared with the objective; None where there is none."""
    hosts: int = 0
    """Hosts moved and settled, silent ones included; for `fleet` all that have a value."""
    silent: int = 0
    """Those of them without a series."""
    measured: Measured | None = None
    """What it was judged by; None where nothing was asked, or nothing came of it."""
    doubtful: bool = False
    """Whether it takes a closer look before anything follows from it."""

    @property
    def back(self) -> timedelta:
        """Over how long a rollback goes; ValueError where the SLO asks for none."""
        return duration(self.slo.on_violation.removeprefix(WAY_BACK))


def unjudged(slo: Slo, rollout: Rollout | None, state: State, cohorts: Cohorts, now: datetime) -> str | None:
    """Return why there is nothing to ask, None where there is."""
    if rollout is None:
        return "no rollout"
    if state in ("halted", "scheduled", "rolled-back"):
        return {"halted": "halted already", "scheduled": "not begun yet", "rolled-back": "rolled back"}[state]
    if not cohorts.size:
        return "no host has moved yet"
    if state in ("complete", "capped"):
        watched = slo.settle + slo.sustained
        if cohorts.last is None or cohorts.last + watched < now:
            return f"{state}: nobody was moved in the last {duration_text(watched)}"
    if slo.compare != "fleet" and cohorts.size < slo.min_hosts:
        return f"too thin to judge: {cohorts.size} of at least {slo.min_hosts} hosts have moved"
    return None


def judged(variable: Variable, rollout: Rollout, slo: Slo, state: State, found: Measured, now: datetime) -> Judgement:
    """Return the judgement on what was measured for the active rollout of a variable."""
    status, why, value = _verdict(slo, found)
    action, more = _action(slo, status, rollout, state, now)
    fleet = slo.compare == "fleet"
    return Judgement(
        variable=variable.name,
        rollout=rollout,
        slo=slo,
        status=status,
        why=f"{why}; {more}" if more else why,
        action=action,
        value=None if value is None else float(value),
        hosts=found.fleet.latest[1] if fleet else found.hosts,
        silent=0 if fleet else len(found.silent),
        measured=found,
        doubtful=status == "violated" or (found.failure is None and _gaps(slo, found)),
    )


def _gaps(slo: Slo, found: Measured) -> bool:
    """Say whether hosts that count had no value at some instant."""
    if slo.compare == "fleet":
        return bool(found.series) and any(len(column) < slo.min_hosts for column in found.fleet.columns)
    return any(
        len(column) < slo.min_hosts <= found.cohorts.moved_at(place) for place, column in enumerate(found.moved.columns)
    )


def acknowledged(rollout: Rollout, slo: str, now: datetime) -> Ack | None:
    """Return who accepts a violation now; None where nobody does."""
    return next((ack for ack in reversed(rollout.acks) if ack.slo == slo and now < ack.until), None)


def _verdict(slo: Slo, found: Measured) -> tuple[Verdict, str, Fraction | None]:
    """Return the status, why in words, and the last value compared."""
    if found.failure is not None:
        return "error", found.failure, None
    if not found.series:
        return "no-data", "the query has no series", None
    values = _compared(slo, found)
    value = next((value for value in reversed(values) if value is not None), None)
    if found.strays < found.series and len(found.silent) and found.silence > slo.max_silent:
        return "violated", f"{len(found.silent):,} of {_moved(found)} gone silent", value
    doubt = _doubt(slo, found, values)
    if doubt is not None:
        return "no-data", doubt, value
    objective, known = Objective.parse(slo.objective), [value for value in values if value is not None]
    over = _over(slo, found)
    if value is not None and not any(objective.met(one) for one in known):
        return "violated", f"{objective.missed(value)} {over} for {duration_text(slo.sustained)}", value
    met = sum(objective.met(one) for one in known)
    fine = "" if met == len(known) else f" ({len(known) - met} of {len(known)} samples miss it)"
    return "ok", f"{float(value or 0):.4g} {over}{fine}", value


def _doubt(slo: Slo, found: Measured, values: Sequence[Fraction | None]) -> str | None:
    """Return why the values cannot be relied on, None where they can."""
    fleet = slo.compare == "fleet"
    if not fleet and found.strays == found.series:
        return f"none of {found.series:,} series names a host of the inventory"
    if not fleet and found.hosts < slo.min_hosts:
        fresh = len(found.cohorts.fresh)
        return f"{fresh} moved host{'s' * (fresh != 1)} still settle for {duration_text(slo.settle)}"
    if not fleet and found.uselessness > slo.max_silent:
        return f"{len(found.silent) + found.useless:,} of {_moved(found)} without a finite value"
    window, known = found.window, [place for place, value in enumerate(values) if value is not None]
    missing = len(values) - len(known)
    if 2 * missing * window.step <= window.step * window.steps:
        return None
    settled = min((first for first, _ in found.cohorts.moved.values()), default=0)
    if not fleet and known and settled >= missing:
        # There is no sample missing but those before the first host had settled.
        return f"{_moved(found)} settled just now: {len(known)} of {len(values)} samples until now"
    since = (
        f" since {instant_text(moment_of(window.instants[known[-1]]))}" if known and known[-1] < window.steps else ""
    )
    return f"no data for {missing} of {len(values)} samples{since}"


def _compared(slo: Slo, found: Measured) -> list[Fraction | None]:
    """Return, for every instant, what is held against the objective; None where too few hosts have a value."""
    bound, least = Objective.parse(slo.objective).bound, slo.min_hosts
    values: list[Fraction | None] = []
    for place in range(found.window.steps + 1):
        mine = (found.fleet if slo.compare == "fleet" else found.moved).columns[place]
        theirs: Sequence[float] = ()
        enough = len(mine) >= least
        if slo.compare == "moved-minus-rest" and found.cohorts.rest_at(place) >= least:
            theirs = found.rest.columns[place]
            # There are hosts to compare with, but they say nothing: that is no comparison.
            enough = enough and len(theirs) >= least
        values.append(difference(mine, theirs, bound) if enough else None)
    return values


def _action(slo: Slo, status: Verdict, rollout: Rollout, state: State, now: datetime) -> tuple[Action, str]:
    """Return what is to be done, and what there is to say about it."""
    if status == "ok":
        return "none", ""
    if state == "rolling-back":
        return "none", "a rollback goes on whatever is measured"
    if status == "violated":
        ack = acknowledged(rollout, slo.name, now)
        if ack is not None:
            return "none", f"acknowledged until {instant_text(ack.until)}"
        action: Action = "rollback" if slo.on_violation.startswith(WAY_BACK) else "halt"
    else:
        action = {"hold": "hold", "halt": "halt"}.get(slo.on_no_data, "none")  # type: ignore[assignment]
    if state in ("complete", "capped") and action in ("hold", "halt"):
        return "none", f"{state}: there is nobody left to stop"
    return action, "ignored, as on_no_data says" if action == "none" else ""


def _moved(found: Measured) -> str:
    return f"{found.hosts:,} moved host{'s' * (found.hosts != 1)}"


def _over(slo: Slo, found: Measured) -> str:
    """Return over what a value was taken, in words."""
    if slo.compare == "fleet":
        return f"over {found.fleet.latest[1]:,} hosts of the fleet"
    minus = (
        f" minus {found.rest.latest[1]:,} others" if slo.compare == "moved-minus-rest" and found.rest.latest[1] else ""
    )
    return f"on {_moved(found)}{minus}"
