"""Decisions as commits: made on the tip of the branch, pushed, and followed by the checkout."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from tsunami_cli.adapters.git.checkout import Entries, checkouts, refuse_edited
from tsunami_cli.adapters.git.follower import Redo
from tsunami_cli.adapters.git.landing import Landing
from tsunami_cli.adapters.git.objects import REGULAR, Entry
from tsunami_cli.adapters.git.process import output, pause, plain
from tsunami_cli.adapters.git.remote import Lost, Remote, Verdict, fetch, push, remote_of, settings
from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.adapters.git.trees import CommitTree, parts_of
from tsunami_cli.adapters.git.writing import Signer, write_blobs, write_commit, write_tree
from tsunami_cli.errors import Refused, TsunamiError, Unreachable

_TRIES = 40
_LONGEST_PAUSE = 0.15


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be committed."""

    message: str
    """The commit's message: subject, an empty line, reason and trailers."""
    files: Mapping[str, bytes | None]
    """New contents by path from the root; None deletes the file."""
    redo: Mapping[str, Redo] = field(default_factory=dict)
    """For an urgent decision: how to make it anew in a text of the file that somebody is editing. May raise."""

    @property
    def subject(self) -> str:
        """The message's first line."""
        return plain(self.message.strip().split("\n", 1)[0])

    @property
    def slug(self) -> str:
        """The subject as part of a branch's name."""
        return re.sub(r"[^a-z0-9]+", "-", self.subject.lower())[:40].strip("-") or "decision"


Change: TypeAlias = Callable[[CommitTree], Decision | None]
"""Decides on what a commit holds; None where there is nothing to do. Called anew for every tip that turns up."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a decision."""

    commit: str | None
    """The commit that holds it; None where there was nothing to do."""
    pushed: bool
    """Whether the remote has the branch as decided, also where it had that already; False where there is no remote."""
    remote: str | None
    """The remote's name; None where the branch has none."""
    notes: tuple[str, ...]
    """What the person should be told, each in one line."""
    failure: TsunamiError | None = None
    """Why an urgent decision is a local commit only: Unreachable or Refused, whose exit code is the command's.

    A note says it too.
    """


def decide(
    repository: Repository,
    branch: str,
    change: Change,
    *,
    urgent: bool = False,
    keep: bool = True,
    now: datetime | None = None,
) -> Outcome:
    """Commit a decision on the branch's tip and push it.

    Where somebody else was first, `change` is asked again on the new tip. `urgent` (a halt) goes on where others are
    refused: with a dead network or a refusing remote as a local commit, with edited files, without a known committer.
    Without `keep` an urgent decision is not kept as a local commit where there is a remote that cannot have it.
    `now` is the instant of the commit's dates, by default the machine's clock. Raises Refused or Unreachable, and then
    neither branch nor checkout have changed here; what `change` raises goes through.
    """
    found = settings(repository)
    remote = remote_of(found, branch)
    job = _Job(repository, branch, change, remote, Signer(now, found.signs, urgent), keep=keep)
    if remote is None and found.remotes:
        job.notes.append(
            f"{branch} has no upstream, so this stays local: `git branch -u {found.remotes[0]}/{branch} {branch}`"
        )
    return job.run()


def current(repository: Repository, branch: str, *, push_along: bool) -> tuple[str, tuple[str, ...]]:
    """Return the commit that counts now, and what there is to say about it.

    That is the remote's tip, or the local one where it is ahead: then those commits are pushed first (`push_along`), a
    halt that was made without a network among them. Raises Refused or Unreachable as `decide` does.
    """
    seen: list[str] = []

    def look(tree: CommitTree) -> None:
        seen.append(tree.commit)

    if push_along:
        outcome = decide(repository, branch, look)
        return seen[-1], outcome.notes
    job = _Job(repository, branch, look, remote_of(settings(repository), branch), Signer(None, False, False))
    return job.base().commit, ()


