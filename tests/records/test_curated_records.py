"""The curated records: they conform, cover their documents, match the texts, and repeat none of their sentences."""

import re
import subprocess
from pathlib import Path

import pyoxigraph as ox
import pytest

from kg.queries import get_query
from kg.settings import Settings
from kg.store import StoreFolder
from loaders.corpus import read_folder, verify_texts
from loaders.export import document_quads, export_document
from loaders.records import Record, parse_record
from loaders.texts import Texts, read_text
from server.tables import cell_value, make_table
from tests.conftest import REPOSITORY

WORDS_THAT_MAKE_A_COPY = 9


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return read_folder(Settings().records)


def test_the_records_conform_and_every_sentence_is_accounted_for(curated: StoreFolder) -> None:
    with curated.snapshot() as snapshot:
        table = make_table(snapshot.query(get_query("coverage").bind(snapshot, {})))
    rows = [dict(zip(table.columns, map(cell_value, row), strict=True)) for row in table.rows]
    assert len(rows) == 5
    for row in rows:
        assert row["accounted"] == row["sentences"], row
        assert row["nothing"] <= 0.05 * row["sentences"], row  # type: ignore[operator]
        assert row["assertions"] > 0  # type: ignore[operator]


def test_every_document_exports_to_the_same_quads(curated: StoreFolder, records: list[Record]) -> None:
    with curated.snapshot() as snapshot:
        for record in records:
            if record.document is not None:
                exported = parse_record(export_document(snapshot, record.document), "export.yaml")
                assert set(exported.quads) == set(record.quads) == set(document_quads(snapshot, record.document))


def test_every_passage_matches_the_texts(records: list[Record], texts_folder: Path) -> None:
    for verification in verify_texts(records, Texts(texts_folder)):
        assert verification.text_found, verification.document
        assert not verification.problems, verification.problems


NAMES = ("#title", "#prefLabel", "#altLabel", "#inSeries", "#webPage", "#printedAs", "/source")


def test_no_sentence_of_the_texts_stands_in_the_project(records: list[Record], texts_folder: Path) -> None:
    def runs(text: str) -> list[tuple[str, ...]]:
        words = [w.lower() for w in re.findall(r"[^\W_]+(?:['’][^\W_]+)?", text)]
        return [tuple(words[i : i + WORDS_THAT_MAKE_A_COPY]) for i in range(len(words) - WORDS_THAT_MAKE_A_COPY + 1)]

    names = {
        " ".join(q.object.value.split())
        for record in records
        for q in record.quads
        if isinstance(q.object, ox.Literal) and q.predicate.value.endswith(NAMES)
    }
    copied = {run for path in texts_folder.glob("*.txt") for run in runs(read_text(path))}
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    for name in filter(None, tracked.stdout.split("\0")):
        path = REPOSITORY / name
        if path.is_file() and b"\0" not in (data := path.read_bytes())[:4096]:
            text = " ".join(data.decode("utf-8", errors="replace").replace("''", "'").split())
            for title in sorted(names, key=len, reverse=True):
                text = text.replace(title, " | ")
            found = [run for run in runs(text) if run in copied]
            assert not found, f"{name}: {' '.join(found[0])}"
