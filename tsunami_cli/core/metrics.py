"""How a publish left the fleet, as Prometheus metrics: text for the textfile collector or a push gateway.

The format: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import get_args

from tsunami_cli.core.calendar import unix
from tsunami_cli.core.holds import Holds
from tsunami_cli.core.published import Published
from tsunami_cli.core.record import values_in
from tsunami_cli.core.status import State, Status
from tsunami_cli.core.values import shown

HELP = {
    "tsunami_held": "Whether this objective keeps the variable from going on: 1 while it does.",
    "tsunami_hosts": "Hosts of a role that were told this value of the variable.",
    "tsunami_last_publish_sequence": "Number of the newest entry of the ledger.",
    "tsunami_last_publish_timestamp_seconds": "When the last publish went through.",
    "tsunami_last_publish_told_hosts": "Hosts that the last publish told anything new.",
    "tsunami_manifest_expiry_timestamp_seconds": "Until when what was published counts as fresh.",
    "tsunami_problems": "Errors in files that the last publish went round: their hosts keep what they have.",
    "tsunami_publish_interval_seconds": "How often publishes are meant to run.",
    "tsunami_rollout_eligible_hosts": "Hosts that the rollout is about: they have the variable, and no pin.",
    "tsunami_rollout_end_timestamp_seconds": "When the rollout is planned to end.",
    "tsunami_rollout_moved_hosts": "Hosts that the rollout has moved.",
    "tsunami_rollout_planned_ratio": "How far the rollout is meant to be now.",
    "tsunami_rollout_start_timestamp_seconds": "When the rollout is planned to start.",
    "tsunami_rollout_state": "1 for the state that the variable is in, 0 for all others.",
    "tsunami_rollout_told_ratio": "How far the rollout is by what hosts were told.",
}
"""Every metric, each a gauge. One text for a name whatever the fleet: the collector wants it the same in all files."""

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


@dataclass(frozen=True, slots=True)
class _Series:
    """One number of a fleet."""

    metric: str
    number: int | Fraction
    labels: tuple[tuple[str, str], ...] = ()
    """Beside the fleet's name."""


def metrics_text(
    done: Published,
    statuses: Sequence[Status],
    expires_at: datetime,
    every: timedelta,
) -> str:
    """Return the metrics of a publish in the text format, sorted, without timestamps: the collector refuses those.

    `statuses` are those of the published variables after it, `expires_at` is the manifest's, `every` is how often
    publishes are meant to run.
    """
    found = [
        *_of_publish(done, expires_at, every),
        *_of_hosts(done, statuses),
        *(series for status in statuses for series in _of_rollout(status)),
        *_of_objectives(statuses, done.publication.holds),
    ]
    families: dict[str, list[_Series]] = {}
    for series in sorted(found, key=lambda one: (one.metric, one.labels)):
        families.setdefault(series.metric, []).append(series)
    lines = []
    for metric, members in families.items():
        lines += [f"# HELP {metric} {HELP[metric]}", f"# TYPE {metric} gauge"]
        lines += [_line(series, done.fleet) for series in members]
    return "\n".join(lines) + "\n"


def _of_publish(done: Published, expires_at: datetime, every: timedelta) -> Iterator[_Series]:
    plan = done.publication
    yield _Series("tsunami_last_publish_timestamp_seconds", unix(plan.now))
    yield _Series("tsunami_last_publish_sequence", plan.sequence)
    yield _Series("tsunami_last_publish_told_hosts", len({news.host for news in plan.news}))
    yield _Series("tsunami_publish_interval_seconds", every // timedelta(seconds=1))
    yield _Series("tsunami_manifest_expiry_timestamp_seconds", unix(expires_at))
    yield _Series("tsunami_problems", len(done.problems))


def _of_hosts(done: Published, statuses: Sequence[Status]) -> Iterator[_Series]:
    """Yield how many hosts have what, by role.

    What the objects say counts, so that variables whose files are broken are in it. Two values that read alike, as text
    and as a number, are one series: of two the collector takes none.
    """
    counts: Counter[tuple[str, str, str]] = Counter()
    for status in statuses:
        active = status.variable.active
        # A value that nobody has yet, or any more, is 0 rather than absent: graphs and alerts go by it.
        for end in (*active.came_from, active.to) if active else ():
            counts.update({(status.variable.name, shown(end), role.role): 0 for role in status.roles})
    for role, texts in done.publication.objects.items():
        for text, count in Counter(texts).items():
            for name, value in values_in(text).items():
                counts[name, shown(value), role] += count
    for (name, text, role), count in counts.items():
        yield _Series("tsunami_hosts", count, (("variable", name), ("value", text), ("role", role)))


def _of_rollout(status: Status) -> Iterator[_Series]:
    active = status.variable.active
    labels = (("variable", status.variable.name), ("rollout", active.id if active else ""))
    for state in get_args(State):
        yield _Series("tsunami_rollout_state", int(state == status.state), (*labels, ("state", state)))
    if active is None:
        return
    yield _Series("tsunami_rollout_planned_ratio", status.planned, labels)
    if status.told is not None:
        yield _Series("tsunami_rollout_told_ratio", status.told, labels)
    yield _Series("tsunami_rollout_moved_hosts", status.moved, labels)
    yield _Series("tsunami_rollout_eligible_hosts", status.hosts, labels)
    yield _Series("tsunami_rollout_start_timestamp_seconds", unix(active.schedule.starts), labels)
    yield _Series("tsunami_rollout_end_timestamp_seconds", unix(active.schedule.ends), labels)


def _of_objectives(statuses: Sequence[Status], held: Holds) -> Iterator[_Series]:
    """Yield 1 for every objective that holds a variable, 0 for all others of the files."""
    known = {(status.variable.name, slo.name): 0 for status in statuses for slo in status.variable.slos}
    holding = {(name, hold.slo): 1 for name, holds in held.items() for hold in holds}
    for (name, slo), number in (known | holding).items():
        yield _Series("tsunami_held", number, (("variable", name), ("slo", slo)))


def _line(series: _Series, fleet: str) -> str:
    labels = ",".join(f'{name}="{text.translate(_ESCAPES)}"' for name, text in (("fleet", fleet), *series.labels))
    number = series.number if isinstance(series.number, int) else float(series.number)
    return f"{series.metric}{{{labels}}} {number}"
