"""The pictures over HTTP: as page, table, CSV, JSON and GraphML, on the sample and on the curated graph."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pyoxigraph as ox
import pytest
from flask.testing import FlaskClient

from kg.names import ID, REGISTER_GRAPH, SKOS, WS
from kg.settings import Settings
from kg.store import StoreFolder
from server.app import create_app
from server.picturing.kinds import KINDS
from tests.conftest import SAMPLE
from tests.server.calling import copy_store


@pytest.fixture(scope="module")
def client(sample_settings: Settings) -> Iterator[FlaskClient]:
    with create_app(sample_settings).test_client() as client:
        yield client


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_picture_is_a_table_without_script_and_every_row_opens_its_passages(client: FlaskClient, kind: str) -> None:
    text = client.get(f"/pictures/{kind}").text
    assert "The same as a table" in text
    key = text.split('data-key="')[1].split('"')[0]
    told = client.get(f"/pictures/{kind}", query_string={"open": key}).text
    assert 'class="opened"' in told
    assert "/documents/" in told.split('id="evidence"')[1]
    piece = client.get(f"/pictures/{kind}", query_string={"open": key, "part": "evidence"}).text
    assert 'id="evidence-title"' in piece
    assert "<html" not in piece


@pytest.mark.parametrize("kind", list(KINDS))
def test_its_data_can_be_taken_away(client: FlaskClient, kind: str) -> None:
    told = client.get(f"/pictures/{kind}?format=json").get_json()
    rows = list(csv.DictReader(io.StringIO(client.get(f"/pictures/{kind}?format=csv").text)))
    assert told["nodes"]
    assert rows
    graph = ET.fromstring(client.get(f"/pictures/{kind}?format=graphml").text.encode())
    space = "{http://graphml.graphdrawing.org/xmlns}"
    ids = [node.attrib["id"] for node in graph.iter(f"{space}node")]
    keys = [data.text for data in graph.iter(f"{space}data") if data.attrib["key"] == "node-key"]
    assert (len(ids), keys) == (len(set(ids)), [node["key"] for node in told["nodes"]])
    assert len(list(graph.iter(f"{space}edge"))) == len(told["ties"])
    assert all(edge.attrib[end] in ids for edge in graph.iter(f"{space}edge") for end in ("source", "target"))


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_node_and_tie_has_a_key_of_its_own_and_names_its_assertions(client: FlaskClient, kind: str) -> None:
    told = client.get(f"/pictures/{kind}?format=json").get_json()
    keys = [item["key"] for item in [*told["nodes"], *told["ties"]]]
    assert len(set(keys)) == len(keys)
    assert all(tie["assertions"] for tie in told["ties"])


def test_the_words_of_the_passage_stand_in_what_is_opened(client: FlaskClient) -> None:
    tie = client.get("/pictures/network?format=json").get_json()["ties"][0]
    text = client.get("/pictures/network", query_string={"open": tie["key"], "part": "evidence"}).text
    assert "<q><bdi>" in text


def test_without_quotes_there_are_none_and_the_place_is_told(sample_settings: Settings) -> None:
    silent = create_app(Settings(store=sample_settings.store, texts=sample_settings.texts, quotes="none")).test_client()
    tie = silent.get("/pictures/network?format=json").get_json()["ties"][0]
    text = silent.get("/pictures/network", query_string={"open": tie["key"], "part": "evidence"}).text
    assert "<q>" not in text
    assert "/documents/bridge-toll#" in text


def test_the_sample_has_the_causes_that_its_author_states(client: FlaskClient) -> None:
    told = client.get("/pictures/causes?format=json").get_json()
    by_how = {(t["source"], t["target"], t["how"]): t for t in told["ties"]}
    weather = by_how["bad-weather", "border-town-decline", "denied"]
    assert weather["holders"] == [ID + "amalia-orvosd"]
    marks = {node["key"]: node["mark"] for node in told["nodes"]}
    assert marks["borduria-ruritania-friction"] == "negative"
    assert any(tie["pathways"] for tie in told["ties"])


def test_the_address_holds_the_state(client: FlaskClient) -> None:
    text = client.get("/pictures/network?holder=amalia-orvosd&ties=contents&isolates=1&since=1998").text
    assert '<option value="contents" selected>' in text
    assert 'name="holder" value="amalia-orvosd"' in text
    assert "holder=amalia-orvosd&amp;since=1998-01-01&amp;ties=contents&amp;isolates=1&amp;format=csv" in text
    assert "/pictures/causes?holder=amalia-orvosd&amp;since=1998-01-01" in text
    told = client.get("/pictures/causes?holder=kazimir-vlastok&format=json").get_json()
    assert {holder for tie in told["ties"] for holder in tie["holders"]} == {ID + "kazimir-vlastok"}


def test_an_empty_picture_says_what_to_change(client: FlaskClient) -> None:
    text = client.get("/pictures/arguments?holder=syldavia").text
    assert "There is nothing to draw" in text
    assert "Choose fewer filters" in text
    assert client.get("/pictures/arguments?holder=syldavia&format=json").get_json()["nodes"] == []


def test_wrong_requests_are_told(client: FlaskClient) -> None:
    page = client.get("/pictures/network?top=none")
    assert (page.status_code, "give a whole number from 2 to 300" in page.text) == (400, True)
    assert client.get("/pictures/network?top=none&format=json").status_code == 400
    assert client.get("/pictures/network?act=nonsense&format=csv").status_code == 400
    assert client.get("/pictures/network?format=png").status_code == 400
    assert client.get("/pictures/landscape").status_code == 404
    assert "is not in this picture" in client.get("/pictures/network?open=nothing").text


def test_what_is_left_out_is_told(client: FlaskClient) -> None:
    told = client.get("/pictures/causes?top=4&format=json").get_json()
    assert len(told["nodes"]) == 4
    assert "11 factors and" in told["leftOut"]


def test_the_overview_leads_to_every_picture(client: FlaskClient) -> None:
    text = client.get("/pictures").text
    assert all(f'href="/pictures/{kind}"' in text for kind in KINDS)


# What the graph says.


def test_the_network_is_what_sparql_counts(client: FlaskClient, sample_settings: Settings) -> None:
    query = """SELECT ?one ?other (COUNT(DISTINCT ?matter) AS ?n) WHERE {
      ?a ws:holder ?one ; ws:proposition ?p ; ws:polarity ?side ; ws:standing ws:standing-onRecord ; ws:act ?actA .
      ?b ws:holder ?other ; ws:proposition ?p ; ws:polarity ?side ; ws:standing ws:standing-onRecord ; ws:act ?actB .
      ?actA ws:family ?family . ?actB ws:family ?family .
      FILTER(?side IN (ws:polarity-affirms, ws:polarity-denies) && STR(?one) < STR(?other))
      FILTER(?family IN (ws:family-truth, ws:family-will) || (?family = ws:family-feeling && ?actA = ?actB))
      BIND(CONCAT(STR(?p), STR(?family), IF(?family = ws:family-feeling, STR(?actA), "")) AS ?matter)
    } GROUP BY ?one ?other"""
    with StoreFolder(sample_settings.store).snapshot() as snapshot:
        solutions = snapshot.query(query)
        assert isinstance(solutions, ox.QuerySolutions)
        counted = {(s["one"].value, s["other"].value): int(s["n"].value) for s in solutions}  # type: ignore[union-attr]
    drawn = client.get("/pictures/network?ties=congruence&format=json").get_json()
    assert counted
    assert {(t["holders"][0], t["holders"][1]): t["weight"] for t in drawn["ties"]} == counted


@pytest.mark.slow
def test_a_link_leads_to_the_assertions_of_both_its_ends(curated: StoreFolder) -> None:
    client = create_app(Settings(store=curated.path)).test_client()
    found = client.get("/pictures/arguments?links=all&top=300&format=json").json
    links = [tie for tie in found["ties"] if tie["kind"] == "link"]
    assert links
    assert all(tie["assertions"] and tie["labelName"] for tie in links)
    assert {tie["labelName"] for tie in links} <= {
        "contradicts", "in tension with", "contrasts", "differs in degree", "same at another time", "narrows",
        "agrees with",
    }  # fmt: skip


@pytest.mark.slow
def test_what_is_taken_as_a_sign_is_seen_too_but_is_no_agent(curated: StoreFolder) -> None:
    """That Koizumi's visits to the shrine are taken to express something is a perception of the visits."""
    client = create_app(Settings(store=curated.path)).test_client()

    def seen(whom: str) -> set[str]:
        found = client.get(f"/pictures/perceptions?whom={whom}&top=300&format=json").json
        return {node["iri"] for node in found["nodes"] if node["mark"] == "perceived"}

    visits = ID + "koizumis-yasukuni-visits"
    assert visits in seen("all")
    assert visits not in seen("agents")


