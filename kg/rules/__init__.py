"""The rules of inference, in the order in which the whole graph is inferred.

Each module has the rules on one subject; `kg.rules.rule` says what a rule is. What they infer is
specified a second time, in SPARQL, beside the tests, and held to it there.
"""

from __future__ import annotations

from kg.facts import Facts
from kg.names import WS
from kg.rules.classes import Classes, Perceived
from kg.rules.contents import AdvancedBy, Causal, Ends
from kg.rules.dates import Bounds, EffectiveDate
from kg.rules.passages import Overlaps
from kg.rules.properties import Chain, Transitive, Turned
from kg.rules.rule import Key, Rule
from kg.rules.standing import Standing

__all__ = ["Key", "Rule", "make_rules"]


def make_rules(facts: Facts) -> list[Rule]:
    """Return the rules for a graph.

    Parameters:
        facts: the ontology among them, since it declares which properties are inverse or symmetric.

    >>> import pyoxigraph as ox
    >>> from kg.facts import Columns
    >>> len(make_rules(Columns(ox.Store()))) > 10
    True
    """
    effective, standing = EffectiveDate(), Standing()
    return [
        Overlaps(),
        Turned(facts),
        Transitive(),
        Chain(WS + "holdsOffice", WS + "officeHolder", WS + "office"),
        Chain(WS + "cites", WS + "citingDocument", WS + "citedDocument"),
        Chain(WS + "reportedBy", WS + "reports", WS + "holder"),
        Chain(WS + "takesStanceTo", WS + "holder", WS + "proposition"),
        Classes(),
        Perceived(),
        effective,
        Bounds(effective),
        standing,
        AdvancedBy(),
        Ends(),
        Causal(standing),
    ]
