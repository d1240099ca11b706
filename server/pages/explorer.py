"""The explorer: who asserts what, by facets with live counts.

    GET /explore?holder=&state=&act=&target=&issue=&polarity=&certainty=&standing=&kind=&document=
                 &since=&until=&words=&withdrawn=&page=

The address holds the whole state (`kg.filters`), so that a page can be kept, sent and cited. Counts and rows come from
the index (`kg.index`); what one takes away comes from the endpoint, by the query that the page shows, which says the
same. A value may also be typed by name, in any language or script: it is looked up, and where it is no name at all the
page says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Blueprint, current_app, render_template, request

from kg.errors import ParameterError
from kg.filters import FACETS, Filters, assertions_sparql, construct_sparql, read_filters, write_filters, write_value
from kg.index import AssertionRow, Explored, Index
from kg.labels import find_labels
from kg.names import sparql_prefixes
from kg.store import Snapshot
from server.reader import Reader
from server.reading.cards import KIND_NAMES
from server.visitors import language

explorer = Blueprint("explorer", __name__)

PAGE = 25
"""Assertions on one page."""

VALUES = 10
"""Values of a facet that are shown; those that are chosen are always among them."""

HEADINGS = {
    "holder": "Who holds it", "state": "Of which state", "act": "What they do", "target": "About whom or what",
    "issue": "On which issue", "polarity": "Affirmed or denied", "certainty": "How sure", "standing": "On whose word",
    "kind": "Kind of content", "document": "In which document",
}  # fmt: skip
"""How facets are called on the page."""

SEARCHED = {
    "holder": ("agent",), "state": ("agent",), "target": ("agent", "other", "document"), "issue": ("issue",),
    "document": ("document",),
}  # fmt: skip
"""The facets whose values may be typed, with the kinds of things that they are."""


@dataclass(frozen=True)
class Choice:
    """A value of a facet, as the page offers it.

    Parameters:
        value: as it stands in the address.
        label: what it is called.
        count: how many assertions there are with it.
        chosen: whether it is chosen.
    """

    value: str
    label: str
    count: int
    chosen: bool


@explorer.get("/explore")
def explore() -> str:
    """The page; with the header `X-Fragment`, only what changes when a choice does."""
    reader = current_app.config["READER"]
    assert isinstance(reader, Reader)
    with reader.snapshot() as snapshot:
        index = reader.index_of(snapshot)
        problem: ParameterError | None = None
        try:
            filters = read_filters(resolve(index, request.args.items(multi=True)))
        except ParameterError as error:
            filters, problem = Filters(), error
        page = _page_number()
        found = index.explore(filters, limit=PAGE, offset=(page - 1) * PAGE, values=VALUES)
        names = _names(snapshot, found)
        quotes = {row.iri: _quotes(reader, snapshot, row) for row in found.rows}
    query = sparql_prefixes() + assertions_sparql(filters)
    pairs = write_filters(filters)
    return render_template(
        "explore_found.html" if request.headers.get("X-Fragment") else "explore.html",
        filters=filters,
        problem=problem,
        found=found,
        facets={name: choices(name, found, names) for name in FACETS},
        headings=HEADINGS,
        kind_names=KIND_NAMES,
        searched=SEARCHED,
        chosen=[(name, choice, _address(_without(pairs, name, choice.value))) for name in FACETS
                for choice in choices(name, found, names) if choice.chosen],
        names=names,
        quotes=quotes,
        page=page,
        pages=max(1, -(-found.total // PAGE)),
        first=(page - 1) * PAGE + 1,
        address=_address,
        pairs=pairs,
        query=query,
        take_away=_take_away(query, sparql_prefixes() + construct_sparql(filters)),
        years=_bars(found.years),
    )  # fmt: skip


def resolve(index: Index, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Put names in an address, as people type them, into the form in which the address keeps them.

    Parameters:
        index: where names are looked up.
        pairs: names and values.

    Returns:
        The same, where a value was a name of exactly one thing by that thing's short name.
    """
    resolved = []
    for name, value in pairs:
        typed = value.strip()
        if name in SEARCHED and typed and not _is_short(typed):
            hits = index.suggest(typed, SEARCHED[name], language=language(), limit=5)
            same = [hit for hit in hits if typed.casefold() in (hit.label.casefold(), hit.matched.casefold())]
            best = same or (hits if len(hits) == 1 else [])
            if not best:
                raise ParameterError(f"nothing is called `{typed[:80]}`", mend="choose one of those that are offered")
            typed = best[0].iri
            value = write_value(name, typed)
        resolved.append((name, value))
    return resolved


def choices(name: str, found: Explored, names: dict[str, str]) -> list[Choice]:
    """Return what the page offers of a facet.

    Parameters:
        name: of the facet.
        found: what was found.
        names: what things are called.
    """
    return [
        Choice(write_value(name, value.iri), names.get(value.iri) or value.label, value.count, value.chosen)
        for value in found.facets.get(name, ())
    ]


def _names(snapshot: Snapshot, found: Explored) -> dict[str, str]:
    iris = [value.iri for values in found.facets.values() for value in values]
    for row in found.rows:
        iris += [row.holder, row.act, row.polarity, row.certainty, row.basis, row.document, row.reporter]
        iris += [iri for iri in (row.speaker, row.standing) if iri]
    return find_labels(snapshot, iris, language())


def _quotes(reader: Reader, snapshot: Snapshot, row: AssertionRow) -> list[tuple[int, int, str | None]]:
    return [(start, end, reader.words(snapshot, row.document, start, end)) for _, start, end in row.passages]


def _bars(years: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Return years with their counts, and the counts in per cent of the largest."""
    most = max((count for _, count in years), default=1)
    return [(year, count, max(3, round(100 * count / most))) for year, count in years]


def _take_away(query: str, construct: str) -> list[tuple[str, str]]:
    asked = [("CSV", query, "csv"), ("JSON", query, "json"), ("Turtle", construct, "ttl")]
    return [(name, "/sparql?" + urlencode({"query": text, "format": form})) for name, text, form in asked]


def _address(pairs: Iterable[tuple[str, str]], **more: object) -> str:
    told = urlencode([*pairs, *((name, str(value)) for name, value in more.items())])
    return f"/explore?{told}" if told else "/explore"


def _without(pairs: Iterable[tuple[str, str]], name: str, value: str) -> list[tuple[str, str]]:
    return [pair for pair in pairs if pair != (name, value)]


def _page_number() -> int:
    text = request.args.get("page", "1")
    return min(max(1, int(text)), 100_000) if text.isascii() and text.isdecimal() and len(text) < 8 else 1


def _is_short(text: str) -> bool:
    """Whether a text is written as names are in addresses: no blanks, no capitals."""
    return (text.isascii() and text == text.lower() and " " not in text) or "://" in text
