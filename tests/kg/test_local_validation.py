"""Judging a change comes to the same verdict as judging the whole graph.

The world of the shape tests, with every example in it, is altered at random: statements are added
that recombine what is there, taken out, bent to another value; nodes lose all that is said of them,
or change their class, hubs among them. After each change a full run of pySHACL must say

    what it said before, on nodes and shapes that the change does not touch
    + what `validate_change` says of the change.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path
from random import Random

import pyoxigraph as ox
import pyshacl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rdflib import SH, Graph
from rdflib.util import from_n3

from kg.change import Change, View, make_change
from kg.names import EDTF, ID, INFERRED_GRAPH, ONTOLOGY_GRAPH, RDF, RDFS, REGISTER_GRAPH, SKOS, WS
from kg.reach import all_classes, reaches
from kg.shapes import shapes_graph
from kg.validation import Result, affected, validate, validate_change, validate_store
from kg.vocabulary import ontology_quads

SHAPES = Path(__file__).parent.parent / "shapes"
GRAPH = ox.NamedNode(REGISTER_GRAPH)
TYPE = ox.NamedNode(RDF + "type")
EDITS = ("remove", "recombine", "bend", "retype", "forget", "rename", "invent")

Edit = tuple[str, int, int, int]


@cache
def world() -> tuple[ox.Triple, ...]:
    """Everything that the examples of the shape tests say."""
    files = [SHAPES / "world.ttl", *SHAPES.glob("examples/*.ttl")]
    triples = {q.triple for f in files for q in ox.parse(path=str(f), format=ox.RdfFormat.TURTLE, base_iri=ID)}
    assert not any(isinstance(t, ox.BlankNode) for triple in triples for t in (triple.subject, triple.object))
    return tuple(sorted(triples, key=str))


@cache
def ontology() -> tuple[ox.Triple, ...]:
    """What the shapes need of the ontology: the class tree and who is in which scheme."""
    needed = {RDFS + "subClassOf", SKOS + "inScheme"}
    return tuple(
        t
        for t in ontology_quads()
        if t.predicate.value in needed and isinstance(t.subject, ox.NamedNode) and isinstance(t.object, ox.NamedNode)
    )


def make_store() -> ox.Store:
    store = ox.Store()
    store.extend(ox.Quad(t.subject, t.predicate, t.object, GRAPH) for t in world())
    store.extend(ox.Quad(t.subject, t.predicate, t.object, ox.NamedNode(ONTOLOGY_GRAPH)) for t in ontology())
    return store


def findings(results: tuple[Result, ...]) -> Counter[tuple[str, ...]]:
    return Counter((r.focus, r.shape, str(r.path), str(r.value), r.severity, r.message) for r in results)


def full(store: ox.Store) -> Counter[tuple[str, ...]]:
    return findings(validate(q.triple for q in store).results)


@cache
def full_of_the_world() -> Counter[tuple[str, ...]]:
    return full(make_store())


def make_edit(store: ox.Store, edit: Edit) -> Change:
    """Turn three numbers into a change of this store."""
    kind, i, j, k = edit
    quads = sorted(store.quads_for_pattern(None, None, None, GRAPH), key=str)
    if not quads:
        return Change()
    one, two, three = (quads[n % len(quads)] for n in (i, j, k))
    own = list(store.quads_for_pattern(one.subject, None, None, GRAPH))
    classes = sorted({t for reach in reaches() for t in reach.targets})
    odd = [
        ox.NamedNode(ID + "unheard-of"),
        ox.Literal("Ruritania"),
        ox.Literal("2003-06", datatype=ox.NamedNode(EDTF)),
        ox.Literal("2003-13", datatype=ox.NamedNode(EDTF)),
        ox.Literal(7),
        ox.NamedNode(WS + "polarity-lacks"),
    ]
    added: list[ox.Quad] = []
    removed: list[ox.Quad] = []
    if kind == "remove":
        removed = [one]
    elif kind == "recombine":
        added = [ox.Quad(one.subject, two.predicate, three.object, GRAPH)]
    elif kind == "bend":
        removed, added = [one], [ox.Quad(one.subject, one.predicate, two.object, GRAPH)]
    elif kind == "retype":
        removed = [q for q in own if q.predicate == TYPE]
        added = [ox.Quad(one.subject, TYPE, ox.NamedNode(classes[j % len(classes)]), GRAPH)] if k % 4 else []
    elif kind == "forget":
        removed = own
    elif kind == "rename":
        other = ox.NamedNode(ID + "somebody-else")
        removed = own
        added = [ox.Quad(other, q.predicate, q.object, GRAPH) for q in own]
    else:
        removed = [one] if j % 2 else []
        added = [ox.Quad(one.subject, one.predicate, odd[k % len(odd)], GRAPH)]
    return make_change(store, added, removed)


def apply(store: ox.Store, change: Change) -> None:
    for quad in change.removed:
        store.remove(quad)
    store.extend(change.added)


numbers = st.integers(0, 100_000)
edits = st.tuples(st.sampled_from(EDITS), numbers, numbers, numbers)


def hold_against_a_full_run(steps: list[list[Edit]]) -> None:
    store, before = make_store(), full_of_the_world()
    for step in steps:
        shadow = copy_of(store)
        for edit in step:
            apply(shadow, make_edit(shadow, edit))
        change = Change(frozenset(q for q in shadow if q not in store), frozenset(q for q in store if q not in shadow))
        before = hold_one(store, before, change)
        store = shadow


def hold_one(store: ox.Store, before: Counter[tuple[str, ...]], change: Change) -> Counter[tuple[str, ...]]:
    """Hold the verdict on one change against full runs before and after; return what the one after found."""
    shadow = copy_of(store)
    apply(shadow, change)
    touched = {
        (node.value, str(reach.shape))
        for reach, nodes in affected(store, change).items()
        for node in nodes
        if isinstance(node, ox.NamedNode)
    }
    local = findings(validate_change(store, change, enough=10**9).results)
    after = full(shadow)
    untouched = {f: n for f, n in before.items() if (f[0], f[1]) not in touched}
    kept = Counter({f: n for f, n in untouched.items() if still_a_target(shadow, f[0], f[1])})
    assert after == kept + local
    assert after == findings(validate_store(shadow).results)
    return after


def copy_of(store: ox.Store) -> ox.Store:
    copy = ox.Store()
    copy.extend(store)
    return copy


def still_a_target(store: ox.Store, focus: str, shape: str) -> bool:
    own = all_classes(View(store).types(ox.NamedNode(focus)))
    return any(str(r.shape) == shape and not own.isdisjoint(r.targets) for r in reaches())


@pytest.mark.slow
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(st.lists(edits, min_size=1, max_size=5), min_size=1, max_size=3))
def test_a_change_is_judged_as_a_full_run_judges_it(steps: list[list[Edit]]) -> None:
    hold_against_a_full_run(steps)


@settings(max_examples=3, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@example([[("forget", 0, 0, 0)], [("invent", 3, 1, 3)]])
@given(st.lists(st.lists(edits, min_size=1, max_size=2), min_size=1, max_size=2))
def test_a_few_changes_are_judged_as_a_full_run_judges_them(steps: list[list[Edit]]) -> None:
    hold_against_a_full_run(steps)


def test_a_hub_that_goes_is_judged_as_a_full_run_judges_it() -> None:
    store = make_store()
    hubs = Counter(t.object for t in world() if isinstance(t.object, ox.NamedNode) and t.object.value.startswith(ID))
    for hub, _ in hubs.most_common(4):
        change = make_change(store, [], store.quads_for_pattern(hub, None, None, GRAPH))
        hold_one(store, full_of_the_world(), change)
        assert not validate_change(store, change).conforms


@pytest.mark.slow
def test_the_shapes_as_published_and_as_we_judge_by_them_say_the_same() -> None:
    """`full` judges by shapes rewritten to be quicker, on a graph that asks fewer queries; here by neither."""
    store = make_store()
    chance = Random(7)
    for kind in EDITS * 2:
        apply(store, make_edit(store, (kind, *(chance.randrange(100_000) for _ in range(3)))))  # type: ignore[arg-type]
    graph = Graph()
    graph.parse(data=ox.serialize([q.triple for q in store], format=ox.RdfFormat.N_TRIPLES), format="nt")
    _, report, _ = pyshacl.validate(graph, shacl_graph=shapes_graph(), allow_warnings=True, max_validation_depth=50)
    assert isinstance(report, Graph)
    plain = Counter(
        (str(report.value(r, SH.focusNode)), str(report.value(r, SH.sourceShape)), str(report.value(r, SH.value)))
        for r in report.objects(None, SH.result)
    )
    ours = Counter(
        (r.focus, r.shape, str(None if r.value is None else from_n3(r.value)))
        for r in validate(q.triple for q in store).results
    )
    assert len(plain) > 10
    assert plain == ours


def test_judging_stops_when_enough_is_wrong() -> None:
    store = make_store()
    node = ox.NamedNode(ID + "population")
    many = [ox.Quad(ox.NamedNode(f"{ID}new-{n}"), TYPE, ox.NamedNode(WS + "Assertion"), GRAPH) for n in range(1_500)]
    change = make_change(store, many, store.quads_for_pattern(node, None, None, GRAPH))
    report = validate_change(store, change)
    assert not report.complete
    assert 100 <= len(report.violations) <= 5_000 < 1_500 * 8


def test_what_is_inferred_is_not_judged() -> None:
    store = make_store()
    quad = ox.Quad(ox.NamedNode(ID + "x"), TYPE, ox.NamedNode(WS + "Assertion"), ox.NamedNode(INFERRED_GRAPH))
    assert validate_change(store, make_change(store, [quad], [])).conforms
