"""What holds for every test: an environment and a home of its own, no network, the same clock zone everywhere."""

import ipaddress
import itertools
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from hypothesis.configuration import set_hypothesis_home_dir

ROOT = Path(__file__).resolve().parent.parent

KEPT = {"LD_LIBRARY_PATH", "PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "TSUNAMI_REQUIRE_SERVERS"}
KEPT_PREFIXES = ("COVERAGE_", "COV_CORE_", "HYPOTHESIS_", "PYTEST_")

ENVIRONMENT = {
    "COLUMNS": "100",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_AUTHOR_NAME": "Ada Operator",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada Operator",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    # What the guard below cannot see, git and other processes and compiled libraries, is sent to a closed port.
    "all_proxy": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
    "no_proxy": "127.0.0.1,::1,localhost",
}

set_hypothesis_home_dir(ROOT / ".cache" / "hypothesis")
hypothesis.settings.register_profile(
    "ci", deadline=None, max_examples=40, derandomize=True, database=None, print_blob=True
)
hypothesis.settings.register_profile("dev", deadline=None, max_examples=50)
hypothesis.settings.register_profile("thorough", parent=hypothesis.settings.get_profile("dev"), max_examples=2000)


class NetworkRefused(Exception):
    """A test reached out. Not an OSError: no code may take it for a network that is down."""


def pytest_configure(config: pytest.Config) -> None:
    """Set the process up before any test module is imported."""
    profile = os.environ.get("HYPOTHESIS_PROFILE", "ci" if "CI" in os.environ else "dev")
    hypothesis.settings.load_profile(profile)
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    for name in set(os.environ) - KEPT:
        if not name.startswith(KEPT_PREFIXES):
            patch.delenv(name)
    for name, value in ENVIRONMENT.items():
        patch.setenv(name, value)
    patch.setenv("HYPOTHESIS_PROFILE", profile)  # for the workers, who no longer see CI
    patch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    time.tzset()
    _guard_network(patch)


@pytest.hookimpl(trylast=True)  # hypothesis marks its tests first
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave random examples unmeasured: tables run the same lines, and measured they take twice as long."""
    for item in items:
        if item.get_closest_marker("hypothesis"):
            item.add_marker(pytest.mark.no_cover)


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    base = tmp_path_factory.mktemp("homes")
    return (base / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, _homes: Iterator[Path]) -> Path:
    """Give the test an empty home of its own; it starts there, so that nothing can land in this repository."""
    path = next(_homes)
    path.mkdir()
    monkeypatch.setenv("HOME", str(path))
    monkeypatch.chdir(path)
    time.tzset()  # in case the test before had set TZ
    return path


def _guard_network(patch: pytest.MonkeyPatch) -> None:
    for name, place in (("connect", 0), ("connect_ex", 0), ("sendto", -1)):
        patch.setattr(socket.socket, name, _guarded_method(getattr(socket.socket, name), place))
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        patch.setattr(socket, name, _guarded_lookup(getattr(socket, name)))


def _guarded_method(method: Callable[..., object], place: int) -> Callable[..., object]:
    def guarded(self: socket.socket, *arguments: object) -> object:
        address = arguments[place]
        if self.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple):
            _refuse_unless_loopback(address[0])
        return method(self, *arguments)

    return guarded


def _guarded_lookup(lookup: Callable[..., object]) -> Callable[..., object]:
    def guarded(host: object, *arguments: object, **options: object) -> object:
        if host:
            _refuse_unless_loopback(host)
        return lookup(host, *arguments, **options)

    return guarded


def _refuse_unless_loopback(host: object) -> None:
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name == "localhost":
        return
    try:
        if ipaddress.ip_address(name).is_loopback:
            return
    except ValueError:
        pass
    raise NetworkRefused(f"tests reach this machine only, not {name}")
