"""`tsunami run`: the unattended loop goes through faults that come and go, and ends when it is told to."""

import json
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.faults.test_remote_down import silent_server
from tests.faults.world import World, assert_one_line, live, shared
from tests.servers import Place, s3  # noqa: F401

TICK = 10.0
"""Seconds within which a line is there, whatever the machine is busy with."""


class Loop:
    """A loop that runs, and its lines as they come."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._lines: queue.Queue[str] = queue.Queue()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def next(self) -> Any:
        """Return the next tick's line."""
        return json.loads(self._lines.get(timeout=TICK))

    def until(self, key: str) -> Any:
        """Return the next line that has something to say of this kind: `error`, or `sequence`."""
        for _ in range(20):
            line = self.next()
            if key in line:
                return line
        raise AssertionError(f"no line with {key}")

    def end(self, number: int = signal.SIGTERM) -> tuple[int, float, str]:
        """Send a signal; return the exit code, the seconds that it took, and what is on stderr."""
        begun = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(timeout=30)
        took = time.monotonic() - begun
        self._thread.join()
        assert self.process.stderr is not None
        return code, took, self.process.stderr.read()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._thread.join()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


@contextmanager
def looping(world: World, *words: str, minute: float | None = 60, **env: str) -> Iterator[Loop]:
    loop = Loop(world.begin("run", "--every", "1s", "--json", *words, minute=minute, **env))
    try:
        yield loop
    finally:
        loop.close()


def test_it_goes_through_faults_of_remote_and_store_and_ends_when_told(tmp_path: Path) -> None:
    world = shared(tmp_path / "world", published=2)
    store, aside = Path(world.to.removeprefix("file:")), tmp_path / "aside"
    with looping(world) as loop:
        assert loop.next()["sequence"] == 3
        world.counts.rename(aside)
        assert "origin" in loop.until("error")["error"]
        aside.rename(world.counts)
        assert loop.until("sequence")["sequence"] == 3
        store.rename(aside)
        store.write_text("a file")
        assert str(store) in loop.until("error")["error"]
        store.unlink()
        aside.rename(store)
        assert loop.until("sequence")["sequence"] == 3
        code, took, err = loop.end()
    assert (code, err) == (0, "")
    assert took < 2
    world.check_mended()
    assert len(world.entries()) == 3


def test_it_has_one_line_for_each_tick_and_keeps_to_them(tmp_path: Path) -> None:
    world = shared(tmp_path / "world", published=1)
    with looping(world) as loop:
        loop.next()
        begun = time.monotonic()
        for _ in range(2):
            line = loop.next()
            assert line["sequence"] == 2
            assert not line["recorded"], "its clock stands still"
        assert 1 < time.monotonic() - begun < 4
        code, took, _ = loop.end(signal.SIGINT)
    assert code == 130
    assert took < 2


def test_it_takes_up_decisions_of_others(tmp_path: Path) -> None:
    world = shared(tmp_path / "world", published=1)
    with looping(world) as loop:
        loop.next()
        other = world.clone("second")
        other.ok("pin", "agent", "--to", "3", "--role", "db", "--reason", "r", minute=60)
        while not (line := loop.next())["recorded"]:
            pass
        assert line["told"] >= 8
        loop.end()
    world.check_mended()
    assert {value for host, value in world.values().items() if host.startswith("db-")} == {"3"}


def test_refusals_do_not_end_it_either(tmp_path: Path) -> None:
    world = shared(tmp_path / "world", published=1)
    manifest = Path(world.to.removeprefix("file:")) / "manifest.json"
    sound = manifest.read_bytes()
    manifest.write_bytes(b"{}")
    with looping(world) as loop:
        assert "manifest.json" in loop.next()["error"]
        manifest.write_bytes(sound)
        assert loop.until("sequence")["recorded"]
        assert loop.end()[0] == 0


def test_a_line_for_people_is_one_line_too(tmp_path: Path) -> None:
    world = shared(tmp_path / "world", published=1)
    process = world.begin("run", "--every", "1s", minute=60)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(2)]
    process.terminate()
    rest, err = process.communicate(timeout=TICK)
    assert (process.returncode, err) == (0, "")
    assert lines[0].startswith("2026-11-16T10:00:00Z  #2 recorded")
    assert all(line.startswith("2026-11-16T10:00:00Z  ") for line in (lines[1], *rest.splitlines()))


def test_two_loops_side_by_side(tmp_path: Path) -> None:
    """One is on real time's side, the other elsewhere: both go on, and nothing is told twice."""
    world = shared(tmp_path / "world", published=1)
    with looping(world) as one, looping(world.clone("second")) as two:
        for _ in range(2):
            for loop in (one, two):
                assert "error" not in loop.next()
        assert [loop.end()[0] for loop in (one, two)] == [0, 0]
    world.check_mended()
    assert len(world.entries()) == 2


@pytest.mark.server
@pytest.mark.slow
def test_two_loops_and_a_bucket_that_hangs_for_a_while(tmp_path: Path, s3: Place) -> None:  # noqa: F811
    world = live(tmp_path / "world", s3.url, "20s")
    limit = {"TSUNAMI_STORE_TIMEOUT": "2"}
    with looping(world, minute=None, **limit) as one, looping(world.clone("second"), minute=None, **limit) as two:
        for loop in (one, two):
            loop.until("sequence")
        s3.pause()
        for loop in (one, two):
            assert "TSUNAMI_STORE_TIMEOUT" in loop.until("error")["error"]
        s3.resume()
        for loop in (one, two):
            loop.until("sequence")
            assert loop.end()[0] == 0
    world.check()
    world.ok("publish", minute=None)
    world.check_mended()


def test_told_to_end_in_the_middle_it_finishes_first(tmp_path: Path) -> None:
    world = shared(tmp_path / "world", published=1)
    hook = world.counts / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/pushing\nsleep 0.7\n")
    hook.chmod(0o755)
    with looping(world) as loop:
        deadline = time.monotonic() + TICK
        while not (tmp_path / "pushing").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        code, took, _ = loop.end()
        assert loop.next()["sequence"] == 2
    assert code == 0
    assert took < 3
    world.check_mended()


@pytest.mark.slow
def test_told_to_end_while_the_remote_hangs(tmp_path: Path) -> None:
    world = shared(tmp_path / "world", published=1)
    with silent_server() as port:
        world.git("remote", "set-url", "origin", f"git://127.0.0.1:{port}/remote.git")
        with looping(world, TSUNAMI_GIT_TIMEOUT="1") as loop:
            assert "TSUNAMI_GIT_TIMEOUT" in loop.next()["error"]
            code, took, err = loop.end()
    assert (code, err) == (0, "")
    assert took < 2


def test_once_is_one_publish_and_its_exit_code(tmp_path: Path) -> None:
    world = shared(tmp_path / "world", published=1)
    said = world.run("run", "--once", "--json", minute=60)
    assert (said.code, said.data["sequence"]) == (0, 2)
    with (world.root / "rollouts/agent.yaml").open("a") as file:
        file.write("owner: [\n")
    world.git("commit", "-qam", "A slip")
    world.git("push", "-q")
    assert world.run("run", "--once", minute=60).code == 1
    world.counts.rename(tmp_path / "gone")
    assert_one_line(world.run("run", "--once", minute=60), 4)
    assert_one_line(world.run("run", "--once", "--every", "nonsense", minute=60), 2)
