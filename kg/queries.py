"""Saved queries: `.rq` files with a heading, and how their parameters are bound.

A saved query is a SPARQL file that runs as it stands. Its heading is YAML in comments: title,
description, parameters. Each parameter is a variable with a block of its own in the text,

    VALUES ?about { id:united-states }

whose content is the parameter's example. Binding replaces the block by one made of RDF terms:
no text that a user gives is ever pasted into a query. Where an optional parameter is not given,
its block is left out, and so is every line that ends in ``# if about``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal, cast, get_args

import pyoxigraph as ox

from kg.dates import is_edtf
from kg.errors import NotFoundError, ParameterError, Place, RecordError
from kg.names import PREFIXES, WS, XSD, expand, shorten
from kg.store import Snapshot
from kg.vocabulary import concept_prefix, vocabulary

ParameterType = Literal["iri", "text", "integer", "decimal", "date", "concept"]

_BLOCK = r"VALUES \?{name} \{{[^}}]*\}}"
_HEADING = re.compile(r"(?:#[^\n]*\n)+")
_PARAMETER_LINE = re.compile(r"(\w+): (\w+)(?: of (\w+))?(, optional)?(?:, default (\S+))?\. (.+)\Z")


@dataclass(frozen=True)
class Parameter:
    """A parameter of a saved query.

    Parameters:
        name: the variable's name; on the command line and in addresses, underscores may be hyphens.
        type: kind of value.
        of: the class of an ``iri`` or the scheme of a ``concept``, local name.
        optional: True where the query answers without it.
        default: value used where none is given.
        description: what it means.
        example: a value that gives an answer, as a user would write it.
    """

    name: str
    type: ParameterType
    of: str | None
    optional: bool
    default: str | None
    description: str
    example: str

    @property
    def choices(self) -> tuple[str, ...]:
        """The short names that a ``concept`` can take; empty for the other types."""
        return vocabulary().concepts.get(WS + (self.of or ""), ()) if self.type == "concept" else ()


@dataclass(frozen=True)
class SavedQuery:
    """A saved query.

    Parameters:
        name: name of its file without ending.
        title: the question that it answers.
        description: what the answer holds.
        parameters: in the order of the heading.
        text: the whole file.
    """

    name: str
    title: str
    description: str
    parameters: tuple[Parameter, ...]
    text: str

    def bind(self, snapshot: Snapshot, values: Mapping[str, Sequence[str]]) -> str:
        """Return the query's text with its parameters bound.

        Parameters:
            snapshot: where labels are looked up.
            values: what the user gives for each parameter, one or several values.

        Raises:
            ParameterError: an unknown or missing parameter, or a value that is not of its type.
        """
        known = {p.name: p for p in self.parameters}
        given = {name.replace("-", "_"): [v for v in vs if v.strip()] for name, vs in values.items()}
        for name in given.keys() - known.keys():
            raise ParameterError(
                f"`{self.name}` has no parameter `{name}`", mend=f"it takes: {', '.join(known) or 'none'}"
            )
        text = self.text
        for parameter in self.parameters:
            words = given.get(parameter.name) or ([parameter.default] if parameter.default else [])
            if not words and not parameter.optional:
                raise ParameterError(
                    f"`{self.name}` needs `{parameter.name}`: {parameter.description}",
                    mend=f"for example --{parameter.name.replace('_', '-')} {parameter.example}",
                )
            terms = " ".join(str(term) for word in words for term in read_value(snapshot, parameter, word))
            block = f"VALUES ?{parameter.name} {{ {terms} }}" if words else ""
            text = text.replace(self._block(parameter.name), block)
            if not words:
                text = re.sub(rf"(?m)^.*# if {parameter.name}$\n?", "", text)
        return text

    def _block(self, name: str) -> str:
        match = re.search(_BLOCK.format(name=name), self.text)
        assert match is not None  # parse_query has seen it
        return match.group()


def load_queries(folder: Path | None = None) -> dict[str, SavedQuery]:
    """Return the saved queries by name.

    Parameters:
        folder: where the `.rq` files are; by default those that Whosays brings.

    Raises:
        RecordError: a heading that cannot be read.

    >>> load_queries()["who-asserts-what"].title
    'Who asserts what?'
    """
    root = folder or Path(str(resources.files("kg") / "queries"))
    return {path.stem: parse_query(path.stem, path.read_text("utf-8"), str(path)) for path in sorted(root.glob("*.rq"))}


def get_query(name: str) -> SavedQuery:
    """Return a saved query.

    Raises:
        NotFoundError: none has that name.
    """
    queries = load_queries()
    if name not in queries:
        raise NotFoundError(f"there is no saved query `{name}`", mend=f"use one of: {', '.join(queries)}")
    return queries[name]


def parse_query(name: str, text: str, file: str) -> SavedQuery:
    """Read a saved query from the text of its file.

    The heading: a title line, a description, then a line for each parameter:

        # Who asserts what?
        # Every stance, with its holder.
        # - about: iri of Agent, optional. Whom the content speaks of

    Raises:
        RecordError: the heading or a parameter's block is missing or malformed.

    >>> query = parse_query("q", "# What?\\n# All.\\n# - a: iri. It\\nASK { VALUES ?a { id:b } ?a ?b ?c }", "q.rq")
    >>> query.parameters[0].example
    'b'
    """
    match = _HEADING.match(text)
    lines = [line.removeprefix("#").strip() for line in match.group().splitlines()] if match else []
    if len(lines) < 2:
        raise RecordError(
            "no heading", mend="begin with two comment lines: title and description", place=Place(file, 1)
        )
    prose = [line for line in lines[1:] if not line.startswith("- ")]
    parameters = []
    for number, line in enumerate(lines, 1):
        if line.startswith("- "):
            parsed = _PARAMETER_LINE.match(line[2:])
            if not parsed or parsed[2] not in get_args(ParameterType):
                raise RecordError(
                    f"`{line}` does not describe a parameter",
                    mend="write: - name: type of Class, optional, default value. Description",
                    place=Place(file, number),
                )
            block = re.search(_BLOCK.format(name=parsed[1]), text)
            if not block:
                raise RecordError(
                    f"the parameter `{parsed[1]}` has no block",
                    mend=f"add VALUES ?{parsed[1]} {{ example }} to the query",
                    place=Place(file, number),
                )
            example = block.group().partition("{")[2].removesuffix("}").strip()
            parameters.append(
                Parameter(
                    parsed[1],
                    cast(ParameterType, parsed[2]),
                    parsed[3],
                    bool(parsed[4]),
                    parsed[5],
                    parsed[6],
                    _as_written(example, parsed[3]),
                )
            )
    return SavedQuery(name, lines[0], " ".join(prose), tuple(parameters), text)


def _as_written(example: str, of: str | None) -> str:
    if of and of.endswith("Scheme"):
        return example.removeprefix(f"ws:{concept_prefix(WS + of).removeprefix(WS)}")
    return shorten(example.partition("^^")[0].strip("<>")).removeprefix("id:").strip('"')


def read_value(snapshot: Snapshot, parameter: Parameter, word: str) -> list[ox.NamedNode | ox.Literal]:
    """Return the RDF terms for what a user gives.

    Parameters:
        snapshot: where labels are looked up.
        parameter: says what is expected.
        word: an IRI, a prefixed name, a slug or a label; a number, a date, a text, the name of a concept.

    Raises:
        ParameterError: it is not of the parameter's type, or nothing has that name.
    """
    mend = f"`{parameter.name}` takes, for example, {parameter.example}"
    if parameter.type == "text":
        return [ox.Literal(word)]
    if parameter.type in ("integer", "decimal"):
        pattern = r"[+-]?\d+" if parameter.type == "integer" else r"[+-]?\d+(\.\d+)?"
        if not re.fullmatch(pattern, word, re.ASCII):
            raise ParameterError(f"`{word}` is no {parameter.type}", mend=mend)
        return [ox.Literal(word, datatype=ox.NamedNode(XSD + parameter.type))]
    if parameter.type == "date":
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", word, re.ASCII) or not is_edtf(word):
            raise ParameterError(f"`{word}` is no date", mend=mend)
        return [ox.Literal(word, datatype=ox.NamedNode(XSD + "date"))]
    if parameter.type == "concept":
        if word not in parameter.choices:
            raise ParameterError(f"`{word}` is no {parameter.name}", mend=f"use one of: {', '.join(parameter.choices)}")
        return [ox.NamedNode(concept_prefix(WS + (parameter.of or "")) + word)]
    return _find_resource(snapshot, parameter, word)


def _find_resource(snapshot: Snapshot, parameter: Parameter, word: str) -> list[ox.NamedNode | ox.Literal]:
    try:
        node = ox.NamedNode(expand(word.strip()))
        exists = snapshot.query(
            f"ASK {{ {{ {node} ?p ?o }} UNION {{ ?s ?p {node} }} UNION {{ GRAPH {node} {{ ?s ?p ?o }} }} }}"
        )
        if bool(exists):
            return [node]
    except ValueError:
        pass  # not the shape of an IRI: it can still be a label
    label = ox.Literal(word.strip().lower())
    solutions = snapshot.query(
        "SELECT DISTINCT ?node WHERE { ?node skos:prefLabel|skos:altLabel|ws:title ?label "
        f"FILTER(LCASE(STR(?label)) = {label}) }} LIMIT 20"
    )
    assert isinstance(solutions, ox.QuerySolutions)
    found = [node for solution in solutions if isinstance(node := solution["node"], ox.NamedNode)]
    if not found:
        raise ParameterError(
            f"nothing in the graph is called `{word}`",
            mend=f"`{parameter.name}` takes a name such as {parameter.example}; its prefixes: {', '.join(PREFIXES)}",
        )
    return list(found)
