"""The SPARQL page in a real browser: writing, completions, asking, answers, stopping, saving, the keyboard."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from kg.settings import Settings
from server.front.protocol import read_operation
from tests.conftest import RunningServer, start_server
from tests.door import ServedDoor, serve_door
from tests.pace import within
from tests.server.browsing import PHONE, Visit, visiting
from tests.server.calling import copy_store

HOLDERS = "SELECT DISTINCT ?holder { ?a ws:holder ?holder } ORDER BY ?holder"
MANY = "SELECT ?a ?b ?c { ?a ?b ?c } LIMIT 12000"
ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
WRONG = "SELECT * {\n  ?a ws:holder ?b .\n  ?c ws:act\n}"


@pytest.fixture(scope="module")
def strict(sample_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with little patience, and with little room for answers."""
    store = copy_store(sample_settings.store, tmp_path_factory.mktemp("strict") / "store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WHOSAYS_QUERY_SECONDS", "0.5")
        patch.setenv("WHOSAYS_ANSWER_ROWS", "3000")
        patch.setenv("WHOSAYS_BUDGET_SECONDS", "0")
        running = start_server(replace(sample_settings, store=store))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def door(sample_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDoor]:
    with serve_door(sample_settings.store, tmp_path_factory.mktemp("saving")) as served:
        yield served


def open_page(visit: Visit, text: str = "") -> Page:
    """Open the page with a query in it."""
    page = visit.go(f"/sparql?edit={quote(text, safe='')}")
    page.wait_for_selector(".yasqe .CodeMirror-line")
    return page


def answer(page: Page) -> Locator:
    return page.get_by_role("region", name=re.compile("row"))


def run(page: Page) -> None:
    page.get_by_role("button", name="Ask").click()


def told(page: Page) -> Locator:
    return page.locator("[data-told]")


def write(page: Page, text: str) -> None:
    """Write at the end of what is there, as fast as people do."""
    page.get_by_role("textbox", name="Query").focus()
    page.keyboard.press("Control+End")
    page.keyboard.type(text, delay=15)


def see_text(page: Page, text: str | re.Pattern[str]) -> None:
    """See what the editor comes to hold; it reads what was typed a little late."""
    expect(page.locator("#query")).to_have_value(text)


def test_an_answer_is_a_table_with_links_languages_and_a_caption(visit: Visit) -> None:
    page = open_page(visit, "SELECT ?holder ?gloss { ?a ws:holder ?holder ; ws:proposition/ws:gloss ?gloss } LIMIT 30")
    run(page)
    table = page.get_by_role("table", name="30 rows")
    expect(table.get_by_role("row")).to_have_count(31)
    assert table.locator("thead th[scope=col]").count() == 3
    assert table.locator("tbody th[scope=row]").first.inner_text() == "1"
    assert table.locator("tbody a").first.get_attribute("href").startswith("/id/")  # type: ignore[union-attr]
    assert "@en" in table.inner_text()
    expect(told(page)).to_have_text(re.compile(r"^30 rows in \d+ ms, [\d.]+ kB\.$"))


def test_the_same_asked_again_is_kept(visit: Visit) -> None:
    page = open_page(visit, f"{HOLDERS} # {time.time()}")
    run(page)
    expect(told(page)).to_have_text(re.compile(r"rows in \d+ ms, [\d.]+ kB\.$"))
    run(page)
    expect(told(page)).to_have_text(re.compile(r"kept from before\.$"))


def test_names_stand_in_place_of_identifiers_when_asked_for_and_it_is_remembered(visit: Visit) -> None:
    page = open_page(visit, HOLDERS)
    run(page)
    expect(answer(page)).to_contain_text("id:amalia-orvosd")
    page.get_by_label("names in place of identifiers").check()
    expect(answer(page)).to_contain_text("Amália Örvösd")
    page = open_page(visit, HOLDERS)
    run(page)
    expect(answer(page)).to_contain_text("Amália Örvösd")


