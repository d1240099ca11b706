"""Placing: each statement comes into its graph, and what may not be said through the door is refused by name."""

import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kg.change import View
from kg.errors import Place
from kg.names import (
    CONTENTS_GRAPH,
    ID,
    INFERRED_GRAPH,
    LINKS_GRAPH,
    ONTOLOGY_GRAPH,
    PREFIXES,
    PROVENANCE_GRAPH,
    REGISTER_GRAPH,
    WS,
    document_graph,
    sparql_prefixes,
)
from kg.store import Snapshot
from loaders.placing import PlacingErrors, place
from tests.additions import REPLY_GRAPH, addition, quads_of, reply_record

EMPTY = View(ox.Store())


def turtle(text: str) -> list[ox.Quad]:
    source = sparql_prefixes() + f"@base <{ID}> .\n" + text
    return list(ox.parse(source.encode(), format=ox.RdfFormat.TRIG))


def graphs(text: str, view: View = EMPTY) -> dict[str, set[str]]:
    """The graphs that each subject's statements come into."""
    found: dict[str, set[str]] = {}
    for quad in place(turtle(text), view):
        found.setdefault(str(quad.subject).strip("<>").removeprefix(ID), set()).add(str(quad.graph_name).strip("<>"))
    return found


def refusal(text: str, view: View = EMPTY) -> str:
    with pytest.raises(PlacingErrors) as caught:
        place(turtle(text), view)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "node", "graph"),
    [
        ("<toll> a ws:Issue .", "toll", REGISTER_GRAPH),
        ("<anna> a ws:Person .", "anna", REGISTER_GRAPH),
        ("<d> a ws:Document .", "d", REGISTER_GRAPH),
        ('<d> a ws:Document ; ws:digest "x" .', "d", document_graph("d")),
        ("<d/a> a ws:Assertion ; ws:statedIn <d> .", "d/a", document_graph("d")),
        ("<d/0-9> a ws:Passage ; ws:inDocument <d> .", "d/0-9", document_graph("d")),
        ("<d/n1> a ws:Citation ; ws:citingDocument <d> .", "d/n1", document_graph("d")),
        ("<p> a ws:Relation .", "p", CONTENTS_GRAPH),
        ("<p> a ws:CausalClaim ; rdfs:isDefinedBy <d> .", "p", CONTENTS_GRAPH),
        ("<f> a ws:Factor .", "f", CONTENTS_GRAPH),
        ("<s> a ws:PathwayStep .", "s", CONTENTS_GRAPH),
        ("<l> a ws:Link ; rdfs:isDefinedBy <d> .", "l", document_graph("d")),
        ('<d> a ws:Document ; ws:digest "x" . <d/r> a ws:Reading .', "d/r", document_graph("d")),
    ],
)
def test_a_node_comes_into_the_graph_that_it_belongs_to(text: str, node: str, graph: str) -> None:
    assert graphs(text)[node] == {graph}


def test_matches_with_other_data_come_to_the_links() -> None:
    assert graphs("<toll> a ws:Issue ; skos:exactMatch wd:Q1 .")["toll"] == {REGISTER_GRAPH, LINKS_GRAPH}


def test_a_new_content_belongs_to_the_document_that_brings_it() -> None:
    text = "<d/a> a ws:Assertion ; ws:statedIn <d> ; ws:proposition <p> . <p> a ws:Relation ."
    defined = [q for q in place(turtle(text), EMPTY) if q.predicate.value.endswith("isDefinedBy")]
    assert [str(q.triple) for q in defined] == [f"<{ID}p> <{PREFIXES['rdfs']}isDefinedBy> <{ID}d>"]


def test_what_is_published_stays_where_it_is(sample: Snapshot) -> None:
    view = View(sample.store)
    text = """<bridge-toll/s1a> ws:note "More."@en . <tellbruck-toll> skos:altLabel "fee"@en .
      <zvornik-1997> ws:note "N."@en ."""
    assert graphs(text, view) == {
        "bridge-toll/s1a": {document_graph("bridge-toll")},
        "tellbruck-toll": {REGISTER_GRAPH},
        "zvornik-1997": {REGISTER_GRAPH},
    }


@pytest.mark.parametrize("record", [addition("x"), reply_record()])
def test_triples_without_graphs_come_to_where_the_record_has_them(sample: Snapshot, record: bytes) -> None:
    quads = quads_of(record)
    bare = [ox.Quad(q.subject, q.predicate, q.object) for q in quads]
    assert place(bare, View(sample.store)) == place(quads, View(sample.store)) == set(quads)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("<toll> a ws:Isue .", "did you mean ws:Issue?"),
        ("<toll> a ws:Issue ; ws:abuot <x> .", "did you mean ws:about?"),
        ("<toll> a ws:Issue ; ws:standing ws:standing-onRecord .", "inferred and never written"),
        ('<d> a ws:Document ; ws:digest "x" ; ws:recordDigest "y" .', "inferred and never written"),
        ("<anna> a ws:Leader .", "inferred, never written"),
        ("<d/a> a ws:Perception ; ws:statedIn <d> .", "inferred, never written"),
        ("<toll> a owl:Class .", "which is no class here"),
        ("<toll> a <http://example.org/T> .", "which is no class here"),
        ("<toll> a ws:Issue ; rdfs:subClassOf ws:Agent .", "belongs to the ontology"),
        ("<toll> a ws:Issue ; owl:sameAs <x> .", "belongs to the ontology"),
        ("<toll> a ws:Issue ; sh:targetClass ws:Agent .", "belongs to the ontology"),
        ("<toll> a ws:Issue ; rdfs:label 'x' .", "which is no property here"),
        ("<toll> a ws:Issue ; prov:wasAttributedTo <anna> .", "which is no property here"),
        ("ws:Agent rdfs:subClassOf ws:Place .", "is not for the door to speak of"),
        ("ws:Assertion-holder sh:deactivated true .", "is not for the door to speak of"),
        ("wd:Q1 a ws:State .", "is not for the door to speak of"),
        (f"<{PROVENANCE_GRAPH}> prov:wasAttributedTo <anna> .", "is not for the door to speak of"),
        ("<https://w3id.org/whosays/change/1> prov:wasAssociatedWith <anna> .", "is not for the door to speak of"),
        ("<Ruritania> a ws:State .", "is not a name"),
        ("<a//b> a ws:State .", "is not a name"),
        ("<%2e%2e/x> a ws:State .", "is not a name"),
        ("<аnna> a ws:Person .", "is not a name"),
        ("<a\u200bb> a ws:Person .", "is not a name"),
        ('<toll> skos:prefLabel "T"@en .', "nothing says what `toll` is"),
        ("<r> a ws:Reading .", "which document `r` belongs to"),
    ],
)
def test_what_may_not_be_said_is_refused(text: str, problem: str) -> None:
    assert problem in refusal(text)


