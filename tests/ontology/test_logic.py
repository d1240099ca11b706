"""Logic: HermiT finds the ontology consistent, and infers what the rules materialise.

Each check is also seen to fail on an error that is planted.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import resources

import pyoxigraph as ox
import pytest

from kg import reasoning
from kg.errors import WhosaysError
from kg.inference import infer
from kg.names import GRAPH, ID, INFERRED_GRAPH, PREFIXES, RDF, WS
from kg.reasoning import Consistency, check_consistency, has_java
from kg.vocabulary import ontology_quads
from loaders.corpus import make_units, read_folder
from tests.conftest import SAMPLE

needs_java = pytest.mark.skipif(not has_java(), reason="there is no Java to run HermiT on: install a Java runtime")

DEFINED = ("Leader", "Perception")
SMALL = """
id:a a ws:Assertion ; ws:holder id:x ; ws:reports id:b .
id:b a ws:Assertion ; ws:holder id:y ; ws:proposition id:p .
id:p a ws:Relation .
id:x a ws:Person ; ws:belongsTo id:m . id:m a ws:Organization ; ws:belongsTo id:y . id:y a ws:State .
id:h a ws:OfficeHolding ; ws:officeHolder id:x ; ws:office id:o . id:o a ws:Office .
id:c a ws:Citation ; ws:citingDocument id:d ; ws:citedDocument id:e . id:d a ws:Document . id:e a ws:Document .
id:f a ws:Factor ; ws:opposite id:g . id:g a ws:Factor .
id:k a ws:Place ; ws:partOf id:l . id:l a ws:Place ; ws:partOf id:n . id:n a ws:State .
"""


def turtle(text: str) -> list[ox.Triple]:
    prefixes = "".join(f"@prefix {prefix}: <{iri}> .\n" for prefix, iri in PREFIXES.items())
    return [quad.triple for quad in ox.parse((prefixes + text).encode(), format=ox.RdfFormat.TURTLE)]


def alignments() -> list[ox.Triple]:
    file = resources.files("ontology").joinpath("alignments.ttl")
    return [quad.triple for quad in ox.parse(file.read_bytes(), format=ox.RdfFormat.TURTLE)]


def materialised(triples: Iterable[ox.Triple]) -> ox.Store:
    """A store with these triples, the ontology and what the rules infer."""
    store = ox.Store()
    for name, graph in (("ontology", ontology_quads()), ("data", triples)):
        store.extend(ox.Quad(t.subject, t.predicate, t.object, ox.NamedNode(GRAPH + name)) for t in graph)
    infer(store)
    return store


def members(store: ox.Store, class_name: str) -> set[str]:
    found = store.quads_for_pattern(None, ox.NamedNode(RDF + "type"), ox.NamedNode(WS + class_name))
    return {quad.subject.value for quad in found if isinstance(quad.subject, ox.NamedNode)}


def wrong_members(judged: Consistency, store: ox.Store) -> dict[str, set[str]]:
    """What HermiT and the rules do not agree on, by defined class."""
    found = {name: members(store, name) ^ judged.members[WS + name] for name in DEFINED}
    return {name: individuals for name, individuals in found.items() if individuals}


def relations(store: ox.Store) -> set[reasoning.Relation]:
    """What holds between the individuals of a store by terms of the ontology."""
    return {
        (q.subject.value, q.predicate.value, q.object.value)
        for q in store
        if isinstance(q.subject, ox.NamedNode)
        and isinstance(q.object, ox.NamedNode)
        and q.subject.value.startswith(ID)
        and q.predicate.value.startswith(WS)
    }


@cache
def sample_triples() -> tuple[ox.Triple, ...]:
    return tuple(quad.triple for unit in make_units(read_folder(SAMPLE / "records")) for quad in unit.quads)


@needs_java
def test_the_ontology_and_its_alignments_are_consistent_and_every_class_can_have_members() -> None:
    judged = check_consistency([*ontology_quads(), *alignments()])
    assert judged.consistent
    assert judged.unsatisfiable == ()


@needs_java
def test_a_class_that_can_have_no_members_is_found() -> None:
    planted = turtle("ws:Ghost a owl:Class ; rdfs:subClassOf ws:Person, [ a owl:Class ; owl:complementOf ws:Agent ] .")
    judged = check_consistency([*ontology_quads(), *planted])
    assert judged.consistent
    assert judged.unsatisfiable == (WS + "Ghost",)


@needs_java
def test_a_contradiction_is_found() -> None:
    planted = turtle("ws:Person owl:disjointWith ws:State . id:x a ws:Person, ws:State .")
    judged = check_consistency([*ontology_quads(), *planted])
    assert not judged.consistent


@needs_java
def test_the_sample_is_consistent_and_its_defined_classes_are_those_that_the_rules_materialise() -> None:
    judged = check_consistency([*ontology_quads(), *sample_triples()])
    assert judged.consistent
    assert judged.unsatisfiable == ()
    store = materialised(sample_triples())
    assert all(members(store, name) for name in DEFINED)
    assert wrong_members(judged, store) == {}


@needs_java
def test_what_the_rules_leave_out_or_add_is_found() -> None:
    chancellor = turtle(
        "id:r a ws:Person . id:h ws:officeHolder id:r ; ws:office id:o . id:o ws:officeKind ws:officeKind-headOfState ."
        "id:a a ws:Assertion ; ws:proposition id:p . id:p a ws:Evaluation ."
    )
    judged = check_consistency([*ontology_quads(), *chancellor])
    store = materialised([*chancellor, *turtle("id:b a ws:Perception .")])
    type_ = ox.NamedNode(RDF + "type")
    store.remove(ox.Quad(ox.NamedNode(ID + "r"), type_, ox.NamedNode(WS + "Leader"), ox.NamedNode(INFERRED_GRAPH)))
    # the rule for perceptions asks what is evaluated, which the shapes require and this graph leaves out
    assert wrong_members(judged, store) == {"Leader": {ID + "r"}, "Perception": {ID + "a", ID + "b"}}


@needs_java
def test_inverses_chains_symmetric_and_transitive_properties_are_materialised() -> None:
    judged = check_consistency([*ontology_quads(), *turtle(SMALL)], relations=True)
    entailed = {r for r in judged.relations if r[0].startswith(ID) and r[1].startswith(WS)}
    derived = relations(materialised(turtle(SMALL)))
    asserted = {(str(s).strip("<>"), str(p).strip("<>"), str(o).strip("<>")) for s, p, o in turtle(SMALL)}
    assert entailed == derived
    assert {r[1].removeprefix(WS) for r in derived - asserted} == {
        *("holds", "within", "hasOfficeHolding"),
        *("takesStanceTo", "reportedBy", "holdsOffice", "cites"),
        *("belongsTo", "partOf", "opposite"),
    }


def test_without_java_the_message_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reasoning, "has_java", lambda: False)
    with pytest.raises(WhosaysError, match="there is no Java"):
        check_consistency([])
