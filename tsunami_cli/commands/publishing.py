"""How a publish is carried out: fetch, check, tell, record, upload; again from the start where others were faster."""

import os
from collections.abc import Callable, Mapping
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
from tsunami_cli.adapters.store.model import Kept, Overtaken, Store
from tsunami_cli.adapters.store.opening import open_store
from tsunami_cli.commands.causes import Causes
from tsunami_cli.commands.recovering import Recovery
from tsunami_cli.commands.workspace import Fleet, note
from tsunami_cli.core.admission import Admitted, admitted, check_shrink, checked_clock, told_variables
from tsunami_cli.core.entry import entry_files
from tsunami_cli.core.manifest import MANIFEST, Manifest, Sync, parse_manifest, sync
from tsunami_cli.core.minutes import minutes
from tsunami_cli.core.published import Published
from tsunami_cli.core.publishing import Held, Publication, held_back, publication
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
    accept_shrink: int = 0
    accept_rewind: bool = False
    reset_clock: bool = False
    recover: bool = False
    reason: str | None = None

    @property
    def accepted(self) -> list[str]:
        """What a person let pass, in words, for the ledger."""
        flags = {
            f"--accept-shrink {self.accept_shrink}": self.accept_shrink,
            "--accept-rewind": self.accept_rewind,
            "--reset-clock": self.reset_clock,
            "--recover": self.recover,
        }
        given = " ".join(flag for flag, is_given in flags.items() if is_given)
        return [f"Published with {given}" + (f": {self.reason}" if self.reason else "")] if given else []


Report = Callable[[int, int], None]
"""Told how many of how many objects are uploaded."""


def _silent(done: int, total: int) -> None:
    """Report to nobody."""


