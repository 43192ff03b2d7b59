"""A fleet over simulated time, and what has to hold after every publish, worked out from the published files.

Of the code under test it reads with the parsers and the value types, as data; what it expects comes from the oracle
and from what hosts were seen to have.
"""

import atexit
import copy
import functools
import gc
import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from fractions import Fraction
from itertools import pairwise
from math import ceil
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import jsonschema_rs
import pytest

from tests.commands.fleet_world import ROOT, Fleet, assert_refused, copy_of, git, new_repository
from tests.core import oracle
from tsunami_cli.commands.fleet import load_inventory, load_variable
from tsunami_cli.core.inventory import Inventory
from tsunami_cli.core.model import Rollout, Variable
from tsunami_cli.core.schedule import Schedule

BEGAN = datetime(2026, 11, 16, 9, tzinfo=UTC)
"""A Monday, ten in the morning in Stockholm."""
LEDGER = "tsunami-ledger"
IGNORED = "ignore::ResourceWarning"
"""Commands that run in one process leave what they read git through to be collected."""
SIZES = {"db": 5, "edge": 12, "search": 15, "web": 40}
HOSTS = {f"{role}-{number:02}": role for role, size in SIZES.items() for number in range(size)}

AGENT = "rollouts/agent.yaml"
AGENT_TEXT = 'name: agent\nvalue: {type: string, pattern: "^[a-z0-9.]+$"}\ndefault: "1"\n'
DOCKER = "rollouts/docker.yaml"
DOCKER_TEXT = """name: docker
value: {type: string}
default: "1.12.1"
spread: rack
first: ["web-07"]
limits:
  edge: {at_least: 1, at_most: 50%, per_hour: 2}
  "*": {at_least: 1}
calendar:
  timezone: Europe/Stockholm
  days: [mon, tue, wed, thu, fri]
  hours: 09:00-17:00
"""
KERNEL = "rollouts/kernel.yaml"
KERNEL_TEXT = "name: kernel\nvalue: {type: integer}\ndefault: 4096\nroles: [edge, web]\n"
SETTINGS = "fleet: backend\ninventory: inventory.csv\nbranch: main\npublish:\n  every: {}m\n"

Values = dict[str, dict[str, str]]
"""By host and variable, the value's JSON text."""
Row = Mapping[str, Any]


def inventory_text(hosts: Mapping[str, str]) -> str:
    rows = "".join(f"{host},{role},r{int(host[-2:]) % 4}\n" for host, role in sorted(hosts.items()))
    return f"host,role,rack\n{rows}"


def rollout_text(name: str, to: str, *waypoints: tuple[float, float | str], halted: float | None = None) -> str:
    """Return a rollout as somebody writes it by hand; waypoints are hours since the beginning, and percents."""
    points = ", ".join(f"{{at: {instant(60 * hours)}, percent: {percent}}}" for hours, percent in waypoints)
    stop = f"    halted: {instant(60 * halted)}\n" if halted is not None else ""
    head = f'  - id: {name}\n    selection: 1\n    from: ["1"]\n    to: {to}\n    over: 1d\n'
    return f"{head}    schedule: [{points}]\n{stop}"


def instant(minutes: float) -> str:
    return text_of(BEGAN + timedelta(minutes=minutes))


