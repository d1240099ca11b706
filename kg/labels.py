"""Labels: what a resource is called in words that a person reads."""

from __future__ import annotations

from collections.abc import Iterable

import pyoxigraph as ox

from kg.names import shorten
from kg.store import Snapshot

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
        language: the language preferred; another one is taken where it is missing.

    Returns:
        IRI to label; a resource without label gets its short name.
    """
    wanted = list(dict.fromkeys(iris))
    if not wanted:
        return {}
    nodes = " ".join(str(ox.NamedNode(iri)) for iri in wanted)
    solutions = snapshot.query(_QUERY.format(nodes=nodes))
    assert isinstance(solutions, ox.QuerySolutions)
    found: dict[str, tuple[bool, str]] = {}
    for solution in solutions:
        node, label = solution["node"], solution["label"]
        assert isinstance(node, ox.NamedNode)
        if isinstance(label, ox.Literal):
            candidate = (label.language == language, label.value)
            if node.value not in found or (candidate[0], found[node.value][1]) > (found[node.value][0], candidate[1]):
                found[node.value] = candidate
    return {iri: found[iri][1] if iri in found else shorten(iri) for iri in wanted}
