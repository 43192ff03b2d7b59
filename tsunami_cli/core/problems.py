"""Complaints with an address, and the refusal of a decision."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong in one file."""

    file: str
    """Path from the repository's root."""
    line: int
    """From 1."""
    column: int
    """From 1, in characters."""
    where: str
    """The key within the document: `limits.accesspoint.at_most`; empty for the whole file."""
    message: str
    """What is wrong and how to mend it, in one line."""
    severity: Severity = "error"

    def __str__(self) -> str:
        """Render as `file:line:column  where  message`."""
        return "  ".join(part for part in (f"{self.file}:{self.line}:{self.column}", self.where, self.message) if part)


class Refusal(Exception):
    """The core's no: a decision that does not fit what it is to be made on. Its text says the way out."""
