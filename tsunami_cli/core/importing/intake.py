"""The hosts of a source as an inventory, or why that cannot be: every refusal counts, names hosts and says the way out.

No message holds anything that a host knows, but for what the rules were told to read as names and roles.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tsunami_cli.core.importing.machines import Machine, Rule, Unreadable
from tsunami_cli.core.inventory import Inventory, host_fault, role_fault
from tsunami_cli.core.problems import Refusal

NAMED = 3
"""Hosts that a refusal names."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How hosts of a source are read."""

    role: Rule
    name: Rule | None = None
    """None for the source's own name."""
    labels: tuple[tuple[str, Rule], ...] = ()


@dataclass(frozen=True, slots=True)
class Intake:
    """What a source holds, as an inventory."""

    inventory: Inventory
    without: Mapping[str, int]
    """By label, how many hosts have nothing there; only labels that some lack."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A host as it would stand in our inventory."""

    machine: Machine
    role: str
    labels: tuple[str, ...]


def taken_in(machines: Sequence[Machine], rules: Rules, file: str) -> Intake:
    """Return the hosts of a source as an inventory; Refusal, naming the source, for what cannot be one."""
    if not machines:
        raise Refusal(f"{file}: holds no host: nothing was imported")
    names = _names(machines, rules, file)
    roles = _roles(machines, rules, file)
    columns = [_labels(machines, name, one, file) for name, one in rules.labels]
    rows: dict[str, _Row] = {}
    for place, (name, machine, role) in enumerate(zip(names, machines, roles, strict=True)):
        row = _Row(machine, role, tuple(column[place] for column in columns))
        _check_same(name, rows.setdefault(name, row), row, rules, file)
    labels = {name: [row.labels[place] for row in rows.values()] for place, (name, _) in enumerate(rules.labels)}
    without = {name: cells.count("") for name, cells in labels.items() if "" in cells}
    return Intake(Inventory.of(list(rows), [row.role for row in rows.values()], labels), without)


def _names(machines: Sequence[Machine], rules: Rules, file: str) -> list[str]:
    if rules.name is None:
        found = [machine.name for machine in machines]
        way = "name what holds it: --name-from"
    else:
        found = _read(machines, rules.name, f"--name-from {rules.name}", file)
        way = f"--name-from {rules.name} finds nothing there"
    _refuse(file, "no name", (m.shown for m, name in zip(machines, found, strict=True) if not name), way)
    names = [name.lower() for name in found]  # DNS ignores case
    _check_each(machines, names, host_fault, file, rules.name)
    return names


def _roles(machines: Sequence[Machine], rules: Rules, file: str) -> list[str]:
    flag = f"--role-from {rules.role}"
    roles = _read(machines, rules.role, flag, file)
    way = f"{flag} finds nothing there: give them one in the source, leave them out of it, or take another rule"
    _refuse(file, "no role", (m.shown for m, role in zip(machines, roles, strict=True) if not role), way)
    _check_each(machines, roles, role_fault, file, rules.role)
    return roles


def _labels(machines: Sequence[Machine], name: str, one: Rule, file: str) -> list[str]:
    flag = f"--label {name}={one}"
    found = _read(machines, one, flag, file)
    if one.kind == "regex":
        lacking = (m.shown for m, label in zip(machines, found, strict=True) if not label)
        _refuse(file, f"no {name}", lacking, f"{flag} does not match their names")
    if not any(found):
        raise Refusal(f"{file}: no host has anything for {flag}: is it spelled as in the source?")
    odd = (m.shown for m, label in zip(machines, found, strict=True) if not label.isprintable())
    _refuse(file, f"control characters in {name}", odd, f"mend them in the source, or leave {flag} out")
    return found


def _read(machines: Sequence[Machine], one: Rule, flag: str, file: str) -> list[str]:
    """Return what a rule finds in every host; Refusal where that is no text in some."""
    found, faults = [], []
    for machine in machines:
        try:
            found.append(one.read(machine))
        except Unreadable as reason:
            faults.append(f"{machine.shown} {reason}")
    if faults:
        raise Refusal(f"{file}: {flag}: {faults[0]}{_more(len(faults))}")
    return found


def _check_each(
    machines: Sequence[Machine],
    texts: Sequence[str],
    fault: Callable[[str], str | None],
    file: str,
    one: Rule | None,
) -> None:
    """Refuse names that our inventory cannot have; most texts repeat, and each is looked at once."""
    bad = {text: said for text in dict.fromkeys(texts) if (said := fault(text))}
    if not bad:
        return
    hit = [(m.shown, text) for m, text in zip(machines, texts, strict=True) if text in bad]
    host, text = hit[0]
    said = bad[text]
    if one is not None and one.secretive:
        what = "has capital letters" if fault(text.lower()) is None else "is no name: a to z, 0 to 9, - and . make one"
        said = f"what {one} holds {what} (it is not shown: it may be a secret)"
    raise Refusal(f"{file}: {host}: {said}{_more(len(hit))}")


def _check_same(host: str, first: _Row, other: _Row, rules: Rules, file: str) -> None:
    """Refuse a host that stands twice, unless the source says the same of it both times."""
    if first is other:
        return
    if first.machine.name != other.machine.name:
        both = f"{first.machine.shown} ({first.machine.where}) and {other.machine.shown} ({other.machine.where})"
        same = "have one name" if rules.name is not None and rules.name.secretive else f"be {host}"
        raise Refusal(f"{file}: {both} would both {same}: leave one of them out, or see --name-from")
    places = f"{first.machine.where} and {other.machine.where}"
    if first.role != other.role:
        two = "" if rules.role.secretive else f", {first.role} and {other.role}"
        raise Refusal(
            f"{file}: {host} has two roles{two} ({places}): a host has one; leave one out of the source, or see "
            "--role-from"
        )
    for (label, one), before, after in zip(rules.labels, first.labels, other.labels, strict=True):
        if before != after:
            raise Refusal(f"{file}: {host} has two values for --label {label}={one} ({places}): leave one of them out")


def _refuse(file: str, what: str, hosts: Iterable[str], way: str) -> None:
    """Refuse hosts that lack something, all together."""
    names = list(dict.fromkeys(hosts))
    if names:
        count = f"{len(names):,} host{' has' if len(names) == 1 else 's have'}"
        shown = ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
        raise Refusal(f"{file}: {count} {what} ({shown}): {way}")


def _more(count: int) -> str:
    return f" (and {count - 1:,} more like it)" if count > 1 else ""
