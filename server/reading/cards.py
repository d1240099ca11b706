"""The cards beside a text: one for each chain of voices, and one for what no assertion rests on.

Cards of assertions are numbered in the order of the text. Sentences that only cite or assert nothing have a card each,
with the reason; those that are not yet coded and follow one another have one together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyoxigraph as ox

from kg.languages import Name
from kg.names import WS, shorten
from server.entities.voices import Piece, read_aloud
from server.reading.coded_document import Chain, CodedDocument, Sentence, State
from server.reading.segments import Span, numbers_in_words, overlapping

GLYPHS: Mapping[str, str] = {
    "relation": "↔", "evaluation": "★", "interpretation": "≙", "comparison": "≷", "quantity": "#", "prescription": "!",
    "causal": "→", "pathway": "⇉", "argument": "∴", "plain": "¶", "report": "❞",
}  # fmt: skip
"""A sign for each kind of assertion, for those who do not tell its colour."""

KIND_NAMES: Mapping[str, str] = {
    "relation": "relation", "evaluation": "evaluation", "interpretation": "interpretation", "comparison": "comparison",
    "quantity": "quantity", "prescription": "prescription", "causal": "causal claim", "pathway": "causal pathway",
    "argument": "argument", "plain": "other statement", "report": "report",
}  # fmt: skip

_STANDINGS = {
    WS + "standing-hedged": "hedged", WS + "standing-open": "left open", WS + "standing-disavowed": "disavowed",
}  # fmt: skip


@dataclass(frozen=True)
class Voice:
    """A line of a card.

    Parameters:
        iri: the assertion.
        key: its name within the document.
        pieces: its words: who, what they do, and what qualifies it.
    """

    iri: str
    key: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Note:
    """What is told of sentences that no assertion rests on.

    Parameters:
        state: how they are accounted for, if they are.
        reason: why they assert nothing.
        cites: what they cite: what it is called, its IRI, and where in it.
    """

    state: State
    reason: str | None
    cites: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Card:
    """What stands beside a passage.

    Parameters:
        spans: its passages, those of the innermost voice first.
        sentences: numbers of the sentences that it rests on, in words.
        number: in the order of the text; None for a note.
        chain: what it shows; None for a note.
        voices: from the outermost inwards.
        content: what is held.
        standing: a word where it is not simply on record.
        holder: who holds the innermost stance, as an address has it.
        note: what is told in place of voices.
    """

    spans: tuple[Span, ...]
    sentences: str
    number: int | None = None
    chain: Chain | None = None
    voices: tuple[Voice, ...] = ()
    content: Piece | None = None
    standing: str | None = None
    holder: str = ""
    note: Note | None = None

    @property
    def anchor(self) -> str:
        """Its place in the page."""
        return f"card-{self.number}" if self.number else f"note-{self.spans[0].start}"

    def answers(self, key: str) -> bool:
        """Tell whether it shows an assertion.

        Parameters:
            key: its name within the document, or as it is shortened.
        """
        return any(key in (voice.key, shorten(voice.iri)) for voice in self.voices)

    @property
    def kind(self) -> str:
        """The kind of what is held."""
        return self.chain.kind if self.chain else ""

    @property
    def place(self) -> int:
        """Where it belongs in the text, in code points; what has no passage comes first."""
        return self.spans[0].start if self.spans else -1


def make_cards(coded: CodedDocument, names: Mapping[str, Name]) -> list[Card]:
    """Return the cards of a document in the order of the text.

    Parameters:
        coded: what is coded of it.
        names: what everything is called.
    """
    in_order = [sentence.span for sentence in coded.sentences]
    numbers = {sentence.span: sentence.number for sentence in coded.sentences}
    ends = [span.end for span in in_order]
    cards = []
    for number, chain in enumerate(coded.chains, 1):
        spans = tuple(dict.fromkeys(span for spans in reversed(chain.spans) for span in spans))
        resting = [numbers[s] for span in chain.spans[-1] or spans for s in overlapping(in_order, ends, span)]
        pieces = read_aloud(chain.voices, coded.said, names)
        holders = [v.value for v in coded.said[chain.voices[-1]][WS + "holder"] if isinstance(v, ox.NamedNode)]
        cards.append(
            Card(
                spans=spans,
                sentences=numbers_in_words(resting),
                number=number,
                chain=chain,
                voices=tuple(_voices(pieces[:-1], coded.iri)),
                content=pieces[-1],
                standing=_STANDINGS.get(chain.standing or ""),
                holder=shorten(min(holders, default="")),
            )
        )
    cards += [_note(group, names) for group in _unasserting(coded.sentences)]
    return sorted(cards, key=lambda card: card.place)


def key_of(assertion: str, document: str) -> str:
    """Return the name of an assertion within its document.

    >>> key_of("https://w3id.org/whosays/id/bridge-toll/s6b", "https://w3id.org/whosays/id/bridge-toll")
    's6b'
    """
    within = f"{document}/"
    return assertion.removeprefix(within) if assertion.startswith(within) else shorten(assertion)


def _voices(pieces: Iterable[Piece], document: str) -> Iterable[Voice]:
    lines: list[tuple[str, list[Piece]]] = []
    for piece in pieces:
        if piece.voice is not None and (not lines or lines[-1][0] != piece.voice):
            lines.append((piece.voice, []))
        if lines:
            lines[-1][1].append(piece)
    return [Voice(iri, key_of(iri, document), tuple(words)) for iri, words in lines]


def _unasserting(sentences: Sequence[Sentence]) -> list[list[Sentence]]:
    groups: list[list[Sentence]] = []
    for sentence in sentences:
        last = groups[-1][-1] if groups else None
        goes_on = last is not None and last.state == "uncoded" and last.number == sentence.number - 1
        if sentence.state == "uncoded" and goes_on:
            groups[-1].append(sentence)
        elif sentence.state != "asserting":
            groups.append([sentence])
    return groups


def _note(group: Sequence[Sentence], names: Mapping[str, Name]) -> Card:
    cites = []
    for citing in group[0].cites:
        where = [f"note {citing.note}" if citing.note else "", f"pp. {citing.pages}" if citing.pages else ""]
        called = names.get(citing.document) or shorten(citing.document)
        cites.append((called, citing.document, ", ".join(part for part in where if part)))
    return Card(
        spans=tuple(sentence.span for sentence in group),
        sentences=numbers_in_words(sentence.number for sentence in group),
        note=Note(group[0].state, group[0].reason, tuple(cites)),
    )
