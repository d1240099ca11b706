"""What is put into the index: a thing's kind and names, a passage's place, an assertion's facets.

All of it is worked out from a `Reading`, thing by thing, in the same way for the whole graph and after a change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from kg.filters import FACETS, KINDS
from kg.index.answers import HIT_KINDS
from kg.index.reading import Reading
from kg.names import RDF, RDFS, SKOS, WS
from kg.words import LONGEST, fold

TYPE, BROADER, BELONGS_TO = RDF + "type", SKOS + "broader", WS + "belongsTo"
HOLDER, ACT, PROPOSITION, REPORTS = WS + "holder", WS + "act", WS + "proposition", WS + "reports"
STATED_IN, SAID_AT, EVIDENCED_BY, ABOUT = WS + "statedIn", WS + "saidAt", WS + "evidencedBy", WS + "about"
POLARITY, CERTAINTY, FAMILY = WS + "polarity", WS + "certainty", WS + "family"
IN_DOCUMENT, OVERLAPS, DIGEST = WS + "inDocument", WS + "overlaps", WS + "digest"
SENTENCE_NUMBER = WS + "sentenceNumber"
NAMES, PRINTED_AS, GLOSS = WS + "names", WS + "printedAs", WS + "gloss"
LABELS = (SKOS + "prefLabel", WS + "title", RDFS + "label")
ALTERNATIVE = SKOS + "altLabel"
STATE, ISSUE, ASSERTION, PASSAGE = WS + "State", WS + "Issue", WS + "Assertion", WS + "Passage"

LABEL, OTHER_NAME, GLOSS_NAME = range(3)
"""Sorts of names."""

_SIMPLE = (
    *(("holder", HOLDER), ("act", ACT), ("polarity", POLARITY)),
    *(("certainty", CERTAINTY), ("document", STATED_IN)),
)

_CLASSES = (
    (WS + "Document", "document"),
    (ISSUE, "issue"),
    (WS + "Agent", "agent"),
    (WS + "Proposition", "proposition"),
    (WS + "Factor", "factor"),
    (WS + "RegisterEntry", "other"),
    (SKOS + "Concept", "concept"),
)

THING_KINDS = (*HIT_KINDS, "part", "unlisted")
"""Kinds of things by number. A `part` is a passage inside sentences, which are found in its place; what is `unlisted`
has a name and is not searched for, such as the ontology's classes."""

PASSAGE_KINDS = ("passage", "part")

POSTED = (*FACETS, "year", "all", "withdrawn")
"""What assertions are posted under, by number: the facets, the year, all, and those without standing."""

FOLDED = 200
"""Characters of a name that it is looked up by."""


class Name(NamedTuple):
    """A name of a thing, or a gloss.

    Parameters:
        sort: `LABEL`, `OTHER_NAME` or `GLOSS_NAME`.
        text: the name; what comes after `kg.words.LONGEST` characters is left out.
        language: tag, empty where there is none.
    """

    sort: int
    text: str
    language: str

    @property
    def folded(self) -> str | None:
        """The beginning as it is looked up; None of a gloss."""
        return None if self.sort == GLOSS_NAME else fold(self.text)[:FOLDED]


@dataclass(frozen=True)
class Place:
    """Where a passage stands.

    Parameters:
        document: IRI.
        start, end: code points.
        digest: of the document's text, None where that is not known.
        part: whether it stands inside sentences.
    """

    document: str
    start: int
    end: int
    digest: str | None
    part: bool


@dataclass(frozen=True)
class Stance:
    """An assertion as it is kept; things by their IRIs. See `kg.index.answers.AssertionRow`.

    Parameters:
        content: the proposition that its reports come to at last.
        postings: facet and value; the value of `year` is a number, that of `all` and `withdrawn` is 0.
    """

    iri: str
    holder: str
    speaker: str | None
    act: str
    family: str | None
    polarity: str
    certainty: str
    basis: str | None
    standing: str | None
    document: str
    proposition: str | None
    content: str | None
    kind: str
    reports: str | None
    within: str | None
    depth: int
    reporter: str
    day: str | None
    earliest: str | None
    latest: str | None
    passages: tuple[str, ...]
    start: int
    postings: tuple[tuple[str, str | int], ...]


def read_kind(reading: Reading, iri: str) -> str | None:
    """Return of which kind a thing is, one of `THING_KINDS`; None for an assertion, or what is no thing to be found."""
    classes = reading.nodes(iri, TYPE)
    if PASSAGE in classes:
        whole = reading.words(iri, SENTENCE_NUMBER) or not reading.nodes(iri, OVERLAPS)
        return "passage" if whole else "part"
    if ASSERTION in classes:
        return None
    return next((kind for name, kind in _CLASSES if name in classes), "unlisted")


