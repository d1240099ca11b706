"""What a proposal says, for people who decide on it: its assertions in the order of the text, each with its passage.

A proposal is a set of quads that are not published. What they speak of is in part among them and in part in the
published graph, so every value is looked for in the one and then in the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyoxigraph as ox

from kg.filters import KINDS
from kg.labels import find_labels
from kg.names import ID, RDF, RDFS, SKOS, WS, shorten
from kg.settings import Settings
from kg.store import Snapshot
from loaders.texts import Texts

AROUND = 240
"""Characters of the text that are shown before and after a passage."""

_TYPE = RDF + "type"
_KIND_OF = {iri: name for name, iri in KINDS.items()}
_NAMING = (SKOS + "prefLabel", WS + "title", WS + "gloss", RDFS + "label")


@dataclass(frozen=True)
class Excerpt:
    """A passage in its surroundings.

    Parameters:
        iri: of the passage.
        document: the slug of its document.
        start, end: in code points.
        words: of the passage; None where there is no text, or it may not be shown.
        before, after: what stands around it, where all of the text may be shown.
    """

    iri: str
    document: str
    start: int
    end: int
    words: str | None
    before: str
    after: str


@dataclass(frozen=True)
class ProposedAssertion:
    """An assertion that is proposed.

    Parameters:
        iri: its name.
        kind: of its content; see `kg.filters.KINDS`.
        values: property, by local name, to IRIs or words.
        content: in words; for a report, what is told of.
        is_new_content: the content is proposed with it.
        reports: the assertion that it tells of.
        depth: how many voices stand around it.
        excerpts: its passages.
    """

    iri: str
    kind: str
    values: Mapping[str, tuple[str, ...]]
    content: str
    is_new_content: bool
    reports: str | None
    depth: int
    excerpts: tuple[Excerpt, ...]


@dataclass(frozen=True)
class Proposed:
    """All that a proposal says.

    Parameters:
        assertions: as the text has them, voices before what they report.
        others: what else it would add: the name of the class, and what the thing is called.
        names: what everything mentioned is called.
    """

    assertions: tuple[ProposedAssertion, ...]
    others: tuple[tuple[str, str], ...]
    names: Mapping[str, str]


def read_proposed(quads: str, snapshot: Snapshot, texts: Texts, settings: Settings, language: str = "en") -> Proposed:
    """Read what a proposal says.

    Parameters:
        quads: N-Quads, as `kg.proposals` keeps them.
        snapshot: what is published.
        texts: the user's copies of the documents.
        settings: `quotes` says how much of them may be shown.
        language: in which names are liked.

    >>> read_proposed("", Snapshot(ox.Store(), "1"), Texts(None), Settings()).assertions
    ()
    """
    own = ox.Store()
    own.load(quads.encode(), format=ox.RdfFormat.N_QUADS)
    both = _Both(own, snapshot.store)
    mentioned = {t.value for q in own for t in (q.subject, q.predicate, q.object) if isinstance(t, ox.NamedNode)}
    names = dict(find_labels(snapshot, mentioned, language)) | _own_names(own, language)
    found = [s.value for s in both.own_subjects(WS + "Assertion")]
    assertions = [_assertion(iri, both, texts, settings, names) for iri in found]
    assertions.sort(key=lambda a: (a.excerpts[0].document, a.excerpts[0].start) if a.excerpts else ("", 0))
    aside = {WS + "Assertion", WS + "Passage"}
    others = [
        (names.get(kind, shorten(kind)), names.get(subject, shorten(subject)))
        for subject, kind in sorted(_classes(own).items())
        if kind not in aside
    ]
    return Proposed(tuple(_voices_first(assertions)), tuple(others), names)


class _Both:
    def __init__(self, own: ox.Store, published: ox.Store) -> None:
        self.own, self.published = own, published

    def values(self, subject: str, predicate: str) -> list[ox.NamedNode | ox.Literal]:
        node, how = ox.NamedNode(subject), ox.NamedNode(predicate)
        found = dict.fromkeys(
            q.object for store in (self.own, self.published) for q in store.quads_for_pattern(node, how, None, None)
        )
        return [value for value in found if isinstance(value, ox.NamedNode | ox.Literal)]

    def value(self, subject: str, predicate: str) -> str | None:
        found = self.values(subject, predicate)
        return found[0].value if found else None

    def own_subjects(self, class_iri: str) -> list[ox.NamedNode]:
        quads = self.own.quads_for_pattern(None, ox.NamedNode(_TYPE), ox.NamedNode(class_iri), None)
        return sorted({q.subject for q in quads if isinstance(q.subject, ox.NamedNode)}, key=str)

    def has_own(self, subject: str) -> bool:
        return any(True for _ in self.own.quads_for_pattern(ox.NamedNode(subject), None, None, None))


def _assertion(iri: str, both: _Both, texts: Texts, settings: Settings, names: Mapping[str, str]) -> ProposedAssertion:
    own = both.own.quads_for_pattern(ox.NamedNode(iri), None, None, None)
    values: dict[str, tuple[str, ...]] = {}
    for quad in own:
        if isinstance(quad.object, ox.NamedNode | ox.Literal):
            name = quad.predicate.value.removeprefix(WS)
            values[name] = (*values.get(name, ()), quad.object.value)
    proposition, reports = both.value(iri, WS + "proposition"), both.value(iri, WS + "reports")
    kind = "report"
    if proposition is not None:
        classes = [v.value for v in both.values(proposition, _TYPE)]
        kind = next((name for c in classes if (name := _KIND_OF.get(c, "plain")) != "plain"), "plain")
    told = proposition or _told_of(iri, both)
    passages = sorted(_excerpts(iri, both, texts, settings), key=lambda e: (e.document, e.start, e.end))
    return ProposedAssertion(
        iri=iri,
        kind=kind,
        values=values,
        content=(names.get(told) or both.value(told, WS + "gloss") or shorten(told)) if told else "",
        is_new_content=proposition is not None and both.has_own(proposition),
        reports=reports,
        depth=_depth(iri, both),
        excerpts=tuple(passages),
    )


def _told_of(iri: str, both: _Both) -> str | None:
    seen: list[str] = []
    here: str | None = iri
    while here is not None and here not in seen:
        seen.append(here)
        found = both.value(here, WS + "proposition")
        if found is not None:
            return found
        here = both.value(here, WS + "reports")
    return None


def _depth(iri: str, both: _Both) -> int:
    seen = {iri}
    here = iri
    while True:
        node, how = ox.NamedNode(here), ox.NamedNode(WS + "reports")
        around = (
            q.subject.value
            for store in (both.own, both.published)
            for q in store.quads_for_pattern(None, how, node, None)
            if isinstance(q.subject, ox.NamedNode)
        )
        found = next((voice for voice in around if voice not in seen), None)
        if found is None:
            return len(seen) - 1
        seen.add(found)
        here = found


def _excerpts(iri: str, both: _Both, texts: Texts, settings: Settings) -> Iterator[Excerpt]:
    for passage in both.values(iri, WS + "evidencedBy"):
        document = both.value(passage.value, WS + "inDocument")
        start, end = both.value(passage.value, WS + "start"), both.value(passage.value, WS + "end")
        if document is None or start is None or end is None:
            continue
        words, before, after = None, "", ""
        digest = both.value(document, WS + "digest")
        text = texts.find(digest) if digest and settings.quotes != "none" else None
        first, last = int(start), int(end)
        if text is not None:
            words = " ".join(text[first:last].split())
            if settings.quotes == "document":
                before, after = text[max(0, first - AROUND) : first], text[last : last + AROUND]
        yield Excerpt(passage.value, document.removeprefix(ID), first, last, words, before, after)


def _own_names(own: ox.Store, language: str) -> dict[str, str]:
    found: dict[str, tuple[bool, str]] = {}
    for quad in own:
        if quad.predicate.value in _NAMING and isinstance(quad.object, ox.Literal):
            assert isinstance(quad.subject, ox.NamedNode)
            candidate = quad.object.language == language, quad.object.value
            if quad.subject.value not in found or candidate[0] > found[quad.subject.value][0]:
                found[quad.subject.value] = candidate
    return {iri: name for iri, (_, name) in found.items()}


def _classes(own: ox.Store) -> dict[str, str]:
    return {
        q.subject.value: q.object.value
        for q in own.quads_for_pattern(None, ox.NamedNode(_TYPE), None, None)
        if isinstance(q.subject, ox.NamedNode) and isinstance(q.object, ox.NamedNode)
    }


def _voices_first(assertions: list[ProposedAssertion]) -> Iterator[ProposedAssertion]:
    by_iri = {a.iri: a for a in assertions}
    told_of = {a.reports for a in assertions}
    done: set[str] = set()
    for first in [a for a in assertions if a.iri not in told_of] + assertions:
        here: ProposedAssertion | None = first
        while here is not None and here.iri not in done:
            done.add(here.iri)
            yield here
            here = by_iri.get(here.reports or "")
