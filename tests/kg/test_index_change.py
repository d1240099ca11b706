"""The index in step: after any changes it holds what one made anew holds, and what is amiss is made anew."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.backup import backup
from kg.change import Change
from kg.digests import text_digest
from kg.errors import WhosaysError
from kg.facts import TYPE
from kg.filters import Filters
from kg.index import Index, make_index
from kg.index.schema import NAME, IndexFile
from kg.names import EDTF, GRAPH, ID, SKOS, WS, Term
from kg.settings import Settings
from kg.store import Snapshot, StoreFolder
from tests.kg.indexed import Graph, contents
from tests.kg.test_inference_change import AXIOMS, parsed

TEXT = "Ruritania resents the toll. Borduria does not. Nobody asked the lorries about it."
OTHER_TEXT = TEXT.replace("lorries", "carters")
TEXTS = {text_digest(text): text for text in (TEXT, OTHER_TEXT)}
GRAPHS = [ox.NamedNode(GRAPH + name) for name in ("d", "propositions", "register")]

SMALL = f"""
id:a a ws:Assertion ; ws:holder id:x ; ws:reports id:b ; ws:statedIn id:d ; ws:certainty ws:certainty-unhedged ;
  ws:basis ws:basis-stated ; ws:polarity ws:polarity-affirms ; ws:act ws:act-reports ; ws:evidencedBy id:s .
id:b a ws:Assertion ; ws:holder id:y ; ws:reports id:c ; ws:statedIn id:d ; ws:certainty ws:certainty-unhedged ;
  ws:basis ws:basis-stated ; ws:polarity ws:polarity-affirms ; ws:act ws:act-states ; ws:saidAt id:e .
id:c a ws:Assertion ; ws:holder id:x ; ws:proposition id:p ; ws:statedIn id:d ; ws:certainty ws:certainty-possible ;
  ws:basis ws:basis-stated ; ws:polarity ws:polarity-denies ; ws:act ws:act-states ; ws:saidOn '1998'^^edtf:EDTF ;
  ws:evidencedBy id:s , id:k .
id:n a ws:Assertion ; ws:holder id:z ; ws:proposition id:q ; ws:statedIn id:d2 ; ws:certainty ws:certainty-unhedged ;
  ws:basis ws:basis-stated ; ws:polarity ws:polarity-affirms ; ws:act ws:act-wants ; ws:status ws:status-retracted .
