"""`tsunami init`: a rollouts repository, and what is tsunami's in it brought up to date."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from tsunami_cli import __version__
from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.adapters.git.trees import WorkTree
from tsunami_cli.commands.fleet import MAIN, SETTINGS, Fleet, note
from tsunami_cli.commands.options import Folder, Json
from tsunami_cli.core.laying_out import Ci, LaidOut, Upgrade, admit, beginning, ci_of, is_older, pinned, upgrade
from tsunami_cli.errors import Refused


def command(
    ci: Annotated[
        Ci | None,
        typer.Option("--ci", help="What is to validate and publish; by default told by `origin`.", show_default=False),
    ] = None,
    renew: Annotated[
        bool, typer.Option("--upgrade", help="Renew what is tsunami's own: schemas, reusable workflows, the action.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what it would do, and write nothing.")] = False,
    as_json: Json = False,
    folder: Folder = None,
) -> None:
    """Lay out a rollouts repository in the git repository around the current folder: `git init` first.

    Settings, an inventory, an example variable, JSON Schemas for your editor and the workflows that validate, publish
    and halt. Files that are there already stay as they are, so that it is safe to run again.

    With --upgrade, a repository that was laid out by an earlier version: its schemas and reusable workflows are
    renewed, and nothing else. What you changed in them and did not commit is not overwritten.

    [dim]git init fleet && cd fleet && tsunami init[/]

    [dim]tsunami init --upgrade --dry-run[/]
    """
    from tsunami_cli.output import init as screen

    where = folder or Path.cwd()
    repository = Repository.discover(where)
    if renew:
        done = _upgrade(repository, ci, dry_run=dry_run)
        screen.show_upgrade(done, dry_run=dry_run, as_json=as_json)
        _warn(repository)
        return
    laid_out = _lay_out(repository, ci, where, dry_run=dry_run)
    screen.show(laid_out, dry_run=dry_run, as_json=as_json)


def _lay_out(repository: Repository, asked: Ci | None, where: Path, *, dry_run: bool) -> LaidOut:
    """Write what is not there yet of a rollouts repository, at the top of a git repository."""
    from tsunami_cli.adapters import own_files
    from tsunami_cli.adapters.folders import stands_as, write_below
    from tsunami_cli.adapters.git.surroundings import default_branch, origin_host

    root, there = repository.root, _there(repository)
    _admit(repository)
    settings = Fleet(WorkTree(root)).settings if there(SETTINGS) else None
    ci = asked or ci_of(origin_host(repository), there)
    here = (repository.head_ref() or MAIN).removeprefix("refs/heads/")
    branch = settings.branch if settings else default_branch(repository) or here
    yours = beginning(own_files.template(branch, ci), there, settings.inventory if settings else None)
    owned = own_files.schemas() | (own_files.pipeline() if ci is Ci.GITHUB else {})
    files = yours | owned
    made = {path: data for path, data in files.items() if not there(path)}
    older = [path for path in owned if path not in made and not stands_as(root, path, owned[path])]
    older += [path for path in own_files.RETIRED if there(path)]
    if not dry_run:
        write_below(root, made)
    kept = [path for path in files if path not in made]
    moved_up = Path(os.path.realpath(where)) != root
    return LaidOut(str(root), ci, moved_up, tuple(sorted(made)), tuple(sorted({*kept, *older})), tuple(sorted(older)))


def _upgrade(repository: Repository, asked: Ci | None, *, dry_run: bool) -> Upgrade:
    """Renew tsunami's own files; Refused, with nothing written, where anything would be lost."""
    from tsunami_cli.adapters import own_files
    from tsunami_cli.adapters.folders import standing, write_below
    from tsunami_cli.adapters.git.surroundings import unsaved

    root, there = repository.root, _there(repository)
    if not there(SETTINGS):
        raise Refused(f"{SETTINGS}: there is none here to upgrade: lay out a rollouts repository with tsunami init")
    _admit(repository)
    on_github = asked is Ci.GITHUB or (asked is None and any(there(path) for path in own_files.MARKS))
    owned = own_files.schemas() | (own_files.pipeline() if on_github else {})
    old = {path: data for path in own_files.RETIRED if (data := standing(root, path)) is not None}
    done = upgrade(
        __version__,
        owned,
        {path: standing(root, path) for path in owned},
        {path: own_files.as_laid_out(path, data) and there(own_files.RETIRED[path]) for path, data in old.items()},
    )
    lost = unsaved(repository, done.upgraded)
    if lost:
        raise Refused(
            f"{', '.join(lost)}: would be overwritten as it is nowhere in git: commit it, or put it away with"
            f" `git stash push --include-untracked -- {' '.join(lost)}`, then again"
        )
    if not dry_run:
        write_below(root, {path: owned[path] for path in (*done.made, *done.upgraded)}, done.removed)
    return done


def _warn(repository: Repository) -> None:
    """Say where a pipeline that is not tsunami's to write goes on with an older version."""
    from tsunami_cli.adapters import own_files

    theirs = pinned(WorkTree(repository.root).read(own_files.GITLAB) or b"")
    if theirs is not None and is_older(theirs, __version__):
        note(f"{own_files.GITLAB}: installs tsunami {theirs} still; it is yours: write {__version__} there")


def _there(repository: Repository) -> Callable[[str], bool]:
    """Return how to ask whether anything stands at a path."""
    return lambda path: os.path.lexists(repository.root / path)


def _admit(repository: Repository) -> None:
    """Raise Refusal where this version of tsunami is older than the one that the repository is on."""
    from tsunami_cli.adapters import own_files

    for path in (own_files.REQUIREMENTS, own_files.GITLAB):
        admit(__version__, pinned(WorkTree(repository.root).read(path) or b""))
