"""Pages of things: what a thing is in plain words, who says what of it, in the reader's language, always bounded."""

import re
from collections.abc import Callable, Iterable
from datetime import date
from html import unescape
from pathlib import Path

import pyoxigraph as ox
import pytest
from flask.testing import FlaskClient

from kg.describing import ENOUGH, PAGE, outline
from kg.names import ID, RDF, REGISTER_GRAPH, SKOS, WS, document_graph
from kg.settings import Settings
from kg.store import Results, Snapshot, StoreFolder
from kg.vocabulary import vocabulary
from server.app import create_app
from server.entities.facts import identifiers, most_particular, other_names, title_of
from server.entities.page import LONGEST, entity_page
from server.entities.questions import SECTIONS, Section
from server.entities.sections import MOST, fill_sections, needed, section_query
from server.entities.tenures import WIDTH, Tenure, arrange
from server.entities.voices import as_text, chain_of, read_aloud

TODAY = date(2020, 1, 1)
HTML = {"Accept": "text/html"}
Look = Callable[..., str]


@pytest.fixture
def client(sample_settings: Settings) -> FlaskClient:
    return create_app(sample_settings).test_client()


@pytest.fixture
def look(client: FlaskClient) -> Look:
    def one(name: str, language: str = "en") -> str:
        answer = client.get(f"/id/{name}", headers={**HTML, "Accept-Language": language})
        assert answer.status_code == 200
        return answer.get_data(as_text=True)

    return one


def words(text: str) -> str:
    """What a reader sees of a page, spaces evened out."""
    return re.sub(r"\s+([.,:;)])", r"\1", " ".join(unescape(re.sub(r"<[^>]*>", " ", text)).split()))


def section(text: str, name: str) -> str:
    """The part of a page under a heading, by its anchor."""
    begin = text.index(f'id="{name}"')
    return text[begin : text.index("</section>", begin)]


# --- what it is


def test_a_thing_is_told_in_plain_words_first(look: Look) -> None:
    text = look("ruritania")
    front = words(text[text.index("<h1>") : text.index("<h2")])
    assert front.startswith("Ruritania A state or another polity")
    assert "Also called Strelsau" in front
    assert "https://w3id.org/whosays/id/ruritania" in text


def test_names_are_those_of_the_readers_language(look: Look) -> None:
    english, german = look("ruritania"), look("ruritania", "de")
    assert "<h1><bdi>Ruritania</bdi></h1>" in english
    assert '<h1><bdi lang="de">Ruritanien</bdi></h1>' in german
    assert '<bdi lang="de">Ruritanien</bdi>' in english
    assert '<bdi lang="en">Ruritania</bdi>' in german
    assert '<bdi lang="de">Bordurien</bdi>' in look("tellbruck-toll", "de")


def test_a_name_that_is_missing_in_a_language_is_the_english_one(look: Look) -> None:
    assert "<h1><bdi>Ruritania</bdi></h1>" in look("ruritania", "ko")
    assert "<h1><bdi>bridge at Tellbrück</bdi></h1>" in look("tellbruck-bridge", "de")


def test_other_names_stand_in_the_order_in_which_the_reader_can_read_them() -> None:
    own = {
        SKOS + "prefLabel": [
            ox.Literal(text, language=tag) for text, tag in (("金", "zh"), ("김", "ko"), ("Kim", "en"))
        ],
        SKOS + "altLabel": [ox.Literal("Gim", language="en"), ox.Literal("kim")],
    }
    assert other_names(own, "김", "ko") == ["Gim", "Kim", "kim", "金"]
    assert [name.language for name in other_names(own, "Kim", "zh")] == ["zh", "en", "", "ko"]


def test_what_has_no_name_of_its_own_is_described(look: Look) -> None:
    for name, title in (
        ("vlastok-ambassador", "Kazimír Vlašťok, Ambassador of Borduria to Ruritania"),
        ("bridge-toll/1173-1264", "Sentence 11 of Why Does the Bridge"),
        ("bridge-toll/109-193", "Characters 109 to 193 of Why Does the Bridge"),
        ("reply-from-borduria/c1", "In Defence of a Small Fee cites Why Does the Bridge"),
        ("reply-from-borduria/link-repairs", "contradicts"),
    ):
        found = re.search("<h1>(.*?)</h1>", look(name))
        assert found is not None
        assert title in words(found[1])


