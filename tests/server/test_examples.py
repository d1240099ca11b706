"""The saved queries as RDF: read by other tools, in the form of the SIB's collection, and each of them runs."""

import pyoxigraph as ox
import pyshacl
import pytest
import rdflib
from rdflib.namespace import RDFS, SH

from kg.queries import load_queries
from kg.query_text import PLACEHOLDERS
from kg.store import Snapshot
from server.examples import PATH, SCHEMA, SPEX, describe_examples
from server.formats import RDF_FORMATS
from tests.conftest import RunningServer

BASE = "http://localhost:8000"
REMOTE = "offices-from-wikidata"
SHAPES = f"""
@prefix sh: <{SH}> . @prefix rdfs: <{RDFS}> . @prefix schema: <{SCHEMA}> . @prefix spex: <{SPEX}> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
[] a sh:NodeShape ; sh:targetClass sh:SPARQLExecutable ;
   sh:property [ sh:path [ sh:alternativePath ( sh:select sh:ask sh:construct spex:describe ) ] ;
                 sh:minCount 1 ; sh:maxCount 1 ; sh:datatype xsd:string ] ,
               [ sh:path rdfs:comment ; sh:minCount 1 ; sh:datatype rdf:langString ] ,
               [ sh:path sh:prefixes ; sh:minCount 1 ; 
                 sh:node [ sh:property [ sh:path sh:declare ; sh:minCount 1 ] ] ] ,
               [ sh:path schema:keyword ; sh:maxCount 0 ] ,
               [ sh:path schema:target ; sh:minCount 1 ; sh:nodeKind sh:IRI ] .
"""


@pytest.fixture(scope="module")
def told() -> rdflib.Graph:
    body = describe_examples(load_queries(), BASE, ox.RdfFormat.TURTLE)
    return rdflib.Graph().parse(data=body, format="turtle")


def test_every_saved_query_is_there_as_the_collection_has_it(told: rdflib.Graph) -> None:
    found = {str(node).removeprefix(f"{BASE}{PATH}/") for node in told.subjects(rdflib.RDF.type, SH.SPARQLExecutable)}
    assert found == set(load_queries())
    conforms, _, text = pyshacl.validate(told, shacl_graph=rdflib.Graph().parse(data=SHAPES, format="turtle"))
    assert conforms, text


def test_every_query_runs_without_our_prefixes(told: rdflib.Graph, sample: Snapshot) -> None:
    texts = {str(node): str(text) for node, text in told.subject_objects(SH.select)}
    assert len(texts) == len(load_queries())
    for node, text in texts.items():
        if not node.endswith(REMOTE):
            results = sample.store.query(text, use_default_graph_as_union=True, custom_functions=dict(PLACEHOLDERS))
            assert isinstance(results, ox.QuerySolutions)
            list(results)


def test_a_query_that_asks_another_endpoint_says_so(told: rdflib.Graph) -> None:
    node = rdflib.URIRef(f"{BASE}{PATH}/{REMOTE}")
    assert str(told.value(node, rdflib.URIRef(SPEX + "federatesWith"))) == "https://query.wikidata.org/sparql"


@pytest.mark.parametrize("media_type", sorted(RDF_FORMATS))
def test_they_are_served_in_every_syntax(server: RunningServer, media_type: str) -> None:
    answer = server.get(PATH, headers={"Accept": media_type})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith(media_type)
    triples = list(ox.parse(answer.content, format=RDF_FORMATS[media_type]))
    assert len(triples) == len(list(ox.parse(server.get(PATH).content, format=ox.RdfFormat.TURTLE)))


def test_turtle_is_what_one_gets_who_does_not_say(server: RunningServer) -> None:
    assert server.get(PATH).headers["Content-Type"].startswith("text/turtle")
    assert server.get(PATH, headers={"Accept": "image/png"}).status_code == 406
    assert server.get(f"{PATH}?format=nt").headers["Content-Type"].startswith("application/n-triples")
