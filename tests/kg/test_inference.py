"""What is inferred, on graphs small enough to see whole."""

import pyoxigraph as ox
import pytest

from kg.inference import infer
from kg.names import CAUSAL, GRAPH, INFERRED_GRAPH, PREFIXES, WS
from kg.vocabulary import ontology_quads

ASSERTION = "a ws:Assertion ; ws:statedIn id:d ; ws:certainty ws:certainty-unhedged ; ws:basis ws:basis-stated"
AFFIRMS = f"{ASSERTION} ; ws:polarity ws:polarity-affirms ; ws:act ws:act-states"


def graph_of(turtle: str) -> ox.Store:
    store = ox.Store()
    ontology, data = ox.NamedNode(GRAPH + "ontology"), ox.NamedNode(GRAPH + "d")
    store.extend(ox.Quad(t.subject, t.predicate, t.object, ontology) for t in ontology_quads())
    prefixes = "".join(f"@prefix {p}: <{iri}> .\n" for p, iri in PREFIXES.items())
    store.extend(
        ox.Quad(q.subject, q.predicate, q.object, data)
        for q in ox.parse((prefixes + turtle).encode(), format=ox.RdfFormat.TURTLE)
    )
    infer(store)
    return store


def asks(store: ox.Store, pattern: str) -> bool:
    return bool(store.query(f"ASK {{ {pattern} }}", prefixes=dict(PREFIXES), use_default_graph_as_union=True))


def test_inverses_classes_and_transitive_membership() -> None:
    store = graph_of("id:aide ws:belongsTo id:ministry . id:ministry ws:belongsTo id:state . id:p a ws:CausalClaim .")
    assert asks(store, "id:aide ws:belongsTo id:state")
    assert asks(store, "id:p a ws:Proposition")


def test_a_leader_is_inferred_from_the_office() -> None:
    store = graph_of(
        "id:r a ws:Person . id:h ws:officeHolder id:r ; ws:office id:o . id:o ws:officeKind ws:officeKind-headOfState ."
        "id:s a ws:Person . id:i ws:officeHolder id:s ; ws:office id:q . id:q ws:officeKind ws:officeKind-minister ."
    )
    assert asks(store, "id:r a ws:Leader")
    assert not asks(store, "id:s a ws:Leader")


def test_a_perception_perceives_with_an_image() -> None:
    store = graph_of(
        f"id:d ws:issued '1998' . id:a {AFFIRMS} ; ws:holder id:x ; ws:proposition id:p ."
        "id:p a ws:Evaluation ; ws:evaluated id:y ; ws:image ws:image-rival ."
    )
    assert asks(store, "id:a a ws:Perception ; ws:perceives id:y ; ws:image ws:image-rival")


def test_another_reading_is_no_perception() -> None:
    store = graph_of("id:r a ws:Reading ; ws:proposition id:p . id:p a ws:Evaluation ; ws:evaluated id:y .")
    assert not asks(store, "id:r a ws:Perception")


@pytest.mark.parametrize(
    ("outer", "inner", "standing"),
    [
        ("", "", "onRecord"),
        ("", "ws:polarity ws:polarity-denies", "onRecord"),
        ("", "ws:polarity ws:polarity-lacks", "onRecord"),
        ("", "ws:polarity ws:polarity-leavesOpen", "open"),
        ("", "ws:certainty ws:certainty-possible", "hedged"),
        ("ws:certainty ws:certainty-probable", "", "hedged"),
        ("ws:basis ws:basis-hearsay", "", "hedged"),
        ("ws:polarity ws:polarity-lacks", "", "open"),
        ("ws:act ws:act-asks", "", "open"),
        ("ws:act ws:act-fears", "", "open"),
        ("ws:act ws:act-wants", "", "open"),
        ("ws:act ws:act-resents", "", "onRecord"),
        ("ws:basis ws:basis-distanced", "", "disavowed"),
        ("ws:polarity ws:polarity-denies", "ws:certainty ws:certainty-possible", "disavowed"),
    ],
)
def test_standing_is_the_weakest_link_of_the_chain(outer: str, inner: str, standing: str) -> None:
    def stance(changes: str) -> str:
        values = {
            "ws:certainty": "ws:certainty-unhedged",
            "ws:basis": "ws:basis-stated",
            "ws:polarity": "ws:polarity-affirms",
            "ws:act": "ws:act-states",
        }
        if changes:
            key, value = changes.split()
            values[key] = value
        return " ; ".join(f"{k} {v}" for k, v in values.items())

    store = graph_of(
        f"id:o a ws:Assertion ; {stance(outer)} ; ws:reports id:i ."
        f"id:i a ws:Assertion ; {stance(inner)} ; ws:proposition id:p ."
    )
    assert asks(store, f"id:i ws:standing ws:standing-{standing} ; ws:within id:o")


