"""The bytes of a source: a file, or what another command writes into ours."""

import sys
from pathlib import Path

from tsunami_cli.errors import Refused


def arrived(file: str, most: int) -> tuple[bytes, str]:
    """Read a file, or stdin for `-`, of at most so many bytes; return them with the name for complaints."""
    name = "stdin" if file == "-" else file
    try:
        if file == "-":
            data = sys.stdin.buffer.read(most + 1)
        else:
            with Path(file).open("rb") as stream:
                data = stream.read(most + 1)
    except OSError as error:
        raise Refused(f"{name}: cannot be read: {error.strerror}") from None
    if len(data) > most:
        raise Refused(f"{name}: is larger than {most >> 20} MiB: ask the source for fewer hosts, or for less of each")
    return data, name