id:p a ws:CausalClaim ; ws:gloss 'Ruritania resents the toll.'@en ; ws:about id:i , id:y .
id:q a ws:Proposition ; ws:gloss 'The lorries wait.'@en , '荷馬車が待つ。'@ja ; ws:about id:j .
id:i a ws:Issue ; skos:prefLabel 'toll'@en ; skos:broader id:j . id:j a ws:Issue ; skos:prefLabel 'money'@en .
id:x a ws:Person ; ws:belongsTo id:y ; skos:prefLabel 'Jun Amori'@en , '小泉'@ja .
id:y a ws:State ; skos:prefLabel 'Ruritania'@en ; ws:belongsTo id:z . id:z a ws:State ; skos:prefLabel 'Union'@en .
id:u ws:names id:y ; ws:printedAs 'Strelsau' .
id:d a ws:Document ; ws:title 'On tolls'@en ; ws:issued '1999-03'^^edtf:EDTF ; ws:digest '{text_digest(TEXT)}' .
id:d2 a ws:Document ; ws:title 'More on tolls'@en . id:e ws:date '1996-01-02/..'^^edtf:EDTF .
id:s a ws:Sentence ; ws:inDocument id:d ; ws:start 0 ; ws:end 27 ; ws:sentenceNumber 1 .
id:t a ws:Sentence ; ws:inDocument id:d ; ws:start 28 ; ws:end 46 ; ws:sentenceNumber 2 .
id:k a ws:Passage ; ws:inDocument id:d ; ws:start 10 ; ws:end 27 . id:l a ws:Passage ; ws:inDocument id:d2 .
"""
"""A small graph in which everything that the index follows leads somewhere."""


def ids(names: str) -> list[ox.NamedNode]:
    return [ox.NamedNode(ID + name) for name in names.split()]


def terms(names: str) -> list[Term]:
    return [ox.NamedNode(WS + name) for name in names.split()]


def texts(*values: str, language: str = "en") -> list[Term]:
    return [ox.Literal(value, language=language) for value in values]


STANCES, CONTENTS, AGENTS, ISSUES = ids("a b c n m"), ids("p q"), ids("x y z"), ids("i j y")
PASSAGES, DOCUMENTS = ids("s t k l"), ids("d d2")
DATES: list[Term] = [ox.Literal(text, datatype=ox.NamedNode(EDTF)) for text in ("1995", "1998-02/..", "../2001")]
NUMBERS: list[Term] = [ox.Literal(number) for number in (0, 5, 10, 27, 28, 40)]
SAID: dict[str, tuple[list[ox.NamedNode], list[Term]]] = {
    "holder": (STANCES, [*AGENTS]),
    "proposition": (STANCES, [*CONTENTS]),
    "reports": (STANCES, [*STANCES]),
    "polarity": (STANCES, terms("polarity-affirms polarity-denies")),
    "certainty": (STANCES, terms("certainty-unhedged certainty-possible")),
    "act": (STANCES, terms("act-states act-fears act-wants")),
    "basis": (STANCES, terms("basis-stated basis-hearsay")),
    "status": (STANCES, terms("status-published status-superseded")),
    "statedIn": (STANCES, [*DOCUMENTS]),
    "speaker": (STANCES, [*AGENTS]),
    "evidencedBy": (STANCES, [*PASSAGES]),
    "saidOn": (STANCES, DATES),
    "heldDuring": (STANCES, DATES),
    "date": (ids("e"), DATES),
    "issued": (DOCUMENTS, DATES),
    "digest": (DOCUMENTS, [ox.Literal(digest) for digest in TEXTS]),
    "about": (CONTENTS, [*ISSUES, *AGENTS]),
    "gloss": (CONTENTS, texts("The toll is high.", "Carters wait.")),
    "belongsTo": (AGENTS, [*AGENTS]),
    "inDocument": (PASSAGES, [*DOCUMENTS]),
    "start": (PASSAGES, NUMBERS),
    "end": (PASSAGES, NUMBERS),
    "sentenceNumber": (PASSAGES, NUMBERS),
    "names": (ids("u u2"), [*AGENTS, *ISSUES]),
    "printedAs": (ids("u u2"), [ox.Literal("the Crown"), ox.Literal("大王")]),
    "title": (DOCUMENTS, texts("Bridges", "橋", language="ja")),
    SKOS + "broader": (ISSUES, [*ISSUES]),
    SKOS + "prefLabel": ([*AGENTS, *ISSUES], texts("Amália", "bridge toll")),
    SKOS + "altLabel": ([*AGENTS, *ISSUES, *CONTENTS], texts("아모리", "다리", language="ko")),
}
CLASSES = terms("Assertion Person State Issue CausalClaim Proposition Passage Sentence Document Evaluation")


@st.composite
def triples(draw: st.DrawFn) -> ox.Triple:
    name = draw(st.sampled_from(sorted(SAID)))
    subjects, values = SAID[name]
    predicate = ox.NamedNode(name if ":" in name else WS + name)
    return ox.Triple(draw(st.sampled_from(subjects)), predicate, draw(st.sampled_from(values)))


def typed() -> st.SearchStrategy[ox.Triple]:
    nodes = [*STANCES, *AGENTS, *CONTENTS, *ISSUES, *PASSAGES]
    return st.builds(ox.Triple, st.sampled_from(nodes), st.just(TYPE), st.sampled_from(CLASSES))


def in_graph(triple: ox.Triple, graph: ox.NamedNode = GRAPHS[0]) -> ox.Quad:
    return ox.Quad(triple.subject, triple.predicate, triple.object, graph)


SMALL_QUADS = [in_graph(triple) for triple in parsed(SMALL)]
MORE = st.sets(st.builds(in_graph, triples() | typed(), st.sampled_from(GRAPHS)), max_size=6)
LESS = st.sets(st.sampled_from(SMALL_QUADS), max_size=6)


def quote(digest: str, start: int, end: int) -> str | None:
    return TEXTS[digest][start:end] if digest in TEXTS else None


@contextmanager
def small_graph() -> Iterator[tuple[Graph, Index]]:
    """Give the small graph, published and indexed."""
    with tempfile.TemporaryDirectory() as path:
        graph = Graph(Path(path), {*AXIOMS, *SMALL_QUADS})
        index = Index(graph.folder, quote)
        index.catch_up(graph.snapshot())
        yield graph, index


def mark_of(folder: StoreFolder) -> str:
    """Return the mark that is another one after everything was made anew."""
    with IndexFile(folder.path).reading() as connection:
        return str(connection.execute("SELECT texts FROM state").fetchone()["texts"])


def set_mark(folder: StoreFolder, statement: str) -> None:
    """Alter what the index says that it is of."""
    with IndexFile(folder.path).writing() as connection:
        connection.execute(statement)


def check_in_step(graph: Graph, why: object = "") -> None:
    """See that the index holds what one that is made anew, in another place, holds."""
    with tempfile.TemporaryDirectory() as path:
        anew = StoreFolder(Path(path))
        Index(anew, quote).catch_up(graph.snapshot())
        expected = contents(anew)
    found = contents(graph.folder)
    for table, rows in expected.items():
        assert found[table] == rows, (table, str(why))


def change_of(graph: Graph, more: set[ox.Quad], less: set[ox.Quad]) -> Change:
    """Return what really alters; no triple comes to stand in two graphs."""
    there = {quad for quad in more if any(graph.store.quads_for_pattern(*quad.triple))}
    new = {quad.triple: quad for quad in more - there}
    return Change(frozenset(new.values()), frozenset(quad for quad in less - more if quad in graph.store))


@given(changes=st.lists(st.tuples(MORE, LESS), min_size=1, max_size=3), at_once=st.booleans())
def test_after_any_changes_the_index_holds_what_one_made_anew_holds(
    changes: list[tuple[set[ox.Quad], set[ox.Quad]]], at_once: bool
) -> None:
    with small_graph() as (graph, index):
        for more, less in changes:
            graph.commit(change_of(graph, more, less))
            if not at_once:
                index.catch_up(graph.snapshot())
        index.catch_up(graph.snapshot())
        check_in_step(graph)


def test_taking_out_any_one_statement_and_putting_it_back() -> None:
    with small_graph() as (graph, index):
        before, mark = contents(graph.folder), mark_of(graph.folder)
        for quad in SMALL_QUADS:
            graph.commit(Change(removed=frozenset([quad])))
            index.catch_up(graph.snapshot())
            check_in_step(graph, quad)
            graph.commit(Change(added=frozenset([quad])))
            index.catch_up(graph.snapshot())
            assert contents(graph.folder) == before, str(quad)
        assert mark_of(graph.folder) == mark, "it was made anew, which shows nothing"


def test_a_label_that_changes_is_found_and_the_old_one_is_not() -> None:
    with small_graph() as (graph, index):
        old = in_graph(ox.Triple(AGENTS[1], ox.NamedNode(SKOS + "prefLabel"), ox.Literal("Ruritania", language="en")))
        new = in_graph(ox.Triple(AGENTS[1], old.predicate, ox.Literal("Strelsovia", language="en")))
        graph.commit(Change(frozenset([new]), frozenset([old])))
        index.catch_up(graph.snapshot())
        assert [hit.iri for hit in index.search("strelsovia").hits] == [AGENTS[1].value]
        assert "agent" not in index.search("ruritania").counts


@pytest.mark.parametrize("noted", [True, False])
def test_a_small_change_that_the_history_tells_of_is_followed_and_any_other_makes_all_anew(noted: bool) -> None:
    with small_graph() as (graph, index):
        mark = mark_of(graph.folder)
        graph.commit(Change(removed=frozenset([SMALL_QUADS[0]])), noted=noted)
        index.catch_up(graph.snapshot())
        check_in_step(graph)
        assert (mark_of(graph.folder) == mark) == noted


def test_a_change_of_the_ontology_makes_all_anew() -> None:
    with small_graph() as (graph, index):
        mark = mark_of(graph.folder)
        graph.commit(Change(removed=frozenset([next(q for q in AXIOMS if q.subject.value == WS + "State")])))
        index.catch_up(graph.snapshot())
        check_in_step(graph)
        assert mark_of(graph.folder) != mark


def test_a_change_of_most_of_the_graph_makes_all_anew() -> None:
    with small_graph() as (graph, index):
        mark = mark_of(graph.folder)
        graph.commit(Change(removed=frozenset(SMALL_QUADS[:60])))
        index.catch_up(graph.snapshot())
        check_in_step(graph)
        assert mark_of(graph.folder) != mark


@pytest.mark.parametrize("kept", [0, 100, 8192])
def test_a_file_that_is_cut_is_made_anew(kept: int) -> None:
    with small_graph() as (graph, index):
        before = contents(graph.folder)
        data = (graph.folder.path / NAME).read_bytes()
        (graph.folder.path / NAME).unlink()
        (graph.folder.path / NAME).write_bytes(data[:kept])
        Index(graph.folder, quote).catch_up(graph.snapshot())
        assert contents(graph.folder) == before
        index.catch_up(graph.snapshot())  # who had the old one open sees the new one
        assert contents(graph.folder) == before


def test_a_file_that_turns_out_broken_is_made_anew_before_it_is_next_asked() -> None:
    with small_graph() as (graph, index):
        before = contents(graph.folder)
        path = graph.folder.path / NAME
        data = bytearray(path.read_bytes())
        data[40_000:] = b"\xff" * (len(data) - 40_000)
        path.write_bytes(data)
        for filters in (Filters(), Filters(words="toll")):
            with suppress(WhosaysError):
                index.explore(filters)
        index.catch_up(graph.snapshot())
        assert contents(graph.folder) == before


def test_a_file_that_turns_out_broken_when_a_change_is_followed_is_made_anew() -> None:
    with small_graph() as (graph, index):
        with IndexFile(graph.folder.path).reading() as connection:
            (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'posting'").fetchone()
        with (graph.folder.path / NAME).open("r+b") as file:
            file.seek((page - 1) * 4096)
            file.write(b"\xff" * 4096)
        graph.commit(Change(removed=frozenset([SMALL_QUADS[0]])))
        index.catch_up(graph.snapshot())
        check_in_step(graph)


def test_a_file_of_another_schema_is_made_anew() -> None:
    with small_graph() as (graph, _):
        before = contents(graph.folder)
        set_mark(graph.folder, "PRAGMA user_version = 99")
        Index(graph.folder, quote).catch_up(graph.snapshot())
        assert contents(graph.folder) == before


def test_a_file_that_is_deleted_is_made_anew_whatever_sqlite_left_beside_it() -> None:
    with small_graph() as (graph, index):
        before = contents(graph.folder)
        with IndexFile(graph.folder.path).kept_open():
            graph.commit(Change(removed=frozenset([SMALL_QUADS[0]])))
            index.catch_up(graph.snapshot())
            (graph.folder.path / NAME).unlink()
            graph.commit(Change(added=frozenset([SMALL_QUADS[0]])))
            index.catch_up(graph.snapshot())
        assert contents(graph.folder) == before


def test_who_reads_an_older_snapshot_does_not_turn_the_index_back() -> None:
    with small_graph() as (graph, index):
        older = Snapshot(ox.Store(), graph.snapshot().name)
        graph.commit(Change(removed=frozenset([SMALL_QUADS[0]])))
        index.catch_up(graph.snapshot())
        before = contents(graph.folder)
        graph.folder.current.symlink_to(f"snapshots/{graph.number:06d}")
        Index(graph.folder, quote).catch_up(older)
        assert contents(graph.folder) == before


def test_another_graph_in_the_same_place_is_not_taken_for_a_later_state() -> None:
    with small_graph() as (graph, _):
        set_mark(graph.folder, "UPDATE state SET marker = '1999-12-31'")
        graph.commit(Change(removed=frozenset([SMALL_QUADS[0]])))
        set_mark(graph.folder, "DELETE FROM assertion")
        Index(graph.folder, quote).catch_up(graph.snapshot())
        check_in_step(graph)


def test_an_earlier_state_that_was_restored_is_not_taken_for_an_older_snapshot() -> None:
    with small_graph() as (graph, _):
        set_mark(graph.folder, "UPDATE state SET number = 7")
        set_mark(graph.folder, "DELETE FROM assertion")
        graph.folder.current.symlink_to(f"snapshots/{graph.number:06d}")
        Index(graph.folder, quote).catch_up(graph.snapshot())
        check_in_step(graph)


def test_texts_that_come_and_go_take_their_words_along() -> None:
    with small_graph() as (graph, with_texts):
        graph.commit(Change(removed=frozenset([SMALL_QUADS[0]])))
        assert with_texts.search("resents", kinds=["passage"]).total == 1
        without = Index(graph.folder)
        without.catch_up(graph.snapshot())
        assert without.search("resents", kinds=["passage"]).total == 0
        with_texts.catch_up(graph.snapshot())
        graph.commit(Change(added=frozenset([SMALL_QUADS[0]])))
        with_texts.catch_up(graph.snapshot())
        assert with_texts.search("resents", kinds=["passage"]).total == 1
        check_in_step(graph)


def test_many_at_once_bring_it_in_step_once_and_ask_meanwhile() -> None:
    with small_graph() as (graph, _):
        graph.commit(Change(removed=frozenset([SMALL_QUADS[0]])))
        snapshot = graph.snapshot()
        indexes = [Index(graph.folder, quote) for _ in range(3)]
        totals: list[int] = []

        def ask(index: Index) -> None:
            index.catch_up(snapshot)
            totals.append(index.search("toll").total)

        threads = [threading.Thread(target=ask, args=(index,)) for index in indexes for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert totals == [totals[0]] * 9
        check_in_step(graph)


def test_who_asks_while_it_is_written_gets_the_state_before() -> None:
    with small_graph() as (graph, index):
        before = index.explore(Filters())
        with IndexFile(graph.folder.path).writing() as connection:
            connection.execute("DELETE FROM assertion")
            connection.execute("DELETE FROM posting")
            assert index.explore(Filters()) == before
            connection.execute("ROLLBACK")
            connection.execute("BEGIN")


def test_it_is_in_no_backup(sample_settings: Settings, tmp_path: Path) -> None:
    make_index(StoreFolder(sample_settings.store))
    manifest = backup(StoreFolder(sample_settings.store), tmp_path / "backup.tar")
    assert not [name for name in manifest.files if "index" in name]


def test_where_nothing_was_published_nothing_is_made(tmp_path: Path) -> None:
    make_index(StoreFolder(tmp_path))
    assert not (tmp_path / NAME).exists()
    assert Index(StoreFolder(tmp_path)).explore(Filters()).total == 0