def test_the_effective_date_and_its_bounds() -> None:
    edtf = "^^<http://id.loc.gov/datatypes/edtf/EDTF>"
    store = graph_of(
        f"id:d a ws:Document ; ws:issued '1998-03'{edtf} ."
        f"id:a {AFFIRMS} . id:b {AFFIRMS} ; ws:saidOn '1997-12-01'{edtf} ."
    )
    assert asks(
        store,
        f"id:a ws:effectiveDate '1998-03'{edtf} ;ws:earliest '1998-03-01'^^xsd:date ; ws:latest '1998-03-31'^^xsd:date",
    )
    assert asks(store, f"id:b ws:effectiveDate '1997-12-01'{edtf} ; ws:latest '1997-12-01'^^xsd:date")


def claim(name: str, cause: str, effect: str) -> str:
    return f"id:{name} a ws:CausalClaim ; ws:cause id:{cause} ; ws:effect id:{effect} ; ws:sign ws:sign-increases ."


def test_causal_paths_never_walk_through_denied_claims_or_from_one_holder_to_another() -> None:
    denies = AFFIRMS.replace("affirms", "denies")
    store = graph_of(
        claim("p", "f", "g")
        + claim("q", "g", "h")
        + claim("r", "h", "k")
        + f"id:a {AFFIRMS} ; ws:holder id:x ; ws:proposition id:p ."
        + f"id:b {AFFIRMS} ; ws:holder id:y ; ws:proposition id:q ."
        + f"id:c {denies} ; ws:holder id:x ; ws:proposition id:q ."
        + f"id:e {AFFIRMS} ; ws:holder id:y ; ws:proposition id:r ."
    )
    assert asks(store, f"GRAPH <{CAUSAL}x> {{ id:f ws:raises id:g }}")
    assert not asks(store, f"GRAPH <{CAUSAL}x> {{ id:g ws:raises id:h }}")
    assert asks(store, f"GRAPH <{CAUSAL}y> {{ id:g ws:raises+ id:k }}")


def test_a_pathway_starts_and_ends_and_its_steps_are_on_record() -> None:
    store = graph_of(
        claim("p", "f", "g")
        + claim("q", "g", "h")
        + "id:w a ws:CausalPathway ; ws:hasStep id:s1, id:s2 ."
        + "id:s1 ws:position 1 ; ws:claim id:p . id:s2 ws:position 2 ; ws:claim id:q ."
        + f"id:a {AFFIRMS} ; ws:holder id:x ; ws:proposition id:w ."
    )
    assert asks(store, "id:w ws:startsFrom id:f ; ws:endsIn id:h")
    assert asks(store, f"GRAPH <{CAUSAL}x> {{ id:f ws:raises+ id:h }}")


def test_what_is_asserted_is_not_inferred_again_and_inferring_twice_changes_nothing() -> None:
    store = graph_of("id:f a ws:Factor ; ws:opposite id:g . id:g a ws:Factor ; ws:opposite id:f .")
    assert not list(store.quads_for_pattern(None, ox.NamedNode(WS + "opposite"), None, ox.NamedNode(INFERRED_GRAPH)))
    before = set(store)
    infer(store)
    assert set(store) == before


def test_what_was_retracted_or_superseded_has_no_standing_and_neither_has_what_stands_inside_it() -> None:
    store = graph_of(
        f"id:d ws:issued '1998' . id:a {AFFIRMS} ; ws:reports id:b ; ws:status ws:status-retracted . id:b {AFFIRMS} ."
        f"id:c {AFFIRMS} ; ws:status ws:status-superseded . id:e {AFFIRMS} ; ws:status ws:status-published ."
    )
    assert not asks(store, "VALUES ?x { id:a id:b id:c } ?x ws:standing ?standing")
    assert asks(store, "id:e ws:standing ws:standing-onRecord")
