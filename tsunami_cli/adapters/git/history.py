"""The commits that changed given files: who decided what, when and why."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from subprocess import DEVNULL
from typing import IO, TypeAlias

from tsunami_cli.adapters.git.process import Done, end, pipe, start
from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.errors import Refused

_PERSON = re.compile(r"(?P<name>.*?) ?<(?P<mail>[^<>]*)> (?P<seconds>-?\d{1,18}) [+-]\d+", re.ASCII)
_TRAILER = re.compile(r"([A-Za-z][A-Za-z0-9-]*): (.*\S.*)")
_EMPTY_LINES = re.compile(r"\n(?:[^\S\n]*\n)+")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit as the audit log sees it."""

    sha: str
    parents: tuple[str, ...]
    author_name: str
    author_mail: str
    at: datetime
    """The committer's instant, UTC."""
    subject: str
    reason: str | None
    """What stands between the subject and the trailers."""
    trailers: tuple[tuple[str, str], ...]
    """Key and value of each line of the last paragraph, where that consists of nothing else; in its order."""
    paths: tuple[str, ...]
    """The files it changed among those asked for, sorted; of a merge those that differ from what git alone would
    have merged."""
    blobs: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict, compare=False)
    """The ids of each changed file before and after, None for no file; of a merge's file the one before may be lost."""

    @property
    def author(self) -> str:
        """`Name <mail>`."""
        return f"{self.author_name} <{self.author_mail}>"

    def values(self, key: str) -> tuple[str, ...]:
        """Return the values of all trailers with this key."""
        return tuple(value for name, value in self.trailers if name == key)


def decisions(repository: Repository, commit: str, paths: Sequence[str] = ()) -> Iterator[Commit]:
    """Yield the commits in the history of `commit` that changed any of the files and folders, newest first.

    Every commit stands once, on whichever side of a merge it was made. A merge stands there only where it changed
    something itself: a conflict resolved by hand, a side dropped.
    """
    for sha, changed in _changes(repository, commit, paths):
        yield replace(parse_commit(sha, repository.objects.commit(sha), tuple(changed)), blobs=changed)


def parse_commit(sha: str, raw: bytes, paths: Sequence[str] = ()) -> Commit:
    """Read a commit as git stores it; whatever its text holds, only the last paragraph can be trailers."""
    head, _, body = raw.partition(b"\n\n")
    headers = [line.partition(b" ") for line in head.split(b"\n") if not line.startswith(b" ")]
    fields = {key.decode("utf-8", "replace"): value for key, _, value in headers}
    encoding = fields.get("encoding", b"utf-8").decode("ascii", "replace")
    author, mail, _ = _person(_text(fields.get("author", b""), encoding))
    _, _, at = _person(_text(fields.get("committer", b""), encoding))
    subject, reason, trailers = parse_message(_text(body, encoding))
    parents = tuple(value.decode() for key, _, value in headers if key == b"parent")
    return Commit(sha, parents, author, mail, at, subject, reason, trailers, tuple(sorted(set(paths))))


def parse_message(message: str) -> tuple[str, str | None, tuple[tuple[str, str], ...]]:
    """Split a commit's message into subject, reason and trailers."""
    first, *rest = _EMPTY_LINES.split(message.strip())
    trailers: list[tuple[str, str]] = []
    if rest:
        found = [_TRAILER.fullmatch(line) for line in rest[-1].split("\n")]
        trailers = [(match[1], match[2].strip()) for match in found if match]
        if len(trailers) == len(found):
            rest.pop()
        else:
            trailers = []
    return " ".join(first.split("\n")).strip(), "\n\n".join(rest).strip() or None, tuple(trailers)


def _person(text: str) -> tuple[str, str, datetime]:
    match = _PERSON.fullmatch(text)
    if match is None:
        # Falls to showing it: a commit that another tool wrote badly must not take the audit log away.
        return text, "", _EPOCH
    try:
        return match["name"], match["mail"], _EPOCH + timedelta(seconds=int(match["seconds"]))
    except OverflowError:
        return match["name"], match["mail"], _EPOCH


def _text(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except (LookupError, UnicodeError):
        return data.decode("utf-8", "replace")


Changed: TypeAlias = dict[str, tuple[str | None, str | None]]


def _changes(repository: Repository, commit: str, paths: Sequence[str]) -> Iterator[tuple[str, Changed]]:
    begun = False
    try:
        for item in _log(repository, commit, paths, "--remerge-diff"):
            begun = True
            yield item
    except Refused:
        if begun:
            raise
    else:
        return
    # git before 2.35, or a repository that may only be read, cannot merge anew; then of a merge only those files
    # are known that differ from all of its parents.
    yield from _log(repository, commit, paths, "-c")


def _log(repository: Repository, commit: str, paths: Sequence[str], merges: str) -> Iterator[tuple[str, Changed]]:
    settings = ("-c", "log.showRoot=true", "-c", "log.follow=false", "--literal-pathspecs")
    shape = (
        "--raw",
        "--no-abbrev",
        "-z",
        "--format=%H",
        "--no-renames",
        "--no-color",
        "--no-ext-diff",
        "--no-show-signature",
    )
    # --full-history: without it a side whose changes a merge dropped would not be walked at all.
    order = ("--date-order", "--full-history", merges)
    words = (*settings, "log", *order, *shape, "--end-of-options", commit, "--", *paths)
    process = start(repository.root, *words, stdin=DEVNULL)
    try:
        sha, changed = "", Changed()
        tokens = _tokens(pipe(process.stdout))
        for token in tokens:
            if token.lstrip(b"\n").startswith(b":"):
                changed[next(tokens).decode("utf-8", "surrogateescape")] = _blobs(token)
            elif token.strip(b"\n"):
                if changed:
                    yield sha, changed
                sha, changed = token.decode("ascii").strip("\n"), {}
        if changed:
            yield sha, changed
        done = Done(process.wait(), b"", pipe(process.stderr).read().decode("utf-8", "replace"))
        if done.status:
            raise Refused(f"{repository.root}: git log failed: {done.why}")
    finally:
        end(process)


def _blobs(token: bytes) -> tuple[str | None, str | None]:
    """Return the first id and the last one of a line like `:100644 100644 1a2b.. 3c4d.. M`."""
    ids = [word for word in token.decode("ascii", "replace").split() if len(word) >= 40]
    first, last = ids[0], ids[-1]
    return (first if first.strip("0") else None), (last if last.strip("0") else None)


def _tokens(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield what stands between NULs; only a path can hold any byte, and that is told from the token before it."""
    rest = b""
    while chunk := os.read(stream.fileno(), 65536):
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole
    yield rest
