"""What is asked of the explorer and of the pictures: facets and their values, a span of days, words.

The same choice is written in four ways: as `Filters`, as pairs in an address, and as two SPARQL queries that
anybody can run elsewhere. The index (`kg.index`) answers what `assertions_sparql` answers, sooner.

An assertion without a content of its own, a report, has no target and no issue: it is the assertion that it tells of
that has them. Several values of one facet mean any of them, several facets all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

import pyoxigraph as ox

from kg.dates import date_bounds
from kg.errors import ParameterError
from kg.names import WS, expand, shorten
from kg.sqlite_file import check_unicode
from kg.vocabulary import concept_prefix, vocabulary
from kg.words import split_words, word_pattern

FACETS = ("holder", "state", "act", "target", "issue", "polarity", "certainty", "standing", "kind", "document")
"""What one can choose by, in the order in which it is shown."""

NAMED = ("holder", "state", "target", "issue", "document")
"""The facets whose values are things with names, which people may type."""

SCHEMES: Mapping[str, str] = {
    name: f"{WS}{name[0].upper()}{name[1:]}Scheme" for name in ("act", "polarity", "certainty", "standing")
}
"""The facets whose values are concepts, with their schemes."""

KINDS: Mapping[str, str] = {
    "relation": WS + "Relation",
    "evaluation": WS + "Evaluation",
    "interpretation": WS + "Interpretation",
    "comparison": WS + "Comparison",
    "quantity": WS + "Quantity",
    "prescription": WS + "Prescription",
    "causal": WS + "CausalClaim",
    "pathway": WS + "CausalPathway",
    "argument": WS + "Argument",
    "plain": WS + "Proposition",
    "report": WS + "reports",
}
"""The kinds of assertion by their content: the class of a proposition, or the property that leads to a reported one."""

MAX_WORDS = 50
"""Words that are looked for at most; those that come after are passed over."""

MAX_VALUES = 500
"""Values of one facet that can be chosen."""

_DAY = re.compile(r"\d{4}(-\d\d){0,2}", re.ASCII)


@dataclass(frozen=True)
class Filters:
    """What is asked for.

    Parameters:
        chosen: facet to IRIs; see `FACETS`.
        since, until: days, ISO 8601; the effective date of the stance may lie on them or between.
        words: each of them begins a word of the content's gloss or of a passage.
        withdrawn: with what was superseded or retracted, which has no standing.

    >>> Filters(words="toll").chosen
    {}
    """

    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    since: str | None = None
    until: str | None = None
    words: str = ""
    withdrawn: bool = False


def read_filters(pairs: Iterable[tuple[str, str]]) -> Filters:
    """Read what is asked for from an address.

    Parameters:
        pairs: names and values; a facet may come several times. Values that are empty, and names that are no filter
            (a page has others, such as `format`), are passed over.

    Raises:
        ParameterError: a value makes no sense; the message names it.

    >>> filters = read_filters([("holder", "ruritania"), ("act", "wants"), ("since", "1998")])
    >>> filters.chosen["act"], filters.since
    (('https://w3id.org/whosays/ontology#act-wants',), '1998-01-01')
    """
    chosen: dict[str, dict[str, None]] = {}
    since: str | None = None
    until: str | None = None
    words, withdrawn = "", False
    for name, value in pairs:
        value = value.strip()
        if not value:
            continue
        if name in FACETS:
            values = chosen.setdefault(name, {})
            values[_read_value(name, value)] = None
            if len(values) > MAX_VALUES:
                raise ParameterError(f"`{name}` is given more than {MAX_VALUES} times", mend="choose fewer")
        elif name == "since":
            since = _read_day(name, value).isoformat()
        elif name == "until":
            until = _read_day(name, value, last=True).isoformat()
        elif name == "words":
            check_unicode(value)
            words = f"{words} {value}".strip()
        elif name == "withdrawn":
            if value.lower() not in ("1", "true", "yes", "on", "0", "false", "no", "off"):
                raise ParameterError(f"`withdrawn` is `{value[:80]}`", mend="give 1 or 0, or leave it out")
            withdrawn = value.lower() in ("1", "true", "yes", "on")
    if since and until and since > until:
        raise ParameterError(f"`since` ({since}) is after `until` ({until})", mend="exchange them")
    return Filters({name: tuple(values) for name, values in chosen.items()}, since, until, words, withdrawn)


def write_filters(filters: Filters) -> list[tuple[str, str]]:
    """Write what is asked for as pairs of an address, which `read_filters` reads.

    >>> write_filters(Filters({"act": (WS + "act-wants",), "holder": (expand("ruritania"),)}, words="toll"))
    [('holder', 'ruritania'), ('act', 'wants'), ('words', 'toll')]
    """
    pairs = [(name, write_value(name, iri)) for name in FACETS for iri in filters.chosen.get(name, ())]
    more = {"since": filters.since, "until": filters.until, "words": filters.words}
    pairs += [(name, value) for name, value in more.items() if value]
    return [*pairs, ("withdrawn", "1")] if filters.withdrawn else pairs


def write_value(facet: str, iri: str) -> str:
    """Return a value of a facet as it stands in an address: short, where that is not taken for a name that was typed.

    >>> write_value("kind", WS + "CausalClaim"), write_value("document", expand("bridge-toll"))
    ('causal', 'bridge-toll')
    >>> write_value("holder", expand("Ruritania"))
    'https://w3id.org/whosays/id/Ruritania'
    """
    if facet in SCHEMES:
        return iri.removeprefix(concept_prefix(SCHEMES[facet]))
    if facet == "kind":
        return next((name for name, kind in KINDS.items() if kind == iri), iri)
    short = shorten(iri)
    return short if expand(short) == iri and not is_typed(facet, short) else iri


def is_typed(facet: str, value: str) -> bool:
    """Tell whether a value is a name as people type it, with blanks or capitals, and not as addresses have it.

    >>> is_typed("holder", "United States"), is_typed("holder", "united-states"), is_typed("standing", "onRecord")
    (True, False, False)
    """
    short = (value.isascii() and value == value.lower() and " " not in value) or "://" in value
    return facet in NAMED and not short


def _read_value(facet: str, word: str) -> str:
    if facet in SCHEMES or facet == "kind":
        names = KINDS if facet == "kind" else _concepts(SCHEMES[facet])
        found = names.get(word) or next((iri for iri in names.values() if iri == expand(word)), None)
        if found is None:
            raise ParameterError(f"`{word[:80]}` is no {facet}", mend=f"use one of: {', '.join(names)}")
        return found
    try:
        return ox.NamedNode(expand(word)).value
    except ValueError as error:
        raise ParameterError(
            f"`{facet}` is `{word[:80]}`, which is no name",
            mend="give the last part of a name, such as united-states, or a whole IRI",
        ) from error


def _concepts(scheme: str) -> dict[str, str]:
    return {name: concept_prefix(scheme) + name for name in vocabulary().concepts[scheme]}


def _read_day(name: str, text: str, *, last: bool = False) -> date:
    try:
        day = date_bounds(text)[last] if _DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise ParameterError(
            f"`{name}` is `{text[:80]}`, which is no day", mend="write it as 1998, 1998-11 or 1998-11-14"
        )
    return day


# The same in SPARQL.


def assertions_sparql(filters: Filters) -> str:
    """Return the query whose answer is what is asked for: one row for each assertion and passage of it.

    Parameters:
        filters: what is asked for. Words are looked for in the passages too, where the texts are there.

    >>> "ws:holder ?holder" in assertions_sparql(Filters())
    True
    """
    return f"""SELECT DISTINCT ?holder ?act ?polarity ?certainty ?gloss ?document ?date ?passage
                (ws:quote(?passage) AS ?quote) ?assertion
