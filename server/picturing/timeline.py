"""The timeline: dated stances, events, steps of agreements, each from the first day to the last that its date can mean.

A stance is dated by when it was voiced or held. By itself the date of the document that it stands in is no date of
the stance; it is taken where that is asked for. Stances of one date to one content stand together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from kg.filters import Filters
from kg.index import StanceRow
from server.picturing.material import Found, Material
from server.picturing.options import Option
from server.picturing.picture import Node, Picture, how_held, make_key, unique

OPTIONS = (
    Option(
        "what", "Show", "all", {"all": "all", "stances": "stances", "events": "events", "steps": "steps of agreements"}
    ),
    Option(
        "dated", "Stances dated by", "said", {"said": "when they were voiced or held", "any": "their document too"}
    ),
    Option("top", "Entries at most", "60", least=2, most=300),
)  # fmt: skip

EVENTS = """SELECT ?node ?earliest ?latest ?day ?actor ?realized ?assertion WHERE {
  ?node a ws:Event ; ws:earliest ?earliest ; ws:latest ?latest ; ws:date ?day .
  OPTIONAL { ?node ws:actor ?actor }
  OPTIONAL { ?node ws:realized ?realized }
  OPTIONAL { ?node ws:attestedBy ?assertion }
} LIMIT 20000"""
STEPS = """SELECT ?node ?of ?stage ?earliest ?latest ?day ?actor ?assertion WHERE {
  ?node a ws:Step ; ws:stepOf ?of ; ws:stage ?stage ; ws:earliest ?earliest ; ws:latest ?latest ; ws:date ?day .
  OPTIONAL { ?node ws:party ?actor } OPTIONAL { ?node ws:attestedBy ?assertion }
} LIMIT 20000"""
DATED = "SELECT ?assertion WHERE { ?assertion ws:saidOn|ws:heldDuring|ws:saidAt/ws:date ?day } LIMIT 100000"


@dataclass
class _Entry:
    node: str
    kind: str
    mark: str
    day: str
    earliest: str
    latest: str
    who: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def draw(material: Material) -> Picture:
    """Draw the timeline of what is asked for."""
    what = material.options["what"]
    rows: Sequence[StanceRow] = ()
    dated = None
    if what in ("all", "stances"):
        rows = material.rows()
        if material.options["dated"] == "said":
            dated = {found["assertion"] for found in material.ask(DATED)}
    events = list(material.ask(EVENTS)) if what in ("all", "events") else ()
    steps = list(material.ask(STEPS)) if what in ("all", "steps") else ()
    return timeline(rows, events, steps, dated=dated, filters=material.filters, top=material.top)


def timeline(
    rows: Iterable[StanceRow],
    events: Iterable[Found],
    steps: Iterable[Found],
    *,
    dated: Collection[str] | None = None,
    filters: Filters | None = None,
    top: int = 60,
) -> Picture:
    """Put what has a date in order.

    Parameters:
        rows: assertions.
        events, steps: solutions, see `EVENTS` and `STEPS`.
        dated: the assertions that have a date of their own; None where any date will do.
        filters: for events and steps: their days, and their actors as holders; with any other filter they are left
            out, since they have no act and no content.
        top: entries at most: events and steps before stances, then what many voice.

    >>> timeline([], [], []).nodes
    ()
    """
    filters = filters or Filters()
    entries: dict[tuple[str, ...], _Entry] = {}
    if not filters.words and not set(filters.chosen) - {"holder"}:
        for kind, found in (*(("event", e) for e in events), *(("step", s) for s in steps)):
            _add_register(entries, kind, found, filters)
        holders = set(filters.chosen.get("holder", ()))
        if holders:
            entries = {key: entry for key, entry in entries.items() if holders & set(entry.who)}
    for row in rows:
        if row.proposition and row.earliest and row.latest and (dated is None or row.iri in dated):
            how = how_held(row) or "lacks"
            key = (row.proposition, row.day or "", how)
            entry = entries.setdefault(
                key,
                _Entry(row.proposition, "stance", how, row.day or "", row.earliest, row.latest),
            )
            entry.who.append(row.holder)
            entry.said.append(row.iri)
    weight = {"event": 1_000_000, "step": 1_000_000, "stance": 0}
    ordered = sorted(entries.items(), key=lambda item: (-weight[item[1].kind] - len(item[1].said), item[0]))
    nodes = [
        Node(make_key(*key), e.node, e.kind, max(1, len(unique(e.said))), unique(e.said), e.mark, unique(e.who), e.day,
             e.earliest, e.latest)
        for key, e in ordered[:top]
    ]  # fmt: skip
    nodes.sort(key=lambda node: (node.earliest, node.latest, node.key))
    return Picture(tuple(nodes), (), (max(0, len(ordered) - top), 0))


def _add_register(entries: dict[tuple[str, ...], _Entry], kind: str, found: Found, filters: Filters) -> None:
    if (filters.since and found["latest"] < filters.since) or (filters.until and found["earliest"] > filters.until):
        return
    key = (found["node"],)
    mark = found.get("stage", "") or found.get("realized", "")
    entry = entries.setdefault(
        key, _Entry(found.get("of", found["node"]), kind, mark, found["day"], found["earliest"], found["latest"])
    )
    entry.who += [found["actor"]] if "actor" in found else []
    entry.said += [found["assertion"]] if "assertion" in found else []
