"""The causal map: factors, and what raises or lowers them according to whom.

Claims with the same cause, effect and sign that stand alike are one tie, with all who hold it. Who states a pathway
states its steps (MODEL, hazard 1: a chain that no one states is nobody's; so each tie names its holders).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kg.index import StanceRow
from kg.names import WS
from server.picturing.material import Material, most_held
from server.picturing.options import TOP, Option
from server.picturing.picture import Node, Picture, Tie, how_held, make_key, take_together, unique

OPTIONS = (
    Option("only", "Claims", "all", {"all": "all", "pathways": "only those that are steps of a pathway"}),
    TOP,
)

SIGNS: Mapping[str, str] = {
    "increases": "raises",
    "decreases": "lowers",
    "noEffect": "does not alter",
    "mixed": "raises and lowers",
    "unclear": "alters in a way that is not told",
}
"""Signs of causal claims by the last part of their name, with words."""

CLAIMS = """SELECT ?claim ?cause ?effect ?sign WHERE {
  VALUES ?claim { NODES }
  ?claim ws:cause ?cause ; ws:effect ?effect ; ws:sign ?sign
}"""
STEPS = """SELECT ?pathway ?claim WHERE {
  VALUES ?pathway { NODES }
  ?pathway ws:hasStep/ws:claim ?claim
}"""
VALENCES = """SELECT ?factor ?valence WHERE {
  VALUES ?factor { NODES }
  ?factor ws:valence ?valence
}"""


@dataclass(frozen=True)
class Claim:
    """One link from a cause to an effect.

    Parameters:
        cause, effect: factors.
        sign: one of `SIGNS`.
    """

    cause: str
    effect: str
    sign: str


@dataclass
class _Drawn:
    rows: list[StanceRow] = field(default_factory=list)
    pathways: list[str] = field(default_factory=list)


def draw(material: Material) -> Picture:
    """Draw the causal map of what is asked for."""
    all_rows = material.rows("causal", "pathway")
    rows = most_held(all_rows)
    steps: dict[str, list[str]] = {}
    for found in material.ask(STEPS, (row.proposition for row in rows if row.kind == "pathway" and row.proposition)):
        steps.setdefault(found["pathway"], []).append(found["claim"])
    wanted = [row.proposition for row in rows if row.kind == "causal" and row.proposition]
    claims: dict[str, list[Claim]] = {}
    for found in material.ask(CLAIMS, [*wanted, *(claim for chain in steps.values() for claim in chain)]):
        sign = found["sign"].removeprefix(WS + "sign-")
        claims.setdefault(found["claim"], []).append(Claim(found["cause"], found["effect"], sign))
    picture = causal_map(rows, claims, steps, top=material.top, only_pathways=material.options["only"] == "pathways")
    picture = replace(picture, cut=len(rows) < len(all_rows))
    return with_valences(picture, material.ask(VALENCES, (node.iri for node in picture.nodes)))


def causal_map(
    rows: Iterable[StanceRow],
    claims: Mapping[str, Sequence[Claim]],
    steps: Mapping[str, Sequence[str]],
    *,
    top: int,
    only_pathways: bool = False,
) -> Picture:
    """Join claims to a map.

    Parameters:
        rows: assertions of causal claims and of pathways.
        claims: causal claim to its links, one for each of its causes.
        steps: pathway to its claims.
        top: factors at most.
        only_pathways: leave out what is no step of a pathway.

    >>> causal_map([], {}, {}, top=60).ties
    ()
    """
    joined: dict[tuple[str, str, str, str], _Drawn] = {}
    for row in rows:
        how = how_held(row)
        if not how or row.proposition is None:
            continue
        pathway = row.proposition if row.proposition in steps else None
        for claim in steps.get(row.proposition, (row.proposition,)):
            for link in claims.get(claim, ()):
                drawn = joined.setdefault((link.cause, link.effect, link.sign, how), _Drawn())
                drawn.rows.append(row)
                drawn.pathways += [pathway] if pathway else []
    ties = [
        Tie(
            make_key(cause, effect, sign, how),
            make_key(cause),
            make_key(effect),
            sign,
            how,
            len(unique(row.iri for row in drawn.rows)),
            unique(row.iri for row in drawn.rows),
            unique(sorted(row.holder for row in drawn.rows)),
            pathways=unique(drawn.pathways),
        )
        for (cause, effect, sign, how), drawn in joined.items()
        if drawn.pathways or not only_pathways
    ]
    weights: Counter[str] = Counter()
    said: dict[str, list[str]] = {}
    names = {make_key(iri): iri for cause, effect, _, _ in joined for iri in (cause, effect)}
    for tie in ties:
        for end in (tie.source, tie.target):
            weights[end] += int(tie.weight)
            said.setdefault(end, []).extend(tie.assertions)
    nodes = {key: Node(key, names[key], "factor", weights[key], unique(said[key])) for key in weights}
    # Ties between factors that much is said of come first, so that what is drawn hangs together.
    ties.sort(key=lambda tie: (-tie.weight - weights[tie.source] - weights[tie.target], tie.key))
    return take_together([[tie] for tie in ties], nodes, top)


def with_valences(picture: Picture, found: Iterable[Mapping[str, str]]) -> Picture:
    """Return a picture whose factors are marked where they stand for cooperation or for friction.

    Parameters:
        picture: of factors.
        found: solutions with `factor` and `valence`.
    """
    valences = {row["factor"]: row["valence"].removeprefix(WS + "valence-") for row in found}
    return replace(picture, nodes=tuple(replace(node, mark=valences.get(node.iri, "")) for node in picture.nodes))
