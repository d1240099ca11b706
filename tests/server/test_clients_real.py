"""The clients that people have, unchanged, against real servers: SPARQLWrapper, rdflib, curl."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from xml.dom.minidom import Document

import pytest
import rdflib
from rdflib.plugins.stores.sparqlstore import SPARQLStore, SPARQLUpdateStore
from SPARQLWrapper import CSV, GET, JSON, JSONLD, N3, POST, POSTDIRECTLY, RDFXML, TSV, TURTLE, URLENCODED, XML
from SPARQLWrapper import SPARQLWrapper as Wrapper
from SPARQLWrapper.SPARQLExceptions import EndPointInternalError, QueryBadFormed, Unauthorized

from kg.names import ID, REGISTER_GRAPH, WS
from kg.settings import Settings
from tests.conftest import RunningServer
from tests.door import ServedDoor, serve_door
from tests.server.plain_server import PlainServer, serve_plain

SELECT = "SELECT ?s ?n { VALUES (?s ?n) { (<x:a> 1) (<x:b> 2) } } ORDER BY ?n"
CONSTRUCT = "CONSTRUCT { <x:a> <x:b> 1 , 'é'@fr } WHERE {}"
EXPECTED = rdflib.Graph().parse(data="<x:a> <x:b> 1 , 'é'@fr .", format="turtle")
pytestmark = pytest.mark.filterwarnings(
    "ignore:ConjunctiveGraph is deprecated", "ignore:.*default_context.*", "ignore:Dataset.contexts is deprecated"
)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainServer]:
    with serve_plain(tmp_path_factory.mktemp("clients"), "--writable") as served:
        yield served


@pytest.fixture(params=["plain", "server"])
def endpoint(request: pytest.FixtureRequest) -> str:
    return f"{request.getfixturevalue(request.param).address}/sparql"


# SPARQLWrapper.


def wrapper(endpoint: str, query: str, form: str = JSON, method: str = GET) -> Wrapper:
    made = Wrapper(endpoint)
    made.setQuery(query)
    made.setReturnFormat(form)
    made.setMethod(method)
    return made


@pytest.mark.parametrize("sending", [(GET, URLENCODED), (POST, URLENCODED), (POST, POSTDIRECTLY)])
@pytest.mark.parametrize("form", [JSON, XML, CSV, TSV])
def test_sparqlwrapper_reads_rows(endpoint: str, form: str, sending: tuple[str, str]) -> None:
    made = wrapper(endpoint, SELECT, form, sending[0])
    made.setRequestMethod(sending[1])
    got: Any = made.queryAndConvert()
    if form == JSON:
        found = [(row["s"]["value"], row["n"]["value"]) for row in got["results"]["bindings"]]
    elif form == XML:
        assert isinstance(got, Document)
        rows = got.getElementsByTagName("result")
        found = [tuple(b.firstChild.firstChild.data for b in r.getElementsByTagName("binding")) for r in rows]
    else:
        lines = got.decode().splitlines()[1:]
        found = [tuple(re.split("[,\t]", line.replace("<", "").replace(">", ""))) for line in lines]
    assert found == [("x:a", "1"), ("x:b", "2")]


@pytest.mark.parametrize("method", [GET, POST])
@pytest.mark.parametrize("form", [JSON, XML])
def test_sparqlwrapper_reads_truth(endpoint: str, form: str, method: str) -> None:
    got: Any = wrapper(endpoint, "ASK {}", form, method).queryAndConvert()
    if form == XML:
        assert got.getElementsByTagName("boolean")[0].firstChild.data == "true"
    else:
        assert got["boolean"] is True


@pytest.mark.parametrize("method", [GET, POST])
@pytest.mark.parametrize("form", [RDFXML, XML, TURTLE, N3, JSONLD])
def test_sparqlwrapper_reads_graphs(endpoint: str, form: str, method: str) -> None:
    got: Any = wrapper(endpoint, CONSTRUCT, form, method).queryAndConvert()
    graph = got if isinstance(got, rdflib.Graph) else rdflib.Graph().parse(data=got, format="turtle")
    assert set(graph) == set(EXPECTED)


def test_sparqlwrapper_names_graphs(plain: PlainServer) -> None:
    plain.update("INSERT DATA { GRAPH <x:g> { <x:in-g> a <x:T> } GRAPH <x:h> { <x:in-h> a <x:T> } }")
    made = wrapper(f"{plain.address}/sparql", "SELECT ?s { ?s a <x:T> }")
    made.addDefaultGraph("x:g")
    assert [row["s"]["value"] for row in cast(Any, made.queryAndConvert())["results"]["bindings"]] == ["x:in-g"]
    made = wrapper(f"{plain.address}/sparql", "SELECT ?s { GRAPH ?g { ?s a <x:T> } }")
    made.addNamedGraph("x:h")
    assert [row["s"]["value"] for row in cast(Any, made.queryAndConvert())["results"]["bindings"]] == ["x:in-h"]


def test_sparqlwrapper_is_told_what_is_wrong(endpoint: str) -> None:
    with pytest.raises(QueryBadFormed, match="does not parse"):
        wrapper(endpoint, "SELECT * { ?s ?p }").query()


def test_sparqlwrapper_updates(plain: PlainServer) -> None:
    for method in (URLENCODED, POSTDIRECTLY):
        made = Wrapper(f"{plain.address}/sparql", updateEndpoint=f"{plain.address}/update")
        made.setMethod(POST)
        made.setRequestMethod(method)
        made.setQuery(f"INSERT DATA {{ <x:wrapped> <x:by> '{method}' }}")
        made.query()
    assert sorted(plain.query("SELECT ?o { <x:wrapped> <x:by> ?o }")) == sorted([[URLENCODED], [POSTDIRECTLY]])


@pytest.fixture(scope="module")
def door(sample_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDoor]:
    with serve_door(sample_settings.store, tmp_path_factory.mktemp("wrapped")) as served:
        yield served


def test_sparqlwrapper_updates_with_a_token(door: ServedDoor) -> None:
    said = f'<{ID}wrapped> a <{WS}Issue> ; skos:prefLabel "wrapped"@en'
    text = f"INSERT DATA {{ GRAPH <{REGISTER_GRAPH}> {{ {said} }} }}"
    made = Wrapper(f"{door.address}/sparql", updateEndpoint=f"{door.address}/update")
    made.setMethod(POST)
    made.setQuery(text)
    with pytest.raises(Unauthorized):
        made.query()
    made.addCustomHttpHeader("Authorization", f"Bearer {door.secrets['cleo']}")
    assert made.query().response.status == 201
    assert door.rows("SELECT ?l { id:wrapped skos:prefLabel ?l }") == [["wrapped"]]


# rdflib.


def test_rdflib_reads(endpoint: str) -> None:
    for method in ("GET", "POST", "POST_FORM"):
        graph = rdflib.Graph(SPARQLStore(endpoint, method=method))
        assert [tuple(map(str, cast(Any, row))) for row in graph.query(SELECT)] == [("x:a", "1"), ("x:b", "2")]
        assert graph.query("ASK {}").askAnswer is True
        built = graph.query(CONSTRUCT).graph
        assert built is not None
        assert set(built) == set(EXPECTED)


@pytest.mark.parametrize("form", ["json", "xml", "csv", "tsv"])
def test_rdflib_reads_every_format(endpoint: str, form: str) -> None:
    graph = rdflib.Graph(SPARQLStore(endpoint, returnFormat=form))
    assert [str(cast(Any, row)[0]) for row in graph.query(SELECT)] == ["x:a", "x:b"]


def test_rdflib_reads_what_whosays_holds(server: RunningServer) -> None:
    graph = rdflib.Graph(SPARQLStore(f"{server.address}/sparql"))
    assertions = list(graph.subjects(rdflib.RDF.type, rdflib.URIRef(WS + "Assertion")))
    assert assertions
    assert (assertions[0], rdflib.RDF.type, rdflib.URIRef(WS + "Assertion")) in graph
    register = rdflib.Graph(SPARQLStore(f"{server.address}/sparql"), identifier=rdflib.URIRef(REGISTER_GRAPH))
    assert 0 < len(register) < len(list(graph.triples((None, None, None))))


@pytest.mark.parametrize("kind", ["POST", "POST_FORM"])
def test_rdflib_writes(plain: PlainServer, kind: str) -> None:
    plain.update("DROP ALL")
    endpoints = (f"{plain.address}/sparql", f"{plain.address}/update")
    store = SPARQLUpdateStore(*endpoints, method=kind, postAsEncoded=kind == "POST_FORM")
    dataset = rdflib.Dataset(store)
    one, two = (dataset.graph(rdflib.URIRef(f"http://example.org/{name}")) for name in ("one", "two"))
    a, b, c = (rdflib.URIRef(f"http://example.org/{name}") for name in "abc")
    one.add((a, b, rdflib.Literal('é "quoted"\n', lang="fr")))
    one.addN([(a, b, rdflib.Literal(n), one) for n in range(3)])
    two.add((a, b, c))
    assert (len(one), len(two)) == (4, 1)
    assert {str(name) for name in cast(Any, store.contexts())} == {"http://example.org/one", "http://example.org/two"}
    one.remove((a, b, rdflib.Literal(1)))
    one.set((a, c, rdflib.Literal("set")))
    assert set(one) == {
        (a, b, rdflib.Literal("é \"quoted\"\n", lang="fr")), (a, b, rdflib.Literal(0)), (a, b, rdflib.Literal(2)),
        (a, c, rdflib.Literal("set")),
    }  # fmt: skip
    store.update("DELETE WHERE { GRAPH <http://example.org/two> { ?s ?p ?o } }")
    assert len(two) == 0
    dataset.remove_graph(one)
    assert plain.query("SELECT * { GRAPH ?g { ?s ?p ?o } }") == []


# curl.

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def curl(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["curl", "-sS", *arguments], capture_output=True, text=True, timeout=60, check=True)


@needs_curl
def test_curl_keeps_its_connection(endpoint: str) -> None:
    urls = [a for n in range(5) for a in ("--data-urlencode", f"query=SELECT ({n} AS ?n) {{}}", endpoint, "--next")][
        :-1
    ]
    done = curl("-v", "--http1.1", "-H", "Accept: text/csv", *urls)
    assert done.stderr.count("Connected to") + done.stderr.count("Established connection") == 1
    assert len(re.findall("Re-using existing connection", done.stderr, re.IGNORECASE)) == 4


@needs_curl
def test_curl_reads_compressed_and_in_form(endpoint: str) -> None:
    plainly = curl("-G", "--data-urlencode", f"query={SELECT}", "-H", "Accept: text/csv", endpoint).stdout
    packed = curl("--compressed", "-G", "--data-urlencode", f"query={SELECT}", "-d", "format=csv", endpoint).stdout
    assert packed == plainly
    assert plainly.split() == ["s,n", "x:a,1", "x:b,2"]


@needs_curl
def test_curl_uploads_files(plain: PlainServer, tmp_path: Path) -> None:
    (tmp_path / "a.ttl").write_text("<x:curled> <x:n> 1 .", "utf-8")
    (tmp_path / "b.nt").write_text("<x:curled> <x:n> <x:m> .\n", "utf-8")
    store = f"{plain.address}/store?graph=http://example.org/curled"
    code = ("-o", str(tmp_path / "out"), "-w", "%{http_code}")
    assert curl(*code, "-T", str(tmp_path / "a.ttl"), "-H", "Content-Type: text/turtle", store).stdout == "201"
    chunked = ("-H", "Transfer-Encoding: chunked", "-H", "Content-Type: text/turtle")
    assert curl(*code, "-T", str(tmp_path / "a.ttl"), *chunked, store).stdout == "204"
    parts = (
        "-F",
        f"a=@{tmp_path / 'a.ttl'};type=text/turtle",
        "-F",
        f"b=@{tmp_path / 'b.nt'};type=application/n-triples",
    )
    assert curl(*code, *parts, store).stdout == "204"
    assert len(plain.graph("http://example.org/curled")) == 2
    large = "".join(f"<x:s{n}> <x:p> {n} .\n" for n in range(20_000))  # for this, curl expects 100 Continue
    (tmp_path / "c.nt").write_text(large.replace("<x:p> ", '<x:p> "').replace(" .\n", '" .\n'), "utf-8")
    nt = (
        "-H",
        "Content-Type: application/n-triples",
        "-H",
        "Expect: 100-continue",
        "--data-binary",
        f"@{tmp_path / 'c.nt'}",
    )
    assert curl(*code, "-X", "PUT", *nt, store).stdout == "204"
    assert len(plain.graph("http://example.org/curled")) == 20_000


def test_clients_that_are_refused_know_why(plain: PlainServer) -> None:
    """Nothing a client does by mistake is our fault in its eyes."""
    made = wrapper(f"{plain.address}/sparql", "SELECT (<http://x.example/f>() AS ?x) {}")
    with pytest.raises(Exception) as caught:  # noqa: PT011 - which kind is its own affair
        made.query()
    assert not isinstance(caught.value, EndPointInternalError)
