"""Folders of files that we write: each file whole or not at all, and only where its bytes change."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tsunami_cli.errors import Refused


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a folder."""

    written: int
    unchanged: int
    deleted: int


def write_changed(folder: Path, files: Mapping[str, bytes], *, prune: bool) -> Written:
    """Write files by name into a folder, made if need be; with `prune`, delete its other `.json` files.

    Raises Refused where the folder or a file cannot be written. What was written until then is whole.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        changed = sum(_write(folder / name, data) for name, data in files.items())
        gone = [file for file in folder.glob("*.json") if file.name not in files] if prune else []
        for file in gone:
            file.unlink()
    except OSError as error:
        raise Refused(f"{error.filename or folder}: cannot be written: {error.strerror}") from None
    return Written(changed, len(files) - changed, len(gone))


def write_whole(file: Path, data: bytes) -> None:
    """Write a file under another name first and then put it in its place, so that no reader sees half of it."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
        temporary.chmod(0o644)
        temporary.replace(file)
    except BaseException:
        temporary.unlink()
        raise


def _write(file: Path, data: bytes) -> bool:
    """Write a file where its bytes differ; say whether they did."""
    if not file.is_symlink():
        try:
            if file.read_bytes() == data:
                return False
        except FileNotFoundError:
            pass
    write_whole(file, data)
    return True


def write_new(root: Path, files: Mapping[str, bytes]) -> tuple[list[str], list[str]]:
    """Write those of some files, by path below a folder, that are not there yet.

    Return the paths that were written and those that were there. Raises Refused where one cannot be written.
    """
    kept = [path for path in files if os.path.lexists(root / path)]
    made = [path for path in files if path not in kept]
    write_below(root, {path: files[path] for path in made})
    return made, kept


def write_below(root: Path, files: Mapping[str, bytes], gone: Sequence[str] = ()) -> None:
    """Write files by path below a folder, over what stands there, and delete those that are to be gone.

    Nothing is written through a link that leads out of the folder. Raises Refused for one, before anything is written,
    and where a file cannot be written; what was written until then is whole.
    """
    places = {_below(root, path): data for path, data in files.items()}
    old = [_below(root, path) for path in gone]
    file = root
    try:
        for file, data in places.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, data)
        for file in old:
            file.unlink()
    except OSError as error:
        raise Refused(f"{error.filename or file}: cannot be written: {error.strerror}") from None


def standing(root: Path, path: str) -> bytes | None:
    """Return the content of a file below a folder, None where there is none.

    Raises Refused where something else is in its place, or a link that leads to it: nobody may write over that.
    """
    file = _below(root, path)
    if not os.path.lexists(file):
        return None
    if file.is_symlink() or not file.is_file():
        what = "link" if file.is_symlink() else "folder" if file.is_dir() else "special file"
        raise Refused(f"{path}: is a {what} where a file should be: move it away, then again")
    try:
        return file.read_bytes()
    except OSError as error:
        raise Refused(f"{path}: cannot be read: {error.strerror}") from None


def stands_as(root: Path, path: str, data: bytes) -> bool:
    """Whether a file below a folder is a plain one with this content."""
    try:
        return standing(root, path) == data
    except Refused:
        return False


def _below(root: Path, path: str) -> Path:
    """Return where a file below a folder lies; Refused where the way to it leads out of that, or is none."""
    file, top = root / path, Path(os.path.realpath(root))
    for above in file.parents[: len(Path(path).parts) - 1]:
        if os.path.lexists(above) and not above.is_dir():
            raise Refused(f"{path}: {above.relative_to(root)} is no folder: move it away, then again")
    folder = Path(os.path.realpath(file.parent))
    if not folder.is_relative_to(top) or ".git" in (part.lower() for part in folder.relative_to(top).parts):
        raise Refused(f"{path}: a link leads out of the repository, to {folder}: put the folder itself there")
    return file
