"""What the reading page of a document shows: its text in segments with marks, or its outline, and cards beside it.

A *mark* is a passage, once for each kind of what is asserted there; where the passage ends, a *reference* with the
numbers of its cards leads to them, as that of a footnote does. Where a voice and the one that it tells of rest on the
same passage, the inner one is marked, and how deep it stands. A passage of which the digest does not match is told, and
marked nowhere.

All this is in the page as the server sends it. `@recogito/text-annotator` was considered and left. It draws highlights
by script alone, so that there are none without it; and draws them with a style sheet made as it goes, which no hash
lets through the content security policy, or as boxes behind the text, which no printer keeps. It counts UTF-16 units.
What is left of it is the browser's own selection, which `islands/src/reading.ts` takes as it is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from kg.languages import Name
from server.reading.cards import GLYPHS, KIND_NAMES, Card, make_cards
from server.reading.coded_document import CodedDocument, Sentence, find_mismatches
from server.reading.segments import (
    Segment,
    Span,
    as_markup,
    choose_lanes,
    cut_paragraphs,
    cut_segments,
    join_spans,
    numbers_in_words,
    overlapping,
)

DEEPEST = 3
"""Voices around one another that are told apart in the text."""

LINE = 75
"""Characters of a line, about; by this the browser is told how high a paragraph will be that it has not yet drawn."""


@dataclass(frozen=True)
class Mark:
    """A passage, for one kind of what is asserted there.

    Parameters:
        span: where it is.
        kind: what is asserted; ``report`` where only somebody outside tells of it.
        depth: how many voices stand around it.
        waits: whether all of it is only proposed.
    """

    span: Span
    kind: str
    depth: int
    waits: bool


@dataclass(frozen=True)
class Reference:
    """What leads from the end of a passage to its cards.

    Parameters:
        passage: its span, as in an address.
        anchor: of the first card.
        numbers: of the cards, in words.
        label: for those who hear the page.
        signs: of the kinds, one after another.
        kind: that of the first card, which gives the colour.
    """

    passage: str
    anchor: str
    numbers: str
    label: str
    signs: str
    kind: str


@dataclass(frozen=True)
class Layer:
    """A mark in a segment.

    Parameters:
        classes: names for the style sheet.
        passage: the span, as in an address.
        anchor: the same at the beginning of the passage, where it is the place that an address leads to.
    """

    classes: str
    passage: str
    anchor: str


@dataclass(frozen=True)
class Run:
    """A segment as it is shown.

    Parameters:
        start: position of its first character.
        words: as HTML.
        layers: from the outermost inwards.
        references: of the passages that end here.
    """

    start: int
    words: Markup
    layers: tuple[Layer, ...]
    references: tuple[Reference, ...]


@dataclass(frozen=True)
class Stretch:
    """Segments of one sentence, or of what stands between sentences.

    Parameters:
        sentence: None for what stands between.
        begins, ends: whether the sentence does so here; it can go on in another paragraph.
        runs: its segments.
        note: anchor of the card that says why no assertion rests on it.
    """

    sentence: Sentence | None
    begins: bool
    ends: bool
    runs: tuple[Run, ...]
    note: str | None


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of the text.

    Parameters:
        stretches: its parts.
        lines: how many it will take, about: a power of two, at most 64.
    """

    stretches: tuple[Stretch, ...]
    lines: int


@dataclass(frozen=True)
class Row:
    """A sentence of the outline.

    Parameters:
        sentence: the sentence.
        words: of the passages in it, where they may be shown.
        references: to the cards that rest on it, each with the anchor of its passage if that is here.
        note: anchor of the card that says why there are none.
    """

    sentence: Sentence
    words: tuple[str, ...]
    references: tuple[tuple[Reference, str], ...]
    note: str | None


