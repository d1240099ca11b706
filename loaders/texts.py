"""Texts: finding a user's copies by digest, cutting them into sentences, verifying passages.

Whosays ships no text. A user points it at a folder of their own copies; a document is
recognised by the SHA-256 digest of its text, whatever the file is called. Positions are code
points of the UTF-8 text as it is, with no newline translated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sentencex import segment

from kg.digests import passage_digest, text_digest
from kg.errors import Place, TextError

_INK = re.compile(r"\S(?:.*\S)?", re.DOTALL)
_WRAPPED_AT_LEAST = 0.5
_FULL_LINE = 75


@dataclass(frozen=True)
class Span:
    """A stretch of a text.

    Parameters:
        start: position of the first character, in code points.
        end: position after the last character.
    """

    start: int
    end: int


def read_text(path: Path) -> str:
    """Read a text file as it is: UTF-8, no newline translated.

    Raises:
        TextError: the file is missing or not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise TextError(f"cannot be read: {error.strerror}", mend="check the path", place=Place(str(path))) from error
    except UnicodeDecodeError as error:
        raise TextError(
            f"not UTF-8 text (byte {error.start})", mend="convert the file to UTF-8", place=Place(str(path))
        ) from error


class Texts:
    """The texts in a user's folder, by digest.

    Parameters:
        folder: where the copies are; None or a folder that does not exist means that there are none.

    >>> from pathlib import Path
    >>> Texts(Path("/nowhere")).find("00" * 32) is None
    True
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._by_digest: dict[str, str] | None = None

    def find(self, digest: str) -> str | None:
        """Return the text with a digest, or None where the user has no copy of it."""
        if self._by_digest is None:
            paths = sorted(self.folder.glob("*.txt")) if self.folder and self.folder.is_dir() else []
            texts = [read_text(path) for path in paths]
            self._by_digest = {text_digest(text): text for text in texts}
        return self._by_digest.get(digest)

    def quote(self, digest: str, start: int, end: int) -> str | None:
        """Return the words of a passage in one line, or None where the text is absent."""
        text = self.find(digest)
        return None if text is None else " ".join(text[start:end].split())


def check_passage(text: str, start: int, end: int, digest: str) -> str | None:
    """Return what is wrong with a passage of a text, or None.

    Parameters:
        text: the document's text.
        start, end: positions in code points.
        digest: what the record gives for the passage.

    >>> check_passage("On n'y passe pas.", 0, 4, "00")
    'its digest is 00 in the record, and a6a233f21a149c9f in the text'
    """
    if not 0 <= start < end:
        return f"it runs from {start} to {end}"
    if end > len(text):
        return f"it ends at {end}, and the text has {len(text)} characters"
    found = passage_digest(text[start:end])
    return None if found == digest else f"its digest is {digest} in the record, and {found} in the text"


def cut_sentences(text: str) -> list[Span]:
    """Cut a text into sentences, headings and other lines that stand alone.

    Parameters:
        text: the whole text.

    Returns:
        Spans in order, without the white space between them. Where lines are wrapped, a line's
        end is read as a space; otherwise every line is a paragraph.

    The boundaries are a proposal that a coder corrects; `sentencex` finds them.

    >>> text = "Tolls divide. They always did.\\n\\nA heading\\n"
    >>> [text[s.start:s.end] for s in cut_sentences(text)]
    ['Tolls divide.', 'They always did.', 'A heading']
    """
    lines = [line for line in text.split("\n") if line.strip()]
    full = sum(_FULL_LINE <= len(line) <= 2 * _FULL_LINE for line in lines)
    wrapped = bool(lines) and full >= _WRAPPED_AT_LEAST * len(lines)
    paragraphs = re.compile(r".+?(?=(?:[ \t]*\n){2,}|\Z)", re.DOTALL) if wrapped else re.compile(r"[^\n]+")
    return [
        Span(paragraph.start() + start, paragraph.start() + end)
        for paragraph in paragraphs.finditer(text)
        for start, end in _sentences(paragraph.group().replace("\n", " "))
    ]


def _sentences(paragraph: str) -> Iterator[tuple[int, int]]:
    position = 0
    for sentence in segment("en", paragraph):
        ink = _INK.search(sentence)
        if ink:
            yield position + ink.start(), position + ink.end()
        position += len(sentence)
