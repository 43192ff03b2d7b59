"""The remote repository: which one counts for a branch, fetching its tip, and pushing to it."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from tsunami_cli.adapters.git.process import Done, network_limit, plain, run
from tsunami_cli.adapters.git.repository import Repository, branch_ref
from tsunami_cli.errors import Refused, TsunamiError, Unreachable

_SETTINGS = r"^(branch\..*\.(remote|merge)|remote\..*\.url|commit\.gpgsign|core\.sshcommand)$"
_TRUE = ("true", "yes", "on", "1")
_SSH_WAIT = 10


class Lost(Exception):
    """Somebody else was first, as its text says: look again at what there is now, and try again."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The part of git's configuration that decisions depend on."""

    values: Mapping[str, str | None]
    """By full key, section and key in lower case; the last one wins; None where a key stands without a value."""

    @property
    def signs(self) -> bool:
        """Whether commits are to be signed."""
        value = self.values.get("commit.gpgsign", "false")
        return value is None or value.lower() in _TRUE

    @property
    def remotes(self) -> tuple[str, ...]:
        """The names of all remotes, sorted."""
        found = (re.fullmatch(r"remote\.(.*)\.url", key) for key in self.values)
        return tuple(sorted(match[1] for match in found if match))


@dataclass(frozen=True, slots=True)
class Remote:
    """The branch of another repository that a branch is fetched from and pushed to."""

    name: str
    """As configured; a URL where the branch's upstream is one."""
    ref: str
    """The branch's full ref there."""
    tracking: str
    """The local ref that remembers what was fetched."""
    plain_ssh: bool
    """Whether ssh may be started with our options, because the user configured no command of their own."""

    @property
    def shown(self) -> str:
        """The name as it may be printed."""
        return plain(self.name)


def settings(repository: Repository) -> Settings:
    """Read git's configuration."""
    done = run(repository.root, "config", "-z", "--get-regexp", _SETTINGS)
    if done.status not in (0, 1):
        raise Refused(f"{repository.root}: git's configuration cannot be read: {done.why}")
    pairs = (entry.partition("\n") for entry in done.out.decode("utf-8", "replace").split("\0") if entry)
    return Settings({key: value if gap else None for key, gap, value in pairs})


def remote_of(found: Settings, branch: str) -> Remote | None:
    """Return where the branch lives: its upstream, else `origin`, else nowhere.

    A branch whose upstream is another local branch has no upstream in this sense.
    """
    name = found.values.get(f"branch.{branch}.remote")
    ref = found.values.get(f"branch.{branch}.merge") or branch_ref(branch)
    if not name or name == ".":
        name, ref = "origin", branch_ref(branch)
        if name not in found.remotes:
            return None
    if name.startswith("-") or not ref.startswith("refs/"):
        raise Refused(f"branch.{branch}: {name} {ref} is no upstream: set it with `git branch -u REMOTE/{branch}`")
    own = found.values.get("core.sshcommand") or os.environ.get("GIT_SSH_COMMAND") or os.environ.get("GIT_SSH")
    if name in found.remotes:
        tracking = f"refs/remotes/{name}/{ref.removeprefix('refs/heads/')}"
    else:
        tracking = f"refs/tsunami/upstream/{branch}"
    return Remote(name, ref, tracking, not own)


def fetch(repository: Repository, remote: Remote) -> str | None:
    """Fetch the branch; return its tip there, None where the remote answers and has no such branch.

    Unreachable where it does not answer; Lost where another process was just writing the same ref.
    """
    words = ("--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-maintenance", "--quiet")
    done = _talk(repository, remote, "fetch", *words, "--", remote.name, f"+{remote.ref}:{remote.tracking}")
    if done.status == 0:
        return repository.ref(remote.tracking)
    if "couldn't find remote ref" in done.err:
        return None
    if in_the_way(done.err):
        raise Lost(done.why)
    raise _unreachable(remote, done.why)


def _unreachable(remote: Remote, why: str) -> Unreachable:
    return Unreachable(f"{remote.shown} cannot be reached: {why} (try `git fetch {remote.shown}`, then again)")


class Verdict(Enum):
    """How a push ended."""

    DONE = "done"
    LOST = "lost"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Pushed:
    """The answer to a push."""

    verdict: Verdict
    why: str
    """What the remote, a hook or git said, in one line."""

    def error(self, remote: Remote, commit: str, slug: str) -> TsunamiError:
        """Return the failure as an error with the way out."""
        if self.verdict is Verdict.UNREACHABLE:
            return _unreachable(remote, self.why)
        return Refused(
            f"{remote.shown} refuses the push: {self.why}: either ask for the right to push to it, or "
            f"`git push {remote.shown} {commit}:refs/heads/tsunami/{slug}` and open a pull request"
        )


def push(repository: Repository, remote: Remote, commit: str) -> Pushed:
    """Push a commit as the new tip of the branch; never by force."""
    words = ("--porcelain", "--no-follow-tags", "--recurse-submodules=no")
    done = _talk(repository, remote, "push", *words, "--", remote.name, f"{commit}:{remote.ref}")
    if done.status == 0:
        return Pushed(Verdict.DONE, "")
    rejected = re.search(r"^!\t[^\t]*\t(.*)$", done.out.decode("utf-8", "replace"), re.MULTILINE)
    if rejected is None or "[remote failure]" in rejected[1]:
        return _unanswered(done)
    if _LOST.search(rejected[1]) or in_the_way(rejected[1]):
        return Pushed(Verdict.LOST, plain(rejected[1]))
    said = [plain(line[7:]) for line in done.err.splitlines() if line.startswith("remote:") and line[7:].strip()]
    return Pushed(Verdict.REFUSED, " / ".join([plain(rejected[1]), *said[:4]]))


_LOST = re.compile(r"\((fetch first|non-fast-forward|stale info|failed to update ref|incorrect old value provided)\)")
_BROKEN = re.compile(r"hung up|disconnect|connection|timed out|could not resolve", re.IGNORECASE)
_CLOSED = re.compile(
    r"permission( to \S+)? denied|error: 40[13]|authentication failed|access denied|not permitted|read-only|"
    r"service not enabled|could not read (username|password)",
    re.IGNORECASE,
)
_HOOKED = "error: failed to push some refs"


def _unanswered(done: Done) -> Pushed:
    # Without a line about our ref the push ended before the remote judged it: on the way, at a closed door, or at
    # a pre-push hook. Where the words do not tell, it falls to "not reached", which may be tried again.
    if done.status > 0 and _CLOSED.search(done.err):
        return Pushed(Verdict.REFUSED, done.why)
    if done.status == 1 and _HOOKED in done.err and not _BROKEN.search(done.err):
        said = (plain(line) for line in done.err.splitlines() if not line.startswith((_HOOKED, "hint:")))
        return Pushed(Verdict.REFUSED, " / ".join(["the pre-push hook said no", *filter(None, said)][:4]))
    return Pushed(Verdict.UNREACHABLE, done.why)


def in_the_way(text: str) -> bool:
    """Whether git failed because a ref was being written, or had just been written, by somebody else."""
    return re.search(r"but expected|File exists|reference already exists|failed to lock", text) is not None


def _talk(repository: Repository, remote: Remote, *words: str) -> Done:
    limit = network_limit()
    wait = max(1, min(_SSH_WAIT, int(limit)))
    extra = {"GIT_SSH_COMMAND": f"ssh -o BatchMode=yes -o ConnectTimeout={wait}"} if remote.plain_ssh else {}
    return run(repository.root, *words, extra=extra, limit=limit)
