"""A fleet in a real git repository, and the command line run on it as a person would."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tsunami_cli import cli

ROOT = Path(__file__).parents[2]
NOW = "2026-11-16T09:00:00Z"
"""A Monday, ten in the morning in Stockholm."""

DOCKER = "rollouts/docker.yaml"
HELIOS = "rollouts/helios.yaml"

SIZES = {"accesspoint": 20, "db": 6, "login": 8, "metrics": 3, "proxy": 8, "search": 15}
HOSTS = sum(SIZES.values())
UNPINNED = HOSTS - SIZES["login"]
"""Of docker: login is pinned."""
HELIOS_HOSTS = SIZES["accesspoint"] + SIZES["proxy"] + SIZES["search"]

DOCKER_TEXT = r"""# yaml-language-server: $schema=../schemas/variable.schema.json
# What runs the containers. Ask #containers before you touch it.
name: docker
description: Docker Engine on every backend host   # engine, not the client
owner: containers

value: {type: string, pattern: '^\d+\.\d+\.\d+$'}
default: "1.12.1"                 # what every host has while no rollout moved it

roles: ["*"]
limits:
  accesspoint: {at_least: 1, per_hour: 4}   # connections need a while to drain
  "*": {at_least: 1}

calendar:
  timezone: Europe/Stockholm      # nobody is woken up by Docker
  days: [mon, tue, wed, thu, fri]
  hours: 09:00-17:00
pins:
  - {roles: [login], value: "1.12.1", reason: "holds sessions"}   # until they drain by themselves
slos:
  - {name: docker-running, query: docker_engine_up, objective: ">= 0.99"}
rollouts: []                      # tsunami start adds to it
"""

HELIOS_TEXT = r"""name: helios
description: Helios agent
value: {type: string, pattern: '^\d+\.\d+\.\d+$'}
default: "0.9.10"   # quoted, always
roles: [accesspoint, proxy, search]
"""

SOMAXCONN_TEXT = """name: somaxconn
value: {type: integer, minimum: 128, maximum: 65535}
default: 128
roles: [proxy, search]
spread: site
"""

SETTINGS_TEXT = """fleet: backend
inventory: inventory.csv
branch: main
publish:
  every: 5m
guard:
  prometheus: http://127.0.0.1:9
