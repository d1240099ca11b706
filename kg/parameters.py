"""Parameters of saved queries: which values each type takes, and the RDF terms that they become.

Nothing that a user gives reaches a query but as a term made here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import pyoxigraph as ox

from kg.dates import is_edtf
from kg.errors import ParameterError
from kg.labels import find_labels
from kg.names import PREFIXES, RDF, WS, expand, shorten
from kg.query_text import PLACEHOLDERS, columns, is_language, typed, wrap
from kg.store import Results, Snapshot
from kg.vocabulary import concept_prefix, vocabulary

ParameterType = Literal["iri", "text", "integer", "decimal", "date", "boolean", "language", "concept", "choice"]
Value: TypeAlias = ox.NamedNode | ox.Literal
Run: TypeAlias = Callable[[Snapshot, str], Results]

RESERVED = ("limit", "offset", "labels", "format")
"""Names that no parameter has, because every saved query takes them."""

SAME_NAME = 20
"""Resources of one name that are looked at; a value that is a name stands for all of them."""

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NUMBERS = {"integer": re.compile(r"[+-]?\d+", re.ASCII), "decimal": re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)}
_NAMED = """
SELECT DISTINCT ?node WHERE {{
  ?node skos:prefLabel|skos:altLabel|ws:title ?label FILTER(LCASE(STR(?label)) = {label}) {more}
}} LIMIT {limit}"""
_TYPE = ox.NamedNode(RDF + "type")


@dataclass(frozen=True)
class Parameter:
    """A parameter of a saved query.

    Parameters:
        name: the variable's name; on the command line and in addresses, underscores may be hyphens.
        type: kind of value.
        of: the class of an ``iri`` or the scheme of a ``concept``, local name; the saved query of a ``choice``.
        optional: True where the query answers without it.
        default: value used where none is given.
        description: what it means.
        example: a value that gives an answer, as a user would write it.
        source: text of the saved query whose first column a ``choice`` is made from.
    """

    name: str
    type: ParameterType
    of: str | None
    optional: bool
    default: str | None
    description: str
    example: str
    source: str = ""

    @property
    def choices(self) -> tuple[str, ...]:
        """The short names that a ``concept`` can take; empty for the other types."""
        return vocabulary().concepts.get(WS + (self.of or ""), ()) if self.type == "concept" else ()

    @property
    def kind(self) -> str:
        """The type in words, for people.

        >>> Parameter("on", "choice", "issues", False, None, "The matter", "japan").kind
        'choice of issues'
        """
        return f"{self.type} of {self.of}" if self.of else self.type


def run_here(snapshot: Snapshot, text: str) -> Results:
    """Run a query in this process, as a worker does that may be killed."""
    return snapshot.query(text, functions=PLACEHOLDERS)


def read_value(snapshot: Snapshot, parameter: Parameter, word: str, run: Run = run_here) -> list[Value]:
    """Return the RDF terms for what a user gives.

    Parameters:
        snapshot: where labels and choices are looked up.
        parameter: says what is expected.
        word: an IRI, a prefixed name, a slug or a label; a number, a date, a text, the name of a concept.
        run: runs the query of a choice, which a user may have written.

    Raises:
        ParameterError: it is not of the parameter's type, or nothing has that name.
    """
    if parameter.type == "iri":
        return list(_find_resource(snapshot, parameter, word.strip()))
    if parameter.type == "choice":
        return _choose(snapshot, parameter, word.strip(), run)
    return [read_literal(parameter, word)]


def read_literal(parameter: Parameter, word: str) -> Value:
    """Return the RDF term for a value of a type that needs no look at the graph: neither ``iri`` nor ``choice``.

    Raises:
        ParameterError: it is not of the parameter's type.

    >>> str(read_literal(Parameter("year", "integer", None, False, None, "The year", "1998"), "2003"))
    '"2003"^^<http://www.w3.org/2001/XMLSchema#integer>'
    """
    kind, plain = parameter.type, word.strip()
    if kind == "text":
        return ox.Literal(word)
    if kind == "language":
        if is_language(plain):
            return ox.Literal(plain.lower())  # as LANG() gives it
        raise _refused(parameter, word, "language tag")
    if kind == "boolean":
        if plain.lower() in ("true", "false"):
            return typed(plain.lower(), kind)
        raise ParameterError(f"`{parameter.name}` is `{word}`", mend="give true or false")
    if kind == "date":
        if _DATE.fullmatch(plain) and is_edtf(plain):
            return typed(plain, kind)
        raise _refused(parameter, word, "date")
    if kind == "concept":
        if plain in parameter.choices:
            return ox.NamedNode(concept_prefix(WS + (parameter.of or "")) + plain)
        raise ParameterError(f"`{word}` is no {parameter.name}", mend=f"use one of: {', '.join(parameter.choices)}")
    if kind in _NUMBERS and _NUMBERS[kind].fullmatch(plain):
        return typed(plain, kind)
    raise _refused(parameter, word, kind)


def list_choices(snapshot: Snapshot, parameter: Parameter, limit: int, run: Run = run_here) -> list[tuple[str, str]]:
    """Return what a user can choose from: each value as it is given, and what it is called.

    Parameters:
        snapshot: where they are looked up.
        parameter: a ``choice``; or an ``iri`` with a class, whose members these are. Other types have none here.
        limit: how many at most, so that it can be seen that there are more.
        run: runs the query of a choice.
    """
    if parameter.type == "choice":
        first = _first_column(parameter)
        head, text = f"SELECT DISTINCT ?{first} WHERE", parameter.source
        found = run(snapshot, wrap(text, head, f"FILTER(BOUND(?{first})) }} LIMIT {limit}"))
    elif parameter.type == "iri" and parameter.of in vocabulary().classes:
        members = snapshot.store.quads_for_pattern(None, _TYPE, ox.NamedNode(WS + str(parameter.of)), None)
        nodes = [q.subject for q, _ in zip(members, range(limit), strict=False) if isinstance(q.subject, ox.NamedNode)]
        labels = find_labels(snapshot, (n.value for n in nodes))
        return sorted(((shorten(n.value), labels[n.value]) for n in nodes), key=lambda pair: pair[1].casefold())
    else:
        return []
    assert isinstance(found, ox.QuerySolutions)
    terms = [solution[first] for solution in found]
    labels = find_labels(snapshot, (t.value for t in terms if isinstance(t, ox.NamedNode)))
    pairs = [(_written(t), labels.get(t.value, t.value)) for t in terms if isinstance(t, ox.NamedNode | ox.Literal)]
    return sorted(pairs, key=lambda pair: pair[1].casefold())


def _written(term: Value) -> str:
    return shorten(term.value) if isinstance(term, ox.NamedNode) else term.value


def _refused(parameter: Parameter, word: str, kind: str) -> ParameterError:
    return ParameterError(f"`{word}` is no {kind}", mend=f"`{parameter.name}` takes, for example, {parameter.example}")


def _find_resource(snapshot: Snapshot, parameter: Parameter, word: str) -> list[ox.NamedNode]:
    node = _node(word)
    if node is not None:
        exists = snapshot.query(
            f"ASK {{ {{ {node} ?p ?o }} UNION {{ ?s ?p {node} }} UNION {{ GRAPH {node} {{ ?s ?p ?o }} }} }}"
        )
        if bool(exists):
            return [node]
    found = []
    if parameter.of in vocabulary().classes:  # what is of the class goes before others of the same name
        found = _find_named(snapshot, word, f"?node a <{WS}{parameter.of}>")
    found = found or _find_named(snapshot, word)
    if not found:
        raise ParameterError(
            f"nothing in the graph is called `{word}`",
            mend=f"`{parameter.name}` takes a name such as {parameter.example}; its prefixes: {', '.join(PREFIXES)}",
        )
    return found


def _choose(snapshot: Snapshot, parameter: Parameter, word: str, run: Run) -> list[Value]:
    first = _first_column(parameter)
    node = _node(word)
    nodes = ", ".join(str(n) for n in [*([node] if node else []), *_find_named(snapshot, word)])
    label = ox.Literal(word.lower())
    test = f"IF(ISIRI(?{first}), ?{first} IN ({nodes}), LCASE(STR(?{first})) = {label})"
    head = f"SELECT DISTINCT ?{first} WHERE"
    found = run(snapshot, wrap(parameter.source, head, f"FILTER({test}) }} LIMIT {SAME_NAME}"))
    assert isinstance(found, ox.QuerySolutions)
    terms = [t for solution in found if isinstance(t := solution[first], ox.NamedNode | ox.Literal)]
    if not terms:
        some = ", ".join(value for value, _ in list_choices(snapshot, parameter, 10, run))
        raise ParameterError(
            f"`{word}` is not in the answer to `{parameter.of}`",
            mend=f"`{parameter.name}` takes one of its first column, such as: {some}" if some else "it has no rows",
        )
    return list(terms)


def _first_column(parameter: Parameter) -> str:
    names = columns(parameter.source) if parameter.source else ()
    if not names:
        raise ParameterError(
            f"there is no answer of `{parameter.of}` to choose `{parameter.name}` from",
            mend=f"`choice of` takes the name of a saved SELECT without parameters; {parameter.of} is none",
        )
    return names[0]


def _node(word: str) -> ox.NamedNode | None:
    try:
        return ox.NamedNode(expand(word))
    except ValueError:
        return None  # not the shape of an IRI: it can still be a label


def _find_named(snapshot: Snapshot, word: str, more: str = "") -> list[ox.NamedNode]:
    solutions = snapshot.query(_NAMED.format(label=ox.Literal(word.lower()), more=more, limit=SAME_NAME))
    assert isinstance(solutions, ox.QuerySolutions)
    return [node for solution in solutions if isinstance(node := solution["node"], ox.NamedNode)]
