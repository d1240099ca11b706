"""`ws:label`: the name in the language that is asked for, else English, else any, else the short name."""

import gc

import pyoxigraph as ox
import pytest

from kg.names import RDFS, SKOS, WS
from kg.settings import Settings
from kg.store import Snapshot
from loaders import functions
from loaders.functions import LABEL, QUOTE, label_functions, query_functions
from loaders.texts import Texts

GRAPH = ox.NamedNode("https://w3id.org/whosays/graph/g")


def snapshot_of(*named: tuple[str, str, str, str | None]) -> Snapshot:
    store = ox.Store()
    for slug, naming, words, language in named:
        thing = ox.NamedNode(f"https://w3id.org/whosays/id/{slug}")
        store.add(ox.Quad(thing, ox.NamedNode(naming), ox.Literal(words, language=language), GRAPH))
    return Snapshot(store, "1")


def call(snapshot: Snapshot, expression: str) -> str | None:
    results = snapshot.query(f"SELECT ({expression} AS ?x) {{}}", functions=label_functions(snapshot))
    assert isinstance(results, ox.QuerySolutions)
    term = next(results)["x"]
    return None if term is None else str(term)


SNAPSHOT = snapshot_of(
    ("japan", SKOS + "prefLabel", "Japan", "en"),
    ("japan", SKOS + "prefLabel", "日本", "ja"),
    ("japan", SKOS + "altLabel", "Nippon", "en"),
    ("book", WS + "title", "Das Buch", "de"),
    ("book", WS + "title", "A könyv", "hu"),
    ("both", RDFS + "label", "second", "en"),
    ("both", SKOS + "prefLabel", "first", "en"),
    ("claim", WS + "gloss", "that it rains", None),
)


@pytest.mark.parametrize(
    ("expression", "label"),
    [
        ("ws:label(id:japan)", '"Japan"@en'),
        ('ws:label(id:japan, "ja")', '"日本"@ja'),
        ('ws:label(id:japan, "JA")', '"日本"@ja'),
        ('ws:label(id:japan, "ko")', '"Japan"@en'),
        ("ws:label(id:book)", '"Das Buch"@de'),
        ('ws:label(id:book, "hu")', '"A könyv"@hu'),
        ("ws:label(id:both)", '"first"@en'),
        ("ws:label(id:claim)", '"that it rains"'),
        ("ws:label(id:atlantis)", '"atlantis"'),
        ("ws:label(ws:act-wants)", '"ws:act-wants"'),
        ('ws:label("words"@en)', '"words"@en'),
        ("ws:label(12)", '"12"^^<http://www.w3.org/2001/XMLSchema#integer>'),
        ("ws:label(?unbound)", None),
        ("ws:label(BNODE())", None),
    ],
)
def test_a_label_is_the_best_that_there_is(expression: str, label: str | None) -> None:
    assert call(SNAPSHOT, expression) == label


def test_a_label_is_that_of_the_snapshot_that_is_asked() -> None:
    older, newer = (
        snapshot_of(("a", SKOS + "prefLabel", "old", "en")),
        snapshot_of(("a", SKOS + "prefLabel", "new", "en")),
    )
    assert [call(s, "ws:label(id:a)") for s in (older, newer, older)] == ['"old"@en', '"new"@en', '"old"@en']


def test_labels_of_a_snapshot_go_with_it() -> None:
    gc.collect()
    before = len(functions._known)
    snapshot = snapshot_of(("a", SKOS + "prefLabel", "old", "en"))
    call(snapshot, "ws:label(id:a)")
    assert len(functions._known) == before + 1
    del snapshot
    gc.collect()
    assert len(functions._known) == before


def test_labels_that_are_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions, "KEPT", 10)
    snapshot = snapshot_of(("a", SKOS + "prefLabel", "old", "en"))
    for number in range(50):
        assert call(snapshot, f"ws:label(id:n{number})") == f'"n{number}"'
    assert len(functions._known[snapshot]) <= 10


def test_queries_can_call_both_functions(sample_settings: Settings, sample: Snapshot) -> None:
    made = query_functions(sample, Texts(sample_settings.texts), sample_settings)
    assert set(made) == {LABEL, QUOTE}
    text = "SELECT (ws:quote(?p) AS ?quote) (ws:label(?d) AS ?label) { ?a ws:evidencedBy ?p ; ws:statedIn ?d } LIMIT 1"
    results = sample.query(text, functions=made)
    assert isinstance(results, ox.QuerySolutions)
    row = next(results)
    assert row["quote"] is not None
    assert row["label"] is not None
