"""The files that tsunami brings along: schemas, workflows, a repository to begin with, and the example fleet."""

import hashlib
import json
import re
from pathlib import Path

from tsunami_cli import __version__
from tsunami_cli.errors import Refused

_PACKAGE = Path(__file__).parents[1]
_EXAMPLE = ("tsunami.yaml", "inventory.csv", "rollouts")

PIPELINE = (
    ".github/actions/tsunami/action.yml",
    ".github/workflows/tsunami-halt.yml",
    ".github/workflows/tsunami-preview.yml",
    ".github/workflows/tsunami-publish.yml",
)
"""What runs tsunami on GitHub, for the repository's own workflows to call."""
REQUIREMENTS = ".github/actions/tsunami/requirements.txt"
"""Which version of tsunami that is."""
MARKS = (".github/actions/tsunami/action.yml", ".github/workflows/tsunami-publish.yml")
"""Where one of these is, GitHub runs tsunami."""
GITLAB = ".gitlab-ci.yml"

RETIRED = {".github/workflows/tsunami.yml": ".github/workflows/rollouts.yml"}
"""What earlier versions laid out and this one does not, with the file that has taken over its work."""
_AS_LAID_OUT = {".github/workflows/tsunami.yml": "ab8cfb930d56573308ebaec619887ad08d1541edfb8502f40ddbff815a270b8b"}
"""What those files were before their blanks were filled in: SHA-256."""
_BRANCH = re.compile(rb'(?<=branches: \[")[^"\n]*(?="\]\n)')
_VERSION = re.compile(rb"(tsunami-cli(?:\[notify\])?==)[0-9][0-9A-Za-z.+]*")


def schemas() -> dict[str, bytes]:
    """Return the JSON Schemas, by path within a repository."""
    folder = _found("schemas", "schemas")
    return {f"schemas/{file.name}": file.read_bytes() for file in sorted(folder.glob("*.schema.json"))}


def pipeline() -> dict[str, bytes]:
    """Return what runs tsunami on GitHub, by path within a repository."""
    folder = _found("pipeline", ".")
    files = {path: _read(folder / path) for path in PIPELINE}
    return files | {REQUIREMENTS: f"tsunami-cli=={__version__}\n".encode()}


def template(branch: str, ci: str) -> dict[str, bytes]:
    """Return what a new rollouts repository begins with besides, by path: its users' own files.

    `branch` is the one that counts; `ci` is `github`, `gitlab` or `none`.
    """
    folder = _PACKAGE / "template"
    files = {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}
    variants = {f"README.{one}.md" for one in ("github", "gitlab", "none")}
    files["README.md"] = files["README.md"].replace(b"@CI@\n", files[f"README.{ci}.md"])
    if ci == "github":
        files[".github/CODEOWNERS"] = files.pop("CODEOWNERS")
    else:
        files = {path: data for path, data in files.items() if not path.startswith(".github/")}
    if ci == "gitlab":
        files[GITLAB] = _VERSION.sub(rb"\1@VERSION@", _read(_found("pipeline", ".") / "docs/ci/gitlab-ci.yml"))
    return {path: _filled_in(path, data, branch) for path, data in sorted(files.items()) if path not in variants}


def example() -> dict[str, bytes]:
    """Return the example fleet, by path within a repository."""
    folder = _found("example", ".")
    found = [file for name in _EXAMPLE for file in [folder / name, *sorted((folder / name).glob("*.yaml"))]]
    return {str(file.relative_to(folder)): file.read_bytes() for file in found if file.is_file()}


def as_laid_out(path: str, data: bytes) -> bool:
    """Whether a retired file is, byte for byte, what some version of tsunami wrote."""
    text = _VERSION.sub(rb"\1@VERSION@", _BRANCH.sub(b"@BRANCH@", data))
    return hashlib.sha256(text).hexdigest() == _AS_LAID_OUT[path]


def _filled_in(path: str, data: bytes, branch: str) -> bytes:
    """Return a file with its blanks filled in; in YAML they stand between double quotes."""
    if path.endswith((".yml", ".yaml")):
        branch = json.dumps(branch, ensure_ascii=False)[1:-1]
    name = branch.encode("utf-8", "surrogateescape")
    return data.replace(b"@BRANCH@", name).replace(b"@VERSION@", __version__.encode())


def _found(installed: str, in_source: str) -> Path:
    """Return a folder of the installed package, or in a source tree the one that it is made of."""
    for folder in (_PACKAGE / installed, _PACKAGE.parent / in_source):
        if folder.is_dir():
            return folder
    raise _missing(_PACKAGE / installed)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        raise _missing(file) from None


def _missing(place: Path) -> Refused:
    return Refused(f"{place}: is missing: install tsunami again")