def test_rows_are_sorted_by_any_column_numbers_as_numbers(visit: Visit) -> None:
    page = open_page(visit, 'SELECT ?n ?w { VALUES (?n ?w) { (10 "b") (9 "a") (UNDEF "c") (-1 "Ä") } }')
    run(page)
    column = answer(page).locator("tbody td:nth-of-type(1)")
    heading = page.get_by_role("button", name="n", exact=True)
    heading.click()
    expect(column).to_have_text(["-1", "9", "10", ""])
    expect(answer(page).locator("th[aria-sort=ascending]")).to_have_text("n")
    page.keyboard.press("Enter")  # the focus stayed
    expect(column).to_have_text(["10", "9", "-1", ""])
    page.get_by_role("button", name="w", exact=True).click()
    expect(answer(page).locator("tbody td:nth-of-type(2)")).to_have_text(["a", "Ä", "b", "c"])


@pytest.mark.alone
def test_many_rows_come_a_page_at_a_time_and_the_page_stays_quick(visit: Visit) -> None:
    page = open_page(visit, f"SELECT ?a ?b ?c ?n {{ {{ {MANY} }} VALUES ?n {{ 1 2 3 }} }}")
    begun = time.perf_counter()
    run(page)
    expect(told(page)).to_have_text(re.compile("rows in"))
    took = time.perf_counter() - begun
    rows = int(told(page).inner_text().split(" ")[0].replace(",", ""))
    assert rows > 15_000
    assert page.locator("[data-shown] tbody tr").count() == 100
    longest = page.evaluate(
        """async () => { let longest = 0, last = performance.now();
        document.querySelector('.answer th button').click();
        for (let i = 0; i < 5; i++) { await new Promise(requestAnimationFrame);
        const now = performance.now(); longest = Math.max(longest, now - last); last = now; }
        return longest; }"""
    )
    assert within(longest / 1000, 3), f"sorting {rows} rows kept the page for {longest:.0f} ms"
    page.get_by_role("button", name="Last").click()
    expect(answer(page).locator("caption")).to_contain_text(f"of {rows:,} rows")
    page.get_by_role("button", name="Before").click()
    assert page.locator("[data-shown] tbody tr").count() == 100
    assert within(took, 20)


def test_a_truth_is_told(visit: Visit) -> None:
    page = open_page(visit, "ASK { ?a ws:holder id:nobody-at-all }")
    run(page)
    expect(page.locator(".verdict")).to_have_text("No.")


def test_statements_are_shown_as_turtle_with_links(visit: Visit) -> None:
    page = open_page(
        visit, 'CONSTRUCT { ?a ws:holder ?h ; ws:note "<http://not.a/link>" } WHERE { ?a ws:holder ?h } LIMIT 3'
    )
    run(page)
    turtle = page.get_by_role("region", name="Statements, as Turtle")
    expect(turtle).to_contain_text("@prefix ws: <https://w3id.org/whosays/ontology#> .")
    expect(turtle).to_contain_text('"<http://not.a/link>"')
    assert turtle.locator("a[href^='/id/']").count() >= 3
    assert turtle.locator("a[href*='not.a']").count() == 0
    expect(page.locator("[data-shown] a[download]")).to_have_text(["TTL", "NT", "RDF", "JSONLD"])


def test_an_answer_is_taken_away_in_every_format(visit: Visit) -> None:
    page = open_page(visit, HOLDERS)
    run(page)
    expect(told(page)).to_contain_text("rows in")
    assert page.locator("[data-shown] a[download]").all_inner_texts() == ["CSV", "TSV", "JSON", "XML"]
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename == "answer.csv"
    assert Path(download.value.path()).read_text().startswith("holder\n")


def test_properties_are_completed_where_a_pattern_wants_one(visit: Visit) -> None:
    page = open_page(visit, "SELECT * { ?a ")
    write(page, "ws:hol")
    hints = page.get_by_role("listbox", name="Completions")
    expect(hints.get_by_role("option").first).to_contain_text("ws:holder")
    expect(hints).to_contain_text("holder")
    assert "ws:Leader" not in hints.inner_text()
    page.keyboard.press("Enter")
    see_text(page, "SELECT * { ?a ws:holder")


