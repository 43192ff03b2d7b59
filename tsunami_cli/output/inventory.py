"""What an import changed, and the hosts of the fleet, in lines and as JSON."""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from tsunami_cli.core.importing.difference import Changed, Difference, by_role
from tsunami_cli.core.inventory import Inventory
from tsunami_cli.core.model import Globs
from tsunami_cli.output.decided import Made, Outcome, committed
from tsunami_cli.output.streams import console, count_of, emit

NAMED = 3
"""Hosts, roles or changes that a line names; JSON has them all."""
COUNTED = 20
"""Values of a label that the list counts; JSON has them all."""


@dataclass(frozen=True, slots=True)
class ImportScreen:
    """What an import found and did."""

    file: str
    source: str
    inventory: Inventory
    """As it is now, or would be."""
    change: Difference
    without: Mapping[str, int]
    """By label, how many hosts have nothing there."""
    accepted: bool
    """Whether it lost more hosts than the settings let pass, which publish may mind too."""
    behind: Sequence[tuple[str, str]]
    """Variables with patterns that match no role any more."""
    branch: str
    outcome: Outcome | None
    """None for a dry run."""


@dataclass(frozen=True, slots=True)
class _Commit:
    """A commit that holds no decision on a variable."""

    outcome: Outcome
    branch: str
    elsewhere: str | None = None
    made: Sequence[Made] = ()


def show_import(found: ImportScreen, *, as_json: bool) -> None:
    """Write what an import changed to stdout."""
    if as_json:
        emit(import_data(found))
        return
    out = console()
    hosts, roles = len(found.inventory.hosts), len(found.inventory.members())
    out.print(f"{found.file}  {count_of(hosts, 'host')} in {count_of(roles, 'role')} from {found.source}")
    rows = list(_rows(found))
    wide = [max((len(row[place]) for row in rows), default=0) for place in range(3)]
    for what, count, kinds, names in rows:
        out.print(f"  {what:<{wide[0]}}  {count:>{wide[1]}}  {kinds:<{wide[2]}}  {names}".rstrip(), soft_wrap=True)
    if not found.change:
        out.print("nothing changed: no commit")
        return
    if found.outcome is None:
        out.print("nothing committed: that was a dry run")
        return
    out.print(committed(_Commit(found.outcome, found.branch)))
    if found.accepted:
        left = len(found.change.left)
        out.print(f"publish has its own bound: the next one may need tsunami publish --accept-shrink {left}")


def _rows(found: ImportScreen) -> Iterator[tuple[str, str, str, str]]:
    """Yield lines of what, how many, which kinds, and a few names."""
    change = found.change
    for what, hosts in (("joined", change.joined), ("left", change.left)):
        if hosts:
            kinds = [f"{count:,} {role}" for role, count in by_role(hosts).items()]
            yield what, f"{len(hosts):,}", _some(kinds), _some([host for host, _ in hosts])
    if change.roles:
        yield "role", f"{len(change.roles):,}", *_changed(change.roles)
    new = (*change.added, *change.dropped)
    for label in dict.fromkeys(one.label for one in change.labels if one.label not in new):
        rows = [one for one in change.labels if one.label == label]
        yield label or "", f"{len(rows):,}", *_changed(rows)
    for label in change.added:
        yield "new label", "", label, ""
    for label in change.dropped:
        yield "label gone", "", label, ""
    for label, count in found.without.items():
        yield f"no {label}", f"{count:,}", "", ""


def _changed(rows: Sequence[Changed]) -> tuple[str, str]:
    kinds = Counter(f"{one.before or 'nothing'} -> {one.after or 'nothing'}" for one in rows)
    return _some([f"{count:,} {kind}" for kind, count in kinds.most_common()]), _some([one.host for one in rows])


def _some(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - NAMED:,} more" if len(texts) > NAMED else ""
    return ", ".join(texts[:NAMED]) + more


