"""What a page shows of a description: its statements by property, its assertions as rows, the words of its passages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyoxigraph as ox

from kg.describing import ENOUGH, PAGE, Description, Run, quotes_query
from kg.names import BASE, OWL, PROV, PROVENANCE_GRAPH, RDF, SKOS, WS, Term, shorten

SECTIONS: Mapping[str, str] = {
    "voices": "The chain of voices that it stands in, from the outermost inwards",
    "stances": "Who takes which stance to it",
    "said": "What is said of it, and by whom",
    "held": "What it asserts, or voices for another",
    "stated": "What is asserted in it, in the order of the text",
    "supported": "What it supports",
}
"""Headings of the tables of assertions."""

_TYPE, _GENERATED = RDF + "type", PROV + "generated"
_REPLACING = (WS + "supersedes", WS + "retracts")
_WITHDRAWN = {WS + "status-superseded": "superseded", WS + "status-retracted": "retracted"}
_ELSEWHERE = (*(SKOS + f"{kind}Match" for kind in ("exact", "close", "broad", "narrow", "related")), OWL + "sameAs")
_CHANGE = BASE + "change/"

Statements = Mapping[str, Mapping[str, Sequence[Term]]]
"""Subject to property to values."""


@dataclass(frozen=True)
class Row:
    """An assertion, as a table shows it.

    Parameters:
        iri: its name.
        values: property, by local name, to values.
        gloss: its content in words.
        passages: its passages, each with its words, None where the text is not at hand.
    """

    iri: ox.NamedNode
    values: Mapping[str, Sequence[Term]]
    gloss: str
    passages: Sequence[tuple[ox.NamedNode, str | None]]


@dataclass(frozen=True)
class Table:
    """The assertions of one section.

    Parameters:
        heading: what they have in common.
        rows: those on this page.
        count: how many there are in all, in words.
        first: number of the first row on this page.
    """

    heading: str
    rows: Sequence[Row]
    count: str
    first: int


@dataclass(frozen=True)
class ResourcePage:
    """What the page of a resource shows.

    Parameters:
        iri: the resource.
        title: what it is called.
        names: what everything mentioned is called.
        classes: what it is.
        own: its statements, by property.
        pointing: those that point to it, by property.
        tables: the assertions that concern it.
        quotes: its own passages, with their words.
        provenance: what is told of the graphs that it stands in.
        elsewhere: what it is elsewhere, in Wikidata for instance.
        withdrawn: how it was withdrawn, where it was: superseded or retracted.
        replaced: what it was superseded or retracted by.
        change: its number in the history, where it is a change.
        cut: True where it has more statements than are shown.
    """

    iri: str
    title: str
    names: Mapping[str, str]
    classes: Sequence[Term]
    own: Mapping[str, Sequence[tuple[Term, ox.Quad]]]
    pointing: Mapping[str, Sequence[tuple[Term, ox.Quad]]]
    tables: Sequence[Table]
    quotes: Sequence[tuple[ox.NamedNode, str]]
    provenance: Statements
    elsewhere: Sequence[Term]
    withdrawn: str | None
    replaced: Sequence[Term]
    change: str | None
    cut: bool


def resource_page(run: Run, description: Description) -> ResourcePage:
    """Return what the page of a resource shows.

    Parameters:
        run: answers a query; asked for the words of passages.
        description: what is told of it.
    """
    iri, own, names = description.iri, description.own, description.names()
    said = _values([*own, *description.about])
    passages = _nodes(said.get(iri, {}).get(WS + "evidencedBy", ()))
    if any(q.predicate.value == _TYPE and _iri(q.object) == WS + "Passage" for q in own):
        passages = [ox.NamedNode(iri), *passages]
    cited = {p.value for values in said.values() for p in _nodes(values.get(WS + "evidencedBy", ()))}
    quotes = _quotes(run, cited | {p.value for p in passages})
    graphs = {q.graph_name.value for q in own if isinstance(q.graph_name, ox.NamedNode)}
    tables = [
        Table(
            SECTIONS[section],
            [_row(a, said.get(a, {}), names, quotes) for a in _in_order(section, assertions, said)],
            f"more than {ENOUGH:,}" if description.counts[section] > ENOUGH else f"{description.counts[section]:,}",
            (description.page - 1) * PAGE + 1,
        )
        for section, assertions in description.assertions.items()
        if assertions
    ]
    pointing, status = description.pointing, said.get(iri, {}).get(WS + "status", ())
    return ResourcePage(
        iri=iri,
        title=names.get(iri, shorten(iri)),
        names=names,
        classes=[q.object for q in own if q.predicate.value == _TYPE],
        own=_by_property(own, subject=False),
        pointing=_by_property(pointing, subject=True),
        tables=tables,
        quotes=[(p, words) for p in passages if (words := quotes.get(p.value))],
        provenance=provenance_values(q for q in description.about if _iri(q.subject) in graphs),
        elsewhere=[q.object for q in own if q.predicate.value in _ELSEWHERE],
        withdrawn=next((how for s in _nodes(status) if (how := _WITHDRAWN.get(s.value))), None),
        replaced=[q.subject for q in pointing if q.predicate.value in _REPLACING],
        change=iri.removeprefix(_CHANGE) if iri.startswith(_CHANGE) else None,
        cut=description.cut,
    )


def provenance_values(quads: Iterable[ox.Quad]) -> Statements:
    """Return what the provenance graph says, by what it says it of.

    >>> provenance_values([])
    {}
    """
    aside = (_TYPE, _GENERATED)
    return _values(q for q in quads if _iri(q.graph_name) == PROVENANCE_GRAPH and q.predicate.value not in aside)


def mentioned(statements: Iterable[ox.Quad | ox.Triple]) -> set[str]:
    """Return the IRIs that stand in statements, graph names aside.

    >>> sorted(mentioned([ox.Triple(ox.NamedNode("ex:a"), ox.NamedNode("ex:b"), ox.Literal("c"))]))
    ['ex:a', 'ex:b']
    """
    parts = (part for s in statements for part in (s.subject, s.predicate, s.object))
    return {part.value for part in parts if isinstance(part, ox.NamedNode)}


def _row(
    iri: str, said: Mapping[str, Sequence[Term]], names: Mapping[str, str], quotes: Mapping[str, str | None]
) -> Row:
    values = {predicate.removeprefix(WS): objects for predicate, objects in said.items()}
    passages = [(p, quotes.get(p.value)) for p in _nodes(said.get(WS + "evidencedBy", ()))]
    return Row(ox.NamedNode(iri), values, names.get(iri, ""), passages)


def _in_order(section: str, assertions: Sequence[str], said: Statements) -> Sequence[str]:
    """Return the voices around an assertion from the outermost inwards, all others as they are."""
    if section != "voices":
        return assertions

    def depth(assertion: str) -> int:
        seen = [assertion]
        while around := [v.value for v in _nodes(said.get(seen[-1], {}).get(WS + "within", ())) if v.value not in seen]:
            seen.append(around[0])
        return len(seen)

    return sorted(assertions, key=lambda a: (depth(a), a))


def _quotes(run: Run, passages: Iterable[str]) -> dict[str, str | None]:
    wanted = sorted(passages)
    if not wanted:
        return {}
    results = run(quotes_query(wanted))
    assert isinstance(results, ox.QuerySolutions)
    found = [(row["passage"], row["quote"]) for row in results]
    return {str(_iri(p)): q.value if isinstance(q, ox.Literal) else None for p, q in found}


def _values(quads: Iterable[ox.Quad]) -> dict[str, dict[str, list[Term]]]:
    found: dict[str, dict[str, list[Term]]] = {}
    for quad in quads:
        values = found.setdefault(str(_iri(quad.subject)), {}).setdefault(quad.predicate.value, [])
        if quad.object not in values:
            values.append(quad.object)
    return found


def _by_property(quads: Iterable[ox.Quad], *, subject: bool) -> dict[str, list[tuple[Term, ox.Quad]]]:
    """Return statements by property, with the end that is of interest; what it is stands elsewhere on the page."""
    found: dict[str, list[tuple[Term, ox.Quad]]] = {}
    for quad in quads:
        if subject or quad.predicate.value != _TYPE:
            found.setdefault(quad.predicate.value, []).append((quad.subject if subject else quad.object, quad))
    return found


def _nodes(terms: Iterable[Term]) -> list[ox.NamedNode]:
    return [term for term in terms if isinstance(term, ox.NamedNode)]


def _iri(term: object) -> str | None:
    return term.value if isinstance(term, ox.NamedNode) else None
