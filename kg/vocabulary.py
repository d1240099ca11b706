"""The vocabulary as the ontology states it: classes, properties, concepts, and the JSON-LD context.

The ontology is the only source. What a record key means, which values it takes and which
terms exist is read from the Turtle files; the context that maps records to quads is made
from them, so that there is no second list to keep in step.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import pyoxigraph as ox

from kg.names import EDTF, ID, OWL, RDF, RDFS, SKOS, WS, XSD, Term

MODULES = ("whosays", "register", "documents", "discourse", "contents", "provenance", "schemes")

_TYPE = ox.NamedNode(RDF + "type")
_RANGE = ox.NamedNode(RDFS + "range")
_SUBCLASS = ox.NamedNode(RDFS + "subClassOf")
_VALUES_FROM = ox.NamedNode(WS + "valuesFrom")
_DERIVED = ox.NamedNode(WS + "derived")
_IN_SCHEME = ox.NamedNode(SKOS + "inScheme")

SECTIONS: Mapping[str, tuple[str, str]] = {
    "sentences": (WS + "inDocument", "Sentence"),
    "passages": (WS + "inDocument", "Passage"),
    "assertions": (WS + "statedIn", "Assertion"),
    "citations": (WS + "citingDocument", "Citation"),
    "propositions": (RDFS + "isDefinedBy", "Proposition"),
    "factors": (RDFS + "isDefinedBy", "Factor"),
    "readings": (RDFS + "isDefinedBy", "Reading"),
    "links": (RDFS + "isDefinedBy", "Link"),
    "attacks": (RDFS + "isDefinedBy", "Attack"),
    "nameUses": (RDFS + "isDefinedBy", "NameUse"),
    "steps": (RDFS + "isDefinedBy", "Step"),
    "events": (RDFS + "isDefinedBy", "Event"),
    "officeHoldings": (RDFS + "isDefinedBy", "OfficeHolding"),
}
"""Sections of a document's record: the property by which each entry points back to the document,
and the class that an entry has where its record does not say."""

_BORROWED: Mapping[str, tuple[str, str | None]] = {
    "prefLabel": (SKOS + "prefLabel", None),
    "altLabel": (SKOS + "altLabel", None),
    "definition": (SKOS + "definition", None),
    "broader": (SKOS + "broader", "@id"),
    "definedIn": (RDFS + "isDefinedBy", "@id"),
    "source": ("http://purl.org/dc/terms/source", XSD + "anyURI"),
}
"""Keys that stand for terms of other vocabularies, with the type of their values."""


@dataclass(frozen=True)
class Property:
    """A property of the ontology.

    Parameters:
        name: local name, which is also the key in records.
        is_relation: True where its values are resources.
        datatype: IRI of the datatype of its values, None for text in a language.
        scheme: IRI of the concept scheme that its values come from.
        range: local name of the class of its values, None where they may be of several.
        derived: True where it is computed and never written.
    """

    name: str
    is_relation: bool
    datatype: str | None
    scheme: str | None
    range: str | None
    derived: bool


@dataclass(frozen=True)
class Vocabulary:
    """What the ontology defines.

    Parameters:
        classes: local names of the classes.
        properties: the properties by local name.
        concepts: scheme IRI to the short names of its concepts.
        parents: class name to the names of all classes above it, itself included.
    """

    classes: frozenset[str]
    properties: Mapping[str, Property]
    concepts: Mapping[str, tuple[str, ...]]
    parents: Mapping[str, frozenset[str]]

    def is_a(self, class_name: str, ancestor: str) -> bool:
        """Tell whether a class is another one or one of its subclasses.

        >>> vocabulary().is_a("CausalClaim", "Proposition")
        True
        """
        return ancestor in self.parents.get(class_name, ())


def ontology_quads() -> list[ox.Triple]:
    """Return all triples of the ontology's modules, in file order.

    >>> len(ontology_quads()) > 1000
    True
    """
    folder = resources.files("ontology")
    return [
        quad.triple
        for module in MODULES
        for quad in ox.parse((folder / f"{module}.ttl").read_bytes(), format=ox.RdfFormat.TURTLE)
    ]


def concept_prefix(scheme: str) -> str:
    """Return what the names of a scheme's concepts begin with.

    Parameters:
        scheme: the scheme's IRI.

    >>> concept_prefix(WS + "HolderBasisScheme")
    'https://w3id.org/whosays/ontology#holderBasis-'
    """
    local = scheme.removeprefix(WS).removesuffix("Scheme")
    return f"{WS}{local[0].lower()}{local[1:]}-"


@cache
def vocabulary() -> Vocabulary:
    """Return the vocabulary, read once from the ontology's files.

    >>> vocabulary().properties["act"].scheme
    'https://w3id.org/whosays/ontology#ActScheme'
    """
    by_subject: dict[str, dict[ox.NamedNode, list[Term]]] = {}
    for triple in ontology_quads():
        if isinstance(triple.subject, ox.NamedNode):
            by_subject.setdefault(triple.subject.value, {}).setdefault(triple.predicate, []).append(triple.object)

    def values(iri: str, predicate: ox.NamedNode) -> list[str]:
        return [o.value for o in by_subject[iri].get(predicate, []) if isinstance(o, ox.NamedNode | ox.Literal)]

    classes: set[str] = set()
    properties: dict[str, Property] = {}
    concepts: dict[str, list[str]] = {}
    direct: dict[str, set[str]] = {}
    for iri in by_subject:
        if not iri.startswith(WS):
            continue
        local, types = iri.removeprefix(WS), values(iri, _TYPE)
        if OWL + "Class" in types:
            classes.add(local)
            direct[local] = {c.removeprefix(WS) for c in values(iri, _SUBCLASS) if c.startswith(WS)}
        elif OWL + "ObjectProperty" in types or OWL + "DatatypeProperty" in types:
            ranges = [r.removeprefix(WS) for r in values(iri, _RANGE) if r.startswith(WS)]
            datatypes = [r for r in values(iri, _RANGE) if r.startswith(XSD) or r == EDTF]
            properties[local] = Property(
                name=local,
                is_relation=OWL + "ObjectProperty" in types,
                datatype=datatypes[0] if datatypes else None,
                scheme=next(iter(values(iri, _VALUES_FROM)), None),
                range=ranges[0] if ranges else None,
                derived=bool(values(iri, _DERIVED)),
            )
        for scheme in values(iri, _IN_SCHEME):
            concepts.setdefault(scheme, []).append(iri.removeprefix(concept_prefix(scheme)))

    def ancestors(name: str) -> frozenset[str]:
        return frozenset({name}.union(*(ancestors(parent) for parent in direct.get(name, ()))))

    return Vocabulary(
        classes=frozenset(classes),
        properties=properties,
        concepts={scheme: tuple(names) for scheme, names in concepts.items()},
        parents={name: ancestors(name) for name in classes},
    )


def make_context() -> dict[str, object]:
    """Make the JSON-LD context of the records from the ontology.

    Returns:
        The content of ``ontology/context.jsonld``. Names are relative to ``id/``; text has the
        language ``en`` unless a language map says otherwise; the short name of a concept is
        resolved within the scheme of its property.

    Source: JSON-LD 1.1, https://www.w3.org/TR/json-ld11/ (sections 4.1 and 4.2: scoped contexts).

    >>> make_context()["@context"]["holder"]
    {'@id': 'ws:holder', '@type': '@id'}
    """
    known = vocabulary()
    context: dict[str, object] = {
        "@version": 1.1,
        "@base": ID,
        "@language": "en",
        "ws": WS,
        "rdfs": RDFS,
        "skos": SKOS,
        "xsd": XSD,
        "id": "@id",
        "type": "@type",
        "entries": "@graph",
    }
    for name in sorted(known.classes):
        context[name] = f"ws:{name}"
    for key, (iri, kind) in _BORROWED.items():
        context[key] = {"@id": iri, "@type": kind} if kind else {"@id": iri, "@container": "@language"}
    for section, (iri, _) in SECTIONS.items():
        context[section] = {"@reverse": iri}
    for name, prop in sorted(known.properties.items()):
        term: dict[str, object] = {"@id": f"ws:{name}"}
        if prop.scheme:
            term |= {"@type": "@vocab", "@context": _concept_terms(prop.scheme, known)}
        elif prop.is_relation:
            term["@type"] = "@id"
        elif prop.datatype:
            term["@type"] = prop.datatype
        else:
            term["@container"] = "@language"
        context[name] = term
    return {"@context": context}


def own_context(words: Collection[str]) -> dict[str, object]:
    """Return our own context, with only those of its terms that a document uses.

    The parser copies the context for each value that has a context of its own (`act: wants`), so
    the whole one, of some hundreds of terms, makes large documents slow by a factor of forty.

    Parameters:
        words: all keys and texts of the document.

    >>> context = own_context({"act", "wants"})
    >>> context["act"]["@context"]
    {'wants': 'ws:act-wants'}
    >>> "holder" in context
    False
    """
    context: dict[str, object] = {}
    for term, meaning in _whole_context().items():
        if term in words or term.startswith("@") or (isinstance(meaning, str) and not meaning.startswith("ws:")):
            if isinstance(meaning, dict) and "@context" in meaning:
                inner = {word: iri for word, iri in meaning["@context"].items() if word in words}
                meaning = {**meaning, "@context": inner}
            context[term] = meaning
    return context


def words_of(node: object) -> set[str]:
    """Return all keys and texts of a tree of mappings and lists.

    >>> sorted(words_of({"act": ["wants"]}))
    ['act', 'wants']
    """
    words: set[str] = set()
    ahead = [node]
    while ahead:
        node = ahead.pop()
        if isinstance(node, dict):
            words.update(node)
            ahead.extend(node.values())
        elif isinstance(node, list):
            ahead.extend(node)
        elif isinstance(node, str):
            words.add(node)
    return words


@cache
def _whole_context() -> Mapping[str, object]:
    context = make_context()["@context"]
    assert isinstance(context, Mapping)
    return context


def _concept_terms(scheme: str, known: Vocabulary) -> dict[str, str]:
    # Listed one by one: a bare @vocab would lose to a property of the same name (act: supports).
    prefix = concept_prefix(scheme).replace(WS, "ws:")
    return {name: prefix + name for name in known.concepts.get(scheme, ())}


def context_text() -> str:
    """Return the context as it stands in ``ontology/context.jsonld``."""
    return json.dumps(make_context(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(context_text(), end="")
