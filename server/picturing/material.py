"""What a picture is made from: the assertions that are asked for, what the graph says of their contents, the options.

Assertions come from the index, in one go; what joins them (causes and effects, premises, images, dates) is asked of
the graph for just those contents.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pyoxigraph as ox

from kg.filters import KINDS, Filters
from kg.index import StanceRow
from kg.store import Results

MOST_ROWS = 100_000
"""Assertions that a picture is made from at most."""

MOST_CONTENTS = 3_000
"""Contents whose parts are looked up for a picture at most: those that are held most often."""

AT_ONCE = 2_000
"""Things that one query asks about."""

Found = Mapping[str, str]
"""A solution: variables to IRIs or words; those that are unbound are missing."""


@dataclass(frozen=True)
class Material:
    """What a picture is made from.

    Parameters:
        fetch: gives the assertions for filters.
        run: answers a query.
        filters: what is asked for.
        options: the options of the picture with their values; see `server.picturing.options`.
    """

    fetch: Callable[[Filters], Sequence[StanceRow]]
    run: Callable[[str], Results]
    filters: Filters
    options: Mapping[str, str]

    @property
    def top(self) -> int:
        """How many nodes are drawn at most."""
        return int(self.options["top"])

    def rows(self, *kinds: str) -> Sequence[StanceRow]:
        """Return the assertions that are asked for, have a content and have not been withdrawn.

        Parameters:
            kinds: kinds of content, short names of `kg.filters.KINDS`; all where none is given.
        """
        filters = self.filters
        if kinds:
            filters = replace(filters, chosen={**filters.chosen, "kind": tuple(KINDS[kind] for kind in kinds)})
        return self.fetch(filters)

    def ask(self, query: str, nodes: Iterable[str] | None = None) -> Iterator[Found]:
        """Ask the graph.

        Parameters:
            query: SELECT; ``NODES`` in it stands for the IRIs.
            nodes: the IRIs that are asked about, so many at once; None where the query names none.
        """
        if nodes is None:
            yield from self._ask(query)
            return
        iris = list(dict.fromkeys(nodes))
        for first in range(0, len(iris), AT_ONCE):
            yield from self._ask(query.replace("NODES", _values(iris[first : first + AT_ONCE])))

    def _ask(self, query: str) -> Iterator[Found]:
        results = self.run(query)
        assert isinstance(results, ox.QuerySolutions)
        names = [variable.value for variable in results.variables]
        for solution in results:
            terms = [(name, solution[name]) for name in names]
            yield {name: term.value for name, term in terms if term is not None and not isinstance(term, _UNNAMED)}


_UNNAMED = (ox.BlankNode, ox.Triple)


def most_held(rows: Sequence[StanceRow], most: int = MOST_CONTENTS) -> Sequence[StanceRow]:
    """Return the assertions of those contents that have the most.

    Parameters:
        rows: assertions.
        most: contents at most; of those with equally many the first by IRI are taken.
    """
    counts = Counter(row.proposition for row in rows)
    if len(counts) <= most:
        return rows
    kept = set(sorted(counts, key=lambda content: (-counts[content], content))[:most])
    return [row for row in rows if row.proposition in kept]


def _values(iris: Iterable[str]) -> str:
    return " ".join(str(ox.NamedNode(iri)) for iri in iris)


STATES = """SELECT ?agent ?state WHERE {
  VALUES ?agent { NODES }
  ?agent ws:belongsTo? ?state . ?state a ws:State
}"""
"""The states that agents are or belong to."""


def actors_of(material: Material, agents: Iterable[str]) -> Callable[[str], Sequence[str]]:
    """Return what gives the actors that an agent counts as.

    Parameters:
        material: its option `level` is `holder`, for the agents themselves, or `state`, for the states that they
            belong to; who belongs to none stands for themselves.
        agents: all whom it will be asked about.
    """
    if material.options["level"] == "holder":
        return lambda agent: (agent,)
    states: dict[str, list[str]] = {}
    for found in material.ask(STATES, agents):
        states.setdefault(found["agent"], []).append(found["state"])
    return lambda agent: sorted(states.get(agent, ())) or (agent,)
