"""The stance matrix: contents in rows, holders in columns, and in each cell where the holder stands.

Rows come with the most contested first, or rows and columns are ordered so that those that are alike lie together
(reciprocal averaging: each row takes the mean place of its columns, each column that of its rows, until they settle).

Source: Hill, M. O. (1973). Reciprocal Averaging; https://doi.org/10.2307/2258931
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

from server.picturing.material import Material, actors_of
from server.picturing.options import LEVEL, Option
from server.picturing.picture import Node, Picture, Tie, make_key, unique
from server.picturing.stances import Matter, Stances, read_stances

OPTIONS = (
    Option("shared", "Holders of a content, at least", "2", least=1, most=100),
    Option("order", "Order", "contested", {"contested": "the most contested first", "alike": "those alike together"}),
    LEVEL,
    Option("stances", "Stances", "all", {"all": "hedged ones too", "record": "on record only"}),
    Option("top", "Contents at most", "40", least=2, most=300),
)

MOST_HOLDERS = 40
"""Columns that are drawn: the holders with the most stances in the rows."""

_Key = TypeVar("_Key")
_PLACES: Mapping[str, float] = {"affirms": 1, "denies": -1}


def draw(material: Material) -> Picture:
    """Draw the matrix of what is asked for."""
    rows, options = material.rows(), material.options
    actors = actors_of(material, (row.holder for row in rows))
    stances = read_stances(rows, on_record=options["stances"] == "record", actors=actors)
    return stance_matrix(stances, shared=int(options["shared"]), alike=options["order"] == "alike", top=material.top)


def stance_matrix(stances: Stances, *, shared: int = 2, alike: bool = False, top: int = 40) -> Picture:
    """Lay out who stands where on what.

    Parameters:
        stances: who stands where.
        shared: how many holders a content must have.
        alike: order by likeness; else the most contested contents first.
        top: contents at most.

    Returns:
        Contents (in the order of the rows), then agents (in that of the columns), with a tie for each cell.

    >>> stance_matrix({}).nodes
    ()
    """
    matters = sorted(
        (matter for matter, by in stances.items() if len(by) >= shared), key=lambda m: _contest(stances, m)
    )
    kept = matters[:top]
    counts = Counter(actor for matter in kept for actor in stances[matter])
    actors = sorted(counts, key=lambda actor: (-counts[actor], actor))[:MOST_HOLDERS]
    if alike:
        kept, actors = _alike(stances, kept, actors)
    columns = set(actors)
    ties = []
    said: dict[str, list[str]] = {actor: [] for actor in actors}
    rows = []
    for matter in kept:
        key = make_key(matter.content, matter.family)
        for actor, stance in sorted(stances[matter].items()):
            if actor in columns:
                how = "hedged" if stance.hedged and stance.side != "open" else "affirmed"
                weight = len(stance.assertions)
                said[actor] += stance.assertions
                said_of_it = stance.assertions
                ties.append(
                    Tie(
                        make_key(actor, key, "on"), make_key(actor), key, stance.side, how, weight, said_of_it, (actor,)
                    )
                )
        whole = unique(iri for stance in stances[matter].values() for iri in stance.assertions)
        rows.append(Node(key, matter.content, "content", len(stances[matter]), whole, matter.family))
    holders = [Node(make_key(a), a, "agent", counts[a], unique(said[a])) for a in actors]
    left_out = (len(matters) - len(kept) + len(counts) - len(actors), sum(len(stances[m]) for m in matters) - len(ties))
    return Picture((*rows, *holders), tuple(ties), left_out)


def _contest(stances: Stances, matter: Matter) -> tuple[int, int, Matter]:
    """Return what rows are sorted by: how many stand on the weaker side, then how many there are."""
    sides = Counter(stance.side for stance in stances[matter].values())
    weaker = min(sides["affirms"] + sides["both"], sides["denies"] + sides["both"])
    return -weaker, -len(stances[matter]), matter


def _alike(stances: Stances, matters: Sequence[Matter], actors: Sequence[str]) -> tuple[list[Matter], list[str]]:
    weights = {
        (matter, actor): _PLACES.get(stances[matter][actor].side, 0.2)
        for matter in matters
        for actor in actors
        if actor in stances[matter]
    }
    places = {actor: float(place) for place, actor in enumerate(actors)}
    rows: dict[Matter, float] = {}
    for _ in range(30):
        rows = _spread({m: _mean([(places[a], w) for (n, a), w in weights.items() if n == m]) for m in matters})
        places = _spread({a: _mean([(rows[m], w) for (m, b), w in weights.items() if b == a]) for a in actors})
    return sorted(matters, key=lambda m: (rows[m], m)), sorted(actors, key=lambda a: (places[a], a))


def _mean(pairs: Sequence[tuple[float, float]]) -> float:
    return sum(place * weight for place, weight in pairs) / (sum(abs(weight) for _, weight in pairs) or 1)


def _spread(places: dict[_Key, float]) -> dict[_Key, float]:
    """Return places centred and stretched, so that they do not fall together."""
    middle = sum(places.values()) / (len(places) or 1)
    wide = max((abs(place - middle) for place in places.values()), default=0) or 1
    return {key: (place - middle) / wide for key, place in places.items()}
