"""Short ways to write variables and fleets in tests, and to run publishes over them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

from tsunami_cli.core.calendar import DAY, Calendar
from tsunami_cli.core.holds import Hold
from tsunami_cli.core.inventory import Inventory
from tsunami_cli.core.lineup import lineups, roles_of
from tsunami_cli.core.model import Globs, Limit, Pin, Rollout, Variable
from tsunami_cli.core.quota import Bound
from tsunami_cli.core.schedule import Schedule, Waypoint
from tsunami_cli.core.status import values_now
from tsunami_cli.core.told import Told, tell
from tsunami_cli.core.values import Value, value_of

EVERY = timedelta(minutes=5)
T0 = datetime(2026, 3, 2, 10, tzinfo=UTC)
"""A Monday."""
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
WEEK = frozenset(range(7))
EVERYWHERE, NOBODY = Globs(("*",)), Globs(())


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def after(minutes: float | Fraction) -> datetime:
    return T0 + timedelta(seconds=float(60 * minutes))


def val(scalar: object) -> Value:
    return value_of(scalar)


def globs(*patterns: str) -> Globs:
    return Globs(patterns)


def office(
    timezone: str = "UTC", hours: str = "09:00-17:00", days: Iterable[int] = range(5), closed: Sequence[str] = ()
) -> Calendar:
    opens, closes = (int(part[:2]) * 3600 + int(part[3:]) * 60 for part in hours.split("-"))
    runs = []
    for run in closed:
        first, _, last = run.partition("/")
        runs.append((date.fromisoformat(first), date.fromisoformat(last or first)))
    return Calendar(timezone, frozenset(days), opens, closes if closes > opens else closes + DAY, tuple(runs))


def schedule(*points: tuple[float | Fraction, float | str | Fraction], calendar: Calendar | None = None) -> Schedule:
    """Waypoints as (minutes after T0, percent)."""
    return Schedule(tuple(Waypoint(after(m), Fraction(str(p)) / 100) for m, p in points), calendar)


def rollout(
    *points: tuple[float | Fraction, float | str | Fraction],
    to: object = "2",
    name: str = "x-1",
    calendar: Calendar | None = None,
    halted: datetime | None = None,
) -> Rollout:
    return Rollout(name, (val("1"),), val(to), timedelta(hours=1), schedule(*points, calendar=calendar), halted)


def variable(
    *rollouts: Rollout,
    default: object = "1",
    roles: Globs = EVERYWHERE,
    first: Globs = NOBODY,
    spread: str | None = None,
    limits: tuple[Limit, ...] = (),
    calendar: Calendar | None = None,
    pins: tuple[Pin, ...] = (),
) -> Variable:
    return Variable("x", "", None, {}, val(default), roles, first, spread, limits, calendar, pins, (), rollouts)


def pin(value: object, *hosts: str, roles: tuple[str, ...] = ()) -> Pin:
    return Pin(Globs(hosts), Globs(roles), val(value), "because")


def hosts_bound(count: int) -> Bound:
    return Bound(hosts=count)


def share_bound(percent: int) -> Bound:
    return Bound(share=Fraction(percent, 100))


def inventory(labels: dict[str, str] | None = None, **roles: Iterable[str] | int) -> Inventory:
    """Hosts by role; a number n stands for n hosts `<role>-0` to `<role>-<n-1>`. `labels` gives the racks."""
    rows = []
    for role, hosts in roles.items():
        names = [f"{role}-{i}" for i in range(hosts)] if isinstance(hosts, int) else hosts
        rows += [(host, role) for host in names]
    racks = [(labels or {}).get(host, "") for host, _ in rows]
    return Inventory.of([host for host, _ in rows], [role for _, role in rows], {"rack": racks})


def have(variable: Variable, fleet: Inventory, now: datetime, told: Told | None) -> dict[str, Value]:
    """What every host has, as `status` counts it."""
    found: dict[str, Value] = {}
    for lineup in lineups(variable, roles_of(fleet)):
        found.update(zip(lineup.role.hosts, values_now(lineup, now, told), strict=True))
    return found


def publish(variable: Variable, fleet: Inventory, now: datetime, told: Told | None, *, held: bool = False) -> Told:
    return tell(variable, roles_of(fleet), now, told, EVERY, held=holds(now) if held else ())


def holds(now: datetime) -> tuple[Hold, ...]:
    """What the guard says when it holds a variable."""
    return (Hold("errors", "no data", now),)


def publish_until(variable: Variable, fleet: Inventory, begin: datetime, end: datetime, told: Told | None) -> Told:
    """Publish on time, every five minutes from `begin` to `end`, both included."""
    while begin <= end:
        told = publish(variable, fleet, begin, told)
        begin += EVERY
    assert told is not None
    return told


def moved_by(told: Told, rollout: str = "x-1") -> set[str]:
    return set(told.moved[rollout])
