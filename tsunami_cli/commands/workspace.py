"""The repository as commands read it: settings, inventory and variables of one tree, checked, each read once."""

import sys
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tsunami_cli.adapters import clock
from tsunami_cli.adapters.git.repository import Repository, differs
from tsunami_cli.adapters.git.trees import CommitTree, Tree, WorkTree
from tsunami_cli.core.checks.settings import check_settings
from tsunami_cli.core.checks.variable import check_variable
from tsunami_cli.core.inventory import Inventory
from tsunami_cli.core.lineup import Role, roles_of
from tsunami_cli.core.model import Settings, Variable
from tsunami_cli.core.nodes import MapNode, Node, plain
from tsunami_cli.core.problems import Problem
from tsunami_cli.core.told import Told, foreseen, tell
from tsunami_cli.core.values import Value, printable, read_as, scalar
from tsunami_cli.errors import Refused

if TYPE_CHECKING:
    from tsunami_cli.adapters.git.pages import Page
    from tsunami_cli.adapters.git.repository import Differences
    from tsunami_cli.core.admission import Admitted
    from tsunami_cli.core.record import Record

T = TypeVar("T")

LEDGER = "tsunami-ledger"
"""The branch that records what hosts were told."""
SETTINGS = "tsunami.yaml"
FOLDER = "rollouts"
MAIN = "main"
"""The branch that counts where settings do not say."""
LARGE = 64 << 20
"""Bytes that an inventory may have at most."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A variable file as read: the checked variable, None where it has errors; what was found; the document."""

    file: str
    data: bytes
    variable: Variable | None
    problems: tuple[Problem, ...]
    root: Node | None

    @property
    def name(self) -> str:
        """The variable's name, by the file's."""
        return self.file.removeprefix(f"{FOLDER}/").removesuffix(".yaml")

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep it from being used."""
        return tuple(problem for problem in self.problems if problem.severity == "error")


@dataclass(frozen=True)
class Fleet:
    """Settings, inventory and variables of one tree."""

    tree: Tree

    @cached_property
    def settings(self) -> Settings:
        """The checked settings; Refused where they are missing or wrong."""
        data = self.tree.read(SETTINGS)
        if data is None:
            raise Refused(f"{SETTINGS}: there is none here: lay out a rollouts repository with tsunami init")
        settings, problems = load_settings(data)
        return required(settings, problems)

    @cached_property
    def inventory(self) -> Inventory:
        """The checked inventory; Refused where it is missing or wrong."""
        file = self.settings.inventory
        data = self.tree.read(file)
        if data is None:
            raise Refused(f"{file}: there is no inventory: {SETTINGS} says that it is here")
        inventory, problems = load_inventory(data, file)
        return required(inventory, problems)

    @cached_property
    def roles(self) -> tuple[Role, ...]:
        """The roles of the inventory, sorted by name."""
        return roles_of(self.inventory)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of all variables, sorted."""
        return tuple(name.removesuffix(".yaml") for name in self.tree.names(FOLDER) if name.endswith(".yaml"))

    def load(self, name: str, *, alone: bool = False) -> Loaded:
        """Read one variable's file with everything that is wrong with it; Refused for an unknown name.

        `alone` leaves the inventory out, and with it the check of `spread`.
        """
        if name not in self.names:
            raise Refused(f"{name}: there is no such variable{suggestion(name, self.names)}")
        file = f"{FOLDER}/{name}.yaml"
        try:
            data = self.tree.read(file)
        except Refused as reason:
            # One file that cannot be read must not keep the others from being shown, or halted.
            message = str(reason).removeprefix(f"{file}: ")
            return Loaded(file, b"", None, (Problem(file, 1, 1, "", message),), None)
        if data is None:
            raise Refused(f"{file}: it vanished while it was being read: try again")
        return load_variable(data, file, None if alone else tuple(self.inventory.labels))

    def variable(self, name: str) -> Variable:
        """Return one checked variable; Refused where it is unknown or wrong."""
        loaded = self.load(name)
        return required(loaded.variable, loaded.problems)

    def variables(self, names: Sequence[str] = ()) -> tuple[Variable, ...]:
        """Return the checked variables of these names, or all; Refused where one of them is unknown or wrong."""
        return tuple(self.variable(name) for name in names or self.names)

    def split(self, names: Sequence[str] = ()) -> tuple[list[Variable], list[Loaded]]:
        """Return the sound variables of these names, or all, and the files of those that have errors."""
        loaded = [self.load(name) for name in dict.fromkeys(names or self.names)]
        return [one.variable for one in loaded if one.variable], [one for one in loaded if one.variable is None]

    def role_of(self, host: str) -> Role:
        """Return the role of a host; Refused for an unknown one."""
        role = self.inventory.role_of(host)
        if role is None:
            raise Refused(f"{host}: {self.settings.inventory} has no such host{suggestion(host, self.inventory.hosts)}")
        return Role(role, self.inventory)


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
        return tell(variable, roles, self.now, told, self.fleet.settings.every)

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


