"""Repositories that begin here: the branch one is on before its first commit, and a new one with all of a folder."""

from datetime import datetime
from pathlib import Path

from tsunami_cli.adapters.git.repository import Repository

_AUTHOR = ("Tsunami", "tsunami@localhost")


def current_branch(repository: Repository) -> str | None:
    """Return the branch that is checked out, also where nothing is committed on it yet; None with a detached HEAD."""
    from git import Repo

    with Repo(repository.root) as repo:
        return None if repo.head.is_detached else str(repo.head.reference.name)


def create(folder: Path, message: str, at: datetime) -> Repository:
    """Make a repository of a folder with a first commit of all its files on `main`, dated `at`."""
    from git import Actor, Repo

    author = Actor(*_AUTHOR)
    with Repo.init(folder, initial_branch="main") as repo:
        with repo.config_writer() as config:
            config.set_value("user", "name", author.name or "")
            config.set_value("user", "email", author.email or "")
            config.set_value("commit", "gpgsign", "false")
        repo.git.add("--all")
        repo.index.commit(message, author=author, committer=author, author_date=at, commit_date=at)
    return Repository.discover(folder)
