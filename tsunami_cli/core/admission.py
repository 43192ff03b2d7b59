"""What a publish refuses: a clock that went back, a fleet that shrank, bad files of what hosts were never told."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tsunami_cli.core.model import Settings, Variable
from tsunami_cli.core.problems import Problem, Refusal
from tsunami_cli.core.record import Record, values_in
from tsunami_cli.core.text import decimal_text, instant_text

BEHIND = timedelta(minutes=5)
"""How far a clock may lag behind the ledger: machines take turns at publishing."""


def checked_clock(now: datetime, last: datetime | None, *, reset: bool) -> datetime:
    """Return the instant of a publish: the clock, or the ledger's where that is a little ahead."""
    if last is None or now >= last or reset:
        return now
    if last - now <= BEHIND:
        return last
    raise Refusal(
        f"the clock says {instant_text(now)}, and the last publish was at {instant_text(last)}: set the clock "
        "right; if it was wrong then, tsunami publish --reset-clock --reason ..."
    )


def check_shrink(previous: Record | None, hosts: Collection[str], settings: Settings, accepted: int) -> bool:
    """Refuse an inventory that lost more hosts since the last publish than the settings, or a person, let pass.

    Return whether it passed only because a person let it.
    """
    if previous is None:
        return False
    known = set(hosts)
    lost = sorted(host for host in previous.objects if host not in known)
    too_many = len(lost) > settings.max_shrink * len(previous.objects)
    if too_many and len(lost) > accepted:
        share = 100 * len(lost) / len(previous.objects)
        names = ", ".join(lost[:3]) + (", ..." if len(lost) > 3 else "")
        most = decimal_text(100 * settings.max_shrink)
        raise Refusal(
            f"{settings.inventory}: {len(lost):,} of {len(previous.objects):,} hosts are gone ({share:.1f} %: "
            f"{names}), more than max_shrink: {most}%: nobody was told anything; if it is meant, "
            f"tsunami publish --accept-shrink {len(lost)}"
        )
    return too_many


def told_variables(previous: Record | None) -> frozenset[str]:
    """Return the variables that hosts are told, or were and would be again."""
    if previous is None:
        return frozenset()
    texts = set(previous.objects.values())
    return frozenset([*previous.known, *(name for text in texts for name in values_in(text))])


@dataclass(frozen=True)
class Admitted:
    """The variables of a publish."""

    variables: Sequence[Variable]
    kept: Collection[str]
    """Those of which everybody keeps what they were told."""
    problems: Sequence[Problem]
    """Why."""


def admitted(
    good: Sequence[Variable],
    bad: Sequence[tuple[str, Problem]],
    vanished: Collection[str],
    told: Collection[str],
) -> Admitted:
    """Return which variables are told, and of which everybody keeps what they have.

    `bad` are files with errors, by the variable's name; `vanished` are variables whose file is gone without a decision;
    `told` those that hosts know. Refusal where a file is bad of which nobody was told anything.
    """
    wrong = [*bad, *_clashing(good)]
    kept = {name for name, _ in wrong}
    problems = [problem for _, problem in wrong]
    for name, problem in wrong:
        if name not in told:
            raise Refusal(
                f"{problem}: nobody was ever told {name}, so there is nothing to keep: mend it, or take it out"
            )
    for name in sorted(vanished):
        kept.add(name)
        message = (
            f"is gone, though hosts are told {name}: they keep what they have: put it back (git revert); if it is to "
            f"go, tsunami retire {name} after that"
        )
        problems.append(Problem(f"rollouts/{name}.yaml", 1, 1, "", message))
    return Admitted([v for v in good if v.name not in kept], kept, problems)


def _clashing(variables: Sequence[Variable]) -> Iterator[tuple[str, Problem]]:
    """Yield the variables that have a rollout with the id of another's: the ledger knows rollouts by their ids."""
    owner: dict[str, str] = {}
    for variable in variables:
        for place, rollout in enumerate(variable.rollouts):
            other = owner.setdefault(rollout.id, variable.name)
            if other != variable.name:
                message = f"{rollout.id} is a rollout of {other}: give this one another id"
                file = f"rollouts/{variable.name}.yaml"
                yield variable.name, Problem(file, 1, 1, f"rollouts[{place}].id", message)
                break
