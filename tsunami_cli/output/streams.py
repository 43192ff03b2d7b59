"""Where output goes: data to stdout, talk to stderr, colours only where a person looks."""

import json
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

WIDE = 200

OLD, NEW, TROUBLE = "dim", "bold", "red"
"""The only styles there are: the old value, the new value, trouble."""


def emit(data: object) -> None:
    """Write one JSON document to stdout."""
    sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")


def console() -> "Console":
    """Return the console for what was asked for; it minds NO_COLOR, pipes and the width of the terminal."""
    from rich.console import Console

    class Screen(Console):
        def on_broken_pipe(self) -> None:
            """Leave it to the command line what that means."""
            raise

    # In a pipe there is no edge to break lines at.
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDE
    return Screen(highlight=False, markup=False, width=width)


def count_of(number: int, thing: str) -> str:
    """Return `1 host`, `2,012 hosts`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
