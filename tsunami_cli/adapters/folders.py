"""Folders of files that we write: each file whole or not at all, and only where its bytes change."""

import os
import tempfile
from collections.abc import Mapping
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
    made, kept = [], []
    for path, data in files.items():
        file = root / path
        try:
            if file.exists() or file.is_symlink():
                kept.append(path)
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, data)
        except OSError as error:
            raise Refused(f"{error.filename or file}: cannot be written: {error.strerror}") from None
        made.append(path)
    return made, kept
