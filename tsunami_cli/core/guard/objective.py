"""An objective as a value, and the means that are held against it: exact where they come close."""

import operator
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import fsum

_FORM = re.compile(r"(<=|>=|<|>|==|!=) *(.+)")
_COMPARE: dict[str, Callable[[Fraction, Fraction], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "==": operator.eq,
    "!=": operator.ne,
}
LARGEST = 10**300
CLOSE = 1e-9
"""Relative distance to a bound below which a mean is worked out again, exactly."""
_MISSED = {"<=": ">", ">=": "<", "<": ">=", ">": "<=", "==": "!=", "!=": "=="}


@dataclass(frozen=True, slots=True)
class Objective:
    """What a mean over hosts has to fulfil, exact."""

    comparison: str
    """One of `<= >= < > == !=`."""
    bound: Fraction

    @classmethod
    def parse(cls, text: str) -> "Objective":
        """Read `<= 0.01`; ValueError for anything else, and for numbers that no measurement can have."""
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError(f'{text} is not an objective: write a comparison and a number, as in "<= 0.01"')
        bound = Fraction(found[2])
        if abs(bound) > LARGEST:
            raise ValueError(f"{text} is no objective: nothing measures numbers of that size")
        return cls(found[1], bound)

    def met(self, value: Fraction) -> bool:
        """Say whether a value fulfils it."""
        return _COMPARE[self.comparison](value, self.bound)

    def missed(self, value: Fraction) -> str:
        """Return how a value misses it: `0.08 > 0.01`."""
        texts = [(number_text(value, digits), number_text(self.bound, digits)) for digits in (4, 8, 17)]
        mine, theirs = next((pair for pair in texts if len(set(pair)) > 1), texts[0])
        return f"{mine} {_MISSED[self.comparison]} {theirs}"


def exact_mean(values: Sequence[float]) -> Fraction:
    """Return the mean of values as they are written in decimal digits, exact."""
    # Few different ones occur where it matters: at the bound of `== 1` or `<= 0`.
    counts = Counter(values)
    return sum((Fraction(repr(value)) * count for value, count in counts.items()), Fraction(0)) / len(values)


def difference(moved: Sequence[float], rest: Sequence[float], bound: Fraction) -> Fraction:
    """Return the mean of `moved` minus that of `rest`, 0 where there is none; exact where it is close to a bound.

    Floats are good enough to see that 0.3 is more than 0.01; not to see whether thirty times 0.01 is.
    """
    mine, theirs = fsum(moved) / len(moved), fsum(rest) / len(rest) if rest else 0.0
    scale = max(abs(mine), abs(theirs), abs(float(bound)))
    if abs(mine - theirs - float(bound)) > CLOSE * scale:
        return Fraction(mine) - Fraction(theirs)
    return exact_mean(moved) - (exact_mean(rest) if rest else 0)


def number_text(value: Fraction, digits: int = 4) -> str:
    """Return a number for people, to so many significant digits."""
    return f"{float(value):.{digits}g}"
