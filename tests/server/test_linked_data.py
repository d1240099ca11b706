"""Linked data: every name resolves, in every format, with the same statements; what is hostile does no harm."""

import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import httpx
import pyoxigraph as ox
import pytest
import rdflib

from kg.describing import describe
from kg.errors import BusyError, OverrunError
from kg.names import BASE, GRAPH, ID, OWL, RDFS, REGISTER_GRAPH, SKOS, WS
from kg.settings import Settings
from kg.store import Results, Snapshot, StoreFolder
from server.linked_data import DATA_FORMATS
from server.service_description import VOID
from server.void import DATASET, QUERIES, Figures, count_figures, describe_dataset
from tests.additions import addition
from tests.conftest import RunningServer, start_server
from tests.door import ServedDoor, serve_door

HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
SHORT = {
    "ttl": "text/turtle",
    "nt": "application/n-triples",
    "rdf": "application/rdf+xml",
    "jsonld": "application/ld+json",
    "trig": "application/trig",
    "nq": "application/n-quads",
}
ASSERTION = "/id/bridge-toll/s22c"
KINDS = (
    "/id/ruritania",
    "/id/bridge-toll",
    ASSERTION,
    "/id/bridge-toll/1265-1355",
    "/id/tolls-divide-neighbours-more-than-rivers",
    "/graph/bridge-toll",
    "/graph/causal/amalia-orvosd",
    "/graph/provenance",
    "/change/1",
    "/.well-known/void",
)