@dataclass
class Publisher:
    """One publish of the repository around a folder."""

    repository: Repository
    asked: Asked
    report: Report = field(default=_silent)
    _recovered: bool = False
    _source: str = ""
    _tip: str | None = None

    def publish(self) -> Published:
        """Publish, from the start again where somebody else was first."""
        why = ""
        for attempt in range(_TRIES):
            pause(min(_LONGEST_PAUSE, 0.05 * attempt))
            try:
                return self._attempt()
            except (Lost, Overtaken) as lost:
                why = str(lost)
        raise Unreachable(f"given up after {_TRIES} tries, as other publishers were faster ({why}): try again")

    def _attempt(self) -> Published:
        branch = Fleet(WorkTree(self.repository.root)).settings.branch
        found = git_settings(self.repository)
        remote = remote_of(found, branch)
        self._ledger = Ledger(self.repository, ledger_at(remote) if remote else None)
        # The ledger first: fetched the other way round, it could name a source that the branch here does not have yet.
        self._tip = self._ledger.tip(lost=self.asked.recover and not self._recovered)
        self._source, notes = current(self.repository, branch, push_along=not self.asked.dry_run)
        for line in notes:
            note(line)
        self._signs = found.signs
        self._fleet = Fleet(CommitTree(self.repository, self._source))
        self._store = self._open()
        with nullcontext() if self.asked.dry_run else self._store.hold():
            return self._held()

    def _held(self) -> Published:
        """Publish while nobody else of this machine writes to the store."""
        kept = self._store.read(MANIFEST)
        manifest = self._manifest(kept)
        if self.asked.recover and not self._recovered:
            signer = Signer(clock.pretended(), self._signs, urgent=True)
            Recovery(self._ledger, self._store, self._fleet, signer, self.asked.reason or "").run(kept, manifest)
            self._recovered = True
            # From the start, with the ledger that there is now.
            raise Lost("the ledger was recovered")
        self._check_known(manifest)
        page = Page(self.repository, self._tip) if self._tip else None
        previous = page.record() if page else None
        self._check_source(previous)
        if page and previous and (manifest is None or manifest.ledger != page.commit):
            if self.asked.dry_run:
                note(f"#{previous.sequence} is not uploaded in full yet: the next publish finishes that first")
            else:
                kept, manifest = self._finish(page, previous, kept, manifest)
        now = checked_clock(clock.now(), previous.at if previous else None, reset=self.asked.reset_clock)
        plan, found = self._plan(previous, now)
        if self.asked.dry_run:
            whole = manifest is None or (previous is not None and manifest.ledger != previous.commit)
            return self._dry(plan, found, self._difference(plan, None if whole else manifest, manifest))
        commit = self._record(plan, page) if plan.worth_recording else page.commit if page else ""
        change = self._difference(plan, manifest, manifest)
        self._upload(change, self._manifest_of(plan, commit, change), plan.sequence, kept, manifest)
        return self._published(plan, found, commit, change, recorded=plan.worth_recording)

    def _open(self) -> Store:
        url = self.asked.to or os.environ.get(TO) or self._fleet.settings.publish_to
        if clock.pretended() and not url.startswith("file:"):
            raise Refused(
                f"{clock.VARIABLE} is set, and {url} is for real: under a pretended clock only file: is allowed"
            )
        return open_store(url, self.repository.root)

    def _manifest(self, kept: Kept | None) -> Manifest | None:
        if kept is None:
            return None
        try:
            manifest = parse_manifest(kept.data)
        except ValueError as wrong:
            if self.asked.recover:
                return None
            # Falls to exit 1: what lies there may be somebody else's.
            raise Refused(
                f"{self._store.address}: {MANIFEST} is none of ours ({wrong}): is it the right place? If so, delete it"
            ) from None
        if manifest.fleet != self._fleet.settings.fleet:
            raise Refused(
                f"{self._store.address}: holds fleet {manifest.fleet}, and this is {self._fleet.settings.fleet}: "
                "publish to another place"
            )
        return manifest

    def _check_known(self, manifest: Manifest | None) -> None:
        """Refuse to go on where the store names an entry that the ledger does not have."""
        if manifest is None or manifest.ledger == self._tip:
            return
        if self._tip and self.repository.descends(self._tip, manifest.ledger):
            return
        cut = " (this clone's history is cut off: git fetch --unshallow)" if self.repository.shallow else ""
        have = f"{LEDGER} is at {self._tip[:7]}, which does not follow it" if self._tip else f"there is no {LEDGER}"
        raise Refused(
            f"{self._store.address} was published by entry {manifest.ledger[:7]} (#{manifest.sequence}), and {have}"
            f"{cut}: the ledger was lost or rewritten: push the right one, or tsunami publish --recover --reason ..."
        )

    def _check_source(self, previous: Record | None) -> None:
        """Refuse to go back behind what was published: a halt may lie between."""
        if previous is None or self.asked.accept_rewind or self.repository.descends(self._source, previous.source):
            return
        cut = ", or history is cut off here (git fetch --unshallow)" if self.repository.shallow else ""
        raise Refused(
            f"{self._source[:7]} does not follow {previous.source[:7]}, from which #{previous.sequence} was published: "
            f"the branch went back{cut}; nobody was told anything; if it is meant, publish --accept-rewind --reason ..."
        )

    def _plan(self, previous: Record | None, now: datetime) -> tuple[Publication, Admitted]:
        """Return what is told, from the files of the source."""
        fleet, settings = self._fleet, self._fleet.settings
        check_shrink(previous, fleet.inventory.hosts, settings, self.asked.accept_shrink)
        good, bad = fleet.split()
        told = told_variables(previous)
        gone = told - set(fleet.names)
        self._causes = Causes(self.repository, self._source, settings.inventory)
        vanished = {name for name in gone if not self._causes.retired(name)}
        wrong = [(one.name, one.errors[0]) for one in bad]
        found = admitted(good, wrong, vanished, told)
        old = {v.name: previous.told(v.name) if previous else None for v in found.variables}
        tellings = {v.name: tell(v, fleet.roles, now, old[v.name], settings.every) for v in found.variables}
        return publication(previous, fleet.roles, found.variables, found.kept, now, tellings), found

    def _record(self, plan: Publication, page: Page | None) -> str:
        """Commit what is told to the ledger."""
        files = entry_files(plan, self._causes.of, set(page.files()) if page else set())
        message = minutes(plan, self._causes.of, self._source, self.asked.accepted)
        signer = Signer(plan.now, self._signs, urgent=True)
        parents = [page.commit] if page else []
        commit = self._ledger.append(parents, files, message, signer, self._tip)
        if plan.sequence % REPACK_EVERY == 0:
            self._ledger.repack()
        return commit

    def _difference(self, plan: Publication, known: Manifest | None, manifest: Manifest | None) -> Sync:
        """Return how the store gets to what is told; `known` is the manifest where it is that of the last entry."""
        settings, kept = self._fleet.settings, manifest.objects if manifest else {}
        per_host = bool(known) and any(path.startswith("hosts/") for path in kept)
        if known is not None and plan.previous is not None and per_host == settings.per_host:
            changed = {role: plan.bundle(role) for role in plan.roles_changed}
            return sync(kept, plan.previous.bundles, changed, per_host=settings.per_host)
        return sync(kept, None, plan.all_bundles(), per_host=settings.per_host)

    def _manifest_of(self, plan: Publication, commit: str, change: Sync) -> Manifest:
        settings = self._fleet.settings
        expires = plan.now + settings.expire
        return Manifest(settings.fleet, plan.sequence, plan.now, expires, self._source, commit, change.objects)

    def _finish(
        self, page: Page, record: Record, kept: Kept | None, manifest: Manifest | None
    ) -> tuple[Kept | None, Manifest | None]:
        """Finish the upload of the last entry; return what lies there then."""
        settings = self._fleet.settings
        bundles: Mapping[str, bytes | None] = page.raw_bundles()
        change = sync(manifest.objects if manifest else {}, None, bundles, per_host=settings.per_host)
        ours = Manifest(
            settings.fleet,
            record.sequence,
            record.at,
            record.at + settings.expire,
            record.source,
            page.commit,
            change.objects,
        )
        self._upload(change, ours, record.sequence, kept, manifest)
        kept = self._store.read(MANIFEST)
        return kept, self._manifest(kept)

    def _upload(
        self, change: Sync, ours: Manifest, sequence: int, kept: Kept | None, manifest: Manifest | None
    ) -> None:
        known = manifest.objects if manifest else {}
        total = len(change.puts)
        try:
            if change.puts:
                self._store.write(change.puts, sequence, known, lambda done: self.report(done, total))
            if change.deletes:
                self._store.delete(change.deletes, sequence)
            self._store.write_manifest(ours.text, sequence, kept)
        except Unreachable as down:
            what = "is recorded, but not uploaded in full: the next publish finishes it"
            raise Unreachable(f"{down}; #{sequence} {what}") from None

    def _published(self, plan: Publication, found: Admitted, commit: str, change: Sync, *, recorded: bool) -> Published:
        return Published(
            publication=plan,
            fleet=self._fleet.settings.fleet,
            source=self._source,
            ledger=commit or None,
            recorded=recorded,
            address=self._store.address,
            uploaded=len(change.puts),
            deleted=len(change.deletes),
            objects=len(change.objects),
            held=self._what_is_held(plan, found),
            problems=found.problems,
            dry_run=self.asked.dry_run,
            puts=sorted(change.puts) if self.asked.dry_run else (),
        )

    def _dry(self, plan: Publication, found: Admitted, change: Sync) -> Published:
        return self._published(plan, found, self._tip or "", change, recorded=False)

    def _what_is_held(self, plan: Publication, found: Admitted) -> list[Held]:
        held = [Held(name, "its file cannot be used: everybody keeps what they have") for name in sorted(found.kept)]
        for variable in plan.variables:
            reasons = held_back(variable, self._fleet.roles, plan.told[variable.name], plan.now, guarded=False)
            held += [Held(variable.name, why) for why in reasons]
        return held
