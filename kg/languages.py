"""Languages: which of several names a reader gets, and in what language it is.

A reader who likes Korean gets the Korean name; where there is none, the English one, since most things have it; else a
name that is in no language, else any. A tag is as good as another of the same language: who likes ``zh`` can read
``zh-Hant``.

Source: BCP 47, Matching of Language Tags (RFC 4647), basic filtering.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import pyoxigraph as ox

FALLBACK = "en"

LANGUAGES = {"en": "English", "ko": "한국어", "ja": "日本語", "zh": "中文", "de": "Deutsch", "fr": "Français"}
"""Languages that names can be asked for in, with their own names."""


class Name(str):
    """What something is called: a text that knows its language, for the ``lang`` of the page.

    Parameters:
        text: the name.
        language: its tag; empty where it is in no language.

    >>> Name("윤태룡", "ko").language
    'ko'
    """

    language: str

    def __new__(cls, text: str, language: str = "") -> Name:
        """Make a name."""
        made = super().__new__(cls, text)
        made.language = language
        return made

    def cut(self, length: int) -> Name:
        """Return the name, cut to a length where it is longer.

        >>> Name("a very long name", "en").cut(8)
        'a very…'
        """
        return self if len(self) <= length else Name(self[: length - 1].rstrip() + "…", self.language)


def nearness(tag: str | None, wanted: str) -> int:
    """Return how well a language does for a reader: the more, the better.

    Parameters:
        tag: of a name; None or empty where it is in no language.
        wanted: the one preferred.

    >>> [nearness(tag, "zh") for tag in ("zh", "zh-Hant", "en", None, "de")]
    [4, 3, 2, 1, 0]
    """
    if not tag:
        return 1
    tag, wanted = tag.lower(), wanted.lower()
    if tag == wanted:
        return 4
    if tag.partition("-")[0] == wanted.partition("-")[0]:
        return 3
    return 2 if tag.partition("-")[0] == FALLBACK else 0


_Literal = TypeVar("_Literal", bound=ox.Literal)


def nearest(literals: Iterable[_Literal], wanted: str) -> _Literal | None:
    """Return the literal that does best for a reader; the first of the alphabet where several do; None of none.

    Parameters:
        literals: the same thing said in several languages.
        wanted: the language preferred.

    >>> nearest([ox.Literal("Ruritania", language="en"), ox.Literal("Ruritanien", language="de")], "de").value
    'Ruritanien'
    """
    return min(literals, key=lambda one: (-nearness(one.language, wanted), one.value), default=None)


__all__ = ["FALLBACK", "Name", "nearest", "nearness"]
