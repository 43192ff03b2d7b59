"""What a publish told, recorded and uploaded, in lines and as JSON."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from tsunami_cli.core.minutes import summary
from tsunami_cli.core.published import Begun, Published, Ruled
from tsunami_cli.core.publishing import Sum
from tsunami_cli.core.text import instant_text
from tsunami_cli.core.values import printable, scalar
from tsunami_cli.output.streams import NEW, OLD, TROUBLE, console, count_of, emit

LISTED = 6
"""Objects that a dry run names."""
NAMED = 4
"""Hosts of a kind that are named; `tsunami audit` has them all."""


@contextmanager
def progress(*, shown: bool) -> Iterator[Callable[[int, int], None]]:
    """Give what draws a bar on stderr while many objects are uploaded, where a person looks."""
    if not shown or not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("uploading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=total > 100)


def show(done: Published, *, as_json: bool) -> None:
    """Write a publish to stdout."""
    if as_json:
        emit(as_data(done))
        return
    from rich.text import Text

    out = console()
    for found in done.publication.sums:
        more = f" and {len(found.hosts) - NAMED:,} more" if len(found.hosts) > NAMED else ""
        line = Text(f"{summary(found):<44}", NEW).append(f"  {', '.join(found.hosts[:NAMED])}{more}", "default")
        out.print(line)
        if done.dry_run:
            roles = ", ".join(f"{role} {count:,}" for role, count in found.roles.items())
            out.print(Text(f"    by role: {roles}", OLD))
    if done.dry_run and done.puts:
        more = f" and {len(done.puts) - LISTED:,} more (--json has them all)" if len(done.puts) > LISTED else ""
        out.print(Text(f"    objects: {', '.join(done.puts[:LISTED])}{more}", OLD))
    for one in done.begun:
        out.print(Text(beginning(one), TROUBLE if one.failure else NEW))
    for ruled in done.ruled:
        out.print(Text(ruling(ruled), TROUBLE))
    for held in done.held:
        out.print(Text(f"{held.variable}: {printable(held.why)}"))
    for problem in done.problems:
        out.print(Text(printable(str(problem)), TROUBLE))
    out.print(ending(done))


def beginning(begun: Begun) -> str:
    """Return what became of a rollout that waited, in a line."""
    why = f"{begun.after} is complete"
    if begun.failure is not None:
        return f"{begun.variable}: could not begin ({printable(begun.failure)}), though {why}"
    if begun.commit is None:
        return f"{begun.variable}: would begin: {why}"
    return f"{begun.variable}: begins ({begun.commit[:7]}): {why}"


def ruling(ruled: Ruled) -> str:
    """Return what the guard decided, in a line."""
    verb, done = {"halt": ("halt it", "halted it"), "rollback": ("roll it back", "rolls it back")}[ruled.action]
    why = f"{ruled.slo}: {printable(ruled.why)}"
    if ruled.failure is not None:
        return f"{ruled.variable}: the guard could not {verb} ({printable(ruled.failure)}): {why}"
    if ruled.commit is None:
        return f"{ruled.variable}: the guard would {verb}: {why}"
    return f"{ruled.variable}: the guard {done} ({ruled.commit[:7]}): {why}"


def ending(done: Published) -> str:
    """Return what was recorded and uploaded, in a line."""
    plan = done.publication
    counts = f"{done.uploaded:,} of {count_of(done.objects, 'object')}"
    gone = f", {done.deleted:,} deleted" if done.deleted else ""
    if done.dry_run:
        entry = f"would record #{plan.sequence}" if plan.worth_recording else "nothing to record"
        return f"{entry}, upload {counts}{gone} to {done.address}; nothing was changed"
    entry = f"#{plan.sequence} recorded ({(done.ledger or '')[:7]})"
    if not done.recorded:
        entry = f"nothing new since #{plan.sequence} ({(done.ledger or '')[:7]})"
    return f"{entry}, {counts} uploaded{gone} to {done.address}"


def as_data(done: Published) -> dict[str, Any]:
    """Return a publish as JSON data."""
    plan = done.publication
    found: dict[str, Any] = {
        "sequence": plan.sequence,
        "rendered_at": instant_text(plan.now),
        "source": done.source,
        "ledger": done.ledger,
        "told": len(plan.news),
        "uploaded": done.uploaded,
        "deleted": done.deleted,
        "unchanged": done.objects - done.uploaded,
        "held": [asdict(held) for held in done.held],
        "problems": [asdict(problem) for problem in done.problems],
        "guard": [asdict(ruled) for ruled in done.ruled],
        "begun": [asdict(begun) for begun in done.begun],
        "recorded": done.recorded,
        "to": done.address,
        "changes": [_sum(found) for found in plan.sums],
    }
    if done.dry_run:
        found |= {"dry_run": True, "objects": list(done.puts)}
    return found


def _sum(found: Sum) -> dict[str, Any]:
    return {
        "variable": found.variable,
        "from": None if found.before is None else scalar(found.before),
        "to": None if found.after is None else scalar(found.after),
        "hosts": list(found.hosts),
        "roles": dict(found.roles),
    }
