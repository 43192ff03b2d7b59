"""What happens on the demo's hosts: a version that crashes wherever it runs. A pure function of host and instant."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tsunami_cli.core.hashing import h64

Source = Literal["prometheus", "none installed", "does not start"]
"""Who answers: the real one, or the stand-in, and why."""
METRIC = "helios_agent_crashes_total"
SCRAPED = 120
"""Seconds between two samples."""
_OFFSET = 7
"""Seconds. Nobody scrapes on the full minute; nor does it matter here whether a range includes its first instant."""
RANGE = 600
"""Seconds over which a rate is taken: what the query of `agent-crashes` says."""
_USUAL = 6 * 3600
"""Seconds between two crashes that any agent has for reasons of its own."""
_BROKEN = (20, 24, 30, 40, 60)
"""Seconds between two crashes of the bad version, by host. All divide SCRAPED: rates are then the same everywhere."""

_salt = functools.cache(h64)


@dataclass(frozen=True)
class Story:
    """Which hosts were told the bad version, and when, in unix seconds."""

    hosts: Sequence[str]
    since: Mapping[str, int] = field(default_factory=dict)
    until: Mapping[str, int] = field(default_factory=dict)
    """When they were told the old one again."""

    def goes_on(self, moment: int, *, told: Sequence[str] = (), back: Sequence[str] = ()) -> "Story":
        """Return the story with what hosts were told at a moment."""
        return Story(
            self.hosts, {**self.since, **dict.fromkeys(told, moment)}, {**self.until, **dict.fromkeys(back, moment)}
        )

    def crashes(self, host: str, moment: int) -> int:
        """Return how often the agent of a host has crashed until a moment, ever since it was installed."""
        salt = _salt(host)
        usual = (moment + salt % _USUAL) // _USUAL
        since = self.since.get(host)
        if since is None:
            return usual
        ill = min(moment, self.until.get(host, moment)) - since
        return usual + max(0, ill) // _BROKEN[salt % len(_BROKEN)]

    def samples(self, start: int, end: int) -> Iterator[tuple[str, list[tuple[int, int]]]]:
        """Yield, for every host, the samples that a metrics server has of it in a stretch of time."""
        instants = scrapes(start, end)
        for host in self.hosts:
            yield host, [(at, self.crashes(host, at)) for at in instants]

    def rates(self, moments: Sequence[int]) -> Iterator[tuple[str, list[float]]]:
        """Yield, for every host, its crashes per second as PromQL's `rate(...[10m])` has them at these moments."""
        ends = [(found[0], found[-1]) for found in (scrapes(moment - RANGE, moment) for moment in moments)]
        for host in self.hosts:
            known = {at: self.crashes(host, at) for at in {at for pair in ends for at in pair}}
            yield host, [(known[last] - known[first]) / (last - first) for first, last in ends]


def scrapes(start: int, end: int) -> range:
    """Return the instants in a stretch of time at which there is a sample."""
    return range(start + (_OFFSET - start) % SCRAPED, end + 1, SCRAPED)
