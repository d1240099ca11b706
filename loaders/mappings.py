"""Mapping sets: which entries of the register are the same as items elsewhere, in SSSOM.

An SSSOM/TSV file has a heading of `#` comments, which is YAML (the prefixes under `curie_map`),
and one row a mapping: subject, predicate, object, justification, confidence, author, date. The
mapping itself becomes a triple of the links graph; the rest stays in the file.

Source: A Simple Standard for Sharing Ontological Mappings, https://mapping-commons.github.io/sssom/
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path

import pyoxigraph as ox

from kg.digests import text_digest
from kg.errors import Place, RecordError
from kg.names import LINKS_GRAPH, SKOS
from loaders.records import Record
from loaders.yaml_source import Table, read_yaml

COLUMNS = (
    "subject_id",
    "predicate_id",
    "object_id",
    "mapping_justification",
    "confidence",
    "author_id",
    "mapping_date",
)
"""Columns that every row must fill."""

MAPPING_PREDICATES = {SKOS + name for name in ("exactMatch", "closeMatch", "broadMatch", "narrowMatch", "relatedMatch")}
_WIKIDATA = re.compile(r"http://www\.wikidata\.org/entity/Q[1-9]\d*\Z")
_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z")


def mapping_files(folder: Path) -> list[Path]:
    """Return the mapping sets under a records folder, by name."""
    return sorted(folder.glob("links/*.sssom.tsv"))


def parse_mappings(source: str, file: str) -> Record:
    """Read a mapping set.

    Parameters:
        source: SSSOM/TSV.
        file: its name, for messages.

    Returns:
        A record whose quads stand in the links graph.

    Raises:
        RecordError: a heading, a row or a value that is missing or malformed.
    """
    lines = source.splitlines()
    head = [line for line in lines if line.startswith("#")]
    prefixes = _prefixes(read_yaml("\n".join(line[1:] for line in head) or "{}", file), file)
    rows = csv.DictReader(lines[len(head) :], delimiter="\t", quoting=csv.QUOTE_NONE)
    absent = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
    if absent:
        raise RecordError(
            f"no column {', '.join(absent)}",
            mend="an SSSOM row names subject, predicate, object and who says so, when and why",
            place=Place(file, len(head) + 1),
        )
    quads: list[ox.Quad] = []
    places: dict[str, dict[str, int]] = {}
    for number, row in enumerate(rows, len(head) + 2):
        place = Place(file, number)
        for column in COLUMNS:
            if not (row[column] or "").strip():
                raise RecordError(f"`{column}` is empty", mend="fill it in", place=place)
        subject, predicate, item = (
            _expand(row[column], prefixes, place) for column in ("subject_id", "predicate_id", "object_id")
        )
        _check(row, predicate, item, place)
        quads.append(
            ox.Quad(ox.NamedNode(subject), ox.NamedNode(predicate), ox.NamedNode(item), ox.NamedNode(LINKS_GRAPH))
        )
        places.setdefault(subject, {"": number})
    return Record(file=file, document=None, quads=tuple(quads), digest=text_digest(source), lines=places)


def _check(row: Mapping[str, str], predicate: str, item: str, place: Place) -> None:
    if predicate not in MAPPING_PREDICATES:
        raise RecordError(
            f"`{row['predicate_id']}` is no mapping", mend="use skos:exactMatch or closeMatch", place=place
        )
    if "wikidata.org" in item and not _WIKIDATA.match(item):
        raise RecordError(f"`{row['object_id']}` is no Wikidata item", mend="write wd:Q and a number", place=place)
    if not _DAY.match(row["mapping_date"]):
        raise RecordError(f"`{row['mapping_date']}` is no day", mend="write YYYY-MM-DD", place=place)
    try:
        good = 0 < float(row["confidence"]) <= 1
    except ValueError:
        good = False
    if not good:
        raise RecordError(
            f"the confidence is `{row['confidence']}`", mend="give a number above 0, at most 1", place=place
        )


def _prefixes(head: Table, file: str) -> dict[str, str]:
    prefixes = head.get("curie_map")
    if not isinstance(prefixes, Table):
        raise RecordError("no `curie_map` in the heading", mend="list the prefixes there", place=Place(file, 1))
    return {prefix: str(iri) for prefix, iri in prefixes.items()}


def _expand(name: str, prefixes: Mapping[str, str], place: Place) -> str:
    prefix, _, local = name.partition(":")
    if prefix not in prefixes:
        raise RecordError(f"the prefix of `{name}` is unknown", mend="add it to the `curie_map`", place=place)
    return prefixes[prefix] + local
