"""The SPARQL page as the server makes it: without scripts one can ask, read the answer, and open saved queries."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from kg.names import PREFIXES, WS
from kg.queries import load_queries
from kg.settings import Settings
from kg.store import Snapshot
from kg.terms import terms
from server.app import create_app
from server.pages import sparql_page
from server.pages.sparql_page import SHOWN, find_fault
from tests.conftest import SAMPLE
from tests.server.test_pages import HTML, links

HOLDERS = "SELECT DISTINCT ?holder { ?a ws:holder ?holder } ORDER BY ?holder"


@pytest.fixture(scope="module")
def client(sample_settings: Settings) -> FlaskClient:
    return create_app(Settings(store=sample_settings.store, texts=SAMPLE / "texts")).test_client()


def page(client: FlaskClient, address: str, status: int = 200, **query: str) -> str:
    response = client.get(address, query_string=query, headers=HTML)
    assert response.status_code == status, response.text
    return response.text


def test_the_page_has_an_example_the_prefixes_and_every_saved_query(client: FlaskClient) -> None:
    text = page(client, "/sparql")
    assert "SELECT ?holder" in text
    assert all(f"<code>{prefix}:</code>" in text for prefix in PREFIXES)
    addresses = links(text).addresses
    assert {f"/sparql?saved={name}" for name in load_queries()} <= addresses


def test_the_address_brings_a_query(client: FlaskClient) -> None:
    assert "ASK { ?this ?is ?mine }" in page(client, "/sparql", edit="ASK { ?this ?is ?mine }")


def test_a_text_with_markup_does_no_harm(client: FlaskClient) -> None:
    hostile = '</textarea><script>alert(1)</script>"'
    text = page(client, "/sparql", edit=hostile)
    assert "<script>alert" not in text
    assert "&lt;/textarea&gt;&lt;script&gt;" in text


def test_a_saved_query_is_opened(client: FlaskClient) -> None:
    text = page(client, "/sparql", saved="who-disagrees")
    assert load_queries()["who-disagrees"].title in re.findall(r"<textarea.*?</textarea>", text, re.DOTALL)[0]


def test_a_saved_query_that_is_not_there_is_told(client: FlaskClient) -> None:
    assert "there is no saved query" in page(client, "/sparql", 404, saved="atlantis")


def test_the_answer_is_a_table_with_names_and_links(client: FlaskClient) -> None:
    text = page(client, "/sparql/answer", query=HOLDERS)
    assert "<caption>" in text
    assert "<bdi>Amália Örvösd</bdi></a>" in text
    assert "/id/amalia-orvosd" in links(text).addresses
    assert HOLDERS in text.replace("&lt;", "<")


def test_the_answer_can_be_taken_away_in_every_format_of_rows(client: FlaskClient) -> None:
    addresses = links(page(client, "/sparql/answer", query=HOLDERS)).addresses
    taken = [parse_qs(urlsplit(address).query) for address in addresses if address.startswith("/sparql?query=")]
    assert {one["format"][0] for one in taken} == {"csv", "tsv", "json", "xml"}
    assert all(one["query"] == [HOLDERS] for one in taken)


def test_a_truth_is_told(client: FlaskClient) -> None:
    assert "true" in page(client, "/sparql/answer", query="ASK { ?a ws:holder ?b }").lower()


def test_statements_are_taken_away(client: FlaskClient) -> None:
    text = page(client, "/sparql/answer", query="CONSTRUCT WHERE { ?a ws:holder ?b }")
    assert {"ttl", "jsonld"} <= {
        parse_qs(urlsplit(a).query)["format"][0] for a in links(text).addresses if a.startswith("/sparql?query=")
    }


def test_of_many_rows_the_first_are_shown_and_the_rest_is_told(client: FlaskClient) -> None:
    text = page(client, "/sparql/answer", query="SELECT ?a ?b ?c { ?a ?b ?c } LIMIT 700")
    assert f"the first {SHOWN} of 700 rows" in text
    assert text.count("<tr>") == SHOWN + 1


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT * {\n  ?a ws:holder ?b .\n  ?c ws:act\n}", "Line 4, column 1: the query does not parse here."),
        ("ASK {\r\n  ?a foo:b ?c\r\n}", "Line 2, column 6: the prefix `foo:` is not declared."),
        ("SELECT ?x { ?a ?b ?c } GROUP BY ?a", "that is not grouped by"),
        ("SELECT * { SERVICE <http://example.org/> { ?a ?b ?c } }", "SERVICE is not allowed here"),
        ("", "there is no query"),
    ],
)
def test_what_is_wrong_is_told_beside_the_query(client: FlaskClient, query: str, words: str) -> None:
    text = page(client, "/sparql/answer", 400, query=query)
    assert words in text
    assert 'aria-invalid="true"' in text


def test_an_error_without_a_position_has_no_fault() -> None:
    assert find_fault("ASK {}", "the answer has more than 10 rows") is None


def test_a_position_beyond_the_text_is_its_end() -> None:
    fault = find_fault("ASK {", "error at 9:99: expected something")
    assert fault is not None
    assert (fault.line, fault.column, fault.caret) == (1, 6, "     ^")


def test_who_asks_while_others_do_is_told_to_wait(client: FlaskClient) -> None:
    for _ in range(sparql_page.AT_ONCE):
        sparql_page._turns.acquire()
    try:
        assert "others are asking here" in page(client, "/sparql/answer", 503, query=HOLDERS)
    finally:
        for _ in range(sparql_page.AT_ONCE):
            sparql_page._turns.release()
    page(client, "/sparql/answer", query=HOLDERS)


def test_the_terms_are_those_of_the_ontology(client: FlaskClient) -> None:
    response = client.get("/sparql/terms")
    told = response.get_json()
    by_iri = {term["iri"]: term for term in told["terms"]}
    current = {iri for iri, term in terms().items() if not term.deprecated}
    assert current <= set(by_iri)
    assert told["prefixes"] == dict(PREFIXES)
    assert by_iri[WS + "holder"] == {
        "iri": WS + "holder", "kind": "property", "label": "holder", "definition": terms()[WS + "holder"].definition,
    }  # fmt: skip
    assert by_iri[WS + "act"]["scheme"] == by_iri[WS + "act-wants"]["scheme"]


def test_the_terms_cover_every_property_that_is_in_use(client: FlaskClient, sample: Snapshot) -> None:
    known = {term["iri"] for term in client.get("/sparql/terms").get_json()["terms"]}
    rows = sample.query(
        "SELECT DISTINCT ?p { GRAPH ?g { ?s ?p ?o } FILTER(?g NOT IN (graph:ontology, graph:provenance)) }"
    )
    used = {row["p"].value for row in rows}  # type: ignore[union-attr, index]
    assert used <= known, used - known


def test_the_terms_are_kept_by_who_has_them(client: FlaskClient) -> None:
    first = client.get("/sparql/terms")
    assert "max-age=3600" in first.headers["Cache-Control"]
    again = client.get("/sparql/terms", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


def test_only_curators_are_offered_to_save(client: FlaskClient, store: Path) -> None:
    from kg.tokens import Tokens

    assert "data-save-form" not in page(client, "/sparql")
    tokens = Tokens(store / "tokens.sqlite")
    for role in ("contributor", "curator"):
        visitor = create_app(Settings(store=store, texts=SAMPLE / "texts")).test_client()
        visitor.post("/signin", data={"token": tokens.make(f"a-{role}", role, days=None)})  # type: ignore[arg-type]
        assert ("data-save-form" in page(visitor, "/sparql")) == (role == "curator")


def test_programs_still_get_the_description_of_the_service(client: FlaskClient) -> None:
    assert "sparql-service-description" in client.get("/sparql", headers={"Accept": "text/turtle"}).text