def test_values_of_a_property_and_classes_are_completed_by_their_labels(visit: Visit) -> None:
    page = open_page(visit, "SELECT * { ?a ws:act ")
    write(page, "fea")
    page.keyboard.press("Control+Space")
    page.get_by_role("option").first.wait_for()
    page.keyboard.press("Enter")
    write(page, " ; a perc")
    page.keyboard.press("Control+Space")
    page.get_by_role("option").first.wait_for()
    page.keyboard.press("Enter")
    see_text(page, "SELECT * { ?a ws:act ws:act-fears ; a ws:Perception")


def test_things_are_completed_by_identifier_and_by_name_in_any_language(visit: Visit) -> None:
    page = open_page(visit, "SELECT * { ?a ws:holder ")
    write(page, "id:bordur")
    expect(page.get_by_role("option").first).to_contain_text("id:borduria")
    page.keyboard.press("Enter")
    see_text(page, re.compile("ws:holder id:borduria$"))
    write(page, " . ?b ws:holder id:Örv")
    expect(page.get_by_role("option").first).to_contain_text("Amália Örvösd")
    page.keyboard.press("Enter")
    see_text(page, re.compile("id:amalia-orvosd$"))


def test_words_in_texts_and_comments_are_not_completed(visit: Visit) -> None:
    page = open_page(visit, "SELECT * { ?a ws:gloss ")
    write(page, '"ws:hol')
    page.wait_for_timeout(500)
    assert page.get_by_role("listbox").count() == 0


def test_what_does_not_parse_is_told_as_one_types(visit: Visit) -> None:
    page = open_page(visit, "SELECT * { ?a foo:b ?c }")
    expect(page.locator("[data-syntax]")).to_have_text("Line 1: the prefix `foo:` is not declared.")
    assert page.locator(".yasqe .fault-line").count() == 1
    page.keyboard.press("Escape")
    page = open_page(visit, "PREFIX foo: <http://example.org/> SELECT * { ?a foo:b ?c ; ws:holder ?d }")
    page.wait_for_timeout(700)
    expect(page.locator("[data-syntax]")).to_have_text("")


def test_an_error_of_the_engine_is_marked_at_its_line(visit: Visit) -> None:
    visit.expect("400")
    page = open_page(visit, WRONG)
    run(page)
    expect(page.locator("[data-shown] .problem")).to_have_text("Line 4, column 1: the query does not parse here.")
    expect(page.locator("[data-announce]")).to_have_text("Line 4, column 1: the query does not parse here.")
    marked = page.locator(".yasqe .CodeMirror-code > div", has=page.locator(".fault"))
    expect(marked.locator(".CodeMirror-line")).to_have_text("}")


def test_an_error_after_a_relative_name_is_marked_at_its_column(visit: Visit) -> None:
    visit.expect("400")
    page = open_page(visit, "ASK { <a> ?b }")
    run(page)
    expect(page.locator("[data-shown] .problem")).to_contain_text("Line 1, column 15")


def test_a_query_is_stopped_on_the_server_too(visit: Visit) -> None:
    visit.expect("503")
    page = open_page(visit, ENDLESS)
    with page.expect_request("**/sparql") as asked:
        run(page)
    body = (asked.value.post_data or "").encode()
    name = read_operation("query", "POST", b"", "application/x-www-form-urlencoded", body).id
    expect(told(page)).to_have_text(re.compile(r"^Asking … (0\.[4-9]|[1-9]\d*\.\d) s"))
    with page.expect_response(f"**/running/{name}") as stopped:
        page.get_by_role("button", name="Stop").click()
    assert stopped.value.status == 200
    expect(page.locator("[data-shown] .problem")).to_have_text("Stopped.")
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()


def test_the_limits_are_told_in_words(browser: Browser, strict: RunningServer) -> None:
    with visiting(browser, strict.address) as visit:
        for status in ("504", "413", "ERR_", "not loaded"):
            visit.expect(status)
        page = open_page(visit, ENDLESS)
        run(page)
        expect(page.locator("[data-shown] .problem")).to_contain_text("0.5 s")
        page = open_page(visit, "SELECT ?a ?b ?c { ?a ?b ?c }")
        run(page)
        problem = page.locator("[data-shown] .problem")
        expect(problem).to_contain_text(re.compile("more than 3,000 rows|cut off after"))
        expect(problem).to_contain_text("LIMIT")


