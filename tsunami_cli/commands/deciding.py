"""How every decision is carried out: read the branch's tip, decide, edit, commit, push; again if others were faster."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from tsunami_cli.adapters import clock
from tsunami_cli.adapters.git.decider import Decision, Outcome, decide
from tsunami_cli.adapters.git.history import decisions
from tsunami_cli.adapters.git.remote import Lost, remote_of, settings
from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.adapters.git.trees import CommitTree, WorkTree
from tsunami_cli.adapters.yaml.edits import edit
from tsunami_cli.commands.fleet import (
    FOLDER,
    MAIN,
    SETTINGS,
    Fleet,
    Loaded,
    load_settings,
    load_variable,
    note,
    required,
)
from tsunami_cli.commands.workspace import LEDGER
from tsunami_cli.core.decisions import Change, halt_edits
from tsunami_cli.core.freezing import Line
from tsunami_cli.core.journal import entries, message
from tsunami_cli.core.lineup import Role
from tsunami_cli.core.model import Rollout, Variable
from tsunami_cli.core.problems import Refusal
from tsunami_cli.core.status import Status, status_of
from tsunami_cli.core.told import Told
from tsunami_cli.errors import Refused
from tsunami_cli.output.streams import outlive_readers

if TYPE_CHECKING:
    from tsunami_cli.core.record import Record


@dataclass(frozen=True, slots=True)
class Made:
    """A decision on one variable, and what it was made on."""

    change: Change
    loaded: Loaded


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of decisions."""

    made: Sequence[Made]
    outcome: Outcome
    branch: str
    elsewhere: str | None = None
    """What is checked out here, where it is not that branch; empty for no branch."""

    @property
    def exit_code(self) -> int:
        """0, or that of the failure that left an urgent decision in this clone alone."""
        return self.outcome.failure.exit_code if self.outcome.failure else 0


class Decider:
    """The repository in which decisions are made, and the instant at which they are."""

    def __init__(self, folder: Path | None, repository: Repository | None = None) -> None:
        """Take a repository, or find the one around a folder; Refused where there is none."""
        self.repository = repository or Repository.discover(folder or Path.cwd())
        self.now = clock.now()
        self._fetched: str | None = None
        """The newest ledger entry, as the remote has it."""
        outlive_readers()

    def decide(
        self,
        make: Callable[[Fleet], Sequence[Made]],
        reason: str | None,
        *,
        urgent: bool = False,
        keep: bool = True,
        line: Callable[[Fleet], Line | None] | None = None,
    ) -> Decided:
        """Make decisions on the branch's tip and commit them together.

        `make` decides on a fleet. It is asked again where others were faster, but not on another rollout than the one
        that was decided on first, unless it is `urgent`. Without `keep` nothing stays here that the remote cannot have.
        `line` decides on the line as a whole; where it has nothing to decide, nothing is.
        """
        branch = self._branch(urgent=urgent)
        self.fetch_ledger(branch, urgent=urgent)
        attempts: list[Sequence[Made]] = []

        def change(tree: CommitTree) -> Decision | None:
            fleet = Fleet(tree)
            stop = line(fleet) if line else None
            made = make(fleet) if stop or not line else ()
            if attempts and not urgent and (stop or not line):
                _check_same(attempts[0], made)
            attempts.append(made)
            if stop is None:
                return _decision(made, reason) if made else None
            return _on_line(stop, fleet, _decision(made, reason, stop))

        outcome = decide(self.repository, branch, change, urgent=urgent, keep=keep, now=clock.pretended())
        for said in outcome.notes:
            note(said)
        here = (self.repository.head_ref() or "").removeprefix("refs/heads/")
        return Decided(attempts[-1], outcome, branch, None if here == branch else here)

    def one(self, name: str, make: Callable[[Fleet, Status], Change], reason: str | None) -> Decided:
        """Make one decision on one variable, whose status it is made from."""
        return self.decide(lambda fleet: [self._make(name, make, fleet)], reason)

    def try_one(self, name: str, make: Callable[[Fleet, Status], Change]) -> Change:
        """Return the decision that `one` would commit on the branch as it is known here."""
        tip = self.repository.counting_tip(self._branch())
        if tip is None:
            raise Refused(f"nothing is committed on {self._branch()} yet: git add, git commit, then again")
        return self._make(name, make, Fleet(CommitTree(self.repository, tip))).change

    def fetch_ledger(self, branch: str, *, urgent: bool) -> None:
        """Get to know what hosts were told lately: what is decided goes on from there."""
        if urgent or not self.repository.has_remote:
            return
        from tsunami_cli.adapters.git.ledger import Ledger, ledger_at

        remote = remote_of(settings(self.repository), branch)
        if remote is None:
            return
        try:
            self._fetched = Ledger(self.repository, ledger_at(remote)).tip(lost=True)
        except Lost:
            # Falls to what is known here: another process was just fetching the same.
            return

    def told(self, variable: Variable) -> Told | None:
        """Return what hosts were told of a variable; None where nothing was published."""
        return self._record.told(variable.name) if self._record else None

    def told_anyhow(self, variable: Variable) -> Told | None:
        """Return what hosts were told; a damaged ledger must not keep a rollout from being stopped."""
        try:
            return self.told(variable)
        except Refused as reason:
            note(f"{reason} (it is stopped all the same; counts are as planned)")
            return None

    @cached_property
    def _record(self) -> "Record | None":
        if not self._fetched and not self.repository.tip(LEDGER) and not self.repository.tracked(LEDGER):
            return None
        from tsunami_cli.adapters.git.pages import Page, known_tip

        tip = self._fetched or known_tip(self.repository)
        return Page(self.repository, tip).record() if tip else None

    def rollout_ids(self, fleet: Fleet, name: str) -> frozenset[str]:
        """Return the ids of rollouts that were decided on lately: an id holds its second, and is never used twice."""
        if not isinstance(fleet.tree, CommitTree):
            return frozenset()
        recent = takewhile(
            lambda commit: commit.at > self.now - timedelta(days=1),
            decisions(self.repository, fleet.tree.commit, [f"{FOLDER}/{name}.yaml"]),
        )
        return frozenset(entry.rollout for entry in entries(recent) if entry.rollout)

    def _make(self, name: str, make: Callable[[Fleet, Status], Change], fleet: Fleet) -> Made:
        if name not in fleet.names and name in Fleet(WorkTree(self.repository.root)).names:
            raise Refused(f"{name}: is not on {self._branch()} yet: commit it there, or merge it, first")
        loaded = fleet.load(name)
        if loaded.variable is None:
            raise Refused(f"{loaded.errors[0]}: nothing can be decided on it until that is mended")
        told = self.told(loaded.variable)
        return Made(make(fleet, status_of(loaded.variable, fleet.roles, self.now, told)), loaded)

    def _branch(self, *, urgent: bool = False) -> str:
        """Return the branch that counts, as the checkout's settings say.

        A halt must not fail because somebody broke those: it takes what is committed, or else the usual name.
        """
        try:
            return Fleet(WorkTree(self.repository.root)).settings.branch
        except Refused as reason:
            if not urgent:
                raise
            note(f"{reason} (the halt goes on without it)")
        for tip in (self.repository.head_commit(), self.repository.tip(MAIN)):
            tree = CommitTree(self.repository, tip) if tip else None
            if tree is None or tree.read(SETTINGS) is None:
                continue
            try:
                return Fleet(tree).settings.branch
            except Refused:
                return MAIN
        raise Refused(f"{SETTINGS}: there is none here, nor on {MAIN}: lay out a rollouts repository with tsunami init")


