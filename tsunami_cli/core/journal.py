"""The journal: decisions as they stand in the messages of commits, written and read."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, TypeVar

from tsunami_cli.core.decisions import Change
from tsunami_cli.core.freezing import Line
from tsunami_cli.core.values import printable

SETTINGS = "tsunami.yaml"
MOST_NAMED = 3
"""Variables that a subject names; the trailers have them all."""
EVERY = "*"
"""Stands for the variable of a decision on all of them."""
_IMPORT = ("Tsunami-Action", "import")
SETTING_OFF = ("start", "resume", "pace", "unfreeze")
"""The actions after which a rollout moves because time passes."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One decision on one variable."""

    at: datetime
    """When it was committed."""
    commit: str
    author: str
    """`Name <mail>`."""
    action: str
    """What the trailers say, `edit` for a commit that somebody wrote by hand."""
    variable: str
    """Its name, or EVERY."""
    rollout: str | None
    reason: str | None
    guard: str | None = None
    """The SLO on which the guard decided; None for a person's decision."""

    @property
    def whole(self) -> bool:
        """Whether it was on the line as a whole."""
        return self.variable == EVERY

    @property
    def by(self) -> str:
        """Who decided, for people: a name without its mail address, or the guard."""
        return "guard" if self.guard else printable(self.author.partition(" <")[0])

    @property
    def brief(self) -> str | None:
        """The reason; of the guard's the first line, which says what was measured. How, is in the commit."""
        return self.reason.partition("\n")[0] if self.guard and self.reason else self.reason


class Committed(Protocol):
    """A commit as git has it."""

    @property
    def sha(self) -> str: ...  # noqa: D102
    @property
    def at(self) -> datetime: ...  # noqa: D102
    @property
    def author(self) -> str: ...  # noqa: D102
    @property
    def subject(self) -> str: ...  # noqa: D102
    @property
    def reason(self) -> str | None:
        """What stands between subject and trailers."""

    @property
    def trailers(self) -> Sequence[tuple[str, str]]:
        """The lines of the last paragraph, where it holds nothing but trailers."""

    @property
    def paths(self) -> Sequence[str]:
        """The files it changed."""


def message(changes: Sequence[Change], reason: str | None, line: Line | None = None) -> str:
    """Return the commit message of decisions made together: subject, reason, trailers.

    `line` is a decision on the line as a whole, which the others follow from.

    The reason is anybody's free text. Its lines stay apart from the trailers, which are the last paragraph alone, and
    control characters leave it, so that it can forge neither a trailer nor a terminal sequence.
    """
    subjects = [printable(change.subject) for change in changes]
    names = ", ".join(change.variable.name for change in changes[:MOST_NAMED])
    if len(changes) > MOST_NAMED:
        names += f" and {len(changes) - MOST_NAMED} more"
    if line is not None:
        subject = line.subject
    else:
        subject = subjects[0] if len(changes) == 1 else f"{names}: {changes[0].action}"
    paragraphs = [subject]
    told = clean_reason(reason)
    if told:
        paragraphs.append(told)
    trailers = [f"Tsunami-Action: {line.action}", f"Tsunami-Variable: {EVERY}"] if line else []
    for change in changes:
        trailers += [f"Tsunami-Action: {change.action}", f"Tsunami-Variable: {change.variable.name}"]
        if change.rollout:
            trailers.append(f"Tsunami-Rollout: {change.rollout}")
        if change.guard:
            trailers.append(f"Tsunami-Guard: {change.guard}")
    return "\n\n".join([*paragraphs, "\n".join(trailers)]) + "\n"


def clean_reason(reason: str | None) -> str | None:
    """Return a reason in plain lines, None where nothing is left of it.

    What CI systems take for a command in a job's output, `::` at the start of a line or `##[`, is broken up.
    """
    lines = [re.sub(r"^::", ": :", printable(line).strip()) for line in (reason or "").splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() or None


C = TypeVar("C", bound=Committed)


def entries(
    commits: Iterable[C], inventory: str | None = None, frozen: Callable[[C], bool] | None = None
) -> Iterator[Entry]:
    """Yield the decisions that commits hold, in their order; a commit on two variables holds two.

    With the path of the inventory also what was imported into it. `frozen` says whether a commit on the settings
    stopped the line or let it go on, by what stands in them: then that is among the decisions, by whatever name.
    """
    for commit in commits:
        if inventory in commit.paths and _IMPORT in commit.trailers:
            yield replace(inventory_entry(commit), variable=EVERY)
        changed = [name for path in commit.paths if (name := variable_of(path)) is not None]
        whole = [EVERY] if frozen is not None and SETTINGS in commit.paths and frozen(commit) else []
        decided = _decided(commit.trailers)
        # Trailers count where the commit changed what they name, not where somebody typed them under another change.
        if decided and all(row["Variable"] in (*changed, EVERY) for row in decided):
            for row in decided:
                name = row["Variable"]
                if name in (*changed, *whole):
                    yield _entry(commit, row["Action"], name, row.get("Rollout"), commit.reason, row.get("Guard"))
            named = {row["Variable"] for row in decided}
            changed, whole = ([name for name in names if name not in named] for names in (changed, whole))
        for name in (*whole, *changed):
            yield _entry(commit, "edit", name, None, printable(commit.subject) or None)


def inventory_entry(commit: Committed) -> Entry:
    """Return a commit on the inventory as a decision on no variable: an import, or an edit by hand."""
    if _IMPORT in commit.trailers:
        return _entry(commit, "import", "", None, commit.reason)
    return _entry(commit, "edit", "", None, commit.subject or None)


def _entry(
    commit: Committed,
    action: str,
    variable: str,
    rollout: str | None,
    reason: str | None,
    guard: str | None = None,
) -> Entry:
    return Entry(commit.at, commit.sha, commit.author, action, variable, rollout, reason, guard)


def _decided(trailers: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Return the decisions that trailers name: an action, its variable and, on a rollout, the rollout."""
    rows: list[dict[str, str]] = []
    for key, value in trailers:
        kind = key.removeprefix("Tsunami-")
        if kind == key:
            continue
        if kind == "Action":
            rows.append({})
        if rows:
            rows[-1][kind] = value
    return [row for row in rows if "Variable" in row]


def variable_of(path: str) -> str | None:
    """Return the variable whose file a path is, None for all other files."""
    found = re.fullmatch(r"rollouts/([a-z][a-z0-9_-]{0,62})\.yaml", path)
    return found[1] if found else None
