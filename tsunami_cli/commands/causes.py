"""Which decision things go back to, asked of git's history in one walk."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from tsunami_cli.adapters.git.history import Commit, decisions
from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.adapters.git.trees import CommitTree
from tsunami_cli.commands.workspace import FOLDER, load_variable
from tsunami_cli.core.grounds import Ground, Step, behind
from tsunami_cli.core.journal import Entry, entries
from tsunami_cli.core.model import Variable
from tsunami_cli.errors import Refused


@dataclass
class _Side:
    """A file by its id, read when it is asked for."""

    causes: "Causes"
    file: str
    sha: str | None

    @cached_property
    def data(self) -> bytes | None:
        return self.causes.blob(self.sha)

    @cached_property
    def variable(self) -> Variable | None:
        return self.causes.variable(self.file, self.sha)


class Causes:
    """The decisions in the history of one commit."""

    def __init__(self, repository: Repository, commit: str, inventory: str) -> None:
        """Look back from `commit`; `inventory` is the path of that file."""
        self._repository, self._commit, self._inventory = repository, commit, inventory
        self._found: dict[Ground, Entry | None] = {}
        self._variables: dict[tuple[str, str], Variable | None] = {}
        self._steps: dict[str, list[Step]] = {}

    def of(self, ground: Ground) -> Entry | None:
        """Return the decision behind a ground; None where history does not tell."""
        if ground not in self._found:
            self._found[ground] = self._behind(ground)
        return self._found[ground]

    def retired(self, variable: str) -> bool:
        """Say whether the file of a variable went by a decision to retire it."""
        last = self._of_file(_file(variable))[:1]
        return any(entry.action == "retire" for step in last for entry in step.made)

    def blob(self, sha: str | None) -> bytes | None:
        """Return a file by its id; None for none, and for what is no file."""
        found = self._repository.objects.read(sha) if sha else None
        return found[1] if found is not None and found[0] == "blob" else None

    def variable(self, file: str, sha: str | None) -> Variable | None:
        """Return what a file meant; None where it was missing or wrong."""
        if sha is None:
            return None
        key = (file, sha)
        if key not in self._variables:
            data = self.blob(sha)
            self._variables[key] = load_variable(data, file, None).variable if data is not None else None
        return self._variables[key]

    def _behind(self, ground: Ground) -> Entry | None:
        if ground.kind == "inventory":
            found = behind(ground, self._of_file(self._inventory), None)
            # It is about the one variable that the host is told no more.
            return found and Entry(
                found.at, found.commit, found.author, found.action, ground.variable, None, found.reason
            )
        file = _file(ground.variable)
        now = None
        if ground.kind == "unpin":
            entry = CommitTree(self._repository, self._commit).entry(file)
            now = self.variable(file, entry.sha if entry else None)
        return behind(ground, self._of_file(file), now)

    def _of_file(self, file: str) -> list[Step]:
        """Return the commits that changed a file, newest first."""
        if file not in self._steps:
            if file == self._inventory:
                self._steps[file] = [self._step(commit, file) for commit in self._walk([file])]
            else:
                self._read_all()
        return self._steps.setdefault(file, [])

    def _read_all(self) -> None:
        """Walk once for all variables."""
        steps: dict[str, list[Step]] = {}
        for commit in self._walk([FOLDER]):
            for path in commit.paths:
                steps.setdefault(path, []).append(self._step(commit, path))
        self._steps.update(steps)

    def _walk(self, paths: list[str]) -> Iterable[Commit]:
        return decisions(self._repository, self._commit, paths)

    def _step(self, commit: Commit, file: str) -> Step:
        if file == self._inventory:
            by_hand = Entry(commit.at, commit.sha, commit.author, "edit", "", None, commit.subject or None)
            made = [by_hand]
        else:
            made = [entry for entry in entries([commit]) if _file(entry.variable) == file]
        before, after = commit.blobs.get(file, (None, None))
        if len(commit.parents) > 1:
            # What git alone would have merged lives no longer than the walk.
            before = self._at(commit.parents[0], file)
        cut = commit.sha in self._cut_off
        return Step(made, _Side(self, file, before), _Side(self, file, after), cut)

    def _at(self, commit: str, file: str) -> str | None:
        try:
            entry = CommitTree(self._repository, commit).entry(file)
        except Refused:
            return None
        return entry.sha if entry else None

    @cached_property
    def _cut_off(self) -> frozenset[str]:
        """The commits before which history was cut off when this was cloned."""
        return self._repository.boundary


def _file(variable: str) -> str:
    return f"{FOLDER}/{variable}.yaml"