def test_a_thing_of_no_class_that_we_know_goes_by_its_name() -> None:
    assert title_of(ID + "thing", {}, ["http://example.org/Thing"], {}) == "thing"
    assert most_particular([]) == []


def test_an_address_that_is_none_is_no_link() -> None:
    own = {SKOS + "exactMatch": [ox.NamedNode("javascript:alert(1)")], WS + "webPage": [ox.Literal("data:text/html,x")]}
    assert [address for _, address in identifiers(own)] == ["javascript:alert(1)", "data:text/html,x"]


# --- what there is to tell


def test_a_person_has_offices_over_time_with_a_bar(look: Look) -> None:
    text = section(look("kazimir-vlastok"), "tenures-1")
    assert "since 1995" in text
    assert "attested 14 November 1998, 21 November 1998" in words(text)
    assert '<svg class="bar"' in text
    assert "style=" not in text


def test_an_office_tells_who_held_it_and_a_state_its_offices(look: Look) -> None:
    assert "Edda Tannhof" in section(look("chancellor-of-ruritania"), "tenures-1")
    assert "Chancellor of Ruritania" in section(look("ruritania"), "tenures-1")


def test_an_agreement_tells_its_steps_in_order(look: Look) -> None:
    told = words(section(look("bridge-treaty"), "steps"))
    assert "signed" in told
    assert "May 1965" in told
    assert "Borduria" in told


def test_perceptions_are_told_both_ways(look: Look) -> None:
    assert "opportunist" in section(look("borduria"), "seen")
    assert "illegitimate" in section(look("kazimir-vlastok"), "sees")


def test_a_content_tells_who_takes_which_stance_and_what_contradicts_it(look: Look) -> None:
    text = look("tellbruck-bridge-repairs-end-1996")
    assert "contradicts" in section(text, "links")
    assert "Repairs that end in 1996 cannot go on until 2001." in section(text, "links")
    assert "Amália Örvösd states" in words(section(text, "lines-stances"))
    assert "is unlawful once the repairs are over" in words(section(text, "conclusions"))


def test_another_reading_is_no_stance(look: Look) -> None:
    text = look("borduria-ends-tellbruck-toll")
    assert "somebody says" not in text
    assert "politely" in section(text, "readings")
    assert "politely" in section(look("bridge-toll/s13c"), "reading-1")


def test_an_assertion_is_a_sentence_with_its_words_and_its_place(look: Look) -> None:
    text = look("bridge-toll/s11b")
    found = re.search('<h1 class="says">(.*?)</h1>', text, re.DOTALL)
    assert found is not None
    assert words(found[1]) == (
        "Amália Örvösd reports that Edda Tannhof reports that Borduria fears: "
        "Syldavia wants to have the bridge at Tellbrück for itself."
    )
    assert 'href="/documents/bridge-toll#1173-1264"' in text
    assert "<blockquote><p><bdi>" in text
    assert "Every voice of the chain commits without hedge." in text
    voices = words(section(text, "lines-voices"))
    assert voices.index("Edda Tannhof reports that Borduria") < voices.rindex("Borduria fears")
    assert "this assertion" in voices


def test_what_several_voices_say_in_one_sentence_is_told_once(look: Look) -> None:
    told = words(section(look("bridge-toll"), "lines-stated"))
    assert told.count("Ruritanians (in general) see: Borduria is a friend of Ruritania.") == 1


def test_a_document_leads_to_its_text_and_its_citation(look: Look) -> None:
    text = look("bridge-toll")
    assert 'href="/documents/bridge-toll"' in text
    assert 'href="/cite/bridge-toll"' in text
    assert 'href="/explore?document=bridge-toll"' in text
    assert 'href="/documents/zvornik-1997"' not in look("zvornik-1997")  # which is only cited


