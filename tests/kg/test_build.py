"""Building: all or nothing, only what changed, never over somebody else's change."""

import shutil
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.build import Built
from kg.build import build as build_graph
from kg.errors import ConflictError, ConformanceError, WhosaysError
from kg.inference import inferred_graphs
from kg.names import ID, PROVENANCE_GRAPH, WS, document_graph
from kg.settings import Settings
from kg.store import StoreFolder
from kg.units import ontology_unit
from loaders.corpus import make_units, read_folder
from tests.conftest import SAMPLE


@pytest.fixture
def work(tmp_path: Path, sample_settings: Settings) -> Path:
    """A copy of the sample's records and of its published store."""
    shutil.copytree(SAMPLE / "records", tmp_path / "records")
    shutil.copytree(sample_settings.store, tmp_path / "store", symlinks=True)
    return tmp_path


def build(work: Path, *, overwrite: bool = False) -> Built:
    units = [ontology_unit(), *make_units(read_folder(work / "records"))]
    return build_graph(StoreFolder(work / "store"), units, agent=ID + "whosays-team", overwrite=overwrite)


def edit(work: Path, name: str, old: str, new: str) -> None:
    path = work / "records" / "documents" / f"{name}.yaml"
    source = path.read_text("utf-8")
    assert old in source
    path.write_text(source.replace(old, new, 1), "utf-8")


def state(work: Path) -> set[ox.Quad]:
    with StoreFolder(work / "store").snapshot() as snapshot:
        return set(snapshot.store)


def test_what_did_not_change_is_not_published_again(work: Path) -> None:
    name = StoreFolder(work / "store").current_name()
    outcome = build(work)
    assert outcome.changed == ()
    assert outcome.snapshot == name


def test_only_the_changed_document_is_published(work: Path) -> None:
    edit(work, "reply-from-borduria", "id: reply-from-borduria\n", "# a comment\nid: reply-from-borduria\n")
    assert build(work).changed == ("graph:reply-from-borduria",)


def test_what_does_not_conform_leaves_the_store_as_it_was(work: Path) -> None:
    before = state(work)
    path = work / "records" / "documents" / "reply-from-borduria.yaml"
    path.write_text(path.read_text("utf-8").replace("creator: kazimir-vlastok", "creator: atlantis"), "utf-8")
    with pytest.raises(ConformanceError) as caught:
        build(work)
    assert any(r.focus == ID + "reply-from-borduria" for r in caught.value.report.violations)
    assert state(work) == before
    assert not list((work / "store").glob("copy*"))


def test_a_document_that_is_gone_from_the_records_is_taken_out(work: Path) -> None:
    cited = work / "records" / "documents" / "memo.yaml"
    cited.write_text("id: memo\ntype: Document\ntitle: A memo\ncreator: amalia-orvosd\nkind: report\n", "utf-8")
    assert build(work).changed == ("graph:memo",)
    before = state(work)
    cited.unlink()
    assert build(work).removed == ("graph:memo",)
    gone = before - state(work)
    assert {q.graph_name for q in gone} >= {ox.NamedNode(document_graph("memo"))}
    assert not any(ID + "memo" in str(q) for q in state(work))


def test_what_is_inferred_follows_when_one_document_changes(work: Path, tmp_path: Path) -> None:
    def inferred(store: Path) -> set[ox.Quad]:
        with StoreFolder(store).snapshot() as snapshot:
            graphs = inferred_graphs(snapshot.store)
            return {q for graph in graphs for q in snapshot.store.quads_for_pattern(None, None, None, graph)}

    before = inferred(work / "store")
    edit(work, "bridge-toll", "basis: hearsay", "basis: stated")
    build(work)
    units = [ontology_unit(), *make_units(read_folder(work / "records"))]
    build_graph(StoreFolder(tmp_path / "fresh"), units, agent=ID + "whosays-team")
    assert inferred(work / "store") == inferred(tmp_path / "fresh") != before


def change_the_store(work: Path) -> ox.Quad:
    quad = ox.Quad(
        ox.NamedNode(ID + "reply-from-borduria"),
        ox.NamedNode(WS + "note"),
        ox.Literal("changed by hand", language="en"),
        ox.NamedNode(document_graph("reply-from-borduria")),
    )
    with StoreFolder(work / "store").writer() as writer:
        writer.commit(added=[quad], removed=[])
    return quad


def test_a_change_in_the_store_is_not_overwritten_unasked(work: Path) -> None:
    quad = change_the_store(work)
    edit(work, "reply-from-borduria", "id: reply-from-borduria\n", "# a comment\nid: reply-from-borduria\n")
    with pytest.raises(ConflictError, match="whosays export reply-from-borduria"):
        build(work)
    assert quad in state(work)
    assert build(work, overwrite=True).removed_quads >= 1
    assert quad not in state(work)


def test_a_change_in_the_store_stays_where_the_record_did_not_change(work: Path) -> None:
    quad = change_the_store(work)
    edit(work, "bridge-toll", "id: bridge-toll\n", "# a comment\nid: bridge-toll\n")
    build(work)
    assert quad in state(work)


def test_a_triple_in_two_graphs_is_refused(work: Path) -> None:
    units = [ontology_unit(), *make_units(read_folder(work / "records"))]
    double = next(iter(units[1].quads))
    units[2] = type(units[2])(
        units[2].graph,
        units[2].document,
        units[2].quads | {ox.Quad(double.subject, double.predicate, double.object, ox.NamedNode(units[2].graph))},
        "other",
        units[2].source,
    )
    before = state(work)
    with pytest.raises(WhosaysError, match="the same statement would stand in"):
        build_graph(StoreFolder(work / "store"), units, agent=ID + "whosays-team")
    assert state(work) == before


def test_every_published_graph_has_its_provenance_and_no_blank_node(work: Path) -> None:
    quads = state(work)
    assert not any(isinstance(t, ox.BlankNode) for q in quads for t in (q.subject, q.object, q.graph_name))
    described = {q.subject for q in quads if q.graph_name == ox.NamedNode(PROVENANCE_GRAPH)}
    for unit in [ontology_unit(), *make_units(read_folder(work / "records"))]:
        assert ox.NamedNode(unit.graph) in described
