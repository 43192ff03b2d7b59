"""Reading an answer of a metrics server: JSON into series with a value for each instant.

msgspec, because it makes the samples in C, numbers written as text included: half the time of any other decoder.
"""

import re
from itertools import chain
from math import ceil
from typing import Final

from msgspec import DecodeError, Struct, ValidationError
from msgspec.json import Decoder

from tsunami_cli.adapters.prometheus.failures import Failed, quoted
from tsunami_cli.core.guard.questions import Answer, Series, Window

_UNREADABLE = (DecodeError, UnicodeDecodeError, RecursionError)
_OTHER_SHAPE: Final = "its answer is not that of Prometheus's API: check the address"
_INFINITY = re.compile(rb',\s*"\+Inf"\s*\]')
_REMARK = "PromQL info:"
"""So begin in Prometheus before 3.0 those warnings that it calls infos since."""


class _Found(Struct, gc=False):
    metric: dict[str, str]
    values: tuple[tuple[float, float], ...] = ()


class _Data(Struct, gc=False, rename="camel"):
    result_type: str
    result: list[_Found]


class _Answer(Struct, gc=False, rename="camel"):
    data: _Data
    warnings: list[str] | None = None
    is_partial: bool = False
    """VictoriaMetrics says so of an answer that some of its stores had no part in."""


class _Type(Struct, rename="camel"):
    result_type: str


class _Typed(Struct):
    data: _Type


class _Error(Struct, rename="camel"):
    error_type: str = ""
    error: str = ""


_answers = Decoder(_Answer, strict=False)
_types = Decoder(_Typed)
_errors = Decoder(_Error)


def answer(data: bytearray, window: Window) -> Answer:
    """Read the answer to a question about that window. Raises Failed where it is no answer to it."""
    read = _read(data)
    if read.data.result_type != "matrix":
        raise _other_type(read.data.result_type)
    for warning in read.warnings or ():
        if not warning.startswith(_REMARK):
            # Falls to no answer: what is missing may be the very hosts that are down.
            raise Failed(f"warns that its answer may be partial: {quoted(warning)}")
    if read.is_partial:
        raise Failed("says that its answer is partial")
    found = read.data.result
    rows = _complete(found, window) or [_aligned(one, window) for one in found]
    return Answer(tuple(map(Series, [one.metric for one in found], rows)))


def error(data: bytearray) -> tuple[str, str]:
    """Return type and message of an error as the API words it; empty texts where it is not from the API."""
    try:
        read = _errors.decode(data)
    except _UNREADABLE:
        return "", ""
    return read.error_type, read.error


def _read(data: bytearray) -> _Answer:
    # msgspec reads "NaN" and "-Inf", but no plus. A comma before and a bracket behind: it is a sample and no label.
    text = _INFINITY.sub(b',"Inf"]', data) if b'"+Inf"' in data else data
    try:
        return _answers.decode(text)
    except ValidationError:
        raise _shape(data) from None
    except _UNREADABLE:
        raise Failed("its answer is no JSON: check the address") from None


def _shape(data: bytearray) -> Failed:
    """Say what is wrong with an answer that could not be read as a matrix."""
    try:
        kind = _types.decode(data).data.result_type
    except _UNREADABLE:
        return Failed(_OTHER_SHAPE)
    return Failed(_OTHER_SHAPE) if kind == "matrix" else _other_type(kind)


def _other_type(kind: str) -> Failed:
    return Failed(f"answers with a {quoted(kind)}, not with series over time: write a query of instant vectors")


def _complete(found: list[_Found], window: Window) -> list[tuple[float | None, ...]] | None:
    """Return the values of all series where each has one at every instant, as is usual; None where not.

    All at once, by what the interpreter does in C: it is half the time of reading an answer.
    """
    instants = list(map(float, window.instants))
    count = len(instants)
    if any(len(one.values) != count for one in found):
        return None
    flat = list(chain.from_iterable(chain.from_iterable([one.values for one in found])))
    if flat[::2] != instants * len(found):
        return None
    values = iter(flat[1::2])
    return list(zip(*[values] * count, strict=True))


def _aligned(found: _Found, window: Window) -> tuple[float | None, ...]:
    """Return a value for each instant.

    Some servers move the instants to whole multiples of the step: a sample counts for the next instant.
    """
    if not found.values:
        raise Failed(
            "answers with native histograms: make numbers of them, as with histogram_quantile or histogram_avg"
        )
    times, values = zip(*found.values, strict=True)
    if not all(window.start - window.step < at < window.end + window.step for at in times):
        raise Failed("answers for other instants than it was asked for: look into what stands before it")
    places = (min(window.steps, ceil((at - window.start) / window.step)) for at in times)
    at_place = dict(zip(places, values, strict=True))
    return tuple(map(at_place.get, range(window.steps + 1)))
