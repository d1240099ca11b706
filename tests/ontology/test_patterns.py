"""The examples and patterns of the documentation: true to their sentences, valid, and drawn in full."""

from __future__ import annotations

from hashlib import sha256
from itertools import combinations
from xml.etree import ElementTree

import pyoxigraph as ox
import pytest

from kg.examples import Example, load_examples, load_patterns, parse_turtle, world_text, world_triples
from kg.names import ID, RDF, WS, shorten
from kg.validation import validate
from kg.vocabulary import ontology_quads
from server.diagrams import make_cards, pattern_diagram

BOTH = [*load_examples(), *load_patterns()]
PATTERNS = load_patterns()


def text_of(examples: tuple[Example, ...]) -> str:
    """The document that the sentences stand in: one after the other, each on a line."""
    return "".join(f"{example.sentence}\n" for example in examples)


def value(triples: list[ox.Triple] | tuple[ox.Triple, ...], subject: str, predicate: str) -> str:
    (found,) = {
        t.object.value for t in triples if t.subject == ox.NamedNode(subject) and t.predicate.value == WS + predicate
    }
    return found


def svg_of(pattern: Example) -> ElementTree.Element:
    return ElementTree.fromstring(pattern_diagram(pattern.name))


def test_there_are_ten_sentences_and_seven_patterns() -> None:
    assert len(load_examples()) == 10
    assert [p.name for p in PATTERNS] == [
        "assertion",
        "nesting",
        "perception",
        "causal-pathway",
        "argument",
        "agreement",
        "office",
    ]


@pytest.mark.parametrize("example", BOTH, ids=lambda e: e.name)
def test_an_example_conforms_without_any_remark(example: Example) -> None:
    report = validate([*ontology_quads(), *world_triples(), *example.triples()])
    assert [(r.focus, r.message) for r in report.results] == []


def test_all_examples_conform_together() -> None:
    together = {t for example in BOTH for t in example.triples()}
    assert validate([*ontology_quads(), *world_triples(), *together]).results == ()


@pytest.mark.parametrize("example", BOTH, ids=lambda e: e.name)
def test_an_example_has_a_sentence_a_remark_and_one_definition_of_each_thing(example: Example) -> None:
    assert example.sentence.endswith(".")
    assert example.remark.endswith(".")
    triples = example.triples()
    assert len(triples) == len(set(triples))
    assert not [t for t in triples if isinstance(t.subject, ox.BlankNode) or isinstance(t.object, ox.BlankNode)]


@pytest.mark.parametrize(
    ("document", "examples"),
    [("how-to-say-it", load_examples()), ("toll-essay", PATTERNS)],
    ids=["examples", "patterns"],
)
def test_sentences_stand_where_their_turtle_says(document: str, examples: tuple[Example, ...]) -> None:
    text = text_of(examples)
    assert value(world_triples(), ID + document, "textLength") == str(len(text))
    assert value(world_triples(), ID + document, "digest") == sha256(text.encode()).hexdigest()
    for number, example in enumerate(examples, 1):
        triples = example.triples()
        start = text.index(example.sentence)
        sentence = f"{ID}{document}/{start}-{start + len(example.sentence)}"
        assert value(triples, sentence, "sentenceNumber") == str(number)
        assert value(triples, sentence, "start") == str(start)
        assert value(triples, sentence, "end") == str(start + len(example.sentence))
        assert value(triples, sentence, "digest") == sha256(example.sentence.encode()).hexdigest()[:16]


def test_everything_in_the_world_is_needed() -> None:
    used = {t.object.value for e in BOTH for t in e.triples() if isinstance(t.object, ox.NamedNode)}
    used |= {t.object.value for t in world_triples() if isinstance(t.object, ox.NamedNode)}
    assert {t.subject.value for t in parse_turtle(world_text()) if isinstance(t.subject, ox.NamedNode)} <= used


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda p: p.name)
def test_what_is_drawn_is_part_of_the_pattern(pattern: Example) -> None:
    assert set(pattern.core_triples()) < {*pattern.triples(), *world_triples()}


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda p: p.name)
def test_a_diagram_names_every_node_class_and_arrow(pattern: Example) -> None:
    svg = svg_of(pattern)
    shown = [" ".join(t.text or "" for t in g.iter("text")) for g in svg.iter("g")]
    hints = {g.findtext("title") for g in svg.iter("g")}
    known = [*pattern.core_triples(), *pattern.triples(), *world_triples()]
    cards = make_cards(pattern.core_triples(), known)
    nodes = {
        node.value
        for t in pattern.core_triples()
        for node in (t.subject, t.object)
        if isinstance(node, ox.NamedNode) and not node.value.startswith(WS)
    }
    assert set(cards) == nodes
    assert hints == {shorten(node) for node in nodes}
    for card in cards.values():
        assert card.kind, f"the class of {card.iri} is not known"
        assert any(card.name in text and card.kind in text for text in shown), card.iri
    arrows = {(card.iri, target) for card in cards.values() for _, target in card.links}
    assert len(svg.findall("path[@class='arrow']")) == len(arrows) == len(svg.findall("text[@class='label']"))


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda p: p.name)
def test_a_diagram_says_in_words_all_that_is_drawn(pattern: Example) -> None:
    svg = svg_of(pattern)
    labelled = (svg.get("aria-labelledby") or "").split()
    named = {e.get("id"): e.text or "" for e in svg if e.tag in ("title", "desc")}
    assert svg.get("role") == "img"
    assert labelled == list(named)
    words = named[labelled[1]]
    assert pattern.sentence in named[labelled[0]]
    for text in svg.iter("text"):
        if text.get("class") in ("value", "kind"):
            assert (text.text or "") in words
    for label in svg.findall("text[@class='label']"):
        assert all(part in words for part in (label.text or "").split(", "))


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda p: p.name)
def test_a_diagram_needs_no_style_attribute_and_nothing_overlaps(pattern: Example) -> None:
    svg = svg_of(pattern)
    assert not [e for e in svg.iter() if "style" in e.attrib]
    boxes = [[float(r.get(k) or 0) for k in ("x", "y", "width", "height")] for r in svg.findall("g/rect")]
    for (x, y, w, h), (x2, y2, w2, h2) in combinations(boxes, 2):
        assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y
    left, top, width, height = (float(n) for n in (svg.get("viewBox") or "").split())
    assert all(left <= x and top <= y and x + w <= left + width and y + h <= top + height for x, y, w, h in boxes)


def test_patterns_show_the_classes_that_they_are_named_for() -> None:
    shown = {p.name: {t.object.value for t in p.core_triples() if t.predicate.value == RDF + "type"} for p in PATTERNS}
    expected = {
        "assertion": "Assertion",
        "perception": "Evaluation",
        "causal-pathway": "CausalPathway",
        "argument": "Argument",
        "agreement": "Agreement",
        "office": "OfficeHolding",
    }
    assert all(WS + name in shown[pattern] for pattern, name in expected.items())
    assert sum(t.predicate.value == WS + "reports" for t in load_patterns()[1].core_triples()) == 2
