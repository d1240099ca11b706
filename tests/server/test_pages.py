"""The pages: home, saved queries, problems; for people and for programs."""

from html.parser import HTMLParser

import pytest

from kg.queries import load_queries
from tests.conftest import RunningServer

HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


class Links(HTMLParser):
    """Collects the addresses that a page points to, and counts its tables and forms."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: set[str] = set()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses |= {v for k, v in attrs if k in ("href", "action") and v}


def links(page: str) -> Links:
    parser = Links()
    parser.feed(page)
    return parser


def test_home_shows_search_documents_queries_counts_and_how_to_ask(server: RunningServer) -> None:
    page = server.get("/", headers=HTML).text
    found = links(page)
    assert "Why Does the Bridge at Tellbrück Still Divide Us?" in page
    assert {f"/queries/{name}" for name in load_queries()} <= found.addresses
    assert {"/sparql", "/search", "/explore", "/documents/bridge-toll"} <= found.addresses
    assert "<strong>2</strong> documents" in page


def test_every_address_on_the_home_page_answers(server: RunningServer) -> None:
    for address in links(server.get("/", headers=HTML).text).addresses:
        if address.startswith("/"):
            assert server.get(address, headers=HTML).status_code == 200, address


@pytest.mark.parametrize("name", sorted(load_queries()))
def test_every_saved_query_has_a_page(server: RunningServer, name: str) -> None:
    page = server.get(f"/queries/{name}", headers=HTML)
    assert page.status_code == 200
    assert load_queries()[name].title in page.text


def test_a_saved_query_is_a_form_with_a_table(server: RunningServer) -> None:
    page = server.get("/queries/who-asserts-what", params={"about": "Ruritania"}, headers=HTML).text
    assert 'value="Ruritania"' in page
    assert '<th scope="col">holder</th>' in page
    assert "Amália Örvösd" in page


@pytest.mark.parametrize(
    ("form", "media_type"),
    [("json", "application/sparql-results+json"), ("csv", "text/csv"), ("xml", "application/sparql-results+xml")],
)
def test_a_saved_query_answers_programs(server: RunningServer, form: str, media_type: str) -> None:
    by_name = server.get("/queries/who-asserts-what", params={"about": "ruritania", "format": form})
    by_header = server.get("/queries/who-asserts-what", params={"about": "ruritania"}, headers={"Accept": media_type})
    assert by_name.headers["Content-Type"].startswith(media_type)
    assert by_name.text == by_header.text


def test_the_list_of_queries_for_programs(server: RunningServer) -> None:
    listed = {q["name"]: q for q in server.get("/queries").json()}
    assert set(listed) == set(load_queries())
    assert listed["who-asserts-what"]["parameters"][0]["example"] == "united-states"


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/queries/atlantis", 404, "who-asserts-what"),
        ("/queries/who-asserts-what?abuot=x&format=csv", 400, "about"),
        ("/queries/who-asserts-what?about=atlantis&format=csv", 400, "nothing in the graph"),
        ("/nowhere", 404, "Not Found"),
    ],
)
def test_problems_are_told_to_programs_and_people(server: RunningServer, path: str, status: int, words: str) -> None:
    for headers in ({}, HTML):
        answer = server.get(path, headers=headers)
        assert answer.status_code == status
        assert words in answer.text


def test_a_wrong_parameter_stays_in_the_form(server: RunningServer) -> None:
    page = server.get("/queries/who-asserts-what", params={"about": "<script>alert(1)</script>"}, headers=HTML)
    assert page.status_code == 200
    assert "nothing in the graph is called" in page.text
    assert "<script>" not in page.text


def test_pages_allow_nothing_from_elsewhere(server: RunningServer) -> None:
    policy = server.get("/", headers=HTML).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
