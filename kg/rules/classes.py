"""Of which classes a node is, leaders and perceptions among them, and what a perception perceives."""

from __future__ import annotations

from collections.abc import Iterator

import pyoxigraph as ox

from kg.facts import TYPE, Facts, classes_above, is_node
from kg.names import WS, Term
from kg.positions import Node
from kg.rules.rule import Key, Rule

ASSERTION, PERSON = ox.NamedNode(WS + "Assertion"), ox.NamedNode(WS + "Person")
LEADER, PERCEPTION = ox.NamedNode(WS + "Leader"), ox.NamedNode(WS + "Perception")
PROPOSITION = ox.NamedNode(WS + "proposition")
_OFFICE_HOLDER, _OFFICE = ox.NamedNode(WS + "officeHolder"), ox.NamedNode(WS + "office")
_OFFICE_KIND = ox.NamedNode(WS + "officeKind")
_HEADS = frozenset({ox.NamedNode(WS + "officeKind-headOfState"), ox.NamedNode(WS + "officeKind-headOfGovernment")})
_EVALUATED, _INTERPRETS = ox.NamedNode(WS + "evaluated"), ox.NamedNode(WS + "interprets")
_PERCEIVES, _IMAGE = ox.NamedNode(WS + "perceives"), ox.NamedNode(WS + "image")


class Classes(Rule):
    """Every node is also of the classes above its own.

    A Leader is a person who holds or held an office of head of state or of government; a
    Perception is an assertion whose proposition evaluates or interprets.
    """

    infers = (TYPE,)
    reads = (TYPE, PROPOSITION, _EVALUATED, _INTERPRETS, _OFFICE_HOLDER, _OFFICE, _OFFICE_KIND)

    def seeds(self, facts: Facts) -> Iterator[Key]:
        return (Key(node, TYPE) for node, _ in facts.pairs(TYPE))

    def keys(self, facts: Facts, triple: ox.Triple) -> Iterator[Key]:
        return (Key(node, TYPE) for node in self._nodes(facts, triple) if is_node(node))

    def derive(self, facts: Facts, key: Key) -> set[Term]:
        node = key.subject
        found: set[Term] = set()
        for kind in facts.objects(node, TYPE):
            found |= facts.once(classes_above, kind)
        if facts.is_a(node, PERSON) and any(
            kind in _HEADS
            for holding in facts.subjects(_OFFICE_HOLDER, node)
            for office in facts.objects(holding, _OFFICE)
            for kind in facts.objects(office, _OFFICE_KIND)
        ):
            found.add(LEADER)
        if facts.is_a(node, ASSERTION) and any(_perceived(facts, p) for p in facts.objects(node, PROPOSITION)):
            found.add(PERCEPTION)
        return found

    def _nodes(self, facts: Facts, triple: ox.Triple) -> Iterator[Term]:
        match triple.predicate:
            case p if p in (_EVALUATED, _INTERPRETS):
                yield from facts.subjects(PROPOSITION, triple.subject)
            case p if p == _OFFICE_HOLDER:
                yield triple.object
            case p if p == _OFFICE:
                yield from facts.objects(triple.subject, _OFFICE_HOLDER)
            case p if p == _OFFICE_KIND:
                for holding in facts.subjects(_OFFICE, triple.subject):
                    yield from facts.objects(holding, _OFFICE_HOLDER)
            case _:
                yield triple.subject


class Perceived(Rule):
    """Whom or what a perception perceives, and as what."""

    infers = (_PERCEIVES, _IMAGE)
    reads = (TYPE, PROPOSITION, _EVALUATED, _INTERPRETS, _IMAGE)

    def seeds(self, facts: Facts) -> Iterator[Key]:
        return (key for node, _ in facts.pairs(PROPOSITION) for key in _both(node))

    def keys(self, facts: Facts, triple: ox.Triple) -> Iterator[Key]:
        if triple.predicate in (TYPE, PROPOSITION):
            nodes: Iterator[Term] = iter((triple.subject,))
        else:
            nodes = iter(facts.subjects(PROPOSITION, triple.subject))
        return (key for node in nodes if is_node(node) for key in _both(node))

    def derive(self, facts: Facts, key: Key) -> Iterator[Term]:
        if facts.is_a(key.subject, ASSERTION):
            for proposition in facts.objects(key.subject, PROPOSITION):
                perceived = _perceived(facts, proposition)
                if perceived and key.predicate == _IMAGE:
                    yield from facts.objects(proposition, _IMAGE)
                elif perceived:
                    yield from perceived


def _both(node: Node) -> tuple[Key, Key]:
    return Key(node, _PERCEIVES), Key(node, _IMAGE)


def _perceived(facts: Facts, proposition: Term) -> list[Term]:
    return [*facts.objects(proposition, _EVALUATED), *facts.objects(proposition, _INTERPRETS)]
