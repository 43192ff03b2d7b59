"""How an import is carried out: compared with the branch's tip, committed, pushed; again if others were faster."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tsunami_cli.adapters import clock, inventory_files, inventory_writing
from tsunami_cli.adapters.git.decider import Decision, decide
from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.adapters.git.trees import CommitTree, WorkTree
from tsunami_cli.commands.fleet import Fleet, load_inventory, note, required
from tsunami_cli.commands.workspace import LEDGER
from tsunami_cli.core.importing import difference as changes
from tsunami_cli.core.importing.intake import Intake, Rules
from tsunami_cli.core.importing.machines import ROLE_BY, Rule, Source, rule
from tsunami_cli.core.inventory import Inventory
from tsunami_cli.core.problems import Refusal
from tsunami_cli.errors import Refused, Usage
from tsunami_cli.output.inventory import ImportScreen

if TYPE_CHECKING:
    from tsunami_cli.adapters.git.decider import Outcome


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asked for."""

    source: Source
    drop: tuple[str, ...]
    """Labels that are to go."""
    accept_shrink: int
    reason: str | None
    dry_run: bool


@dataclass(frozen=True, slots=True)
class _Plan:
    """An import into the inventory of one commit."""

    file: str
    before: Inventory
    after: Inventory
    data: bytes
    change: changes.Difference
    accepted: bool
    """Whether it lost so many hosts that a person had to let it pass."""
    behind: tuple[tuple[str, str], ...]
    """Variables with patterns that match no role any more."""
    comments_lost: bool


def rules_from(source: Source, role: str | None, name: str | None, labels: Sequence[str]) -> Rules:
    """Read the rules of the prompt; Usage, with the reason, for what is none."""
    read: dict[str, Rule] = {}
    for text in labels:
        label, equals, wanted = text.partition("=")
        if not equals:
            raise Usage(f"--label {text}: is no label with its rule: write --label site=meta:site")
        if label in ("host", "role") or label in read:
            raise Usage(f"--label {label}: is there already")
        if fault := inventory_files.column_fault(label):
            raise Usage(f"--label {fault}")
        read[label] = _rule(wanted, source, f"--label {label}")
    role_rule = _rule(role or ROLE_BY[source], source, "--role-from")
    name_rule = _rule(name, source, "--name-from") if name else None
    return Rules(role_rule, name_rule, tuple(read.items()))


def _rule(text: str, source: Source, flag: str) -> Rule:
    try:
        return rule(text, source)
    except Refusal as reason:
        raise Usage(f"{flag}: {reason}") from None


def bring_in(repository: Repository, intake: Intake, asked: Asked) -> ImportScreen:
    """Commit what a source holds as the inventory of the branch that counts, and push it.

    Raises Refused, Refusal or Unreachable, and then nothing has changed.
    """
    branch = Fleet(WorkTree(repository.root)).settings.branch
    plans: list[_Plan] = []

    def change(tree: CommitTree) -> Decision | None:
        plan = _plan(Fleet(tree), intake, asked)
        plans.append(plan)
        if not plan.change:
            return None
        subject = changes.subject(len(plan.after.hosts), asked.source, plan.change)
        return Decision(changes.message(subject, asked.reason), {plan.file: plan.data})

    outcome: Outcome | None = None
    if asked.dry_run:
        tip = repository.counting_tip(branch)
        if tip is None:
            raise Refused(f"nothing is committed on {branch} yet: git add, git commit, then again")
        change(CommitTree(repository, tip))
    else:
        outcome = decide(repository, branch, change, now=clock.pretended())
        for line in outcome.notes:
            note(line)
    plan = plans[-1]
    _warn(plan)
    told = (repository.tip(LEDGER) or repository.tracked(LEDGER)) is not None
    accepted = plan.accepted and told
    return ImportScreen(
        plan.file, asked.source, plan.after, plan.change, intake.without, accepted, plan.behind, branch, outcome
    )


def _warn(plan: _Plan) -> None:
    for variable, pattern in plan.behind:
        note(f"rollouts/{variable}.yaml: {pattern} matched a role, and matches none any more: take it out, or mend it")
    if plan.comments_lost and plan.change:
        note(f"{plan.file}: its comments below the first lines do not stay")


def _plan(fleet: Fleet, intake: Intake, asked: Asked) -> _Plan:
    """Hold what a source has against the inventory of one commit."""
    settings, file = fleet.settings, fleet.settings.inventory
    old = fleet.tree.read(file)
    before = fleet.inventory if old is not None else changes.EMPTY
    is_yaml = file.endswith((".yaml", ".yml"))
    if is_yaml and intake.inventory.labels:
        raise Refused(f"{file}: YAML has no place for labels: leave --label out, or make the inventory a .csv file")
    changes.check_columns(before, intake.inventory, asked.drop, file)
    after = _in_order(intake.inventory, before)
    change = changes.difference(before, after)
    if change.dropped:
        changes.check_spread(change, _spreads(fleet))
    accepted = changes.check_shrink(before, change, settings.max_shrink, asked.accept_shrink, file)
    data = inventory_writing.yaml_of(after, old or b"") if is_yaml else inventory_writing.csv_of(after)
    again = required(*load_inventory(data, file))
    if again != after:
        raise AssertionError(f"{file} does not read back as it was written")
    lost = is_yaml and inventory_writing.comments_lost(old or b"")
    return _Plan(file, before, after, data, change, accepted, _left_behind(fleet, before, after), lost)


def _in_order(inventory: Inventory, before: Inventory) -> Inventory:
    """Return the inventory with the labels that there were before first."""
    names = [name for name in before.labels if name in inventory.labels]
    labels = {name: inventory.labels[name] for name in (*names, *inventory.labels)}
    return Inventory(inventory.hosts, inventory.roles, labels)


def _spreads(fleet: Fleet) -> list[tuple[str, str | None]]:
    """Return the label over which each variable spreads; Refused where a file is broken: it may be this one's."""
    loaded = [fleet.load(name, alone=True) for name in fleet.names]
    return [(one.name, required(one.variable, one.problems).spread) for one in loaded]


def _left_behind(fleet: Fleet, before: Inventory, after: Inventory) -> tuple[tuple[str, str], ...]:
    """Return variables and their patterns for roles that no host has any more."""
    old, new = list(before.members()), list(after.members())
    if not set(old) - set(new):
        return ()
    loaded = [fleet.load(name, alone=True) for name in fleet.names]
    return tuple(
        (one.name, pattern)
        for one in loaded
        if one.variable is not None
        for pattern in changes.roles_left_behind(one.variable, old, new)
    )
