"""Which commits stopped the line or let it go on, by what they made of the settings and not by what they say."""

from collections.abc import Callable

from tsunami_cli.adapters.git.history import Commit
from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.commands.fleet import SETTINGS, load_settings
from tsunami_cli.core.model import Freeze


def freezes(repository: Repository) -> Callable[[Commit], bool]:
    """Return what says whether a commit changed the freeze in the settings."""

    def freeze(sha: str | None) -> Freeze | None:
        found = repository.objects.read(sha) if sha else None
        # The parser would take long for a history of settings, few of which ever name a freeze.
        if found is None or b"freeze" not in found[1]:
            return None
        settings, _ = load_settings(found[1])
        return settings.freeze if settings else None

    def changed(commit: Commit) -> bool:
        before, after = commit.blobs.get(SETTINGS, (None, None))
        return freeze(before) != freeze(after)

    return changed
