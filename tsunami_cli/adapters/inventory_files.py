"""Inventory files: CSV (`host,role` and labels) and the YAML form (`role: [host, ...]`).

A good CSV of a million hosts is read by whole columns. As soon as anything is off, the same file is read again row by
row, for complaints with an address.
"""

import re
from collections.abc import Callable, Iterator
from itertools import accumulate, islice

from tsunami_cli.core.inventory import Inventory, host_fault, hosts_are_named_well, is_ascending, role_fault
from tsunami_cli.core.nodes import ListNode, MapNode, Node, ScalarNode, spelled
from tsunami_cli.core.problems import Problem

MOST_PROBLEMS = 100
_COLUMN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,62}")
_ALL_BUT_SEPARATORS = bytes(set(range(256)) - set(b",\n"))
_CELL = re.compile(r'("(?:[^"]|"")*"|[^,]*)(?:,|$)')

Cell = tuple[int, str]
"""A column, from 1 and in characters, and what stands there."""


def read_csv(data: bytes, file: str) -> tuple[Inventory | None, tuple[Problem, ...]]:
    """Read a CSV inventory; None, and every problem, if anything is wrong with it."""
    inventory = _by_columns(data)
    if inventory is not None:
        return inventory, ()
    problems = _capped(_by_rows(data, file))
    if not problems:  # Then nobody could mend the file: a bug here, never an empty fleet.
        raise AssertionError(f"{file} was refused without a reason")
    return None, problems


def from_nodes(node: Node, file: str) -> tuple[Inventory | None, tuple[Problem, ...]]:
    """Read a YAML inventory, `role: [host, ...]`; None, and every problem, if anything is wrong with it."""
    if not isinstance(node, MapNode):
        return None, (_problem(file, node, "", "the inventory is not a mapping: write role: [host, ...]"),)
    problems = _capped(_node_problems(node, file))
    if problems:
        return None, problems
    rows = [(_text(host), role.text) for role, below in node.entries for host in _items(below)]
    return Inventory.of([host for host, _ in rows], [role for _, role in rows], {}), ()


def column_fault(name: str) -> str | None:
    """Say why a column cannot have this name; None where it can."""
    if _COLUMN_NAME.fullmatch(name):
        return None
    return f"{name!a} is not the name of a column: write letters, digits and _, without spaces"


# --- the way of a good file


