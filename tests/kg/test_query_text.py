"""The text of a query: prologue, form, columns; and cutting it changes nothing but what it is to change."""

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import MalformedError
from kg.names import WS
from kg.query_text import PLACEHOLDERS, columns, cut, parse, query_form, split_prologue, with_prefixes
from kg.store import Snapshot, StoreFolder
from loaders.functions import label_functions
from tests.kg.test_queries import EMPTY, QUERIES, REMOTE

SELECTS = sorted(name for name in QUERIES.keys() - REMOTE if QUERIES[name].form == "SELECT")


def names_of(snapshot: Snapshot, text: str) -> tuple[str, ...]:
    results = snapshot.query(text, functions=PLACEHOLDERS)
    assert isinstance(results, ox.QuerySolutions)
    return tuple(v.value for v in results.variables)


def rows_of(snapshot: Snapshot, text: str) -> list[tuple[object, ...]]:
    results = snapshot.query(text, functions={**PLACEHOLDERS, **label_functions(snapshot)})
    assert isinstance(results, ox.QuerySolutions)
    return [tuple(solution) for solution in results]


@pytest.mark.parametrize("name", SELECTS)
def test_columns_are_those_that_the_engine_tells(sample: Snapshot, name: str) -> None:
    assert columns(QUERIES[name].text) == names_of(sample, QUERIES[name].text)


@pytest.mark.parametrize("name", SELECTS)
def test_cutting_keeps_rows_and_their_order(curated: StoreFolder, name: str) -> None:
    with curated.snapshot() as snapshot:
        text = QUERIES[name].bind(snapshot, {p.name: [p.example] for p in QUERIES[name].needed})
        whole = rows_of(snapshot, text)
        assert whole or name in EMPTY
        assert rows_of(snapshot, cut(text, limit=10_000, offset=0, language=None)) == whole[:10_000]
        assert rows_of(snapshot, cut(text, limit=7, offset=3, language=None)) == whole[3:10]
        assert rows_of(snapshot, cut(text, limit=None, offset=2, language=None)) == whole[2:]
        labelled = rows_of(snapshot, cut(text, limit=50, offset=0, language="en"))
        assert [row[::2] for row in labelled] == whole[:50]


@pytest.mark.parametrize(
    "text",
    [
        "select distinct ?a ?a2 { ?a a ?a2 }",
        "SELECT(1AS?a)?b{?b a ?c}",
        'SELECT ("(" AS ?a) ?b (EXISTS { ?x ?y ?z } AS ?c) WHERE { ?b ?d ?e }',
        "SELECT (')' AS ?a) (<http://e.org/)> AS ?b) # ?no\n$c WHERE { $c ?d ?e }",
        'SELECT ("""a"b(""" AS ?long) { }',
        "SELECT (COUNT(*) AS ?n) (1 < 2 && 3 > (2) AS ?t) { }",
        "BASE <http://e.org/> PREFIX : <x> # y\nPREFIX a.b: <z#> SELECT REDUCED ?s { ?s :p a.b:q }",
    ],
)
def test_columns_are_found_among_strings_brackets_and_comments(text: str) -> None:
    assert columns(text) == names_of(Snapshot(ox.Store(), "0"), text)
    parse(cut(text, limit=1, offset=1, language="ko"))


@given(
    st.lists(
        st.sampled_from(["?{}", "(1 AS ?{})", "(CONCAT(\"(\", ')') AS ?{})", "(?z + (2) AS ?{})", "# )\n ?{}", "$_{}"]),
        min_size=1,
        max_size=6,
    )
)
def test_columns_are_found_however_they_are_written(parts: list[str]) -> None:
    shown = " ".join(part.format(f"v{i}") for i, part in enumerate(parts))
    text = f"SELECT {shown} WHERE {{ ?z ws:x ?y }}"
    assert columns(text) == names_of(Snapshot(ox.Store(), "0"), text)


def test_a_select_of_everything_can_be_cut_and_not_labelled() -> None:
    text = "SELECT * { ?a ?b ?c }"
    assert columns(text) == ()
    parse(cut(text, limit=1, offset=0, language=None))
    with pytest.raises(MalformedError, match="no labels"):
        cut(text, limit=1, offset=0, language="en")


def test_a_query_with_from_is_not_cut() -> None:
    with pytest.raises(MalformedError, match="FROM"):
        cut("SELECT ?a FROM <http://e.org/> { ?a ?b ?c }", limit=1, offset=0, language=None)


def test_a_column_that_has_a_label_column_gets_no_second_one() -> None:
    text = "SELECT ?a ?aLabel { ?a ?b ?aLabel }"
    assert columns(cut(text, limit=1, offset=0, language="en")) == ("a", "aLabel", "aLabelLabel")


def test_labels_are_asked_for_by_whole_name_whatever_the_query_calls_ws() -> None:
    made = cut("PREFIX ws: <http://e.org/> SELECT ?a { ?a ws:b ?c }", limit=1, offset=0, language="en")
    assert f"<{WS}label>" in made
    parse(made)


def test_own_limits_and_orders_stay_inside() -> None:
    store = ox.Store()
    store.extend(
        ox.Quad(ox.NamedNode("ex:s"), ox.NamedNode("ex:p"), ox.Literal(n), ox.NamedNode("ex:g")) for n in range(9)
    )
    text = "SELECT ?o { ?s ?p ?o } ORDER BY DESC(?o) LIMIT 4 # the last four"
    got = rows_of(Snapshot(store, "0"), cut(text, limit=10, offset=1, language=None))
    assert [row[0].value for row in got] == ["7", "6", "5"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("form", ["SELECT", "ASK", "CONSTRUCT", "DESCRIBE"])
def test_the_form_is_found_behind_any_prologue(form: str) -> None:
    assert query_form(f"# SELECT\n\tPREFIX#x\nask: <http://e.org/#DESCRIBE>\nBASE<x:y>{form.lower()} ?a {{}}") == form


def test_what_is_no_query_is_told() -> None:
    for text in ("", "# only a comment", "INSERT DATA {}", "PREFIX a: SELECT"):
        with pytest.raises(MalformedError, match="no query"):
            query_form(text)


@given(st.text(alphabet="#\n PREFIXBASE<>:a/", max_size=200))
def test_a_prologue_is_split_off_quickly_and_nothing_is_lost(text: str) -> None:
    assert "".join(split_prologue(text)) == text


def test_a_long_prologue_of_nothing_takes_no_time() -> None:
    assert split_prologue("PREFIX " + "#" * 50_000)[0] == ""


def test_prefixes_are_declared_once_and_only_where_they_are_used() -> None:
    made = with_prefixes("# A\nPREFIX id: <http://e.org/>\nSELECT * { id:a ws:b 'skos:x' , skos:c }")
    assert made.count("PREFIX") == 3
    assert "PREFIX ws:" in made
    assert "PREFIX wd:" not in made
    ox.Store().query(made)
