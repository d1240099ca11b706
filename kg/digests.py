"""Digests of texts, passages and graphs: SHA-256, in hexadecimal.

A document's text is recognised by all 64 digits; a passage, whose place is known anyway, by the
first 16 (the truncation to 64 bits that RFC 6920 calls sha-256-64).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import pyoxigraph as ox

PASSAGE_DIGITS = 16


def text_digest(text: str) -> str:
    """Return the digest of a text as UTF-8.

    >>> text_digest("Ruritania")[:16]
    '583f5fcb8001828e'
    """
    return hashlib.sha256(text.encode()).hexdigest()


def passage_digest(text: str) -> str:
    """Return the digest of a passage's text.

    >>> passage_digest("Ruritania")
    '583f5fcb8001828e'
    """
    return text_digest(text)[:PASSAGE_DIGITS]


def quads_digest(quads: Iterable[ox.Quad]) -> str:
    """Return a digest of a set of quads without blank nodes, whatever their order.

    >>> quads_digest([]) == text_digest("")
    True
    """
    return text_digest("".join(f"{line}\n" for line in sorted(str(q) for q in quads)))