def text_of(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@functools.cache
def _template() -> Path:
    folder = tempfile.mkdtemp(prefix="tsunami-scenarios-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    files = {AGENT: AGENT_TEXT, DOCKER: DOCKER_TEXT, KERNEL: KERNEL_TEXT}
    with pytest.MonkeyPatch.context() as patch:
        for name in ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"):
            patch.setenv(name, instant(-10_000))
        others = {"tsunami.yaml": SETTINGS.format(10), "inventory.csv": inventory_text(HOSTS), ".gitignore": "public\n"}
        return new_repository(Path(folder) / "fleet", files | others)


def new_world(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator["World"]:
    """Give a fleet that was never published; a fixture of every module. What holds at the end is asserted too."""
    root = copy_of(_template(), tmp_path / "fleet")
    monkeypatch.chdir(root)
    monkeypatch.setenv("COLUMNS", "300")
    world = World(Fleet(root, capsys, monkeypatch))
    world.at(0)
    try:
        yield world
        world.end()
    finally:
        world.close()


P = ParamSpec("P")
R = TypeVar("R")


def beginning(begin: Callable[Concatenate["World", P], R]) -> Callable[Concatenate["World", P], R]:
    """Let worlds that begin in the same way go on from a copy of the first that did: publishing takes far longer."""
    kept: dict[Hashable, tuple[R, Path, Mapping[str, Any]]] = {}

    @functools.wraps(begin)
    def begun(world: "World", /, *arguments: P.args, **options: P.kwargs) -> R:
        if not world.is_new:
            return begin(world, *arguments, **options)
        key = (arguments, tuple(sorted(options.items())))
        if key not in kept:
            kept[key] = begin(world, *arguments, **options), *world.kept()
        else:
            world.go_on_from(*kept[key][1:])
        return kept[key][0]

    return begun


@dataclass
class Memory:
    """What hosts were seen to be told of one variable."""

    known: dict[str, str] = field(default_factory=dict)
    """What every host was told last, for the life of the rollouts also where it is missing."""
    pinned: set[str] = field(default_factory=set)
    moved: dict[str, dict[str, datetime]] = field(default_factory=dict)
    """By rollout the hosts that it has moved, and when."""
    prior: dict[tuple[str, str], str] = field(default_factory=dict)
    """By rollout and host what the host had before it was moved."""
    changes: list[tuple[datetime, str, str]] = field(default_factory=list)
    """Instant, rollout and role of every change of a known host to a new value."""
    shares: dict[str, Fraction] = field(default_factory=dict)
    windows: dict[tuple[str, str], "Window"] = field(default_factory=dict)


@dataclass
class Window:
    """Of a rollout and a role: hosts moved so far, what the plan allowed so far, the least of what was left over."""

    moved: int = 0
    allowed: Fraction = Fraction(0)
    least: Fraction = Fraction(0)
    line: frozenset[str] = frozenset()


KNOWN = ("every", "values", "roles", "rows", "memory", "manifest", "objects", "last", "sound", "now")
"""What a world knows about its repository."""


@dataclass
class World:
    """A fleet, and everything that its hosts were told."""

    fleet: Fleet
    every: int = 10
    """Minutes, as in the settings."""
    values: Values = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    """As they were published last."""
    rows: list[dict[str, Any]] = field(default_factory=list)
    memory: dict[str, Memory] = field(default_factory=dict)
    manifest: dict[str, Any] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    last: datetime | None = None
    """The instant of the last ledger entry."""
    sound: bool = True
    """Whether nothing was found wrong yet."""

    def __post_init__(self) -> None:
        words = ("git", "cat-file", "--batch")
        self._git = subprocess.Popen(words, cwd=self.fleet.root, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._source = ""
        self._commits: dict[str, tuple[str, str, str, frozenset[str]]] = {}
        self.now = BEGAN

    def close(self) -> None:
        self._git.communicate()
        gc.collect()

    # Going on from a copy

    @property
    def is_new(self) -> bool:
        """Whether nothing was done here yet."""
        return not self.manifest and self.now == BEGAN and self.fleet.head() == git(_template(), "rev-parse", "main")

    def kept(self) -> tuple[Path, Mapping[str, Any]]:
        """Return a copy of the repository, and of what is known about it."""
        root = copy_of(self.fleet.root, Path(tempfile.mkdtemp(dir=_template().parent)) / "fleet")
        return root, copy.deepcopy({name: getattr(self, name) for name in KNOWN})

    def go_on_from(self, root: Path, known: Mapping[str, Any]) -> None:
        """Take another world's place. The folder stays: somebody stands in it."""
        self._git.communicate()
        for place in self.fleet.root.iterdir():
            shutil.rmtree(place) if place.is_dir() else place.unlink()
        shutil.copytree(root, self.fleet.root, symlinks=True, dirs_exist_ok=True)
        self.__post_init__()
        for name, value in copy.deepcopy(known).items():
            setattr(self, name, value)
        self.at(self.minute)

    # What somebody does

    def at(self, minutes: float) -> "World":
        """Turn the clock, in minutes since the beginning."""
        self.now = BEGAN + timedelta(minutes=minutes)
        self.fleet.at(text_of(self.now))
        return self

    @property
    def minute(self) -> float:
        return (self.now - BEGAN).total_seconds() / 60

    def set_every(self, minutes: int) -> None:
        self.every = minutes
        self.commit({"tsunami.yaml": SETTINGS.format(minutes)})

    def commit(self, files: Mapping[str, str], subject: str = "by hand") -> str:
        return self.fleet.commit(files, subject)

    def hosts(self, hosts: Mapping[str, str], subject: str = "inventory") -> str:
        """Commit another inventory."""
        return self.commit({"inventory.csv": inventory_text(hosts)}, subject)

    def edit(self, path: str, old: str, new: str, subject: str = "by hand") -> str:
        """Replace text of a file, once, and commit it."""
        text = self.fleet.git("show", f"main:{path}") + "\n"
        assert text.count(old) == 1, (old, text)
        return self.commit({path: text.replace(old, new)}, subject)

    def do(self, *words: str) -> str:
        """Make a decision; return its commit."""
        said = self.fleet.run(*words)
        assert said.code == 0, f"{words}: {said}"
        return self.fleet.head()

    def publish(self, *words: str, code: int = 0) -> Any:
        """Publish, and check everything; return its JSON."""
        said = self.fleet.run("publish", *words, "--json")
        assert said.code == code, f"{self.minute}: {said}"
        data = json.loads(said.out)
        self.check(data)
        return data

    def refused(self, *words: str, code: int = 1) -> str:
        """Publish, which is to be refused and to change nothing; return what it says."""
        before = self.fleet.git("for-each-ref"), self.lying()
        said = self.fleet.run("publish", *words, "--json")
        assert_refused(said, code, ("publish", self.minute))
        assert (self.fleet.git("for-each-ref"), self.lying()) == before
        return said.err

    def over(
        self, minutes: float, step: float | None = None, code: int = 0, then: Callable[[], object] | None = None
    ) -> None:
        """Publish again and again over a stretch of time, the end included; `then` looks at the world after each."""
        begun, step = self.minute, step or self.every
        for number in range(1, int(minutes / step) + 1):
            self.at(begun + number * step).publish(code=code)
            if then:
                then()

    # What there is to see

    def lying(self, root: Path | None = None) -> dict[str, bytes]:
        """Return all that is published, of this repository or of another, by path; not the publisher's own files."""
        folder = (root or self.fleet.root) / "public"
        return {
            str(file.relative_to(folder)): file.read_bytes()
            for file in folder.rglob("*")
            if file.is_file() and not file.name.startswith(".")
        }

    def moved(self, variable: str = "agent", role: str | None = None) -> set[str]:
        """Return the hosts of the inventory that the last rollout has moved."""
        found = self.memory[variable].moved
        hosts = found[self.variable(variable).rollouts[-1].id] if found else ()
        return {host for host in hosts if host in self.roles and role in (None, self.roles[host])}

    def counts(self, variable: str = "agent") -> dict[str, int]:
        """Count hosts by their value's JSON text."""
        return dict(Counter(values[variable] for values in self.values.values() if variable in values))

    def variable(self, name: str) -> Variable:
        found = self._variables()[name]
        assert found is not None
        return found

    def caused(self, row: Row) -> str:
        """Return the subject of the decision that a telling goes back to."""
        return self._commit(row["commit"])[2]

    # Reading git

    def blob(self, name: str) -> bytes | None:
        assert self._git.stdin
        assert self._git.stdout
        self._git.stdin.write(f"{name}\n".encode())
        self._git.stdin.flush()
        head = self._git.stdout.readline().split()
        if head[-1] == b"missing":
            return None
        data = self._git.stdout.read(int(head[2]) + 1)
        return data[:-1]

    def _read(self) -> None:
        head = self.fleet.head()
        if head == self._source:
            return
        self._source = head
        inventory, _ = load_inventory(self.blob(f"{head}:inventory.csv") or b"", "inventory.csv")
        assert inventory is not None
        self._inventory: Inventory = inventory
        tree = self.blob(f"{head}:rollouts") or b""
        self._files: dict[str, Variable | None] = {}
        for name in re.findall(rb"100644 ([a-z0-9_-]+)\.yaml\0", tree):
            file = f"rollouts/{name.decode()}.yaml"
            self._files[name.decode()] = load_variable(self.blob(f"{head}:{file}") or b"", file, ("rack",)).variable

    def _variables(self) -> dict[str, Variable | None]:
        self._read()
        return self._files

    def _commit(self, sha: str) -> tuple[str, str, str, frozenset[str]]:
        """Return author, action by the trailers, subject and changed files of a commit."""
        if sha not in self._commits:
            show = self.fleet.git("show", "--format=%an <%ae>%n%s%n%b%x01", "--name-only", "--no-renames", sha)
            text, _, files = show.partition("\x01")
            author, subject, *body = text.split("\n")
            action = next((line.partition(": ")[2] for line in body if line.startswith("Tsunami-Action: ")), "edit")
            self.fleet.git("merge-base", "--is-ancestor", sha, self._source)
            self._commits[sha] = (author, action, subject, frozenset(files.split()))
        return self._commits[sha]

    # What has to hold

    def check(self, data: Mapping[str, Any]) -> None:
        """Assert what has to hold after a publish that answered so."""
        self.sound = False
        self._read()
        lying = self.lying()
        manifest = self._check_store(lying, data)
        values, roles = self._check_bundles(lying, manifest)
        entry = self._check_entry(manifest)
        news = self._check_tellings(manifest, values, roles) if entry else []
        assert data["told"] == len(news)
        if not entry:
            assert values == self.values, "told, and not recorded"
        now = datetime.fromisoformat(manifest["rendered_at"])
        bad = {p["file"].removeprefix("rollouts/").removesuffix(".yaml") for p in data["problems"]}
        shares = {r: Fraction(s) for r, s in json.loads(self.blob(f"{LEDGER}:progress.json") or b"{}").items()}
        for name in sorted({*self._files, *self.memory}):
            variable = self._files.get(name)
            if name in bad:
                self._check_kept(name, values)
            elif variable is None:
                assert all(name not in told for told in values.values()), f"{name} is gone, and hosts are told it"
                self.memory.pop(name, None)
            else:
                Checked(self, variable, values, now, shares).check()
        self.values, self.roles, self.manifest, self.objects = values, roles, manifest, lying
        if entry:
            self.last = now
        self.sound = True

    def _check_store(self, lying: Mapping[str, bytes], data: Mapping[str, Any]) -> dict[str, Any]:
        manifest: dict[str, Any] = json.loads(lying["manifest.json"])
        found = {
            path: {"sha256": hashlib.sha256(text).hexdigest(), "size": len(text)}
            for path, text in lying.items()
            if path != "manifest.json"
        }
        assert manifest["objects"] == found
        for path, text in lying.items():
            check_schema(path.partition("/")[0].removesuffix(".json").removesuffix("s"), text)
        assert manifest["fleet"] == "backend"
        for key in ("sequence", "rendered_at", "source", "ledger"):
            assert manifest[key] == data[key], key
        assert manifest["source"] == self._source
        assert manifest["sequence"] >= self.manifest.get("sequence", 0)
        expected = text_of(self.now)
        if self.last and timedelta(0) < self.last - self.now <= timedelta(minutes=5):
            expected = text_of(self.last)
        assert manifest["rendered_at"] == expected
        return manifest

    def _check_bundles(self, lying: Mapping[str, bytes], manifest: Row) -> tuple[Values, dict[str, str]]:
        """Return what hosts have, and their roles."""
        values, roles = {}, {}
        for path, text in sorted(lying.items()):
            if not path.startswith("roles/"):
                continue
            bundle = json.loads(text)
            assert path == f"roles/{bundle['role']}.json"
            assert list(bundle["hosts"]) == sorted(bundle["hosts"])
            old = json.loads(self.objects[path]) if path in self.objects else {}
            if bundle["hosts"] == old.get("hosts"):
                assert text == self.objects[path], f"{path}: other bytes for the same values"
            else:
                assert bundle["sequence"] == manifest["sequence"] > old.get("sequence", 0)
            for host, told in bundle["hosts"].items():
                assert lying[f"hosts/{host}.json"] == _compact(told).encode() + b"\n"
                values[host] = {name: _compact(value) for name, value in told.items()}
                roles[host] = bundle["role"]
        assert roles == dict(zip(self._inventory.hosts, self._inventory.roles, strict=True))
        assert len(lying) == 1 + len(set(roles.values())) + len(roles)
        for role in set(roles.values()):
            assert self.blob(f"{LEDGER}:roles/{role}.json") == lying[f"roles/{role}.json"]
        return values, roles

    def _check_entry(self, manifest: Row) -> bool:
        """Check the newest ledger entry; say whether it is a new one."""
        commit = self.blob(LEDGER) or b""
        tip = hashlib.sha1(b"commit %d\0%s" % (len(commit), commit)).hexdigest()
        assert manifest["ledger"] == tip
        if tip == self.manifest.get("ledger"):
            assert manifest["sequence"] == self.manifest["sequence"]
            return False
        parents = re.findall(rb"^parent ([0-9a-f]{40})$", commit, re.MULTILINE)
        assert [parent.decode() for parent in parents] == ([self.manifest["ledger"]] if self.manifest else [])
        assert manifest["sequence"] == self.manifest.get("sequence", 0) + 1
        ending = (
            f"Tsunami-Source: {self._source}\nTsunami-Clock: {manifest['rendered_at']}\n"
            f"Tsunami-Sequence: {manifest['sequence']}\n"
        )
        assert commit.decode().endswith(ending)
        return True

    def _check_tellings(self, manifest: Row, values: Values, roles: Mapping[str, str]) -> list[dict[str, Any]]:
        """Check what the newest entry says it told: from what hosts had it leads to what they have."""
        news = [json.loads(line) for line in (self.blob(f"{LEDGER}:changes.ndjson") or b"").splitlines()]
        state = {(host, name): value for host, told in self.values.items() for name, value in told.items()}
        for row in news:
            assert (row["at"], row["sequence"]) == (manifest["rendered_at"], manifest["sequence"])
            key = (row["host"], row["variable"])
            before = None if row["from"] is None else _compact(row["from"])
            assert state.pop(key, None) == before, f"a gap: {row}"
            assert _compact(row["to"]) != (before or "null"), row
            if row["to"] is not None:
                state[key] = _compact(row["to"])
            assert row["role"] == roles.get(row["host"], self.roles.get(row["host"])), row
            self._check_cause(row)
        assert state == {(host, name): value for host, told in values.items() for name, value in told.items()}
        self.rows += news
        return news

    def _check_cause(self, row: Row) -> None:
        """Check that a telling names a commit of the branch that is about its variable, or about hosts."""
        author, action, _, files = self._commit(row["commit"])
        assert (row["author"], row["action"]) == (author, action), row
        assert files & {f"rollouts/{row['variable']}.yaml", "inventory.csv"}, (row, files)

    def _check_kept(self, name: str, values: Values) -> None:
        """Nobody who knows a variable that cannot be read is told anything else."""
        for host, told in values.items():
            if host in self.values:
                assert told.get(name) == self.values[host].get(name), (name, host)

    def end(self) -> None:
        """Assert that the audit says what was seen in the ledger, publish by publish."""
        if self.manifest and self.sound:
            said = self.fleet.json("audit")
            commits = self.fleet.git("log", "--first-parent", "--reverse", "--format=%H", LEDGER).split()
            assert [row.pop("publish") for row in said] == [commits[row["sequence"] - 1] for row in said]
            assert said == self.rows


class Checked:
    """One variable after a publish, against what its file allows."""

    def __init__(
        self, world: World, variable: Variable, values: Values, now: datetime, shares: Mapping[str, Fraction]
    ) -> None:
        self.world, self.variable, self.now, self.shares = world, variable, now, shares
        self.told = {host: told[variable.name] for host, told in values.items() if variable.name in told}
        self.inventory = world._inventory
        self.moment = oracle.seconds(now)
        self.memory = world.memory.setdefault(variable.name, Memory())

    def check(self) -> None:
        variable, memory = self.variable, self.memory
        roles = oracle.roles(variable, self.inventory)
        homes = dict(zip(self.inventory.hosts, self.inventory.roles, strict=True))
        assert set(self.told) == {host for host, role in homes.items() if role in roles}
        pins = {host: pin for host in self.told if (pin := oracle.pin_of(variable, host, homes[host]))}
        for host, pin in pins.items():
            assert self.told[host] == pin, f"{host} is pinned"
        if self.world.last is None:
            assert self.told == oracle.plan(variable, self.inventory, self.moment)
            for rollout in variable.rollouts:
                assert self.shares[rollout.id] == oracle.planned(rollout, self.moment)
        if not variable.rollouts:
            for host, value in self.told.items():
                assert host in pins or value == variable.default, host
            self.world.memory[variable.name] = Memory(known=dict(self.told), pinned=set(pins))
            return
        memory.moved = {r.id: memory.moved.get(r.id, {}) for r in variable.rollouts}
        if self.world.last is None:
            self._begin(roles)
        else:
            allowed = self._check_progress(variable.rollouts[-1])
            for role in roles:
                self._check_role(variable.rollouts[-1], role, pins, allowed)
        memory.known.update(self.told)
        memory.pinned = set(pins)
        memory.shares = {r.id: self.shares[r.id] for r in variable.rollouts if r.id in self.shares}

    def _begin(self, roles: list[str]) -> None:
        """Nothing was published before: the plan is told, and counts as moved."""
        for rollout in self.variable.rollouts:
            for role in roles:
                line = oracle.order(self.variable, rollout.id, self.inventory, role)
                quota = oracle.quota_of(self.variable, rollout, role, len(line), oracle.planned(rollout, self.moment))
                for host in line[:quota]:
                    self.memory.moved[rollout.id][host] = self.now
                    self.memory.prior[rollout.id, host] = self.variable.default

    def _check_progress(self, rollout: Rollout) -> Fraction:
        """Check told progress; return how far it might have gone up in this publish."""
        assert self.world.last is not None
        every = 60 * self.world.every
        last, told = oracle.seconds(self.world.last), self.memory.shares.get(rollout.id)
        since = max(last, self.moment - 2 * every)
        if told is None:
            told = Fraction(0)
            starts = oracle.seconds(rollout.schedule.waypoints[0].at)
            last = max(min(starts, self.moment), self.moment - 2 * every)
            since = last - 1
        calendar, planned = self.variable.calendar, oracle.planned(rollout, self.moment)
        opened = min(oracle.open_seconds(calendar, last, self.moment), 2 * every)
        steps = sum((height for at, height in oracle.planned_steps(rollout.schedule) if since < at <= self.moment), 0)
        allowed = allowance(rollout.schedule, 2 * opened) + steps
        if rollout.halted is not None:
            expected = told
        elif oracle.is_falling(rollout, self.moment):
            expected = min(told, planned)
        elif not oracle.is_open(calendar, self.moment):
            expected = told
        else:
            expected = min(planned, told + allowed)
        # A publish that tells nothing and is nowhere yet makes no entry, which would have it.
        assert self.shares.get(rollout.id, 0) == expected, f"told progress of {rollout.id}"
        for other, share in self.memory.shares.items():
            if other != rollout.id and other in self.shares:
                assert self.shares[other] == share, f"{other} is not the active one"
        return Fraction(allowed)

    def _check_role(self, rollout: Rollout, role: str, pins: Mapping[str, str], allowed: Fraction) -> None:
        memory, known = self.memory, self.memory.known
        line = oracle.order(self.variable, rollout.id, self.inventory, role)
        place = {host: i for i, host in enumerate(line)}
        ours = memory.moved[rollout.id]
        for host, pin in pins.items():
            if pin != rollout.to:
                ours.pop(host, None)
        lost = [host for host in line if host in ours and self.told[host] != rollout.to]
        came = [host for host in line if host not in ours and self.told[host] == rollout.to]
        changed = [host for host in came if host in known and known[host] != rollout.to]
        share = self.shares.get(rollout.id, Fraction(0))
        quota = oracle.quota_of(self.variable, rollout, role, len(line), share)
        falling, halted = oracle.is_falling(rollout, self.moment), rollout.halted is not None
        had = sum(host in ours for host in line) + sum(known.get(host) == rollout.to for host in came)
        keys = {host: (ours[host], place[host]) for host in line if host in ours}
        if lost:
            assert falling, f"{lost} went back"
            assert not halted, f"{lost} went back, halted"
            staying = [keys[host] for host in keys if host not in lost]
            assert not staying or max(staying) < min(keys[host] for host in lost), "told last, returned first"
        for host in lost:
            del ours[host]
        for host in came:
            ours[host] = self.now
            pinned = host in memory.pinned
            memory.prior[rollout.id, host] = self.variable.default if pinned else known.get(host, self.variable.default)
        self._check_others(rollout, line, lost)
        moved = sum(host in ours for host in line)
        if [host for host in came if known.get(host) != rollout.to]:
            assert not falling, f"{came} moved, falling"
            assert not halted, f"{came} moved, halted"
            assert moved <= quota, f"{role}: {moved} of {quota} moved"
        if changed:
            assert oracle.is_open(self.variable.calendar, self.moment), f"{changed} moved in closed time"
            waiting = [place[host] for host in line if host not in ours and host in known]
            assert max(place[host] for host in changed) < min(waiting, default=len(line)), "out of order"
        if falling and not halted:
            assert moved == min(had, quota), f"{role}: {moved} of {quota} are left"
        self._check_pace(rollout, role, len(line), len(changed), moved, quota)
        self._check_window(rollout, role, line, len(changed), moved, quota, allowed)

    def _check_others(self, rollout: Rollout, line: list[str], lost: list[str]) -> None:
        """Who is not moved keeps what they had: what older rollouts moved them to, or what they were told before."""
        memory = self.memory
        for host in line:
            if host in memory.moved[rollout.id]:
                continue
            older = next((r.to for r in reversed(self.variable.rollouts[:-1]) if host in memory.moved[r.id]), None)
            expected: str
            if older is not None:
                expected = older
            elif host in lost:
                expected = memory.prior[rollout.id, host]
            elif host in memory.pinned or host not in memory.known:
                expected = self.variable.default
            else:
                expected = memory.known[host]
            assert self.told[host] == expected, f"{host} was not moved, had {memory.known.get(host)}, {rollout.id}"

    def _check_pace(self, rollout: Rollout, role: str, n: int, changed: int, moved: int, quota: int) -> None:
        """No more within an hour than the limit; and no fewer than that, where the plan is ahead."""
        changes = self.memory.changes
        changes += [(self.now, rollout.id, role)] * changed
        since = self.now - timedelta(hours=1)
        hour = sum(since < at <= self.now and (i, r) == (rollout.id, role) for at, i, r in changes)
        most = per_hour(self.variable, rollout, role, n)
        if changed:
            assert hour <= most, f"{role}: {hour} changed within the hour, {most} may"
        going = rollout.halted is None and not oracle.is_falling(rollout, self.moment)
        if going and oracle.is_open(self.variable.calendar, self.moment) and moved < quota:
            of_all = sum(since < at <= self.now and r == role for at, _, r in changes)
            assert of_all >= most, f"{role}: {moved} of {quota} moved, and only {of_all} of {most} within the hour"

    def _check_window(
        self, rollout: Rollout, role: str, line: list[str], changed: int, moved: int, quota: int, allowed: Fraction
    ) -> None:
        """In any stretch of publishes no more than twice the plan, one host, and what was waiting at its beginning.

        Who joins or leaves, the pinned included, makes room for one; where bounds change, those are waiting whom this
        brings to the quota.
        """
        low, _ = oracle.bounds(self.variable, role, len(line))
        window = self.memory.windows.setdefault((rollout.id, role), Window())
        before = self.memory.shares.get(rollout.id, Fraction(0))
        waiting = oracle.quota_of(self.variable, rollout, role, len(line), before) - (moved - changed)
        window.moved += changed
        window.least = min(window.least, window.moved - changed + max(0, waiting) - window.allowed)
        if waiting > 0:
            window.least = max(window.least, window.moved - changed + waiting - window.allowed)
        window.allowed += max(len(line), 20 * low) * allowed + len(window.line ^ set(line))
        window.line = frozenset(line)
        assert window.moved - window.allowed <= window.least + 1, f"{role}: faster than twice the plan"


@functools.cache
def _chain(schedule: Schedule, steps: bool) -> tuple[tuple[int, Fraction], ...]:
    """Return progress over open seconds at both ends of every stretch; steps are taken out unless asked for."""
    begun = oracle.seconds(schedule.waypoints[0].at)
    points = [(begun, Fraction(0)), *((oracle.seconds(w.at), w.share) for w in schedule.waypoints)]
    chain, out, opened = [], Fraction(0), 0
    for (start, low), (end, high) in pairwise(points):
        if start == end and not steps:
            out += high - low
            continue
        chain.append((opened, low - out))
        opened += oracle.open_seconds(schedule.calendar, start, end)
        chain.append((opened, high - out))
    return tuple(chain)


@functools.cache
def steepest(schedule: Schedule, seconds: int, steps: bool = False) -> Fraction:
    """Return the steepest planned rise within any stretch of so much open time: it begins or ends at a corner."""
    chain = _chain(schedule, steps)
    best = Fraction(0)
    for i, (x, low) in enumerate(chain):
        best = max([best, *(high - low for y, high in chain[i:] if y - x <= seconds)])
        for (left, a), (right, b) in pairwise(chain):
            for y in (x - seconds, x + seconds):
                if left < y < right:
                    between = a + (b - a) * Fraction(y - left, right - left)
                    best = max(best, low - between if y < x else between - low)
    return min(best, Fraction(1))


def allowance(schedule: Schedule, seconds: int) -> Fraction:
    """Return how far told progress may go up in so much open time, steps aside."""
    points = [oracle.seconds(w.at) for w in schedule.waypoints]
    whole = oracle.open_seconds(schedule.calendar, points[0], points[-1])
    return max(steepest(schedule, seconds), min(Fraction(1), Fraction(seconds, whole)) if whole else Fraction(1))


def per_hour(variable: Variable, rollout: Rollout, role: str, n: int) -> int:
    """Return how many hosts of a role may be changed within an hour."""
    limit = next((limit for limit in variable.limits if fnmatchcase(role, limit.roles)), None)
    if limit and limit.per_hour is not None:
        return limit.per_hour
    low, _ = oracle.bounds(variable, role, n)
    return max(1, ceil(2 * steepest(rollout.schedule, 3600, steps=True) * max(n, 20 * low)))


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


@functools.cache
def _validator(kind: str) -> Any:
    return jsonschema_rs.validator_for(json.loads((ROOT / f"schemas/{kind}.schema.json").read_text()))


@functools.lru_cache(maxsize=4096)
def check_schema(kind: str, text: bytes) -> None:
    """Assert that an object is as its schema says."""
    name = {"role": "bundle", "host": "host", "manifest": "manifest"}[kind]
    _validator(name).validate(json.loads(text))
