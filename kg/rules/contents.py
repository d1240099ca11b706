"""What follows from arguments, causal claims and pathways, and from those who hold them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyoxigraph as ox

from kg.facts import TYPE, Facts, is_node
from kg.names import WS, Term
from kg.positions import Node, integer
from kg.rules.classes import PROPOSITION
from kg.rules.properties import Chain
from kg.rules.rule import Key, Rule
from kg.rules.standing import ACT, FAMILY, ON_RECORD, POLARITY, STANDING, Standing

_HOLDER = ox.NamedNode(WS + "holder")
_AFFIRMS, _TRUTH = ox.NamedNode(WS + "polarity-affirms"), ox.NamedNode(WS + "family-truth")
_ARGUMENT = ox.NamedNode(WS + "Argument")
_HAS_STEP, _POSITION, _CLAIM = ox.NamedNode(WS + "hasStep"), ox.NamedNode(WS + "position"), ox.NamedNode(WS + "claim")
_CAUSE, _EFFECT, _SIGN = ox.NamedNode(WS + "cause"), ox.NamedNode(WS + "effect"), ox.NamedNode(WS + "sign")
_STARTS_FROM, _ENDS_IN = ox.NamedNode(WS + "startsFrom"), ox.NamedNode(WS + "endsIn")
_SIGN_OF = {
    ox.NamedNode(WS + "raises"): ox.NamedNode(WS + "sign-increases"),
    ox.NamedNode(WS + "lowers"): ox.NamedNode(WS + "sign-decreases"),
}


class AdvancedBy(Chain):
    """Who advances an argument: the holders of the assertions that affirm it."""

    def __init__(self) -> None:
        super().__init__(WS + "advancedBy", WS + "proposition", WS + "holder")
        self.reads = (*self.reads, POLARITY, TYPE)

    def keys(self, facts: Facts, triple: ox.Triple) -> Iterator[Key]:
        if triple.predicate != TYPE:
            yield from self._through(facts, triple.subject)
        elif is_node(triple.subject) and facts.is_a(triple.subject, _ARGUMENT):
            for assertion in facts.subjects(PROPOSITION, triple.subject):
                for holder in facts.objects(assertion, _HOLDER):
                    yield Key(triple.subject, self.inferred, holder)

    def derive(self, facts: Facts, key: Key) -> tuple[Term, ...]:
        assert key.value is not None
        follows = facts.is_a(key.subject, _ARGUMENT) and any(
            facts.has(assertion, POLARITY, _AFFIRMS)
            for assertion in facts.between(PROPOSITION, key.subject, _HOLDER, key.value)
        )
        return (key.value,) if follows else ()


class Ends(Rule):
    """Where a causal pathway starts and ends: the cause of its first step and the effect of its last."""

    infers = (_STARTS_FROM, _ENDS_IN)
    reads = (_HAS_STEP, _POSITION, _CLAIM, _CAUSE, _EFFECT)

    def seeds(self, facts: Facts) -> Iterator[Key]:
        return (Key(node, predicate) for node, _ in facts.pairs(_HAS_STEP) for predicate in self.infers)

    def keys(self, facts: Facts, triple: ox.Triple) -> Iterator[Key]:
        pathways: Iterable[Term]
        if triple.predicate == _HAS_STEP:
            pathways = (triple.subject,)
        elif triple.predicate in (_POSITION, _CLAIM):
            pathways = facts.subjects(_HAS_STEP, triple.subject)
        else:
            pathways = _pathways(facts, triple.subject)
        return (Key(node, predicate) for node in pathways if is_node(node) for predicate in self.infers)

    def derive(self, facts: Facts, key: Key) -> set[Term]:
        steps = facts.objects(key.subject, _HAS_STEP)
        positions = [
            (number, s) for s in steps for p in facts.objects(s, _POSITION) if (number := integer(p)) is not None
        ]
        length = max((number for number, _ in positions), default=None)
        first = _ends(facts, (step for number, step in positions if number == 1), _CAUSE)
        last = _ends(facts, (step for number, step in positions if number == length), _EFFECT)
        if not first or not last:
            return set()
        return first if key.predicate == _STARTS_FROM else last


class Causal(Rule):
    """One small graph a holder: which factor raises or lowers which, as the holder affirms on record.

    It is made of claims and of the steps of pathways. Paths are followed inside it and never walk
    from one holder's link to another's.

    Parameters:
        standing: the rule that tells what is on record.
    """

    infers = tuple(_SIGN_OF)
    pairwise = True

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._of_claims = (_HAS_STEP, _CLAIM, _CAUSE, _EFFECT, _SIGN)
        self.reads = tuple({*self._of_claims, *standing.reads, STANDING, _HOLDER, PROPOSITION})

    def seeds(self, facts: Facts) -> Iterator[Key]:
        for claim, _ in facts.pairs(_SIGN):
            yield from _of_claim(facts, claim)

    def keys(self, facts: Facts, triple: ox.Triple) -> Iterator[Key]:
        if triple.predicate == _HAS_STEP:
            for claim in facts.objects(triple.object, _CLAIM):
                yield from _of_claim(facts, claim, among=(triple.subject,))
        elif triple.predicate == _CLAIM:
            yield from _of_claim(facts, triple.object, among=facts.subjects(_HAS_STEP, triple.subject))
        elif triple.predicate in self._of_claims:
            yield from _of_claim(facts, triple.subject)
        else:
            assertions: set[Term] = {triple.subject}
            if triple.predicate in self._standing.reads:
                assertions.update(key.subject for key in self._standing.keys(facts, triple))
            for assertion in assertions:
                for proposition in facts.objects(assertion, PROPOSITION):
                    for claim in _claims(facts, proposition):
                        for holder in facts.objects(assertion, _HOLDER):
                            yield from _links(facts, claim, holder)

    def derive(self, facts: Facts, key: Key) -> Iterator[Term]:
        assert key.value is not None
        assert key.holder is not None
        for claim in facts.between(_CAUSE, key.subject, _EFFECT, key.value):
            if facts.has(claim, _SIGN, _SIGN_OF[key.predicate]):
                for content in (claim, *_pathways(facts, claim)):
                    for assertion in facts.between(PROPOSITION, content, _HOLDER, key.holder):
                        if self._affirms_on_record(facts, assertion):
                            yield key.value
                            return

    def own(self, triple: ox.Triple) -> tuple[Key, ...]:  # noqa: ARG002
        """Give nothing: a causal link stands in its holder's graph, whatever is asserted elsewhere."""
        return ()

    def _affirms_on_record(self, facts: Facts, assertion: Node) -> bool:
        return (
            facts.has(assertion, POLARITY, _AFFIRMS)
            and any(facts.has(act, FAMILY, _TRUTH) for act in facts.objects(assertion, ACT))
            and (
                ON_RECORD in self._standing.derive(facts, Key(assertion, STANDING))
                or facts.has(assertion, STANDING, ON_RECORD)
            )
        )


