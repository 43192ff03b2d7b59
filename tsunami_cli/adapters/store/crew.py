"""Many requests at a time."""

import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
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

    How each ended comes through a queue, and not by waiting for futures: Ctrl-C in the midst of that leaves their locks
    taken, and their threads wait for ever.
    """
    lock, stop, rest, done = threading.Lock(), threading.Event(), iter(items), 0
    endings: SimpleQueue[BaseException | None] = SimpleQueue()

    def member() -> None:
        try:
            work_on()
        except BaseException as error:
            # It is raised by who waits for it.
            endings.put(error)
        else:
            endings.put(None)

    def work_on() -> None:
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

    under_way, shown = min(CREW, len(items)), 0
    with ThreadPoolExecutor(under_way or 1, "store") as pool:
        try:
            for _ in range(under_way):
                pool.submit(member)
            while under_way:
                try:
                    error = endings.get(timeout=_REPORTS)
                except Empty:
                    pass
                else:
                    under_way -= 1
                    if error is not None:
                        raise error
                if done > shown:
                    shown = done
                    report(shown)
        finally:
            # Also at Ctrl-C. What is under way ends by itself, within the limit of a request.
            stop.set()
