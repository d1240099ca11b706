"""Saved queries: `.rq` files with a heading, how their parameters are bound, and how their rows are cut.

A saved query is a SPARQL file that runs as it stands. Its heading is YAML in comments: title,
description, parameters. Each parameter is a variable with a block of its own in the text,

    VALUES ?about { id:united-states }

whose content is the parameter's example. Binding replaces the block by one made of RDF terms:
no text that a user gives is ever pasted into a query. Where an optional parameter is not given,
its block is left out, and so is every line that ends in ``# if about``.

Every saved SELECT also takes `limit`, `offset` and `labels`: then the bound query becomes the subquery of
one that does just that, so that its DISTINCT, order and own LIMIT mean what they meant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast, get_args
from urllib.parse import urlencode

from kg.digests import text_digest
from kg.errors import MalformedError, ParameterError, Place, RecordError
from kg.names import WS, shorten
from kg.parameters import RESERVED, Parameter, ParameterType, Run, Value, read_literal, read_value, run_here
from kg.query_text import Form, columns, cut, is_language, parse, query_form
from kg.store import Snapshot
from kg.vocabulary import concept_prefix, vocabulary

MAX_LIMIT = 10_000
"""Rows that a page of an answer can have; without `limit` an answer has all its rows."""

MAX_OFFSET = 1_000_000_000
MAX_VALUES = 1_000
"""Values that one parameter can have in one call."""

_BLOCK = r"(?i:VALUES)\s+\?{name}\s*\{{([^}}]*)\}}"
_HEADING = re.compile(r"(?:#[^\n]*\n)+")
_PARAMETER_LINE = re.compile(r"(\w+): (\w+)(?: of ([\w-]+))?(, optional)?(?:, default (\S+))?\. (.+)\Z")


@dataclass(frozen=True)
class SavedQuery:
    """A saved query.

    Parameters:
        name: name of its file without ending.
        title: the question that it answers.
        description: what the answer holds.
        parameters: in the order of the heading.
        text: the whole file.
        form: of the query.
        brought: True where Whosays brings it, False where a user added it.
    """

    name: str
    title: str
    description: str
    parameters: tuple[Parameter, ...]
    text: str
    form: Form = "SELECT"
    brought: bool = False

    @property
    def digest(self) -> str:
        """What tells this text of the query from any other: 16 hexadecimal digits."""
        return text_digest(self.text)[:16]

    @property
    def needed(self) -> tuple[Parameter, ...]:
        """The parameters without which it does not answer."""
        return tuple(p for p in self.parameters if not p.optional and p.default is None)

    def bind(self, snapshot: Snapshot, values: Mapping[str, Sequence[str]], run: Run = run_here) -> str:
        """Return the query's text with its parameters bound.

        Parameters:
            snapshot: where labels and choices are looked up.
            values: what the user gives for each parameter, one or several values.
            run: runs the query of a choice.

        Raises:
            ParameterError: an unknown or missing parameter, or a value that is not of its type.
        """
        known = {p.name: p for p in self.parameters}
        given = _given(values)
        for name in given.keys() - known.keys():
            raise ParameterError(
                f"`{self.name}` has no parameter `{name}`", mend=f"it takes: {', '.join(known) or 'none'}"
            )
        terms: dict[str, Sequence[Value] | None] = {}
        for parameter in self.parameters:
            words = given.get(parameter.name) or ([parameter.default] if parameter.default else [])
            if not words and not parameter.optional:
                raise ParameterError(
                    f"`{self.name}` needs `{parameter.name}`: {parameter.description}",
                    mend=f"for example --{parameter.name.replace('_', '-')} {parameter.example}",
                )
            if len(words) > MAX_VALUES:
                raise ParameterError(
                    f"`{parameter.name}` has {len(words)} values", mend=f"give {MAX_VALUES:,} at most, and ask again"
                )
            found = dict.fromkeys(term for word in words for term in read_value(snapshot, parameter, word, run))
            terms[parameter.name] = tuple(found) if words else None
        return _substitute(self.text, terms)


@dataclass(frozen=True)
class Prepared:
    """A saved query that is ready to run.

    Parameters:
        text: SPARQL.
        limit: rows that were asked for at most; None where all were.
        offset: rows left out at the beginning.
        bound: the text before its rows were cut and labelled.
    """

    text: str
    limit: int | None
    offset: int
    bound: str


def prepare(
    saved: SavedQuery, snapshot: Snapshot, values: Mapping[str, Sequence[str]], *, run: Run = run_here
) -> Prepared:
    """Return a saved query with its parameters bound and its rows cut to what is asked for.

    Parameters:
        saved: the query.
        snapshot: where labels and choices are looked up.
        values: what the user gives for each parameter, one or several values; also `limit` (1 to 10,000),
            `offset` and `labels` (a language tag: adds to each column a second one with what its things are called).
        run: runs the query of a choice, which a user may have written; by default here and now, which is right
            only in a process that may be killed.

    Raises:
        ParameterError: an unknown or missing parameter, or a value that is not of its type.
        MalformedError: the query has FROM and so cannot be cut, or SELECT * and so has no labels.

    >>> import pyoxigraph as ox
    >>> query = parse_query("q", "# What?\\n# All.\\nSELECT ?a { ?a ?b ?c }", "q.rq")
    >>> prepare(query, Snapshot(ox.Store(), "0"), {"limit": ["10"]}).text.splitlines()[-1]
    '} } LIMIT 10'
    """
    given = _given(values)
    asked = {name: given.pop(name) for name in RESERVED if name in given}
    bound = text = saved.bind(snapshot, given, run)
    for name in asked:
        if saved.form != "SELECT" or name == "format":
            raise ParameterError(
                f"`{saved.name}` has no parameter `{name}`", mend="leave it out; only a SELECT takes limit and labels"
            )
    limit = _number("limit", asked, 1, MAX_LIMIT)
    offset = _number("offset", asked, 0, MAX_OFFSET) or 0
    language = _one("labels", asked)
    if language is not None and not is_language(language):
        raise ParameterError(f"`labels` is `{language[:40]}`", mend="give a language tag, such as en")
    if asked:
        text = cut(text, limit=limit, offset=offset, language=language)
    return Prepared(text, limit, offset, bound)


def page_links(
    values: Mapping[str, Sequence[str]], prepared: Prepared, rows: int | None
) -> tuple[tuple[str, str], ...]:
    """Return where the neighbouring pages of an answer are: relation (RFC 8288) and query string.

    Parameters:
        values: what was given, `format` included.
        prepared: the query that was made of it.
        rows: of this page; None where that is not known yet, and then a next page is told of in any case.

    >>> page_links({"about": ["japan"], "limit": ["10"]}, Prepared("", 10, 0, ""), 10)
    (('next', 'about=japan&limit=10&offset=10'),)
    """
    if prepared.limit is None:
        return ()
    found = []
    kept = [(name, word) for name, words in values.items() if name not in ("limit", "offset") for word in words if word]
    for relation, offset in (("prev", prepared.offset - prepared.limit), ("next", prepared.offset + prepared.limit)):
        there = prepared.offset > 0 if relation == "prev" else rows is None or rows >= prepared.limit
        if there and offset <= MAX_OFFSET:
            cut_to = [("limit", prepared.limit), *([("offset", offset)] if offset > 0 else [])]
            found.append((relation, urlencode([*kept, *cut_to])))
    return tuple(found)


def parse_query(name: str, text: str, file: str, *, brought: bool = False) -> SavedQuery:
    """Read a saved query from the text of its file.

    The heading: a title line, a description, then a line for each parameter:

        # Who asserts what?
        # Every stance, with its holder.
        # - about: iri of Agent, optional. Whom the content speaks of

    Types are iri, text, integer, decimal, date, boolean, language; `concept of` a scheme and `choice of` a saved query.

    Raises:
        RecordError: the heading or a parameter's block is missing or malformed.

    >>> query = parse_query("q", "# What?\\n# All.\\n# - a: iri. It\\nASK { VALUES ?a { id:b } ?a ?b ?c }", "q.rq")
    >>> query.parameters[0].example, query.form
    ('b', 'ASK')
    """
    match = _HEADING.match(text)
    lines = [line.removeprefix("#").strip() for line in match.group().splitlines()] if match else []
    if len(lines) < 2:
        raise RecordError(
            "no heading", mend="begin with two comment lines: title and description", place=Place(file, 1)
        )
    prose = [line for line in lines[1:] if not line.startswith("- ")]
    parameters: list[Parameter] = []
    for number, line in enumerate(lines, 1):
        if line.startswith("- "):
            parameter = _parse_parameter(line, text, Place(file, number))
            if parameter.name in {p.name for p in parameters}:
                raise RecordError(
                    f"the parameter `{parameter.name}` stands twice", mend="leave one out", place=Place(file, number)
                )
            parameters.append(parameter)
    try:
        form = query_form(text)
    except MalformedError as error:
        raise RecordError(error.problem, mend=error.mend, place=Place(file, len(lines) + 1)) from error
    return SavedQuery(name, lines[0], " ".join(prose), tuple(parameters), text, form, brought)


def check_query(name: str, text: str) -> None:
    """See that a user's text can be a saved query: that it is one, and parses however its parameters are given.

    Nothing is evaluated. It may take long or crash on a query made to do that: it belongs in a process that may
    be killed.

    Parameters:
        name: the query's name.
        text: the whole file.

    Raises:
        RecordError: the heading or a parameter's block is missing or malformed.
        MalformedError: it does not parse.

    >>> check_query("q", "# What?\\n# All.\\nASK { ?a ?b ?c }")
    """
    saved = parse_query(name, text, f"{name}.rq")
    optional = [p.name for p in saved.parameters if p.optional]
    texts = [text, _substitute(text, dict.fromkeys(optional)), *(_substitute(text, {p: None}) for p in optional)]
    if saved.form == "SELECT" and columns(text):
        texts.append(cut(text, limit=1, offset=1, language="en"))
    for each in texts:
        parse(each)


def _parse_parameter(line: str, text: str, place: Place) -> Parameter:
    parsed = _PARAMETER_LINE.match(line[2:])
    if not parsed or parsed[2] not in get_args(ParameterType) or parsed[1] in RESERVED:
        raise RecordError(
            f"`{line}` does not describe a parameter",
            mend="write: - name: type of Class, optional, default value. Description; "
            f"types: {', '.join(get_args(ParameterType))}; names that are taken: {', '.join(RESERVED)}",
            place=place,
        )
    name, kind, of = parsed[1], cast(ParameterType, parsed[2]), parsed[3]
    block = re.search(_BLOCK.format(name=name), text)
    if not block:
        raise RecordError(
            f"the parameter `{name}` has no block", mend=f"add VALUES ?{name} {{ example }} to the query", place=place
        )
    example = _as_written(block[1].strip(), kind, of)
    parameter = Parameter(name, kind, of, bool(parsed[4]), parsed[5], parsed[6], example)
    if kind == "concept" and WS + str(of) not in vocabulary().concepts:
        raise RecordError(
            f"`{name}` is a concept of `{of}`, which is no scheme", mend="name one of the ontology's", place=place
        )
    if kind == "choice" and not of:
        raise RecordError(f"`{name}` is a choice of nothing", mend="write: choice of QUERY", place=place)
    if parameter.default is not None and kind not in ("iri", "choice"):
        try:
            read_literal(parameter, parameter.default)
        except ParameterError as error:
            raise RecordError(f"the default of `{name}`: {error.problem}", mend=error.mend, place=place) from error
    return parameter


def _as_written(example: str, kind: ParameterType, of: str | None) -> str:
    if kind == "concept" and of and of.endswith("Scheme"):
        return example.removeprefix(f"ws:{concept_prefix(WS + of).removeprefix(WS)}")
    return shorten(example.partition("^^")[0].strip("<>")).removeprefix("id:").strip('"')


def _substitute(text: str, terms: Mapping[str, Sequence[Value] | None]) -> str:
    """Put terms into the blocks of parameters, in one go, so that no value is ever read as a block.

    Parameters:
        text: of a saved query.
        terms: by parameter; None where it falls away, with the lines that depend on it.
    """
    dropped = [name for name, found in terms.items() if found is None]
    if dropped:
        text = re.sub(rf"(?m)^.*# if (?:{'|'.join(dropped)})[ \t\r]*$\n?", "", text)
    if not terms:
        return text

    def block(match: re.Match[str]) -> str:
        found = terms[match[1]]
        return "" if found is None else f"VALUES ?{match[1]} {{ {' '.join(map(str, found))} }}"

    return re.sub(_BLOCK.format(name=f"({'|'.join(terms)})"), block, text)


def _given(values: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    given: dict[str, list[str]] = {}
    for name, words in values.items():
        given.setdefault(name.replace("-", "_"), []).extend(w for w in words if w.strip())
    return {name: words for name, words in given.items() if words or name not in RESERVED}


def _one(name: str, asked: Mapping[str, Sequence[str]]) -> str | None:
    words = asked.get(name, ())
    if len(words) > 1:
        raise ParameterError(f"`{name}` is given {len(words)} times", mend="give it once")
    return words[0] if words else None


def _number(name: str, asked: Mapping[str, Sequence[str]], least: int, most: int) -> int | None:
    word = _one(name, asked)
    if word is None:
        return None
    if not re.fullmatch(r"\d{1,12}", word, re.ASCII) or not least <= int(word) <= most:
        raise ParameterError(f"`{name}` is `{word[:40]}`", mend=f"give a whole number from {least:,} to {most:,}")
    return int(word)
