"""What a render wrote, as a line and as JSON."""

import sys
from dataclasses import dataclass
from typing import Protocol

from tsunami_cli.output.streams import emit


class Written(Protocol):
    """Counts of files."""

    @property
    def written(self) -> int: ...  # noqa: D102
    @property
    def unchanged(self) -> int: ...  # noqa: D102
    @property
    def deleted(self) -> int: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class RenderScreen:
    """What the render command did."""

    folder: str
    hosts: int
    files: Written


def show(screen: RenderScreen, *, as_json: bool) -> None:
    """Write the counts to stdout."""
    files = screen.files
    if as_json:
        counts = {"written": files.written, "unchanged": files.unchanged, "deleted": files.deleted}
        emit({"out": screen.folder, "hosts": screen.hosts, **counts})
        return
    total = files.written + files.unchanged
    gone = f", {files.deleted} deleted" if files.deleted else ""
    sys.stdout.write(f"{total} bundles of {screen.hosts:,} hosts in {screen.folder}: {files.written} written{gone}\n")
