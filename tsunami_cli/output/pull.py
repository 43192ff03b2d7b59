"""What a pull found and did, as a line and as JSON."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tsunami_cli.core.text import instant_text
from tsunami_cli.core.values import Value, brief

_MOST = 5
"""Values that a line names."""


@dataclass(frozen=True, slots=True)
class PullScreen:
    """What one run of a host came to."""

    host: str
    fleet: str
    sequence: int
    rendered_at: datetime
    expires_at: datetime
    expired: bool
    changed: bool
    """The host's file was written anew."""
    differences: Sequence[tuple[str, Value | None, Value | None]]
    """What changed in it: name, old and new value."""
    executed: bool
    """The command ran, and succeeded."""


def show(screen: PullScreen, *, as_json: bool) -> None:
    """Write one JSON document, or one line where something changed: for cron, silence means that all is well."""
    if as_json:
        _emit(
            {
                "host": screen.host,
                "fleet": screen.fleet,
                "sequence": screen.sequence,
                "rendered_at": instant_text(screen.rendered_at),
                "expires_at": instant_text(screen.expires_at),
                "expired": screen.expired,
                "changed": screen.changed,
                "executed": screen.executed,
                "busy": False,
            }
        )
    elif screen.changed:
        parts = [_change(*difference) for difference in screen.differences[:_MOST]]
        more = len(screen.differences) - _MOST
        what = ", ".join(parts) + (f" and {more} more" if more > 0 else "") or "the same values, written anew"
        _say(f"{screen.host}: {what} (sequence {screen.sequence})")


def show_busy(host: str, *, as_json: bool) -> None:
    """Write that another run is at work on the same file: a document without answers, and for people nothing."""
    if as_json:
        unknown = dict.fromkeys(("fleet", "sequence", "rendered_at", "expires_at", "expired"))
        _emit({"host": host, **unknown, "changed": False, "executed": False, "busy": True})


def _change(name: str, old: Value | None, new: Value | None) -> str:
    if new is None:
        return f"{name} is gone"
    return f"{name} {brief(new)}" if old is None else f"{name} {brief(old)} -> {brief(new)}"


def _say(line: str) -> None:
    from tsunami_cli.core.values import printable

    sys.stdout.write(f"{printable(line)}\n")


def _emit(data: object) -> None:
    from tsunami_cli.output.streams import emit

    emit(data)
    # What a command prints later is not to come before it.
    sys.stdout.flush()
