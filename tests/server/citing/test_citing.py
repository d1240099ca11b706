"""Citing: what is cited comes out whole in every format, as other people's parsers read it."""

import json
from dataclasses import replace

import bibtexparser
import pyoxigraph as ox
import pytest
import rispy
from bibtexparser.middlewares import LatexDecodingMiddleware, SeparateCoAuthors, SplitNameParts
from bibtexparser.model import Entry
from citeproc import Citation, CitationItem, CitationStylesBibliography, CitationStylesStyle, formatter
from citeproc.source.json import CiteProcJSON
from flask.testing import FlaskClient
from hypothesis import example, given
from hypothesis import strategies as st

from kg.names import ID, SKOS, WS, document_graph
from kg.settings import Settings
from kg.store import Snapshot, StoreFolder
from kg.terms import SchemeTerm, terms
from server.app import create_app
from server.citing.author_names import Author, read_author
from server.citing.citations import ENTRY, FORMS, OTHER, Cited, as_bibtex, as_csl, as_ris, as_text
from server.citing.citing import FORMATS, make_citation

PLAIN = Cited(
    key="bridge-toll",
    form=FORMS["documentKind-opEd"],
    title="Why Does the Bridge Still Divide Us?",
    authors=[read_author("Jack H. Park"), Author("윤태룡")],
    publisher="The Strelsau Courier",
    container="The Strelsau Courier",
    issued="1998-11-14",
    address="https://w3id.org/whosays/id/bridge-toll",
    accessed="2026-11-22",
    language="en",
)
HARD = 'A {brace} too } many & 50% of $5 #1 a_b ~ ^ \\ "quoted" @misc{x, Örvösd, 小泉'


@pytest.fixture
def client(sample_settings: Settings) -> FlaskClient:
    return create_app(sample_settings).test_client()


def bibtex_entry(text: str) -> Entry:
    library = bibtexparser.parse_string(text)
    assert not library.failed_blocks
    (entry,) = library.entries
    return entry


def decoded(text: str) -> Entry:
    library = bibtexparser.parse_string(
        text, append_middleware=[SeparateCoAuthors(), SplitNameParts(), LatexDecodingMiddleware()]
    )
    assert not library.failed_blocks
    return library.entries[0]


# --- names


@pytest.mark.parametrize(
    ("name", "others", "inverted"),
    [
        ("Jack H. Park", (), "Park, Jack H."),
        ("James A. Baker III", (), "Baker, III, James A."),
        ("Ludwig van Beethoven", (), "van Beethoven, Ludwig"),
        ("Charles de Gaulle", (), "de Gaulle, Charles"),
        ("Roh Moo-hyun", (), "Roh, Moo-hyun"),
        ("Dae-yeol Kown", (), "Kown, Dae-yeol"),
        ("Park Cheol Hee", (), "Park Cheol Hee"),
        ("Park Cheol Hee", ("Park, Cheol Hee",), "Park, Cheol Hee"),
        ("Anna Smith-Jones", (), "Anna Smith-Jones"),
        ("Victor Cha", ("Cha, Victor",), "Cha, Victor"),
        ("Victor Cha", ("Kim, Victor",), "Victor Cha"),
        ("小泉純一郎", (), "小泉純一郎"),
        ("윤태룡", (), "윤태룡"),
        ("", (), ""),
    ],
)
def test_a_name_is_cut_only_where_something_shows_how(name: str, others: tuple[str, ...], inverted: str) -> None:
    assert read_author(name, others).inverted == inverted


def test_the_name_of_a_body_is_never_cut() -> None:
    assert read_author("Institute of the van Beethoven", person=False).inverted == "Institute of the van Beethoven"


# --- BibTeX


def test_bibtex_is_read_back() -> None:
    soft = HARD.translate(str.maketrans("", "", "{}^"))  # of which the parser does not know the names
    entry = decoded(as_bibtex(replace(PLAIN, title=soft)))
    fields = {name: field.value for name, field in entry.fields_dict.items()}
    assert (entry.entry_type, entry.key) == ("article", "bridge-toll")
    assert fields["title"].strip("{}") == " ".join(soft.split())
    assert fields["journal"] == "The Strelsau Courier"
    assert (fields["year"], fields["month"], fields["date"]) == ("1998", "nov", "1998-11-14")
    park, yoon = fields["author"]
    assert (park.first, park.last) == (["Jack", "H."], ["Park"])
    assert (yoon.first, [name.strip("{}") for name in yoon.last]) == ([], ["윤태룡"])


def test_braces_in_a_title_are_named_and_not_written() -> None:
    title = bibtex_entry(as_bibtex(replace(PLAIN, title="a } b { c ^ d"))).fields_dict["title"].value
    assert title == r"{a \textbraceright{} b \textbraceleft{} c \textasciicircum{} d}"


