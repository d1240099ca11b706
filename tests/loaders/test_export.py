"""Export: a published document written back as a record that says the same."""

from pathlib import Path

import pytest

from kg.errors import NotFoundError
from kg.names import ID
from kg.store import Snapshot
from loaders.export import document_quads, export_document
from loaders.records import parse_record
from tests.conftest import SAMPLE


@pytest.mark.parametrize("path", sorted(SAMPLE.glob("records/documents/*.yaml")), ids=lambda p: p.stem)
def test_an_export_reads_back_to_the_same_quads(sample: Snapshot, path: Path) -> None:
    document = ID + path.stem
    exported = parse_record(export_document(sample, document), "export.yaml")
    assert set(exported.quads) == set(document_quads(sample, document))
    assert set(exported.quads) == set(parse_record(path.read_text("utf-8"), str(path)).quads)


def test_an_export_leaves_out_what_the_loader_adds(sample: Snapshot) -> None:
    text = export_document(sample, ID + "bridge-toll")
    assert "/report" not in text
    assert text.startswith("id: bridge-toll\n")


def test_an_unknown_document_is_told(sample: Snapshot) -> None:
    with pytest.raises(NotFoundError, match="atlantis"):
        export_document(sample, ID + "atlantis")
