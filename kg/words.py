"""Words: how texts and what people type are cut into words that can be compared, in every script.

Letters are compared without case, width and accents. Scripts that are written without spaces, or whose words take
endings without a space (Chinese, Japanese, Korean, Thai …), are looked at character by character, so that any part of
a name is found in it, be it of two characters only. All this is done here and nowhere else: the index is given words
that are cut already, and the SPARQL that says the same is made by the same rules.

Source: Unicode Standard Annex #15, Unicode Normalization Forms (NFKD, NFC), https://www.unicode.org/reports/tr15/
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Thai, Lao, Burmese, Hangul, Khmer, kana and Chinese characters."""

_MARKS = "".join(c for c in map(chr, range(0x300, 0x3000)) if unicodedata.category(c) in ("Mn", "Mc"))
_ACCENTS = re.compile("[\u0300-\u036f]+")
_PLAIN = re.compile(r"[a-z0-9]+")
_WORD = re.compile(rf"[{_UNSPACED}]+|(?:(?![{_UNSPACED}])[^\W_]|[{_MARKS}])+")
_UNSPACED_WORD = re.compile(f"[{_UNSPACED}]")
_ACCENTED = range(0xC0, 0x180)  # Latin-1 and Latin Extended-A
_BEFORE = r"(^|[^\p{L}\p{N}\p{M}])"

LONGEST = 10_000
"""Characters of a text after which no more is looked at."""


def fold(text: str) -> str:
    """Return a text in which what differs in case, width or accents only is the same.

    Parameters:
        text: whatever comes after `LONGEST` characters is left out.

    >>> fold("Tellbrück"), fold("ＫＥＤＯ"), fold("小泉")
    ('tellbruck', 'kedo', '小泉')
    """
    text = text[:LONGEST]
    if text.isascii():
        return text.lower()
    text = text.encode("utf-8", "ignore").decode()  # half a surrogate pair is no character
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", _ACCENTS.sub("", plain))


def split_words(text: str) -> list[str]:
    """Return the words of a text, folded, in order; a stretch without spaces is one word.

    >>> split_words("The U.S. and 小泉純一郎's “toll”")
    ['the', 'u', 's', 'and', '小泉純一郎', 's', 'toll']
    """
    folded = fold(text)
    return (_PLAIN if folded.isascii() else _WORD).findall(folded)


def is_unspaced(word: str) -> bool:
    """Tell whether a word is of a script that is looked at character by character.

    >>> is_unspaced("小泉"), is_unspaced("toll")
    (True, False)
    """
    return not word.isascii() and _UNSPACED_WORD.match(word) is not None


def spaced_words(text: str) -> str:
    """Return the words of a text with a space between them, and between characters where words have none.

    >>> spaced_words("Premier 小泉!")
    'premier 小 泉'
    """
    return " ".join(" ".join(word) if is_unspaced(word) else word for word in split_words(text))


def word_pattern(word: str) -> str:
    """Return the regular expression of SPARQL that finds a word, or the beginning of one, in a text.

    Parameters:
        word: as `split_words` gives it. Letters are found with all the accents of Latin-1 and Latin Extended-A.

    >>> word_pattern("bid")
    '(^|[^\\\\p{L}\\\\p{N}\\\\p{M}])b[iìíîïĩīĭį][dď]'
    """
    if is_unspaced(word):
        return word
    return _BEFORE + "".join(f"[{c}{more}]" if (more := _accented().get(c)) else c for c in word)


@cache
def _accented() -> dict[str, str]:
    found: dict[str, str] = {}
    for c in map(chr, _ACCENTED):
        if c == c.lower() and len(plain := fold(c)) == 1 and plain != c:
            found[plain] = found.get(plain, "") + c
    return found
