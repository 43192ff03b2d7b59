"""A ledger on paper: every entry is written as files and read again, as git would keep it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tests.core.fleets import EVERY, holds
from tsunami_cli.core.entry import entry_files
from tsunami_cli.core.inventory import Inventory
from tsunami_cli.core.lineup import roles_of
from tsunami_cli.core.model import Variable
from tsunami_cli.core.publishing import Publication, publication
from tsunami_cli.core.record import (
    HELD,
    PINNED,
    PROGRESS,
    RECENT,
    ROLES,
    TOLD,
    Record,
    parse_bundle,
    parse_held,
    parse_pinned,
    parse_progress,
    parse_recent,
    parse_told,
)
from tsunami_cli.core.told import tell


@dataclass
class Paper:
    """The files of the newest entry."""

    files: dict[str, bytes] = field(default_factory=dict)
    sequence: int = 0
    at: datetime | None = None

    def record(self) -> Record | None:
        if self.at is None:
            return None
        bundles = {
            path.removeprefix(f"{ROLES}/").removesuffix(".json"): parse_bundle(data)
            for path, data in self.files.items()
            if path.startswith(f"{ROLES}/")
        }
        return Record(
            sequence=self.sequence,
            at=self.at,
            commit=f"{self.sequence:040x}",
            source="a" * 40,
            bundles=bundles,
            rows=lambda name: parse_told(self.files.get(f"{TOLD}/{name}.csv")),
            progress=parse_progress(self.files.get(PROGRESS)),
            pinned=parse_pinned(self.files.get(PINNED)),
            recent=parse_recent(self.files.get(RECENT)),
            holds=parse_held(self.files.get(HELD)),
        )

    def plan(
        self,
        variables: Sequence[Variable],
        fleet: Inventory,
        now: datetime,
        kept: Sequence[str] = (),
        held: bool = False,
    ) -> Publication:
        previous, roles = self.record(), roles_of(fleet)
        told = {
            v.name: tell(
                v, roles, now, previous.told(v.name) if previous else None, EVERY, held=holds(now) if held else ()
            )
            for v in variables
        }
        return publication(previous, roles, variables, kept, now, told)

    def write(self, plan: Publication) -> None:
        if not plan.worth_recording:
            return
        there = [path for path in self.files if path.startswith(f"{TOLD}/")]
        for path, data in entry_files(plan, lambda ground: None, there).items():
            if data is None:
                self.files.pop(path, None)
            else:
                self.files[path] = data
        self.sequence, self.at = plan.sequence, plan.now

    def publish(
        self,
        variables: Sequence[Variable],
        fleet: Inventory,
        now: datetime,
        kept: Sequence[str] = (),
        held: bool = False,
    ) -> Publication:
        plan = self.plan(variables, fleet, now, kept, held)
        self.write(plan)
        return plan

    def values(self, variable: str) -> dict[str, str]:
        """Return what hosts were told of a variable, by the bundles alone."""
        record = self.record()
        assert record is not None
        told = record.told(variable)
        return {host: told.given[host] for host in record.objects if host in told.given}
