"""The argument map: premises, the arguments that join them, conclusions, attacks, and links between contents.

An argument is a node of its own, as in AIF (its scheme node), because an attack may go against the step from the
premises to the conclusion. What is attacked is drawn as the argument or the content of the assertion attacked. A link
(contradicts, in tension with, narrows) is no step of an argument: its author sets two contents side by side.

Source: Chesnevar et al. (2006), Towards an Argument Interchange Format; https://doi.org/10.1017/S0269888906001044
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from kg.index import StanceRow
from kg.names import WS
from server.picturing.material import Found, Material, most_held
from server.picturing.options import TOP, Option
from server.picturing.picture import Node, Picture, Tie, how_held, make_key, take_together, unique

OPTIONS = (
    Option(
        "links",
        "Links, such as contradicts",
        "drawn",
        {"drawn": "between contents that are drawn anyway", "all": "to other contents too", "none": "none"},
    ),
    TOP,
)

PARTS = """SELECT ?argument ?premise ?conclusion ?scheme WHERE {
  VALUES ?argument { NODES }
  ?argument ws:premise ?premise ; ws:conclusion ?conclusion
  OPTIONAL { ?argument ws:scheme ?scheme }
}"""
ATTACKS = """SELECT ?attacker ?attacked ?kind ?attackerContent ?attackedContent ?attackerHolder ?drawnBy WHERE {
  ?attack ws:attackKind ?kind ; ws:attacker ?attacker ; ws:attacked ?attacked ; ws:drawnBy ?drawnBy .
  ?attacker ws:holder ?attackerHolder ; ws:standing ?attackerStanding .
  ?attacked ws:standing ?attackedStanding .
  OPTIONAL { ?attacker ws:proposition ?attackerContent }
  OPTIONAL { ?attacked ws:proposition ?attackedContent }
} LIMIT 5000"""

LINKS = """SELECT ?from ?to ?kind ?fromContent ?toContent ?drawnBy WHERE {
  ?link ws:from ?from ; ws:to ?to ; ws:linkKind ?kind ; ws:drawnBy ?drawnBy .
  OPTIONAL { ?from ws:proposition ?fromContent }
  OPTIONAL { ?to ws:proposition ?toContent }
} LIMIT 5000"""
HOLDING = """SELECT ?content ?assertion WHERE {
  VALUES ?content { NODES }
  ?assertion ws:proposition ?content ; ws:standing ?standing
} LIMIT 5000"""
"""Who holds the contents that links join: what there is to read of a link."""


def draw(material: Material) -> Picture:
    """Draw the argument map of what is asked for."""
    all_rows = material.rows("argument")
    rows = most_held(all_rows)
    parts = list(material.ask(PARTS, (row.proposition for row in rows if row.proposition)))
    wanted = material.options["links"]
    links = list(material.ask(LINKS)) if wanted != "none" else []
    picture = argument_map(
        rows, parts, list(material.ask(ATTACKS)), links, bring_others=wanted == "all", top=material.top
    )
    return replace(_with_evidence(picture, material), cut=len(rows) < len(all_rows))


def argument_map(
    rows: Iterable[StanceRow],
    parts: Sequence[Found],
    attacks: Sequence[Found],
    links: Sequence[Found] = (),
    *,
    bring_others: bool = False,
    top: int,
) -> Picture:
    """Join premises, arguments and conclusions to a map.

    Parameters:
        rows: assertions whose contents are arguments.
        parts: solutions with `argument`, `premise`, `conclusion` and perhaps `scheme`.
        attacks: solutions with `attacker`, `attacked`, their contents, and `kind`; those that concern nothing that is
            drawn are left out.
        links: solutions with `from`, `to`, their contents where they are assertions, `kind` and `drawnBy`.
        bring_others: whether a link brings the other end into the picture where one is drawn; else both must be.
        top: nodes at most.

    >>> argument_map([], [], [], top=60).nodes
    ()
    """
    held: dict[str, list[StanceRow]] = {}
    for row in rows:
        if row.proposition and how_held(row):
            held.setdefault(row.proposition, []).append(row)
    schemes = {found["argument"]: found.get("scheme", "") for found in parts}
    ends = {(f["argument"], f["premise"], "premise") for f in parts}
    ends |= {(f["argument"], f["conclusion"], "conclusion") for f in parts}
    kinds: dict[str, str] = {}
    ties: list[Tie] = []
    for argument, content, kind in sorted(ends):
        if argument not in held:
            continue
        kinds[argument] = "argument"
        kinds.setdefault(content, "content")
        source, target = (content, argument) if kind == "premise" else (argument, content)
        ties.append(_tie(source, target, kind, _how(held[argument]), held[argument]))
    ties += _attacks(kinds, attacks)
    ties += _links(kinds, links, bring_others=bring_others)
    weights: Counter[str] = Counter()
    said: dict[str, list[str]] = {}
    for tie in ties:
        for end in (tie.source, tie.target):
            weights[end] += int(tie.weight)
            said.setdefault(end, []).extend(tie.assertions)
    nodes: dict[str, Node] = {}
    for iri, kind in kinds.items():
        key = make_key(iri)
        who = unique(sorted(row.holder for row in held.get(iri, ()))) if kind == "argument" else ()
        nodes[key] = Node(key, iri, kind, weights[key], unique(said[key]), schemes.get(iri, ""), who)
    return take_together(_groups(ties, nodes, weights), nodes, top)


def _groups(ties: Iterable[Tie], nodes: Mapping[str, Node], weights: Mapping[str, int]) -> list[list[Tie]]:
    """Return the ties by argument, an attack with the argument that it goes with, those that matter most first.

    Links come last, each by itself.
    """
    groups: dict[str, list[Tie]] = {}
    links = [[tie] for tie in ties if tie.kind == "link"]
    for tie in ties:
        if tie.kind == "link":
            continue
        arguments = [end for end in (tie.target, tie.source) if nodes[end].kind == "argument"]
        groups.setdefault(arguments[0] if arguments else tie.key, []).append(tie)

    def matters(item: tuple[str, list[Tie]]) -> tuple[float, str]:
        attacked = any(tie.kind not in ("premise", "conclusion", "link") for tie in item[1])
        return -sum(weights[end] for tie in item[1] for end in (tie.source, tie.target)) - 1_000 * attacked, item[0]

    return [group for _, group in sorted(groups.items(), key=matters)] + links


def _how(rows: Sequence[StanceRow]) -> str:
    ways = {how_held(row) for row in rows}
    return next(how for how in ("affirmed", "hedged", "denied", "open", "wished") if how in ways)


def _tie(source: str, target: str, kind: str, how: str, rows: Sequence[StanceRow]) -> Tie:
    said, holders = unique(row.iri for row in rows), unique(sorted(row.holder for row in rows))
    return Tie(make_key(source, target, kind), make_key(source), make_key(target), kind, how, len(said), said, holders)


def _attacks(kinds: dict[str, str], attacks: Sequence[Found]) -> list[Tie]:
    """Return the attacks of which one end is drawn; the other end comes into the picture too."""
    ties: dict[str, Tie] = {}
    for found in attacks:
        ends = [_drawn(kinds, found, end) for end in ("attacker", "attacked")]
        if not any(end in kinds for end in ends):
            continue
        for end in ends:
            kinds.setdefault(end, "content")
        kind = found["kind"].removeprefix(WS + "attackKind-")
        key = make_key(ends[0], ends[1], kind)
        said = unique((*(ties[key].assertions if key in ties else ()), found["attacker"], found["attacked"]))
        ties[key] = Tie(
            key, make_key(ends[0]), make_key(ends[1]), kind, "affirmed", 2, said, (found["attackerHolder"],)
        )
    return list(ties.values())


def _links(kinds: dict[str, str], links: Sequence[Found], *, bring_others: bool) -> list[Tie]:
    """Return the links whose ends are drawn; with `bring_others` also those of which one is."""
    before = frozenset(kinds)
    ties: dict[str, Tie] = {}
    for found in links:
        ends = [_drawn(kinds, found, end) for end in ("from", "to")]
        there = [end in before for end in ends]
        if ends[0] == ends[1] or not (all(there) or (bring_others and any(there))):
            continue
        for end in ends:
            kinds.setdefault(end, "content")
        key = make_key(*ends, found["kind"], found["drawnBy"])
        told = [found[end] for end in ("from", "to") if f"{end}Content" in found]
        said = unique((*(ties[key].assertions if key in ties else ()), *told))
        nodes = (make_key(ends[0]), make_key(ends[1]))
        ties[key] = Tie(key, *nodes, "link", "affirmed", 1, said, (found["drawnBy"],), found["kind"])
    return list(ties.values())


def _with_evidence(picture: Picture, material: Material) -> Picture:
    """Return a picture whose links lead to the assertions of the contents that they join."""
    iris = {node.key: node.iri for node in picture.nodes}
    ends = {iris[end] for tie in picture.ties if tie.kind == "link" for end in (tie.source, tie.target)}
    holding: dict[str, list[str]] = {}
    for found in material.ask(HOLDING, sorted(ends)):
        holding.setdefault(found["content"], []).append(found["assertion"])

    def read(tie: Tie) -> Tie:
        if tie.kind != "link":
            return tie
        of_ends = (iri for end in (tie.source, tie.target) for iri in sorted(holding.get(iris[end], ())))
        return replace(tie, assertions=unique((*tie.assertions, *of_ends)))

    return replace(picture, ties=tuple(map(read, picture.ties)))


def _drawn(kinds: Mapping[str, str], found: Found, end: str) -> str:
    """Return the node for an end of an attack or a link: the assertion, where it is drawn itself, else its content."""
    assertion = found[end]
    return assertion if assertion in kinds else found.get(f"{end}Content", assertion)
