"""Linked data: the names of things lead to what the graph holds of them.

    /id/NAME           a thing, an assertion, a document, a passage …   https://w3id.org/whosays/id/NAME
    /graph/NAME        a named graph and its provenance                  https://w3id.org/whosays/graph/NAME
    /change/N          a change                                          https://w3id.org/whosays/change/N
    /dataset           the whole: leads on to
    /.well-known/void  its VoID description

Terms (``ontology#…``) are explained by `server.ontology`. A page for people, every RDF syntax for programs; the quad
syntaxes keep the graph that each statement stands in. The answer to the name itself is 200 with Content-Location
(Cool URIs, https://www.w3.org/TR/cooluris/, allows it beside 303, and it spares a round trip): the address of one
format is ``?format=ttl``, since a suffix such as ``.ttl`` could be part of a name.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from typing import cast
from urllib.parse import quote

import pyoxigraph as ox
from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from werkzeug.exceptions import Gone, NotAcceptable
from werkzeug.wrappers import Response as BaseResponse

from kg.change import is_asserted
from kg.describing import (
    PAGE,
    Description,
    Run,
    describe,
    find_labels,
    graph_query,
    outline,
    pick_names,
    provenance_query,
    read_quads,
    size_query,
)
from kg.errors import BusyError, NotFoundError, OverrunError
from kg.names import BASE, EDTF, GRAPH, ID, ONTOLOGY, PREFIXES, WS, XSD, shorten
from kg.provenance import change_iri
from kg.publisher import history
from kg.store import Snapshot
from kg.terms import terms
from server.asked import asked_number
from server.entities.date_words import date_in_words
from server.entities.page import entity_page
from server.entities.statements import mentioned, provenance_values
from server.formats import QUAD_FORMATS, RDF_FORMATS, SHORT_NAMES
from server.reader import the_reader
from server.visitors import language
from server.void import DATASET, VOID_PREFIXES, Figures, count_figures, describe_dataset

linked_data = Blueprint("linked_data", __name__)

LARGEST = 50_000
"""Statements of a graph that are written here at once."""

CHANGES = 5
"""Changes of a thing that its page tells, the newest first."""

DATA_FORMATS: Mapping[str, ox.RdfFormat] = {**RDF_FORMATS, **QUAD_FORMATS}
"""Media types for descriptions and graphs."""

_PAGE = "text/html"
_CHANGE = BASE + "change/"
_XML_NAME = re.compile(r"[^\W\d][\w.\-]*\Z")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


# --- addresses


@linked_data.get("/id/<path:name>")
def show_resource(name: str) -> Response:
    """What the graph holds of a thing, what is said of it, and by whom."""
    return _show(ID + name)


@linked_data.get("/change/<int:number>")
def show_change(number: int) -> Response:
    """What the provenance graph says of a change."""
    return _show(change_iri(number))


@linked_data.get("/graph/<path:name>")
def show_graph(name: str) -> Response:
    """A named graph: all its statements, and who put them there, when and from what."""
    iri, media_type, page = _name(GRAPH + name), _wanted_type(), asked_number("page", 1, least=1, most=999_999)
    with the_reader().snapshot() as snapshot:
        run = _run(snapshot)
        provenance = read_quads(run(provenance_query(iri)))
        size = _number(run, size_query(iri, enough=LARGEST))
        if not size and not provenance:
            _tell_if_gone(snapshot, iri)
            raise NotFoundError(f"there is no graph `{shorten(iri)}`", mend="see /.well-known/void, or ask SPARQL")
        if media_type != _PAGE:
            if size > LARGEST:
                raise OverrunError(
                    f"`{shorten(iri)}` has more than {LARGEST:,} statements",
                    mend=f"ask for /store?graph={quote(iri, safe='')}, which sends graphs of any size",
                )
            quads = sorted(dict.fromkeys([*read_quads(run(graph_query(iri))), *provenance]), key=str)
            return _finish(_data(quads, media_type), media_type, iri, snapshot, {})
        links = _beside(page, max(1, -(-min(size, LARGEST) // PAGE)))
        quads = read_quads(run(graph_query(iri, limit=PAGE, offset=(page - 1) * PAGE)))
        names = pick_names([*quads, *provenance, *find_labels(run, mentioned([*quads, *provenance]))], language())
        body = render_template(
            "graph.html",
            iri=iri,
            title=f"The graph {shorten(iri).removeprefix('graph:')}",
            rows=quads,
            size=size,
            largest=LARGEST,
            first=(page - 1) * PAGE,
            provenance=provenance_values(provenance),
            names=names,
            formats=_formats(),
            links=_addressed(links),
        )
        return _finish(_Body(body.encode()), media_type, iri, snapshot, links)


@linked_data.get("/dataset")
def show_dataset() -> BaseResponse:
    """The dataset as a whole: it is no document, and its description stands elsewhere."""
    return redirect(url_for("linked_data.show_void", format=request.args.get("format")), 303)


@linked_data.get("/.well-known/void")
def show_void() -> Response:
    """The VoID description of the dataset."""
    media_type = _wanted_type()
    with the_reader().snapshot() as snapshot:
        figures = _counter().figures(_run(snapshot), snapshot.name)
        triples = describe_dataset(figures, endpoint=_address("/sparql"))
        if media_type != _PAGE:
            body = _data(triples, media_type, prefixes=VOID_PREFIXES)
            return _finish(body, media_type, DATASET, snapshot, {})
        names = pick_names([*triples, *find_labels(_run(snapshot), mentioned(triples))], language())
        text = render_template(
            "graph.html",
            iri=DATASET,
            title="What Whosays holds",
            rows=triples,
            size=len(triples),
            largest=LARGEST,
            first=0,
            provenance={},
            names=names,
            formats=_formats(),
            links={},
        )
        return _finish(_Body(text.encode()), media_type, DATASET, snapshot, {})


def local_address(iri: str) -> str | None:
    """Return where a resource can be read about: here, if it has a name of ours; else at its own address.

    Parameters:
        iri: the resource.

    Returns:
        None where its IRI is no address of the web, which is then not to be linked.

    >>> local_address("http://www.wikidata.org/entity/Q30"), local_address("javascript:alert(1)")
    ('http://www.wikidata.org/entity/Q30', None)
    """
    if iri.startswith(ID) and len(iri) > len(ID):
        return url_for("linked_data.show_resource", name=iri.removeprefix(ID))
    if iri.startswith(GRAPH) and len(iri) > len(GRAPH):
        return url_for("linked_data.show_graph", name=iri.removeprefix(GRAPH))
    number = iri.removeprefix(_CHANGE)
    if iri.startswith(_CHANGE) and number.isascii() and number.isdecimal() and len(number) < 16:
        return url_for("linked_data.show_change", number=int(number))
    if iri in terms():
        return f"{url_for('ontology.show_ontology')}#{terms()[iri].name}"
    if iri == DATASET:
        return url_for("linked_data.show_dataset")
    if iri == ONTOLOGY or iri.startswith(ONTOLOGY + "/"):
        return url_for("ontology.show_ontology") + iri.removeprefix(ONTOLOGY)
    return iri if iri.startswith(("http://", "https://")) else None


# --- the request and its answer


def _show(iri: str) -> Response:
    iri, media_type, page = _name(iri), _wanted_type(), asked_number("page", 1, least=1, most=999_999)
    with the_reader().snapshot() as snapshot:
        run = _run(snapshot)
        try:
            described = outline(run, iri, page) if media_type == _PAGE else describe(run, iri, page)
        except NotFoundError:
            if page == 1:
                _tell_if_gone(snapshot, iri)
            raise
        links = _beside(page, described.pages)
        if isinstance(described, Description):
            body = _data(described.quads(), media_type)
        else:
            told = entity_page(run, described, language(), today=date.today())
            text = render_template(
                "entity.html",
                page=told,
                formats=_formats(),
                links=_addressed(links),
                number=page,
                changes=history(the_reader().folder).entries(iri, upto=int(snapshot.name), limit=CHANGES),
            )
            body = _Body(text.encode())
        response = _finish(body, media_type, iri, snapshot, links)
        for quad in described.pointing:
            if quad.predicate.value == WS + "supersedes" and isinstance(quad.subject, ox.NamedNode):
                response.headers.add("Link", f'<{quad.subject.value}>; rel="successor-version"')
        return response


@dataclass(frozen=True)
class _Body:
    """A body, and what its entity tag is made from, where that is not the body itself."""

    content: bytes
    said: bytes | None = None


@dataclass
class _Counter:
    """Counts for VoID, one at a time, and keeps the figures for a hundred times as long as they took."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _figures: Figures | None = None
    _until: float = 0.0

    def figures(self, run: Run, snapshot: str) -> Figures:
        """Return the figures, of this snapshot or of a little before.

        Raises:
            BusyError: they are being counted for the first time.
        """
        kept = self._figures
        if kept is not None and (kept.snapshot == snapshot or time.monotonic() < self._until):
            return kept
        if self._lock.acquire(blocking=False):
            try:
                begun = time.monotonic()
                self._figures = kept = count_figures(run, snapshot)
                self._until = time.monotonic() + 100 * (time.monotonic() - begun)
            finally:
                self._lock.release()
        if kept is None:
            raise BusyError("the dataset is being counted", mend="ask again in a few seconds")
        return kept


