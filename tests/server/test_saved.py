"""Saved queries over HTTP: paging, labels, texts, forms, and queries of one's own."""

import re
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from kg.names import ID
from kg.queries import load_queries
from kg.query_folders import MAX_BYTES
from kg.settings import Settings
from tests.conftest import RunningServer
from tests.door import ServedDoor, serve_door
from tests.pace import within
from tests.server.test_pages import HTML

SPARQL = "application/sparql-query"
MINE = b"""# Which documents are long?
# Documents with more characters than a number.
# - more_than: integer, default 10. The number
# - recent: boolean, optional. Whether it counts
# - kind: choice of kinds, optional. The kind of document
SELECT ?document ?length
WHERE {
  VALUES ?more_than { 100 }
  VALUES ?kind { ws:kind-book }
  VALUES ?recent { true }
  ?document ws:textLength ?length .
  ?document ws:kind ?kind .   # if kind
  FILTER(?length > ?more_than)
}
ORDER BY ?length
"""
KINDS = b"# Which kinds are there?\n# All.\nSELECT DISTINCT ?kind { ?document ws:kind ?kind } ORDER BY ?kind\n"


@pytest.fixture(scope="module")
def door(sample_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDoor]:
    with serve_door(sample_settings.store, tmp_path_factory.mktemp("saved")) as served:
        yield served


def put(door: ServedDoor, name: str, body: bytes, by: str | None = "cleo", **headers: str):  # type: ignore[no-untyped-def]
    return door.ask("PUT", f"/queries/{name}", body, by=by, form=SPARQL, headers=headers)


@pytest.mark.parametrize("form", ["csv", "tsv", "json", "xml"])
def test_pages_lead_on_to_each_other_and_hold_all_rows(server: RunningServer, form: str) -> None:
    whole = server.get("/queries/who-asserts-what?format=csv").text.splitlines()[1:]
    address, seen, links = "/queries/who-asserts-what?limit=7&format=csv", [], {}
    while address:
        page = server.get(address)
        seen += page.text.splitlines()[1:]
        links = {rel: to for to, rel in re.findall(r'<([^>]+)>; rel="(\w+)"', page.headers.get("Link", ""))}
        same = server.get(address.replace("format=csv", f"format={form}")).headers.get("Link", "")
        assert same == page.headers.get("Link", "").replace("format=csv", f"format={form}")
        address = links.get("next", "")
    assert seen == whole
    assert len(whole) > 7
    assert "prev" in links


def test_labels_stand_beside_the_columns(server: RunningServer) -> None:
    answer = server.get("/queries/documents", params={"labels": "en", "limit": "1"}).json()
    assert answer["head"]["vars"][:4] == ["document", "documentLabel", "creator", "creatorLabel"]
    (row,) = answer["results"]["bindings"]
    assert row["document"]["type"] == "uri"
    assert row["documentLabel"]["xml:lang"] == "en"


