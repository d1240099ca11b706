"""Passages by their position."""

from __future__ import annotations

import pyoxigraph as ox
from hypothesis import given
from hypothesis import strategies as st

from kg.names import GRAPH, ID, WS
from kg.positions import Passage, Positions, Row

PLACES = st.tuples(st.integers(0, 60), st.integers(0, 60))
DOCUMENTS = [ox.NamedNode(f"{ID}d{number}") for number in range(3)]


def named(places: list[tuple[int, int]]) -> list[Passage]:
    return [(start, end, ox.NamedNode(f"{ID}{number}")) for number, (start, end) in enumerate(places)]


@given(
    places=st.lists(PLACES, max_size=12),
    later=st.lists(PLACES, max_size=4),
    start=st.integers(0, 60),
    end=st.integers(0, 60),
)
def test_a_row_gives_just_the_passages_that_share_a_character(
    places: list[tuple[int, int]], later: list[tuple[int, int]], start: int, end: int
) -> None:
    passages = named([*places, *later])
    row = Row(passages[: len(places)])
    for passage in passages[len(places) :] * 2:
        row.add(passage)
    found = row.overlapping(start, end)
    assert sorted(map(str, found)) == sorted(str(node) for s, e, node in passages if s < end and e > start)


def test_rows_are_read_from_the_store_and_the_one_asked_for_longest_ago_is_let_go() -> None:
    store, graph = ox.Store(), ox.NamedNode(GRAPH + "d")
    for document in DOCUMENTS:
        passage = ox.NamedNode(document.value + "/0-9")
        store.add(ox.Quad(passage, ox.NamedNode(WS + "inDocument"), document, graph))
        store.add(ox.Quad(passage, ox.NamedNode(WS + "start"), ox.Literal(0), graph))
        store.add(ox.Quad(passage, ox.NamedNode(WS + "end"), ox.Literal(9), graph))
    positions = Positions(store, documents=2)
    first = [positions.row(document) for document in DOCUMENTS]
    assert first[0].overlapping(3, 4) == [ox.NamedNode(DOCUMENTS[0].value + "/0-9")]
    assert positions.row(DOCUMENTS[0]) is first[0]
    positions.trim()
    assert positions.row(DOCUMENTS[0]) is first[0]
    assert positions.row(DOCUMENTS[2]) is first[2]
    assert positions.row(DOCUMENTS[1]) is not first[1]