def roles_anyhow(fleet: Fleet) -> tuple[Role, ...]:
    """Return the roles of the fleet; a broken inventory must not keep a rollout from being stopped."""
    try:
        return fleet.roles
    except Refused as reason:
        note(f"{reason} (it is stopped all the same; counts are missing)")
        return ()


def _on_line(line: Line, fleet: Fleet, decision: Decision) -> Decision:
    """Return a decision with the settings changed too, and checked again."""

    def edited(data: bytes) -> bytes:
        new = edit(data, line.edits, SETTINGS)
        required(*load_settings(new))
        return new

    data = edited(fleet.tree.read(SETTINGS) or b"")
    return replace(decision, files={SETTINGS: data, **decision.files}, redo={SETTINGS: edited, **decision.redo})


def _decision(made: Sequence[Made], reason: str | None, line: Line | None = None) -> Decision:
    """Return the commit of decisions that were made together, its files edited and checked again."""
    files: dict[str, bytes | None] = {}
    for one in made:
        if one.change.action == "retire":
            files[one.loaded.file] = None
            continue
        data = edit(one.loaded.data, one.change.edits, one.loaded.file) if one.change.edits else one.loaded.data
        again = load_variable(data, one.loaded.file, None)
        if again.variable is None:
            raise Refused(f"{again.errors[0]}: the file would not be valid any more; nothing was changed")
        files[one.loaded.file] = data
    redo = {one.loaded.file: _again(one) for one in made if one.change.action == "halt"}
    return Decision(message([one.change for one in made], reason, line), files, redo)


def _again(one: Made) -> Callable[[bytes], bytes]:
    """Return how to write a halt into a file that somebody is editing: on the rollout of the same id."""

    def redo(data: bytes) -> bytes:
        theirs, ours = load_variable(data, one.loaded.file, None).variable, one.change.variable.active
        if theirs is None or ours is None or theirs.active is None or theirs.active.id != ours.id:
            raise Refused(f"{one.loaded.file}: its edited text has errors or another rollout")
        if theirs.active.halted or ours.halted is None:
            return data
        return edit(data, halt_edits(theirs, ours.halted), one.loaded.file)

    return redo


def _check_same(first: Sequence[Made], again: Sequence[Made]) -> None:
    """Refuse to decide on another rollout than the operator saw."""
    if _entries(first) != _entries(again):
        names = ", ".join(one.change.variable.name for one in first)
        raise Refusal(f"{names}: somebody else decided on it meanwhile: look at tsunami status, then say it again")


def _entries(made: Sequence[Made]) -> list[tuple[Rollout, ...]]:
    return [one.loaded.variable.rollouts if one.loaded.variable else () for one in made]
