"""Updates, cut into operations: what they touch is held against what the engine really changes."""

import pyoxigraph as ox
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kg.errors import MalformedError
from kg.sparql_updates import read_update, touched_graphs, with_using

G, H = "http://e/g", "http://e/h"
PREFIXES = {"ex": "http://e/"}
PROLOGUE = "PREFIX ex: <http://e/> "


def store() -> ox.Store:
    made = ox.Store()
    made.update(
        "PREFIX ex: <http://e/> INSERT DATA { ex:a ex:p ex:b . GRAPH ex:g { ex:a ex:p ex:b . ex:b ex:p ex:c } "
        "GRAPH ex:h { ex:a ex:q 'l' } GRAPH ex:i { ex:c ex:p ex:a } }"
    )
    return made


def held(made: ox.Store) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for quad in made:
        graph = quad.graph_name.value if isinstance(quad.graph_name, ox.NamedNode) else ""
        found.setdefault(graph, set()).add(str(quad.triple))
    return {graph: frozenset(triples) for graph, triples in found.items()}


def altered(update: str) -> set[str] | None:
    """Return the graphs that the engine changes; None where it takes no such update."""
    made = store()
    before = held(made)
    try:
        made.update(update)
    except (SyntaxError, RuntimeError):
        return None
    after = held(made)
    return {graph for graph in before.keys() | after.keys() if before.get(graph) != after.get(graph)}


NAMES = st.sampled_from(["ex:g", "ex:h", "<http://e/i>", "<new>", "ex:n\\u002e", "<http://e/\\u0067>", "ex:a.b"])
TERMS = st.sampled_from(["ex:a", "ex:b", "?s", "?o", "'}'", '"{ GRAPH ex:h"', "<ex:a>", "1.5", "[]", "<http://e/c>"])
TRIPLES = st.builds(lambda s, p, o: f"{s} {p} {o}", TERMS, st.sampled_from(["ex:p", "a", "?p", "ex:q"]), TERMS)
BLOCKS = st.one_of(
    TRIPLES.map(lambda t: f"{t} . "),
    st.builds(lambda g, t: f"GRAPH {g} {{ {t} }} ", NAMES | st.just("?g"), TRIPLES),
    st.builds(lambda g, t: f"GRAPH {g}{{{t}}}# }}\n", NAMES, TRIPLES),
    TRIPLES.map(lambda t: f"{t} {{| ex:p 1 |}} . "),
)
QUADS = st.lists(BLOCKS, max_size=3).map(lambda blocks: f"{{ {''.join(blocks)} }}")
WHERE = st.sampled_from(
    [
        "{}",
        "{ ?s ?p ?o }",
        "{ GRAPH ?g { ?s ?p ?o } }",
        "{ { SELECT * { ?s ?p ?o } } FILTER(?s < ?o || true) }",
        "{ VALUES ?g { ex:n ex:g } ?s ?p ?o }",
        "{ ?s ?p ?o FILTER EXISTS { GRAPH ex:h { ?x ?y '}' } } }",
    ]
)
TARGETS = st.sampled_from(["DEFAULT", "GRAPH ex:g", "GRAPH <new>"])
OPERATIONS = st.one_of(
    st.builds(lambda v, q: f"{v} DATA {q}", st.sampled_from(["INSERT", "DELETE", "insert"]), QUADS),
    st.builds(lambda q: f"DELETE WHERE {q}", QUADS),
    st.builds(
        lambda w, d, i, u, p: f"{w} {d} {i} {u} WHERE {p}",
        st.just("") | NAMES.map(lambda n: f"WITH {n}"),
        st.just("") | QUADS.map(lambda q: f"DELETE {q}"),
        st.just("") | QUADS.map(lambda q: f"INSERT{q}"),
        st.sampled_from(["", "USING ex:g", "USING NAMED ex:h USING ex:i"]),
        WHERE,
    ),
    st.builds(
        lambda v, s, t: f"{v} {s} {t}",
        st.sampled_from(["CLEAR", "DROP", "CREATE"]),
        st.sampled_from(["", "SILENT"]),
        TARGETS | st.sampled_from(["ALL", "NAMED"]),
    ),
    st.builds(lambda v, a, b: f"{v} {a} TO {b}", st.sampled_from(["ADD", "MOVE", "COPY SILENT"]), TARGETS, TARGETS),
)
UPDATES = st.lists(OPERATIONS, min_size=1, max_size=3).map(
    lambda operations: "BASE <http://e/x/> PREFIX ex: <../> " + " ;\n".join(operations)
)


@given(UPDATES)
@example("PREFIX ex: <http://e/> PREFIXex: <http://f/> INSERT DATA { GRAPH ex:g { ex:a ex:b ex:c } }")
@example("PREFIX ex: <http://e/> INSERTDATA { GRAPH ex:g { ex:a ex:b ex:c } }")
@example("PREFIX ex: <http://e/> INSERT DATA { GRAPHex:g { ex:a ex:b ex:c } }")
@example(
    "PREFIX ex: <http://e/> INSERT { ex:a ex:b ?o } WHERE { ?s ?p ?o FILTER(?o<ex:z#>'''\n||true) } ; DROP ALL #'''\n"
)
@settings(max_examples=600)
def test_what_changes_is_within_what_is_told(update: str) -> None:
    changed, told = altered(update), touched_graphs(update)
    if changed is not None and told is not None:
        assert changed <= told


