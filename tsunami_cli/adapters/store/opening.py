"""Which store a URL means."""

import re
from pathlib import Path

from tsunami_cli.adapters.store.limits import plain, request_limit
from tsunami_cli.adapters.store.model import Store
from tsunami_cli.errors import Refused, Usage

_EXPECTED = "write file:PATH, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix"
_CLOUD = re.compile(r"(s3|gs|az)://([A-Za-z0-9][A-Za-z0-9_.-]*)(?:/([!-\"$->A-~]*))?")


def open_store(url: str, root: Path) -> Store:
    """Return the store at a URL; nothing is asked or made yet. A relative folder is one of the repository at `root`.

    Raises Usage for what is no such URL, Refused for a folder that is not for publishing.
    """
    if url.startswith("file:"):
        return _folder(url, root)
    found = _CLOUD.fullmatch(url)
    if not found:
        scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", url)
        if scheme and re.search(r"[@?#]", url):
            # It may have a password in it, and is not shown.
            raise Usage(
                f"{scheme[0]}...: credentials, queries and fragments have no place in a store's URL: {_EXPECTED}"
            )
        raise Usage(f"{plain(url)!r} is no place to publish to: {_EXPECTED}")
    scheme_name, bucket, rest = found.groups()
    parts = [part for part in (rest or "").rstrip("/").split("/") if rest]
    if any(part in ("", ".", "..") for part in parts):
        raise Usage(f"{plain(url)!r}: the prefix has an empty part, . or ..: {_EXPECTED}")
    return _cloud(scheme_name, bucket, "/".join(parts))


def _cloud(scheme: str, bucket: str, prefix: str) -> Store:
    from tsunami_cli.adapters.store.connecting import connect

    return connect(scheme, bucket, prefix)


def _folder(url: str, root: Path) -> Store:
    from tsunami_cli.adapters.store.folder import FolderStore

    request_limit()
    text = url.removeprefix("file:")
    if text.startswith("//"):
        # file:///srv/www means what it says; file://srv/www would be the machine `srv`.
        text = text.removeprefix("//")
        if not text.startswith("/"):
            raise Usage(f"{plain(url)!r}: write file:PATH, or file:///PATH with three slashes")
    if not text or "\0" in text:
        raise Usage(f"{plain(url)!r} names no folder: write file:PATH")
    folder, top = root / text, root.resolve()
    real = folder.resolve()
    if not Path(text).is_absolute() and not real.is_relative_to(top):
        raise Refused(
            f"{plain(url)}: leads out of the repository: write the path of a folder in it, or an absolute one"
        )
    if real == top or ".git" in real.relative_to(top).parts if real.is_relative_to(top) else False:
        raise Refused(f"{plain(url)}: not a folder for publishing: hosts get what is in it; write file:public")
    return FolderStore(real if not Path(text).is_absolute() else folder, plain(url))
