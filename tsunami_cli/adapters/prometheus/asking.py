"""Asking a metrics server many questions at once, within a limit of time."""

from collections.abc import Collection, Iterator
from queue import Empty, SimpleQueue
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tsunami_cli.adapters.prometheus.exchange import ask, opened
from tsunami_cli.adapters.prometheus.failures import Failed, out_of_time
from tsunami_cli.core.guard.questions import Answer, Question

if TYPE_CHECKING:
    from urllib3 import HTTPConnectionPool

AT_ONCE = 4
PAUSE = (0.1, 0.3)
"""Seconds before a question is asked again, from and to."""
QUESTIONS_TIME = 3
"""All questions together take at most so many times as long as one may."""


class Prometheus:
    """A metrics server."""

    def __init__(self, url: str, *, seconds: float, limit: int, authorization: str | None = None) -> None:
        """Take the address, the seconds for all questions together and the most bytes of one answer, unpacked.

        `authorization` is the header of that name; it is shown nowhere.
        """
        self._url = url.rstrip("/")
        self._seconds = seconds
        self._limit = limit
        self._authorization = authorization

    def ask(self, questions: Collection[Question]) -> dict[Question, Answer]:
        """Return the answer to each question. One that cannot be had is an answer too, and spoils no other."""
        found = dict(self.answers(questions))
        return {question: found[question] for question in questions}

    def answers(self, questions: Collection[Question]) -> Iterator[tuple[Question, Answer]]:
        """Yield each question with its answer, as they come: nobody has to hold them all at once."""
        asked = tuple(dict.fromkeys(questions))
        if not asked:
            return
        ends = monotonic() + self._seconds
        with opened(self._url, AT_ONCE, self._authorization) as pool:
            yield from _Round(self._url, pool, self._seconds / QUESTIONS_TIME, ends, self._limit).run(asked)


class _Round:
    """The questions that are asked in one go, by a few threads."""

    def __init__(self, url: str, pool: "HTTPConnectionPool", seconds: float, ends: float, limit: int) -> None:
        self._url = url
        self._path = urlsplit(url).path
        self._pool = pool
        self._seconds = seconds
        self._ends = ends
        self._limit = limit
        self._waiting: SimpleQueue[Question] = SimpleQueue()
        self._done: SimpleQueue[tuple[Question, Answer | BaseException]] = SimpleQueue()
        self._over = Event()
        self._down: Failed | None = None
        """What no question got past: the others need not wait for the same."""

    def run(self, asked: Collection[Question]) -> Iterator[tuple[Question, Answer]]:
        for question in asked:
            self._waiting.put(question)
        for _ in range(min(AT_ONCE, len(asked))):
            # Daemons: one that hangs, looking up a name say, holds up neither us nor the end of the process.
            Thread(target=self._work, name="tsunami-prometheus", daemon=True).start()
        missing = dict.fromkeys(asked)
        try:
            while missing:
                question, answer = self._done.get(timeout=max(0.001, self._ends - monotonic()))
                if isinstance(answer, Exception):
                    # Falls to no answer: a bug that one answer brings to light must not cost the others theirs.
                    answer = Answer(failure=f"this is a bug in tsunami ({type(answer).__name__}: {answer})")
                elif isinstance(answer, BaseException):
                    raise answer
                del missing[question]
                yield question, answer
        except Empty:
            yield from ((question, self._no(out_of_time())) for question in missing)
        finally:
            self._over.set()

    def _work(self) -> None:
        while not self._over.is_set():
            try:
                question = self._waiting.get_nowait()
            except Empty:
                return
            try:
                self._done.put((question, self._answer(question)))
            except Exception as bug:
                self._done.put((question, bug))
            except BaseException as end:
                self._done.put((question, end))
                return

    def _answer(self, question: Question) -> Answer:
        from tsunami_cli.adapters.prometheus.answers import answer

        if self._down:
            return self._no(self._down)
        now = monotonic()
        if now >= self._ends:
            return self._no(out_of_time())
        ends = min(self._ends, now + self._seconds)
        try:
            return answer(self._asked_twice(question, ends), question.window)
        except Failed as failed:
            if failed.everywhere:
                self._down = failed
            return self._no(failed)

    def _asked_twice(self, question: Question, ends: float) -> bytearray:
        """Ask, and once more after a moment where that may help and there is time for it."""
        from random import uniform

        try:
            return ask(self._pool, self._path, question, ends, self._limit)
        except Failed as failed:
            # Not as long as the others wait who were refused in the same moment.
            moment = uniform(*PAUSE)  # noqa: S311
            if not failed.again or monotonic() + moment >= ends or self._over.wait(moment):
                raise
        return ask(self._pool, self._path, question, ends, self._limit)

    def _no(self, failed: Failed) -> Answer:
        return Answer(failure=f"{self._url}: {failed}")
