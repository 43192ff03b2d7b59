"""Where output goes: data to stdout, talk to stderr, colours only where a person looks."""

import contextlib
import json
import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console

WIDE = 200

OLD, NEW, TROUBLE = "dim", "bold", "red"
"""The only styles there are: the old value, the new value, trouble."""


class _Outliving:
    """A stream to which writing never fails: once nobody reads it, what is written goes nowhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            # What is still in the buffer would fail again when the interpreter ends.
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def outlive_readers() -> None:
    """Let the process go on where nobody reads its output any more, or a full disk takes none.

    A decision is to be made, and its exit code to be its own, whoever hung up while its plan was being printed.
    """
    for name in ("stdout", "stderr"):
        if not isinstance(getattr(sys, name), _Outliving):
            setattr(sys, name, _Outliving(getattr(sys, name)))


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
