"""Updating: what an update changes on a copy is judged, committed and undone like any other change."""

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.cells import Cells
from kg.errors import ConflictError, MalformedError, OverrunError, ParameterError, RefusedError, WhosaysError
from kg.names import GRAPH, ID, PREFIXES, REGISTER_GRAPH, WS
from kg.publisher import Outcome, Plan, history
from kg.settings import Settings
from kg.sparql_updates import read_update, with_using
from kg.store import StoreFolder
from loaders.deciding import publish_planned
from loaders.judging import Verdict, plan_undoing
from loaders.updating import _Trial, difference, in_deep_thread, plan_update
from tests.additions import REPLY_GRAPH, addition, quads_of
from tests.conftest import REPOSITORY
from tests.kg.test_sparql_updates import OPERATIONS
from tests.pace import within

ANNA = ID + "anna"
LABEL = ox.NamedNode(PREFIXES["skos"] + "prefLabel")
TOLL = "id:toll-of-mules a ws:Issue ; skos:prefLabel 'toll of mules'@en"


@pytest.fixture
def folder(sample_settings: Settings, tmp_path: Path) -> StoreFolder:
    shutil.copytree(sample_settings.store, tmp_path / "store", symlinks=True)
    return StoreFolder(tmp_path / "store")


def state(folder: StoreFolder) -> frozenset[ox.Quad]:
    with folder.snapshot() as snapshot:
        return frozenset(snapshot.store)


def asserted(folder: StoreFolder, graph: str) -> frozenset[ox.Quad]:
    with folder.snapshot() as snapshot:
        return frozenset(snapshot.store.quads_for_pattern(None, None, None, ox.NamedNode(graph)))


def publish(folder: StoreFolder, update: str, **options: Sequence[str]) -> Outcome | Verdict:
    return publish_planned(folder, lambda: plan_update(folder.path, update, ANNA, **options))  # type: ignore[arg-type]


def published(folder: StoreFolder, update: str, **options: Sequence[str]) -> Outcome:
    outcome = publish(folder, update, **options)
    assert isinstance(outcome, Outcome)
    return outcome


def copies(folder: StoreFolder) -> list[Path]:
    return list(folder.path.glob("copy.*"))


def test_an_addition_is_published_kept_in_the_history_and_undone(folder: StoreFolder) -> None:
    before = state(folder)
    quads = quads_of(addition("remark"))
    data = "".join(f"GRAPH {q.graph_name} {{ {q.triple} }}\n" for q in quads)
    outcome = published(folder, f"INSERT DATA {{ {data} }}")
    assert outcome.number is not None
    assert set(quads) <= state(folder)
    entry, change = history(folder).entry(outcome.number), history(folder).change(outcome.number)
    assert (entry.activity.kind, entry.activity.agent) == ("update", ANNA)
    assert (change.added, change.removed) == (frozenset(quads), frozenset())
    inferred = {q.graph_name.value for q in state(folder) - before if isinstance(q.graph_name, ox.NamedNode)}
    assert GRAPH + "inferred" in inferred
    undone = publish_planned(folder, lambda: plan_undoing(folder.path, outcome.number or 0, ANNA))
    assert isinstance(undone, Outcome)
    assert asserted(folder, REPLY_GRAPH) == frozenset(q for q in before if q.graph_name == ox.NamedNode(REPLY_GRAPH))
    assert not copies(folder)


def test_what_breaks_the_shapes_is_told_and_nothing_is_published(folder: StoreFolder) -> None:
    before = state(folder)
    verdict = publish(folder, "DELETE { GRAPH ?g { ?s ws:holder ?o } } WHERE { GRAPH ?g { ?s ws:holder ?o } }")
    assert isinstance(verdict, Verdict)
    assert not verdict.conforms
    assert any(finding.path == WS + "holder" for finding in verdict.findings)
    assert "ValidationReport" in verdict.shacl
    assert state(folder) == before
    assert not copies(folder)


def test_a_change_across_graphs_sees_the_union_of_all(folder: StoreFolder) -> None:
    update = """
        DELETE { GRAPH ?g { ?holder skos:prefLabel ?old } }
        INSERT { GRAPH ?g { ?holder skos:prefLabel ?new } }
        WHERE { ?assertion ws:holder ?holder ; ws:act ws:act-states . ?holder skos:prefLabel ?old .
                GRAPH ?g { ?holder a ?class } FILTER(STRSTARTS(STR(?g), STR(graph:)))
                FILTER(?g NOT IN (graph:inferred)) BIND(STRLANG(CONCAT(STR(?old), "!"), LANG(?old)) AS ?new) }"""
    outcome = published(folder, update)
    assert outcome.number is not None
    change = history(folder).change(outcome.number)
    assert len(change.added) == len(change.removed) > 0
    assert {q.predicate for q in change} == {LABEL}
    assert all(isinstance(q.object, ox.Literal) and q.object.value.endswith("!") for q in change.added)


