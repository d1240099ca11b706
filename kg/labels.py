"""Labels: what a resource is called in words that a person reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pyoxigraph as ox

from kg.languages import Name, nearest
from kg.names import shorten
from kg.store import Results, Snapshot

BATCH = 400
"""Resources that one query asks about."""

_QUERY = """
SELECT ?node ?label WHERE {{
  VALUES ?node {{ {nodes} }}
  ?node skos:prefLabel|ws:gloss|ws:title|rdfs:label ?label .
}}"""


def find_labels(snapshot: Snapshot, iris: Iterable[str], language: str = "en") -> dict[str, str]:
    """Return labels for resources.

    Parameters:
        snapshot: where to look.
        iris: the resources.
        language: the language preferred; where it is missing, see `kg.languages`.

    Returns:
        IRI to label; a resource without label gets its short name.
    """
    wanted = list(dict.fromkeys(iris))
    found = find_names(snapshot.query, wanted, language)
    return {iri: found[iri] if iri in found else shorten(iri) for iri in wanted}


def find_names(run: Callable[[str], Results], iris: Iterable[str], language: str = "en") -> dict[str, Name]:
    """Return names of resources, each knowing its language, for those that have one.

    Parameters:
        run: answers a query.
        iris: the resources.
        language: the language preferred; where it is missing, see `kg.languages`.

    >>> find_names(ox.Store().query, [])
    {}
    """
    wanted = list(dict.fromkeys(iris))
    labels: dict[str, list[ox.Literal]] = {}
    for begin in range(0, len(wanted), BATCH):
        nodes = " ".join(str(ox.NamedNode(iri)) for iri in wanted[begin : begin + BATCH])
        solutions = run(_QUERY.format(nodes=nodes))
        assert isinstance(solutions, ox.QuerySolutions)
        for solution in solutions:
            node, label = solution["node"], solution["label"]
            if isinstance(node, ox.NamedNode) and isinstance(label, ox.Literal):
                labels.setdefault(node.value, []).append(label)
    chosen = {iri: nearest(found, language) for iri, found in labels.items()}
    return {iri: Name(label.value, label.language or "") for iri, label in chosen.items() if label is not None}
