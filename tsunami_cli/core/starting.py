"""The start of a rollout: the refusals, the schedule, the layers that leave the file, and the edits."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction

from tsunami_cli.core.decisions import Change, check_line, waypoint_text
from tsunami_cli.core.edits import Edit, Insert, Put, Remove
from tsunami_cli.core.lineup import Role, lineups
from tsunami_cli.core.model import After, Rollout, Variable
from tsunami_cli.core.problems import Refusal
from tsunami_cli.core.reschedule import FAR, checked, checked_length
from tsunami_cli.core.schedule import Schedule, Waypoint
from tsunami_cli.core.status import Status, status_of, values_now
from tsunami_cli.core.text import compact, instant_text
from tsunami_cli.core.told import Told, adopted
from tsunami_cli.core.values import Value, brief, shown, yaml_name, yaml_text

LATE = timedelta(minutes=1)
"""How far in the past a start may lie: the time it takes to type and confirm."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the operator asked for."""

    to: Value
    over: timedelta
    asked: str
    """`over` as it was typed."""
    came_from: tuple[Value, ...] = ()
    """Empty: whatever the hosts have."""
    at: datetime | None = None
    """None: now."""
    via: tuple[tuple[Fraction, timedelta], ...] = ()
    """Progress, 0 to 1, and when after the start it is to be reached."""
    way: str = "--via"
    """Where these points come from, as it was typed."""
    supersede: bool = False
    after: After | None = None
    """What it waits for; `at` is then when that is planned to be complete, and moves along with it."""


def start(
    variable: Variable,
    roles: Sequence[Role],
    now: datetime,
    order: Order,
    told: Told | None = None,
    used: Collection[str] = (),
) -> Change:
    """Start a rollout; `used` holds the ids of rollouts that there were. Raises Refusal where it does not fit."""
    check_line(variable)
    told = adopted(variable, told, now) if told else None
    values = _unpinned(variable, roles, now, told)
    _check_values(variable, values, order)
    schedule = _schedule(variable, order, now)
    base, edits = _cleared(variable, roles, now, told, order)
    _check_layers(base, order.to)
    left = next(iter(values)) if len(values) == 1 else base.default
    if left != base.default:
        edits.append(Put(("default",), yaml_text(left)))
    name = _fresh_id(variable, now, used)
    rollout = Rollout(name, tuple(sorted(values)), order.to, order.over, schedule, after=order.after)
    edits.append(Insert(("rollouts", len(base.rollouts)), _fragment(rollout, order.asked)))
    changed = replace(base, default=left, rollouts=(*base.rollouts, rollout))
    came_from = ", ".join(brief(value) for value in rollout.came_from)
    waits = f" after {order.after.variable}" if order.after else ""
    subject = f"{variable.name}: start {came_from} -> {brief(order.to)} over {order.asked}{waits}"
    return Change("start", changed, tuple(edits), subject)


def _unpinned(variable: Variable, roles: Sequence[Role], now: datetime, told: Told | None) -> dict[Value, int]:
    """Count the values of the hosts that no pin matches."""
    counts: dict[Value, int] = {}
    for lineup in lineups(variable, roles):
        for host, value in zip(lineup.role.hosts, values_now(lineup, now, told), strict=True):
            if host not in lineup.pins:
                counts[value] = counts.get(value, 0) + 1
    return counts


def _check_values(variable: Variable, values: dict[Value, int], order: Order) -> None:
    """Refuse a rollout from what is not so, or to what is there already."""
    have = " and ".join(f"{count:,} hosts have {shown(value)}" for value, count in sorted(values.items()))
    if not values:
        raise Refusal(f"{variable.name}: there is no host that it could move: see its roles and pins")
    if order.came_from and set(order.came_from) != set(values):
        wrong = [shown(value) for value in order.came_from if value not in values]
        flags = " ".join(f"--from {shown(value)}" for value in sorted(values))
        what = f"no host has {', '.join(wrong)}" if wrong else "those are not all the values there are"
        raise Refusal(f"{variable.name}: {what}; {have}. Say {flags}, or leave --from out")
    active = variable.active
    if order.to in values and len(values) > 1 and active is not None and active.to == order.to:
        raise Refusal(
            f"{variable.name}: {active.id} goes to {shown(order.to)} already, and {values[order.to]:,} hosts have it: "
            f"see tsunami status {variable.name}"
        )
    if order.to in values:
        raise Refusal(
            f"{variable.name}: {values[order.to]:,} hosts have {shown(order.to)} already"
            + (
                f" ({have}); to undo a rollout, say tsunami rollback {variable.name} --over ..."
                if len(values) > 1
                else ""
            )
        )