def test_each_operation_sees_what_the_one_before_has_done(folder: StoreFolder) -> None:
    outcome = published(
        folder,
        f"INSERT DATA {{ GRAPH graph:register {{ {TOLL} }} }} ;\n"
        "PREFIX names: <http://www.w3.org/2004/02/skos/core#>\n"
        "INSERT { GRAPH graph:register { ?s names:altLabel 'mules'@en } }\n"
        "WHERE { ?s names:prefLabel 'toll of mules'@en } ;\n"
        "DELETE WHERE { GRAPH ?g { id:toll-of-mules skos:prefLabel ?l } } ;\n"
        "WITH graph:register INSERT { ?s skos:prefLabel ?l } WHERE { ?s skos:altLabel ?l FILTER(?l = 'mules'@en) }",
    )
    assert outcome.number is not None
    change = history(folder).change(outcome.number)
    assert sorted(str(q.object) for q in change.added if q.predicate != ox.NamedNode(PREFIXES["rdf"] + "type")) == (
        ['"mules"@en', '"mules"@en']
    )
    assert not change.removed


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("WHERE { ?s a ws:Person }", True),
        ("USING graph:register WHERE { ?s a ws:Person }", True),
        ("USING graph:propositions WHERE { ?s a ws:Person }", False),
        ("USING NAMED graph:register WHERE { ?s a ws:Person }", False),
        ("USING NAMED graph:register WHERE { GRAPH ?any { ?s a ws:Person } }", True),
        ("USING graph:propositions WHERE { GRAPH ?any { ?s a ws:Person } }", False),
        ("USING graph:register USING NAMED graph:propositions WHERE { ?s a ws:Person GRAPH ?any { ?x a ?y } }", True),
    ],
)
def test_the_dataset_that_the_update_names_is_what_where_sees(folder: StoreFolder, where: str, found: bool) -> None:
    planned = plan_update(folder.path, f"INSERT {{ GRAPH graph:register {{ ?s ws:note 'x'@en }} }} {where}", ANNA)
    assert isinstance(planned, Plan) == found


def test_the_dataset_of_the_request_is_what_where_sees(folder: StoreFolder) -> None:
    update = "INSERT { GRAPH graph:register { ?s ws:note 'x'@en } } WHERE { ?s a ws:Person }"
    assert isinstance(plan_update(folder.path, update, ANNA, using=[REGISTER_GRAPH]), Plan)
    assert isinstance(plan_update(folder.path, update, ANNA, using=[GRAPH + "propositions"]), Outcome)
    with pytest.raises(MalformedError, match="itself"):
        plan_update(folder.path, "WITH graph:register " + update, ANNA, using_named=[REGISTER_GRAPH])


@pytest.mark.parametrize(
    "update",
    [
        "",
        "PREFIX ex: <http://example.org/>",
        "DELETE DATA { GRAPH graph:register { id:nobody a ws:Person } }",
        "INSERT { GRAPH graph:register { ?s ?p ?o } } WHERE { GRAPH graph:register { ?s ?p ?o } }",
        f"INSERT DATA {{ GRAPH graph:register {{ {TOLL} }} }} ; DELETE DATA {{ GRAPH graph:register {{ {TOLL} }} }}",
        "CREATE GRAPH graph:empty",
        "CLEAR SILENT GRAPH graph:nothing",
    ],
)
def test_where_nothing_changes_nothing_is_published(folder: StoreFolder, update: str) -> None:
    before = folder.current_name()
    assert published(folder, update).number is None
    assert folder.current_name() == before