@pytest.mark.parametrize(
    "graph",
    [ONTOLOGY_GRAPH, INFERRED_GRAPH, PROVENANCE_GRAPH, CONTENTS_GRAPH, LINKS_GRAPH, REPLY_GRAPH, "http://example.org/g",
     "https://w3id.org/whosays/graph/causal/anna"],
)  # fmt: skip
def test_a_graph_that_is_named_must_be_the_one_that_it_belongs_to(graph: str) -> None:
    assert "put it into graph:register" in refusal(f"GRAPH <{graph}> {{ <toll> a ws:Issue }}")
    assert graphs(f"GRAPH <{REGISTER_GRAPH}> {{ <toll> a ws:Issue }}")["toll"] == {REGISTER_GRAPH}


def test_nothing_is_put_into_the_graph_of_another_document(sample: Snapshot) -> None:
    told = refusal(f"GRAPH <{REPLY_GRAPH}> {{ <bridge-toll/s1a> ws:note 'N.'@en }}", View(sample.store))
    assert "put it into graph:bridge-toll" in told


def test_everything_that_is_wrong_is_told_with_its_place() -> None:
    quads = turtle("<a> a ws:Isue . <b> a ws:Issue ; ws:abuot <x> ; rdfs:label 'x' . <c> a ws:Issue .")
    with pytest.raises(PlacingErrors) as caught:
        place(quads, EMPTY, lambda iri: Place("a.ttl", 7) if iri == ID + "b" else None)
    assert [p.place for p in caught.value.problems] == [None, Place("a.ttl", 7), Place("a.ttl", 7)]
    assert str(caught.value).count("mend:") == 3


iris = st.sampled_from(
    [ID + n for n in ("toll", "d", "d/a", "bridge-toll", "bridge-toll/s1a", "tellbruck-toll", "kazimir-vlastok", "X")]
    + [WS + n for n in ("Agent", "holder", "Assertion-holder", "Issue", "Leader", "statedIn", "standing", "image")]
    + [ONTOLOGY_GRAPH, PROVENANCE_GRAPH, "http://example.org/x"]
)
predicates = st.sampled_from(
    [WS + n for n in ("about", "holder", "statedIn", "digest", "gloss", "standing", "earliest", "nonsense")]
    + [PREFIXES["rdf"] + "type", PREFIXES["rdfs"] + "subClassOf", PREFIXES["owl"] + "sameAs"]
    + [PREFIXES["rdfs"] + "isDefinedBy", PREFIXES["skos"] + "exactMatch", PREFIXES["sh"] + "path"]
)
classes = st.sampled_from([WS + n for n in ("Issue", "Assertion", "Relation", "Document", "Leader", "Reading")])
nodes = st.builds(ox.NamedNode, iris)
statements = st.builds(
    ox.Quad,
    nodes,
    st.builds(ox.NamedNode, predicates),
    nodes | st.builds(ox.NamedNode, classes) | st.just(ox.Literal("x", language="en")),
    st.just(ox.DefaultGraph())
    | st.builds(ox.NamedNode, st.sampled_from([REGISTER_GRAPH, ONTOLOGY_GRAPH, REPLY_GRAPH])),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(statements, max_size=8))
def test_nothing_ever_gets_at_the_rules_or_what_follows_from_them(sample: Snapshot, quads: list[ox.Quad]) -> None:
    try:
        placed = place(quads, View(sample.store))
    except PlacingErrors:
        return
    barred = {ONTOLOGY_GRAPH, INFERRED_GRAPH, PROVENANCE_GRAPH}
    for quad in placed:
        assert isinstance(quad.subject, ox.NamedNode)
        assert isinstance(quad.graph_name, ox.NamedNode)
        assert quad.subject.value.startswith(ID)
        assert quad.graph_name.value not in barred
        assert not quad.graph_name.value.startswith("https://w3id.org/whosays/graph/causal/")
        assert quad.predicate.value != PREFIXES["rdfs"] + "subClassOf"
        derived = quad.predicate.value == PREFIXES["rdf"] + "type" and quad.object == ox.NamedNode(WS + "Leader")
        assert not derived
    assert {q.triple for q in quads} <= {q.triple for q in placed}
    for subject in {q.subject for q in placed}:
        own = {q.graph_name for q in placed if q.subject == subject} - {ox.NamedNode(LINKS_GRAPH)}
        stored = {
            q.graph_name for q in sample.store.quads_for_pattern(subject, ox.NamedNode(PREFIXES["rdf"] + "type"), None)
        }
        stored -= {ox.NamedNode(INFERRED_GRAPH)}
        assert len(own) <= 1
        assert not stored or own <= stored
