"""`tsunami pull`: a host's own values, in a file on the host."""

import sys
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from time import sleep
from typing import Annotated

import typer

from tsunami_cli.adapters import clock
from tsunami_cli.adapters.host_file import HostFile, run
from tsunami_cli.adapters.store.reading import Source, source
from tsunami_cli.commands.options import Json
from tsunami_cli.core import pulling
from tsunami_cli.core.problems import Refusal
from tsunami_cli.core.text import duration, instant_text
from tsunami_cli.core.values import printable
from tsunami_cli.errors import Refused, Unreachable, Usage
from tsunami_cli.output import pull as screen

_TIMES = 3
"""How often it looks whether an object that does not match its manifest does after all."""


_From = Annotated[
    str,
    typer.Option("--from", metavar="URL", help="Where the fleet is published: https, s3, gs, az, or a folder."),
]
_Host = Annotated[str, typer.Option("--host", metavar="H", help="This host, by its name in the inventory.")]
_Out = Annotated[Path, typer.Option("--out", metavar="FILE", help="The file to keep up to date.")]
_ROLE = "Read the bundle of this role: for fleets without an object per host."
_Role = Annotated[str | None, typer.Option("--role", metavar="R", help=_ROLE, show_default=False)]
_FLEET = "The fleet it must be of; else it must stay the first one seen."
_Fleet = Annotated[str | None, typer.Option("--fleet", metavar="NAME", help=_FLEET, show_default=False)]
_EXEC = "Run this after a change, without a shell; TSUNAMI_FILE names the file."
_Exec = Annotated[str | None, typer.Option("--exec", metavar="CMD", help=_EXEC, show_default=False)]
_ExecTimeout = Annotated[str, typer.Option("--exec-timeout", metavar="D", help="How long CMD may take.")]
_Timeout = Annotated[str, typer.Option("--timeout", metavar="D", help="How long all requests may take.")]
_SPLAY = "Wait this host's own part of D first: hosts spread out."
_Splay = Annotated[str, typer.Option("--splay", metavar="D", help=_SPLAY)]
_INSECURE = "Allow plain http to another machine: no protection at all."
_Insecure = Annotated[bool, typer.Option("--insecure-http", help=_INSECURE)]


