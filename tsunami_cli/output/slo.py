"""What the SLOs of a variable measure, as a screen and as JSON."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tsunami_cli.core.calendar import moment_of
from tsunami_cli.core.guard.judging import Judgement
from tsunami_cli.core.guard.measuring import Measured, Side
from tsunami_cli.core.guard.rulings import particulars
from tsunami_cli.core.model import Variable
from tsunami_cli.core.text import duration_text, instant_text
from tsunami_cli.core.values import printable, shown
from tsunami_cli.output.guard import STYLES, as_data, asking
from tsunami_cli.output.streams import NEW, OLD, console, count_of, emit

__all__ = ["asking", "show"]


def show(variable: Variable, found: Sequence[Judgement], now: datetime, *, published: bool, as_json: bool) -> None:
    """Write what was measured to stdout."""
    active = variable.active
    if as_json:
        rollout = active.id if active else None
        rows = [_data(one) for one in found]
        emit(
            {
                "now": instant_text(now),
                "published": published,
                "variable": variable.name,
                "rollout": rollout,
                "slos": rows,
            }
        )
        return
    from rich.text import Text

    out = console()
    way = f"{', '.join(map(shown, active.came_from))} -> {shown(active.to)}  ({active.id})" if active else "no rollout"
    out.print(Text(f"{variable.name}  {way}", NEW))
    if not published:
        out.print(Text("nothing is published: hosts are taken as moved by the plan", OLD))
    for one in found:
        slo = one.slo
        out.print()
        head = Text(slo.name, NEW).append(f"  {slo.objective}  {slo.compare}, for {duration_text(slo.sustained)}", "")
        out.print(head.append(f", settle {duration_text(slo.settle)}", ""))
        for name, text in _rows(one):
            out.print(Text(f"  {name:<10}  ", OLD).append(text, ""))
        status = Text(f"  {one.status:<10}  ", STYLES.get(one.status, ""))
        out.print(status.append(printable(one.why), ""))
        does = one.action if one.action != "none" else "nothing"
        out.print(Text("  guard       ", OLD).append(f"does {does}" if does == "nothing" else f"would {does}", ""))


def _rows(one: Judgement) -> list[tuple[str, str]]:
    found = one.measured
    if found is None:
        return [("query", printable(" ".join(one.slo.query.split())))]
    queries = found.queries or (one.slo.query,)
    more = f"  (and {len(queries) - 1} more, role by role)" if len(queries) > 1 else ""
    rows = [("query", printable(" ".join(queries[0].split())) + more)]
    if found.failure is not None:
        return rows if one.status == "error" else [*rows, ("asked", printable(found.failure))]
    stray = f", {found.strays:,} of them name no host" if found.strays else ""
    window = found.window
    begun, ended = (instant_text(moment_of(moment)) for moment in (window.start, window.end))
    samples = count_of(window.steps + 1, "sample")
    rows.append(("asked", f"{samples} from {begun} to {ended}: {len(found.series):,} series{stray}"))
    cohorts = found.cohorts
    fresh = f", {len(cohorts.fresh):,} more not settled yet" if cohorts.fresh else ""
    rows.append(("moved", _side(found.moved, found.hosts, len(found.silent)) + fresh))
    rows.append(("rest", _side(found.rest, len(cohorts.waiting), found.silent_rest)))
    rows.append(("fleet", _side(found.fleet, found.fleet.latest[1], 0)))
    rows += [(name, text) for name, text in particulars(one) if name in ("silent", "worst")]
    return rows


def _side(side: Side, hosts: int, silent: int) -> str:
    known = [mean for mean in side.means if mean is not None]
    quiet = f", {silent:,} silent" if silent else ""
    if not known:
        return f"no value           {count_of(hosts, 'host')}{quiet}"
    lacking = len(side.means) - len(known)
    gaps = f", {lacking} of {len(side.means)} samples missing" if lacking else ""
    return f"{known[-1]:<9.4g} ({min(known):.4g} to {max(known):.4g})  {count_of(hosts, 'host')}{quiet}{gaps}"


def _data(one: Judgement) -> dict[str, Any]:
    found, slo = one.measured, one.slo
    data = as_data(one, None)
    data |= {"query": slo.query, "compare": slo.compare, "asked": list(found.queries) if found else []}
    data["cohorts"] = _cohorts(found) if found is not None and found.failure is None else None
    return data


def _cohorts(found: Measured) -> dict[str, Any]:
    sizes = {
        "moved": (found.moved, found.hosts, len(found.silent)),
        "rest": (found.rest, len(found.cohorts.waiting), found.silent_rest),
        "fleet": (found.fleet, found.fleet.latest[1], 0),
    }
    return {
        name: {
            "value": side.latest[0],
            "hosts": hosts,
            "silent": silent,
            "samples": [
                {"at": instant_text(moment_of(at)), "value": mean, "hosts": len(column)}
                for at, mean, column in zip(found.window.instants, side.means, side.columns, strict=True)
            ],
        }
        for name, (side, hosts, silent) in sizes.items()
    }