def _counter() -> _Counter:
    return cast(_Counter, current_app.extensions.setdefault("whosays-void", _Counter()))


def _run(snapshot: Snapshot) -> Run:
    reader = the_reader()
    return lambda text: reader.run(snapshot, text)


def _number(run: Run, text: str) -> int:
    results = run(text)
    assert isinstance(results, ox.QuerySolutions)
    return next(int(row["number"].value) for row in results if isinstance(row["number"], ox.Literal))


def _name(iri: str) -> str:
    """Return an IRI that was made from an address.

    Raises:
        NotFoundError: it is none, so nothing can have it.
    """
    try:
        return ox.NamedNode(iri).value
    except ValueError as error:
        raise NotFoundError(f"`{iri}` is not a name", mend="names have letters, digits, hyphens and slashes") from error


def _tell_if_gone(snapshot: Snapshot, iri: str) -> None:
    """Say so where the history knows of something that the graph no longer holds.

    Raises:
        Gone: it does (410).
    """
    entries = history(the_reader().folder).entries(iri, upto=int(snapshot.name), limit=1)
    if entries:
        entry = entries[0]
        raise Gone(
            f"`{shorten(iri)}` is no longer in the graph since change {entry.number} of {entry.at}; "
            f"see /changes?about={shorten(iri)}"
        )