class Page(HTMLParser):
    """Collects what the tests ask of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        if tag == "script" and not (given.get("src") or "").startswith("/static/"):
            self.inline.append(tag)
        self.attributes |= set(given)
        self.addresses += [given["href"] or ""] if "href" in given else []
        self.ids += [given["id"] or ""] if "id" in given else []


def path_of(iri: str) -> str:
    return "/" + iri.removeprefix(BASE).partition("#")[0]


def statements(answer: httpx.Response) -> set[ox.Quad]:
    media_type = answer.headers["Content-Type"].split(";")[0]
    return set(ox.parse(answer.content, format=DATA_FORMATS[media_type]))


def links(answer: httpx.Response, relation: str) -> list[str]:
    return re.findall(rf'<([^>]*)>; rel="{relation}"', answer.headers["Link"])


# --- every name


@pytest.mark.slow
def test_every_name_of_ours_in_the_store_resolves(server: RunningServer, sample: Snapshot) -> None:
    names = {
        part.value
        for q in sample.store
        for part in (q.subject, q.predicate, q.object, q.graph_name)
        if isinstance(part, ox.NamedNode) and part.value.startswith(BASE)
    }
    paths = sorted({path_of(name) for name in names} | {"/dataset"})
    assert {path.split("/")[1] for path in paths} == {"id", "graph", "change", "ontology", "dataset"}
    with httpx.Client(base_url=server.address, timeout=60, follow_redirects=True) as client:
        for path in paths:
            for media_type in ("text/html", "text/turtle"):
                answer = client.get(path, headers={"Accept": media_type})
                assert answer.status_code == 200, path
                assert answer.headers["Content-Type"] == f"{media_type}; charset=utf-8"
    anchors = set(Page(server.get("/ontology", headers=HTML).text).ids)
    assert {name.removeprefix(WS) for name in names if name.startswith(WS)} <= anchors


@pytest.mark.parametrize("path", KINDS)
@pytest.mark.parametrize(("short", "media_type"), SHORT.items())
def test_the_header_and_the_parameter_choose_alike(
    server: RunningServer, path: str, short: str, media_type: str
) -> None:
    by_header = server.get(path, headers={"Accept": media_type})
    by_parameter = server.get(path, params={"format": short}, headers=HTML)
    assert by_header.status_code == by_parameter.status_code == 200
    assert by_header.headers["Content-Type"].split(";")[0] == media_type
    assert by_header.headers["Content-Location"] == f"{path}?format={short}"
    assert "Accept" in by_header.headers["Vary"]
    assert len(statements(by_header)) > 0
    if path != "/.well-known/void":  # its blank nodes are other ones each time they are read
        assert statements(by_header) == statements(by_parameter)


@pytest.mark.parametrize("path", [p for p in KINDS if p != "/.well-known/void"])
def test_every_format_says_the_same_and_quads_keep_the_graph(
    server: RunningServer, sample: Snapshot, path: str
) -> None:
    told = {short: statements(server.get(path, params={"format": short})) for short in SHORT}
    assert told["trig"] == told["nq"]
    assert {q for q in told["nq"] if q in sample.store} == told["nq"]
    triples = {ox.Quad(*q.triple) for q in told["nq"]}
    assert told["ttl"] == told["nt"] == told["rdf"] == told["jsonld"] == triples


def test_what_is_told_is_the_description(server: RunningServer, sample: Snapshot) -> None:
    described = describe(sample.query, ID + "bridge-toll/s22c").quads()
    assert statements(server.get(ASSERTION, params={"format": "nq"})) == set(described)


def test_a_graph_is_told_whole_with_its_provenance(server: RunningServer, sample: Snapshot) -> None:
    name = ox.NamedNode(GRAPH + "bridge-toll")
    told = statements(server.get("/graph/bridge-toll?format=nq"))
    assert set(sample.store.quads_for_pattern(None, None, None, name)) <= told
    assert set(sample.store.quads_for_pattern(name, None, None)) <= told


def test_other_tools_follow_a_name(server: RunningServer) -> None:
    graph = rdflib.Graph().parse(server.address + ASSERTION)
    assert (rdflib.URIRef(ID + "bridge-toll/s22c"), rdflib.URIRef(WS + "holder"), None) in graph


# --- the protocol


@pytest.mark.parametrize("path", KINDS)
def test_head_tells_what_get_does(server: RunningServer, path: str) -> None:
    got = server.get(path, headers={"Accept": "text/turtle"})
    head = server.ask("HEAD", path, headers={"Accept": "text/turtle"})
    assert (head.status_code, head.content) == (200, b"")
    for name in ("Content-Type", "Content-Location", "Link"):
        assert head.headers[name] == got.headers[name]


@pytest.mark.parametrize("path", KINDS)
@pytest.mark.parametrize("media_type", ["text/html", "text/turtle", "application/n-quads"])
def test_what_has_not_changed_is_not_sent_again(server: RunningServer, path: str, media_type: str) -> None:
    first = server.get(path, headers={"Accept": media_type})
    again = server.get(path, headers={"Accept": media_type, "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = server.get(path, headers={"Accept": "application/trig", "If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200


def test_links_lead_to_the_name_and_the_other_formats(server: RunningServer) -> None:
    answer = server.get(ASSERTION, headers=HTML)
    assert links(answer, "canonical") == [ID + "bridge-toll/s22c"]
    alternates = links(answer, "alternate")
    assert set(alternates) == {f"{ASSERTION}?format={short}" for short in (*SHORT, "html")}
    assert all(server.get(address).status_code == 200 for address in alternates)
    assert answer.headers["Content-Location"] == f"{ASSERTION}?format=html"
    assert answer.headers["Whosays-Snapshot"] == "000001"


def test_who_takes_anything_gets_turtle(server: RunningServer) -> None:
    for accept in ("*/*", ""):
        assert server.get(ASSERTION, headers={"Accept": accept}).headers["Content-Type"].startswith("text/turtle")


@pytest.mark.parametrize("options", [{"headers": {"Accept": "image/png"}}, {"params": {"format": "csv"}}])
@pytest.mark.parametrize("path", KINDS)
def test_a_format_that_is_not_to_be_had(server: RunningServer, path: str, options: dict[str, dict[str, str]]) -> None:
    answer = server.get(path, **options)
    assert answer.status_code == 406
    assert "application/trig" in answer.text


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/id/atlantis", 404, "atlantis"),
        ("/id/bridge-toll/s22c.ttl", 404, "s22c.ttl"),
        ("/id/a%20b", 404, "not a name"),
        ("/id/%3Cscript%3E", 404, "not a name"),
        ("/graph/atlantis", 404, "atlantis"),
        ("/change/77", 404, "77"),
        ("/id/ruritania?page=2", 404, "no page 2"),
        ("/id/ruritania?page=0", 400, "page"),
        ("/id/ruritania?page=²", 400, "page"),
        ("/graph/bridge-toll?page=9999&format=html", 404, "no page"),
    ],
)
def test_what_there_is_not_is_told_to_programs_and_people(
    server: RunningServer, path: str, status: int, words: str
) -> None:
    for headers in ({"Accept": "text/turtle"}, HTML, {"Accept": "text/turtle, application/problem+json"}):
        answer = server.get(path, headers=headers)
        assert answer.status_code == status
        assert words in answer.text
        assert not (answer.headers["Content-Type"].startswith("text/html") and "<script>" in answer.text)


def test_the_dataset_leads_on_to_its_description(server: RunningServer) -> None:
    answer = server.get("/dataset", params={"format": "ttl"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/.well-known/void?format=ttl")


# --- the pages


@pytest.mark.parametrize("path", KINDS)
def test_a_page_is_sound(server: RunningServer, path: str) -> None:
    text = server.get(path, headers=HTML).text
    found = Page(text)
    levels = [int(tag[1]) for tag in found.tags if re.fullmatch("h[1-6]", tag)]
    assert found.tags.count("h1") == 1
    assert levels[0] == 1
    assert not [(a, b) for a, b in pairwise(levels) if b > a + 1]
    assert len(found.ids) == len(set(found.ids))
    assert not {a for a in found.attributes if a == "style" or a.startswith("on")}
    assert not found.inline
    inner = [a for a in found.addresses if a.startswith(BASE)]
    assert set(inner) <= {BASE + path.removeprefix("/"), DATASET, WS, BASE + "dataset"}


@pytest.mark.parametrize("path", [ASSERTION, "/graph/causal/amalia-orvosd", "/change/1"])
def test_every_link_of_a_page_leads_somewhere(server: RunningServer, path: str) -> None:
    with httpx.Client(base_url=server.address, timeout=60, follow_redirects=True) as client:
        for address in {a.partition("#")[0] for a in Page(server.get(path, headers=HTML).text).addresses}:
            if address.startswith("/"):
                assert client.get(address, headers=HTML).status_code == 200, address


def test_the_page_of_a_thing_tells_who_says_what_of_it(server: RunningServer) -> None:
    text = server.get("/id/ruritania", headers=HTML).text
    assert "<h1><bdi>Ruritania</bdi></h1>" in text
    assert "What is said of it, and by whom" in text
    assert "What it asserts" in text
    assert "Amália Örvösd" in text
    assert "Where it comes from" in text
    assert '<bdi lang="de">Ruritanien</bdi>' in text


def test_the_page_of_an_assertion_has_the_chain_and_the_words(server: RunningServer) -> None:
    text = server.get(ASSERTION, headers=HTML).text
    chain = text[text.index("The chain of voices") :]
    assert chain.index("/id/amalia-orvosd") < chain.index("/id/milos-zvornik")
    assert "<blockquote>" in text


def test_quotes_are_on_pages_only(server: RunningServer) -> None:
    path = "/id/bridge-toll/2740-2858"
    shown = re.search(r"<blockquote><p><bdi>([^<]+)</bdi>", server.get(path, headers=HTML).text)
    assert shown is not None
    words = unescape(shown[1])
    assert len(words) == 2858 - 2740
    for short, media_type in SHORT.items():
        told = ox.parse(server.get(path, params={"format": short}).content, format=DATA_FORMATS[media_type])
        assert not [q for q in told if isinstance(q.object, ox.Literal) and words in q.object.value]


# --- what changes


@pytest.fixture(scope="module")
def door(sample_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDoor]:
    with serve_door(sample_settings.store, tmp_path_factory.mktemp("door")) as served:
        yield served


def test_what_was_taken_out_is_gone_and_says_when(door: ServedDoor) -> None:
    def look(path: str) -> httpx.Response:
        return httpx.get(door.address + path, headers={"Accept": "text/turtle"}, timeout=60)

    change = door.ask("POST", "/assertions", addition("passing"), by="cleo").json()["change"]
    assert look("/id/reply-from-borduria/passing").status_code == 200
    undone = door.ask("POST", f"/changes/{change}/undo", by="cleo").json()["change"]
    gone = look("/id/reply-from-borduria/passing")
    assert gone.status_code == 410
    assert f"change {undone}" in gone.text
    assert look(f"/change/{undone}").status_code == 200


def test_what_was_superseded_says_by_what(door: ServedDoor) -> None:
    for key, more in (("older", {}), ("newer", {"supersedes": "reply-from-borduria/older"})):
        assert door.ask("POST", "/assertions", addition(key, **more), by="cleo").status_code == 201
    page = httpx.get(f"{door.address}/id/reply-from-borduria/older", headers=HTML, timeout=60)
    assert "This was superseded by" in page.text
    assert links(page, "successor-version") == [ID + "reply-from-borduria/newer"]
    newer = httpx.get(f"{door.address}/id/reply-from-borduria/newer", headers=HTML, timeout=60)
    assert "This was superseded" not in newer.text


# --- what is hostile


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server whose store holds what no shape would let in."""
    settings = Settings(
        store=tmp_path_factory.mktemp("hostile") / "store", texts=Path(str(tmp_path_factory.mktemp("texts")))
    )
    register, evil = ox.NamedNode(REGISTER_GRAPH), ox.NamedNode(ID + "evil")

    def say(predicate: str, value: ox.NamedNode | ox.Literal, subject: ox.NamedNode = evil) -> ox.Quad:
        return ox.Quad(subject, ox.NamedNode(predicate), value, register)

    quads = [
        say(SKOS + "prefLabel", ox.Literal("</title><script>alert(1)</script>\u202egnp.exe", language="en")),
        say(SKOS + "altLabel", ox.Literal('"><img src=x onerror=alert(1)>', language="en")),
        say(SKOS + "exactMatch", ox.NamedNode("javascript:alert(1)")),
        say(RDFS + "seeAlso", ox.NamedNode("data:text/html,alert(1)")),
        say(OWL + "sameAs", ox.NamedNode("vbscript:alert(1)")),
        say("javascript:alert(2)", ox.Literal("x")),
        say(SKOS + "prefLabel", ox.Literal("a thing", language="en"), ox.NamedNode(ID + "numbered")),
        say("http://example.org/7", ox.Literal("x"), ox.NamedNode(ID + "numbered")),
        say(SKOS + "note", ox.Literal("bell \x07", language="en"), ox.NamedNode(ID + "ringing")),
    ]
    with StoreFolder(settings.store).writer() as writer:
        writer.commit(added=quads, removed=[])
    running = start_server(settings)
    yield running
    running.stop()