WHERE {{
{_patterns(filters)}
  OPTIONAL {{ ?assertion ws:effectiveDate ?date }}
  OPTIONAL {{ ?assertion ws:evidencedBy ?passage . ?passage ws:start ?start }}
  OPTIONAL {{
    ?assertion ws:reports*/ws:proposition/ws:gloss ?gloss
    FILTER(LANG(?gloss) = "en")
  }}
}}
ORDER BY ?document ?start ?assertion
"""


def matching_sparql(filters: Filters) -> str:
    """Return the query for the assertions alone, each once; it can stand inside another.

    >>> matching_sparql(Filters()).startswith("SELECT DISTINCT ?assertion")
    True
    """
    return f"SELECT DISTINCT ?assertion WHERE {{\n{_patterns(filters)}\n}}"


def construct_sparql(filters: Filters) -> str:
    """Return the query for all that the graph says of the assertions, of their contents and of their passages.

    >>> construct_sparql(Filters()).startswith("CONSTRUCT")
    True
    """
    return f"""CONSTRUCT {{ ?thing ?property ?value }}
WHERE {{
  {{
    SELECT DISTINCT ?thing WHERE {{
      {{
{_indent(matching_sparql(filters), 8)}
      }}
      ?assertion (ws:proposition|ws:evidencedBy)? ?thing .
    }}
  }}
  ?thing ?property ?value .
}}
"""


def _patterns(filters: Filters) -> str:
    """Return what an assertion must be, what leaves fewest first: the engine takes some of it in this order."""
    lines = [_has_word(word) for word in split_words(filters.words)[:MAX_WORDS]]
    for name in FACETS:
        if filters.chosen.get(name):
            lines += _chosen(name, filters.chosen[name])
    lines.append(
        "?assertion ws:holder ?holder ; ws:act ?act ; ws:polarity ?polarity ;\n"
        "           ws:certainty ?certainty ; ws:statedIn ?document ."
    )
    if not filters.withdrawn or filters.chosen.get("standing"):
        lines.append("?assertion ws:standing ?standing .")
    if filters.since or filters.until:
        lines += _dated(filters)
    return _indent("\n".join(lines), 2)


def _chosen(name: str, iris: tuple[str, ...]) -> list[str]:
    match name:
        case "state":
            of_holders = "?holder ws:belongsTo? ?state . ?state a ws:State ."
            return [f"{{ SELECT DISTINCT ?holder WHERE {{ {_values(name, iris)} {of_holders} }} }}"]
        case "target":
            of_contents = "?proposition ws:about ?target . FILTER NOT EXISTS { ?target a ws:Issue }"
        case "issue":
            of_contents = "?issue a ws:Issue . ?proposition ws:about/skos:broader* ?issue ."
        case "kind":
            return [_kinds(iris)]
        case _:
            return [_values(name, iris)]
    contents = f"{{ SELECT DISTINCT ?assertion WHERE {{ {_values(name, iris)} {of_contents}"
    return [f"{contents} ?assertion ws:proposition ?proposition }} }}"]


def _kinds(iris: tuple[str, ...]) -> str:
    groups = []
    kinds = tuple(iri for iri in iris if iri not in (KINDS["plain"], KINDS["report"]))
    if kinds:
        groups.append(f"{{ {_values('kind', kinds)} ?proposition a ?kind . ?assertion ws:proposition ?proposition }}")
    if KINDS["plain"] in iris:
        others = ", ".join(f"ws:{KINDS[name].removeprefix(WS)}" for name in KINDS if name not in ("plain", "report"))
        other = f"?plain a ?other FILTER(?other IN ({others}))"
        groups.append(f"{{ ?assertion ws:proposition ?plain FILTER NOT EXISTS {{ {other} }} }}")
    if KINDS["report"] in iris:
        groups.append("{ ?assertion ws:reports ?reported FILTER NOT EXISTS { ?assertion ws:proposition ?own } }")
    return f"{{ SELECT DISTINCT ?assertion WHERE {{ {' UNION '.join(groups)} }} }}"


def _dated(filters: Filters) -> list[str]:
    lines = ["OPTIONAL { ?assertion ws:earliest ?earliest }", "OPTIONAL { ?assertion ws:latest ?latest }"]
    if filters.since:  # a date without an end goes on, one without a beginning began before all others
        lines.append(f'FILTER(COALESCE(?latest >= "{filters.since}"^^xsd:date, BOUND(?earliest)))')
    if filters.until:
        lines.append(f'FILTER(COALESCE(?earliest <= "{filters.until}"^^xsd:date, BOUND(?latest)))')
    return lines


def _has_word(word: str) -> str:
    pattern = ox.Literal(word_pattern(word))
    return f"""{{
  SELECT DISTINCT ?assertion WHERE {{
    {{ ?content ws:gloss ?text FILTER(REGEX(STR(?text), {pattern}, "i")) ?assertion ws:proposition ?content }}
    UNION {{ ?assertion ws:evidencedBy ?place FILTER(REGEX(ws:quote(?place), {pattern}, "i")) }}
  }}
}}"""


def _values(name: str, iris: tuple[str, ...]) -> str:
    return f"VALUES ?{name} {{ {' '.join(str(ox.NamedNode(iri)) for iri in iris)} }}"


def _indent(text: str, spaces: int = 4) -> str:
    return "\n".join(" " * spaces + line for line in text.splitlines())
