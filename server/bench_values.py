"""What the benchmark of the saved queries asks: each query with its parameters, and values that occur in the graph."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import pyoxigraph as ox

from kg.errors import NotFoundError, WhosaysError
from kg.names import WS
from kg.queries import Parameter, SavedQuery, load_queries
from kg.sparql import check_query
from kg.store import Snapshot
from kg.vocabulary import concept_prefix

OCCURRENCES: Mapping[str, str] = {
    "about": "?p ws:about ?x",
    "act": "?a ws:act ?x",
    "agreement": "?s ws:stepOf ?x ; ws:attestedBy ?a",
    "assertion": "?x ws:within ?around",
    "cause": "?c ws:cause ?x",
    "document": "?a ws:statedIn ?x",
    "effect": "?c ws:effect ?x",
    "ends_in": "?p ws:endsIn ?x",
    "holder": "?a ws:holder ?x",
    "image": "?a ws:image ?x",
    "item": "?e skos:exactMatch ?x . ?p ws:about ?e",
    "note": "?c ws:noteNumber ?x ; ws:supports ?a",
    "of": "?q ws:quantityOf ?x",
    "on": "?p ws:about ?x . ?x a ws:Issue",
    "party": "?s ws:party ?x ; ws:attestedBy ?a",
    "person": "?h ws:officeHolder ?x . ?a ws:holder ?x",
    "polarity": "?a ws:polarity ?x",
    "reported": "?r ws:reports ?a . ?a ws:holder ?x",
    "reporter": "?r ws:reports ?a ; ws:holder ?x",
    "side": "?a ws:holder ?x . ?x a ws:State",
    "source": "?c ws:citedDocument ?x ; ws:supports ?a",
    "stage": "?s ws:stage ?x",
    "standing": "?a ws:standing ?x",
    "to": "?p ws:prescribedTo ?x",
    "trend": "?a ws:trend ?x",
    "whom": "?a ws:perceives ?x",
    "arguments/holder": "?a ws:holder ?x ; ws:proposition ?p . ?p a ws:Argument",
    "causal-claims/holder": "?a ws:holder ?x ; ws:proposition ?p . ?p a ws:CausalClaim",
    "causal-pathways/holder": "?a ws:holder ?x ; ws:proposition ?p . ?p a ws:CausalPathway",
    "hedged-claims/standing": "?a ws:standing ?x FILTER(?x != ws:standing-onRecord)",
    "what-follows-for/holder": "?a ws:holder ?x ; ws:proposition ?p . ?p a ws:CausalClaim",
    "what-follows-for/cause": "?a ws:holder ?holder ; ws:proposition ?p . ?p a ws:CausalClaim ; ws:cause ?x",
}
"""Where the values of parameters occur, by parameter, or by query and parameter; `?x` is the value.

A parameter that needs a value is to be had in the pattern by its name."""


@dataclass(frozen=True)
class Case:
    """A question.

    Parameters:
        query: the saved query.
        values: what its parameters are.
        given: the parameter that is given without need; empty for none.
    """

    query: SavedQuery
    values: tuple[tuple[str, tuple[str, ...]], ...]
    given: str = ""

    @property
    def name(self) -> str:
        """What it is called in the figures."""
        return f"{self.query.name}, {self.given}" if self.given else self.query.name


def local_queries() -> list[SavedQuery]:
    """Return the saved queries that Whosays brings and that ask no other endpoint.

    >>> "who-asserts-what" in [query.name for query in local_queries()]
    True
    """
    found = []
    for query in load_queries().values():
        with suppress(WhosaysError):
            check_query(query.text)
            found.append(query)
    return found


def make_cases(snapshot: Snapshot, query: SavedQuery, left_out: dict[str, str]) -> Iterator[Case]:
    """Make the questions of a saved query: with what it needs, and with each other parameter beside.

    Parameters:
        snapshot: where values are looked for.
        query: the saved query.
        left_out: takes the name of each question that has no value here, and why.
    """
    needed: dict[str, tuple[str, ...]] = {}
    try:
        for parameter in query.needed:
            needed[parameter.name] = (find_value(snapshot, query, parameter, needed),)
    except NotFoundError as error:
        left_out[query.name] = error.problem
        return
    yield Case(query, tuple(needed.items()))
    for parameter in query.parameters:
        if parameter.name not in needed:
            try:
                word = find_value(snapshot, query, parameter, needed)
            except NotFoundError as error:
                left_out[f"{query.name}, {parameter.name}"] = error.problem
            else:
                yield Case(query, (*needed.items(), (parameter.name, (word,))), parameter.name)


def find_value(snapshot: Snapshot, query: SavedQuery, parameter: Parameter, needed: Mapping[str, Sequence[str]]) -> str:
    """Return the value that a parameter has most often, as a user would give it.

    Parameters:
        snapshot: where it is looked for.
        query: the saved query.
        parameter: one of its parameters.
        needed: the values of those that it needs, as far as they are chosen.

    Raises:
        NotFoundError: there is none.
    """
    pattern = OCCURRENCES.get(f"{query.name}/{parameter.name}") or OCCURRENCES.get(parameter.name)
    if pattern is None:
        if parameter.type in ("iri", "choice"):
            raise NotFoundError(
                f"nobody has said where `{parameter.name}` of `{query.name}` occurs",
                mend="add it to OCCURRENCES in server/bench_values.py",
            )
        return parameter.example
    named = re.compile(r"\?(\w+)")
    bound = [
        f"VALUES ?{name} {{ {ox.NamedNode(needed[name][0])} }}" for name in named.findall(pattern) if name in needed
    ]
    rows = snapshot.query(
        f"SELECT ?x (COUNT(*) AS ?n) {{ {' '.join(bound)} {pattern} }} GROUP BY ?x ORDER BY DESC(?n) ?x LIMIT 1"
    )
    assert isinstance(rows, ox.QuerySolutions)
    for row in rows:
        word = str(row["x"].value)
        return word.removeprefix(concept_prefix(WS + str(parameter.of))) if parameter.type == "concept" else word
    raise NotFoundError(f"the graph has nothing for `{parameter.name}`", mend="measure it on another graph")
