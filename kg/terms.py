"""The terms that the ontology defines, as its documentation tells them.

`kg.vocabulary` has what the machine needs of the ontology; this has what a reader needs: label,
definition, note, example, source, and how each term stands to the others, in the order of the files.

    DefinedTerm
    ├── ClassTerm
    ├── PropertyTerm
    ├── SchemeTerm
    └── ConceptTerm
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, TypeAlias

import pyoxigraph as ox

from kg.names import DCTERMS, ONTOLOGY, OWL, RDF, RDFS, SKOS, WS, Term, shorten
from kg.vocabulary import MODULES, ontology_quads

Statements: TypeAlias = Mapping[str, Mapping[str, tuple[Term, ...]]]
"""Subject to predicate to objects, by IRI; a blank node goes by its label."""

VANN = "http://purl.org/vocab/vann/"

_PROPERTY_KINDS = {
    OWL + "ObjectProperty": "object property",
    OWL + "DatatypeProperty": "datatype property",
    OWL + "AnnotationProperty": "annotation property",
}
_CHARACTERISTICS = {
    OWL + "TransitiveProperty": "transitive",
    OWL + "SymmetricProperty": "symmetric",
    OWL + "FunctionalProperty": "functional",
    OWL + "InverseFunctionalProperty": "inverse functional",
    OWL + "AsymmetricProperty": "asymmetric",
    OWL + "ReflexiveProperty": "reflexive",
    OWL + "IrreflexiveProperty": "irreflexive",
}


@dataclass(frozen=True, kw_only=True)
class DefinedTerm:
    """What every term has.

    Parameters:
        iri: its IRI.
        label: what it is called, in English.
        definition: what it means, in one sentence.
        notes: where a coder could err.
        examples: in our own words.
        sources: where the idea comes from, as addresses or as references to literature.
        deprecated: True where it is no longer to be used.
        replacements: IRIs of the terms to use instead.
    """

    iri: str
    label: str
    definition: str
    notes: tuple[str, ...]
    examples: tuple[str, ...]
    sources: tuple[str, ...]
    deprecated: bool
    replacements: tuple[str, ...]

    @property
    def name(self) -> str:
        """The local name, which is also the term's anchor on the page."""
        return self.iri.removeprefix(WS)


@dataclass(frozen=True, kw_only=True)
class ClassTerm(DefinedTerm):
    """A class.

    Parameters:
        parents: IRIs of the classes directly above it.
        children: IRIs of the classes directly below it.
        equivalent: what makes something a member, in the Manchester syntax; None where it is stated.
    """

    parents: tuple[str, ...]
    children: tuple[str, ...]
    equivalent: str | None


@dataclass(frozen=True, kw_only=True)
class PropertyTerm(DefinedTerm):
    """A property.

    Parameters:
        kind: object, datatype or annotation property.
        characteristics: such as transitive.
        domains: IRIs of the classes that have it.
        ranges: IRIs of the classes or datatypes of its values.
        parents: IRIs of the properties directly above it.
        inverses: IRIs of its inverses, whichever of the two says so.
        chains: what it follows from, as chains of property names.
        scheme: IRI of the concept scheme of its values; None where they are no concepts.
        derived: True where it is computed and never written.
    """

    kind: str
    characteristics: tuple[str, ...]
    domains: tuple[str, ...]
    ranges: tuple[str, ...]
    parents: tuple[str, ...]
    inverses: tuple[str, ...]
    chains: tuple[tuple[str, ...], ...]
    scheme: str | None
    derived: bool


@dataclass(frozen=True, kw_only=True)
class ConceptTerm(DefinedTerm):
    """A concept of a scheme.

    Parameters:
        short_name: what it goes by in records.
        broader: IRIs of the broader concepts.
        family: IRI of the family of an act; None for all other concepts.
    """

    short_name: str
    broader: tuple[str, ...]
    family: str | None


@dataclass(frozen=True, kw_only=True)
class SchemeTerm(DefinedTerm):
    """A concept scheme.

    Parameters:
        concepts: in the order of the file.
        properties: IRIs of the properties whose values are taken from it.
    """

    concepts: tuple[ConceptTerm, ...]
    properties: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """Terms of a module that stand under one heading.

    Parameters:
        title: None for what stands before the first heading.
        terms: in the order of the file.
    """

    title: str | None
    terms: tuple[DefinedTerm, ...]

    @property
    def anchor(self) -> str:
        """What the section is called in an address, beside the name of its module."""
        return re.sub(r"\W+", "-", (self.title or "").lower()).strip("-")