@dataclass(frozen=True, slots=True)
class _Base:
    """The commit that a decision is made on, and where the branch stood when it was chosen."""

    commit: str
    local: str | None
    unpushed: int = 0
    """Local commits that the remote does not have and that are pushed along."""


@dataclass
class _Job:
    """One decision on its way."""

    repository: Repository
    branch: str
    change: Change
    remote: Remote | None
    signer: Signer
    keep: bool = True
    notes: list[str] = field(default_factory=list)
    failure: TsunamiError | None = None
    """Set once an urgent decision has given the remote up."""

    def run(self) -> Outcome:
        """Try until nobody else is first."""
        why = ""
        for attempt in range(_TRIES):
            pause(min(_LONGEST_PAUSE, 0.03 * attempt))
            try:
                return self.attempt()
            except Lost as lost:
                why = plain(str(lost))
        refusal = Refused(f"{self.branch}: given up after {_TRIES} tries, as others were faster ({why}): try again")
        if not self._may_stay_here or self.remote is None or self.failure is not None:
            raise refusal
        # Falls to a local commit: a halt that the crowd at the remote keeps out is better kept here than not at all.
        self.failure = refusal
        return self.run()

    @property
    def _may_stay_here(self) -> bool:
        """Whether a decision that the remote cannot have is better kept in this clone than nowhere."""
        return self.signer.urgent and self.keep

    def attempt(self) -> Outcome:
        """Decide once on what there is now; Lost where that is outdated before it is done."""
        base = self.base()
        tree = CommitTree(self.repository, base.commit)
        decision = self.change(tree)
        entries = {} if decision is None else self.entries(tree, base, decision)
        if decision is None or all(tree.entry(path) == entry for path, entry in entries.items()):
            if base.unpushed:
                self.push(base, base.commit, "decisions")
            return self.outcome(base, None, ())
        commit, notes = self.commit(base, decision, entries)
        redo = decision.redo if self.signer.urgent else {}
        landing = Landing(self.repository, self.branch, base.commit, commit, decision.subject, entries, redo)
        if self.remote is not None and self.push(base, commit, decision.slug):
            notes += landing.follow(self.remote.shown)
        else:
            notes += landing.keep(base.local)
        return self.outcome(base, commit, notes)

    def outcome(self, base: _Base, commit: str | None, notes: tuple[str, ...]) -> Outcome:
        """Say what became of it."""
        if self.remote is None:
            return Outcome(commit, False, None, (*self.notes, *notes))
        if self.failure is not None:
            shown = self.remote.shown
            told = (
                f"LOCAL ONLY: not on {shown}, so no host sees it: {self.failure}; the next decision pushes it, "
                f"or `git push {shown} {self.branch}`"
            )
            if commit is None and self.repository.tip(self.branch) == self.repository.ref(self.remote.tracking):
                told = f"whether {shown} has anything newer is unknown: {self.failure}"
            notes = (told, *notes)
        elif base.unpushed:
            notes = (f"earlier local commits pushed to {self.remote.shown} along with it: {base.unpushed}", *notes)
        return Outcome(commit, self.failure is None, self.remote.shown, (*self.notes, *notes), self.failure)

    def base(self) -> _Base:
        """Choose the commit to decide on: the remote's tip, or the local one where that is ahead of it."""
        local = self.repository.tip(self.branch)
        if self.remote is None or self.failure is not None:
            return self.local_base(local)
        try:
            theirs = fetch(self.repository, self.remote)
        except Unreachable as error:
            if not self._may_stay_here:
                raise
            # Falls to a local commit: a halt must not wait for the network.
            self.failure = error
            return self.local_base(local)
        if theirs is None:
            return self.first_push(self.remote, local)
        if local is None or local == theirs:
            return _Base(theirs, local)
        ahead, behind = self.repository.apart(local, theirs)
        if not behind:
            return _Base(local, local, ahead)
        if ahead and not self.signer.urgent:
            raise Refused(
                f"{self.branch} and {self.remote.shown}'s have diverged by {ahead} and {behind} commits; nothing was "
                f"changed: `git pull --rebase` and `git push` on {self.branch}, then again"
            )
        # Falls to the remote's tip for a halt on diverged branches: that is where the hosts are looking.
        return _Base(theirs, local)

    def local_base(self, local: str | None) -> _Base:
        """Choose the local tip, or what was last seen of the remote's."""
        known = local or (self.repository.ref(self.remote.tracking) if self.remote else None)
        if known is None:
            raise Refused(
                f"{self.branch}: nothing is committed on it yet, or there is no such branch: commit the files on it "
                "first, or name the one that counts as `branch:` in tsunami.yaml"
            )
        return _Base(known, local)

    def first_push(self, remote: Remote, local: str | None) -> _Base:
        """Choose the local tip where the remote has no such branch."""
        base = self.local_base(local)
        if self.repository.ref(remote.tracking) is not None and not self.signer.urgent:
            # Falls to exit 1: a branch that was deleted or renamed there is not to be brought back by accident.
            raise Refused(
                f"{remote.shown} has no branch {self.branch} any more; nothing was changed: where it should have one, "
                f"`git push {remote.shown} {self.branch}`, then again"
            )
        unpushed = int(output(self.repository.root, "rev-list", "--count", base.commit))
        return _Base(base.commit, local, unpushed)

    def entries(self, tree: CommitTree, base: _Base, decision: Decision) -> dict[str, Entry | None]:
        """Store the new files; Refused where one is being edited here, or is no plain file."""
        for path in decision.files:
            before = tree.entry(path)
            if before is not None and before.mode not in REGULAR:
                raise Refused(f"{path}: is no plain file in git (mode {before.mode}): put the file itself there")
        if not self.signer.urgent:
            self.refuse_edited(base, decision)
        entries: dict[str, Entry | None] = dict.fromkeys(decision.files)
        new = {path: content for path, content in decision.files.items() if content is not None}
        for path, sha in zip(new, write_blobs(self.repository.root, tuple(new.values())), strict=True):
            before = tree.entry(path)
            entries[path] = Entry(before.mode if before else REGULAR[0], sha)
        return entries

    def refuse_edited(self, base: _Base, decision: Decision) -> None:
        """Refuse where a file of the decision has changes in a checkout of the branch."""
        if base.local is None or not decision.files:
            return
        tree = CommitTree(self.repository, base.local)
        tips = {path: tree.entry(path) for path in decision.files}
        try:
            for checkout in checkouts(self.repository, self.branch):
                refuse_edited(checkout, tips)
        except Refused:
            if self.repository.tip(self.branch) != base.local:
                # No person's edit, but another decision that has just come into this checkout.
                raise Lost(f"{self.branch} has moved") from None
            raise

    def commit(self, base: _Base, decision: Decision, entries: Entries) -> tuple[str, tuple[str, ...]]:
        """Store the commit; no ref names it yet."""
        root, objects = self.repository.root, self.repository.objects
        changes = {parts_of(path): entry for path, entry in entries.items()}
        tree = write_tree(root, objects, f"{base.commit}^{{tree}}", changes)
        if tree is None:
            raise Refused(f"{decision.subject}: would delete the last file on {self.branch}; nothing was changed")
        return write_commit(root, tree, [base.commit], decision.message, self.signer)

    def push(self, base: _Base, commit: str, slug: str) -> bool:
        """Push a commit; False where an urgent decision gives that up."""
        if self.remote is None or self.failure is not None:
            return False
        answer = push(self.repository, self.remote, commit)
        if answer.verdict is Verdict.DONE:
            return True
        if answer.verdict is Verdict.LOST:
            raise Lost(answer.why)
        error = answer.error(self.remote, commit, slug)
        if not self._may_stay_here:
            raise type(error)(f"{error}; nothing was changed here")
        # Falls to a local commit; to one on the local tip, so that the branch can take it.
        self.failure = error
        if base.local not in (None, base.commit):
            raise Lost(str(error))
        return False
