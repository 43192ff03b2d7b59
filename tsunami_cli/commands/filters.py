"""The flags that narrow down decisions and tellings, and what the ledger has of those."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from tsunami_cli.adapters.git import ledger_log
from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.commands.fleet import note
from tsunami_cli.commands.options import variables
from tsunami_cli.core.audit import Filter, Telling, names, select
from tsunami_cli.core.model import Globs
from tsunami_cli.core.text import duration, instant
from tsunami_cli.errors import Usage

_NOTHING_BEFORE = datetime(1970, 1, 1, tzinfo=UTC)


def moment(text: str) -> datetime | timedelta:
    """Read an instant, or a duration that counts back from now.

    Raises ValueError, with the reason, for everything else.
    """
    # Every instant has its T, no duration has one.
    if "T" in text:
        return instant(text)
    try:
        return duration(text)
    except ValueError:
        raise ValueError(
            f"{text} is neither an instant, such as 2016-11-14T10:00:00Z, nor how long ago, such as 45m, 2h or 7d"
        ) from None


def _moment(text: str) -> datetime | timedelta:
    try:
        return moment(text)
    except ValueError as reason:
        raise typer.BadParameter(str(reason)) from None


# Any: typer takes no union of two types that it does not know.
Since = Annotated[
    Any,
    typer.Option(
        "--since",
        metavar="T",
        parser=_moment,
        help="From then on: 2016-11-14T10:00:00Z, or 2h for two hours ago.",
        show_default=False,
    ),
]
Until = Annotated[
    Any,
    typer.Option(
        "--until",
        metavar="T",
        parser=_moment,
        help="Up to and including then: 2016-11-14T10:00:00Z, or 2h for two hours ago.",
        show_default=False,
    ),
]
VariableGlobs = Annotated[
    list[str] | None,
    typer.Option(
        "--variable",
        metavar="GLOB",
        help="Variables by name or pattern; repeatable.",
        autocompletion=variables,
        show_default=False,
    ),
]
Limit = Annotated[
    int | None, typer.Option("-n", "--limit", min=1, metavar="N", help="Only the newest N.", show_default=False)
]
Csv = Annotated[bool, typer.Option("--csv", help="Write CSV to stdout, with the keys of --json as its head.")]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, both ends included; None for no end."""

    since: datetime | None
    until: datetime | None

    def has(self, at: datetime) -> bool:
        """Say whether an instant lies within it."""
        return (self.since is None or self.since <= at) and (self.until is None or at <= self.until)


def span(since: datetime | timedelta | None, until: datetime | timedelta | None, now: datetime, *, cut: bool) -> Span:
    """Return what `--since` and `--until` say at some instant; with `cut` nothing after that instant counts.

    Raises Usage where the one is after the other.
    """
    begin, finish = _resolve(since, now), _resolve(until, now)
    if begin and finish and begin > finish:
        raise Usage("--since is later than --until: nothing lies between them")
    if cut:
        finish = min(finish, now) if finish else now
    return Span(begin, finish)


def one_format(*, as_json: bool, as_csv: bool) -> None:
    """Refuse two formats at once."""
    if as_json and as_csv:
        raise Usage("--json and --csv: say one of them")


def is_name(text: str) -> bool:
    """Say whether a pattern is a plain name."""
    return not set(text) & set("*?[")


@dataclass
class Told:
    """The tellings that were asked for, as far as the ledger is known here."""

    repository: Repository
    rows: list[Telling] = field(default_factory=list)
    tip: str | None = None
    unreadable: int = 0
    """Lines that no telling could be made of; each was named on stderr."""

    def ever(self, key: str, name: str) -> bool:
        """Say whether any telling, asked for or not, has this name as its `host`, `variable` or `role`."""
        return any(names(data, key, name) for _, data in self._publishes())

    def _publishes(self) -> Iterator[tuple[str, bytes]]:
        return ledger_log.tellings(self.repository, self.tip) if self.tip else iter(())


def told(repository: Repository, wanted: Filter) -> Told:
    """Return the tellings that are asked for, oldest first; what cannot be known here is said on stderr."""
    from tsunami_cli.adapters.git.pages import known_tip

    found = Told(repository, tip=known_tip(repository))
    if found.tip is None:
        note(_no_ledger(repository))
        return found
    if repository.shallow:
        note("history was cut off when this was cloned: tellings may lie before (git fetch --unshallow)")
    for publish, data in ledger_log.tellings(repository, found.tip):
        rows, bad = select(data, publish, wanted)
        found.rows += rows
        found.unreadable += len(bad)
        for why in bad:
            note(f"{ledger_log.FILE} of {publish[:7]}: {why}; left out here")
    return found


def globs(patterns: Sequence[str] | None) -> Globs:
    """Return patterns as typed, each once."""
    return Globs(tuple(dict.fromkeys(patterns or ())))


def _no_ledger(repository: Repository) -> str:
    if repository.has_remote:
        branch, remote = ledger_log.BRANCH, repository.remotes[0]
        return f"no ledger is known here: git fetch {remote} {branch}:refs/remotes/{remote}/{branch}"
    return "nothing was published yet: tsunami publish"


def _resolve(given: datetime | timedelta | None, now: datetime) -> datetime | None:
    if not isinstance(given, timedelta):
        return given
    try:
        return max(now - given, _NOTHING_BEFORE)
    except OverflowError:
        return _NOTHING_BEFORE
