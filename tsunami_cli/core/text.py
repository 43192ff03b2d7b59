"""The texts that stand for instants, durations and shares: each is read in one way only, or refused."""

import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import TypeAlias

_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_DURATION = re.compile(r"(?=[0-9])(?:([0-9]+)w)?(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?")
_UNITS = (("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
_SHARE = re.compile(r"([0-9]+)(?:\.([0-9]+))?%")
FIRST_YEAR, LAST_YEAR = 1970, 2999
Via: TypeAlias = tuple[Fraction, timedelta]
"""A point that a rollout goes through: progress, 0 to 1, and when after the start."""
_LONGEST = 10_000 * 366 * 86_400


def instant(text: str) -> datetime:
    """Read an RFC 3339 instant in UTC, to the second: `2016-11-14T10:00:00Z`.

    Raises ValueError, with the reason, for everything else.
    """
    if not _INSTANT.fullmatch(text):
        raise ValueError(f"{text} is not an instant: write it in UTC, to the second, as 2016-11-14T10:00:00Z")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text} is not an instant: there is no such day or time") from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"{text} is not in our time: is the year right?")
    return moment


def instant_text(moment: datetime) -> str:
    """Write an instant the way `instant` reads it."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def compact(moment: datetime) -> str:
    """Write an instant without separators, as in a rollout's id: `20161114T095512Z`."""
    return re.sub("[-:]", "", instant_text(moment))


def duration(text: str) -> timedelta:
    """Read `90s`, `45m`, `36h`, `14d`, `2w` or a sum of those, each unit once and the largest first (`1d12h`).

    A day is 24 hours. Raises ValueError, with the reason, for everything else, a bare number above all.
    """
    found = _DURATION.fullmatch(text)
    if not found:
        raise ValueError(f"{text} is not a duration: write 90s, 45m, 36h, 14d, 2w or a sum such as 1d12h")
    if max(len(part) for part in found.groups() if part) > 12:
        raise ValueError(f"{text} is longer than any rollout")
    seconds = sum(int(part) * unit for part, (_, unit) in zip(found.groups(default="0"), _UNITS, strict=True))
    if seconds > _LONGEST:
        raise ValueError(f"{text} is longer than any rollout")
    return timedelta(seconds=seconds)


def duration_text(length: timedelta) -> str:
    """Write a duration the way `duration` reads it, in days at the most: `14d`, `1d12h`, `0s`."""
    rest, parts = length // timedelta(seconds=1), []
    for name, unit in _UNITS[1:]:
        count, rest = divmod(rest, unit)
        if count:
            parts.append(f"{count}{name}")
    return "".join(parts) or "0s"


def share(text: str) -> Fraction:
    """Read a share, `30%` or `0.5%` up to `100%`, as an exact fraction of 1.

    Raises ValueError, with the reason, for everything else.
    """
    found = _SHARE.fullmatch(text)
    if not found or len(text) > 32:
        raise ValueError(f"{text} is not a share: write 30%, 0.5% or 100%, or a bare number of hosts")
    whole, part = found.groups(default="")
    fraction = Fraction(int(whole + part), 100 * 10 ** len(part))
    if fraction > 1:
        raise ValueError(f"{text} is more than all: a share goes up to 100%")
    return fraction


def via(text: str) -> Via:
    """Read `10%@2d`: the share to be reached, and when after the start.

    Raises ValueError, with the reason, for everything else.
    """
    reached, _, wait = text.partition("@")
    if not wait:
        raise ValueError(f"{text} is no point to go through: write 10%@2d, a share and when after the start")
    if not reached.endswith("%"):
        raise ValueError(f"{text} is no point to go through: write the share with its sign, {reached}%@{wait}")
    return share(reached), duration(wait)


def decimal_text(number: Fraction) -> str:
    """Write a number that was read from decimal digits in as many of them as it takes."""
    digits = 0
    while number.denominator != 1 and digits < 40:
        number, digits = number * 10, digits + 1
    whole_part, part = divmod(number.numerator // number.denominator, 10**digits)
    return f"{whole_part}.{part:0{digits}d}" if digits else str(whole_part)


def whole(text: str) -> int:
    """Read a number of hosts in decimal digits. Raises ValueError, with the reason, for everything else."""
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ValueError(f"{text} is not a number of hosts: write it in digits, as 12")
    return int(text)


def percent_text(fraction: Fraction, *, up: bool) -> str:
    """Write a fraction of 1 in percent with at most 9 decimals, rounded up or down.

    Rounded up, only 1 itself becomes 100: a rollout that is not complete must not be written down as complete.
    """
    billionths = fraction * 100 * 10**9
    rounded = (
        -(-billionths.numerator // billionths.denominator) if up else billionths.numerator // billionths.denominator
    )
    if up and fraction < 1:
        rounded = min(rounded, 100 * 10**9 - 1)
    whole, part = divmod(rounded, 10**9)
    return f"{whole}.{part:09d}".rstrip("0").rstrip(".")


def percent_shown(share: Fraction) -> str:
    """Return a progress for people: `39.8 %`, rounded down, so that only what is complete reads `100 %`."""
    tenths = 1000 * share.numerator // share.denominator
    return f"{tenths // 10} %" if tenths in (0, 1000) else f"{tenths // 10}.{tenths % 10} %"
