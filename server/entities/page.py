"""The page of a thing: what it is in plain words, then what there is to tell of a thing of its kind.

From the top: what it is called and is, in all languages and scripts; the facts that the register or the coding has of
it (`facts`); offices over time (`tenures`); tables (`sections`); the assertions that concern it, as sentences with the
words that they rest on (`lines`). The statements as they stand in the graph come last (`statements`). What it takes is
a dozen bounded queries, whatever the size of the store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

import pyoxigraph as ox

from kg.describing import ENOUGH, Outline, Run, read_quads, statements_query
from kg.labels import find_names
from kg.languages import Name
from kg.names import ID, RDF, WS, Term, shorten
from kg.terms import terms
from server.entities.coverage import Coverage, coverage_of
from server.entities.facts import (
    PARTS,
    Fact,
    by_property,
    colour_of,
    definition_of,
    facts_of,
    identifiers,
    leaves,
    most_particular,
    other_names,
    readings_of,
    title_of,
)
from server.entities.lines import WITHDRAWN, Gathered, Line, Passage, gather, iris, reading_address, values_of
from server.entities.sections import Filled, fill_sections
from server.entities.statements import Raw, mentioned, raw_statements
from server.entities.tenures import Tenures, find_tenures
from server.entities.voices import Piece, chain_of

LONGEST = 300
"""Characters of a name that a page shows; the whole is among the statements at its end."""

HEADINGS: Mapping[str, str] = {
    "voices": "The chain of voices that it stands in, from the outermost inwards",
    "stances": "Who takes which stance to it",
    "said": "What is said of it, and by whom",
    "held": "What it asserts, or voices for another",
    "stated": "What is asserted in it, in the order of the text",
    "supported": "What it supports",
}
"""Headings of the assertions, by section."""

_FACETS = {"held": "holder", "said": "target", "stated": "document"}
_REPLACING = (WS + "supersedes", WS + "retracts")
_CITED = (WS + "Document", WS + "Assertion", WS + "Passage")
_CHANGE = "change/"


@dataclass(frozen=True)
class Lines:
    """The assertions of one section.

    Parameters:
        name: of the section.
        heading: what they have in common.
        lines: those on this page; several voices of one sentence are told once.
        count: how many there are in all, in words.
        explore: address of the explorer that has them all; None where it cannot be asked so.
    """

    name: str
    heading: str
    lines: Sequence[Line]
    count: str
    explore: str | None


@dataclass(frozen=True)
class EntityPage:
    """What the page of a thing shows.

    Parameters:
        iri: the thing.
        title: what it is called, in the reader's language where there is such a name.
        kind: by which it is coloured, where it is an assertion or a content; else None.
        sentence: of an assertion; else empty.
        classes: what it is, without the classes that others of them are kinds of.
        definition: of the first class.
        also: its other names, each with its language.
        names: what everything mentioned is called.
        facts: what the graph has of it.
        readings: other readings of an assertion, each as facts.
        elsewhere: names and addresses of the same thing elsewhere.
        passages: what it rests on, or is.
        tenures: offices over time.
        sections: tables.
        lines: assertions that concern it.
        raw: its statements as they stand in the graph.
        withdrawn: how it was withdrawn, where it was.
        replaced: what it was superseded or retracted by.
        coverage: how much of it is coded, where it is a document.
        reading: address of the page where its text is read, where it is a document.
        citable: its name in ``/cite/``; None for what is not cited.
        history: its name in the history; None for changes.
        change: its number in the history, where it is a change.
    """

    iri: str
    title: str
    kind: str | None
    sentence: Sequence[Piece]
    classes: Sequence[str]
    definition: str
    also: Sequence[Name]
    names: Mapping[str, str]
    facts: Sequence[Fact]
    readings: Sequence[Sequence[Fact]]
    elsewhere: Sequence[tuple[str, str]]
    passages: Sequence[Passage]
    tenures: Sequence[Tenures]
    sections: Sequence[Filled]
    lines: Sequence[Lines]
    raw: Raw
    withdrawn: str | None
    replaced: Sequence[Term]
    coverage: Coverage | None
    reading: str | None
    citable: str | None
    history: str | None
    change: str | None


def entity_page(run: Run, outline: Outline, language: str, *, today: date) -> EntityPage:
    """Return what the page of a thing shows.

    Parameters:
        run: answers a query.
        outline: the beginning of its description.
        language: tag of the language in which the reader likes names.
        today: until when what goes on is drawn.
    """
    iri, own = outline.iri, by_property(outline.own)
    classes = most_particular(iris(own.get(RDF + "type", ())))
    resting = [iri] if WS + "Passage" in classes else iris(own.get(WS + "evidencedBy", ()))
    concerned = dict.fromkeys(a for found in outline.assertions.values() for a in found)
    gathered = gather(run, [*([iri] if WS + "Assertion" in classes else []), *concerned], resting)
    told = {p for properties in PARTS.values() for p in properties}
    parts = values_of(run, iris(v for p in PARTS for v in own.get(p, ())), told)
    pointing = {q.predicate.value for q in outline.pointing} | {WS + "perceives"}
    pointing |= {WS + "holder"} if outline.assertions["held"] else set()
    pointing |= {WS + "proposition"} if WS + "Proposition" in classes else set()
    tenures = find_tenures(run, iri, pointing, today=today)
    sections = fill_sections(run, iri, pointing)
    graphs = sorted({q.graph_name.value for q in outline.own if isinstance(q.graph_name, ox.NamedNode)})
    provenance = [q for q in read_quads(run(statements_query(graphs))) if _iri(q.subject) in graphs] if graphs else []
    # What points to it goes by its short name among the statements: names for all of it would double the work.
    wanted = mentioned([*outline.own, *provenance]) | gathered.mentioned() | pointing | {iri}
    wanted |= {v for q in outline.pointing if q.predicate.value in _REPLACING for v in iris([q.subject])}
    wanted |= {v for told_of in parts.values() for values in told_of.values() for v in iris(values)}
    wanted |= {v for filled in sections for row in filled.rows for values in row.values() for v in iris(values)}
    wanted |= {v for found in tenures for t, _ in found.rows for v in iris([t.who, t.office, *t.attesting])}
    names = _names(run, wanted, outline, gathered, language)
    coded = WS + "Document" in classes and WS + "textLength" in own
    title = title_of(iri, own, classes, names)
    return EntityPage(
        iri=iri,
        title=title,
        kind=colour_of(classes, own, gathered.said),
        sentence=gathered.line(iri, names).pieces if WS + "Assertion" in classes else (),
        classes=leaves(classes),
        definition=definition_of(classes),
        also=[name.cut(LONGEST) for name in other_names(own, title, language)],
        names=names,
        facts=facts_of(outline.own, parts),
        readings=readings_of(own, parts),
        elsewhere=identifiers(own),
        passages=[gathered.passages[p] for p in resting if p in gathered.passages],
        tenures=tenures,
        sections=sections,
        lines=[
            _lines(name, found, outline, classes, gathered, names)
            for name, found in outline.assertions.items()
            if found
        ],
        raw=raw_statements(outline, provenance),
        withdrawn=next((WITHDRAWN[s] for s in iris(own.get(WS + "status", ())) if s in WITHDRAWN), None),
        replaced=[q.subject for q in outline.pointing if q.predicate.value in _REPLACING],
        coverage=coverage_of(run, iri) if coded else None,
        reading=reading_address(iri) if coded else None,
        citable=shorten(iri) if iri.startswith(ID) and any(c in classes for c in _CITED) else None,
        history=shorten(iri) if iri.startswith(ID) else None,
        change=iri.rpartition(_CHANGE)[2] if not iri.startswith(ID) and _CHANGE in iri else None,
    )


def _names(run: Run, wanted: set[str], outline: Outline, gathered: Gathered, language: str) -> dict[str, Name]:
    """Return what everything is called; an assertion goes by its content, a term of the ontology by its label."""
    names = {iri: Name(terms()[iri].label, "en") for iri in wanted & terms().keys()}
    names |= {iri: name.cut(LONGEST) for iri, name in find_names(run, wanted - names.keys(), language).items()}
    proposition = WS + "proposition"
    contents = {a: iris(told[proposition])[0] for a, told in gathered.said.items() if iris(told.get(proposition, ()))}
    for content in iris(by_property(outline.own).get(proposition, ())):
        contents[outline.iri] = content
    return names | {a: names[p] for a, p in contents.items() if a not in names and p in names}


def _lines(
    section: str,
    assertions: Sequence[str],
    outline: Outline,
    classes: Sequence[str],
    gathered: Gathered,
    names: Mapping[str, str],
) -> Lines:
    count = outline.counts[section]
    if section == "voices":
        chain = chain_of(outline.iri, gathered.said)
        lines = [gathered.line(a, names, within=True) for a in chain if a in assertions]
    else:
        lines = [gathered.line(a, names) for a in _innermost(assertions, gathered)]
    facet = "issue" if section == "said" and WS + "Issue" in classes else _FACETS.get(section)
    known = WS + "RegisterEntry" in classes and outline.iri.startswith(ID)
    address = f"/explore?{urlencode({facet: shorten(outline.iri)})}" if facet and known else None
    return Lines(
        name=section,
        heading=HEADINGS[section],
        lines=lines,
        count=f"more than {ENOUGH:,}" if count > ENOUGH else f"{count:,}",
        explore=address,
    )


def _innermost(assertions: Sequence[str], gathered: Gathered) -> list[str]:
    """Return assertions, of those that make one sentence only the innermost, at the place of the first."""
    found: dict[str, str] = {}
    for assertion in assertions:
        chain = chain_of(assertion, gathered.said)
        known = found.get(chain[-1])
        if known is None or chain.index(assertion) > chain.index(known):
            found[chain[-1]] = assertion
    return list(found.values())


def _iri(term: object) -> str | None:
    return term.value if isinstance(term, ox.NamedNode) else None
