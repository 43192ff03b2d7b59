"""The demo's stage: prompts, evenings, and what to try next."""

import shutil
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from tsunami_cli.core.published import Published
from tsunami_cli.core.status import Status
from tsunami_cli.core.text import duration_text, instant_text, percent_shown
from tsunami_cli.core.values import printable, shown
from tsunami_cli.demo.story import Source, Story
from tsunami_cli.output.publish import ruling
from tsunami_cli.output.status import bar_of
from tsunami_cli.output.streams import NEW, OLD, TROUBLE, console, count_of
from tsunami_cli.output.times import local, zone_of

STOCKHOLM = ZoneInfo("Europe/Stockholm")
"""Where the example fleet is run from."""
_SOURCES: dict[Source, str] = {
    "prometheus": "The guard asks a Prometheus, started here with the crashes of these hosts in it",
    "none installed": "No Prometheus is installed here: a stand-in answers in its place, with the same numbers",
    "does not start": "The Prometheus here does not start: a stand-in answers in its place, with the same numbers",
}


class Stage:
    """Writes the demo to stdout."""

    def __init__(self) -> None:
        """Open the console."""
        self._out = console()
        self._source: Source | None = None

    def opening(self, hosts: int, roles: int, variables: Sequence[str], kept: Path | None) -> None:
        """Say what there is."""
        names = ", ".join(variables)
        self._out.print(f"A fleet of {hosts:,} hosts in {roles} roles; its variables are {names}.")
        where = f"in {kept}" if kept else "in a temporary folder"
        self._out.print(f"Everything happens in a git repository {where}, with a fast clock.")
        self._out.print("It is published now and then, by that clock; for real that is every few minutes.")
        self._out.print("No metrics exist of these weeks, so the guard is off (--no-guard): it comes at the end.")

    def heading(self, text: str) -> None:
        """Say what to look at."""
        self._out.print()
        self._out.print(text)

    def prompt(self, now: datetime, line: str) -> None:
        """Show a command as typed."""
        from rich.text import Text

        self._out.print()
        self._out.print(Text(f"{local(now, STOCKHOLM)}  ", OLD).append(f"$ {line}", NEW))

    def evening(self, now: datetime, found: Sequence[Status]) -> None:
        """Show where variables stand in one line each."""
        for status in found:
            active = status.variable.active
            if active is None:
                continue
            counts = f"{status.moved:>6,} of {status.hosts:,} on {shown(active.to)}"
            bar = f"{bar_of(status.planned, 20)} {percent_shown(status.planned):>7}"
            when = local(now, zone_of(status.variable))
            state = "" if status.state == "running" else f"  {status.state}"
            self._out.print(f"  {when:<21}  {status.variable.name:<7} {bar}  {counts}{state}")

    def second_act(self, bad: str) -> None:
        """Say what comes next."""
        self.heading(f"On a Monday after that: helios {bad}. It crashes on every host that has it, and nobody knows")

    def source(self, source: Source) -> None:
        """Say whom the guard asks, once."""
        if source != self._source:
            self._source = source
            self._out.print(f"  {_SOURCES[source]}")

    def found(self, done: Published) -> None:
        """Show what the guard found in a publish."""
        for ruled in done.ruled:
            self._out.print(ruling(ruled), style=TROUBLE)
        for held in done.held:
            if held.slo is not None:
                self._out.print(f"{held.variable}: {printable(held.why)}")

    def text(self, text: str) -> None:
        """Show the output of another program."""
        from rich.text import Text

        self._out.print(Text(text.rstrip("\n")))

    def outcome(self, bad: str, story: Story, hosts: int) -> None:
        """Say how far a bad version got."""
        lengths = sorted({story.until[host] - since for host, since in story.since.items() if host in story.until})
        shortest, *more = [duration_text(timedelta(seconds=length)) for length in lengths] or ["0s"]
        span = f"{shortest} to {more[-1]}" if more else shortest
        had, have = len(story.since), len(story.since.keys() - story.until.keys())
        self._out.print()
        self._out.print(f"{had:,} of {count_of(hosts, 'host')} had {bad}, for {span}; {have:,} have it now.")
        self._out.print(f"The other {hosts - had:,} never moved, and nobody had to be there.")

    def ending(self, now: datetime, kept: Path | None) -> None:
        """Say what to try next."""
        self._out.print()
        ours = "tsunami" if shutil.which("tsunami") else sys.argv[0]
        if kept:
            self._out.print(f"It is all in {kept}:  TSUNAMI_NOW={instant_text(now)} {ours} -C {kept} status")
        else:
            self._out.print(f"Look around in what you saw:   {ours} demo --keep /tmp/fleet")
        self._out.print("Your own fleet:                git init fleet && cd fleet && tsunami init")
        self._out.print("Every command, with examples:  tsunami --help")
