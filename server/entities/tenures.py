"""Offices over time: who held which, as a table whose rows carry a bar each, all on one scale.

A bar tells what is known from what is not: it is solid where the office is known to have been held, pale between the
first and the last day that a beginning or an end can mean and where a beginning or an end is not known at all, and has
a mark at each day for which the texts attest it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

import pyoxigraph as ox

from kg.dates import date_bounds
from kg.describing import Run
from kg.names import WS, Term
from server.entities.date_words import date_in_words, span_in_words

MOST = 60
"""Tenures that a page shows."""

WIDTH = 1000
"""Units of the scale of a bar."""

_STUB = 40
_WAYS = {
    WS + "officeHolder": "?holding ws:officeHolder {node} ; ws:officeHolder ?who ; ws:office ?office .",
    WS + "office": "?holding ws:office {node} ; ws:office ?office ; ws:officeHolder ?who .",
    WS + "officeOf": "?office ws:officeOf {node} . ?holding ws:office ?office ; ws:officeHolder ?who .",
}
_DATES = ("startDate", "endDate", "attestedAt", "attestedBy")


@dataclass(frozen=True)
class Bar:
    """The bar of a tenure, in units of `WIDTH`.

    Parameters:
        solid: beginnings and widths of what is known.
        pale: beginnings and widths of what is not.
        marks: places of the days for which it is attested.
    """

    solid: Sequence[tuple[int, int]]
    pale: Sequence[tuple[int, int]]
    marks: Sequence[int]


@dataclass
class Tenure:
    """A person's time in an office.

    Parameters:
        holding: its name.
        who: the person.
        office: the office.
        start, end: EDTF; None where they are not known, ``..`` for an end that has not come.
        attested: days at which it is known to have been held, EDTF.
        attesting: the assertions that say so.
    """

    holding: ox.NamedNode
    who: Term
    office: Term
    start: str | None = None
    end: str | None = None
    attested: list[str] = field(default_factory=list)
    attesting: list[Term] = field(default_factory=list)

    @property
    def span(self) -> str:
        """When, in words."""
        if self.start is None and self.end is None:
            return "attested " + ", ".join(map(date_in_words, self.attested))
        return span_in_words(self.start, self.end)


@dataclass(frozen=True)
class Tenures:
    """Tenures in the order of time, with their bars.

    Parameters:
        rows: each with its bar; None where none of its dates is known to the day.
        first, last: years at the ends of the scale; None where there are no bars.
        heading: what they have in common.
        shown: the columns that differ from row to row: ``who``, ``office`` or both.
    """

    rows: Sequence[tuple[Tenure, Bar | None]]
    first: int | None
    last: int | None
    heading: str
    shown: Sequence[str]


def find_tenures(run: Run, iri: str, pointing: Collection[str], *, today: date) -> list[Tenures]:
    """Return the tenures that concern a thing: of a person, of an office, of the offices of an agent.

    Parameters:
        run: answers a query.
        iri: the thing.
        pointing: IRIs of the properties by which anything points to it.
        today: until when what goes on is drawn.
    """
    headings = {
        WS + "officeHolder": ("Offices over time", ("office",)),
        WS + "office": ("Who held the office", ("who",)),
        WS + "officeOf": ("Its offices, and who held them", ("office", "who")),
    }
    found = []
    for way, (heading, shown) in headings.items():
        rows = _read(run, iri, _WAYS[way]) if way in pointing else []
        if rows:
            found.append(arrange(rows, heading, shown, today=today))
    return found


def arrange(tenures: Iterable[Tenure], heading: str, shown: Sequence[str], *, today: date) -> Tenures:
    """Put tenures into the order of time and draw their bars on one scale.

    Parameters:
        tenures: at least one.
        heading, shown: as in `Tenures`.
        today: until when what goes on is drawn.

    >>> anna, king = ox.NamedNode("ex:anna"), ox.NamedNode("ex:king")
    >>> one = Tenure(ox.NamedNode("ex:h"), anna, king, start="1995-01-01", end="1996-12-31")
    >>> told = arrange([one], "Offices over time", ("office",), today=date(2000, 1, 1))
    >>> told.first, told.last, told.rows[0][1].solid
    (1995, 1996, [(0, 1000)])
    """
    extents = {t.holding.value: _extent(t, today) for t in tenures}
    rows = sorted(tenures, key=lambda t: (extents[t.holding.value] or (date.max, date.max), t.holding.value))
    known = [extent for extent in extents.values() if extent]
    if not known:
        return Tenures([(t, None) for t in rows], None, None, heading, shown)
    first, last = date(min(e[0] for e in known).year, 1, 1), date(max(e[1] for e in known).year, 12, 31)
    drawn = [(t, _bar(t, first, last, today) if extents[t.holding.value] else None) for t in rows]
    return Tenures(drawn, first.year, last.year, heading, shown)


def _read(run: Run, iri: str, way: str) -> list[Tenure]:
    chosen = (
        f"{{ SELECT DISTINCT ?holding ?who ?office WHERE {{ {way.format(node=ox.NamedNode(iri))} }} LIMIT {MOST} }}"
    )
    told = " ".join(f"ws:{name}" for name in _DATES)
    results = run(
        f"SELECT ?holding ?who ?office ?how ?value WHERE {{ {chosen} VALUES ?how {{ {told} }} ?holding ?how ?value }}"
    )
    assert isinstance(results, ox.QuerySolutions)
    found: dict[str, Tenure] = {}
    for row in results:
        holding, who, office, how, value = (row[name] for name in ("holding", "who", "office", "how", "value"))
        assert isinstance(holding, ox.NamedNode)
        assert isinstance(how, ox.NamedNode)
        assert who is not None
        assert office is not None
        assert value is not None
        tenure = found.setdefault(holding.value, Tenure(holding, who, office))
        name = how.value.removeprefix(WS)
        if name == "attestedBy" and value not in tenure.attesting:
            tenure.attesting.append(value)
        elif isinstance(value, ox.Literal):
            if name == "startDate":
                tenure.start = value.value
            elif name == "endDate":
                tenure.end = value.value
            elif name == "attestedAt" and value.value not in tenure.attested:
                tenure.attested.append(value.value)
    for tenure in found.values():
        tenure.attested.sort()
    return list(found.values())


def _bounds(text: str | None) -> tuple[date | None, date | None]:
    """Return the first and last day that a date can mean; None of one that cannot be read, which the shapes report."""
    try:
        return date_bounds(text) if text else (None, None)
    except ValueError:
        return None, None


def _extent(tenure: Tenure, today: date) -> tuple[date, date] | None:
    """Return the first and the last day that anything is known of."""
    days = [day for text in (tenure.start, tenure.end, *tenure.attested) for day in _bounds(text) if day]
    if tenure.end == "..":
        days.append(today)
    return (min(days), max(days)) if days else None


def _bar(tenure: Tenure, first: date, last: date, today: date) -> Bar:
    length = max(1, (last - first).days)

    def place(day: date) -> int:
        return round(WIDTH * min(max((day - first).days, 0), length) / length)

    start, end = _bounds(tenure.start), (today, today) if tenure.end == ".." else _bounds(tenure.end)
    attested = [
        place(low + (high - low) / 2)
        for low, high in map(_bounds, tenure.attested)
        if low is not None and high is not None
    ]
    extent = _extent(tenure, today)
    assert extent is not None
    sure = [place(day) for day in (start[1], end[0]) if day] + attested or [place(extent[0])]
    left, right = min(sure), max(sure)
    pale = []
    if start[0] is None:
        pale.append((max(0, left - _STUB), left))
    elif place(start[0]) < left:
        pale.append((place(start[0]), left))
    if end[1] is None:
        pale.append((right, min(WIDTH, right + _STUB)))
    elif place(end[1]) > right:
        pale.append((right, place(end[1])))
    solid = [(left, right - left)] if right > left else []
    return Bar(solid, [(a, b - a) for a, b in pale if b > a], sorted(set(attested)))
