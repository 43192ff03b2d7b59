"""`tsunami run`: publishes again and again."""

import gc
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from tsunami_cli.adapters import clock
from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.adapters.git.trees import WorkTree
from tsunami_cli.commands import reporting
from tsunami_cli.commands.fleet import Fleet
from tsunami_cli.commands.options import Folder, Json, Metrics
from tsunami_cli.commands.options import duration_parser as parser
from tsunami_cli.commands.publishing import Asked
from tsunami_cli.core.problems import Refusal
from tsunami_cli.errors import TsunamiError, Unreachable
from tsunami_cli.output import run as screen

SHORTEST = 5.0
"""Seconds until the first new try after a fault; each further one waits twice as long, up to a whole tick."""


def command(
    every: Annotated[
        timedelta | None,
        typer.Option("--every", metavar="D", parser=parser, help="How often; else publish.every.", show_default=False),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="One publish and its exit code: for CI.")] = False,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="URL", help="Where to; else as tsunami publish.", show_default=False),
    ] = None,
    metrics: Metrics = None,
    as_json: Json = False,
    folder: Folder = None,
) -> int:
    """Publish again and again: fetch, tell, record, upload, sleep until the next tick. One line for each.

    Faults of the network, the remote or the store are said and tried again; meanwhile no host moves. SIGTERM ends it
    after the publish that is under way.

    [dim]tsunami run --every 5m[/]

    [dim]tsunami run --once[/]
    """
    place = folder or Path.cwd()
    if once:
        return _publish(place, to, metrics, every, as_json=as_json)
    # This process lives long, unlike all others.
    gc.enable()
    length = every or Fleet(WorkTree(Repository.discover(place).root)).settings.every
    with _until_told_to_stop() as stopped:
        return _Loop(place, to, metrics, length, stopped, as_json=as_json).run()


def _publish(place: Path, to: str | None, metrics: Path | None, every: timedelta | None, *, as_json: bool) -> int:
    repository = Repository.discover(place)
    try:
        done = reporting.publish(repository, Asked(to=to), metrics=metrics, every=every)
    finally:
        repository.close()
    screen.tick(done, as_json=as_json)
    return done.exit_code


class _Stopped:
    """Whether a signal asked for the end, and which."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.signal = 0

    def ask(self, number: int, _frame: object) -> None:
        self.signal = number
        self.event.set()
        # Whoever asks twice means it.
        signal.signal(number, signal.SIG_DFL)


@contextmanager
def _until_told_to_stop() -> Iterator[_Stopped]:
    stopped = _Stopped()
    before = {number: signal.signal(number, stopped.ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Loop:
    """Ticks, evenly spaced; after a fault sooner, then less and less often."""

    def __init__(
        self,
        place: Path,
        to: str | None,
        metrics: Path | None,
        every: timedelta,
        stopped: _Stopped,
        *,
        as_json: bool,
    ) -> None:
        self._place, self._to, self._metrics, self._json = place, to, metrics, as_json
        self._every, self._stopped = every, stopped

    def run(self) -> int:
        """Go on until a signal says otherwise; return the exit code."""
        begun, faults, every = time.monotonic(), 0, self._every.total_seconds()
        while not self._stopped.event.is_set():
            faults = faults + 1 if self._tick() else 0
            passed = time.monotonic() - begun
            wait = every - passed % every
            if faults:
                wait = min(wait, SHORTEST * 2 ** (faults - 1) * (1 + os.urandom(1)[0] / 255 / 4))
            self._stopped.event.wait(wait)
        return 130 if self._stopped.signal == signal.SIGINT else 0

    def _tick(self) -> bool:
        """Publish once; say whether something could not be reached, which is worth another try soon."""
        try:
            _publish(self._place, self._to, self._metrics, self._every, as_json=self._json)
        except (Refusal, TsunamiError) as no:
            screen.failed(str(no), clock.now(), as_json=self._json)
            return isinstance(no, Unreachable)
        finally:
            gc.collect()
        return False
