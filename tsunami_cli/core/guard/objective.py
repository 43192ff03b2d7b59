"""An objective as a value: a comparison that a measured number has to fulfil."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

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

    def __str__(self) -> str:
        """Render as `<= 0.01`."""
        return f"{self.comparison} {number_text(self.bound)}"


def number_text(value: Fraction, digits: int = 4) -> str:
    """Return a number for people, to so many significant digits."""
    return f"{float(value):.{digits}g}"
