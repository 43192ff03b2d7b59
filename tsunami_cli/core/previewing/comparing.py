"""Two states of the files held against each other, at one instant and by what hosts were told."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from tsunami_cli.core.checks.fleet import fleet_problems
from tsunami_cli.core.inventory import Inventory
from tsunami_cli.core.journal import EVERY, SETTINGS, Entry
from tsunami_cli.core.lineup import roles_of
from tsunami_cli.core.model import Rollout, Settings
from tsunami_cli.core.nodes import Node, plain
from tsunami_cli.core.previewing.fleet import Effect, InventoryChange, effect, inventory_change
from tsunami_cli.core.previewing.keys import KeyChange, key_changes
from tsunami_cli.core.previewing.preview import Ends, Preview, VariableChange
from tsunami_cli.core.previewing.remark import Remark, clash_remark, fresh, lost_remark, shrink_remark
from tsunami_cli.core.previewing.standing import standing
from tsunami_cli.core.previewing.variable import Case, Side, Version, variable_change
from tsunami_cli.core.problems import Problem
from tsunami_cli.core.record import Record
from tsunami_cli.core.told import Told

INTERVAL = timedelta(minutes=5)
"""How often publishes run where no settings say it."""


@dataclass(frozen=True)
class State:
    """The files of one side, as read and checked."""

    settings: Settings | None
    """None where they are missing or wrong, as the inventory."""
    settings_root: Node | None
    inventory: Inventory | None
    problems: Sequence[Problem]
    """Of settings and inventory."""
    texts: Mapping[str, bytes | Problem]
    """The variables' files by name; a problem where one cannot be read."""
    unread: Collection[str] = ()
    """Files beside them that look like variables' and are not read."""


Load = Callable[[str, bytes, Collection[str] | None], Version]
"""Parse and check a variable's file by its path; the inventory's columns are None where they are not known."""


