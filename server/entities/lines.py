"""Assertions as a page tells them: each a sentence, the words that it rests on, and where they stand.

First everything is gathered that the sentences are made of, with the voices around each assertion and within it; then,
when it is known what all that is called, the lines are made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import pyoxigraph as ox

from kg.describing import Run, quotes_query
from kg.languages import Name
from kg.names import ID, RDF, WS, Term, shorten
from server.entities.date_words import date_in_words
from server.entities.voices import VOICED, Piece, Statements, chain_of, kind_of, read_aloud

BATCH = 200
"""Nodes that one query asks about."""

WITHDRAWN = {WS + "status-superseded": "superseded", WS + "status-retracted": "retracted"}
"""What takes an assertion out of the discourse, in words."""

_TOLD = tuple(WS + name for name in ("statedIn", "evidencedBy", "standing", "status", "effectiveDate", "otherReading"))
_KINDS = (WS + "proposition", WS + "holder", WS + "speaker")
_PASSAGE = tuple(WS + name for name in ("start", "end", "inDocument", "sentenceNumber", "language"))


@dataclass(frozen=True)
class Passage:
    """A passage, as a line shows it.

    Parameters:
        iri: its name.
        document: IRI of its document; None where that is not known.
        start, end: its position, in code points.
        sentence: its number, where it is a whole sentence.
        words: what it says; None where the text is not at hand.
    """

    iri: str
    document: str | None
    start: str
    end: str
    sentence: str | None
    words: str | None

    @property
    def place(self) -> str:
        """Where it stands, in words."""
        position = f"characters {self.start}–{self.end}"
        return f"sentence {self.sentence}, {position}" if self.sentence else position

    @property
    def address(self) -> str | None:
        """Where it can be read in its text."""
        return f"{reading_address(self.document)}#{self.start}-{self.end}" if self.document else None


@dataclass(frozen=True)
class Line:
    """An assertion, as a page tells it.

    Parameters:
        iri: its name.
        kind: of its content; see `server.entities.voices.kind_of`.
        pieces: the sentence.
        passages: what it rests on.
        document: IRI of the document; None where that is not known.
        day: when it counts, in words; None where that is not known.
        standing: its standing, or how it was withdrawn; None where neither is known.
    """

    iri: str
    kind: str
    pieces: Sequence[Piece]
    passages: Sequence[Passage]
    document: str | None
    day: str | None
    standing: Term | None


@dataclass(frozen=True)
class Gathered:
    """What sentences are made of.

    Parameters:
        said: statements of the assertions, of the voices around them and of their contents.
        passages: by name.
    """

    said: Statements
    passages: Mapping[str, Passage]

    def mentioned(self) -> set[str]:
        """Return the IRIs that need names."""
        values = (value for told in self.said.values() for terms in told.values() for value in terms)
        found = {value.value for value in values if isinstance(value, ox.NamedNode)}
        return (found | {p.document for p in self.passages.values() if p.document}) - self.passages.keys()

    def line(self, assertion: str, names: Mapping[str, str], *, within: bool = False) -> Line:
        """Return an assertion as a page tells it.

        Parameters:
            assertion: its IRI.
            names: what everything mentioned is called.
            within: True to leave the voices around it out.
        """
        told = self.said.get(assertion, {})
        chain = chain_of(assertion, self.said)
        if within:
            chain = chain[chain.index(assertion) :]
        content = iris(self.said.get(chain[-1], {}).get(WS + "proposition", ()))
        classes = iris(self.said.get(content[0], {}).get(RDF + "type", ())) if content else []
        documents, days = iris(told.get(WS + "statedIn", ())), told.get(WS + "effectiveDate", ())
        status = [s for s in told.get(WS + "status", ()) if isinstance(s, ox.NamedNode) and s.value in WITHDRAWN]
        passages = [self.passages[p] for p in iris(told.get(WS + "evidencedBy", ())) if p in self.passages]
        return Line(
            iri=assertion,
            kind=kind_of(classes, report=bool(told.get(WS + "reports"))),
            pieces=read_aloud(chain, self.said, names),
            passages=sorted(passages, key=lambda p: int(p.start) if p.start.isdecimal() else 0),
            document=documents[0] if documents else None,
            day=next((date_in_words(day.value) for day in days if isinstance(day, ox.Literal)), None),
            standing=next(iter([*status, *told.get(WS + "standing", ())]), None),
        )


def gather(run: Run, assertions: Iterable[str], passages: Iterable[str] = ()) -> Gathered:
    """Gather what the sentences of assertions are made of.

    Parameters:
        run: answers a query.
        assertions: IRIs.
        passages: IRIs of further passages that are wanted.

    >>> gather(lambda _: ox.QuerySolutions, []).said
    {}
    """
    wanted = list(dict.fromkeys(assertions))
    voices = _voices(run, wanted)
    said = values_of(run, voices, (*VOICED, *_TOLD))
    kinds = {v for told in said.values() for name in _KINDS for v in iris(told.get(name, ()))}
    said = {**values_of(run, kinds, (RDF + "type",)), **said}
    cited = [p for a in wanted for p in iris(said.get(a, {}).get(WS + "evidencedBy", ()))]
    return Gathered(said, read_passages(run, [*cited, *passages]))


def read_passages(run: Run, passages: Iterable[str]) -> dict[str, Passage]:
    """Return passages with their words, by name.

    Parameters:
        run: answers a query, with ``ws:quote``.
        passages: IRIs.
    """
    wanted = list(dict.fromkeys(passages))
    places = values_of(run, wanted, _PASSAGE)
    words: dict[str, str | None] = {}
    for batch in _batches([p for p in wanted if p in places]):
        results = run(quotes_query(batch))
        assert isinstance(results, ox.QuerySolutions)
        for row in results:
            passage, found = row["passage"], row["quote"]
            if isinstance(passage, ox.NamedNode):
                words[passage.value] = found.value if isinstance(found, ox.Literal) else None

    def one(passage: str, name: str) -> str:
        return next((v.value for v in places[passage].get(WS + name, ()) if isinstance(v, ox.Literal)), "")

    return {
        p: Passage(
            iri=p,
            document=next(iter(iris(places[p].get(WS + "inDocument", ()))), None),
            start=one(p, "start"),
            end=one(p, "end"),
            sentence=one(p, "sentenceNumber") or None,
            words=words.get(p),
        )
        for p in wanted
        if p in places
    }


def values_of(run: Run, nodes: Collection[str], properties: Collection[str]) -> dict[str, dict[str, list[Term]]]:
    """Return what nodes have of some properties: subject to property to values.

    Parameters:
        run: answers a query.
        nodes, properties: IRIs.
    """
    found: dict[str, dict[str, list[Term]]] = {}
    names = [ox.NamedNode(p) for p in properties]
    # Not by VALUES for several properties: the engine then looks through all that has them.
    among = f"FILTER(?property IN ({', '.join(map(str, names))}))"
    told = f"{names[0]} ?value BIND({names[0]} AS ?property)" if len(names) == 1 else f"?property ?value {among}"
    for batch in _batches(sorted(nodes)):
        given = " ".join(str(ox.NamedNode(n)) for n in batch)
        results = run(f"SELECT ?node ?property ?value WHERE {{ VALUES ?node {{ {given} }} ?node {told} }}")
        assert isinstance(results, ox.QuerySolutions)
        for row in results:
            node, name, value = row["node"], row["property"], row["value"]
            assert isinstance(node, ox.NamedNode)
            assert isinstance(name, ox.NamedNode)
            assert value is not None
            values = found.setdefault(node.value, {}).setdefault(name.value, [])
            if value not in values:
                values.append(value)
    return found


def reading_address(document: str) -> str:
    """Return the address of the page on which a document is read.

    >>> reading_address("https://w3id.org/whosays/id/bridge-toll")
    '/documents/bridge-toll'
    """
    return f"/documents/{quote(document.removeprefix(ID), safe='')}"


def iris(terms: Iterable[Term]) -> list[str]:
    """Return the IRIs among terms.

    >>> iris([ox.NamedNode("ex:a"), ox.Literal("b")])
    ['ex:a']
    """
    return [term.value for term in terms if isinstance(term, ox.NamedNode)]


def name_of(iri: str, names: Mapping[str, str]) -> str:
    """Return what something is called, or else its short name.

    >>> name_of("https://w3id.org/whosays/id/ruritania", {})
    'ruritania'
    """
    return names.get(iri) or Name(shorten(iri))


def _voices(run: Run, assertions: Sequence[str]) -> list[str]:
    """Return assertions with all voices around them and within them."""
    found = dict.fromkeys(assertions)
    for batch in _batches(assertions):
        given = " ".join(str(ox.NamedNode(a)) for a in batch)
        around = f"VALUES ?assertion {{ {given} }} ?assertion ws:within+|ws:reports+ ?voice"
        results = run(f"SELECT DISTINCT ?voice WHERE {{ {around} }}")
        assert isinstance(results, ox.QuerySolutions)
        found |= dict.fromkeys(v.value for row in results if isinstance(v := row["voice"], ox.NamedNode))
    return list(found)


def _batches(nodes: Sequence[str]) -> Iterable[Sequence[str]]:
    return (nodes[i : i + BATCH] for i in range(0, len(nodes), BATCH))