@pytest.mark.parametrize("path", ["/id/evil", "/graph/register"])
def test_hostile_content_is_shown_and_does_nothing(hostile: RunningServer, path: str) -> None:
    answer = hostile.get(path, headers=HTML)
    found = Page(answer.text)
    assert answer.status_code == 200
    assert not found.inline
    assert "img" not in found.tags
    assert not {a for a in found.attributes if a.startswith("on")}
    assert not [a for a in found.addresses if not a.startswith(("/", "http://", "https://", "#"))]
    assert "javascript:alert(1)" in answer.text
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_text_that_turns_the_line_round_is_isolated(hostile: RunningServer) -> None:
    text = hostile.get("/id/evil", headers=HTML).text
    for found in re.finditer("\u202e", text):
        before = text[: found.start()]
        isolated = before.rfind("<bdi") > before.rfind("</bdi>")
        in_title = before.rfind("\u2068") > before.rfind("\u2069")
        assert isolated or in_title


@pytest.mark.parametrize("name", ["numbered", "ringing"])
def test_what_rdf_xml_cannot_say_is_refused_and_not_written_wrongly(hostile: RunningServer, name: str) -> None:
    refused = hostile.get(f"/id/{name}", headers={"Accept": "application/rdf+xml"})
    assert refused.status_code == 406
    assert "RDF/XML" in refused.text
    assert len(statements(hostile.get(f"/id/{name}", headers={"Accept": "text/turtle"}))) > 0


