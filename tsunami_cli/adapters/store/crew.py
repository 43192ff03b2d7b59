"""Many requests at a time."""

import threading
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TypeVar

CREW = 32
"""How many requests are under way at a time: at 30 ms for each, as many as S3 takes for one prefix."""
_REPORTS = 0.05

Item = TypeVar("Item")


def work_off(items: Collection[Item], work: Callable[[Item], None], report: Callable[[int], None]) -> None:
    """Do the work on every item, `CREW` at a time; the first failure ends the rest and is raised.

    `report` is told how many are done, 20 times a second at most, by the calling thread.

    Threads, as obstore lets the others run during a request, and they are as fast as its coroutines. Those print
    tracebacks of their own where an event loop is closed over a request that is still under way.
    """
    lock, stop, rest, done = threading.Lock(), threading.Event(), iter(items), 0

    def member() -> None:
        nonlocal done
        while not stop.is_set():
            with lock:
                try:
                    item = next(rest)
                except StopIteration:
                    return
            work(item)
            with lock:
                done += 1

    with ThreadPoolExecutor(min(CREW, len(items)) or 1, "store") as pool:
        try:
            under_way = {pool.submit(member) for _ in range(min(CREW, len(items)))}
            shown = 0
            while under_way:
                ended, under_way = wait(under_way, _REPORTS, FIRST_EXCEPTION)
                for future in ended:
                    future.result()
                if done > shown:
                    shown = done
                    report(shown)
        finally:
            # Also at Ctrl-C. What is under way ends by itself, within the limit of a request.
            stop.set()
