"""Random stories of a rollout: fleets that change, publishes that come late, pins, halts and ways back."""

from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from hypothesis import strategies as st

from tests.core.fleets import (
    MINUTE,
    WEEK,
    after,
    globs,
    hosts_bound,
    inventory,
    office,
    pin,
    rollout,
    schedule,
    share_bound,
    variable,
)
from tsunami_cli.core.inventory import Inventory
from tsunami_cli.core.model import Limit, Pin, Rollout, Variable
from tsunami_cli.core.schedule import Schedule, Waypoint

HOSTS = [f"h{i:02d}" for i in range(14)]
CALENDARS = st.sampled_from(
    [None, None, office(hours="09:00-12:00", days=WEEK), office(hours="10:30-11:30", days=WEEK)]
)
BOUND = st.none() | st.integers(0, 6).map(hosts_bound) | st.sampled_from([10, 30, 50, 100]).map(share_bound)
LIMITS = st.lists(
    st.builds(Limit, st.sampled_from(["*", "a", "b"]), BOUND, BOUND, st.none() | st.integers(1, 4)), max_size=2
).map(tuple)


@dataclass(frozen=True)
class Moment:
    """What a publish finds."""

    now: datetime
    variable: Variable
    fleet: Inventory
    held: bool

    def __str__(self) -> str:
        return f"{self.now:%H:%M} {'held ' if self.held else ''}{self.fleet.hosts} {self.variable.pins}"


@st.composite
def schedules(draw: st.DrawFn, *, through: bool = False) -> Schedule:
    """Rising within 4 hours, on multiples of 5 minutes, with steps and flat stretches; mostly to 100 %."""
    calendar = draw(CALENDARS)
    minutes = sorted(draw(st.lists(st.integers(0, 48), min_size=2, max_size=5)))
    shares = sorted(draw(st.lists(st.integers(0, 20), min_size=len(minutes), max_size=len(minutes))))
    if through or draw(st.integers(0, 3)):
        shares[-1] = 20
    made = schedule(*((5 * minute, 5 * part) for minute, part in zip(minutes, shares, strict=True)), calendar=calendar)
    if made.rises_in_closed_time is None:
        return made
    return replace(made, calendar=None)


@st.composite
def fleets(draw: st.DrawFn) -> dict[str, tuple[str, str]]:
    """Each host's role and rack."""
    names = draw(st.lists(st.sampled_from(HOSTS), unique=True, min_size=3))
    return {name: (draw(st.sampled_from(["a", "a", "b"])), draw(st.sampled_from(["r1", "r2", ""]))) for name in names}


def inventory_of(fleet: dict[str, tuple[str, str]]) -> Inventory:
    roles: dict[str, list[str]] = {}
    for host, (role, _) in fleet.items():
        roles.setdefault(role, []).append(host)
    return inventory({host: rack for host, (_, rack) in fleet.items()}, **roles)


@st.composite
def settings(draw: st.DrawFn, *, limits: bool = True, through: bool = False) -> Variable:
    """A variable with an active rollout, perhaps on top of one that was halted part-way."""
    planned = draw(schedules(through=through))
    active = replace(rollout((0, 0), to="3", name="x-2"), schedule=planned)
    rollouts: list[Rollout] = [active]
    if draw(st.booleans()):
        rollouts.insert(0, rollout((-100, 0), (-60, draw(st.integers(0, 100))), name="x-1", halted=after(-50)))
    return variable(
        *rollouts,
        first=globs(*draw(st.sampled_from([(), ("h0[0-3]",)]))),
        spread=draw(st.sampled_from([None, None, "rack"])),
        limits=draw(LIMITS) if limits else (),
        calendar=planned.calendar,
    )


PINS: st.SearchStrategy[Pin] = st.builds(
    lambda value, host: pin(value, host), st.sampled_from(["1", "3", "p"]), st.sampled_from([*HOSTS, "h0*"])
)


@st.composite
def stories(
    draw: st.DrawFn,
    *,
    limits: bool = True,
    pins: bool = True,
    halts: bool = True,
    falls: bool = True,
    leave: bool = True,
    through: bool = False,
) -> list[Moment]:
    """Publishes with what lay between them."""
    setting, fleet = draw(settings(limits=limits, through=through)), draw(fleets())
    story = []
    minute = 5 * draw(st.integers(-3, 3))
    for _ in range(draw(st.integers(5, 16))):
        happening = draw(st.sampled_from(["", "", "", "join", "leave", "role", "pin", "unpin", "halt", "fall"]))
        active = setting.rollouts[-1]
        if happening == "join":
            fleet = {**fleet, draw(st.sampled_from(HOSTS)): (draw(st.sampled_from("ab")), "r1")}
        elif happening == "leave" and leave and len(fleet) > 1:
            gone = draw(st.sampled_from(sorted(fleet)))
            fleet = {host: place for host, place in fleet.items() if host != gone}
        elif happening == "role" and leave:
            host = draw(st.sampled_from(sorted(fleet)))
            fleet = {**fleet, host: ("b" if fleet[host][0] == "a" else "a", fleet[host][1])}
        elif happening == "pin" and pins:
            setting = replace(setting, pins=(draw(PINS), *setting.pins))
        elif happening == "unpin" and pins:
            setting = replace(setting, pins=setting.pins[1:])
        elif happening == "halt" and halts:
            active = replace(active, halted=None if active.halted else after(minute))
            setting = replace(setting, rollouts=(*setting.rollouts[:-1], active))
        elif happening == "fall" and falls:
            active = fallen(active, after(minute), draw(st.integers(0, 15)))
            setting = replace(setting, rollouts=(*setting.rollouts[:-1], active))
        story.append(Moment(after(minute), setting, inventory_of(fleet), draw(st.integers(0, 9)) == 0))
        # On time, late, an outage, a clock that stands still.
        minute += draw(st.sampled_from([5, 5, 5, 5, 5, 0, 1, 7, 20, 45, 90]))
    return story


def fallen(active: Rollout, now: datetime, fives: int) -> Rollout:
    """A way back from where the plan stands, written by hand."""
    reached = active.progress(now)
    past = [Waypoint(w.at, min(w.share, reached)) for w in active.schedule.waypoints if w.at <= now]
    back = (*past, Waypoint(now, reached), Waypoint(now + 5 * fives * MINUTE, Fraction(0)))
    return replace(active, schedule=Schedule(back, active.schedule.calendar), halted=None)
