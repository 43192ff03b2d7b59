"""Which decision things go back to, asked of git's history, each once."""

from collections.abc import Iterator

from tsunami_cli.adapters.git.history import decisions
from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.adapters.git.trees import CommitTree
from tsunami_cli.commands.workspace import FOLDER, load_variable
from tsunami_cli.core.grounds import Ground, Version, behind
from tsunami_cli.core.journal import Entry, entries
from tsunami_cli.core.model import Variable
from tsunami_cli.errors import Refused


class Causes:
    """The decisions in the history of one commit."""

    def __init__(self, repository: Repository, commit: str, inventory: str) -> None:
        """Look back from `commit`; `inventory` is the path of that file."""
        self._repository, self._commit, self._inventory = repository, commit, inventory
        self._found: dict[Ground, Entry | None] = {}
        self._now: dict[str, Variable | None] = {}

    def of(self, ground: Ground) -> Entry | None:
        """Return the decision behind a ground; None where history does not tell."""
        if ground not in self._found:
            self._found[ground] = self._inventory_edit(ground) if ground.kind == "inventory" else self._behind(ground)
        return self._found[ground]

    def retired(self, variable: str) -> bool:
        """Say whether the file of a variable went by a decision to retire it."""
        last = next(iter(decisions(self._repository, self._commit, [_file(variable)])), None)
        return last is not None and any(
            entry.action == "retire" and entry.variable == variable for entry in entries([last])
        )

    def _behind(self, ground: Ground) -> Entry | None:
        now = self._variable(self._commit, ground.variable) if ground.kind == "unpin" else None
        return behind(ground, now, self._versions(ground.variable))

    def _versions(self, name: str) -> Iterator[Version]:
        for commit in decisions(self._repository, self._commit, [_file(name)]):
            made = [entry for entry in entries([commit]) if entry.variable == name]
            yield Version(made, self._variable(commit.sha, name))

    def _variable(self, commit: str, name: str) -> Variable | None:
        try:
            data = CommitTree(self._repository, commit).read(_file(name))
        except Refused:
            # Falls to "not known": a link in the history is no reason to tell hosts nothing.
            return None
        return load_variable(data, _file(name), None).variable if data is not None else None

    def _inventory_edit(self, ground: Ground) -> Entry | None:
        last = next(iter(decisions(self._repository, self._commit, [self._inventory])), None)
        if last is None:
            return None
        return Entry(last.at, last.sha, last.author, "edit", ground.variable, None, last.subject or None)


def _file(variable: str) -> str:
    return f"{FOLDER}/{variable}.yaml"