def test_the_rest_is_in_the_explorer(look: Look) -> None:
    assert 'href="/explore?target=ruritania"' in look("ruritania")
    assert 'href="/explore?issue=tellbruck-toll"' in look("tellbruck-toll")
    assert 'href="/explore?holder=amalia-orvosd"' in look("amalia-orvosd")
    assert "/explore?" not in section(look("tellbruck-toll-level"), "lines-said")  # a factor is no target


@pytest.mark.parametrize("name", ["ruritania", "bridge-toll", "bridge-toll/s11b", "tellbruck-toll"])
def test_the_permanent_address_can_be_taken_without_script(look: Look, name: str) -> None:
    text = look(name)
    assert f'<input id="permanent" readonly value="{ID}{name}"' in text
    assert 'data-copy="permanent" hidden' in text


# --- the sentences

ACTS = {"wants": "will", "states": "truth", "asks": "noncommittal", "agreesTo": "will", "fears": "feeling"}


@pytest.mark.parametrize(
    ("act", "polarity", "certainty", "basis", "sentence"),
    [
        ("states", "affirms", "unhedged", "stated", "Anna states: P."),
        ("states", "denies", "unhedged", "stated", "Anna states that it is not so: P."),
        ("wants", "denies", "unhedged", "stated", "Anna wants that it be not so: P."),
        ("agreesTo", "denies", "unhedged", "stated", "Anna agrees that it be not so: P."),
        ("asks", "leavesOpen", "unhedged", "stated", "Anna leaves it open (asks): P."),
        ("fears", "lacks", "unhedged", "stated", "Anna fears nothing of the kind: P."),
        ("states", "affirms", "probable", "hearsay", "Anna states, by hearsay, as probable: P."),
        ("states", "denies", "possible", "stated", "Anna states, as possible, that it is not so: P."),
    ],
)
def test_a_sentence_says_what_was_coded(act: str, polarity: str, certainty: str, basis: str, sentence: str) -> None:
    said = {"a": voice(act, polarity, certainty, basis) | {WS + "proposition": [ox.NamedNode("ex:p")]}}
    assert as_text(read_aloud(["a"], said, {"ex:anna": "Anna", "ex:p": "P."})) == sentence


@pytest.mark.parametrize(
    ("act", "polarity", "sentence"),
    [
        ("states", "affirms", "Anna states that Anna wants: P."),
        ("states", "denies", "Anna states that it is not so that Anna wants: P."),
        ("asks", "affirms", "Anna asks whether Anna wants: P."),
        ("states", "leavesOpen", "Anna leaves it open (states) whether Anna wants: P."),
        ("states", "lacks", "Anna states nothing of the kind: Anna wants: P."),
    ],
)
def test_a_report_runs_on_into_what_it_reports(act: str, polarity: str, sentence: str) -> None:
    said = {
        "ex:a": voice(act, polarity) | {WS + "reports": [ox.NamedNode("ex:b")]},
        "ex:b": voice("wants", "affirms")
        | {WS + "within": [ox.NamedNode("ex:a")], WS + "proposition": [ox.NamedNode("ex:p")]},
    }
    assert chain_of("ex:b", said) == chain_of("ex:a", said) == ["ex:a", "ex:b"]
    assert as_text(read_aloud(["ex:a", "ex:b"], said, {"ex:anna": "Anna", "ex:p": "P."})) == sentence


def test_reports_that_go_in_a_circle_come_to_an_end() -> None:
    said = {
        a: {WS + "reports": [ox.NamedNode(b)], WS + "within": [ox.NamedNode(b)]}
        for a, b in (("a:a", "a:b"), ("a:b", "a:a"))
    }
    assert sorted(chain_of("a:a", said)) == ["a:a", "a:b"]


def voice(act: str, polarity: str, certainty: str = "unhedged", basis: str = "stated") -> dict[str, list[ox.NamedNode]]:
    coded = {"act": act, "polarity": polarity, "certainty": certainty, "basis": basis}
    return {WS + k: [ox.NamedNode(f"{WS}{k}-{v}")] for k, v in coded.items()} | {
        WS + "holder": [ox.NamedNode("ex:anna")]
    }


