"""The entries of the ledger, read as far as they are asked."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from tsunami_cli.adapters.git.history import parse_commit
from tsunami_cli.adapters.git.process import output
from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.adapters.git.trees import CommitTree
from tsunami_cli.core.record import (
    HELD,
    LEDGER,
    PINNED,
    PROGRESS,
    RECENT,
    ROLES,
    TOLD,
    Bundle,
    Record,
    Rows,
    parse_bundle,
    parse_held,
    parse_pinned,
    parse_progress,
    parse_recent,
    parse_told,
    parse_trailers,
)
from tsunami_cli.errors import Refused


def known_tip(repository: Repository) -> str | None:
    """Return the newest entry that this clone knows; None where it knows none.

    What was fetched counts, but for entries on top of it that this clone alone has. Where the two went apart, the
    remote's is the one that hosts go by.
    """
    ours, theirs = repository.tip(LEDGER), repository.tracked(LEDGER)
    if ours is None or theirs is None or ours == theirs:
        return theirs or ours
    return ours if repository.descends(ours, theirs) else theirs


def entry_at(repository: Repository, tip: str, at: datetime) -> str | None:
    """Return the newest entry at or before an instant; None where there was none yet."""
    listing = output(repository.root, "log", "--first-parent", "--no-show-signature", "--format=%H %ct", tip, "--")
    last = at.timestamp()
    for line in listing.decode("ascii").splitlines():
        commit, _, seconds = line.partition(" ")
        if int(seconds) <= last:
            return commit
    return None


@dataclass(frozen=True)
class Page:
    """One entry of the ledger, read as far as it is asked."""

    repository: Repository
    commit: str

    @cached_property
    def tree(self) -> CommitTree:
        """The files of the entry."""
        return CommitTree(self.repository, self.commit)

    @cached_property
    def source(self) -> str:
        """The commit that the entry was rendered from."""
        return self._trailers()[0]

    @cached_property
    def sequence(self) -> int:
        """The entry's number."""
        return self._trailers()[2]

    def _trailers(self) -> tuple[str, datetime, int]:
        raw = self.repository.objects.commit(self.commit)
        try:
            return parse_trailers(dict(parse_commit(self.commit, raw).trailers))
        except ValueError as wrong:
            raise self._damaged(wrong) from None

    def record(self, roles: Collection[str] | None = None, hosts: Collection[str] | None = None) -> Record:
        """Return what the entry says, of all hosts or of those of some roles; Refused where it is damaged.

        `hosts` restricts what is read of who was told what under rollouts.
        """
        source, at, sequence = self._trailers()
        try:
            return Record(
                sequence=sequence,
                at=at,
                commit=self.commit,
                source=source,
                bundles=self._bundles(roles),
                rows=lambda name: self._rows(name, hosts),
                progress=parse_progress(self.tree.read(PROGRESS)),
                pinned=parse_pinned(self.tree.read(PINNED)),
                recent=parse_recent(self.tree.read(RECENT)),
                holds=parse_held(self.tree.read(HELD)),
                known=[name.removesuffix(".csv") for name in self.tree.names(TOLD)],
            )
        except (ValueError, TypeError, AttributeError, KeyError) as wrong:
            raise self._damaged(wrong) from None

    def files(self) -> list[str]:
        """Return the paths below `told/`."""
        return [f"{TOLD}/{name}" for name in self.tree.names(TOLD)]

    def raw_bundles(self) -> dict[str, bytes]:
        """Return all bundles as they were published, by role."""
        names = [name.removesuffix(".json") for name in self.tree.names(ROLES)]
        return {name: self._bundle(name) for name in names}

    def _bundles(self, roles: Collection[str] | None) -> dict[str, Bundle]:
        there = {name.removesuffix(".json") for name in self.tree.names(ROLES)}
        wanted = there if roles is None else there & set(roles)
        return {name: parse_bundle(self._bundle(name)) for name in sorted(wanted)}

    def _bundle(self, role: str) -> bytes:
        return self.tree.read(f"{ROLES}/{role}.json") or b""

    def _rows(self, variable: str, hosts: Collection[str] | None) -> Rows:
        try:
            return parse_told(self.tree.read(f"{TOLD}/{variable}.csv"), hosts)
        except ValueError as wrong:
            raise self._damaged(wrong) from None

    def _damaged(self, wrong: Exception) -> Refused:
        # Falls to exit 1: what was told is not known, so nobody is told anything.
        return Refused(f"{LEDGER}: entry {self.commit[:7]} is damaged: {wrong}: see git log {LEDGER}")
