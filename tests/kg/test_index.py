"""The index as it is asked: what is found by which words, what is counted, which rows come; nothing harms it."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kg.change import Change
from kg.errors import ParameterError
from kg.facts import TYPE
from kg.filters import FACETS, KINDS, Filters
from kg.index import AssertionRow, Index
from kg.index.bits import bits_of, count_common, flags_of, pack_bits, rows_of, unpack_bits
from kg.index.schema import NAME, IndexFile
from kg.names import ID, SKOS, WS
from kg.settings import Settings
from kg.store import Snapshot, StoreFolder
from kg.words import spaced_words
from loaders.texts import Texts
from tests.conftest import SAMPLE
from tests.kg.indexed import Graph
from tests.kg.test_inference_change import parsed

NAMED = """
id:koizumi a ws:Person , ws:Agent ; skos:prefLabel 'Junichiro Koizumi'@en , '小泉純一郎'@ja , '고이즈미 준이치로'@ko ;
  skos:altLabel 'Prime Minister Koizumi'@en .
id:seoul a ws:State , ws:Agent ; skos:prefLabel 'South Korea'@en , '대한민국'@ko ;
  skos:altLabel 'Republic of Korea'@en .
id:u ws:names id:seoul ; ws:printedAs 'the Blue House' .
id:treaty a ws:Agreement , ws:RegisterEntry ; skos:prefLabel 'Treaty of Zürich'@en .
id:korea a ws:Issue , skos:Concept ; skos:prefLabel 'relations with Korea'@en .
id:tolls a ws:Issue ; skos:prefLabel 'tolls'@en . id:bonaparte a ws:Agent ; skos:prefLabel 'Bonaparte'@en .
id:p a ws:Proposition ;
  ws:gloss 'South Korea signs the Treaty of Zürich in part.'@en , '대한민국이 조약에 서명한다.'@ko .
