"""The explorer: who asserts what, by facets with live counts.

    GET /explore?holder=&state=&act=&target=&issue=&polarity=&certainty=&standing=&kind=&document=
                 &since=&until=&words=&withdrawn=&page=

The address holds the whole state (`kg.filters`), so that a page can be kept, sent and cited. Counts and rows come from
the index (`kg.index`); so does what one takes away, which the engine makes (`server.engine.assertions`). The query
that the page shows says the same. A value may also be typed by name, in any language or script: it is looked up, and
where it is no name at all the page says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from kg.errors import ParameterError
from kg.filters import (
    FACETS,
    Filters,
    assertions_sparql,
    construct_sparql,
    is_typed,
    read_filters,
    write_filters,
    write_value,
)
from kg.index import AssertionRow, Explored
from kg.labels import find_labels
from kg.languages import FALLBACK
from kg.names import sparql_prefixes
from kg.store import Snapshot
from loaders.form_records import bracketed_name
from server.asked import asked_number
from server.engine.assertions import FORMS
from server.pages.suggesting import called, suggest
from server.reader import Reader, the_reader
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
def explore() -> BaseResponse:
    """The page; with the header `X-Fragment`, only what changes with a choice; with `format`, all of it as a file."""
    reader, form = the_reader(), request.args.get("format", "html")
    with reader.snapshot() as snapshot:
        index = reader.index_of(snapshot)
        problem: ParameterError | None = None
        try:
            filters = read_filters(resolve(reader, snapshot, request.args.items(multi=True)))
        except ParameterError as error:
            if form != "html":
                raise
            filters, problem = Filters(), error
        if form != "html":
            return _file(filters, form)
        page = asked_number("page", 1, least=1, most=100_000)
        found = index.explore(filters, limit=PAGE, offset=(page - 1) * PAGE, values=VALUES, language=language())
        names = _names(snapshot, found)
        quotes = {row.iri: _quotes(reader, snapshot, row) for row in found.rows}
    pairs = write_filters(filters)
    facets = {name: choices(name, found) for name in FACETS}
    told = render_template(
        "explore_found.html" if request.headers.get("X-Fragment") else "explore.html",
        filters=filters,
        problem=problem,
        found=found,
        facets=facets,
        headings=HEADINGS,
        kind_names=KIND_NAMES,
        searched=SEARCHED,
        chosen=[(name, choice, _address(pair for pair in pairs if pair != (name, choice.value)))
                for name, offered in facets.items() for choice in offered if choice.chosen],
        names=names,
        quotes=quotes,
        page=page,
        pages=max(1, -(-found.total // PAGE)),
        first=(page - 1) * PAGE + 1,
        address=_address,
        pairs=pairs,
        query=sparql_prefixes() + assertions_sparql(filters),
        construct=sparql_prefixes() + construct_sparql(filters),
        take_away=_files(filters, found.total),
        years=_bars(found.years),
    )  # fmt: skip
    response = Response(told)
    if problem is None:
        response.headers["Content-Location"] = _address(pairs, **({"page": page} if page > 1 else {}))
    return response


def _file(filters: Filters, form: str) -> BaseResponse:
    """Lead to the file, by the names as addresses have them; there `server.front` answers.

    Raises:
        ParameterError: there is no such form.
    """
    if form not in FORMS:
        raise ParameterError(f"assertions cannot be had as `{form[:40]}`", mend=f"use one of: html, {', '.join(FORMS)}")
    return redirect(_file_address(filters, form))


def resolve(reader: Reader, snapshot: Snapshot, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Put names in an address, as people type and take them, into the form in which the address keeps them.

    Parameters:
        reader, snapshot: where names are looked up.
        pairs: names and values.

    Returns:
        The same, where a value was a name of something, or of one thing the beginning, by that thing's short name.

    Raises:
        ParameterError: nothing is called so, or more than one thing begins so.
    """
    resolved = []
    for name, value in pairs:
        typed = value.strip()
        if is_typed(name, typed):
            value = bracketed_name(typed) or _meant(reader, snapshot, typed, SEARCHED[name])
        resolved.append((name, value))
    return resolved


def _meant(reader: Reader, snapshot: Snapshot, typed: str, kinds: tuple[str, ...]) -> str:
    if same := called(reader, snapshot, typed, kinds=kinds, in_language=language()):
        return same[0]
    near = suggest(reader, snapshot, typed, kinds=kinds, limit=4, in_language=language())
    if len(near) == 1:
        return near[0].name
    told = ", ".join(f"“{one.label[:40]}”" for one in near)
    mend = f"do you mean {told}?" if told else "look for it by fewer or other words on the search page"
    raise ParameterError(f"nothing is called `{typed[:80]}`", mend=mend)


def choices(name: str, found: Explored) -> list[Choice]:
    """Return what the page offers of a facet.

    Parameters:
        name: of the facet.
        found: what was found.
    """
    return [
        Choice(write_value(name, value.iri), value.label, value.count, value.chosen)
        for value in found.facets.get(name, ())
    ]


def _names(snapshot: Snapshot, found: Explored) -> dict[str, str]:
    iris = []
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


def _files(filters: Filters, total: int) -> list[tuple[str, str]]:
    """Return the names and addresses of the forms in which that many assertions can be had."""
    return [(form.name, _file_address(filters, short)) for short, form in FORMS.items() if total <= form.most]


def _file_address(filters: Filters, form: str) -> str:
    in_language = {} if language() == FALLBACK else {"lang": language()}
    return _address(write_filters(filters), format=form, **in_language)


def _address(pairs: Iterable[tuple[str, str]], **more: object) -> str:
    told = urlencode([*pairs, *((name, str(value)) for name, value in more.items())])
    return f"/explore?{told}" if told else "/explore"