def _by_columns(data: bytes) -> Inventory | None:
    """Read a file in which all is well; None for any other."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    text = text.replace("\r\n", "\n") if "\r" in text else text
    header, _, body = text.partition("\n")
    names = _names(header)
    if _header_fault(names) or not (body := body.rstrip("\n")):
        return None
    columns = _columns(body, len(names))
    if columns and '"' not in body and not is_ascending(columns[0]):
        # A comma sorts before everything in a host name, so that lines sort as their hosts do, and much faster.
        columns = _columns("\n".join(sorted(body.split("\n"))), len(names))
    if not columns or not hosts_are_named_well(columns[0]):
        return None
    hosts, *repeating = columns
    # Roles and labels repeat: each text is checked once, and kept once in memory.
    texts: list[dict[str, str]] = [{} for _ in repeating]
    roles, *labels = (list(map(one.setdefault, cells, cells)) for one, cells in zip(texts, repeating, strict=True))
    if any(map(role_fault, texts[0])) or any(any(map(_label_fault, one)) for one in texts[1:]):
        return None
    try:
        return Inventory.of(hosts, roles, dict(zip(names[2:], labels, strict=True)))
    except ValueError:  # a host twice
        return None


def _columns(body: str, width: int) -> list[list[str]] | None:
    """Return the columns of a table, None where a row has another width."""
    if '"' in body:
        return _quoted_columns(body, width)
    rows = body.count("\n") + 1
    separators = body.encode().translate(None, _ALL_BUT_SEPARATORS) + b"\n"
    if separators != (b"," * (width - 1) + b"\n") * rows:
        return None
    cells = body.replace("\n", ",").split(",")
    return [cells[place::width] for place in range(width)]


def _quoted_columns(body: str, width: int) -> list[list[str]] | None:
    import csv

    try:
        rows = list(csv.reader(body.split("\n"), strict=True))
    except csv.Error:
        return None
    if set(map(len, rows)) != {width} or len(rows) != body.count("\n") + 1:
        return None
    return [list(column) for column in zip(*rows, strict=True)]


# --- the way of a bad one


def _by_rows(data: bytes, file: str) -> Iterator[Problem]:
    """Yield every problem of a CSV file."""
    try:
        text = data.decode()
    except UnicodeDecodeError as wrong:
        yield _undecodable(data, wrong.start, file)
        return
    if text.startswith("\ufeff"):
        yield Problem(file, 1, 1, "", "the file starts with a byte order mark: save it as UTF-8 without one")
        return
    header, *lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    names = _names(header)
    fault = _header_fault(names)
    if fault:
        yield Problem(file, 1, fault[0], "", fault[1])
        return
    if not lines:
        yield Problem(file, 1, 1, "", "the inventory has no hosts: write one a line, as in lon2-search-a1,search")
    yield from _row_problems(names, lines, file)


def _undecodable(data: bytes, place: int, file: str) -> Problem:
    before = data[:place].rpartition(b"\n")[2]
    line, column = data.count(b"\n", 0, place) + 1, len(before.decode(errors="replace")) + 1
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return Problem(file, 1, 1, "", "the file is UTF-16: save it as UTF-8")
    return Problem(file, line, column, "", f"the byte 0x{data[place]:02x} is not UTF-8: save the file as UTF-8")


def _header_fault(names: list[str]) -> tuple[int, str] | None:
    """Return the column and the complaint where the first line is not a header."""
    if names[:2] != ["host", "role"]:
        return 1, "the first line is not a header: it must start with host,role"
    column = 1
    for place, name in enumerate(names):
        if name in names[:place]:
            return column, f"the column {name} stands twice in the header: rename one"
        if fault := column_fault(name):
            return column, fault
        column += len(name) + 1
    return None


def _row_problems(names: list[str], lines: list[str], file: str) -> Iterator[Problem]:
    checks: list[Callable[[str], str | None]] = [host_fault, role_fault, *([_label_fault] * (len(names) - 2))]
    seen: dict[str, int] = {}
    for line, text in enumerate(lines, 2):
        cells = _cells(text)
        if len(cells) != len(names):
            yield Problem(file, line, 1, "", _width_fault(text, len(cells), len(names)))
            continue
        for name, check, (column, cell) in zip(names, checks, cells, strict=True):
            if fault := check(cell):
                yield Problem(file, line, column, name, fault)
        host = cells[0][1]
        first = seen.setdefault(host, line)
        if first != line and not host_fault(host):
            yield Problem(file, line, 1, "host", f"{host} stands on line {first} too: take one of the two away")


def _cells(line: str) -> list[Cell]:
    """Return the cells of a line, each with its column; none where its quotes make no sense."""
    if '"' not in line:
        texts = line.split(",")
        return list(zip(accumulate((len(text) + 1 for text in texts), initial=1), texts, strict=False))
    import csv

    try:
        texts = next(csv.reader([line], strict=True))
    except csv.Error:
        return []
    return list(zip((found.start() + 1 for found in _CELL.finditer(line)), texts, strict=False))


def _names(header: str) -> list[str]:
    return [name for _, name in _cells(header)]


def _width_fault(text: str, width: int, wanted: int) -> str:
    if not text.strip():
        return "the line is blank: take it away"
    if not width:
        return 'a quote is not closed: write "..." around the whole cell, and "" for a quote in it'
    return f"the line has {width} cells and the header {wanted}: separate {wanted} by commas"


def _label_fault(label: str) -> str | None:
    if not label.isprintable():
        return f"{label!a} holds a control character: take it away"
    return None if label == label.strip() else f"there are spaces around {label.strip()!a}: take them away"


# --- the YAML form


def _node_problems(node: MapNode, file: str) -> Iterator[Problem]:
    seen: dict[str, Node] = {}
    for role, below in node.entries:
        if fault := _node_fault(role, role_fault):
            yield _problem(file, role, role.text, fault)
        if not isinstance(below, ListNode):
            yield _problem(file, below, role.text, "not a list of hosts: write [host, ...], or [] for none")
        for place, host in enumerate(_items(below)):
            first, where = seen.setdefault(_text(host), host), spelled((role.text, place))
            if fault := _node_fault(host, host_fault):
                yield _problem(file, host, where, fault)
            elif first is not host:
                said = f"{_text(host)} stands on line {first.span.line} too: take one of the two away"
                yield _problem(file, host, where, said)
    if not seen:
        yield _problem(file, node, "", "the inventory has no hosts: write role: [host, ...]")


def _items(node: Node) -> tuple[Node, ...]:
    return node.items if isinstance(node, ListNode) else ()


def _text(node: Node) -> str:
    return node.text if isinstance(node, ScalarNode) else ""


def _node_fault(node: Node, check: Callable[[str], str | None]) -> str | None:
    if not isinstance(node, ScalarNode):
        return "not a name: write it as plain text"
    if fault := check(node.text):
        return fault
    return f'{node.text} is {node.taken_for} to YAML: write "{node.text}"' if node.taken_for else None


def _problem(file: str, node: Node, where: str, message: str) -> Problem:
    return Problem(file, node.span.line, node.span.column, where, message)


def _capped(problems: Iterator[Problem]) -> tuple[Problem, ...]:
    """Return the first problems, and one that says how many more there are."""
    shown = list(islice(problems, MOST_PROBLEMS))
    rest = next(problems, None)
    if rest is not None:
        more = 1 + sum(1 for _ in problems)
        shown.append(Problem(rest.file, rest.line, rest.column, "", f"and {more} more problems in this file"))
    return tuple(shown)
