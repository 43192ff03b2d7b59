"""`tsunami audit`: which host was told what, when, and whose decision caused it."""

from collections.abc import Sequence
from pathlib import Path

from tsunami_cli.adapters import clock
from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.commands.filters import (
    Csv,
    Limit,
    Since,
    Told,
    Until,
    VariableGlobs,
    globs,
    is_name,
    one_format,
    span,
    told,
)
from tsunami_cli.commands.options import Back, Folder, HostGlobs, Json, RoleGlobs
from tsunami_cli.core.audit import Filter
from tsunami_cli.errors import Refused


def command(
    host: HostGlobs = None,
    variable: VariableGlobs = None,
    role: RoleGlobs = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = None,
    at: Back = None,
    as_json: Json = False,
    as_csv: Csv = False,
    folder: Folder = None,
) -> int:
    """Show tellings, oldest first: which host was told what, when, and which decision caused it.

    [dim]tsunami audit --host lon2-accesspoint-a7[/]

    [dim]tsunami audit --variable docker --role accesspoint --since 2h[/]

    [dim]tsunami audit --since 2016-11-14T00:00:00Z --csv > tellings.csv[/]
    """
    from tsunami_cli.output import audit as screen

    one_format(as_json=as_json, as_csv=as_csv)
    window = span(since, until, at or clock.now(), cut=at is not None)
    # Neither settings nor inventory are read: what hosts were told has to be known above all where those are broken.
    repository = Repository.discover(folder or Path.cwd())
    wanted = Filter(globs(host), globs(variable), globs(role), window.since, window.until)
    found = told(repository, wanted)
    _check_names(found, wanted, folder)
    rows = found.rows[-limit:] if limit else found.rows
    alone = screen.Asked(host=_one(host), role=_one(role))
    screen.show(rows, alone, as_json=as_json, as_csv=as_csv)
    return 1 if found.unreadable else 0


def _one(asked: Sequence[str] | None) -> bool:
    return len(asked or ()) == 1 and is_name((asked or ("",))[0])


def _check_names(found: Told, wanted: Filter, folder: Path | None) -> None:
    """Refuse names that neither the ledger nor the work tree has ever heard of: they are mistyped."""
    for key, asked in (("host", wanted.hosts), ("variable", wanted.variables), ("role", wanted.roles)):
        missing = set(filter(is_name, asked.patterns)) - {getattr(row, key) for row in found.rows}
        for name in sorted(missing):
            if not found.ever(key, name):
                _must_be_known(key, name, folder)


def _must_be_known(key: str, name: str, folder: Path | None) -> None:
    from tsunami_cli.commands.fleet import note, suggestion
    from tsunami_cli.commands.workspace import Workspace
    from tsunami_cli.core.problems import Refusal
    from tsunami_cli.errors import TsunamiError

    try:
        fleet = Workspace(folder).fleet
        known: Sequence[str] = {
            "host": lambda: fleet.inventory.hosts,
            "variable": lambda: fleet.names,
            "role": lambda: tuple(fleet.inventory.members()),
        }[key]()
    except (Refusal, TsunamiError) as reason:
        # Falls to an empty answer, aloud: whether the name is right cannot be told here, and the ledger was read.
        note(f"{key} {name} was never told anything, and whether there is one cannot be looked up: {reason}")
        return
    if name not in known:
        raise Refused(f"{name}: there is no such {key}, and none was ever told anything{suggestion(name, known)}")
