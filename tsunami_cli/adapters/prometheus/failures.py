"""Why a metrics server has no answer for us, in words: one line that says the way out."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tsunami_cli.core.values import printable

if TYPE_CHECKING:
    from urllib3.exceptions import HTTPError

LONGEST_MESSAGE = 300
_WAY_IN = "check http or https in its address, or look into its log"
_ASK_AGAIN = (502, 503, 504)
_NO_MATTER_OF_TRUST = {
    9: "is not valid yet",
    10: "has expired",
    62: "is for another name",
    64: "is for another address",
}
"""OpenSSL's numbers of what no authority can mend."""
_KINDS = {"bad_data": "refuses the query", "execution": "cannot evaluate the query"}
"""Types of errors of Prometheus's API."""


class Failed(Exception):
    """There is no answer. The text is a line without the address of the server."""

    def __init__(self, words: str, *, again: bool = False, everywhere: bool = False) -> None:
        """Say why; `again`: it may pass in a moment; `everywhere`: no other question would fare better."""
        super().__init__(words)
        self.again = again
        self.everywhere = everywhere


def quoted(text: str) -> str:
    """Make what a server says fit to be shown."""
    line = printable(text).strip()
    return line if len(line) <= LONGEST_MESSAGE else f"{line[: LONGEST_MESSAGE - 1]}…"


def too_slow() -> Failed:
    """Say that one question took its time."""
    return Failed("no answer in time: make the query cheaper, or set TSUNAMI_PROMETHEUS_TIMEOUT to more seconds")


def out_of_time() -> Failed:
    """Say that all questions together took theirs."""
    return Failed(
        "no answer before the time for all questions was over: set TSUNAMI_PROMETHEUS_TIMEOUT to more seconds"
    )


def too_large(limit: int) -> Failed:
    """Say that reading stopped."""
    size = f"{limit >> 20} MiB" if limit >> 20 else f"{limit} bytes"
    return Failed(f"an answer of more than {size}: aggregate by host, as in avg by (instance) (...)")


def not_reached(error: "HTTPError") -> Failed:
    """Say why a request got no answer at all."""
    from urllib3 import exceptions as ways

    cause = error.__cause__ or (error.args[-1] if error.args else None)
    if isinstance(error, ways.NameResolutionError):
        return Failed("has no address: check the name, or this machine's DNS", everywhere=True)
    if isinstance(error, ways.NewConnectionError):
        if isinstance(cause, ConnectionRefusedError):
            return Failed("refuses the connection: is it running there?", again=True, everywhere=True)
        why = cause.strerror if isinstance(cause, OSError) else None
        return Failed(f"cannot be reached: {why or 'check the address'}", everywhere=True)
    if isinstance(error, ways.ConnectTimeoutError):
        return Failed("cannot be reached in time: check the address, and what filters the way to it", everywhere=True)
    if isinstance(error, ways.ReadTimeoutError):
        return too_slow()
    if isinstance(error, ways.SSLError):
        return _no_tls(cause)
    if isinstance(error, ways.ProtocolError) and isinstance(cause, ConnectionError):
        return Failed(f"closes the connection without an answer: {_WAY_IN}", again=True)
    if isinstance(error, ways.ProtocolError):
        return Failed("does not speak HTTP: check the address")
    return Failed(f"cannot be asked ({type(error).__name__}): check the address", everywhere=True)


def _no_tls(cause: object) -> Failed:
    from ssl import SSLCertVerificationError

    if isinstance(cause, SSLCertVerificationError):
        fault = _NO_MATTER_OF_TRUST.get(cause.verify_code)
        if fault:
            return Failed(f"its certificate {fault}: have it renewed, or check the address", everywhere=True)
        why = quoted(cause.verify_message)
        return Failed(f"its certificate is not trusted ({why}): SSL_CERT_FILE names your CA's", everywhere=True)
    return Failed("does not speak TLS with us: check https:// and the port in its address", everywhere=True)


def broken_off(error: "HTTPError") -> Failed:
    """Say why an answer came only in part."""
    from urllib3 import exceptions as ways

    if isinstance(error, ways.ReadTimeoutError):
        return too_slow()
    if isinstance(error, ways.DecodeError):
        return Failed("its answer cannot be unpacked: look into what stands before it")
    return Failed("broke off in the middle of its answer: look into its log")


def unwelcome(status: int, headers: Mapping[str, str], kind: str, message: str, *, known: bool) -> Failed:
    """Say what a status other than 200 means; `kind` and `message` are the server's, `known` if we said who we are."""
    said = f": {quoted(message)}" if message else ""
    if kind in ("timeout", "canceled"):
        return Failed(f"gave the query up{said}: make it cheaper, or set TSUNAMI_PROMETHEUS_TIMEOUT to more seconds")
    if status in (401, 403) and known:
        return Failed(f"refuses our credentials ({status}){said}: check the TSUNAMI_PROMETHEUS_... that are set")
    if status in (401, 403):
        way = "set TSUNAMI_PROMETHEUS_TOKEN, or TSUNAMI_PROMETHEUS_USER and TSUNAMI_PROMETHEUS_PASSWORD"
        return Failed(f"wants credentials ({status}){said}: {way}")
    if 300 <= status < 400:
        return Failed(f"redirects to {_elsewhere(headers.get('location', ''))}: write the address it answers at")
    if kind in _KINDS:
        return Failed(f"{_KINDS[kind]}{said or f' ({status})'}")
    if status in (404, 405):
        return Failed(f"has no Prometheus API at that address ({status}): write the address without /api/v1")
    way = "" if message else ": look into its log" if status >= 500 else ": check the address"
    return Failed(f"answers {status}{said}{way}", again=status in _ASK_AGAIN)


def _elsewhere(location: str) -> str:
    """Return where a redirect leads, without what may be secret in it."""
    return quoted(re.sub(r"//[^/?#]*@", "//", re.split(r"[?#]", location)[0])) or "nowhere"
