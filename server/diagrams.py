"""Diagrams of small graphs as SVG, made from their triples.

A resource is a card: its class, what it is called, and a line for each value that is no resource of its own
(a literal, a concept). Everything else is an arrow. Colours come from ``static/diagram.css`` by class name,
so that a page's policy need not allow styles in attributes; a diagram that stands alone carries that file with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from xml.etree import ElementTree

import pyoxigraph as ox

from kg.examples import get_pattern, world_triples
from kg.names import RDF, SKOS, WS, shorten
from kg.terms import modules, terms
from server.layout import Arrow, Layout, Point, lay_out

_NAMES = (SKOS + "prefLabel", WS + "gloss", WS + "title")
_TYPE = RDF + "type"
_SVG = "http://www.w3.org/2000/svg"

_PADDING = 12.0
_LINE = 17.0
_KIND_SIZE, _TITLE_SIZE, _ROW_SIZE, _LABEL_SIZE = 11.0, 13.5, 12.0, 11.5
_WIDEST = 190.0
_MARGIN = 10.0


@dataclass
class Card:
    """A resource as it is drawn.

    Parameters:
        iri: of the resource.
        kind: label of its class.
        layer: name of the module that its class is defined in, which gives the colour.
        title: what it is called, in lines.
        rows: values that are no resources: label of the property, value.
        links: resources that it leads to: label of the property, IRI.
    """

    iri: str
    kind: str
    layer: str
    title: Sequence[str]
    rows: list[tuple[str, str]] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The title in one line."""
        return " ".join(self.title)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in pixels."""
        lines = [text_width(self.kind, _KIND_SIZE), *(text_width(t, _TITLE_SIZE) * 1.08 for t in self.title)]
        lines += [self.row_indent + text_width(value, _ROW_SIZE) for _, value in self.rows]
        return max(lines) + 2 * _PADDING, _LINE * (1 + len(self.title) + len(self.rows)) + 1.2 * _PADDING

    @property
    def row_indent(self) -> float:
        """Where the values of the rows begin."""
        return max((text_width(label, _ROW_SIZE) for label, _ in self.rows), default=0) + 10


@cache
def pattern_diagram(name: str, *, alone: bool = False) -> str:
    """Return the diagram of a pattern as SVG.

    Parameters:
        name: of the pattern.
        alone: True for a document of its own, which carries its style sheet.

    Raises:
        NotFoundError: there is no such pattern.

    >>> "Borduria" in pattern_diagram("nesting")
    True
    """
    pattern = get_pattern(name)
    drawn = pattern.core_triples()
    known = [*drawn, *pattern.triples(), *world_triples()]
    return draw(drawn, known=known, name=name, title=f"Pattern: {pattern.sentence}", alone=alone)


def draw(
    triples: Iterable[ox.Triple], *, known: Iterable[ox.Triple] = (), name: str, title: str, alone: bool = False
) -> str:
    """Draw a graph.

    Parameters:
        triples: what is drawn.
        known: where classes and names are found of what is only referred to.
        name: begins the identifiers within the drawing, so that several can stand in one page.
        title: what the drawing shows, for those who do not see it.
        alone: True for a document of its own.

    Returns:
        An ``svg`` element; its ``desc`` says all that the drawing shows.
    """
    cards = make_cards(triples, known)
    arrows, labels = _arrows(cards)
    layout = lay_out({iri: card.size for iri, card in cards.items()}, arrows)
    width, height = layout.width + 2 * _MARGIN, layout.height + 2 * _MARGIN
    # Without a namespace of its own the elements are written without a prefix, as HTML wants them.
    svg = ElementTree.Element(
        "svg",
        {
            "class": "diagram",
            "role": "img",
            "aria-labelledby": f"{name}-title {name}-desc",
            "width": f"{width:.0f}",
            "height": f"{height:.0f}",
            "viewBox": f"{-_MARGIN:.0f} {-_MARGIN:.0f} {width:.0f} {height:.0f}",
        },
    )
    if alone:
        svg.set("xmlns", _SVG)
    _child(svg, "title", title, id=f"{name}-title")
    _child(svg, "desc", describe(cards), id=f"{name}-desc")
    if alone:
        _child(svg, "style", style_sheet())
        _child(svg, "rect", x=-_MARGIN, y=-_MARGIN, width=width, height=height, **{"class": "ground"})
    head = ElementTree.SubElement(_child(svg, "defs"), "marker", _arrowhead(f"{name}-head"))
    _child(head, "path", d="M 0 0 L 8 4 L 0 8 z", **{"class": "head"})
    for route in layout.routes:
        _child(svg, "path", d=_path(route), **{"class": "arrow", "marker-end": f"url(#{name}-head)"})
    for text, point in zip(labels, layout.labels, strict=True):
        _child(
            svg, "text", text, x=point.x, y=point.y + _LABEL_SIZE * 0.35, **{"class": "label", "text-anchor": "middle"}
        )
    for card in cards.values():
        _draw_card(svg, card, layout)
    return ElementTree.tostring(svg, encoding="unicode")


def make_cards(triples: Iterable[ox.Triple], known: Iterable[ox.Triple] = ()) -> Mapping[str, Card]:
    """Return the cards of a graph by the IRI of the resource, in the order in which they are named.

    Parameters:
        triples: what is drawn.
        known: where classes and names are found of what is only referred to.
    """
    triples = list(triples)
    about: dict[str, dict[str, str]] = {}
    for t in [*triples, *known]:
        if isinstance(t.subject, ox.NamedNode) and isinstance(t.object, ox.NamedNode | ox.Literal):
            about.setdefault(t.subject.value, {}).setdefault(t.predicate.value, t.object.value)
    cards: dict[str, Card] = {}
    for t in triples:
        for node in (t.subject, t.object):
            if isinstance(node, ox.NamedNode) and node.value not in cards and _is_resource(node.value):
                cards[node.value] = _card(node.value, about.get(node.value, {}))
    for t in triples:
        assert isinstance(t.subject, ox.NamedNode)
        card, predicate = cards[t.subject.value], t.predicate.value
        label = terms()[predicate].label if predicate in terms() else shorten(predicate)
        if predicate == _TYPE or predicate in _NAMES:
            continue
        if isinstance(t.object, ox.NamedNode) and t.object.value in cards:
            card.links.append((label, t.object.value))
        elif isinstance(t.object, ox.NamedNode):
            card.rows.append(
                (label, terms()[t.object.value].label if t.object.value in terms() else shorten(t.object.value))
            )
        elif isinstance(t.object, ox.Literal):
            card.rows.append((label, t.object.value))
    return cards


def describe(cards: Mapping[str, Card]) -> str:
    """Return in words what a drawing of cards shows.

    >>> describe({"x": Card("x", "state", "register", ("Ruritania",))})
    'Ruritania (state).'
    """
    sentences = []
    for card in cards.values():
        parts = [*(f"{label} {value}" for label, value in card.rows)]
        parts += [f"{label} → {cards[target].name}" for label, target in card.links]
        sentences.append(f"{card.name} ({card.kind}){': ' if parts else ''}{'; '.join(parts)}.")
    return " ".join(sentences)


@cache
def style_sheet() -> str:
    """Return the style sheet of all diagrams."""
    return resources.files("server").joinpath("static", "diagram.css").read_text("utf-8")


def text_width(text: str, size: float) -> float:
    """Return how wide a text is at most, in pixels, in a plain sans-serif face.

    Parameters:
        text: one line.
        size: of the font, in pixels.

    The widths are those of DejaVu Sans, which is wider than what most systems have.

    >>> text_width("will", 10) < text_width("moon", 10)
    True
    """
    return size * sum(_advance(character) for character in text)


def _advance(character: str) -> float:
    for characters, width in (("ijl.,:;'|! ", 0.33), ("frt()[]/-“”‘’", 0.44), ("mwMW@—…→", 0.98)):
        if character in characters:
            return width
    if character.isupper():
        return 0.72
    return 0.62 if ord(character) < 0x2E80 else 1.0


def _is_resource(iri: str) -> bool:
    return not iri.startswith(WS)


@cache
def _layers() -> Mapping[str, str]:
    return {term.iri: module.name for module in modules() for section in module.sections for term in section.terms}


def _card(iri: str, about: Mapping[str, str]) -> Card:
    kind = about.get(_TYPE, "")
    name = next((about[n] for n in _NAMES if n in about), shorten(iri))
    return Card(
        iri=iri,
        kind=terms()[kind].label if kind in terms() else shorten(kind),
        layer=_layers().get(kind, "register"),
        title=tuple(_wrap(name, _TITLE_SIZE)),
    )


def _wrap(text: str, size: float) -> Iterator[str]:
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and text_width(longer, size) > _WIDEST - 2 * _PADDING:
            yield line
            longer = word
        line = longer
    yield line


def _arrows(cards: Mapping[str, Card]) -> tuple[list[Arrow], list[str]]:
    """Join what leads from one card to another into one arrow with one label."""
    joined: dict[tuple[str, str], list[str]] = {}
    for card in cards.values():
        for label, target in card.links:
            joined.setdefault((card.iri, target), []).append(label)
    labels = [", ".join(found) for found in joined.values()]
    arrows = [
        Arrow(source, target, text_width(label, _LABEL_SIZE), _LABEL_SIZE * 1.3)
        for (source, target), label in zip(joined, labels, strict=True)
    ]
    return arrows, labels


def _draw_card(svg: ElementTree.Element, card: Card, layout: Layout) -> None:
    width, height = card.size
    centre = layout.boxes[card.iri]
    left, top = centre.x - width / 2, centre.y - height / 2
    group = _child(svg, "g", **{"class": f"card {card.layer}"})
    _child(group, "title", shorten(card.iri))
    _child(group, "rect", x=left, y=top, width=width, height=height, rx=6)
    y = top + _PADDING * 0.6 + 11
    _child(group, "text", card.kind, x=left + _PADDING, y=y, **{"class": "kind"})
    for line in card.title:
        y += _LINE
        _child(group, "text", line, x=left + _PADDING, y=y, **{"class": "name"})
    for label, value in card.rows:
        y += _LINE
        _child(group, "text", label, x=left + _PADDING, y=y, **{"class": "key"})
        _child(group, "text", value, x=left + _PADDING + card.row_indent, y=y, **{"class": "value"})


def _path(route: Sequence[Point]) -> str:
    """Write a route as a path: straight down where it passes a rank, in a curve between two."""
    start, *rest = route
    commands = [f"M {start.x:.1f} {start.y:.1f}"]
    before = start
    for number, point in enumerate(rest, 1):
        if number % 2 or (point.x == before.x):
            commands.append(f"L {point.x:.1f} {point.y:.1f}")
        else:
            middle = (before.y + point.y) / 2
            commands.append(f"C {before.x:.1f} {middle:.1f} {point.x:.1f} {middle:.1f} {point.x:.1f} {point.y:.1f}")
        before = point
    return " ".join(commands)


def _arrowhead(identifier: str) -> dict[str, str]:
    return {
        "id": identifier,
        "viewBox": "0 0 8 8",
        "refX": "7",
        "refY": "4",
        "markerWidth": "7",
        "markerHeight": "7",
        "orient": "auto-start-reverse",
    }


def _child(parent: ElementTree.Element, tag: str, text: str | None = None, **attributes: object) -> ElementTree.Element:
    written = {key: f"{value:.1f}" if isinstance(value, float) else str(value) for key, value in attributes.items()}
    child = ElementTree.SubElement(parent, tag, written)
    child.text = text
    return child
