"""The explorer and the search: what the pages show is what the endpoint answers."""

import csv
import io
import json
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pyoxigraph as ox
import pytest
from playwright.sync_api import Browser, expect

from kg.filters import NAMED, Filters, is_typed, read_filters, write_filters
from kg.names import expand
from kg.settings import Settings
from server.app import create_app
from server.engine.assertions import FORMS
from server.pages.explorer import SEARCHED
from tests.conftest import RunningServer
from tests.server.browsing import PHONE, Visit, see_address, take_suggestion, visiting

HTML = {"Accept": "text/html"}


def page(server: RunningServer, path: str, status: int = 200, **headers: str) -> str:
    answer = server.get(path, headers=HTML | headers)
    assert answer.status_code == status, answer.text[:500]
    return answer.text


def total(text: str) -> int:
    return int(text.split('id="found" tabindex="-1">')[1].split()[0].replace(",", ""))


def shown_queries(text: str) -> list[str]:
    """The queries that the page offers: for the rows, and for the statements."""
    found = [link.split('"')[0] for link in text.split('href="') if link.startswith("/sparql?edit=")]
    return [parse_qs(urlsplit(link.replace("&amp;", "&")).query)["edit"][0] for link in found]


def ask(server: RunningServer, query: str, form: str) -> httpx.Response:
    answer = server.post("/sparql", data={"query": query, "format": form})
    assert answer.status_code == 200, answer.text
    return answer


@pytest.mark.parametrize(
    "asked",
    ["", "holder=ruritania", "act=fears&act=wants", "document=bridge-toll&polarity=denies", "state=borduria",
     "target=tellbruck-bridge&certainty=possible", "kind=causal", "kind=report&standing=onRecord", "words=toll",
     "since=1998-11&until=1999", "issue=tellbruck-toll-issue", "withdrawn=1", "holder=Zemgrad"],
)  # fmt: skip
def test_what_one_takes_away_is_what_one_sees_and_what_the_sparql_says(server: RunningServer, asked: str) -> None:
    text = page(server, f"/explore?{asked}")
    rows, statements = shown_queries(text)
    bindings = ask(server, rows, "json").json()["results"]["bindings"]
    said = {(row["assertion"]["value"], row["passage"]["value"]) for row in bindings}

    taken = [link.split('"')[0] for link in text.split('href="') if "format=" in link.split('"')[0]]
    as_csv, as_json, turtle = (server.get(link.replace("&amp;", "&")) for link in taken)
    assert [answer.status_code for answer in (as_csv, as_json, turtle)] == [200] * 3
    told = as_json.json()
    assert len({one["assertion"] for one in told}) == len(told) == total(text)
    assert {(one["assertion"], passage["iri"]) for one in told for passage in one["passages"]} == said
    quotes = {row["passage"]["value"]: row["quote"]["value"] for row in bindings if "quote" in row}
    assert {p["iri"]: p["quote"] for one in told for p in one["passages"] if p["quote"]} == quotes
    lines = list(csv.DictReader(io.StringIO(as_csv.text)))
    assert {(line["assertion"], line["passage"]) for line in lines} == said
    assert {line["holder IRI"] for line in lines} == {row["holder"]["value"] for row in bindings}
    assert turtle.headers["Content-Type"].startswith("text/turtle")
    assert "attachment" in turtle.headers["Content-Disposition"]
    triples = set(ox.parse(turtle.content, format=ox.RdfFormat.TURTLE))
    assert triples == set(ox.parse(ask(server, statements, "nt").content, format=ox.RdfFormat.N_TRIPLES))


def test_what_cannot_be_taken_away_is_told(server: RunningServer) -> None:
    for wrong in ("format=png", "format=csv&act=nonsense", "format=csv&holder=Nobody+At+All"):
        answer = server.get(f"/explore?{wrong}")
        assert answer.status_code == 400, wrong
        assert "mend:" in answer.text


