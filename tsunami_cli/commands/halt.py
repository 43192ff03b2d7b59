"""`tsunami halt`: stop at once."""

from collections.abc import Sequence

from tsunami_cli.commands.deciding import Decider, Made, roles_anyhow
from tsunami_cli.commands.fleet import Fleet, Loaded, note
from tsunami_cli.commands.options import Folder, Json, Reason, Variables
from tsunami_cli.core.decisions import halt
from tsunami_cli.core.status import Status, status_of


def command(var: Variables = None, reason: Reason = None, as_json: Json = False, folder: Folder = None) -> int:
    """Halt rollouts at once: no host moves from the next publish on. With no VAR every rollout that is not finished.

    It is done whatever the state of the checkout. With no network it is a local commit, said loudly (exit 4).

    [dim]tsunami halt[/]

    [dim]tsunami halt docker --reason "error rate on search"[/]
    """
    from tsunami_cli.output import decided as screen

    decider = Decider(folder)
    statuses: list[Status] = []
    broken: list[Loaded] = []
    unknown: set[str] = set()
    names = list(dict.fromkeys(var or ()))

    def make(fleet: Fleet) -> Sequence[Made]:
        statuses.clear()
        broken.clear()
        made = []
        roles = roles_anyhow(fleet)
        for name in names or fleet.names:
            if name not in fleet.names and len(names) > 1:
                unknown.add(name)
                continue
            loaded = fleet.load(name, alone=True)
            if loaded.variable is None:
                broken.append(loaded)
                continue
            status = status_of(loaded.variable, roles, decider.now, decider.told_anyhow(loaded.variable))
            statuses.append(status)
            change = halt(status, decider.now, roles_known=bool(roles))
            made += [Made(change, loaded)] if change else []
        return made

    decided = decider.decide(make, reason, urgent=True)
    # Unless asked about, what is settled is no news to somebody in a hurry.
    worth = [status for status in statuses if var or status.state != "settled"]
    screen.show_halt(decided, worth, decider.now, as_json=as_json)
    for loaded in broken:
        note(f"NOT HALTED: {loaded.errors[0]}: mend the file, or write its halted: line by hand")
    for name in sorted(unknown):
        note(f"NOT HALTED: {name}: there is no such variable")
    return decided.exit_code or (1 if broken or unknown else 0)