@pytest.mark.parametrize(
    ("update", "kind", "words"),
    [
        ("INSERT DATA { id:a ws:note 'x'@en }", ParameterError, "default graph"),
        ("DELETE WHERE { ?s ws:note ?o }", ParameterError, "default graph"),
        ("CLEAR DEFAULT", ParameterError, "default graph"),
        ("COPY DEFAULT TO GRAPH graph:register", ParameterError, "default graph"),
        ("CLEAR ALL", ParameterError, "all graphs"),
        ("DROP NAMED", ParameterError, "all graphs"),
        ("CLEAR GRAPH graph:inferred", ParameterError, "never written"),
        ("INSERT DATA { GRAPH graph:provenance { id:a ws:note 'x'@en } }", ParameterError, "never written"),
        (
            "INSERT DATA { GRAPH <https://w3id.org/whosays/graph/causal/x> { id:a a 1 } }",
            ParameterError,
            "never written",
        ),
        ("DELETE WHERE { GRAPH ?g { ?s ws:standing ?o } }", ParameterError, "never written"),
        ("DROP GRAPH graph:nothing", ParameterError, "does not exist"),
        ("INSERT DATA { GRAPH graph:register { id:a ws:note [] } }", MalformedError, "without an IRI"),
        ("INSERT DATA { GRAPH graph:register { _:a ws:note 'x' } }", MalformedError, "without an IRI"),
        (
            "INSERT { GRAPH graph:register { ?b a ws:Issue } } WHERE { BIND(BNODE() AS ?b) }",
            MalformedError,
            "without an IRI",
        ),
        ("INSERT DATA { GRAPH graph:register { id:a a <<( id:a id:b id:c )>> } }", MalformedError, "inside a triple"),
        ("INSERT DATA { GRAPH graph:register { id:a ws:nonsense 1 } }", MalformedError, "no property"),
        ("INSERT DATA { GRAPH graph:links { " + TOLL + " } }", MalformedError, "graph:register"),
        ("INSERT DATA { GRAPH graph:ontology { ws:X a owl:Class } }", WhosaysError, "not for the door"),
        ("DROP GRAPH graph:ontology", ConflictError, "ontology"),
        ("DELETEWHERE { GRAPH graph:register { ?s ?p ?o } }", MalformedError, "cannot be told"),
        ("LOAD <http://example.org/>", RefusedError, "LOAD"),
        ("INSERT {} WHERE { SERVICE <http://example.org/> { ?s ?p ?o } }", RefusedError, "SERVICE"),
        ("nonsense", MalformedError, "1:"),
        ("INSERT DATA {} ;\n\n  INSERT DATA { GRAPH graph:register { id:a b } }", MalformedError, "3:46"),
        ("INSERT DATA {} ; CLEAR GRAPH undeclared:g", MalformedError, "1:"),
    ],
)
def test_what_may_not_be_is_refused_in_plain_words(
    folder: StoreFolder, update: str, kind: type[WhosaysError], words: str
) -> None:
    before = state(folder)
    with pytest.raises(kind, match=words) as caught:
        publish(folder, update)
    assert caught.value.mend
    assert state(folder) == before
    assert not copies(folder)


