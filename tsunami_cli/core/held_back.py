"""What keeps hosts from being told what the plan has for them, in words."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from tsunami_cli.core.calendar import unix
from tsunami_cli.core.lineup import Role, lineups
from tsunami_cli.core.model import Rollout, Variable
from tsunami_cli.core.publishing import Publication
from tsunami_cli.core.told import Told


@dataclass(frozen=True, slots=True)
class Held:
    """What keeps hosts of a variable from being told what the plan has for them."""

    variable: str
    why: str
    slo: str | None = None
    """The SLO for which the guard holds it; None for everything else."""


def what_is_held(plan: Publication) -> Iterator[Held]:
    """Yield what keeps hosts back in a publish: a broken file, the guard, or else what the plan runs into."""
    for name in sorted(plan.kept):
        yield Held(name, "its file cannot be used: everybody keeps what they have")
    for name, holds in sorted(plan.holds.items()):
        yield from (Held(name, f"held: {hold.slo}: {hold.why}", hold.slo) for hold in holds)
    for variable in plan.variables:
        if variable.name not in plan.holds:
            reasons = held_back(variable, plan.roles, plan.told[variable.name], plan.now)
            yield from (Held(variable.name, why) for why in reasons)


def held_back(variable: Variable, roles: Sequence[Role], told: Told, now: datetime) -> list[str]:
    """Say what keeps hosts of a variable from being told what the plan has for them, in words."""
    active = variable.active
    if active is None:
        return []
    if variable.freeze is not None and active.halted is None and not _through(active, told, now):
        return [f"frozen: {variable.freeze.reason}"]
    if active.falling(now) or not active.begun(now):
        return []
    if active.halted is not None:
        return ["halted"]
    found = []
    planned, e = active.progress(now), told.progress.get(active.id, Fraction(0))
    if e < planned:
        calendar = variable.calendar
        opened = calendar is None or calendar.is_open(unix(now))
        found.append("behind the plan: catching up at twice its pace" if opened else "behind the plan until hours open")
    waiting: Counter[str] = Counter()
    for lineup in lineups(variable, roles):
        missing = lineup.quota(active).at(e) - sum(host in told.moved[active.id] for host in lineup.free)
        if missing > 0:
            waiting[lineup.role.name] = missing
    if waiting:
        name, count = waiting.most_common(1)[0]
        more = f" and {len(waiting) - 1} more roles" if len(waiting) > 1 else ""
        found.append(f"as many hosts an hour as its limits allow: {count} of {name} wait{more}")
    return found


def _through(rollout: Rollout, told: Told, now: datetime) -> bool:
    """Say whether a rollout has nothing left to do, as far as progress tells."""
    end = rollout.schedule.waypoints[-1].share
    return rollout.progress(now) == told.progress.get(rollout.id, Fraction(0)) == end
