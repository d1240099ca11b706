"""What a change alters in what is inferred; and the rules held to their specification, on graphs of every kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg import change as change_module
from kg.change import Change, is_asserted, make_change
from kg.errors import WhosaysError
from kg.facts import SUBCLASS, TYPE
from kg.inference import infer, infer_change, needs_rebuild
from kg.names import EDTF, GRAPH, ID, INFERRED_GRAPH, ONTOLOGY_GRAPH, PREFIXES, WS, Term
from kg.positions import Positions
from kg.rules.properties import INVERSE, SYMMETRIC
from kg.rules.standing import FAMILY
from kg.units import ontology_unit
from loaders.corpus import make_units, read_folder
from tests.conftest import SAMPLE
from tests.kg.oracle import specify

INFERRED = ox.NamedNode(INFERRED_GRAPH)
GRAPHS = [ox.NamedNode(GRAPH + name) for name in ("d", "propositions")]
AXIOMS = [
    quad
    for quad in ontology_unit().quads
    if quad.predicate in (SUBCLASS, INVERSE, FAMILY) or (quad.predicate == TYPE and quad.object == SYMMETRIC)
]
"""All of the ontology that rules read: the rest would only make the generated graphs slow."""

WHOLE = """
id:a a ws:Assertion ; ws:holder id:x ; ws:reports id:b ; ws:statedIn id:d ; ws:certainty ws:certainty-unhedged ;
  ws:basis ws:basis-stated ; ws:polarity ws:polarity-affirms ; ws:act ws:act-states .
id:b a ws:Assertion ; ws:holder id:y ; ws:proposition id:p ; ws:statedIn id:d ; ws:certainty ws:certainty-unhedged ;
  ws:basis ws:basis-stated ; ws:polarity ws:polarity-affirms ; ws:act ws:act-states ; ws:saidAt id:e .
id:c a ws:Assertion ; ws:holder id:x ; ws:proposition id:w, id:q ; ws:statedIn id:d ;
  ws:certainty ws:certainty-unhedged ;
  ws:basis ws:basis-stated ; ws:polarity ws:polarity-affirms ; ws:act ws:act-states ; ws:saidOn '1998'^^edtf:EDTF .