@dataclass(frozen=True)
class Module:
    """A file of the ontology.

    Parameters:
        name: of the file, without its ending.
        description: its first comment.
        sections: its terms.
    """

    name: str
    description: str
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class Header:
    """What the ontology says of itself.

    Parameters:
        title: its name.
        description: what it is for.
        comment: how it is built.
        version: number of the version.
        version_iri: address of the version.
        creators: who made it.
        license: IRI of the licence.
        created: day of the first version.
        modified: day of this one.
        prefix: the one to use.
        namespace: that the terms stand in.
        changes: what changed.
    """

    title: str
    description: str
    comment: str
    version: str
    version_iri: str
    creators: tuple[str, ...]
    license: str
    created: str
    modified: str
    prefix: str
    namespace: str
    changes: tuple[str, ...]


@cache
def modules() -> tuple[Module, ...]:
    """Return the ontology's modules with all terms that they define; modules without terms are left out.

    >>> [module.name for module in modules()][:3]
    ['whosays', 'register', 'documents']
    """
    statements = _statements(ontology_quads())
    found = (_module(name, statements) for name in MODULES)
    return tuple(module for module in found if module.sections)


@cache
def terms() -> Mapping[str, DefinedTerm]:
    """Return all terms by IRI, concepts included.

    >>> terms()[WS + "holder"].label
    'holder'
    >>> terms()[WS + "act-wants"].label
    'wants'
    """
    listed = [term for module in modules() for section in module.sections for term in section.terms]
    concepts = [concept for term in listed if isinstance(term, SchemeTerm) for concept in term.concepts]
    return {term.iri: term for term in [*listed, *concepts]}


@cache
def header() -> Header:
    """Return what the ontology says of itself.

    >>> header().prefix
    'ws'
    """
    own = _statements(ontology_quads())[ONTOLOGY]

    def one(predicate: str) -> str:
        return next(iter(_texts(own, predicate)), "")

    return Header(
        title=one(DCTERMS + "title"),
        description=one(DCTERMS + "description"),
        comment=one(RDFS + "comment"),
        version=one(OWL + "versionInfo"),
        version_iri=one(OWL + "versionIRI"),
        creators=_texts(own, DCTERMS + "creator"),
        license=one(DCTERMS + "license"),
        created=one(DCTERMS + "created"),
        modified=one(DCTERMS + "modified"),
        prefix=one(VANN + "preferredNamespacePrefix"),
        namespace=one(VANN + "preferredNamespaceUri"),
        changes=_texts(own, SKOS + "changeNote"),
    )


def ontology_text() -> str:
    """Return the ontology as one Turtle document: its modules one after the other, comments included.

    >>> "### Agents" in ontology_text()
    True
    """
    return "\n".join(_module_text(name) for name in MODULES)


def _module_text(name: str) -> str:
    return (resources.files("ontology") / f"{name}.ttl").read_text("utf-8")


def _statements(triples: Iterable[ox.Triple]) -> Statements:
    gathered: dict[str, dict[str, tuple[Term, ...]]] = {}
    for triple in triples:
        assert isinstance(triple.subject, ox.NamedNode | ox.BlankNode)
        predicates = gathered.setdefault(triple.subject.value, {})
        predicates[triple.predicate.value] = (*predicates.get(triple.predicate.value, ()), triple.object)
    return gathered


def _module(name: str, statements: Statements) -> Module:
    lines = _module_text(name).splitlines()
    description = []
    for line in lines:
        if not line.startswith("#"):
            break
        description.append(line.lstrip("# "))
    return Module(name, " ".join(description), tuple(_sections(lines, statements)))


def _sections(lines: Iterable[str], statements: Statements) -> Iterator[Section]:
    # Headings are comments, which no parser keeps; names stand at the beginning of a line.
    title: str | None = None
    found: list[DefinedTerm] = []
    for line in lines:
        if heading := re.fullmatch(r"### (.+?)\s*", line):
            if found:
                yield Section(title, tuple(found))
            title, found = heading[1][0].upper() + heading[1][1:], []
        elif (named := re.match(r"ws:([\w-]+) a ", line)) and (term := _term(WS + named[1], statements)):
            found.append(term)
    if found:
        yield Section(title, tuple(found))


