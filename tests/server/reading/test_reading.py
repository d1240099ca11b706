"""Reading a document: its text with what is asserted in it, the outline without the text, and what may be shown."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pyoxigraph as ox
import pytest
from flask.testing import FlaskClient

from kg.names import ID, WS, document_graph
from kg.proposals import Proposals
from kg.settings import Settings
from kg.store import Snapshot, StoreFolder
from kg.tokens import Tokens
from loaders.deciding import publish_planned
from loaders.judging import plan_retraction
from loaders.texts import cut_sentences
from server.app import create_app
from server.reading.coded_document import read_coded
from server.reading.segments import Span
from tests.additions import REPLY, addition, quads_of
from tests.conftest import SAMPLE
from tests.pace import within
from tests.server.reading.documents_to_read import ODD, coded, large_passages, large_text, put

Client = Callable[..., FlaskClient]
BRIDGE = (SAMPLE / "texts" / "bridge-toll.txt").read_bytes().decode()


@pytest.fixture
def client(store: Path) -> Client:
    def make(**settings: object) -> FlaskClient:
        return create_app(Settings(**{"store": store, "texts": SAMPLE / "texts"} | settings)).test_client()  # type: ignore[arg-type]

    return make


@pytest.fixture
def odd(store: Path, tmp_path: Path) -> Path:
    """A folder with a text that is hard to count and to show; it is coded in the store."""
    sentences = [Span(s.start, s.end) for s in cut_sentences(ODD)]
    passages = [(span, "Evaluation") for span in sentences[:3]] + [
        (Span(2, 9), "Relation"),
        (Span(2, 30), "CausalClaim"),
    ]
    put(store, coded("odd", ODD, passages, wrong=[Span(2, 30)]))
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "odd.txt").write_bytes(ODD.encode())
    return folder


class Parsed(HTMLParser):
    """The text of the segments of a page, and its elements: tag, attributes."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.segments: dict[int, str] = {}
        self._segment: int | None = None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.elements.append((tag, found))
        self._segment = int(found["data-s"]) if "data-s" in found else None

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 (of the base class)
        self._segment = None

    def handle_data(self, data: str) -> None:
        if self._segment is not None:
            self.segments[self._segment] = self.segments.get(self._segment, "") + data

    def having(self, name: str) -> list[dict[str, str]]:
        return [attributes for _, attributes in self.elements if name in attributes]


def page_of(client: FlaskClient, path: str, status: int = 200) -> str:
    response = client.get(path, headers={"Accept": "text/html"})
    assert response.status_code == status
    return response.text


def test_the_text_is_there_word_for_word_at_its_positions(client: Client) -> None:
    segments = Parsed(page_of(client(), "/documents/bridge-toll")).segments
    assert len(segments) > 90
    for start, words in segments.items():
        assert BRIDGE[start : start + len(words)] == words
    assert "".join(segments[start] for start in sorted(segments)).split() == BRIDGE.replace("\n", "").split()


def test_every_passage_is_marked_where_it_is_and_by_the_kind_of_what_is_asserted(client: Client) -> None:
    page = page_of(client(), "/documents/bridge-toll")
    parsed = Parsed(page)
    marked = {e["data-p"] for e in parsed.having("data-p") if "mark" in e.get("class", "")}
    spans = {s for e in parsed.having("data-spans") if "data-key" in e for s in e["data-spans"].split()}
    assert spans == marked
    classes = [e["class"] for e in parsed.having("data-p") if e["data-p"] == "255-336"]
    assert any("kind-quantity" in c for c in classes)


def test_nested_reports_are_indented_in_the_card_and_bracketed_in_the_text(client: Client) -> None:
    page = page_of(client(), "/documents/bridge-toll")
    card = re.search(r'<li id="card-\d+"[^>]*data-key="s11b".*?</li>', page, re.DOTALL)
    assert card is not None
    lines = [re.sub(r"<[^>]*>", "", line) for line in re.findall(r'<p class="(?:voice|content) .*?</p>', card[0])]
    assert lines == [
        "Amália Örvösd reports that ",
        "Edda Tannhof reports that ",
        "Borduria fears: ",
        "Syldavia wants to have the bridge at Tellbrück for itself.",
    ]
    assert re.findall(r'class="(?:voice|content) (in-\d)"', card[0]) == ["in-0", "in-1", "in-2", "in-3"]
    classes = [e["class"] for e in Parsed(page).having("data-p") if e["data-p"] == "1173-1264"]
    assert any("depth-2" in c and "begins" in c for c in classes)


def test_every_link_within_the_page_leads_somewhere_and_no_anchor_is_there_twice(client: Client) -> None:
    for name in ("bridge-toll", "reply-from-borduria"):
        for texts in (SAMPLE / "texts", None):
            parsed = Parsed(page_of(client(texts=texts), f"/documents/{name}"))
            anchors = [e["id"] for e in parsed.having("id")]
            assert len(anchors) == len(set(anchors))
            links = {e["href"][1:] for e in parsed.having("href") if e["href"].startswith("#")}
            assert links <= set(anchors)


