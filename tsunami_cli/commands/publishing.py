"""How a publish is carried out: fetch, check, tell, record, upload; again from the start where others were faster."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime

from tsunami_cli.adapters import clock
from tsunami_cli.adapters.git.decider import current
from tsunami_cli.adapters.git.ledger import REPACK_EVERY, Ledger, ledger_at
from tsunami_cli.adapters.git.pages import Page
from tsunami_cli.adapters.git.process import pause
from tsunami_cli.adapters.git.remote import Lost, remote_of
from tsunami_cli.adapters.git.remote import settings as git_settings
from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.adapters.git.trees import CommitTree, WorkTree
from tsunami_cli.adapters.git.writing import Signer
from tsunami_cli.adapters.store.model import Overtaken
from tsunami_cli.commands.causes import Causes
from tsunami_cli.commands.fleet import Fleet, note
from tsunami_cli.commands.guarding import Guarded
from tsunami_cli.commands.recovering import Recovery
from tsunami_cli.commands.shelf import Report, Shelf, silent
from tsunami_cli.commands.waiting import Waiting
from tsunami_cli.core.admission import Admitted, admitted, check_shrink, checked_clock, told_variables
from tsunami_cli.core.entry import entry_files
from tsunami_cli.core.held_back import what_is_held
from tsunami_cli.core.holds import Holds
from tsunami_cli.core.manifest import Manifest, Sync
from tsunami_cli.core.minutes import minutes
from tsunami_cli.core.model import Variable
from tsunami_cli.core.published import Published, Ruled
from tsunami_cli.core.publishing import Publication, publication
from tsunami_cli.core.record import LEDGER, Record
from tsunami_cli.core.told import tell
from tsunami_cli.errors import Refused, Unreachable

TO = "TSUNAMI_PUBLISH_TO"
_TRIES = 20
_LONGEST_PAUSE = 0.5


@dataclass(frozen=True)
class Asked:
    """What a publish was asked to do, and to let pass."""

    to: str | None = None
    """The store's URL, in the place of the settings'."""
    dry_run: bool = False
    no_guard: bool = False
    accept_shrink: int = 0
    accept_rewind: bool = False
    reset_clock: bool = False
    recover: bool = False
    reason: str | None = None


@dataclass
class Publisher:
    """One publish of the repository around a folder."""

    repository: Repository
    asked: Asked
    report: Report = field(default=silent)
    _recovered: bool = False
    _guarded: Guarded = field(default_factory=Guarded)
    _waiting: Waiting = field(default_factory=Waiting)
    source: str = ""
    """The commit that was published, or tried last."""
    since: str | None = None
    """The commit that the publish before it was rendered from."""
    _tip: str | None = None

    @property
    def fleet(self) -> Fleet:
        """The fleet as it was published, or tried last."""
        return self._fleet

    @property
    def ruled(self) -> Sequence[Ruled]:
        """What the guard decided, also where the publish then failed."""
        return self._guarded.ruled

    def publish(self) -> Published:
        """Publish, from the start again where somebody else was first."""
        why = ""
        for attempt in range(_TRIES):
            pause(min(_LONGEST_PAUSE, 0.05 * attempt))
            try:
                return self._attempt()
            except (Lost, Overtaken) as lost:
                why = str(lost)
        raise Unreachable(f"given up after {_TRIES} tries: {why}: if no other publisher is at work, see that first")

    def _attempt(self) -> Published:
        self._used: list[str] = []
        branch = Fleet(WorkTree(self.repository.root)).settings.branch
        found = git_settings(self.repository)
        remote = remote_of(found, branch)
        self._ledger = Ledger(self.repository, ledger_at(remote) if remote else None)
        # The ledger first: fetched the other way round, it could name a source that the branch here does not have yet.
        self._tip = self._ledger.tip(lost=self.asked.recover and not self._recovered)
        self.source, notes = current(self.repository, branch, push_along=not self.asked.dry_run)
        for line in notes:
            note(line)
        self._signs = found.signs
        self._fleet = Fleet(CommitTree(self.repository, self.source))
        self._shelf = Shelf.open(self.repository.root, self._fleet.settings, self.asked.to, self.report)
        with nullcontext() if self.asked.dry_run else self._shelf.store.hold():
            return self._held()

    def _held(self) -> Published:
        """Publish while nobody else of this machine writes to the store."""
        shelf = self._shelf
        shelf.look(lenient=self.asked.recover)
        if self.asked.recover and not self._recovered:
            signer = Signer(clock.pretended(), self._signs, urgent=True)
            Recovery(self._ledger, self._fleet, signer, self.asked.reason or "").run(shelf)
            self._recovered = True
            # From the start, with the ledger that there is now.
            raise Lost("the ledger was recovered")
        self._check_known(shelf.manifest)
        page = Page(self.repository, self._tip) if self._tip else None
        previous = page.record() if page else None
        self._check_source(previous, shelf.manifest)
        if self.since is None:
            newest = shelf.manifest or previous
            self.since = newest.source if newest else None
        behind = page is not None and not shelf.shows(page.commit)
        if page and previous and behind:
            if self.asked.dry_run:
                note(f"#{previous.sequence} is not uploaded in full yet: the next publish finishes that first")
            else:
                whole = shelf.whole(page.raw_bundles())
                shelf.bring(whole, previous.sequence, previous.at, previous.source, page.commit)
                shelf.look()
        now = checked_clock(clock.now(), previous.at if previous else None, reset=self.asked.reset_clock)
        if previous and now < previous.at:
            self._used.append("--reset-clock")
        plan, found = self._plan(previous, now)
        change = shelf.difference(plan, whole=behind and self.asked.dry_run)
        if self.asked.dry_run:
            return self._published(plan, found, self._tip or "", change)
        commit = self._record(plan, page) if plan.worth_recording else page.commit if page else ""
        shelf.bring(change, plan.sequence, plan.now, self.source, commit)
        return self._published(plan, found, commit, change)

    def _check_known(self, manifest: Manifest | None) -> None:
        """Refuse to go on where the store names an entry that the ledger does not have."""
        if manifest is None or manifest.ledger == self._tip:
            return
        if self._tip and self.repository.descends(self._tip, manifest.ledger):
            return
        if self._ledger.tip() != self._tip:
            # Not lost: somebody else published since we looked.
            raise Lost("another publisher was just at it")
        cut = " (this clone's history is cut off: git fetch --unshallow)" if self.repository.shallow else ""
        have = f"{LEDGER} is at {self._tip[:7]}, which does not follow it" if self._tip else f"there is no {LEDGER}"
        raise Refused(
            f"{self._shelf.store.address} was published by entry {manifest.ledger[:7]} (#{manifest.sequence}), and "
            f"{have}{cut}: the ledger was lost or rewritten: push the right one, or "
            "tsunami publish --recover --reason ..."
        )

    def _check_source(self, previous: Record | None, manifest: Manifest | None) -> None:
        """Refuse to go back behind what was published: a halt may lie between.

        The manifest is newer than the ledger where a publish had nothing to record, as after a halt.
        """
        known = [found.source for found in (previous, manifest) if found is not None]
        ahead = [source for source in known if not self.repository.descends(self.source, source)]
        if not ahead:
            return
        if self.asked.accept_rewind:
            self._used.append("--accept-rewind")
            return
        cut = ", or history is cut off here (git fetch --unshallow)" if self.repository.shallow else ""
        raise Refused(
            f"{self.source[:7]} does not follow {ahead[-1][:7]}, from which hosts were told: the branch went back{cut}"
            "; nobody was told anything; if it is meant, tsunami publish --accept-rewind --reason ..."
        )

    def _plan(self, previous: Record | None, now: datetime) -> tuple[Publication, Admitted]:
        """Return what is told, from the files of the source."""
        fleet, settings = self._fleet, self._fleet.settings
        if check_shrink(previous, fleet.inventory.hosts, settings, self.asked.accept_shrink):
            self._used.append(f"--accept-shrink {self.asked.accept_shrink}")
        good, bad = fleet.split()
        told = told_variables(previous)
        gone = told - set(fleet.names)
        self._causes = Causes(self.repository, self.source, settings.inventory)
        vanished = {name for name in gone if not self._causes.retired(name)}
        wrong = [(one.name, one.errors[0]) for one in bad]
        found = admitted(good, wrong, vanished, told)
        old = {v.name: previous.told(v.name) if previous else None for v in found.variables}
        held = self._guard(found.variables, previous, now)
        # After the guard: what it takes back nothing is to follow.
        if previous and self._waiting.look(self._fleet, found.variables, previous, now, self._decides):
            raise Lost("a rollout that waited began")
        tellings = {
            v.name: tell(v, fleet.roles, now, old[v.name], settings.every, held=held.get(v.name, ()))
            for v in found.variables
        }
        noted = bool(self._used)
        return publication(previous, fleet.roles, found.variables, found.kept, now, tellings, noted=noted), found

    def _guard(self, variables: Sequence[Variable], previous: Record | None, now: datetime) -> Holds:
        """Return what may not move; Lost where the guard decided something, which is to be published instead."""
        if previous is None or self.asked.no_guard:
            # Before the first publish no host has anything that could be judged.
            return {}
        if self._guarded.look(self._fleet, variables, previous, now, self._decides):
            raise Lost("the guard decided")
        return self._guarded.holds

    @property
    def _decides(self) -> Repository | None:
        """Where decisions are made on the way; None for a dry run."""
        return None if self.asked.dry_run else self.repository

    def _record(self, plan: Publication, page: Page | None) -> str:
        """Commit what is told to the ledger."""
        files = entry_files(plan, self._causes.of, set(page.files()) if page else set())
        used = [*self._used, *(["--no-guard"] if self.asked.no_guard else [])]
        accepted = [f"Published with {' '.join(used)}: {self.asked.reason or 'no reason given'}"]
        if self.repository.shallow and any(self._causes.of(one.ground) is None for one in plan.news):
            note("history is cut off in this clone: some causes are not known (git fetch --unshallow)")
        message = minutes(plan, self._causes.of, self.source, accepted if used else ())
        signer = Signer(plan.now, self._signs, urgent=True)
        parents = [page.commit] if page else []
        commit = self._ledger.append(parents, files, message, signer, self._tip)
        if plan.sequence % REPACK_EVERY == 0:
            self._ledger.repack()
        return commit

    def _published(self, plan: Publication, found: Admitted, commit: str, change: Sync) -> Published:
        return Published(
            publication=plan,
            fleet=self._fleet.settings.fleet,
            source=self.source,
            ledger=commit or None,
            recorded=plan.worth_recording and not self.asked.dry_run,
            address=self._shelf.store.address,
            uploaded=len(change.puts),
            deleted=len(change.deletes),
            objects=len(change.objects),
            held=list(what_is_held(plan)),
            problems=found.problems,
            dry_run=self.asked.dry_run,
            puts=sorted(change.puts) if self.asked.dry_run else (),
            ruled=self._guarded.ruled,
            guard_code=self._guarded.exit_code or self._waiting.exit_code,
            begun=self._waiting.begun,
        )
