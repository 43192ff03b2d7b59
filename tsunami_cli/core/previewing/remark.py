"""Remarks: the problems of `validate` that are new, and what only two states held against each other can show."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from tsunami_cli.core.previewing.fleet import InventoryChange
from tsunami_cli.core.problems import Problem
from tsunami_cli.core.text import decimal_text, percent_shown


@dataclass(frozen=True, slots=True, order=True)
class Remark:
    """A problem of the new state, or something to stop at; `Problem` with one more severity."""

    file: str
    line: int
    column: int
    where: str
    message: str
    severity: Literal["error", "warning", "info"]

    @classmethod
    def of(cls, problem: Problem) -> "Remark":
        """Take over what a check found."""
        where = (problem.file, problem.line, problem.column, problem.where)
        return cls(*where, problem.message, problem.severity)


RANK = {"error": 0, "warning": 1, "info": 2}


def fresh(before: Iterable[Problem], after: Iterable[Problem]) -> list[Remark]:
    """Return the problems that were not there before, wherever in the file they stand now."""
    known = Counter((p.file, p.message, p.severity) for p in before)
    found = []
    for problem in after:
        key = (problem.file, problem.message, problem.severity)
        known[key] -= 1
        if known[key] < 0:
            found.append(Remark.of(problem))
    return found


def is_about_the_start(problem: Remark) -> bool:
    """Say whether a check complains of a start in the past, which a remark of ours may say better."""
    return problem.where.endswith("schedule[0].at") and problem.message.startswith("starts in the past")


def hosts_text(count: int) -> str:
    """Return `1 host`, `2,012 hosts`."""
    return f"{count:,} host{'s' * (count != 1)}"


def gone_remark(file: str, name: str, hosts: int | None) -> Remark:
    """Say that a variable was deleted by hand; `hosts` are told it, None where that is not known."""
    if hosts is None:
        message = (
            f"is gone without a decision: hosts that are told {name} keep it, and every publish fails: put the file "
            f"back; tsunami retire {name} lets it go"
        )
        return Remark(file, 1, 1, "", message, "warning")
    message = (
        f"is gone, though {hosts_text(hosts)} {'is' if hosts == 1 else 'are'} told {name}: they keep it, and every "
        f"publish fails: put the file back; tsunami retire {name} is the decision that lets it go"
    )
    return Remark(file, 1, 1, "", message, "warning")


def clash_remark(file: str, rollout: str, other: str) -> Remark:
    """Say that a rollout has the id of another variable's: the ledger knows rollouts by their ids."""
    message = f"{rollout} is a rollout of {other}: give this one another id"
    return Remark(file, 1, 1, "rollouts", message, "error")


def lost_remark(file: str, rollout: str, other: str) -> Remark:
    """Say that another variable waits for a rollout that leaves the file."""
    message = f"{rollout} is taken out, and {other} waits for it: tsunami resume {other} begins it without waiting"
    return Remark(file, 1, 1, "rollouts", message, "warning")


def shrink_remark(change: InventoryChange, lost: int, published: int) -> Remark | None:
    """Say that a publish would refuse an inventory for what it lost; None where it would not.

    `lost` of the `published` hosts of the last publish are gone; without a ledger, of those of the old inventory.
    """
    if not published or lost <= change.max_shrink * published:
        return None
    most = decimal_text(100 * change.max_shrink)
    message = (
        f"{lost:,} of {published:,} hosts are gone ({percent_shown(Fraction(lost, published))}), more than max_shrink: "
        f"{most}%: the next publish refuses it; if it is meant, tsunami publish --accept-shrink {lost}"
    )
    return Remark(change.file, 1, 1, "", message, "warning")
