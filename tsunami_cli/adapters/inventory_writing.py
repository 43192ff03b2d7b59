"""An inventory as the text of its file, which reads back as the same inventory."""

import io
import re

from tsunami_cli.core.inventory import Inventory

# Everything else is quoted: who knows what some reader takes `1e3`, `12.30` or `on` for.
_PLAIN = re.compile(r"(?!(?:y|n|yes|no|on|off|true|false|null)$)[a-z][a-z0-9_.-]*")


def csv_of(inventory: Inventory) -> bytes:
    """Write an inventory as CSV, sorted by host."""
    import csv

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["host", "role", *inventory.labels])
    writer.writerows(zip(inventory.hosts, inventory.roles, *inventory.labels.values(), strict=True))
    return out.getvalue().encode()


def yaml_of(inventory: Inventory, before: bytes = b"") -> bytes:
    """Write an inventory without labels as YAML, sorted by role and host, under the comments that `before` starts with.

    Further comments of `before` do not stay: see `comments_lost`.
    """
    lines = head_of(before)
    for role, hosts in inventory.members().items():
        lines.append(f"{_scalar(role)}:")
        lines += [f"  - {_scalar(host)}" for host in hosts]
    return ("\n".join(lines) + "\n").encode()


def head_of(before: bytes) -> list[str]:
    """Return the comment lines at the top of a file, with blank ones between."""
    lines = before.decode(errors="replace").splitlines()
    end = next((place for place, line in enumerate(lines) if line.strip() and not line.startswith("#")), len(lines))
    return lines[:end]


def comments_lost(before: bytes) -> bool:
    """Say whether a YAML inventory has comments below its first lines."""
    below = before.decode(errors="replace").splitlines()[len(head_of(before)) :]
    return any(re.search(r"(^|\s)#", line) for line in below)


def _scalar(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else f'"{name}"'
