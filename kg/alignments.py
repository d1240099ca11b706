"""The alignments: how our terms stand to those of other vocabularies, read from their file with its remarks.

They are an ontology of their own, which need not be there. Its file has a heading for each vocabulary
(``### Name: address``) and under it blocks, set apart by empty lines, each of which may begin with a remark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import pyoxigraph as ox

from kg.names import ONTOLOGY, OWL, RDFS, SKOS

ALIGNMENTS = ONTOLOGY + "/alignments"
"""The IRI of the ontology that holds them."""

_WORDS = {
    RDFS + "subClassOf": "is a kind of",
    RDFS + "subPropertyOf": "is a kind of",
    OWL + "equivalentClass": "is the same as",
    OWL + "equivalentProperty": "is the same as",
    SKOS + "exactMatch": "matches exactly",
    SKOS + "closeMatch": "is close to",
    SKOS + "broadMatch": "is narrower than",
    SKOS + "narrowMatch": "is broader than",
    SKOS + "relatedMatch": "is related to",
}


@dataclass(frozen=True)
class Alignment:
    """How one of our terms stands to one of another vocabulary.

    Parameters:
        term: IRI of ours.
        relation: IRI of the property that says so.
        target: IRI of theirs.
        target_name: theirs with its prefix.
        target_label: what theirs is called, where its name does not say so; else empty.
    """

    term: str
    relation: str
    target: str
    target_name: str
    target_label: str = ""

    @property
    def words(self) -> str:
        """The relation in plain words.

        >>> from kg.names import WS
        >>> Alignment(WS + "Agent", RDFS + "subClassOf", "http://www.w3.org/ns/prov#Agent", "prov:Agent").words
        'is a kind of'
        """
        return _WORDS[self.relation]


@dataclass(frozen=True)
class Block:
    """Alignments that one remark is about.

    Parameters:
        remark: why they are as they are; empty where nothing is remarked.
        alignments: in the order of the file.
    """

    remark: str
    alignments: tuple[Alignment, ...]


@dataclass(frozen=True)
class AlignedVocabulary:
    """A vocabulary that our terms are aligned to.

    Parameters:
        name: what it is called.
        address: its namespace, or several.
        remark: on the whole of it; may be empty.
        blocks: the alignments.
    """

    name: str
    address: str
    remark: str
    blocks: tuple[Block, ...]

    @property
    def anchor(self) -> str:
        """What it is called in an address.

        >>> AlignedVocabulary("GRaSP and GAF", "", "", ()).anchor
        'grasp-and-gaf'
        """
        return re.sub(r"\W+", "-", self.name.lower()).strip("-")


def alignments_text() -> str | None:
    """Return the alignments in Turtle; None where there are none."""
    file = resources.files("ontology") / "alignments.ttl"
    return file.read_text("utf-8") if file.is_file() else None


@cache
def alignment_triples() -> tuple[ox.Triple, ...]:
    """Return all triples of the alignments, their header included."""
    return tuple(quad.triple for quad in ox.parse(alignments_text() or "", format=ox.RdfFormat.TURTLE))


@cache
def aligned_vocabularies() -> tuple[AlignedVocabulary, ...]:
    """Return the vocabularies that our terms are aligned to, in the order of the file.

    >>> next(v.address for v in aligned_vocabularies() if v.name == "PROV-O")
    'http://www.w3.org/ns/prov#'
    """
    head, *parts = re.split(r"^### ", alignments_text() or "", flags=re.MULTILINE)
    declared = "".join(line for line in head.splitlines(keepends=True) if line.startswith("@prefix"))
    return tuple(_vocabulary(part, declared) for part in parts)


@cache
def alignments() -> Mapping[str, tuple[Alignment, ...]]:
    """Return the alignments of each of our terms, by its IRI.

    >>> from kg.names import WS
    >>> [a.target_name for a in alignments()[WS + "Office"]]
    ['org:Post', 'wd:Q4164871']
    """
    found: dict[str, tuple[Alignment, ...]] = {}
    for vocabulary in aligned_vocabularies():
        for block in vocabulary.blocks:
            for alignment in block.alignments:
                found[alignment.term] = (*found.get(alignment.term, ()), alignment)
    return found


def _vocabulary(part: str, declared: str) -> AlignedVocabulary:
    first, *paragraphs = re.split(r"\n\s*\n", part.strip())
    heading, _, rest = first.partition("\n")
    name, _, address = heading.partition(": ")
    blocks = [block for text in (rest, *paragraphs) if (block := _block(text, declared)).alignments]
    return AlignedVocabulary(name, address, _remark(rest), tuple(blocks))


def _block(text: str, declared: str) -> Block:
    parser = ox.parse(declared + text, format=ox.RdfFormat.TURTLE)
    triples = [quad.triple for quad in parser]
    namespaces = {namespace: prefix for prefix, namespace in parser.prefixes.items()}
    labels = dict(_labels(text))
    found = []
    for t in triples:
        if t.predicate.value in _WORDS and isinstance(t.subject, ox.NamedNode) and isinstance(t.object, ox.NamedNode):
            name = _prefixed(t.object.value, namespaces)
            found.append(Alignment(t.subject.value, t.predicate.value, t.object.value, name, labels.get(name, "")))
    return Block(_remark(text), tuple(found))


def _remark(text: str) -> str:
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# "))
    return " ".join(lines)


def _labels(text: str) -> Iterator[tuple[str, str]]:
    """Give the labels that stand behind a statement as a comment, such as ``wd:P50 .  # author``."""
    for statement in re.finditer(r"^ws:\S+ \S+ (.+?) \.\s+# (.+)$", text, flags=re.MULTILINE):
        yield from zip(statement[1].split(", "), statement[2].split("; "), strict=False)


def _prefixed(iri: str, namespaces: Mapping[str, str]) -> str:
    namespace = max((n for n in namespaces if iri.startswith(n)), key=len, default="")
    return f"{namespaces[namespace]}:{iri.removeprefix(namespace)}" if namespace else iri
