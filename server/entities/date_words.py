"""Dates in words: what an EDTF date says, as a reader would put it.

Source: Extended Date/Time Format, levels 0 and 1, https://www.loc.gov/standards/datetime/
"""

from __future__ import annotations

import re

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_SEASONS = {"21": "spring", "22": "summer", "23": "autumn", "24": "winter"}
_DATE = re.compile(r"(?P<year>-?[0-9X]{4})(-(?P<month>[0-9X]{2})(-(?P<day>[0-9X]{2}))?)?(?P<doubt>[?~%]?)\Z")
_DOUBT = {"": "{}", "~": "about {}", "?": "{} (uncertain)", "%": "about {} (uncertain)"}


def date_in_words(text: str) -> str:
    """Return an EDTF date in words; a form that is not known stays as it is.

    Parameters:
        text: an EDTF date or interval; ``..`` alone means that there is no end.

    >>> [date_in_words(text) for text in ("1998-11-14", "1998-07~", "1965-22", "196X")]
    ['14 November 1998', 'about July 1998', 'summer 1965', '1960s']
    >>> [date_in_words(text) for text in ("1998/2001", "2004/", "2004/..", "../1995", "..")]
    ['1998 to 2001', 'from 2004', 'since 2004', 'until 1995', 'still']
    """
    first, slash, last = text.partition("/")
    if not slash:
        return "still" if first == ".." else _one(first)
    if first in ("", ".."):
        return f"until {_one(last)}"
    if last in ("", ".."):
        return f"since {_one(first)}" if last else f"from {_one(first)}"
    return _one(first) if first == last else f"{_one(first)} to {_one(last)}"


def span_in_words(start: str | None, end: str | None) -> str:
    """Return the time between two EDTF dates in words; what is not known is left open.

    Parameters:
        start: the beginning; None where it is not known.
        end: the end; ``..`` where there is none yet, None where it is not known.

    >>> span_in_words("1995", ".."), span_in_words("1995", "1998-02"), span_in_words("1995", None)
    ('since 1995', '1995 to February 1998', 'from 1995, end not known')
    >>> span_in_words(None, "1998"), span_in_words(None, None)
    ('until 1998, beginning not known', 'not known')
    """
    if start and end:
        return date_in_words(f"{start}/{end}")
    if start:
        return f"from {_one(start)}, end not known"
    if end:
        return "still, beginning not known" if end == ".." else f"until {_one(end)}, beginning not known"
    return "not known"


def _one(text: str) -> str:
    found = _DATE.match(text)
    if found is None:
        return text
    year, month, day = found["year"], found["month"], found["day"]
    if "X" in year:
        known = year.rstrip("X")
        words = f"{known}0s" if len(known) == 3 else f"{known}00s" if len(known) == 2 else year
    else:
        words = year
    if month in _SEASONS:
        words = f"{_SEASONS[month]} {words}"
    elif month and month.isdecimal() and 1 <= int(month) <= 12:
        words = f"{MONTHS[int(month) - 1]} {words}"
        if day and day.isdecimal():
            words = f"{int(day)} {words}"
    elif month and month != "XX":
        return text
    return _DOUBT[found["doubt"]].format(words)
