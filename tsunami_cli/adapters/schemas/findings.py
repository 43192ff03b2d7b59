"""What a check by schema can find."""

from typing import NamedTuple

from tsunami_cli.core.nodes import Path, spelled
from tsunami_cli.errors import Refused


class Complaint(NamedTuple):
    """One thing that does not fit, and how to mend it."""

    path: Path
    """Where; of a missing key, where it would be."""
    message: str


class BadValueSchema(Refused):
    """The schema under `value:` is itself wrong."""

    def __init__(self, path: Path, message: str) -> None:
        """Point at the place within the schema."""
        super().__init__(f"{spelled(('value', *path))}: {message}")
        self.path = path
        self.message = message
