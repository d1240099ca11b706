"""The benchmark of the index: both are asked the same, and answer the same, on a generated graph."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kg.filters import FACETS, Filters
from kg.index import Index
from kg.store import StoreFolder
from loaders.generator import fill_store
from server.bench_pages import ask_sparql, bench_pages, make_questions

SIZE = 4_000


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a generated store."""
    folder = tmp_path_factory.mktemp("kept")
    fill_store(StoreFolder(folder / f"pages-{SIZE}"), SIZE, 1)
    return folder


def test_the_index_and_sparql_are_asked_the_same_and_answer_the_same(kept: Path) -> None:
    store = StoreFolder(kept / f"pages-{SIZE}")
    index = Index(store)
    with store.snapshot() as snapshot:
        index.catch_up(snapshot)
    questions = [question for question in make_questions(index) if question.name.startswith("explorer")]
    assert len(questions) == 6
    for question in questions:
        assert question.ask() == ask_sparql(store.path, question.queries)[1] > 0
        assert len(question.queries) == 1 + len(FACETS)


def test_figures_are_printed_and_the_graph_is_left_as_it_was(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench_pages((SIZE,), rounds=1, as_json=True, folder=kept)
    (figures,) = json.loads(capsys.readouterr().out)
    assert figures["size"] == SIZE
    assert figures["assertions"] > 0
    assert len(figures["change"]["seconds"]) == 1
    assert figures["index"].keys() == figures["sparql"].keys()
    for tally in (*figures["index"].values(), *figures["sparql"].values()):
        assert len(tally["seconds"]) == 1
    store = StoreFolder(kept / f"pages-{SIZE}")
    assert Index(store).explore(Filters()).total == figures["assertions"]
