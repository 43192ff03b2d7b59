"""Write what is made from the program: the reference, the man page and the completions of shells.

.venv/bin/python docs/reference.py            writes them
.venv/bin/python docs/reference.py --check    says what is stale, and exits with 1 if anything is
"""

import sys
from collections.abc import Callable
from difflib import unified_diff
from pathlib import Path

from docs.generator import keys, manual, pages, shells

DOCS = Path(__file__).parents[1]

WRITTEN: dict[str, Callable[[], str]] = {
    "reference/commands.md": pages.commands,
    "reference/files.md": keys.files,
    "reference/exit-codes.md": pages.exit_codes,
    "man/tsunami.1": manual.manual,
    "completions/tsunami.bash": shells.bash,
    "completions/_tsunami": shells.zsh,
    "completions/tsunami.fish": shells.fish,
}
"""What is written, by path below `docs`."""


def stale(path: str) -> list[str]:
    """Return how a file differs from what the program says today: the lines of a diff, none where it does not."""
    file = DOCS / path
    there = file.read_text("utf-8") if file.is_file() else ""
    today = WRITTEN[path]()
    return list(
        unified_diff(there.splitlines(), today.splitlines(), f"docs/{path}", f"docs/{path}, today", lineterm="")
    )


def main(arguments: list[str]) -> int:
    """Write, or with `--check` compare; return the exit code."""
    if arguments == ["--check"]:
        lines = [line for path in WRITTEN for line in stale(path)]
        sys.stdout.writelines(f"{line}\n" for line in lines)
        return 1 if lines else 0
    for path, written in WRITTEN.items():
        (DOCS / path).parent.mkdir(parents=True, exist_ok=True)
        (DOCS / path).write_text(written(), "utf-8", newline="\n")
        sys.stderr.write(f"wrote docs/{path}\n")
    return 0
