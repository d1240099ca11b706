"""The SPARQL endpoint over HTTP: protocol, formats, refusals. A real server, a real store."""

import json

import httpx
import pyoxigraph as ox
import pytest

from kg.sparql import check_query
from tests.conftest import RunningServer

SELECT = "SELECT ?holder WHERE { ?a ws:holder ?holder } ORDER BY ?holder LIMIT 3"
CONSTRUCT = "CONSTRUCT { ?a ws:holder ?h } WHERE { ?a ws:holder ?h } LIMIT 3"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def rows(answer: httpx.Response) -> list[dict[str, dict[str, str]]]:
    assert answer.status_code == 200, answer.text
    return list(json.loads(answer.text)["results"]["bindings"])


def test_get_and_both_kinds_of_post_give_the_same(server: RunningServer) -> None:
    got = rows(server.get("/sparql", params={"query": SELECT}))
    assert len(got) == 3
    assert rows(server.post("/sparql", data={"query": SELECT})) == got
    assert rows(server.post("/sparql", content=SELECT, headers={"Content-Type": "application/sparql-query"})) == got


@pytest.mark.parametrize(
    ("media_type", "form"),
    [
        ("application/sparql-results+json", ox.QueryResultsFormat.JSON),
        ("application/sparql-results+xml", ox.QueryResultsFormat.XML),
        ("text/tab-separated-values", ox.QueryResultsFormat.TSV),
    ],
)
def test_select_in_every_format(server: RunningServer, media_type: str, form: ox.QueryResultsFormat) -> None:
    answer = server.get("/sparql", params={"query": SELECT}, headers={"Accept": media_type})
    assert answer.headers["Content-Type"].startswith(media_type)
    solutions = ox.parse_query_results(answer.content, format=form)
    assert isinstance(solutions, ox.QuerySolutions)
    assert len(list(solutions)) == 3


def test_select_as_csv(server: RunningServer) -> None:
    answer = server.get("/sparql", params={"query": SELECT}, headers={"Accept": "text/csv"})
    lines = answer.text.splitlines()
    assert lines[0] == "holder"
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("media_type", "form"),
    [
        ("text/turtle", ox.RdfFormat.TURTLE),
        ("application/n-triples", ox.RdfFormat.N_TRIPLES),
        ("application/rdf+xml", ox.RdfFormat.RDF_XML),
        ("application/ld+json", ox.RdfFormat.JSON_LD),
    ],
)
def test_construct_in_every_format(server: RunningServer, media_type: str, form: ox.RdfFormat) -> None:
    answer = server.get("/sparql", params={"query": CONSTRUCT}, headers={"Accept": media_type})
    assert answer.headers["Content-Type"].startswith(media_type)
    assert len(list(ox.parse(answer.content, format=form))) == 3


@pytest.mark.parametrize(("form", "body"), [("json", '"boolean":true'), ("csv", "true"), ("xml", "<boolean>true")])
def test_ask(server: RunningServer, form: str, body: str) -> None:
    assert body in server.get("/sparql", params={"query": "ASK { ?s ?p ?o }", "format": form}).text.replace(" ", "")


def test_quality_values_are_weighed(server: RunningServer) -> None:
    headers = {"Accept": "text/csv;q=0.1, application/sparql-results+xml;q=0.9"}
    answer = server.get("/sparql", params={"query": SELECT}, headers=headers)
    assert answer.headers["Content-Type"].startswith("application/sparql-results+xml")


def test_what_nobody_offers_is_406_with_the_choice(server: RunningServer) -> None:
    answer = server.get("/sparql", params={"query": SELECT}, headers={"Accept": "image/png"})
    assert answer.status_code == 406
    assert "text/csv" in answer.text


def test_a_malformed_query_is_400_with_the_position(server: RunningServer) -> None:
    answer = server.get("/sparql", params={"query": "SELECT *\nWHERE { ?s ?p }"})
    assert answer.status_code == 400
    assert "2:" in answer.text
    assert "mend:" in answer.text


