"""Saved queries: their headings, their parameters, and that each answers over the sample."""

import time

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import ParameterError, RecordError
from kg.names import WS
from kg.queries import Parameter, load_queries, parse_query, read_value
from kg.store import Snapshot, StoreFolder
from loaders.quotes import QUOTE
from server.tables import Table, make_table
from tests.pace import within

QUERIES = load_queries()
REQUIRED = {
    "passage-behind": {"assertion": ["bridge-toll/s11b"]},
    "positions": {"on": ["tellbruck-toll"]},
    "what-follows-for": {"holder": ["amalia-orvosd"]},
}

EMPTY = {"about-a-wikidata-item": "the sample's invented states have no Wikidata items"}
REMOTE = {"offices-from-wikidata"}
"""Federated: refused here, and nothing is there to answer it."""


def answer(snapshot: Snapshot, text: str) -> Table:
    return make_table(snapshot.query(text, functions={QUOTE: lambda _: None}))


def run(snapshot: Snapshot, name: str, **values: str) -> list[dict[str, str]]:
    table = answer(snapshot, QUERIES[name].bind(snapshot, {k: [v] for k, v in values.items()}))
    return [{c: getattr(t, "value", "") for c, t in zip(table.columns, row, strict=True)} for row in table.rows]


def test_there_are_at_least_ten() -> None:
    assert len(QUERIES) >= 10


@pytest.mark.parametrize("name", sorted(QUERIES.keys() - REMOTE))
def test_a_saved_query_runs_as_it_stands_and_is_described(sample: Snapshot, name: str) -> None:
    query = QUERIES[name]
    assert query.title.endswith("?")
    assert query.description.endswith(".")
    answer(sample, query.text)


@pytest.mark.parametrize("name", sorted(QUERIES.keys() - REMOTE - EMPTY.keys()))
def test_a_saved_query_answers_over_the_sample(sample: Snapshot, name: str) -> None:
    query = QUERIES[name]
    assert answer(sample, query.bind(sample, REQUIRED.get(name, {}))).rows


@pytest.mark.parametrize("name", sorted(QUERIES.keys() - REMOTE))
def test_each_parameter_of_a_saved_query_works_and_is_quick(curated: StoreFolder, name: str) -> None:
    query = QUERIES[name]
    needed = {p.name: [p.example] for p in query.parameters if not p.optional}
    with curated.snapshot() as snapshot:
        for given in [needed, *({**needed, p.name: [p.example]} for p in query.parameters)]:
            started = time.perf_counter()
            assert answer(snapshot, query.bind(snapshot, given)).rows, given
            assert within(time.perf_counter() - started, 5), f"{given}: aimed at 0.3 seconds on a machine that is idle"


def test_a_disagreement_is_found_from_either_side(curated: StoreFolder) -> None:
    with curated.snapshot() as snapshot:
        one, other = (run(snapshot, "who-disagrees", holder=h) for h in ("roh-moo-hyun", "junichiro-koizumi"))
    assert [row for row in one if row in other]


def test_a_stance_that_only_has_a_link_to_another_time_has_no_trend(curated: StoreFolder) -> None:
    with curated.snapshot() as snapshot:
        assert all(row["trend"] for row in run(snapshot, "what-changed", trend="ended"))
        assert not all(row["trend"] for row in run(snapshot, "what-changed"))


def test_the_matter_of_a_position_takes_in_narrower_issues(curated: StoreFolder) -> None:
    with curated.snapshot() as snapshot:
        wide = {row["assertion"] for row in run(snapshot, "positions", on="history-issue")}
        assert {row["assertion"] for row in run(snapshot, "positions", on="textbook-issue")} < wide


def test_who_asserts_what_names_holder_reporter_act_gloss_document_and_passage(sample: Snapshot) -> None:
    rows = run(sample, "who-asserts-what", about="ruritania")
    assert rows
    for row in rows:
        assert all(row[column] for column in ("holder", "reporter", "act", "gloss", "document", "passage"))


def test_a_reported_stance_has_the_author_as_reporter(sample: Snapshot) -> None:
    rows = run(sample, "who-asserts-what", holder="ruritanians")
    assert rows
    assert {row["reporter"].rsplit("/", 1)[-1] for row in rows} == {"amalia-orvosd"}


