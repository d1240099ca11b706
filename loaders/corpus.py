"""A folder of records as a whole: read, held against the texts, made into units to publish."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox

from kg.digests import text_digest
from kg.errors import Place, RecordError, TextError
from kg.names import ID, LINKS_GRAPH, RDF, REGISTER_GRAPH, WS, document_graph, shorten
from kg.units import Unit
from loaders.mappings import mapping_files, parse_mappings
from loaders.records import Record, RecordErrors, read_record, read_source, record_files
from loaders.texts import Texts, check_passage

_TYPE = ox.NamedNode(RDF + "type")
_DIGEST = ox.NamedNode(WS + "digest")
_IN_DOCUMENT = ox.NamedNode(WS + "inDocument")
_START, _END = ox.NamedNode(WS + "start"), ox.NamedNode(WS + "end")


@dataclass(frozen=True)
class Verification:
    """How a document's passages fared against its text.

    Parameters:
        document: IRI.
        passages: how many passages the record has.
        text_found: False where the user has no copy of the text; then nothing was checked.
        problems: what is wrong, one error a passage.
    """

    document: str
    passages: int
    text_found: bool
    problems: tuple[TextError, ...]


def read_records(paths: Iterable[Path]) -> list[Record]:
    """Read records, and gather what is wrong in all of them.

    Raises:
        RecordErrors: every problem of every record, and names that are defined in two of them.
    """
    problems: list[RecordError] = []
    records: list[Record] = []
    for path in paths:
        try:
            records.append(read_record(path))
        except RecordErrors as error:
            problems += error.problems
        except RecordError as error:
            problems.append(error)
    problems += _defined_twice(records)
    if problems:
        raise RecordErrors(problems)
    return records


def read_folder(folder: Path) -> list[Record]:
    """Read all records and mapping sets under a folder.

    Raises:
        RecordError: the folder holds no records, or see `read_records`.
    """
    files = record_files(folder)
    if not files:
        raise RecordError(
            "no records here",
            mend="a records folder has register/*.yaml and documents/*.yaml",
            place=Place(str(folder)),
        )
    records = read_records(files)
    mappings = [parse_mappings(read_source(path), str(path)) for path in mapping_files(folder)]
    known = {q.subject for r in records for q in r.quads if q.predicate == _TYPE}
    for quad in (q for m in mappings for q in m.quads if q.subject not in known):
        [place] = {m.place(str(getattr(quad.subject, "value", ""))) for m in mappings if quad in m.quads}
        raise RecordError(
            f"nothing is known of {quad.subject}", mend="add it to the register or correct it", place=place
        )
    return [*records, *mappings]


def make_units(records: Sequence[Record]) -> list[Unit]:
    """Make the units to publish: the register, one a document, and the links.

    >>> from loaders.records import parse_record
    >>> [unit.source for unit in make_units([parse_record("entries: [{id: a, type: State}]", "register/a.yaml")])]
    ['register/']
    """
    links = [r for r in records if r.file.endswith(".sssom.tsv")]
    register = [r for r in records if r.document is None and r not in links]
    documents = [r for r in records if r.document is not None]
    digest = text_digest("".join(r.digest for r in register))
    units = [Unit(REGISTER_GRAPH, None, frozenset(q for r in register for q in r.quads), digest, "register/")]
    for record in documents:
        assert record.document is not None
        source = f"documents/{Path(record.file).name}"
        units.append(
            Unit(document_graph(record.document), record.document, frozenset(record.quads), record.digest, source)
        )
    if links:
        digest = text_digest("".join(r.digest for r in links))
        units.append(Unit(LINKS_GRAPH, None, frozenset(q for r in links for q in r.quads), digest, "links/"))
    return units if register else units[1:]


def verify_texts(records: Iterable[Record], texts: Texts) -> list[Verification]:
    """Hold every passage of the coded documents against the user's copies of the texts."""
    return [_verify(record, record.document, texts) for record in records if record.document is not None]


def _verify(record: Record, document: str, texts: Texts) -> Verification:
    values: dict[str, dict[ox.NamedNode, str]] = {}
    for quad in record.quads:
        if isinstance(quad.subject, ox.NamedNode) and isinstance(quad.object, ox.Literal | ox.NamedNode):
            values.setdefault(quad.subject.value, {})[quad.predicate] = quad.object.value
    passages = {iri: v for iri, v in values.items() if v.get(_IN_DOCUMENT) == document}
    text = texts.find(values[document].get(_DIGEST, ""))
    problems: list[TextError] = []
    for iri, passage in sorted(passages.items()) if text is not None else []:
        assert text is not None
        try:
            start, end = int(passage[_START]), int(passage[_END])
        except (KeyError, ValueError):
            continue  # the shapes say what is missing
        problem = check_passage(text, start, end, passage.get(_DIGEST, ""))
        if problem:
            problems.append(
                TextError(
                    f"the passage `{shorten(iri)}` does not match the text: {problem}",
                    mend=f"write the line that `whosays passage {shorten(document)} START END` gives",
                    place=record.place(iri),
                )
            )
    return Verification(document, len(passages), text is not None, tuple(problems))


def _defined_twice(records: Sequence[Record]) -> list[RecordError]:
    seen: dict[str, Record] = {}
    problems = []
    for record in records:
        for iri in dict.fromkeys(
            q.subject.value for q in record.quads if q.predicate == _TYPE and isinstance(q.subject, ox.NamedNode)
        ):
            first = seen.setdefault(iri, record)
            if first is not record:
                problems.append(
                    RecordError(
                        f"`{iri.removeprefix(ID)}` is defined here and in {first.place(iri)}",
                        mend="keep one definition; elsewhere write only the name",
                        place=record.place(iri),
                    )
                )
    return problems
