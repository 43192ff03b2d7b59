"""What the rules say, done the slow way: stepping through time, naive fractions, naive sorting.

Written from the text alone; of the code under test it uses the value types, as data, and nothing that computes.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from fnmatch import fnmatchcase
from fractions import Fraction
from functools import cache
from itertools import pairwise
from math import ceil, floor, lcm
from zoneinfo import ZoneInfo

from tsunami_cli.core.calendar import Calendar
from tsunami_cli.core.inventory import Inventory
from tsunami_cli.core.model import Rollout, Variable
from tsunami_cli.core.schedule import Schedule

DAY = 86_400
HOUR = 3_600


def seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def instant(moment: int) -> datetime:
    return datetime.fromtimestamp(moment, UTC)


@cache
def is_open(calendar: Calendar | None, moment: int) -> bool:
    """the wall clock reads inside hours on one of days and not on a closed date."""
    if calendar is None:
        return True
    wall = datetime.fromtimestamp(moment, ZoneInfo(calendar.timezone))
    second = wall.hour * HOUR + wall.minute * 60 + wall.second
    if calendar.opens <= second < calendar.closes:
        return _day_is_open(calendar, wall.date())
    if second + DAY < calendar.closes:
        return _day_is_open(calendar, wall.date() - timedelta(days=1))
    return False


def _day_is_open(calendar: Calendar, day: date) -> bool:
    return day.weekday() in calendar.days and not any(first <= day <= last for first, last in calendar.closed)


def open_by_second(calendar: Calendar | None, start: int, end: int) -> int:
    return sum(is_open(calendar, moment) for moment in range(start, end))


@cache
def open_seconds(calendar: Calendar | None, start: int, end: int) -> int:
    """By minutes: hours are given to the minute, and offsets have been whole minutes for a century."""
    if calendar is None:
        return max(0, end - start)
    total, moment = 0, start
    while moment < end:
        following = min(end, moment - moment % 60 + 60)
        if is_open(calendar, moment - moment % 60):
            total += following - moment
        moment = following
    return total


@cache
def progress(schedule: Schedule, moment: int) -> Fraction:
    """planned progress."""
    points = [(seconds(w.at), w.share) for w in schedule.waypoints]
    if moment < points[0][0]:
        return Fraction(0)
    reached = points[0][1]
    for (begun, begins), (ended, ends) in pairwise(points):
        if moment < begun:
            break
        if moment >= ended:
            reached = ends
        elif begins >= ends:
            reached = begins + (ends - begins) * Fraction(moment - begun, ended - begun)
        else:
            open_until_now = open_seconds(schedule.calendar, begun, moment)
            reached = begins + (ends - begins) * Fraction(open_until_now, open_seconds(schedule.calendar, begun, ended))
    return reached


def falling(schedule: Schedule, moment: int) -> bool:
    """as the last stretch or step begun by then that was not flat; with none yet, rising."""
    answer, last = False, (seconds(schedule.waypoints[0].at), Fraction(0))
    for waypoint in schedule.waypoints:
        if last[0] <= moment and waypoint.share != last[1]:
            answer = waypoint.share < last[1]
        last = (seconds(waypoint.at), waypoint.share)
    return answer


def planned(rollout: Rollout, moment: int) -> Fraction:
    return progress(rollout.schedule, moment if rollout.halted is None else min(moment, seconds(rollout.halted)))


def is_falling(rollout: Rollout, moment: int) -> bool:
    return falling(rollout.schedule, moment if rollout.halted is None else min(moment, seconds(rollout.halted)))


def planned_steps(schedule: Schedule) -> list[tuple[int, Fraction]]:
    """Instants and heights of the upward steps, that from nothing to the first percent among them."""
    found, last = [], (seconds(schedule.waypoints[0].at), Fraction(0))
    for waypoint in schedule.waypoints:
        moment = seconds(waypoint.at)
        if moment == last[0] and waypoint.share > last[1]:
            found.append((moment, waypoint.share - last[1]))
        last = (moment, waypoint.share)
    return found


@cache
def _chain(schedule: Schedule, steps: bool) -> list[tuple[int, Fraction]]:
    """(open minutes, progress) minute by minute, and at every waypoint from both sides."""
    points = [(seconds(w.at), w.share) for w in schedule.waypoints]
    chain, stepped, opened = [(0, Fraction(0))], Fraction(0), 0
    last = (points[0][0], Fraction(0))
    for moment, share in points:
        if moment == last[0]:
            stepped += share - last[1]
        for minute in range(last[0], moment, 60):
            opened += is_open(schedule.calendar, minute)
            height = share if minute + 60 == moment else progress(schedule, minute + 60)
            if chain[-1] != (opened, height if steps else height - stepped):
                chain.append((opened, height if steps else height - stepped))
        chain.append((opened, share if steps else share - stepped))
        last = (moment, share)
    return chain


@cache
def steepest(schedule: Schedule, minutes: int, steps: bool = False) -> Fraction:
    """the steepest planned rise within any stretch of that many open minutes; waypoints on whole minutes."""
    chain = _chain(schedule, steps)
    unit = lcm(*(height.denominator for _, height in chain))
    heights = [(opened, int(height * unit)) for opened, height in chain]
    best = 0
    for place, (begun, low) in enumerate(heights):
        for ended, high in heights[place:]:
            if ended - begun > minutes:
                break
            best = max(best, high - low)
    return min(Fraction(best, unit), Fraction(1))


def allowance(schedule: Schedule, minutes: int) -> Fraction:
    whole = open_seconds(schedule.calendar, seconds(schedule.waypoints[0].at), seconds(schedule.waypoints[-1].at))
    share = min(Fraction(1), Fraction(60 * minutes, whole)) if whole else Fraction(1)
    return max(steepest(schedule, minutes), share)


def h64(text: str) -> int:
    return int(hashlib.blake2b(text.encode("utf-8"), digest_size=8).hexdigest(), 16)


def mix64(z: int) -> int:
    z = (z + 0x9E3779B97F4A7C15) % 2**64
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) % 2**64
    return z ^ (z >> 31)


@cache
def ticket(host: str, rollout: str) -> int:
    return mix64(h64(host) ^ h64(rollout))


def matches(patterns: Iterable[str], name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def pin_of(variable: Variable, host: str, role: str) -> str | None:
    for pin in variable.pins:
        if matches(pin.hosts.patterns, host) or matches(pin.roles.patterns, role):
            return pin.value
    return None


def order(variable: Variable, rollout: str, inventory: Inventory, role: str) -> list[str]:
    """the hosts that no pin matches, in the order in which they move."""
    hosts = [h for h, r in zip(inventory.hosts, inventory.roles, strict=True) if r == role]
    label = dict(zip(inventory.hosts, inventory.labels[variable.spread], strict=True)) if variable.spread else {}

    def place(host: str) -> Fraction:
        if not variable.spread:
            return Fraction(0)
        group = sorted((ticket(h, rollout), h) for h in hosts if label[h] == label[host])
        return Fraction(2 * group.index((ticket(host, rollout), host)) + 1, 2 * len(group))

    free = [host for host in hosts if pin_of(variable, host, role) is None]
    return sorted(free, key=lambda h: (not matches(variable.first.patterns, h), place(h), ticket(h, rollout), h))


def bounds(variable: Variable, role: str, n: int) -> tuple[int, int]:
    """lo and hi; only the first glob that matches counts."""
    low, high = 0, n
    for limit in variable.limits:
        if fnmatchcase(role, limit.roles):
            if limit.at_least is not None:
                bound = limit.at_least
                low = ceil(bound.share * n) if bound.share is not None else bound.hosts or 0
            if limit.at_most is not None:
                bound = limit.at_most
                high = floor(bound.share * n) if bound.share is not None else bound.hosts or 0
            break
    return low, high


def quota(rollout: str, role: str, n: int, low: int, high: int, p: Fraction) -> int:
    """2.2, line by line."""
    phi = Fraction(h64(rollout + "\0" + role), 2**64)
    if p == 0:
        return 0
    k = n if p == 1 else floor(p * n + phi)
    lo = low if p >= Fraction(1, 20) else floor(20 * p * low + phi)
    return min(n, max(lo, min(high, k)))


def quota_of(variable: Variable, rollout: Rollout, role: str, n: int, p: Fraction) -> int:
    return quota(rollout.id, role, n, *bounds(variable, role, n), p)


def roles(variable: Variable, inventory: Inventory) -> list[str]:
    return [role for role in sorted(set(inventory.roles)) if matches(variable.roles.patterns, role)]


def plan(variable: Variable, inventory: Inventory, moment: int) -> dict[str, str]:
    """Every host's value by file and clock alone."""
    values = {}
    for role in roles(variable, inventory):
        for host in (h for h, r in zip(inventory.hosts, inventory.roles, strict=True) if r == role):
            values[host] = str(variable.default)
        for rollout in variable.rollouts:
            line = order(variable, rollout.id, inventory, role)
            for host in line[: quota_of(variable, rollout, role, len(line), planned(rollout, moment))]:
                values[host] = rollout.to
        for host in list(values):
            if inventory.role_of(host) == role:
                values[host] = pin_of(variable, host, role) or values[host]
    return values


