"""Reading what was published, as a host does: over https, from object storage or from a folder."""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Protocol

from tsunami_cli.errors import Refused, Unreachable, Usage

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore

_CLOUDS = ("s3", "gs", "az")
_LOOPBACK = re.compile(r"(localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]*)?", re.IGNORECASE)
_ASKED_AGAIN = 2
_CHUNK = 1 << 20
_REASONS = (
    (
        re.compile(r"169\.254\.|metadata\.google|Missing(?: ?[A-Z]\w+)+|Account must be specified"),
        "there are no credentials: set them in the environment, or run where a role gives them",
    ),
    (re.compile(r"non-2xx status code: ([0-9]{3}[ A-Za-z]*)"), "it answers {}"),
    (re.compile(r"InvalidCertificate\(\s*(\w+)"), "its certificate is not trusted ({}): SSL_CERT_FILE names your CA's"),
    (re.compile(r"BadScheme"), "it redirects to plain http"),
    (re.compile(r"kind: Timeout"), "it did not answer in time"),
    (re.compile(r'\b(?:message|error): "([^"\n]+)"'), "{}"),
    (re.compile(r"\A(?:Generic \w+ error: )?([^\n]*)"), "{}"),
)


class _Final(Unreachable):
    """It would be no use to ask again."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """One object as it was read."""

    data: bytes | None
    """None: it is still the one whose etag was given."""
    etag: str | None
    """What to ask with the next time; None where the server gives none."""


class _Place(Protocol):
    def get(self, name: str, limit: int, etag: str | None, seconds: float) -> Fetched: ...


class Source:
    """A place where a fleet is published. All that is read of it together takes no longer than it was given."""

    def __init__(self, place: _Place, seconds: float) -> None:
        """Take the place; the time counts from the first question on."""
        self._place = place
        self._seconds = seconds
        self._ends: float | None = None

    def get(self, name: str, limit: int, etag: str | None = None) -> Fetched:
        """Return an object of at most `limit` bytes, asked for twice more where that fails.

        Raises Unreachable where it cannot be had, Refused where it is too large (then it was not read whole).
        """
        if self._ends is None:
            self._ends = monotonic() + self._seconds
        for again in range(_ASKED_AGAIN, -1, -1):
            try:
                return self._place.get(name, limit, etag, max(0.001, self._ends - monotonic()))
            except _Final:
                raise
            except Unreachable:
                if not again or not self.pause():
                    raise
        raise AssertionError

    def pause(self) -> bool:
        """Wait a moment, not as long as others do who wait for the same; say whether there is time left for more."""
        from random import uniform

        moment = uniform(0.2, 1.0)  # noqa: S311
        if self._ends is None or monotonic() + moment >= self._ends:
            return False
        sleep(moment)
        return True


def source(url: str, *, seconds: float, insecure: bool = False) -> Source:
    """Return the place that a URL or an absolute path names.

    Plain http goes to this machine only, unless `insecure`: on any other way the values, and the hashes that vouch
    for them, could be written by whoever stands on it. Raises Usage for what is no such place.
    """
    scheme, found, rest = url.partition("://")
    if url.startswith("/"):
        return Source(_Folder(Path(url)), seconds)
    if url.startswith("file:"):
        path = url.removeprefix("file:")
        if path.startswith("//") and not path.startswith("///"):
            raise Usage(f"{url}: names another machine: write file:PATH")
        return Source(_Folder(Path(path).absolute()), seconds)
    server = rest.partition("/")[0]
    if not found or not server or scheme not in ("http", "https", *_CLOUDS):
        raise Usage("--from: write https://..., s3://bucket/prefix, gs://..., az://container/prefix or file:PATH")
    if "@" in server or set(rest) & set("?#"):
        # Not shown: it may hold a password.
        raise Usage("--from: a URL here has no user, no password, no ? and no #")
    if not re.fullmatch("[!-~]+", rest):
        raise Usage("--from: a URL is written in ASCII, without spaces")
    if scheme == "http" and not insecure and not _LOOPBACK.fullmatch(server):
        raise Usage(f"{url}: over plain http anybody on the way can write the values: use https, or --insecure-http")
    return Source(_Store(url.rstrip("/")), seconds)


class _Folder:
    """A folder on this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, name: str, limit: int, etag: str | None, seconds: float) -> Fetched:  # noqa: ARG002
        file = self._folder / name
        try:
            # Not to wait for the other end of a pipe.
            with open(file, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK)) as found:
                about = os.fstat(found.fileno())
                if not stat.S_ISREG(about.st_mode):
                    raise _Final(f"{file}: is no file")
                mark = f"{about.st_ino}-{about.st_mtime_ns}-{about.st_size}"
                if mark == etag:
                    return Fetched(None, mark)
                data = found.read(limit + 1)
        except FileNotFoundError:
            raise _Final(f"{file}: is not there") from None
        except OSError as error:
            raise Unreachable(f"{file}: cannot be read: {error.strerror}") from None
        if len(data) > limit:
            raise _too_large(str(file), limit)
        return Fetched(data, mark)


class _Store:
    """A web server or object storage."""

    def __init__(self, url: str) -> None:
        self._url = url

    def get(self, name: str, limit: int, etag: str | None, seconds: float) -> Fetched:
        import obstore
        from obstore.exceptions import BaseError, NotModifiedError, PermissionDeniedError, UnauthenticatedError

        where = f"{self._url}/{name}"
        try:
            answer = obstore.get(_opened(self._url, seconds), name, options={"if_none_match": etag} if etag else None)
            data = bytearray()
            if answer.meta["size"] <= limit:
                for chunk in answer.stream(min_chunk_size=_CHUNK):
                    data += chunk
                    if len(data) > limit:
                        break
                else:
                    return Fetched(bytes(data), answer.meta["e_tag"])
        except NotModifiedError:
            return Fetched(None, etag)
        except FileNotFoundError:
            raise _Final(f"{where}: is not there") from None
        except (PermissionDeniedError, UnauthenticatedError) as no:
            raise _Final(f"{where}: {_reason(no)}") from None
        except (BaseError, OSError, ValueError) as error:
            raise Unreachable(f"{where}: {_reason(error)}") from None
        raise _too_large(where, limit)


def _opened(url: str, seconds: float) -> "ObjectStore":
    """Open a store for one request of so many seconds: only a new client can have a new limit.

    Buckets are found, and their credentials, by what the environment says, as in `connecting`.
    """
    from obstore.store import HTTPStore, from_url

    scheme = url.partition(":")[0]
    if scheme in _CLOUDS:
        from tsunami_cli.adapters.store.clouds import CLOUDS, speaks_http

        http = speaks_http(url, CLOUDS[scheme])
    else:
        http = scheme == "http"
    limit = f"{max(1, round(seconds * 1000))}ms"
    # With `allow_http` off, no redirect leads from https to http either.
    client: ClientConfig = {"timeout": limit, "connect_timeout": limit, "allow_http": http}
    if scheme in _CLOUDS:
        return from_url(url, client_options=client, retry_config={"max_retries": 0})
    return HTTPStore(url, client_options=client, retry_config={"max_retries": 0})


def _too_large(name: str, limit: int) -> Refused:
    return Refused(f"{name}: is larger than {limit >> 20} MiB")


def _reason(error: Exception) -> str:
    """Return the one thing that matters of an error that shows its whole inside, the answer of a server included."""
    text = str(error)
    for pattern, words in _REASONS:
        found = pattern.search(text)
        if found:
            return words.format(*found.groups())
    return type(error).__name__