class Comparison:
    """Two states of the files; of each pair the first is without the change, the second with it."""

    def __init__(
        self, states: tuple[State, State], load: Load, now: datetime, record: Record | None, decided: Sequence[Entry]
    ) -> None:
        """Take both states; `record` is what the ledger says, `decided` what was decided by command between them."""
        self._states, self._load, self._now, self._record, self._decided = states, load, now, record, decided
        one, other = states
        # What is broken on one side is taken from the other, so that the rest can still be shown.
        self._settings = (one.settings or other.settings, other.settings or one.settings)
        self._inventories = (one.inventory or other.inventory, other.inventory or one.inventory)
        self._sides = self._both()
        self._versions: dict[tuple[str, bytes, tuple[str, ...] | None], Version] = {}

    def preview(self, ends: Ends) -> Preview:
        """Return what the change does."""
        old, new = self._states[0].texts, self._states[1].texts
        differing = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
        # What concerns all variables concerns those, too, whose own files stay as they are.
        same = sorted(set(new) - set(differing)) if self._fleet_differs() else []
        inventory, record = self._inventory(), self._record
        return Preview(
            now=self._now,
            ends=ends,
            ledger=(record.sequence, record.commit, record.at) if record else None,
            variables=[self._variable(name) for name in differing],
            inventory=inventory,
            settings=self._settings_keys(),
            effects=[found for name in same if (found := self._effect(name))],
            others=list(self._others(same, inventory)),
            decisions=[entry for entry in self._decided if entry.variable == EVERY],
        )

    def _both(self) -> tuple[Side, Side]:
        one, other = self._inventories
        roles = [roles_of(one) if one else (), roles_of(other) if other else ()]
        if one == other:
            roles[1] = roles[0]
        every = [settings.every if settings else INTERVAL for settings in self._settings]
        return Side(roles[0], every[0]), Side(roles[1], every[1])

    def _told(self, name: str) -> Told | None:
        return self._record.told(name) if self._record else None

    def _loaded(self, name: str, place: int) -> Version | None:
        """Return a variable's file as one side has it, under that side's freeze; None where there is none."""
        data, inventory, settings = self._states[place].texts.get(name), self._inventories[place], self._settings[place]
        if data is None:
            return None
        if isinstance(data, Problem):
            return Version(None, None, (data,))
        columns = tuple(inventory.labels) if inventory else None
        key = (name, data, columns)
        if key not in self._versions:
            self._versions[key] = self._load(_file(name), data, columns)
        found = self._versions[key]
        if found.variable is None or settings is None:
            return found
        return replace(found, variable=found.variable.under(settings.freeze))

    def _version(self, name: str, place: int) -> Version | None:
        """Return a variable's file with all that `validate` says of it."""
        found, inventory, settings = self._loaded(name, place), self._inventories[place], self._settings[place]
        if found is None or found.variable is None or found.root is None or inventory is None or settings is None:
            return found
        # Decided already is what stands in the base, or what hosts were told of.
        known = {rollout.id for rollout in self._rollouts(name, 0)} | set(self._record.progress if self._record else ())
        more = fleet_problems(_file(name), found.root, found.variable, inventory, settings, self._now, known)
        return replace(found, problems=[*found.problems, *more])

    def _rollouts(self, name: str, place: int) -> Sequence[Rollout]:
        found = self._loaded(name, place)
        return found.variable.rollouts if found is not None and found.variable is not None else ()

    def _variable(self, name: str) -> VariableChange:
        versions = (self._version(name, 0), self._version(name, 1))
        mine = [entry for entry in self._decided if entry.variable == name]
        stays = None if self._inventories[0] == self._inventories[1] else self._stays
        case = Case(name, _file(name), versions, self._sides, self._now, self._told(name), mine, stays)
        found = variable_change(case)
        return replace(found, problems=sorted({*found.problems, *self._clashes(name), *self._lost_waits(name)}))

    def _inventory(self) -> InventoryChange | None:
        old, new, settings = self._states[0].inventory, self._states[1].inventory, self._settings[1]
        if old is None or new is None or settings is None or old == new:
            return None
        return inventory_change(settings.inventory, old, new, settings.max_shrink)

    def _settings_keys(self) -> list[KeyChange]:
        old, new = (plain(state.settings_root) if state.settings_root else {} for state in self._states)
        return list(key_changes(old, new))

    def _fleet_differs(self) -> bool:
        """Say whether something differs that concerns variables whose own files do not."""
        one, other = self._settings
        frozen = (one and one.freeze) != (other and other.freeze)
        return self._inventories[0] != self._inventories[1] or self._sides[0].every != self._sides[1].every or frozen

    def _effect(self, name: str) -> Effect | None:
        old, new = (self._loaded(name, place) for place in (0, 1))
        if old is None or new is None or old.variable is None or new.variable is None:
            return None
        pairs = zip((old.variable, new.variable), self._sides, strict=True)
        was, will = (standing(one, side.roles, self._now, self._told(name), side.every) for one, side in pairs)
        return effect(name, was, will, self._stays, self._told(name))

    @cached_property
    def _stays(self) -> frozenset[str]:
        """The hosts of both inventories."""
        first, second = self._inventories
        return frozenset(first.hosts if first else ()) & frozenset(second.hosts if second else ())

    def _others(self, same: Sequence[str], inventory: InventoryChange | None) -> Iterator[Remark]:
        """Yield the problems of the settings, of the inventory, and of files that do not differ themselves."""
        old, new = self._states
        # Said even where they are not new: without settings and inventory nothing else can be relied on.
        errors = [Remark.of(problem) for problem in new.problems if problem.severity == "error"]
        yield from {*errors, *fresh(old.problems, new.problems)}
        for name in same:
            yield from fresh(*((found.problems if found else ()) for found in map(self._version, (name, name), (0, 1))))
        for name in sorted(set(new.unread) - set(old.unread)):
            message = f"is not read: call it {name.removesuffix('.yml')}.yaml"
            yield Remark(f"rollouts/{name}", 1, 1, "", message, "warning")
        one, other = (settings.freeze if settings else None for settings in self._settings)
        if one is not None and other is None and not any(entry.action == "unfreeze" for entry in self._decided):
            message = (
                "is taken away by hand: rollouts catch up with their old schedules; tsunami unfreeze moves those too"
            )
            yield Remark(SETTINGS, 1, 1, "freeze", message, "warning")
        if inventory is not None:
            found = shrink_remark(inventory, *self._lost(inventory))
            yield from [found] if found else []

    def _lost(self, change: InventoryChange) -> tuple[int, int]:
        """Return how many hosts are gone since the last publish, of how many; without one, since the old inventory."""
        new = self._states[1].inventory
        if self._record is None or new is None:
            return len(change.left), change.before
        here = set(new.hosts)
        return sum(host not in here for host in self._record.objects), len(self._record.objects)

    def _clashes(self, name: str) -> Iterator[Remark]:
        """Yield new rollouts that have the id of another variable's, as a file has that was copied."""
        old, new = ({rollout.id for rollout in self._rollouts(name, place)} for place in (0, 1))
        for rollout in sorted(new - old):
            other = self._other_with(rollout, name)
            if other is not None:
                yield clash_remark(_file(name), rollout, other)

    def _lost_waits(self, name: str) -> Iterator[Remark]:
        """Yield the rollouts of other variables that wait for one that leaves this file, and would wait for ever."""
        version = self._loaded(name, 1)
        if version is not None and version.variable is None:
            return
        old, new = ({rollout.id for rollout in self._rollouts(name, place)} for place in (0, 1))
        for other, text in self._states[1].texts.items():
            for gone in sorted(old - new):
                named = other != name and isinstance(text, bytes) and gone.encode() in text
                active = self._rollouts(other, 1)[-1:] if named else ()
                if any(one.after is not None and one.after.rollout == gone for one in active):
                    yield lost_remark(_file(name), gone, other)

    def _other_with(self, rollout: str, name: str) -> str | None:
        """Return the other variable that has a rollout of this id; only files that hold the text are read."""
        for other, text in self._states[1].texts.items():
            named = other != name and isinstance(text, bytes) and rollout.encode() in text
            if named and any(one.id == rollout for one in self._rollouts(other, 1)):
                return other
        return None


def _file(name: str) -> str:
    return f"rollouts/{name}.yaml"
