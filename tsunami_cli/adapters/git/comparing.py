"""The two commits that a change lies between, as a pull request's diff means it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tsunami_cli.adapters.git.process import plain, run
from tsunami_cli.adapters.git.repository import Repository
from tsunami_cli.errors import Refused

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Between:
    """Where a change begins and where it ends."""

    base: str
    """The commit without the change: the merge base."""
    base_name: str
    """What it was found by: a branch, or what was asked for."""
    head: str
    """The commit with it; of the work tree, the one that is checked out."""


def between(repository: Repository, base: str | None, head: str | None, branches: Sequence[str]) -> Between:
    """Return the commits that a change lies between.

    `base` and `head` may be any names of commits. `head` None is what is checked out; `base` None is the tip of the
    first of some branches that is known here. Raises Refused, with the way out, where a commit is not known here, or
    the two have nothing in common.
    """
    if head is not None:
        after = _known(repository, "--head", head)
    else:
        found = repository.head_commit()
        if found is None:
            raise Refused("nothing is committed here yet, so there is nothing to compare with: git add, git commit")
        after = found
    name, tip = _base(repository, base, branches)
    common = run(repository.root, "merge-base", tip, after)
    words = common.out.decode("ascii", "replace").split()
    if common.status == 0 and words:
        return Between(words[0], name, after)
    if common.status != 1:
        raise Refused(f"{repository.root}: git merge-base failed: {common.why}")
    way = _deepen(repository, name)
    raise Refused(f"{plain(name)} and what is to be previewed have no commit in common here: {way}")


def _base(repository: Repository, base: str | None, branches: Sequence[str]) -> tuple[str, str]:
    """Return the name and the commit of what a change is to be merged into."""
    if base is not None:
        return base, _known(repository, "--base", base)
    for branch in branches:
        tip = repository.counting_tip(branch)
        if tip is not None:
            return branch, tip
    way = _fetch(repository, branches[0])
    raise Refused(f"there is no {branches[0]} in this clone to compare with: {way}, or --base REF")


def commit_of(repository: Repository, name: str) -> str | None:
    """Return the id of the commit that a branch, a tag, an id or any other name stands for; None for no such thing.

    Whatever the name is, git takes it for none of its options.
    """
    if not name or _CONTROL.search(name):
        return None
    done = run(repository.root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    return done.out.decode("ascii", "replace").strip() or None if done.status == 0 else None


def _known(repository: Repository, flag: str, name: str) -> str:
    # A clone that CI made has the remote's branches and hardly any of its own.
    found = commit_of(repository, name) or commit_of(repository, f"origin/{name}")
    if found is None:
        raise Refused(f"{flag} {plain(name)!r}: there is no such commit here: {_fetch(repository, name)}")
    return found


def _fetch(repository: Repository, name: str) -> str:
    branch = name.removeprefix("origin/") if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]*", name) else "main"
    depth = ", or fetch-depth: 0 where CI checks out" if repository.shallow else ""
    return f"git fetch origin {branch}{depth}" if repository.has_remote or repository.shallow else "see git branch -a"


def _deepen(repository: Repository, name: str) -> str:
    if repository.shallow:
        return "this clone is shallow: git fetch --unshallow, or fetch-depth: 0 where CI checks out"
    return f"is {plain(name)} the branch that it is to be merged into? Name another with --base"