def _wanted_type() -> str:
    offered = [*DATA_FORMATS, _PAGE]
    short = request.args.get("format")
    if short is not None:
        wanted = SHORT_NAMES.get(short, short)
        found = wanted if wanted in offered else None
    elif not request.accept_mimetypes:
        found = offered[0]
    else:
        found = request.accept_mimetypes.best_match(offered)
    if found is None:
        raise NotAcceptable(f"this can be had as: {', '.join(offered)}")
    return found


def _beside(page: int, pages: int) -> dict[str, int]:
    """Return the pages before and after, by their relation.

    Raises:
        NotFoundError: there is no such page.
    """
    if page > pages:
        raise NotFoundError(f"there is no page {page}", mend=f"the last one is {pages}")
    return {name: n for name, n in (("prev", page - 1), ("next", page + 1)) if 1 <= n <= pages}


def _addressed(links: Mapping[str, int]) -> dict[str, str]:
    """Return the addresses of the pages before and after."""
    return {relation: _here(page=number) for relation, number in links.items()}


def _formats() -> list[tuple[str, str]]:
    """Return the data formats with their addresses."""
    return [(short, _here(format=short)) for short, media_type in SHORT_NAMES.items() if media_type in DATA_FORMATS]


def _here(**changed: object) -> str:
    """Return the address of what is asked for, in another format or as another page."""
    assert request.endpoint is not None
    kept = {name: request.args[name] for name in ("format", "page") if name in request.args}
    wanted = {name: str(value) for name, value in {**kept, **changed}.items()}
    if wanted.get("page") == "1":
        del wanted["page"]
    return url_for(request.endpoint, **{**(request.view_args or {}), **wanted})


