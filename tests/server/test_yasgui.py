"""YASGUI as a foreign client: it comes from another origin, asks our endpoint, and shows the right answers."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, Page, expect

from server.islands.build import MODULES
from tests.conftest import RunningServer
from tests.pace import wait_for, within
from tests.server.browsing import need_browser, visiting

BUILD = MODULES / "@zazuko" / "yasgui" / "build"
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>YASGUI</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="yasgui.min.css"></head>
<body><div id="yasgui"></div><script src="yasgui.min.js"></script></body></html>"""


class Handler(SimpleHTTPRequestHandler):
    """Serves the build of YASGUI, and a page that loads it."""

    def do_GET(self) -> None:
        if self.path != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(PAGE.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    """Another origin, which serves YASGUI."""
    need_browser()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(BUILD)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def plugin() -> str:
    """How YASGUI shows an answer; a test can ask for another way."""
    return "table"


@pytest.fixture
def yasgui(browser: Browser, elsewhere: str, server: RunningServer, plugin: str) -> Iterator[Page]:
    """YASGUI, open and pointed at our endpoint."""
    with visiting(browser, elsewhere) as visit:
        visit.expect("400")
        page = visit.go("/")
        page.evaluate(
            """([endpoint, plugin]) => { window.yasgui = new Yasgui(document.getElementById("yasgui"), {
            requestConfig: {endpoint}, yasr: {defaultPlugin: plugin}, copyEndpointOnNewTab: false,
            persistenceId: null}); }""",
            [f"{server.address}/sparql", plugin],
        )
        yield page


def ask(page: Page, query: str) -> None:
    """Put a query into YASGUI's editor, and press its button."""
    page.evaluate("query => { window.yasgui.getTab().setQuery(query); }", query)
    page.locator(".tabPanel.active .yasqe_queryButton").click()


def test_a_select_is_a_table(yasgui: Page) -> None:
    ask(yasgui, "SELECT DISTINCT ?holder { ?a ws:holder ?holder } ORDER BY ?holder LIMIT 3")
    expect(yasgui.locator(".yasr .dataTable tbody tr")).to_have_count(3)
    expect(yasgui.locator(".yasr .dataTable tbody")).to_contain_text("amalia-orvosd")
    expect(yasgui.locator(".yasr_response_chip")).to_contain_text("3 results")


def test_a_construct_is_shown(yasgui: Page) -> None:
    ask(yasgui, "CONSTRUCT { ?a ws:holder ?h } WHERE { ?a ws:holder ?h } LIMIT 3")
    expect(yasgui.locator(".yasr_response_chip")).to_contain_text("3 results")
    expect(yasgui.locator(".yasr_results")).to_contain_text("ontology#holder")


@pytest.mark.parametrize(("query", "truth"), [("ASK { ?a ws:holder ?b }", "True"), ("ASK { id:x ?a ?b }", "False")])
def test_an_ask_is_told(yasgui: Page, query: str, truth: str) -> None:
    ask(yasgui, query)
    expect(yasgui.locator(".yasr_results")).to_have_text(re.compile(truth, re.IGNORECASE))


def test_an_error_is_shown_in_our_words(yasgui: Page) -> None:
    ask(yasgui, "SELECT * { ?a foo:bar ?b }")
    expect(yasgui.locator(".yasr .errorResult")).to_contain_text("400")
    expect(yasgui.locator(".yasr .errorResult")).to_contain_text("the query does not parse")


@pytest.mark.parametrize("plugin", ["response"])  # its table takes 10 ms for a row, wherever they come from
def test_a_large_answer_comes_whole(yasgui: Page) -> None:
    ask(yasgui, "SELECT ?a ?n { { SELECT ?a { ?a ?b ?c } LIMIT 5000 } VALUES ?n { 1 2 3 4 5 } }")
    expect(yasgui.locator(".yasr_response_chip")).to_contain_text("25000 results")


def test_a_query_that_is_aborted_stops(yasgui: Page, server: RunningServer) -> None:
    ask(yasgui, "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }")
    yasgui.wait_for_timeout(300)
    yasgui.locator(".tabPanel.active .yasqe_queryButton").click()  # it is the button that stops, now
    stopped = re.compile(r"^whosays_running_queries 0", re.MULTILINE)
    assert within(wait_for(lambda: stopped.search(server.get("/metrics").text)), 5)
