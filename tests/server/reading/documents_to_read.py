"""Documents for the tests of the reading page: coded from any text, and put into a store as they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyoxigraph as ox

from kg.digests import passage_digest, text_digest
from kg.names import CONTENTS_GRAPH, ID, INFERRED_GRAPH, RDF, WS, XSD, document_graph
from kg.store import StoreFolder
from loaders.texts import cut_sentences
from server.reading.segments import Span

KINDS = ("Relation", "Evaluation", "CausalClaim", "Quantity", "Argument", "Prescription", "Proposition")

ODD = (
    "🦊 The fox & the <b>bridge</b>: “日本語の文 は ここに”.\n\n"
    "Cafe\u0301 \u202e reversed \u202c is ended; 👨‍👩‍👧 a family pays <script>alert(1)</script> nothing.\r\n"
    "العربية من اليمين إلى اليسار, and then left again.\n"
    "𝔅lack letters 𝔅𝔅𝔅 stand at the end; nobody codes this.\n"
)
"""A text with what is hard to count and to show: astral characters, marks that combine, markup, both directions."""


def _node(name: str) -> ox.NamedNode:
    return ox.NamedNode(name if ":" in name else ID + name)


def _ws(name: str) -> ox.NamedNode:
    return ox.NamedNode(WS + name)


def _number(value: int) -> ox.Literal:
    return ox.Literal(str(value), datatype=ox.NamedNode(XSD + "integer"))


def coded(
    name: str, text: str, passages: Iterable[tuple[Span, str]], *, wrong: Iterable[Span] = ()
) -> Iterator[ox.Quad]:
    """Give the quads of a document, each of whose passages somebody asserts something in.

    Parameters:
        name: slug of the document.
        text: its text.
        passages: each with the class of what is asserted there.
        wrong: passages whose digest is to be that of other words.
    """
    graph, contents, inferred = map(ox.NamedNode, (document_graph(name), CONTENTS_GRAPH, INFERRED_GRAPH))
    a, document = ox.NamedNode(RDF + "type"), _node(name)
    own = {
        "title": ox.Literal(f"The document {name}", language="en"),
        "creator": _node("amalia-orvosd"),
        "kind": _ws("documentKind-opEd"),
    }
    own |= {"digest": ox.Literal(text_digest(text)), "textLength": _number(len(text)), "language": ox.Literal("en")}
    yield ox.Quad(document, a, _ws("Document"), graph)
    for key, value in own.items():
        yield ox.Quad(document, _ws(key), value, graph)
    amiss = set(wrong)
    sentences = {Span(s.start, s.end): number for number, s in enumerate(cut_sentences(text), 1)}
    passages = list(passages)
    for span in {*sentences, *(span for span, _ in passages)}:
        passage = _node(f"{name}/{span}")
        words = "other words" if span in amiss else text[span.start : span.end]
        yield ox.Quad(passage, a, _ws("Passage"), graph)
        yield ox.Quad(passage, _ws("inDocument"), document, graph)
        yield ox.Quad(passage, _ws("start"), _number(span.start), graph)
        yield ox.Quad(passage, _ws("end"), _number(span.end), graph)
        yield ox.Quad(passage, _ws("digest"), ox.Literal(passage_digest(words)), graph)
        if span in sentences:
            yield ox.Quad(passage, _ws("sentenceNumber"), _number(sentences[span]), graph)
    for number, (span, kind) in enumerate(passages):
        assertion, content = _node(f"{name}/s{number}"), _node(f"{name}-content-{number}")
        said = {"holder": _node("amalia-orvosd"), "act": _ws("act-states"), "polarity": _ws("polarity-affirms")}
        said |= {"certainty": _ws("certainty-unhedged"), "basis": _ws("basis-stated"), "statedIn": document}
        said |= {"proposition": content, "evidencedBy": _node(f"{name}/{span}"), "status": _ws("status-published")}
        yield ox.Quad(assertion, a, _ws("Assertion"), graph)
        for key, value in said.items():
            yield ox.Quad(assertion, _ws(key), value, graph)
        yield ox.Quad(assertion, _ws("standing"), _ws("standing-onRecord"), inferred)
        yield ox.Quad(content, a, _ws(kind), contents)
        gloss = f"What is said at {span} of the document {name} is a content, about as long as other contents are."
        yield ox.Quad(content, _ws("gloss"), ox.Literal(gloss, language="en"), contents)


def large_text(sentences: int = 3_000) -> str:
    """Return a text of some 130 characters a sentence, in paragraphs of one to twelve sentences."""
    line = "every lorry that crosses the old bridge in the rain pays a toll and is handed a slip of paper stamped on it"
    words = line.split()
    lines, paragraph = [], []
    for number in range(sentences):
        turned = words[number % 20 :] + words[: number % 20]
        paragraph.append(f"In year {number} {' '.join(turned)}, as 𝔅 {number * 7919} tells.")
        if number % (1 + number % 12) == 0:
            lines.append(" ".join(paragraph))
            paragraph = []
    return "\n\n".join([*lines, " ".join(paragraph)])


def large_passages(text: str, most: int) -> list[tuple[Span, str]]:
    """Return passages that nest and overlap: sentences, their first halves, and pairs of them."""
    spans = [Span(s.start, s.end) for s in cut_sentences(text)]
    found = []
    for number, span in enumerate(spans):
        found.append((span, KINDS[number % 7]))
        if number % 2:
            found.append((Span(span.start, (span.start + span.end) // 2), KINDS[(number + 1) % 7]))
        if number % 5 == 0 and number:
            found.append((Span(spans[number - 1].start, span.end), KINDS[(number + 2) % 7]))
    return found[:: max(1, len(found) // most)][:most]


def put(store: Path, quads: Iterable[ox.Quad]) -> None:
    """Put quads into a store as they are, past the shapes."""
    with StoreFolder(store).writer() as writer:
        writer.commit(added=list(quads), removed=[])
