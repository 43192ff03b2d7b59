"""How a ledger that was lost or rewritten comes back: from this clone where it has it, else from the store."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tsunami_cli.adapters.git.ledger import Ledger
from tsunami_cli.adapters.git.pages import Page
from tsunami_cli.adapters.git.trees import CommitTree
from tsunami_cli.adapters.git.writing import Signer
from tsunami_cli.adapters.store.model import Store
from tsunami_cli.commands.fleet import Fleet
from tsunami_cli.commands.shelf import Shelf
from tsunami_cli.core.journal import clean_reason
from tsunami_cli.core.manifest import Manifest
from tsunami_cli.core.model import Variable
from tsunami_cli.core.record import (
    CHANGES,
    LEDGER,
    PINNED,
    PROGRESS,
    RECENT,
    ROLES,
    TOLD,
    parse_bundle,
    pinned_text,
    progress_text,
    recent_text,
    told_text,
    trailers_text,
    values_in,
)
from tsunami_cli.core.recovery import recovered
from tsunami_cli.errors import Refused


@dataclass(frozen=True)
class Recovery:
    """One recovery."""

    ledger: Ledger
    fleet: Fleet
    signer: Signer
    reason: str

    def run(self, shelf: Shelf) -> None:
        """Put a ledger back that the store's manifest follows from."""
        manifest = shelf.manifest
        if manifest is None:
            raise Refused(
                f"{shelf.store.address}: has no manifest, so it names no entry to recover: a ledger that you have "
                f"elsewhere is put back with git push REMOTE {LEDGER}"
            )
        tip = self.ledger.tip(lost=True)
        repository = self.ledger.repository
        if tip and (tip == manifest.ledger or repository.descends(tip, manifest.ledger)):
            # It is all there: nothing was lost, or somebody else was faster.
            return
        known = [one for one in self.ledger.known() if repository.descends(one, manifest.ledger)]
        lost = next(iter(known), manifest.ledger if repository.objects.read(manifest.ledger) else None)
        if lost is None:
            self._from_store(tip, shelf, manifest)
        elif tip is None or repository.descends(lost, tip):
            self.ledger.put(lost, tip)
        else:
            self._join(lost, tip)

    def _join(self, lost: str, tip: str) -> None:
        """Make an entry on both: what the lost one says counts, and nothing is pushed by force."""
        record = Page(self.ledger.repository, lost).record()
        sequence = max(record.sequence, self._sequence(tip)) + 1
        what = f"recovered: {lost[:7]}, which was lost, counts again, with {tip[:7]}, which stood in its place"
        self.ledger.append(
            [lost, tip], {CHANGES: b""}, self._message(what, sequence, record.source, record.at), self.signer, tip
        )

    def _message(self, what: str, sequence: int, source: str, at: datetime) -> str:
        paragraphs = [f"#{sequence} {what}", clean_reason(self.reason) or "", trailers_text(source, at, sequence)]
        return "\n\n".join(filter(None, paragraphs)) + "\n"

    def _from_store(self, tip: str | None, shelf: Shelf, manifest: Manifest) -> None:
        """Make an entry of what was published, and a manifest that names it."""
        bundles = _bundles(shelf.store, manifest)
        objects = {host: text for data in bundles.values() for host, text in parse_bundle(data).objects.items()}
        sequence = max(manifest.sequence, self._sequence(tip)) + 1
        good = self._variables(objects)
        at = manifest.rendered_at
        told = {v.name: recovered(v, self.fleet.roles, objects, at) for v in good}
        files: dict[str, bytes | None] = {f"{ROLES}/{role}.json": data for role, data in bundles.items()}
        if tip:
            # What stood in its place is no ground for anything.
            there = CommitTree(self.ledger.repository, tip).paths()
            files = dict.fromkeys(there) | files
        files[CHANGES] = b""
        files[PROGRESS] = progress_text({r: e for one in told.values() for r, e in one.progress.items()})
        files[PINNED] = pinned_text({n: {h: one.given[h] for h in one.pinned} for n, one in told.items()})
        files[RECENT] = recent_text({})
        files |= {
            f"{TOLD}/{v.name}.csv": told_text(told[v.name], [r.id for r in v.rollouts]) for v in good if v.rollouts
        }
        what = f"recovered from {shelf.store.address}: since when hosts have what they have is not known any more"
        message = self._message(what, sequence, manifest.source, at)
        commit = self.ledger.append([tip] if tip else [], files, message, self.signer, tip)
        ours = Manifest(manifest.fleet, sequence, at, manifest.expires_at, manifest.source, commit, manifest.objects)
        shelf.store.write_manifest(ours.text, sequence, shelf.kept)

    def _sequence(self, tip: str | None) -> int:
        """Return the number of an entry; 0 for a commit that is none."""
        if tip is None:
            return 0
        try:
            return Page(self.ledger.repository, tip).sequence
        except Refused:
            return 0

    def _variables(self, objects: Mapping[str, str]) -> Sequence[Variable]:
        """Return the variables; Refused where one is broken: which hosts its rollout moved would be forgotten."""
        good, bad = self.fleet.split()
        known = {name for text in set(objects.values()) for name in values_in(text)}
        for one in bad:
            if one.name in known:
                raise Refused(f"{one.errors[0]}: mend it first: without it, whom its rollouts moved would be forgotten")
        return good


def _bundles(store: Store, manifest: Manifest) -> Mapping[str, bytes]:
    found: dict[str, bytes] = {}
    for path, listed in manifest.objects.items():
        folder, _, name = path.partition("/")
        if folder != ROLES:
            continue
        read = store.read(path)
        if read is None or hashlib.sha256(read.data).hexdigest() != listed["sha256"]:
            # Falls to exit 1: half of what hosts were told is no ground to tell them anything.
            raise Refused(f"{store.address}: {path} is not as its manifest says: the ledger cannot be recovered")
        found[name.removesuffix(".json")] = read.data
    return found
