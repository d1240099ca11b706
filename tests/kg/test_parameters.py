"""Parameters of saved queries: what each type takes, and that nothing but a term comes of it."""

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import ParameterError, RecordError
from kg.names import ID, SKOS, WS
from kg.parameters import Parameter, ParameterType, list_choices, read_value
from kg.queries import load_queries, parse_query, prepare
from kg.store import Snapshot

EMPTY = Snapshot(ox.Store(), "0")
QUERIES = load_queries()


def a(kind: ParameterType, of: str | None = None, source: str = "") -> Parameter:
    return Parameter("x", kind, of, False, None, "X", "example", source)


@pytest.mark.parametrize(
    ("parameter", "word", "term"),
    [
        (a("boolean"), "TRUE", '"true"^^<http://www.w3.org/2001/XMLSchema#boolean>'),
        (a("language"), "zh-Hant", '"zh-hant"'),
        (a("integer"), " +12 ", '"+12"^^<http://www.w3.org/2001/XMLSchema#integer>'),
        (a("text"), " as it is ", '" as it is "'),
        (a("concept", "PolarityScheme"), "denies", "<https://w3id.org/whosays/ontology#polarity-denies>"),
    ],
)
def test_a_value_becomes_a_term(parameter: Parameter, word: str, term: str) -> None:
    assert [str(t) for t in read_value(EMPTY, parameter, word)] == [term]


@pytest.mark.parametrize(
    ("parameter", "word", "words"),
    [
        (a("boolean"), "maybe", "true or false"),
        (a("language"), "English!", "example"),
        (a("integer"), "1e3", "example"),
        (a("decimal"), "١", "example"),
        (a("date"), "2003-02-29", "example"),
        (a("concept", "PolarityScheme"), "maybe", "affirms"),
        (a("choice", "issues", QUERIES["issues"].text), "weather", "first column"),
        (a("choice", "issues"), "weather", "saved SELECT"),
    ],
)
def test_a_bad_value_is_told_with_what_is_taken(parameter: Parameter, word: str, words: str, sample: Snapshot) -> None:
    with pytest.raises(ParameterError) as caught:
        read_value(sample, parameter, word)
    assert word in caught.value.problem or parameter.name in caught.value.problem
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "word", ["tellbruck-toll", "id:tellbruck-toll", ID + "tellbruck-toll", f"<{ID}tellbruck-toll>"]
)
def test_a_choice_is_found_by_each_of_its_names(sample: Snapshot, word: str) -> None:
    parameter = a("choice", "issues", QUERIES["issues"].text)
    assert read_value(sample, parameter, word) == [ox.NamedNode(ID + "tellbruck-toll")]


def test_a_choice_is_found_by_its_label_whatever_the_case(sample: Snapshot) -> None:
    parameter = a("choice", "issues", QUERIES["issues"].text)
    offered = dict(list_choices(sample, parameter, 100))
    assert offered
    for value, label in offered.items():
        assert ox.NamedNode(ID + value) in read_value(sample, parameter, label.upper())


def test_what_is_there_and_not_in_the_answer_is_no_choice(sample: Snapshot) -> None:
    with pytest.raises(ParameterError, match="not in the answer"):
        read_value(sample, a("choice", "issues", QUERIES["issues"].text), "ruritania")


def test_a_choice_can_be_of_texts_and_numbers(sample: Snapshot) -> None:
    parameter = a("choice", "years", 'SELECT ?y { VALUES ?y { "Spring" 1998 } }')
    assert [t.value for w in ("spring", "1998") for t in read_value(sample, parameter, w)] == ["Spring", "1998"]


def test_a_choice_is_no_way_into_its_query(sample: Snapshot) -> None:
    parameter = a("choice", "issues", QUERIES["issues"].text)
    for word in ('") } #', "> } SELECT", "a, b", "\\", "'", "x> , <y"):
        with pytest.raises(ParameterError):
            read_value(sample, parameter, word)


def test_a_label_means_first_what_is_of_the_class() -> None:
    text = f"""
    PREFIX skos: <{SKOS}> PREFIX ws: <{WS}>
    INSERT DATA {{ GRAPH <g:g> {{
      <x:person> a ws:Person ; skos:altLabel "Korea"@en .
      <x:state> a ws:State ; skos:prefLabel "Korea"@en
    }} }}"""
    store = ox.Store()
    store.update(text)
    snapshot = Snapshot(store, "0")
    assert read_value(snapshot, a("iri", "State"), "korea") == [ox.NamedNode("x:state")]
    assert len(read_value(snapshot, a("iri"), "korea")) == 2


TWO = """# Q?
# D.
# - a: text. A
# - b: {kind}, optional. B
SELECT ?a ?b {{ VALUES ?a {{ "x" }}
VALUES ?b {{ {value} }}
}}"""


@given(st.text(min_size=1))
def test_no_value_is_read_as_another_parameter(word: str) -> None:
    query = parse_query("q", TWO.format(kind="text", value='"y"'), "q.rq")
    for first in (word, f'VALUES ?b {{ "y" }}{word}', f"{word}# if b", f"{word}}} VALUES ?b {{ 1 }}"):
        if first.strip():
            bound = query.bind(EMPTY, {"a": [first], "b": ["z"]})
            results = EMPTY.query(bound)
            assert isinstance(results, ox.QuerySolutions)
            assert [(row["a"].value, row["b"].value) for row in results] == [(first, "z")]


def test_several_values_are_taken_and_each_only_once(sample: Snapshot) -> None:
    bound = QUERIES["who-asserts-what"].bind(sample, {"polarity": ["denies", "affirms", "denies"]})
    assert bound.count("polarity-denies>") == 1


def test_limits_are_told() -> None:
    query = parse_query("q", TWO.format(kind="integer", value="1"), "q.rq")
    for values in ({"limit": ["0"]}, {"limit": ["10001"]}, {"limit": ["x"]}, {"limit": ["1", "2"]}, {"offset": ["-1"]}):
        with pytest.raises(ParameterError, match=next(iter(values))):
            prepare(query, EMPTY, {"a": ["x"], **values})
    with pytest.raises(ParameterError, match="labels"):
        prepare(query, EMPTY, {"a": ["x"], "labels": ['en") AS ?y) #']})
    with pytest.raises(ParameterError, match="1001 values"):
        prepare(query, EMPTY, {"a": [str(n) for n in range(1001)]})


def test_an_answer_that_is_no_table_takes_no_limit() -> None:
    query = parse_query("q", "# Q?\n# D.\nASK { ?a ?b ?c }", "q.rq")
    assert prepare(query, EMPTY, {"limit": [""]}).text == query.text
    with pytest.raises(ParameterError, match="no parameter `limit`"):
        prepare(query, EMPTY, {"limit": ["1"]})


@pytest.mark.parametrize(
    "line",
    [
        "- limit: integer. It",
        "- x: number. It",
        "- x: concept of MoodScheme. It",
        "- x: choice. It",
        "- x: integer, default many. It",
        "- x: date, default 2003-13-01. It",
    ],
)
def test_a_parameter_that_cannot_be_is_told_with_its_line(line: str) -> None:
    with pytest.raises(RecordError, match=r"q\.rq:3"):
        parse_query("q", f"# Q?\n# D.\n# {line}\nASK {{ VALUES ?x {{ 1 }} VALUES ?limit {{ 1 }} }}", "q.rq")


def test_a_parameter_stands_once() -> None:
    with pytest.raises(RecordError, match="twice"):
        parse_query("q", "# Q?\n# D.\n# - x: text. X\n# - x: text. X\nASK { VALUES ?x { 'a' } }", "q.rq")
