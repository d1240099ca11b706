"""A text cut into segments, at every boundary of a paragraph, a sentence or a passage; each knows what covers it.

Passages overlap and nest, and HTML elements can only nest. So the text is cut wherever anything begins or ends, and
each segment is shown with all that covers it. Each of these has a *lane*, the same from its beginning to its end,
which no other has beside it: the lines below the words keep their height, and the shorter is nearer to the words.

Positions are code points of the text as it is.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

LANES = 4
"""Lines below the words; what would be further down shares the last."""

_LONG_LINE = 75
_WRAPPED_AT_LEAST = 0.5
_BLANK_LINES = re.compile(r"(?:[ \t\r]*\n){2,}")
_LINE_ENDS = re.compile(r"[\r\n]+")


@dataclass(frozen=True, order=True)
class Span:
    """A stretch of a text.

    Parameters:
        start: position of its first character.
        end: position after its last.
    """

    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.start}-{self.end}"


@dataclass(frozen=True)
class Segment:
    """A stretch of a text in which nothing begins or ends.

    Parameters:
        span: where it is.
        covering: numbers of the spans that cover it, in the order in which they were given.
    """

    span: Span
    covering: tuple[int, ...]


def cut_segments(whole: Span, spans: Sequence[Span], stops: Iterable[int] = ()) -> list[Segment]:
    """Cut a stretch of a text wherever a span begins or ends.

    Parameters:
        whole: what is cut.
        spans: what covers parts of it; what lies outside is passed over.
        stops: further positions to cut at.

    Returns:
        Segments, in order and without gaps.

    >>> [(str(s.span), s.covering) for s in cut_segments(Span(0, 9), [Span(2, 6), Span(4, 9)])]
    [('0-2', ()), ('2-4', (0,)), ('4-6', (0, 1)), ('6-9', (1,))]
    """
    starting: dict[int, list[int]] = {}
    ending: dict[int, list[int]] = {}
    for number, span in enumerate(spans):
        start, end = max(span.start, whole.start), min(span.end, whole.end)
        if start < end:
            starting.setdefault(start, []).append(number)
            ending.setdefault(end, []).append(number)
    inside = {stop for stop in stops if whole.start < stop < whole.end}
    bounds = sorted({whole.start, whole.end} | starting.keys() | ending.keys() | inside)
    open_now: set[int] = set()
    found = []
    for start, end in pairwise(bounds):
        open_now.difference_update(ending.get(start, ()))
        open_now.update(starting.get(start, ()))
        found.append(Segment(Span(start, end), tuple(sorted(open_now))))
    return found


def choose_lanes(spans: Sequence[Span], most: int = LANES) -> list[int]:
    """Give each span a lane that no span has which it overlaps, as long as there are lanes.

    Parameters:
        spans: in any order.
        most: how many lanes there are.

    Returns:
        The lane of each, from 0, which is for the shortest.

    >>> choose_lanes([Span(0, 9), Span(2, 6), Span(4, 9)])
    [2, 0, 1]
    """
    taken: list[list[Span]] = [[] for _ in range(most)]
    lanes = [0] * len(spans)
    for number in sorted(range(len(spans)), key=lambda n: (spans[n].end - spans[n].start, spans[n], n)):
        span = spans[number]
        lane = next((lane for lane in range(most) if _is_free(taken[lane], span)), most - 1)
        insort(taken[lane], span)
        lanes[number] = lane
    return lanes


def cut_paragraphs(text: str) -> list[Span]:
    """Cut a text into paragraphs, without the white space around them.

    Parameters:
        text: the whole text. Where its lines are wrapped, an empty line divides paragraphs, else every line is one.

    >>> text = "A heading\\nOne paragraph.\\n\\nAnother.\\n"
    >>> [text[p.start:p.end] for p in cut_paragraphs(text)]
    ['A heading', 'One paragraph.', 'Another.']
    """
    lines = [line for line in text.split("\n") if line.strip()]
    full = sum(_LONG_LINE <= len(line) <= 2 * _LONG_LINE for line in lines)
    divider = _BLANK_LINES if lines and full >= _WRAPPED_AT_LEAST * len(lines) else _LINE_ENDS
    found, start = [], 0
    for start_of_gap, end_of_gap in [*(m.span() for m in divider.finditer(text)), (len(text), len(text))]:
        words = text[start:start_of_gap]
        if words.strip():
            indent = len(words) - len(words.lstrip())
            found.append(Span(start + indent, start + len(words.rstrip())))
        start = end_of_gap
    return found


def as_markup(words: str) -> Markup:
    """Return words as HTML from which a browser makes as many code points as there were.

    A reader of HTML makes one character of carriage return and line feed, and drops NUL.

    Source: https://html.spec.whatwg.org/multipage/parsing.html#preprocessing-the-input-stream

    >>> as_markup("a < b\\r\\n")
    Markup('a &lt; b&#13;\\n')
    """
    return Markup(str(escape(words)).replace("\r", "&#13;").replace("\0", "\ufffd"))


def numbers_in_words(numbers: Iterable[int]) -> str:
    """Return numbers as ranges.

    >>> numbers_in_words([3, 1, 2, 7])
    '1–3, 7'
    """
    ranges: list[list[int]] = []
    for number in sorted(set(numbers)):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}–{b}" if b > a + 1 else f"{a}, {b}" for a, b in ranges)


def overlapping(spans: Sequence[Span], ends: Sequence[int], span: Span) -> Sequence[Span]:
    """Return those of some spans that share a character with another.

    Parameters:
        spans: in order, none overlapping another.
        ends: their ends.
        span: the other.

    >>> overlapping([Span(0, 4), Span(5, 9)], [4, 9], Span(3, 5))
    [Span(start=0, end=4)]
    """
    return spans[bisect_right(ends, span.start) : bisect_left(spans, Span(span.end, 0))]


def join_spans(spans: Iterable[Span], within: Span) -> list[Span]:
    """Return what spans cover of another one, in order and without overlaps.

    >>> join_spans([Span(5, 8), Span(0, 3), Span(1, 4)], Span(2, 7))
    [Span(start=2, end=4), Span(start=5, end=7)]
    """
    found: list[Span] = []
    for span in sorted(spans):
        start, end = max(span.start, within.start), min(span.end, within.end)
        if found and start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(end, found[-1].end))
        elif start < end:
            found.append(Span(start, end))
    return found


def _is_free(taken: Sequence[Span], span: Span) -> bool:
    """Tell whether spans that do not overlap one another, in order, leave room for a span."""
    place = bisect_left(taken, span)
    before_ends = place == 0 or taken[place - 1].end <= span.start
    return before_ends and (place == len(taken) or taken[place].start >= span.end)