id:p a ws:CausalClaim ; ws:cause id:f ; ws:effect id:g ; ws:sign ws:sign-increases .
id:q a ws:Evaluation ; ws:evaluated id:y ; ws:image ws:image-rival .
id:w a ws:CausalPathway ; ws:hasStep id:s, id:t .
id:s ws:position 1 ; ws:claim id:p . id:t ws:position 2 ; ws:claim id:r .
id:r a ws:CausalClaim ; ws:cause id:g ; ws:effect id:f ; ws:sign ws:sign-decreases .
id:v a ws:Argument . id:n a ws:Assertion ; ws:proposition id:v ; ws:holder id:x ; ws:polarity ws:polarity-affirms .
id:x a ws:Person ; ws:belongsTo id:y . id:y a ws:State ; ws:belongsTo id:z . id:f ws:opposite id:g .
id:h ws:officeHolder id:x ; ws:office id:o ; ws:startDate '1997-05'^^edtf:EDTF .
id:o ws:officeKind ws:officeKind-headOfState .
id:d a ws:Document ; ws:issued '1999-03'^^edtf:EDTF . id:e ws:date '1996-01-02/..'^^edtf:EDTF .
id:i ws:citingDocument id:d ; ws:citedDocument id:d2 .
id:m ws:inDocument id:d ; ws:start 0 ; ws:end 10 ; ws:sentenceNumber 1 .
id:l ws:inDocument id:d ; ws:start 10 ; ws:end 20 ; ws:sentenceNumber 2 .
id:k ws:inDocument id:d ; ws:start 5 ; ws:end 12 .
"""
"""A graph on which every rule has something to say, each thing of it by one letter."""


def terms(namespace: str, names: str) -> list[ox.NamedNode]:
    return [ox.NamedNode(namespace + name) for name in names.split()]


def edtf(*texts: str) -> list[ox.Literal]:
    return [ox.Literal(text, datatype=ox.NamedNode(EDTF)) for text in texts]


STANCES, AGENTS, CONTENTS = terms(ID, "a b c n"), terms(ID, "x y z"), terms(ID, "p q r v w")
STEPS, FACTORS, DOCUMENTS, PASSAGES = terms(ID, "s t"), terms(ID, "f g"), terms(ID, "d d2"), terms(ID, "k l m")
DATES = edtf("1995", "1998-02/..", "../2001", "1997~")
CLASSES = terms(WS, "Assertion Person State Evaluation Argument CausalClaim Leader Document Perception")
NUMBERS = [ox.Literal(number) for number in (1, 2, 7, 12)]
READ: dict[str, tuple[list[ox.NamedNode], list[Term]]] = {
    "holder": (STANCES, [*AGENTS]),
    "proposition": (STANCES, [*CONTENTS]),
    "reports": (STANCES, [*STANCES]),
    "polarity": (STANCES, [*terms(WS, "polarity-affirms polarity-denies polarity-lacks polarity-leavesOpen")]),
    "certainty": (STANCES, [*terms(WS, "certainty-unhedged certainty-possible")]),
    "basis": (STANCES, [*terms(WS, "basis-stated basis-hearsay basis-distanced")]),
    "act": (STANCES, [*terms(WS, "act-states act-fears act-wants act-resents act-asks")]),
    "statedIn": (STANCES, [*DOCUMENTS]),
    "saidOn": (STANCES, [*DATES]),
    "heldDuring": (STANCES, [*DATES]),
    "saidAt": (STANCES, terms(ID, "e o")),
    "date": (terms(ID, "e o"), [*DATES]),
    "time": (CONTENTS, [*DATES]),
    "issued": (DOCUMENTS, [*DATES]),
    "startDate": (terms(ID, "h"), [*DATES]),
    "endDate": (terms(ID, "h"), [*DATES]),
    "evaluated": (CONTENTS, [*AGENTS]),
    "interprets": (CONTENTS, [*STANCES]),
    "image": ([*CONTENTS, *STANCES], [*terms(WS, "image-rival image-ally")]),
    "cause": (CONTENTS, [*FACTORS]),
    "effect": (CONTENTS, [*FACTORS]),
    "sign": (CONTENTS, [*terms(WS, "sign-increases sign-decreases")]),
    "hasStep": (CONTENTS, [*STEPS]),
    "position": (STEPS, [*NUMBERS]),
    "claim": (STEPS, [*CONTENTS]),
    "belongsTo": (AGENTS, [*AGENTS]),
    "partOf": (AGENTS, [*AGENTS]),
    "opposite": (FACTORS, [*FACTORS]),
    "officeHolder": (terms(ID, "h"), [*AGENTS]),
    "office": (terms(ID, "h"), [*terms(ID, "o o2")]),
    "officeKind": (terms(ID, "o o2"), [*terms(WS, "officeKind-headOfGovernment officeKind-minister")]),
    "citingDocument": (terms(ID, "i i2"), [*DOCUMENTS]),
    "citedDocument": (terms(ID, "i i2"), [*DOCUMENTS]),
    "inDocument": (PASSAGES, [*DOCUMENTS]),
    "sentenceNumber": (PASSAGES, [*NUMBERS]),
    # what is inferred may also be asserted
    "within": (STANCES, [*STANCES]),
    "holds": (AGENTS, [*STANCES]),
    "takesStanceTo": (AGENTS, [*CONTENTS]),
    "reportedBy": (STANCES, [*AGENTS]),
    "standing": (STANCES, [*terms(WS, "standing-onRecord standing-open")]),
    "effectiveDate": (STANCES, [*DATES]),
    "earliest": (STANCES, [ox.Literal("1995-01-01", datatype=ox.NamedNode("http://www.w3.org/2001/XMLSchema#date"))]),
    "perceives": (STANCES, [*AGENTS]),
    "advancedBy": (CONTENTS, [*AGENTS]),
    "endsIn": (CONTENTS, [*FACTORS]),
    "raises": (FACTORS, [*FACTORS]),
    "overlaps": (PASSAGES, [*PASSAGES]),
}
"""Every property that a rule reads or infers, with things and values that WHOLE has too. Types and spans come after."""


def parsed(turtle: str) -> list[ox.Triple]:
    prefixes = "".join(f"@prefix {p}: <{iri}> .\n" for p, iri in PREFIXES.items())
    text = f"{prefixes}@prefix edtf: <http://id.loc.gov/datatypes/edtf/> .\n{turtle}"
    return [quad.triple for quad in ox.parse(text.encode(), format=ox.RdfFormat.TURTLE)]


@st.composite
def triples(draw: st.DrawFn) -> ox.Triple:
    name = draw(st.sampled_from(sorted(READ)))
    subjects, values = READ[name]
    return ox.Triple(draw(st.sampled_from(subjects)), ox.NamedNode(WS + name), draw(st.sampled_from(values)))


def typed() -> st.SearchStrategy[ox.Triple]:
    nodes = [*STANCES, *AGENTS, *CONTENTS]
    return st.builds(ox.Triple, st.sampled_from(nodes), st.just(TYPE), st.sampled_from(CLASSES))


def placed() -> st.SearchStrategy[ox.Triple]:
    sides = st.sampled_from(terms(WS, "start end"))
    return st.builds(ox.Triple, st.sampled_from(PASSAGES), sides, st.sampled_from(NUMBERS))


def quads(of: st.SearchStrategy[ox.Triple], size: int) -> st.SearchStrategy[set[ox.Quad]]:
    quad = st.builds(lambda t, graph: ox.Quad(t.subject, t.predicate, t.object, graph), of, st.sampled_from(GRAPHS))
    return st.sets(quad, max_size=size)


WHOLE_QUADS = [ox.Quad(t.subject, t.predicate, t.object, GRAPHS[0]) for t in parsed(WHOLE)]
PARTS = st.sets(st.sampled_from(WHOLE_QUADS), max_size=6)


def store_of(content: Iterable[ox.Quad]) -> ox.Store:
    store = ox.Store()
    store.extend([*AXIOMS, *content])
    infer(store)
    return store


def inferred(store: ox.Store) -> set[ox.Quad]:
    return {quad for quad in store if not is_asserted(quad.graph_name)}


def sample_store() -> ox.Store:
    units = [ontology_unit(), *make_units(read_folder(SAMPLE / "records"))]
    return store_of(quad for unit in units for quad in unit.quads)


def apply(store: ox.Store, change: Change) -> None:
    for quad in change.removed:
        store.remove(quad)
    store.extend(change.added)


@given(missing=PARTS, more=quads(triples() | typed(), 12))
def test_the_rules_give_what_their_specification_gives(missing: set[ox.Quad], more: set[ox.Quad]) -> None:
    store = store_of({*WHOLE_QUADS, *more} - missing)
    found = inferred(store)
    specify(store)
    assert found == inferred(store)


@given(
    missing=PARTS,
    more=quads(triples() | typed() | placed(), 12),
    out=PARTS,
    into=quads(triples() | typed() | placed(), 6),
    back=PARTS,
    moved=st.booleans(),
    kept=st.booleans(),
)
def test_a_change_followed_leads_to_what_the_whole_gives_and_back_again(
    missing: set[ox.Quad],
    more: set[ox.Quad],
    out: set[ox.Quad],
    into: set[ox.Quad],
    back: set[ox.Quad],
    moved: bool,
    kept: bool,
) -> None:
    before = {*WHOLE_QUADS, *more} - missing
    store = store_of(before)
    at_first = set(store)
    elsewhere = {ox.Quad(q.subject, q.predicate, q.object, GRAPHS[1]) for q in out} if moved else set()
    change = make_change(store, into | back | elsewhere, out | set(list(more)[:3]))
    after = (before | change.added) - change.removed
    positions = Positions(store, documents=1) if kept else None
    consequence = infer_change(store, change, positions=positions)
    assert not {q for q in consequence if is_asserted(q.graph_name)}
    assert consequence.added.isdisjoint(store)
    assert all(quad in store for quad in consequence.removed)
    apply(store, change)
    apply(store, consequence)
    assert inferred(store) == inferred(store_of(after))
    undone = infer_change(store, change.inverse(), positions=positions)
    assert undone == consequence.inverse()
    apply(store, change.inverse())
    apply(store, undone)
    assert set(store) == at_first


def test_on_the_whole_graph_every_rule_has_something_to_say() -> None:
    found = {quad.predicate.value.removeprefix(WS) for quad in inferred(store_of(WHOLE_QUADS))}
    assert found >= {
        *("holds", "within", "hasOfficeHolding", "opposite", "belongsTo"),
        *("takesStanceTo", "reportedBy", "holdsOffice", "cites"),
        *("perceives", "image", "effectiveDate", "earliest", "latest", "standing", "advancedBy"),
        *("startsFrom", "endsIn", "raises", "lowers", "overlaps"),
    }


def test_the_sample_is_inferred_as_specified() -> None:
    store = sample_store()
    found = inferred(store)
    specify(store)
    assert found == inferred(store)
    assert len(found) > 100


def check_taking_out_and_putting_back(store: ox.Store, quad: ox.Quad) -> None:
    change = Change(removed=frozenset([quad]))
    consequence = infer_change(store, change)
    apply(store, change)
    apply(store, consequence)
    step_by_step = inferred(store)
    infer(store)
    assert inferred(store) == step_by_step, quad
    back = infer_change(store, change.inverse())
    assert back == consequence.inverse(), quad
    apply(store, change.inverse())
    apply(store, back)


def test_taking_out_any_one_triple_of_the_whole_and_putting_it_back() -> None:
    store = store_of(WHOLE_QUADS)
    for quad in WHOLE_QUADS:
        check_taking_out_and_putting_back(store, quad)


def test_taking_out_triples_of_the_sample_and_putting_them_back() -> None:
    store = sample_store()
    read = {*(WS + name for name in READ), TYPE.value, WS + "start"}
    change = Change(frozenset(q for q in store if q.predicate.value in read and is_asserted(q.graph_name)))
    candidates = sorted((q for q in change if not needs_rebuild(Change(frozenset([q])))), key=str)
    for quad in candidates[::50]:
        check_taking_out_and_putting_back(store, quad)


def hub(size: int) -> Iterator[ox.Quad]:
    """An agent with many stances, a content of many stances, a state of many members, a document of many citations."""
    for number in range(size):
        text = f"id:a{number} a ws:Assertion ; ws:holder id:x ; ws:proposition id:p ; ws:statedIn id:d ."
        yield from (ox.Quad(t.subject, t.predicate, t.object, GRAPHS[0]) for t in parsed(text))
        text = f"id:m{number} ws:belongsTo id:y . id:n{number} ws:citingDocument id:d ; ws:citedDocument id:d2 ."
        yield from (ox.Quad(t.subject, t.predicate, t.object, GRAPHS[0]) for t in parsed(text))


NEW = """
id:new a ws:Assertion ; ws:holder id:x ; ws:proposition id:p ; ws:statedIn id:d ; ws:certainty ws:certainty-unhedged ;
  ws:basis ws:basis-stated ; ws:polarity ws:polarity-affirms ; ws:act ws:act-states ; ws:passage id:k .
