"""Why one host has one value, and when that will change."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tsunami_cli.core.forecast import moves_ahead
from tsunami_cli.core.grounds import Ground
from tsunami_cli.core.holds import Hold
from tsunami_cli.core.lineup import Lineup, Role
from tsunami_cli.core.model import Limit, Pin, Rollout, Variable
from tsunami_cli.core.problems import Refusal
from tsunami_cli.core.status import State, moves_so_far, status_of, values_now
from tsunami_cli.core.told import Told, adopted
from tsunami_cli.core.values import Value


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where a host stands in the active rollout of a variable, and what decided its value."""

    host: str
    role: str
    variable: Variable
    state: State
    value: Value
    because: Literal["pin", "rollout", "default"]
    source: Rollout | None
    """The rollout that gave the value; None for a pin or the default."""
    pin: Pin | None
    moved: bool
    """Whether the active rollout has moved the host."""
    position: int | None
    """Its place in the order of its role, from 1; None where it is pinned or there is no rollout."""
    of: int | None
    """How many hosts stand in that order."""
    quota: int | None
    """How many of them the plan wants moved now."""
    not_before: datetime | None
    """When the plan, the files being as they are, moves the host next; None where it never does."""
    limit: Limit
    """The bounds of its role."""
    held: Hold | None = None
    """What keeps the guard from moving any host of the variable."""

    @property
    def ground(self) -> Ground:
        """What the value goes back to."""
        name = self.variable.name
        if self.pin is not None:
            return Ground("pin", name, pin=self.pin, host=self.host, role=self.role)
        if self.source is not None:
            return Ground("rollout", name, self.source.id)
        return Ground("default", name, value=self.value)


def explain(
    host: str,
    role: Role,
    variable: Variable,
    now: datetime,
    told: Told | None = None,
    answer: Told | None = None,
) -> Explanation:
    """Return why a host has what it has; Refusal where the variable does not apply to its role.

    `told` is what the ledger says, `answer` what a publish now would tell; both are None where nothing was published.
    """
    if not variable.roles.match(role.name):
        raise Refusal(f"{variable.name} does not apply to {host}: its roles leave {role.name} out")
    told = adopted(variable, told, now) if told else None
    lineup, active = Lineup(variable, role), variable.active
    has = adopted(variable, answer, now) if answer else told
    value = values_now(lineup, now, has)[role.hosts.index(host)]
    pin = lineup.pins.get(host)
    moves = moves_so_far(lineup, now, has)
    source = next((r for r in reversed(variable.rollouts) if host in moves[r.id]), None) if pin is None else None
    placed = pin is None and active is not None
    ahead = moves_ahead(variable, (role,), now, told)
    status = status_of(variable, (role,), now, told)
    return Explanation(
        host=host,
        role=role.name,
        variable=variable,
        state=status.state,
        value=value,
        because="pin" if pin else "rollout" if source else "default",
        source=source,
        pin=pin,
        moved=source is not None and source is active,
        position=lineup.order(active).index(host) + 1 if placed and active else None,
        of=len(lineup.free) if placed else None,
        quota=lineup.quota(active).at(active.progress(now)) if placed and active else None,
        not_before=next((move.at for move in ahead if move.host == host), None),
        limit=variable.limit(role.name),
        held=status.held,
    )
