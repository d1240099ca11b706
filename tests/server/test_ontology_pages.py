"""The ontology at its own address: every format, the pages, and that others can use it."""

from __future__ import annotations

import re
import socket
from base64 import b64encode
from collections import Counter
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import owlready2
import pyoxigraph as ox
import pytest
import rdflib

from kg.alignments import aligned_vocabularies, alignment_triples
from kg.examples import Example, load_examples, load_patterns, parse_turtle
from kg.names import OWL, RDF, WS
from kg.requirements import requirements
from kg.terms import ClassTerm, ConceptTerm, PropertyTerm, header, terms
from kg.vocabulary import context_text, ontology_quads
from server.formats import RDF_FORMATS
from tests.conftest import RunningServer

HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
SHORT = {
    "ttl": "text/turtle",
    "nt": "application/n-triples",
    "rdf": "application/rdf+xml",
    "jsonld": "application/ld+json",
    "html": "text/html",
}
RDF_ONLY = {short: media_type for short, media_type in SHORT.items() if short != "html"}
GRAPHS = {"/ontology": ontology_quads, "/ontology/alignments": alignment_triples}
PAGES = ("/ontology", "/ontology/alignments", "/ontology/patterns", "/ontology/how-to-say-it")


class Page(HTMLParser):
    """Collects what the tests ask of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.headings: list[int] = []
        self.attributes: set[str] = set()
        self.tags: Counter[str] = Counter()
        self.listings: list[str] = []
        self._listing = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags[tag] += 1
        self.attributes |= set(given)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.addresses += [given["href"] or ""] if "href" in given else []
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "pre":
            self._listing = True
            self.listings.append("")

    def handle_endtag(self, tag: str) -> None:
        self._listing = self._listing and tag != "pre"

    def handle_data(self, data: str) -> None:
        if self._listing:
            self.listings[-1] += data


def page(server: RunningServer, path: str) -> Page:
    answer = server.get(path, headers=HTML)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    return Page(answer.text)


def canonical(triples: list[ox.Triple] | tuple[ox.Triple, ...]) -> ox.Dataset:
    dataset = ox.Dataset(ox.Quad(t.subject, t.predicate, t.object) for t in triples)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)
    return dataset


def parse(body: bytes, media_type: str) -> list[ox.Triple]:
    return [q.triple for q in ox.parse(body, format=RDF_FORMATS[media_type])]


# --- formats


def main_of(page: str) -> str:
    return page[page.index("<main") : page.index("</main>")]


@pytest.mark.parametrize("path", GRAPHS)
@pytest.mark.parametrize(("short", "media_type"), SHORT.items())
def test_the_header_and_the_parameter_choose_alike(
    server: RunningServer, path: str, short: str, media_type: str
) -> None:
    by_header = server.get(path, headers={"Accept": media_type})
    by_parameter = server.get(path, params={"format": short}, headers=HTML)
    assert by_header.status_code == by_parameter.status_code == 200
    assert by_header.headers["Content-Type"].split(";")[0] == media_type
    assert by_header.headers["Content-Type"] == by_parameter.headers["Content-Type"]
    if short == "html":  # around it stand links that come back to the very address
        assert main_of(by_header.text) == main_of(by_parameter.text)
    else:
        assert by_header.content == by_parameter.content
    assert "Accept" in by_header.headers["Vary"]
    assert by_header.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("path", GRAPHS)
@pytest.mark.parametrize(("short", "media_type"), RDF_ONLY.items())
def test_every_format_says_the_same(server: RunningServer, path: str, short: str, media_type: str) -> None:
    answer = server.get(path, params={"format": short})
    assert canonical(parse(answer.content, media_type)) == canonical(GRAPHS[path]())


@pytest.mark.parametrize("path", GRAPHS)
def test_who_takes_anything_gets_turtle_and_who_says_nothing_gets_what_every_owl_tool_reads(
    server: RunningServer, path: str
) -> None:
    assert server.get(path, headers={"Accept": "*/*"}).headers["Content-Type"] == "text/turtle; charset=utf-8"
    host, port = server.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        assert b"application/rdf+xml" in connection.recv(4096).split(b"\r\n\r\n")[0]


def test_turtle_is_as_it_was_written(server: RunningServer) -> None:
    assert "### Agents" in server.get("/ontology?format=ttl").text


def test_the_clients_of_ontology_editors_get_rdf(server: RunningServer) -> None:
    accept = "application/rdf+xml, application/xml; q=0.7, text/xml; q=0.6, text/plain; q=0.1, */*; q=0.09"
    assert server.get("/ontology", headers={"Accept": accept}).headers["Content-Type"] == "application/rdf+xml"


@pytest.mark.parametrize("options", [{"headers": {"Accept": "image/png"}}, {"params": {"format": "docx"}}])
def test_a_format_that_is_not_to_be_had(server: RunningServer, options: dict[str, dict[str, str]]) -> None:
    answer = server.get("/ontology", **options)
    assert answer.status_code == 406
    assert "text/turtle" in answer.text


@pytest.mark.parametrize("path", [*PAGES, "/ontology?format=rdf", "/ontology/patterns/nesting.svg"])
def test_what_has_not_changed_is_not_sent_again(server: RunningServer, path: str) -> None:
    first = server.get(path, headers=HTML)
    again = server.get(path, headers={**HTML, "If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


@pytest.mark.parametrize("path", GRAPHS)
def test_the_version_has_an_address(server: RunningServer, path: str) -> None:
    (version,) = [t.object.value for t in GRAPHS[path]() if t.predicate.value == OWL + "versionIRI"]
    local = version.removeprefix("https://w3id.org/whosays")
    assert server.get(local, params={"format": "nt"}).content == server.get(path, params={"format": "nt"}).content
    missing = server.get(f"{path}/99.0.0", headers=HTML)
    assert missing.status_code == 404
    assert version in missing.text


def test_the_context_of_the_records(server: RunningServer) -> None:
    assert server.get("/ontology/context.jsonld").text == context_text()


# --- use elsewhere


def test_rdflib_and_owlready2_find_the_same_terms(server: RunningServer, tmp_path: Path) -> None:
    body = server.get("/ontology?format=rdf").content
    graph = rdflib.Graph().parse(data=body, format="xml")
    file = tmp_path / "whosays.rdf"
    file.write_bytes(body)
    opened = owlready2.World().get_ontology(f"file://{file}").load()
    by_owlready2 = {
        "Class": {c.iri for c in opened.classes()},
        "ObjectProperty": {p.iri for p in opened.object_properties()},
        "DatatypeProperty": {p.iri for p in opened.data_properties()},
        "AnnotationProperty": {p.iri for p in opened.annotation_properties()},
    }
    by_rdflib = {
        kind: {str(s) for s in graph.subjects(rdflib.RDF.type, rdflib.OWL[kind]) if isinstance(s, rdflib.URIRef)}
        for kind in by_owlready2
    }
    assert by_owlready2 == by_rdflib
    ours = {iri for found in by_rdflib.values() for iri in found if iri.startswith(WS)}
    assert ours == {iri for iri, term in terms().items() if isinstance(term, ClassTerm | PropertyTerm)}
    concepts = {str(s) for s in graph.subjects(rdflib.SKOS.inScheme)}
    assert concepts == {iri for iri, term in terms().items() if isinstance(term, ConceptTerm)}
    assert concepts == {i.iri for i in opened.world[str(rdflib.SKOS.Concept)].instances()}


@pytest.mark.parametrize("path", GRAPHS)
def test_owlready2_opens_the_address_itself(server: RunningServer, path: str) -> None:
    opened = owlready2.World().get_ontology(server.address + path).load()
    assert len(opened.graph) == len(GRAPHS[path]())


@pytest.mark.parametrize("path", GRAPHS)
def test_rdflib_opens_the_address_itself(server: RunningServer, path: str) -> None:
    assert len(rdflib.Graph().parse(server.address + path)) == len(GRAPHS[path]())


# --- the pages


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_sound(server: RunningServer, path: str) -> None:
    found = page(server, path)
    assert [i for i, n in Counter(found.ids).items() if n > 1] == []
    assert "style" not in found.attributes
    assert not {a for a in found.attributes if a.startswith("on")}
    assert found.tags["script"] == found.tags["style"] == 0
    assert found.headings[0] == 1
    assert found.tags["h1"] == 1
    assert not [(a, b) for a, b in pairwise(found.headings) if b > a + 1], "no level of headings is left out"


@pytest.mark.parametrize("path", PAGES)
def test_every_link_of_a_page_leads_somewhere(server: RunningServer, path: str) -> None:
    found = page(server, path)
    ids = {path: set(found.ids)}
    for address in sorted(set(found.addresses)):
        if address.startswith(("http://", "https://")):
            assert not address.startswith(WS), "our own terms are explained here"
            continue
        target, _, anchor = address.partition("#")
        target = target or path
        if target not in ids:
            answer = server.get(target, headers=HTML)
            assert answer.status_code == 200, address
            ids[target] = set(Page(answer.text).ids) if "text/html" in answer.headers["Content-Type"] else set()
        assert not anchor or anchor in ids[target], address


def test_every_term_is_explained_at_its_own_iri(server: RunningServer) -> None:
    text = server.get("/ontology", headers=HTML).text
    ids = set(Page(text).ids)
    subjects = {t.subject.value for t in ontology_quads() if isinstance(t.subject, ox.NamedNode)}
    assert {iri for iri in subjects if iri.startswith(WS)} == set(terms())
    unescaped = text.replace("&#39;", "'").replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
    for term in terms().values():
        assert term.name in ids
        for words in (term.label, term.definition, *term.notes, *term.examples, *term.sources):
            assert words in unescaped, term.iri


def test_the_page_tells_version_and_size(server: RunningServer) -> None:
    text = server.get("/ontology", headers=HTML).text
    size = Counter(type(term).__name__ for term in terms().values())
    assert header().version in text
    assert f"{size['ClassTerm']} classes, {size['PropertyTerm']} properties" in text
    assert f"{size['SchemeTerm']} concept schemes with {size['ConceptTerm']} concepts" in text


def test_what_the_shapes_ask_stands_with_each_class(server: RunningServer) -> None:
    ids = set(page(server, "/ontology").ids)
    for target, asked in requirements().items():
        assert target in terms()
        own = {r.shape for r in (*asked.properties, *asked.rules) if r.shape.startswith(terms()[target].name + "-")}
        assert own <= ids


def test_every_page_has_the_ontology_in_its_navigation(server: RunningServer) -> None:
    assert "/ontology" in page(server, "/").addresses
    assert set(PAGES) - {"/ontology"} <= set(page(server, "/ontology").addresses)


def test_every_alignment_is_shown(server: RunningServer) -> None:
    found = page(server, "/ontology/alignments")
    blocks = [block for vocabulary in aligned_vocabularies() for block in vocabulary.blocks]
    listed = [a for block in blocks for a in block.alignments]
    stated = {t for t in alignment_triples() if isinstance(t.subject, ox.NamedNode) and t.subject.value.startswith(WS)}
    assert {(a.term, a.relation, a.target) for a in listed} == {
        (t.subject.value, t.predicate.value, t.object.value)  # type: ignore[union-attr]
        for t in stated
    }
    assert {a.target for a in listed} <= set(found.addresses)
    assert {f"/ontology#{a.term.removeprefix(WS)}" for a in listed} <= set(found.addresses)


# --- patterns and examples


def test_the_patterns_are_drawn_in_the_page(server: RunningServer) -> None:
    found = page(server, "/ontology/patterns")
    assert found.tags["svg"] == len(load_patterns())
    assert {p.name for p in load_patterns()} <= set(found.ids)
    for pattern, listing in zip(load_patterns(), found.listings, strict=True):
        assert parse_turtle(f"{pattern.prefixes}\n{listing}") == pattern.core_triples()


@pytest.mark.parametrize("pattern", load_patterns(), ids=lambda p: p.name)
def test_a_pattern_stands_alone_as_svg_and_turtle(server: RunningServer, pattern: Example) -> None:
    answer = server.get(f"/ontology/patterns/{pattern.name}.svg")
    svg = ElementTree.fromstring(answer.content)
    style = svg.findtext("{http://www.w3.org/2000/svg}style") or ""
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert "prefers-color-scheme: dark" in style
    assert answer.headers["Content-Security-Policy"] == f"default-src 'none'; style-src 'sha256-{digest}'"
    assert parse_turtle(server.get(f"/ontology/patterns/{pattern.name}.ttl").text) == pattern.triples()


def test_ten_sentences_and_their_turtle(server: RunningServer) -> None:
    found = page(server, "/ontology/how-to-say-it")
    text = server.get("/ontology/how-to-say-it", headers=HTML).text
    prefixes, *listings = found.listings
    assert len(listings) == 10
    for example, listing in zip(load_examples(), listings, strict=True):
        assert example.sentence in text
        assert parse_turtle(f"{prefixes}\n{listing}") == example.triples()
        assert parse_turtle(server.get(f"/ontology/examples/{example.name}.ttl").text) == example.triples()


@pytest.mark.parametrize("name", ["patterns/atlantis.svg", "patterns/atlantis.ttl", "examples/atlantis.ttl"])
def test_what_there_is_not_is_told(server: RunningServer, name: str) -> None:
    answer = server.get(f"/ontology/{name}")
    assert answer.status_code == 404
    assert "atlantis" in answer.text


def test_the_types_of_terms_that_tools_need_are_declared() -> None:
    used = {t.predicate.value for t in ontology_quads()}
    builtin = ("http://www.w3.org/2002/07/owl#", "http://www.w3.org/2000/01/rdf-schema#", RDF)
    declared = {t.subject.value for t in ontology_quads() if t.predicate.value == RDF + "type"}  # type: ignore[union-attr]
    assert {p for p in used if not p.startswith(builtin)} <= declared
