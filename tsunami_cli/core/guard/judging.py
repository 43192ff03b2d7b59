"""The judgement: whether an SLO holds for the hosts that have moved, and what the guard does about it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Literal

from tsunami_cli.core.calendar import moment_of
from tsunami_cli.core.guard.cohorts import Cohorts
from tsunami_cli.core.guard.measuring import Measured
from tsunami_cli.core.guard.objective import Objective, difference, number_text
from tsunami_cli.core.model import Ack, Rollout, Slo, Variable
from tsunami_cli.core.status import State
from tsunami_cli.core.text import duration, duration_text, instant_text

Verdict = Literal["ok", "violated", "no-data", "error", "not-judged"]
Action = Literal["none", "hold", "halt", "rollback"]
SEVERITY: Sequence[Action] = ("none", "hold", "halt", "rollback")
"""Of several actions on one variable the last of these is done."""
WAY_BACK = "rollback "
FEW = 4
"""With fewer moved hosts than so many times `min_hosts` a rollout may be too young for enough of them to speak."""


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
    unclear: bool = False
    """Whether it takes a look at the time before the rollout to tell who fell silent from who never spoke."""

    @property
    def back(self) -> timedelta:
        """Over how long a rollback goes; ValueError where the SLO asks for none."""
        return duration(self.slo.on_violation.removeprefix(WAY_BACK))


def unjudged(slo: Slo, rollout: Rollout | None, state: State, cohorts: Cohorts, now: datetime) -> str | None:
    """Return why there is nothing to ask, None where there is."""
    if rollout is None:
        return "no rollout"
    if rollout.frozen is not None and state in ("running", "rolling-back"):
        return "frozen"
    if state in ("halted", "scheduled", "rolled-back"):
        return {"halted": "halted already", "scheduled": "not begun yet", "rolled-back": "rolled back"}[state]
    if not cohorts.size:
        return "no host has moved yet"
    if state in ("complete", "capped"):
        if slo.compare == "moved-minus-rest" and not cohorts.waiting:
            return f"{state}: there is nobody left to compare with"
        watched = slo.settle + slo.sustained
        if cohorts.last is None or cohorts.last + watched < now:
            return f"{state}: nobody was moved in the last {duration_text(watched)}"
    if slo.compare != "fleet" and cohorts.size < slo.min_hosts:
        return f"too thin to judge: {cohorts.size} of at least {slo.min_hosts} hosts have moved"
    return None


def judged(variable: Variable, rollout: Rollout, slo: Slo, state: State, found: Measured, now: datetime) -> Judgement:
    """Return the judgement on what was measured for the active rollout of a variable."""
    finding = _finding(slo, found)
    action, more = _action(slo, finding, rollout, state, now)
    fleet = slo.compare == "fleet"
    return Judgement(
        variable=variable.name,
        rollout=rollout,
        slo=slo,
        status=finding.status,
        why=f"{finding.why}; {more}" if more else finding.why,
        action=action,
        value=None if finding.value is None else float(finding.value),
        hosts=found.fleet.latest[1] if fleet else found.hosts,
        silent=0 if fleet else len(found.silent),
        measured=found,
        doubtful=finding.status == "violated" or finding.gaps,
        unclear=found.unclear and finding.status != "ok",
    )


def after_both_looks(first: Judgement, second: Judgement) -> Judgement:
    """Return what counts after a closer look: that, unless it could not be had.

    A violation that was seen once is not forgotten because it could not be looked at again: it holds.
    """
    if first.status != "violated" or second.status != "error":
        return second
    action: Action = "hold" if second.action == "none" and first.action != "none" else second.action
    return replace(second, action=action, why=f"{second.why}; at first sight {first.why}")


def acknowledged(rollout: Rollout, slo: str, now: datetime) -> Ack | None:
    """Return who accepts a violation now; None where nobody does."""
    return next((ack for ack in reversed(rollout.acks) if ack.slo == slo and now < ack.until), None)


@dataclass(frozen=True, slots=True)
class _Finding:
    """What the measured values amount to."""

    status: Verdict
    why: str
    value: Fraction | None = None
    settling: bool = False
    """Whether nothing is wrong but that the first hosts were moved only just now."""
    silent: bool = False
    """Whether it is for the hosts that went silent."""
    gaps: bool = False
    """Whether at some instant too few of the hosts that count had a value."""


def _finding(slo: Slo, found: Measured) -> _Finding:
    """Say what the values amount to: first who speaks at all, then what they say."""
    if found.failure is not None:
        return _Finding("error", found.failure)
    if not found.series:
        return _Finding("no-data", "the query has no series")
    values = _compared(slo, found)
    return _heard(slo, found, values) or _said(slo, found, values)


def _heard(slo: Slo, found: Measured, values: Sequence[Fraction | None]) -> _Finding | None:
    """Return what follows from who has a value and who has not; None where there are values to go by."""
    value = next((value for value in reversed(values) if value is not None), None)
    cohorts, fleet = found.cohorts, slo.compare == "fleet"
    if not found.joined:
        why = f"none of {len(found.series):,} series names a host of the inventory"
        return None if fleet else _Finding("no-data", why)
    if not fleet and cohorts.size < slo.min_hosts:
        why = f"too thin to judge: {cohorts.size} of at least {slo.min_hosts} hosts have moved where there are series"
        return _Finding("not-judged", why)
    if not fleet and found.hosts < slo.min_hosts:
        return _Finding("no-data", f"{_settling(found)} for {duration_text(slo.settle)}", settling=True)
    if found.comparable and found.silent and found.silence > slo.max_silent:
        return _Finding("violated", f"{len(found.silent):,} of {_moved(found)} gone silent", value, silent=True)
    if fleet:
        return None
    if found.muteness > slo.max_silent:
        mute = len(found.silent) + found.mute
        return _Finding("no-data", f"{mute:,} of {_moved(found)} without a value", value, gaps=found.mute == 0)
    if 0 < found.moved.hosts < slo.min_hosts and found.hosts < FEW * slo.min_hosts:
        # As many of the others say nothing either: more hosts have to move before enough of them speak.
        why = f"too thin to judge: {found.moved.hosts} of at least {slo.min_hosts} moved hosts have a value"
        return _Finding("not-judged", why, value)
    return None


def _said(slo: Slo, found: Measured, values: Sequence[Fraction | None]) -> _Finding:
    """Return what follows from the values, where they are enough to go by."""
    known = [value for value in values if value is not None]
    value = known[-1] if known else None
    lacking = [place for place, one in enumerate(values) if one is None]
    fleet = slo.compare == "fleet"
    unsettled = 0 if fleet else sum(found.cohorts.moved_at(place) < slo.min_hosts for place in lacking)
    gaps = len(lacking) > unsettled
    if value is None or 2 * len(lacking) > found.window.steps:
        if gaps or value is None:
            return _Finding("no-data", _gap(found, lacking), value, gaps=gaps)
        why = f"{_moved(found)} settled just now: {len(known)} of {len(values)} samples until now"
        return _Finding("no-data", why, value, settling=True)
    objective, over = Objective.parse(slo.objective), _over(slo, found)
    missed = sum(not objective.met(one) for one in known)
    if missed == len(known):
        long = duration_text(slo.sustained) if not lacking else f"{missed} of {len(values)} samples"
        return _Finding("violated", f"{objective.missed(value)} {over} for {long}", value)
    but = f" ({missed} of {len(known)} samples miss it)" if missed else ""
    few = slo.compare == "moved-minus-rest" and 0 < found.others < slo.min_hosts
    left = f", with only {found.others:,} left to compare with" if few else ""
    return _Finding("ok", f"{number_text(value)} {over}{left}{but}", value, gaps=gaps)


def _compared(slo: Slo, found: Measured) -> list[Fraction | None]:
    """Return, for every instant, what is held against the objective; None where too few hosts have a value."""
    objective, least = Objective.parse(slo.objective), slo.min_hosts
    others = found.others if slo.compare == "moved-minus-rest" else 0
    values: list[Fraction | None] = []
    for place, mine in enumerate((found.fleet if slo.compare == "fleet" else found.moved).columns):
        theirs = found.rest.columns[place] if others else ()
        if len(mine) < least or (others >= least and len(theirs) < least):
            # Also where there are others to compare with, and they say nothing just then.
            values.append(None)
            continue
        value = difference(mine, theirs, objective.bound)
        if theirs and others < least and not objective.met(value):
            # Few others are left, and it counts as without them; but not where the moved are no worse than these.
            value = difference(mine, (), objective.bound)
        values.append(value)
    return values


def _gap(found: Measured, lacking: Sequence[int]) -> str:
    """Say how much is missing, and since when nothing came at all."""
    steps = found.window.steps
    last = next((place for place in reversed(range(steps + 1)) if place not in lacking), steps)
    since = f" since {instant_text(moment_of(found.window.instants[last]))}" if last < steps else ""
    return f"no data for {len(lacking)} of {steps + 1} samples{since}"


def _settling(found: Measured) -> str:
    fresh = len(found.cohorts.fresh)
    return f"{fresh} moved hosts still settle" if fresh != 1 else "1 moved host still settles"


def _action(slo: Slo, finding: _Finding, rollout: Rollout, state: State, now: datetime) -> tuple[Action, str]:
    """Return what is to be done, and what there is to say about it."""
    if finding.status in ("ok", "not-judged"):
        return "none", ""
    if state == "rolling-back":
        return "none", "a rollback goes on whatever is measured"
    if finding.status == "violated":
        ack = acknowledged(rollout, slo.name, now)
        if ack is not None and not finding.silent:
            return "none", f"acknowledged until {instant_text(ack.until)}"
        action: Action = "rollback" if slo.on_violation.startswith(WAY_BACK) else "halt"
    elif slo.on_no_data == "ignore":
        return "none", "ignored, as on_no_data says"
    else:
        # Hosts that settle are no reason to halt: every rollout begins with some.
        action = "halt" if slo.on_no_data == "halt" and not finding.settling else "hold"
    if state in ("complete", "capped") and action != "rollback":
        return "none", f"{state}: there is nobody left to stop"
    return action, ""


def _moved(found: Measured) -> str:
    return f"{found.hosts:,} moved host{'s' * (found.hosts != 1)}"


def _over(slo: Slo, found: Measured) -> str:
    """Return over what a value was taken, in words."""
    if slo.compare == "fleet":
        count = found.fleet.latest[1]
        return f"over {count:,} host{'s' * (count != 1)} of the fleet"
    others = found.others if slo.compare == "moved-minus-rest" else 0
    minus = f" minus {found.rest.latest[1]:,} others" if others >= slo.min_hosts else ""
    return f"on {_moved(found)}{minus}"
