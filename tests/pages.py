"""Pages of the docs, followed to the letter: their files written, their commands run, their outputs compared."""

import io
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from tsunami_cli.cli import run

DOCS = Path(__file__).parents[1] / "docs"

_BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
_LOOP = re.compile(r"for (\w+) in ([^;]+); do (.*); done")
_SHA = re.compile(r"\b[0-9a-f]{7,40}\b")
_CLOCK = re.compile(r"export TSUNAMI_NOW=(\S+)")
_DATES = ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE")


def page(name: str) -> str:
    """Return the text of a page, named without `.md`."""
    return (DOCS / f"{name}.md").read_text("utf-8")


def blocks(text: str) -> list[tuple[str, str]]:
    """Return the blocks of a page as kind and text, in order."""
    return [(kind, body) for kind, body in _BLOCK.findall(text)]


def commands(body: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a console block with the output shown below it."""
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        line, _, shown = part.partition("\n")
        yield line, shown


def plain(text: str) -> str:
    """Return an output without what differs from run to run: ids of commits, and spaces at the ends of lines."""
    return _SHA.sub("SHA", "\n".join(line.rstrip() for line in text.splitlines())).strip()


def fits(shown: str, said: str) -> bool:
    """Say whether an output is the one shown, where `...` stands for anything."""
    pattern = ".*".join(re.escape(part) for part in plain(shown).split("..."))
    return re.fullmatch(pattern, plain(said), re.DOTALL) is not None


class Reader:
    """Somebody who follows a page to the letter, in a folder of their own."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.patch = folder, patch
        self.ran: list[str] = []

    def follow(self, text: str) -> None:
        """Write the files of a page, and run its commands."""
        for kind, body in blocks(text):
            if kind == "sh":
                self.shell(body)
            elif kind == "yaml" and (found := re.match(r"# (\S+\.yaml)\n", body)):
                (self.folder / found[1]).write_text(body.removeprefix(found[0]), "utf-8")
            elif kind == "console":
                for line, shown in commands(body):
                    said = self.type(line)
                    assert not shown or fits(shown, said), f"$ {line}\n{said}\n--- and the page shows\n{shown}"

    def type(self, line: str) -> str:
        """Run a line, and return all that it prints."""
        if loop := _LOOP.fullmatch(line):
            name, values, inner = loop.groups()
            return "".join(self.type(inner.replace(f"${name}", value)) for value in values.split())
        if clock := _CLOCK.fullmatch(line):
            self.patch.setenv("TSUNAMI_NOW", clock[1])
            return ""
        line, failing = re.subn(r' \|\| echo "exit \$\?"$', "", line)
        if not re.match(r"(TSUNAMI_NOW=\S+ )?tsunami ", line):
            return self.shell(line)
        words = shlex.split(line)
        with self.patch.context() as patch:
            if words[0] != "tsunami":
                patch.setenv(*words.pop(0).split("=", 1))
            # One place for both, so that lines come in the order in which a terminal shows them.
            said = io.StringIO()
            with redirect_stdout(said), redirect_stderr(said):
                code = run(words[1:])
        assert bool(code) == bool(failing), (line, code, said.getvalue())
        self.ran.append(words[1])
        return said.getvalue() + (f"exit {code}\n" if failing else "")

    def shell(self, text: str) -> str:
        """Run what is not ours, git by the clock of the page where that has one; return what it prints."""
        dates = {name: now for name in _DATES if (now := os.environ.get("TSUNAMI_NOW"))}
        done = subprocess.run(
            ["sh", "-ec", text], cwd=self.folder, env=os.environ | dates, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{text}\n{done.stderr}"
        return done.stdout