# What is hostile.


def test_hostile_names_are_harmless(sample_settings: Settings, tmp_path: Path) -> None:
    store = copy_store(sample_settings.store, tmp_path / "store")
    folder = StoreFolder(store)
    who, label = ox.NamedNode(ID + "kazimir-vlastok"), ox.NamedNode(SKOS + "prefLabel")
    register, named = ox.NamedNode(REGISTER_GRAPH), "=cmd()<script>alert(1)</script>\u202e" + "x" * 100_000
    with folder.snapshot() as snapshot:
        old = list(snapshot.store.quads_for_pattern(who, label, None))
        held = next(
            iter(
                snapshot.store.quads_for_pattern(None, ox.NamedNode(WS + "holder"), ox.NamedNode(ID + "milos-zvornik"))
            )
        )
    evil = ox.NamedNode("javascript:alert(1)")
    with folder.writer() as writer:
        new = [
            ox.Quad(who, label, ox.Literal(named, language="en"), register),
            ox.Quad(held.subject, held.predicate, evil, held.graph_name),
        ]
        writer.commit(added=new, removed=[*old, held])
    client = create_app(Settings(store=store, texts=SAMPLE / "texts")).test_client()
    for kind in KINDS:
        text = client.get(f"/pictures/{kind}").text
        assert "<script>alert" not in text
        assert 'href="javascript:' not in text
        assert len(text) < 200_000
        for item in client.get(f"/pictures/{kind}?format=json").get_json()["ties"]:
            piece = client.get(f"/pictures/{kind}", query_string={"part": "evidence", "open": item["key"]}).text
            assert "<script>" not in piece
            assert 'href="javascript:' not in piece
        ET.fromstring(client.get(f"/pictures/{kind}?format=graphml").data)
        assert "\n=cmd" not in client.get(f"/pictures/{kind}?format=csv").text
    told = client.get("/pictures/network?format=json&isolates=1").get_json()
    assert any(node["iri"] == "javascript:alert(1)" for node in told["nodes"])
