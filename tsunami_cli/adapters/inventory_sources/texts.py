"""What all sources have in common: text, and JSON with addresses for complaints."""

import json
from collections.abc import Iterator
from typing import Any

from tsunami_cli.errors import Refused


class Wrong(Exception):
    """Something has another shape than expected, at an address within the source."""

    def __init__(self, where: str, message: str) -> None:
        """Say where, and what, without content."""
        super().__init__(f"{where} {message}")


def text_of(data: bytes, file: str, expected: str) -> str:
    """Return the text of a source; Refused for what is none."""
    if not data.strip():
        raise Refused(f"{file}: is empty: expected {expected}")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise Refused(f"{file}: is UTF-16: save it as UTF-8; expected {expected}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        byte = wrong.start
        raise Refused(f"{file}: is no UTF-8 text (at byte {byte}): expected {expected}") from None
    if "\0" in text:
        raise Refused(f"{file}: is no text: expected {expected}")
    if text.lstrip()[:1] == "<":
        raise Refused(f"{file}: is HTML or XML, maybe the page of an error: expected {expected}")
    return text


def json_of(data: bytes, file: str, expected: str) -> Any:
    """Return what a JSON document holds; Refused for what is none, and for the answer that says an error."""
    import msgspec

    text = text_of(data, file, expected)
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError as wrong:
        # The reason ends in the byte where it went wrong, and quotes nothing.
        reason = str(wrong).removeprefix("JSON is malformed: ")
        raise Refused(f"{file}: is not JSON ({reason}): expected {expected}") from None
    except RecursionError:
        raise Refused(f"{file}: is nested too deep: expected {expected}") from None
    _check_keys(text, file, expected)
    if isinstance(found, dict) and found.keys() & {"error", "errors"} and not found.keys() & {"all", "_meta"}:
        raise Refused(f"{file}: is the answer that something went wrong (error): expected {expected}")
    return found


def _check_keys(text: str, file: str, expected: str) -> None:
    """Refuse an object that has a key twice: which of the two counts would be anybody's guess, and hosts vanish."""

    def checked(pairs: list[tuple[str, object]]) -> None:
        if len({key for key, _ in pairs}) != len(pairs):
            raise Refused(f"{file}: is no clear JSON, as an object has a key twice: expected {expected}")

    json.loads(text, object_pairs_hook=checked, parse_float=str, parse_int=str)


def rows_of(found: object, file: str, expected: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the objects of a list, each with its address; Refused for what is no list."""
    if not isinstance(found, list):
        raise Refused(f"{file}: is {kind(found)}, not a list: expected {expected}")
    for place, row in enumerate(found):
        yield f"[{place}]", object_at(row, f"[{place}]")


def object_at(found: object, where: str) -> dict[str, Any]:
    """Return an object; Wrong where it is none."""
    if not isinstance(found, dict):
        raise Wrong(where, f"is {kind(found)}, not an object")
    return found


def maybe_object_at(found: object, where: str) -> dict[str, Any]:
    """Return an object, an empty one where there is none."""
    return {} if found is None else object_at(found, where)


def text_at(found: object, where: str) -> str:
    """Return a text that is not empty; Wrong where it is none."""
    if not isinstance(found, str):
        raise Wrong(where, "is missing" if found is None else f"is {kind(found)}, not text")
    if not found:
        raise Wrong(where, "is empty")
    return found


def kind(found: object) -> str:
    """Say what a piece of JSON is, without saying what it holds."""
    if isinstance(found, bool):
        return "true or false"
    kinds: tuple[tuple[type, str], ...] = ((dict, "an object"), (list, "a list"), (str, "text"))
    return next((name for one, name in kinds if isinstance(found, one)), "null" if found is None else "a number")
