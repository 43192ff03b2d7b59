"""How people are told of what a publish found: which decisions are new, and where messages go."""

from collections.abc import Callable, Sequence
from pathlib import Path

from tsunami_cli.adapters.git.history import decisions
from tsunami_cli.adapters.git.process import run
from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.adapters.notifications import FILE, addresses, from_environment, send
from tsunami_cli.commands.fleet import FOLDER, SETTINGS, note
from tsunami_cli.commands.freezes import freezes
from tsunami_cli.core.journal import Entry, entries
from tsunami_cli.core.notices import HoldNote, notices
from tsunami_cli.errors import Refused, TsunamiError


def notify(
    repository: Repository,
    fleet: str,
    entries: Sequence[Entry],
    completed: Sequence[tuple[str, str, int]],
    began: Sequence[HoldNote],
    ended: Sequence[HoldNote],
) -> None:
    """Send what is worth a message to all addresses; what does not arrive is said on stderr, and stops nothing."""
    found = notices(fleet, entries, completed, began, ended)
    if not found:
        return
    try:
        where = addresses(repository.root, _tracked(repository, FILE))
    except TsunamiError as refused:
        # Falls to the environment's: people want to know of a halt, and the file is not theirs to mend.
        note(str(refused))
        where = from_environment()
    for complaint in send(where, found):
        note(complaint)


def watched(root: Path) -> bool:
    """Say whether anybody may want to be told: cheap, for those who never set it up."""
    return bool(from_environment()) or (root / FILE).exists()


def new_decisions(repository: Repository, since: str, until: str) -> list[Entry]:
    """Return the decisions in the history of `until` that are not in that of `since`, oldest first.

    Empty where `since` is unknown here or no ancestor: what is new cannot be told then, and old news are worse than
    none.
    """
    if since == until or not repository.descends(until, since):
        return []
    try:
        found = list(decisions(repository, f"{since}..{until}", [FOLDER, SETTINGS]))
    except Refused as refused:
        # Falls to silence: publishing does not need to know what was new.
        note(f"nobody is notified of new decisions: {refused}")
        return []
    # Where history was cut off, a commit seems to have made every file there is, and a merge to have changed what it
    # took over.
    boundary = repository.boundary
    cut_off = any(commit.sha in boundary for commit in found)
    known = [c for c in reversed(found) if not (c.sha in boundary or (cut_off and len(c.parents) > 1))]
    return list(entries(known, frozen=freezes(repository)))


def _tracked(repository: Repository, path: str) -> Callable[[], bool]:
    return lambda: run(repository.root, "ls-files", "--error-unmatch", "--", path).status == 0
