"""The sentences that a passage touches, so that coverage is a count and not a comparison."""

from __future__ import annotations

from collections.abc import Iterator

import pyoxigraph as ox

from kg.facts import END, IN_DOCUMENT, SENTENCE_NUMBER, START, Facts, is_node, spans
from kg.names import WS
from kg.positions import Node
from kg.rules.rule import Key, Rule

_OVERLAPS = ox.NamedNode(WS + "overlaps")


class Overlaps(Rule):
    """The sentences of its document with which a passage shares a character; a sentence overlaps itself."""

    infers = (_OVERLAPS,)
    reads = (IN_DOCUMENT, START, END, SENTENCE_NUMBER)

    def seeds(self, facts: Facts) -> Iterator[Key]:
        return (Key(node, _OVERLAPS) for node, _ in facts.pairs(IN_DOCUMENT))

    def keys(self, facts: Facts, triple: ox.Triple) -> Iterator[Key]:
        node = triple.subject
        if is_node(node):
            yield Key(node, _OVERLAPS)
            if facts.objects(node, SENTENCE_NUMBER):
                yield from (Key(passage, _OVERLAPS) for passage in _touched(facts, node))

    def derive(self, facts: Facts, key: Key) -> Iterator[Node]:
        return (node for node in _touched(facts, key.subject) if facts.objects(node, SENTENCE_NUMBER))


def _touched(facts: Facts, passage: Node) -> Iterator[Node]:
    for start, end in spans(facts, passage):
        for document in facts.objects(passage, IN_DOCUMENT):
            yield from facts.overlapping(document, start, end)