def import_data(found: ImportScreen) -> dict[str, Any]:
    """Return an import as JSON data."""
    outcome, change = found.outcome, found.change
    return {
        "file": found.file,
        "source": found.source,
        "commit": outcome and outcome.commit,
        "branch": found.branch,
        "remote": outcome and outcome.remote,
        "pushed": bool(outcome and outcome.pushed),
        "dry_run": outcome is None,
        "hosts": len(found.inventory.hosts),
        "roles": {role: len(hosts) for role, hosts in found.inventory.members().items()},
        "joined": [{"host": host, "role": role} for host, role in change.joined],
        "left": [{"host": host, "role": role} for host, role in change.left],
        "changed_roles": [{"host": one.host, "from": one.before, "to": one.after} for one in change.roles],
        "changed_labels": [
            {"host": one.host, "label": one.label, "from": one.before, "to": one.after} for one in change.labels
        ],
        "labels_added": list(change.added),
        "labels_dropped": list(change.dropped),
        "without_label": dict(found.without),
        "roles_left_behind": [{"variable": variable, "pattern": pattern} for variable, pattern in found.behind],
    }


def picked(inventory: Inventory, roles: Globs | None) -> Inventory:
    """Return the part of an inventory whose roles match; all of it for None."""
    if roles is None:
        return inventory
    wanted = set(roles.among(list(inventory.members())))
    places = [place for place, role in enumerate(inventory.roles) if role in wanted]
    columns = [inventory.hosts, inventory.roles, *inventory.labels.values()]
    hosts, kinds, *labels = ([column[place] for place in places] for column in columns)
    return Inventory.of(hosts, kinds, dict(zip(inventory.labels, labels, strict=True)))


def show_list(inventory: Inventory, file: str, *, as_json: bool) -> None:
    """Write hosts to stdout, one a line, and how many there are to stderr."""
    if as_json:
        _write_data(inventory, file)
        return
    columns = [inventory.hosts, inventory.roles, *inventory.labels.values()]
    heads = ["host", "role", *inventory.labels]
    # What another program reads is hosts alone.
    rows = zip(*columns, strict=True)
    lines = chain([tuple(heads)], rows) if sys.stdout.isatty() else rows
    wide = [max(len(head), *map(len, column), 0) for head, column in zip(heads, columns, strict=True)]
    line = "  ".join(f"{{:<{width}}}" for width in wide)
    sys.stdout.writelines(f"{line.format(*row).rstrip()}\n" for row in lines)
    sys.stdout.flush()
    sys.stderr.writelines(f"{text}\n" for text in _counts(inventory))


def _counts(inventory: Inventory) -> Iterator[str]:
    roles = {role: len(hosts) for role, hosts in inventory.members().items()}
    yield f"{count_of(len(inventory.hosts), 'host')} in {count_of(len(roles), 'role')}"
    for name, counts in (("role", roles), *_labels(inventory).items()):
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        shown = ", ".join(f"{text or 'nothing'} {count:,}" for text, count in ordered[:COUNTED])
        more = f" and {len(ordered) - COUNTED:,} more" if len(ordered) > COUNTED else ""
        yield f"  {name}: {shown}{more}"


def _labels(inventory: Inventory) -> dict[str, dict[str, int]]:
    return {name: dict(sorted(Counter(column).items())) for name, column in inventory.labels.items()}


def _write_data(inventory: Inventory, file: str) -> None:
    """Write one JSON document, one host a line: the encoder that indents takes seconds for a hundred thousand."""
    roles = {role: len(hosts) for role, hosts in inventory.members().items()}
    counts = {"hosts": len(inventory.hosts), "roles": roles, "labels": _labels(inventory)}
    names, write = list(inventory.labels), json.JSONEncoder(ensure_ascii=False).encode
    rows = zip(inventory.hosts, inventory.roles, *inventory.labels.values(), strict=True)
    hosts = (
        write({"host": host, "role": role, "labels": dict(zip(names, labels, strict=True))})
        for host, role, *labels in rows
    )
    head = f'{{\n  "file": {write(file)},\n  "counts": {write(counts)},\n  "hosts": [\n    '
    sys.stdout.write(head + ",\n    ".join(hosts) + "\n  ]\n}\n")
