"""Drafts: assertions are added, superseded and retracted, never deleted; a change is taken back as a whole."""

from collections.abc import Iterable
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg import drafts
from kg.change import Change
from kg.errors import ConflictError, NotFoundError, ParameterError
from kg.history import Entry, History
from kg.names import CONTENTS_GRAPH, ID, WS, document_graph
from kg.provenance import Activity
from kg.publisher import Draft
from kg.units import Unit, unit_quads

ANNA = ID + "anna"
GRAPH = ox.NamedNode(document_graph("d"))
PUBLISHED = """
PREFIX ws: <https://w3id.org/whosays/ontology#>
PREFIX id: <https://w3id.org/whosays/id/>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
GRAPH <https://w3id.org/whosays/graph/d> {
  <https://w3id.org/whosays/id/d/old> a ws:Assertion ; ws:status ws:status-published ; ws:proposition id:p .
  <https://w3id.org/whosays/id/d/old/report> a ws:Assertion ; ws:status ws:status-published ;
    ws:reports <https://w3id.org/whosays/id/d/old> .
}
GRAPH <https://w3id.org/whosays/graph/propositions> {
  id:p a ws:Proposition ; ws:gloss "P."@en ; rdfs:isDefinedBy id:d .
}
"""


def node(name: str) -> ox.NamedNode:
    return ox.NamedNode(ID + name)


def say(name: str, key: str, value: str) -> ox.Quad:
    return ox.Quad(node(f"d/{name}"), ox.NamedNode(WS + key), node(value), GRAPH)


def status(name: str, value: str) -> ox.Quad:
    return ox.Quad(node(f"d/{name}"), ox.NamedNode(WS + "status"), ox.NamedNode(f"{WS}status-{value}"), GRAPH)


def new(name: str, *more: ox.Quad) -> list[ox.Quad]:
    typed = ox.Quad(node(f"d/{name}"), drafts._TYPE, drafts._ASSERTION, GRAPH)
    return [typed, status(name, "published"), *more]


@pytest.fixture
def store() -> ox.Store:
    store = ox.Store()
    store.load(PUBLISHED.encode(), format=ox.RdfFormat.TRIG)
    return store


def apply(store: ox.Store, draft: Draft) -> set[ox.Quad]:
    for quad in draft.change.removed:
        store.remove(quad)
    store.extend(draft.change.added)
    return set(store)


def add(store: ox.Store, quads: Iterable[ox.Quad]) -> Draft:
    return drafts.add(store, quads, agent=ANNA, source="a.yaml")


def test_only_what_is_new_is_added(store: ox.Store) -> None:
    draft = add(store, [*store, *new("x")])
    assert draft.change == Change(frozenset(new("x")))
    assert draft.activity == Activity(ANNA, "add", "adds d/x", "a.yaml")


def test_many_are_told_in_few_words(store: ox.Store) -> None:
    draft = add(store, [q for name in "vwxyz" for q in new(name)])
    assert draft.activity.note == "adds d/v, d/w, d/x and 2 more"


def test_what_is_superseded_stays_with_another_status(store: ox.Store) -> None:
    draft = add(store, new("x", say("x", "supersedes", "d/old")))
    assert draft.activity.kind == "supersede"
    after = apply(store, draft)
    assert status("old", "superseded") in after
    assert status("old", "published") not in after
    assert status("old/report", "published") in after
    assert say("old", "proposition", "p") in after


def test_the_report_of_what_is_superseded_is_superseded_by_the_new_report(store: ox.Store) -> None:
    quads = new("x", say("x", "supersedes", "d/old")) + new("x/report", say("x/report", "reports", "d/x"))
    after = apply(store, add(store, quads))
    assert say("x/report", "supersedes", "d/old/report") in after
    assert status("old/report", "superseded") in after
    assert {status("x", "published"), status("x/report", "published")} <= after


def test_superseding_again_alters_nothing(store: ox.Store) -> None:
    quads = new("x", say("x", "supersedes", "d/old"))
    apply(store, add(store, quads))
    assert not add(store, quads).change


