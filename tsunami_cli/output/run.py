"""A line for each tick of the loop."""

import json
import sys
from datetime import datetime

from tsunami_cli.core.minutes import summary
from tsunami_cli.core.published import Published
from tsunami_cli.core.text import instant_text
from tsunami_cli.core.values import printable
from tsunami_cli.output.publish import as_data, ending, ruling


def tick(done: Published, *, as_json: bool) -> None:
    """Write one line about a publish to stdout, as words or as JSON."""
    if as_json:
        line = json.dumps(as_data(done), ensure_ascii=False)
    else:
        news = [summary(found) for found in done.publication.sums]
        more = [f"and {len(news) - 4} more"] if len(news) > 4 else []
        ruled = [ruling(one) for one in done.ruled]
        held = [f"{held.variable}: {printable(held.why)}" for held in done.held]
        wrong = [printable(str(problem)) for problem in done.problems]
        parts = [ending(done), *news[:4], *more, *ruled, *held, *wrong]
        line = f"{instant_text(done.publication.now)}  " + "; ".join(parts)
    _write(line)


def failed(why: str, now: datetime, *, as_json: bool) -> None:
    """Write one line about a publish that was not to be."""
    line = printable(" ".join(why.split()))
    _write(json.dumps({"now": instant_text(now), "error": line}) if as_json else f"{instant_text(now)}  error: {line}")


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
