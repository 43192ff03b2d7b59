"""What a change does to one variable whose file differs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tsunami_cli.core.journal import Entry
from tsunami_cli.core.lineup import Role
from tsunami_cli.core.model import Variable
from tsunami_cli.core.nodes import Node, plain
from tsunami_cli.core.previewing.courses import Course, course_of
from tsunami_cli.core.previewing.keys import KeyChange, key_changes
from tsunami_cli.core.previewing.preview import VariableChange
from tsunami_cli.core.previewing.remark import Remark, fresh, gone_remark, is_about_the_start
from tsunami_cli.core.previewing.remarks import LONG_AGO, Reviewed, remarks
from tsunami_cli.core.previewing.standing import Standing, kept, standing, turns
from tsunami_cli.core.problems import Problem
from tsunami_cli.core.told import Told


@dataclass(frozen=True, slots=True)
class Version:
    """A variable's file on one side of a change."""

    variable: Variable | None
    """None where it has errors."""
    root: Node | None
    problems: Sequence[Problem]


@dataclass(frozen=True, slots=True)
class Side:
    """The fleet on one side of a change."""

    roles: Sequence[Role]
    every: timedelta
    """How often publishes are meant to run."""


@dataclass(frozen=True, slots=True)
class Case:
    """One variable whose file differs; of each pair the first is without the change, the second with it."""

    name: str
    file: str
    versions: tuple[Version | None, Version | None]
    """None for no file."""
    sides: tuple[Side, Side]
    now: datetime
    told: Told | None
    """What the ledger says; None where nothing was ever published."""
    decisions: Sequence[Entry]
    stays: Collection[str] | None = None
    """Hosts of both inventories: that others come and go is the inventory's news. None where that is the same."""

    @property
    def retired(self) -> bool:
        """Whether it was decided that hosts are told it no more."""
        return any(entry.action == "retire" for entry in self.decisions)

    def mended(self, after: Variable) -> bool:
        """Say whether the file had errors, and its rollout is one that hosts were told of: it is no new one."""
        old = self.versions[0]
        broken = old is not None and old.variable is None
        return broken and after.active is not None and self.told is not None and after.active.id in self.told.progress

    def standing(self, place: int) -> Standing | None:
        """Return where one side stands: by its file; as told where that has errors or went without a decision."""
        version, side = self.versions[place], self.sides[place]
        if version is not None and version.variable is not None:
            return standing(version.variable, side.roles, self.now, self.told, side.every)
        if version is None and (self.retired or self.told is None or not self.told.given):
            return None
        found = kept(side.roles, self.told)
        return found if found.given else None


def variable_change(case: Case) -> VariableChange:
    """Return what a change does to one variable."""
    old, new = case.versions
    was, will = case.standing(0), case.standing(1)
    found, spared = turns(was.given if was else {}, will.given if will else {}, case.told)
    if old is not None and new is not None and case.stays is not None:
        found = [turn for turn in found if turn.host in case.stays]
        spared = [host for host in spared if host in case.stays]
    before, after = (version.variable if version else None for version in case.versions)
    course = course_of(before, after, case.sides[1].roles, case.now) if after and not case.mended(after) else None
    problems = _gone(case, will) if new is None else _broken(new)
    if after is not None and new is not None and new.root is not None:
        actions = {entry.action for entry in case.decisions}
        reviewed = Reviewed(case.file, new.root, before, was, after, course, found, actions, case.now)
        problems = sorted({*_checks(old, new, course, case.now), *remarks(reviewed)})
    return VariableChange(
        name=case.name,
        file=case.file,
        kind="removed" if new is None else "added" if old is None else "changed",
        before=was,
        after=will,
        broken=new is not None and after is None,
        turns=found,
        spared=spared,
        course=course,
        keys=_keys(old, new, course) if old and new else (),
        decisions=case.decisions,
        problems=problems,
    )


def _gone(case: Case, after: Standing | None) -> list[Remark]:
    """Say that a file was deleted without a decision, unless no host would notice."""
    hosts = len(after.given) if after else 0
    if case.retired or (case.told is not None and not hosts):
        return []
    return [gone_remark(case.file, case.name, hosts if case.told is not None else None)]


def _broken(new: Version) -> list[Remark]:
    """Return what is wrong with a file, new or not: it is why nothing else can be said."""
    return [Remark.of(problem) for problem in new.problems]


def _checks(old: Version | None, new: Version, course: Course | None, now: datetime) -> list[Remark]:
    """Return what `validate` finds that it did not find before."""
    found = fresh(old.problems if old else (), new.problems)
    if course is not None and course.rollout.schedule.starts < now - LONG_AGO:
        return [one for one in found if not is_about_the_start(one)]
    return found


def _keys(old: Version, new: Version, course: Course | None) -> list[KeyChange]:
    """Return what differs in the file, but for the rollout that is told of at length."""
    if old.root is None or new.root is None:
        return []
    told = ("rollouts", f"rollouts.{course.rollout.id}" if course and course.kind == "new" else "")
    found = key_changes(plain(old.root), plain(new.root))
    return [change for change in found if change.key not in told or change.before is not None]
