"""`tsunami validate`: every problem of every file, in one run."""

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from tsunami_cli.adapters import clock
from tsunami_cli.adapters.git.repository import Repository, differs
from tsunami_cli.adapters.git.trees import CommitTree, WorkTree
from tsunami_cli.commands.fleet import (
    FOLDER,
    SETTINGS,
    Fleet,
    load_inventory,
    load_settings,
    load_variable,
    suggestion,
)
from tsunami_cli.commands.options import At, Folder, Json
from tsunami_cli.core.checks.document import Document
from tsunami_cli.core.checks.fleet import fleet_problems
from tsunami_cli.core.inventory import Inventory
from tsunami_cli.core.model import Settings, Variable
from tsunami_cli.core.nodes import Node
from tsunami_cli.core.problems import Problem
from tsunami_cli.core.waiting import in_vain
from tsunami_cli.errors import Refused


def command(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE]...", help="Files; all of the repository where none is named.", show_default=False
        ),
    ] = None,
    at: At = None,
    as_json: Json = False,
    folder: Folder = None,
) -> int:
    """Check settings, inventory and variables; list every problem with file, line and column. Exit 1 on errors.

    [dim]tsunami validate[/]

    [dim]tsunami validate rollouts/docker.yaml --json[/]
    """
    from tsunami_cli.output import validate as screen

    repository = Repository.discover(folder or Path.cwd())
    wanted = [_inside(repository.root, folder or Path.cwd(), file) for file in files or []]
    problems, count = _Check(repository, at or clock.now()).run(wanted)
    screen.show(problems, count, as_json=as_json)
    return 1 if any(problem.severity == "error" for problem in problems) else 0


def _inside(root: Path, base: Path, file: Path) -> str:
    """Return a file's path from the repository's root; links are left for the check to judge."""
    for start in (base, root):
        place = Path(os.path.normpath(start.resolve() / file))
        if place.is_relative_to(root) and (place.is_file() or place.is_symlink()):
            return place.relative_to(root).as_posix()
    raise Refused(f"{file}: there is no such file in {root}")


class _Check:
    """One run over the files of a work tree."""

    def __init__(self, repository: Repository, now: datetime) -> None:
        self._repository, self._now = repository, now
        self._fleet = Fleet(WorkTree(repository.root))
        self._problems: list[Problem] = []

    def run(self, wanted: list[str]) -> tuple[list[Problem], int]:
        """Return the problems of the wanted files, or of all, and how many files that is."""
        settings = self._settings()
        inventory = self._inventory(settings) if settings else None
        names = self._fleet.names
        known = {SETTINGS, settings.inventory if settings else SETTINGS, *(f"{FOLDER}/{name}.yaml" for name in names)}
        for file in wanted:
            if file not in known:
                raise Refused(f"{file}: is neither settings nor inventory nor a variable: those are {FOLDER}/NAME.yaml")
        undecided = self._undecided(settings.branch) if settings else {}
        for name in names:
            file = f"{FOLDER}/{name}.yaml"
            if not wanted or file in wanted:
                self._variable(file, inventory, settings, undecided)
        for name in self._fleet.tree.names(FOLDER):
            if name.endswith(".yml") and not wanted:
                message = f"is not read: call it {name.removesuffix('.yml')}.yaml"
                self._problems.append(Problem(f"{FOLDER}/{name}", 1, 1, "", message, "warning"))
        if not names and not wanted:
            message = "holds no variable yet: make one with tsunami new"
            self._problems.append(Problem(FOLDER, 1, 1, "", message, "warning"))
        # What is wrong with the settings or the inventory keeps the wanted files from being checked: it is always said.
        always = {SETTINGS, settings.inventory} if settings else {SETTINGS}
        found = sorted(p for p in self._problems if not wanted or p.file in wanted or p.file in always)
        return found, len(wanted) if wanted else len(names) + 2

    def _settings(self) -> Settings | None:
        data = self._read(SETTINGS, "there is none: lay out a rollouts repository with tsunami init")
        settings, problems = load_settings(data) if data is not None else (None, ())
        self._problems += problems
        for name in settings.freeze.excepted if settings and settings.freeze else ():
            if name not in self._fleet.names:
                message = f"{name}: there is no such variable{suggestion(name, self._fleet.names)}"
                self._problems.append(Problem(SETTINGS, 1, 1, "freeze.except", message, "warning"))
        return settings

    def _inventory(self, settings: Settings) -> Inventory | None:
        data = self._read(settings.inventory, f"there is none, though {SETTINGS} says that the inventory is here")
        inventory, problems = load_inventory(data, settings.inventory) if data is not None else (None, ())
        self._problems += problems
        return inventory

    def _variable(
        self,
        file: str,
        inventory: Inventory | None,
        settings: Settings | None,
        undecided: Mapping[str, frozenset[str]],
    ) -> None:
        data = self._read(file, "it vanished while it was being read")
        if data is None:
            return
        loaded = load_variable(data, file, None if inventory is None else tuple(inventory.labels))
        self._problems += loaded.problems
        variable, root = loaded.variable, loaded.root
        if variable is None or root is None or inventory is None or settings is None:
            return
        ids = frozenset(rollout.id for rollout in variable.rollouts)
        known = undecided.get(file, ids)
        self._problems += fleet_problems(file, root, variable, inventory, settings, self._now, known)
        self._waits(file, root, variable)

    def _waits(self, file: str, root: Node, variable: Variable) -> None:
        """Warn of a rollout that waits for what is not there."""
        if variable.active is None or variable.active.after is None:
            return
        other = variable.active.after.variable
        loaded = self._fleet.load(other, alone=True) if other in self._fleet.names else None
        if loaded is not None and loaded.variable is None:
            return
        why = in_vain(variable, {other: loaded.variable} if loaded and loaded.variable else {})
        if why is not None:
            document = Document(file, root, {})
            document.note(("rollouts", len(variable.rollouts) - 1, "after"), why, "warning")
            self._problems += document.problems

    def _read(self, file: str, missing: str) -> bytes | None:
        """Read a file; that it is missing, or leads out of the repository, becomes a problem."""
        try:
            data = self._fleet.tree.read(file)
        except Refused as reason:
            missing, data = str(reason).removeprefix(f"{file}: "), None
        if data is None:
            self._problems.append(Problem(file, 1, 1, "", missing))
        return data

    def _undecided(self, branch: str) -> dict[str, frozenset[str]]:
        """Return, for every file that differs from the branch that counts, the rollouts that this one has in it."""
        tip = self._repository.counting_tip(branch)
        if tip is None and self._repository.head_commit() is None:
            return {}  # nothing is committed yet, so that all is new
        if tip is None:
            message = f"there is no {branch} in this clone: what is new in the files cannot be told from what is not"
            self._problems.append(Problem(SETTINGS, 1, 1, "branch", message, "warning"))
            return {}
        there, known = CommitTree(self._repository, tip), {}
        for file in differs(self._repository, branch, [FOLDER]).names() or ():
            data = there.read(file)
            variable = load_variable(data, file, None).variable if data is not None else None
            known[file] = frozenset(rollout.id for rollout in variable.rollouts) if variable else frozenset()
        return known
