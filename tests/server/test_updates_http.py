"""Updates and the graph store through the door: judged, told, seen at once, undone; and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pyoxigraph as ox
import pytest

from kg.names import (
    CONTENTS_GRAPH,
    ID,
    INFERRED_GRAPH,
    ONTOLOGY_GRAPH,
    PROVENANCE_GRAPH,
    REGISTER_GRAPH,
    SH,
    SKOS,
    WS,
    document_graph,
)
from kg.settings import Settings
from tests.additions import REPLY, REPLY_GRAPH, addition, quads_of
from tests.door import ServedDoor, serve_door

QUERY, UPDATE, FORM = "application/sparql-query", "application/sparql-update", "application/x-www-form-urlencoded"
LABEL = f"{SKOS}prefLabel"


@pytest.fixture(scope="module")
def door(sample_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDoor]:
    with serve_door(sample_settings.store, tmp_path_factory.mktemp("updates")) as served:
        yield served


@pytest.fixture(autouse=True)
def nothing_is_left(door: ServedDoor) -> Iterator[None]:
    """What a test has published is taken back, and nothing lies about."""
    before, first = door.state(), len(door.numbers())
    yield
    for number in door.numbers()[: first - 1 : -1]:
        door.ask("POST", f"/changes/{number}/undo", by="cleo")
    ignored = {PROVENANCE_GRAPH}
    changed = {q for q in door.state() ^ before if str(q.graph_name).strip("<>") not in ignored}
    assert not changed
    assert door.leftovers() == []


def update(door: ServedDoor, text: str, by: str | None = "cleo", **options: Any) -> httpx.Response:
    return door.ask("POST", "/update", text.encode(), by=by, form=UPDATE, **options)


def issue(name: str, label: str = "a matter") -> str:
    return f'id:{name} a ws:Issue ; skos:prefLabel "{label}"@en .'


def insert(name: str) -> str:
    return f"INSERT DATA {{ GRAPH <{REGISTER_GRAPH}> {{ {issue(name)} }} }}"


def is_there(door: ServedDoor, name: str) -> bool:
    answer = door.ask("POST", "/sparql", f"ASK {{ id:{name} a ws:Issue }}".encode(), form=QUERY)
    return bool(answer.json()["boolean"])


@pytest.mark.parametrize("path", ["/update", f"/store?graph={REGISTER_GRAPH}", "/graph/register"])
def test_writing_needs_a_token_of_a_curator(door: ServedDoor, path: str) -> None:
    before = door.state()
    sent: dict[str, tuple[bytes, str]] = {
        "/update": (insert("no-token").encode(), UPDATE), "/graph/register": (b"", "text/turtle"),
    }  # fmt: skip
    body, form = sent.get(path, (b"", "text/turtle"))
    for method in ("POST",) if path == "/update" else ("PUT", "POST", "DELETE"):
        without = door.ask(method, path, body, form=form)
        assert without.status_code == 401
        assert without.headers["WWW-Authenticate"].startswith("Bearer")
        wrong = door.ask(method, path, body, form=form, headers={"Authorization": "Bearer whosays_0_0"})
        assert wrong.status_code == 401
        assert door.ask(method, path, body, form=form, by="anna").status_code == 403
    assert door.state() == before


@pytest.mark.parametrize("kind", ["direct", "form", "in the address"])
def test_an_update_is_there_for_the_very_next_reader_told_and_undone(door: ServedDoor, kind: str) -> None:
    assert not is_there(door, "toll-receipts")
    token = {"Authorization": f"Bearer {door.secrets['cleo']}", "Accept": "application/json"}
    text = insert("toll-receipts")
    options: dict[str, Any] = {
        "direct": {"content": text, "headers": {**token, "Content-Type": UPDATE}},
        "form": {"data": {"update": text}, "headers": token},
        "in the address": {"params": {"update": text}, "data": {}, "headers": {**token, "Content-Type": FORM}},
    }[kind]
    answer = door.client.post(door.address + "/update", **options)
    assert answer.status_code == 201, answer.text
    assert is_there(door, "toll-receipts")
    number = answer.json()["change"]
    assert number == door.numbers()[-1]
    told = door.ask("GET", f"/changes/{number}").json()
    assert (told["by"], told["kind"]) == ("cleo", "update")
    assert told["note"].startswith("updates graph:register: 2 statements added")
    assert door.secrets["cleo"] not in json.dumps(told)
    assert door.ask("POST", f"/changes/{number}/undo", by="dora").status_code == 201
    assert not is_there(door, "toll-receipts")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "DELETE WHERE { GRAPH ?g { id:nobody ?p ?o } }",
        f"INSERT {{ GRAPH <{REGISTER_GRAPH}> {{ ?s ?p ?o }} }} WHERE {{ GRAPH <{REGISTER_GRAPH}> {{ ?s ?p ?o }} }}",
        insert("brief") + " ; DELETE WHERE { GRAPH ?g { id:brief ?p ?o } }",
    ],
)
def test_what_changes_nothing_is_200(door: ServedDoor, text: str) -> None:
    changes = door.numbers()
    answer = update(door, text)
    assert answer.status_code == 200, answer.text
    assert door.numbers() == changes


def test_several_operations_are_one_change(door: ServedDoor) -> None:
    rename = f"""WITH <{REGISTER_GRAPH}> DELETE {{ ?i skos:prefLabel ?old }}
        INSERT {{ ?i skos:prefLabel "renamed"@en }} WHERE {{ VALUES ?i {{ id:first }} ?i skos:prefLabel ?old }}"""
    changes = len(door.numbers())
    answer = update(door, " ; ".join([insert("first"), rename, insert("second")]))
    assert answer.status_code == 201, answer.text
    assert len(door.numbers()) == changes + 1
    assert door.rows("SELECT ?l { VALUES ?i { id:first id:second } ?i skos:prefLabel ?l } ORDER BY ?l") == [
        ["a matter"], ["renamed"],
    ]  # fmt: skip


def test_where_sees_all_graphs_unless_the_request_names_some(door: ServedDoor) -> None:
    count = f"""INSERT {{ GRAPH <{REGISTER_GRAPH}> {{ id:counted a ws:Issue ; skos:prefLabel ?l }} }}
        WHERE {{ SELECT (STRLANG(STR(COUNT(*)), "en") AS ?l) {{ ?s a ws:Person }} }}"""
    labels = []
    for parameters in ("", f"?using-graph-uri={REGISTER_GRAPH}", f"?using-named-graph-uri={REGISTER_GRAPH}"):
        answer = door.ask("POST", f"/update{parameters}", count.encode(), by="cleo", form=UPDATE)
        assert answer.status_code == 201, answer.text
        labels += door.rows("SELECT ?l { id:counted skos:prefLabel ?l }")
        door.ask("POST", f"/changes/{door.numbers()[-1]}/undo", by="cleo")
    (everywhere,), (register,), (nowhere,) = labels
    assert int(everywhere) >= int(register) > int(nowhere) == 0


BREAKS = {
    "an issue without a label": f"INSERT DATA {{ GRAPH <{REGISTER_GRAPH}> {{ id:nameless a ws:Issue }} }}",
    "an assertion without a holder": f"DELETE WHERE {{ GRAPH <{REPLY_GRAPH}> {{ ?a ws:holder ?h }} }}",
    "good, then bad": insert("fine") + f" ; INSERT DATA {{ GRAPH <{REGISTER_GRAPH}> {{ id:nameless a ws:Issue }} }}",
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_breaks_the_shapes_is_422_with_the_report(door: ServedDoor, name: str) -> None:
    before, changes = door.state(), door.numbers()
    answer = update(door, BREAKS[name])
    assert answer.status_code == 422, answer.text
    told = answer.json()
    assert told["conforms"] is False
    assert told["violations"][0]["mend"]
    report = update(door, BREAKS[name], headers={"Accept": "text/turtle"})
    assert report.status_code == 422
    assert report.headers["Content-Type"].startswith("text/turtle")
    triples = {(q.predicate.value, str(q.object)) for q in ox.parse(report.content, ox.RdfFormat.TURTLE)}
    assert (SH + "conforms", str(ox.Literal(False))) in triples
    assert any(p == SH + "result" for p, _ in triples)
    assert door.state() == before
    assert door.numbers() == changes


REFUSED = {
    "the default graph": ("INSERT DATA { id:x a ws:Issue }", "default graph"),
    "the default graph, copied": (f"COPY DEFAULT TO <{REGISTER_GRAPH}>", "default graph"),
    "everything": ("CLEAR ALL", "graphs"),
    "what is inferred": (f"INSERT DATA {{ GRAPH <{INFERRED_GRAPH}> {{ id:x a ws:Leader }} }}", "worked out"),
    "what is inferred, emptied": (f"CLEAR GRAPH <{INFERRED_GRAPH}>", "worked out"),
    "provenance": (f"DROP GRAPH <{PROVENANCE_GRAPH}>", "worked out"),
    "blank nodes": (f"INSERT DATA {{ GRAPH <{REGISTER_GRAPH}> {{ [] a ws:Issue ; skos:prefLabel 'x'@en }} }}", "node"),
    "LOAD": ("LOAD <http://127.0.0.1:9/x.ttl>", "LOAD"),
    "SERVICE": ("INSERT { GRAPH <x:g> { ?s ?p ?o } } WHERE { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }", "SERVICE"),
    "what does not parse": ("INSERT DATA {", "parse"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_for_an_update_is_refused_in_plain_words(door: ServedDoor, name: str) -> None:
    before = door.state()
    text, word = REFUSED[name]
    answer = update(door, text, headers={"Accept": "text/plain"})
    assert answer.status_code == 400, answer.text
    assert word in answer.text
    assert "mend: " in answer.text
    assert door.state() == before


def test_the_ontology_is_not_for_an_update(door: ServedDoor) -> None:
    before = door.state()
    for text in (
        f"CLEAR GRAPH <{ONTOLOGY_GRAPH}>",
        f"INSERT DATA {{ GRAPH <{ONTOLOGY_GRAPH}> {{ ws:Issue skos:note 'x' }} }}",
        f"DELETE WHERE {{ GRAPH <{ONTOLOGY_GRAPH}> {{ ws:Issue ?p ?o }} }}",
    ):
        answer = update(door, text, headers={"Accept": "text/plain"})
        assert answer.status_code in (400, 409), answer.text
        assert "mend: " in answer.text
    assert door.state() == before


# The W3C's tests of what is wrong with an update, with a token.


@pytest.mark.parametrize(
    ("name", "status", "method", "options"),
    [
        ("bad_update_get", 405, "GET", {"params": {"update": "CLEAR ALL"}}),
        ("bad_multiple_updates", 400, "POST", {"data": {"update": ["CLEAR NAMED", "CLEAR DEFAULT"]}}),
        ("bad_update_wrong_media_type", 415, "POST", {"content": "CLEAR", "headers": {"Content-Type": "text/plain"}}),
        ("bad_update_missing_form_type", 415, "POST", {"content": "update=CLEAR%20NAMED"}),
        (
            "bad_update_non_utf8", 400, "POST",
            {"content": "CLEAR ALL".encode("utf-16"), "headers": {"Content-Type": f"{UPDATE}; charset=UTF-16"}},
        ),
        ("bad_update_syntax", 400, "POST", {"data": {"update": "CLEAR XYZ"}}),
        (
            "bad_update_dataset_conflict", 400, "POST",
            {"data": {"update": "WITH <x:g> DELETE { ?s a 1 } WHERE { ?s a 1 }", "using-graph-uri": "x:g"}},
        ),
        ("PATCH", 405, "PATCH", {"content": "CLEAR ALL"}),
    ],
)  # fmt: skip
def test_w3c_bad_update(door: ServedDoor, name: str, status: int, method: str, options: dict[str, Any]) -> None:
    before = door.state()
    headers = {"Authorization": f"Bearer {door.secrets['cleo']}", "Accept": "text/plain", **options.get("headers", {})}
    answer = door.client.request(method, door.address + "/update", **{**options, "headers": headers})
    assert (name, answer.status_code) == (name, status), answer.text
    assert "mend: " in answer.text
    if status == 405:
        assert set(answer.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}
    assert door.state() == before


# The graph store.


def turtle(door: ServedDoor, graph: str) -> bytes:
    answer = door.client.get(f"{door.address}/store", params={"graph": graph}, headers={"Accept": "text/turtle"})
    assert answer.status_code == 200, answer.text
    return answer.content


def additions(key: str) -> bytes:
    quads = [quad.triple for quad in quads_of(addition(key)) if quad.graph_name == ox.NamedNode(REPLY_GRAPH)]
    return ox.serialize(quads, format=ox.RdfFormat.TURTLE) or b""


@pytest.mark.parametrize("address", ["/store?graph={graph}", "/graph/{name}"])
def test_a_graph_is_added_to_replaced_and_undone(door: ServedDoor, address: str) -> None:
    graph = REGISTER_GRAPH
    path = address.format(graph=graph, name=graph.rpartition("/graph/")[2])
    before = turtle(door, graph)
    more = f'<{ID}receipts> a <{WS}Issue> ; <{LABEL}> "receipts"@en .'.encode()
    added = door.ask("POST", path, more, by="cleo", form="text/turtle")
    assert added.status_code == 201, added.text
    assert is_there(door, "receipts")
    again = door.ask("POST", path, more, by="cleo", form="text/turtle")
    assert again.status_code == 200, again.text
    put = door.ask("PUT", path, before, by="cleo", form="text/turtle")
    assert put.status_code == 201, put.text
    assert not is_there(door, "receipts")
    same = door.ask("PUT", path, before, by="cleo", form="text/turtle")
    assert same.status_code == 200
    assert door.ask("POST", f"/changes/{put.json()['change']}/undo", by="cleo").status_code == 201
    assert is_there(door, "receipts")


def test_parts_of_a_form_are_added_together(door: ServedDoor) -> None:
    files = {
        name: (f"{name}.ttl", f'<{ID}{name}> a <{WS}Issue> ; <{LABEL}> "{name}"@en .'.encode(), "text/turtle")
        for name in ("part-a", "part-b")
    }
    headers = {"Authorization": f"Bearer {door.secrets['cleo']}"}
    answer = door.client.post(f"{door.address}/store", params={"graph": REGISTER_GRAPH}, files=files, headers=headers)
    assert answer.status_code == 201, answer.text
    assert is_there(door, "part-a")
    assert is_there(door, "part-b")


def test_a_graph_that_would_break_the_shapes_is_422(door: ServedDoor) -> None:
    before = door.state()
    for method, path, body in (
        ("POST", f"/store?graph={REGISTER_GRAPH}", f"<{ID}nameless> a <{WS}Issue> .".encode()),
        ("PUT", f"/store?graph={CONTENTS_GRAPH}", b""),
        ("DELETE", f"/store?graph={REGISTER_GRAPH}", b""),
    ):
        answer = door.ask(method, path, body, by="cleo", form="text/turtle")
        assert answer.status_code == 422, answer.text
        assert not answer.json()["conforms"]
    assert door.state() == before


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/store?default", 400),
        ("PUT", f"/store?graph={INFERRED_GRAPH}", 400),
        ("DELETE", f"/store?graph={PROVENANCE_GRAPH}", 400),
        ("POST", f"/store?graph={INFERRED_GRAPH}", 400),
        ("PUT", f"/store?graph={ONTOLOGY_GRAPH}", 400),
        ("PUT", "/store", 400),
        ("POST", "/store", 400),
        ("PUT", "/store?graph=no+iri", 400),
        ("DELETE", f"/store?graph={document_graph(ID + 'nothing')}", 404),
        ("DELETE", "/graph/nothing", 404),
        ("PATCH", f"/store?graph={REGISTER_GRAPH}", 405),
        ("PATCH", "/graph/register", 405),
    ],
)
def test_what_is_not_for_the_graph_store_is_told(door: ServedDoor, method: str, path: str, status: int) -> None:
    before = door.state()
    body = f'<{ID}x> a <{WS}Issue> ; <{LABEL}> "x"@en .'.encode()
    answer = door.ask(method, path, body, by="cleo", form="text/turtle", headers={"Accept": "text/plain"})
    assert answer.status_code == status, answer.text
    assert "mend: " in answer.text
    if status == 405:
        assert {"GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"} == set(answer.headers["Allow"].split(", "))
    assert door.state() == before


@pytest.mark.parametrize(
    ("form", "body", "status"),
    [
        ("text/turtle", b"<x:a> <x:b> .", 400),
        ("text/turtle", b"[] a <x:b> .", 400),
        ("image/png", b"", 415),
        ("application/yaml", b"entries: []", 415),
        ("application/trig", b"<x:g> { <x:a> <x:b> <x:c> }", 400),
        ("application/rdf+xml", b"<rdf:RDF", 400),
        ("application/ld+json", b'{"@context": "http://127.0.0.1:9/c"}', 400),
        ("text/turtle; charset=utf-16", "<x:a> <x:b> <x:c> .".encode("utf-16"), 400),
    ],
)
def test_what_cannot_be_read_leaves_everything_as_it_was(door: ServedDoor, form: str, body: bytes, status: int) -> None:
    before = door.state()
    for method in ("PUT", "POST"):
        answer = door.ask(method, f"/store?graph={REGISTER_GRAPH}", body, by="cleo", form=form)
        assert answer.status_code == status, answer.text
    assert door.state() == before


@pytest.mark.parametrize("graph", [REGISTER_GRAPH, REPLY_GRAPH, ONTOLOGY_GRAPH, INFERRED_GRAPH, PROVENANCE_GRAPH])
def test_every_graph_can_be_read(door: ServedDoor, graph: str) -> None:
    stored = {q.triple for q in door.state() if q.graph_name == ox.NamedNode(graph)}
    for form, rdf_format in (
        ("text/turtle", ox.RdfFormat.TURTLE), ("application/n-triples", ox.RdfFormat.N_TRIPLES),
        ("application/rdf+xml", ox.RdfFormat.RDF_XML), ("application/ld+json", ox.RdfFormat.JSON_LD),
        ("application/n-quads", ox.RdfFormat.N_QUADS), ("application/trig", ox.RdfFormat.TRIG),
    ):  # fmt: skip
        answer = door.client.get(f"{door.address}/store", params={"graph": graph}, headers={"Accept": form})
        assert answer.headers["Content-Type"].partition(";")[0] == form
        assert {quad.triple for quad in ox.parse(answer.content, rdf_format)} == stored


def test_the_default_graph_is_read_as_the_union(door: ServedDoor) -> None:
    answer = door.client.get(f"{door.address}/store?default", headers={"Accept": "application/n-triples"})
    assert {quad.triple for quad in ox.parse(answer.content, ox.RdfFormat.N_TRIPLES)} == {
        q.triple for q in door.state()
    }


def test_a_new_assertion_by_the_graph_store_is_judged_like_any_other(door: ServedDoor) -> None:
    before = door.state()
    alone = door.ask("POST", f"/store?graph={REPLY_GRAPH}", additions("lonely"), by="cleo", form="text/turtle")
    assert alone.status_code in (201, 400, 422), alone.text
    if alone.status_code != 201:
        assert door.state() == before
    else:
        assert door.rows(f"SELECT ?h {{ <{REPLY}/lonely> ws:holder ?h }}") == [[ID + "kazimir-vlastok"]]