id:q a ws:Proposition ; ws:gloss 'South Korea signs the treaty of Geneva in part.'@en .
id:thai a ws:Place , ws:RegisterEntry ; skos:prefLabel 'กรุงเทพมหานคร'@th .
"""


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """An index of a few things with names in several scripts."""
    graph = Graph(tmp_path_factory.mktemp("named"), in_register(NAMED))
    index = Index(graph.folder)
    index.catch_up(graph.snapshot())
    return index


@pytest.fixture(scope="module")
def told(sample_settings: Settings) -> Index:
    """The index of the sample, the words of its passages included."""
    folder = StoreFolder(sample_settings.store)
    index = Index(folder, Texts(SAMPLE / "texts").quote)
    with folder.snapshot() as snapshot:
        index.catch_up(snapshot)
    return index


def in_register(turtle: str) -> list[ox.Quad]:
    graph = ox.NamedNode("https://w3id.org/whosays/graph/register")
    return [ox.Quad(t.subject, t.predicate, t.object, graph) for t in parsed(turtle)]


def found(index: Index, words: str, **more: object) -> list[str]:
    return [hit.iri.removeprefix(ID) for hit in index.search(words, **more).hits]  # type: ignore[arg-type]


# Finding.


@pytest.mark.parametrize(
    ("words", "iri"),
    [
        ("koizumi", "koizumi"),
        ("JUNICHIRO", "koizumi"),
        ("koiz jun", "koizumi"),
        ("小泉", "koizumi"),
        ("純一", "koizumi"),
        ("郎", "koizumi"),
        ("준이치", "koizumi"),
        ("prime minister", "koizumi"),
        ("민국", "seoul"),
        ("blue house", "seoul"),
        ("Zurich", "treaty"),
        ("zürich", "treaty"),
        ("ＺÜＲＩＣＨ", "treaty"),
        ("urich", "treaty"),
        ("apart", "bonaparte"),
        ("มหา", "thai"),
    ],
)
def test_a_thing_is_found_by_any_name_in_any_script_and_by_parts_of_it(named: Index, words: str, iri: str) -> None:
    assert found(named, words)[0] == iri


def test_a_hit_tells_which_name_matched_where_that_is_not_its_label(named: Index) -> None:
    hit = named.search("blue").hits[0]
    assert (hit.label, hit.language, hit.matched, hit.kind) == ("South Korea", "en", "the Blue House", "agent")
    assert named.search("south kor").hits[0].matched == ""
    assert named.search("小泉").hits[0].matched == "小泉純一郎"


def test_labels_are_in_the_language_of_the_reader_where_there_is_one(named: Index) -> None:
    assert [named.search("koizumi", language=tag).hits[0].label for tag in ("ja", "ko", "fr")] == [
        "小泉純一郎",
        "고이즈미 준이치로",
        "Junichiro Koizumi",
    ]
    assert named.search("zürich", kinds=["proposition"], language="ko").hits[0].label == "대한민국이 조약에 서명한다."


def test_what_is_called_just_so_comes_first_then_names_then_glosses_then_parts_of_names(named: Index) -> None:
    assert found(named, "south korea")[0] == "seoul"
    assert set(found(named, "korea")[:2]) == {"seoul", "korea"}
    assert set(found(named, "part")[:2]) == {"p", "q"}
    assert found(named, "part")[2:] == ["bonaparte"]


def test_kinds_are_counted_and_can_be_asked_for_alone(named: Index) -> None:
    everything = named.search("korea")
    assert everything.counts == {"agent": 1, "issue": 1, "proposition": 2}
    assert everything.total == 4
    only = named.search("korea", kinds=["proposition"])
    assert (only.total, {hit.kind for hit in only.hits}, only.counts) == (2, {"proposition"}, everything.counts)
    assert set(found(named, "korea", kinds=["issue", "agent"])) == {"seoul", "korea"}


def test_a_kind_that_there_is_not_is_told(named: Index) -> None:
    for ask in (named.search, named.suggest):
        with pytest.raises(ParameterError, match="`people` is no kind"):
            ask("korea", kinds=["people"])


def test_pages_of_hits_follow_each_other(told: Index) -> None:
    everything = told.search("toll", limit=1_000)
    pages = [hit for n in range(0, everything.total, 7) for hit in told.search("toll", limit=7, offset=n).hits]
    assert len(everything.hits) == everything.total
    assert [hit.iri for hit in pages] == [hit.iri for hit in everything.hits]


def test_a_passage_is_found_by_its_words_and_told_where_it_stands(told: Index) -> None:
    found = told.search("receipt", kinds=["passage"])
    assert found.total == len(found.hits) > 0
    for hit in found.hits:
        assert hit.document is not None
        assert hit.iri == f"{hit.document}/{hit.start}-{hit.end}"
        assert "receipt" in hit.matched.lower()


def test_where_no_words_may_be_indexed_no_passage_is_found(sample: Snapshot, tmp_path: Path) -> None:
    index = Index(StoreFolder(tmp_path))
    index.catch_up(sample)
    assert "passage" not in index.search("receipt").counts


@pytest.mark.usefixtures("told")
def test_no_sentence_of_a_text_lies_in_the_file(sample_settings: Settings) -> None:
    data = spaced_words_of((sample_settings.store / NAME).read_bytes().decode("utf-8", "replace"))
    with IndexFile(sample_settings.store).reading() as connection:
        ours = spaced_words_of("\n".join(text for (text,) in connection.execute("SELECT text FROM name")))
    for path in (SAMPLE / "texts").glob("*.txt"):
        words = spaced_words_of(path.read_text("utf-8")).split()
        runs = {" ".join(words[n : n + 5]) for n in range(len(words) - 5)}
        assert not [run for run in runs if run in data and run not in ours]  # titles are the graph's


def spaced_words_of(text: str) -> str:
    return " ".join(map(spaced_words, text.splitlines()))


def test_a_text_without_words_finds_nothing(named: Index) -> None:
    for words in ("", "  ", '"', "*", "-", "()"):
        assert named.search(words).total == 0
        assert named.suggest(words, ()) == []


HARMFUL = st.sampled_from(
    ['"', "*", "NEAR(", "-", "^", "{}", ":", "AND", "OR NOT", "\0", "'", "%", "_", "\ud800", "小", "ß"]
)
TYPED = st.lists(st.one_of(HARMFUL, st.text(max_size=8), st.sampled_from(["korea", "treaty"])), max_size=5)


@given(words=TYPED.map("".join) | TYPED.map(" ".join))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_that_people_type_is_read_as_a_query(named: Index, words: str) -> None:
    everything = named.search(words, limit=1_000)
    assert everything.total == len(everything.hits)
    named.suggest(words, ())
    named.similar(words)
    named.explore(Filters(words=words))


@pytest.mark.parametrize(
    "label", ["<script>alert(1)</script>", "x" * 100_000, "a\u202eb", 'say "NEAR(toll)"', "\u0301"]
)
def test_names_that_would_do_harm_are_kept_as_they_are_and_can_be_taken_out_again(tmp_path: Path, label: str) -> None:
    graph = Graph(tmp_path, in_register(NAMED))
    index = Index(graph.folder)
    index.catch_up(graph.snapshot())
    quad = ox.Quad(
        ox.NamedNode("javascript:alert(1)"),
        ox.NamedNode(SKOS + "prefLabel"),
        ox.Literal(label, language="en"),
        ox.NamedNode("https://w3id.org/whosays/graph/register"),
    )
    person = ox.Quad(quad.subject, TYPE, ox.NamedNode(WS + "Agent"), quad.graph_name)
    graph.commit(Change(frozenset([quad, person])))
    index.catch_up(graph.snapshot())
    if words := label[:20].strip("\u0301"):
        hit = index.search(words, kinds=["agent"]).hits[0]
        assert hit.iri == "javascript:alert(1)"
        assert label.startswith(hit.label[:10_000])
    graph.commit(Change(removed=frozenset([quad, person])))
    index.catch_up(graph.snapshot())
    assert not index.search(label[:20], kinds=["agent"]).hits


# Suggesting.


def test_what_begins_so_is_suggested_before_what_has_it_inside(told: Index) -> None:
    labels = [hit.label for hit in told.suggest("ruri", ["agent"])]
    assert labels[0] == "Ruritania"
    assert all(label.startswith("Ruritania") for label in labels[:3])


def test_propositions_are_suggested_by_words_of_their_gloss(told: Index) -> None:
    hits = told.suggest("receipt ini", ["proposition"])
    assert hits
    assert all("receipt" in hit.label for hit in hits)


def test_two_characters_are_enough(named: Index) -> None:
    assert [hit.iri for hit in named.suggest("小泉", ["agent"])] == [ID + "koizumi"]
    assert [hit.iri for hit in named.suggest("sou", ["agent"])] == [ID + "seoul"]


# What is worded nearly the same.


def test_glosses_that_are_nearly_the_same_are_found_the_likest_first(named: Index) -> None:
    hits = named.similar("South Korea signs a Treaty of Zürich, in part")
    assert [hit.iri.removeprefix(ID) for hit in hits] == ["p", "q"]
    assert 100 >= hits[0].score > hits[1].score
    assert named.similar("The lorries wait.") == []


def test_the_same_gloss_is_found_whatever_its_length_and_language(told: Index, named: Index) -> None:
    for row in told.assertions(Filters(), limit=40):
        assert told.similar(row.gloss)[0].label == row.gloss
    assert named.similar("대한민국이 조약에 서명한다.")[0].iri == ID + "p"


# Exploring.


def of_facet(row: AssertionRow, facet: str) -> tuple[str | None, ...]:
    if facet in ("target", "issue"):
        return row.targets if facet == "target" else row.issues
    return (KINDS[row.kind] if facet == "kind" else getattr(row, facet),)


SOME = [
    Filters(),
    Filters({"holder": (ID + "amalia-orvosd",)}),
    Filters({"issue": (ID + "tellbruck-toll-dispute",), "polarity": (WS + "polarity-affirms", WS + "polarity-denies")}),
    Filters({"document": (ID + "bridge-toll",), "act": (WS + "act-states",)}, since="1998-01-01"),
    Filters(words="toll", withdrawn=True),
]


@pytest.mark.parametrize("filters", SOME)
@pytest.mark.parametrize("few", [0, 1_500])
def test_the_count_of_a_value_is_how_many_come_when_it_is_chosen(
    told: Index, filters: Filters, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kg.index.exploring.FEW", few)  # both ways of counting
    explored = told.explore(filters, values=1_000)
    assert explored.total == len(told.assertions(filters))
    for facet in FACETS:
        for value in explored.facets[facet][:6]:
            other = Filters(
                {**filters.chosen, facet: (value.iri,)}, filters.since, None, filters.words, filters.withdrawn
            )
            rows = told.assertions(other)
            assert value.count == len(rows), (facet, value)
            assert value.chosen == (value.iri in filters.chosen.get(facet, ()))
            assert facet == "state" or all(value.iri in of_facet(row, facet) for row in rows)


def test_the_most_frequent_values_come_first_and_those_chosen_always(told: Index) -> None:
    explored = told.explore(Filters({"holder": (ID + "innkeepers", ID + "nobody")}), values=2)
    holders = explored.facets["holder"]
    assert [value.count for value in holders[:2]] == sorted((v.count for v in holders[:2]), reverse=True)
    assert {value.iri for value in holders if value.chosen} == {ID + "innkeepers", ID + "nobody"}
    assert len(holders) == 4


@pytest.mark.parametrize("few", [0, 1_500])
def test_pages_of_rows_follow_each_other_in_the_order_of_the_text(
    told: Index, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kg.index.exploring.FEW", few)
    everything = told.assertions(Filters())
    pages = [row for n in range(0, len(everything), 13) for row in told.explore(Filters(), limit=13, offset=n).rows]
    assert pages == everything
    places = [(row.document, row.passages[0][1], row.depth) for row in everything]
    assert places == sorted(places)
    assert told.explore(Filters(), limit=10, offset=10_000).rows == ()


def test_a_row_tells_of_the_chain_of_voices(told: Index) -> None:
    rows = {row.iri: row for row in told.assertions(Filters())}
    inner = [row for row in rows.values() if row.depth]
    assert inner
    for row in inner:
        assert row.within is not None
        outer = rows[row.within]
        assert (outer.reports, outer.depth, outer.kind) == (row.iri, row.depth - 1, "report")
        assert (outer.gloss, outer.proposition, outer.targets) == (row.gloss, None, ())
        assert outer.reporter == row.reporter


def test_years_are_counted_whatever_days_are_asked_for(told: Index) -> None:
    assert told.explore(Filters(since="1990-01-01")).years == told.explore(Filters()).years
    assert sum(count for _, count in told.explore(Filters()).years) == told.explore(Filters()).total


def test_what_was_withdrawn_comes_only_where_it_is_asked_for(tmp_path: Path) -> None:
    graph = Graph(tmp_path, in_register(WITHDRAWN))
    index = Index(graph.folder)
    index.catch_up(graph.snapshot())
    assert [row.iri for row in index.assertions(Filters())] == []
    (row,) = index.assertions(Filters(withdrawn=True))
    assert row.standing is None
    assert index.explore(Filters()).facets["holder"] == ()


WITHDRAWN = """
id:c a ws:Assertion ; ws:holder id:x ; ws:proposition id:p ; ws:statedIn id:d ; ws:certainty ws:certainty-unhedged ;
  ws:basis ws:basis-stated ; ws:polarity ws:polarity-denies ; ws:act ws:act-states ; ws:status ws:status-superseded .
"""


# Sets of rows.


@given(st.sets(st.integers(0, 5_000), max_size=200), st.sets(st.integers(0, 5_000), max_size=200))
def test_a_set_of_rows_is_kept_and_counted_whatever_it_holds(one: set[int], other: set[int]) -> None:
    bits = bits_of(other)
    assert rows_of(unpack_bits(pack_bits(bits_of(one)))) == sorted(one)
    for rows in (one, one | set(range(0, 5_000, 2))):
        assert count_common(pack_bits(bits_of(rows)), bits, flags_of(bits)) == len(rows & other)
