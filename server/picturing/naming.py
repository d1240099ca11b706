"""What the things in a picture are called, in the reader's language, short enough to be shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kg.labels import find_labels
from kg.names import shorten
from kg.store import Snapshot
from server.picturing.material import Material

LONGEST = 240
"""Characters of a name that are shown; the whole stands on the page of the thing."""

VOICED = """SELECT ?node ?holder ?act ?content WHERE {
  VALUES ?node { NODES }
  ?node ws:holder ?holder ; ws:act ?act ; ws:reports*/ws:proposition ?content
}"""
"""Assertions that stand where a content could: they have no name of their own."""


def name_things(
    snapshot: Snapshot, material: Material, iris: Iterable[str], language: str, assertions: Iterable[str] = ()
) -> Callable[[str], str]:
    """Return what gives the name of a thing.

    Parameters:
        snapshot: where labels are looked up.
        material: answers queries.
        iris: the things.
        language: preferred.
        assertions: those of the things that may be assertions, which are called by who holds what.
    """
    wanted = set(iris)
    voiced = {found["node"]: found for found in material.ask(VOICED, sorted(set(assertions)))}
    wanted |= {found[part] for found in voiced.values() for part in ("holder", "act", "content")}
    labels = find_labels(snapshot, sorted(wanted), language)

    def name(iri: str) -> str:
        if iri in voiced:
            parts = [labels.get(voiced[iri][part], "") for part in ("holder", "act", "content")]
            holder, act, content = parts
            return f"{cut(content)} ({cut(holder)}: {act})"
        return cut(labels.get(iri) or shorten(iri))

    return name


def cut(text: str) -> str:
    """Return a text that is not too long to be shown.

    >>> len(cut("a" * 100_000))
    240
    """
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"
