"""`tsunami init`: a rollouts repository."""

from pathlib import Path

from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.commands.fleet import MAIN
from tsunami_cli.commands.options import Folder, Json


def command(as_json: Json = False, folder: Folder = None) -> None:
    """Lay out a rollouts repository in the git repository around the current folder.

    Settings, an inventory, an example variable, JSON Schemas for your editor and a workflow that validates. Files that
    are there already stay as they are, so that it is safe to run again.

    [dim]git init fleet && cd fleet && tsunami init[/]
    """
    from tsunami_cli.adapters import own_files
    from tsunami_cli.adapters.folders import write_new
    from tsunami_cli.output import init as screen

    repository = Repository.discover(folder or Path.cwd())
    files = own_files.template((repository.head_ref() or MAIN).removeprefix("refs/heads/")) | own_files.schemas()
    if (repository.root / "rollouts").is_dir():
        files = {path: data for path, data in files.items() if not path.startswith("rollouts/")}
    made, kept = write_new(repository.root, files)
    screen.show(str(repository.root), made, kept, as_json=as_json)
