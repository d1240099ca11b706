"""The tables of the page of a thing, filled: each from one question, bounded, and asked only where it can have rows.

What the questions are stands in `server.entities.questions`. What comes after `MOST` rows is for a saved query or for
SPARQL.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pyoxigraph as ox

from kg.describing import Run
from kg.names import WS, Term
from server.entities.questions import SECTIONS, Section

MOST = 25
"""Rows that a table shows."""


@dataclass(frozen=True)
class Filled:
    """A section with its rows.

    Parameters:
        section: what was asked.
        columns: those columns that have a value in some row.
        rows: by column, the values.
        cut: True where there are more rows than are shown.
    """

    section: Section
    columns: Sequence[str]
    rows: Sequence[Mapping[str, Sequence[Term]]]
    cut: bool


def section_query(section: Section, iri: str) -> str:
    """Return the query for a section of the page of a thing; its rows have the columns of the section.

    >>> "LIMIT 26" in section_query(SECTIONS[0], "https://w3id.org/whosays/id/ruritania")
    True
    """
    names = " ".join(f"?{name}" for name in _variables(section))
    where, order = section.where, f"ORDER BY {section.order} " if section.order else ""
    if section.first:
        chosen = f"SELECT DISTINCT ?{section.per} ?sorted WHERE {{ {section.first} }} ORDER BY ?sorted LIMIT {MOST + 1}"
        where, order = f"{{ {chosen} }} {where}", f"ORDER BY ?sorted ?{section.per} "
    text = f"SELECT DISTINCT {names} WHERE {{ {where} }} {order}LIMIT {_limit(section) + 1}"
    return text.replace("$node", str(ox.NamedNode(iri)))


def fill_sections(run: Run, iri: str, pointing: Collection[str]) -> list[Filled]:
    """Return the sections of the page of a thing that have rows, in the order of `SECTIONS`.

    Parameters:
        run: answers a query.
        iri: the thing.
        pointing: IRIs of the properties by which anything points to it.
    """
    return [filled for section in SECTIONS if needed(section, pointing) and (filled := _fill(run, section, iri))]


def needed(section: Section, pointing: Collection[str]) -> bool:
    """Tell whether a section can have rows.

    >>> needed(SECTIONS[0], [WS + "holder"]), needed(SECTIONS[0], [])
    (True, False)
    """
    return any((name if ":" in name else WS + name) in pointing for name in section.needs)


def _fill(run: Run, section: Section, iri: str) -> Filled | None:
    results = run(section_query(section, iri))
    assert isinstance(results, ox.QuerySolutions)
    rows: dict[object, dict[str, list[Term]]] = {}
    count = 0
    for count, solution in enumerate(results, start=1):
        row = rows.setdefault(solution[section.per] if section.per else count, {})
        for name in section.columns:
            value, known = solution[name], row.setdefault(name, [])
            if value is not None and value not in known and (not known or name in section.gathered):
                known.append(value)
    columns = [name for name in section.columns if any(row[name] for row in rows.values())]
    if not columns:
        return None
    return Filled(section, columns, list(rows.values())[:MOST], cut=count > _limit(section) or len(rows) > MOST)


def _variables(section: Section) -> list[str]:
    return list(dict.fromkeys([*section.columns, *([section.per] if section.per else [])]))


def _limit(section: Section) -> int:
    return MOST * 8 if section.gathered else MOST
