"""Mapping sets in SSSOM."""

from pathlib import Path

import pytest

from kg.errors import RecordError
from kg.names import LINKS_GRAPH
from kg.settings import Settings
from loaders.corpus import read_folder
from loaders.mappings import COLUMNS, parse_mappings

HEAD = "#curie_map:\n#  id: https://w3id.org/whosays/id/\n#  wd: http://www.wikidata.org/entity/\n"
HEAD += "#  skos: http://www.w3.org/2004/02/skos/core#\n#  semapv: https://w3id.org/semapv/vocab/\n"
ROW = ["id:ruritania", "skos:exactMatch", "wd:Q42", "semapv:ManualMappingCuration", "0.9", "id:anna", "1998-01-01"]


def mapping_set(row: list[str]) -> str:
    return HEAD + "\t".join(COLUMNS) + "\n" + "\t".join(row) + "\n"


def test_a_row_is_a_triple_of_the_links_graph() -> None:
    [quad] = parse_mappings(mapping_set(ROW), "m.tsv").quads
    assert str(quad.triple).endswith("exactMatch> <http://www.wikidata.org/entity/Q42>")
    assert quad.graph_name.value == LINKS_GRAPH  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        (0, "xx:ruritania", "prefix"),
        (1, "skos:broader", "is no mapping"),
        (2, "wd:42", "no Wikidata item"),
        (2, "wd:Q042", "no Wikidata item"),
        (3, "", "is empty"),
        (4, "sure", "confidence"),
        (4, "1.5", "confidence"),
        (6, "yesterday", "no day"),
    ],
)
def test_a_wrong_row_is_told_with_its_line(column: int, value: str, words: str) -> None:
    row = [value if i == column else cell for i, cell in enumerate(ROW)]
    with pytest.raises(RecordError, match=words) as caught:
        parse_mappings(mapping_set(row), "m.tsv")
    assert str(caught.value).startswith("m.tsv:7: ")


@pytest.mark.parametrize("source", ["", "subject_id\n", HEAD, HEAD + "subject_id\tobject_id\n"])
def test_a_file_that_is_no_mapping_set_is_told(source: str) -> None:
    with pytest.raises(RecordError):
        parse_mappings(source, "m.tsv")


def test_every_verified_wikidata_item_is_linked_once() -> None:
    links = [q for r in read_folder(Settings().records) for q in r.quads if q.graph_name.value == LINKS_GRAPH]  # type: ignore[union-attr]
    assert len(links) == 36
    assert len({q.subject for q in links}) == len({q.object for q in links}) == 36


def test_a_mapping_set_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    (tmp_path / "register").mkdir()
    (tmp_path / "links").mkdir()
    (tmp_path / "register" / "r.yaml").write_text("entries: [{id: ruritania, type: State}]", "utf-8")
    (tmp_path / "links" / "l.sssom.tsv").write_bytes(mapping_set(ROW).replace("anna", "änna").encode("latin-1"))
    with pytest.raises(RecordError, match=r"l\.sssom\.tsv: not UTF-8"):
        read_folder(tmp_path)
