"""Hostile content in a real browser: markup, dangerous addresses, text that turns the line round, endless labels.

The store is made bad on purpose, past the door, so that every page has to bear it: labels of agents, glosses, titles,
names of concepts, notes. Nothing may run, nothing may be led to, nothing may break the page.
"""

import shutil
from collections.abc import Iterator
from dataclasses import replace

import pyoxigraph as ox
import pytest
from playwright.sync_api import Browser

from kg.names import ID, LINKS_GRAPH, RDFS, REGISTER_GRAPH, SKOS, WS
from kg.settings import Settings
from kg.store import StoreFolder
from tests.conftest import RunningServer, start_server
from tests.server.browsing import LAPTOP, PHONE, visiting
from tests.server.test_browser import PAGES

MARKUP = '</title></script><script>window.bad=1</script><img src=x onerror="window.bad=1">\'"{{7*7}}'
TURNED = "\u202eevil\u2066 \u200f\u202d"
LONG = "x" * 100_000
WORDS = "endless words " * 7_000

ADDRESSES = """[...document.querySelectorAll("[href],[src],[action]")].map(
    e => e.getAttribute("href") ?? e.getAttribute("src") ?? e.getAttribute("action"))"""

SPOILED = {
    "ruritania": MARKUP, "borduria": TURNED + MARKUP, "edda-tannhof": LONG, "amalia-orvosd": WORDS,
    "bridge-toll": MARKUP + TURNED, "tellbruck-toll": LONG, "borduria-ruritania-relations": WORDS + MARKUP,
    "borduria-ruritania-friction": MARKUP, "dispute-over-tellbruck-bridge": LONG,
    "dispute-over-tellbruck-bridge-raises-borduria-ruritania-friction": MARKUP + WORDS,
}  # fmt: skip


@pytest.fixture(scope="module")
def hostile(sample_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    store = tmp_path_factory.mktemp("hostile") / "store"
    shutil.copytree(sample_settings.store, store, symlinks=True)
    removed, added = [], []
    register, links = ox.NamedNode(REGISTER_GRAPH), ox.NamedNode(LINKS_GRAPH)
    folder = StoreFolder(store)
    with folder.snapshot() as snapshot:
        for name, words in SPOILED.items():
            node = ox.NamedNode(ID + name)
            for naming in (SKOS + "prefLabel", WS + "title", WS + "gloss", RDFS + "label"):
                for quad in snapshot.store.quads_for_pattern(node, ox.NamedNode(naming), None, None):
                    removed.append(quad)
                    tag = quad.object.language if isinstance(quad.object, ox.Literal) else None
                    label = ox.Literal(words, language=tag) if tag else ox.Literal(words)
                    added.append(ox.Quad(quad.subject, quad.predicate, label, quad.graph_name))
        node = ox.NamedNode(ID + "ruritania")
        for evil in ("javascript:window.bad=1", "data:text/html,<script>alert(1)</script>", "vbscript:x"):
            added.append(
                ox.Quad(
                    node,
                    ox.NamedNode(SKOS + "exactMatch"),
                    ox.NamedNode(evil.replace("<", "%3C").replace(">", "%3E")),
                    links,
                )
            )
        added.append(
            ox.Quad(node, ox.NamedNode(SKOS + "altLabel"), ox.Literal(TURNED + MARKUP, language="ko"), register)
        )
        added.append(ox.Quad(node, ox.NamedNode("javascript:window.bad=2"), ox.Literal("x"), register))
    assert len(removed) >= len(SPOILED)
    with folder.writer() as writer:
        writer.commit(added=added, removed=removed)
    running = start_server(replace(sample_settings, store=store))
    yield running
    running.stop()


@pytest.mark.parametrize("name", [name for name in PAGES if name not in ("ontology", "patterns", "alignments")])
def test_hostile_content_is_shown_harmlessly(browser: Browser, hostile: RunningServer, name: str) -> None:
    hostile.get(PAGES[name].partition("#")[0], headers={"Accept": "text/html"})
    with visiting(browser, hostile.address, PHONE) as visit:
        page = visit.go(PAGES[name])
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.bad") is None
        addresses = page.evaluate(ADDRESSES)
        assert not [a for a in addresses if a.strip().lower().startswith(("javascript:", "data:text", "vbscript:"))]
        assert page.evaluate("document.querySelectorAll('main script, main img[onerror], main [onclick]').length") == 0
        assert len(page.content()) < 3_000_000
        assert visit.overflow() <= 0, f"{name} at {PHONE[0]} px"
        page.set_viewport_size({"width": LAPTOP[0], "height": LAPTOP[1]})
        assert visit.overflow() <= 0, f"{name} at {LAPTOP[0]} px"


def test_what_is_hostile_is_told_as_it_is(browser: Browser, hostile: RunningServer) -> None:
    with visiting(browser, hostile.address) as visit:
        page = visit.go("/id/ruritania")
        heading = page.locator("h1").inner_text()
        assert "<script>window.bad=1</script>" in heading
        assert page.locator("h1 bdi").count() >= 1


def test_hostile_names_can_be_looked_for(browser: Browser, hostile: RunningServer) -> None:
    with visiting(browser, hostile.address) as visit:
        page = visit.go("/search?q=%3Cscript%3Ewindow.bad")
        assert "<script>window.bad=1</script>" in page.locator("main").inner_text()
        assert page.evaluate("window.bad") is None
