"""The benchmark of the saved queries: it asks all of them, with values that occur, and tells what was too slow."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.cells import Cells
from kg.errors import NotFoundError
from kg.queries import Parameter, load_queries
from kg.query_text import PLACEHOLDERS
from kg.store import Snapshot, StoreFolder
from loaders.generator import fill_store
from server.bench_questions import Figures, Tally, _ask, ask_here, ask_rdflib, growth
from server.bench_values import OCCURRENCES, Case, find_value, local_queries, make_cases
from server.tables import make_table
from tests.server.calling import call

QUERIES = load_queries()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("questions")
    fill_store(StoreFolder(path / "questions-5000"), 5_000, 1)
    return path


@pytest.fixture
def snapshot(kept: Path) -> Iterator[Snapshot]:
    with StoreFolder(kept / "questions-5000").snapshot() as snapshot:
        yield snapshot


def parameter(query: str, name: str) -> Parameter:
    return next(p for p in QUERIES[query].parameters if p.name == name)


def sleep(seconds: float) -> tuple[float, int]:
    time.sleep(seconds)
    return seconds, 7


def test_only_what_asks_another_endpoint_is_left_out() -> None:
    assert QUERIES.keys() - {query.name for query in local_queries()} == {"offices-from-wikidata"}


@pytest.mark.parametrize(
    ("query", "parameter"),
    [(q.name, p.name) for q in local_queries() for p in q.parameters if p.type in ("iri", "choice", "concept")],
)
def test_it_is_said_where_the_values_of_each_parameter_occur(query: str, parameter: str) -> None:
    assert f"{query}/{parameter}" in OCCURRENCES or parameter in OCCURRENCES


def test_nothing_is_said_of_parameters_that_there_are_not() -> None:
    known = {p.name for q in local_queries() for p in q.parameters}
    known |= {f"{q.name}/{p.name}" for q in local_queries() for p in q.parameters}
    assert OCCURRENCES.keys() <= known


@pytest.mark.parametrize("name", [query.name for query in local_queries()])
def test_each_saved_query_is_asked_with_what_it_needs_and_with_each_parameter(
    name: str, kept: Path, snapshot: Snapshot
) -> None:
    query, left_out = QUERIES[name], dict[str, str]()
    cases = list(make_cases(snapshot, query, left_out))
    others = [f"{name}, {p.name}" for p in query.parameters if p not in query.needed]
    assert sorted([*(case.name for case in cases), *left_out]) == sorted([name, *others])
    for case in cases:
        seconds, rows = ask_here(kept / "questions-5000", case)
        assert seconds > 0
        given = {name: list(words) for name, words in case.values}
        bound = query.bind(snapshot, given)
        assert rows == len(make_table(snapshot.query(bound, functions=PLACEHOLDERS)).rows)


def test_the_value_is_the_one_that_occurs_most_often(snapshot: Snapshot) -> None:
    query = QUERIES["who-asserts-what"]
    holders = [str(row[0])[1:-1] for row in make_table(snapshot.query("SELECT ?h { ?a ws:holder ?h }")).rows]
    found = find_value(snapshot, query, parameter("who-asserts-what", "holder"), {})
    assert holders.count(found) == max(map(holders.count, holders))
    assert find_value(snapshot, query, parameter("who-asserts-what", "polarity"), {}) == "affirms"


def test_a_value_goes_with_those_that_are_needed(kept: Path, snapshot: Snapshot) -> None:
    [_, case] = make_cases(snapshot, QUERIES["what-follows-for"], {})
    assert dict(case.values).keys() == {"holder", "cause"}
    assert ask_here(kept / "questions-5000", case)[1] > 0


def test_a_graph_without_a_value_is_told(sample: Snapshot) -> None:
    left_out: dict[str, str] = {}
    assert not list(make_cases(sample, QUERIES["about-a-wikidata-item"], left_out))
    assert left_out == {"about-a-wikidata-item": "the graph has nothing for `item`"}
    with pytest.raises(NotFoundError, match="`item`"):
        find_value(sample, QUERIES["about-a-wikidata-item"], parameter("about-a-wikidata-item", "item"), {})


def test_rdflib_has_the_same_rows(kept: Path, snapshot: Snapshot, tmp_path: Path) -> None:
    file = tmp_path / "graph.nq"
    with file.open("wb") as out:
        snapshot.store.dump(out, format=ox.RdfFormat.N_QUADS)
    with Cells(1, deadline=60) as cells:  # by itself: it warns of what it does
        for name in ("documents", "counts", "agreements"):
            ours = ask_here(kept / "questions-5000", Case(QUERIES[name], ()))[1]
            seconds, rows = cells.run(ask_rdflib, file, QUERIES[name].bind(snapshot, {}))
            assert rows == ours > 0
            assert seconds > 0


def test_what_takes_too_long_is_given_up_and_asked_no_more() -> None:
    quick, late, failing = Tally(), Tally(), Tally()
    with Cells(1) as cells:
        _ask(late, cells, 0.2, 1, sleep, 30)
        _ask(quick, cells, 20, 0, sleep, 0.01)
        assert quick.seconds == []  # it was to warm up
        _ask(quick, cells, 20, 1, sleep, 0.01)
        _ask(failing, cells, 20, 1, sleep, "long")
    assert (quick.median, quick.rows, quick.over) == (0.01, 7, None)
    assert (late.median, late.rows, late.over) == (None, -1, 0.2)
    assert "TypeError" in failing.failed
    assert [tally.goes_on(1.0) for tally in (quick, late, failing)] == [True, False, False]
    assert not quick.goes_on(0.01)
    assert [tally.is_late() for tally in (quick, late)] == [False, True]
    assert [str(tally) for tally in (quick, late, failing)] == ["10.0 (10.0–10.0)", "> 0.2 s", "failed"]


def test_growth_is_that_of_a_graph_ten_times_as_large() -> None:
    small = Figures(1, 10, {"q": Tally([1.0]), "late": Tally(over=1.0)})
    large = Figures(1, 1_000, {"q": Tally([100.0, 90.0, 200.0]), "late": Tally([1.0])})
    assert growth(small, large, "q") == pytest.approx(10)
    assert growth(small, large, "late") is None
    assert growth(small, small, "q") is None


@pytest.mark.slow
def test_the_questions_are_measured(kept: Path) -> None:
    chosen = ["--only", "agreements", "--only", "documents"]  # which rdflib answers soon
    options = ["--size", 3_000, "--size", 5_000, "--rounds", 2, "--keep", kept, *chosen]
    small, large = json.loads(call("bench", "questions", *options, "--format", "json").stdout)
    assert (small["size"], large["size"]) == (3_000, 5_000)
    assert large["quads"] > small["quads"] > 3_000
    assert list(small["rdflib"]) == list(small["questions"])
    assert large["rdflib"] == {}
    assert "agreements, party" in small["questions"]
    for figures in (small, large):
        for name, tally in figures["questions"].items():
            assert tally["failed"] == ""
            assert tally["rows"] > 0 or name in figures["left_out"]
            assert len(tally["ms"]) == 2
    short = ["--size", 3_000, "--size", 5_000, "--rounds", 1, "--keep", kept, "--only", "documents"]
    assert "growth to 5,000" in call("bench", "questions", *short).stdout


def test_a_saved_query_that_there_is_not_is_told() -> None:
    assert "use one of: about-a-wikidata-item" in call("bench", "questions", "--only", "who-votes", status=2).stderr
    assert "documents" in call("bench", "all", "--only", "who-votes", status=2).stderr
