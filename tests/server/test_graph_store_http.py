"""The Graph Store HTTP Protocol: every test of the W3C by its name, in our words, then what it leaves out.

Source: https://www.w3.org/TR/sparql11-http-rdf-update/; https://github.com/w3c/rdf-tests (graph-store-protocol,
http-rdf-update).
"""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.server.plain_server import PlainServer, alike, serve_plain

TURTLE = "text/turtle; charset=utf-8"
NAMED = "http://example.org/person/1.ttl"
JOHN = """@prefix v: <http://www.w3.org/2006/vcard/ns#> .
<http://example.org/person/1> a v:Individual ; v:hasName [ a v:Name ; v:fn "John Doe" ] .
"""
JANE = JOHN.replace("John", "Jane")
NOBODY = "@prefix v: <http://www.w3.org/2006/vcard/ns#> . [] a v:Individual ; v:hasName [ v:given-name 'Alice' ] ."


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainServer]:
    with serve_plain(tmp_path_factory.mktemp("store"), "--writable") as served:
        yield served


@pytest.fixture(autouse=True)
def empty(plain: PlainServer) -> None:
    plain.update("DROP ALL")


@pytest.fixture(params=["direct", "indirect", "indirect, encoded"])
def address(request: pytest.FixtureRequest) -> str:
    """The address of a graph, in each of the ways in which it can be given."""
    return {
        "direct": "/store/person/1.ttl",
        "indirect": f"/store?graph={NAMED}",
        "indirect, encoded": f"/store?graph={quote(NAMED, safe='')}",
    }[str(request.param)]


def send(
    plain: PlainServer, method: str, address: str, content: str | bytes, media_type: str = TURTLE
) -> httpx.Response:
    return plain.ask(method, address, content=content, headers={"Content-Type": media_type})


def holds(plain: PlainServer, address: str, content: str, status: int = 200) -> None:
    """See that a graph is read as it ought to be, and that HEAD says the same."""
    answer = plain.ask("GET", address, headers={"Accept": "text/turtle"})
    head = plain.ask("HEAD", address, headers={"Accept": TURTLE})
    assert answer.status_code == head.status_code == status, answer.text
    assert head.content == b""
    if status == 200:
        assert alike(answer.content) == alike(content)
        assert answer.headers["Content-Type"] == head.headers["Content-Type"] == TURTLE
        assert answer.headers.get("Content-Length") == head.headers.get("Content-Length")


# The W3C's tests.


def test_w3c_put_get_repeat(plain: PlainServer, address: str) -> None:
    """put__initial_state, put__graph_already_in_store, and get_of_ both."""
    assert send(plain, "PUT", address, JOHN).status_code == 201
    holds(plain, address, JOHN)
    assert send(plain, "PUT", address, JANE).status_code == 204
    holds(plain, address, JANE)


def test_w3c_put_get_default(plain: PlainServer) -> None:
    """put__default_graph, get_of_put__default_graph."""
    assert send(plain, "PUT", "/store?default", NOBODY).status_code == 204
    holds(plain, "/store?default", NOBODY)
    assert send(plain, "PUT", "/store?default=", JANE).status_code == 204
    holds(plain, "/store?default", JANE)
    assert plain.query("SELECT ?g { GRAPH ?g {} }") == []


def test_w3c_put_delete_get_delete(plain: PlainServer, address: str) -> None:
    """delete__existing_graph, get_of_delete__existing_graph, delete__nonexistent_graph."""
    send(plain, "PUT", address, NOBODY)
    send(plain, "PUT", "/store/other", JOHN)
    assert plain.ask("DELETE", address).status_code == 204
    holds(plain, address, "", 404)
    answer = plain.ask("DELETE", address)
    assert answer.status_code == 404
    assert "there is no graph" in answer.text
    holds(plain, "/store/other", JOHN)


