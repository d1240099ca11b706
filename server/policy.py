"""The content security policy: what a page of ours may load and do.

Scripts and styles come from files of ours, nothing is inline. Libraries that insert a style sheet of their own are
let in by the hash of that very sheet; `tests/server/test_browser.py` fails where one of them changes.

Source: https://www.w3.org/TR/CSP3/
"""

from __future__ import annotations

from typing import Final

STYLES: Final[tuple[str, ...]] = ()
"""Hashes of the style sheets that libraries insert, with the library's name beside each."""

POLICY: Final = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        " ".join(["style-src 'self'", *(f"'{digest}'" for digest in STYLES)]),
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
"""The header `Content-Security-Policy` of every answer."""
