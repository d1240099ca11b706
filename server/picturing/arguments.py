"""The argument map: premises, the arguments that join them, conclusions, and attacks.

An argument is a node of its own, as in AIF (its scheme node), because an attack may go against the step from the
premises to the conclusion. What is attacked is drawn as the argument or the content of the assertion attacked.

Source: Chesnevar et al. (2006), Towards an Argument Interchange Format; https://doi.org/10.1017/S0269888906001044
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from kg.index import StanceRow
from kg.names import WS
from server.picturing.material import Found, Material, most_held
from server.picturing.options import TOP
from server.picturing.picture import Node, Picture, Tie, how_held, make_key, take_together, unique

OPTIONS = (TOP,)

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


def draw(material: Material) -> Picture:
    """Draw the argument map of what is asked for."""
    all_rows = material.rows("argument")
    rows = most_held(all_rows)
    parts = list(material.ask(PARTS, (row.proposition for row in rows if row.proposition)))
    picture = argument_map(rows, parts, list(material.ask(ATTACKS)), top=material.top)
    return replace(picture, cut=len(rows) < len(all_rows))


def argument_map(rows: Iterable[StanceRow], parts: Sequence[Found], attacks: Sequence[Found], *, top: int) -> Picture:
    """Join premises, arguments and conclusions to a map.

    Parameters:
        rows: assertions whose contents are arguments.
        parts: solutions with `argument`, `premise`, `conclusion` and perhaps `scheme`.
        attacks: solutions with `attacker`, `attacked`, their contents, and `kind`; those that concern nothing that is
            drawn are left out.
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
    """Return the ties by argument, an attack with the argument that it goes with, those that matter most first."""
    groups: dict[str, list[Tie]] = {}
    for tie in ties:
        arguments = [end for end in (tie.target, tie.source) if nodes[end].kind == "argument"]
        groups.setdefault(arguments[0] if arguments else tie.key, []).append(tie)

    def matters(item: tuple[str, list[Tie]]) -> tuple[float, str]:
        attacked = any(tie.kind not in ("premise", "conclusion") for tie in item[1])
        return -sum(weights[end] for tie in item[1] for end in (tie.source, tie.target)) - 1_000 * attacked, item[0]

    return [group for _, group in sorted(groups.items(), key=matters)]


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


def _drawn(kinds: Mapping[str, str], found: Found, end: str) -> str:
    """Return the node for an end of an attack: the assertion, where that is drawn itself, else its content."""
    assertion = found[end]
    return assertion if assertion in kinds else found.get(f"{end}Content", assertion)