# --- the bars


def tenure(**dates: object) -> Tenure:
    node = ox.NamedNode("ex:x")
    return Tenure(node, node, node, **dates)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("dates", "solid", "pale"),
    [
        ({"start": "2000-01-01", "end": "2009-12-31"}, [(0, WIDTH)], []),
        ({"start": "2000-01-01", "end": ".."}, [(0, WIDTH)], []),
        ({"start": "2000", "end": "2009-12-31"}, [(100, 900)], [(0, 100)]),
        ({"start": "2000-01-01", "end": None, "attested": ["2000-12-31"]}, [(0, WIDTH)], []),
        ({"attested": ["2000-07-01"]}, [], [(457, 40), (497, 40)]),
        ({"start": "never", "end": "ever"}, None, None),
        ({"start": "2000/"}, [], [(0, 40)]),
    ],
)
def test_a_bar_tells_what_is_known_from_what_is_not(dates: dict[str, object], solid: object, pale: object) -> None:
    one = arrange([tenure(**dates)], "", (), today=date(2009, 12, 31)).rows[0][1]
    if solid is None:
        assert one is None
        return
    assert one is not None
    assert near(one.solid, solid)
    assert near(one.pale, pale)


def near(found: Iterable[tuple[int, int]], wanted: object) -> bool:
    assert isinstance(wanted, list)
    told = list(found)
    return len(told) == len(wanted) and all(
        abs(a - b) <= 2 for one, other in zip(told, wanted, strict=True) for a, b in zip(one, other, strict=True)
    )


# --- the tables


@pytest.mark.parametrize("asked", SECTIONS, ids=lambda asked: asked.name)
def test_every_table_can_be_had_and_asks_for_properties_that_there_are(asked: Section, curated: StoreFolder) -> None:
    known = {WS + name for name in vocabulary().properties} | {SKOS + "broader"}
    assert {n if ":" in n else WS + n for n in asked.needs} <= known
    names = " ".join(f"?{name}" for name in asked.columns)
    first = f"{{ {asked.first} }}" if asked.first else ""
    anywhere = f"{first} {asked.where}".replace("$node", "?thing").replace("?thing)", "?nobody)")
    with curated.snapshot() as snapshot:
        rows = snapshot.query(f"SELECT ?thing {names} WHERE {{ {anywhere} FILTER(BOUND(?thing)) }} LIMIT 1")
        assert isinstance(rows, ox.QuerySolutions)
        found = next(iter(rows), None)
        if asked.name in ("memberships", "attacking", "attacks", "measures"):
            return
        assert found is not None
        thing = found["thing"]
        assert isinstance(thing, ox.NamedNode)
        needs = [n if ":" in n else WS + n for n in asked.needs]
        assert asked.name in [filled.section.name for filled in fill_sections(snapshot.query, thing.value, needs)]


def test_a_table_is_not_asked_for_where_nothing_points_there(sample: Snapshot) -> None:
    asked: list[str] = []

    def run(text: str) -> Results:
        asked.append(text)
        return sample.query(text)

    assert fill_sections(run, ID + "ruritania", []) == []
    assert asked == []
    assert not any(needed(one, [RDF + "type"]) for one in SECTIONS)


def test_no_name_can_break_out_of_a_question() -> None:
    with pytest.raises(ValueError, match="IRI"):
        section_query(SECTIONS[0], ID + "x> ?p ?o } #")


# --- bounded, and harmless


