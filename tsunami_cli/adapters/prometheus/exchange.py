"""One request to a metrics server, and the bytes it answers with."""

import re
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from tsunami_cli.adapters.prometheus.failures import Failed, broken_off, not_reached, too_large, too_slow, unwelcome
from tsunami_cli.core.guard.questions import Question

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, HTTPConnectionPool

LONGEST_CONNECT = 5.0
"""Seconds. A server that is there takes the connection at once."""
SERVERS_SHARE = 0.9
"""Of the time that is left: so that the server, not we, says which query took too long."""
_LOOPBACK = re.compile(r"localhost|127(\.[0-9]{1,3}){3}|::1", re.IGNORECASE)
_CHUNK = 256 << 10
_LONGEST_ERROR = 64 << 10


def opened(url: str, connections: int, authorization: str | None) -> "HTTPConnectionPool":
    """Return a pool of so many connections; none is made yet."""
    from urllib3 import connection_from_url

    parts = urlsplit(url)
    headers = {
        "accept": "application/json",
        "accept-encoding": "identity" if _LOOPBACK.fullmatch(parts.hostname or "") else "gzip",
        "content-type": "application/x-www-form-urlencoded",
        "user-agent": "tsunami",
    }
    if authorization:
        headers["authorization"] = authorization
    if parts.scheme == "https":
        from ssl import create_default_context

        # Trusts what OpenSSL does: SSL_CERT_FILE and SSL_CERT_DIR, read here.
        return connection_from_url(url, maxsize=connections, headers=headers, ssl_context=create_default_context())
    return connection_from_url(url, maxsize=connections, headers=headers)


def ask(pool: "HTTPConnectionPool", path: str, question: Question, ends: float, limit: int) -> bytearray:
    """Return the bytes of an answer, `limit` at most, read until `ends` on the monotonic clock. Raises Failed."""
    from urllib3 import Timeout
    from urllib3.exceptions import HTTPError

    left = ends - monotonic()
    if left <= 0:
        raise too_slow()
    window = question.window
    form = {
        "query": question.query,
        "start": window.start,
        "end": window.end,
        "step": window.step,
        "timeout": f"{max(0.001, left * SERVERS_SHARE):.3f}",
    }
    try:
        response = pool.urlopen(
            "POST",
            f"{path}/api/v1/query_range",
            urlencode(form, errors="replace"),
            retries=False,
            redirect=False,
            timeout=Timeout(connect=min(left, LONGEST_CONNECT), total=left),
            preload_content=False,
        )
    except HTTPError as error:
        raise not_reached(error) from None
    try:
        if response.status == 200:
            return _body(response, ends, limit)
        raise _error(response, ends, known="authorization" in pool.headers)
    finally:
        # A connection is used again only if its answer was read to the end.
        response.close()
        response.release_conn()


def _error(response: "BaseHTTPResponse", ends: float, *, known: bool) -> Failed:
    from tsunami_cli.adapters.prometheus.answers import error

    try:
        data = _body(response, ends, _LONGEST_ERROR)
    except Failed:
        data = bytearray()  # the status says enough
    kind, message = error(data)
    if not message and response.headers.get("content-type", "text/plain").startswith("text/plain"):
        text = data.decode(errors="replace").strip()
        message = "" if text == response.reason else text
    return unwelcome(response.status, response.headers, kind, message, known=known)


def _body(response: "BaseHTTPResponse", ends: float, limit: int) -> bytearray:
    from urllib3.exceptions import HTTPError

    data = bytearray()
    try:
        while True:
            left = ends - monotonic()
            if left <= 0:
                raise too_slow()
            # What urllib3 was told holds for each piece anew.
            socket = getattr(response.connection, "sock", None)
            if socket:
                socket.settimeout(left)
            piece = response.read1(_CHUNK)
            if not piece:
                return data
            data += piece
            if len(data) > limit:
                raise too_large(limit)
    except HTTPError as error:
        raise broken_off(error) from None
