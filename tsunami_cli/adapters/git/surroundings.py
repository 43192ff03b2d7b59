"""What git knows around the files of a repository: where it came from, and what of it is nowhere else."""

import re
from collections.abc import Sequence

from tsunami_cli.adapters.git.process import output, run
from tsunami_cli.adapters.git.repository import Repository

_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?(?:[^@/]*@)?([^:/@]+)[:/]")


def origin_host(repository: Repository) -> str:
    """Return the name of the host that the remote `origin` is on; empty where there is none, or it is a folder."""
    if "origin" not in repository.remotes:
        return ""
    done = run(repository.root, "remote", "get-url", "origin")
    found = _HOST.match(done.out.decode("utf-8", "replace").strip())
    return found[1] if found and not done.status else ""


def default_branch(repository: Repository) -> str | None:
    """Return the branch that `origin` had checked out when it was cloned; None where that is not known."""
    if "origin" not in repository.remotes:
        return None
    remote = "refs/remotes/origin/"
    name = run(repository.root, "symbolic-ref", "--quiet", f"{remote}HEAD").out.decode("utf-8", "replace").strip()
    return name.removeprefix(remote) if name.startswith(remote) else None


def unsaved(repository: Repository, paths: Sequence[str]) -> tuple[str, ...]:
    """Return those of some files whose content is not that of the commit that is checked out.

    Their content is compared, not what the index believes of it: `git update-index --assume-unchanged` hides nothing.
    """
    if not paths:
        return ()
    root = repository.root
    committed: dict[str, str] = {}
    if repository.head_commit() is not None:
        listed = output(root, "ls-tree", "-z", "--full-tree", "HEAD", "--", *paths).decode("utf-8", "surrogateescape")
        for line in filter(None, listed.split("\0")):
            entry, _, path = line.partition("\t")
            committed[path] = entry.split()[2]
    # As it would be added: with the line endings and filters that .gitattributes names.
    ids = output(root, "hash-object", "--stdin-paths", data="".join(f"{path}\n" for path in paths).encode())
    return tuple(path for path, sha in zip(paths, ids.decode().split(), strict=True) if committed.get(path) != sha)
