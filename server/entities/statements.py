"""Statements as a page shows them: by property, with where they come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyoxigraph as ox

from kg.describing import Outline
from kg.names import PROV, PROVENANCE_GRAPH, RDF, Term

_TYPE, _GENERATED = RDF + "type", PROV + "generated"

Statements = Mapping[str, Mapping[str, Sequence[Term]]]
"""Subject to property to values."""


@dataclass(frozen=True)
class Raw:
    """The statements of a thing as they stand in the graph.

    Parameters:
        own: its own, by property; what it is stands elsewhere on the page.
        pointing: those that point to it, by property.
        provenance: what is told of the graphs that it stands in.
        cut: True where it has more statements than are shown.
    """

    own: Mapping[str, Sequence[tuple[Term, ox.Quad]]]
    pointing: Mapping[str, Sequence[tuple[Term, ox.Quad]]]
    provenance: Statements
    cut: bool


def raw_statements(outline: Outline, provenance: Iterable[ox.Quad]) -> Raw:
    """Return the statements of a thing as they stand in the graph.

    Parameters:
        outline: of the thing.
        provenance: statements of the graphs that it stands in.
    """
    return Raw(
        own=_by_property(outline.own, subject=False),
        pointing=_by_property(outline.pointing, subject=True),
        provenance=provenance_values(provenance),
        cut=outline.cut,
    )


def provenance_values(quads: Iterable[ox.Quad]) -> Statements:
    """Return what the provenance graph says, by what it says it of.

    >>> provenance_values([])
    {}
    """
    found: dict[str, dict[str, list[Term]]] = {}
    for quad in quads:
        if _iri(quad.graph_name) != PROVENANCE_GRAPH or quad.predicate.value in (_TYPE, _GENERATED):
            continue
        values = found.setdefault(str(_iri(quad.subject)), {}).setdefault(quad.predicate.value, [])
        if quad.object not in values:
            values.append(quad.object)
    return found


def mentioned(statements: Iterable[ox.Quad | ox.Triple]) -> set[str]:
    """Return the IRIs that stand in statements, graph names aside.

    >>> sorted(mentioned([ox.Triple(ox.NamedNode("ex:a"), ox.NamedNode("ex:b"), ox.Literal("c"))]))
    ['ex:a', 'ex:b']
    """
    parts = (part for s in statements for part in (s.subject, s.predicate, s.object))
    return {part.value for part in parts if isinstance(part, ox.NamedNode)}


def _by_property(quads: Iterable[ox.Quad], *, subject: bool) -> dict[str, list[tuple[Term, ox.Quad]]]:
    """Return statements by property, with the end that is of interest; what it is stands elsewhere on the page."""
    found: dict[str, list[tuple[Term, ox.Quad]]] = {}
    for quad in quads:
        if subject or quad.predicate.value != _TYPE:
            found.setdefault(quad.predicate.value, []).append((quad.subject if subject else quad.object, quad))
    return found


def _iri(term: object) -> str | None:
    return term.value if isinstance(term, ox.NamedNode) else None
