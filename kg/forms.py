"""Forms: what somebody who describes a thing is asked for, made from the shapes.

A form has a field for each property that the shapes of a class, and of the classes above it, speak
of: how many values, of which kind, which concepts or classes, what is said where it is broken. What
the fields are called and mean is the shapes' and the ontology's; nothing is repeated here, so that a
shape that is altered alters the form.

    Form ── a class
    └── Field ── a property, in a group with others (`sh:group`)

Source: SHACL, https://www.w3.org/TR/shacl/#nonValidation (names, groups, order)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

from rdflib import BNode, Graph, URIRef
from rdflib import Literal as RdfLiteral
from rdflib.collection import Collection
from rdflib.namespace import RDF, RDFS, SH, SKOS, XSD
from rdflib.term import Node

from kg.names import EDTF, WS, shorten
from kg.shapes import shapes_graph
from kg.terms import ClassTerm, ConceptTerm, DefinedTerm, terms
from kg.vocabulary import SECTIONS, Property, concept_prefix, make_context, vocabulary

Kind: TypeAlias = Literal["reference", "choice", "text", "date", "day", "number", "flag", "plain"]
"""What a field takes: the name of a thing, a concept, words in a language, a date in EDTF, a day, a number, true or
false, or plain characters."""

_NAMES = (str(SKOS.prefLabel), str(SKOS.altLabel), WS + "title", WS + "printedAs")
_DATATYPES: Mapping[str, Kind] = {
    str(RDF.langString): "text",
    EDTF: "date",
    str(XSD.date): "day",
    str(XSD.boolean): "flag",
    str(XSD.decimal): "number",
    str(XSD.integer): "number",
}


@dataclass(frozen=True)
class Choice:
    """A value that a field offers.

    Parameters:
        name: what stands for it in a record.
        label: what it is called.
        definition: what it means.
        family: what it belongs to, where the choices are of several families; else empty.
    """

    name: str
    label: str
    definition: str
    family: str = ""


@dataclass(frozen=True)
class Group:
    """Fields that stand under one heading.

    Parameters:
        name: IRI.
        label: the heading.
        order: the lower, the earlier.
    """

    name: str
    label: str
    order: float


@dataclass(frozen=True)
class Field:
    """What is asked for of one property.

    Parameters:
        key: the property in records.
        iri: of the property.
        label: what it is called.
        definition: what it means; empty where the ontology does not say.
        notes: where a coder could err.
        kind: what it takes.
        least, most: how many values; `most` is None where any number will do.
        either: True where this or another of several is needed, whichever it be.
        classes: local names of the classes that a reference may be of; empty where anything known will do.
        choices: what can be chosen.
        default: name of the choice to begin with, what is true of most; empty where none is.
        long: words that may run over lines.
        longest: characters that a text may have.
        one_per_language: a text may stand once in each language, and `most` is None.
        message: what somebody is told who breaks it.
        group: under which heading it stands.
    """

    key: str
    iri: str
    label: str
    definition: str
    notes: tuple[str, ...]
    kind: Kind
    least: int
    most: int | None
    either: bool
    classes: tuple[str, ...]
    choices: tuple[Choice, ...]
    default: str
    long: bool
    longest: int | None
    one_per_language: bool
    message: str
    group: Group | None

    @property
    def needed(self) -> bool:
        """True where it cannot be left empty."""
        return self.least > 0

    @property
    def several(self) -> bool:
        """True where it can have more than one value."""
        return self.most is None or self.most > 1


@dataclass(frozen=True)
class Form:
    """What is asked for of a thing of a class.

    Parameters:
        class_name: local name of the class.
        label: what the class is called.
        definition: what it means.
        fields: in the order of the shapes; those of the broader class before those of the narrower.
        part_of: key of the property whose value such a thing always is, so that it is described where that is said.
    """

    class_name: str
    label: str
    definition: str
    fields: tuple[Field, ...]
    part_of: str | None = None

    def field(self, key: str) -> Field | None:
        """Return a field by its key."""
        return next((field for field in self.fields if field.key == key), None)

    def grouped(self, without: Iterable[str] = ()) -> list[tuple[Group | None, list[Field]]]:
        """Return the fields under their headings; those without a heading come first.

        Parameters:
            without: keys of fields to leave out.
        """
        apart = set(without)
        found: dict[Group | None, list[Field]] = {None: []}
        for field in self.fields:
            if field.key not in apart:
                found.setdefault(field.group, []).append(field)
        return [(g, fs) for g, fs in sorted(found.items(), key=lambda item: item[0].order if item[0] else -1) if fs]


@cache
def class_form(class_name: str) -> Form:
    """Return the form of a class, from the shapes as they stand in their files.

    Parameters:
        class_name: its local name.

    >>> form = class_form("CausalClaim")
    >>> [field.key for field in form.fields if field.needed]
    ['gloss', 'about', 'cause', 'effect', 'sign', 'causeStatus']
    >>> form.field("cause").classes
    ('Factor',)
    """
    return make_form(class_name, shapes_graph())


def make_form(class_name: str, shapes: Graph) -> Form:
    """Make the form of a class.

    Parameters:
        class_name: its local name.
        shapes: the shapes.
    """
    term = terms().get(WS + class_name)
    above = sorted(vocabulary().parents.get(class_name, {class_name}), key=lambda c: len(_parents(c)))
    node_shapes = [shape for name in above for shape in _shapes_of(name, shapes)]
    by_key: dict[str, list[Node]] = {}
    either: set[str] = set()
    part_of = None
    for shape in node_shapes:
        for part in shapes.objects(shape, SH.property):
            path = shapes.value(part, SH.path)
            if shapes.value(part, SH.severity) == SH.Warning or shapes.value(part, SH.deactivated):
                continue
            if isinstance(path, URIRef):
                if (key := keys().get(str(path))) and not _derived(key):
                    by_key.setdefault(key, []).append(part)
            elif isinstance(path, BNode) and shapes.value(part, SH.minCount):
                either |= set(_alternatives(path, shapes))
                inverse = shapes.value(path, SH.inversePath)
                if isinstance(inverse, URIRef) and str(shapes.value(part, SH.maxCount)) == "1":
                    part_of = keys().get(str(inverse))
    for parts in by_key.values():  # what stands under a heading says what the field is; the others only narrow it
        parts.sort(key=lambda part: shapes.value(part, SH.group) is None)
    fields = [_field(key, parts, key in either, shapes) for key, parts in by_key.items()]
    return Form(
        class_name,
        term.label if term else class_name,
        term.definition if term else "",
        tuple(field for field in fields if field.most != 0),
        part_of,
    )


@cache
def proposition_kinds() -> tuple[str, ...]:
    """Return the kinds of propositions, in the order of the ontology; the plain one comes last.

    >>> proposition_kinds()[0], proposition_kinds()[-1]
    ('Relation', 'Proposition')
    """
    known = vocabulary()
    found = [t.name for t in terms().values() if isinstance(t, ClassTerm) and known.is_a(t.name, "Proposition")]
    return (*(name for name in found if name != "Proposition"), "Proposition")


@cache
def new_things() -> Mapping[str, tuple[str, ...]]:
    """Return the classes of things that can be brought along with an assertion, under headings.

    >>> "Person" in new_things()["The register"], "Factor" in new_things()["Contents"]
    (True, True)
    """
    known = vocabulary()
    sections = {name for _, name in SECTIONS.values()}
    headed: dict[str, list[str]] = {"The register": [], "Contents": [], "The discourse": []}
    for term in terms().values():
        name = term.name
        if not isinstance(term, ClassTerm) or not _described(name) or class_form(name).part_of or part_field(name):
            continue
        if known.is_a(name, "Proposition") or name == "Factor":
            headed["Contents"].append(name)
        elif known.is_a(name, "RegisterEntry") and not known.is_a(name, "Document"):
            headed["The register"].append(name)
        elif name in sections and not (known.is_a(name, "Passage") or name == "Assertion"):
            headed["The discourse"].append(name)
    return {heading: tuple(names) for heading, names in headed.items()}


@cache
def part_field(class_name: str) -> Field | None:
    """Return the field of a class whose values are described with it, as the steps of a pathway are; None without one.

    >>> part_field("CausalPathway").key, part_field("Relation")
    ('hasStep', None)
    """
    for field in class_form(class_name).fields:
        if len(field.classes) == 1 and class_form(field.classes[0]).part_of == field.key:
            return field
    return None


@cache
def keys() -> Mapping[str, str]:
    """Return the keys by which records name properties, by the properties' IRIs.

    >>> keys()["http://www.w3.org/2004/02/skos/core#prefLabel"], keys()[WS + "holder"]
    ('prefLabel', 'holder')
    """
    context = make_context()["@context"]
    assert isinstance(context, Mapping)
    found: dict[str, str] = {}
    for key, meaning in context.items():
        if isinstance(meaning, Mapping) and "@id" in meaning and key not in SECTIONS:
            prefix, _, rest = str(meaning["@id"]).partition(":")
            iri = f"{context[prefix]}{rest}" if prefix in context else str(meaning["@id"])
            found[iri] = key
    return found


# --- one field


def _field(key: str, parts: list[Node], either: bool, shapes: Graph) -> Field:
    iri = str(shapes.value(parts[0], SH.path))
    term, prop = terms().get(iri), vocabulary().properties.get(key)
    ends = [int(str(v)) for p in parts for v in shapes.objects(p, SH.maxCount)]
    choices = next((found for p in parts if (found := _choices(p, shapes))), ())
    datatypes = [d for p in parts for d in _datatypes(p, shapes)]
    one_per_language = any(shapes.value(p, SH.uniqueLang) for p in parts)
    return Field(
        key=key,
        iri=iri,
        label=str(shapes.value(parts[0], SH.name) or (term.label if term else key)),
        definition=term.definition if term else "",
        notes=term.notes if term else (),
        kind=_kind(prop, choices, datatypes),
        least=max([int(str(v)) for p in parts for v in shapes.objects(p, SH.minCount)], default=0),
        most=min(ends, default=None),
        either=either,
        classes=next((names for p in reversed(parts) if (names := tuple(_classes(p, shapes)))), ()),
        choices=choices,
        default=next((_choice(v).name for p in parts for v in shapes.objects(p, SH.defaultValue)), ""),
        long="text" in (_DATATYPES.get(d) for d in datatypes) and iri not in _NAMES,
        longest=min([int(str(v)) for p in parts for v in shapes.objects(p, SH.maxLength)], default=None),
        one_per_language=one_per_language,
        message=next((" ".join(str(m).split()) for p in parts for m in shapes.objects(p, SH.message)), ""),
        group=next((_group(g, shapes) for p in parts for g in shapes.objects(p, SH.group)), None),
    )


def _kind(prop: Property | None, choices: tuple[Choice, ...], datatypes: list[str]) -> Kind:
    if choices:
        return "choice"
    for datatype in datatypes:
        return _DATATYPES.get(datatype, "plain")
    if prop is None or prop.is_relation:
        return "reference"
    return _DATATYPES.get(prop.datatype or str(RDF.langString), "plain")


def _choices(shape: Node, shapes: Graph) -> tuple[Choice, ...]:
    for members in shapes.objects(shape, SH["in"]):
        return tuple(_choice(member) for member in Collection(shapes, members))
    for other in shapes.objects(shape, SH.node):
        for part in shapes.objects(other, SH.property):
            scheme = shapes.value(part, SH.hasValue)
            if shapes.value(part, SH.path) == SKOS.inScheme and scheme is not None:
                prefix = concept_prefix(str(scheme))
                return tuple(_choice(URIRef(prefix + name)) for name in vocabulary().concepts.get(str(scheme), ()))
        if found := _choices(other, shapes):
            return found
    return ()


def _choice(value: Node) -> Choice:
    term: DefinedTerm | None = terms().get(str(value))
    if isinstance(term, ConceptTerm):
        family = terms().get(term.family or "")
        return Choice(term.short_name, term.label, term.definition, family.label if family else "")
    name = str(value) if isinstance(value, RdfLiteral) else shorten(str(value))
    return Choice(name, name, "")


def _datatypes(shape: Node, shapes: Graph) -> Iterator[str]:
    yield from (str(value) for value in shapes.objects(shape, SH.datatype))
    for other in shapes.objects(shape, SH.node):
        yield from _datatypes(other, shapes)
    for members in shapes.objects(shape, SH["or"]):
        for member in Collection(shapes, members):
            yield from _datatypes(member, shapes)


def _classes(shape: Node, shapes: Graph) -> Iterator[str]:
    yield from (str(value).removeprefix(WS) for value in shapes.objects(shape, SH["class"]))
    for members in shapes.objects(shape, SH["or"]):
        for member in Collection(shapes, members):
            yield from _classes(member, shapes)


def _alternatives(path: Node, shapes: Graph) -> Iterator[str]:
    for members in shapes.objects(path, SH.alternativePath):
        for member in Collection(shapes, members):
            if isinstance(member, URIRef) and (key := keys().get(str(member))):
                yield key


def _group(group: Node, shapes: Graph) -> Group:
    order = shapes.value(group, SH.order)
    return Group(str(group), str(shapes.value(group, RDFS.label) or ""), float(str(order)) if order is not None else 0)


# --- shapes and classes


def _shapes_of(class_name: str, shapes: Graph) -> list[Node]:
    """Return the node shapes of a class, the main one first."""
    found = [s for s in shapes.subjects(SH.targetClass, URIRef(WS + class_name)) if not shapes.value(s, SH.deactivated)]
    return sorted(found, key=lambda shape: (str(shape) != f"{WS}{class_name}Shape", str(shape)))


def _described(class_name: str) -> bool:
    """Tell whether things are said to be of a class, and not rather of one of those below it."""
    term = terms()[WS + class_name]
    if not class_form(class_name).fields or (isinstance(term, ClassTerm) and term.equivalent):
        return False
    below = [t for t in terms().values() if isinstance(t, ClassTerm) and class_name in _parents(t.name) - {t.name}]
    return class_name == "Proposition" or all(t.equivalent for t in below)


def _parents(class_name: str) -> frozenset[str]:
    return vocabulary().parents.get(class_name, frozenset())


def _derived(key: str) -> bool:
    prop = vocabulary().properties.get(key)
    return bool(prop and prop.derived)
