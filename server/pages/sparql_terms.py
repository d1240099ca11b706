"""What the editor of the SPARQL page completes: the terms of the ontology, and those of other vocabularies in use."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

from kg.names import DCTERMS, OWL, PREFIXES, PROV, RDF, RDFS, SKOS
from kg.terms import ClassTerm, ConceptTerm, DefinedTerm, PropertyTerm, SchemeTerm, terms

BORROWED: Mapping[str, tuple[str, str]] = {
    RDF + "type": ("property", "is a; `a` says the same"),
    RDFS + "label": ("property", "what a term of the ontology is called"),
    RDFS + "subClassOf": ("property", "the class above"),
    RDFS + "domain": ("property", "the class of what has the property"),
    RDFS + "range": ("property", "the class of its values"),
    RDFS + "isDefinedBy": ("property", "the document whose record defines it"),
    SKOS + "prefLabel": ("property", "what a thing of the register, a factor or a concept is called"),
    SKOS + "altLabel": ("property", "what else it is called, in any language or script"),
    SKOS + "broader": ("property", "the broader issue or concept"),
    SKOS + "definition": ("property", "what a term means"),
    SKOS + "scopeNote": ("property", "where a coder could err"),
    SKOS + "example": ("property", "an example of a term"),
    SKOS + "inScheme": ("property", "the scheme that a concept is in"),
    SKOS + "notation": ("property", "a sign for a concept, such as +"),
    SKOS + "Concept": ("class", "a concept of a scheme, an issue among them"),
    SKOS + "ConceptScheme": ("class", "a scheme of concepts"),
    DCTERMS + "source": ("property", "where the idea of a term comes from"),
    OWL + "inverseOf": ("property", "the property that says it the other way round"),
    OWL + "Class": ("class", "a class of the ontology"),
    OWL + "ObjectProperty": ("class", "a property between things"),
    OWL + "DatatypeProperty": ("class", "a property whose values are literals"),
    PROV + "generated": ("property", "from a change to the graph that it made"),
    PROV + "generatedAtTime": ("property", "when a graph was made"),
    PROV + "wasAttributedTo": ("property", "who is responsible for a graph"),
    PROV + "wasAssociatedWith": ("property", "who made a change"),
    PROV + "endedAtTime": ("property", "when a change was made"),
    PROV + "Activity": ("class", "a change"),
    PROV + "Entity": ("class", "what a change made"),
}
"""Terms of other vocabularies that queries need: IRI to kind, and what they are used for here."""


@cache
def terms_as_json() -> str:
    """Return the prefixes and all terms that are not deprecated, as JSON.

    >>> sorted(json.loads(terms_as_json()))
    ['prefixes', 'terms']
    """
    schemes = {c.iri: s.iri for s in terms().values() if isinstance(s, SchemeTerm) for c in s.concepts}
    told = [_tell(term, schemes) for term in terms().values() if not term.deprecated]
    borrowed = [
        {"iri": iri, "kind": kind, "label": "", "definition": use[:1].upper() + use[1:] + "."}
        for iri, (kind, use) in BORROWED.items()
    ]
    return json.dumps({"prefixes": dict(PREFIXES), "terms": told + borrowed}, ensure_ascii=False, separators=(",", ":"))


def _tell(term: DefinedTerm, schemes: Mapping[str, str]) -> dict[str, str]:
    told = {"iri": term.iri, "kind": _kind(term), "label": term.label, "definition": term.definition}
    scheme = term.scheme if isinstance(term, PropertyTerm) else schemes.get(term.iri)
    return told | ({"scheme": scheme} if scheme else {})


def _kind(term: DefinedTerm) -> str:
    if isinstance(term, ClassTerm):
        return "class"
    if isinstance(term, PropertyTerm):
        return "property"
    return "concept" if isinstance(term, ConceptTerm) else "scheme"