def test_the_address_holds_the_query_and_a_link_to_it_is_copied(visit: Visit) -> None:
    visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = open_page(visit, "ASK { ?a ws:holder ?b } # = & + ? 日本")
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("[data-announce]")).to_have_text("The link is copied.")
    link = page.evaluate("navigator.clipboard.readText()")
    page.goto("about:blank")
    page.goto(link)
    page.wait_for_selector(".yasqe")
    see_text(page, "ASK { ?a ws:holder ?b } # = & + ? 日本")
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.locator("[data-announce]")).to_have_text("The command is copied.")
    assert page.evaluate("navigator.clipboard.readText()").startswith(f"curl '{visit.address}/sparql' -H 'Accept: ")


def test_a_query_too_long_for_an_address_is_kept_behind_the_hash(visit: Visit) -> None:
    page = open_page(visit)
    long = f"ASK {{ VALUES ?a {{ {' '.join(map(str, range(3_000)))} }} }}"
    page.goto(f"{visit.address}/sparql#edit={quote(long)}")
    page.reload()
    page.wait_for_selector(".yasqe")
    run(page)
    expect(page.locator(".verdict")).to_have_text("Yes.")
    expect(page).to_have_url(re.compile("#edit="))
    see_text(page, long)


def test_a_saved_question_is_put_into_the_editor_and_can_be_undone(visit: Visit) -> None:
    page = open_page(visit, HOLDERS)
    page.get_by_text("Saved questions").click()
    page.get_by_role("link", name="Who disagrees with whom, and on what?").click()
    expect(page.locator("[data-announce]")).to_contain_text("is in the editor")
    see_text(page, re.compile(r"^# Who disagrees with whom, and on what\?"))
    page.keyboard.press("Control+z")
    see_text(page, HOLDERS)


def test_what_was_asked_before_is_listed_and_forgotten(visit: Visit) -> None:
    page = open_page(visit, HOLDERS)
    run(page)
    expect(told(page)).to_contain_text("rows in")
    page = open_page(visit)
    page.get_by_text("Asked before").click()
    page.get_by_role("button", name=HOLDERS).click()
    see_text(page, HOLDERS)
    page.get_by_role("button", name="Forget all").click()
    expect(page.get_by_text("Asked before")).to_be_hidden()
    assert page.evaluate("localStorage.getItem('whosays-sparql-history')") is None


def test_all_is_done_by_keyboard(visit: Visit) -> None:
    page = open_page(visit, "")
    editor = page.get_by_role("textbox", name="Query")
    editor.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("ASK { ?a ?b ?c }", delay=10)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".verdict")).to_have_text("Yes.")
    page.keyboard.press("Tab")  # is a step in, as in every editor
    expect(editor).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Ask")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(editor).to_be_focused()


def test_a_curator_saves_replaces_and_deletes(browser: Browser, door: ServedDoor) -> None:
    with visiting(browser, door.address) as visit:
        visit.expect("412")
        visit.sign_in(door.secrets["cleo"])
        page = open_page(visit, HOLDERS)
        page.get_by_role("button", name="Save …").click()
        page.get_by_label("The question that it answers").fill("Who holds something?")
        assert page.get_by_label("Name in its address").input_value() == "who-holds-something"
        page.get_by_label("What the answer holds").fill("All holders.")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.locator("[data-announce]")).to_have_text("Saved as who-holds-something.")
        saved = door.client.get(f"{door.address}/queries/who-holds-something.rq").text
        assert saved == f"# Who holds something?\n# All holders.\n{HOLDERS}"

        page = visit.go("/sparql?saved=who-holds-something")
        page.wait_for_selector(".yasqe")
        page.get_by_role("button", name="Save …").click()
        assert page.get_by_label("What the answer holds").input_value() == "All holders."
        page.get_by_label("What the answer holds").fill("Each of them.")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("There is a query called who-holds-something already.")).to_be_visible()
        page.get_by_role("button", name="Replace the one that is there").click()
        expect(page.locator("[data-announce]")).to_have_text("Saved as who-holds-something.")
        assert "# Each of them.\n" in door.client.get(f"{door.address}/queries/who-holds-something.rq").text

        page.get_by_role("button", name="Save …").click()
        page.once("dialog", lambda dialog: dialog.accept())
        page.get_by_role("button", name="Delete the one that is there").click()
        expect(page.locator("[data-announce]")).to_have_text("Deleted who-holds-something.")
        assert door.client.get(f"{door.address}/queries/who-holds-something.rq").status_code == 404


