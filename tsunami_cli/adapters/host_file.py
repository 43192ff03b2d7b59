"""A host's own file: one writer at a time, each content whole or not at all, and the command that acts on it."""

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tsunami_cli.errors import Refused

if TYPE_CHECKING:
    from subprocess import Popen

LONGEST = 16 << 20
"""Bytes that are read of a file: what is longer was not written by us."""
_MODE = 0o644
_GRACE = 5.0
"""Seconds between asking a command to end and ending it."""


class HostFile:
    """A file that hosts read, with what is remembered of it beside it: `.NAME.state`, and `.NAME.lock`.

    Their names begin with a dot, so that whoever reads all files of the folder (facter does) leaves them alone.
    """

    def __init__(self, file: Path) -> None:
        """Take the path; nothing is touched."""
        self.file = file.absolute()
        self.state = self.file.with_name(f".{self.file.name}.state")

    @contextlib.contextmanager
    def locked(self) -> Iterator[bool]:
        """Hold the file for this process; False where another one holds it. Raises Refused.

        The lock goes with the process, however it ends. The command does not inherit it: a daemon that it starts
        would hold it for good, and no later run would do anything.
        """
        lock = self.file.with_name(f".{self.file.name}.lock")
        with _translated(self.file, "written"):
            handle = _open(str(lock), os.O_RDWR | os.O_CREAT)
        try:
            with _translated(lock, "locked"):
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    got = False
                else:
                    got = True
            yield got
        finally:
            os.close(handle)

    def content(self) -> bytes | None:
        """Return what the file holds, None where it is not there. Raises Refused, above all for a symbolic link."""
        return _read(self.file)

    def remembered(self) -> bytes | None:
        """Return what `remember` wrote, None where there is nothing that could be it."""
        try:
            return _read(self.state)
        except Refused:
            # It is damaged, or somebody else's: it counts for nothing, and is written anew.
            return None

    def write(self, data: bytes) -> None:
        """Replace the file's content. Raises Refused; until then the file is as it was."""
        _replace(self.file, data)

    def remember(self, data: bytes) -> None:
        """Replace what is remembered. Raises Refused."""
        _replace(self.state, data)


def run(command: Sequence[str], file: Path, seconds: float) -> str | None:
    """Run a command without a shell, the file's path in TSUNAMI_FILE; return what went wrong, None if nothing.

    What it prints goes to stderr. It has a process group of its own, which is ended where it takes too long, or where
    this process is told to end.
    """
    import signal
    import subprocess

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=2,
            start_new_session=True,
            env=os.environ | {"TSUNAMI_FILE": str(file)},
        )
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            return f"took longer than {seconds:g} s and was ended"
        except BaseException:
            _end(process)
            raise
    except OSError as error:
        return f"cannot be started: {error.strerror}"
    finally:
        signal.signal(signal.SIGTERM, before)
    if code < 0:
        return f"was ended by signal {-code}"
    return f"failed with exit code {code}" if code else None


def _end(process: "Popen[bytes]") -> None:
    """End a process and its group: politely, and after a while for certain."""
    import signal
    import subprocess

    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE)
    # What the leader left behind, and the leader if it is still there.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _read(file: Path) -> bytes | None:
    """Return what a regular file holds, cut where it is too long; None where there is none. Raises Refused."""
    try:
        with open(file, "rb", opener=_open) as found:
            if not stat.S_ISREG(os.fstat(found.fileno()).st_mode):
                raise Refused(f"{file}: is no file")
            return found.read(LONGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise Refused(f"{file}: is a symbolic link: name the file that it leads to") from None
        raise Refused(f"{file}: cannot be read: {error.strerror}") from None


def _open(path: str, flags: int) -> int:
    """Open a file for its owner alone, through no symbolic link, and without waiting for the other end of a pipe."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)


def _replace(file: Path, data: bytes) -> None:
    """Write a file under another name, down to the disk, and then put it in its place. Only under the lock."""
    temporary = file.with_name(f".{file.name.removeprefix('.')}.new")
    with _translated(file, "written"):
        # Left there by a run that was killed: nobody else is at work here.
        temporary.unlink(missing_ok=True)
        try:
            with open(temporary, "xb", opener=_open) as out:
                out.write(data)
                out.flush()
                _like_before(out.fileno(), file)
                os.fsync(out.fileno())
            temporary.replace(file)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _like_before(handle: int, file: Path) -> None:
    """Give a new file the owner and the mode of the one that it replaces: whoever could read that can read this."""
    try:
        old = file.lstat()
    except FileNotFoundError:
        os.fchmod(handle, _MODE)
        return
    new = os.fstat(handle)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        os.fchown(handle, old.st_uid, old.st_gid)
    os.fchmod(handle, stat.S_IMODE(old.st_mode) & 0o777)


@contextlib.contextmanager
def _translated(file: Path, done: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Refused(f"{file}: cannot be {done}: {error.strerror or error}") from None