def command(
    origin: _From,
    host: _Host,
    out: _Out,
    role: _Role = None,
    fleet: _Fleet = None,
    execute: _Exec = None,
    execute_timeout: _ExecTimeout = "5m",
    timeout: _Timeout = "20s",
    splay: _Splay = "0s",
    insecure: _Insecure = False,
    as_json: Json = False,
) -> None:
    """Keep a file on this host up to date with its values, as they were published.

    For cron or a systemd timer. Whatever goes wrong, the file keeps the last good values.

    [dim]tsunami pull --from https://config.example.com/backend --host lon2-accesspoint-a7 --out /etc/tsunami.json[/]

    [dim]tsunami pull --from s3://config/backend --host lon2-db-a1 --role db --out /etc/tsunami.json[/]

    [dim]tsunami pull --from https://... --host ... --out /etc/tsunami.json --exec 'systemctl reload app'[/]
    """
    wanted = pulling.Wanted(host, role)
    fault = wanted.fault()
    if fault:
        raise Usage(f"{'--host' if pulling.Wanted(host).fault() else '--role'}: {fault}")
    words = _words(execute)
    execute_seconds, seconds = _seconds("--exec-timeout", execute_timeout), _seconds("--timeout", timeout)
    found = source(origin, seconds=seconds, insecure=insecure)
    sleep(pulling.splay(host, _length("--splay", splay)).total_seconds())
    asked = _Asked(HostFile(out), found, wanted, fleet, f"{origin} {wanted.object} {host}")
    with asked.file.locked() as mine:
        if not mine:
            # The other run, or its command, is still at work; the next one of the timer finds what this one would.
            screen.show_busy(host, as_json=as_json)
            return
        before = asked.file.content()
        kept, after = _updated(asked, before)
        wrong = None
        execute_now = bool(words) and kept.executed != kept.written
        if execute_now:
            wrong = run(words, asked.file.file, execute_seconds)
        if execute_now and not wrong:
            asked.file.remember(replace(kept, executed=kept.written).text())
        _show(kept, host, before, after, executed=execute_now and not wrong, as_json=as_json)
    if wrong:
        raise Refused(f"--exec {words[0]}: {wrong}: the next pull runs it again")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What one run is to do."""

    file: HostFile
    source: Source
    wanted: pulling.Wanted
    fleet: str | None
    origin: str


def _updated(asked: _Asked, before: bytes | None) -> tuple[pulling.Kept, bytes]:
    """Bring the file up to date; return what is now known of it, and what it holds.

    The file comes first and what is remembered of it second: a run that is killed in between is one that the next run
    does again, its command included.
    """
    noted = asked.file.remembered()
    known = None if noted is None else pulling.Kept.parse(noted)
    if known is None and before is not None:
        _note(f"{asked.file.state}: is missing or damaged: whether the manifest is an old one could not be told")
    kept = pulling.remembered(known, asked.fleet)
    try:
        etag, notice, after = _fetched(asked, kept, before)
    except (Refusal, Refused, Unreachable) as no:
        kind = Unreachable if isinstance(no, Unreachable) else Refused
        raise kind(f"{no}" + (f"; {asked.file.file} stays as it was" if before is not None else "")) from None
    if after != before:
        asked.file.write(after)
    new = pulling.Kept(asked.origin, etag, notice, sha256(after).hexdigest(), kept.executed if kept else None)
    if new != known:
        asked.file.remember(new.text())
    return new, after


def _fetched(
    asked: _Asked, kept: pulling.Kept | None, before: bytes | None
) -> tuple[str | None, pulling.Notice, bytes]:
    """Return the manifest's etag, what it says, and what the file is to hold."""
    current = (kept, before) if kept and before is not None and kept.describes(asked.origin, before) else None
    for left in range(_TIMES - 1, -1, -1):
        # After a mismatch the whole manifest is wanted: the publish may be through by now.
        condition = current[0].etag if current and left == _TIMES - 1 else None
        manifest = asked.source.get(pulling.MANIFEST, pulling.MANIFEST_LIMIT, condition)
        if manifest.data is None:
            if not current:
                raise Unreachable(f"{pulling.MANIFEST}: the server says that it did not change, and was not asked that")
            return manifest.etag, current[0].notice, current[1]
        notice = pulling.read_manifest(manifest.data, asked.wanted, asked.fleet, kept)
        if current and notice.sha256 == current[0].notice.sha256:
            return manifest.etag, notice, current[1]
        data = asked.source.get(asked.wanted.object, pulling.OBJECT_LIMIT).data or b""
        try:
            return manifest.etag, notice, pulling.read_object(data, asked.wanted, notice)
        except pulling.Unmatched:
            if not left or not asked.source.pause():
                raise
    raise AssertionError


def _show(kept: pulling.Kept, host: str, before: bytes | None, after: bytes, *, executed: bool, as_json: bool) -> None:
    notice, now = kept.notice, clock.now()
    expired = notice.expired(now)
    if expired:
        _note(
            f"the manifest was good until {instant_text(notice.expires_at)}, and here it is {instant_text(now)}: "
            "has the publisher stopped, or is this clock wrong? Its values count all the same"
        )
    changed = after != before
    differences = pulling.differences(before, after) if changed else ()
    screen.show(
        screen.PullScreen(
            host=host,
            fleet=notice.fleet,
            sequence=notice.sequence,
            rendered_at=notice.rendered_at,
            expires_at=notice.expires_at,
            expired=expired,
            changed=changed,
            differences=differences,
            executed=executed,
        ),
        as_json=as_json,
    )


def _words(text: str | None) -> list[str]:
    """Return a command as its words; none where there is no command."""
    if text is None:
        return []
    import shlex

    try:
        words = shlex.split(text)
    except ValueError as reason:
        raise Usage(f"--exec: {reason}: {text}") from None
    if not words:
        raise Usage("--exec: names no command")
    return words


def _length(flag: str, text: str) -> timedelta:
    try:
        return duration(text)
    except ValueError as reason:
        raise Usage(f"{flag}: {reason}") from None


def _seconds(flag: str, text: str) -> float:
    length = _length(flag, text)
    if not length:
        raise Usage(f"{flag}: is no time at all: write 20s or 5m")
    return length.total_seconds()


def _note(line: str) -> None:
    sys.stderr.write(f"warning: {printable(line)}\n")
