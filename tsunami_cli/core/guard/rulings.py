"""What follows from all judgements on a variable: one action, and the words for it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from tsunami_cli.core.calendar import moment_of
from tsunami_cli.core.guard.judging import SEVERITY, Action, Judgement
from tsunami_cli.core.holds import Hold
from tsunami_cli.core.model import Rollout, Slo
from tsunami_cli.core.text import instant_text
from tsunami_cli.core.told import Told
from tsunami_cli.core.values import printable

NAMED = 6
"""Hosts that a reason names."""


@dataclass(frozen=True)
class Ruling:
    """What the guard does about a variable."""

    variable: str
    rollout: Rollout | None
    action: Action
    because: Sequence[Judgement]
    """The judgements that ask for this action, in the order of the file; none for no action."""
    judgements: Sequence[Judgement]

    @property
    def slo(self) -> str:
        """The SLO that decided."""
        return self.because[0].slo.name

    @property
    def slos(self) -> tuple[Slo, ...]:
        """All SLOs that were judged."""
        return tuple(judgement.slo for judgement in self.judgements)

    @property
    def back(self) -> timedelta:
        """Over how long a rollback goes: the shortest that was asked for."""
        return min(judgement.back for judgement in self.because)

    @property
    def reason(self) -> str:
        """The reason of the commit: what was measured first, then over which hosts, and how."""
        first, *others = self.because
        lines = [f"{first.slo.name}: {first.why}", *(f"{other.slo.name}: {other.why}" for other in others), ""]
        for judgement in self.because:
            slo = judgement.slo
            lines.append(f"{slo.name} is {' '.join(slo.query.split())} {slo.objective}, compare {slo.compare}")
            lines += [f"  {name}: {text}" for name, text in particulars(judgement)]
        return "\n".join(printable(line) for line in lines)

    def holds(self, told: Told | None, now: datetime, more: str = "") -> tuple[Hold, ...]:
        """Return this as a hold, for a hold it is or for a decision that could not be made, which `more` says."""
        known = told is not None and self.rollout is not None and self.rollout.id in told.progress
        since = {hold.slo: hold.since for hold in told.held} if told and known else {}
        return tuple(
            Hold(one.slo.name, printable(f"{one.why}{more}"), since.get(one.slo.name, now), one.status == "error")
            for one in self.because
        )


def rulings(judgements: Iterable[Judgement]) -> list[Ruling]:
    """Return one ruling for each variable; `judgements` come variable by variable.

    Where several SLOs ask for different things, the gravest is done: the way back before a halt, a halt before a hold.
    """
    found = []
    for name, group in groupby(judgements, key=lambda one: one.variable):
        mine = list(group)
        action = max((one.action for one in mine), key=SEVERITY.index)
        because = [one for one in mine if one.action == action] if action != "none" else []
        found.append(Ruling(name, mine[0].rollout, action, because, mine))
    return found


def particulars(judgement: Judgement) -> Iterator[tuple[str, str]]:
    """Yield how a judgement was come by: samples, and the hosts that are silent or worst."""
    found, slo = judgement.measured, judgement.slo
    if found is None or found.failure is not None:
        return
    window = found.window
    begun, ended = (instant_text(moment_of(moment)) for moment in (window.start, window.end))
    yield "samples", f"{window.steps + 1} from {begun} to {ended}, of {len(found.series):,} series"
    if found.silent:
        yield "silent", _some(found.silent)
    worst = found.worst(high=slo.objective.startswith("<"), count=NAMED)
    if worst and slo.compare != "fleet":
        yield "worst", ", ".join(f"{host} {value:.4g}" for host, value in worst)


def _some(hosts: Sequence[str]) -> str:
    more = f" and {len(hosts) - NAMED:,} more" if len(hosts) > NAMED else ""
    return ", ".join(hosts[:NAMED]) + more
