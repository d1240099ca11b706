"""Standing: how far a stance is on record, which is the weakest link of the chain of reports around it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import product

import pyoxigraph as ox

from kg.facts import TYPE, Facts, is_node
from kg.names import WS, Term
from kg.rules.classes import ASSERTION
from kg.rules.rule import Key, Rule

STANDING, ON_RECORD = ox.NamedNode(WS + "standing"), ox.NamedNode(WS + "standing-onRecord")
POLARITY, ACT, FAMILY = ox.NamedNode(WS + "polarity"), ox.NamedNode(WS + "act"), ox.NamedNode(WS + "family")
_REPORTS, _WITHIN = ox.NamedNode(WS + "reports"), ox.NamedNode(WS + "within")
_CERTAINTY, _BASIS = ox.NamedNode(WS + "certainty"), ox.NamedNode(WS + "basis")
_STATUS = ox.NamedNode(WS + "status")
_WITHDRAWN = frozenset({ox.NamedNode(WS + "status-superseded"), ox.NamedNode(WS + "status-retracted")})
_STANDINGS = (
    ON_RECORD,
    ox.NamedNode(WS + "standing-hedged"),
    ox.NamedNode(WS + "standing-open"),
    ox.NamedNode(WS + "standing-disavowed"),
)
_DISTANCED = ox.NamedNode(WS + "basis-distanced")
_DENIES, _LACKS = ox.NamedNode(WS + "polarity-denies"), ox.NamedNode(WS + "polarity-lacks")
_LEAVES_OPEN = ox.NamedNode(WS + "polarity-leavesOpen")
_WITHDRAWAL = ox.NamedNode(WS + "family-withdrawal")
_OPEN_FAMILIES = frozenset({ox.NamedNode(WS + "family-noncommittal"), ox.NamedNode(WS + "family-will")})
_OPEN_ACTS = frozenset(
    {ox.NamedNode(WS + "act-fears"), ox.NamedNode(WS + "act-worries"), ox.NamedNode(WS + "act-hopes")}
)
_UNHEDGED = ox.NamedNode(WS + "certainty-unhedged")
_WEAK_BASES = frozenset({ox.NamedNode(WS + "basis-apparent"), ox.NamedNode(WS + "basis-hearsay")})


class Standing(Rule):
    """The stance itself counts with its certainty, basis and openness; every assertion around it with polarity too.

    A denied report disavows what it reports. What somebody fears, hopes or wants another to think
    is open; what somebody resents or welcomes is taken to be so. What coders have superseded or
    retracted, and what stands inside it, has no standing.
    """

    infers = (STANDING,)
    reads = (TYPE, _CERTAINTY, _BASIS, POLARITY, ACT, _STATUS, _REPORTS, _WITHIN)

    def seeds(self, facts: Facts) -> Iterator[Key]:
        return (Key(node, STANDING) for node in facts.members(ASSERTION))

    def keys(self, facts: Facts, triple: ox.Triple) -> Iterator[Key]:
        node: Term = triple.object if triple.predicate == _REPORTS else triple.subject
        if triple.predicate == TYPE:
            nodes: Iterable[Term] = (node,)
        else:
            nodes = _follow(node, lambda a: (*facts.objects(a, _REPORTS), *facts.subjects(_WITHIN, a)))
        return (Key(a, STANDING) for a in nodes if is_node(a))

    def derive(self, facts: Facts, key: Key) -> Iterator[Term]:
        worst = facts.once(_worst, key.subject)
        if worst is not None:
            yield _STANDINGS[worst]


def _worst(facts: Facts, assertion: Term) -> int | None:
    if not facts.is_a(assertion, ASSERTION):
        return None
    voices = _follow(assertion, lambda a: (*facts.subjects(_REPORTS, a), *facts.objects(a, _WITHIN)))
    if any(status in _WITHDRAWN for voice in voices for status in facts.objects(voice, _STATUS)):
        return None
    return max((rank for voice in voices for rank in _ranks(facts, voice, voice != assertion)), default=None)


def _follow(start: Term, step: Callable[[Term], Iterable[Term]]) -> list[Term]:
    """Return a node and all that steps from it lead to, each once."""
    found = [start]
    seen = {start}
    for node in found:
        fresh = [n for n in step(node) if n not in seen]
        seen.update(fresh)
        found += fresh
    return found


def _ranks(facts: Facts, voice: Term, around: bool) -> Iterator[int]:
    acts = [(act, family) for act in facts.objects(voice, ACT) for family in facts.objects(act, FAMILY)]
    certainties, bases = facts.objects(voice, _CERTAINTY), facts.objects(voice, _BASIS)
    for certainty, basis, polarity, (act, family) in product(certainties, bases, facts.objects(voice, POLARITY), acts):
        if basis == _DISTANCED or (around and (polarity == _DENIES or family == _WITHDRAWAL)):
            yield 3
        elif polarity == _LEAVES_OPEN or (
            around and (polarity == _LACKS or family in _OPEN_FAMILIES or act in _OPEN_ACTS)
        ):
            yield 2
        else:
            yield int(certainty != _UNHEDGED or basis in _WEAK_BASES)