def test_a_document_is_replaced_with_the_contents_that_it_defines(store: ox.Store) -> None:
    unit = Unit(GRAPH.value, ID + "d", frozenset(new("x")), "0" * 64, "d.yaml")
    draft = drafts.replace(store, unit, agent=ANNA)
    assert draft.activity.note == "replaces d"
    assert draft.graphs == (GRAPH.value,)
    assert apply(store, draft) == set(new("x"))
    assert not drafts.replace(store, unit, agent=ANNA).change


def test_a_document_that_is_new_is_told_as_added() -> None:
    unit = Unit(GRAPH.value, ID + "d", frozenset(new("x")), "0" * 64, "d.yaml")
    assert drafts.replace(ox.Store(), unit, agent=ANNA).activity.note == "adds d"


def test_contents_of_other_documents_stay(store: ox.Store) -> None:
    other = ox.Quad(node("q"), ox.NamedNode(WS + "gloss"), ox.Literal("Q."), ox.NamedNode(CONTENTS_GRAPH))
    store.add(other)
    assert other not in unit_quads(store, GRAPH.value)
    unit = Unit(GRAPH.value, ID + "d", frozenset(new("x")), "0" * 64, "d.yaml")
    assert other in apply(store, drafts.replace(store, unit, agent=ANNA))


def test_a_retracted_assertion_keeps_all_and_gets_the_reason(store: ox.Store) -> None:
    before = set(store)
    draft = drafts.retract(store, ID + "d/old", " It was misread. ", agent=ANNA)
    reason = ox.Quad(node("d/old"), ox.NamedNode(WS + "note"), ox.Literal("It was misread.", language="en"), GRAPH)
    assert apply(store, draft) == before - {status("old", "published")} | {status("old", "retracted"), reason}
    with pytest.raises(ConflictError, match="is retracted already"):
        drafts.retract(store, ID + "d/old", "again", agent=ANNA)


@pytest.mark.parametrize("reason", ["", " \n", "a\x00b", "\ud800", "\uffff", "\x1b[2J"])
def test_nothing_is_retracted_without_a_reason_in_words(store: ox.Store, reason: str) -> None:
    with pytest.raises(ParameterError, match="reason"):
        drafts.retract(store, ID + "d/old", reason, agent=ANNA)


def test_only_assertions_are_retracted(store: ox.Store) -> None:
    for name in ("p", "d/nothing", "d"):
        with pytest.raises(NotFoundError, match=f"no assertion `{name}`"):
            drafts.retract(store, ID + name, "wrong", agent=ANNA)
    for name in ("no name", "\ud800", "<>"):
        with pytest.raises(ParameterError, match="no IRI"):
            drafts.retract(store, ID + name, "wrong", agent=ANNA)


def noted(path: Path, *changes: Change) -> History:
    history = History(path / "history.sqlite")
    for number, change in enumerate(changes, 1):
        activity = Activity(ANNA, "add", f"adds number {number}")
        history.note(Entry(number, "2026-01-01T00:00:00+00:00", activity, "", "", 1, 0), change)
    return history


def test_undoing_brings_back_what_was(store: ox.Store, tmp_path: Path) -> None:
    before = set(store)
    draft = add(store, new("x", say("x", "supersedes", "d/old")))
    history = noted(tmp_path, draft.change)
    apply(store, draft)
    back = drafts.undo(store, history, 1, agent=ANNA)
    assert back.activity == Activity(ANNA, "undo", "undoes change 1: adds number 1", undoes=1)
    assert apply(store, back) == before


def test_a_change_is_not_undone_after_another_of_the_same_statements(store: ox.Store, tmp_path: Path) -> None:
    first = add(store, new("x"))
    apply(store, first)
    second = drafts.retract(store, ID + "d/x", "wrong", agent=ANNA)
    apply(store, second)
    before = set(store)
    history = noted(tmp_path, first.change, second.change)
    with pytest.raises(ConflictError, match=r"change 1 cannot be undone: d/x was altered since, by change 2"):
        drafts.undo(store, history, 1, agent=ANNA)
    assert set(store) == before
    apply(store, drafts.undo(store, history, 2, agent=ANNA))
    apply(store, drafts.undo(store, history, 1, agent=ANNA))
    with pytest.raises(ConflictError, match="cannot be undone"):
        drafts.undo(store, history, 1, agent=ANNA)


def test_a_change_that_never_was_is_not_undone(store: ox.Store, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no change 7"):
        drafts.undo(store, noted(tmp_path), 7, agent=ANNA)
