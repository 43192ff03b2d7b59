"""The repository around a folder, as commands that look see it: its fleet, and what hosts were told."""

import weakref
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tsunami_cli.adapters import clock
from tsunami_cli.adapters.git.repository import Repository, differs
from tsunami_cli.adapters.git.trees import CommitTree, WorkTree
from tsunami_cli.commands.fleet import FOLDER, SETTINGS, Fleet, Loaded, note
from tsunami_cli.core.lineup import Role
from tsunami_cli.core.model import Variable
from tsunami_cli.core.told import Told, foreseen, tell

if TYPE_CHECKING:
    from tsunami_cli.adapters.git.pages import Page
    from tsunami_cli.adapters.git.repository import Differences
    from tsunami_cli.core.admission import Admitted
    from tsunami_cli.core.record import Record

LEDGER = "tsunami-ledger"
"""The branch that records what hosts were told."""


class Workspace:
    """The repository around a folder, with its fleet, what the ledger says, and the instant of this run.

    The fleet is that of the work tree; looking back, that of the source which the newest ledger entry of then names.
    """

    def __init__(self, folder: Path | None, at: datetime | None = None) -> None:
        """Find the repository; Refused where there is none. `at` replaces the present for looking back or ahead."""
        self.repository = Repository.discover(folder or Path.cwd())
        present = clock.now()
        self.now = at or present
        self.ahead = self.now > present
        """Whether this run looks ahead."""
        self.back = self.now < present
        """Whether this run looks back."""
        self.page = self._page()
        """The ledger entry that counts; None where there is none."""
        self._comparing: Differences | None = None
        if self.back and self.page is not None:
            self.source: str | None = self.page.source
            self.fleet = Fleet(CommitTree(self.repository, self.page.source))
            return
        self.source = self.repository.head_commit()
        """The commit that is checked out, or looked back at."""
        self.fleet = Fleet(WorkTree(self.repository.root))
        paths = [FOLDER, SETTINGS, self.fleet.settings.inventory]
        self._comparing = differs(self.repository, self.fleet.settings.branch, paths)
        # Also where the command fails before it warns.
        weakref.finalize(self, self._comparing.close)

    @cached_property
    def record(self) -> "Record | None":
        """What the ledger says of all hosts; None where nothing was published."""
        return self.page.record() if self.page else None

    def record_of(self, role: Role) -> "Record | None":
        """Return what the ledger says of the hosts of one role: less to read."""
        return self.page.record({role.name}, frozenset(role.hosts)) if self.page else None

    def told(self, variable: Variable, roles: Sequence[Role], record: "Record | None") -> Told | None:
        """Return what hosts were told of a variable, or will have been; None where nothing was published."""
        told = record.told(variable.name) if record else None
        return foreseen(variable, roles, self.now, told) if told and self.ahead else told

    def answer(self, variable: Variable, roles: Sequence[Role], record: "Record | None") -> Told | None:
        """Return what hosts are to run: what a publish now would tell them; looking back, what they were told."""
        told = self.told(variable, roles, record)
        if told is None or self.ahead or self.back:
            return told
        # What the guard held last it holds until it has looked again.
        return tell(variable, roles, self.now, told, self.fleet.settings.every, held=told.held)

    def admitted(self, names: Sequence[str], record: "Record") -> "Admitted":
        """Return the variables of these names, or all, as a publish would take them on top of what was told.

        Those whose files are broken or gone are kept as they were told; Refused where one was never told.
        """
        from tsunami_cli.commands.causes import Causes
        from tsunami_cli.core.admission import admitted, told_variables

        told = told_variables(record)
        gone = {name for name in told - set(self.fleet.names) if not names or name in names}
        if gone and self.source is not None:
            causes = Causes(self.repository, self.source, self.fleet.settings.inventory)
            gone = {name for name in gone if not causes.retired(name)}
        # What this checkout never had is not gone: it is behind the branch, which is said elsewhere.
        unknown = {name for name in gone if not causes.knows(name)} if gone and self.source is not None else set()
        wanted = [name for name in names if name not in gone]
        good, bad = self.fleet.split(wanted) if wanted or not names else ([], [])
        found = admitted(good, [(one.name, one.errors[0]) for one in bad], gone - unknown, told)
        return replace(found, kept={*found.kept, *unknown})

    def _page(self) -> "Page | None":
        if self.repository.tip(LEDGER) is None and self.repository.tracked(LEDGER) is None:
            return None
        from tsunami_cli.adapters.git.pages import Page, entry_at, known_tip

        tip = known_tip(self.repository)
        if tip is None:
            return None
        found = entry_at(self.repository, tip, self.now) if self.back else tip
        return Page(self.repository, found) if found else None

    def warn(self) -> None:
        """Say where what was read is not what counts: the work tree may lack a halt that the branch has."""
        if self.page is None and not self.back and self.repository.has_remote:
            note(f"no {LEDGER} is known here: this is the plan, not what hosts were told (git fetch, if there is one)")
        if self._comparing is None:
            return
        differing = self._comparing.names() or ()
        if differing:
            more = f" and {len(differing) - 3} more" if len(differing) > 3 else ""
            files, branch = ", ".join(differing[:3]) + more, self.fleet.settings.branch
            behind = self.repository.counting_tip(branch) != self.repository.tip(branch)
            note(
                f"{files}: not as on {branch}, which counts; shown is what stands here{': git pull' if behind else ''}"
            )

    def complain(self, bad: Sequence[Loaded]) -> int:
        """Say which variables were left out because their files have errors; return the exit code."""
        for loaded in bad:
            note(f"{loaded.errors[0]} (left out here: tsunami validate)")
        return 1 if bad else 0
