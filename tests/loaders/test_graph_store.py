"""The graph store: a graph put, added to or emptied as a whole, by the rules of the door."""

import shutil
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.errors import ConflictError, MalformedError, NotFoundError, ParameterError, WhosaysError
from kg.names import CAUSAL, GRAPH, ID, INFERRED_GRAPH, LINKS_GRAPH, ONTOLOGY_GRAPH, PROVENANCE_GRAPH, REGISTER_GRAPH
from kg.publisher import Outcome, Plan, history
from kg.settings import Settings
from kg.store import StoreFolder
from loaders.deciding import publish_planned
from loaders.graph_store import How, plan_graph
from loaders.judging import Verdict, plan_undoing
from loaders.syntaxes import SYNTAXES
from tests.additions import REPLY_GRAPH, addition, as_form, quads_of

ANNA = ID + "anna"
REGISTER = ox.NamedNode(REGISTER_GRAPH)
WORDS = b"@prefix ws: <https://w3id.org/whosays/ontology#> . @prefix skos: <http://www.w3.org/2004/02/skos/core#> .\n"
MULES = WORDS + b"<toll-of-mules> a ws:Issue ; skos:prefLabel 'toll of mules'@en ."
CARTS = WORDS + b"<toll-of-carts> a ws:Issue ; skos:prefLabel 'toll of carts'@en ."
TURTLE, N_QUADS = "text/turtle", "application/n-quads"


@pytest.fixture
def folder(sample_settings: Settings, tmp_path: Path) -> StoreFolder:
    shutil.copytree(sample_settings.store, tmp_path / "store", symlinks=True)
    return StoreFolder(tmp_path / "store")


def held(folder: StoreFolder, graph: str = REGISTER_GRAPH) -> frozenset[ox.Quad]:
    with folder.snapshot() as snapshot:
        return frozenset(snapshot.store.quads_for_pattern(None, None, None, ox.NamedNode(graph)))


def as_turtle(quads: frozenset[ox.Quad]) -> bytes:
    return ox.serialize((q.triple for q in quads), format=ox.RdfFormat.TURTLE) or b""


def published(folder: StoreFolder, graph: str, how: How, *parts: tuple[bytes, str]) -> Outcome:
    outcome = publish_planned(folder, lambda: plan_graph(folder.path, graph, parts, how, ANNA))
    assert isinstance(outcome, Outcome)
    return outcome


def test_post_adds_put_replaces_and_undoing_brings_back(folder: StoreFolder) -> None:
    before = held(folder)
    added = published(folder, REGISTER_GRAPH, "post", (MULES, TURTLE))
    assert added.number is not None
    assert len(held(folder) - before) == 2
    assert before < held(folder)
    assert history(folder).entry(added.number).activity.kind == "add"
    assert published(folder, REGISTER_GRAPH, "post", (MULES, TURTLE)).number is None

    replaced = published(
        folder, REGISTER_GRAPH, "put", (as_turtle(before), TURTLE), (CARTS, f"{TURTLE}; charset=utf-8")
    )
    assert replaced.number is not None
    names = {str(q.subject) for q in held(folder) - before}
    assert names == {f"<{ID}toll-of-carts>"}
    assert history(folder).change(replaced.number).removed == {
        q for q in history(folder).change(added.number).added if q.graph_name == REGISTER
    }
    assert history(folder).entry(replaced.number).activity.kind == "replace"

    undone = publish_planned(folder, lambda: plan_undoing(folder.path, replaced.number or 0, ANNA))
    assert isinstance(undone, Outcome)
    assert {str(q.subject) for q in held(folder) - before} == {f"<{ID}toll-of-mules>"}


def test_put_of_what_is_there_changes_nothing(folder: StoreFolder) -> None:
    for graph in (REGISTER_GRAPH, REPLY_GRAPH, GRAPH + "propositions"):
        assert published(folder, graph, "put", (as_turtle(held(folder, graph)), TURTLE)).number is None