def test_files_are_answers_of_the_engine(server: RunningServer) -> None:
    answer = server.get("/explore?format=csv&holder=ruritania")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == "attachment; filename=assertions.csv"
    same = server.get("/explore?holder=ruritania&format=csv", headers={"If-None-Match": answer.headers["ETag"]})
    assert same.status_code == 304
    assert server.get("/explore?format=csv").text.count("\n") > answer.text.count("\n") > 1
    assert server.ask("HEAD", "/explore?format=csv").status_code == 200
    assert server.post("/explore?format=csv").status_code == 405
    typed = server.get("/explore?format=json&holder=Ruritania", follow_redirects=False)
    assert typed.status_code == 302
    assert server.get(typed.headers["Location"]).json() == server.get("/explore?format=json&holder=ruritania").json()


@pytest.mark.parametrize("name", ["Capitals", "日本", "ruritania"])
def test_what_an_address_has_is_never_taken_for_what_was_typed(server: RunningServer, name: str) -> None:
    told = write_filters(Filters({"holder": (expand(name),)}))
    assert not any(is_typed(facet, value) for facet, value in told)
    assert read_filters(told).chosen == {"holder": (expand(name),)}
    answer = server.get("/explore", params=[*told, ("format", "json")])
    assert answer.status_code == 200
    assert bool(answer.json()) == (name == "ruritania")


def test_names_in_a_file_are_in_the_language_of_the_page(server: RunningServer) -> None:
    german = server.get("/explore?holder=ruritania&lang=de").text
    link = next(part.split('"')[0] for part in german.split('href="') if "format=json" in part.split('"')[0])
    told = server.get(link.replace("&amp;", "&")).json()
    assert {one["holder"]["label"] for one in told} == {"Ruritanien"}
    english = server.get("/explore?holder=ruritania&format=json", headers={"Accept-Language": "de"}).json()
    assert {one["holder"]["label"] for one in english} == {"Ruritania"}


def test_forms_that_would_be_too_large_are_not_offered(
    sample_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with create_app(sample_settings).test_client() as client:
        assert "format=ttl" in client.get("/explore").text
        monkeypatch.setattr("server.pages.explorer.FORMS", {"csv": FORMS["csv"], "ttl": FORMS["ttl"]._replace(most=10)})
        text = client.get("/explore").text
        assert "format=csv" in text
        assert "format=ttl" not in text
        assert "format=ttl" in client.get("/explore?holder=edda-tannhof").text
        monkeypatch.setattr("server.pages.explorer.FORMS", {})
        assert "Choose something to take it away" in client.get("/explore").text


def test_a_name_may_be_typed_in_words_and_a_wrong_one_is_told(server: RunningServer) -> None:
    assert total(page(server, "/explore?holder=Ruritania")) == total(page(server, "/explore?holder=ruritania")) > 0
    text = page(server, "/explore?holder=Nobody+At+All")
    assert "nothing is called `Nobody At All`" in text
    for wrong in ("act=nonsense", "since=yesterday", "since=2000&until=1990"):
        assert 'role="alert"' in page(server, f"/explore?{wrong}")


def test_what_may_be_typed_is_looked_up() -> None:
    assert set(SEARCHED) == set(NAMED)


def test_every_row_leads_to_its_passage_and_the_words_are_shown(server: RunningServer) -> None:
    text = page(server, "/explore?document=bridge-toll")
    row = text[text.index('<li class="assertion') :]
    assert "/documents/bridge-toll#" in row
    assert "<q>" in row


def test_a_fragment_is_only_what_changes(server: RunningServer) -> None:
    text = page(server, "/explore?act=fears", **{"X-Fragment": "1"})
    assert "<html" not in text
    assert "<form" in text


@pytest.mark.parametrize(
    ("asked", "told"),
    [("", "/explore"), ("holder=Borduria&words=", "/explore?holder=borduria"), ("page=1", "/explore"),
     ("page=2", "/explore?page=2"), ("holder=Nobody+At+All", None)],
)  # fmt: skip
def test_what_is_asked_has_one_address(server: RunningServer, asked: str, told: str | None) -> None:
    answer = server.get(f"/explore?{asked}", headers=HTML)
    assert answer.headers.get("Content-Location") == told


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("tellbruck", "Tellbrück"),
        ("brück", "Tellbrück"),
        ("toll&kind=passage", "<q>"),
        ("lorry", '<span class="tag">passage'),
    ],
)
def test_names_are_found_by_parts_and_without_accents_passages_by_their_words(
    server: RunningServer, words: str, found: str
) -> None:
    assert found in page(server, f"/search?q={words}").split("<ol")[1]


