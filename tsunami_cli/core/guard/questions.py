"""What the guard asks of the metrics server, and the form in which answers reach it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from tsunami_cli.core.calendar import unix

COARSE, FINE = 2, 40
"""Into how many parts the time over which an SLO is judged is cut: at first sight, and for a closer look.

Three instants are enough to see that all is well: one good one is no violation, and no gap of more than half of the
time misses all of them."""
LONGEST_STEP = 300
"""Seconds between two samples of a closer look: so far a metrics server looks back for the last value of a series."""
MOST = 120
"""Into how many parts at most; beyond that the step is longer."""


@dataclass(frozen=True, slots=True)
class Window:
    """The instants at which a query is evaluated: evenly spaced, both ends included, at least as long as asked for."""

    end: int
    """Unix seconds."""
    step: int
    """Seconds."""
    steps: int
    """How many of them there are: there is one instant more."""

    @classmethod
    def until(cls, now: datetime, length: timedelta, *, fine: bool) -> "Window":
        """Return the window of at least `length` that ends at `now`."""
        seconds = max(1, int(length.total_seconds()))
        step = -(-seconds // COARSE)
        if fine:
            step = max(1, -(-seconds // MOST), min(LONGEST_STEP, seconds // FINE))
        return cls(unix(now), step, -(-seconds // step))

    @property
    def start(self) -> int:
        """The first instant, in unix seconds."""
        return self.end - self.step * self.steps

    @property
    def instants(self) -> range:
        """All instants, in unix seconds."""
        return range(self.start, self.end + 1, self.step)


@dataclass(frozen=True, slots=True)
class Question:
    """A query over a window. Hashable: what several SLOs ask alike is asked once."""

    query: str
    """PromQL."""
    window: Window


class Series(NamedTuple):
    """One series of an answer; there are hundreds of thousands, so that it has to be light."""

    labels: Mapping[str, str]
    values: Sequence[float | None]
    """One for each instant of the window, None where there was none. May be NaN or infinite."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a question."""

    series: Sequence[Series] = field(default=())
    failure: str | None = None
    """Why there is no answer to rely on, in one line; then there are no series."""
