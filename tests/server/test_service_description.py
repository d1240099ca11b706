"""The service description: no more than the service can do, and all of it."""

import pyoxigraph as ox
import pytest
import rdflib

from kg.names import RDF, WS
from kg.store import Snapshot
from server.formats import RDF_FORMATS
from server.service_description import (
    FORMATS,
    NAMES_QUERY,
    RESULT_FORMATS,
    SD,
    SERVICE_PREFIXES,
    SIZES_QUERY,
    VOID,
    describe_service,
)
from tests.conftest import RunningServer

ENDPOINT = "http://localhost/sparql"
MEDIA_TYPES = {
    "SPARQL_Results_JSON": "application/sparql-results+json",
    "SPARQL_Results_XML": "application/sparql-results+xml",
    "SPARQL_Results_CSV": "text/csv",
    "SPARQL_Results_TSV": "text/tab-separated-values",
    "Turtle": "text/turtle",
    "N-Triples": "application/n-triples",
    "RDF_XML": "application/rdf+xml",
    "JSON-LD": "application/ld+json",
}


def values(triples: list[ox.Triple], predicate: str) -> set[str]:
    found = (t.object for t in triples if t.predicate.value == predicate)
    return {o.value for o in found if isinstance(o, ox.NamedNode | ox.Literal)}


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("writable", [False, True])
@pytest.mark.parametrize("services", [(), ("https://query.example/sparql",)])
def test_features_follow_what_the_service_may(plain: bool, writable: bool, services: tuple[str, ...]) -> None:
    told = describe_service(ENDPOINT, plain=plain, writable=writable, services=services)
    features = {f.removeprefix(SD) for f in values(told, SD + "feature")}
    assert ("UnionDefaultGraph" in features) is (not plain)
    assert ("BasicFederatedQuery" in features) is bool(services)
    assert ("EmptyGraphs" in features) is (plain and writable)
    assert (SD + "SPARQL11Update" in values(told, SD + "supportedLanguage")) is writable
    assert bool(values(told, SD + "inputFormat")) is writable
    assert SD + "SPARQL11Query" in values(told, SD + "supportedLanguage")


def test_it_has_one_endpoint_our_functions_and_no_entailment() -> None:
    told = describe_service(ENDPOINT, plain=False, writable=False)
    assert values(told, SD + "endpoint") == {ENDPOINT}
    assert values(told, SD + "extensionFunction") == {WS + "quote", WS + "label"}
    assert values(told, SD + "defaultEntailmentRegime") == {"http://www.w3.org/ns/entailment/Simple"}
    assert not values(describe_service(ENDPOINT, plain=True, writable=True, functions=()), SD + "extensionFunction")


def test_every_format_that_is_named_can_be_had(server: RunningServer) -> None:
    assert set(MEDIA_TYPES) == set(RESULT_FORMATS)
    told = describe_service(ENDPOINT, plain=False, writable=False)
    assert values(told, SD + "resultFormat") == {FORMATS + name for name in MEDIA_TYPES}
    for name, media_type in MEDIA_TYPES.items():
        form = "CONSTRUCT { ?s ?p ?o }" if media_type in RDF_FORMATS else "SELECT *"
        query = {"query": f"{form} WHERE {{ ?s ?p ?o }} LIMIT 1"}
        answer = server.get("/sparql", params=query, headers={"Accept": media_type})
        assert answer.status_code == 200, name
        assert answer.headers["Content-Type"].split(";")[0] == media_type


def test_the_named_graphs_are_told_with_their_sizes_where_known(sample: Snapshot) -> None:
    rows = sample.query(SIZES_QUERY)
    assert isinstance(rows, ox.QuerySolutions)
    sizes = {str(row["graph"].value): int(row["triples"].value) for row in rows}
    names = sample.query(NAMES_QUERY)
    assert isinstance(names, ox.QuerySolutions)
    assert {str(row["graph"].value) for row in names} == set(sizes)
    assert sum(sizes.values()) == len(sample.store)
    told = describe_service(ENDPOINT, plain=False, writable=False, graphs=sizes, default_size=len(sample.store))
    store = ox.Store()
    store.extend(ox.Quad(*t) for t in told)
    found = store.query(f"SELECT ?name ?size WHERE {{ ?n <{SD}name> ?name ; <{SD}graph>/<{VOID}triples> ?size }}")
    assert isinstance(found, ox.QuerySolutions)
    assert {r["name"].value: int(r["size"].value) for r in found} == sizes
    unknown = describe_service(ENDPOINT, plain=False, writable=False, graphs=dict.fromkeys(sizes))
    assert values(unknown, SD + "name") == set(sizes)
    assert not values(unknown, VOID + "triples")


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # rdflib's own JSON-LD reader uses it
@pytest.mark.parametrize("form", [ox.RdfFormat.TURTLE, ox.RdfFormat.RDF_XML, ox.RdfFormat.JSON_LD])
def test_other_tools_read_it(form: ox.RdfFormat) -> None:
    told = describe_service(ENDPOINT, plain=False, writable=True, graphs={"https://w3id.org/whosays/graph/a": 3})
    body = ox.serialize(told, format=form, prefixes=dict(SERVICE_PREFIXES)) or b""
    name = {ox.RdfFormat.TURTLE: "turtle", ox.RdfFormat.RDF_XML: "xml", ox.RdfFormat.JSON_LD: "json-ld"}[form]
    graph = rdflib.Graph().parse(data=body, format=name)
    assert len(graph) == len(set(told))
    (service,) = graph.subjects(rdflib.URIRef(RDF + "type"), rdflib.URIRef(SD + "Service"))
    assert (service, rdflib.URIRef(SD + "endpoint"), rdflib.URIRef(ENDPOINT)) in graph


def test_the_same_is_told_in_the_same_order() -> None:
    graphs = {"https://w3id.org/whosays/graph/b": 2, "https://w3id.org/whosays/graph/a": None}
    once = describe_service(ENDPOINT, plain=False, writable=False, graphs=graphs)
    again = describe_service(ENDPOINT, plain=False, writable=False, graphs=dict(reversed(graphs.items())))
    assert once == again
