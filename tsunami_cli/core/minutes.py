"""The message of a ledger entry: who was told what, and because of whose decision, in words."""

from collections.abc import Callable, Iterator, Sequence

from tsunami_cli.core.grounds import Ground
from tsunami_cli.core.holds import slos_in
from tsunami_cli.core.journal import Entry, clean_reason
from tsunami_cli.core.publishing import Publication, Sum
from tsunami_cli.core.record import trailers_text
from tsunami_cli.core.text import instant_text, percent_shown
from tsunami_cli.core.values import brief, printable

NAMED = 6
"""Hosts that are named; `changes.ndjson` has them all."""
LISTED = 12
"""Groups of hosts that are listed."""


def minutes(
    publication: Publication, causes: Callable[[Ground], Entry | None], source: str, accepted: Sequence[str] = ()
) -> str:
    """Return the message; `accepted` holds what a person let pass, and why, in words."""
    paragraphs = [f"#{publication.sequence} {_subject(publication)}", *(clean_reason(text) or "" for text in accepted)]
    grounds: dict[tuple[str, object, object], Ground] = {}
    for one in publication.news:
        grounds.setdefault((one.variable, one.before, one.after), one.ground)
    for found in publication.sums[:LISTED]:
        cause = causes(grounds[found.variable, found.before, found.after])
        paragraphs.append(_paragraph(found) + (f"\n  {because(cause)}" if cause else ""))
    if len(publication.sums) > LISTED:
        paragraphs.append(f"... and {len(publication.sums) - LISTED} more kinds of news: see changes.ndjson")
    paragraphs += list(_holds(publication))
    shares = [
        f"{v.name} at {percent_shown(publication.told[v.name].progress[v.active.id])} ({v.active.id})"
        for v in publication.variables
        if v.active and publication.told[v.name].progress[v.active.id]
    ]
    if shares:
        paragraphs.append("\n".join(shares))
    paragraphs.append(trailers_text(source, publication.now, publication.sequence))
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"


def because(cause: Entry) -> str:
    """Return `start by Ann Ek (3f2c1ab): orphaned docker-proxy fix`."""
    reason = f": {printable(cause.brief)}" if cause.brief else ""
    return f"{printable(cause.action)} by {cause.by} ({cause.commit[:7]}){reason}"


def _subject(publication: Publication) -> str:
    if publication.previous is None:
        hosts = sum(map(len, publication.hosts.values()))
        variables = len(publication.variables)
        return f"first publish: {hosts:,} host{'s' * (hosts != 1)}, {variables} variable{'s' * (variables != 1)}"
    if not publication.news:
        if publication.holds_changed:
            held = ", ".join(sorted(publication.holds))
            return f"nobody told anything new; {f'held: {held}' if held else 'nothing is held any more'}"
        moved = [v.name for v in publication.variables if v.active and _moved(publication, v.active.id)]
        return f"nobody told anything new; {', '.join(moved[:3]) or 'hosts came or went'}"
    parts = [summary(found) for found in publication.sums]
    return "; ".join(parts[:2]) + (f"; and {len(parts) - 2} more" if len(parts) > 2 else "")


def _holds(publication: Publication) -> Iterator[str]:
    """Yield what the guard holds, and what it does not hold any more."""
    for name, found in sorted(publication.holds.items()):
        for hold in found:
            yield f"{name} held by {hold.slo} since {instant_text(hold.since)}\n  {printable(hold.why)}"
    before = publication.previous.holds if publication.previous else {}
    for name, slo in sorted(slos_in(before) - slos_in(publication.holds)):
        yield f"{name} no longer held by {slo}"


def _moved(publication: Publication, rollout: str) -> bool:
    before = publication.previous.progress if publication.previous else {}
    return publication.progress.get(rollout) != before.get(rollout, 0)


def summary(found: Sum) -> str:
    """Return `docker +2 on 1.12.3 (1,666 of 4,180)`."""
    if found.after is None:
        return f"{found.variable} -{len(found.hosts):,}"
    return f"{found.variable} +{len(found.hosts):,} on {brief(found.after)} ({found.have:,} of {found.of:,})"


def _paragraph(found: Sum) -> str:
    old = "(nothing)" if found.before is None else brief(found.before)
    new = "(nothing)" if found.after is None else brief(found.after)
    count = len(found.hosts)
    more = f" and {count - NAMED:,} more" if count > NAMED else ""
    hosts = ", ".join(found.hosts[:NAMED])
    return f"{found.variable} {old} -> {new}: {count:,} host{'s' * (count != 1)}\n  {hosts}{more}"
