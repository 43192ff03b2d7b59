"""Which host a series is about."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from tsunami_cli.core.guard.questions import Series

_PORT = re.compile(r":[0-9]+$")


def host_in(label: str) -> str:
    """Return the name in a label such as `instance`: without its port, in lower case."""
    return _PORT.sub("", label).strip("[]").rstrip(".").lower()


class Names:
    """The hosts of an inventory, by the names under which a metrics server may know them."""

    def __init__(self, hosts: Iterable[str]) -> None:
        """Take the inventory's names; a first label that several share, or that is a host's whole name, names none."""
        self._hosts = frozenset(hosts)
        shorts = Counter(host.partition(".")[0] for host in self._hosts)
        self._short = {
            short: host
            for host in self._hosts
            if shorts[short := host.partition(".")[0]] == 1 and short not in self._hosts
        }
        self._known: dict[str, tuple[str | None, str | None, str]] = {}

    def joined(self, series: Sequence[Series], label: str) -> Mapping[str, list[Series]]:
        """Return the series of every host: by its name, or by a first label where only one host has that.

        A longer name with a host's name as its first label counts where no series has the host's own, and all that
        are like it agree: two machines that both claim to be the host are none.
        """
        found: dict[str, list[Series]] = {}
        longer: dict[str, dict[str, list[Series]]] = {}
        for one in series:
            text = one.labels.get(label, "")
            host, first, name = self._known.get(text) or self._look_up(text)
            if host is not None:
                found.setdefault(host, []).append(one)
            elif first is not None:
                longer.setdefault(first, {}).setdefault(name, []).append(one)
        for host, claims in longer.items():
            if host not in found and len(claims) == 1:
                found[host] = next(iter(claims.values()))
        return found

    def _look_up(self, text: str) -> tuple[str | None, str | None, str]:
        """Return the host that a label names, or else the one that it may name as a longer name, and that name."""
        name = host_in(text)
        first = name.partition(".")[0]
        host = name if name in self._hosts else self._short.get(name)
        # The same labels come in every answer.
        self._known[text] = (host, first if host is None and first in self._hosts else None, name)
        return self._known[text]
