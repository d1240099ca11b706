"""The history: every change is kept whole, told by what it concerns, and struck out only if it never happened."""

from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.change import Change
from kg.errors import NotFoundError
from kg.history import Entry, History, make_patch, read_patch
from kg.provenance import Activity

GRAPH = ox.NamedNode("https://example.org/graph")
OTHER = ox.NamedNode("https://example.org/other")


def quad(name: str, graph: ox.NamedNode = GRAPH) -> ox.Quad:
    return ox.Quad(node(name), node("p"), ox.Literal(name), graph)


def node(name: str) -> ox.NamedNode:
    return ox.NamedNode(f"https://example.org/{name}")


def entry(number: int, **activity: object) -> Entry:
    told = {"agent": "ex:anna", "kind": "add", "note": f"change {number}", "source": "a.yaml"} | activity
    return Entry(number, "2026-01-01T00:00:00+00:00", Activity(**told), "s" * 64, "o" * 64, 1, 0)  # type: ignore[arg-type]


@pytest.fixture
def history(tmp_path: Path) -> History:
    history = History(tmp_path / "history.sqlite")
    history.note(entry(1), Change(frozenset([quad("a")])))
    history.note(entry(2, kind="replace"), Change(frozenset([quad("b", OTHER)]), frozenset([quad("a")])))
    history.note(entry(3, kind="undo", undoes=2), Change(frozenset([quad("a")]), frozenset([quad("b", OTHER)])))
    return history


def test_what_was_noted_is_told_whole(history: History) -> None:
    assert history.entry(3) == entry(3, kind="undo", undoes=2)
    assert history.change(2) == Change(frozenset([quad("b", OTHER)]), frozenset([quad("a")]))
    assert history.newest() == 3


def test_the_newest_comes_first_and_pages_follow_each_other(history: History) -> None:
    assert [e.number for e in history.entries()] == [3, 2, 1]
    assert [e.number for e in history.entries(limit=2)] == [3, 2]
    assert [e.number for e in history.entries(before=2)] == [1]
    assert [e.number for e in history.entries(upto=2)] == [2, 1]
    assert [e.number for e in history.entries(before=3, upto=1)] == [1]


def test_a_node_and_a_graph_have_their_own_history(history: History) -> None:
    assert [e.number for e in history.entries(node("a").value)] == [3, 2, 1]
    assert [e.number for e in history.entries(node("b").value)] == [3, 2]
    assert [e.number for e in history.entries(OTHER.value)] == [3, 2]
    assert history.entries(node("c").value) == []


def test_what_never_happened_is_struck_out_everywhere(history: History) -> None:
    history.forget_after(1)
    assert [e.number for e in history.entries()] == [1]
    assert history.entries(OTHER.value) == []
    assert history.newest() == 1
    history.note(entry(2), Change(frozenset([quad("c")])))
    assert history.change(2).added == {quad("c")}


@pytest.mark.parametrize("number", [0, 4, -1, 10**30])
def test_a_change_that_is_not_there_is_told(history: History, number: int) -> None:
    for ask in (history.entry, history.change):
        with pytest.raises(NotFoundError, match=f"no change {number}"):
            ask(number)


def test_the_history_of_nothing_is_empty(tmp_path: Path) -> None:
    history = History(tmp_path / "history.sqlite")
    assert (history.newest(), history.entries()) == (0, [])
    assert not (tmp_path / "history.sqlite").exists()


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
literals = st.builds(ox.Literal, texts) | st.builds(
    lambda text, tag: ox.Literal(text, language=tag), texts, st.sampled_from(["en", "ko", "de-AT"])
)
quads = st.builds(
    lambda s, o, g: ox.Quad(node(s), node("p"), o, ox.NamedNode(f"https://example.org/{g}")),
    st.sampled_from("abc"),
    literals | st.sampled_from([node("x"), ox.Literal(7), ox.Literal("TC ."), ox.Literal("\nA <ex:a>")]),
    st.sampled_from("gh"),
)


@given(st.frozensets(quads, max_size=6), st.frozensets(quads, max_size=6))
def test_a_patch_reads_back_as_the_change(added: frozenset[ox.Quad], removed: frozenset[ox.Quad]) -> None:
    change = Change(added, removed)
    assert read_patch(make_patch(change)) == change
    assert read_patch(make_patch(change.inverse())) == Change(removed, added)
