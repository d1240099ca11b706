"""The perception map: who sees whom as what, and whether well or ill.

Who perceives and who is perceived are told apart even where they are the same, as in a table with two columns: a
state that sees others and is seen by them stands on both sides. Besides judgements of agents there are judgements of
other things, and interpretations: an event, a measure or an assertion that is taken to express something.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from kg.index import StanceRow
from kg.names import WS
from server.picturing.material import Found, Material, actors_of, most_held
from server.picturing.options import LEVEL, Option
from server.picturing.picture import Node, Picture, Tie, how_held, make_key, unique

OPTIONS = (
    Option("whom", "Perceived", "agents", {"agents": "agents only", "all": "anything that is judged or interpreted"}),
    LEVEL,
    Option("top", "Ties at most", "40", least=2, most=300),
)

IMAGES = """SELECT DISTINCT ?proposition ?perceived ?image ?valence ?agent WHERE {
  VALUES ?proposition { NODES }
  { ?proposition ws:evaluated ?perceived OPTIONAL { ?proposition ws:image ?image } }
  UNION
  { ?proposition ws:interprets ?perceived ; ws:asExpressing ?image }
  OPTIONAL { ?proposition ws:valence ?valence }
  OPTIONAL { ?perceived a ?agent FILTER(?agent = ws:Agent) }
}"""
"""Judgements and interpretations: what is judged, as what, and whether well or ill."""


@dataclass
class _Drawn:
    rows: list[StanceRow] = field(default_factory=list)
    valences: list[str] = field(default_factory=list)


def draw(material: Material) -> Picture:
    """Draw the perception map of what is asked for."""
    all_rows = material.rows("evaluation", "interpretation")
    rows = most_held(all_rows)
    images = list(material.ask(IMAGES, (row.proposition for row in rows if row.proposition)))
    if material.options["whom"] == "agents":
        images = [found for found in images if "agent" in found]
    actors = actors_of(material, [*(row.holder for row in rows), *(found["perceived"] for found in images)])
    picture = perception_map(rows, images, actors=actors, top=material.top)
    return replace(picture, cut=len(rows) < len(all_rows))


def perception_map(
    rows: Iterable[StanceRow],
    images: Iterable[Found],
    *,
    actors: Callable[[str], Sequence[str]] = lambda agent: (agent,),
    top: int,
) -> Picture:
    """Join judgements to a map.

    Parameters:
        rows: assertions of judgements and interpretations.
        images: solutions with `proposition`, `perceived`, and perhaps `image` and `valence`.
        actors: the actors that an agent counts as.
        top: ties at most.

    >>> perception_map([], [], top=40).ties
    ()
    """
    judged: dict[str, list[Found]] = {}
    for found in images:
        judged.setdefault(found["proposition"], []).append(found)
    joined: dict[tuple[str, str, str, str], _Drawn] = {}
    for row in rows:
        how = how_held(row)
        if not how or row.proposition is None:
            continue
        for found in judged.get(row.proposition, ()):
            valence = found.get("valence", "").removeprefix(WS + "valence-")
            image = found.get("image", "") or valence
            for holder in actors(row.holder):
                for perceived in actors(found["perceived"]):
                    drawn = joined.setdefault((holder, perceived, image, how), _Drawn())
                    drawn.rows.append(row)
                    drawn.valences += [valence] if valence else []
    ties = []
    for (holder, perceived, image, how), drawn in joined.items():
        said = unique(row.iri for row in drawn.rows)
        key, source, target = make_key(holder, perceived, image, how), _seer(holder), _seen(perceived)
        label = image if ":" in image else ""
        ties.append(Tie(key, source, target, _valence(drawn.valences), how, len(said), said, (holder,), label))
    ties.sort(key=lambda tie: (-tie.weight, tie.key))
    return _with_nodes(ties, top, {iri: None for h, p, _, _ in joined for iri in (h, p)})


def _with_nodes(ties: Sequence[Tie], top: int, agents: Iterable[str]) -> Picture:
    kept = ties[:top]
    weights: Counter[str] = Counter()
    said: dict[str, list[str]] = {}
    for tie in kept:
        for end in (tie.source, tie.target):
            weights[end] += int(tie.weight)
            said.setdefault(end, []).extend(tie.assertions)
    nodes = [
        Node(key, iri, "agent", weights[key], unique(said[key]), mark)
        for iri in agents
        for key, mark in ((_seer(iri), "perceives"), (_seen(iri), "perceived"))
        if key in weights
    ]
    nodes.sort(key=lambda node: (-node.weight, node.key))
    ends = {end for tie in ties for end in (tie.source, tie.target)}
    return Picture(tuple(nodes), tuple(kept), (len(ends) - len(nodes), len(ties) - len(kept)))


def _valence(valences: Sequence[str]) -> str:
    ways = set(valences)
    return ways.pop() if len(ways) == 1 else "mixed" if ways else ""


def _seer(iri: str) -> str:
    return make_key(iri, "perceives")


def _seen(iri: str) -> str:
    return make_key(iri, "perceived")