# --- VoID


def figure(triples: list[ox.Triple], name: str) -> int | None:
    found = [t.object for t in triples if t.predicate.value == VOID + name and t.subject == ox.NamedNode(DATASET)]
    return int(found[0].value) if found and isinstance(found[0], ox.Literal) else None


def test_the_figures_are_those_of_the_store(sample: Snapshot) -> None:
    figures = count_figures(sample.query, sample.name)
    told, quads = describe_dataset(figures, endpoint="http://localhost/sparql"), list(sample.store)
    types = [q for q in quads if q.predicate.value.endswith("#type")]
    assert figure(told, "triples") == len(quads)
    assert figure(told, "distinctSubjects") == len({q.subject for q in quads})
    assert figure(told, "distinctObjects") == len({q.object for q in quads})
    assert figure(told, "properties") == len({q.predicate for q in quads})
    assert figure(told, "classes") == len({q.object for q in types})
    named = {q.subject for q in types if isinstance(q.subject, ox.NamedNode) and q.subject.value.startswith(ID)}
    assert figure(told, "entities") == len(named)
    assert sum((figures.properties or {}).values()) == len(quads)
    assert all(sample.query(f"ASK {{ <{example}> ?p ?o }}") for example in figures.examples)


def test_links_to_wikidata_are_a_linkset() -> None:
    store, graph = ox.Store(), ox.NamedNode(GRAPH + "links")
    for number in range(3):
        target = ox.NamedNode(f"http://www.wikidata.org/entity/Q{number + 1}")
        store.add(ox.Quad(ox.NamedNode(f"{ID}a{number}"), ox.NamedNode(SKOS + "exactMatch"), target, graph))
    elsewhere = ox.NamedNode("http://example.org/a")
    store.add(ox.Quad(ox.NamedNode(ID + "a0"), ox.NamedNode(SKOS + "exactMatch"), elsewhere, graph))
    figures = count_figures(Snapshot(store, "000001").query, "000001")
    assert figures.links == {SKOS + "exactMatch": 3}
    told = describe_dataset(figures, endpoint="http://localhost/sparql")
    (linkset,) = [t.subject for t in told if t.predicate.value == VOID + "linkPredicate"]
    assert ox.Triple(linkset, ox.NamedNode(VOID + "triples"), ox.Literal(3)) in told


