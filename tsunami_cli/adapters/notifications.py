"""The door to apprise: notices go out to chats, mailboxes and pagers by URL."""

import os
import re
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tsunami_cli.core.notices import Kind, Notice
from tsunami_cli.errors import Refused

if TYPE_CHECKING:
    from logging import LogRecord

    from apprise import NotifyBase, NotifyType

VARIABLE = "TSUNAMI_NOTIFY"
FILE = ".tsunami-notify"
LIMIT = 15.0
"""Seconds that all sending may take together."""
ONE_WAIT = 10.0
"""Seconds at most to wait for a connection, and again for an answer; apprise waits 4 for most services."""
LONGEST_THROTTLE = 1.0
"""Seconds between two notices to one address: apprise keeps 5.5 by default, and a publish sends a handful."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,19})://")
_STATUS = re.compile(r"error=([3-5][0-9]{2})\b")


def from_environment() -> tuple[str, ...]:
    """Return the addresses that TSUNAMI_NOTIFY holds, separated by whitespace."""
    return tuple(dict.fromkeys(os.environ.get(VARIABLE, "").split()))


def addresses(root: Path, tracked: Callable[[], bool]) -> tuple[str, ...]:
    """Return all addresses: the environment's, then those of the file in the repository's root, each once.

    `tracked` says whether git has the file; it is asked only where there is one. Raises Refused, which names no
    address, for a file that git has or that cannot be read.
    """
    place = root / FILE
    if not os.path.lexists(place):
        return from_environment()
    if tracked():
        raise Refused(
            f"{FILE}: git tracks it, and the secrets in it with it: git rm --cached {FILE}, add it to .gitignore, "
            "and replace the secrets"
        )
    try:
        lines = [line.strip() for line in place.read_text("utf-8-sig").splitlines()]
    except OSError as error:
        raise Refused(f"{FILE} cannot be read ({error.strerror}): one URL a line") from None
    except UnicodeDecodeError:
        raise Refused(f"{FILE} is not UTF-8: one URL a line") from None
    return tuple(dict.fromkeys([*from_environment(), *(line for line in lines if line and line[0] != "#")]))


def send(addresses: Sequence[str], notices: Sequence[Notice]) -> list[str]:
    """Send each notice to each address; return a line for each address that was not told all. Raises nothing.

    It takes LIMIT seconds at most. The lines hold nothing of an address but its scheme.
    """
    if not addresses or not notices:
        return []
    try:
        _prepare()
    except ImportError:
        return ["notifications are not sent: apprise is not installed: pip install 'tsunami-cli[notify]'"]
    except Exception as error:
        return [f"notifications are not sent: apprise cannot be loaded ({type(error).__name__})"]
    until = time.monotonic() + LIMIT
    letters = [_Letter(number, url) for number, url in enumerate(addresses, 1)]
    # Daemons: one that hangs on a server which trickles bytes does not keep the process from ending.
    threads = [threading.Thread(target=letter.carry, args=(notices, until), daemon=True) for letter in letters]
    begun = []
    # Without room for a thread, what was not begun counts as not arrived.
    with suppress(RuntimeError):
        for thread in threads:
            thread.start()
            begun.append(thread)
    for thread in begun:
        thread.join(max(0.0, until - time.monotonic()))
    return [line for letter in letters if (line := letter.complaint(len(letters), len(notices)))]


@dataclass
class _Letter:
    """One address, and how far sending to it came."""

    number: int
    url: str = field(repr=False)
    arrived: int = 0
    failed: int = 0
    why: str = ""
    """Of the first one that failed."""

    def carry(self, notices: Sequence[Notice], until: float) -> None:
        """Send the notices one by one, as long as there is time."""
        try:
            service = _service(self.url)
            if service is None:
                self.failed = len(notices)
                self.why = "apprise does not know such an address, or it lacks something; try it: apprise -b test URL"
                return
            for notice in notices:
                if time.monotonic() >= until:
                    return
                self._one(service, notice)
        except Exception as error:
            # Falls to a complaint: the text of what plugins raise may hold the address.
            self.failed, self.why = len(notices) - self.arrived, self.why or type(error).__name__

    def _one(self, service: "NotifyBase", notice: Notice) -> None:
        from apprise import Apprise, NotifyFormat

        _said.last = ""
        post = Apprise(asset=service.asset)
        post.add(service)
        if post.notify(
            body=notice.text, title=notice.title, notify_type=_type(notice.kind), body_format=NotifyFormat.TEXT
        ):
            self.arrived += 1
        else:
            self.failed, self.why = self.failed + 1, self.why or _said.last

    def complaint(self, addresses: int, notices: int) -> str | None:
        """Return one line on what did not arrive as far as is known now, None where all did."""
        lost = notices - self.arrived
        if not lost:
            return None
        found = _SCHEME.match(self.url)
        where = f"{found[1].lower()}://" if found else "an address without a scheme"
        where += f" ({self.number} of {addresses})" if addresses > 1 else ""
        number = "the notification" if notices == 1 else f"{lost} of {notices} notifications"
        why = self.why or ("it was refused" if self.failed else f"no answer within {LIMIT:g} s")
        return f"{where}: {number} did not arrive: {why}"


def _service(url: str) -> "NotifyBase | None":
    """Return what apprise makes of an address, with our name and short waits; None where it makes nothing of it."""
    from apprise import Apprise, AppriseAsset

    asset = AppriseAsset(
        app_id="Tsunami",
        app_desc="Tsunami",
        app_url="",
        # Icons from apprise's own pages would say that apprise wrote.
        image_url_mask="",
        image_url_logo="",
        async_mode=False,
        interpret_escapes=False,
        interpret_emojis=False,
        storage_mode="memory",
        # Without a limit of its own it sends from the thread that asks it to. Those of its pool are waited for when
        # the process ends.
        service_timeout=0,
    )
    service = Apprise.instantiate(url, asset=asset)
    if service is not None:
        service.socket_connect_timeout = min(service.socket_connect_timeout, ONE_WAIT)
        service.socket_read_timeout = min(service.socket_read_timeout, ONE_WAIT)
        service.request_rate_per_sec = min(service.request_rate_per_sec, LONGEST_THROTTLE)
    return service


def _type(kind: Kind) -> "NotifyType":
    """Return how grave it is: what apprise makes colours and severities of."""
    from apprise import NotifyType

    match kind:
        case "halt" | "rollback":
            return NotifyType.FAILURE
        case "hold" | "unasked":
            return NotifyType.WARNING
        case "completion":
            return NotifyType.SUCCESS
        case _:
            return NotifyType.INFO


class _Said(threading.local):
    """What apprise logged last in this thread, as far as it is known to hold no secret."""

    last = ""


_said = _Said()


def _prepare() -> None:
    """Load apprise; keep what it and its libraries log and warn of off stderr, for good: it holds addresses."""
    import logging

    import apprise  # noqa: F401
    import urllib3

    urllib3.disable_warnings()
    logging.getLogger("apprise").addFilter(_listen)
    for name in ("apprise", "urllib3", "requests"):
        logging.getLogger(name).propagate = False
    # Python prints what no handler wants; the libraries of other plugins log as well.
    for logger in (logging.root, *map(logging.getLogger, ("apprise", "urllib3", "requests"))):
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())


def _listen(record: "LogRecord") -> bool:
    """Note what is harmless in a line of apprise's log, for the thread that logs, and drop the line."""
    # One that cannot be formatted must not stop what logs it.
    with suppress(Exception):
        text = record.getMessage()
        if status := _STATUS.search(text):
            _said.last = f"HTTP {status[1]}"
        elif "connection error" in text.lower():
            _said.last = "no connection, or no answer"
    return False
