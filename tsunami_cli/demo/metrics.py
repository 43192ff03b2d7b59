"""Where the guard finds its metrics while the demo runs, and what it must not find: the user's own."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tsunami_cli.adapters.prometheus.environment import URL
from tsunami_cli.demo.prometheus import NotReady, installed, prometheus
from tsunami_cli.demo.stand_in import stand_in
from tsunami_cli.demo.story import Source, Story

_OURS = "TSUNAMI_"
_NOT_HERE = ("TSUNAMI_PROMETHEUS_", "TSUNAMI_NOTIFY", "TSUNAMI_PUBLISH_TO")
"""Servers, people and stores that the demo is none of the business of."""


@contextmanager
def own_environment() -> Iterator[None]:
    """Put the user's servers and addresses aside, and back at the end; the clock, which the demo turns, too."""
    before = {name: value for name, value in os.environ.items() if name.startswith(_OURS)}
    for name in before:
        if name.startswith(_NOT_HERE):
            del os.environ[name]
    try:
        yield
    finally:
        for name in [name for name in os.environ if name.startswith(_OURS)]:
            del os.environ[name]
        os.environ.update(before)


@contextmanager
def metrics(story: Story, now: int) -> Iterator[Source]:
    """Have a metrics server tell the guard the story until `now`; say which one it is."""
    source: Source = "none installed"
    with ExitStack() as stack:
        url = None
        if installed():
            try:
                url, source = stack.enter_context(prometheus(story, now)), "prometheus"
            except NotReady:
                source = "does not start"
        os.environ[URL] = url or stack.enter_context(stand_in(story))
        stack.callback(os.environ.pop, URL, None)
        yield source
