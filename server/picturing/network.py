"""The discourse network: actors tied by the positions that they share or oppose, or actors and contents.

As users of Discourse Network Analyzer know it: *congruence* counts the contents on which two actors take the same
side, *conflict* those on which they take opposite sides, *subtract* takes the second from the first. An actor who
takes both sides shares and opposes. Weights may be divided by how much the two say (on average), by the number of
contents that either speaks of (Jaccard), or by the geometric mean (cosine).

Source: Leifeld, P. (2017). Discourse Network Analysis. In: The Oxford Handbook of Political Networks;
https://doi.org/10.1093/oxfordhb/9780190228217.013.25
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import combinations
from math import sqrt

from server.picturing.material import STATES, Material, actors_of
from server.picturing.options import LEVEL, TOP, Option
from server.picturing.picture import Node, Picture, Tie, make_key, take_strongest, unique
from server.picturing.stances import Matter, Stance, Stances, read_stances

OPTIONS = (
    Option(
        "ties", "Ties", "subtract",
        {
            "congruence": "shared positions (congruence)", "conflict": "opposed positions (conflict)",
            "subtract": "shared less opposed (subtract)", "contents": "actors and contents (two modes)",
        },
    ),
    Option(
        "normal", "Weights", "none",
        {
            "none": "as counted", "average": "by average activity", "jaccard": "Jaccard", "cosine": "cosine",
        },
    ),
    Option("least", "Weight at least", "0", least=0, most=1_000, whole=False),
    LEVEL,
    Option("stances", "Stances", "record", {"record": "on record only", "all": "hedged ones too"}),
    Option("isolates", "Actors without ties", "0", {"0": "leave out", "1": "show"}),
    TOP,
)  # fmt: skip

MOST_ACTORS = 400
"""Actors among whom ties are sought: those who speak of the most."""


def draw(material: Material) -> Picture:
    """Draw the network of what is asked for."""
    rows, options = material.rows(), material.options
    actors = actors_of(material, (row.holder for row in rows))
    stances = read_stances(rows, on_record=options["stances"] == "record", actors=actors)
    least, isolates = float(options["least"]), options["isolates"] == "1"
    if options["ties"] == "contents":
        normal = options["normal"] != "none"
        picture = two_modes(stances, normal=normal, least=least, isolates=isolates, top=material.top)
    else:
        picture = one_mode(
            stances, ties=options["ties"], normal=options["normal"], least=least, isolates=isolates, top=material.top
        )
    return with_states(picture, material)


def with_states(picture: Picture, material: Material) -> Picture:
    """Return a picture whose actors are marked with the state that they are or belong to, the first by name."""
    states: dict[str, str] = {}
    for found in material.ask(STATES, (node.iri for node in picture.nodes if node.kind == "agent")):
        states[found["agent"]] = min(found["state"], states.get(found["agent"], found["state"]))
    nodes = [replace(n, mark=states.get(n.iri, "")) if n.kind == "agent" else n for n in picture.nodes]
    return replace(picture, nodes=tuple(nodes))


def one_mode(
    stances: Stances, *, ties: str, normal: str = "none", least: float = 0, isolates: bool = False, top: int = 60
) -> Picture:
    """Tie actors to actors.

    Parameters:
        stances: who stands where on what.
        ties: congruence, conflict or subtract.
        normal: none, average, jaccard or cosine.
        least: weight, without its sign, that a tie must have.
        isolates: show actors without ties.
        top: actors at most.

    >>> one_mode({}, ties="congruence").nodes
    ()
    """
    spoken = _spoken(stances)
    among = {actor for actor, _ in sorted(spoken.items(), key=lambda item: (-len(item[1]), item[0]))[:MOST_ACTORS]}
    shared: dict[tuple[str, str], list[Matter]] = defaultdict(list)
    opposed: dict[tuple[str, str], list[Matter]] = defaultdict(list)
    for matter in sorted(matter for matter, by_actor in stances.items() if len(by_actor) > 1):
        taken = {actor: _sides(stance) for actor, stance in stances[matter].items() if actor in among}
        for one, other in combinations(sorted(actor for actor, sides in taken.items() if sides), 2):
            if taken[one] & taken[other]:
                shared[one, other].append(matter)
            if any(side != with_ for side in taken[one] for with_ in taken[other]):
                opposed[one, other].append(matter)
    found = []
    for pair in sorted({*shared, *opposed}):
        counted = _counted(ties, len(shared[pair]), len(opposed[pair]))
        weight = counted / _divisor(normal, spoken[pair[0]], spoken[pair[1]])
        if counted and abs(weight) >= least:
            matters = {"congruence": shared[pair], "conflict": opposed[pair]}.get(ties, shared[pair] + opposed[pair])
            said = unique(iri for m in matters for actor in pair for iri in stances[m][actor].assertions)
            parts = {"shared": len(shared[pair]), "opposed": len(opposed[pair])}
            kind = "conflict" if ties == "conflict" or weight < 0 else "congruence"
            found.append(
                Tie(make_key(*pair, "and"), make_key(pair[0]), make_key(pair[1]), kind, "affirmed",
                    round(abs(weight), 4), said, pair, parts=parts)
            )  # fmt: skip
    tied = Counter(end for tie in found for end in (tie.source, tie.target))
    nodes = [node for node in _actors(stances, spoken) if isolates or tied[node.key]]
    # Who is tied comes before who is not, however much the latter says.
    heavy = [replace(node, weight=node.weight + (1_000_000 if tied[node.key] else 0)) for node in nodes]
    picture = take_strongest(heavy, found, top)
    weights = {node.key: node for node in nodes}
    return replace(picture, nodes=tuple(weights[node.key] for node in picture.nodes), cut=len(spoken) > len(among))


def two_modes(
    stances: Stances, *, normal: bool = False, least: float = 0, isolates: bool = False, top: int = 60
) -> Picture:
    """Tie actors to contents.

    Parameters:
        stances: who stands where on what.
        normal: divide weights by the number of contents that the actor speaks of.
        least: weight that a tie must have.
        isolates: show contents that one actor alone speaks of, and actors who speak of no others.
        top: nodes at most: contents with their actors, those with the most actors first.

    >>> two_modes({}).ties
    ()
    """
    spoken = _spoken(stances)
    sided = {
        matter: {actor: stance for actor, stance in by_actor.items() if _sides(stance)}
        for matter, by_actor in stances.items()
    }
    drawn = sorted(
        (matter for matter, by_actor in sided.items() if len(by_actor) > (0 if isolates else 1)),
        key=lambda matter: (-len(sided[matter]), matter),
    )
    ties: list[Tie] = []
    nodes: dict[str, Node] = {}
    left_out = [0, 0]
    for matter in drawn:
        key = make_key(matter.content, matter.family)
        here = []
        for actor, stance in sorted(sided[matter].items()):
            weight = len(stance.assertions) / (len(spoken[actor]) if normal else 1)
            if weight >= least:
                here.append(
                    Tie(make_key(actor, key, "on"), make_key(actor), key, stance.side,
                        "hedged" if stance.hedged else "affirmed", round(weight, 4), stance.assertions, (actor,))
                )  # fmt: skip
        new = {tie.source for tie in here if tie.source not in nodes}
        if not here or len(nodes) + len(new) + 1 > top:
            left_out = [left_out[0] + bool(here), left_out[1] + len(here)]
            continue
        said = unique(iri for tie in here for iri in tie.assertions)
        nodes[key] = Node(key, matter.content, "content", len(here), said, matter.family)
        nodes |= {n.key: n for n in _actors({matter: sided[matter]}, spoken) if n.key in new}
        ties += here
    return Picture(tuple(nodes.values()), tuple(ties), (left_out[0], left_out[1]))


def _sides(stance: Stance) -> set[str]:
    return stance.sides & {"affirms", "denies"}


def _spoken(stances: Stances) -> dict[str, set[Matter]]:
    """Return the contents on which each actor takes a side."""
    spoken: dict[str, set[Matter]] = defaultdict(set)
    for matter, by_actor in stances.items():
        for actor, stance in by_actor.items():
            if _sides(stance):
                spoken[actor].add(matter)
    return spoken


def _counted(ties: str, shared: int, opposed: int) -> int:
    return {"congruence": shared, "conflict": opposed, "subtract": shared - opposed}[ties]


def _divisor(normal: str, one: set[Matter], other: set[Matter]) -> float:
    match normal:
        case "average":
            return (len(one) + len(other)) / 2
        case "jaccard":
            return len(one | other)
        case "cosine":
            return sqrt(len(one) * len(other))
    return 1


def _actors(stances: Stances, spoken: Mapping[str, set[Matter]]) -> Iterable[Node]:
    said: dict[str, list[str]] = defaultdict(list)
    for by_actor in stances.values():
        for actor, stance in by_actor.items():
            if _sides(stance):
                said[actor] += stance.assertions
    return [Node(make_key(actor), actor, "agent", len(spoken[actor]), unique(said[actor])) for actor in sorted(said)]
