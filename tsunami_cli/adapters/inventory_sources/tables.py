"""CSV with any header: one host a line."""

import csv
import io
from collections.abc import Iterator

from tsunami_cli.adapters.inventory_sources.texts import text_of
from tsunami_cli.core.importing.machines import Machine
from tsunami_cli.errors import Refused

EXPECTED = "CSV with a header, such as host,role,site"

_NAME = "host"


def machines(data: bytes, file: str) -> Iterator[Machine]:
    """Yield the rows; the name is what stands in the column `host`, where there is one."""
    text = text_of(data, file, EXPECTED)
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        names = next(rows)
        _check(names, file)
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            where = f"line {rows.line_num}"
            if len(row) != len(names):
                raise Refused(f"{file}: {where} has {len(row)} cells and the header {len(names)}: expected {EXPECTED}")
            facts = {name: cell for name, cell in zip(names, row, strict=True) if name}
            yield Machine(where, facts.get(_NAME, "").strip(), facts=facts)
    except csv.Error as wrong:
        raise Refused(f"{file}: line {rows.line_num} is not CSV ({wrong}): expected {EXPECTED}") from None


def _check(names: list[str], file: str) -> None:
    """Refuse a header that is none. It may be a host's row, so that no message repeats it."""
    names[:] = [name.strip() for name in names]
    if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
        raise Refused(f"{file}: line 1 has no commas: separate cells by commas; expected {EXPECTED}")
    known = [name for name in names if name]
    if not known or len(set(known)) != len(known):
        fault = "has one name twice" if known else "is blank"
        raise Refused(f"{file}: the header in line 1 {fault}: expected {EXPECTED}")
