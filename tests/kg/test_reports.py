"""Reports: what is wrong is told with the thing's name, the place, the value and the mend."""

import json

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdflib import Graph

from kg.change import View
from kg.errors import Place
from kg.names import ID, REGISTER_GRAPH, SKOS, WS
from kg.reports import Finding, as_json, as_text, explain
from kg.validation import Report, Result, Severity

GRAPH = ox.NamedNode(REGISTER_GRAPH)
LABEL = ox.NamedNode(SKOS + "prefLabel")


def result(
    focus: str = "toll", value: str | None = None, path: str | None = "holder", severity: Severity = "Violation"
) -> Result:
    return Result(
        ID + focus,
        WS + path if path else None,
        value,
        "A holder must be an agent: correct `holder:`: check the spelling.",
        severity,
        WS + "Assertion-holder",
    )


def labelled(*labels: ox.Literal, node: str = "toll") -> View:
    store = ox.Store()
    store.extend(ox.Quad(ox.NamedNode(ID + node), LABEL, label, GRAPH) for label in labels)
    return View(store)


def finding(one: Result, view: View | None = None, **told: object) -> Finding:
    (found,) = explain(Report((one,), Graph()), view or View(ox.Store()), **told)  # type: ignore[arg-type]
    return found


def test_a_message_is_told_in_its_two_halves() -> None:
    found = finding(result())
    assert found.expected == "A holder must be an agent"
    assert found.mend == "correct `holder:`: check the spelling."


def test_the_english_label_is_shown_and_else_any_and_else_the_name() -> None:
    german, english = ox.Literal("Brücke", language="de"), ox.Literal("bridge", language="en")
    assert finding(result(), labelled(german, english)).label == "bridge"
    assert finding(result(), labelled(german)).label == "Brücke"
    assert finding(result()).label == "toll"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, None),
        (f"<{ID}toll>", None),
        (f"<{ID}bridge>", "bridge “the bridge”"),
        (f"<{WS}act-states>", "ws:act-states"),
        ('"2003-13"', '"2003-13"'),
        ('"' + "x" * 500, '"' + "x" * 199 + "…"),
    ],
)
def test_the_value_found_is_put_into_words(value: str | None, found: str | None) -> None:
    view = labelled(ox.Literal("the bridge", language="en"), node="bridge")
    assert finding(result(value=value), view).found == found


def test_the_place_is_that_of_the_property() -> None:
    def where(iri: str, path: str | None) -> Place | None:
        return Place("a.yaml", 12 if path == WS + "holder" else 10) if iri == ID + "toll" else None

    assert (finding(result(), where=where).file, finding(result(), where=where).line) == ("a.yaml", 12)
    assert finding(result(path=None), where=where).line == 10
    assert finding(result("bridge"), where=where).file is None


def test_what_is_published_already_is_told_apart() -> None:
    assert finding(result(), own={ID + "bridge"}).published
    assert finding(result(), own=()).published  # nothing was sent, such as where a change is undone
    assert not finding(result(), own={ID + "toll"}).published
    assert not finding(result()).published


def test_a_finding_in_words() -> None:
    found = finding(
        result(value=f"<{ID}atlantis>"),
        labelled(ox.Literal("The toll", language="en")),
        own=(),
        where=lambda *_: Place("a.yaml", 3),
    )
    assert str(found) == (
        "a.yaml:3: violation: toll “The toll” (published already) ws:holder, found atlantis\n"
        "  A holder must be an agent: correct `holder:`: check the spelling."
    )


def test_violations_warnings_and_infos_are_counted_apart() -> None:
    severities: list[Severity] = ["Violation", "Violation", "Warning", "Info"]
    found = [finding(result(severity=s)) for s in severities]
    told = json.loads(as_json(found, complete=False))
    assert [len(told[key]) for key in ("violations", "warnings", "infos")] == [2, 1, 1]
    assert (told["conforms"], told["complete"]) == (False, False)
    assert as_text(found).endswith("\n2 violations; 2 warnings\n")
    assert as_text(found, complete=False).endswith("\n2 or more violations; 2 warnings\n")
    assert as_text(found[2:3]).endswith("\nconforms; 1 warning\n")
    assert json.loads(as_json(found[2:]))["conforms"]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_any_value_can_be_told(text: str) -> None:
    found = finding(result(value=str(ox.Literal(text))), labelled(ox.Literal(text)))
    assert json.loads(as_json([found]))["violations"][0]["label"] == found.label
    assert len(found.found or "") <= 201
    assert len(finding(result(value=f"<{text}>")).found or "") <= 201
