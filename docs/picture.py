"""Draw `docs/status.svg`: the status of the example fleet with two rollouts on the way, as the terminal shows it."""

import os
import re
import sys
import tempfile
from contextlib import redirect_stdout
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

from tsunami_cli.adapters import clock, own_files
from tsunami_cli.adapters.folders import write_new
from tsunami_cli.adapters.git.creation import create
from tsunami_cli.commands import halt, start, status
from tsunami_cli.output import status as screen

PICTURE = Path(__file__).with_name("status.svg")
WHO = {"GIT_AUTHOR_NAME": "Ann Ek", "GIT_AUTHOR_EMAIL": "ann@example.com"}
MOMENTS = [datetime(2016, 11, day, hour, tzinfo=UTC) for day, hour in ((14, 9), (16, 10), (17, 9), (18, 13))]


def drawn() -> str:
    """Return the picture."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        clock.pretend(MOMENTS[0])
        os.environ.update(WHO)
        write_new(folder, own_files.example() | own_files.schemas())
        create(folder, "The example fleet", MOMENTS[0])
        with redirect_stdout(StringIO()):
            start.command("docker", "1.12.3", "14d", folder=folder)
            clock.pretend(MOMENTS[1])
            start.command("helios", "0.9.12", "6d", folder=folder)
            clock.pretend(MOMENTS[2])
            halt.command(["helios"], "agents crash", folder=folder)
        clock.pretend(MOMENTS[3])
        recorder = Console(record=True, width=116, file=StringIO(), highlight=False, markup=False)
        screen.console = lambda: recorder
        status.command(folder=folder)
        picture = recorder.export_svg(title="tsunami status", theme=MONOKAI, unique_id="tsunami")
    # The fonts are the reader's own: nothing is fetched to look at a picture.
    return re.sub(r"\s*@font-face \{.*?\}", "", picture, flags=re.DOTALL)


if __name__ == "__main__":
    PICTURE.write_text(drawn(), "utf-8")
    sys.stderr.write(f"wrote {PICTURE}\n")
