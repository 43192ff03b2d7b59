"""How rollouts go on where a freeze stopped them, in the commit that changes the freeze."""

from collections.abc import Sequence

from tsunami_cli.commands.deciding import Decider, Made, roles_anyhow
from tsunami_cli.commands.fleet import Fleet
from tsunami_cli.core.freezing import thawed
from tsunami_cli.core.status import status_of


def thaw(fleet: Fleet, decider: Decider, names: Sequence[str]) -> tuple[list[Made], list[str]]:
    """Return the decisions that let the variables of these names go on, and what is wrong with those that cannot."""
    made, broken = [], []
    roles = roles_anyhow(fleet)
    for name in names:
        loaded = fleet.load(name, alone=True)
        if loaded.variable is None:
            broken.append(str(loaded.errors[0]))
            continue
        status = status_of(loaded.variable, roles, decider.now, decider.told_anyhow(loaded.variable))
        change = thawed(status, decider.now, fleet.settings.every)
        made += [Made(change, loaded)] if change else []
    return made, broken
