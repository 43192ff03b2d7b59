"""Rollouts that wait: a publish begins them, in a commit, once what they wait for is complete."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.commands.deciding import Decider, Made
from tsunami_cli.commands.fleet import Fleet
from tsunami_cli.core.model import Rollout, Variable
from tsunami_cli.core.problems import Refusal
from tsunami_cli.core.published import Begun
from tsunami_cli.core.record import Record
from tsunami_cli.core.status import Status, status_of
from tsunami_cli.core.told import Told
from tsunami_cli.core.waiting import begin, may_begin, watched
from tsunami_cli.errors import TsunamiError


@dataclass
class Waiting:
    """The waiting rollouts' part in one publish, over all attempts."""

    begun: list[Begun] = field(default_factory=list)
    _failed: int = 0
    _tried: list[Rollout] = field(default_factory=list)
    """Beginnings that were tried, so that one that cannot be made is not tried again and again."""

    @property
    def exit_code(self) -> int:
        """That of a beginning that failed, else 0."""
        return self._failed

    def look(
        self, fleet: Fleet, variables: Sequence[Variable], previous: Record, now: datetime, root: Repository | None
    ) -> bool:
        """Begin what need not wait any more; say whether something did, which is to be published instead.

        Without a repository nothing is decided.
        """
        others = _awaited(fleet, variables, lambda variable: previous.told(variable.name), now)
        ready = [one.active for one in variables if one.active and may_begin(one, others)]
        names = [one.name for one in variables if one.active in ready and one.active not in self._tried]
        self._tried += ready
        begun = [self._begin(name, fleet, root) for name in names]
        return any(begun)

    def _begin(self, name: str, fleet: Fleet, root: Repository | None) -> bool:
        """Begin one; say whether it, or another decision meanwhile, is on the branch."""
        after = fleet.variable(name).active
        waited = after.after.variable if after and after.after else ""
        if root is None:
            self.begun.append(Begun(name, waited, None))
            return False
        decider = Decider(None, root)

        def make(fleet: Fleet) -> Sequence[Made]:
            loaded = fleet.load(name)
            variable = loaded.variable
            if variable is None or variable.active != after:
                return []
            # Who was faster may have halted, rolled back or replaced what it waits for.
            if not may_begin(variable, _awaited(fleet, [variable], decider.told, decider.now)):
                return []
            status = status_of(variable, fleet.roles, decider.now, decider.told(variable))
            return [Made(begin(status, decider.now), loaded)]

        try:
            decided = decider.decide(make, None)
        except (Refusal, TsunamiError) as no:
            # Falls to waiting on: whoever publishes may not be allowed to push to the branch.
            self._failed = getattr(no, "exit_code", 1)
            self.begun.append(Begun(name, waited, None, str(no)))
            return False
        if decided.outcome.commit is not None:
            self.begun.append(Begun(name, waited, decided.outcome.commit))
        return True


def _awaited(
    fleet: Fleet, waiting: Sequence[Variable], told: Callable[[Variable], Told | None], now: datetime
) -> dict[str, Status]:
    """Return where the variables stand that others wait for, without those that the guard still watches."""
    found: dict[str, Status] = {}
    for name in {one.active.after.variable for one in waiting if one.active and one.active.after}:
        variable = fleet.load(name).variable if name in fleet.names else None
        had = told(variable) if variable else None
        if variable is not None and had is not None and watched(variable, had, now):
            found[name] = status_of(variable, fleet.roles, now, had)
    return found
