"""Cold processes, measured side by side with `python -c pass` of the same interpreter, however busy the machine is."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from resource import struct_rusage
from statistics import median

from fleets import ENVIRONMENT

BARE = (sys.executable, "-c", "pass")


class Failed(Exception):
    """A process ended badly: there is nothing to measure."""


@dataclass(frozen=True)
class Sample:
    """One run."""

    seconds: float
    bare: float
    """What bare python took just before."""
    work: float
    """Processor time, that of the git processes it waited for included, in times that of bare python."""
    peak: int
    """Bytes."""


@dataclass(frozen=True)
class Result:
    """Runs of one command."""

    samples: tuple[Sample, ...]

    @property
    def seconds(self) -> float:
        """The median time."""
        return median(sample.seconds for sample in self.samples)

    @property
    def least(self) -> float:
        """The shortest time."""
        return min(sample.seconds for sample in self.samples)

    @property
    def ratio(self) -> float:
        """The median of how many times bare python each run took."""
        return median(sample.seconds / sample.bare for sample in self.samples)

    @property
    def work(self) -> float:
        """The median of how many times bare python's processor time each run took: what a busy machine blurs least."""
        return median(sample.work for sample in self.samples)

    @property
    def bare(self) -> float:
        """The median time of bare python."""
        return median(sample.bare for sample in self.samples)

    @property
    def megabytes(self) -> float:
        """The largest peak of memory."""
        return max(sample.peak for sample in self.samples) / 1e6


def measure(command: Sequence[str], folder: Path, runs: int, before: Callable[[], None], *, inside: bool) -> Result:
    """Run a command several times in a folder; `before` each run, and outside the time, a state is restored.

    With `inside` the time that counts is what the process itself writes to stdout, in seconds.
    """
    before()
    _run(command, folder, inside=inside)  # compiles modules, fills the page cache
    samples = []
    for _ in range(runs):
        before()
        bare, bare_usage = _run(BARE, folder, inside=False)
        seconds, usage = _run(command, folder, inside=inside)
        peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        samples.append(Sample(seconds, bare, _work(usage) / _work(bare_usage), peak))
    return Result(tuple(samples))


def _run(command: Sequence[str], folder: Path, *, inside: bool) -> tuple[float, struct_rusage]:
    """Return seconds and resources of one process.

    Its peak of memory is at least ours, from which it was forked: this process has to stay small.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=out, stderr=err
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            err.seek(0)
            said = err.read().decode(errors="replace").strip().splitlines()
            raise Failed(f"exit {process.returncode}: {said[-1] if said else 'it said nothing'}")
        if inside:
            out.seek(0)
            seconds = float(out.read())
    return seconds, usage


def _work(usage: struct_rusage) -> float:
    return usage.ru_utime + usage.ru_stime
