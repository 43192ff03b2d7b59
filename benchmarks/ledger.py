"""A long ledger, and how fast one host's audit is: `python benchmarks/ledger.py`, `--keep DIR` to use it again.

The history of 14 days of publishes, every five minutes, each of which tells two or three hosts something new.
"""

import argparse
import itertools
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fleets import ENVIRONMENT, Fleet, git
from measure import Result, measure

PUBLISHES = 14 * 24 * 12
HOSTS = 10_000
ROLES = 200
BRANCH = "tsunami-ledger"
BEGAN = datetime(2026, 11, 3, 8, tzinfo=UTC)
OLD, NEW = "1.12.1", "1.12.3"
ROLLOUT = "docker-20261103T075512Z"
AUTHOR = "Ada Operator <ada@example.com>"
BUDGET = 31
"""Times bare python."""


@dataclass(frozen=True)
class Publish:
    """What one publish tells."""

    sequence: int
    at: datetime
    moves: tuple[tuple[str, str | None, str], ...]
    """Host, value before and value after, sorted by host."""


class Ledger:
    """The files of a fleet's ledger, and the stream of them that `git fast-import` reads.

    It packs a file as the difference from the one it read just before: so first come all versions of one file, then
    all of the next, and last the commits, which name them by their marks.
    """

    def __init__(self, hosts: int, publishes: int) -> None:
        self.members: dict[str, list[str]] = {}
        for role, host in sorted(members(hosts)):
            self.members.setdefault(role, []).append(host)
        self.role_of = {host: role for role, names in self.members.items() for host in names}
        self.queue = sorted(self.role_of)
        random.Random(1).shuffle(self.queue)
        self.publishes = list(self._publishes(publishes))
        self.marks: dict[tuple[str, int], int] = {}

    def stream(self) -> Iterator[bytes]:
        """Yield the whole history."""
        yield from self._versions("told/docker.csv", self._told())
        for role in self.members:
            yield from self._versions(f"roles/{role}.json", self._bundles(role))
        parts: dict[int, list[bytes]] = {}
        for (path, sequence), mark in self.marks.items():
            parts.setdefault(sequence, []).append(b"M 100644 :%d %s\n" % (mark, path.encode()))
        for publish in self.publishes:
            yield self._commit(publish, parts[publish.sequence])
        yield b"done\n"

    def _publishes(self, count: int) -> Iterator[Publish]:
        yield Publish(1, BEGAN, tuple((host, None, OLD) for host in sorted(self.role_of)))
        has = dict.fromkeys(self.role_of, OLD)
        turn = itertools.cycle(self.queue)
        for sequence in range(2, count + 1):
            moves = []
            for host in sorted({next(turn) for _ in range(2 + sequence % 2)}):
                after = NEW if has[host] == OLD else OLD
                moves.append((host, has[host], after))
                has[host] = after
            yield Publish(sequence, BEGAN + (sequence - 1) * timedelta(minutes=5), tuple(moves))

    def _told(self) -> Iterator[tuple[int, str]]:
        """Yield, for each publish, a row for what every host had before, and one for each that a rollout has moved."""
        rows = {host: [f'{host},"""{OLD}""",,{instant(BEGAN)}\n'] for host in sorted(self.role_of)}
        texts = {host: "".join(parts) for host, parts in rows.items()}
        for publish in self.publishes:
            for host, _, after in publish.moves if publish.sequence > 1 else ():
                texts[host] = rows[host][0] + f'{host},"""{after}""",{ROLLOUT},{instant(publish.at)}\n'
            yield publish.sequence, "host,value,rollout,since\n" + "".join(texts.values())

    def _bundles(self, role: str) -> Iterator[tuple[int, str]]:
        hosts = dict.fromkeys(self.members[role], OLD)
        for publish in self.publishes:
            moved = {host: after for host, _, after in publish.moves if host in hosts}
            if moved:
                hosts |= moved
                yield publish.sequence, bundle(role, publish.sequence, hosts)

    def _versions(self, path: str, versions: Iterator[tuple[int, str]]) -> Iterator[bytes]:
        for sequence, text in versions:
            mark = self.marks[path, sequence] = len(self.marks) + 1
            data = text.encode()
            yield b"blob\nmark :%d\ndata %d\n%s\n" % (mark, len(data), data)

    def _commit(self, publish: Publish, parts: list[bytes]) -> bytes:
        rows = (line(publish, self.role_of[host], host, before, after) for host, before, after in publish.moves)
        small = {"changes.ndjson": "".join(rows), "progress.json": f'{{"{ROLLOUT}":"{publish.sequence}/9000"}}\n'}
        for path, text in small.items():
            data = text.encode()
            parts.append(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data))
        said = f"docker: {len(publish.moves)} hosts told\n\nTsunami-Sequence: {publish.sequence}\n".encode()
        person = b"%s %d +0000" % (AUTHOR.encode(), publish.at.timestamp())
        head = b"commit refs/heads/%s\ncommitter %s\ndata %d\n%s" % (BRANCH.encode(), person, len(said), said)
        return head + b"".join(parts)


