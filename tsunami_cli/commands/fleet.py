"""The fleet as commands read it: settings, inventory and variables of one tree, checked, each read once."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from typing import TypeVar

from tsunami_cli.adapters.git.trees import Tree
from tsunami_cli.core.checks.settings import check_settings
from tsunami_cli.core.checks.variable import check_variable
from tsunami_cli.core.inventory import Inventory
from tsunami_cli.core.lineup import Role, roles_of
from tsunami_cli.core.model import Freeze, Settings, Variable
from tsunami_cli.core.nodes import MapNode, Node, plain
from tsunami_cli.core.problems import Problem
from tsunami_cli.core.values import Value, printable, read_as, scalar
from tsunami_cli.errors import Refused

T = TypeVar("T")

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

        `alone` leaves the inventory out, and with it the check of `spread`. A variable that the settings freeze stands
        still; where they cannot be read, nothing is taken for frozen.
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
        loaded = load_variable(data, file, None if alone else tuple(self.inventory.labels))
        return replace(loaded, variable=loaded.variable and loaded.variable.under(self._freeze))

    @cached_property
    def _freeze(self) -> Freeze | None:
        try:
            return self.settings.freeze
        except Refused:
            # Whoever needs the settings is refused by them; a halt does not.
            return None

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
