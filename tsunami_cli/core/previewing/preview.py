"""A change to the files as one value: what it does to every variable, to the fleet and to the settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tsunami_cli.core.journal import Entry
from tsunami_cli.core.previewing.courses import Course
from tsunami_cli.core.previewing.fleet import Effect, InventoryChange
from tsunami_cli.core.previewing.keys import KeyChange
from tsunami_cli.core.previewing.remark import RANK, Remark
from tsunami_cli.core.previewing.standing import Standing, Turn

Kind = Literal["added", "changed", "removed"]


@dataclass(frozen=True, slots=True)
class VariableChange:
    """What a change does to one variable whose file differs."""

    name: str
    file: str
    kind: Kind
    before: Standing | None
    """None where there was no such file."""
    after: Standing | None
    """None where there is none any more, and hosts are told it no more."""
    broken: bool
    """Whether the new file has errors."""
    turns: Sequence[Turn]
    """Hosts that are told something else with the next publish, because of the change."""
    spared: Sequence[str]
    """Hosts that would be told something else with the next publish, and are not."""
    course: Course | None
    keys: Sequence[KeyChange]
    decisions: Sequence[Entry]
    """By command, among the commits between, oldest first."""
    problems: Sequence[Remark]

    @property
    def changed(self) -> int:
        """Hosts that have another value."""
        return sum(turn.before is not None and turn.after is not None for turn in self.turns)

    @property
    def gained(self) -> int:
        """Hosts that had none."""
        return sum(turn.before is None for turn in self.turns)

    @property
    def lost(self) -> int:
        """Hosts that have none any more."""
        return sum(turn.after is None for turn in self.turns)


@dataclass(frozen=True, slots=True)
class Ends:
    """What is held against each other."""

    base: str
    """The commit without the change."""
    base_name: str
    head: str | None
    """The commit with it; None for the work tree."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change does."""

    now: datetime
    ends: Ends
    ledger: tuple[int, str, datetime] | None
    """Sequence, commit and instant of the newest entry; None where figures are planned ones."""
    variables: Sequence[VariableChange]
    inventory: InventoryChange | None
    settings: Sequence[KeyChange]
    effects: Sequence[Effect]
    decisions: Sequence[Entry]
    """By command on all variables at once, among the commits between, oldest first."""
    others: Sequence[Remark]
    """Problems of settings, inventory and files that do not differ."""

    @property
    def problems(self) -> list[Remark]:
        """Everything to stop at, the worst first."""
        found = {*self.others, *(problem for one in self.variables for problem in one.problems)}
        return sorted(found, key=lambda one: (RANK[one.severity], one))

    @property
    def failed(self) -> bool:
        """Whether any of it is an error."""
        return any(problem.severity == "error" for problem in self.problems)

    @property
    def empty(self) -> bool:
        """Whether nothing that counts differs."""
        return not (self.variables or self.inventory or self.settings or self.effects or self.others)
