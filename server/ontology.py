"""The ontology at its own address: for programs in every RDF format, for people as pages.

The IRI https://w3id.org/whosays/ontology leads to ``/ontology`` here, and a term's IRI to its place on that page.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import sha256

import pyoxigraph as ox
from flask import Blueprint, Response, render_template, request, url_for
from markupsafe import Markup, escape
from werkzeug.exceptions import NotAcceptable, NotFound

from kg.alignments import aligned_vocabularies, alignment_triples, alignments, alignments_text
from kg.examples import get_pattern, load_examples, load_patterns, world_text
from kg.names import BASE, OWL, WS, shorten
from kg.requirements import property_counts, requirements
from kg.terms import (
    ClassTerm,
    ConceptTerm,
    PropertyTerm,
    SchemeTerm,
    header,
    modules,
    ontology_text,
    terms,
)
from kg.vocabulary import context_text, ontology_quads
from server.diagrams import pattern_diagram, style_sheet
from server.formats import RDF_FORMATS, SHORT_NAMES

ontology_pages = Blueprint("ontology", __name__)

_PAGE = "text/html"
_UNASKED = "application/rdf+xml"
_OWN_MODULE = "whosays"
_VERSION = ox.NamedNode(OWL + "versionIRI")


@ontology_pages.get("/ontology")
def show_ontology() -> Response:
    """The ontology: a page, or all its triples."""
    media_type = _wanted_type()
    if media_type != _PAGE:
        return _finish(_serialised("ontology", media_type), media_type)
    found = list(terms().values())
    counts = {kind.__name__: sum(isinstance(t, kind) for t in found) for kind in _KINDS}
    return _page(
        "ontology.html",
        header=header(),
        modules=sorted(modules(), key=lambda m: m.name == _OWN_MODULE),  # what it says of itself comes last
        counts=counts,
        index=sorted((t for t in found if not isinstance(t, ConceptTerm)), key=lambda t: (t.name.lower(), t.name)),
        patterns=load_patterns(),
        diagram=Markup(pattern_diagram("assertion")),
    )


@ontology_pages.get("/ontology/<version>")
def show_version(version: str) -> Response:  # noqa: ARG001 - the path as a whole is looked up
    """The ontology at the address of its version, as long as that is the one at hand."""
    _check_version(ontology_quads())
    return show_ontology()


@ontology_pages.get("/ontology/alignments")
def show_alignments() -> Response:
    """The alignments with other vocabularies: a page, or all triples."""
    if alignments_text() is None:
        raise NotFound("no alignments come with this ontology")
    media_type = _wanted_type()
    if media_type != _PAGE:
        return _finish(_serialised("alignments", media_type), media_type)
    return _page("alignments.html", vocabularies=aligned_vocabularies())


@ontology_pages.get("/ontology/alignments/<version>")
def show_alignments_version(version: str) -> Response:  # noqa: ARG001
    """The alignments at the address of their version, as long as that is the one at hand."""
    _check_version(alignment_triples())
    return show_alignments()


@ontology_pages.get("/ontology/how-to-say-it")
def show_how_to_say_it() -> Response:
    """Ten sentences and their Turtle."""
    examples = load_examples()
    prefixes = sorted({line for e in examples for line in e.prefixes.splitlines()}, key=lambda line: line.split()[:2])
    return _page("how_to_say_it.html", examples=examples, prefixes="\n".join(prefixes))


@ontology_pages.get("/ontology/examples/<name>.ttl")
def show_example(name: str) -> Response:
    """The Turtle of an example; ``world`` is what they all rely on."""
    found = {"world": world_text()} | {e.name: e.text for e in load_examples()}
    if name not in found:
        raise NotFound(f"there is no example {name}; there are {', '.join(found)}")
    return _finish(found[name].encode(), "text/turtle")


@ontology_pages.get("/ontology/patterns")
def show_patterns() -> Response:
    """The patterns: diagrams and their Turtle."""
    drawn = [(p, Markup(pattern_diagram(p.name))) for p in load_patterns()]
    return _page("patterns.html", patterns=drawn)


@ontology_pages.get("/ontology/patterns/<name>.ttl")
def show_pattern_turtle(name: str) -> Response:
    """The Turtle of a pattern."""
    return _finish(get_pattern(name).text.encode(), "text/turtle")


@ontology_pages.get("/ontology/patterns/<name>.svg")
def show_pattern_diagram(name: str) -> Response:
    """The diagram of a pattern as a document of its own, its style sheet allowed by digest."""
    response = _finish(pattern_diagram(name, alone=True).encode(), "image/svg+xml")
    digest = b64encode(sha256(style_sheet().encode()).digest()).decode()
    response.headers["Content-Security-Policy"] = f"default-src 'none'; style-src 'sha256-{digest}'"
    return response


@ontology_pages.get("/ontology/context.jsonld")
def show_context() -> Response:
    """The JSON-LD context of the records."""
    return _finish(context_text().encode(), "application/ld+json")


_KINDS = (ClassTerm, PropertyTerm, SchemeTerm, ConceptTerm)


def _wanted_type() -> str:
    """Return the media type to answer in.

    A program that says nothing at all of what it takes gets RDF/XML, the one syntax that every OWL tool reads
    (OWL 2 Conformance, https://www.w3.org/TR/owl2-conformance/, section 2.1); one that takes anything gets Turtle.
    """
    offered = [*RDF_FORMATS, _PAGE]
    short = request.args.get("format")
    if short is not None:
        wanted = SHORT_NAMES.get(short, short)
        found = wanted if wanted in offered else None
    elif "Accept" not in request.headers:
        found = _UNASKED
    else:
        found = request.accept_mimetypes.best_match(offered)
    if found is None:
        raise NotAcceptable(f"this can be had as: {', '.join(offered)}")
    return found


@cache
def _serialised(what: str, media_type: str) -> bytes:
    text = ontology_text() if what == "ontology" else alignments_text() or ""
    if media_type == "text/turtle":
        return text.encode()  # as it was written, comments included
    parser = ox.parse(text, format=ox.RdfFormat.TURTLE)
    triples = _renamed([quad.triple for quad in parser])  # read to the end, for only then are the prefixes known
    return ox.serialize(triples, format=RDF_FORMATS[media_type], prefixes=dict(parser.prefixes)) or b""


def _renamed(triples: Iterable[ox.Triple]) -> Iterator[ox.Triple]:
    """Name blank nodes in the order in which they come, so that every process serves the same bytes."""
    names: dict[ox.BlankNode, ox.BlankNode] = {}
    for t in triples:
        subject, value = t.subject, t.object
        if isinstance(subject, ox.BlankNode):
            subject = names.setdefault(subject, ox.BlankNode(f"b{len(names)}"))
        if isinstance(value, ox.BlankNode):
            value = names.setdefault(value, ox.BlankNode(f"b{len(names)}"))
        yield ox.Triple(subject, t.predicate, value)


def _check_version(triples: Iterable[ox.Triple]) -> None:
    address = ox.NamedNode(BASE.removesuffix("/") + request.path)
    versions = [t.object for t in triples if t.predicate == _VERSION]
    if address not in versions:
        raise NotFound(f"there is no {request.path}; the version at hand is {', '.join(map(str, versions))}")


def _page(template: str, **values: object) -> Response:
    text = render_template(
        template,
        **values,
        terms=terms(),
        requirements=requirements(),
        property_counts=property_counts(),
        alignments=alignments(),
        formats=[(s, m) for s, m in SHORT_NAMES.items() if m in RDF_FORMATS],
    )
    return _finish(text.encode(), _PAGE)


def _finish(body: bytes, media_type: str) -> Response:
    text = media_type.startswith("text/")
    response = Response(body, content_type=f"{media_type}; charset=utf-8" if text else media_type)
    response.add_etag()
    response.cache_control.no_cache = True  # keep it, and ask whether it is still the same
    response.make_conditional(request)
    return response


def term_address(iri: str) -> str:
    """Return where a term is explained: on our page, or at its own address."""
    return f"{url_for('ontology.show_ontology')}#{terms()[iri].name}" if iri in terms() else iri


def term_name(iri: str) -> str:
    """Return the shortest name of a term: without prefix where it is ours."""
    return terms()[iri].name if iri in terms() else shorten(iri)


def mark_code(text: str) -> Markup:
    """Return a text in which what stands in backticks is marked as code.

    >>> mark_code("give it under `holder:`")
    Markup('give it under <code>holder:</code>')
    """
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def link_turtle(text: str) -> Markup:
    """Return Turtle in which our terms lead to where they are explained, and comments are marked."""

    def mark(found: re.Match[str]) -> str:
        if found["comment"]:
            return f'<span class="comment">{found["comment"]}</span>'
        iri = WS + found["name"]
        return f'<a href="{term_address(iri)}">{found[0]}</a>' if iri in terms() else found[0]

    lines = (re.sub(r"^(?P<comment>#.*)|ws:(?P<name>[\w-]+)", mark, line) for line in str(escape(text)).splitlines())
    return Markup("\n".join(lines))


ontology_pages.app_template_filter("link_turtle")(link_turtle)
ontology_pages.app_template_filter("term_address")(term_address)
ontology_pages.app_template_filter("term_name")(term_name)
ontology_pages.app_template_filter("mark_code")(mark_code)
ontology_pages.app_template_test("class_term")(lambda term: isinstance(term, ClassTerm))
ontology_pages.app_template_test("property_term")(lambda term: isinstance(term, PropertyTerm))
ontology_pages.app_template_test("scheme_term")(lambda term: isinstance(term, SchemeTerm))

__all__ = ["ontology_pages"]
