"""A publish, and what it tells those who watch: people by notifications, machines by a file of metrics."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.commands.fleet import note
from tsunami_cli.commands.publishing import Asked, Publisher
from tsunami_cli.commands.shelf import Report, silent
from tsunami_cli.core.problems import Refusal
from tsunami_cli.core.published import Published
from tsunami_cli.core.status import Status, status_of
from tsunami_cli.core.values import shown
from tsunami_cli.errors import TsunamiError


def publish(
    repository: Repository,
    asked: Asked,
    *,
    metrics: Path | None = None,
    every: timedelta | None = None,
    report: Report = silent,
) -> Published:
    """Publish, and report: `metrics` is the file to write, `every` how often this is meant to run.

    What cannot be reported is said on stderr, and changes nothing about the publish. A publish that fails reports what
    its guard decided all the same.
    """
    from tsunami_cli.commands.notifying import watched

    publisher = Publisher(repository, asked, report)
    try:
        done = publisher.publish()
    except (Refusal, TsunamiError):
        if publisher.ruled and not asked.dry_run:
            _notify(publisher, None, ())
        raise
    if asked.dry_run:
        return done
    statuses = _statuses(done) if metrics is not None or watched(repository.root) else ()
    if watched(repository.root):
        _notify(publisher, done, statuses)
    if metrics is not None:
        _write(metrics, done, statuses, every or publisher.fleet.settings.every, publisher.fleet.settings.expire)
    return done


def _notify(publisher: Publisher, done: Published | None, statuses: Sequence[Status]) -> None:
    """Send what is new since the last publish; of one that failed, what its guard decided."""
    from tsunami_cli.commands.notifying import new_decisions, notify
    from tsunami_cli.core.holds import slos_in
    from tsunami_cli.core.notices import HoldNote

    repository, fleet = publisher.repository, publisher.fleet.settings.fleet
    decided = new_decisions(repository, publisher.since, publisher.source) if publisher.since else []
    if done is None:
        notify(repository, fleet, [entry for entry in decided if entry.guard], [], [], [])
        return
    plan = done.publication
    before, after = plan.previous.holds if plan.previous else {}, plan.holds
    old, new = slos_in(before), slos_in(after)
    began, ended = (
        [
            HoldNote(name, hold.slo, hold.why, hold.unasked)
            for name, holds in sorted(found.items())
            for hold in holds
            if (name, hold.slo) not in others
        ]
        for found, others in ((after, old), (before, new))
    )
    # That it is halted instead is news of its own.
    halted = {v.name for v in plan.variables if v.active and v.active.halted}
    ended = [one for one in ended if one.variable not in halted]
    notify(repository, fleet, decided, _completed(done, statuses), began, ended)


def _completed(done: Published, statuses: Sequence[Status]) -> list[tuple[str, str, int]]:
    """Return the variables that have become complete with this publish: name, value and hosts."""
    plan = done.publication
    if plan.previous is None:
        return []
    found = []
    for status in statuses:
        active = status.variable.active
        if active is None or status.state != "complete":
            continue
        before = status_of(status.variable, plan.roles, plan.previous.at, plan.previous.told(status.variable.name))
        if before.state != "complete":
            found.append((status.variable.name, shown(active.to), status.moved))
    return found


def _statuses(done: Published) -> Sequence[Status]:
    plan = done.publication
    return [status_of(v, plan.roles, plan.now, plan.told[v.name]) for v in plan.variables]


def _write(file: Path, done: Published, statuses: Sequence[Status], every: timedelta, expire: timedelta) -> None:
    from tsunami_cli.adapters.folders import write_whole
    from tsunami_cli.core.metrics import metrics_text

    text = metrics_text(done, statuses, done.publication.now + expire, every)
    try:
        write_whole(file, text.encode())
    except OSError as error:
        # Falls to a note: that the file grows old is what its alert is for.
        note(f"{file}: the metrics cannot be written: {error.strerror}")
