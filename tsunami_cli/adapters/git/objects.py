"""Reading git's objects, any number of them through one process."""

import subprocess
import weakref
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tsunami_cli.adapters.git.process import Done, end, pipe, start
from tsunami_cli.errors import Refused

FOLDER = "40000"
REGULAR = ("100644", "100755")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a tree or the index has under a name."""

    mode: str
    sha: str


class ObjectReader:
    """Reads objects through one `git cat-file --batch`, which starts when first asked and ends with its owner."""

    def __init__(self, root: Path) -> None:
        """Read from the repository around `root`."""
        self._root = root
        self._process: subprocess.Popen[bytes] | None = None
        self._finalizer: weakref.finalize[[subprocess.Popen[bytes]], ObjectReader] | None = None
        self._trees: dict[str, dict[str, Entry]] = {}

    def read(self, name: str) -> tuple[str, bytes] | None:
        """Return kind (`blob`, `tree`, `commit`) and content of an object named by its id; None where it is missing."""
        process = self._running()
        stdin, stdout = pipe(process.stdin), pipe(process.stdout)
        with suppress(BrokenPipeError):  # The empty answer below tells why.
            stdin.write(name.encode() + b"\n")
            stdin.flush()
        words = stdout.readline().split()
        if len(words) == 3 and words[2].isdigit():
            content = stdout.read(int(words[2]) + 1)[:-1]
            if len(content) == int(words[2]):
                return words[1].decode(), content
        elif words:
            return None
        done = Done(process.wait(), b"", pipe(process.stderr).read().decode("utf-8", "replace"))
        self.close()
        raise Refused(f"{self._root}: git cat-file failed: {done.why}")

    def blob(self, sha: str) -> bytes:
        """Return a file's content."""
        return self._content(sha, "blob")

    def commit(self, sha: str) -> bytes:
        """Return a commit as it is stored: header lines, an empty line, the message."""
        return self._content(sha, "commit")

    def tree(self, name: str) -> Mapping[str, Entry]:
        """Return a folder by the id of its tree, or that of a commit with `^{tree}`: names and their entries."""
        if name not in self._trees:
            self._trees[name] = _parse_tree(self._content(name, "tree"), len(name.partition("^")[0]) // 2)
        return self._trees[name]

    def close(self) -> None:
        """End the process; reading again starts another."""
        if self._finalizer is not None:
            self._finalizer()
        self._process = self._finalizer = None

    def _content(self, name: str, kind: str) -> bytes:
        found = self.read(name)
        if found is None or found[0] != kind:
            raise Refused(f"{self._root}: there is no {kind} {name} here: see `git fsck`, or fetch more of the history")
        return found[1]

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = start(self._root, "cat-file", "--batch")
            self._finalizer = weakref.finalize(self, end, self._process)
        return self._process


def _parse_tree(data: bytes, width: int) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    at = 0
    while at < len(data):
        space = data.index(b" ", at)
        null = data.index(b"\0", space)
        end_of_id = null + 1 + width
        name = data[space + 1 : null].decode("utf-8", "surrogateescape")
        entries[name] = Entry(data[at:space].decode(), data[null + 1 : end_of_id].hex())
        at = end_of_id
    return entries
