"""Quality checks of the ontology, in the manner of ROBOT report: each row that a query finds is a failure.

A check is a query in ``checks/`` that says in its heading what the problem is, how it is solved, and
what to plant in order to see it fail. The queries run over named graphs:

- ``graph:ontology``: all modules; ``graph:alignments``; ``graph:shapes``
- ``graph:terms``: every term of the ontology's namespace with its kind (class, property, concept, scheme)
- ``graph:uses``: which file uses which term: saved queries, rules, code, context, shapes; and ``graph:records``
  for all records, the sample included
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
from rdflib.namespace import DCTERMS, FOAF, ORG, PROV, SDO, SKOS

from kg.names import BASE, GRAPH, PREFIXES, RDF, WS
from kg.names import DCTERMS as DCTERMS_IRI
from kg.settings import Settings
from kg.vocabulary import ontology_quads
from loaders.corpus import make_units, read_folder
from tests.conftest import REPOSITORY, SAMPLE

HERE = Path(__file__).parent
CHECKS = {path.stem: path.read_text("utf-8") for path in sorted(HERE.glob("checks/*.rq"))}
UNUSED = HERE / "unused.txt"
ALIGNMENTS = Path(str(resources.files("ontology") / "alignments.ttl"))

REFERENCES = ox.NamedNode(DCTERMS_IRI + "references")
TYPE = ox.NamedNode(RDF + "type")
TERMS = """
CONSTRUCT { ?term a ?kind }
WHERE {
  { ?term a ?kind VALUES ?kind {
      owl:Class owl:ObjectProperty owl:DatatypeProperty owl:AnnotationProperty skos:Concept skos:ConceptScheme } }
  UNION { ?term a ws:Act BIND(skos:Concept AS ?kind) }
  FILTER(STRSTARTS(STR(?term), STR(ws:)))
}"""


def turtle(text: str) -> list[ox.Triple]:
    prefixes = "".join(f"@prefix {prefix}: <{iri}> .\n" for prefix, iri in PREFIXES.items())
    return [quad.triple for quad in ox.parse((prefixes + text).encode(), format=ox.RdfFormat.TURTLE)]


def graph(name: str) -> ox.NamedNode:
    return ox.NamedNode(GRAPH + name)


def uses_of_files() -> Iterator[ox.Quad]:
    """What text files use by name: ``ws:holder`` in queries, ``WS + "holder"`` in code."""
    suffixes = {".rq", ".py", ".ttl", ".jsonld"}
    for folder in ("kg", "loaders", "server", "shapes", "ontology"):
        for file in sorted((REPOSITORY / folder).rglob("*")):
            if file.suffix not in suffixes or (file.suffix == ".ttl" and folder == "ontology"):
                continue
            where = ox.NamedNode(BASE + file.relative_to(REPOSITORY).as_posix())
            for names in re.findall(r'\bws:([A-Za-z][\w-]*\w)|\bWS \+ "([\w-]*\w)"', file.read_text("utf-8")):
                yield ox.Quad(where, REFERENCES, ox.NamedNode(WS + "".join(names)), graph("uses"))


def uses_of_records() -> Iterator[ox.Quad]:
    """What the records use: properties, classes and concepts."""
    used = {
        term
        for folder in (SAMPLE / "records", Settings().records)
        for unit in make_units(read_folder(folder))
        for quad in unit.quads
        for term in (quad.predicate, quad.object)
        if isinstance(term, ox.NamedNode) and term.value.startswith(WS)
    }
    return (ox.Quad(graph("records"), REFERENCES, term, graph("uses")) for term in used)


@cache
def loaded() -> tuple[ox.Quad, ...]:
    """Everything but the planted errors and the terms."""
    files = [*(("shapes", f) for f in sorted((REPOSITORY / "shapes").glob("*.ttl"))), ("alignments", ALIGNMENTS)]
    return (
        *(ox.Quad(t.subject, t.predicate, t.object, graph("ontology")) for t in ontology_quads()),
        *(
            ox.Quad(q.subject, q.predicate, q.object, graph(name))
            for name, file in files
            for q in ox.parse(file.read_bytes(), format=ox.RdfFormat.TURTLE)
        ),
        *uses_of_files(),
        *uses_of_records(),
    )


def run(check: str, planted: Iterable[ox.Triple] = ()) -> list[str]:
    """Run a check and return its rows, one line each."""
    store = ox.Store()
    store.extend(loaded())
    for name in ("ontology", "alignments"):
        store.extend(ox.Quad(t.subject, t.predicate, t.object, graph(name)) for t in planted)
    terms = store.query(TERMS, prefixes=dict(PREFIXES), default_graph=[graph("ontology")])
    assert isinstance(terms, ox.QueryTriples)
    store.extend([ox.Quad(t.subject, t.predicate, t.object, graph("terms")) for t in terms])
    rows = store.query(CHECKS[check], prefixes=dict(PREFIXES), use_default_graph_as_union=True)
    assert isinstance(rows, ox.QuerySolutions)
    return sorted({" ".join(str(value).replace(f"<{WS}", "<ws:") for value in row if value) for row in rows})


def heading(check: str, part: str) -> str:
    lines = " ".join(line.removeprefix("# ") for line in CHECKS[check].splitlines() if line.startswith("#"))
    _, *parts = re.split(r"(?:^| )(Problem|Solution|Planted): ", lines)
    return dict(zip(parts[::2], parts[1::2], strict=True))[part]


@pytest.mark.parametrize("check", [name for name in CHECKS if name != "unused-term"])
def test_the_check_finds_nothing(check: str) -> None:
    assert run(check) == [], heading(check, "Problem")


@pytest.mark.parametrize("check", CHECKS)
def test_the_check_finds_what_is_planted(check: str) -> None:
    planted = turtle(heading(check, "Planted"))
    assert planted
    assert set(run(check, planted)) > set(run(check))


@pytest.mark.parametrize("check", CHECKS)
def test_the_check_says_what_the_problem_is_and_how_it_is_solved(check: str) -> None:
    assert heading(check, "Problem").endswith(".")
    assert heading(check, "Solution").endswith(".")


def test_the_terms_that_nothing_uses_are_listed_with_the_reason() -> None:
    listed = dict(
        line.split(maxsplit=1) for line in UNUSED.read_text("utf-8").splitlines() if line[:1] not in ("", "#")
    )
    found = {row.removeprefix("<ws:").removesuffix(">") for row in run("unused-term")}
    assert not found - set(listed), "used by no record and no shape: take them out, or list them with the reason"
    assert not set(listed) - found, "used by now, or gone: take them off the list"
    assert all(reason.endswith(".") for reason in listed.values())


def test_the_aligned_terms_of_the_vocabularies_that_rdflib_knows_are_there() -> None:
    known = {str(namespace._NS): namespace for namespace in (DCTERMS, FOAF, ORG, PROV, SDO, SKOS)}
    terms = {term for triple in rdflib.Graph().parse(ALIGNMENTS) for term in triple if isinstance(term, rdflib.URIRef)}
    checked = 0
    for term in terms:
        for base, namespace in known.items():
            if term.startswith(base):
                assert term in namespace, term
                checked += 1
    assert checked > 50
