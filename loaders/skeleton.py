"""The skeleton of a record, made from a text: digest, length, sentences by position.

The coder fills in the metadata, codes the assertions and corrects the sentence boundaries.
No word of the text goes into the skeleton.
"""

from __future__ import annotations

from collections.abc import Iterable

from kg.digests import passage_digest, text_digest
from kg.errors import RecordError
from loaders.records import check_name
from loaders.texts import Span, cut_sentences

_HEAD = """\
# What the document is. Replace every value in capitals; leave out what is not known.
id: {name}
type: Document
title: TITLE
creator: NAME-OF-AN-AGENT
kind: opEd
issued: YYYY-MM-DD
issuedBasis: printed
language: en
digest: {digest}
textLength: {length}

# What holds for every assertion that does not say otherwise.
defaults:
  coder: NAME-OF-AN-AGENT
  coded: YYYY-MM-DD
  status: published
  holderBasis: named
  polarity: affirms
  certainty: unhedged
  basis: stated

# Every sentence, by position. Where one asserts nothing, add `assertsNothing: the reason`.
"""

_TAIL = """
# Further passages: parts of sentences, or several together (`whosays passage` writes the lines).
passages: []

# Who takes which stance to what; see kg/records/README.md.
assertions: []
"""


def passage_line(name: str, text: str, span: Span, number: int | None = None) -> str:
    """Return the record's line for a passage.

    Parameters:
        name: the document's slug.
        text: the document's text.
        span: where the passage is.
        number: the sentence's number, if it is one.

    >>> passage_line("toll", "Tolls divide.", Span(0, 13), 1)
    '  - {id: toll/0-13, start: 0, end: 13, digest: c99c942ae0e4ba6d, sentenceNumber: 1}'
    """
    tail = "" if number is None else f", sentenceNumber: {number}"
    digest = passage_digest(text[span.start : span.end])
    return f"  - {{id: {name}/{span.start}-{span.end}, start: {span.start}, end: {span.end}, digest: {digest}{tail}}}"


def make_skeleton(text: str, name: str, sentences: Iterable[Span] | None = None) -> str:
    """Return a new record for a text.

    Parameters:
        text: the document's text.
        name: the slug that the document is to have.
        sentences: the spans of its sentences; cut here where not given.

    Raises:
        RecordError: where the name cannot name a document.

    >>> print(make_skeleton("Tolls divide.", "toll").splitlines()[1])
    id: toll
    """
    if not check_name(name) or "/" in name:
        raise RecordError(f"`{name}` cannot name a document", mend="use lower-case letters, digits and hyphens")
    spans = cut_sentences(text) if sentences is None else list(sentences)
    lines = [passage_line(name, text, span, number) for number, span in enumerate(spans, 1)]
    sentences_part = "\n".join(["sentences:", *lines]) if lines else "sentences: []"
    return _HEAD.format(name=name, digest=text_digest(text), length=len(text)) + sentences_part + "\n" + _TAIL
