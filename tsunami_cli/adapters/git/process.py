"""Git as a process: what it sees of the environment, how long it may take, and its failures in one line of words."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tsunami_cli.errors import Refused, Usage

_WORDS = """
    GIT_DIR GIT_WORK_TREE GIT_IMPLICIT_WORK_TREE GIT_INDEX_FILE GIT_INDEX_VERSION GIT_OBJECT_DIRECTORY
    GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_COMMON_DIR GIT_NAMESPACE GIT_PREFIX GIT_INTERNAL_SUPER_PREFIX
    GIT_QUARANTINE_PATH GIT_CONFIG GIT_GRAFT_FILE GIT_SHALLOW_FILE GIT_REPLACE_REF_BASE GIT_NO_REPLACE_OBJECTS
    GIT_REFLOG_ACTION GIT_LITERAL_PATHSPECS GIT_GLOB_PATHSPECS GIT_NOGLOB_PATHSPECS GIT_ICASE_PATHSPECS
    GIT_EXTERNAL_DIFF GIT_DIFF_OPTS GIT_AUTHOR_DATE GIT_COMMITTER_DATE
"""
REDIRECTING = frozenset(_WORDS.split())
"""Variables that point git at another repository or change what its output means. A hook or `git rebase --exec` sets
some of them for everything it starts. Identity, ssh, askpass and configuration variables are the user's and stay."""

DEFAULT_LIMIT = 20.0
_GRACE = 1.0
_TRUST = "git config --global --add safe.directory"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_CREDENTIALS = re.compile(r"(\w://)[^/@\s]+@")


@dataclass(frozen=True, slots=True)
class Done:
    """A git process that has ended."""

    status: int
    """Its exit status; negative where a signal or the time limit ended it."""
    out: bytes
    err: str

    @property
    def why(self) -> str:
        """The line of stderr that tells most, without control characters and credentials."""
        lines = [line.strip() for line in self.err.splitlines() if line.strip()]
        way_out = next((f": `{plain(line)}`" for line in lines if line.startswith(_TRUST)), "")
        for sign in ("fatal: ", "error: "):
            for line in lines:
                if line.startswith(sign):
                    return plain(line.removeprefix(sign)) + way_out
        return plain(lines[-1]) if lines else f"it ended with status {self.status}"


def plain(text: str) -> str:
    """Render text from outside as one line that steers no terminal and shows no password."""
    return _CREDENTIALS.sub(r"\1", _CONTROL.sub(" ", text)).strip()


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for a git process: ours, without what redirects it, never asking, speaking English."""
    kept = {name: value for name, value in os.environ.items() if name not in REDIRECTING}
    return kept | {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"} | dict(extra or {})


def network_limit() -> float:
    """Return how many seconds a process that talks to a remote may take: `TSUNAMI_GIT_TIMEOUT`, by default 20."""
    text = os.environ.get("TSUNAMI_GIT_TIMEOUT", "").strip()
    if not text:
        return DEFAULT_LIMIT
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6})?", text, re.ASCII) or float(text) == 0:
        raise Usage(f"TSUNAMI_GIT_TIMEOUT: {plain(text)!r} is no number of seconds above 0, such as 20")
    return float(text)


def start(
    root: Path, *words: str, extra: Mapping[str, str] | None = None, stdin: int = subprocess.PIPE, alone: bool = False
) -> subprocess.Popen[bytes]:
    """Start git in a folder; `alone` gives it a process group that can be ended together with its ssh or helpers."""
    try:
        return subprocess.Popen(
            ("git", *words),
            cwd=root,
            env=environment(extra),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=alone,
        )
    except OSError as error:
        # Falls to exit 1: without git, or without its folder, nothing can be known or changed.
        if not root.is_dir():
            raise Refused(f"{root}: {error.strerror}") from error
        raise Refused(f"git could not be started ({error.strerror}): install git and put it on the PATH") from error


def run(
    root: Path,
    *words: str,
    data: bytes = b"",
    extra: Mapping[str, str] | None = None,
    limit: float | None = None,
) -> Done:
    """Run git to its end; an exit status that is not 0 is the caller's to judge. `limit` is in seconds."""
    process = start(root, *words, extra=extra, alone=limit is not None)
    try:
        out, err = process.communicate(data, timeout=limit)
    except subprocess.TimeoutExpired:
        end(process, group=True)
        return Done(-signal.SIGALRM, b"", f"fatal: no answer within {limit:g} s (TSUNAMI_GIT_TIMEOUT)")
    except BaseException:
        # Ctrl-C does not reach a process group of its own: end it before going on to fall.
        end(process, group=limit is not None)
        raise
    return Done(process.returncode, out, err.decode("utf-8", "replace"))


def output(root: Path, *words: str, data: bytes = b"", extra: Mapping[str, str] | None = None) -> bytes:
    """Run git and return its stdout; any failure (a full disk, no permission, a damaged repository) is Refused."""
    done = run(root, *words, data=data, extra=extra)
    if done.status:
        command = next(word for word in words if not word.startswith("-") and "=" not in word)
        raise Refused(f"{root}: git {command} failed: {done.why}; nothing was changed")
    return done.out


def pipe(stream: IO[bytes] | None) -> IO[bytes]:
    """Return a stream of a process that was started with a pipe for it."""
    if stream is None:
        raise ValueError("the process was started without this pipe")
    return stream


def pause(longest: float) -> None:
    """Wait for a random part of some seconds, so that rivals do not meet again in step."""
    time.sleep(longest * os.urandom(1)[0] / 255)


def end(process: subprocess.Popen[bytes], *, group: bool = False) -> None:
    """End a process, kindly first: on SIGTERM git takes its lock files away, on SIGKILL it leaves them."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign) if group else process.send_signal(sign)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
            break
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with suppress(OSError):
                stream.close()
