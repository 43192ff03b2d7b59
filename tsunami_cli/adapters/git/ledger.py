"""The ledger: the branch of entries, one for each publish that told anybody something, or moved a told progress."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tsunami_cli.adapters.git.objects import REGULAR, Entry
from tsunami_cli.adapters.git.process import run
from tsunami_cli.adapters.git.remote import Lost, Remote, Verdict, fetch, in_the_way, push
from tsunami_cli.adapters.git.repository import Repository, branch_ref
from tsunami_cli.adapters.git.trees import parts_of
from tsunami_cli.adapters.git.writing import Signer, write_blobs, write_commit, write_tree
from tsunami_cli.core.record import LEDGER
from tsunami_cli.errors import Refused, Unreachable

REF = branch_ref(LEDGER)
REPACK_EVERY = 50
"""Entries after which loose objects are packed, as differences from each other: a twentieth of the room."""


def ledger_at(remote: Remote) -> Remote:
    """Return where the ledger lives, beside the branch."""
    prefix = remote.tracking.rpartition(remote.ref.removeprefix("refs/heads/"))[0]
    tracking = f"{prefix}{LEDGER}" if prefix.startswith("refs/remotes/") else f"refs/tsunami/upstream/{LEDGER}"
    return Remote(remote.name, REF, tracking, remote.plain_ssh)


@dataclass(frozen=True)
class Ledger:
    """The branch where it counts: on the remote, or here where there is none."""

    repository: Repository
    remote: Remote | None
    """Where the ledger lives; None for this repository alone."""

    def tip(self, *, lost: bool = False) -> str | None:
        """Return the newest entry, asked of the remote where there is one; Unreachable where that does not answer.

        Refused where the remote has none, but this clone knows one, unless that is known: `lost`, and None.
        """
        if self.remote is None:
            stray = next(iter(self.repository.tips(LEDGER).values()), None)
            if stray is not None and not lost:
                # Falls to exit 1: without an upstream the ledger that counts would not be asked.
                raise Refused(
                    f"{LEDGER}: a remote has {stray[:7]}, but the branch has no upstream: git branch -u REMOTE/BRANCH"
                )
            return self.repository.tip(LEDGER)
        before = self.repository.ref(self.remote.tracking) or self.repository.tip(LEDGER)
        theirs = fetch(self.repository, self.remote)
        if theirs is not None or lost or before is None:
            return theirs
        # Falls to exit 1: a ledger that was there and is gone must not be begun afresh, nor an old one brought back.
        raise Refused(
            f"{LEDGER}: {self.remote.shown} has none, and this clone knows {before[:7]}: if that is the last one, "
            f"git push {self.remote.shown} {before}:{REF}; else publish --recover --reason ..."
        )

    def known(self) -> Iterable[str]:
        """Yield the tips that this clone has of the ledger, whatever the remote says."""
        refs = [REF, *([self.remote.tracking] if self.remote else [])]
        return [tip for ref in refs if (tip := self.repository.ref(ref)) is not None]

    def append(
        self,
        parents: Sequence[str],
        files: Mapping[str, bytes | None],
        message: str,
        signer: Signer,
        over: str | None,
    ) -> str:
        """Commit an entry and make it the tip over `over`; Lost where somebody else was first.

        `files` are the changes to the files of the first parent, None taking one away. With a remote the entry counts
        once it is there: until then nothing here names it.
        """
        root, objects = self.repository.root, self.repository.objects
        new = {path: data for path, data in files.items() if data is not None}
        entries: dict[tuple[str, ...], Entry | None] = {parts_of(path): None for path in files}
        for path, sha in zip(new, write_blobs(root, tuple(new.values())), strict=True):
            entries[parts_of(path)] = Entry(REGULAR[0], sha)
        tree = write_tree(root, objects, f"{parents[0]}^{{tree}}" if parents else None, entries)
        if tree is None:
            raise Refused(f"{LEDGER}: an entry would be empty; nothing was recorded")
        commit, _ = write_commit(root, tree, parents, message, signer)
        self.put(commit, over)
        return commit

    def put(self, commit: str, over: str | None) -> None:
        """Make a commit the tip; Lost where that was not `over` any more."""
        if self.remote is None:
            self._move(commit, over)
            return
        answer = push(self.repository, self.remote, commit)
        if answer.verdict is Verdict.LOST:
            raise Lost(answer.why)
        if answer.verdict is Verdict.REFUSED:
            raise Refused(
                f"{self.remote.shown} refuses the push of {LEDGER}: {answer.why}: it needs the right to push to it; "
                "nobody was told anything"
            )
        if answer.verdict is Verdict.UNREACHABLE:
            raise Unreachable(f"{answer.error(self.remote, commit, LEDGER)}; nobody was told anything")
        self.follow(commit)

    def follow(self, commit: str) -> None:
        """Let this clone's own branch name an entry that counts, so that `git log tsunami-ledger` has it."""
        ours = self.repository.tip(LEDGER)
        if self.remote is None or ours == commit or (ours and not self.repository.descends(commit, ours)):
            return
        # Falls to leaving it: the branch here is for looking, what counts is on the remote.
        run(self.repository.root, "update-ref", REF, commit, ours or "")

    def repack(self) -> None:
        """Pack what the last entries left lying about."""
        # Falls to nothing: a ledger that takes more room than it needs is as good as another.
        run(self.repository.root, "repack", "-d", "-l", "-q", "--geometric=2", limit=120)

    def _move(self, commit: str, before: str | None) -> None:
        old = before or "0" * len(commit)
        done = run(self.repository.root, "update-ref", "-m", "tsunami publish", REF, commit, old)
        if done.status == 0:
            return
        if in_the_way(done.err) or self.repository.tip(LEDGER) != before:
            raise Lost(done.why)
        raise Refused(f"{LEDGER}: cannot be written: {done.why}; nobody was told anything")