def _pathways(facts: Facts, claim: Term) -> Iterator[Node]:
    return (pathway for step in facts.subjects(_CLAIM, claim) for pathway in facts.subjects(_HAS_STEP, step))


def _claims(facts: Facts, content: Term) -> Iterator[Term]:
    yield content
    for step in facts.objects(content, _HAS_STEP):
        yield from facts.objects(step, _CLAIM)


def _ends(facts: Facts, steps: Iterable[Term], side: ox.NamedNode) -> set[Term]:
    return {factor for step in steps for claim in facts.objects(step, _CLAIM) for factor in facts.objects(claim, side)}


def _of_claim(facts: Facts, claim: Term, among: Iterable[Term] | None = None) -> Iterator[Key]:
    """Give the links of a claim for all who take a stance to it, or to pathways with it, or to some of these."""
    for content in among if among is not None else (claim, *_pathways(facts, claim)):
        for assertion in facts.subjects(PROPOSITION, content):
            for holder in facts.objects(assertion, _HOLDER):
                yield from _links(facts, claim, holder)


def _links(facts: Facts, claim: Term, holder: Term) -> Iterator[Key]:
    if isinstance(holder, ox.NamedNode):
        signs = facts.objects(claim, _SIGN)
        for link, sign in _SIGN_OF.items():
            if sign in signs:
                for cause in facts.objects(claim, _CAUSE):
                    if is_node(cause):
                        for effect in facts.objects(claim, _EFFECT):
                            yield Key(cause, link, effect, holder)
