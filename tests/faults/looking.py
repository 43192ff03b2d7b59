"""What a ledger says and what lies in a store, read without the product."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.commands.fleet_world import git

LEDGER = "tsunami-ledger"


@dataclass(frozen=True)
class Entry:
    """A commit of the ledger."""

    commit: str
    parents: tuple[str, ...]
    sequence: int
    tellings: tuple[Mapping[str, Any], ...]


def entries(repository: Path) -> list[Entry]:
    """Read a ledger, oldest first."""
    words = ("log", "--first-parent", "--reverse", "--format=%H|%P|%(trailers:key=Tsunami-Sequence,valueonly)")
    rows = [row.split("|") for row in git(repository, *words, LEDGER).split("\n") if row]
    texts = blobs(repository, [f"{row[0]}:changes.ndjson" for row in rows])
    return [
        Entry(row[0], tuple(row[1].split()), int(row[2]), tuple(map(json.loads, text.splitlines())))
        for row, text in zip(rows, texts, strict=True)
    ]


def bundles(repository: Path, commit: str) -> dict[str, bytes]:
    """Return what an entry says is published, by path: every role's bundle and every host's object."""
    paths = [f"roles/{name}" for name in git(repository, "ls-tree", "--name-only", f"{commit}:roles").split()]
    found = dict(zip(paths, blobs(repository, [f"{commit}:{path}" for path in paths]), strict=True))
    for data in list(found.values()):
        for host, values in json.loads(data)["hosts"].items():
            text = json.dumps(values, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
            found[f"hosts/{host}.json"] = f"{text}\n".encode()
    return found


def objects(to: str) -> dict[str, bytes]:
    """Return what lies in a store, by path."""
    if to.startswith("file:"):
        folder = Path(to.removeprefix("file:"))
        found = [file for file in folder.rglob("*") if file.is_file() and not file.name.startswith(".tsunami")]
        return {str(file.relative_to(folder)): file.read_bytes() for file in found}
    import obstore
    from obstore.store import from_url

    bucket = from_url(to, client_options={"allow_http": True})
    paths = [meta["path"] for batch in obstore.list(bucket) for meta in batch]
    return {path: bytes(obstore.get(bucket, path).bytes()) for path in paths}


def blobs(repository: Path, names: list[str]) -> list[bytes]:
    """Read files out of commits."""
    done = subprocess.run(
        ("git", "cat-file", "--batch"), cwd=repository, input="\n".join(names).encode(), capture_output=True, check=True
    )
    found, rest = [], done.stdout
    for _ in names:
        head, _, rest = rest.partition(b"\n")
        size = int(head.rsplit(b" ", 1)[1])
        found.append(rest[:size])
        rest = rest[size + 1 :]
    return found


def check_chain(entries: list[Entry]) -> None:
    """Every sequence once, no fork, and every telling once: each begins where the one before it left off."""
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
    assert [entry.parents for entry in entries] == [(), *((entry.commit,) for entry in entries[:-1])][: len(entries)]
    have: dict[tuple[str, str], Any] = {}
    for entry in entries:
        for row in entry.tellings:
            key = (row["host"], row["variable"])
            assert row["from"] == have.get(key), f"#{entry.sequence} tells {key} again or anew: {row}"
            assert row["to"] != row["from"]
            have[key] = row["to"]
