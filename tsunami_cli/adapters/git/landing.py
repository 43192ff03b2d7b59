"""Bringing a commit onto the local branch and into its checkouts."""

from collections.abc import Mapping
from dataclasses import dataclass

from tsunami_cli.adapters.git.checkout import Entries, checkouts
from tsunami_cli.adapters.git.follower import Follower, Redo
from tsunami_cli.adapters.git.process import plain, run
from tsunami_cli.adapters.git.remote import Lost, in_the_way
from tsunami_cli.adapters.git.repository import Repository, branch_ref
from tsunami_cli.adapters.git.trees import CommitTree
from tsunami_cli.errors import Refused


@dataclass(frozen=True, slots=True)
class Landing:
    """A stored commit that is to become the tip of a local branch."""

    repository: Repository
    branch: str
    base: str
    """The commit's parent."""
    commit: str
    subject: str
    entries: Entries
    """The files it changes."""
    redo: Mapping[str, Redo]
    """How to make the change anew in a text that somebody is editing; empty where such texts are left alone."""

    def keep(self, local: str | None) -> tuple[str, ...]:
        """Move the branch from `local`, the base, where it is the only place for the commit; return what to say.

        Lost where the branch has moved meanwhile, Refused where it cannot be written; nothing is changed then.
        """
        followers = [] if local is None else self._followers(local)
        try:
            for follower in followers:
                follower.begin()
            self._move(local)
        except BaseException:
            _cancel(followers)
            raise
        return self._finish(followers)

    def follow(self, remote: str) -> tuple[str, ...]:
        """Bring the branch up to what was pushed, where nothing is lost by that; return what to say."""
        followers: list[Follower] = []
        try:
            local = self.repository.tip(self.branch)
            if local is None or (local != self.base and self.repository.descends(local, self.commit)):
                return ()
            followers = self._followers(local)
            if local != self.base and (followers or not self.repository.descends(self.base, local)):
                return self._pull(followers, f"{remote} had commits that {self.branch} here has not")
            for follower in followers:
                if not follower.begin():
                    raise Refused(follower.stuck)
            self._move(local)
        except (Lost, Refused) as error:
            # Falls to a note: the decision stands on the remote, and `git pull` does the rest.
            _cancel(followers)
            return self._pull(followers, f"{self.branch} here was left as it is ({plain(str(error))})")
        except BaseException:
            _cancel(followers)
            raise
        return self._finish(followers)

    def _followers(self, local: str) -> list[Follower]:
        tree = CommitTree(self.repository, local)
        old = {path: tree.entry(path) for path in self.entries}
        here = checkouts(self.repository, self.branch)
        return [Follower(checkout, old, self.entries, self.redo) for checkout in here]

    def _move(self, local: str | None) -> None:
        ref = branch_ref(self.branch)
        words = ("-m", f"tsunami: {self.subject}", ref, self.commit, local or "0" * len(self.commit))
        done = run(self.repository.root, "update-ref", *words)
        if done.status and in_the_way(done.err):
            raise Lost(done.why)
        if done.status:
            raise Refused(
                f"{self.repository.root}: {self.branch} cannot be moved: {done.why}; nothing was changed here"
            )

    def _finish(self, followers: list[Follower]) -> tuple[str, ...]:
        notes: list[str] = []
        for follower in followers:
            if not follower.stuck:
                follower.finish()
                notes += follower.notes
                continue
            # Falls to a stale checkout, loudly: the decision itself must not wait for somebody else's lock.
            checkout = f"git checkout {self.branch} -- {' '.join(self.entries)}"
            notes.append(
                f"{follower.checkout.root}: {follower.stuck}, so the files there are old, and to commit them would "
                f"undo this decision: `{checkout}` first"
            )
        return tuple(notes)

    def _pull(self, followers: list[Follower], why: str) -> tuple[str, ...]:
        if not followers:
            return (f"{why}: `git pull` on {self.branch}",)
        return tuple(f"{why}: `git -C {follower.checkout.root} pull`" for follower in followers)


def _cancel(followers: list[Follower]) -> None:
    for follower in followers:
        follower.cancel()
