"""What lies in the store, and how it gets to what hosts are told."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tsunami_cli.adapters import clock
from tsunami_cli.adapters.store.model import Kept, Store
from tsunami_cli.adapters.store.opening import open_store
from tsunami_cli.core.manifest import HOSTS, MANIFEST, Manifest, Sync, parse_manifest, sync
from tsunami_cli.core.model import Settings
from tsunami_cli.core.publishing import Publication
from tsunami_cli.errors import Refused, Unreachable

TO = "TSUNAMI_PUBLISH_TO"

Report = Callable[[int, int], None]
"""Told how many of how many objects are uploaded."""


def silent(done: int, total: int) -> None:
    """Report to nobody."""


@dataclass
class Shelf:
    """The store of a fleet, with its manifest as it was read last."""

    store: Store
    settings: Settings
    report: Report
    kept: Kept | None = None
    manifest: Manifest | None = None

    @classmethod
    def open(cls, root: Path, settings: Settings, to: str | None, report: Report) -> "Shelf":
        """Find the store: the one asked for, the environment's, or that of the settings."""
        url = to or os.environ.get(TO) or settings.publish_to
        if clock.pretended() and not url.startswith("file:"):
            raise Refused(
                f"{clock.VARIABLE} is set, and {url} is for real: under a pretended clock only file: is allowed"
            )
        return cls(open_store(url, root), settings, report)

    def look(self, *, lenient: bool = False) -> None:
        """Read the manifest; Refused where it is none of this fleet, unless `lenient` takes that for none."""
        self.manifest, self.kept = None, self.store.read(MANIFEST)
        if self.kept is None:
            return
        try:
            self.manifest = parse_manifest(self.kept.data)
        except ValueError as wrong:
            if lenient:
                return
            # Falls to exit 1: what lies there may be somebody else's.
            raise Refused(
                f"{self.store.address}: {MANIFEST} is none of ours ({wrong}): is it the right place? If so, delete it"
            ) from None
        if self.manifest.fleet != self.settings.fleet:
            raise Refused(
                f"{self.store.address}: holds fleet {self.manifest.fleet}, and this is {self.settings.fleet}: publish "
                "to another place"
            )

    def shows(self, commit: str) -> bool:
        """Say whether a ledger entry is uploaded in full."""
        return self.manifest is not None and self.manifest.ledger == commit

    def whole(self, bundles: Mapping[str, bytes | None]) -> Sync:
        """Return how the store gets to these bundles, whatever lies there now."""
        kept = self.manifest.objects if self.manifest else {}
        return sync(kept, None, bundles, per_host=self.settings.per_host)

    def difference(self, plan: Publication, *, whole: bool) -> Sync:
        """Return how the store gets to what is told from the last entry; or, `whole`, from whatever lies there."""
        kept = self.manifest.objects if self.manifest else {}
        per_host = any(path.startswith(f"{HOSTS}/") for path in kept)
        if whole or not kept or plan.previous is None or per_host != self.settings.per_host:
            return self.whole(plan.all_bundles())
        changed = {role: plan.bundle(role) for role in plan.roles_changed}
        return sync(kept, plan.previous.bundles, changed, per_host=per_host)

    def bring(self, change: Sync, sequence: int, at: datetime, source: str, ledger: str) -> None:
        """Upload what differs, delete what is gone, and write the manifest last.

        Raises Unreachable where the store fails, Overtaken where another publisher has been there meanwhile.
        """
        ours = Manifest(self.settings.fleet, sequence, at, at + self.settings.expire, source, ledger, change.objects)
        total = len(change.puts)
        known = self.manifest.objects if self.manifest else {}
        try:
            if change.puts:
                self.store.write(change.puts, sequence, known, lambda done: self.report(done, total))
            if change.deletes:
                # Before the manifest: a publisher that is killed in between has it done again by the next one.
                self.store.delete(change.deletes, sequence)
            self.store.write_manifest(ours.text, sequence, self.kept)
        except Unreachable as down:
            what = "is recorded, but not uploaded in full: the next publish finishes it"
            raise Unreachable(f"{down}; #{sequence} {what}") from None
