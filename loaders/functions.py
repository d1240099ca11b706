"""The functions that queries may call: `ws:quote(?passage)` and `ws:label(?thing, "ko")`.

A label is looked up once for each snapshot, which never changes, and thing and language.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from weakref import WeakKeyDictionary

import pyoxigraph as ox

from kg.names import RDFS, SKOS, WS, shorten
from kg.settings import Settings
from kg.store import Functions, Snapshot
from loaders.quotes import QUOTE, quote_functions
from loaders.texts import Texts

LABEL: Final = ox.NamedNode(WS + "label")
KEPT: Final = 100_000
"""Labels that are kept for one snapshot."""

_NAMING: Final = tuple(ox.NamedNode(iri) for iri in (SKOS + "prefLabel", RDFS + "label", WS + "title", WS + "gloss"))
_Labels = dict[tuple[ox.NamedNode, str], ox.Literal]
_known: WeakKeyDictionary[Snapshot, _Labels] = WeakKeyDictionary()


def query_functions(snapshot: Snapshot, texts: Texts, settings: Settings) -> Functions:
    """Return all functions that queries may call, by name.

    Parameters:
        snapshot: over which the query runs.
        texts: the user's copies of the documents.
        settings: `quotes` says whether anything of them may be shown.
    """
    return {**quote_functions(snapshot, texts, settings), **label_functions(snapshot)}


def label_functions(snapshot: Snapshot) -> Functions:
    """Return the SPARQL function that tells what a thing is called, by name.

    It takes the thing, and the language tag that is liked best, by default English. Where there is no label in
    that language it gives the English one, else any, else the thing's short name; a literal is called itself.

    Parameters:
        snapshot: where the labels are.

    >>> label = label_functions(Snapshot(ox.Store(), "0"))[LABEL]
    >>> label(ox.NamedNode("https://w3id.org/whosays/id/japan"))
    <Literal value=japan datatype=<NamedNode value=http://www.w3.org/2001/XMLSchema#string>>
    """
    store = snapshot.store
    known = _known.setdefault(snapshot, {})

    def label(thing: object = None, language: object = None) -> ox.Literal | None:
        if isinstance(thing, ox.Literal):
            return thing
        if not isinstance(thing, ox.NamedNode):
            return None
        tag = language.value.lower() if isinstance(language, ox.Literal) else "en"
        found = known.get((thing, tag))
        if found is None:
            found = _find(store, thing, tag)
            if len(known) >= KEPT:
                known.clear()
            known[thing, tag] = found
        return found

    return {LABEL: label}


def _find(store: ox.Store, thing: ox.NamedNode, tag: str) -> ox.Literal:
    rank: Mapping[str | None, int] = {"en": 1, tag: 0}
    best: tuple[int, int, str, str] | None = None
    found = None
    for order, naming in enumerate(_NAMING):
        for quad in store.quads_for_pattern(thing, naming, None, None):
            words = quad.object
            if isinstance(words, ox.Literal):
                place = rank.get(words.language, 2), order, words.language or "", words.value
                if best is None or place < best:
                    best, found = place, words
    return found or ox.Literal(shorten(thing.value))


__all__ = ["KEPT", "LABEL", "QUOTE", "label_functions", "query_functions"]