def _term(iri: str, statements: Statements) -> DefinedTerm | None:
    own = statements[iri]
    types = _texts(own, RDF + "type")
    kind = next((_PROPERTY_KINDS[t] for t in types if t in _PROPERTY_KINDS), None)
    if OWL + "Class" in types:
        expressions = [_expression(o, statements) for o in own.get(OWL + "equivalentClass", ())]
        return ClassTerm(
            **_described(iri, own),
            parents=_iris(own, RDFS + "subClassOf"),
            children=_subjects(iri, RDFS + "subClassOf", statements),
            equivalent=" and ".join(expressions) or None,
        )
    if kind:
        return PropertyTerm(
            **_described(iri, own),
            kind=kind,
            characteristics=tuple(_CHARACTERISTICS[t] for t in types if t in _CHARACTERISTICS),
            domains=_iris(own, RDFS + "domain"),
            ranges=_iris(own, RDFS + "range"),
            parents=_iris(own, RDFS + "subPropertyOf"),
            inverses=(*_iris(own, OWL + "inverseOf"), *_subjects(iri, OWL + "inverseOf", statements)),
            chains=tuple(
                tuple(_expression(part, statements) for part in _members(chain, statements))
                for chain in own.get(OWL + "propertyChainAxiom", ())
            ),
            scheme=next(iter(_iris(own, WS + "valuesFrom")), None),
            derived="true" in _texts(own, WS + "derived"),
        )
    if SKOS + "ConceptScheme" in types:
        return SchemeTerm(
            **_described(iri, own),
            concepts=tuple(_concept(c, statements) for c in _subjects(iri, SKOS + "inScheme", statements)),
            properties=_subjects(iri, WS + "valuesFrom", statements),
        )
    return None  # a concept, which stands within its scheme


def _concept(iri: str, statements: Statements) -> ConceptTerm:
    own = statements[iri]
    return ConceptTerm(
        **_described(iri, own),
        short_name=iri.removeprefix(WS).partition("-")[2],
        broader=_iris(own, SKOS + "broader"),
        family=next(iter(_iris(own, WS + "family")), None),
    )


def _described(iri: str, own: Mapping[str, tuple[Term, ...]]) -> dict[str, Any]:
    labels = [*_texts(own, RDFS + "label"), *_texts(own, SKOS + "prefLabel")]
    return vars(
        DefinedTerm(
            iri=iri,
            label=labels[0] if labels else iri.removeprefix(WS),
            definition=next(iter(_texts(own, SKOS + "definition")), ""),
            notes=_texts(own, SKOS + "scopeNote"),
            examples=_texts(own, SKOS + "example"),
            sources=_texts(own, DCTERMS + "source"),
            deprecated="true" in _texts(own, OWL + "deprecated"),
            replacements=_iris(own, DCTERMS + "isReplacedBy"),
        )
    )


def _texts(own: Mapping[str, tuple[Term, ...]], predicate: str) -> tuple[str, ...]:
    """Give the values of a property as text: of literals what they say, English or unmarked, of resources the IRI."""
    return tuple(
        o.value
        for o in own.get(predicate, ())
        if isinstance(o, ox.NamedNode) or (isinstance(o, ox.Literal) and o.language in (None, "en"))
    )


def _iris(own: Mapping[str, tuple[Term, ...]], predicate: str) -> tuple[str, ...]:
    return tuple(o.value for o in own.get(predicate, ()) if isinstance(o, ox.NamedNode))


def _subjects(iri: str, predicate: str, statements: Statements) -> tuple[str, ...]:
    wanted = ox.NamedNode(iri)
    return tuple(s for s, own in statements.items() if s.startswith(WS) and wanted in own.get(predicate, ()))


def _members(node: Term, statements: Statements) -> Iterator[Term]:
    """Give the members of an RDF list."""
    while isinstance(node, ox.BlankNode):
        cell = statements[node.value]
        yield from cell[RDF + "first"]
        (node,) = cell[RDF + "rest"]


def _expression(node: Term, statements: Statements) -> str:
    """Write a class or property expression in the Manchester syntax.

    Source: OWL 2 Manchester Syntax, https://www.w3.org/TR/owl2-manchester-syntax/ (section 2.4); only what
    the ontology uses.
    """
    if isinstance(node, ox.NamedNode):
        return shorten(node.value).removeprefix("ws:")
    assert isinstance(node, ox.BlankNode)
    own = statements[node.value]
    if OWL + "inverseOf" in own:
        return f"inverse {_expression(own[OWL + 'inverseOf'][0], statements)}"
    for predicate, word in ((OWL + "intersectionOf", " and "), (OWL + "unionOf", " or ")):
        if predicate in own:
            return word.join(_operand(m, statements) for m in _members(own[predicate][0], statements))
    name = _expression(own[OWL + "onProperty"][0], statements)
    for predicate, word in (
        (OWL + "someValuesFrom", "some"),
        (OWL + "allValuesFrom", "only"),
        (OWL + "hasValue", "value"),
    ):
        if predicate in own:
            return f"{name} {word} {_operand(own[predicate][0], statements)}"
    raise NotImplementedError(f"an OWL expression that is not written out yet: {sorted(own)}")


def _operand(node: Term, statements: Statements) -> str:
    text = _expression(node, statements)
    return f"({text})" if " " in text else text
