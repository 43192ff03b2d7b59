"""The files that tsunami brings along: the schemas, a repository to begin with, and the example fleet."""

from functools import reduce
from pathlib import Path

from tsunami_cli import __version__
from tsunami_cli.errors import Refused

_PACKAGE = Path(__file__).parents[1]
_EXAMPLE = ("tsunami.yaml", "inventory.csv", "rollouts")


def schemas() -> dict[str, bytes]:
    """Return the JSON Schemas, by path within a repository."""
    folder = _found("schemas", "schemas")
    return {f"schemas/{file.name}": file.read_bytes() for file in sorted(folder.glob("*.schema.json"))}


def template(branch: str) -> dict[str, bytes]:
    """Return what a new rollouts repository begins with, by path; `branch` is the one that counts."""
    folder = _PACKAGE / "template"
    files = {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}
    blanks = {b"@BRANCH@": branch.encode(), b"@VERSION@": __version__.encode()}
    return {
        path: reduce(lambda data, blank: data.replace(*blank), blanks.items(), data) for path, data in files.items()
    }


def example() -> dict[str, bytes]:
    """Return the example fleet, by path within a repository."""
    folder = _found("example", ".")
    found = [file for name in _EXAMPLE for file in [folder / name, *sorted((folder / name).glob("*.yaml"))]]
    return {str(file.relative_to(folder)): file.read_bytes() for file in found if file.is_file()}


def _found(installed: str, in_source: str) -> Path:
    """Return a folder of the installed package, or in a source tree the one that it is made of."""
    for folder in (_PACKAGE / installed, _PACKAGE.parent / in_source):
        if folder.is_dir():
            return folder
    raise Refused(f"{_PACKAGE / installed}: is missing: install tsunami again")
