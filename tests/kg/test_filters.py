"""What is asked of the explorer: written and read alike in an address, answered alike in SPARQL and by the index."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import ParameterError
from kg.filters import (
    FACETS,
    KINDS,
    SCHEMES,
    Filters,
    assertions_sparql,
    construct_sparql,
    read_filters,
    write_filters,
)
from kg.index import AssertionRow, Index
from kg.names import ID, WS
from kg.settings import Settings
from kg.sparql import check_query
from kg.store import Functions, Snapshot, StoreFolder
from kg.vocabulary import concept_prefix, vocabulary
from loaders.quotes import quote_functions
from loaders.texts import Texts
from tests.conftest import SAMPLE

CONCEPTS = {
    facet: [concept_prefix(scheme) + name for name in vocabulary().concepts[scheme]]
    for facet, scheme in SCHEMES.items()
}
NAMES = st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*(/[a-z0-9]+)?", fullmatch=True).map(lambda name: ID + name)
DAYS = st.dates().map(lambda day: day.isoformat())


def values(facet: str) -> st.SearchStrategy[str]:
    if facet in CONCEPTS:
        return st.sampled_from(CONCEPTS[facet])
    return st.sampled_from(sorted(KINDS.values())) if facet == "kind" else NAMES


def any_filters() -> st.SearchStrategy[Filters]:
    chosen = st.fixed_dictionaries(
        {}, optional={f: st.lists(values(f), min_size=1, max_size=3, unique=True).map(tuple) for f in FACETS}
    )
    days = st.lists(DAYS, max_size=2).map(sorted)
    words = st.text(st.characters(codec="utf-8"), max_size=20).map(str.strip)
    return st.builds(
        lambda c, d, w, gone: Filters(c, d[0] if d else None, d[1] if len(d) > 1 else None, w, gone),
        *(chosen, days, words, st.booleans()),
    )


# In the address.


@given(any_filters())
def test_what_is_written_into_an_address_is_read_back(filters: Filters) -> None:
    assert read_filters(write_filters(filters)) == filters


@given(st.lists(st.tuples(st.sampled_from([*FACETS, "since", "until", "words", "withdrawn", "page"]), st.text())))
def test_an_address_is_read_or_refused_with_reasons(pairs: list[tuple[str, str]]) -> None:
    with suppress(ParameterError):
        check_query(assertions_sparql(read_filters(pairs)))


def test_names_in_an_address_are_short() -> None:
    filters = Filters(
        {
            "kind": (KINDS["causal"],),
            "holder": (ID + "ruritania", "ex:other"),
            "polarity": (WS + "polarity-leavesOpen",),
        }
    )
    assert write_filters(filters) == [
        ("holder", "ruritania"),
        ("holder", "ex:other"),
        ("polarity", "leavesOpen"),
        ("kind", "causal"),
    ]


def test_a_year_and_a_month_stand_for_their_days() -> None:
    filters = read_filters([("since", "1998"), ("until", "1998-02")])
    assert (filters.since, filters.until) == ("1998-01-01", "1998-02-28")


def test_a_whole_iri_and_a_prefixed_name_will_do_too() -> None:
    for name in ("wants", "ws:act-wants", WS + "act-wants"):
        assert read_filters([("act", name)]).chosen == {"act": (WS + "act-wants",)}


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("act", "wishes", "`wishes` is no act"),
        ("kind", "story", "`story` is no kind"),
        ("holder", "a b", "`holder` is `a b`"),
        ("since", "yesterday", "`since` is `yesterday`"),
        ("since", "1998-13", "`since` is `1998-13`"),
        ("until", "1998/1999", "`until` is `1998/1999`"),
        ("withdrawn", "perhaps", "`withdrawn` is `perhaps`"),
        ("words", "a\ud800", "half a surrogate pair"),
    ],
)
def test_what_makes_no_sense_is_told(name: str, value: str, told: str) -> None:
    with pytest.raises(ParameterError, match=told):
        read_filters([(name, value)])


def test_a_span_of_days_that_ends_before_it_begins_is_told() -> None:
    with pytest.raises(ParameterError, match="exchange"):
        read_filters([("since", "1999"), ("until", "1998")])


def test_there_is_an_end_to_what_can_be_chosen() -> None:
    with pytest.raises(ParameterError, match="choose fewer"):
        read_filters([("holder", f"somebody-{n}") for n in range(501)])


# In SPARQL.


@given(any_filters())
def test_the_sparql_parses_whatever_is_asked_for(filters: Filters) -> None:
    check_query(assertions_sparql(filters))
    Snapshot(ox.Store(), "000001").query(construct_sparql(filters), functions=PLACEHOLDER)


PLACEHOLDER: Functions = {ox.NamedNode(WS + "quote"): lambda *_: None}

Ask = Callable[[Filters], tuple[set[str], list[AssertionRow]]]


def asking(snapshot: Snapshot, index: Index, functions: Functions) -> Ask:
    """Return what asks the same of the graph, in SPARQL, and of the index."""

    def ask(filters: Filters) -> tuple[set[str], list[AssertionRow]]:
        solutions = snapshot.query(assertions_sparql(filters), functions=functions)
        assert isinstance(solutions, ox.QuerySolutions)
        return {str(solution["assertion"].value) for solution in solutions}, index.assertions(filters)

    return ask


@pytest.fixture
def sample_ask(sample: Snapshot, sample_settings: Settings) -> Ask:
    texts = Texts(SAMPLE / "texts")
    index = Index(StoreFolder(sample_settings.store), texts.quote)
    index.catch_up(sample)
    return asking(sample, index, quote_functions(sample, texts, sample_settings))


def check_each_value(ask: Ask, most: int) -> None:
    """Ask for the values of all facets, one by one and some together, and compare the answers."""
    everything, rows = ask(Filters(withdrawn=True))
    assert everything == {row.iri for row in rows}
    assert len(rows) == len(everything)
    found: dict[str, list[str]] = {
        "holder": [row.holder for row in rows],
        "act": [row.act for row in rows],
        "polarity": [row.polarity for row in rows],
        "certainty": [row.certainty for row in rows],
        "standing": [row.standing for row in rows if row.standing],
        "kind": [KINDS[row.kind] for row in rows],
        "document": [row.document for row in rows],
        "target": [target for row in rows for target in row.targets],
        "issue": [issue for row in rows for issue in row.issues],
        "state": [row.holder for row in rows] + [target for row in rows for target in row.targets],
    }
    for facet, iris in found.items():
        ordered = sorted(dict.fromkeys(iris), key=iris.count)
        several = [(iri,) for iri in (*ordered[-most:], *ordered[: most // 2])] + [tuple(ordered[-3:])]
        for chosen in several:
            asked, answered = ask(Filters({facet: chosen}))
            assert asked == {row.iri for row in answered}, (facet, chosen)
    for facet, other in zip(FACETS, FACETS[3:], strict=False):
        filters = Filters(
            {name: (max(found[name], key=found[name].count),) for name in (facet, other)}, "1990-01-01", "2010-01-01"
        )
        asked, answered = ask(filters)
        assert asked == {row.iri for row in answered}, filters


def test_the_index_answers_what_the_sparql_answers_on_the_sample(sample_ask: Ask) -> None:
    check_each_value(sample_ask, 4)


def test_the_index_answers_what_the_sparql_answers_on_the_curated_graph(curated: StoreFolder) -> None:
    with curated.snapshot() as snapshot:
        index = Index(curated)
        index.catch_up(snapshot)
        check_each_value(asking(snapshot, index, PLACEHOLDER), 1)


@pytest.mark.parametrize("words", ["toll", "Tellbruck", "RURITANIA lorries", "brid", "“courtesy”!", "nowhere", "ö"])
def test_words_are_found_in_glosses_and_in_passages_alike(sample_ask: Ask, words: str) -> None:
    asked, answered = sample_ask(Filters(words=words))
    assert asked == {row.iri for row in answered}
    assert bool(asked) == (words != "nowhere")


@pytest.mark.parametrize(
    ("since", "until"), [("1998-11-14", None), (None, "1998-11-14"), ("1966-01-01", "1997-01-01"), (None, "1960-01-01")]
)
def test_days_are_found_where_the_date_may_lie_on_them(sample_ask: Ask, since: str | None, until: str | None) -> None:
    asked, answered = sample_ask(Filters(since=since, until=until))
    assert asked == {row.iri for row in answered}


def test_the_columns_are_those_of_the_rows(sample: Snapshot, sample_ask: Ask) -> None:
    _, answered = sample_ask(Filters())
    solutions = sample.query(assertions_sparql(Filters()), functions=PLACEHOLDER)
    assert isinstance(solutions, ox.QuerySolutions)
    names = ("holder", "act", "polarity", "certainty", "gloss", "document", "date", "passage", "assertion")
    asked = {tuple(s[name].value if s[name] is not None else "" for name in names) for s in solutions}
    assert asked == {
        (row.holder, row.act, row.polarity, row.certainty, row.gloss, row.document, row.day or "", passage, row.iri)
        for row in answered
        for passage, _, _ in row.passages
    }


def test_turtle_has_the_assertions_with_their_contents_and_passages(sample: Snapshot, sample_ask: Ask) -> None:
    filters = Filters({"kind": (KINDS["comparison"], KINDS["quantity"])})
    _, rows = sample_ask(filters)
    triples = sample.query(construct_sparql(filters))
    assert isinstance(triples, ox.QueryTriples)
    subjects = {str(triple.subject.value) for triple in triples if isinstance(triple.subject, ox.NamedNode)}
    assert rows
    assert subjects == {
        iri for row in rows for iri in (row.iri, row.proposition, *(passage for passage, _, _ in row.passages))
    }
