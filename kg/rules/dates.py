"""When a stance counts, and the sortable days of every date."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date

import pyoxigraph as ox

from kg.dates import date_bounds
from kg.facts import TYPE, Facts, is_node
from kg.names import WS, XSD, Term
from kg.rules.classes import ASSERTION
from kg.rules.rule import Key, Rule

_STATED_IN, _ISSUED = ox.NamedNode(WS + "statedIn"), ox.NamedNode(WS + "issued")
_SAID_ON, _SAID_AT = ox.NamedNode(WS + "saidOn"), ox.NamedNode(WS + "saidAt")
_OCCASION_DATE, _HELD_DURING = ox.NamedNode(WS + "date"), ox.NamedNode(WS + "heldDuring")
_EFFECTIVE = ox.NamedNode(WS + "effectiveDate")
_EARLIEST, _LATEST = ox.NamedNode(WS + "earliest"), ox.NamedNode(WS + "latest")
_DAY = ox.NamedNode(XSD + "date")
_DATED = (
    *(_ISSUED, _OCCASION_DATE, _EFFECTIVE, ox.NamedNode(WS + "time")),
    *(ox.NamedNode(WS + "startDate"), ox.NamedNode(WS + "attestedAt"), ox.NamedNode(WS + "endDate")),
)


class EffectiveDate(Rule):
    """The date a stance was voiced, or of the occasion; else the time it was held; else the date of its document."""

    infers = (_EFFECTIVE,)
    reads = (TYPE, _STATED_IN, _SAID_ON, _SAID_AT, _OCCASION_DATE, _HELD_DURING, _ISSUED)

    def seeds(self, facts: Facts) -> Iterator[Key]:
        return (Key(node, _EFFECTIVE) for node, _ in facts.pairs(_STATED_IN))

    def keys(self, facts: Facts, triple: ox.Triple) -> Iterator[Key]:
        if triple.predicate == _OCCASION_DATE:
            nodes: Iterator[Term] = iter(facts.subjects(_SAID_AT, triple.subject))
        elif triple.predicate == _ISSUED:
            nodes = iter(facts.subjects(_STATED_IN, triple.subject))
        else:
            nodes = iter((triple.subject,))
        return (Key(node, _EFFECTIVE) for node in nodes if is_node(node))

    def derive(self, facts: Facts, key: Key) -> Collection[Term]:
        assertion = key.subject
        documents = facts.objects(assertion, _STATED_IN)
        if not documents or not facts.is_a(assertion, ASSERTION):
            return ()
        return (
            facts.objects(assertion, _SAID_ON)
            or [d for occasion in facts.objects(assertion, _SAID_AT) for d in facts.objects(occasion, _OCCASION_DATE)]
            or facts.objects(assertion, _HELD_DURING)
            or [d for document in documents for d in facts.objects(document, _ISSUED)]
        )


class Bounds(Rule):
    """The first and the last day that the dates of a node can mean; a tenure runs from its first known day to its last.

    What is no EDTF date is passed over here; the shapes report it.

    Parameters:
        effective: the rule that gives the dates of stances.
    """

    infers = (_EARLIEST, _LATEST)

    def __init__(self, effective: EffectiveDate) -> None:
        self._effective = effective
        self.reads = tuple({*_DATED, *effective.reads})

    def seeds(self, facts: Facts) -> Iterator[Key]:
        for predicate in _DATED:
            for node, _ in facts.pairs(predicate):
                yield from _both(node)
        for key in self._effective.seeds(facts):
            yield from _both(key.subject)

    def keys(self, facts: Facts, triple: ox.Triple) -> Iterator[Key]:
        if triple.predicate in _DATED:
            yield from _both(triple.subject)
        if triple.predicate in self._effective.reads:
            for key in self._effective.keys(facts, triple):
                yield from _both(key.subject)

    def derive(self, facts: Facts, key: Key) -> Iterator[Term]:
        dates = {d for predicate in _DATED for d in facts.objects(key.subject, predicate)}
        dates.update(self._effective.derive(facts, Key(key.subject, _EFFECTIVE)))
        bounds = [b for d in dates if isinstance(d, ox.Literal) and (b := _bounds(d.value))]
        if key.predicate == _EARLIEST:
            firsts = [first for first, _ in bounds if first]
            if firsts:
                yield ox.Literal(min(firsts).isoformat(), datatype=_DAY)
        else:
            lasts = [last for _, last in bounds if last]
            if lasts and len(lasts) == len(bounds):
                yield ox.Literal(max(lasts).isoformat(), datatype=_DAY)


def _bounds(text: str) -> tuple[date | None, date | None] | None:
    try:
        return date_bounds(text)
    except ValueError:
        return None


def _both(node: Term) -> Iterator[Key]:
    if isinstance(node, ox.NamedNode):
        yield Key(node, _EARLIEST)
        yield Key(node, _LATEST)
