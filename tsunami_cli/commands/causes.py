"""Which decision things go back to, asked of git's history in one walk."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from tsunami_cli.adapters.git.history import Commit, decisions
from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.adapters.git.trees import CommitTree
from tsunami_cli.commands.fleet import FOLDER, load_variable
from tsunami_cli.core.grounds import Ground, Step, behind, turned
from tsunami_cli.core.journal import Entry, entries, inventory_entry
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
        ground = Ground("retired", variable)
        last = next((step for step in self._of_file(_file(variable)) if turned(ground, step)), None)
        return last is not None and any(entry.action == "retire" for entry in last.made)

    def knows(self, variable: str) -> bool:
        """Say whether this history ever had a file of the variable."""
        return bool(self._of_file(_file(variable)))

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
            found = behind(ground, self._of_file(self._inventory))
            # It is about the one variable that the host is told no more.
            return found and Entry(
                found.at, found.commit, found.author, found.action, ground.variable, None, found.reason
            )
        found = behind(ground, self._of_file(_file(ground.variable)))
        if found is None and ground.kind == "pin":
            # No pin changed, so the host came into a role that has one, or left it.
            return self.of(Ground("inventory", ground.variable, host=ground.host))
        return found

    def _of_file(self, file: str) -> list[Step]:
        """Return the commits that changed a file, newest first."""
        if file not in self._steps:
            if file == self._inventory:
                self._steps[file] = [
                    self._step(commit, file, [inventory_entry(commit)]) for commit in self._walk([file])
                ]
            else:
                self._read_all()
        return self._steps.setdefault(file, [])

    def _read_all(self) -> None:
        """Walk once for all variables."""
        steps: dict[str, list[Step]] = {}
        for commit in self._walk([FOLDER]):
            made: dict[str, list[Entry]] = {}
            for entry in entries([commit]):
                made.setdefault(_file(entry.variable), []).append(entry)
            for path in commit.paths:
                steps.setdefault(path, []).append(self._step(commit, path, made.get(path, [])))
        self._steps.update(steps)

    def _walk(self, paths: list[str]) -> Iterable[Commit]:
        return decisions(self._repository, self._commit, paths)

    def _step(self, commit: Commit, file: str, made: list[Entry]) -> Step:
        before, after = commit.blobs.get(file, (None, None))
        # What git alone would have merged lives no longer than the walk.
        many = len(commit.parents) > 1
        befores = [self._at(parent, file) for parent in commit.parents] if many else [before]
        sides = [_Side(self, file, sha) for sha in befores]
        return Step(made, sides, _Side(self, file, after), commit.sha in self._cut_off)

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