def load_settings(data: bytes) -> tuple[Settings | None, tuple[Problem, ...]]:
    """Parse and check a settings file."""
    from tsunami_cli.adapters.schemas import complaints
    from tsunami_cli.adapters.yaml.documents import parse

    root, problems = parse(data, SETTINGS)
    if root is None or problems:
        return None, problems
    return check_settings(SETTINGS, root, {c.path: c.message for c in complaints("settings", plain(root))})


def load_inventory(data: bytes, file: str) -> tuple[Inventory | None, tuple[Problem, ...]]:
    """Parse and check an inventory, CSV or YAML by the file's name."""
    from tsunami_cli.adapters import inventory_files

    if not file.endswith((".yaml", ".yml")):
        return inventory_files.read_csv(data, file)
    from tsunami_cli.adapters.yaml.documents import parse

    root, problems = parse(data, file, LARGE)
    return inventory_files.from_nodes(root, file) if root is not None and not problems else (None, problems)


def load_variable(data: bytes, file: str, columns: Sequence[str] | None) -> Loaded:
    """Parse and check a variable's file; `columns` are the inventory's, None where they are not known."""
    from tsunami_cli.adapters.schemas import BadValueSchema, complaints, value_checker
    from tsunami_cli.adapters.yaml.documents import parse

    root, problems = parse(data, file)
    if root is None or problems:
        return Loaded(file, data, None, problems, root)
    shape = {c.path: c.message for c in complaints("variable", plain(root))}
    schema = root.get("value") if isinstance(root, MapNode) else None
    read = plain(schema) if schema is not None else None
    fits = None
    if isinstance(read, Mapping):
        try:
            fits = value_checker(read)
        except BadValueSchema as wrong:
            shape.setdefault(("value", *wrong.path), wrong.message)
    variable, problems = check_variable(file, root, shape, fits, columns)
    return Loaded(file, data, variable, problems, root)


def value_from(variable: Variable, text: str, flag: str) -> Value:
    """Read a value as typed at the prompt, by the variable's schema; Refused where it does not fit."""
    from tsunami_cli.adapters.schemas import value_checker

    try:
        value = read_as(text, variable.kinds)
    except ValueError as reason:
        raise Refused(f"{variable.name}: {flag} {reason}") from None
    for complaint in value_checker(variable.value)(scalar(value)):
        raise Refused(f"{variable.name}: {flag} {complaint}")
    return value


def required(found: T | None, problems: Sequence[Problem]) -> T:
    """Return what was found; Refused with the first error where there is none."""
    if found is not None:
        return found
    errors = [problem for problem in problems if problem.severity == "error"]
    more = f" (and {len(errors) - 1} more: tsunami validate)" if len(errors) > 1 else ""
    raise Refused(f"{errors[0]}{more}")


def note(line: str) -> None:
    """Say something beside the data, on stderr, in one line."""
    sys.stderr.write(f"warning: {printable(line)}\n")


def suggestion(name: str, names: Sequence[str]) -> str:
    """Return the near names as a question, or nothing."""
    near = get_close_matches(name, names, n=2, cutoff=0.7)
    return f": do you mean {' or '.join(near)}?" if near else ""