def test_sentences_that_assert_nothing_are_told_apart_with_the_reason(client: Client) -> None:
    page = page_of(client(), "/documents/bridge-toll")
    assert "byline with author, newspaper and date" in page
    states = {e["id"]: e["class"] for e in Parsed(page).having("data-n") if "id" in e}
    assert states["51-107"] == "sentence nothing"
    assert states["3352-3467"] == "sentence citing"
    assert states["109-254"] == "sentence asserting"
    assert "Of 27 sentences 25 assert something, 1 only cite, 1 assert nothing, 0 are not yet coded." in page


def test_without_the_text_there_is_the_outline_by_position(client: Client, tmp_path: Path) -> None:
    (tmp_path / "bridge-toll.txt").write_text(BRIDGE + "changed")  # another digest: another text
    for texts in (None, tmp_path):
        page = page_of(client(texts=texts), "/documents/bridge-toll")
        assert "No copy of this text is here" in page
        assert not Parsed(page).segments
        assert "black-letter" not in page
        assert '<li id="109-254"' in page
        assert "109–254" in page
        assert 'data-p="255-336"' in page
        assert "byline with author" in page


@pytest.mark.parametrize(
    ("quotes", "passage", "outside"), [("none", False, False), ("passage", True, False), ("document", True, True)]
)
def test_no_more_of_the_text_is_shown_than_may_be(client: Client, quotes: str, passage: bool, outside: bool) -> None:
    page = page_of(client(quotes=quotes), "/documents/bridge-toll").replace("\n", " ")
    words = re.sub(r"<[^>]*>", "", page)
    assert ("percent of Ruritania’s exports" in words) is passage
    assert ("The Strelsau Courier, 14 November 1998" in words) is outside  # the byline, on which nothing rests


def test_a_passage_that_does_not_match_is_told_and_not_marked(client: Client, odd: Path) -> None:
    page = page_of(client(texts=odd), "/documents/odd")
    assert "The words of 1 passage in the text are not those that were coded; it is not marked: 2-30." in page
    assert not [e for e in Parsed(page).having("data-p") if e["data-p"] == "2-30"]
    assert "What is said at 2-30" in page  # the card stays
    outline = page_of(client(texts=odd, quotes="passage"), "/documents/odd")
    assert "it is not marked: 2-30" in outline
    assert not [e for e in Parsed(outline).having("data-p") if e["data-p"] == "2-30"]


def test_what_a_text_holds_is_shown_harmlessly_and_keeps_its_positions(client: Client, odd: Path) -> None:
    page = page_of(client(texts=odd), "/documents/odd")
    assert "<script>alert" not in page
    assert "<b>bridge" not in page
    for start, words in Parsed(page).segments.items():
        assert ODD[start : start + len(words)] == words
    assert page.count('<p dir="auto"') == 4
    assert "not yet coded" in page


def test_what_the_graph_holds_is_shown_harmlessly(client: Client, store: Path) -> None:
    gloss = "<img src=x onerror=alert(1)> \u202e" + "x" * 100_000
    put(store, coded("strange", ODD, [(Span(0, 10), "Evaluation")]))
    graph = ox.NamedNode(document_graph("strange"))
    hostile = [
        ox.Quad(
            ox.NamedNode(ID + "strange-content-0"), ox.NamedNode(WS + "gloss"), ox.Literal(gloss, language="de"), graph
        ),
        ox.Quad(
            ox.NamedNode(ID + "strange/s0"), ox.NamedNode(WS + "speaker"), ox.NamedNode("javascript:alert(1)"), graph
        ),
        ox.Quad(ox.NamedNode(ID + "strange"), ox.NamedNode(WS + "title"), ox.Literal(gloss, language="de"), graph),
    ]
    put(store, hostile)
    page = page_of(client(), "/documents/strange?lang=de")
    assert "<img" not in page
    assert 'href="javascript:' not in page
    assert "&lt;img src=x" in page
    assert len(page) < 20_000


def test_the_address_chooses_an_assertion_and_hides_kinds(client: Client) -> None:
    page = page_of(client(), "/documents/bridge-toll?assertion=s6b&hide=relation")
    chosen = [e for e in Parsed(page).having("data-key") if "chosen" in e["class"].split()]
    assert [e["data-key"] for e in chosen] == ["s6b"]
    marks = [e for e in Parsed(page).having("data-p") if "chosen" in e.get("class", "").split()]
    assert {e["data-p"] for e in marks} == {"504-585"}
    boxes = {e["value"]: "checked" in e for e in Parsed(page).having("value") if e.get("name") == "show"}
    assert not boxes["relation"]
    assert boxes["causal"]
    again = page_of(client(), "/documents/bridge-toll")  # what one asked for is not kept for others
    assert not [e for e in Parsed(again).having("class") if "chosen" in e["class"].split()]
    assert "There is no assertion" in page_of(client(), "/documents/bridge-toll?assertion=<b>s99")


