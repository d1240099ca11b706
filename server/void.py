"""VoID: what the whole dataset is, how large, of what kinds of things, and what it is linked to.

The counts are queries that look at every statement. Where one of them is stopped by its deadline, its figure is
left out, and all others are told.

Source: https://www.w3.org/TR/void/
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pyoxigraph as ox

from kg.errors import BusyError, OverrunError
from kg.names import BASE, DCTERMS, ID, OWL, PREFIXES, PROV, RDF, RDFS, SKOS, WS, Term
from kg.store import Results
from server.service_description import FORMATS, VOID

DATASET = BASE + "dataset"
"""The name of the whole: all that is published."""

DESCRIPTION = BASE + ".well-known/void"
LICENCE = "https://creativecommons.org/licenses/by/4.0/"
FOAF = "http://xmlns.com/foaf/0.1/"
VOID_PREFIXES: Mapping[str, str] = {**PREFIXES, "void": VOID, "foaf": FOAF, "formats": FORMATS}
"""Prefixes for serialising a VoID description."""

WIKIDATA = PREFIXES["wd"]
_MATCHES = " ".join(f"skos:{kind}Match" for kind in ("exact", "close", "broad", "narrow", "related"))
QUERIES: Mapping[str, str] = {
    "examples": "SELECT ?key WHERE { { SELECT ?key { ?key a ws:Assertion } LIMIT 1 } "
    "UNION { SELECT ?key { ?key a ws:Agent } LIMIT 1 } }",
    "properties": "SELECT ?key (COUNT(*) AS ?number) WHERE { ?s ?key ?o } GROUP BY ?key",
    "classes": "SELECT ?key (COUNT(DISTINCT ?s) AS ?number) WHERE { ?s a ?key } GROUP BY ?key",
    "links": (
        f"SELECT ?key (COUNT(*) AS ?number) WHERE {{ VALUES ?key {{ {_MATCHES} }} ?s ?key ?o "
        f'FILTER(STRSTARTS(STR(?s), "{ID}") && STRSTARTS(STR(?o), "{WIKIDATA}")) }} GROUP BY ?key'
    ),
    "entities": (f'SELECT (COUNT(DISTINCT ?s) AS ?number) WHERE {{ ?s a ?class FILTER(STRSTARTS(STR(?s), "{ID}")) }}'),
    "subjects": "SELECT (COUNT(DISTINCT ?s) AS ?number) WHERE { ?s ?p ?o }",
    "objects": "SELECT (COUNT(DISTINCT ?o) AS ?number) WHERE { ?s ?p ?o }",
}
"""What is asked, by name; what takes longest on a large store comes last."""

PATIENCE = 30.0
"""Seconds after which no further figure is asked for."""

_VOCABULARIES = (WS, SKOS, PROV, DCTERMS, RDFS, OWL)
_SYNTAXES = ("Turtle", "N-Triples", "RDF_XML", "JSON-LD", "TriG", "N-Quads")


@dataclass(frozen=True)
class Figures:
    """What was counted; None where it is not known.

    Parameters:
        snapshot: what it was counted on.
        properties: statements of each property.
        classes: things of each class.
        links: links to Wikidata, by property.
        entities: things with a name of ours.
        subjects, objects: how many different ones.
        examples: IRIs of a few things.
    """

    snapshot: str
    properties: Mapping[str, int] | None = None
    classes: Mapping[str, int] | None = None
    links: Mapping[str, int] | None = None
    entities: int | None = None
    subjects: int | None = None
    objects: int | None = None
    examples: tuple[str, ...] = field(default=())


def count_figures(run: Callable[[str], Results], snapshot: str, *, patience: float = PATIENCE) -> Figures:
    """Ask for the figures of a dataset, one after the other.

    Parameters:
        run: answers a query over one snapshot.
        snapshot: its number.
        patience: seconds after which no further one is asked for.

    >>> from kg.store import Snapshot
    >>> count_figures(Snapshot(ox.Store(), "000001").query, "000001").subjects
    0
    """
    begun = time.monotonic()
    answers: dict[str, list[tuple[str, int]]] = {}
    for name, text in QUERIES.items():
        if time.monotonic() - begun > patience:
            break
        try:
            answers[name] = _read(run(text))
        except (OverrunError, BusyError):
            continue  # its figure is left out

    def table(name: str) -> Mapping[str, int] | None:
        return dict(answers[name]) if name in answers else None

    def number(name: str) -> int | None:
        return answers[name][0][1] if name in answers else None

    return Figures(
        snapshot,
        properties=table("properties"),
        classes=table("classes"),
        links=table("links"),
        entities=number("entities"),
        subjects=number("subjects"),
        objects=number("objects"),
        examples=tuple(sorted(key for key, _ in answers.get("examples", []))),
    )


def describe_dataset(figures: Figures, *, endpoint: str) -> list[ox.Triple]:
    """Return the VoID description of the dataset.

    Parameters:
        figures: what was counted.
        endpoint: the address at which SPARQL is asked.

    Returns:
        Triples in a fixed order; blank nodes have fixed labels, so that the same is always told in the same bytes.

    >>> told = describe_dataset(Figures("000007", entities=3), endpoint="http://localhost/sparql")
    >>> [t.object.value for t in told if t.predicate.value == VOID + "entities"]
    ['3']
    """
    return list(_dataset(figures, endpoint))


def _dataset(figures: Figures, endpoint: str) -> Iterator[ox.Triple]:
    page, whole = ox.NamedNode(DESCRIPTION), ox.NamedNode(DATASET)
    yield _say(page, RDF + "type", ox.NamedNode(VOID + "DatasetDescription"))
    yield _say(page, DCTERMS + "title", ox.Literal("What Whosays holds", language="en"))
    yield _say(page, FOAF + "primaryTopic", whole)
    yield _say(whole, RDF + "type", ox.NamedNode(VOID + "Dataset"))
    yield _say(whole, DCTERMS + "title", ox.Literal("Whosays: who asserts what", language="en"))
    words = "A knowledge graph of who asserts what: texts on international relations, taken apart."
    yield _say(whole, DCTERMS + "description", ox.Literal(words, language="en"))
    yield _say(whole, DCTERMS + "creator", ox.Literal("The Whosays team"))
    yield _say(whole, DCTERMS + "license", ox.NamedNode(LICENCE))
    yield _say(whole, RDFS + "comment", ox.Literal(f"Counted on snapshot {figures.snapshot}.", language="en"))
    yield _say(whole, VOID + "sparqlEndpoint", ox.NamedNode(endpoint))
    yield _say(whole, VOID + "uriSpace", ox.Literal(ID))
    for example in figures.examples:
        yield _say(whole, VOID + "exampleResource", ox.NamedNode(example))
    for vocabulary in _VOCABULARIES:
        yield _say(whole, VOID + "vocabulary", ox.NamedNode(vocabulary))
    for syntax in _SYNTAXES:
        yield _say(whole, VOID + "feature", ox.NamedNode(FORMATS + syntax))
    numbers = {
        "triples": None if figures.properties is None else sum(figures.properties.values()),
        "entities": figures.entities,
        "distinctSubjects": figures.subjects,
        "distinctObjects": figures.objects,
        "properties": None if figures.properties is None else len(figures.properties),
        "classes": None if figures.classes is None else len(figures.classes),
    }
    for name, number in numbers.items():
        if number is not None:
            yield _say(whole, VOID + name, ox.Literal(number))
    yield from _partitions(whole, "property", "triples", figures.properties or {})
    yield from _partitions(whole, "class", "entities", figures.classes or {})
    if figures.links:
        yield from _linksets(whole, figures.links)


def _partitions(whole: ox.NamedNode, kind: str, counted: str, figures: Mapping[str, int]) -> Iterator[ox.Triple]:
    for position, (iri, number) in enumerate(sorted(figures.items())):
        part = ox.BlankNode(f"{kind}{position}")
        yield _say(whole, f"{VOID}{kind}Partition", part)
        yield _say(part, VOID + kind, ox.NamedNode(iri))
        yield _say(part, VOID + counted, ox.Literal(number))


def _linksets(whole: ox.NamedNode, links: Mapping[str, int]) -> Iterator[ox.Triple]:
    wikidata = ox.BlankNode("wikidata")
    yield _say(wikidata, RDF + "type", ox.NamedNode(VOID + "Dataset"))
    yield _say(wikidata, DCTERMS + "title", ox.Literal("Wikidata"))
    yield _say(wikidata, FOAF + "homepage", ox.NamedNode("https://www.wikidata.org/"))
    yield _say(wikidata, VOID + "uriSpace", ox.Literal(WIKIDATA))
    for position, (predicate, number) in enumerate(sorted(links.items())):
        linkset = ox.BlankNode(f"links{position}")
        yield _say(whole, VOID + "subset", linkset)
        yield _say(linkset, RDF + "type", ox.NamedNode(VOID + "Linkset"))
        yield _say(linkset, VOID + "subjectsTarget", whole)
        yield _say(linkset, VOID + "objectsTarget", wikidata)
        yield _say(linkset, VOID + "linkPredicate", ox.NamedNode(predicate))
        yield _say(linkset, VOID + "triples", ox.Literal(number))


def _read(results: Results) -> list[tuple[str, int]]:
    assert isinstance(results, ox.QuerySolutions)
    names = {variable.value for variable in results.variables}
    found = []
    for row in results:
        key = row["key"] if "key" in names else None
        number = row["number"] if "number" in names else None
        found.append(
            (
                key.value if isinstance(key, ox.NamedNode) else "",
                int(number.value) if isinstance(number, ox.Literal) else 0,
            )
        )
    return found


def _say(subject: ox.NamedNode | ox.BlankNode, predicate: str, value: Term) -> ox.Triple:
    return ox.Triple(subject, ox.NamedNode(predicate), value)