def test_more_rows_than_are_filled_in_at_a_time(folder: StoreFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loaders.updating._ROWS", 3)
    update = (
        "INSERT { GRAPH graph:register { ?s ws:note ?n } } WHERE { ?s a ws:Person BIND(STRLANG(STR(?s), 'en') AS ?n) }"
    )
    planned = plan_update(folder.path, update, ANNA)
    assert isinstance(planned, Plan)
    assert len(planned.draft.change.added) > 3
    monkeypatch.setattr("loaders.updating.MAX_CHANGE", 3)
    with pytest.raises(OverrunError, match="more than 3"):
        plan_update(folder.path, update, ANNA)


def test_deep_nesting_is_survived_and_the_usual_stack_comes_back(folder: StoreFolder) -> None:
    usual = threading.stack_size()
    deep = "{" * 4_000 + " ?s a ws:Person " + "}" * 4_000
    planned = plan_update(
        folder.path, f"INSERT {{ GRAPH graph:register {{ ?s ws:note 'x'@en }} }} WHERE {{ {deep} }}", ANNA
    )
    assert isinstance(planned, Plan)
    assert threading.stack_size() == usual


def test_an_error_in_the_deep_thread_comes_through() -> None:
    with pytest.raises(ZeroDivisionError):
        in_deep_thread(lambda: 1 // 0)


@pytest.fixture(scope="module")
def cells() -> Iterator[Cells]:
    with Cells(workers=1, deadline=60, preload=["loaders.ready"]) as made:
        yield made


def test_a_bomb_is_stopped_at_the_deadline_and_what_it_leaves_is_swept(folder: StoreFolder, cells: Cells) -> None:
    before = state(folder)
    cross = " . ".join(f"?a{n} ?b{n} ?c{n}" for n in range(6))
    counted = f"{{ SELECT (COUNT(*) AS ?n) {{ {cross} }} }}"
    bomb = f"INSERT {{ GRAPH graph:register {{ ?a0 ws:note ?n }} }} WHERE {{ {counted} ?a0 ?b ?c }}"
    begun = time.monotonic()
    with pytest.raises(OverrunError):
        cells.run(plan_update, folder.path, bomb, ANNA, deadline=3.0)
    assert not copies(folder)  # one operation needs none
    good = f"INSERT DATA {{ GRAPH graph:register {{ {TOLL} }} }}"
    with pytest.raises(OverrunError):
        cells.run(plan_update, folder.path, f"{good} ; {bomb}", ANNA, deadline=3.0)
    assert within(time.monotonic() - begun, 30)
    assert state(folder) == before
    assert len(copies(folder)) == 1
    planned = cells.run(plan_update, folder.path, f"{good} ; CREATE SILENT GRAPH graph:register", ANNA)
    assert isinstance(planned, Plan)
    assert not copies(folder)


def test_a_cell_survives_deep_nesting(folder: StoreFolder, cells: Cells) -> None:
    deep = "{" * 4_000 + " ?s a ws:Person " + "}" * 4_000
    update = f"INSERT {{ GRAPH graph:register {{ ?s ws:note 'x'@en }} }} WHERE {{ {deep} }}"
    assert isinstance(cells.run(plan_update, folder.path, update, ANNA), Plan)


QUADS = st.frozensets(
    st.builds(
        lambda s, o, g: ox.Quad(ox.NamedNode(f"ex:{s}"), LABEL, ox.Literal(str(o)), ox.NamedNode(f"ex:{g}")),
        st.integers(0, 9),
        st.integers(0, 9),
        st.sampled_from("gh"),
    ),
    max_size=40,
)


@given(QUADS, QUADS)
@settings(max_examples=100)
def test_the_difference_is_that_of_the_sets(before: frozenset[ox.Quad], after: frozenset[ox.Quad]) -> None:
    old, new = ox.Store(), ox.Store()
    old.extend(before)
    new.extend(after)
    change = difference(old, new, None)
    assert (change.added, change.removed) == (after - before, before - after)
    only = difference(old, new, ["ex:g"])
    assert only.added == {q for q in after - before if q.graph_name == ox.NamedNode("ex:g")}


GRAPHS = [f"http://e/{name}" for name in "ghi"]


def small_store() -> ox.Store:
    made = ox.Store()
    made.update(
        "PREFIX ex: <http://e/> INSERT DATA { GRAPH ex:g { ex:a ex:p ex:b . ex:b ex:p ex:c . ex:b a 1.5 } "
        "GRAPH ex:h { ex:a ex:q 'l' } GRAPH ex:i { ex:c ex:p ex:a } }"
    )
    return made


@given(OPERATIONS.filter(lambda operation: "[]" not in operation and "{|" not in operation))  # nodes without a name
@settings(max_examples=400)
def test_an_operation_does_what_the_engine_does_with_all_graphs_named(operation: str) -> None:
    update = "BASE <http://e/x/> PREFIX ex: <../> " + operation
    read = read_update(update)[0]
    if read.kind is None or "*" in read.graphs:
        return
    own = read.with_graph or read.using or read.using_named
    before, engine, ours = small_store(), small_store(), small_store()
    try:
        engine.update(update if own else with_using(update, GRAPHS, GRAPHS))
    except (SyntaxError, RuntimeError):
        return
    trial = _Trial(before, ours)
    trial.do(read)
    assert set(ours) == set(engine)
    change = trial.change()
    assert (change.added, change.removed) == (set(engine) - set(before), set(before) - set(engine))


ROOM = """
import resource, sys, threading, time
from pathlib import Path
from loaders import updating

used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
limit = used + updating.STACK * 3 // 2  # one stack has room, and not two
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
taken = threading.stack_size(updating.STACK)
other = threading.Thread(target=time.sleep, args=(float(sys.argv[1]),))
other.start()
threading.stack_size(taken)
updating.PATIENCE = 5.0
try:
    print(updating.in_deep_thread(lambda: 42))
except MemoryError:
    print("no room")
"""


@pytest.mark.parametrize(("seconds", "told"), [("0.5", "42"), ("8", "no room")])
def test_a_large_stack_is_waited_for_while_another_still_has_the_room(seconds: str, told: str) -> None:
    """Under load, a thread that had just ended still had its stack: `can't start new thread`, and the update failed."""
    done = subprocess.run(
        [sys.executable, "-c", ROOM, seconds], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == told, done.stderr
