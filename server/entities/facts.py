"""What a thing is, in plain words: its classes, its names, where else it is, and what the graph has of it, as facts.

Facts are the statements that a reader asks for. What only machines need (digests, sortable bounds, identifiers of
modules), what was merely inferred, and what the page tells in another way is among its statements at the end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyoxigraph as ox

from kg.change import is_asserted
from kg.languages import Name, nearness
from kg.names import OWL, RDF, RDFS, SKOS, WS, Term
from kg.terms import ClassTerm, ConceptTerm, terms
from server.entities.lines import iris, name_of
from server.entities.voices import kind_of

Own = Mapping[str, Sequence[Term]]
"""What a thing has, by property."""

PARTS: Mapping[str, tuple[str, ...]] = {
    WS + "hasStep": (WS + "position", WS + "claim"),
    WS + "otherReading": (WS + "polarity", WS + "proposition", WS + "note"),
}
"""Properties whose values are parts of the thing alone, and what is told of these."""

_NAMES = (SKOS + "prefLabel", SKOS + "altLabel", RDFS + "label", WS + "title", WS + "gloss")
_MATCHES = (*(SKOS + f"{kind}Match" for kind in ("exact", "close", "broad", "narrow", "related")), OWL + "sameAs")
_ELSEWHERE = (*_MATCHES, WS + "webPage", RDFS + "seeAlso")
_TOLD_OTHERWISE = (
    "digest",
    "textLength",
    "earliest",
    "latest",
    "evidencedBy",
    "inDocument",
    "start",
    "end",
    "otherReading",
)
_ASIDE = {
    *_NAMES, *_ELSEWHERE, RDF + "type", RDFS + "isDefinedBy", SKOS + "inScheme",
    *(WS + name for name in _TOLD_OTHERWISE),
}  # fmt: skip
_WORKED_OUT = {WS + name for name in ("standing", "effectiveDate", "startsFrom", "endsIn", "advancedBy")}
_COMPOSED: Mapping[str, str] = {
    "OfficeHolding": "{officeHolder}, {office}",
    "Step": "{stepOf}: {stage}",
    "Citation": "{citingDocument} cites {citedDocument}",
    "Link": "{from} – {linkKind} – {to}",
    "Attack": "{attacker} – {attackKind} – {attacked}",
    "NameUse": "{names}, printed as “{printedAs}”",
    "Sentence": "Sentence {sentenceNumber} of {inDocument}",
    "Passage": "Characters {start} to {end} of {inDocument}",
    "Reading": "Another reading: {polarity}: {proposition}",
    "PathwayStep": "Step {position}: {claim}",
}
"""What things without a name of their own are called, by class."""

_WIKIDATA = "http://www.wikidata.org/entity/"


@dataclass(frozen=True)
class Fact:
    """Something that the graph has of a thing.

    Parameters:
        iri: the property.
        values: what it has of it.
        explained: what the values mean, where they are concepts: their definitions, by IRI.
        worked_out: True where it was worked out and not written.
    """

    iri: str
    values: Sequence[Term]
    explained: Mapping[str, str]
    worked_out: bool = False


def by_property(quads: Iterable[ox.Quad]) -> dict[str, list[Term]]:
    """Return the values of statements of one thing, by property.

    >>> by_property([])
    {}
    """
    found: dict[str, list[Term]] = {}
    for quad in quads:
        values = found.setdefault(quad.predicate.value, [])
        if quad.object not in values:
            values.append(quad.object)
    return found


def most_particular(classes: Collection[str]) -> list[str]:
    """Return classes, those that others of them are kinds of last.

    >>> [c.removeprefix(WS) for c in most_particular([WS + "Agent", WS + "Person", WS + "RegisterEntry"])]
    ['Person', 'Agent', 'RegisterEntry']
    """
    return sorted(classes, key=lambda c: (-len(_above(c)), c in _UNTOLD, c))


def leaves(classes: Sequence[str]) -> list[str]:
    """Return classes without those that others of them are kinds of.

    >>> [c.removeprefix(WS) for c in leaves([WS + "Person", WS + "Agent", WS + "RegisterEntry"])]
    ['Person']
    """
    above = {c for found in classes for c in _above(found)} | ({SKOS + "Concept"} if len(classes) > 1 else set())
    return [c for c in classes if c not in above]


def definition_of(classes: Sequence[str]) -> str:
    """Return the definition of the first class that has one; empty where none has.

    >>> definition_of([WS + "Factor"])[:17]
    'A state of affair'
    """
    return next((terms()[c].definition for c in classes if c in terms()), "")


def title_of(iri: str, own: Own, classes: Sequence[str], names: Mapping[str, str]) -> str:
    """Return what a thing is called; what has no name of its own is described.

    Parameters:
        iri: the thing.
        own: what it has.
        classes: what it is, the most particular first.
        names: what everything mentioned is called.
    """
    pattern = next((_COMPOSED[c.removeprefix(WS)] for c in classes if c.removeprefix(WS) in _COMPOSED), None)
    if iri in names or pattern is None:
        return name_of(iri, names)
    return pattern.format_map(_Values(own, names))


def other_names(own: Own, title: str, language: str) -> list[Name]:
    """Return the other names of a thing, those that the reader can best read first.

    Parameters:
        own: what it has.
        title: the name that it goes by.
        language: tag of the language preferred.

    >>> other_names({SKOS + "altLabel": [ox.Literal("Zemgrad", language="en")]}, "Borduria", "en")
    ['Zemgrad']
    """
    found = {
        (value.value, value.language): Name(value.value, value.language or "")
        for name in _NAMES
        for value in own.get(name, ())
        if isinstance(value, ox.Literal) and value.value != title
    }
    return sorted(found.values(), key=lambda name: (-nearness(name.language, language), name.language, name))


def identifiers(own: Own) -> list[tuple[str, str]]:
    """Return what a thing is elsewhere: names and addresses; an address of no web page has the name alone.

    >>> identifiers({SKOS + "exactMatch": [ox.NamedNode("http://www.wikidata.org/entity/Q30")]})
    [('Wikidata Q30', 'http://www.wikidata.org/entity/Q30')]
    """
    addresses = dict.fromkeys(
        value.value
        for name in _ELSEWHERE
        for value in own.get(name, ())
        if isinstance(value, ox.NamedNode | ox.Literal)
    )
    return [(f"Wikidata {a.removeprefix(_WIKIDATA)}" if a.startswith(_WIKIDATA) else a, a) for a in addresses]


def facts_of(quads: Iterable[ox.Quad], parts: Mapping[str, Mapping[str, Sequence[Term]]]) -> list[Fact]:
    """Return what the graph has of a thing, in the order of the ontology.

    Parameters:
        quads: its own statements.
        parts: what its parts have, by name; see `PARTS`.
    """
    told = by_property(q for q in quads if _is_told(q))
    worked_out = {q.predicate.value for q in quads if not is_asserted(q.graph_name)}
    order = {iri: place for place, iri in enumerate(terms())}
    return [
        _fact(name, _flat(name, values, parts), worked_out=name in worked_out)
        for name, values in sorted(told.items(), key=lambda item: (order.get(item[0], len(order)), item[0]))
    ]


def readings_of(own: Own, parts: Mapping[str, Mapping[str, Sequence[Term]]]) -> list[list[Fact]]:
    """Return the other readings of an assertion, each as facts.

    Parameters:
        own: what the assertion has.
        parts: what its parts have, by name.
    """
    found = [parts[r] for r in iris(own.get(WS + "otherReading", ())) if r in parts]
    return [[_fact(name, told[name]) for name in PARTS[WS + "otherReading"] if name in told] for told in found]


def colour_of(classes: Sequence[str], own: Own, contents: Mapping[str, Mapping[str, Sequence[Term]]]) -> str | None:
    """Return the kind by which a page is coloured; None for what is neither assertion nor content.

    Parameters:
        classes: what it is.
        own: what it has.
        contents: what is known of contents, by name; asked for the classes of an assertion's.
    """
    if WS + "Proposition" in classes:
        return kind_of(classes)
    if WS + "Assertion" not in classes:
        return None
    held = [c for p in iris(own.get(WS + "proposition", ())) for c in iris(contents.get(p, {}).get(RDF + "type", ()))]
    return kind_of(held, report=WS + "reports" in own)


_UNTOLD = {SKOS + "Concept", WS + "RegisterEntry", OWL + "NamedIndividual"}


class _Values(dict[str, str]):
    """The values of a thing in words, by local name, for a pattern."""

    def __init__(self, own: Own, names: Mapping[str, str]) -> None:
        super().__init__()
        self._own, self._names = own, names

    def __missing__(self, key: str) -> str:
        values = self._own.get(WS + key, ())
        return " and ".join(name_of(v.value, self._names) if isinstance(v, ox.NamedNode) else _text(v) for v in values)


def _text(value: Term) -> str:
    return value.value if isinstance(value, ox.Literal) else str(value)


def _is_told(quad: ox.Quad) -> bool:
    name = quad.predicate.value
    return name not in _ASIDE and (is_asserted(quad.graph_name) or name in _WORKED_OUT)


def _fact(name: str, values: Sequence[Term], *, worked_out: bool = False) -> Fact:
    concepts = [terms()[i] for i in iris(values) if i in terms()]
    return Fact(name, values, {c.iri: c.definition for c in concepts if isinstance(c, ConceptTerm)}, worked_out)


def _flat(name: str, values: Sequence[Term], parts: Mapping[str, Mapping[str, Sequence[Term]]]) -> Sequence[Term]:
    """Return the claims of a pathway in place of its steps, in their order; all else as it is."""
    if name != WS + "hasStep":
        return values
    position = WS + "position"
    steps = [parts[v] for v in iris(values) if v in parts]
    steps.sort(key=lambda step: min((int(_text(p)) for p in step.get(position, ()) if _text(p).isdecimal()), default=0))
    return [claim for step in steps for claim in step.get(WS + "claim", ())]


def _above(iri: str) -> set[str]:
    """Return the classes above a class."""
    term = terms().get(iri)
    parents = term.parents if isinstance(term, ClassTerm) else ()
    return {*parents, *(above for parent in parents for above in _above(parent))}
