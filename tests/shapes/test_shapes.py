"""The shapes: what conforms, what does not, and that no shape goes untested.

Every file is added to the small world of ``world.ttl`` and judged with the ontology's triples:

- ``examples/`` conform;
- ``violations/`` break just the shapes that their first line names;
- in each example each property that the shapes require is removed in turn, each that can have one
  value only is given a second, each value is exchanged for a stranger, and each identifier for a
  blank node.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import pyshacl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib import OWL, RDF, RDFS, SH, SKOS, BNode, Graph, Literal, Namespace, URIRef
from rdflib.collection import Collection
from rdflib.plugins.sparql import prepareQuery
from rdflib.plugins.sparql.sparql import Query
from rdflib.query import Result
from rdflib.term import Node

from kg.dates import is_edtf

WS = Namespace("https://w3id.org/whosays/ontology#")
ID = Namespace("https://w3id.org/whosays/id/")
EDTF = URIRef("http://id.loc.gov/datatypes/edtf/EDTF")

HERE = Path(__file__).parent
EXAMPLES = sorted(HERE.glob("examples/*.ttl"))
VIOLATIONS = sorted(HERE.glob("violations/*.ttl"))

COUNTS = {SH.MinCountConstraintComponent, SH.MaxCountConstraintComponent}
KINDS = (SH["class"], SH.datatype, SH.node, SH["or"])
WARNINGS = {
    WS["Assertion-lacksOnPlainBasis"],
    WS["Assertion-noncommittalUnhedged"],
    WS["Assertion-recommendsDeed"],
    WS["Assertion-retractedWithReason"],
    WS["Assertion-retractsSomething"],
    WS["Assertion-seesAsSomething"],
    WS["Assertion-takesBackPlainly"],
    WS["Assertion-undecided"],
    WS["Assertion-wantedStance"],
    WS["Factor-namedToGrow"],
    WS["Factor-valenceOfRelations"],
    WS["Office-oneHolderAtATime"],
    WS["Proposition-glossPositive"],
    WS["Proposition-glossSentence"],
    WS["Sentence-assertsNothingOrSomething"],
    WS["Step-afterSigning"],
}
NEVER_WRITTEN = {WS.Leader, WS.Perception, WS.RegisterEntry}
RECORD_KEYS = {"id", "prefLabel", "altLabel", "definition", "broader", "source", "type"}


class Finding(NamedTuple):
    """One result of a validation."""

    focus: Node
    shape: Node
    component: Node
    severity: Node
    value: Node | None


class Case(NamedTuple):
    """A node of an example, and a property shape that it has to keep to."""

    example: Path
    focus: URIRef
    node_shape: URIRef
    shape: URIRef

    def __str__(self) -> str:
        return f"{self.focus.removeprefix(ID)}-{self.shape.removeprefix(WS)}"


# --- the graphs


@cache
def prepared(query: str) -> Query:
    return prepareQuery(query)


class QuickGraph(Graph):
    """A graph that parses a query once: pySHACL asks the same ones of every node, and parsing is what takes time."""

    def query(self, query_object: str, *args: object, **options: object) -> Result:  # type: ignore[override]
        return super().query(prepared(query_object), *args, **options)  # type: ignore[arg-type]


def read(*files: Path) -> Graph:
    graph = QuickGraph()
    for file in files:
        graph.parse(file)
    return graph


def module_files(package: str) -> list[Path]:
    return sorted(Path(str(f)) for f in resources.files(package).iterdir() if f.name.endswith(".ttl"))


@cache
def ontology() -> Graph:
    return read(*module_files("ontology"))


@cache
def shapes() -> Graph:
    return read(*module_files("shapes"))


@cache
def world() -> Graph:
    """The invented world and the ontology, whose acts are left untyped so that they are not judged each time anew."""
    graph = read(*module_files("ontology"), HERE / "world.ttl")
    graph.remove((None, RDF.type, WS.Act))
    return graph


@cache
def example(file: Path) -> Graph:
    return read(file)


@contextmanager
def world_with(triples: Iterable[tuple[Node, Node, Node]]) -> Iterator[Graph]:
    """The world with a few triples more, for as long as the block lasts."""
    graph = world()
    added = [t for t in triples if t not in graph]
    for triple in added:
        graph.add(triple)
    try:
        yield graph
    finally:
        for triple in added:
            graph.remove(triple)


@cache
def shapes_below(node_shape: URIRef) -> frozenset[tuple[Node, Node, Node]]:
    """The part of the shapes graph that a node shape needs, its targets left out."""
    part, open_nodes, seen = set(), [node_shape, URIRef("https://w3id.org/whosays/shapes")], set()
    while open_nodes:
        node = open_nodes.pop()
        seen.add(node)
        triples = {t for t in shapes().triples((node, None, None)) if t[1] != SH.targetClass}
        part |= triples
        open_nodes += [o for _, _, o in triples if o not in seen and (o, None, None) in shapes()]
    return frozenset(part)


def aimed(node_shape: URIRef, *focus: Node) -> Graph:
    """A shapes graph for just these nodes.

    It takes a tenth of the time of the whole. The options ``focus_nodes`` and ``use_shapes`` of pySHACL 0.40
    would not do: the first also passes over the values that a nested shape is asked about, the second passes
    over all shapes with a name that are not listed.
    """
    graph = Graph()
    for triple in (*shapes_below(node_shape), *((node_shape, SH.targetNode, node) for node in focus)):
        graph.add(triple)
    return graph


def findings(graph: Graph, shapes_graph: Graph) -> set[Finding]:
    """What the shapes have to say of the graph."""
    _, report, text = pyshacl.validate(graph, shacl_graph=shapes_graph, advanced=False, inference=None)
    assert isinstance(report, Graph), text
    return {
        Finding(
            report.value(result, SH.focusNode),
            report.value(result, SH.sourceShape),
            report.value(result, SH.sourceConstraintComponent),
            report.value(result, SH.resultSeverity),
            report.value(result, SH.value),
        )
        for result in report.objects(None, SH.result)
    }


# --- what the shapes say


def classes_of(graph: Graph, node: Node) -> set[Node]:
    types = set(graph.objects(node, RDF.type))
    return {ancestor for t in types for ancestor in ontology().transitive_objects(t, RDFS.subClassOf)}


def paths(shape: Node) -> list[tuple[URIRef, bool]]:
    """The properties that lead from a focus node to the values, each with True where it is taken backwards."""
    path = shapes().value(shape, SH.path)
    alternatives = shapes().value(path, SH.alternativePath)
    found = []
    for step in Collection(shapes(), alternatives) if alternatives else [path]:
        inverse = shapes().value(step, SH.inversePath)
        found.append((inverse or step, bool(inverse)))
    return [(p, backwards) for p, backwards in found if isinstance(p, URIRef)]


def named_shapes() -> set[Node]:
    """Every shape that can be reported: property shapes, and node shapes with a constraint of their own."""
    node_shapes = {s for s in shapes().subjects(SH.targetClass) if (s, SH.message, None) in shapes()}
    return node_shapes | {s for s in shapes().subjects(RDF.type, SH.PropertyShape) if isinstance(s, URIRef)}


def cases() -> Iterator[Case]:
    for file in EXAMPLES:
        graph = example(file)
        for focus in sorted(s for s in set(graph.subjects(RDF.type)) if isinstance(s, URIRef)):
            for class_ in sorted(classes_of(graph, focus)):
                for node_shape in sorted(shapes().subjects(SH.targetClass, class_)):
                    for shape in sorted(shapes().objects(node_shape, SH.property)):
                        yield Case(file, focus, node_shape, shape)


def values(case: Case) -> list[Node]:
    """The values of a simple path in the example."""
    path = shapes().value(case.shape, SH.path)
    return sorted(example(case.example).objects(case.focus, path)) if isinstance(path, URIRef) else []


def first_of_each(found: Iterable[Case]) -> list[Case]:
    """One case for each property shape."""
    kept: dict[URIRef, Case] = {}
    for case in found:
        kept.setdefault(case.shape, case)
    return list(kept.values())


REQUIRED = [case for case in cases() if shapes().value(case.shape, SH.minCount) and paths(case.shape)]
SINGLE = first_of_each(case for case in cases() if shapes().value(case.shape, SH.maxCount) and values(case))
OF_A_KIND = first_of_each(
    case for case in cases() if values(case) and any((case.shape, kind, None) in shapes() for kind in KINDS)
)


def expected(file: Path) -> set[URIRef]:
    first = file.read_text("utf-8").splitlines()[0]
    assert first.startswith("# expects: "), f"{file.name} must begin with a line '# expects: ws:…'"
    return {WS[name.strip().removeprefix("ws:")] for name in first.removeprefix("# expects: ").split(",")}


# --- the files


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda f: f.stem)
def test_example_conforms(file: Path) -> None:
    with world_with(example(file)) as graph:
        assert findings(graph, shapes()) == set()


@pytest.mark.parametrize("file", VIOLATIONS, ids=lambda f: f.stem)
def test_violation_breaks_just_the_shapes_that_it_names(file: Path) -> None:
    with world_with(read(file)) as graph:
        found = findings(graph, shapes())
    assert {f.shape for f in found} == expected(file)
    assert {f.shape for f in found if f.severity == SH.Warning} == expected(file) & WARNINGS


def test_ontology_conforms() -> None:
    assert findings(ontology(), shapes()) == set()


# --- the examples, spoilt


@pytest.mark.parametrize("case", REQUIRED, ids=str)
def test_required_property_is_missed(case: Case) -> None:
    triples = set(example(case.example))
    for path, backwards in paths(case.shape):
        gone = (None, path, case.focus) if backwards else (case.focus, path, None)
        triples -= set(example(case.example).triples(gone))
    assert triples != set(example(case.example)), "the example does not have what is required"
    with world_with(triples) as graph:
        found = findings(graph, aimed(case.node_shape, case.focus))
    assert (case.focus, case.shape, SH.MinCountConstraintComponent) in {f[:3] for f in found}


@pytest.mark.parametrize("case", SINGLE, ids=str)
def test_second_value_is_refused(case: Case) -> None:
    (value,) = values(case)
    second = URIRef(f"{value}-too") if isinstance(value, URIRef) else Literal("another value")
    path = shapes().value(case.shape, SH.path)
    with world_with({*example(case.example), (case.focus, path, second)}) as graph:
        found = findings(graph, aimed(case.node_shape, case.focus))
    assert (case.focus, case.shape, SH.MaxCountConstraintComponent) in {f[:3] for f in found}


@pytest.mark.parametrize("case", OF_A_KIND, ids=str)
def test_stranger_is_refused(case: Case) -> None:
    value = values(case)[0]
    stranger = ID["stranger"] if isinstance(value, URIRef) else Literal("strange", datatype=ID["strange"])
    path = shapes().value(case.shape, SH.path)
    triples = set(example(case.example)) - {(case.focus, path, value)} | {(case.focus, path, stranger)}
    with world_with(triples) as graph:
        found = findings(graph, aimed(case.node_shape, case.focus))
    about_stranger = {f.component for f in found if f.shape == case.shape and f.value == stranger}
    assert about_stranger - COUNTS


@pytest.mark.parametrize("node_shape", sorted(shapes().subjects(SH.nodeKind, SH.IRI)), ids=lambda s: s.removeprefix(WS))
def test_nameless_node_is_refused(node_shape: URIRef) -> None:
    nameless = BNode()
    with world_with([(nameless, RDF.type, shapes().value(node_shape, SH.targetClass))]) as graph:
        found = findings(graph, aimed(node_shape, nameless))
    assert (nameless, node_shape, SH.NodeKindConstraintComponent) in {f[:3] for f in found}


# --- dates and glosses


def test_dates_are_edtf() -> None:
    good = ["1999", "-0431", "1999-05", "1999-05-31", "1999-02-29", "1999-21", "199X", "19XX", "1999-XX"]
    good += ["1999-XX-XX", "1999-05-XX", "1999?", "1999-05~", "1999-05-31%", "1998/1999", "1998-03/1999-05-31"]
    good += ["1998~/1999?", "1998/..", "../1999", "1998/", "/1999", "199X/2001"]
    good += ["1999/1999-05", "1999-05/1999", "199X/1995", "1999-XX/1999-02", "1999-22/1999-21", "-0431/-0400"]
    bad = ["", "..", "/", "../..", "../", "/..", "99", "19999", "1999-5", "1999-13", "1999-00", "1999-05-32"]
    bad += ["1999-04-31", "1999-02-30", "1999-25", "1XXX", "1999-X1", "May 1999", "1999-05-31T10:00:00", "1999 "]
    bad += ["1999/1998", "1999-05/1999-04", "1999-05-31/1999-05-30~", "1999?/1998-12", "200X/1999", "1999-XX/1998"]
    bad += ["1999??", "1998/1999/2000", "1998-1999", "5.1999", "1999..2000"]
    places = {text: ID[f"event-{n}"] for n, text in enumerate([*good, *bad])}
    dates = [(event, WS.date, Literal(text, datatype=EDTF)) for text, event in places.items()]
    types = [(event, RDF.type, WS.Event) for event in places.values()]
    with world_with([*dates, *types]) as graph:
        found = findings(graph, aimed(WS.EventShape, *places.values()))
    refused = {f.focus for f in found if f.shape == WS["Event-date"]}
    assert {text for text, event in places.items() if event in refused} == set(bad)


@given(st.dates(), st.dates(), st.sampled_from([4, 7, 10]), st.sampled_from([4, 7, 10]))
@settings(max_examples=60, deadline=None)
def test_interval_runs_forwards(first: date, last: date, precision: int, other_precision: int) -> None:
    interval = f"{first.isoformat()[:precision]}/{last.isoformat()[:other_precision]}"
    event = [(ID.affair, RDF.type, WS.Event), (ID.affair, WS.date, Literal(interval, datatype=EDTF))]
    with world_with(event) as graph:
        found = findings(graph, aimed(WS.EventShape, ID.affair))
    assert (WS["Event-date"] in {f.shape for f in found}) == (not is_edtf(interval))


def test_tenure_may_last_still() -> None:
    tenure = [(ID.tenure, RDF.type, WS.OfficeHolding), (ID.tenure, WS.endDate, Literal("..", datatype=EDTF))]
    with world_with(tenure) as graph:
        found = findings(graph, aimed(WS.OfficeHoldingShape, ID.tenure))
    assert WS["OfficeHolding-endDate"] not in {f.shape for f in found}


@pytest.mark.parametrize(
    ("start", "end", "refused"),
    [
        ("1894", "1893", True),
        ("1894-05", "1894-04-30", True),
        ("1894-05-17", "1894", False),  # some later day of that year
        ("1894-05-17", "1894-05", False),
        ("1894", "1894-05", False),
        ("1894", "..", False),
        ("1894?", "1893", False),  # only plain dates are compared
        ("1894", "1893/1895", False),
    ],
)
def test_tenure_ends_after_it_begins(start: str, end: str, refused: bool) -> None:
    tenure = [
        (ID.tenure, RDF.type, WS.OfficeHolding),
        (ID.tenure, WS.startDate, Literal(start, datatype=EDTF)),
        (ID.tenure, WS.endDate, Literal(end, datatype=EDTF)),
    ]
    with world_with(tenure) as graph:
        found = findings(graph, aimed(WS.OfficeHoldingShape, ID.tenure))
    assert (WS["OfficeHolding-startBeforeEnd"] in {f.shape for f in found}) == refused


@pytest.mark.parametrize(
    ("first", "second", "second_holder", "warned"),
    [
        ("1891/1894", "1893/1896", "anna", True),
        ("1891/..", "1893/..", "anna", True),
        ("1891/1894", "1891/1894", "anna", True),
        ("1891/1894", "1894/1896", "anna", False),  # one follows the other within the year
        ("1891/1894-05-17", "1894/1896", "anna", False),
        ("1891/1894", "1894-05/1896", "anna", False),
        ("1891/1894", "1893/1896", "rudolf", False),  # the same person
        ("1891/1894~", "1893/1896", "anna", False),  # only plain dates are compared
    ],
)
def test_office_has_one_holder_at_a_time(first: str, second: str, second_holder: str, warned: bool) -> None:
    triples: list[tuple[Node, Node, Node]] = [(ID.throne, RDF.type, WS.Office)]
    for tenure, span, holder in ((ID.first, first, "rudolf"), (ID.second, second, second_holder)):
        start, end = span.split("/")
        triples += [
            (tenure, WS.office, ID.throne),
            (tenure, WS.officeHolder, ID[holder]),
            (tenure, WS.startDate, Literal(start, datatype=EDTF)),
            (tenure, WS.endDate, Literal(end, datatype=EDTF)),
        ]
    with world_with(triples) as graph:
        found = findings(graph, aimed(WS.OfficeShape, ID.throne))
    assert (WS["Office-oneHolderAtATime"] in {f.shape for f in found}) == warned


def test_gloss_is_one_sentence() -> None:
    good = ["The toll stays.", "Does the toll stay?", "Gov. Hentzau, Dr. Strelsau and U.S. traders pay 2.5 percent."]
    good += ["Prof. Rassendyll (b. Zenda) wants trade, tolls etc. and peace.", "Zenda vs. the toll stays in force."]
    bad = ["The toll stays", "The toll stays!", "There is a war. Tolls rise.", "The toll fell in 1894. Trade rose."]
    bad += ["It fears Borduria. Trade fell.", "Does it stay? It does."]
    places = {text: ID[f"proposition-{n}"] for n, text in enumerate([*good, *bad])}
    glosses = [(proposition, WS.gloss, Literal(text, lang="en")) for text, proposition in places.items()]
    types = [(proposition, RDF.type, WS.Proposition) for proposition in places.values()]
    with world_with([*glosses, *types]) as graph:
        found = findings(graph, aimed(WS.PropositionShape, *places.values()))
    warned = {f.focus for f in found if f.shape == WS["Proposition-glossSentence"]}
    assert {text for text, proposition in places.items() if proposition in warned} == set(bad)


# --- the shapes themselves


def test_shapes_are_well_formed_shacl() -> None:
    pyshacl.validate(Graph(), shacl_graph=shapes(), meta_shacl=True, advanced=False, inference=None)


def test_every_shape_is_tested() -> None:
    tested = {case.shape for case in (*REQUIRED, *SINGLE, *OF_A_KIND)} | set(shapes().subjects(SH.nodeKind, SH.IRI))
    assert named_shapes() - tested - set().union(*map(expected, VIOLATIONS)) == set()


def test_every_property_occurs_in_an_example() -> None:
    used = set().union(*(set(example(file).predicates()) for file in EXAMPLES))
    allowed = {s for s in named_shapes() if shapes().value(s, SH.maxCount) != Literal(0)}
    assert {p for s in allowed for p, _ in paths(s)} - used == set()


def test_every_class_has_a_shape() -> None:
    classes = {c for c in ontology().subjects(RDF.type, OWL.Class) if c.startswith(WS)} - NEVER_WRITTEN
    with_shape = set(shapes().objects(None, SH.targetClass))
    bare = {c for c in classes if not with_shape & set(ontology().transitive_objects(c, RDFS.subClassOf))}
    assert bare == set()


def test_every_property_has_a_shape() -> None:
    kinds = (OWL.ObjectProperty, OWL.DatatypeProperty)
    properties = {p for kind in kinds for p in ontology().subjects(RDF.type, kind) if p.startswith(WS)}
    written = {p for p in properties if (p, WS.derived, None) not in ontology()}
    assert written - set(shapes().objects(None, SH.path)) == set()


def test_values_come_from_the_scheme_of_the_property() -> None:
    for path, scheme in ontology().subject_objects(WS.valuesFrom):
        if (path, WS.derived, None) in ontology():
            continue
        concepts = {
            shape: shapes().value(shape, SH.node)
            for shape in named_shapes() & set(shapes().subjects(SH.path, path))
            if not ({SH.disjoint, SH.sparql} & set(shapes().predicates(shape)))
        }
        assert concepts, path
        for shape, concept in concepts.items():
            assert shapes().value(shapes().value(concept, SH.property), SH.hasValue) == scheme, shape


def refused(*names: str) -> set[URIRef]:
    """The properties that a shape allows none of."""
    found = {p for name in names for p, _ in paths(WS[name])}
    assert all(shapes().value(WS[name], SH.maxCount) == Literal(0) for name in names)
    return found


def properties_of(module: str) -> set[Node]:
    graph = read(*(file for file in module_files("ontology") if file.stem == module))
    kinds = (OWL.ObjectProperty, OWL.DatatypeProperty)
    return {p for kind in kinds for p in graph.subjects(RDF.type, kind) if (p, WS.derived, None) not in graph}


def test_every_derived_property_is_refused() -> None:
    classes = ("RegisterEntry", "Assertion", "Proposition", "Factor", "Passage")
    provenance = {p for p in ontology().subjects(WS.derived) if "Digest" in p or p == WS.madeFrom}
    assert refused(*(f"{c}-notDerived" for c in classes)) == set(ontology().subjects(WS.derived)) - provenance


def test_register_takes_nothing_of_contents_and_discourse() -> None:
    assert refused("RegisterEntry-noContent") == properties_of("contents")
    assert refused("RegisterEntry-noStance") == properties_of("discourse") - {WS.note}


def test_every_message_says_how_to_mend() -> None:
    known = RECORD_KEYS | {p.removeprefix(WS) for p in ontology().subjects() if p.startswith(WS)}
    for shape in named_shapes():
        (message,) = shapes().objects(shape, SH.message)
        assert message.language == "en", shape
        assert re.search(r"[:,;] .*\.$", message), f"{shape}: no mend, or no full stop: {message}"
        assert set(re.findall(r"`(\w+):", message)) <= known, f"{shape} names an unknown key: {message}"
        for scheme in re.findall(r"ws:(\w+Scheme)", message):
            assert (WS[scheme], RDF.type, SKOS.ConceptScheme) in ontology(), f"{shape} names no scheme: {scheme}"


def test_every_property_shape_has_a_name() -> None:
    property_shapes = {s for s in named_shapes() if (s, SH.path, None) in shapes()}
    assert {s for s in property_shapes if (s, SH.name, None) not in shapes()} == set()


def test_warnings_are_few_and_known() -> None:
    assert set(shapes().subjects(SH.severity, SH.Warning)) == WARNINGS
