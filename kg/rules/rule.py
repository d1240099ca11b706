"""What a rule is: which places a triple can alter, and what follows at a place.

A *key* is a place in what is inferred: all values of a property of a node, or one triple that
either follows or does not. For a change, only the keys that its triples touch are derived anew;
for the whole graph, all of them. Thus there is one definition of every rule, and what a change
costs depends on what it touches.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import NamedTuple

import pyoxigraph as ox

from kg.facts import Facts, is_node
from kg.names import INFERRED_GRAPH, Term, causal_graph
from kg.positions import Node

_INFERRED = ox.NamedNode(INFERRED_GRAPH)


class Key(NamedTuple):
    """A place in what is inferred.

    Parameters:
        subject: the node that something is inferred of.
        predicate: the property.
        value: the one value that is asked about; None for all.
        holder: whose causal graph it is in; None for the common one.

    >>> Key(ox.NamedNode("ex:a"), ox.NamedNode("ex:p")).graph.value
    'https://w3id.org/whosays/graph/inferred'
    """

    subject: Node
    predicate: ox.NamedNode
    value: Term | None = None
    holder: ox.NamedNode | None = None

    @property
    def graph(self) -> ox.NamedNode:
        """The graph that holds it."""
        return ox.NamedNode(causal_graph(self.holder.value)) if self.holder else _INFERRED


class Rule(ABC):
    """A rule of inference. No property is inferred by two rules.

    Parameters of the class:
        infers: the properties that it infers.
        reads: the properties whose triples can alter what it infers.
        pairwise: True where its keys name the value, because a node may have very many.
    """

    infers: tuple[ox.NamedNode, ...]
    reads: tuple[ox.NamedNode, ...]
    pairwise: bool = False

    @abstractmethod
    def seeds(self, facts: Facts) -> Iterable[Key]:
        """Give all keys at which anything follows, and perhaps some at which nothing does."""

    @abstractmethod
    def keys(self, facts: Facts, triple: ox.Triple) -> Iterable[Key]:
        """Give the keys at which what follows may rest on a triple.

        Parameters:
            facts: a state in which the triple is asserted.
            triple: its predicate is one of those that the rule reads.
        """

    @abstractmethod
    def derive(self, facts: Facts, key: Key) -> Iterable[Term]:
        """Give the values that follow at a key, asserted ones perhaps included."""

    def own(self, triple: ox.Triple) -> Iterable[Key]:
        """Give the key at which an asserted triple would stand if it were inferred.

        Parameters:
            triple: its predicate is one of those that the rule infers.
        """
        if is_node(triple.subject):
            yield Key(triple.subject, triple.predicate, triple.object if self.pairwise else None)
