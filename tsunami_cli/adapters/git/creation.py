"""A repository that begins here."""

from datetime import datetime
from pathlib import Path

from tsunami_cli.adapters.git.process import output
from tsunami_cli.adapters.git.repository import Repository

_SETTINGS = {
    "user.name": "Tsunami",
    "user.email": "tsunami@localhost",
    "commit.gpgsign": "false",
    "core.hooksPath": "/dev/null",
}


def create(folder: Path, message: str, at: datetime) -> Repository:
    """Make a repository of a folder with a first commit of all its files on `main`, dated `at`."""
    output(folder, "init", "--quiet", "--initial-branch=main")
    for key, value in _SETTINGS.items():
        output(folder, "config", key, value)
    output(folder, "add", "--all", "--force")
    instant = f"@{int(at.timestamp())} +0000"
    dates = {"GIT_AUTHOR_DATE": instant, "GIT_COMMITTER_DATE": instant}
    output(folder, "commit", "--quiet", "--no-verify", "--message", message, extra=dates)
    return Repository.discover(folder)