def _check_layers(base: Variable, to: Value) -> None:
    """Refuse a value that a rollout below gives or gave to hosts: by which of the two they moved could not be told."""
    for rollout in base.rollouts:
        if rollout.to == to:
            raise Refusal(f"{base.name}: {rollout.id} goes to {shown(to)} already: resume it, pace it or roll it back")


def _schedule(variable: Variable, order: Order, now: datetime) -> Schedule:
    """Return the schedule that was asked for."""
    begins = order.at or now
    if begins < now - LATE:
        raise Refusal(f"--at {instant_text(begins)} is in the past: leave it out to start now")
    if begins > now + FAR and order.after is None:
        raise Refusal(f"--at {instant_text(begins)} is over a year ahead: is the year right?")
    # What was typed up to a minute ago begins now, so that nobody moves by the start itself.
    begins = max(begins, now)
    ends = begins + checked_length(order.over)
    points = [Waypoint(begins, Fraction(0))]
    for share, wait in sorted(order.via, key=lambda via: via[1]):
        if not timedelta(0) <= wait <= order.over or share < points[-1].share:
            raise Refusal(
                f"{order.way} points lie between the start and the end, and each is at least as high as the one before"
            )
        points.append(Waypoint(begins + wait, share))
    points.append(Waypoint(ends, Fraction(1)))
    return checked(Schedule(tuple(points), variable.calendar))


def _cleared(
    variable: Variable, roles: Sequence[Role], now: datetime, told: Told | None, order: Order
) -> tuple[Variable, list[Edit]]:
    """Return the variable without what is finished, what is unfinished halted; and the edits to that end.

    No host's value changes by it: a complete rollout hides all below it, one that was rolled back hides nothing.
    """
    kept, default, edits = list(variable.rollouts), variable.default, []
    while kept:
        below = replace(variable, rollouts=tuple(kept))
        status = status_of(below, roles, now, told)
        if status.state == "complete":
            default, kept = kept[-1].to, []
        elif status.state == "rolled-back":
            kept.pop()
        elif len(kept) < len(variable.rollouts):
            break
        elif not order.supersede:
            raise Refusal(_unfinished(status))
        elif now < kept[-1].schedule.starts or (kept[-1].after and not status.moved):
            kept.pop()
            break
        else:
            if kept[-1].halted is None:
                edits.append(Put(("rollouts", len(kept) - 1, "halted"), instant_text(now)))
                kept[-1] = kept[-1].halt(now)
            break
    gone: list[Edit] = [Remove(("rollouts", place)) for place in reversed(range(len(kept), len(variable.rollouts)))]
    if default != variable.default:
        gone.append(Put(("default",), yaml_text(default)))
    return replace(variable, rollouts=tuple(kept), default=default), [*gone, *edits]


def _unfinished(status: Status) -> str:
    name, active = status.variable.name, status.variable.active
    back = f", tsunami rollback {name} --over D" if status.moved else ""
    ways = {
        "halted": f"tsunami resume {name}{back}",
        "capped": "lift its at_most",
    }.get(status.state, f"wait, or tsunami halt {name}")
    return (
        f"{name}: {active.id if active else ''} is {status.state}, {status.moved:,} of {status.hosts:,} hosts moved: "
        f"{ways}, or go on top of it with --supersede"
    )


def _fresh_id(variable: Variable, now: datetime, used: Collection[str]) -> str:
    """Return an id that no rollout ever had."""
    taken = {rollout.id for rollout in variable.rollouts} | set(used)
    stem = f"{variable.name}-{compact(now)}"
    fresh, count = stem, 1
    while fresh in taken:
        count += 1
        fresh = f"{stem}-{count}"
    return fresh


def _fragment(rollout: Rollout, asked: str) -> dict[str, str | tuple[str, ...]]:
    """Return the rollout as it is to stand in the file."""
    after = rollout.after
    waits = {}
    if after is not None:
        waits["after"] = f"{{variable: {yaml_name(after.variable)}, rollout: {yaml_name(after.rollout)}}}"
    return {
        "id": rollout.id,
        "selection": "1",
        "from": f"[{', '.join(yaml_text(value) for value in rollout.came_from)}]",
        "to": yaml_text(rollout.to),
        "over": asked,
        **waits,
        "schedule": tuple(waypoint_text(waypoint) for waypoint in rollout.schedule.waypoints),
    }
