"""What became of a publish."""

from collections.abc import Sequence
from dataclasses import dataclass

from tsunami_cli.core.guard.judging import Action
from tsunami_cli.core.held_back import Held
from tsunami_cli.core.problems import Problem
from tsunami_cli.core.publishing import Publication


@dataclass(frozen=True, slots=True)
class Ruled:
    """What the guard decided in a publish, or would have."""

    variable: str
    action: Action
    slo: str
    why: str
    commit: str | None
    """None where it was not made: in a dry run, or because it could not be."""
    failure: str | None = None
    """Why it could not be made, or is in this clone alone."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A rollout that waited for another variable's and began in a publish, or would have."""

    variable: str
    after: str
    """The variable it waited for."""
    commit: str | None
    """None where it was not made: in a dry run, or because it could not be."""
    failure: str | None = None
    """Why it could not be made."""


@dataclass(frozen=True)
class Published:
    """What became of a publish."""

    publication: Publication
    fleet: str
    source: str
    ledger: str | None
    """The newest entry; None where a dry run found none."""
    recorded: bool
    """Whether this publish made one."""
    address: str
    uploaded: int
    deleted: int
    objects: int
    """How many lie there now, the manifest aside."""
    held: Sequence[Held]
    problems: Sequence[Problem]
    dry_run: bool
    puts: Sequence[str] = ()
    """For a dry run: the paths that would be uploaded."""
    ruled: Sequence[Ruled] = ()
    """Halts and rollbacks of the guard."""
    guard_code: int = 0
    """The exit code of what the guard could not do: 4 where it held something because it could not ask.

    Also that of a rollout that could not begin.
    """
    begun: Sequence[Begun] = ()

    @property
    def exit_code(self) -> int:
        """0, or 1 where some hosts kept what they had because a file is wrong; else that of the guard."""
        return 1 if self.problems else self.guard_code
