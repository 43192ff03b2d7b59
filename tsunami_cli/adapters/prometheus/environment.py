"""What the environment says about the metrics server: its address, how long it may take, and who we are there."""

import os
import re
from base64 import b64encode
from pathlib import Path
from urllib.parse import urlsplit

from tsunami_cli.adapters.prometheus.asking import QUESTIONS_TIME, Prometheus
from tsunami_cli.core.values import printable
from tsunami_cli.errors import Usage

URL = "TSUNAMI_PROMETHEUS_URL"
TIMEOUT = "TSUNAMI_PROMETHEUS_TIMEOUT"
TOKEN = "TSUNAMI_PROMETHEUS_TOKEN"  # noqa: S105
TOKEN_FILE = "TSUNAMI_PROMETHEUS_TOKEN_FILE"  # noqa: S105
USER = "TSUNAMI_PROMETHEUS_USER"
PASSWORD = "TSUNAMI_PROMETHEUS_PASSWORD"  # noqa: S105

DEFAULT_TIMEOUT = 10.0
SMALLEST_LIMIT = 64 << 20
PER_HOST = 4 << 10
_ADDRESS = re.compile(r'https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[!-"$->A-~]*)?')
"""As in the schema of settings."""
_LONGEST_TOKEN = 64 << 10


def prometheus(url: str | None, hosts: int) -> Prometheus:
    """Return the metrics server at `url` of the settings, or at the address that the environment puts in its place.

    An answer may be as long as one series for each of so many hosts can make it. Raises Usage for what the
    environment says and has no meaning.
    """
    return Prometheus(
        _address(url),
        seconds=_seconds() * QUESTIONS_TIME,
        limit=max(SMALLEST_LIMIT, PER_HOST * hosts),
        authorization=_authorization(),
    )


def _address(url: str | None) -> str:
    own = os.environ.get(URL, "").strip()
    address = own or url
    if not address:
        raise Usage(f"nothing says where metrics are: set guard.prometheus in tsunami.yaml, or {URL}")
    if not _is_address(address):
        # Not shown: it may hold a password.
        name = URL if own else "guard.prometheus"
        raise Usage(f"{name}: not the address of a metrics server: write http://localhost:9090, no credentials in it")
    return address


def _is_address(url: str) -> bool:
    try:
        return bool(_ADDRESS.fullmatch(url)) and urlsplit(url).port != 0
    except ValueError:
        return False  # a port above 65535, or brackets with no IPv6 address in them


def _seconds() -> float:
    text = os.environ.get(TIMEOUT, "").strip()
    if not text:
        return DEFAULT_TIMEOUT
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text) or float(text) == 0:
        raise Usage(f"{TIMEOUT}: {printable(text)!r} is no number of seconds above 0, such as 10")
    return float(text)


def _authorization() -> str | None:
    """Return the header that says who we are. No message shows what is in it."""
    given = {name: os.environ[name] for name in (TOKEN, TOKEN_FILE, USER, PASSWORD) if os.environ.get(name)}
    if {TOKEN, TOKEN_FILE} <= given.keys():
        raise Usage(f"{TOKEN} and {TOKEN_FILE}: set one of them")
    if {TOKEN, TOKEN_FILE} & given.keys() and {USER, PASSWORD} & given.keys():
        raise Usage(f"a token ({TOKEN}) and a password ({USER}, {PASSWORD}): set one of them")
    if TOKEN_FILE in given:
        return f"Bearer {_token(TOKEN_FILE, _content(given[TOKEN_FILE]))}"
    if TOKEN in given:
        return f"Bearer {_token(TOKEN, given[TOKEN])}"
    if USER in given and PASSWORD in given:
        if ":" in given[USER]:
            raise Usage(f"{USER}: the name of a user has no colon")
        both = f"{given[USER]}:{given[PASSWORD]}"
        return f"Basic {b64encode(both.encode(errors='surrogateescape')).decode()}"
    for set_one, other in ((USER, PASSWORD), (PASSWORD, USER)):
        if set_one in given:
            raise Usage(f"{set_one} is set and {other} is not: set both")
    return None


def _content(file: str) -> str:
    try:
        # Not to wait for the other end of a pipe.
        with open(file, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK)) as found:
            return found.read(_LONGEST_TOKEN).strip().decode("ascii", "replace")
    except OSError as error:
        raise Usage(f"{TOKEN_FILE}: {printable(str(Path(file)))} cannot be read: {error.strerror}") from None


def _token(name: str, text: str) -> str:
    if not re.fullmatch("[!-~]+", text):
        raise Usage(f"{name}: is no token: one is ASCII, without spaces and line breaks")
    return text
