"""EDTF dates and the days that they can mean."""

from datetime import date

import pytest
from edtf import EDTFParseException, parse_edtf
from hypothesis import given
from hypothesis import strategies as st

from kg.dates import date_bounds, is_edtf

DAYS = st.dates(min_value=date(1, 1, 1), max_value=date(9999, 12, 31))


@given(DAYS)
def test_a_day_means_itself(day: date) -> None:
    assert date_bounds(day.isoformat()) == (day, day)


@given(st.from_regex(r"[0-9]{4}(-(0[1-9]|1[0-2])(-[0-3][0-9])?)?", fullmatch=True))
def test_a_plain_date_is_read_as_the_library_reads_it(text: str) -> None:
    try:
        first, last = parse_edtf(text).lower_strict(), parse_edtf(text).upper_strict()
    except EDTFParseException:
        assert not is_edtf(text)
    else:
        expected = None if not first.tm_year else (date(*first[:3]), date(*last[:3]))
        assert date_bounds(text) == (expected or (None, None))


@given(DAYS, DAYS)
def test_an_interval_runs_from_its_first_to_its_last_day(one: date, other: date) -> None:
    first, last = sorted((one, other))
    assert date_bounds(f"{first.isoformat()}/{last.isoformat()}") == (first, last)
    assert is_edtf(f"{first.isoformat()}/{last.isoformat()}")


@given(st.dates(min_value=date(1000, 1, 1)))
def test_a_month_and_a_year_contain_their_days(day: date) -> None:
    for text in (day.isoformat()[:7], day.isoformat()[:4], day.isoformat()[:4] + "~", day.isoformat()[:3] + "X"):
        first, last = date_bounds(text)
        assert first is not None
        assert last is not None
        assert first <= day <= last


@pytest.mark.parametrize("text", ["2001/..", "2001/", "../2001", ".."])
def test_an_open_side_has_no_bound(text: str) -> None:
    assert None in date_bounds(text)
    assert is_edtf(text)


@pytest.mark.parametrize("text", ["last year", "1998-02-30", "2003-13", "/", "../..", "03-06-2003", "1998/x"])
def test_what_is_no_date_is_told(text: str) -> None:
    assert not is_edtf(text)
    with pytest.raises(ValueError, match=r"EDTF|neither"):
        date_bounds(text)


def test_an_interval_that_ends_before_it_begins_is_no_date() -> None:
    assert not is_edtf("2003/1998")
