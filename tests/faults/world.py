"""A small fleet with its clones, its remote and its store, and the command line run on it."""

import atexit
import contextlib
import functools
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.commands.fleet_world import ROOT, Said, git, new_repository
from tests.faults.looking import LEDGER, Entry, bundles, check_chain, entries, objects
from tsunami_cli import cli

BEGAN = datetime(2026, 11, 16, 9, tzinfo=UTC)
ROLES = {"api": 8, "db": 8, "web": 8}
HOSTS = tuple(f"{role}-{number}" for role, size in ROLES.items() for number in range(size))
AGENT = "rollouts/agent.yaml"
FILES = {
    "tsunami.yaml": "fleet: backend\ninventory: inventory.csv\nbranch: main\npublish:\n  every: 10m\n",
    "inventory.csv": "host,role\n" + "".join(f"{host},{host.partition('-')[0]}\n" for host in HOSTS),
    AGENT: 'name: agent\nvalue: {type: string}\ndefault: "1"\n',
}


def at(minute: float) -> str:
    """Return an instant, in minutes since the rollout began."""
    return (BEGAN + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class World:
    """A clone, and where it publishes to."""

    root: Path
    to: str
    remote: Path | None = None

    # Running

    def _env(self, minute: float | None, env: dict[str, str]) -> dict[str, str]:
        clock = {} if minute is None else {"TSUNAMI_NOW": at(minute)}
        return {"TSUNAMI_PUBLISH_TO": self.to} | clock | env

    def begin(self, *words: str, minute: float | None = 0, **env: str) -> subprocess.Popen[str]:
        """Start a command in a process of its own, at a pretended minute or, with None, at the real instant."""
        kept = {name: value for name, value in os.environ.items() if name != "TSUNAMI_NOW"}
        # Only what nothing runs in this process; measuring a short command costs as much as running it.
        measured = {} if words[0] == "run" else {"COVERAGE_PROCESS_CONFIG": ""}
        return subprocess.Popen(
            (sys.executable, "-m", "tsunami_cli", *words),
            cwd=self.root,
            env=kept | {"PYTHONPATH": str(ROOT)} | measured | self._env(minute, env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, minute: float | None = 0, **env: str) -> Said:
        """Run a command in this process, which costs a quarter of what one of its own does."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            patch.chdir(self.root)
            patch.delenv("TSUNAMI_NOW", raising=False)
            for name, value in self._env(minute, env).items():
                patch.setenv(name, value)
            code = cli.run(list(words))
        return Said(code, out.getvalue(), err.getvalue())

    def apart(self, *words: str, minute: float | None = 0, **env: str) -> Said:
        """Run a command in a process of its own, which may die of it."""
        return ended(self.begin(*words, minute=minute, **env))

    def publish(self, minute: float | None, *words: str, **env: str) -> Said:
        return self.run("publish", *words, minute=minute, **env)

    def ok(self, *words: str, minute: float | None = 0, **env: str) -> str:
        """Run a command that is to succeed; return its stdout."""
        said = self.run(*words, minute=minute, **env)
        assert said.code == 0, f"tsunami {' '.join(words)}: {said}"
        return said.out

    def no(self, code: int, minute: float | None, *words: str, **env: str) -> str:
        """Publish, which is to fail in one line; return that."""
        said = self.publish(minute, *words, **env)
        assert_one_line(said, code)
        return said.err

    # Looking

    def git(self, *words: str) -> str:
        return git(self.root, *words)

    @property
    def counts(self) -> Path:
        """The repository whose ledger counts."""
        return self.remote or self.root

    @property
    def tip(self) -> str | None:
        return git(self.counts, "for-each-ref", "--format=%(objectname)", f"refs/heads/{LEDGER}") or None

    def clone(self, name: str) -> "World":
        """Return a fresh clone of the remote, a colleague's or CI's."""
        git(self.root.parent, "clone", "-q", str(self.remote), name)
        return replace(self, root=self.root.parent / name)

    def entries(self) -> list[Entry]:
        """Return the ledger that counts, oldest first."""
        return entries(self.counts) if self.tip else []

    def bundles(self, commit: str) -> dict[str, bytes]:
        """Return what an entry says is published, by path: every role's bundle and every host's object."""
        return bundles(self.counts, commit)

    def objects(self) -> dict[str, bytes]:
        """Return what lies in the store, by path."""
        return objects(self.to)

    def values(self) -> dict[str, str]:
        """Return which agent every host finds in the store."""
        found = {path: data for path, data in self.objects().items() if path.startswith("hosts/")}
        return {path[6:-5]: json.loads(data)["agent"] for path, data in found.items()}

    # What has to hold

    def check(self) -> None:
        """Whatever happened: a sound ledger, and a store in which every host finds what the ledger says."""
        found, objects = self.entries(), self.objects()
        check_chain(found)
        git(self.counts, "fsck", "--strict", "--no-dangling", "--no-progress")
        manifest = json.loads(objects.pop("manifest.json")) if "manifest.json" in objects else None
        tip = self.bundles(found[-1].commit) if found else {}
        listed: dict[str, str] = {}
        if manifest:
            sequences = {entry.commit: entry.sequence for entry in found}
            assert sequences.get(manifest["ledger"]) == manifest["sequence"], "the manifest names an entry"
            assert found[-1].sequence - manifest["sequence"] <= 1, "the ledger is one entry ahead at most"
            listed = {path: one["sha256"] for path, one in manifest["objects"].items()}
        for path in objects.keys() | listed.keys():
            data = objects.get(path)
            as_listed = data is not None and hashlib.sha256(data).hexdigest() == listed.get(path)
            assert as_listed or data == tip.get(path), f"{path} is neither as the manifest nor as the ledger says"

    def check_mended(self) -> None:
        """After a publish that succeeded: the store is what the ledger's tip says, to the byte."""
        self.check()
        objects, tip = self.objects(), self.tip
        assert tip is not None
        manifest = json.loads(objects.pop("manifest.json"))
        assert manifest["ledger"] == tip
        assert objects == self.bundles(tip)
        found = {path: (hashlib.sha256(data).hexdigest(), len(data)) for path, data in objects.items()}
        assert {path: (one["sha256"], one["size"]) for path, one in manifest["objects"].items()} == found
        told = {(row["host"], row["variable"]): row["to"] for entry in self.entries() for row in entry.tellings}
        values = {path[6:-5]: json.loads(data) for path, data in objects.items() if path.startswith("hosts/")}
        assert values, "there is an object for every host"
        for host, pairs in values.items():
            assert pairs == {name: told[one, name] for one, name in told if one == host and told[one, name] is not None}


def ended(process: subprocess.Popen[str], limit: float = 60) -> Said:
    """Wait for a process, and return all that it said."""
    out, err = process.communicate(timeout=limit)
    return Said(process.returncode, out, err)


def assert_one_line(said: Said, code: int) -> None:
    assert said.code == code, said
    assert said.out == "", said
    lines = [line for line in said.err.splitlines() if not line.startswith("warning: ")]
    assert len(lines) == 1, said
    assert lines[0].startswith("error: "), said


# Worlds, copied from templates because making one takes seconds


@functools.cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="tsunami-faults-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@functools.cache
def _template(remote: bool, published: int) -> Path:
    """Make a folder with `fleet`, `remote.git` where there is one, and `store`: a rollout over 4 h, and publishes."""
    place = _folder() / f"{remote}-{published}"
    if published:
        _copied(place, remote=remote, published=published - 1).ok("publish", minute=20 * (published - 1))
        return place
    with pytest.MonkeyPatch.context() as patch:
        for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"):
            patch.setenv(name, at(-600))
        new_repository(place / "fleet", FILES)
    world = World(place / "fleet", f"file:{place}/store")
    if remote:
        git(place, "clone", "-q", "--bare", "fleet", "remote.git")
        world.git("remote", "add", "origin", "../remote.git")
        world.git("fetch", "-q")
        world.git("branch", "-q", "-u", "origin/main", "main")
    world.ok("start", "agent", "--to", "2", "--over", "4h")
    return place


def _copied(place: Path, *, remote: bool, published: int) -> World:
    shutil.copytree(_template(remote, published), place, symlinks=True, dirs_exist_ok=True)
    return World(place / "fleet", f"file:{place}/store", place / "remote.git" if remote else None)


def alone(place: Path, published: int = 0) -> World:
    """Return a world without a remote."""
    return _copied(place, remote=False, published=published)


def shared(place: Path, published: int = 0) -> World:
    """Return a world with a bare remote."""
    return _copied(place, remote=True, published=published)


def live(place: Path, to: str, over: str = "2m") -> World:
    """Return a world with a remote and a rollout that begins now: a bucket knows no pretended clock."""
    world = replace(shared(place), to=to)
    for repository in (world.root, world.counts):
        git(repository, "update-ref", "refs/heads/main", "main~1")
    world.git("reset", "-q", "--hard")
    world.git("fetch", "-q")
    world.ok("start", "agent", "--to", "2", "--over", over, minute=None)
    return world