@pytest.fixture(scope="module")
def crowded(sample_settings: Settings) -> Snapshot:
    """The sample, with a state of whom a thousand things are said and that signs a hundred agreements."""
    store, graph = ox.Store(), ox.NamedNode(document_graph("bridge-toll"))
    with StoreFolder(sample_settings.store).snapshot() as snapshot:
        store.extend(snapshot.store)

    def say(subject: str, name: str, value: str | ox.Literal) -> None:
        target = ox.NamedNode(value) if isinstance(value, str) else value
        store.add(ox.Quad(ox.NamedNode(ID + subject), ox.NamedNode(WS + name), target, graph))

    for n in range(ENOUGH + 50):
        say(f"p{n}", "about", ID + "ruritania")
        say(f"p{n}", "gloss", ox.Literal(f"Content {n}.", language="en"))
        for name, value in (("proposition", ID + f"p{n}"), ("holder", ID + "borduria"), ("act", WS + "act-states")):
            say(f"bridge-toll/x{n}", name, value)
    for n in range(100):
        say(f"step{n}", "party", ID + "ruritania")
        say(f"step{n}", "stepOf", ID + f"agreement{n}")
        say(f"step{n}", "stage", WS + "stage-signed")
    return Snapshot(store, "1")


def quoteless(snapshot: Snapshot, asked: list[str]) -> Callable[[str], Results]:
    def run(text: str) -> Results:
        asked.append(text)
        return snapshot.query(text.replace("(ws:quote(?passage) AS ?quote)", "?quote"))

    return run


def test_the_page_of_a_crowd_is_bounded(crowded: Snapshot) -> None:
    asked: list[str] = []
    run = quoteless(crowded, asked)
    page = entity_page(run, outline(run, ID + "ruritania"), "en", today=TODAY)
    assert all(len(found.lines) <= PAGE for found in page.lines)
    assert all(len(filled.rows) <= MOST for filled in page.sections)
    assert [filled.cut for filled in page.sections if filled.section.name == "agreements"] == [True]
    assert f"more than {ENOUGH:,}" in [found.count for found in page.lines]
    assert len(asked) < 40


def test_long_names_are_cut_and_stand_whole_among_the_statements(sample: Snapshot) -> None:
    store, long = ox.Store(), "A " + "very " * 20_000 + "long name"
    store.extend(sample.store)
    thing, graph = ox.NamedNode(ID + "long"), ox.NamedNode(REGISTER_GRAPH)
    store.add(ox.Quad(thing, ox.NamedNode(SKOS + "prefLabel"), ox.Literal(long, language="en"), graph))
    store.add(ox.Quad(thing, ox.NamedNode(SKOS + "altLabel"), ox.Literal(f"The {long}", language="en"), graph))
    run = quoteless(Snapshot(store, "1"), [])
    page = entity_page(run, outline(run, thing.value), "en", today=TODAY)
    assert len(page.title) == LONGEST
    assert all(len(name) <= LONGEST for name in page.also)
    (whole,) = [v.value for v, _ in page.raw.own[SKOS + "prefLabel"] if isinstance(v, ox.Literal)]
    assert whole == long


def test_hostile_addresses_and_names_do_nothing(tmp_path: Path) -> None:
    settings, graph = Settings(store=tmp_path / "store", texts=tmp_path), ox.NamedNode(REGISTER_GRAPH)
    evil = ox.NamedNode(ID + "evil")
    told = [
        (RDF + "type", ox.NamedNode(WS + "Document")),
        (RDF + "type", ox.NamedNode("javascript:alert(0)")),
        (WS + "title", ox.Literal("<script>alert(1)</script>\u202e", language="en")),
        (WS + "webPage", ox.Literal("javascript:alert(1)")),
        (SKOS + "exactMatch", ox.NamedNode("javascript:alert(2)")),
        (WS + "publisher", ox.NamedNode("vbscript:alert(3)")),
        (WS + "issued", ox.Literal("<b>never</b>")),
    ]
    with StoreFolder(settings.store).writer() as writer:
        writer.commit(added=[ox.Quad(evil, ox.NamedNode(p), v, graph) for p, v in told], removed=[])
    client = create_app(settings).test_client()
    for path in ("/id/evil", "/cite/evil", "/cite/evil?format=bibtex", "/cite/evil?format=ris"):
        answer = client.get(path, headers=HTML)
        assert answer.status_code == 200
        if answer.mimetype == "text/html":
            text = answer.get_data(as_text=True)
            assert "<script>alert" not in text
            assert "<b>never" not in text
            assert not re.findall(r'(?:href|src)="(?!/|http|#|mailto)', text)