@pytest.mark.parametrize("query", ["limit=0", "limit=many", "offset=-1", "labels=no%20tag", "limit=1&limit=2"])
def test_a_wrong_limit_is_told(server: RunningServer, query: str) -> None:
    answer = server.get(f"/queries/documents?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.text


@pytest.mark.parametrize("name", sorted(load_queries()))
def test_the_text_is_the_file_and_has_an_etag(server: RunningServer, name: str) -> None:
    answer = server.get(f"/queries/{name}.rq")
    assert answer.text == load_queries()[name].text
    assert answer.headers["Content-Type"].startswith(SPARQL)
    again = server.get(f"/queries/{name}.rq", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_the_bound_text_gives_the_same_rows_at_the_endpoint(server: RunningServer) -> None:
    given = "about=Ruritania&polarity=denies&polarity=affirms"
    text = server.get(f"/queries/who-asserts-what.rq?{given}").text
    assert "PREFIX ws:" in text
    at_endpoint = server.post("/sparql", data={"query": text}, headers={"Accept": "text/csv"})
    assert at_endpoint.text == server.get(f"/queries/who-asserts-what?{given}&format=csv").text


def test_a_form_has_fields_by_type_and_pages(server: RunningServer) -> None:
    page = server.get("/queries/who-asserts-what?limit=5", headers=HTML).text
    assert re.search(r'<select id="document".*?<option value="bridge-toll">Why Does the Bridge', page, re.DOTALL)
    assert 'list="holder-offered"' in page
    assert "rows 1 to 5" in page
    assert 'rel="next"' in page
    assert 'rel="prev"' not in page
    assert 'type="date"' in server.get("/queries/timeline", headers=HTML).text
    assert "<script" not in page
    assert "style=" not in page
    second = server.get("/queries/who-asserts-what?limit=5&offset=5", headers=HTML).text
    assert "rows 6 to 10" in second
    assert 'rel="prev"' in second


def test_downloads_of_a_page_are_whole_and_the_text_is_linked(server: RunningServer) -> None:
    page = server.get("/queries/who-asserts-what?limit=5&offset=5&about=Ruritania", headers=HTML).text
    assert "/queries/who-asserts-what?about=Ruritania&amp;format=csv" in page
    assert "/queries/who-asserts-what.rq?about=Ruritania" in page


def test_several_values_stay_in_the_form(server: RunningServer) -> None:
    page = server.get("/queries/who-asserts-what?about=Ruritania&about=Borduria", headers=HTML).text
    assert 'value="Ruritania"' in page
    assert 'value="Borduria"' in page


def test_a_query_of_one_s_own_is_kept_used_replaced_and_removed(door: ServedDoor) -> None:
    assert put(door, "kinds", KINDS).status_code == 201
    made = put(door, "long-documents", MINE)
    assert made.status_code == 201, made.text
    assert made.headers["Location"] == "/queries/long-documents"
    assert [p["name"] for p in made.json()["parameters"]] == ["more_than", "recent", "kind"]
    assert door.ask("GET", "/queries/long-documents.rq").content == MINE
    assert len(door.ask("GET", "/queries/long-documents").json()["results"]["bindings"]) > 0
    assert door.ask("GET", "/queries/long-documents?more-than=99999999").json()["results"]["bindings"] == []
    page = door.ask("GET", "/queries/long-documents", headers=HTML).text
    assert 'type="number"' in page
    assert page.count("<select") == 2
    listed = {q["name"]: q for q in door.ask("GET", "/queries").json()}
    assert listed["long-documents"]["brought"] is False
    assert "long-documents" in door.ask("GET", "/openapi.json").text
    assert door.ask("GET", "/queries/long-documents?kind=weather").status_code == 400
    assert put(door, "long-documents", MINE.replace(b"10.", b"11.")).status_code == 200
    assert b"default 11" in door.ask("GET", "/queries/long-documents.rq").content
    assert door.ask("DELETE", "/queries/long-documents", by="cleo").status_code == 204
    for path in ("/queries/long-documents", "/queries/long-documents.rq"):
        assert door.ask("GET", path).status_code == 404
    assert door.ask("DELETE", "/queries/long-documents", by="cleo").status_code == 404


def test_who_may_not_cannot(door: ServedDoor) -> None:
    for by, status in ((None, 401), ("anna", 403)):
        assert put(door, "hers", KINDS, by=by).status_code == status
        assert door.ask("DELETE", "/queries/kinds", by=by).status_code == status
    assert door.ask("GET", "/queries/hers").status_code == 404


def test_nobody_overwrites_what_another_has_just_kept(door: ServedDoor) -> None:
    first = put(door, "shared", KINDS, **{"If-None-Match": "*"})
    assert first.status_code == 201
    assert put(door, "shared", KINDS, **{"If-None-Match": "*"}).status_code == 412
    tag = door.ask("GET", "/queries/shared.rq").headers["ETag"]
    assert tag == first.headers["ETag"]
    changed = KINDS.replace(b"All.", b"All of them.")
    assert put(door, "shared", changed, **{"If-Match": tag}).status_code == 200
    assert put(door, "shared", KINDS, **{"If-Match": tag}).status_code == 412
    assert door.ask("DELETE", "/queries/shared", by="dora", headers={"If-Match": tag}).status_code == 412
    assert put(door, "fresh", KINDS, **{"If-Match": "*"}).status_code == 412
    assert door.ask("GET", "/queries/shared.rq").content == changed


@pytest.mark.parametrize(
    ("name", "body", "form", "status", "words"),
    [
        ("counts", KINDS, SPARQL, 409, "Whosays brings it"),
        ("Bad_Name", KINDS, SPARQL, 400, "small letters"),
        ("mine", b"SELECT ?a { ?a ?b ?c }", SPARQL, 400, "no heading"),
        ("mine", b"# T?\n# D.\nSELECT ?a { ?a ?b }", SPARQL, 400, "does not parse"),
        ("mine", b"# T?\n# D.\nDELETE WHERE { ?a ?b ?c }", SPARQL, 400, "no query"),
        ("mine", b"# T?\n# D.\nSELECT ?a { SERVICE <http://e.org/> { ?a ?b ?c } }", SPARQL, 400, "SERVICE"),
        ("mine", b"# T?\n# D.\n# - x: choice of counting. X\nASK { VALUES ?x { 1 } }", SPARQL, 400, "no saved SELECT"),
        ("mine", b"# \xff?\n# D.\nASK {}", SPARQL, 400, "UTF-8"),
        ("mine", KINDS, "application/yaml", 415, SPARQL),
        ("mine", KINDS + b"#" * MAX_BYTES, SPARQL, 413, ""),
    ],
)
def test_what_cannot_be_kept_is_told(
    door: ServedDoor, name: str, body: bytes, form: str, status: int, words: str
) -> None:
    answer = door.ask("PUT", f"/queries/{name}", body, by="cleo", form=form)
    assert answer.status_code == status, answer.text
    assert words in answer.text
    assert door.ask("GET", "/queries/mine").status_code == 404


def bombs() -> dict[str, str]:
    return {
        "groups": "SELECT ?a " + "{" * 40_000 + "}" * 40_000,
        "lists": "SELECT ?a { " + "(" * 40_000 + ")" * 40_000 + " ?p ?a }",
        "pluses": "SELECT ?a { FILTER(1" + "+1" * 40_000 + ") }",
        "patterns": "SELECT ?a { " + "?a a ?b." * 2_000 + " }",
    }


@pytest.mark.parametrize("kind", sorted(bombs()))
def test_a_query_made_to_crash_its_parser_is_refused_and_harms_nobody(door: ServedDoor, kind: str) -> None:
    answer = put(door, "bomb", f"# T?\n# D.\n{bombs()[kind]}\n".encode())
    assert answer.status_code in (400, 413), answer.text
    began = time.monotonic()
    assert door.ask("GET", "/queries/counts").status_code == 200
    assert within(time.monotonic() - began, 1)
    assert door.ask("GET", "/queries/bomb").status_code == 404


def test_a_file_that_is_spoilt_by_hand_is_told_of_and_does_no_harm(door: ServedDoor) -> None:
    folder = door.folder.path / "queries"
    folder.mkdir(exist_ok=True)
    (folder / "spoilt.rq").write_text("nothing", "utf-8")
    try:
        listed = {q["name"]: q for q in door.ask("GET", "/queries").json()}
        assert listed["spoilt"]["problem"] == "no heading"
        assert "spoilt.rq" in door.ask("GET", "/queries", headers=HTML).text
        assert door.ask("GET", "/queries/spoilt").status_code == 404
        assert put(door, "spoilt", KINDS, **{"If-None-Match": "*"}).status_code == 412
        assert put(door, "spoilt", KINDS).status_code == 200
    finally:
        (folder / "spoilt.rq").unlink()


@pytest.mark.parametrize(
    ("form", "text", "media_type"),
    [
        ("ask", b"ASK { ?a a ws:Document }", "application/sparql-results+json"),
        ("construct", b"CONSTRUCT { ?a a ws:Document } WHERE { ?a a ws:Document }", "text/turtle"),
        ("describe", b"DESCRIBE id:bridge-toll", "application/ld+json"),
    ],
)
def test_queries_of_every_form_can_be_saved(door: ServedDoor, form: str, text: bytes, media_type: str) -> None:
    assert put(door, form, b"# T?\n# D.\n" + text).status_code == 201
    answer = door.ask("GET", f"/queries/{form}", headers={"Accept": media_type})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith(media_type)
    assert form == "ask" or ID in answer.text
    assert door.ask("GET", f"/queries/{form}", headers=HTML).status_code == 200
    assert door.ask("GET", f"/queries/{form}?{urlencode({'limit': 1})}").status_code == 400
    assert door.ask("DELETE", f"/queries/{form}", by="dora").status_code == 204
