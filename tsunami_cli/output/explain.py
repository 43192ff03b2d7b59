"""Why a host has its value, as a screen and as JSON."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tsunami_cli.core.audit import Telling
from tsunami_cli.core.explaining import Explanation
from tsunami_cli.core.journal import Entry
from tsunami_cli.core.text import decimal_text, instant_text, percent_shown
from tsunami_cli.core.values import printable, scalar, shown
from tsunami_cli.output.streams import NEW, console, count_of, emit
from tsunami_cli.output.times import distance, local, zone_of


@dataclass(frozen=True, slots=True)
class ExplainScreen:
    """What the explain command found."""

    now: datetime
    found: Explanation
    decision: Entry | None
    """The decision that set the value going; None where history does not have it."""
    telling: Telling | None
    """How the host was told its value last; None where it never was."""
    file: str


def show(screen: ExplainScreen, *, as_json: bool) -> None:
    """Write the explanation to stdout."""
    if as_json:
        emit(as_data(screen))
        return
    from rich.text import Text

    out, found = console(), screen.found
    head = Text(f"{found.host} ({found.role}) has {found.variable.name} ")
    out.print(head.append(shown(found.value), NEW))
    out.print(f"  because   {_because(screen)}")
    if screen.telling is not None:
        out.print(f"  told      {_told(screen, screen.telling)}")
    when = _moves(screen)
    if when:
        out.print(f"  moves     {when}")
    if screen.decision is not None:
        out.print(f"  decision  {_decision(screen.decision)}")


def _told(screen: ExplainScreen, telling: Telling) -> str:
    when = local(telling.at, zone_of(screen.found.variable), screen.now)
    if telling.after is None:
        return f"nothing any more since {when}, publish #{telling.sequence}"
    other = "" if telling.after == screen.found.value else f"{shown(telling.after)}; the next publish changes that; "
    return f"{other}{when}, publish #{telling.sequence}"


def _because(screen: ExplainScreen) -> str:
    found = screen.found
    if found.pin is not None:
        globs = ", ".join((*found.pin.hosts.patterns, *found.pin.roles.patterns))
        return f"a pin of {printable(globs)} holds it: {printable(found.pin.reason)}"
    place = f"{ordinal(found.position)} of {found.of:,} in its role" if found.position and found.of else ""
    if found.source is not None and found.moved:
        return f"rollout {found.source.id} moved it: {place}, quota now {found.quota:,}"
    if found.source is not None:
        return f"rollout {found.source.id}, halted since, moved it" + (f"; now {place}" if place else "")
    if found.variable.active is None:
        return "it is the default, and no rollout is under way"
    if found.state == "scheduled":
        return f"rollout {found.variable.active.id} has not begun: it is {place}"
    if found.state == "rolling-back":
        return f"rollout {found.variable.active.id} is on its way back: it is {place}, quota now {found.quota:,}"
    if found.state == "rolled-back":
        return f"rollout {found.variable.active.id} was rolled back"
    return f"not moved yet: {place}, quota now {found.quota:,}"


def _moves(screen: ExplainScreen) -> str:
    """Return when the host moves next, or what keeps it."""
    found, zone = screen.found, zone_of(screen.found.variable)
    if found.held is not None and found.position is not None and not found.moved:
        return f"not while the guard holds it: {found.held.slo}: {printable(found.held.why)}"
    if found.not_before is not None:
        back = "back " if found.moved else ""
        return f"{back}{local(found.not_before, zone, screen.now)} ({distance(found.not_before, screen.now)})"
    active = found.variable.active
    if found.position is None or found.moved or active is None:
        return ""
    if active.halted is not None:
        return f"not before the halt is lifted: tsunami resume {found.variable.name}"
    if found.variable.freeze is not None:
        return f"not before the freeze is lifted ({printable(found.variable.freeze.reason)}): tsunami unfreeze"
    if active.after is not None:
        return f"not before {active.after.variable} is complete ({active.after.rollout})"
    if found.state in ("running", "capped", "scheduled") and found.limit.at_most is not None:
        return f"not before the limit is lifted: {found.role} is capped at {_cap(found)} ({screen.file})"
    if found.state == "running":
        return f"not by this schedule, which ends at {percent_shown(active.schedule.waypoints[-1].share)}"
    return ""


def _cap(found: Explanation) -> str:
    bound = found.limit.at_most
    if bound is None or bound.share is None:
        return count_of(bound.hosts or 0 if bound else 0, "host")
    return f"{decimal_text(100 * bound.share)} %"


def _decision(entry: Entry) -> str:
    reason = f": {printable(entry.brief)}" if entry.brief else ""
    return f"{entry.action} by {entry.by}, {entry.commit[:7]}{reason}"


def ordinal(number: int) -> str:
    """Return `1st`, `2nd`, `13th`."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"


def as_data(screen: ExplainScreen) -> dict[str, Any]:
    """Return the explanation as JSON data."""
    found, decision, active = screen.found, screen.decision, screen.found.variable.active
    telling = screen.telling
    told = telling.after if telling else None
    rollout = found.source or (active if found.pin is None else None)
    return {
        "host": found.host,
        "role": found.role,
        "variable": found.variable.name,
        "value": scalar(found.value),
        "because": found.because,
        "rollout": rollout and rollout.id,
        "position": found.position,
        "of": found.of,
        "quota": found.quota,
        "held": found.held and found.held.slo,
        "not_before": found.not_before and instant_text(found.not_before),
        "told": None if told is None else scalar(told),
        "told_at": telling and instant_text(telling.at),
        "publish": telling and telling.publish,
        "sequence": telling and telling.sequence,
        "commit": decision and decision.commit,
        "author": decision and decision.author,
        "action": decision and decision.action,
        "reason": decision and decision.reason,
    }
