"""The tellings of every publish, as the ledger's commits hold them, read in one go."""

import subprocess
from collections.abc import Iterator
from typing import IO

from tsunami_cli.adapters.git.process import Done, end, pipe, start
from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.errors import Refused

BRANCH = "tsunami-ledger"
FILE = "changes.ndjson"
"""One line for each telling of the publish that a commit stands for."""


def tellings(repository: Repository, tip: str) -> Iterator[tuple[str, bytes]]:
    """Yield the commits of a ledger that have a file of tellings, oldest first, with what the file holds.

    Raises Refused where a commit or a file of it is missing or damaged.
    """
    # One process writes the names that the other reads: neither waits for us, and nothing has to be fed from here.
    # Trees by their ids, as `log` knows them: `cat-file` would have to read every commit a second time.
    shape = f"--format=%T:{FILE} %H"
    words = ("--first-parent", "--reverse", "--no-show-signature", "--no-color", shape, "--end-of-options", tip, "--")
    log = start(repository.root, "log", *words, stdin=subprocess.DEVNULL)
    try:
        names = pipe(log.stdout)
        files = start(
            repository.root, "cat-file", "--buffer", "--batch=%(objecttype) %(objectsize) %(rest)", stdin=names.fileno()
        )
        try:
            # Ours is closed, so that the first process hears when the second one ends.
            names.close()
            yield from _read(repository, pipe(files.stdout))
            _must_be_done(repository, "cat-file", files)
        finally:
            end(files)
        _must_be_done(repository, "log", log)
    finally:
        end(log)


def _read(repository: Repository, stream: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    while head := stream.readline():
        words = head.split()
        if words[-1] == b"missing":
            tree = words[0].partition(b":")[0].decode()
            # No such file, or one that is lost? The tree tells.
            if FILE in repository.objects.tree(tree):
                raise _damaged(repository, f"tree {tree[:12]}")
            continue
        kind, size, commit = words[0], int(words[1]), words[2].decode()
        data = stream.read(size + 1)
        # Falls to Refused: an audit that leaves out what it cannot read would be believed.
        if kind != b"blob" or len(data) != size + 1:
            raise _damaged(repository, commit[:12])
        yield commit, data[:-1]


def _damaged(repository: Repository, place: str) -> Refused:
    return Refused(f"{repository.root}: {FILE} of {place} is damaged: see `git fsck`, or fetch {BRANCH} anew")


def _must_be_done(repository: Repository, command: str, process: subprocess.Popen[bytes]) -> None:
    done = Done(process.wait(), b"", pipe(process.stderr).read().decode("utf-8", "replace"))
    if done.status:
        raise Refused(f"{repository.root}: git {command} failed: {done.why}")
