"""The demo's stage: prompts, evenings, and what to try next."""

import shutil
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from tsunami_cli.core.status import Status
from tsunami_cli.core.text import percent_shown
from tsunami_cli.core.values import shown
from tsunami_cli.output.status import bar_of
from tsunami_cli.output.streams import NEW, OLD, console
from tsunami_cli.output.times import local, zone_of

STOCKHOLM = ZoneInfo("Europe/Stockholm")
"""Where the example fleet is run from."""


class Stage:
    """Writes the demo to stdout."""

    def __init__(self) -> None:
        """Open the console."""
        self._out = console()

    def opening(self, hosts: int, roles: int, variables: Sequence[str], kept: Path | None) -> None:
        """Say what there is."""
        names = ", ".join(variables)
        self._out.print(f"A fleet of {hosts:,} hosts in {roles} roles; its variables are {names}.")
        where = f"in {kept}" if kept else "in a temporary folder"
        self._out.print(f"Everything happens in a git repository {where}, with a fast clock.")
        self._out.print("It is published now and then, by that clock; for real that is every few minutes.")

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

    def ending(self, kept: Path | None) -> None:
        """Say what to try next."""
        self._out.print()
        ours = "tsunami" if shutil.which("tsunami") else sys.argv[0]
        if kept:
            self._out.print(f"It is all in {kept}:  TSUNAMI_NOW=2016-11-30T10:00:00Z {ours} -C {kept} status")
        else:
            self._out.print(f"Look around in what you saw:   {ours} demo --keep /tmp/fleet")
        self._out.print("Your own fleet:                git init fleet && cd fleet && tsunami init")
        self._out.print("Every command, with examples:  tsunami --help")
