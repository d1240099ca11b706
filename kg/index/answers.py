"""What the index answers with: hits of a search, facets with their counts, rows of assertions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

HIT_KINDS = ("agent", "document", "issue", "proposition", "passage", "factor", "other", "concept")
"""Kinds of what is found; `other` are offices, agreements, events, theories, places and measures."""


@dataclass(frozen=True)
class Hit:
    """One thing that was found.

    Parameters:
        iri: of the thing.
        kind: one of `HIT_KINDS`.
        label: what it is called, in the language asked for where there is such a name; empty for a passage.
        language: tag of the label's language.
        matched: the name or the words that were looked for and found, if others than the label.
        document: of a passage, the document that it stands in.
        start, end: of a passage, in code points.
        score: the higher, the better it fits; comparable within one answer.
    """

    iri: str
    kind: str
    label: str
    language: str
    matched: str
    document: str | None
    start: int | None
    end: int | None
    score: float


@dataclass(frozen=True)
class Found:
    """What a search found.

    Parameters:
        hits: the best, in order.
        counts: kind to the number of all that match, whichever kinds were asked for.
        total: how many match of the kinds that were asked for.
    """

    hits: tuple[Hit, ...]
    counts: Mapping[str, int]
    total: int


@dataclass(frozen=True)
class FacetValue:
    """A value of a facet.

    Parameters:
        iri: of the value.
        label: what it is called.
        count: how many assertions there are with it, if all other facets stay as they are.
        chosen: whether it is chosen.
    """

    iri: str
    label: str
    count: int
    chosen: bool


@dataclass(frozen=True)
class AssertionRow:
    """An assertion, with all that a list or a picture shows of it. Things are given by their IRIs.

    Parameters:
        iri: of the assertion.
        holder, speaker: who holds the stance; who voices it.
        act, family: what the holder does, and the family of that act.
        polarity, certainty, basis: concepts.
        standing: concept; None where it was superseded or retracted.
        document: in which it is stated.
        proposition: its content; None for a report.
        gloss: of its content, or of the content that a report tells of at last; empty where there is none.
        kind: short name of the kind of content, see `kg.filters.KINDS`.
        reports: the assertion that it tells of.
        within: the assertion that tells of it.
        depth: how many voices are around it; 0 for the outermost.
        reporter: holder of the outermost voice.
        day: its effective date as written, EDTF.
        earliest, latest: the days that this can mean, ISO 8601.
        passages: IRI, start and end of each, in the order of the text.
        targets: what the content is about, issues apart.
        issues: the issues that it is about, and those above them.
    """

    iri: str
    holder: str
    speaker: str | None
    act: str
    family: str
    polarity: str
    certainty: str
    basis: str
    standing: str | None
    document: str
    proposition: str | None
    gloss: str
    kind: str
    reports: str | None
    within: str | None
    depth: int
    reporter: str
    day: str | None
    earliest: str | None
    latest: str | None
    passages: tuple[tuple[str, int, int], ...]
    targets: tuple[str, ...]
    issues: tuple[str, ...]


@dataclass(frozen=True)
class Explored:
    """What the explorer shows.

    Parameters:
        rows: a page of the assertions, document by document in the order of the text.
        total: how many there are.
        facets: facet to its values, the most frequent first, those chosen always among them.
        years: year and how many assertions may be of it, in order.
    """

    rows: tuple[AssertionRow, ...]
    total: int
    facets: Mapping[str, tuple[FacetValue, ...]]
    years: tuple[tuple[int, int], ...]
