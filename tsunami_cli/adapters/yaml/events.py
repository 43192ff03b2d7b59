"""From bytes to parsing events, by ruamel.yaml's parser in C where it is installed and its parser in Python elsewhere.

Both give the same events here. What either refuses, and what readers of YAML disagree on, ends the reading.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import ScalarEvent

try:
    from _ruamel_yaml import CParser as CParser
except ImportError:
    CParser = None

# NEL, LS and PS break lines in YAML 1.1 but not in 1.2; a lone CR breaks lines in YAML but not in git.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufdd0-\ufdef\ufeff\ufffe\uffff]|\r(?!\n)")
_FIRST_COLUMN = re.compile(r"^(?:(<{7}|\|{7}|>{7})(?=[ \r\n]|\Z)|(={7})(?=\r?\n|\Z)|%)", re.MULTILINE)
_MASKS: Final = {":": "\ufdd0", "?": "\ufdd1"}
_INNER_COLON = re.compile(r"(?<![\"'\]}]):(?=[^\s,\[\]{}])")
_INNER_QUESTION = re.compile(r"(?<=[^\s,\[{])\?")
_TAB = re.compile(r"#[^\n]*|(\t)")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPE = re.compile(r"\\(?:(?:u|U0000)([dD][89a-fA-F])|.)", re.DOTALL)
_BAD_ESCAPE: Final = "while parsing a quoted scalar: found invalid Unicode character escape code"
_HINTS: Final = (
    ("mapping values", "quote the text if the colon is part of it, or indent the line like its neighbours"),
    ("anchor", "quote the text; anchors (`&`) are not allowed"),
    ("alias", "quote the text; aliases (`*`) are not allowed"),
    ("tag", "quote the text; tags (`!`) are not allowed"),
    ("cannot start any token", "put the text in quotes"),
    ("unexpected ':'", "put the text in quotes"),
    ("escape", "double the backslash, or use single quotes"),
    ("end of stream", "close the quote"),
    ("',' or", "separate with commas, and close the bracket or brace"),
    ("", "check the indentation, colons and quotes here and above"),
)


class Unreadable(Exception):
    """There is no reading on: where, and a message that says how to mend it."""

    def __init__(self, text: str, offset: int, message: str) -> None:
        """Point at the character `offset` of `text`."""
        super().__init__(message)
        self.line, self.column = position(text, offset)
        self.offset = offset
        self.message = message


def position(text: str, offset: int) -> tuple[int, int]:
    """Return line and column, from 1, of the character `offset`."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def decoded(data: bytes, largest: int) -> str:
    """Return the text of a file of at most `largest` bytes; raises Unreadable for what no YAML file may hold."""
    if len(data) > largest:
        raise Unreadable("", 0, f"the file has {len(data)} bytes, more than the {largest} allowed: split it")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        byte = f"byte {error.start + 1} of the file (0x{data[error.start]:02x})"
        raise Unreadable(before, len(before), f"{byte} is not UTF-8: save the file as UTF-8") from None
    if text.startswith("\ufeff"):
        raise Unreadable(text, 0, "the file starts with a byte order mark: save it as UTF-8 without one")
    if forbidden := _FORBIDDEN.search(text):
        raise Unreadable(text, forbidden.start(), _unprintable(forbidden[0]))
    if found := _FIRST_COLUMN.search(text):
        marker = found[1] or found[2]
        conflict = f"a merge-conflict marker ({marker}): finish the merge"
        raise Unreadable(text, found.start(), conflict if marker else "a directive (`%`): take the line out")
    return text


def _unprintable(character: str) -> str:
    if character == "\r":
        return "a carriage return without a line feed: end lines with LF or CRLF"
    return f"the character U+{ord(character):04X}: take it out, or write it as \\u{ord(character):04x} in double quotes"


def events(text: str) -> Iterator[Any]:
    """Yield the parsing events of `text`; raises Unreadable at the first error of syntax and the first tab."""
    stream = _python_events(text) if CParser is None else _c_events(text)
    return _without_tabs(text, stream) if "\t" in text else stream


def _c_events(text: str) -> Iterator[Any]:
    """Hide the colons and question marks within words from the parser, which refuses `{at: 2016-11-14T10:00:00Z}`.

    It is a libyaml of 2016. The characters that stand in for them are refused in files.
    """
    colon, question = _MASKS.values()
    masked = _INNER_QUESTION.sub(question, _INNER_COLON.sub(colon, text))
    get_event = CParser(masked).get_event
    if masked == text:
        yield from _told(text, get_event)
        return
    for event in _told(text, get_event):
        if type(event) is ScalarEvent:
            event.value = event.value.replace(colon, ":").replace(question, "?")
        yield event


def _python_events(text: str) -> Iterator[Any]:
    from ruamel.yaml.loader import SafeLoader

    loader = SafeLoader(text)
    try:
        for event in _told(text, loader.get_event):
            if type(event) is ScalarEvent and _SURROGATE.search(event.value):
                raise _surrogate(text, event.start_mark.index)
            yield event
    except (OverflowError, ValueError):
        # The parser's own, from chr().
        raise _bad_escape(text, loader.index) from None


def _surrogate(text: str, start: int) -> Unreadable:
    half = next(found for found in _ESCAPE.finditer(text, start) if found[1])
    return _bad_escape(text, half.start() + 2)


def _bad_escape(text: str, offset: int) -> Unreadable:
    return Unreadable(text, offset, f"{_BAD_ESCAPE}: {_hint(_BAD_ESCAPE)}")


def _told(text: str, get_event: Callable[[], Any]) -> Iterator[Any]:
    """Yield events as long as there are, with the parser's errors translated."""
    try:
        while (event := get_event()) is not None:
            yield event
    except MarkedYAMLError as error:
        raise _syntax(text, error) from None


def _syntax(text: str, error: MarkedYAMLError) -> Unreadable:
    mark = error.problem_mark or error.context_mark
    offset = min(mark.index, len(text)) if mark else 0
    said = " ".join(": ".join(part for part in (error.context, error.problem) if part).split())
    began = error.context_mark.index if error.context_mark else offset
    since = f" (begun on line {position(text, began)[0]})" if "\n" in text[began:offset] else ""
    return Unreadable(text, offset, f"{said}{since}: {_hint(said)}")


def _hint(said: str) -> str:
    return next(hint for sign, hint in _HINTS if sign in said)


def _without_tabs(text: str, stream: Iterator[Any]) -> Iterator[Any]:
    """Stop at a tab that is not in quotes, a block scalar or a comment: there, readers disagree."""
    checked = 0
    try:
        for event in stream:
            if type(event) is ScalarEvent:
                start, end = event.start_mark.index, event.end_mark.index
                _refuse_tab(text, checked, start)
                if not event.style and "\t" in text[start:end]:
                    raise _tab(text, text.index("\t", start))
                checked = end
            yield event
    except Unreadable as error:
        _refuse_tab(text, checked, error.offset + 1)
        raise
    _refuse_tab(text, checked, len(text))


def _refuse_tab(text: str, start: int, end: int) -> None:
    for found in _TAB.finditer(text, start, end):
        if found[1]:
            raise _tab(text, found.start())


def _tab(text: str, offset: int) -> Unreadable:
    return Unreadable(text, offset, "a tab: write spaces, or put it in quotes")