@pytest.mark.parametrize(
    "words",
    ['"', "*", "NEAR(a b)", "a AND", "-", "^x", "toll:", "' OR 1", "\x00", "\u202e", "(", "🙂", "%", "a" * 999],
)
def test_no_words_are_syntax(server: RunningServer, words: str) -> None:
    answer = server.get("/search", params={"q": words, "format": "json"})
    assert answer.status_code == 200, answer.text
    assert isinstance(answer.json()["hits"], list)


def test_a_search_too_long_or_of_no_kind_is_told(server: RunningServer) -> None:
    page(server, "/search?q=" + "a" * 1_001, 400)
    assert "there is no kind" in page(server, "/search?q=a&kind=nonsense", 400)


def test_search_as_json_counts_kinds(server: RunningServer) -> None:
    told = json.loads(server.get("/search?q=toll&format=json").text)
    assert told["total"] == sum(told["counts"].values()) >= len(told["hits"]) > 0
    only = json.loads(server.get("/search?q=toll&kind=issue&format=json").text)
    assert {hit["kind"] for hit in only["hits"]} == {"issue"}
    assert only["counts"] == told["counts"]


@pytest.fixture
def phone(browser: Browser, server: RunningServer) -> Iterator[Visit]:
    with visiting(browser, server.address, PHONE) as opened:
        yield opened


def test_choosing_changes_rows_counts_and_address_and_going_back_undoes_it(visit: Visit) -> None:
    opened = visit.go("/explore")
    heading = opened.locator("#found")
    before = heading.inner_text()
    opened.get_by_label("fears").first.check()
    expect(heading).not_to_have_text(before)
    see_address(opened, "/explore?act=fears")
    expect(opened.locator("#act-fears")).to_be_focused()
    chosen = heading.inner_text()
    count = opened.locator("label:has(#act-fears) .count").inner_text()
    assert chosen.split()[0] == count
    opened.go_back()
    expect(heading).to_have_text(before)
    opened.go_forward()
    expect(heading).to_have_text(chosen)
    opened.get_by_role("link", name="Begin anew").click()
    expect(heading).to_have_text(before)


def test_names_are_offered_while_one_types_and_taken(visit: Visit) -> None:
    opened = visit.go("/explore")
    field = opened.get_by_role("combobox", name="Who holds it: another, by name")
    take_suggestion(field, "Bord", "Borduria")
    expect(opened.get_by_role("link", name="Take out: Who holds it: Borduria")).to_be_visible()
    see_address(opened, "/explore?holder=borduria")


def test_the_explorer_works_without_script(browser: Browser, server: RunningServer) -> None:
    with visiting(browser, server.address, script=False) as visit:
        opened = visit.go("/explore")
        opened.get_by_label("fears").first.check()
        opened.get_by_role("button", name="Show").click()
        expect(opened).to_have_url(re.compile("act=fears"))
        opened.locator(".where a").first.click()
        expect(opened).to_have_url(re.compile("/documents/"))


def test_the_explorer_is_usable_on_a_phone(phone: Visit) -> None:
    opened = phone.go("/explore?document=bridge-toll")
    assert phone.overflow() <= 0
    expect(opened.locator(".assertion").first).to_be_visible()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        *((typed, "Borduria") for typed in ("Borduria", " borduria ", "BORDURIA", "Zemgrad", "whatever [borduria]")),
        ("Edda", "Edda Tannhof"),
    ],
)
def test_a_name_may_be_typed_into_the_address(server: RunningServer, typed: str, meant: str) -> None:
    answer = server.get("/explore", params={"holder": typed}, headers={"Accept": "text/html"})
    assert f"Take out: Who holds it: {meant}" in answer.text


@pytest.mark.parametrize(("typed", "mend"), [("Bor gone", "other words"), ("R", "do you mean")])
def test_a_name_that_nothing_has_or_that_many_begin_with_is_told(server: RunningServer, typed: str, mend: str) -> None:
    answer = server.get("/explore", params={"holder": typed}, headers={"Accept": "text/html"})
    assert f"nothing is called `{typed}`" in answer.text
    assert mend in answer.text