def test_w3c_post_get_post_get(plain: PlainServer, address: str) -> None:
    """post__existing_graph, post__multipart_formdata, and get_of_ both."""
    assert send(plain, "POST", address, JANE).status_code == 201
    holds(plain, address, JANE)
    family, given_name = (
        f'<http://example.org/person/1> <http://xmlns.com/foaf/0.1/{n}> "{v}" .\n'
        for n, v in (("familyName", "Doe"), ("givenName", "Jane"))
    )
    files = {
        "family": ("family.ttl", family.encode(), TURTLE),
        "given": ("given.nt", given_name.encode(), "application/n-triples"),
    }
    assert plain.ask("POST", address, files=files).status_code == 204
    holds(plain, address, JANE + family + given_name)


def test_w3c_post_get_new_graph(plain: PlainServer) -> None:
    """post__create__new_graph, get_of_post__create__new_graph, get_of_post__after_noop."""
    answer = send(plain, "POST", "/store", NOBODY)
    assert answer.status_code == 201
    location = answer.headers["Location"]
    assert location.startswith(f"{plain.address}/store/")
    path = location.removeprefix(plain.address)
    holds(plain, path, NOBODY)
    holds(plain, f"/store?graph={quote(location)}", NOBODY)
    assert send(plain, "POST", path, "").status_code == 204
    holds(plain, path, NOBODY)
    assert send(plain, "POST", "/store", NOBODY).headers["Location"] != location