@pytest.mark.parametrize(
    ("status", "options"),
    [
        (400, {"data": {"query": ""}}),
        (400, {"data": {"update": "CLEAR ALL"}}),
        (400, {"data": {"query": "CLEAR ALL"}}),
        (400, {"data": {"query": "SELECT (<http://x.example/f>(1) AS ?x) {}"}}),
        (400, {"content": b"\xff", "headers": {"Content-Type": "application/sparql-query"}}),
        (415, {"content": SELECT, "headers": {"Content-Type": "text/plain"}}),
        (400, {"data": {"query": SELECT, "default-graph-uri": "not an iri"}}),
        (400, {"content": "query=ASK%7B%7D&query=ASK%7B%7D", "headers": FORM}),
        (413, {"content": "query=" + "x" * 1_100_000, "headers": FORM}),
    ],
)
def test_bad_requests_are_told_and_the_server_stays_up(
    server: RunningServer, status: int, options: dict[str, object]
) -> None:
    assert server.post("/sparql", **options).status_code == status
    assert rows(server.get("/sparql", params={"query": SELECT}))


def test_a_dataset_can_be_named(server: RunningServer) -> None:
    count = "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }"
    register = "https://w3id.org/whosays/graph/register"
    whole = rows(server.get("/sparql", params={"query": count}))[0]["n"]["value"]
    part = rows(server.get("/sparql", params={"query": count, "default-graph-uri": register}))[0]["n"]["value"]
    assert 0 < int(part) < int(whole)
    named = "SELECT DISTINCT ?g WHERE { GRAPH ?g { ?s ?p ?o } }"
    assert [
        r["g"]["value"] for r in rows(server.get("/sparql", params={"query": named, "named-graph-uri": register}))
    ] == [register]


def test_the_default_graph_is_the_union_without_duplicates(server: RunningServer) -> None:
    union = "SELECT (COUNT(*) AS ?n) WHERE { ?s ws:holder ?o }"
    each = "SELECT (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ws:holder ?o } }"
    assert rows(server.get("/sparql", params={"query": union})) == rows(server.get("/sparql", params={"query": each}))


def test_quotes_come_from_the_texts(server: RunningServer) -> None:
    query = (
        "SELECT (ws:quote(?p) AS ?q) WHERE { ?p a ws:Sentence ; ws:inDocument id:bridge-toll ; ws:sentenceNumber 1 }"
    )
    assert rows(server.get("/sparql", params={"query": query}))[0]["q"]["value"].startswith("Why Does the Bridge")


def test_reading_is_open_to_other_sites(server: RunningServer) -> None:
    answer = server.get("/sparql", params={"query": SELECT}, headers={"Origin": "https://example.org"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert server.ask("OPTIONS", "/sparql").status_code == 204


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }",
        "SELECT * { service silent <http://127.0.0.1:9/> { ?s ?p ?o } }",
        "SELECT * { SERVICE ?x { ?s ?p ?o } }",
        "SELECT * { ?s ?p 1SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }",
        "SELECT * { \\u0053ERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }",
        "SELECT * { # '\n SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }",
        "SELECT * { ?s ?p '\\'' SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } # '\n }",
        "SELECT * { ?s ?p ?o FILTER(?s < ?o) SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }",
    ],
)
def test_service_is_refused_however_it_is_written(server: RunningServer, query: str) -> None:
    answer = server.get("/sparql", params={"query": query})
    assert answer.status_code == 400
    assert "SERVICE" in answer.text or "parse" in answer.text


@pytest.mark.parametrize(
    "query", ['ASK { ?s ?p "SERVICE" }', "ASK { ?SERVICE ?p <http://x/SERVICE> } # SERVICE", "ASK { ex:SERVICE ?p ?o }"]
)
def test_the_word_alone_is_no_clause(query: str) -> None:
    check_query(query)
