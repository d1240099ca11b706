"""The text of a query: its form, its columns, and how it is wrapped without a look at what it means.

What stands before the form, comments included, is the prologue; it stays in front when the rest becomes
a subquery. All this is read by a tokeniser and not by the engine: the engine plans what it parses, and
2 KB of triple patterns keep it busy for most of a minute, 2 KB of brackets overflow a small stack. So a
stranger's query meets the engine only in a process that may be killed.

Source: SPARQL 1.1, https://www.w3.org/TR/sparql11-query/#sparqlGrammar (Prologue, SelectClause, SubSelect).
"""

from __future__ import annotations

import re
from typing import Literal, cast

import pyoxigraph as ox

from kg.errors import MalformedError
from kg.names import PREFIXES, WS, XSD
from kg.store import Functions, Snapshot

Form = Literal["SELECT", "ASK", "CONSTRUCT", "DESCRIBE"]

QUOTE = ox.NamedNode(WS + "quote")
LABEL = ox.NamedNode(WS + "label")
PLACEHOLDERS: Functions = {QUOTE: lambda *_: None, LABEL: lambda *_: None}
"""Stands in for the functions that queries may call, where only the shape of the answer matters."""

_SPACE = r"(?>\s|\#[^\n\r]*+)"
_PROLOGUE = re.compile(
    rf"(?:{_SPACE}++|PREFIX{_SPACE}++[^\s:<\#]*+:{_SPACE}*+<[^<>\s]*+>|BASE{_SPACE}*+<[^<>\s]*+>)*+", re.IGNORECASE
)
_FORM = re.compile(r"(SELECT|ASK|CONSTRUCT|DESCRIBE)\b", re.IGNORECASE)
_DECLARED = re.compile(rf"PREFIX{_SPACE}++([^\s:<\#]*+):", re.IGNORECASE)
_TOKEN = re.compile(
    r"""
    (?P<space>\s++ | \#[^\n\r]*+)
  | (?P<string>\"\"\"(?:[^"\\]|\\.|"(?!""))*+\"\"\" | '''(?:[^'\\]|\\.|'(?!''))*+'''
             | "(?:[^"\\\n\r]|\\.)*+" | '(?:[^'\\\n\r]|\\.)*+')
  | (?P<iri><[^<>"{}|^`\\\x00-\x20]*+>)
  | (?P<variable>[?$]\w++)
  | (?P<word>\w++)
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_NOTHING = Snapshot(ox.Store(), "0")


def split_prologue(text: str) -> tuple[str, str]:
    """Return what stands before a query's form, and the rest.

    >>> split_prologue("# All\\nPREFIX ex: <http://example.org/> ASK {}")
    ('# All\\nPREFIX ex: <http://example.org/> ', 'ASK {}')
    """
    match = _PROLOGUE.match(text)
    assert match is not None  # nothing at all is a prologue too
    return match.group(), text[match.end() :]


def query_form(text: str) -> Form:
    """Return a query's form.

    Raises:
        MalformedError: it is no query.

    >>> query_form("# All\\nselect * {}")
    'SELECT'
    """
    match = _FORM.match(split_prologue(text)[1])
    if match is None:
        raise MalformedError(
            "there is no query", mend="after prefixes and comments, begin with SELECT, ASK, CONSTRUCT or DESCRIBE"
        )
    return cast(Form, match[1].upper())


def columns(text: str) -> tuple[str, ...]:
    """Return the variables of a query's result, in order; none where it is no SELECT, or a SELECT of ``*``.

    >>> columns("SELECT DISTINCT ?b (COUNT(?c) AS ?a) { ?b ?c ?d }")
    ('b', 'a')
    """
    return _select_clause(text)[0]


def _select_clause(text: str) -> tuple[tuple[str, ...], str]:
    """Return the variables of a SELECT, and the word or bracket that comes after them."""
    names, last, depth = [], "", 0
    for match in _TOKEN.finditer(split_prologue(text)[1]):
        kind, token = str(match.lastgroup), match.group()
        word = token.upper() if kind == "word" and depth == 0 else token
        if kind == "space" or (word in ("SELECT", "DISTINCT", "REDUCED", "*") and depth == 0):
            continue
        if kind == "variable":
            last = token[1:]
            if depth == 0:
                names.append(last)
        elif token in ("(", "{") and kind == "other" and (depth or token == "("):
            depth += 1
        elif token in (")", "}") and kind == "other" and depth:
            depth -= 1
            if depth == 0:
                names.append(last)  # ( expression AS ?name )
        elif depth == 0:
            return tuple(names), word
    return tuple(names), ""


def parse(text: str) -> None:
    """Have the engine parse and plan a query, over no data.

    It may take long or crash on a query made to do that: it belongs in a process that may be killed.

    Raises:
        MalformedError: it does not parse.

    >>> parse("SELECT ?a { ?a ws:holder ?b }")
    """
    _NOTHING.query(text, functions=PLACEHOLDERS)


def wrap(text: str, head: str, after: str = "") -> str:
    """Make a SELECT the subquery of another query.

    Parameters:
        text: the SELECT.
        head: what stands before the subquery's group, such as ``SELECT ?a WHERE`` or ``ASK``.
        after: what stands after the subquery: inside the group, then ``}``, then solution modifiers.

    >>> wrap("PREFIX ex: <http://example.org/> SELECT ?a { ?a ex:b ?c }", "ASK", "FILTER(?a = ex:d) }")
    'PREFIX ex: <http://example.org/> ASK { {\\nSELECT ?a { ?a ex:b ?c }\\n} FILTER(?a = ex:d) }'
    """
    prologue, rest = split_prologue(text)
    return f"{prologue}{head} {{ {{\n{rest}\n}} {after or '}'}"


def cut(text: str, *, limit: int | None, offset: int, language: str | None) -> str:
    """Return a SELECT with only some of its rows, in their order, and with labels beside its columns.

    Parameters:
        text: the SELECT.
        limit: rows at most; None for all.
        offset: rows that are left out at the beginning.
        language: the labels' language tag; None for no labels. For ``x`` there is then a column ``xLabel``,
            unless the query has one.

    Raises:
        MalformedError: it cannot be a subquery because it has FROM; or is to have labels, and does not say of what.

    >>> print(cut("SELECT ?a { ?a ?b ?c }", limit=10, offset=20, language=None))
    SELECT ?a WHERE { {
    SELECT ?a { ?a ?b ?c }
    } } LIMIT 10 OFFSET 20
    """
    names, following = _select_clause(text)
    if following == "FROM":
        raise MalformedError(
            "a query with FROM takes neither limit nor labels", mend="leave them out, or write GRAPH in the query"
        )
    shown = [f"?{name}" for name in names]
    if language is not None:
        if not names:
            raise MalformedError("SELECT * takes no labels", mend="leave them out, or name the columns in the query")
        tag = ox.Literal(language)
        shown = [
            f"?{name}" if f"{name}Label" in names else f"?{name} ({LABEL}(?{name}, {tag}) AS ?{name}Label)"
            for name in names
        ]
    end = "}" + (f" LIMIT {limit}" if limit is not None else "") + (f" OFFSET {offset}" if offset else "")
    return wrap(text, f"SELECT {' '.join(shown) or '*'} WHERE", end)


def with_prefixes(text: str) -> str:
    """Return a query that runs anywhere: with the prefixes declared that it uses.

    >>> print(with_prefixes("# All\\nSELECT * { ?a ws:holder ?b }"))
    # All
    PREFIX ws: <https://w3id.org/whosays/ontology#>
    SELECT * { ?a ws:holder ?b }
    """
    prologue, rest = split_prologue(text)
    declared = set(_DECLARED.findall(prologue))
    used = [p for p in PREFIXES if p not in declared and re.search(rf"(?<![\w.:-]){p}:", rest)]
    return prologue + "".join(f"PREFIX {p}: <{PREFIXES[p]}>\n" for p in used) + rest


def is_language(word: str) -> bool:
    """Tell whether a word has the shape of a language tag (RFC 5646).

    >>> is_language("en-GB"), is_language("English language")
    (True, False)
    """
    return re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", word, re.ASCII) is not None and len(word) <= 35


def typed(word: str, datatype: str) -> ox.Literal:
    """Return a literal of one of the datatypes of XML Schema.

    >>> typed("1", "integer").datatype.value
    'http://www.w3.org/2001/XMLSchema#integer'
    """
    return ox.Literal(word, datatype=ox.NamedNode(XSD + datatype))
