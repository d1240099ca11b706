"""Texts cut into segments: whatever the passages, nothing is lost, and every segment knows what covers it."""

from __future__ import annotations

import html
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from server.reading.segments import (
    Span,
    as_markup,
    choose_lanes,
    cut_paragraphs,
    cut_segments,
    join_spans,
    numbers_in_words,
    overlapping,
)

LENGTH = 60
spans = st.tuples(st.integers(0, LENGTH), st.integers(1, 20)).map(lambda s: Span(s[0], s[0] + s[1]))


@given(st.lists(spans, max_size=12), st.lists(st.integers(-5, LENGTH + 5), max_size=5))
def test_segments_are_the_text_and_know_exactly_what_covers_them(given: list[Span], stops: list[int]) -> None:
    segments = cut_segments(Span(0, LENGTH), given, stops)
    assert [position for s in segments for position in range(s.span.start, s.span.end)] == list(range(LENGTH))
    for segment in segments:
        for position in range(segment.span.start, segment.span.end):
            covering = tuple(n for n, span in enumerate(given) if span.start <= position < span.end)
            assert segment.covering == covering
    assert all(stop in {s.span.start for s in segments} for stop in stops if 0 < stop < LENGTH)


@given(st.lists(spans, max_size=10))
def test_no_two_passages_share_a_lane_where_they_overlap(given: list[Span]) -> None:
    lanes = choose_lanes(given, most=10)
    for one, first in enumerate(given):
        for other, second in enumerate(given[:one]):
            if first.start < second.end and second.start < first.end:
                assert lanes[one] != lanes[other]


@given(st.lists(spans, max_size=30))
def test_there_are_never_more_lanes_than_are_asked_for(given: list[Span]) -> None:
    assert all(0 <= lane < 3 for lane in choose_lanes(given, most=3))


def test_what_stands_inside_is_nearer_to_the_words() -> None:
    assert choose_lanes([Span(0, 100), Span(10, 90), Span(20, 30)]) == [2, 1, 0]


@given(st.text(alphabet="ab \n\r\t𝔅\u0301", max_size=80))
def test_paragraphs_keep_all_that_is_no_white_space(text: str) -> None:
    found = cut_paragraphs(text)
    kept = {position for p in found for position in range(p.start, p.end)}
    assert all(position in kept or character.isspace() for position, character in enumerate(text))
    assert all(a.end <= b.start for a, b in pairwise(found))


def test_the_lines_of_a_wrapped_text_are_no_paragraphs() -> None:
    line = "x" * 74 + " "
    text = f"{line}\n{line}\n\n{line}\nthe end"
    assert [text[p.start : p.end].count("\n") for p in cut_paragraphs(text)] == [1, 1]


@given(st.text(max_size=40))
def test_a_browser_reads_the_markup_as_the_same_number_of_characters(text: str) -> None:
    markup = str(as_markup(text))
    assert "\r" not in markup
    assert "\0" not in markup
    assert not set("<>\"'") & set(markup)
    read = html.unescape(markup.replace("&#13;", "\r"))
    assert read == text.replace("\0", "\ufffd")


@given(st.lists(spans, max_size=8), spans)
def test_joined_spans_cover_what_their_parts_cover(given: list[Span], within: Span) -> None:
    found = join_spans(given, within)
    covered = {p for s in given for p in range(s.start, s.end)} & set(range(within.start, within.end))
    assert [p for s in found for p in range(s.start, s.end)] == sorted(covered)


def test_overlapping_spans_are_found_among_many() -> None:
    many = [Span(n * 10, n * 10 + 8) for n in range(100)]
    ends = [s.end for s in many]
    assert overlapping(many, ends, Span(15, 31)) == [Span(10, 18), Span(20, 28), Span(30, 38)]
    assert not overlapping(many, ends, Span(18, 20))


def test_numbers_are_told_as_ranges() -> None:
    assert numbers_in_words([5, 4, 9, 1, 2, 3, 11, 12]) == "1–5, 9, 11, 12"
