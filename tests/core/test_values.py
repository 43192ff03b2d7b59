"""Values: equal only if type and text are, and written so that every reader has them back."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsunami_cli.core.values import Value, key_text, printable, read_as, scalar, shown, value_of, yaml_quoted, yaml_text

SCALARS = st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()


@given(SCALARS)
def test_a_scalar_comes_back(text: str | int | float | bool) -> None:
    back = scalar(value_of(text))
    assert (type(back), back) == (type(text), text)


def test_equal_only_if_type_and_text_are() -> None:
    different = [value_of(text) for text in ("1", 1, 1.0, True, "true", "1.0", "1.10", 1.5, "")]
    assert len(set(different)) == len(different)


@pytest.mark.parametrize("text", [None, float("nan"), float("inf"), [], {}, b"1", object()])
def test_what_is_no_value(text: object) -> None:
    with pytest.raises(ValueError, match=r"a (value|number)"):
        value_of(text)


READ = [
    ("1.10", (), '"1.10"'),
    ("1.10", ("string",), '"1.10"'),
    ("5", ("integer", "string"), '"5"'),
    ("5", ("integer",), "5"),
    ("-5", ("integer",), "-5"),
    ("5", ("number",), "5"),
    ("5.5", ("number",), "5.5"),
    ("1e3", ("number",), "1000.0"),
    ("true", ("boolean",), "true"),
    ("true", ("boolean", "integer"), "true"),
    ("05", ("integer",), None),
    ("5.0", ("integer",), None),
    ("True", ("boolean",), None),
    ("yes", ("boolean",), None),
    ("nan", ("number",), None),
    ("inf", ("number",), None),
    ("1e999", ("number",), None),
    ("", ("integer",), None),
    ("1_000", ("integer",), None),
    ("٣", ("integer",), None),
    ("5\n", ("integer",), None),
]


@pytest.mark.parametrize(("text", "kinds", "value"), READ)
def test_read_as(text: str, kinds: tuple[str, ...], value: str | None) -> None:
    if value is None:
        with pytest.raises(ValueError, match=r"type|finite"):
            read_as(text, kinds)
    else:
        assert read_as(text, kinds) == value


def test_shown_as_people_and_keys_want_it() -> None:
    for text, people, key in (
        ("1.12.3", "1.12.3", "1.12.3"),
        (True, "true", "true"),
        (5, "5", "5"),
        (1.5, "1.5", "1.5"),
        ("a\x1b[31mb", '"a\\u001b[31mb"', "a\x1b[31mb"),
        ("a\nb", '"a\\nb"', "a\nb"),
        ("Zürich", "Zürich", "Zürich"),
    ):
        assert (shown(value_of(text)), key_text(value_of(text))) == (people, key), text


@given(st.text())
def test_quoted_yaml_is_json_of_one_line(text: str) -> None:
    quoted = yaml_quoted(text)
    assert json.loads(quoted) == text
    assert not set(quoted) & set("\n\r\t\x85\u2028\u2029\x1b\x00")
    assert yaml_text(value_of(text)) == quoted


def test_yaml_of_what_is_no_text_is_bare() -> None:
    for value, text in ((True, "true"), (5, "5"), (-1.5, "-1.5")):
        assert yaml_text(value_of(value)) == text


@given(st.text())
def test_printable_text_moves_no_cursor(text: str) -> None:
    assert not set(printable(text)) & set("\n\r\t\x1b\x00\x07\x08\x7f\x85\x9b\u2028\u202e")


def test_a_value_that_utf_8_cannot_hold_is_refused() -> None:
    """bundles are UTF-8. YAML can escape half a surrogate pair."""
    with pytest.raises(ValueError, match="a value"):
        value_of("\ud800")


def test_values_are_text_of_json() -> None:
    assert Value('"1"') == value_of("1")