def test_what_is_no_document_is_not_found(client: Client) -> None:
    for name in ("ruritania", "nothing-of-the-kind", "a%20b", "x%3Cscript%3E"):
        assert "<script>" not in page_of(client(), f"/documents/{name}", 404)


def test_a_document_that_is_only_cited_says_so(client: Client) -> None:
    page = page_of(client(), "/documents/zvornik-1997")
    assert "Nothing is coded of this document; others cite it." in page


def test_names_come_in_the_readers_language(client: Client) -> None:
    assert "Die Brücke in Tellbrück ist für Ruritanien" in page_of(client(), "/documents/bridge-toll?lang=de")


def test_who_may_code_gets_a_button_for_each_sentence(client: Client, store: Path) -> None:
    own = client()
    assert "/code/bridge-toll?" not in page_of(own, "/documents/bridge-toll")
    secret = Tokens(store / "tokens.sqlite").make("carla", "contributor", days=None)
    assert own.post("/signin", data={"token": secret}).status_code == 303
    page = page_of(own, "/documents/bridge-toll")
    addresses = [e["href"] for e in Parsed(page).having("data-code")]
    assert len(addresses) == 27
    assert "/code/bridge-toll?start=109&end=254" in addresses
    assert "data-coding" in page
    assert "data-coding" not in page_of(client(), "/documents/bridge-toll")


def test_proposals_are_shown_to_whom_they_concern_and_as_waiting(client: Client, store: Path) -> None:
    tokens, proposals = Tokens(store / "tokens.sqlite"), Proposals(store / "proposals.sqlite")
    secrets = {name: tokens.make(name, "contributor", days=None) for name in ("carla", "otto")}
    secrets["clio"] = tokens.make("clio", "curator", days=None)
    record = addition("good")
    quads = "".join(f"{quad} .\n" for quad in quads_of(record))
    proposals.submit("carla", record, "application/yaml", quads, documents=[REPLY])
    for name, sees in (("carla", True), ("otto", False), ("clio", True)):
        own = client()
        own.post("/signin", data={"token": secrets[name]})
        page = page_of(own, "/documents/reply-from-borduria")
        cards = [e for e in Parsed(page).having("data-key") if e["data-key"] == "good"]
        assert len(cards) == sees
        assert ("The receipt called good is clear." in page) is sees
        if sees:
            assert "waits" in cards[0]["class"].split()
            assert "proposal 1, waiting" in page
    assert "The receipt called good" not in page_of(client(), "/documents/reply-from-borduria")


def test_what_was_retracted_is_not_shown_and_counted(store: Path, client: Client) -> None:
    before = page_of(client(), "/documents/reply-from-borduria")
    assert "1 that was superseded" not in before
    what = ID + "reply-from-borduria/s7a"
    publish_planned(StoreFolder(store), lambda: plan_retraction(store, what, "Misread.", ID + "whosays-team"))
    page = page_of(client(), "/documents/reply-from-borduria")
    assert 'data-key="s7a"' not in page
    assert "1 that was superseded or retracted is" in page


@pytest.mark.alone
def test_the_time_that_a_document_takes_grows_with_its_length_only(store: Path, client: Client, tmp_path: Path) -> None:
    sizes = {"small": 500, "large": 2_000}
    for name, most in sizes.items():
        text = large_text(most * 3 // 2)
        put(store, coded(name, text, large_passages(text, most)))
        (tmp_path / f"{name}.txt").write_bytes(text.encode())
    assert len(text) > 400_000
    own = client(texts=tmp_path)
    page_of(own, "/documents/bridge-toll")  # reads the ontology
    took: dict[str, list[float]] = {name: [] for name in sizes}
    for name, most in sizes.items():
        for _ in range(2):
            start = time.process_time()
            page = page_of(own, f"/documents/{name}")
            took[name].append(time.process_time() - start)
        assert page.count('<li id="card-') == most
    assert within(took["large"][0], 3)
    assert within(took["large"][1], 0.3)
    assert took["large"][0] < 10 * took["small"][0]  # four times, about; were it quadratic, sixteen
    assert took["large"][1] < took["large"][0] / 3  # what is coded is kept as long as the snapshot is


def test_what_is_coded_is_read_anew_from_a_new_snapshot(store: Path, client: Client, odd: Path) -> None:
    own = client(texts=odd)
    assert "odd-more" not in page_of(own, "/documents/odd")
    put(store, coded("odd-more", ODD, [(Span(0, 5), "Relation")]))
    assert "What is said at 0-5 of the document odd-more" in page_of(own, "/documents/odd-more")


def test_every_assertion_of_the_sample_is_in_one_chain(sample: Snapshot) -> None:
    found = read_coded(sample, ID + "bridge-toll")
    voices = [voice for chain in found.chains for voice in chain.voices]
    stated = sample.query(f"SELECT ?a {{ ?a ws:statedIn <{ID}bridge-toll> ; ws:standing ?standing }}")
    assert sorted(voices) == sorted(row[0].value for row in stated)  # type: ignore[union-attr]
    assert [chain.first for chain in found.chains] == sorted(chain.first for chain in found.chains if chain.first)
