"""Ledgers for tests: a chain of publishes in a real repository."""

import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tsunami_cli.core.audit import Telling, lines
from tsunami_cli.core.values import value_of

LEDGER = "refs/heads/tsunami-ledger"
BEGAN = datetime(2026, 11, 16, 9, tzinfo=UTC)
COMMIT = "3f2c1ab" + "0" * 33


def telling(host: str = "lon2-db-a1", **given: Any) -> Telling:
    """Return a telling; `before` and `after` as plain scalars."""
    row: dict[str, Any] = {
        "at": BEGAN, "host": host, "role": "db", "variable": "docker", "before": "1.12.1", "after": "1.12.3",
        "rollout": "docker-20261116T090000Z", "sequence": 1, "commit": COMMIT, "author": "Ann Ek <ann@example.com>",
        "action": "start", "reason": "proxy fix",
    }  # fmt: skip
    row |= given
    for end in ("before", "after"):
        row[end] = None if row[end] is None else value_of(row[end])
    return Telling(**row)


def write(root: Path, publishes: Sequence[Mapping[str, bytes]], ref: str = LEDGER) -> list[str]:
    """Write the files of publishes, each on top of what was there, as commits of a ledger; return their ids."""
    out = [b"reset %s\n\n" % ref.encode()]
    for number, files in enumerate(publishes):
        out.append(b"commit %s\ncommitter L <l@example.com> %d +0000\n" % (ref.encode(), 1_800_000_000 + number))
        out.append(b"data 1\np\n")
        out += [b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(x), x) for path, x in files.items()]
    subprocess.run(("git", "fast-import", "--quiet"), cwd=root, input=b"".join(out), check=True)
    words = ("git", "rev-list", "--first-parent", "--reverse", ref)
    return subprocess.run(words, cwd=root, check=True, capture_output=True, text=True).stdout.split()


def publish(root: Path, *publishes: Sequence[Telling]) -> list[str]:
    """Write publishes five minutes apart, numbered from 1; return their commits."""
    numbered = [
        [row._replace(at=BEGAN + number * timedelta(minutes=5), sequence=number + 1) for row in rows]
        for number, rows in enumerate(publishes)
    ]
    return write(root, [{"changes.ndjson": lines(rows), "progress.json": b"{}"} for rows in numbered])
