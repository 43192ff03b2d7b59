"""What became of a publish."""

from collections.abc import Sequence
from dataclasses import dataclass

from tsunami_cli.core.problems import Problem
from tsunami_cli.core.publishing import Held, Publication


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

    @property
    def exit_code(self) -> int:
        """0, or 1 where some hosts kept what they had because a file is wrong."""
        return 1 if self.problems else 0
