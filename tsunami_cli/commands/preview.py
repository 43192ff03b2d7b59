"""`tsunami preview`: what a change to the files will do, before it is merged."""

from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tsunami_cli.adapters import clock
from tsunami_cli.adapters.git.comparing import Between, between
from tsunami_cli.adapters.git.history import decisions
from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.adapters.git.trees import CommitTree, Tree, WorkTree
from tsunami_cli.commands.fleet import FOLDER, MAIN, SETTINGS, load_inventory, load_settings, load_variable
from tsunami_cli.commands.freezes import freezes
from tsunami_cli.commands.options import Folder, Json
from tsunami_cli.core.inventory import Inventory
from tsunami_cli.core.journal import Entry, entries
from tsunami_cli.core.model import Settings
from tsunami_cli.core.previewing.comparing import Comparison, State
from tsunami_cli.core.previewing.preview import Ends
from tsunami_cli.core.previewing.variable import Version
from tsunami_cli.core.problems import Problem
from tsunami_cli.errors import Refused, Usage

if TYPE_CHECKING:
    from tsunami_cli.core.record import Record


def command(
    base: Annotated[
        str | None,
        typer.Option(
            "--base",
            metavar="REF",
            help="What it is to be merged into; the branch that counts where none is named.",
            show_default=False,
        ),
    ] = None,
    head: Annotated[
        str | None,
        typer.Option(
            "--head", metavar="REF", help="A commit to preview; else the files as they are.", show_default=False
        ),
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Write a comment for a pull request.")] = False,
    as_json: Json = False,
    folder: Folder = None,
) -> int:
    """Show what a change to the files will do: which hosts change at once, and what a new rollout will do and when.

    Exit 1 where the change brings errors; warnings are for the reviewer.

    [dim]tsunami preview[/]

    [dim]tsunami preview --base origin/main --head my-branch --markdown[/]
    """
    from tsunami_cli.output import preview as screen

    if markdown and as_json:
        raise Usage("--markdown and --json are two kinds of output: say one of them")
    repository = Repository.discover(folder or Path.cwd())
    span = _between(repository, base, head)
    tree = CommitTree(repository, span.head) if head is not None else WorkTree(repository.root)
    states = (_state(CommitTree(repository, span.base)), _state(tree))
    comparison = Comparison(states, _load, clock.now(), _record(repository), _decided(repository, span))
    found = comparison.preview(Ends(span.base, span.base_name, span.head if head is not None else None))
    screen.show(found, as_json=as_json, markdown=markdown)
    return 1 if found.failed else 0


def _between(repository: Repository, base: str | None, head: str | None) -> Between:
    """Find the two commits; the settings with the change say which branch counts."""
    if base is not None:
        return between(repository, base, head, ())
    after = between(repository, head, head, ()).head if head is not None else None
    settings, _ = _settings(CommitTree(repository, after) if after else WorkTree(repository.root))
    # A change that renames the branch names one that is not there yet.
    return between(repository, None, head, [settings.branch, MAIN] if settings else [MAIN])


def _record(repository: Repository) -> "Record | None":
    """Return what hosts were told, as far as this clone knows."""
    from tsunami_cli.adapters.git.pages import Page, known_tip

    tip = known_tip(repository)
    return Page(repository, tip).record() if tip else None


def _decided(repository: Repository, span: Between) -> list[Entry]:
    """Return what was decided by command among the commits between, oldest first."""
    if span.base == span.head:
        return []
    walked = decisions(repository, f"{span.base}..{span.head}", [FOLDER, SETTINGS])
    return [entry for entry in entries(walked, frozen=freezes(repository)) if entry.action != "edit"][::-1]


def _load(file: str, data: bytes, columns: Collection[str] | None) -> Version:
    loaded = load_variable(data, file, None if columns is None else tuple(columns))
    return Version(loaded.variable, loaded.root, loaded.problems)


def _state(tree: Tree) -> State:
    """Read and check the files of one side."""
    from tsunami_cli.adapters.yaml.documents import parse

    settings, problems = _settings(tree)
    data = _read(tree, SETTINGS)
    inventory, more = _inventory(tree, settings) if settings else (None, [])
    names = tree.names(FOLDER)
    found = {name: _read(tree, f"{FOLDER}/{name}.yaml") for name in _stems(names)}
    return State(
        settings=settings,
        settings_root=parse(data, SETTINGS)[0] if isinstance(data, bytes) else None,
        inventory=inventory,
        problems=[*problems, *more],
        texts={name: text for name, text in found.items() if text is not None},
        unread=[name for name in names if name.endswith(".yml")],
    )


def _stems(names: Collection[str]) -> list[str]:
    return [name.removesuffix(".yaml") for name in names if name.endswith(".yaml")]


def _settings(tree: Tree) -> tuple[Settings | None, list[Problem]]:
    """Return the checked settings, None where they are missing or wrong, and what is wrong with them."""
    data = _read(tree, SETTINGS)
    if not isinstance(data, bytes):
        return None, [data or Problem(SETTINGS, 1, 1, "", "there is none: lay one out with tsunami init")]
    settings, problems = load_settings(data)
    return settings, list(problems)


def _inventory(tree: Tree, settings: Settings) -> tuple[Inventory | None, list[Problem]]:
    """Return the checked inventory, None where it is missing or wrong, and what is wrong with it."""
    file = settings.inventory
    data = _read(tree, file)
    if not isinstance(data, bytes):
        return None, [data or Problem(file, 1, 1, "", f"there is none, though {SETTINGS} says that it is here")]
    inventory, problems = _parsed(data, file)
    return inventory, list(problems)


@lru_cache(maxsize=2)
def _parsed(data: bytes, file: str) -> tuple[Inventory | None, tuple[Problem, ...]]:
    """Read an inventory; both sides mostly have the same one, and it may be long."""
    return load_inventory(data, file)


def _read(tree: Tree, path: str) -> bytes | Problem | None:
    """Read a file; what keeps it from being read is a problem like any other."""
    try:
        return tree.read(path)
    except Refused as reason:
        return Problem(path, 1, 1, "", str(reason).removeprefix(f"{path}: "))
