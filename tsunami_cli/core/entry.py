"""The files of a ledger entry, made of what a publish tells."""

from collections.abc import Callable, Collection, Sequence

from tsunami_cli.core.audit import Telling, lines
from tsunami_cli.core.grounds import Ground
from tsunami_cli.core.journal import Entry
from tsunami_cli.core.publishing import Publication
from tsunami_cli.core.record import (
    CHANGES,
    HELD,
    PINNED,
    PROGRESS,
    RECENT,
    ROLES,
    TOLD,
    held_text,
    pinned_text,
    progress_text,
    recent_text,
    told_text,
)
from tsunami_cli.core.values import Value


def entry_files(
    plan: Publication, causes: Callable[[Ground], Entry | None], there: Collection[str]
) -> dict[str, bytes | None]:
    """Return the files that an entry changes, by path, None for those that go; `there` are the last entry's."""
    files: dict[str, bytes | None] = {f"{ROLES}/{role}.json": plan.bundle(role) for role in plan.roles_changed}
    files[CHANGES] = lines(tellings(plan, causes))
    files[PROGRESS] = progress_text(plan.progress)
    files[PINNED] = pinned_text(_pinned(plan))
    last = plan.previous.recent if plan.previous else {}
    kept = {name: last[name] for name in plan.kept if name in last}
    files[RECENT] = recent_text({**{name: told.changed for name, told in plan.told.items()}, **kept})
    files[HELD] = held_text(plan.holds)
    rows = {
        f"{TOLD}/{v.name}.csv": told_text(plan.told[v.name], [r.id for r in v.rollouts])
        for v in plan.variables
        if v.rollouts
    }
    staying = {f"{TOLD}/{name}.csv" for name in plan.kept}
    files.update((path, None) for path in there if path.startswith(f"{TOLD}/") and path not in staying)
    files.update(rows)
    return files


def tellings(plan: Publication, causes: Callable[[Ground], Entry | None]) -> Sequence[Telling]:
    """Return what is new as the audit has it."""
    found = []
    for one in plan.news:
        cause = causes(one.ground)
        found.append(
            Telling(
                at=plan.now,
                host=one.host,
                role=one.role,
                variable=one.variable,
                before=one.before,
                after=one.after,
                rollout=one.ground.rollout,
                sequence=plan.sequence,
                commit=cause.commit if cause else None,
                author=cause.author if cause else None,
                action=cause.action if cause else None,
                reason=cause.brief if cause else None,
            )
        )
    return found


def _pinned(plan: Publication) -> dict[str, dict[str, Value]]:
    """Return who is pinned; of those who were and are missing now, what they were told last."""
    last = plan.previous.pinned if plan.previous else {}
    found: dict[str, dict[str, Value]] = {name: dict(last[name]) for name in plan.kept if name in last}
    for variable in plan.variables:
        told = plan.told[variable.name]
        before = last.get(variable.name, {}) if variable.rollouts else {}
        here = {host for role, hosts in plan.hosts.items() if variable.roles.match(role) for host in hosts}
        found[variable.name] = {host: value for host, value in before.items() if host not in here}
        found[variable.name].update((host, told.given[host]) for host in told.pinned)
    return found
