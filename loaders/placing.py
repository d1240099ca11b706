"""Placing: which named graph each statement belongs to, and what may not be said through the door.

A record says by its form where its statements belong; RDF from elsewhere does not, so it is worked
out from what is said: shared contents go to the propositions, what belongs to a document to its
graph, entries to the register, matches with other data to the links. What is published already
stays where it is.

Refused before the shapes are asked, because no shape can say it or because it would change what the
shapes rest on: terms that the ontology does not know, what is inferred and never written,
statements about the ontology or the shapes, names that are none of ours.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable

import pyoxigraph as ox

from kg.change import View, is_asserted
from kg.errors import ENOUGH, NOT_ALL, MalformedError, Place
from kg.names import (
    CONTENTS_GRAPH,
    DCTERMS,
    ID,
    LINKS_GRAPH,
    OWL,
    RDF,
    RDFS,
    REGISTER_GRAPH,
    SH,
    SKOS,
    WS,
    document_graph,
    shorten,
)
from kg.reach import all_classes
from kg.vocabulary import vocabulary
from loaders.mappings import MAPPING_PREDICATES
from loaders.records import check_name

_TYPE = ox.NamedNode(RDF + "type")
_DEFINED_BY = ox.NamedNode(RDFS + "isDefinedBy")
_DIGEST = ox.NamedNode(WS + "digest")
_BELONGS = [ox.NamedNode(WS + name) for name in ("statedIn", "inDocument", "citingDocument")] + [_DEFINED_BY]
_SHARED = frozenset(WS + name for name in ("Proposition", "Factor", "PathwayStep"))
_BORROWED = frozenset(
    [RDF + "type", RDFS + "isDefinedBy", DCTERMS + "source"]
    + [SKOS + name for name in ("prefLabel", "altLabel", "definition", "broader")]
)
_NEVER_WRITTEN = frozenset(WS + name for name in ("Leader", "Perception"))
_OF_THE_RULES = (OWL, SH, RDFS + "subClassOf", RDFS + "subPropertyOf", RDFS + "domain", RDFS + "range")

Where = Callable[[str], Place | None]


class PlacingErrors(MalformedError):
    """What may not be said through the door: all of it, or as much as is enough to be told.

    Parameters:
        problems: the single errors, at least one.
    """

    def __init__(self, problems: list[MalformedError]) -> None:
        self.problems = problems
        super().__init__(problems[0].problem, mend=problems[0].mend, place=problems[0].place)

    def __str__(self) -> str:
        return "\n".join(str(p) for p in self.problems)


def place(quads: Iterable[ox.Quad], view: View, where: Where = lambda _: None) -> frozenset[ox.Quad]:
    """Give each statement its graph.

    Parameters:
        quads: statements; a graph that they name must be the one that they belong to.
        view: what is published.
        where: where the content says something of a node, for messages.

    Returns:
        The statements, each in its graph.

    Raises:
        PlacingErrors: what may not be said, or belongs nowhere.

    >>> toll = ox.Quad(ox.NamedNode(ID + "toll"), _TYPE, ox.NamedNode(WS + "Issue"))
    >>> [quad.graph_name.value for quad in place([toll], View(ox.Store()))]
    ['https://w3id.org/whosays/graph/register']
    """
    return _Placer(frozenset(quads), view, where).place()


class _Placer:
    def __init__(self, quads: frozenset[ox.Quad], view: View, where: Where) -> None:
        self.quads = quads
        self.view = view
        self.where = where
        self.problems: list[MalformedError] = []
        self.said: dict[ox.NamedNode, list[ox.Quad]] = {}
        for quad in quads:
            assert isinstance(quad.subject, ox.NamedNode)
            self.said.setdefault(quad.subject, []).append(quad)
        self.documents = {q.object for q in quads if q.predicate in _BELONGS and isinstance(q.object, ox.NamedNode)} | {
            q.subject for q in quads if q.predicate == _DIGEST and self.is_a(q.subject, "Document")
        }

    def problem(self, node: ox.NamedNode, what: str, mend: str) -> None:
        self.problems.append(MalformedError(what, mend=mend, place=self.where(node.value)))
        if len(self.problems) >= ENOUGH:
            raise PlacingErrors([*self.problems, MalformedError(NOT_ALL, mend="mend these first")])

    def place(self) -> frozenset[ox.Quad]:
        placed: set[ox.Quad] = set()
        for subject in sorted(self.said, key=lambda node: node.value):
            if not self.check_subject(subject):
                continue
            odd = {quad for quad in self.said[subject] if not self.check_statement(quad)}
            if any(quad.predicate == _TYPE for quad in odd):
                continue  # where it belongs follows from what it is
            graph = self.graph_of(subject)
            if graph is None:
                continue
            misplaced = False
            for quad in self.said[subject]:
                own = LINKS_GRAPH if quad.predicate.value in MAPPING_PREDICATES else graph
                if isinstance(quad.graph_name, ox.NamedNode) and quad.graph_name.value != own and not misplaced:
                    misplaced = True
                    self.problem(
                        subject,
                        f"what is said of `{shorten(subject.value)}` stands in {shorten(quad.graph_name.value)}",
                        f"put it into {shorten(own)}, or name no graph",
                    )
                placed.add(ox.Quad(subject, quad.predicate, quad.object, ox.NamedNode(own)))
            placed |= self.definition(subject, graph)
        if self.problems:
            raise PlacingErrors(self.problems)
        return frozenset(placed)

    def classes(self, node: ox.NamedNode | ox.BlankNode | ox.Triple) -> frozenset[str]:
        said = self.said.get(node, []) if isinstance(node, ox.NamedNode) else []
        new = {q.object.value for q in said if q.predicate == _TYPE and isinstance(q.object, ox.NamedNode)}
        return all_classes(new | self.view.types(node))

    def is_a(self, node: ox.NamedNode | ox.BlankNode | ox.Triple, name: str) -> bool:
        return WS + name in self.classes(node)

    def graph_of(self, node: ox.NamedNode) -> str | None:
        """Return the graph that a node belongs to; say what is wrong where none does."""
        for quad in self.view.store.quads_for_pattern(node, _TYPE, None):
            if is_asserted(quad.graph_name) and isinstance(quad.graph_name, ox.NamedNode):
                return quad.graph_name.value
        classes = self.classes(node)
        name = shorten(node.value)
        if not classes:
            self.problem(node, f"nothing says what `{name}` is", "give it a class of the ontology with rdf:type")
            return None
        if not classes.isdisjoint(_SHARED):
            return CONTENTS_GRAPH
        if WS + "Document" in classes:
            own = ox.NamedNode(document_graph(node.value))
            if any(q.predicate == _DIGEST or q.graph_name == own for q in self.said[node]):
                return own.value
        for quad in self.said[node]:
            if quad.predicate in _BELONGS and isinstance(quad.object, ox.NamedNode):
                return document_graph(quad.object.value)
        if WS + "RegisterEntry" in classes or WS + "Document" in classes:
            return REGISTER_GRAPH
        slug = node.value.removeprefix(ID).split("/")[0]
        if "/" in node.value.removeprefix(ID) and self.is_a(ox.NamedNode(ID + slug), "Document"):
            return document_graph(slug)
        self.problem(
            node, f"nothing says which document `{name}` belongs to", "name the document with rdfs:isDefinedBy"
        )
        return None

    def definition(self, node: ox.NamedNode, graph: str) -> set[ox.Quad]:
        """A new shared content belongs to the document that first brings it."""
        known = any(q.predicate == _DEFINED_BY for q in self.said[node]) or self.view.has(node, _DEFINED_BY)
        if graph != CONTENTS_GRAPH or known or not self.documents:
            return set()
        first = min(self.documents, key=str)
        return {ox.Quad(node, _DEFINED_BY, first, ox.NamedNode(CONTENTS_GRAPH))}

    def check_subject(self, node: ox.NamedNode) -> bool:
        if not node.value.startswith(ID):
            self.problem(
                node,
                f"`{shorten(node.value)}` is not for the door to speak of",
                f"what is published here has a name under {ID}",
            )
            return False
        if not check_name(node.value.removeprefix(ID)):
            self.problem(
                node,
                f"`{node.value.removeprefix(ID)}` is not a name",
                "use lower-case letters, digits and hyphens; parts after a slash",
            )
            return False
        return True

    def check_statement(self, quad: ox.Quad) -> bool:
        known = vocabulary()
        predicate, name = quad.predicate.value, quad.predicate.value.removeprefix(WS)
        assert isinstance(quad.subject, ox.NamedNode)
        subject = shorten(quad.subject.value)
        if predicate.startswith(_OF_THE_RULES):
            self.problem(
                quad.subject,
                f"`{subject}` says {shorten(predicate)}, which belongs to the ontology",
                "leave it out; ontology and shapes are not changed through the door",
            )
        elif predicate.startswith(WS) and name not in known.properties:
            like = difflib.get_close_matches(name, known.properties, n=1)
            self.problem(
                quad.subject,
                f"`{subject}` says ws:{name}, which is no property",
                f"did you mean ws:{like[0]}?" if like else "use a property of the ontology",
            )
        elif predicate.startswith(WS) and known.properties[name].derived:
            self.problem(
                quad.subject, f"`{subject}` says ws:{name}, which is inferred and never written", "leave it out"
            )
        elif not predicate.startswith(WS) and predicate not in _BORROWED | MAPPING_PREDICATES:
            self.problem(
                quad.subject,
                f"`{subject}` says {shorten(predicate)}, which is no property here",
                "use the ontology's properties, or keep the statement in your own data",
            )
        elif predicate == RDF + "type" and isinstance(quad.object, ox.NamedNode):
            return self.check_class(quad.subject, quad.object.value)
        else:
            return True
        return False

    def check_class(self, node: ox.NamedNode, iri: str) -> bool:
        name = iri.removeprefix(WS)
        if iri in _NEVER_WRITTEN:
            self.problem(node, f"ws:{name} is inferred, never written", "use ws:Person or ws:Assertion")
            return False
        if name not in vocabulary().classes:
            like = difflib.get_close_matches(name, vocabulary().classes, n=1)
            self.problem(
                node,
                f"`{shorten(node.value)}` is a {shorten(iri)}, which is no class here",
                f"did you mean ws:{like[0]}?" if like else "use a class of the ontology",
            )
            return False
        return True
