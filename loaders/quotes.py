"""`ws:quote(?passage)`: the words of a passage, from the user's copy of the text, for queries and pages.

Quotes are added when an answer is made; they never enter the store.
"""

from __future__ import annotations

import pyoxigraph as ox

from kg.index import Quote
from kg.names import WS
from kg.settings import Settings
from kg.store import Functions, Snapshot
from loaders.texts import Texts

QUOTE = ox.NamedNode(WS + "quote")
_PASSAGE = (
    "SELECT ?start ?end ?digest WHERE {{ {passage} ws:start ?start ; ws:end ?end ; ws:inDocument/ws:digest ?digest }}"
)


def shown_quotes(texts: Texts, settings: Settings) -> Quote | None:
    """Return what gives the words of a passage; None where nothing of the texts may be shown.

    Parameters:
        texts: the user's copies; the words are given by the digest of a text, start and end.
        settings: `quotes` says whether anything may be shown.
    """
    return None if settings.quotes == "none" else texts.quote


def quote_functions(snapshot: Snapshot, texts: Texts, settings: Settings) -> Functions:
    """Return the SPARQL function that quotes, by name.

    Parameters:
        snapshot: where the passages are.
        texts: the user's copies.
        settings: `quotes` says whether anything may be shown.
    """

    def quote(passage: object) -> ox.Literal | None:
        if settings.quotes == "none" or not isinstance(passage, ox.NamedNode):
            return None
        solutions = snapshot.query(_PASSAGE.format(passage=passage))
        assert isinstance(solutions, ox.QuerySolutions)
        for solution in solutions:
            start, end, digest = (str(solution[name].value) for name in ("start", "end", "digest"))
            words = texts.quote(digest, int(start), int(end))
            return None if words is None else ox.Literal(words)
        return None

    return {QUOTE: quote}
