"""Dates with their precision: EDTF, and the sortable days that a date can mean.

Source: Extended Date/Time Format, https://www.loc.gov/standards/datetime/ (levels 0 and 1;
parsed by the `edtf` library).
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date
from functools import lru_cache
from time import struct_time

from edtf import EDTFParseException, parse_edtf
from pyparsing import ParserElement

OPEN = ("", "..")
_PLAIN = re.compile(r"(?!0000)[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?\Z")


@lru_cache(maxsize=65_536)  # the parser takes 10 ms a date, and dates recur
def date_bounds(text: str) -> tuple[date | None, date | None]:
    """Return the first and the last day that an EDTF date can mean.

    Parameters:
        text: an EDTF date or interval; ``..`` alone means that there is no end.

    Returns:
        Two days; None where an interval is open or unknown on that side, or the year lies outside 1 to 9999.

    Raises:
        ValueError: the text is not EDTF.

    >>> date_bounds("2003-06")
    (datetime.date(2003, 6, 1), datetime.date(2003, 6, 30))
    >>> date_bounds("1965~/..")
    (datetime.date(1965, 1, 1), None)
    """
    first, slash, last = text.partition("/")
    if not slash:
        last = first
    if all(side in OPEN for side in (first, last)):
        if text in OPEN:
            return None, None
        raise ValueError(f"'{text}' has neither beginning nor end")
    return _bound(first, "lower_strict"), _bound(last, "upper_strict")


def is_edtf(text: str) -> bool:
    """Tell whether a text is an EDTF date or interval.

    >>> is_edtf("1998~"), is_edtf("summer 1998"), is_edtf("1998-02-30")
    (True, False, False)
    """
    try:
        first, last = date_bounds(text)
    except ValueError:
        return False
    return first is None or last is None or first <= last


def _bound(text: str, side: str) -> date | None:
    if text in OPEN:
        return None
    if _PLAIN.match(text):
        return _plain_bound(text, last=side == "upper_strict")
    try:
        day = getattr(parse_edtf(text), side)()
    except EDTFParseException as error:
        raise ValueError(f"'{text}' is not an EDTF date") from error
    finally:
        ParserElement.reset_cache()  # it keeps failed tries with all their frames, and so whatever these hold
    if not isinstance(day, struct_time) or not 1 <= day.tm_year <= 9999:
        return None
    return date(day.tm_year, day.tm_mon, day.tm_mday)


def _plain_bound(text: str, *, last: bool) -> date:
    """Return a bound of a year, month or day without qualification, which most dates are."""
    year, month, day = (*map(int, text.split("-")), 0, 0)[:3]
    try:
        month = month or (12 if last else 1)
        return date(year, month, day or (monthrange(year, month)[1] if last else 1))
    except ValueError as error:
        raise ValueError(f"'{text}' is not an EDTF date") from error
