"""The vocabulary and the context that is made from it."""

import json
from importlib import resources
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib

from kg.names import ID
from kg.vocabulary import context_text, make_context, ontology_quads, vocabulary
from loaders.yaml_source import read_yaml
from tests.conftest import SAMPLE


def test_the_context_file_is_in_step_with_the_ontology() -> None:
    stored = resources.files("ontology").joinpath("context.jsonld").read_text("utf-8")
    assert stored == context_text(), "run `make context`"


def test_every_property_with_a_scheme_finds_its_concepts() -> None:
    for prop in vocabulary().properties.values():
        if prop.scheme:
            assert vocabulary().concepts.get(prop.scheme), prop.name


def test_the_ontology_is_what_its_files_say() -> None:
    graph = rdflib.Graph()
    for path in Path(str(resources.files("ontology"))).glob("*.ttl"):
        graph.parse(path)
    assert len(ontology_quads()) <= len(graph)
    modules = {"whosays", "register", "documents", "discourse", "contents", "provenance", "schemes"}
    assert modules <= {p.stem for p in Path(str(resources.files("ontology"))).glob("*.ttl")}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # rdflib's own, inside its JSON-LD parser
@pytest.mark.parametrize("path", sorted(SAMPLE.glob("records/*/*.yaml")), ids=lambda p: p.stem)
def test_two_processors_expand_a_record_alike(path: Path) -> None:
    tree = read_yaml(path.read_text("utf-8"), str(path))
    tree.pop("defaults", None)
    text = json.dumps({"@context": make_context()["@context"], **tree})
    ours = {q.triple for q in ox.parse(text.encode(), format=ox.RdfFormat.JSON_LD, base_iri=ID)}
    graph = rdflib.Graph().parse(data=text, format="json-ld")
    theirs = {q.triple for q in ox.parse(graph.serialize(format="nt").encode(), format=ox.RdfFormat.N_TRIPLES)}
    assert ours == theirs