@dataclass(frozen=True)
class ReadingPage:
    """What the reading page shows.

    Parameters:
        cards: in the order of the text.
        paragraphs: of the text; none where only the outline is shown.
        rows: of the outline; none where the text is shown.
        kinds: each kind that occurs, and of how many cards.
        mismatches: passages whose words are not those that were coded.
    """

    cards: tuple[Card, ...]
    paragraphs: tuple[Paragraph, ...]
    rows: tuple[Row, ...]
    kinds: Mapping[str, int]
    mismatches: tuple[Span, ...]

    @property
    def assertions(self) -> int:
        """How many cards are numbered."""
        return sum(card.number is not None for card in self.cards)


def reading_page(
    coded: CodedDocument, names: Mapping[str, Name], text: str | None, *, whole: bool = True
) -> ReadingPage:
    """Return what the page shows.

    Parameters:
        coded: what is coded of the document.
        names: what everything is called.
        text: of the document; None where it is not at hand, or nothing of it may be shown.
        whole: whether all of the text may be shown, and not its passages alone.
    """
    cards = make_cards(coded, names)
    mismatches = find_mismatches(text, coded.digests) if text is not None else []
    amiss = frozenset(mismatches)
    references = _references(cards, amiss)
    notes = {span: card.anchor for card in cards if card.note for span in card.spans}
    paragraphs: list[Paragraph] = []
    rows: list[Row] = []
    if text is not None and whole:
        paragraphs = _paragraphs(text, coded.sentences, _marks(cards, amiss), references, notes)
    else:
        rows = _rows(text, coded.sentences, references, notes)
    counts = [card.kind for card in cards if card.number is not None]
    kinds = {kind: counts.count(kind) for kind in GLYPHS if kind in counts}
    return ReadingPage(tuple(cards), tuple(paragraphs), tuple(rows), kinds, tuple(mismatches))


def _references(cards: Iterable[Card], amiss: frozenset[Span]) -> dict[Span, Reference]:
    resting: dict[Span, list[Card]] = {}
    for card in cards:
        if card.number is not None:
            for span in card.spans:
                if span not in amiss:
                    resting.setdefault(span, []).append(card)
    return {span: _reference(span, found) for span, found in resting.items()}


def _reference(span: Span, cards: Sequence[Card]) -> Reference:
    kinds = list(dict.fromkeys(card.kind for card in cards))
    numbers = numbers_in_words(card.number for card in cards if card.number is not None)
    names = ", ".join(KIND_NAMES[kind] for kind in kinds)
    label = f"assertion{'s' if len(cards) > 1 else ''} {numbers}: {names}"
    signs = "".join(GLYPHS[kind] for kind in kinds)
    return Reference(str(span), cards[0].anchor, numbers, label, signs, kinds[0])


def _marks(cards: Iterable[Card], amiss: frozenset[Span]) -> list[Mark]:
    found: dict[tuple[Span, str], list[tuple[int, bool]]] = {}
    for card in cards:
        chain = card.chain
        for depth, spans in enumerate(chain.spans if chain else ()):
            assert chain is not None
            last = depth == len(chain.spans) - 1
            for span in spans:
                if span not in amiss and (last or span not in chain.spans[-1]):
                    told = (depth, chain.proposal is not None)
                    found.setdefault((span, chain.kind if last else "report"), []).append(told)
    return [
        Mark(span, kind, max(depth for depth, _ in told), all(waits for _, waits in told))
        for (span, kind), told in sorted(found.items())
    ]