def test_a_query_that_cannot_be_saved_is_told(browser: Browser, door: ServedDoor) -> None:
    with visiting(browser, door.address) as visit:
        visit.expect("400")
        visit.expect("409")
        visit.sign_in(door.secrets["cleo"])
        page = open_page(visit, WRONG)
        page.get_by_role("button", name="Save …").click()
        page.get_by_label("The question that it answers").fill("What is wrong?")
        page.get_by_label("What the answer holds").fill("Nothing.")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.locator("[data-save-problem]")).to_be_visible()


def test_hostile_values_are_shown_as_text(visit: Visit) -> None:
    page = open_page(
        visit,
        """SELECT * { VALUES (?a ?b) {
        (<javascript:alert(1)> "<img src=x onerror=alert(1)>") (<data:text/html,x> "\\u202Eright to left")
        (<https://w3id.org/whosays/id/%22%3E%3Cb%3E> "<b>x</b>"@en) }
        BIND(CONCAT(?b, "x") AS ?c) BIND(REPLACE("x", "x", "xxxxxxxxxx") AS ?d) }""",
    )
    run(page)
    expect(answer(page)).to_contain_text("<img src=x onerror=alert(1)>")
    assert page.locator("[data-shown] :is(img, b)").count() == 0
    addresses = page.locator("[data-shown] td a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert addresses == ["/id/%2522%253E%253Cb%253E"]


def test_a_text_of_a_hundred_kilobytes_is_cut_and_comes_whole_when_asked_for(visit: Visit) -> None:
    longer = "REPLACE(" * 4 + '"x"' + ', "x", "xxxxxxxxxxxxxxxxx")' * 4
    page = open_page(visit, f"SELECT ({longer} AS ?text) {{}}")
    run(page)
    cell = answer(page).locator("td")
    expect(cell).to_contain_text("…")
    assert len(cell.inner_text()) < 500
    cell.get_by_role("button", name="all of it").click()
    assert len(cell.inner_text()) >= 17**4
    assert visit.overflow() <= 0


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 900), PHONE], ids=["laptop", "phone"])
def test_nothing_serious_for_axe_and_no_scrolling_sideways(
    browser: Browser, server: RunningServer, size: tuple[int, int], dark: bool
) -> None:
    with visiting(browser, server.address, size, dark=dark) as visit:
        page = open_page(visit, "SELECT ?a ?g { ?a ws:gloss ?g ; foo:bar ?c } LIMIT 200")
        expect(page.locator("[data-syntax]")).not_to_have_text("")
        assert visit.axe() == []
        page = open_page(visit, "SELECT ?a ?b ?c { ?a ?b ?c } LIMIT 250")
        run(page)
        expect(told(page)).to_contain_text("rows")
        page.get_by_text("Prefixes", exact=True).click()
        page.get_by_text("Asked before").click()
        assert visit.axe() == []
        assert visit.overflow() <= 0
        page = open_page(visit, "SELECT * { ?a ")
        write(page, "ws:hol")
        page.get_by_role("option").first.wait_for()
        assert visit.axe() == []
        assert visit.overflow() <= 0


def test_without_scripts_one_asks_by_the_form(browser: Browser, server: RunningServer) -> None:
    with visiting(browser, server.address, script=False) as visit:
        page = visit.go("/sparql")
        page.get_by_label("Query").fill(HOLDERS)
        page.get_by_role("button", name="Ask").click()
        expect(page.get_by_role("table")).to_contain_text("Amália Örvösd")
        page.get_by_label("or take it away as").select_option("csv")
        with page.expect_download() as download:
            page.get_by_role("button", name="Take away").click()
        assert Path(download.value.path()).read_text().startswith("holder\n")
