"""The text of a document as HTML, made here and not in a template: white space between its parts would come into it.

Each segment is a `<span data-s="START">` with one text node, inside a `<span class="mark">` for each passage that
covers it; what scripts count by is told in `islands/src/reading/positions.ts`.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import quote

from markupsafe import Markup

from server.reading.coded_document import Sentence, State
from server.reading.page import Paragraph, Reference, Run, Stretch

SIGNS: dict[State, tuple[str, str]] = {
    "citing": ("※", "only cites"),
    "nothing": ("∅", "asserts nothing"),
    "uncoded": ("○", "not yet coded"),
}
"""The sign of a sentence that no assertion rests on, and what it means."""


def paragraph_html(paragraph: Paragraph, document: str, *, codes: bool = False, chosen: Collection[str] = ()) -> Markup:
    """Return a paragraph.

    Parameters:
        paragraph: its stretches.
        document: slug of the document.
        codes: whether the visitor may code, and so gets a button for each sentence.
        chosen: passages that the address asks for.
    """
    inside = "".join(_stretch(stretch, document, codes, chosen) for stretch in paragraph.stretches)
    return Markup(f'<p dir="auto" class="lines-{paragraph.lines}">{inside}</p>')


def reference_html(reference: Reference, anchor: str = "") -> Markup:
    """Return the link from a passage to its cards.

    Parameters:
        reference: to which cards.
        anchor: its own, where it stands for the passage.

    >>> reference_html(Reference("0-4", "card-1", "1", "assertion 1: relation", "↔", "relation"))[:53]
    Markup('<a class="ref kind-relation" href="#card-1" data-p="0')
    """
    own = f' id="{anchor}"' if anchor else ""
    return Markup(
        f'<a class="ref kind-{reference.kind}"{own} href="#{reference.anchor}" data-p="{reference.passage}"'
        f' aria-label="{reference.label}"><span aria-hidden="true">{reference.signs}</span>{reference.numbers}</a>'
    )


def state_html(state: State, note: str) -> Markup:
    """Return the link from a sentence to the card that says why no assertion rests on it.

    >>> state_html("nothing", "note-51")
    Markup('<a class="ref none" href="#note-51" aria-label="asserts nothing"><span aria-hidden="true">∅</span></a>')
    """
    sign, words = SIGNS[state]
    return Markup(f'<a class="ref none" href="#{note}" aria-label="{words}"><span aria-hidden="true">{sign}</span></a>')


def code_html(sentence: Sentence, document: str) -> Markup:
    """Return the link by which a sentence is coded."""
    span = sentence.span
    address = f"/code/{quote(document)}?start={span.start}&amp;end={span.end}"
    return Markup(
        f'<a class="code-this" href="{address}" data-code="{span}" aria-label="Code sentence {sentence.number}">'
        '<span aria-hidden="true">✎</span></a>'
    )


def _stretch(stretch: Stretch, document: str, codes: bool, chosen: Collection[str]) -> str:
    parts: list[str] = [_run(run, chosen) for run in stretch.runs]
    sentence = stretch.sentence
    if sentence is None:
        return "".join(parts)
    if stretch.ends and stretch.note:
        parts.append(state_html(sentence.state, stretch.note))
    if stretch.ends and codes:
        parts.append(code_html(sentence, document))
    own = f' id="{sentence.span}"' if stretch.begins else ""
    return f'<span class="sentence {sentence.state}"{own} data-n="{sentence.number}">{"".join(parts)}</span>'


def _run(run: Run, chosen: Collection[str]) -> str:
    parts = []
    for layer in run.layers:
        more = " chosen" if layer.passage in chosen else ""
        own = f' id="{layer.anchor}"' if layer.anchor else ""
        parts.append(f'<span class="{layer.classes}{more}" data-p="{layer.passage}"{own}>')
    parts.append(f'<span data-s="{run.start}">{run.words}</span>')
    parts.append("</span>" * len(run.layers))
    parts += [reference_html(reference) for reference in run.references]
    return "".join(parts)
