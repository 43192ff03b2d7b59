"""What the guard found and did, as a table and as JSON."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol

from tsunami_cli.core.guard.judging import Action, Judgement
from tsunami_cli.core.guard.rulings import Ruling
from tsunami_cli.core.text import instant_text
from tsunami_cli.core.values import printable
from tsunami_cli.output.streams import NEW, OLD, TROUBLE, console, emit

STYLES = {"violated": TROUBLE, "error": TROUBLE, "no-data": NEW, "not-judged": OLD}
_DONE = {"halt": "halted", "rollback": "rolled back"}


class Enacted(Protocol):
    """A ruling, and what became of it."""

    @property
    def ruling(self) -> Ruling: ...  # noqa: D102
    @property
    def commit(self) -> str | None: ...  # noqa: D102
    @property
    def action(self) -> Action: ...  # noqa: D102
    @property
    def failure(self) -> Exception | None: ...  # noqa: D102


@contextmanager
def asking(*, shown: bool) -> Iterator[None]:
    """Show on stderr that the metrics server is being asked, where a person looks."""
    if not shown or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status("asking the metrics server"):
        yield


def show(found: Sequence[Enacted], now: datetime, *, published: bool, dry_run: bool, as_json: bool) -> None:
    """Write judgements and what was done to stdout."""
    if as_json:
        emit(
            {
                "now": instant_text(now),
                "published": published,
                "results": [as_data(one, enacted) for enacted in found for one in enacted.ruling.judgements],
            }
        )
        return
    from rich.table import Table
    from rich.text import Text

    out = console()
    rows = [(one, enacted) for enacted in found for one in enacted.ruling.judgements]
    if not rows:
        out.print("no SLOs to judge: docs/guard.md says how to write one")
        return
    if not published:
        out.print(Text("nothing is published: hosts are judged by the plan", OLD))
    table = Table(box=None, pad_edge=False, header_style="", padding=(0, 2, 0, 0))
    for name in ("variable", "slo", "status", "action", "why"):
        table.add_column(name, no_wrap=name != "why")
    for one, enacted in rows:
        status = Text(one.status, STYLES.get(one.status, ""))
        action = "" if one.action == "none" else done(one, enacted, dry_run=dry_run)
        table.add_row(one.variable, one.slo.name, status, Text(action), Text(printable(one.why)))
    out.print(table)
    for enacted in found:
        if enacted.commit:
            name = enacted.ruling.variable
            out.print(Text(f"{_DONE[enacted.action]} {name}: committed {enacted.commit[:7]}", TROUBLE))
            on = f"        go on: tsunami resume {name}" if enacted.action == "halt" else ""
            out.print(f"look: tsunami slo {name}{on}")


def done(one: Judgement, enacted: Enacted, *, dry_run: bool) -> str:
    """Return what was done, or would be."""
    if one.action == "hold":
        return "hold"
    if enacted.commit and one.action == enacted.ruling.action:
        return _DONE[enacted.action]
    return f"would {one.action}" if dry_run or one.action != enacted.ruling.action else f"{one.action}: not done"


def as_data(one: Judgement, enacted: Enacted | None) -> dict[str, Any]:
    """Return a judgement as JSON data."""
    return {
        "variable": one.variable,
        "rollout": one.rollout and one.rollout.id,
        "slo": one.slo.name,
        "status": one.status,
        "value": one.value,
        "objective": one.slo.objective,
        "hosts": one.hosts,
        "silent": one.silent,
        "action": one.action,
        "commit": enacted.commit if enacted and one.action in _DONE else None,
        "why": printable(one.why),
    }
