"""The vectors of tests/vectors: answers collected elsewhere, which must be met exactly."""

import json
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

from tests.core.fleets import at, office
from tests.core.oracle import instant
from tsunami_cli.core.calendar import DAYS, Calendar, unix
from tsunami_cli.core.open_time import OpenTime
from tsunami_cli.core.quota import RoleQuota
from tsunami_cli.core.schedule import Schedule, Waypoint
from tsunami_cli.core.text import duration, share

VECTORS = Path(__file__).resolve().parent.parent / "vectors"


def rows(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    assert found, name
    return found


def calendar_of(zone: str, days: list[str], hours: str) -> Calendar:
    return office(zone, hours, [DAYS.index(day.lower()[:3]) for day in days])


def test_durations() -> None:
    for row in rows("durations.json"):
        try:
            read: timedelta | None = duration(row["input"])
        except ValueError:
            read = None
        assert read == (None if row["seconds"] is None else timedelta(seconds=row["seconds"])), row


def test_progress_of_real_rollouts() -> None:
    for row in rows("real-progress.json"):
        start = instant(row["start_epoch"])
        ends = start + timedelta(minutes=row["duration_minutes"])
        planned = Schedule((Waypoint(start, Fraction(str(row["start_percentage"]))), Waypoint(ends, Fraction(1))))
        assert planned.progress(instant(row["now"])) == Fraction(row["expected_p"]), row


def test_open_time() -> None:
    for row in rows("open-time.json"):
        calendar = calendar_of(row["zone"], row["days"], "-".join(row["window"]))
        measured = OpenTime.between(calendar, row["start_epoch"], row["end_epoch"])
        assert measured.total == row["working_seconds"], row


def test_open_progress() -> None:
    for row in rows("open-progress.json"):
        days, hours = row["window"].split()
        calendar = calendar_of(row["zone"], list(DAYS[: {"Mon-Fri": 5}[days]]), hours)
        start, end = (instant(unix(at(row[key]))) for key in ("start", "end"))
        planned = Schedule((Waypoint(start, Fraction(0)), Waypoint(end, Fraction(1))), calendar)
        assert planned.progress(at(row["now"])) == Fraction(row["expected_p"]), row
        assert planned.open_time.total == row["total_working"], row


def test_floats_would_get_these_wrong() -> None:
    for row in rows("float-traps.json"):
        p, n = share(f"{row['percent']}%"), row["n"]
        if "exact_floor" in row:
            assert RoleQuota(n, 0, 0, n).at(p) == row["exact_floor"], row
        else:
            # An offset a hair below 1 rounds every fraction up and leaves a whole number alone.
            assert RoleQuota(n, 2**64 - 1, 0, n).at(p) == row["exact_ceil"], row
