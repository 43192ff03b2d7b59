"""A ledger that was lost, as far as what lies in the store tells: what every host was told last."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction

from tsunami_cli.core.lineup import Role, lineups
from tsunami_cli.core.model import Variable
from tsunami_cli.core.record import values_in
from tsunami_cli.core.told import Telling, Told
from tsunami_cli.core.values import Value


def recovered(variable: Variable, roles: Sequence[Role], objects: Mapping[str, str], at: datetime) -> Told:
    """Return what hosts were told of a variable, from their published objects and the instant of these.

    A host that has a rollout's value was moved by it, the newest that fits; since when is not known, so `at` stands for
    that. Told progress is the share of hosts that have moved, and not beyond the plan: the rollout goes on from there.
    """
    given: dict[str, Value] = {}
    for host, text in objects.items():
        value = values_in(text).get(variable.name)
        if value is not None:
            given[host] = value
    moved: dict[str, dict[str, Telling]] = {rollout.id: {} for rollout in variable.rollouts}
    before: dict[str, Telling] = {}
    pinned: set[str] = set()
    free = 0
    for lineup in lineups(variable, roles):
        for host in lineup.role.hosts:
            if host not in given:
                continue
            if host in lineup.pins:
                pinned.add(host)
                continue
            free += 1
            newest = next((r for r in reversed(variable.rollouts) if r.to == given[host]), None)
            if newest is not None:
                moved[newest.id][host] = Telling(newest.to, at)
            elif variable.rollouts:
                before[host] = Telling(given[host], at)
    progress = {
        rollout.id: min(rollout.progress(at), Fraction(len(moved[rollout.id]), free or 1))
        for rollout in variable.rollouts
    }
    return Told(at, progress, moved, before, given, frozenset(pinned))