@pytest.mark.parametrize("error", [OverrunError, BusyError])
@pytest.mark.parametrize("stopped", QUERIES)
def test_a_figure_that_was_not_counted_in_time_is_left_out(
    sample: Snapshot, stopped: str, error: type[OverrunError | BusyError]
) -> None:
    def run(text: str) -> Results:
        if text == QUERIES[stopped]:
            raise error("stopped")
        return sample.query(text)

    whole, partial = count_figures(sample.query, "1"), count_figures(run, "1")
    assert getattr(partial, stopped) in (None, ())
    assert all(getattr(partial, name) == getattr(whole, name) for name in QUERIES if name != stopped)
    assert describe_dataset(partial, endpoint="http://localhost/sparql")


def test_nothing_is_asked_once_patience_is_at_an_end(sample: Snapshot) -> None:
    assert count_figures(sample.query, "1", patience=-1) == Figures("1")


def test_the_description_served_tells_endpoint_licence_and_size(server: RunningServer) -> None:
    graph = rdflib.Graph().parse(data=server.get("/.well-known/void?format=ttl").text, format="turtle")
    dataset = rdflib.URIRef(DATASET)
    assert graph.value(dataset, rdflib.URIRef(VOID + "sparqlEndpoint")) == rdflib.URIRef(f"{server.address}/sparql")
    assert "by/4.0" in str(graph.value(dataset, rdflib.DCTERMS.license))
    rows = server.get("/sparql", params={"query": "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }", "format": "csv"}).text
    assert str(graph.value(dataset, rdflib.URIRef(VOID + "triples"))) == rows.split()[1]
