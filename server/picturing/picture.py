"""A picture before it is drawn: nodes, and ties between them, each with the assertions that it stands for.

A stance matrix is made of the same as a network: its rows and columns are nodes, its cells are ties. A timeline is
nodes with dates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from kg.index import StanceRow
from kg.names import WS, shorten

_short = lru_cache(200_000)(shorten)

HOWS: Mapping[str, str] = {
    "affirmed": "affirmed, on record",
    "hedged": "hedged, or told at second hand",
    "open": "left open",
    "denied": "denied",
    "wished": "wanted, feared or only considered",
}
"""The ways in which a tie can stand, with words."""

SIDES: Mapping[str, str] = {
    "affirms": "affirms",
    "denies": "denies",
    "both": "affirms and denies",
    "open": "leaves open",
    "lacks": "lacks the stance",
}
"""Where a holder can stand to a content, with words."""


@dataclass(frozen=True)
class Node:
    """What is drawn as a point, a box or a bar.

    Parameters:
        key: its own in this picture; it stands in the address where the node is opened.
        iri: what it is; its label is what it is called.
        kind: agent, content, factor, argument, event, step, stance.
        weight: how much there is of it; decides what is drawn where not everything can be.
        assertions: what it stands for.
        mark: more that is told of it: the valence of a factor, the family of the stances to a content, the state of an
            actor, the stage of a step.
        who: agents that belong to it.
        day: its date as written, EDTF.
        earliest, latest: the days that this can mean, ISO 8601.
    """

    key: str
    iri: str
    kind: str
    weight: float = 1
    assertions: tuple[str, ...] = ()
    mark: str = ""
    who: tuple[str, ...] = ()
    day: str = ""
    earliest: str = ""
    latest: str = ""


@dataclass(frozen=True)
class Tie:
    """What is drawn as a line between two nodes, or as a cell of a matrix.

    Parameters:
        key: its own in this picture.
        source, target: keys of nodes.
        kind: what it says: a sign, a side, a valence, that two agree …
        how: one of `HOWS`; all others than affirmed are drawn dashed.
        weight: how strong it is.
        assertions: what it stands for.
        holders: who holds it.
        label: IRI of what stands beside it, empty for nothing.
        pathways: causal pathways that it is a step of.
        parts: numbers that its weight was made of, by name.
    """

    key: str
    source: str
    target: str
    kind: str
    how: str = "affirmed"
    weight: float = 1
    assertions: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()
    label: str = ""
    pathways: tuple[str, ...] = ()
    parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Picture:
    """What is drawn.

    Parameters:
        nodes, ties: in the order in which they are read.
        left_out: how many nodes and how many ties there would be beside.
        cut: True where there were more assertions than were looked at.

    >>> Picture((), ()).left_out
    (0, 0)
    """

    nodes: tuple[Node, ...]
    ties: tuple[Tie, ...]
    left_out: tuple[int, int] = (0, 0)
    cut: bool = False

    def find(self, key: str) -> Node | Tie | None:
        """Return the node or tie that has a key, None where none has."""
        items: tuple[Node | Tie, ...] = (*self.nodes, *self.ties)
        return next((item for item in items if item.key == key), None)

    def mentioned(self) -> set[str]:
        """Return the IRIs of all that needs a label."""
        found = {iri for node in self.nodes for iri in (node.iri, *node.who)}
        return found | {iri for tie in self.ties for iri in (*tie.holders, *tie.pathways, tie.label) if iri}


def make_key(*parts: str) -> str:
    """Return a key for what is told apart by these IRIs or words.

    >>> make_key("https://w3id.org/whosays/id/ruritania", "affirms")
    'ruritania~affirms'
    """
    return "~".join(map(_short, parts))


def take_strongest(nodes: Iterable[Node], ties: Iterable[Tie], top: int) -> Picture:
    """Return a picture of the heaviest nodes and the ties between them.

    Parameters:
        nodes: in any order; of those of equal weight the first by key are taken.
        ties: in any order.
        top: how many nodes at most.

    >>> three = [Node("a", "ex:a", "agent", 1), Node("b", "ex:b", "agent", 3), Node("c", "ex:c", "agent", 2)]
    >>> picture = take_strongest(three, [Tie("ab", "a", "b", "congruence"), Tie("bc", "b", "c", "congruence")], 2)
    >>> [node.key for node in picture.nodes], [tie.key for tie in picture.ties], picture.left_out
    (['b', 'c'], ['bc'], (1, 1))
    """
    ordered = sorted(nodes, key=lambda node: (-node.weight, node.key))
    all_ties = sorted(ties, key=lambda tie: (-tie.weight, tie.key))
    kept = ordered[:top]
    keys = {node.key for node in kept}
    drawn = [tie for tie in all_ties if tie.source in keys and tie.target in keys]
    return Picture(tuple(kept), tuple(drawn), (len(ordered) - len(kept), len(all_ties) - len(drawn)))


def take_together(groups: Iterable[Sequence[Tie]], nodes: Mapping[str, Node], top: int) -> Picture:
    """Return a picture of groups of ties with the nodes at their ends, as many groups as the nodes allow.

    Parameters:
        groups: ties that are drawn together or not at all, those that matter most first.
        nodes: all nodes, by key.
        top: how many nodes at most; a group that would take more is passed over, and a smaller one may follow.

    >>> ab, bc = Tie("ab", "a", "b", "increases"), Tie("bc", "b", "c", "increases")
    >>> picture = take_together([[ab], [bc]], {key: Node(key, f"ex:{key}", "factor") for key in "abc"}, 2)
    >>> [tie.key for tie in picture.ties], picture.left_out
    (['ab'], (1, 1))
    """
    kept: dict[str, None] = {}
    drawn: list[Tie] = []
    left_out = 0
    for group in groups:
        new = {end for tie in group for end in (tie.source, tie.target)} - set(kept)
        if len(kept) + len(new) > top:
            left_out += len(group)
            continue
        kept |= dict.fromkeys(end for tie in group for end in (tie.source, tie.target))
        drawn += group
    return Picture(tuple(nodes[key] for key in kept), tuple(drawn), (len(nodes) - len(kept), left_out))


def how_held(row: StanceRow) -> str:
    """Return how a content stands by an assertion: one of `HOWS`, empty where the stance is lacking.

    What is only wanted, feared or asked is not asserted: it never stands as affirmed.
    """
    polarity = row.polarity.removeprefix(WS + "polarity-")
    if polarity == "lacks":
        return ""
    if row.family != WS + "family-truth":
        return "wished"
    if polarity in ("denies", "leavesOpen"):
        return "denied" if polarity == "denies" else "open"
    return "affirmed" if is_on_record(row) else "hedged"


def is_on_record(row: StanceRow) -> bool:
    """Tell whether an assertion, and all that tells of it, stands without hedge or distance."""
    return row.standing == WS + "standing-onRecord"


def unique(values: Iterable[str]) -> tuple[str, ...]:
    """Return values without repetition, in the order in which they came.

    >>> unique(["b", "a", "b"])
    ('b', 'a')
    """
    return tuple(dict.fromkeys(values))


def count_words(count: int, one: str, many: str) -> str:
    """Return a number with its noun.

    >>> count_words(1, "tie", "ties"), count_words(1200, "tie", "ties")
    ('1 tie', '1,200 ties')
    """
    return f"{count:,} {one if count == 1 else many}"


def what_is_left_out(picture: Picture, nodes: Sequence[str] = ("node", "nodes")) -> str:
    """Return in words what is not drawn, empty where all is.

    >>> what_is_left_out(Picture((), (), (2, 1)))
    '2 nodes and 1 tie more are not drawn'
    """
    parts = []
    if picture.left_out[0]:
        parts.append(count_words(picture.left_out[0], nodes[0], nodes[1]))
    if picture.left_out[1]:
        parts.append(count_words(picture.left_out[1], "tie", "ties"))
    return f"{' and '.join(parts)} more are not drawn" if parts else ""
