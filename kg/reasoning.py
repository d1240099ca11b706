"""Logic: is a graph consistent, can every class have members, and what follows from it.

HermiT decides, a complete OWL 2 DL reasoner that owlready2 brings along and that runs on Java. It
is the judge and not the workhorse: what queries rely on is materialised by the rules of
`kg.inference`, and the tests hold these to what HermiT says.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import owlready2
import pyoxigraph as ox

from kg.errors import WhosaysError
from kg.names import OWL

Relation = tuple[str, str, str]
"""Subject, property and object of a triple, as IRIs."""


@dataclass(frozen=True)
class Consistency:
    """What HermiT says of a graph.

    Parameters:
        consistent: whether all of it can be true at once; if not, nothing else is known.
        unsatisfiable: IRIs of the classes that can have no members, sorted.
        members: for each class the IRIs of its members, inferred ones included.
        relations: what holds between individuals, inferred triples included, where it was asked for.
        seconds: how long HermiT took, starting Java included.
    """

    consistent: bool
    unsatisfiable: tuple[str, ...] = ()
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    relations: frozenset[Relation] = frozenset()
    seconds: float = 0.0


def has_java() -> bool:
    """Tell whether there is a Java runtime to run HermiT on."""
    return shutil.which(owlready2.JAVA_EXE) is not None


def check_consistency(triples: Iterable[ox.Triple], *, relations: bool = False) -> Consistency:
    """Judge a graph by the semantics of OWL 2 DL.

    Parameters:
        triples: everything that counts, the ontology with its class expressions included.
        relations: also infer what holds between individuals, which takes many times longer.

    Returns:
        What HermiT says. Datatypes that OWL 2 does not have (``xsd:date``, EDTF) are not looked into.

    Raises:
        WhosaysError: there is no Java, or HermiT cannot read the graph.

    Source: OWL 2 direct semantics, https://www.w3.org/TR/owl2-direct-semantics/ (section 2.5).

    >>> from kg.vocabulary import ontology_quads
    >>> check_consistency(ontology_quads()).consistent if has_java() else True
    True
    """
    if not has_java():
        raise WhosaysError("there is no Java to run HermiT on", mend="install a Java runtime, version 11 or later")
    world = owlready2.World()
    try:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "graph.nt"  # owlready2 reads RDF/XML and N-Triples, not Turtle
            ox.serialize(triples, file, format=ox.RdfFormat.N_TRIPLES)
            ontology = world.get_ontology(file.as_uri()).load()
        begin = time.perf_counter()
        try:
            with ontology:
                owlready2.sync_reasoner_hermit(
                    world, infer_property_values=relations, debug=0, ignore_unsupported_datatypes=True
                )
        except owlready2.OwlReadyInconsistentOntologyError:
            return Consistency(False, seconds=time.perf_counter() - begin)
        except owlready2.OwlReadyJavaError as error:
            raise WhosaysError(f"HermiT cannot read the graph: {error}", mend="see what it says of it") from error
        seconds = time.perf_counter() - begin
        return Consistency(
            True,
            tuple(sorted(c.iri for c in world.inconsistent_classes() if c.iri != OWL + "Nothing")),
            {c.iri: frozenset(_iris(world.search(type=c))) for c in world.classes()},
            frozenset(_relations(world)) if relations else frozenset(),
            seconds,
        )
    finally:
        world.close()


def _iris(entities: Iterable[object]) -> Iterable[str]:
    return (entity.iri for entity in entities if isinstance(entity, owlready2.Thing))


def _relations(world: owlready2.World) -> Iterable[Relation]:
    for prop in world.object_properties():
        for subject, value in prop.get_relations():
            yield subject.iri, prop.iri, value.iri
