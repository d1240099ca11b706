"""The SPARQL 1.1 Protocol, to the letter: every test of the W3C by its name, in our words, then what it leaves out.

Source: https://www.w3.org/TR/sparql11-protocol/; https://github.com/w3c/rdf-tests (sparql11/protocol,
sparql11/service-description).
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pyoxigraph as ox
import pytest
import rdflib

from kg.names import CONTENTS_GRAPH, RDF, REGISTER_GRAPH
from server.service_description import SD
from tests.conftest import RunningServer
from tests.server.plain_server import PlainServer, alike, serve_plain

ONE, TWO, THREE = (f"http://example.org/graph/{n}" for n in ("one", "two", "three"))
OUT, NOWHERE = "http://example.org/graph/out", "http://example.org/graph/nowhere"
QUERY, UPDATE, FORM = "application/sparql-query", "application/sparql-update", "application/x-www-form-urlencoded"
JSON, XML = "application/sparql-results+json", "application/sparql-results+xml"
TYPED = "<{0}> a ?type{1}"
INSERT = f"INSERT {{ GRAPH <{OUT}> {{ ?s <http://example.org/is> <http://example.org/seen> }} }}"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainServer]:
    with serve_plain(tmp_path_factory.mktemp("protocol"), "--writable") as served:
        for graph in (ONE, TWO, THREE):
            served.update(f"INSERT DATA {{ GRAPH <{graph}> {{ <{graph}> a <http://example.org/Document> }} }}")
        served.update("INSERT DATA { <http://example.org/d> a <http://example.org/Document> }")
        yield served


@pytest.fixture
def out(plain: PlainServer) -> Iterator[str]:
    """A graph to write into."""
    yield OUT
    plain.update(f"DROP SILENT GRAPH <{OUT}>")


def direct(text: str | bytes, media_type: str = QUERY) -> dict[str, Any]:
    return {"content": text, "headers": {"Content-Type": media_type}}


def boolean(answer: httpx.Response) -> bool:
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["boolean"])


# The W3C's tests of queries.

IN_DEFAULT = f"ASK {{ <{ONE}> a ?x . <{TWO}> a ?y FILTER NOT EXISTS {{ <{THREE}> a ?z }} }}"
IN_NAMED = f"ASK {{ GRAPH ?g {{ <{ONE}> a ?x }} GRAPH ?h {{ <{TWO}> a ?y }} }}"
IN_BOTH = f"ASK {{ <{THREE}> a ?z GRAPH ?g {{ <{ONE}> a ?x }} GRAPH ?h {{ <{TWO}> a ?y }} }}"
DEFAULTS = {"default-graph-uri": [ONE, TWO]}
NAMED = {"named-graph-uri": [ONE, TWO]}
EMPTY = {"default-graph-uri": NOWHERE}

QUERIES: dict[str, tuple[str, dict[str, Any]]] = {
    "query_get": ("GET", {"params": {"query": "ASK {}", **EMPTY}}),
    "query_post_form": ("POST", {"params": EMPTY, "data": {"query": "ASK {}"}}),
    "query_post_direct": ("POST", direct("ASK {}")),
    "query_dataset_default_graphs_get": ("GET", {"params": {"query": IN_DEFAULT, **DEFAULTS}}),
    "query_dataset_default_graphs_post": ("POST", {"params": DEFAULTS, **direct(IN_DEFAULT)}),
    "query_dataset_default_graphs_form": ("POST", {"data": {"query": IN_DEFAULT, **DEFAULTS}}),
    "query_dataset_named_graphs_get": ("GET", {"params": {"query": IN_NAMED, **NAMED}}),
    "query_dataset_named_graphs_post": ("POST", {"params": NAMED, **direct(IN_NAMED)}),
    "query_dataset_full": ("POST", {"params": {"default-graph-uri": THREE, **NAMED}, **direct(IN_BOTH)}),
    "query_multiple_dataset": (
        "POST", {"params": NAMED, **direct(IN_NAMED.replace("ASK", f"ASK FROM <{THREE}> FROM NAMED <{THREE}>"))},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", QUERIES)
def test_w3c_query(plain: PlainServer, name: str) -> None:
    method, options = QUERIES[name]
    assert boolean(plain.ask(method, "/sparql", **options))


@pytest.mark.parametrize(
    ("name", "query", "media_type"),
    [
        ("query_content_type_select", "SELECT (1 AS ?value) {}", JSON),
        ("query_content_type_ask", "ASK {}", JSON),
        ("query_content_type_describe", "DESCRIBE <http://example.org/>", "text/turtle; charset=utf-8"),
        ("query_content_type_construct", "CONSTRUCT { <s> <p> 1 } WHERE {}", "text/turtle; charset=utf-8"),
    ],
)
def test_w3c_content_type(plain: PlainServer, name: str, query: str, media_type: str) -> None:
    answer = plain.ask("POST", "/sparql", params=EMPTY, **direct(query))
    assert (name, answer.status_code, answer.headers["Content-Type"]) == (name, 200, media_type)


CONFLICT = f"WITH <{ONE}> DELETE {{ ?s a 1 }} WHERE {{ ?s a 1 }}"
BAD: dict[str, tuple[int, str, str, dict[str, Any]]] = {
    "bad_query_method": (405, "PUT", "/sparql", {"params": {"query": "ASK {}"}}),
    "bad_multiple_queries": (400, "GET", "/sparql", {"params": {"query": ["ASK {}", "SELECT * {}"]}}),
    "bad_query_wrong_media_type": (415, "POST", "/sparql", direct("ASK {}", "text/plain")),
    "bad_query_missing_form_type": (415, "POST", "/sparql", {"content": "query=ASK%20%7B%7D"}),
    "bad_query_missing_direct_type": (415, "POST", "/sparql", {"content": "ASK {}"}),
    "bad_query_non_utf8": (400, "POST", "/sparql", direct("ASK {}".encode("utf-16"), f"{QUERY}; charset=UTF-16")),
    "bad_query_syntax": (400, "GET", "/sparql", {"params": {"query": "ASK {"}}),
    "bad_update_get": (405, "GET", "/update", {"params": {"update": "CLEAR ALL"}}),
    "bad_multiple_updates": (400, "POST", "/update", {"data": {"update": ["CLEAR NAMED", "CLEAR DEFAULT"]}}),
    "bad_update_wrong_media_type": (415, "POST", "/update", direct("CLEAR NAMED", "text/plain")),
    "bad_update_missing_form_type": (415, "POST", "/update", {"content": "update=CLEAR%20NAMED"}),
    "bad_update_non_utf8": (400, "POST", "/update", direct("CLEAR ALL".encode("utf-16"), f"{UPDATE}; charset=UTF-16")),
    "bad_update_syntax": (400, "POST", "/update", {"data": {"update": "CLEAR XYZ"}}),
    "bad_update_dataset_conflict": (
        400, "POST", "/update",
        {"params": {"using-named-graph-uri": ONE}, **direct(CONFLICT, UPDATE)},
    ),
    # What the W3C has no test for.
    "twice in address and form": (400, "POST", "/sparql", {"params": {"query": "ASK {}"}, "data": {"query": "ASK {}"}}),
    "in address and body": (400, "POST", "/sparql", {"params": {"query": "ASK {}"}, **direct("ASK {}")}),
    "query and update": (400, "POST", "/sparql", {"data": {"query": "ASK {}", "update": "CLEAR ALL"}}),
    "update at the address of queries": (400, "POST", "/sparql", {"data": {"update": "CLEAR ALL"}}),
    "update by its type at the address of queries": (415, "POST", "/sparql", direct("CLEAR ALL", UPDATE)),
    "update asked by GET of queries": (400, "GET", "/sparql", {"params": {"update": "CLEAR ALL"}}),
    "query at the address of updates": (400, "POST", "/update", {"data": {"query": "ASK {}"}}),
    "query by its type at the address of updates": (415, "POST", "/update", direct("ASK {}", QUERY)),
    "an update as a query": (400, "POST", "/sparql", direct("CLEAR ALL")),
    "a query as an update": (400, "POST", "/update", direct("ASK {}", UPDATE)),
    "empty query": (400, "GET", "/sparql", {"params": {"query": ""}}),
    "empty body": (400, "POST", "/sparql", direct("")),
    "no query but a dataset": (400, "GET", "/sparql", {"params": EMPTY}),
    "nothing posted": (415, "POST", "/sparql", {}),
    "nothing posted as an update": (415, "POST", "/update", {}),
    "graph that is no IRI": (400, "GET", "/sparql", {"params": {"query": "ASK {}", "default-graph-uri": "no iri"}}),
    "dataset of updates for a query": (400, "GET", "/sparql", {"params": {"query": "ASK {}", "using-graph-uri": ONE}}),
    "dataset of queries for an update": (
        400, "POST", "/update", {"data": {"update": "CLEAR ALL", "default-graph-uri": ONE}},
    ),
    "body that is not UTF-8": (400, "POST", "/sparql", direct(b"ASK { <a> <b> '\xff' }")),
    "form that is not UTF-8": (400, "POST", "/sparql", direct("query=%FF", FORM)),
    "form in Latin-1": (400, "POST", "/sparql", direct("query=ASK+%7B%7D", f"{FORM}; charset=iso-8859-1")),
    "too large": (413, "POST", "/sparql", direct("ASK {} #" + "x" * 3_200_000)),
    "longer than is taken": (413, "POST", "/sparql", direct("ASK {} #" + "x" * 1_100_000)),
    "SERVICE": (400, "GET", "/sparql", {"params": {"query": "ASK { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }"}}),
    "LOAD": (400, "POST", "/update", {"data": {"update": "LOAD <http://127.0.0.1:9/>"}}),
    "unknown function": (400, "GET", "/sparql", {"params": {"query": "SELECT (<http://x.example/f>(1) AS ?x) {}"}}),
    "nothing acceptable": (406, "GET", "/sparql", {"params": {"query": "ASK {}"}, "headers": {"Accept": "image/png"}}),
    "graph wanted, table offered": (
        406, "GET", "/sparql", {"params": {"query": "DESCRIBE <a>"}, "headers": {"Accept": "text/csv"}},
    ),
    "format that nobody has": (406, "GET", "/sparql", {"params": {"query": "ASK {}", "format": "nonsense"}}),
    "deadline that is none": (400, "GET", "/sparql", {"params": {"query": "ASK {}", "timeout": "soon"}}),
    "PATCH": (405, "PATCH", "/sparql", direct("ASK {}")),
    "DELETE": (405, "DELETE", "/sparql", {}),
    "PUT of an update": (405, "PUT", "/update", direct("CLEAR ALL", UPDATE)),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_w3c_bad(plain: PlainServer, name: str) -> None:
    status, method, path, options = BAD[name]
    boolean(plain.ask("GET", "/sparql", params={"query": "ASK {}"}))  # a kept answer is none to what is wrong
    answer = plain.ask(method, path, **options)
    assert answer.status_code == status, answer.text
    assert "mend: " in answer.text
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    if status == 405:
        allowed = {"/sparql": {"GET", "HEAD", "POST", "OPTIONS"}, "/update": {"POST", "OPTIONS"}}[path]
        assert set(answer.headers["Allow"].split(", ")) == allowed
    assert boolean(plain.ask("GET", "/sparql", params={"query": IN_DEFAULT, **DEFAULTS}))


# The W3C's tests of updates.

UPDATES: dict[str, tuple[dict[str, Any], str, set[str]]] = {
    "update_dataset_default_graph": ({"using-graph-uri": ONE}, "?s a ?t", {ONE}),
    "update_dataset_default_graphs": ({"using-graph-uri": [ONE, TWO]}, "?s a ?t", {ONE, TWO}),
    "update_dataset_named_graphs": ({"using-named-graph-uri": [ONE, TWO]}, "GRAPH ?g { ?s a ?t }", {ONE, TWO}),
    "update_dataset_full": (
        {"using-graph-uri": ONE, "using-named-graph-uri": TWO},
        "{ ?s a ?t } UNION { GRAPH ?g { ?s a ?t } }",
        {ONE, TWO},
    ),
    "no default graph where only named ones are given": ({"using-named-graph-uri": ONE}, "?s a ?t", set()),
    "the default graph as it is stored": ({}, "?s a ?t", {"http://example.org/d"}),
}  # fmt: skip


@pytest.mark.parametrize("form", [True, False], ids=["form", "direct"])
@pytest.mark.parametrize("name", UPDATES)
def test_w3c_update_dataset(plain: PlainServer, out: str, name: str, form: bool) -> None:
    dataset, pattern, seen = UPDATES[name]
    text = f"CLEAR SILENT GRAPH <{out}> ; {INSERT} WHERE {{ {pattern} }}"
    options = {"data": {"update": text, **dataset}} if form else {"params": dataset, **direct(text, UPDATE)}
    assert plain.ask("POST", "/update", **options).status_code == 204
    assert {row[0] for row in plain.query(f"SELECT ?s {{ GRAPH <{out}> {{ ?s ?p ?o }} }}")} == seen


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("update_post_form", {"data": {"update": f"CLEAR SILENT GRAPH <{OUT}>"}}),
        ("update_post_direct", direct(f"CLEAR SILENT GRAPH <{OUT}>", UPDATE)),
        ("update_post_direct_charset", direct(f"CLEAR SILENT GRAPH <{OUT}> # ü", f"{UPDATE}; charset=UTF-8")),
    ],
)
def test_w3c_update_post(plain: PlainServer, out: str, name: str, options: dict[str, Any]) -> None:
    plain.update(f"INSERT DATA {{ GRAPH <{out}> {{ <http://example.org/{name}> a 1 }} }}")
    answer = plain.ask("POST", "/update", **options)
    assert (answer.status_code, answer.content) == (204, b"")
    assert plain.query(f"SELECT * {{ GRAPH <{out}> {{ ?s ?p ?o }} }}") == []


def test_w3c_update_base_uri(plain: PlainServer, out: str) -> None:
    """What is relative is relative to the address that it was sent to, as in queries."""
    plain.update(f"INSERT DATA {{ GRAPH <{out}> {{ <x:s> <x:p> <test> }} }}")
    assert plain.query(f"SELECT ?o {{ GRAPH <{out}> {{ ?s ?p ?o }} }}") == [[f"{plain.address}/test"]]
    assert plain.query("SELECT (<test> AS ?o) {}") == [[f"{plain.address}/test"]]
    assert plain.query("BASE <http://example.org/> SELECT (<test> AS ?o) {}") == [["http://example.org/test"]]


def test_the_base_of_an_answer_that_is_kept_is_the_address_it_was_asked_at(plain: PlainServer) -> None:
    query = {"query": "SELECT (<test> AS ?o) {}", "format": "csv"}
    for host in ("one.example", "two.example", "one.example"):
        answer = plain.ask("GET", "/sparql", params=query, headers={"Host": host})
        assert answer.text.splitlines() == ["o", f"http://{host}/test"]


def test_operations_of_one_update_follow_each_other_and_are_done_together(plain: PlainServer, out: str) -> None:
    first = f"INSERT DATA {{ GRAPH <{out}> {{ <x:a> <x:n> 1 }} }}"
    then = f"WITH <{out}> DELETE {{ ?s <x:n> ?n }} INSERT {{ ?s <x:n> ?m }} WHERE {{ ?s <x:n> ?n BIND(?n + 1 AS ?m) }}"
    plain.update(f"{first} ; {then} ; {then}")
    assert plain.query(f"SELECT ?n {{ GRAPH <{out}> {{ ?s <x:n> ?n }} }}") == [["3"]]
    for failing in (f"{then} ; CREATE GRAPH <{out}>", f"{then} ; CLEAR XYZ"):
        assert plain.ask("POST", "/update", data={"update": failing}).status_code == 400
        assert plain.query(f"SELECT ?n {{ GRAPH <{out}> {{ ?s <x:n> ?n }} }}") == [["3"]]


def test_an_empty_update_is_one(plain: PlainServer) -> None:
    assert plain.update("").status_code == 204


# The dataset.


def test_graphs_that_are_not_named_are_not_seen(plain: PlainServer) -> None:
    names = "SELECT ?g { GRAPH ?g { ?s ?p ?o } } ORDER BY ?g"
    assert plain.query(names) == [[ONE], [THREE], [TWO]]
    assert plain.query(names, **{"named-graph-uri": ONE}) == [[ONE]]
    assert plain.query(names, **{"default-graph-uri": ONE}) == []
    assert plain.query(f"SELECT ?g FROM <{ONE}> {{ GRAPH ?g {{ ?s ?p ?o }} }}") == []
    assert plain.query(f"SELECT ?g FROM NAMED <{TWO}> {{ GRAPH ?g {{ ?s ?p ?o }} }}") == [[TWO]]


def test_the_request_overrides_the_query(plain: PlainServer) -> None:
    query = f"SELECT ?s FROM <{ONE}> {{ ?s ?p ?o }}"
    assert plain.query(query) == [[ONE]]
    assert plain.query(query, **{"default-graph-uri": TWO}) == [[TWO]]
    assert plain.query(query, **{"named-graph-uri": TWO}) == []
    assert sorted(plain.query(query, **{"default-graph-uri": [TWO, THREE]})) == [[THREE], [TWO]]


def test_the_default_graph_is_the_stored_one(plain: PlainServer) -> None:
    assert plain.query("SELECT ?s { ?s ?p ?o }") == [["http://example.org/d"]]


# Media types.

SELECT = "SELECT ?s ?n { VALUES (?s ?n) { (<x:a> 1) (<x:b> UNDEF) (<x:c> 'é,\"\\t') } }"
CONSTRUCT = "CONSTRUCT { <x:a> <x:b> 1 , 'é'@fr , <x:c> } WHERE {}"
RESULTS = {
    JSON: ox.QueryResultsFormat.JSON, "application/json": ox.QueryResultsFormat.JSON,
    XML: ox.QueryResultsFormat.XML, "application/xml": ox.QueryResultsFormat.XML,
    "text/tab-separated-values": ox.QueryResultsFormat.TSV,
}  # fmt: skip
GRAPHS = {
    "text/turtle": ox.RdfFormat.TURTLE, "application/n-triples": ox.RdfFormat.N_TRIPLES,
    "text/plain": ox.RdfFormat.N_TRIPLES, "application/rdf+xml": ox.RdfFormat.RDF_XML,
    "application/ld+json": ox.RdfFormat.JSON_LD,
}  # fmt: skip
SHORT = {
    "json": JSON, "xml": XML, "csv": "text/csv", "tsv": "text/tab-separated-values", "ttl": "text/turtle",
    "nt": "application/n-triples", "rdf": "application/rdf+xml", "jsonld": "application/ld+json",
}  # fmt: skip
WITH_CHARSET = ("text/csv", "text/tab-separated-values", "text/turtle", "text/plain")


@pytest.mark.parametrize("media_type", RESULTS)
def test_rows_in_every_format(plain: PlainServer, media_type: str) -> None:
    answer = plain.ask("POST", "/sparql", data={"query": SELECT}, headers={"Accept": media_type})
    assert answer.headers["Content-Type"] == media_type + "; charset=utf-8" * (media_type in WITH_CHARSET)
    solutions = ox.parse_query_results(answer.content, format=RESULTS[media_type])
    assert isinstance(solutions, ox.QuerySolutions)
    rows = [(row["s"].value, row["n"].value if row["n"] is not None else None) for row in solutions]
    assert rows == [("x:a", "1"), ("x:b", None), ("x:c", 'é,"\t')]


def test_rows_as_csv(plain: PlainServer) -> None:
    answer = plain.ask("POST", "/sparql", data={"query": SELECT}, headers={"Accept": "text/csv"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert b"\r\n" in answer.content
    rows = list(csv.reader(io.StringIO(answer.text, newline="")))
    assert rows == [["s", "n"], ["x:a", "1"], ["x:b", ""], ["x:c", 'é,"\t']]


@pytest.mark.parametrize("media_type", [JSON, XML])
def test_truth_in_every_format(plain: PlainServer, media_type: str) -> None:
    for query, truth in (("ASK {}", True), ("ASK { FILTER(false) }", False)):
        answer = plain.ask("GET", "/sparql", params={"query": query}, headers={"Accept": media_type})
        assert bool(ox.parse_query_results(answer.content, format=RESULTS[media_type])) is truth


@pytest.mark.parametrize("query", [CONSTRUCT, "DESCRIBE <http://example.org/d>"])
@pytest.mark.parametrize("media_type", GRAPHS)
def test_statements_in_every_format(plain: PlainServer, media_type: str, query: str) -> None:
    answer = plain.ask("GET", "/sparql", params={"query": query}, headers={"Accept": media_type})
    assert answer.headers["Content-Type"] == media_type + "; charset=utf-8" * (media_type in WITH_CHARSET)
    expected = (
        "<x:a> <x:b> 1 , 'é'@fr , <x:c> ."
        if query == CONSTRUCT
        else "<http://example.org/d> a <http://example.org/Document> ."
    )
    assert alike(answer.content, GRAPHS[media_type]) == alike(expected)


@pytest.mark.parametrize("short", SHORT)
def test_the_format_may_stand_in_the_address_or_the_form(plain: PlainServer, short: str) -> None:
    query = CONSTRUCT if short in ("ttl", "nt", "rdf", "jsonld") else SELECT
    for form in (short, SHORT[short], f"{SHORT[short]}; charset=utf-8"):
        for method, options in (
            ("GET", {"params": {"query": query, "format": form}}),
            ("POST", {"data": {"query": query, "format": form}}),
        ):
            answer = plain.ask(method, "/sparql", headers={"Accept": "image/png"}, **options)
            assert answer.status_code == 200, answer.text
            assert answer.headers["Content-Type"].partition(";")[0] == SHORT[short]


@pytest.mark.parametrize(
    ("accept", "rows", "graph"),
    [
        (None, JSON, "text/turtle"),
        ("*/*", JSON, "text/turtle"),
        (f"{XML};q=0.9, text/csv;q=0.1", XML, None),
        (f"text/csv;q=0.1, {XML}; q=0.9, text/turtle", XML, "text/turtle"),
        ("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", "application/xml", "text/turtle"),
        (f"{JSON}, application/n-triples;q=0.5", JSON, "application/n-triples"),
        ("application/n-triples, text/turtle;q=0.9", None, "application/n-triples"),
        (f"{JSON};q=0, application/json;q=0, */*", XML, "text/turtle"),
        ("Text/Turtle; Charset=UTF-8, Application/SPARQL-Results+XML; version=1.2", XML, "text/turtle"),
        ("text/turtle;version=1.2;q=0.5, application/ld+json; profile=\"a,b\";q=0.6", None, "application/ld+json"),
        ("nonsense", None, None),
        ("", JSON, "text/turtle"),
    ],
)  # fmt: skip
def test_what_is_accepted_is_weighed(
    plain: PlainServer, accept: str | None, rows: str | None, graph: str | None
) -> None:
    for query, expected in ((SELECT, rows), (CONSTRUCT, graph)):
        request = plain.client.build_request("GET", plain.address + "/sparql", params={"query": query})
        del request.headers["Accept"]
        if accept is not None:
            request.headers["Accept"] = accept
        answer = plain.client.send(request)
        if expected is None:
            assert answer.status_code == 406
        else:
            assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (200, expected)


def test_problems_are_told_in_json_too(plain: PlainServer) -> None:
    for path, accept in (("/sparql", JSON), ("/sparql", "application/json"), ("/update", "application/problem+json")):
        answer = plain.ask("POST", path, headers={"Accept": accept, **direct("?")["headers"]}, content="?")
        told = json.loads(answer.text)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert told["status"] == answer.status_code
        assert told["title"]
        assert told["detail"]


def test_browsers_are_told_of_problems_in_words(plain: PlainServer) -> None:
    for method, path, status in (("GET", "/nothing", 404), ("GET", "/update", 405), ("POST", "/update", 415)):
        answer = plain.ask(method, path, headers={"Accept": "text/html"})
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/plain; charset=utf-8")


# SPARQL 1.2.


def test_triple_terms_pass_through(plain: PlainServer, out: str) -> None:
    said = f"<x:r> <{RDF}reifies> <<( <x:a> <x:b> <<( <x:c> <x:d> 'e'@en--ltr )>> )>> ."
    plain.update(f"INSERT DATA {{ GRAPH <{out}> {{ {said} }} }}")
    assert plain.graph(out) == alike(said)
    text = f"SELECT ?t (OBJECT(?t) AS ?o) {{ GRAPH <{out}> {{ ?r ?p ?t }} }}"
    for media_type in (JSON, XML, "text/tab-separated-values"):
        answer = plain.ask("GET", "/sparql", params={"query": text}, headers={"Accept": media_type})
        solutions = ox.parse_query_results(answer.content, format=RESULTS[media_type])
        assert isinstance(solutions, ox.QuerySolutions)
        (row,) = solutions
        assert str(row["t"]) == '<x:a> <x:b> <<( <x:c> <x:d> "e"@en--ltr )>>'
        assert str(row["o"]) == '<x:c> <x:d> "e"@en--ltr'
    for media_type in ("text/turtle", "application/n-triples"):
        parameters = {"query": f"CONSTRUCT {{ ?s ?p ?o }} {{ GRAPH <{out}> {{ ?s ?p ?o }} }}"}
        answer = plain.ask("GET", "/sparql", params=parameters, headers={"Accept": media_type})
        assert alike(answer.content, GRAPHS[media_type]) == alike(said)


# HEAD, OPTIONS, other sites, compression.

SAME = ("Content-Type", "Content-Length", "Content-Encoding", "ETag", "Vary", "Cache-Control")


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
@pytest.mark.parametrize("query", ["ASK {}", "SELECT (RAND() * 0 AS ?r) {}", CONSTRUCT, "SELECT * {", ""])
def test_head_is_get_without_a_body(plain: PlainServer, query: str, encoding: str) -> None:
    options = {"params": {"query": query} if query else {}, "headers": {"Accept-Encoding": encoding}}
    told = plain.ask("HEAD", "/sparql", **options)
    for _ in range(2):
        got = plain.ask("GET", "/sparql", **options)
        assert told.status_code == got.status_code
        assert told.content == b""
        assert [told.headers.get(n) for n in SAME] == [got.headers.get(n) for n in SAME]
        told = plain.ask("HEAD", "/sparql", **options)


def test_answers_are_compressed_for_whoever_takes_that(plain: PlainServer) -> None:
    query = f"SELECT ?x {{ VALUES ?x {{ {' '.join(map(str, range(5_000)))} }} }}"
    unpacked = plain.ask("POST", "/sparql", data={"query": query}, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in unpacked.headers
    for encoding in ("gzip", "br, gzip;q=0.5", "*"):
        with plain.client.stream(
            "POST", plain.address + "/sparql", data={"query": query}, headers={"Accept-Encoding": encoding}
        ) as answer:
            raw = b"".join(answer.iter_raw())
        assert answer.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(raw) == unpacked.content
        assert len(raw) < len(unpacked.content) / 2
        assert {v.strip() for v in answer.headers["Vary"].split(",")} == {"Accept", "Accept-Encoding"}
    for encoding in ("gzip;q=0", "br", "", "identity, *;q=0"):
        answer = plain.ask("POST", "/sparql", data={"query": query}, headers={"Accept-Encoding": encoding})
        assert "Content-Encoding" not in answer.headers
        assert answer.content == unpacked.content


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/sparql", "GET HEAD POST OPTIONS"),
        ("/update", "POST OPTIONS"),
        ("/store", "GET HEAD PUT POST DELETE OPTIONS"),
        ("/store/any/graph", "GET HEAD PUT POST DELETE OPTIONS"),
        ("/healthz", "GET HEAD OPTIONS"),
        ("/running/7f", "DELETE OPTIONS"),
        ("/", "GET HEAD OPTIONS"),
    ],
)
def test_options_tells_the_methods_and_lets_other_sites_read(plain: PlainServer, path: str, methods: str) -> None:
    headers = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST"}
    answer = plain.ask("OPTIONS", path, headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert set(answer.headers["Allow"].split(", ")) == set(methods.split())
    if path not in ("/sparql", "/store", "/store/any/graph"):
        assert "Access-Control-Allow-Methods" not in answer.headers
        return
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    reading = {"GET", "HEAD", "POST"} if path == "/sparql" else {"GET", "HEAD"}
    assert set(answer.headers["Access-Control-Allow-Methods"].split(", ")) == reading
    assert {"Content-Type", "Accept"} <= set(answer.headers["Access-Control-Allow-Headers"].split(", "))


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://example.org"},
        {"Origin": "null"},
        {"Host": "rebound.example:80"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_pages_of_other_sites_do_not_write(plain: PlainServer, headers: dict[str, str]) -> None:
    """No token is asked for, so a page anywhere could send a form to this machine."""
    before = plain.ask("GET", "/store?default").content
    for path, method in (("/update", "POST"), ("/store?default", "DELETE")):
        assert plain.ask(method, path, data={"update": "DROP ALL"}, headers=headers).status_code == 403
    assert plain.ask("GET", "/store?default").content == before


def test_other_sites_may_read_whatever_the_answer(plain: PlainServer) -> None:
    origin = {"Origin": "https://example.org"}
    for query in ("ASK {}", "ASK {}", "SELECT (NOW() AS ?now) {}", "ASK {", ""):
        answer = plain.ask("GET", "/sparql", params={"query": query} if query else {}, headers=origin)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_what_is_no_http_address_is_refused_in_words(plain: PlainServer) -> None:
    host, port = plain.address.removeprefix("http://").split(":")
    for path in ("/sparql?query=\xff", "/store?graph=\xff", "/store/\xff", "/update?x=\xff", "/nothing?\xff"):
        with socket.create_connection((host, int(port)), 10) as connection:
            head = f"PUT {path} HTTP/1.1\r\nHost: x.example\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            connection.sendall(head.encode("latin-1"))
            status = int(connection.makefile("rb").readline().split()[1])
        assert 400 <= status < 500, path


# Service description.


@pytest.fixture(params=["plain", "server"])
def endpoint(request: pytest.FixtureRequest) -> str:
    return f"{request.getfixturevalue(request.param).address}/sparql"


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # rdflib's own JSON-LD reader uses it
@pytest.mark.parametrize("form", ["turtle", "xml", "json-ld", "nt"])
def test_w3c_service_description(endpoint: str, form: str) -> None:
    """returns-rdf, has-endpoint-triple, conforms-to-schema."""
    media_type = {"turtle": "text/turtle", "xml": "application/rdf+xml", "json-ld": "application/ld+json"}.get(
        form, "application/n-triples"
    )
    answer = httpx.get(endpoint, headers={"Accept": media_type})
    assert answer.headers["Content-Type"].partition(";")[0] == media_type
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    graph = rdflib.Graph().parse(data=answer.content, format=form)
    sd = rdflib.Namespace(SD)
    (described,) = graph.subjects(rdflib.RDF.type, sd.Service)
    assert list(graph.objects(described, sd.endpoint)) == [rdflib.URIRef(endpoint)]
    assert sd.SPARQL11Query in set(graph.objects(described, sd.supportedLanguage))
    known = {"Service", "Dataset", "Graph", "NamedGraph", "GraphCollection", "Function"}
    types = {str(o).removeprefix(SD) for o in graph.objects(None, rdflib.RDF.type) if str(o).startswith(SD)}
    assert types <= known
    union = sd.UnionDefaultGraph in set(graph.objects(described, sd.feature))
    count = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
    asked = [httpx.get(endpoint, params={"query": q, "format": "csv"}).text for q in (
        count, "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }",
    )]  # fmt: skip
    assert union is (asked[0] == asked[1])


def test_the_description_names_only_formats_that_can_be_had(plain: PlainServer) -> None:
    told = plain.ask("GET", "/sparql", headers={"Accept": "application/n-triples"}).text
    assert "SPARQL11Update" in told
    assert "BasicFederatedQuery" not in told
    assert "UnionDefaultGraph" not in told


# The same, where whosays serves its own graph.

WHOSAYS = {name: case for name, case in BAD.items() if case[2] == "/sparql"}


@pytest.mark.parametrize("name", WHOSAYS)
def test_w3c_bad_where_whosays_serves(server: RunningServer, name: str) -> None:
    status, method, path, options = BAD[name]
    answer = server.ask(method, path, **options)
    assert answer.status_code == status, answer.text
    assert "mend: " in answer.text


def test_datasets_where_whosays_serves(server: RunningServer) -> None:
    register, other = REGISTER_GRAPH, CONTENTS_GRAPH
    count, named = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", "SELECT (COUNT(DISTINCT ?g) AS ?n) { GRAPH ?g { ?s ?p ?o } }"

    def number(query: str, **parameters: Any) -> int:
        answer = server.get("/sparql", params={"query": query, "format": "csv", **parameters})
        return int(answer.text.splitlines()[1])

    part = number(count, **{"default-graph-uri": register})
    assert 0 < part < number(count)
    assert number(count.replace("{", f"FROM <{register}> {{", 1)) == part
    assert number(count.replace("{", f"FROM <{other}> {{", 1), **{"default-graph-uri": register}) == part
    assert number(named, **{"named-graph-uri": [register, other]}) == 2 < number(named)
    assert number(named, **{"default-graph-uri": register}) == 0
    assert number(count, **{"named-graph-uri": register}) == 0
