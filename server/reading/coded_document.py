"""What is coded of a document: its sentences, its passages, and chains of voices in the order of the text.

A report tells of one other assertion, and each is told of at most once (`MODEL.md`), so that assertions make chains:
from the voice of the document inwards to the one who holds a content. A chain is what a reader calls one assertion: "A
says that B fears …".

All that is coded of a document stands in its own graph and is read from there in one go. What waits as a proposal can
be laid over it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, TypeAlias

import pyoxigraph as ox

from kg.digests import PASSAGE_DIGITS, passage_digest
from kg.errors import NotFoundError, OverrunError
from kg.names import INFERRED_GRAPH, RDF, RDFS, SKOS, WS, Term, document_graph, shorten
from kg.positions import integer
from kg.store import Snapshot
from server.entities.voices import chain_of, kind_of
from server.reading.segments import Span, overlapping

MOST = 200_000
"""Statements of a document that are read at most; some 20,000 assertions."""

State: TypeAlias = Literal["asserting", "citing", "nothing", "uncoded"]
"""How a sentence is accounted for, if it is."""

_TYPE = ox.NamedNode(RDF + "type")
_ASSERTION = (
    "holder", "holderQuantifier", "speaker", "speakerQuantifier", "act", "polarity", "certainty", "basis",
    "proposition", "reports", "evidencedBy",
)  # fmt: skip
_PLACE = ("start", "end", "digest", "sentenceNumber", "assertsNothing")
_CITATION = ("citedDocument", "noteNumber", "pages")
_READ = """SELECT ?subject ?property ?value WHERE {{
  VALUES ?property {{ {properties} }}
  GRAPH {graph} {{ ?subject ?property ?value }}
}} LIMIT {limit}"""
_STANDINGS = """SELECT ?assertion ?standing WHERE {{
  GRAPH {graph} {{ ?assertion ws:statedIn {document} }}
  GRAPH {inferred} {{ ?assertion ws:standing ?standing }}
}}"""
_NAMED = ("holder", "speaker", "proposition")
_NAMING = tuple(ox.NamedNode(iri) for iri in (SKOS + "prefLabel", WS + "gloss", WS + "title", RDFS + "label"))


@dataclass(frozen=True)
class Citing:
    """A note, as far as the reader of the text is told of it.

    Parameters:
        document: IRI of what it cites.
        note: its number in the text; None where it has none.
        pages: that it names.
    """

    document: str
    note: str | None
    pages: str | None


@dataclass(frozen=True)
class Sentence:
    """A unit of the document, such as a sentence or a heading.

    Parameters:
        number: its place, from 1.
        span: where it is.
        state: how it is accounted for.
        reason: why it asserts nothing, where that is said.
        cites: what its notes cite.
    """

    number: int
    span: Span
    state: State
    reason: str | None
    cites: tuple[Citing, ...]


@dataclass(frozen=True)
class Chain:
    """Voices around one another.

    Parameters:
        voices: assertions, from the outermost inwards.
        spans: of each voice, its passages in order.
        kind: of what the innermost holds; see `server.entities.voices.kind_of`.
        standing: concept that sums its hedges up; None while it is proposed.
        proposal: number of the proposal that it waits in; None where it is published.
    """

    voices: tuple[str, ...]
    spans: tuple[tuple[Span, ...], ...]
    kind: str
    standing: str | None
    proposal: int | None

    @property
    def first(self) -> Span | None:
        """The first passage of the innermost voice, else of one around it."""
        return next((spans[0] for spans in reversed(self.spans) if spans), None)


@dataclass(frozen=True)
class CodedDocument:
    """What is coded of a document.

    Parameters:
        iri: the document.
        own: its own statements: property to values.
        said: statements of assertions, contents and holders: subject to property to values.
        sentences: in order.
        chains: in the order of the text.
        digests: passages that something rests on, and sentences, with the digests of their words.
        withdrawn: assertions that were superseded or retracted, which are in no chain.
        naming: statements that say what everything mentioned is called.
    """

    iri: str
    own: Mapping[str, Sequence[Term]]
    said: Mapping[str, Mapping[str, Sequence[Term]]]
    sentences: tuple[Sentence, ...]
    chains: tuple[Chain, ...]
    digests: Mapping[Span, str]
    withdrawn: frozenset[str]
    naming: tuple[ox.Quad, ...]

    @property
    def digest(self) -> str | None:
        """The digest of its text; None where it was coded from none."""
        return next((v.value for v in self.own.get(WS + "digest", ()) if isinstance(v, ox.Literal)), None)

    def count(self, state: State) -> int:
        """Return how many sentences are accounted for in a way."""
        return sum(sentence.state == state for sentence in self.sentences)


def read_coded(snapshot: Snapshot, iri: str, waiting: Mapping[int, str] | None = None) -> CodedDocument:
    """Read what is coded of a document.

    Parameters:
        snapshot: where it is published.
        iri: the document.
        waiting: proposals to lay over it: number to N-Quads.

    Raises:
        NotFoundError: there is no such document.
        OverrunError: more is coded of it than a page can show.
    """
    store, node = snapshot.store, ox.NamedNode(iri)
    own: dict[str, list[Term]] = {}
    for quad in islice(store.quads_for_pattern(node, None, None, None), 1_000):
        own.setdefault(quad.predicate.value, []).append(quad.object)
    if ox.NamedNode(WS + "Document") not in own.get(_TYPE.value, ()):
        raise NotFoundError(f"there is no document `{shorten(iri)}`", mend="see the list of documents on the home page")
    found = _read_graph(snapshot, iri)
    proposed, quads = _lay_over(found, iri, waiting or {})
    passages = {subject: span for subject, values in found.items() if (span := _span(values))}
    standings = _standings(snapshot, iri)
    held = {subject: values for subject, values in found.items() if WS + "holder" in values}
    said = {a: values for a, values in held.items() if a in standings or a in proposed}
    _add_types(snapshot, said, quads)
    chains = _chains(said, passages, proposed, standings)
    sentences = _sentences(found, passages, chains)
    wanted = {span for chain in chains for spans in chain.spans for span in spans} | {s.span for s in sentences}
    digests = {span: digest for p, span in passages.items() if span in wanted and (digest := _text(found[p], "digest"))}
    naming = (*_names(snapshot, _mentioned(iri, own, said, sentences)), *quads)
    return CodedDocument(iri, own, said, sentences, chains, digests, frozenset(held.keys() - said.keys()), naming)


def find_mismatches(text: str, digests: Mapping[Span, str]) -> list[Span]:
    """Return the passages whose words are not those that were coded, in order.

    Parameters:
        text: of the document.
        digests: what the graph says of its passages.

    >>> find_mismatches("Ruritania", {Span(0, 9): "583f5fcb8001828e", Span(0, 4): "583f5fcb8001828e"})
    [Span(start=0, end=4)]
    """
    return sorted(
        span
        for span, digest in digests.items()
        if span.end > len(text) or passage_digest(text[span.start : span.end]) != digest[:PASSAGE_DIGITS]
    )


_Found: TypeAlias = dict[str, dict[str, list[Term]]]


def _read_graph(snapshot: Snapshot, iri: str) -> _Found:
    properties = " ".join(f"ws:{name}" for name in (*_ASSERTION, *_PLACE, *_CITATION))
    graph = ox.NamedNode(document_graph(iri))
    rows = snapshot.query(_READ.format(properties=properties, graph=graph, limit=MOST + 1))
    assert isinstance(rows, ox.QuerySolutions)
    found: _Found = {}
    number = 0
    for subject, how, value in rows:
        number += 1
        if isinstance(subject, ox.NamedNode) and isinstance(how, ox.NamedNode) and value is not None:
            found.setdefault(subject.value, {}).setdefault(how.value, []).append(value)
    if number > MOST:
        raise OverrunError(
            f"more is coded of `{shorten(iri)}` than a page can show",
            mend=f"look at /explore?document={shorten(iri)}, or ask SPARQL",
        )
    return found


def _lay_over(found: _Found, iri: str, waiting: Mapping[int, str]) -> tuple[dict[str, int], list[ox.Quad]]:
    """Add what is proposed and new; return the proposal of each assertion of it, and all the quads."""
    published = frozenset(found)
    proposed: dict[str, int] = {}
    quads: list[ox.Quad] = []
    for number, text in sorted(waiting.items()):
        taken = frozenset(found)
        for quad in ox.parse(text.encode(), format=ox.RdfFormat.N_QUADS):
            subject = quad.subject
            if not isinstance(subject, ox.NamedNode) or subject.value in published:
                continue
            quads.append(quad)
            if subject.value not in taken:
                found.setdefault(subject.value, {}).setdefault(quad.predicate.value, []).append(quad.object)
                if quad.predicate.value == WS + "statedIn" and quad.object == ox.NamedNode(iri):
                    proposed[subject.value] = number
    return proposed, quads


def _add_types(snapshot: Snapshot, said: _Found, quads: Iterable[ox.Quad]) -> None:
    """Add what contents and holders are, on which it depends how they are shown, and who tells of what."""
    inner = [
        (a, v.value)
        for a, values in said.items()
        for v in values.get(WS + "reports", ())
        if isinstance(v, ox.NamedNode)
    ]
    for outer, told in inner:
        if told in said:
            said[told].setdefault(WS + "within", []).append(ox.NamedNode(outer))
    nodes = {
        v
        for values in said.values()
        for name in ("proposition", "holder")
        for v in values.get(WS + name, ())
        if isinstance(v, ox.NamedNode)
    }
    for node in nodes:
        for quad in snapshot.store.quads_for_pattern(node, _TYPE, None, None):
            said.setdefault(node.value, {}).setdefault(_TYPE.value, []).append(quad.object)
    for quad in quads:
        if quad.predicate == _TYPE and quad.subject in nodes and isinstance(quad.subject, ox.NamedNode):
            said.setdefault(quad.subject.value, {}).setdefault(_TYPE.value, []).append(quad.object)


def _mentioned(
    iri: str, own: Mapping[str, Sequence[Term]], said: _Found, sentences: Iterable[Sentence]
) -> set[ox.NamedNode]:
    terms = [v for values in own.values() for v in values]
    terms += [v for values in said.values() for name in _NAMED for v in values.get(WS + name, ())]
    cited = {ox.NamedNode(c.document) for sentence in sentences for c in sentence.cites}
    return cited | {v for v in terms if isinstance(v, ox.NamedNode)} | {ox.NamedNode(iri)}


def _names(snapshot: Snapshot, nodes: Iterable[ox.NamedNode]) -> Iterator[ox.Quad]:
    """Look names up one by one, which takes a third of the time of a query for all."""
    for node in nodes:
        for naming in _NAMING:
            yield from snapshot.store.quads_for_pattern(node, naming, None, None)


def _standings(snapshot: Snapshot, iri: str) -> dict[str, str]:
    query = _STANDINGS.format(
        graph=ox.NamedNode(document_graph(iri)), document=ox.NamedNode(iri), inferred=ox.NamedNode(INFERRED_GRAPH)
    )
    rows = snapshot.query(query)
    assert isinstance(rows, ox.QuerySolutions)
    return {a.value: s.value for a, s in rows if isinstance(a, ox.NamedNode) and isinstance(s, ox.NamedNode)}


def _chains(
    said: _Found, passages: Mapping[str, Span], proposed: Mapping[str, int], standings: Mapping[str, str]
) -> tuple[Chain, ...]:
    found = []
    for assertion in said:
        values = said[assertion]
        if WS + "holder" not in values or _iri(values, "reports") in said:
            continue  # not the innermost
        voices = tuple(chain_of(assertion, said))
        spans = tuple(
            tuple(
                sorted(
                    {
                        passages[p.value]
                        for p in said[v].get(WS + "evidencedBy", ())
                        if isinstance(p, ox.NamedNode) and p.value in passages
                    }
                )
            )
            for v in voices
        )
        content = _iri(values, "proposition")
        classes = [t.value for t in said.get(content or "", {}).get(_TYPE.value, ()) if isinstance(t, ox.NamedNode)]
        kind = kind_of(classes, report=content is None)
        found.append(Chain(voices, spans, kind, standings.get(assertion), proposed.get(assertion)))
    return tuple(sorted(found, key=lambda chain: (chain.first or Span(-1, -1), chain.voices[-1])))


def _sentences(found: _Found, passages: Mapping[str, Span], chains: Iterable[Chain]) -> tuple[Sentence, ...]:
    numbered = sorted(
        (span, n, p) for p, span in passages.items() if (n := _number(found[p], "sentenceNumber")) is not None
    )
    in_order = [span for span, _, _ in numbered]
    ends = [span.end for span in in_order]
    asserted = {
        s
        for chain in chains
        if chain.proposal is None
        for spans in chain.spans
        for span in spans
        for s in overlapping(in_order, ends, span)
    }
    citing: dict[Span, dict[Citing, None]] = {}
    for values in found.values():
        for document in values.get(WS + "citedDocument", ()):
            if isinstance(document, ox.NamedNode):
                note = Citing(document.value, _text(values, "noteNumber"), _text(values, "pages"))
                for p in values.get(WS + "evidencedBy", ()):
                    if isinstance(p, ox.NamedNode) and p.value in passages:
                        for s in overlapping(in_order, ends, passages[p.value]):
                            citing.setdefault(s, {})[note] = None
    sentences = []
    for span, number, passage in numbered:
        reason, cites = _text(found[passage], "assertsNothing"), tuple(citing.get(span, ()))
        state: State = "asserting" if span in asserted else "citing" if cites else "nothing" if reason else "uncoded"
        sentences.append(Sentence(number, span, state, reason, cites))
    return tuple(sentences)


def _span(values: Mapping[str, Sequence[Term]]) -> Span | None:
    start, end = _number(values, "start"), _number(values, "end")
    return Span(start, end) if start is not None and end is not None and 0 <= start < end else None


def _iri(values: Mapping[str, Sequence[Term]], name: str) -> str | None:
    return min((v.value for v in values.get(WS + name, ()) if isinstance(v, ox.NamedNode)), default=None)


def _text(values: Mapping[str, Sequence[Term]], name: str) -> str | None:
    return min((v.value for v in values.get(WS + name, ()) if isinstance(v, ox.Literal)), default=None)


def _number(values: Mapping[str, Sequence[Term]], name: str) -> int | None:
    return next((n for v in values.get(WS + name, ()) if (n := integer(v)) is not None), None)
