"""What makes a rollouts repository: the files it begins with, and what an upgrade does to those that are tsunami's."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tsunami_cli.core.problems import Refusal

_EXAMPLES = "rollouts/"
_READMES = ("README", "README.adoc", "README.rst", "README.txt", "Readme.md", "readme.md")
_OWNERS = "CODEOWNERS"
_PLACES = ("", ".github/", ".gitlab/", "docs/")
"""Where GitHub and GitLab look for code owners: the first file found counts alone."""
_PIN = re.compile(rb"^[^#\n]*\btsunami-cli(?:\[[^\]\n]*\])? *== *([0-9]+(?:\.[0-9]+)*)", re.MULTILINE)


class Ci(StrEnum):
    """What validates and publishes."""

    GITHUB = "github"
    GITLAB = "gitlab"
    NONE = "none"


def ci_of(origin: str, there: Callable[[str], bool]) -> Ci:
    """Return what is likely to run the repository's pipelines, by the host of its remote and the paths that exist."""
    if "gitlab" in origin.lower():
        return Ci.GITLAB
    by_files = there(".gitlab-ci.yml") and not there(".github/workflows")
    return Ci.GITLAB if by_files and "github" not in origin.lower() else Ci.GITHUB


def beginning(files: Mapping[str, bytes], there: Callable[[str], bool], inventory: str | None) -> dict[str, bytes]:
    """Return those files of a new repository that would not speak against what it has already.

    `inventory` is where the settings say that the hosts are; None where there are no settings yet.
    """

    def wanted(path: str) -> bool:
        if path.startswith(_EXAMPLES):
            # Where a fleet has settings, one more variable would be told to its hosts.
            return inventory is None and not there(_EXAMPLES)
        if path == "inventory.csv":
            return inventory in (None, path)
        if path == "README.md":
            return not any(there(name) for name in _READMES)
        if path.rpartition("/")[2] == _OWNERS:
            # One more file would make the other count for nothing.
            return not any(there(place + _OWNERS) for place in _PLACES if place + _OWNERS != path)
        return True

    return {path: data for path, data in files.items() if wanted(path)}


def pinned(text: bytes) -> str | None:
    """Return the version of tsunami that a file of requirements or a pipeline names; None where it names none."""
    found = _PIN.search(text)
    return found[1].decode() if found else None


def admit(ours: str, theirs: str | None) -> None:
    """Raise Refusal where a repository is on a newer version than this one, which would take it back."""
    if theirs is not None and is_older(ours, theirs):
        raise Refusal(
            f"the repository is on tsunami {theirs}, this is tsunami {ours}: upgrade tsunami first:"
            f" pip install 'tsunami-cli>={theirs}'"
        )


def is_older(version: str, other: str) -> bool:
    """Whether a version comes before another, by the numbers of their releases."""
    return _release(version) < _release(other)


def _release(version: str) -> tuple[int, ...]:
    """Return the numbers of a release, without zeros at the end: 1.10.0 as (1, 10)."""
    found = re.match(r"[0-9]+(?:\.[0-9]+)*", version)
    numbers = [int(number) for number in found[0].split(".")] if found else []
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


@dataclass(frozen=True, slots=True)
class LaidOut:
    """What became of a repository that was laid out."""

    root: str
    ci: Ci
    moved_up: bool
    """Whether that was asked for somewhere below `root`."""
    made: tuple[str, ...]
    kept: tuple[str, ...]
    older: tuple[str, ...]
    """Those kept that are tsunami's own, but not as this version has them."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What an upgrade does, by paths."""

    version: str
    """The one that the files are brought to."""
    made: tuple[str, ...]
    upgraded: tuple[str, ...]
    removed: tuple[str, ...]
    """What an earlier version laid out, and this one has no more."""
    left: tuple[str, ...]
    """The same, but not to be removed: it was edited, or nothing does its work yet."""
    kept: tuple[str, ...]
    """What is as it should be."""

    @property
    def changed(self) -> tuple[str, ...]:
        """The paths that are not as they were."""
        return tuple(sorted((*self.made, *self.upgraded, *self.removed)))


def upgrade(
    version: str,
    owned: Mapping[str, bytes],
    standing: Mapping[str, bytes | None],
    retired: Mapping[str, bool],
) -> Upgrade:
    """Compare tsunami's own files with what stands at their paths, None where nothing does.

    `retired` has the files of earlier versions that are still there, and whether nothing is lost with them.
    """
    there = {path: standing[path] for path in sorted(owned)}
    return Upgrade(
        version,
        made=tuple(path for path, data in there.items() if data is None),
        upgraded=tuple(path for path, data in there.items() if data is not None and data != owned[path]),
        removed=tuple(path for path, free in sorted(retired.items()) if free),
        left=tuple(path for path, free in sorted(retired.items()) if not free),
        kept=tuple(path for path, data in there.items() if data == owned[path]),
    )