def test_particles_and_bodies_keep_their_place_in_bibtex() -> None:
    authors = [read_author("Ludwig van Beethoven"), read_author("Smith and Sons", person=False)]
    beethoven, sons = decoded(as_bibtex(replace(PLAIN, authors=authors))).fields_dict["author"].value
    assert (beethoven.first, beethoven.von, [n.strip("{}") for n in beethoven.last]) == (
        ["Ludwig"],
        ["van"],
        ["Beethoven"],
    )
    assert [n.strip("{}") for n in sons.last] == ["Smith and Sons"]


TEXTS = st.text(max_size=60)


@given(title=TEXTS, name=TEXTS, note=TEXTS, address=TEXTS, day=TEXTS)
@example(title=HARD, name="} and {", note="\n\n@", address="https://a.example/{}\\", day="1998-11-14\n")
@example(title="\\", name="\\", note="\\", address="\\", day="\\")
def test_no_text_breaks_bibtex(title: str, name: str, note: str, address: str, day: str) -> None:
    entry = bibtex_entry(
        as_bibtex(replace(PLAIN, title=title, authors=[Author(name)], notes=[note], address=address, issued=day))
    )
    assert {"title", "author"} <= set(entry.fields_dict) | ({"title", "author"} if not name.strip() else set())
    assert entry.key == "bridge-toll"
    assert entry.fields_dict["urldate"].value == "2026-11-22"


# --- RIS


@given(title=TEXTS, name=TEXTS, note=TEXTS)
@example(title="a\r\nER  - \r\nTY  - JOUR", name="b\nER  - ", note="c\x85ER  - \u2028TY  - BOOK")
def test_no_text_breaks_ris(title: str, name: str, note: str) -> None:
    (found,) = rispy.loads(as_ris(replace(PLAIN, title=title, authors=[Author(name)], notes=[note])))
    assert (found["type_of_reference"], found["year"]) == ("NEWS", "1998")
    assert found.get("title", "") == " ".join(as_words(title))
    assert found.get("authors", [""]) == [" ".join(as_words(name))]


def as_words(text: str) -> list[str]:
    """The words of a text, as a line of RIS keeps them: control characters stand for spaces."""
    return "".join(" " if ord(c) < 32 or 127 <= ord(c) < 160 else c for c in text).split()


def test_ris_is_read_back() -> None:
    (found,) = rispy.loads(as_ris(PLAIN))
    assert found["authors"] == ["Park, Jack H.", "윤태룡"]
    assert found["secondary_title"] == "The Strelsau Courier"
    assert found["date"] == "1998/11/14/"
    assert found["urls"] == [PLAIN.address]


# --- CSL-JSON


@pytest.mark.filterwarnings("ignore")  # of citeproc-py, on fields that it does not know
@pytest.mark.parametrize("form", [*FORMS.values(), OTHER, ENTRY])
def test_a_processor_of_csl_takes_every_kind(form: object) -> None:
    assert isinstance(form, type(OTHER))
    items = json.loads(as_csl(replace(PLAIN, form=form)))
    style = CitationStylesStyle("harvard-cite-them-right", validate=False)
    bibliography = CitationStylesBibliography(style, CiteProcJSON(items), formatter.plain)
    bibliography.register(Citation([CitationItem("bridge-toll")]))
    (printed,) = map(str, bibliography.bibliography())
    assert "Park, J." in printed
    assert "윤태룡" in printed
    assert "1998" in printed


@pytest.mark.parametrize(
    ("issued", "told"),
    [
        ("1998-11-14", {"date-parts": [[1998, 11, 14]]}),
        ("1998-07~", {"date-parts": [[1998, 7]], "circa": True}),
        ("1998/2001", {"date-parts": [[1998], [2001]]}),
        ("2004/", {"literal": "from 2004"}),
        ("196X", {"literal": "1960s"}),
    ],
)
def test_dates_keep_their_precision_in_csl(issued: str, told: object) -> None:
    (item,) = json.loads(as_csl(replace(PLAIN, issued=issued)))
    assert item["issued"] == told


def test_every_kind_of_document_has_its_form() -> None:
    scheme = terms()[WS + "DocumentKindScheme"]
    assert isinstance(scheme, SchemeTerm)
    assert {WS + name for name in FORMS} == {concept.iri for concept in scheme.concepts}


# --- what is cited


def test_a_document_is_cited_as_what_it_is(sample: Snapshot) -> None:
    cited = make_citation(quoteless(sample), ID + "bridge-toll", change=1, today="2026-11-22")
    assert as_text(cited) == (
        "Amália Örvösd. “Why Does the Bridge at Tellbrück Still Divide Us?” The Strelsau Courier, 14 November 1998. "
        "https://w3id.org/whosays/id/bridge-toll (accessed 22 November 2026)."
    )


