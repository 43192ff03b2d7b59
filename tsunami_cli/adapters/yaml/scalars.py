"""What a plain scalar says: by the YAML 1.2 core schema, and what other readers of YAML take it for."""

import re
from typing import Final, TypeAlias

Value: TypeAlias = bool | int | float | str | None

LONGEST_NUMBER: Final = 600
"""Digits of an integer. Python may refuse to print one of more than 640."""

_FALSE, _TRUE = (False, "the boolean false"), (True, "the boolean true")
_CORE_WORDS: dict[str, tuple[Value, str]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), (None, "null")),
    **dict.fromkeys(("true", "True", "TRUE"), _TRUE),
    **dict.fromkeys(("false", "False", "FALSE"), _FALSE),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), (float("nan"), "not a number")),
    **{sign + word: (float("inf"), "infinity") for sign in ("", "+") for word in (".inf", ".Inf", ".INF")},
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), (float("-inf"), "minus infinity")),
}
_OLDER_WORDS: dict[str, str] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), _TRUE[1]),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), _FALSE[1]),
    "=": "the default value of a mapping",
    "<<": "a merge key",
}
_WORDS: dict[str, tuple[Value, str]] = {word: (word, taken) for word, taken in _OLDER_WORDS.items()} | _CORE_WORDS
_NUMERIC = frozenset("0123456789+-.")

_INT = re.compile(r"[-+]?[0-9]+")
_BASED_INT = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?"
    r"(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?"
)
_OLDER_BASED = re.compile(r"([-+]?)0(?:b([01_]+)|x([0-9a-fA-F_]+)|([0-7_]+))")
_OLDER_INT = re.compile(r"[-+]?[1-9][0-9_]*")
_OLDER_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+][0-9]+)?")
_BASE_60 = re.compile(r"([-+]?)([0-9][0-9_]*(?::[0-5]?[0-9])+)(\.[0-9_]*)?")
# What ruamel.yaml alone takes for a number, in either version of YAML.
_LOOSE = re.compile(
    r"[-+]?(?:0b[01_]+|0o?[0-7_]+|[0-9_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?"
    r"|\.[0-9_]+(?:[eE][-+]?[0-9]+)?)"
)


class TooLong(ValueError):
    """An integer with more digits than LONGEST_NUMBER."""


def resolved(text: str) -> tuple[Value, str | None]:
    """Return the value of the plain scalar `text`, and what some reader takes it for if not for text.

    Where YAML 1.1 and 1.2 differ (`010` is 8 or 10) the value is that of 1.2, and the other what 1.1 makes of it.
    """
    word = _WORDS.get(text)
    if word is not None:
        return word
    if text[0] not in _NUMERIC:
        return text, None
    value = _core_number(text)
    return value, _taken_for(text, value)


def _core_number(text: str) -> Value:
    if _INT.fullmatch(text):
        return _integer(text, 10)
    if _BASED_INT.fullmatch(text):
        return _integer(text, 0)
    return float(text) if _FLOAT.fullmatch(text) else text


def _integer(text: str, base: int) -> int:
    if len(text) > LONGEST_NUMBER:
        raise TooLong(text)
    return int(text, base)


def _taken_for(text: str, value: Value) -> str | None:
    if _DATE.fullmatch(text):
        return "a date"
    if _TIMESTAMP.fullmatch(text):
        return "a timestamp"
    if len(text) > LONGEST_NUMBER:
        return "a number" if _LOOSE.fullmatch(text) or _BASE_60.fullmatch(text) else None
    older = _older_number(text)
    if older is not None:
        return older
    if value != text:
        return f"the number {value}"
    return "a number" if _LOOSE.fullmatch(text) else None


def _older_number(text: str) -> str | None:
    """Return what YAML 1.1, as PyYAML reads it, makes of `text`, None where it sees no number."""
    digits = text.replace("_", "")
    if based := _OLDER_BASED.fullmatch(text):
        sign, *spellings = based.groups()
        for base, spelling in zip((2, 16, 8), spellings, strict=True):
            if spelling is not None:
                return f"the number {int(sign + (spelling.replace('_', '') or '0'), base)}"
    if _OLDER_INT.fullmatch(text):
        return f"the number {int(digits)}"
    if _OLDER_FLOAT.fullmatch(text):
        return f"the number {float(digits)}"
    base_60 = _BASE_60.fullmatch(text)
    # The integers among them begin with a digit above 0: `09:30` is text to every reader.
    if base_60 and (base_60[3] is not None or base_60[2][0] != "0"):
        return f"the base-60 number {_from_base_60(*base_60.groups(default=''))}"
    return None


def _from_base_60(sign: str, places: str, fraction: str) -> int | float:
    total = 0
    for place in places.replace("_", "").split(":"):
        total = total * 60 + int(place)
    if fraction:
        return float(f"{sign}{total}{fraction.replace('_', '')}")
    return -total if sign == "-" else total