@pytest.mark.parametrize("form", [s.name for s in SYNTAXES if s.rdf_format is not None])
def test_every_rdf_syntax_is_taken(folder: StoreFolder, form: str) -> None:
    media_type = next(s.media_types[0] for s in SYNTAXES if s.name == form)
    graphs = {q.graph_name.value for q in quads_of(addition("remark")) if isinstance(q.graph_name, ox.NamedNode)}
    assert len(graphs) == 2  # so that it cannot be put into one of them as it is
    if form in ("trig", "nq"):
        with pytest.raises(ParameterError, match="the request of"):
            plan_graph(folder.path, REPLY_GRAPH, [(as_form(addition("remark"), form), media_type)], "post", ANNA)
    quads = ox.parse(MULES, format=ox.RdfFormat.TURTLE, base_iri=ID)
    syntax = next(s.rdf_format for s in SYNTAXES if s.name == form)
    assert syntax is not None
    data = ox.serialize((q.triple for q in quads), format=syntax) or b""
    assert isinstance(plan_graph(folder.path, REGISTER_GRAPH, [(data, media_type)], "post", ANNA), Plan)


def test_quads_of_the_graph_itself_are_taken(folder: StoreFolder) -> None:
    line = f'<{ID}toll-of-mules> <http://www.w3.org/2004/02/skos/core#altLabel> "mules"@en <{REGISTER_GRAPH}> .\n'
    parts = [(MULES, TURTLE), (line.encode(), N_QUADS)]
    planned = plan_graph(folder.path, REGISTER_GRAPH, parts, "post", ANNA)
    assert isinstance(planned, Plan)
    assert len(planned.draft.change.added) == 3


def test_what_breaks_the_shapes_is_told_and_nothing_is_published(folder: StoreFolder) -> None:
    before = held(folder)
    for how, parts in (("delete", []), ("put", [(MULES, TURTLE)]), ("post", [(WORDS + b"<x> a ws:Issue .", TURTLE)])):
        verdict = plan_graph(folder.path, REGISTER_GRAPH, parts, how, ANNA)  # type: ignore[arg-type]
        assert isinstance(verdict, Verdict)
        assert verdict.findings
    assert held(folder) == before


def test_a_graph_that_nothing_needs_can_be_deleted_once(folder: StoreFolder) -> None:
    link = f"<{ID}toll-of-mules> <http://www.w3.org/2004/02/skos/core#closeMatch> <http://www.wikidata.org/entity/Q1> ."
    published(folder, REGISTER_GRAPH, "post", (MULES, TURTLE))
    published(folder, LINKS_GRAPH, "post", (link.encode(), TURTLE))
    assert len(held(folder, LINKS_GRAPH)) == 1
    assert published(folder, LINKS_GRAPH, "delete").removed_quads
    assert not held(folder, LINKS_GRAPH)
    with pytest.raises(NotFoundError, match="graph:links"):
        plan_graph(folder.path, LINKS_GRAPH, [], "delete", ANNA)


@pytest.mark.parametrize(
    ("graph", "data", "media_type", "kind", "words"),
    [
        ("", MULES, TURTLE, ParameterError, "default graph"),
        (INFERRED_GRAPH, MULES, TURTLE, ParameterError, "never written"),
        (PROVENANCE_GRAPH, MULES, TURTLE, ParameterError, "never written"),
        (CAUSAL + "anna", MULES, TURTLE, ParameterError, "never written"),
        ("no iri", MULES, TURTLE, MalformedError, "not an IRI"),
        (ONTOLOGY_GRAPH, b"", TURTLE, ConflictError, "ontology"),
        (LINKS_GRAPH, MULES, TURTLE, MalformedError, "graph:register"),
        (REGISTER_GRAPH, WORDS + b"<x> a ws:Issue ; ws:note [] .", TURTLE, MalformedError, "without an IRI"),
        (REGISTER_GRAPH, b"<a> <b", TURTLE, MalformedError, "begins no IRI"),
        (REGISTER_GRAPH, b"to: x", "application/yaml", MalformedError, "no RDF"),
        (REGISTER_GRAPH, MULES, "image/png", MalformedError, "no form"),
        (REGISTER_GRAPH, f"<{ID}x> <{ID}y> <{ID}z> <{LINKS_GRAPH}> .".encode(), N_QUADS, ParameterError, "graph:links"),
    ],
)
def test_what_may_not_be_is_refused_in_plain_words(
    folder: StoreFolder, graph: str, data: bytes, media_type: str, kind: type[WhosaysError], words: str
) -> None:
    with pytest.raises(kind, match=words) as caught:
        plan_graph(folder.path, graph, [(data, media_type)], "put", ANNA)
    assert caught.value.mend


def test_the_part_that_is_wrong_is_named(folder: StoreFolder) -> None:
    with pytest.raises(MalformedError, match="part 2"):
        plan_graph(folder.path, REGISTER_GRAPH, [(MULES, TURTLE), (b"<a> <b", TURTLE)], "post", ANNA)
