"""The clock: the one place that reads it."""

import os
from datetime import UTC, datetime

from tsunami_cli.core.text import instant, instant_text
from tsunami_cli.errors import Usage

VARIABLE = "TSUNAMI_NOW"


def pretended() -> datetime | None:
    """Return the instant that TSUNAMI_NOW puts in the place of the clock, None where it is not set."""
    text = os.environ.get(VARIABLE)
    if not text:
        return None
    try:
        return instant(text)
    except ValueError as reason:
        raise Usage(f"{VARIABLE}: {reason}") from None


def now() -> datetime:
    """Return the present, or what TSUNAMI_NOW says it is, cut to the second."""
    return pretended() or datetime.now(UTC).replace(microsecond=0)


def pretend(moment: datetime) -> None:
    """Put an instant in the place of the clock, for this process and those that it starts."""
    os.environ[VARIABLE] = instant_text(moment)
