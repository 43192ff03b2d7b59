"""Writing blobs, trees and commits, with no index and no work tree."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tsunami_cli.adapters.git.objects import FOLDER, Entry, ObjectReader
from tsunami_cli.adapters.git.process import Done, network_limit, output, run
from tsunami_cli.errors import Refused


def write_blobs(root: Path, contents: Sequence[bytes]) -> list[str]:
    """Store files' contents byte for byte, and return their ids in the same order."""
    if len(contents) < 2:
        return [_line(output(root, "hash-object", "-w", "--stdin", data=content)) for content in contents]
    from tempfile import TemporaryDirectory

    # One process for all of them: a halt of hundreds of variables shall not start hundreds.
    with TemporaryDirectory(prefix="tsunami-") as folder:
        paths = [Path(folder) / str(number) for number in range(len(contents))]
        try:
            for path, content in zip(paths, contents, strict=True):
                path.write_bytes(content)
        except OSError as error:
            raise Refused(f"{folder}: cannot be written: {error.strerror}; nothing was changed") from error
        names = "\n".join(map(str, paths)).encode()
        return output(root, "hash-object", "-w", "--no-filters", "--stdin-paths", data=names).decode().split()


Changes = Mapping[tuple[str, ...], Entry | None]
"""New entries by the parts of their paths; None takes one away."""


def write_tree(root: Path, objects: ObjectReader, base: str | None, changes: Changes) -> str | None:
    """Store a folder like `base` (the id of a tree) with changes; only the folders on the way are read and written.

    Returns the new tree's id, or None where nothing is left in it.
    """
    entries = dict(objects.tree(base)) if base else {}
    below: dict[str, dict[tuple[str, ...], Entry | None]] = {}
    for parts, entry in changes.items():
        if len(parts) > 1:
            below.setdefault(parts[0], {})[parts[1:]] = entry
        else:
            _put(entries, parts[0], entry)
    for name, inner in below.items():
        folder = entries.get(name)
        if folder is not None and folder.mode != FOLDER:
            raise Refused(f"{name}: is no folder in git, so nothing can be written into it")
        sha = write_tree(root, objects, folder.sha if folder else None, inner)
        _put(entries, name, Entry(FOLDER, sha) if sha else None)
    return _make_tree(root, entries) if entries else None


def _put(entries: dict[str, Entry], name: str, entry: Entry | None) -> None:
    if entry is None:
        entries.pop(name, None)
    else:
        entries[name] = entry


def _make_tree(root: Path, entries: Mapping[str, Entry]) -> str:
    kinds = {FOLDER: "tree", "160000": "commit"}
    lines = (f"{entry.mode} {kinds.get(entry.mode, 'blob')} {entry.sha}\t{name}\0" for name, entry in entries.items())
    # --missing: what stays as it was need not be here, as in a partial clone.
    return _line(output(root, "mktree", "-z", "--missing", data="".join(lines).encode("utf-8", "surrogateescape")))


_NO_IDENTITY = re.compile(r"tell me who you are|no (email|name) was given|empty ident name|auto-detect email", re.I)


@dataclass(frozen=True, slots=True)
class Signer:
    """How a commit is dated and signed."""

    now: datetime | None
    """The instant of both dates; None for the machine's clock."""
    sign: bool
    """Whether `commit.gpgsign` asks for a signature."""
    urgent: bool
    """Whether the commit is made even where the committer is unknown or a signature cannot be had."""


def write_commit(
    root: Path, tree: str, parents: Sequence[str], message: str, signer: Signer
) -> tuple[str, tuple[str, ...]]:
    """Store a commit, which no ref names yet; returns its id and what there is to say about how it was made."""
    extra = {}
    if signer.now is not None:
        instant = f"@{int(signer.now.timestamp())} +0000"
        extra = {"GIT_AUTHOR_DATE": instant, "GIT_COMMITTER_DATE": instant}
    sign, notes = signer.sign, list[str]()
    while True:
        done = _commit_tree(root, tree, parents, message, sign, extra, network_limit() if signer.urgent else None)
        if done.status == 0:
            return _line(done.out), tuple(notes)
        nameless = _NO_IDENTITY.search(done.err) is not None and "GIT_AUTHOR_EMAIL" not in extra
        if not signer.urgent or not (nameless or sign):
            raise Refused(_why_no_commit(root, done, nameless))
        # Falls to a commit all the same: that a halt stands counts for more than who signed it.
        if nameless:
            extra |= _login()
            notes.append(f"git knows no user.name and user.email here: committed as {extra['GIT_AUTHOR_EMAIL']}")
        else:
            sign = False
            notes.append(f"committed without a signature: {done.why}")


def _commit_tree(
    root: Path,
    tree: str,
    parents: Sequence[str],
    message: str,
    sign: bool,
    extra: Mapping[str, str],
    limit: float | None,
) -> Done:
    # A name that git would guess from the machine is no name for an audit log. The message is UTF-8 whatever
    # i18n.commitEncoding says: git would only label it.
    settings = ("-c", "user.useConfigOnly=true", "-c", "i18n.commitEncoding=UTF-8")
    above = [word for parent in parents for word in ("-p", parent)]
    words = (*settings, "commit-tree", "-S" if sign else "--no-gpg-sign", *above, tree)
    return run(root, *words, data=message.encode("utf-8", "replace"), extra=extra, limit=limit)


def _why_no_commit(root: Path, done: Done, nameless: bool) -> str:
    if nameless:
        return (
            "git does not know who decides: `git config user.name NAME` and `git config user.email MAIL`, "
            "then again; nothing was changed"
        )
    return f"{root}: the commit could not be written: {done.why}; nothing was changed"


def _login() -> dict[str, str]:
    import getpass
    import socket

    try:
        login = getpass.getuser()
    except (KeyError, OSError):
        login = "unknown"
    who = {"NAME": login, "EMAIL": f"{login}@{socket.gethostname() or 'localhost'}"}
    return {f"GIT_{role}_{part}": text for role in ("AUTHOR", "COMMITTER") for part, text in who.items()}


def _line(out: bytes) -> str:
    return out.decode("ascii").strip()
