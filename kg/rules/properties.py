"""What follows from the kinds of properties: inverse, symmetric and transitive ones, and chains of two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyoxigraph as ox

from kg.facts import TYPE, Facts, is_node
from kg.names import OWL, WS, Term
from kg.rules.rule import Key, Rule

INVERSE = ox.NamedNode(OWL + "inverseOf")
SYMMETRIC = ox.NamedNode(OWL + "SymmetricProperty")


class Turned(Rule):
    """Inverse and symmetric properties, as the ontology declares them: within, holds, hasOfficeHolding, opposite.

    Parameters:
        facts: the ontology among them.
    """

    pairwise = True

    def __init__(self, facts: Facts) -> None:
        symmetric = {p for p in facts.subjects(TYPE, SYMMETRIC) if isinstance(p, ox.NamedNode)}
        turned: dict[ox.NamedNode, set[ox.NamedNode]] = {p: {p} for p in symmetric}
        straight: dict[ox.NamedNode, set[ox.NamedNode]] = {}
        for inverse, property_ in facts.pairs(INVERSE):
            if isinstance(inverse, ox.NamedNode) and isinstance(property_, ox.NamedNode):
                turned.setdefault(property_, set()).add(inverse)
                if inverse in symmetric:
                    straight.setdefault(property_, set()).add(inverse)
        self._turned, self._straight = turned, straight
        self.reads = tuple(turned)
        self.infers = tuple(sorted(set().union(*turned.values()), key=str))

    def seeds(self, facts: Facts) -> Iterator[Key]:
        for predicate in self.reads:
            for subject, value in facts.pairs(predicate):
                yield from self._keys(subject, predicate, value)

    def keys(self, facts: Facts, triple: ox.Triple) -> Iterator[Key]:  # noqa: ARG002
        return self._keys(triple.subject, triple.predicate, triple.object)

    def derive(self, facts: Facts, key: Key) -> Iterator[Term]:
        assert key.value is not None
        for predicate in self.reads:
            if (key.predicate in self._turned[predicate] and facts.has(key.value, predicate, key.subject)) or (
                key.predicate in self._straight.get(predicate, ()) and facts.has(key.subject, predicate, key.value)
            ):
                yield key.value

    def _keys(self, subject: Term, predicate: ox.NamedNode, value: Term) -> Iterator[Key]:
        if is_node(value):
            for name in self._turned[predicate]:
                yield Key(value, name, subject)
        if is_node(subject):
            for name in self._straight.get(predicate, ()):
                yield Key(subject, name, value)


class Transitive(Rule):
    """belongsTo and partOf, followed to the end.

    A new edge alters its node and all nodes below it, so that a new member costs little however
    many the others are.
    """

    infers = reads = (ox.NamedNode(WS + "belongsTo"), ox.NamedNode(WS + "partOf"))

    def seeds(self, facts: Facts) -> Iterator[Key]:
        return (Key(node, predicate) for predicate in self.reads for node, _ in facts.pairs(predicate))

    def keys(self, facts: Facts, triple: ox.Triple) -> Iterator[Key]:
        below: set[Term] = {triple.subject}
        waiting: list[Term] = [triple.subject]
        while waiting:
            node = waiting.pop()
            if is_node(node):
                yield Key(node, triple.predicate)
            fresh = set(facts.subjects(triple.predicate, node)) - below
            below |= fresh
            waiting += fresh

    def derive(self, facts: Facts, key: Key) -> set[Term]:
        above: set[Term] = set()
        waiting: list[Term] = [key.subject]
        while waiting:
            fresh = set(facts.objects(waiting.pop(), key.predicate)) - above
            above |= fresh
            waiting += fresh
        return above


class Chain(Rule):
    """What a node between two others makes of them: an assertion, of its holder and its proposition.

    Parameters:
        inferred: IRI of the property from the value of `first` to the value of `second`.
        first, second: IRIs of the two properties of the node between them.
    """

    pairwise = True

    def __init__(self, inferred: str, first: str, second: str) -> None:
        self.inferred = ox.NamedNode(inferred)
        self.first, self.second = ox.NamedNode(first), ox.NamedNode(second)
        self.infers = (self.inferred,)
        self.reads = (self.first, self.second)

    def seeds(self, facts: Facts) -> Iterator[Key]:
        for middle, value in facts.pairs(self.first):
            if is_node(value):
                for other in facts.objects(middle, self.second):
                    yield Key(value, self.inferred, other)

    def keys(self, facts: Facts, triple: ox.Triple) -> Iterable[Key]:
        return self._through(facts, triple.subject)

    def derive(self, facts: Facts, key: Key) -> tuple[Term, ...]:
        assert key.value is not None
        middles = facts.between(self.first, key.subject, self.second, key.value)
        return () if next(middles, None) is None else (key.value,)

    def _through(self, facts: Facts, middle: Term) -> Iterator[Key]:
        for value in facts.objects(middle, self.first):
            if is_node(value):
                for other in facts.objects(middle, self.second):
                    yield Key(value, self.inferred, other)