def test_most_updates_are_told_narrowly() -> None:
    assert touched_graphs("PREFIX ex: <http://e/> CLEAR GRAPH ex:\\u0067") is None  # an escape in a name is none
    assert touched_graphs(
        "BASE <http://e/x/> PREFIX ex: <../> INSERT DATA { GRAPH ex:g { ex:a ex:b ex:c } GRAPH <y> {} } ; "
        "PREFIX ex: <http://f/> WITH ex:w DELETE { ?s a ?o } INSERT { GRAPH ex:g { ?s a 1 } } USING ex:u "
        "WHERE { GRAPH ex:no { ?s a ?o } } ; MOVE ex:a TO DEFAULT ; COPY ex:no TO ex:b ; CREATE SILENT GRAPH ex:c"
    ) == {"http://e/g", "http://e/x/y", "http://f/w", "http://f/g", "http://f/a", "", "http://f/b", "http://f/c"}
    assert touched_graphs("INSERT DATA { <ex:a> a 'GRAPH <ex:g> {' }") == {""}
    assert touched_graphs("") == frozenset()


@pytest.mark.parametrize(
    "update",
    [
        "CLEAR ALL",
        "DROP SILENT NAMED",
        "DELETE { GRAPH ?g { ?s ?p ?o } } WHERE { GRAPH ?g { ?s ?p ?o } }",
        "DELETEWHERE { ?s ?p ?o }",
        "INSERT DATA { GRAPH undeclared:g { <ex:a> a 1 } }",
        "INSERT { <ex:a> a ?o } WHERE { ?s ?p ?o FILTER(?s<?o&&?o>?p) }",
        "nonsense",
    ],
)
def test_any_graph_where_it_cannot_be_told(update: str) -> None:
    assert touched_graphs(update) is None


def test_operations_are_told_apart_by_their_brackets() -> None:
    operations = read_update(
        "PREFIX ex: <http://e/>\nDELETE { ?s ex:p ';' } WHERE { ?s ex:p ';' ; ex:q ?o } ;\n# ; none\nCLEAR DEFAULT ;"
    )
    assert [(o.kind, o.text, o.prologue) for o in operations] == [
        ("modify", "DELETE { ?s ex:p ';' } WHERE { ?s ex:p ';' ; ex:q ?o }", "PREFIX ex: <http://e/>"),
        ("clear", "CLEAR DEFAULT", "PREFIX ex: <http://e/>"),
    ]
    assert (operations[0].delete, operations[0].pattern) == ("{ ?s ex:p ';' }", "{ ?s ex:p ';' ; ex:q ?o }")
    assert operations[0].template_variables == ("s",)


def test_the_dataset_of_a_request_is_that_of_every_where() -> None:
    update = PROLOGUE + (
        "INSERT { GRAPH ex:new { ?s ?p ?o } } WHERE { ?s ?p ?o } ; "
        "INSERT { GRAPH ex:named { ?s ?p ?o } } WHERE { GRAPH ?g { ?s ?p ?o } } ; "
        "INSERT DATA { GRAPH ex:d { ex:a a 1 } }"
    )
    made = store()
    made.update(with_using(update, [G, "http://e/i"], [H]))
    now = held(made)
    assert now["http://e/new"] == now[G] | now["http://e/i"]
    assert now["http://e/named"] == now[H]
    assert len(now["http://e/d"]) == 1


def test_delete_where_takes_its_dataset_too() -> None:
    made = store()
    before = held(made)
    made.update(with_using(PROLOGUE + "DELETE WHERE { ?s ex:p ?o . GRAPH ex:h { ?s ?q ?l } }", [G], [H]))
    after = held(made)
    assert after.get("") != before[""]  # matched in one graph, taken out of the default graph, as it says
    assert after[G] == before[G]
    assert H not in after


def test_without_a_dataset_nothing_is_rewritten() -> None:
    assert with_using("WITH <ex:g> anything", [], []) == "WITH <ex:g> anything"


@pytest.mark.parametrize(
    "update",
    [
        "WITH <ex:g> DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }",
        "DELETE { ?s ?p ?o } USING <ex:g> WHERE { ?s ?p ?o }",
        "INSERT DATA {} ; DELETE { ?s ?p ?o } USING NAMED <ex:g> WHERE { ?s ?p ?o }",
        "DELETEWHERE { ?s ?p ?o }",
    ],
)
def test_a_dataset_of_its_own_is_an_error(update: str) -> None:
    with pytest.raises(MalformedError):
        with_using(update, [G], [])
    with pytest.raises(MalformedError):
        with_using(update, [], [G])


def test_what_is_given_must_be_an_iri() -> None:
    with pytest.raises(MalformedError, match="IRI"):
        with_using("DELETE WHERE { ?s ?p ?o }", ["http://e/> WHERE {} ; CLEAR ALL #"], [])