def test_a_parameter_is_found_by_label_too(sample: Snapshot) -> None:
    assert run(sample, "who-asserts-what", about="Ruritania") == run(sample, "who-asserts-what", about="ruritania")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"abuot": ["ruritania"]}, "has no parameter"),
        ({"about": ["atlantis"]}, "nothing in the graph is called"),
        ({"polarity": ["maybe"]}, "is no polarity"),
    ],
)
def test_a_wrong_parameter_is_told_with_its_mend(sample: Snapshot, values: dict[str, list[str]], message: str) -> None:
    with pytest.raises(ParameterError, match=message) as caught:
        QUERIES["who-asserts-what"].bind(sample, values)
    assert caught.value.mend


def test_a_missing_parameter_is_told(sample: Snapshot) -> None:
    with pytest.raises(ParameterError, match="needs `assertion`"):
        QUERIES["passage-behind"].bind(sample, {})


@given(st.text())
def test_no_text_escapes_from_its_parameter(word: str) -> None:
    query = parse_query("q", '# Q?\n# D.\n# - t: text. T\nSELECT ?t { VALUES ?t { "x" } }', "q.rq")
    store = ox.Store()
    terms = read_value(Snapshot(store, "0"), query.parameters[0], word)
    assert [t.value for t in terms] == [word]
    bound = query.bind(Snapshot(store, "0"), {"t": [word]}) if word.strip() else None
    if bound:
        assert [row["t"].value for row in store.query(bound)] == [word]  # type: ignore[union-attr]


@given(st.text(min_size=1))
def test_no_name_escapes_from_its_parameter(word: str) -> None:
    parameter = Parameter("x", "iri", None, False, None, "X", "x")
    try:
        terms = read_value(Snapshot(ox.Store(), "0"), parameter, word)
    except ParameterError:
        return
    assert all(isinstance(term, ox.NamedNode) for term in terms)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [("integer", "12", "1.5"), ("decimal", "1.5", "x"), ("date", "1998-02-28", "1998-02-30")],
)
def test_values_are_of_their_type(kind: str, good: str, bad: str) -> None:
    parameter = Parameter("x", kind, None, False, None, "X", good)  # type: ignore[arg-type]
    empty = Snapshot(ox.Store(), "0")
    assert str(read_value(empty, parameter, good)[0]).endswith(f"#{kind}>")
    with pytest.raises(ParameterError):
        read_value(empty, parameter, bad)


@pytest.mark.parametrize(
    "text", ["ASK {}", "# only a title\nASK {}", "# T\n# D\n# - x iri\nASK {}", "# T\n# D\n# - x: iri. X\nASK {}"]
)
def test_a_heading_that_cannot_be_read_is_told_with_its_line(text: str) -> None:
    with pytest.raises(RecordError, match=r"q\.rq:\d"):
        parse_query("q", text, "q.rq")


def test_lines_of_an_optional_parameter_fall_away_with_it(sample: Snapshot) -> None:
    text = (
        "# Q?\n# D.\n# - x: iri, optional. X\nSELECT * {\n  VALUES ?x { id:a }\n  ?s ws:about ?x . # if x\n  ?s a ?c }"
    )
    query = parse_query("q", text, "q.rq")
    assert "about" not in query.bind(sample, {}).split("SELECT")[1]
    assert WS + "about" not in query.bind(sample, {"x": ["ruritania"]})
    assert "ws:about ?x" in query.bind(sample, {"x": ["ruritania"]})


def test_coverage_counts_the_contents_that_no_kind_fits(sample: Snapshot) -> None:
    bare = "?p a ws:Proposition FILTER NOT EXISTS { ?p a ?k . ?k rdfs:subClassOf ws:Proposition }"
    query = f"SELECT DISTINCT ?d ?p {{ ?a ws:statedIn ?d ; ws:proposition ?p . {bare} }}"
    expected = len(answer(sample, query).rows)
    assert expected > 0
    assert sum(int(row["without_kind"]) for row in run(sample, "coverage")) == expected
