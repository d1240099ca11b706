"""The table beside a picture: the same nodes and ties as rows, for those who cannot see it, and for programs.

Each row knows the node or tie that it tells of, so that it can be opened from the table as from the picture.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from kg.names import WS, shorten
from server.picturing.causes import SIGNS
from server.picturing.picture import HOWS, SIDES, Node, Picture, Tie
from server.tables import tame

Name = Callable[[str], str]
"""Gives what a thing is called."""


@dataclass(frozen=True)
class Cell:
    """What stands in one place of a table.

    Parameters:
        text: in words.
        iris: the things that it names; empty where it is words or a number alone.
        number: whether it is a number.
    """

    text: str
    iris: tuple[str, ...] = ()
    number: bool = False


@dataclass(frozen=True)
class Row:
    """A row.

    Parameters:
        key: of the node or tie that it tells of.
        cells: one for each column.
    """

    key: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """A picture as rows.

    Parameters:
        columns: their headings.
        rows: in the order in which they are read.
    """

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def causes_table(picture: Picture, name: Name) -> Table:
    """Return the links of a causal map: cause, sign, effect, and who holds them."""
    nodes = {node.key: node for node in picture.nodes}
    rows = [
        Row(
            tie.key,
            (_thing(nodes[tie.source].iri, name), Cell(SIGNS.get(tie.kind, tie.kind)),
             _thing(nodes[tie.target].iri, name), Cell(HOWS[tie.how]), _things(tie.holders, name),
             _things(tie.pathways, name)),
        )
        for tie in picture.ties
    ]  # fmt: skip
    return Table(("cause", "sign", "effect", "how", "holders", "pathways"), tuple(rows))


def arguments_table(picture: Picture, name: Name) -> Table:
    """Return the arguments with their premises and conclusions, then the attacks and links."""
    nodes = {node.key: node for node in picture.nodes}
    rows = []
    for node in picture.nodes:
        if node.kind == "argument":
            rows += _argument_rows(picture, node, nodes, name)
    for tie in picture.ties:
        if tie.kind not in ("premise", "conclusion"):
            source, target = nodes[tie.source], nodes[tie.target]
            how = Cell(name(tie.label) if tie.label else tie.kind)
            cells = (_thing(source.iri, name), how, _thing(target.iri, name), _things(tie.holders, name))
            rows.append(Row(tie.key, cells))
    return Table(("from", "how", "to", "holders"), tuple(rows))


def _argument_rows(picture: Picture, node: Node, nodes: Mapping[str, Node], name: Name) -> list[Row]:
    conclusions = [nodes[tie.target].iri for tie in picture.ties if tie.source == node.key and tie.kind == "conclusion"]
    premises = [nodes[tie.source].iri for tie in picture.ties if tie.target == node.key and tie.kind == "premise"]
    how = "is a premise for"
    return [
        Row(node.key, (_thing(premise, name), Cell(how), _things(conclusions, name), _things(node.who, name)))
        for premise in premises
    ]


def network_table(picture: Picture, name: Name) -> Table:
    """Return the ties of a network: the pairs of actors, or actors with contents."""
    nodes = {node.key: node for node in picture.nodes}
    two_modes = any(node.kind == "content" for node in picture.nodes)
    rows = []
    for tie in picture.ties:
        ends = (_thing(nodes[tie.source].iri, name), _thing(nodes[tie.target].iri, name))
        if two_modes:
            family = Cell(name(nodes[tie.target].mark))
            rows.append(
                Row(
                    tie.key, (ends[0], Cell(SIDES[tie.kind]), ends[1], family, _number(tie.weight), Cell(HOWS[tie.how]))
                )
            )
        else:
            words = "agree more" if tie.kind == "congruence" else "disagree more"
            shared, opposed = tie.parts.get("shared", 0), tie.parts.get("opposed", 0)
            rows.append(Row(tie.key, (*ends, Cell(words), _number(tie.weight), _number(shared), _number(opposed))))
    ends_of = {end for tie in picture.ties for end in (tie.source, tie.target)}
    for node in picture.nodes:
        if node.key not in ends_of:
            empty = Cell("")
            rows.append(Row(node.key, (_thing(node.iri, name), *[empty] * 5)))
    columns = ("actor", "side", "content", "family", "weight", "how") if two_modes else (
        "one", "other", "they", "weight", "shared", "opposed"
    )  # fmt: skip
    return Table(columns, tuple(rows))


def matrix_table(picture: Picture, name: Name) -> Table:
    """Return the cells of a matrix, content by content: who stands where, and how firmly."""
    nodes = {node.key: node for node in picture.nodes}
    places = {node.key: place for place, node in enumerate(picture.nodes)}
    rows = []
    for tie in sorted(picture.ties, key=lambda tie: (places[tie.target], places[tie.source])):
        content = nodes[tie.target]
        words = SIDES[tie.kind] + (", hedged" if tie.how == "hedged" else "")
        cells = (_thing(content.iri, name), _family(content.mark, name), _things(tie.holders, name), Cell(words))
        rows.append(Row(tie.key, cells))
    return Table(("content", "family", "holder", "side"), tuple(rows))


def timeline_table(picture: Picture, name: Name) -> Table:
    """Return the entries of a timeline in order of time."""
    rows = []
    for node in picture.nodes:
        words = HOWS.get(node.mark) or (name(node.mark) if ":" in node.mark else SIDES.get(node.mark, node.mark))
        cells = (Cell(node.day), _thing(node.iri, name), Cell(node.kind), Cell(words), _things(node.who, name))
        rows.append(Row(node.key, (*cells, Cell(node.earliest), Cell(node.latest))))
    return Table(("date", "what", "kind", "how", "who", "earliest", "latest"), tuple(rows))


def perceptions_table(picture: Picture, name: Name) -> Table:
    """Return who sees whom as what."""
    nodes = {node.key: node for node in picture.nodes}
    rows = [
        Row(
            tie.key,
            (_thing(nodes[tie.source].iri, name), _thing(nodes[tie.target].iri, name),
             _thing(tie.label, name) if tie.label else Cell(""), Cell(tie.kind), Cell(HOWS[tie.how]),
             _number(tie.weight)),
        )
        for tie in picture.ties
    ]  # fmt: skip
    return Table(("who", "sees", "as", "valence", "how", "assertions"), tuple(rows))


def as_csv(table: Table) -> str:
    """Write a table as CSV: beside each column that names things, one with their IRIs.

    >>> print(as_csv(Table(("who", "weight"), (Row("a", (Cell("Ruritania", ("ex:r",)), Cell("2"))),))), end="")
    who,who IRI,weight
    Ruritania,ex:r,2
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    naming = [any(row.cells[place].iris for row in table.rows) for place in range(len(table.columns))]
    writer.writerow(_flat([(column, f"{column} IRI") for column in table.columns], naming))
    for row in table.rows:
        writer.writerow(_flat([(tame(cell.text), " ".join(cell.iris)) for cell in row.cells], naming))
    return out.getvalue()


def _flat(pairs: Sequence[tuple[str, str]], naming: Sequence[bool]) -> list[str]:
    return [text for pair, named in zip(pairs, naming, strict=True) for text in (pair if named else pair[:1])]


def _thing(iri: str, name: Name) -> Cell:
    return Cell(name(iri), (iri,))


def _things(iris: Iterable[str], name: Name) -> Cell:
    found = tuple(iris)
    return Cell(", ".join(name(iri) for iri in found), found)


def _number(value: float) -> Cell:
    return Cell(f"{value:g}", number=True)


def _family(iri: str, name: Name) -> Cell:
    return Cell(name(iri) if iri.startswith(WS) else shorten(iri))


def tie_words(picture: Picture, item: Node | Tie, name: Name) -> str:
    """Return what is opened in words: a node by its name, a tie by those of its ends."""
    if isinstance(item, Node):
        return name(item.iri)
    nodes = {node.key: node for node in picture.nodes}
    return f"{name(nodes[item.source].iri)} – {name(nodes[item.target].iri)}"
