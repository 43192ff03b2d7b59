"""What the guard holds: no new host of a variable moves while one of its SLOs cannot be judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Hold:
    """The guard lets no new host move: an SLO cannot be judged."""

    slo: str
    why: str
    """In words, on one line."""
    since: datetime
    """The first publish that held."""
    unasked: bool = False
    """Whether the metrics server could not be asked, rather than that it had no data."""


Holds = Mapping[str, Sequence[Hold]]
"""By variable, what keeps new hosts of it from being moved."""


def slos_in(holds: Holds) -> set[tuple[str, str]]:
    """Return what is held, as variable and SLO."""
    return {(name, hold.slo) for name, found in holds.items() for hold in found}


def kinds_in(holds: Holds) -> set[tuple[str, str, bool]]:
    """Return what is held, as variable and SLO, and whether it is so because it could not be asked."""
    return {(name, hold.slo, hold.unasked) for name, found in holds.items() for hold in found}
