"""The form comes from the shapes: whoever alters a shape alters the form."""

import pytest
from rdflib import Graph, URIRef
from rdflib import Literal as RdfLiteral
from rdflib.namespace import RDF, RDFS, SH

from kg.forms import Form, class_form, keys, make_form, new_things, part_field, proposition_kinds
from kg.names import WS
from kg.requirements import requirements
from kg.shapes import shapes_graph
from kg.vocabulary import vocabulary

ALL = sorted({"Assertion", *proposition_kinds(), *(name for names in new_things().values() for name in names)})


def altered(turtle: str, *taken_out: tuple[str, URIRef]) -> Graph:
    """The shapes with more in them, and without what some shapes say by some parameters."""
    graph = Graph()
    graph += shapes_graph()
    for shape, parameter in taken_out:
        graph.remove((URIRef(WS + shape), parameter, None))
    prefixes = f"@prefix ws: <{WS}> . @prefix sh: <{SH}> . @prefix rdfs: <{RDFS}> . @prefix rdf: <{RDF}> . "
    graph.parse(data=prefixes + turtle, format="turtle")
    return graph


def needed(form: Form) -> list[str]:
    return [field.key for field in form.fields if field.needed]


@pytest.mark.parametrize("class_name", ALL)
def test_every_property_that_the_shapes_speak_of_is_asked_for_with_its_count_and_message(class_name: str) -> None:
    form = class_form(class_name)
    known = vocabulary()
    for above in known.parents[class_name]:
        asked = requirements().get(WS + above)
        for requirement in asked.properties if asked else ():
            key = keys()[requirement.property]
            if key in known.properties and known.properties[key].derived:
                assert form.field(key) is None
                continue
            field = form.field(key)
            assert field is not None, key
            low, high = requirement.count[0], requirement.count[-1]
            assert field.least >= (int(low) if low.isdigit() else 0)
            assert high == "*" or field.one_per_language or field.most == int(high)
            assert field.message


def test_a_property_that_is_added_to_a_shape_is_asked_for() -> None:
    shapes = altered("ws:AssertionShape sh:property [ sh:path ws:webPage ; sh:name 'page' ; sh:maxCount 1 ] .")
    field = make_form("Assertion", shapes).field("webPage")
    assert field is not None
    assert (field.label, field.kind, field.needed, field.several) == ("page", "plain", False, False)
    assert class_form("Assertion").field("webPage") is None


def test_a_property_that_becomes_required_is_marked_as_needed() -> None:
    assert "speaker" not in needed(class_form("Assertion"))
    shapes = altered("ws:Assertion-speaker sh:minCount 1 .")
    assert "speaker" in needed(make_form("Assertion", shapes))


def test_a_second_shape_for_a_property_narrows_the_field() -> None:
    shapes = altered("ws:RelationShape sh:property [ sh:path ws:object ; sh:minCount 1 ; sh:maxCount 1 ] .")
    field = make_form("Relation", shapes).field("object")
    assert field is not None
    assert (field.least, field.most) == (1, 1)


def test_choices_follow_the_shape_be_they_a_scheme_or_a_list() -> None:
    field = class_form("Assertion").field("polarity")
    assert field is not None
    assert [choice.name for choice in field.choices] == list(vocabulary().concepts[WS + "PolarityScheme"])
    shapes = altered(
        "ws:Assertion-polarity sh:in ( ws:polarity-affirms ws:polarity-denies 'perhaps' ) .",
        ("Assertion-polarity", SH.node),
    )
    narrowed = make_form("Assertion", shapes).field("polarity")
    assert narrowed is not None
    assert [choice.name for choice in narrowed.choices] == ["affirms", "denies", "perhaps"]


def test_a_form_begins_with_what_the_shape_has_as_default() -> None:
    begins = {field.key: field.default for field in class_form("Assertion").fields if field.default}
    assert begins == {"holderBasis": "named", "polarity": "affirms", "certainty": "unhedged", "basis": "stated"}
    shapes = altered(
        "ws:Assertion-polarity sh:defaultValue ws:polarity-denies .", ("Assertion-polarity", SH.defaultValue)
    )
    field = make_form("Assertion", shapes).field("polarity")
    assert field is not None
    assert field.default == "denies"


def test_a_property_that_is_taken_out_of_a_shape_is_asked_for_no_more() -> None:
    shapes = altered("")
    shapes.remove((URIRef(WS + "AssertionShape"), SH.property, URIRef(WS + "Assertion-trend")))
    assert make_form("Assertion", shapes).field("trend") is None


def test_what_is_never_allowed_derived_or_only_advised_is_no_field_and_no_need() -> None:
    form = class_form("Assertion")
    assert form.field("standing") is None
    shapes = altered(
        "ws:AssertionShape sh:property [ sh:path ws:saidOn ; sh:minCount 1 ; sh:severity sh:Warning ] ,"
        " [ sh:path ws:addressee ; sh:maxCount 0 ] ."
    )
    advised = make_form("Assertion", shapes)
    assert "saidOn" not in needed(advised)
    assert advised.field("addressee") is None


def test_a_message_a_name_and_a_group_that_are_altered_are_shown() -> None:
    shapes = altered(
        "ws:Assertion-holder sh:message 'Say who.'@en ; sh:name 'whose'@en ; sh:group ws:G ."
        " ws:G a sh:PropertyGroup ; rdfs:label 'First of all' ; sh:order 0 .",
        ("Assertion-holder", SH.message), ("Assertion-holder", SH.name), ("Assertion-holder", SH.group),
    )  # fmt: skip
    form = make_form("Assertion", shapes)
    field = form.field("holder")
    assert field is not None
    assert (field.label, field.message) == ("whose", "Say who.")
    group, members = next((g, fields) for g, fields in form.grouped() if g is not None)
    assert (group.label, [f.key for f in members]) == ("First of all", ["holder"])


def test_either_of_two_is_marked_where_one_of_them_is_needed() -> None:
    assert [f.key for f in class_form("Evaluation").fields if f.either] == ["image", "valence"]


def test_the_fields_of_the_kind_come_with_those_of_every_proposition() -> None:
    assert needed(class_form("Quantity")) == ["gloss", "about", "measured", "value", "unit", "bound", "quantityOf"]
    gloss = class_form("Quantity").field("gloss")
    assert gloss is not None
    assert (gloss.long, gloss.longest, gloss.one_per_language) == (True, 300, True)


def test_all_kinds_are_offered_and_steps_belong_to_their_pathway() -> None:
    known = vocabulary()
    assert set(proposition_kinds()) == {name for name in known.classes if known.is_a(name, "Proposition")}
    parts = part_field("CausalPathway")
    assert parts is not None
    assert parts.classes == ("PathwayStep",)


def test_things_that_are_inferred_or_given_by_the_form_itself_are_not_made_in_it() -> None:
    offered = {name for names in new_things().values() for name in names}
    assert not offered & {
        "Leader",
        "Perception",
        "Agent",
        "Assertion",
        "Passage",
        "Sentence",
        "Document",
        "PathwayStep",
    }
    assert {"State", "Organization", "Collective", "Person", "Factor", "Issue", "Event", "Reading"} <= offered


def test_a_shape_that_is_switched_off_asks_for_nothing() -> None:
    shapes = altered("")
    shapes.add((URIRef(WS + "Relation-object"), SH.deactivated, RdfLiteral(True)))
    assert make_form("Relation", shapes).field("object") is None
