"""How much of a document is coded: its sentences, and how many of them are accounted for."""

from __future__ import annotations

from dataclasses import dataclass

import pyoxigraph as ox

from kg.describing import Run

_ROWS = """
SELECT DISTINCT ?kind ?sentence WHERE {
  { ?sentence ws:inDocument $document ; ws:sentenceNumber ?number
    OPTIONAL { ?sentence ws:assertsNothing ?reason }
    BIND(IF(BOUND(?reason), "nothing", "sentence") AS ?kind) }
  UNION
  { { SELECT DISTINCT ?passage WHERE { ?assertion ws:statedIn $document ; ws:evidencedBy ?passage } }
    ?passage ws:overlaps ?sentence BIND("asserting" AS ?kind) }
  UNION
  { ?citation ws:citingDocument $document ; ws:evidencedBy ?passage . ?passage ws:overlaps ?sentence
    BIND("citing" AS ?kind) }
}"""


@dataclass(frozen=True)
class Coverage:
    """How much of a document is coded.

    Parameters:
        sentences: how many it has.
        asserting: how many of them an assertion rests on.
        accounted: these, and those that a citation rests on or of which it is said why they assert nothing.
    """

    sentences: int
    asserting: int
    accounted: int


def coverage_of(run: Run, document: str) -> Coverage | None:
    """Return how much of a document is coded; None where its sentences are not known.

    Parameters:
        run: answers a query.
        document: its IRI.

    >>> from kg.store import Snapshot
    >>> coverage_of(Snapshot(ox.Store(), "1").query, "https://w3id.org/whosays/id/bridge-toll") is None
    True
    """
    results = run(_ROWS.replace("$document", str(ox.NamedNode(document))))
    assert isinstance(results, ox.QuerySolutions)
    found: dict[str, set[str]] = {"sentence": set(), "nothing": set(), "asserting": set(), "citing": set()}
    for row in results:
        found[row["kind"].value].add(row["sentence"].value)
    sentences = len(found["sentence"] | found["nothing"])
    accounted = len(found["nothing"] | found["asserting"] | found["citing"])
    return Coverage(sentences, len(found["asserting"]), accounted) if sentences else None