"""


def inventory_text() -> str:
    """Return the inventory: 60 hosts in six roles, alternately at two sites."""
    rows = ["host,role,site,rack"]
    for role, size in SIZES.items():
        for number in range(size):
            site = ("lon2", "sto1")[number % 2]
            rows.append(f"{site}-{role}-a{number + 1},{role},{site},{site}-r{number % 4}")
    return "\n".join(rows) + "\n"


FILES = {
    "tsunami.yaml": SETTINGS_TEXT,
    "inventory.csv": inventory_text(),
    DOCKER: DOCKER_TEXT,
    HELIOS: HELIOS_TEXT,
    "rollouts/somaxconn.yaml": SOMAXCONN_TEXT,
}


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """Its stdout as JSON."""
        return json.loads(self.out)


def git(folder: Path, *words: str) -> str:
    """Run git as a person would, and return what it prints."""
    done = subprocess.run(("git", *words), cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"git {' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout.rstrip("\n")


@dataclass(frozen=True)
class Fleet:
    """A repository with a fleet, and a prompt in it."""

    root: Path
    capture: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch

    def at(self, instant: str) -> "Fleet":
        """Turn the clock."""
        self.patch.setenv("TSUNAMI_NOW", instant)
        return self

    def run(self, *words: str) -> Said:
        """Run a command in this process, in the repository, and return all that it said."""
        self.capture.readouterr()
        code = cli.run(list(words))
        return Said(code, *self.capture.readouterr())

    def ok(self, *words: str) -> str:
        """Run a command that is to succeed and to complain of nothing; return its stdout."""
        said = self.run(*words)
        assert (said.code, said.err) == (0, ""), f"tsunami {' '.join(words)}: {said}"
        return said.out

    def json(self, *words: str) -> Any:
        """Run a command with --json that is to succeed; return what it wrote."""
        return json.loads(self.ok(*words, "--json"))

    def no(self, *words: str, code: int = 1) -> str:
        """Run a command that is to fail as every failure has to; return the one line on stderr."""
        said = self.run(*words)
        assert_refused(said, code, words)
        return said.err

    def git(self, *words: str) -> str:
        return git(self.root, *words)

    def head(self) -> str:
        return self.git("rev-parse", "main")

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write files, made if need be."""
        for path, text in files.items():
            place = self.root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text if isinstance(text, bytes) else text.encode())

    def commit(self, files: Mapping[str, str | bytes], subject: str = "by hand") -> str:
        """Write files and commit them with git, at the pretended instant."""
        self.write(files)
        self.git("add", "--all")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("GIT_COMMITTER_DATE", self.now())
            patch.setenv("GIT_AUTHOR_DATE", self.now())
            self.git("commit", "-q", "-m", subject)
        return self.head()

    def message(self, commit: str = "main") -> str:
        """Return a commit's message as git stores it."""
        return self.git("cat-file", "commit", commit).partition("\n\n")[2]

    def changed(self, since: str) -> list[str]:
        """Return the files that differ between two commits."""
        return self.git("diff", "--name-only", since, "main").split()

    def decide(self, *words: str) -> str:
        """Make a decision, and assert what every decision is: one commit on the tip that changes its own file alone.

        Return the commit's message.
        """
        before = self.head()
        self.ok(*words)
        assert self.git("rev-parse", "main^") == before, f"{words}: not one commit"
        assert self.changed(before) == [f"rollouts/{words[1]}.yaml"]
        assert self.git("status", "--porcelain") == ""
        assert self.git("log", "-1", "--format=%cI|%aI", "main").replace("+00:00", "Z") == f"{self.now()}|{self.now()}"
        return self.message()

    def now(self) -> str:
        """Return the pretended instant."""
        return os.environ["TSUNAMI_NOW"]

    def status(self, name: str = "docker", *words: str) -> Any:
        """Return what `status --json` says about one variable."""
        found = self.json("status", name, *words)["variables"]
        assert [one["name"] for one in found] == [name]
        return found[0]

    def state(self, name: str = "docker", *words: str) -> str:
        found: str = self.status(name, *words)["state"]
        return found

    def schedule(self, name: str = "docker") -> list[tuple[str, str]]:
        """Return the last rollout's waypoints as they stand in the committed file."""
        text = self.git("show", f"main:rollouts/{name}.yaml")
        last = text.rpartition("- id:")[2]
        return re.findall(r"\{at: (\S+), percent: (\S+)\}", last)

    def snapshot(self) -> tuple[str, dict[str, bytes]]:
        """Return all that a refused command must not change: every ref, HEAD, and every file of the work tree."""
        files = {}
        for place in sorted(self.root.rglob("*")):
            path = place.relative_to(self.root)
            if path.parts[0] == ".git":
                continue
            if place.is_symlink():
                files[str(path)] = str(place.readlink()).encode()
            elif place.is_file():
                files[str(path)] = place.read_bytes()
        head = (self.root / ".git/HEAD").read_text() if (self.root / ".git/HEAD").exists() else ""
        refs = self.git("for-each-ref") if head else ""
        return head + refs, files


def assert_refused(said: Said, code: int, words: object = "") -> None:
    """Every failure is one line on stderr that begins with `error:`, and nothing on stdout."""
    assert said.code == code, f"{words}: {said}"
    assert said.out == "", f"{words}: {said}"
    assert said.err.startswith("error: "), f"{words}: {said}"
    assert said.err.count("\n") == 1, f"{words}: {said}"
    assert said.err.endswith("\n"), f"{words}: {said}"
    assert "Traceback" not in said.err, f"{words}: {said}"
    assert_plain(said.err)


def assert_plain(text: str) -> None:
    """Assert that nothing in it is obeyed by a terminal: no control, format or bidirectional characters."""
    bad = re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]", text)
    assert not bad, f"{bad} in {text!r}"


def new_repository(root: Path, files: Mapping[str, str] = FILES) -> Path:
    """Make a repository with one commit on `main`."""
    root.mkdir(parents=True)
    git(root, "-c", "init.defaultBranch=main", "init", "-q")
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    git(root, "add", "--all")
    git(root, "commit", "-q", "-m", "The fleet")
    return root


def copy_of(template: Path, root: Path) -> Path:
    """Copy a repository; cheaper than making one."""
    shutil.copytree(template, root, symlinks=True)
    return root