def test_an_assertion_is_cited_with_its_place_and_the_change(sample: Snapshot) -> None:
    text = as_text(make_citation(quoteless(sample), ID + "bridge-toll/s11b", change=7, today="2026-11-22"))
    for words in (
        "Whosays team. “Amália Örvösd reports that Edda Tannhof reports that Borduria fears: Syldavia wants",
        "Whosays: who asserts what, change 7",
        "Found in: Amália Örvösd, “Why Does the Bridge at Tellbrück Still Divide Us?”, The Strelsau Courier",
        "sentence 11, characters 1173–1264",
        "https://w3id.org/whosays/id/bridge-toll/s11b (accessed 22 November 2026).",
    ):
        assert words in text


def test_a_passage_is_cited_as_a_place_in_its_document(sample: Snapshot) -> None:
    text = as_text(make_citation(quoteless(sample), ID + "bridge-toll/109-193", change=1, today="2026-11-22"))
    assert "Characters 109–193. https://w3id.org/whosays/id/bridge-toll/109-193" in text


def test_an_unsigned_document_has_no_author(sample: Snapshot) -> None:
    store = ox.Store()
    store.extend(sample.store)
    graph = ox.NamedNode(document_graph("bridge-toll"))
    store.add(ox.Quad(ox.NamedNode(ID + "amalia-orvosd"), ox.NamedNode(WS + "named"), ox.Literal(False), graph))
    cited = make_citation(quoteless(Snapshot(store, "1")), ID + "bridge-toll", change=1, today="2026-11-22")
    assert cited.authors == []
    assert as_text(cited).startswith("“Why Does")


def test_what_was_retracted_is_cited_as_such(sample: Snapshot) -> None:
    store = ox.Store()
    graph = ox.NamedNode(document_graph("bridge-toll"))
    it, status = ox.NamedNode(ID + "bridge-toll/s11b"), ox.NamedNode(WS + "status")
    store.extend(q for q in sample.store if not (q.subject == it and q.predicate == status))
    store.add(ox.Quad(it, status, ox.NamedNode(WS + "status-retracted"), graph))
    cited = make_citation(quoteless(Snapshot(store, "1")), it.value, change=1, today="2026-11-22")
    assert "This assertion was retracted later." in as_text(cited)


def test_a_name_with_a_comma_settles_how_an_author_is_sorted(sample: Snapshot) -> None:
    store = ox.Store()
    store.extend(sample.store)
    graph = ox.NamedNode(document_graph("bridge-toll"))
    name = ox.Literal("Örvösd, Amália", language="en")
    store.add(ox.Quad(ox.NamedNode(ID + "amalia-orvosd"), ox.NamedNode(SKOS + "altLabel"), name, graph))
    cited = make_citation(quoteless(Snapshot(store, "1")), ID + "bridge-toll", change=1, today="2026-11-22")
    assert [author.inverted for author in cited.authors] == ["Örvösd, Amália"]


def quoteless(snapshot: Snapshot):  # type: ignore[no-untyped-def]
    """A way to ask a snapshot that has the texts of no document."""
    return lambda text: snapshot.query(text.replace("(ws:quote(?passage) AS ?quote)", "?quote"))


# --- over HTTP


@pytest.mark.parametrize("name", ["bridge-toll", "bridge-toll/s11b", "bridge-toll/109-193"])
@pytest.mark.parametrize("short", FORMATS)
def test_every_format_is_had_by_name_and_by_header(client: FlaskClient, name: str, short: str) -> None:
    form = FORMATS[short]
    by_name = client.get(f"/cite/{name}?format={short}")
    by_header = client.get(f"/cite/{name}", headers={"Accept": form.media_type})
    assert by_name.status_code == 200
    assert by_name.content_type == f"{form.media_type}; charset=utf-8"
    assert by_name.data == by_header.data
    file = f'attachment; filename="{name.replace("/", "-")}.{form.ending}"'
    assert by_name.headers.get("Content-Disposition") == (None if short == "text" else file)


def test_the_page_has_every_format_to_copy_and_to_take(client: FlaskClient) -> None:
    text = client.get("/cite/bridge-toll", headers={"Accept": "text/html"}).get_data(as_text=True)
    for short, form in FORMATS.items():
        assert f'<h2 id="{short}">{form.title}</h2>' in text
        assert f"/cite/bridge-toll?format={short}" in text
    assert "@article{bridge-toll," in text


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/cite/ruritania", 404, "nothing that is cited"),
        ("/cite/atlantis", 404, "nothing that is cited"),
        ("/cite/a%20b", 404, "not a name"),
        ("/cite/bridge-toll?format=word", 406, "bibtex"),
    ],
)
def test_what_cannot_be_cited_is_told(client: FlaskClient, path: str, status: int, words: str) -> None:
    answer = client.get(path, headers={"Accept": "text/plain"})
    assert answer.status_code == status
    assert words in answer.get_data(as_text=True)


def test_the_number_of_the_change_is_that_of_the_store(client: FlaskClient, sample_settings: Settings) -> None:
    name = StoreFolder(sample_settings.store).current_name()
    assert name is not None
    text = client.get("/cite/bridge-toll/s11b?format=text").get_data(as_text=True)
    assert f"change {int(name)}," in text