def per_hour(variable: Variable, rollout: Rollout, role: str, n: int) -> int:
    """what a role may be changed within an hour."""
    for limit in variable.limits:
        if fnmatchcase(role, limit.roles):
            if limit.per_hour is not None:
                return limit.per_hour
            break
    low, _ = bounds(variable, role, n)
    return max(1, ceil(2 * steepest(rollout.schedule, 60, steps=True) * max(n, 20 * low)))


class Ledger:
    """2.5 and 2.6 in the plainest words; instants on whole minutes, and the files' rollouts stay or are added to."""

    def __init__(self, every: int = 300) -> None:
        self.every = every
        self.at: int | None = None
        self.e: dict[str, Fraction] = {}
        self.since: dict[str, dict[str, int]] = {}
        """For each rollout the hosts it has moved, and when they were told."""
        self.had: dict[str, str] = {}
        """What hosts had, pins aside, before the rollouts of the file."""
        self.last: dict[str, str] = {}
        """What every host was told last."""
        self.changed: list[tuple[int, str, str, str]] = []
        """(instant, rollout, role, host) of every change to a new value."""

    def publish(self, variable: Variable, inventory: Inventory, now: int, *, held: bool = False) -> Mapping[str, str]:
        if self.at is None:
            self._first(variable, inventory, now)
        else:
            self._next(variable, inventory, now, self.at, held)
        self.at = now
        told = {}
        for role in roles(variable, inventory):
            for host in (h for h, r in zip(inventory.hosts, inventory.roles, strict=True) if r == role):
                told[host] = pin_of(variable, host, role) or self._unpinned(variable, host)
        self.last.update(told)
        return told

    def _unpinned(self, variable: Variable, host: str) -> str:
        for rollout in reversed(variable.rollouts):
            if host in self.since.get(rollout.id, {}):
                return rollout.to
        return self.had.get(host, variable.default)

    def _first(self, variable: Variable, inventory: Inventory, now: int) -> None:
        for rollout in variable.rollouts:
            p = self.e[rollout.id] = planned(rollout, now)
            self.since[rollout.id] = {}
            for role in roles(variable, inventory):
                line = order(variable, rollout.id, inventory, role)
                for host in line[: quota_of(variable, rollout, role, len(line), p)]:
                    self.since[rollout.id][host] = now

    def told_progress(self, variable: Variable, now: int, last: int, held: bool) -> Fraction:
        rollout = variable.rollouts[-1]
        schedule, every = rollout.schedule, self.every
        e = self.e.get(rollout.id)
        step_from = max(last, now - 2 * every)
        if e is None:
            e, last = Fraction(0), max(min(now, seconds(schedule.waypoints[0].at)), now - 2 * every)
            step_from = last - 1
        if rollout.halted is not None:
            return e
        if is_falling(rollout, now):
            return min(e, planned(rollout, now))
        if held or not is_open(variable.calendar, now):
            return e
        d = min(open_seconds(variable.calendar, last, now), 2 * every)
        s = sum((height for at, height in planned_steps(schedule) if step_from < at <= now), Fraction(0))
        return min(planned(rollout, now), e + allowance(schedule, 2 * d // 60) + s)

    def _next(self, variable: Variable, inventory: Inventory, now: int, last: int, held: bool) -> None:
        if not variable.rollouts:
            return
        rollout = variable.rollouts[-1]
        e = self.e[rollout.id] = self.told_progress(variable, now, last, held)
        since = self.since.setdefault(rollout.id, {})
        known = set(self.last)
        for role in roles(variable, inventory):
            line = order(variable, rollout.id, inventory, role)
            hosts = [h for h, r in zip(inventory.hosts, inventory.roles, strict=True) if r == role]
            for host in hosts:
                pinned = pin_of(variable, host, role)
                if pinned is not None and pinned != rollout.to:
                    since.pop(host, None)
                elif pinned is None and host not in since and self.last.get(host) == rollout.to:
                    since[host] = now
            ours = [host for host in line if host in since]
            wanted = quota_of(variable, rollout, role, len(line), e)
            if rollout.halted is not None:
                continue
            if is_falling(rollout, now):
                ours.sort(key=lambda host: (since[host], line.index(host)))
                for host in ours[wanted:]:
                    del since[host]
            elif not held:
                room = per_hour(variable, rollout, role, len(line)) - sum(
                    now - HOUR < at <= now for at, i, r, _ in self.changed if (i, r) == (rollout.id, role)
                )
                count = len(ours)
                for host in line:
                    if count >= wanted or host in since:
                        continue
                    if host in known:
                        if not is_open(variable.calendar, now) or room <= 0:
                            continue
                        room -= 1
                        self.changed.append((now, rollout.id, role, host))
                    since[host] = now
                    count += 1
