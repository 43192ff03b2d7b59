"""A host's file: whole or not at all, one writer at a time, and a command without a shell."""

import contextlib
import errno
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tsunami_cli.adapters.host_file import LONGEST, HostFile, run
from tsunami_cli.errors import Refused


@pytest.fixture
def file(tmp_path: Path) -> HostFile:
    (tmp_path / "host").mkdir()
    return HostFile(tmp_path / "host" / "values.json")


def names(file: HostFile) -> list[str]:
    return sorted(found.name for found in file.file.parent.iterdir())


def test_a_new_file_is_there_for_all_to_read(file: HostFile) -> None:
    before = os.umask(0o077)
    try:
        file.write(b"{}\n")
    finally:
        os.umask(before)
    assert file.content() == b"{}\n"
    assert stat.S_IMODE(file.file.stat().st_mode) == 0o644
    assert names(file) == ["values.json"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
def test_the_mode_of_a_file_stays(file: HostFile, mode: int) -> None:
    file.file.write_bytes(b"old")
    file.file.chmod(mode)
    file.write(b"new")
    assert stat.S_IMODE(file.file.stat().st_mode) == mode
    assert file.file.read_bytes() == b"new"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_the_owner_of_a_file_stays(file: HostFile) -> None:
    file.file.write_bytes(b"old")
    file.file.chmod(0o640)
    os.chown(file.file, 1234, 2345)
    file.write(b"new")
    found = file.file.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (1234, 2345, 0o640)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_an_owner_that_cannot_stay_is_refused(file: HostFile, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write(b"old")
    os.chown(file.file, 1234, 2345)
    monkeypatch.setattr(os, "fchown", fails(errno.EPERM))
    with pytest.raises(Refused, match="cannot be written: Operation not permitted"):
        file.write(b"new")
    assert file.file.read_bytes() == b"old"
    assert names(file) == ["values.json"]


def fails(number: int) -> object:
    def fail(*words: object, **more: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("step", ["fsync", "fchmod"])
def test_a_disk_that_fails_leaves_the_file_as_it_was(
    file: HostFile, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write(b"old")
    monkeypatch.setattr(os, step, fails(errno.ENOSPC))
    with pytest.raises(Refused, match=r"values\.json: cannot be written: No space left on device"):
        file.write(b"new")
    monkeypatch.undo()
    assert file.content() == b"old"
    assert names(file) == ["values.json"]


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Mount a disk of 64 KiB there; skip where this process may not."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_full(file: HostFile) -> None:
    with small_disk(file.file.parent):
        file.write(b"old")
        with pytest.raises(Refused, match="No space left on device"):
            file.write(b"x" * 200_000)
        assert file.content() == b"old"
        assert names(file) == ["values.json"]


def test_a_file_larger_than_this_process_may_write(tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys; from pathlib import Path; from tsunami_cli.adapters.host_file import HostFile\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); file = HostFile(Path(sys.argv[1])); file.write(b'old')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); file.write(b'x' * 5000)"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    words = [sys.executable, "-c", code, str(tmp_path / "values.json")]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert "Refused" in done.stderr
    assert "cannot be written: File too large" in done.stderr
    assert [found.name for found in tmp_path.iterdir()] == ["values.json"]
    assert (tmp_path / "values.json").read_bytes() == b"old"


def test_a_folder_that_cannot_be_written(file: HostFile) -> None:
    file.write(b"old")
    says = "cannot be written: Permission denied"
    file.file.parent.chmod(0o555)
    if os.access(file.file.parent, os.W_OK):
        # Root may write to any folder, but not where something else stands in the way.
        file.file.with_name(".values.json.new").mkdir()
        says = "cannot be written"
    try:
        with pytest.raises(Refused, match=says):
            file.write(b"new")
    finally:
        file.file.parent.chmod(0o755)
    assert file.content() == b"old"


def test_what_is_no_file(file: HostFile) -> None:
    os.mkfifo(file.file)
    with pytest.raises(Refused, match="is no file"):
        file.content()
    file.file.unlink()
    file.file.mkdir()
    with pytest.raises(Refused, match="cannot be read: Is a directory"):
        file.content()
    file.file.rmdir()
    file.file.symlink_to("elsewhere")
    with pytest.raises(Refused, match="is a symbolic link: name the file that it leads to"):
        file.content()


def test_nothing_is_written_through_a_link_that_lies_in_wait(file: HostFile) -> None:
    victim = file.file.parent / "victim"
    victim.write_text("precious")
    file.file.with_name(".values.json.new").symlink_to(victim)
    file.write(b"new")
    assert victim.read_text() == "precious"
    assert not file.file.is_symlink()


def test_a_lock_that_is_a_link_is_refused(file: HostFile) -> None:
    victim = file.file.parent / "victim"
    file.file.with_name(".values.json.lock").symlink_to(victim)
    with pytest.raises(Refused, match="cannot be written"), file.locked():
        pass
    assert not victim.exists()


def test_what_is_remembered_is_read_only_if_it_can_be_it(file: HostFile) -> None:
    assert file.remembered() is None
    file.remember(b"known")
    assert file.remembered() == b"known"
    file.state.unlink()
    file.state.symlink_to("/etc/passwd")
    assert file.remembered() is None
    file.remember(b"known")
    assert file.remembered() == b"known"
    assert Path("/etc/passwd").read_bytes() != b"known"


def test_no_more_is_read_than_anybody_would_write(file: HostFile) -> None:
    with file.file.open("wb") as out:
        out.truncate(LONGEST * 4)
    assert len(file.content() or b"") == LONGEST + 1


def test_one_at_a_time(file: HostFile) -> None:
    with file.locked() as first, file.locked() as second:
        assert first
        assert not second
    with file.locked() as third:
        assert third


def _hold(path: Path, held: "multiprocessing.synchronize.Event") -> None:
    with HostFile(path).locked() as mine:
        assert mine
        held.set()
        time.sleep(60)


def test_a_lock_dies_with_its_process(file: HostFile) -> None:
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    process = context.Process(target=_hold, args=(file.file, held))
    process.start()
    assert held.wait(20)
    with file.locked() as mine:
        assert not mine
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join(20)
    with file.locked() as mine:
        assert mine


def test_a_daemon_that_a_command_starts_does_not_keep_the_lock(file: HostFile) -> None:
    ran = file.file.parent / "ran"
    with file.locked():
        assert run(["sh", "-c", f"setsid sleep 60 >/dev/null 2>&1 & echo $! >{ran}"], file.file, 20) is None
    try:
        with file.locked() as mine:
            assert mine
    finally:
        os.kill(int(ran.read_text()), signal.SIGKILL)


def test_readers_see_one_content_or_the_other(file: HostFile) -> None:
    contents = (b"a" * 50_000, b"b" * 70_000)
    file.write(contents[0])
    stop, odd = threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            found = file.file.read_bytes()
            if found not in contents:
                odd.append(len(found))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(100):
        file.write(contents[number % 2])
    stop.set()
    reader.join()
    assert not odd


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["true"], None),
        (["false"], "failed with exit code 1"),
        (["sh", "-c", "exit 75"], "failed with exit code 75"),
        (["sh", "-c", "kill -TERM $$"], "was ended by signal 15"),
        (["/nowhere/at-all"], "cannot be started: No such file or directory"),
        (["/"], "cannot be started: Permission denied"),
        (["sleep", "60"], "took longer than 0.2 s and was ended"),
    ],
)
def test_commands_and_how_they_end(file: HostFile, words: list[str], says: str | None) -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert run(words, file.file, 0.2 if words[0] == "sleep" else 20) == says
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_a_command_gets(file: HostFile, capfd: pytest.CaptureFixture[str]) -> None:
    code = (
        "import os, sys\n"
        "print(os.environ['TSUNAMI_FILE'], repr(sys.stdin.read()), sys.argv[1:], os.getpgrp() == os.getpid())"
    )
    assert run([sys.executable, "-c", code, "$HOME; *"], file.file, 20) is None
    out, err = capfd.readouterr()
    assert out == ""
    assert err == f"{file.file} '' ['$HOME; *'] True\n"
