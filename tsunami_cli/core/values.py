"""A value as hosts get it: the JSON text of a scalar, so that two values are equal only if type and text are."""

import json
import math
import re
from typing import NewType

Value = NewType("Value", str)
"""The JSON text of a string, an integer, a finite number or a boolean: `"1.12.3"`, `4096`, `true`."""

_NO_TEXT = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
LONGEST_SHOWN = 120
_COMMAND = re.compile(r"::(?=[A-Za-z-]+(?: [^:]*)?::)|##(?=\[)")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def value_of(scalar: object) -> Value:
    """Return the value that a scalar of a document stands for.

    Raises ValueError, with the reason, for null, infinities, not-a-number and everything that is no scalar.
    """
    if isinstance(scalar, float) and not math.isfinite(scalar):
        raise ValueError("a number must be finite")
    if isinstance(scalar, str) and not scalar.isascii() and any("\ud800" <= char <= "\udfff" for char in scalar):
        raise ValueError("a value is whole characters, no halves of surrogate pairs")
    if isinstance(scalar, str | int | float):
        return Value(json.dumps(scalar, ensure_ascii=False))
    raise ValueError("a value is text, a number, true or false")


def read_as(text: str, kinds: tuple[str, ...]) -> Value:
    """Read what was typed at the prompt by the JSON Schema types a value may have; as text where there are none.

    Raises ValueError where no such type has that text.
    """
    if not kinds or "string" in kinds:
        return value_of(text)
    if "boolean" in kinds and text in ("true", "false"):
        return Value(text)
    if "integer" in kinds and re.fullmatch(r"-?(0|[1-9][0-9]{0,99})", text):
        return value_of(int(text))
    if "number" in kinds and re.fullmatch(r"-?(0|[1-9][0-9]{0,99})(\.[0-9]{1,99})?([eE][-+]?[0-9]{1,3})?", text):
        return value_of(float(text) if set(text) & set(".eE") else int(text))
    raise ValueError(f"{text} is not of type {' or '.join(kinds)}")


def scalar(value: Value) -> str | int | float | bool:
    """Return the Python scalar that a value stands for."""
    read: str | int | float | bool = json.loads(value)
    return read


def shown(value: Value) -> str:
    """Return the value for people and for JSON keys: text bare, everything else as its JSON text.

    Text with control characters in it stays in JSON's quotes and escapes, so that no terminal obeys it.
    """
    text = scalar(value)
    if isinstance(text, str) and not _CONTROL.search(text):
        return text
    return json.dumps(text)


def brief(value: Value) -> str:
    """Return the value for a line that has to stay short."""
    text = shown(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def key_text(value: Value) -> str:
    """Return the value as a JSON key: text as it is, everything else as its JSON text."""
    text = scalar(value)
    return text if isinstance(text, str) else str(value)


def yaml_quoted(text: str) -> str:
    """Write text as a double-quoted YAML scalar that every YAML reader, 1.1 or 1.2, reads back as the same text."""
    quoted = json.dumps(text, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda char: f"\\u{ord(char[0]):04x}", quoted)


def yaml_name(name: str) -> str:
    """Write a variable's name or a rollout's id as YAML, in quotes where it may be taken for no text."""
    return yaml_quoted(name) if name in _NO_TEXT or not re.fullmatch(r"[a-z][A-Za-z0-9_-]*", name) else name


def yaml_text(value: Value) -> str:
    """Write a value as YAML: text always in quotes."""
    text = scalar(value)
    if isinstance(text, str):
        return yaml_quoted(text)
    # YAML 1.1 takes a number with an exponent for text unless it has a point.
    return re.sub(r"^(-?[0-9]+)e", r"\1.0e", value)


def printable(text: str) -> str:
    """Make text that people wrote harmless where it is shown: on one line, obeyed by no terminal and no CI system.

    Control characters and those that turn the direction of text leave it; `::command::` and `##[command]` break up.
    """
    line = _CONTROL.sub("", re.sub(r"[\n\r\t]+", " ", text))
    return _COMMAND.sub(lambda found: " ".join(found[0]), line)