def _address(path: str) -> str:
    """Return an address of this server in full."""
    base = the_reader().settings.base or request.url_root
    return base.removesuffix("/") + path


def _data(
    statements: Sequence[ox.Quad] | Sequence[ox.Triple], media_type: str, prefixes: Mapping[str, str] = PREFIXES
) -> _Body:
    """Write statements in one of the data formats; those without graphs lose them."""
    form = DATA_FORMATS[media_type]
    told: Sequence[ox.Quad] | Sequence[ox.Triple] = statements
    if media_type not in QUAD_FORMATS:  # nor JSON-LD, of which many tools read the default graph alone
        told = list(dict.fromkeys(s.triple if isinstance(s, ox.Quad) else s for s in statements))
    if form == ox.RdfFormat.RDF_XML:
        _check_xml(told)
    # The tag comes from what is said: the order in which prefixes are written varies from call to call.
    said = "\n".join([media_type, *map(str, told)]).encode()
    return _Body(ox.serialize(told, format=form, prefixes=dict(prefixes)) or b"", said)


def _check_xml(statements: Iterable[ox.Quad | ox.Triple]) -> None:
    """See that statements can be written as RDF/XML: where they cannot, the engine writes what is no XML.

    Raises:
        NotAcceptable: a property does not end in an XML name, or a text has a control character (406).
    """
    for s in statements:
        control = isinstance(s.object, ox.Literal) and _CONTROL.search(s.object.value)
        if control or not _XML_NAME.search(s.predicate.value):
            raise NotAcceptable(f"RDF/XML cannot say `{s.predicate.value}` of this; take Turtle or another syntax")


def _finish(body: _Body, media_type: str, iri: str, snapshot: Snapshot, links: Mapping[str, int]) -> Response:
    text = media_type.startswith("text/")
    response = Response(body.content, content_type=f"{media_type}; charset=utf-8" if text else media_type)
    known = {media: name for name, media in SHORT_NAMES.items()}
    response.headers["Content-Location"] = _here(format=known.get(media_type, known["application/n-triples"]))
    response.headers.add("Link", f'<{iri}>; rel="canonical"')
    for name, media in SHORT_NAMES.items():
        if media in DATA_FORMATS or media == _PAGE:
            response.headers.add("Link", f'<{_here(format=name)}>; rel="alternate"; type="{media}"')
    for relation, address in _addressed(links).items():
        response.headers.add("Link", f'<{address}>; rel="{relation}"')
    response.headers["Whosays-Snapshot"] = snapshot.name
    response.vary.add("Accept")
    response.set_etag(sha256(body.said or body.content).hexdigest()[:32], weak=body.said is not None)
    response.cache_control.no_cache = True  # keep it, and ask whether it is still the same
    if media_type == _PAGE:
        response.cache_control.private = True  # it has the visitor's name and language
    response.make_conditional(request)
    return response


linked_data.app_template_filter("local_address")(local_address)
linked_data.app_template_test("iri")(lambda term: isinstance(term, ox.NamedNode))
linked_data.app_template_test("literal")(lambda term: isinstance(term, ox.Literal))
linked_data.app_template_test("date")(
    lambda term: isinstance(term, ox.Literal) and term.datatype.value in (EDTF, XSD + "date")
)
linked_data.app_template_filter("date_in_words")(date_in_words)
linked_data.app_template_test("inferred")(lambda quad: not is_asserted(quad.graph_name))

__all__ = ["linked_data", "local_address"]