def read_names(reading: Reading, iri: str) -> tuple[Name, ...]:
    """Return the names of a thing in all languages and scripts, as printed in the documents too, and its glosses."""
    found = {Name(LABEL, *words) for predicate in LABELS for words in reading.words(iri, predicate)}
    found |= {Name(OTHER_NAME, *words) for words in reading.words(iri, ALTERNATIVE)}
    for use in reading.subjects(NAMES, iri):
        found |= {Name(OTHER_NAME, *words) for words in reading.words(use, PRINTED_AS)}
    found |= {Name(GLOSS_NAME, *words) for words in reading.words(iri, GLOSS)}
    return tuple(sorted({name._replace(text=name.text[:LONGEST]) for name in found}))


def read_place(reading: Reading, iri: str) -> Place | None:
    """Return where a passage stands; None where that is not said."""
    document = reading.one(iri, IN_DOCUMENT)
    start, end = reading.number(iri, WS + "start"), reading.number(iri, WS + "end")
    if document is None or start is None or end is None or max(start, end) >= 1 << 62:
        return None
    return Place(document, start, end, reading.text(document, DIGEST), read_kind(reading, iri) == "part")


def read_stance(reading: Reading, iri: str) -> Stance | None:
    """Return an assertion; None where it is none, or lacks what each must have."""
    holder, act = reading.one(iri, HOLDER), reading.one(iri, ACT)
    polarity, certainty = reading.one(iri, POLARITY), reading.one(iri, CERTAINTY)
    document = reading.one(iri, STATED_IN)
    proposition, reports = reading.one(iri, PROPOSITION), reading.one(iri, REPORTS)
    if not (holder and act and polarity and certainty and document and (proposition or reports)):
        return None
    above = list(_follow(iri, lambda a: reading.subjects(REPORTS, a)))
    contents = (reading.one(a, PROPOSITION) for a in _follow(iri, lambda a: reading.nodes(a, REPORTS)))
    standing = reading.one(iri, WS + "standing")
    earliest, latest = reading.text(iri, WS + "earliest"), reading.text(iri, WS + "latest")
    kinds = _kinds(reading, proposition)
    passages = sorted((reading.once(_start, p), p) for p in reading.nodes(iri, EVIDENCED_BY))
    postings: list[tuple[str, str | int]] = [("all", 0)]
    for facet, predicate in _SIMPLE:
        postings += [(facet, node) for node in reading.nodes(iri, predicate)]
    for node in reading.nodes(iri, HOLDER):
        postings += reading.once(_states, node)
    postings += [("kind", KINDS[kind]) for kind in kinds]
    postings += [("standing", standing)] if standing else [("withdrawn", 0)]
    for about in reading.nodes(proposition, ABOUT) if proposition else ():
        postings += reading.once(_subjects, about)
    year = (earliest or latest or "")[:4]
    if year.isdigit():
        postings.append(("year", int(year)))
    return Stance(
        iri=iri,
        holder=holder,
        speaker=reading.one(iri, WS + "speaker"),
        act=act,
        family=reading.one(act, FAMILY),
        polarity=polarity,
        certainty=certainty,
        basis=reading.one(iri, WS + "basis"),
        standing=standing,
        document=document,
        proposition=proposition,
        content=next((content for content in contents if content), None),
        kind=kinds[0],
        reports=reports,
        within=min(reading.subjects(REPORTS, iri), default=None),
        depth=len(above) - 1,
        reporter=reading.one(above[-1], HOLDER) or holder,
        day=reading.text(iri, WS + "effectiveDate"),
        earliest=earliest,
        latest=latest,
        passages=tuple(passage for _, passage in passages),
        start=passages[0][0] if passages else 0,
        postings=tuple(dict.fromkeys(postings)),
    )


def _follow(start: str, step: Callable[[str], Iterable[str]]) -> Iterator[str]:
    """Give a thing and all that steps from it lead to, each once, the nearest first."""
    found = {start: None}
    waiting = [start]
    for node in waiting:
        yield node
        fresh = [n for n in sorted(step(node)) if n not in found]
        found |= dict.fromkeys(fresh)
        waiting += fresh


def _kinds(reading: Reading, proposition: str | None) -> list[str]:
    if proposition is None:
        return ["report"]
    classes = reading.nodes(proposition, TYPE)
    return [kind for kind, name in KINDS.items() if name in classes and kind not in ("plain", "report")] or ["plain"]


def _states(reading: Reading, holder: str) -> list[tuple[str, str]]:
    nodes = dict.fromkeys((holder, *reading.nodes(holder, BELONGS_TO)))
    return [("state", node) for node in nodes if STATE in reading.nodes(node, TYPE)]


def _subjects(reading: Reading, about: str) -> list[tuple[str, str]]:
    """Return what an assertion is posted under whose content is about something."""
    found = [] if ISSUE in reading.nodes(about, TYPE) else [("target", about)]
    above = _follow(about, lambda node: reading.nodes(node, BROADER))
    return [*found, *(("issue", node) for node in above if ISSUE in reading.nodes(node, TYPE))]


def _start(reading: Reading, passage: str) -> int:
    place = read_place(reading, passage)
    return place.start if place else 0