def members(count: int) -> Iterator[tuple[str, str]]:
    """Yield roles and their hosts; the r-th role has about 1/r as many as the first."""
    whole = sum(1 / rank for rank in range(1, ROLES + 1))
    sizes = [max(1, int(count / rank / whole)) for rank in range(1, ROLES + 1)]
    sizes[0] += count - sum(sizes)
    for number, size in enumerate(sizes, 1):
        for host in range(size):
            yield f"role-{number:03d}", f"{('ash1', 'lon2', 'sjc3')[host % 3]}-role-{number:03d}-{host:05d}"


def bundle(role: str, sequence: int, hosts: dict[str, str]) -> str:
    """Return a role's bundle: one host a line."""
    rows = ",\n".join(f'"{host}":{{"docker":"{value}","helios":"0.9.12"}}' for host, value in hosts.items())
    return f'{{"role":"{role}","sequence":{sequence},"hosts":{{\n{rows}}}}}\n'


def line(publish: Publish, role: str, host: str, before: str | None, after: str) -> str:
    """Return a telling as a line of changes.ndjson."""
    row = {"at": instant(publish.at), "host": host, "role": role, "variable": "docker", "from": before, "to": after}
    row |= {"rollout": ROLLOUT, "sequence": publish.sequence, "commit": "3f2c1ab" + "0" * 33, "author": AUTHOR}
    row |= {"action": "start", "reason": "orphaned docker-proxy fix"}
    return json.dumps(row, separators=(",", ":")) + "\n"


def instant(at: datetime) -> str:
    """Write an instant."""
    return at.isoformat().replace("+00:00", "Z")


def a_host_told_often(hosts: int) -> str:
    """Return a host that was told something several times."""
    return Ledger(hosts, 1).queue[0]


def make(folder: Path, hosts: int = HOSTS, publishes: int = PUBLISHES) -> float:
    """Make a repository with a small fleet on `main` and a long ledger beside it; return the seconds it took."""
    Fleet(100, 1).make(folder)
    began = time.perf_counter()
    command = ("git", "fast-import", "--quiet", "--done", "--depth=50")  # as `git gc` packs
    with subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for part in Ledger(hosts, publishes).stream():
            process.stdin.write(part)
        process.stdin.close()
    if process.returncode:
        raise RuntimeError(f"git fast-import: exit {process.returncode}")
    return time.perf_counter() - began


def packed_size(folder: Path) -> str:
    """Return what the repository takes on disk, as git says it."""
    words = ("git", "count-objects", "-vH")
    said = subprocess.run(words, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=True).stdout
    return next(row.partition(": ")[2] for row in said.splitlines() if row.startswith("size-pack"))


def audit(folder: Path, *words: str, runs: int = 21) -> Result:
    """Measure `tsunami audit` with some flags, each time as a new process."""
    command = (sys.executable, "-c", "from tsunami_cli.cli import main; main()", "audit", *words)
    return measure(command, folder, runs, lambda: None, inside=False)


def main() -> None:
    """Make a ledger and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--publishes", type=int, default=PUBLISHES)
    parser.add_argument("--hosts", type=int, default=HOSTS)
    parser.add_argument("--runs", type=int, default=21)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="the repository, made there if it is not yet")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tsunami-bench-") as name:
        folder = asked.keep or Path(name) / "fleet"
        if not folder.exists():
            print(f"made in {make(folder, asked.hosts, asked.publishes):.0f} s")
        git(folder, "rev-parse", "--verify", BRANCH)
        print(f"{asked.publishes:,} publishes of {asked.hosts:,} hosts: {packed_size(folder)}")
        host = a_host_told_often(asked.hosts)
        cases = {
            f"--host {host}": ("--host", host),
            f"--host {host} --json": ("--host", host, "--json"),
            "--role role-050 --json": ("--role", "role-050", "--json"),
            "--csv, of everybody": ("--csv",),
        }
        for what, words in cases.items():
            result = audit(folder, *words, runs=asked.runs)
            times = f"{1000 * result.seconds:6.0f} ms {result.ratio:6.1f} times bare python"
            over = f"  OVER {BUDGET}" if what.startswith("--host") and result.ratio > BUDGET else ""
            print(f"audit {what:<44} {times} {result.megabytes:5.0f} MB{over}")


if __name__ == "__main__":
    main()