def _paragraphs(
    text: str,
    sentences: Sequence[Sentence],
    marks: Sequence[Mark],
    references: Mapping[Span, Reference],
    notes: Mapping[Span, str],
) -> list[Paragraph]:
    blocks = cut_paragraphs(text)
    spans = [mark.span for mark in marks]
    stops = {stop for span in [*blocks, *(s.span for s in sentences)] for stop in (span.start, span.end)}
    cut = _within(blocks, cut_segments(Span(0, len(text)), spans, stops))
    shown = [segment for segments in cut for segment in segments]
    first = {spans[n]: segment.span.start for segment in reversed(shown) for n in segment.covering}
    last = {spans[n]: segment.span.start for segment in shown for n in segment.covering}
    ending: dict[int, list[Span]] = {}
    for span in sorted(last):
        ending.setdefault(last[span], []).append(span)
    lanes = choose_lanes(spans)
    anchored = {sentence.span for sentence in sentences}

    def layer(number: int, start: int) -> Layer:
        mark, span = marks[number], spans[number]
        names = [f"mark kind-{mark.kind} lane-{lanes[number]}"]
        names += [f"depth-{min(mark.depth, DEEPEST)}"] if mark.depth else []
        told = {"begins": first[span] == start, "ends": last[span] == start, "waits": mark.waits}
        anchor = ""
        if told["begins"] and span not in anchored:
            anchored.add(span)
            anchor = str(span)
        return Layer(" ".join([*names, *(name for name, true in told.items() if true)]), str(span), anchor)

    def run(segment: Segment) -> Run:
        start = segment.span.start
        return Run(
            start,
            as_markup(text[start : segment.span.end]),
            tuple(layer(n, start) for n in sorted(segment.covering, key=lambda n: (-lanes[n], n))),
            tuple(references[span] for span in ending.get(start, ())),
        )

    return [
        Paragraph(tuple(_stretches(segments, sentences, run, notes)), _lines(block))
        for block, segments in zip(blocks, cut, strict=True)
    ]


def _lines(block: Span) -> int:
    """Return about how many lines a block takes.

    >>> [_lines(Span(0, length)) for length in (10, 200, 100_000)]
    [1, 4, 64]
    """
    return 1 << min(6, ((block.end - block.start - 1) // LINE).bit_length())


def _within(blocks: Sequence[Span], segments: Sequence[Segment]) -> list[list[Segment]]:
    """Return the segments of each block; those between blocks are left out."""
    found: list[list[Segment]] = [[] for _ in blocks]
    place = 0
    for segment in segments:
        while place < len(blocks) and blocks[place].end <= segment.span.start:
            place += 1
        if place < len(blocks) and blocks[place].start <= segment.span.start:
            found[place].append(segment)
    return found


def _stretches(
    segments: Sequence[Segment], sentences: Sequence[Sentence], run: Callable[[Segment], Run], notes: Mapping[Span, str]
) -> Iterable[Stretch]:
    groups: list[tuple[Sentence | None, list[Segment]]] = []
    for segment in segments:
        place = bisect_right(sentences, segment.span.start, key=lambda sentence: sentence.span.start) - 1
        inside = place >= 0 and segment.span.start < sentences[place].span.end
        sentence = sentences[place] if inside else None
        if not groups or groups[-1][0] is not sentence:
            groups.append((sentence, []))
        groups[-1][1].append(segment)
    for sentence, parts in groups:
        span = sentence.span if sentence else None
        begins = span is not None and parts[0].span.start == span.start
        ends = span is not None and parts[-1].span.end == span.end
        yield Stretch(sentence, begins, ends, tuple(run(part) for part in parts), notes.get(span) if span else None)


def _rows(
    text: str | None, sentences: Sequence[Sentence], references: Mapping[Span, Reference], notes: Mapping[Span, str]
) -> list[Row]:
    in_order = [sentence.span for sentence in sentences]
    ends = [span.end for span in in_order]
    resting: dict[Span, list[Span]] = {}
    for span in sorted(references):
        for sentence_span in overlapping(in_order, ends, span):
            resting.setdefault(sentence_span, []).append(span)
    anchored = set(in_order)
    rows = []
    for sentence in sentences:
        spans = resting.get(sentence.span, [])
        parts = [] if text is None else join_spans(spans, sentence.span)
        words = tuple(" ".join((text or "")[part.start : part.end].split()) for part in parts)
        found = tuple((references[span], "" if span in anchored else str(span)) for span in spans)
        anchored.update(spans)
        rows.append(Row(sentence, words, found, notes.get(sentence.span)))
    return rows
