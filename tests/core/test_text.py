"""Instants, durations, shares: read in one way only."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsunami_cli.core.text import compact, duration, duration_text, instant, instant_text, percent_text, share

BAD_INSTANTS = (
    "",
    "2016-11-14",
    "2016-11-14T10:00Z",
    "2016-11-14T10:00:00",
    "2016-11-14T10:00:00+00:00",
    "2016-11-14T10:00:00.0Z",
    "2016-11-14 10:00:00Z",
    "2016-11-14t10:00:00z",
    "2016-02-30T10:00:00Z",
    "2016-13-01T10:00:00Z",
    "2016-11-14T24:00:00Z",
    "2016-11-14T10:60:00Z",
    "2016-11-14T10:00:60Z",
    " 2016-11-14T10:00:00Z",
    "2016-11-14T10:00:00Z\n",
    "0000-01-01T00:00:00Z",
    "２016-11-14T10:00:00Z",
)
BAD_DURATIONS = (
    "",
    "0",
    "14",
    "1.5d",
    "-1d",
    "+1d",
    " 1d",
    "1d ",
    "1 d",
    "1D",
    "1d\n",
    "1h1d",
    "1d1d",
    "d",
    "1y",
    "1mo",
    "P1D",
    "1m1h",
    "１d",
    "٣d",
    "99999999999999d",
)
BAD_SHARES = (
    "",
    "30",
    "%",
    "30 %",
    "-1%",
    "+1%",
    "100.1%",
    "101%",
    ".5%",
    "5.%",
    "1e1%",
    "30%\n",
    "３%",
    "0.5.5%",
    "nan%",
)


@pytest.mark.parametrize("text", BAD_INSTANTS)
def test_what_is_no_instant(text: str) -> None:
    with pytest.raises(ValueError, match="is not an instant"):
        instant(text)


@pytest.mark.parametrize("text", BAD_DURATIONS)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration|longer than any"):
        duration(text)


@pytest.mark.parametrize("text", BAD_SHARES)
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a share|more than all"):
        share(text)


INSTANTS = st.integers(0, 32_503_679_999).map(lambda second: datetime.fromtimestamp(second, UTC))


@given(INSTANTS)
def test_an_instant_comes_back(moment: datetime) -> None:
    assert instant(instant_text(moment)) == moment


@given(st.integers(0, 400 * 86_400).map(lambda seconds: timedelta(seconds=seconds)))
def test_a_duration_comes_back(length: timedelta) -> None:
    assert duration(duration_text(length)) == length


def test_durations_add_up() -> None:
    for text, length in (
        ("2w", 1_209_600),
        ("1d12h", 129_600),
        ("1w1d1h1m1s", 694_861),
        ("90s", 90),
        ("036h", 129_600),
    ):
        assert duration(text) == timedelta(seconds=length), text


def test_shares_are_exact() -> None:
    for text, fraction in (
        ("30%", "3/10"),
        ("0.5%", "1/200"),
        ("100%", "1"),
        ("33.333333333%", "33333333333/100000000000"),
    ):
        assert share(text) == Fraction(fraction), text


def test_ids_carry_an_instant_without_separators() -> None:
    assert compact(instant("2016-11-14T09:55:12Z")) == "20161114T095512Z"


PERCENT = [
    # fraction, up, down
    ("0", "0", "0"),
    ("1", "100", "100"),
    ("1/3", "33.333333334", "33.333333333"),
    ("1/4", "25", "25"),
    ("29/100", "29", "29"),
    ("1/1000000000000000000", "0.000000001", "0"),
    ("999999999999999999/1000000000000000000", "99.999999999", "99.999999999"),
    ("1/10", "10", "10"),
]


@pytest.mark.parametrize(("fraction", "up", "down"), PERCENT)
def test_percent_has_nine_decimals(fraction: str, up: str, down: str) -> None:
    assert (percent_text(Fraction(fraction), up=True), percent_text(Fraction(fraction), up=False)) == (up, down)


@given(st.fractions(0, 1))
def test_percent_is_never_a_whole_unit_off_and_100_only_where_it_is(fraction: Fraction) -> None:
    up, down = (Fraction(percent_text(fraction, up=way)) / 100 for way in (True, False))
    unit = Fraction(1, 10**11)
    assert down <= fraction < down + unit
    assert fraction <= up < fraction + unit or (up == 1 - unit and fraction < 1)
    assert (up == 1) == (fraction == 1)