id:told a ws:Assertion ; ws:holder id:y ; ws:reports id:new ; ws:statedIn id:d ; ws:certainty ws:certainty-unhedged ;
  ws:basis ws:basis-stated ; ws:polarity ws:polarity-affirms ; ws:act ws:act-states .
id:k ws:inDocument id:d ; ws:start 5 ; ws:end 12 . id:m ws:belongsTo id:y .
id:n ws:citingDocument id:d ; ws:citedDocument id:d2 .
"""


def test_what_is_read_for_a_new_assertion_does_not_grow_with_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 0

    def counting(graph: object) -> bool:
        nonlocal count
        count += 1
        return is_asserted(graph)

    monkeypatch.setattr(change_module, "is_asserted", counting)  # it is asked about every quad that is read
    counts = []
    for size in (3, 300):
        store = store_of(hub(size))
        count = 0
        change = make_change(store, [ox.Quad(t.subject, t.predicate, t.object, GRAPHS[0]) for t in parsed(NEW)], ())
        assert infer_change(store, change)
        counts.append(count)
    assert counts[0] == counts[1]


def test_a_date_that_is_none_is_passed_over() -> None:
    turtle = "id:e ws:date 'one day'^^edtf:EDTF, '1998-03'^^edtf:EDTF . id:f ws:date 'summer'^^edtf:EDTF ."
    store = store_of(ox.Quad(t.subject, t.predicate, t.object, GRAPHS[0]) for t in parsed(turtle))
    assert {(q.subject, q.object.value) for q in inferred(store) if isinstance(q.object, ox.Literal)} == {
        (ox.NamedNode(ID + "e"), "1998-03-01"),
        (ox.NamedNode(ID + "e"), "1998-03-31"),
    }


@pytest.mark.parametrize(
    ("statement", "graph"),
    [
        ("ws:Person rdfs:subClassOf ws:Agent", GRAPHS[0].value),
        ("ws:holds owl:inverseOf ws:holder", GRAPHS[0].value),
        ("ws:act-sings ws:family ws:family-truth", GRAPHS[0].value),
        ("ws:likes a owl:SymmetricProperty", GRAPHS[0].value),
        ("ws:act-states skos:prefLabel 'states'@en", ONTOLOGY_GRAPH),
    ],
)
def test_what_the_rules_rest_on_calls_for_a_rebuild(statement: str, graph: str) -> None:
    (triple,) = parsed(f"{statement} .")
    change = Change(frozenset([ox.Quad(triple.subject, triple.predicate, triple.object, ox.NamedNode(graph))]))
    assert needs_rebuild(change)
    with pytest.raises(WhosaysError, match="infer the whole store anew"):
        infer_change(ox.Store(), change)


def test_a_property_that_two_rules_would_infer_is_refused() -> None:
    store = ox.Store()
    store.extend(
        ox.Quad(t.subject, t.predicate, t.object, GRAPHS[0]) for t in parsed("ws:belongsTo a owl:SymmetricProperty .")
    )
    with pytest.raises(WhosaysError, match="`ws:belongsTo` would be inferred by two rules"):
        infer(store)
