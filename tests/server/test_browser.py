"""Every page in a real browser: nothing on the console, nothing serious for axe, usable on a phone, light and quick.

The pages are listed here by what they are; a page that is not in the list fails the last test.
"""

import gzip
import re
from statistics import median

import pytest
from playwright.sync_api import Browser

from kg.settings import Settings
from server.app import create_app
from tests.conftest import RunningServer
from tests.pace import within
from tests.server.browsing import LAPTOP, PHONE, visiting

PAGES = {
    "home": "/",
    "search": "/search?q=toll",
    "nothing found": "/search?q=xyzzyxyzzy",
    "explorer": "/explore",
    "explorer, chosen": "/explore?holder=ruritania&act=fears",
    "reading": "/documents/bridge-toll",
    "reading, a passage": "/documents/bridge-toll#0-49",
    "agent": "/id/ruritania",
    "person": "/id/edda-tannhof",
    "document": "/id/bridge-toll",
    "assertion": "/id/bridge-toll/s1a",
    "passage": "/id/bridge-toll/0-49",
    "issue": "/id/borduria-ruritania-relations",
    "content": "/id/dispute-over-tellbruck-bridge-raises-borduria-ruritania-friction",
    "factor": "/id/borduria-ruritania-friction",
    "graph": "/graph/bridge-toll",
    "cite a document": "/cite/bridge-toll",
    "cite an assertion": "/cite/bridge-toll/s1a",
    "pictures": "/pictures",
    "causes": "/pictures/causes",
    "arguments": "/pictures/arguments",
    "network": "/pictures/network",
    "matrix": "/pictures/matrix",
    "timeline": "/pictures/timeline",
    "perceptions": "/pictures/perceptions",
    "questions": "/queries",
    "a question": "/queries/who-asserts-what?about=ruritania",
    "sparql": "/sparql",
    "validate": "/validate",
    "ontology": "/ontology",
    "how to say it": "/ontology/how-to-say-it",
    "patterns": "/ontology/patterns",
    "alignments": "/ontology/alignments",
    "sign in": "/signin",
    "dataset": "/.well-known/void",
}
MOST = 300_000
"""Bytes, compressed, that a page may weigh with all that it loads; the SPARQL editor apart."""

PAINTED = """new Promise(resolve => new PerformanceObserver(list => {
    const found = list.getEntriesByName('first-contentful-paint')[0];
    if (found) resolve(found.startTime);
}).observe({type: 'paint', buffered: true}))"""

FIRST_PAINT = 1_000
"""Milliseconds until the first content is painted."""


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_light_and_sound_for_everybody(browser: Browser, server: RunningServer, name: str) -> None:
    with visiting(browser, server.address) as visit:
        session = visit.page.context.new_cdp_session(visit.page)
        session.send("Network.enable")
        weights: list[float] = []
        session.on("Network.loadingFinished", lambda told: weights.append(told["encodedDataLength"]))
        page = visit.go(PAGES[name])
        page.wait_for_load_state("networkidle")
        if name != "sparql":
            assert sum(weights) <= MOST, f"{sum(weights):,.0f} bytes"
        assert "Whosays" in page.title()
        assert page.locator("h1").count() == 1
        for size, scheme in ((LAPTOP, "light"), (PHONE, "dark")):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            assert visit.overflow() <= 0, f"{name} at {size[0]} px"
            assert visit.axe() == [], f"{name} at {size[0]} px"


@pytest.mark.slow
@pytest.mark.alone
def test_every_page_is_painted_within_a_second(browser: Browser, server: RunningServer) -> None:
    paints: dict[str, list[float]] = {}
    for name, path in PAGES.items():
        server.get(path.partition("#")[0], headers={"Accept": "text/html"})  # what a snapshot's first visitor waits for
        with visiting(browser, server.address) as visit:
            visit.go(path)
            found = paints[name] = [visit.page.evaluate(PAINTED)]
            while max(found) > FIRST_PAINT and len(found) < 3:  # by chance, or every time?
                visit.page.reload()
                found.append(visit.page.evaluate(PAINTED))
    late = {name: found for name, found in paints.items() if not within(median(found), FIRST_PAINT)}
    assert not late


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_read_without_script(server: RunningServer, name: str) -> None:
    answer = server.get(PAGES[name].partition("#")[0], headers={"Accept": "text/html"})
    main = answer.text[answer.text.index("<main") : answer.text.index("</main>")]
    assert "<h1" in main
    assert len(re.sub(r"<[^>]*>|\s", "", main)) > 40


def test_the_policy_lets_nothing_inline_through(server: RunningServer) -> None:
    policy = server.get("/", headers={"Accept": "text/html"}).headers["Content-Security-Policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == "'self'"
    assert "unsafe" not in policy
    assert all(source == "'self'" or source.startswith("'sha256-") for source in directives["style-src"].split())


def test_pages_and_scripts_go_out_compressed(server: RunningServer) -> None:
    for path in ("/explore", "/static/whosays.css", "/static/built/explore.js"):
        answer = server.get(path, headers={"Accept": "text/html", "Accept-Encoding": "br"})
        assert answer.headers["Content-Encoding"] == "br"
        assert len(gzip.compress(answer.content)) < len(answer.content)


def test_where_islands_were_not_built_none_is_asked_for(
    sample_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.app.BUILT", sample_settings.store / "nowhere")
    text = create_app(sample_settings).test_client().get("/explore", headers={"Accept": "text/html"}).text
    assert "<script" not in text
    assert "<form" in text


def test_every_page_is_in_the_list(sample_settings: Settings) -> None:
    app = create_app(sample_settings)
    client = app.test_client()
    listed = {path.split("?")[0].split("#")[0] for path in PAGES.values()}
    adapter = app.url_map.bind("localhost")
    known = {adapter.match(path)[0] for path in listed}
    others = []
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and not rule.arguments and rule.endpoint not in known:
            answer = client.get(rule.rule, headers={"Accept": "text/html"})
            if answer.status_code == 200 and answer.mimetype == "text/html":
                others.append(rule.rule)
    assert others == []