def test_w3c_head_existing(plain: PlainServer, address: str) -> None:
    """head_on_an_existing_graph, head_on_a_nonexisting_graph."""
    assert plain.ask("HEAD", address, headers={"Accept": TURTLE}).status_code == 404
    send(plain, "PUT", address, JOHN)
    answer = plain.ask("HEAD", address, headers={"Accept": TURTLE, "Accept-Encoding": "identity"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, TURTLE)
    assert int(answer.headers["Content-Length"]) > 0


def test_w3c_put_get_uri_pct_encoded_indirect(plain: PlainServer) -> None:
    assert send(plain, "PUT", f"/store?graph={quote(NAMED, safe='')}", JOHN).status_code == 201
    holds(plain, f"/store?graph={NAMED}", JOHN)


def test_w3c_put_get_uri_pct_encoded_twice(plain: PlainServer) -> None:
    """What is encoded is decoded once."""
    once, twice = (f"/store?graph=http://example.org/person/{n}.ttl" for n in ("%31", "%2531"))
    assert send(plain, "PUT", once, JOHN).status_code == 201
    assert send(plain, "PUT", twice, JANE).status_code == 201
    holds(plain, once, JOHN)
    holds(plain, twice, JANE)
    names = {row[0].rpartition("/")[2] for row in plain.query("SELECT ?g { GRAPH ?g {} }")}
    assert names == {"1.ttl", "%31.ttl"}


# What they leave out.


@pytest.mark.parametrize(
    "path", ["/store/a", "/store/a/b:c@d,e;f=g!h*i'j(k)+l~m", "/store/%7Ea/%C3%A9/%2F", "/store/a//b"]
)
def test_a_graph_is_named_by_the_address_just_as_it_was_sent(plain: PlainServer, path: str) -> None:
    request = plain.client.build_request(
        "PUT", httpx.URL(plain.address, raw_path=path.encode()), content=JOHN, headers={"Content-Type": TURTLE}
    )
    assert plain.client.send(request).status_code == 201
    assert "".join(plain.query("SELECT ?g { GRAPH ?g {} }")[0]).strip('"') == (plain.address + path).replace(",", "")
    assert plain.graph(plain.address + path) == alike(JOHN)


def test_what_is_relative_is_relative_to_the_graph(plain: PlainServer, address: str) -> None:
    send(plain, "PUT", address, "<> <#p> <other> .")
    (quad,) = ox.parse(plain.ask("GET", address, headers={"Accept": "text/plain"}).content, ox.RdfFormat.N_TRIPLES)
    base = NAMED if "graph=" in address else plain.address + address
    assert str(quad.triple) == f"<{base}> <{base}#p> <{base.rpartition('/')[0]}/other>"


FORMS = {
    "text/turtle": ox.RdfFormat.TURTLE, "application/n-triples": ox.RdfFormat.N_TRIPLES,
    "application/rdf+xml": ox.RdfFormat.RDF_XML, "application/ld+json": ox.RdfFormat.JSON_LD,
    "application/trig": ox.RdfFormat.TRIG, "application/n-quads": ox.RdfFormat.N_QUADS,
}  # fmt: skip


@pytest.mark.parametrize("given_form", FORMS)
def test_every_form_in_and_every_form_out(plain: PlainServer, address: str, given_form: str) -> None:
    quads = list(ox.parse(JOHN, ox.RdfFormat.TURTLE))
    content = ox.serialize(quads, format=FORMS[given_form]) or b""
    assert send(plain, "PUT", address, content, given_form).status_code == 201
    for form, rdf_format in FORMS.items():
        for options in ({"headers": {"Accept": form}}, {"params": {"format": form}}):
            path = address if "params" not in options else f"{address}{'&' if '?' in address else '?'}format={form}"
            answer = plain.ask("GET", path, headers=options.get("headers", {}))
            assert answer.headers["Content-Type"].partition(";")[0] == form
            found = [quad.triple for quad in ox.parse(answer.content, rdf_format)]
            told = ox.serialize(found, format=ox.RdfFormat.N_TRIPLES) or b""
            assert alike(told, ox.RdfFormat.N_TRIPLES) == alike(JOHN)


def test_triple_terms_and_directions_are_kept(plain: PlainServer, address: str) -> None:
    said = 'VERSION "1.2" <x:a> <x:b> "c"@en--ltr {| <x:said> <x:d>, "\\u00e9\\n" |} . << <x:a> <x:b> _:n >> <x:p> 1 .'
    assert send(plain, "PUT", address, said).status_code == 201
    holds(plain, address, said)


BAD: dict[str, tuple[int, dict[str, Any]]] = {
    "does not parse": (400, {"content": JOHN + "<http://x.example/a> <b>", "headers": {"Content-Type": TURTLE}}),
    "is no UTF-8": (400, {"content": b"<x:a> <x:b> '\xff' .", "headers": {"Content-Type": TURTLE}}),
    "is in Latin-1": (400, {"content": JANE, "headers": {"Content-Type": "text/turtle; charset=iso-8859-1"}}),
    "is no RDF": (415, {"content": JANE, "headers": {"Content-Type": "image/png"}}),
    "is a table": (415, {"content": "a,b", "headers": {"Content-Type": "text/csv"}}),
    "is an update": (415, {"content": "CLEAR ALL", "headers": {"Content-Type": "application/sparql-update"}}),
    "is a form": (415, {"data": {"a": "b"}}),
    "has named graphs": (400, {"content": "<x:g> { <x:a> <x:b> 1 }", "headers": {"Content-Type": "application/trig"}}),
    "is empty JSON-LD": (400, {"content": "", "headers": {"Content-Type": "application/ld+json"}}),
    "is compressed": (400, {"content": gzip.compress(JANE.encode()), "headers": {"Content-Type": TURTLE}}),
    "has a part that does not parse": (
        400, {"files": {"a": ("a.ttl", JANE.encode(), TURTLE), "b": ("b.ttl", b"<a> <b>", TURTLE)}},
    ),
    "has a part that is no RDF": (
        415, {"files": {"a": ("a.ttl", JANE.encode(), TURTLE), "b": ("b.png", b"", "image/png")}},
    ),
    "has a part that is no file": (
        400, {"files": {"a": ("a.ttl", JANE.encode(), TURTLE)}, "data": {"b": "<x:a> <x:b> <x:c> ."}},
    ),
    "has no part": (400, {"content": b"--x--\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}),
}  # fmt: skip


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_leaves_everything_as_it_was(
    plain: PlainServer, address: str, name: str, method: str
) -> None:
    status, options = BAD[name]
    send(plain, "PUT", address, JOHN)
    answer = plain.ask(method, address, **options)
    assert answer.status_code == status, answer.text
    assert "mend: " in answer.text
    holds(plain, address, JOHN)


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize(
    "query",
    ["?graph=no+iri", "?graph=relative", "?graph=", "?graph=x:a&graph=x:b", "?default&graph=x:a", "?graph=x:%FF"],
)
def test_an_address_that_names_no_graph_is_400(plain: PlainServer, query: str, method: str) -> None:
    for verb in (method, "GET", "HEAD", "DELETE"):
        assert send(plain, verb, f"/store{query}", JOHN).status_code == 400
    assert plain.query("SELECT ?g { GRAPH ?g {} }") == []


def test_the_bare_store_is_no_graph(plain: PlainServer) -> None:
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        assert send(plain, method, "/store", JOHN).status_code == 400


def test_patch_is_405_with_what_is_allowed(plain: PlainServer, address: str) -> None:
    answer = send(plain, "PATCH", address, "DELETE WHERE { ?s ?p ?o }", "application/sparql-update")
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"}


def test_what_comes_in_pieces_comes_whole(plain: PlainServer, address: str) -> None:
    """A body without a length was once taken for an empty one."""
    lines = [f"<http://example.org/{n}> <http://example.org/n> {n} .\n" for n in range(2_000)]
    answer = plain.ask("PUT", address, content=(line.encode() for line in lines), headers={"Content-Type": TURTLE})
    assert answer.status_code == 201
    holds(plain, address, "".join(lines))


@pytest.mark.parametrize("framing", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
def test_what_breaks_off_changes_nothing(plain: PlainServer, framing: str) -> None:
    """Every line of it that came would parse."""
    send(plain, "PUT", "/store/cut", JOHN)
    host, port = plain.address.removeprefix("http://").split(":")
    line = b"<http://example.org/a> <http://example.org/b> 1 .\n"
    body = b"%x\r\n%b\r\n" % (len(line), line) if "chunked" in framing else line
    head = f"PUT /store/cut HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: text/turtle\r\n{framing}\r\n\r\n"
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(head.encode() + body)
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(10)
        answer = connection.recv(1000)
    assert not answer or 400 <= int(answer.split()[1]) < 500
    holds(plain, "/store/cut", JOHN)


def test_pages_of_other_sites_may_not_write(plain: PlainServer, address: str) -> None:
    """No token is needed here, so a browser would carry out what any page asks of it."""
    send(plain, "PUT", address, JOHN)
    for origin, status in (("https://evil.example", 403), ("null", 403), (plain.address, 204)):
        for method, path, options in (
            ("PUT", address, {"content": JOHN, "headers": {"Content-Type": TURTLE}}),
            ("POST", "/update", {"data": {"update": "CLEAR DEFAULT"}, "headers": {}}),
        ):
            options["headers"]["Origin"] = origin
            assert plain.ask(method, path, **options).status_code == status
    holds(plain, address, JOHN)


names = st.sampled_from(["x:a", "x:b", "http://example.org/é"])
nodes = st.one_of(names.map(ox.NamedNode), st.sampled_from("mn").map(ox.BlankNode))
printable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=10)
literals = st.one_of(
    printable.map(ox.Literal),
    st.builds(ox.Literal, printable, language=st.sampled_from(["en", "de-at"])),
    st.integers(-9, 9).map(ox.Literal),
)
triples = st.builds(ox.Triple, nodes, names.map(ox.NamedNode), st.one_of(nodes, literals))
terms = st.one_of(nodes, literals, triples)
graphs = st.lists(st.builds(ox.Triple, nodes, names.map(ox.NamedNode), terms), max_size=8)


@settings(max_examples=40)
@given(graphs)
def test_whatever_is_put_is_got(plain: PlainServer, statements: list[ox.Triple]) -> None:
    content = ox.serialize(statements, format=ox.RdfFormat.N_TRIPLES) or b""
    assert send(plain, "PUT", "/store/any", content, "application/n-triples").status_code in (201, 204)
    assert plain.graph(f"{plain.address}/store/any") == alike(content, ox.RdfFormat.N_TRIPLES)
