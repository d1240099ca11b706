"""The home page: what there is, counted, and the ways in.

What it counts is kept for its snapshot, and beyond for fifty times as long as the counting took: the page must not get
slower as the graph grows, nor as it changes.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox

from kg.filters import Filters
from kg.names import ID
from kg.store import Snapshot
from server.reader import Reader

QUICK = 0.3
"""Seconds; what is counted within them is counted anew for every snapshot."""

DOCUMENTS = 30
"""Documents that the page lists; the rest is a question away."""

_COUNTED = ("Person", "State", "Organization", "Collective", "Agreement", "Event", "Issue", "Document")
_CODED = {"Document": "; ws:textLength ?length"}  # those that are only cited are not for reading
_DOCUMENTS = """
SELECT ?document ?creator ?issued WHERE {
  ?document a ws:Document ; ws:textLength ?length .
  OPTIONAL { ?document ws:creator ?creator }
  OPTIONAL { ?document ws:issued ?issued }
}
ORDER BY DESC(?issued) ?document ?creator
LIMIT 120"""
_COUNTS = "SELECT {counts} WHERE {{ {blocks} }}"


@dataclass(frozen=True)
class ListedDocument:
    """A document in the list.

    Parameters:
        iri: its IRI.
        creators: IRIs of who wrote it.
        issued: when, EDTF; None where that is not known.
        assertions: how many it has, those of withdrawn ones aside.
    """

    iri: str
    creators: tuple[str, ...]
    issued: str | None
    assertions: int


@dataclass(frozen=True)
class Overview:
    """What there is.

    Parameters:
        assertions: how many.
        counts: name of a class to the number of its things.
        documents: the newest ones.
        more: whether there are others.
        examples: the agents who hold most, and the issues that most is said of, as IRIs.
    """

    assertions: int
    counts: Mapping[str, int]
    documents: tuple[ListedDocument, ...]
    more: bool
    holders: tuple[str, ...]
    issues: tuple[str, ...]

    @property
    def iris(self) -> list[str]:
        """All that has a name on the page."""
        told = [iri for d in self.documents for iri in (d.iri, *d.creators)]
        return [*told, *self.holders, *self.issues]


@dataclass(frozen=True)
class _Kept:
    snapshot: str
    until: float
    overview: Overview


_kept: dict[Path, _Kept] = {}


def overview(reader: Reader, snapshot: Snapshot) -> Overview:
    """Return what there is in a snapshot, or, where counting takes long, in one of a little before.

    Parameters:
        reader: answers queries and has the index.
        snapshot: the newest.
    """
    kept = _kept.get(reader.folder.path)
    if kept is None or (kept.snapshot != snapshot.name and time.monotonic() > kept.until):
        begun = time.monotonic()
        counted = _count(reader, snapshot)
        ended = time.monotonic()
        kept = _Kept(snapshot.name, ended + (50 * (ended - begun) if ended - begun > QUICK else 0), counted)
        _kept[reader.folder.path] = kept
    return kept.overview


def _count(reader: Reader, snapshot: Snapshot) -> Overview:
    explored = reader.index_of(snapshot).explore(Filters(), limit=0, values=1_000)
    per_document = {value.iri: value.count for value in explored.facets["document"]}
    rows = reader.run(snapshot, _DOCUMENTS)
    assert isinstance(rows, ox.QuerySolutions)
    found: dict[str, tuple[list[str], str | None]] = {}
    for row in rows:
        document, creator, issued = row["document"], row["creator"], row["issued"]
        assert isinstance(document, ox.NamedNode)
        creators, _ = found.setdefault(document.value, ([], issued.value if isinstance(issued, ox.Literal) else None))
        if isinstance(creator, ox.NamedNode):
            creators.append(creator.value)
    documents = tuple(
        ListedDocument(iri, tuple(creators), issued, per_document.get(iri, 0))
        for iri, (creators, issued) in list(found.items())[:DOCUMENTS]
    )
    return Overview(
        assertions=explored.total,
        counts=_classes(reader, snapshot),
        documents=documents,
        more=len(found) > DOCUMENTS,
        holders=tuple(v.iri for v in explored.facets["holder"][:12] if v.iri.startswith(ID)),
        issues=tuple(v.iri for v in explored.facets["issue"][:12]),
    )


def _classes(reader: Reader, snapshot: Snapshot) -> dict[str, int]:
    counts = " ".join(f"?{name}" for name in _COUNTED)
    blocks = " ".join(
        f"{{ SELECT (COUNT(DISTINCT ?thing) AS ?{name}) WHERE {{ ?thing a ws:{name} {_CODED.get(name, '')} }} }}"
        for name in _COUNTED
    )
    rows = reader.run(snapshot, _COUNTS.format(counts=counts, blocks=blocks))
    assert isinstance(rows, ox.QuerySolutions)
    row = next(iter(rows))
    return {name: int(value.value) for name in _COUNTED if isinstance(value := row[name], ox.Literal)}
