"""The validate page as the server makes it: without scripts one pastes or sends a file, and reads the report."""

import io
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kg.errors import BusyError
from kg.settings import Settings
from kg.tokens import Role, Tokens
from server.app import create_app
from server.pages.validate_page import AROUND, MOST_NOTES, Note, lay_out, refuse_text
from server.visitors import csrf_of
from tests.additions import FORMS, addition, as_form, assertion
from tests.conftest import SAMPLE, RunningServer
from tests.server.test_pages import HTML

GOOD = addition("good").decode()
BAD = addition("good", assertion("bad", holder="tellbruck-toll")).decode()
"""Its last entry has a toll for a holder."""

BAD_LINE = next(n for n, line in enumerate(BAD.split("\n"), 1) if "holder: tellbruck-toll" in line)


@pytest.fixture(scope="module")
def client(sample_settings: Settings) -> FlaskClient:
    return create_app(Settings(store=sample_settings.store, texts=SAMPLE / "texts")).test_client()


def signed_in(store: Path, role: Role) -> tuple[FlaskClient, str]:
    """Return a client who is signed in, and the token against forged requests."""
    secret = Tokens(store / "tokens.sqlite").make("carla", role, days=None)
    client = create_app(Settings(store=store, texts=SAMPLE / "texts")).test_client()
    client.post("/signin", data={"token": secret})
    return client, csrf_of(secret)


def send(client: FlaskClient, text: str = "", **fields: object) -> TestResponse:
    """Send the page's form."""
    return client.post("/validate", data={"text": text, **fields}, content_type="multipart/form-data", headers=HTML)


def line_of(page: str, number: int) -> str:
    """Return what the page shows at a line of the text: the line and its notes."""
    found = re.search(rf'id="line-{number}">(.*?)(?=<div class="line|<p class="left-out|</section>)', page, re.DOTALL)
    assert found is not None, f"line {number} is not shown"
    return found[1]


def test_the_page_asks_for_a_text_or_a_file(client: FlaskClient) -> None:
    page = client.get("/validate", headers=HTML).text
    assert '<textarea id="text"' in page
    assert 'type="file"' in page
    assert "Propose this" not in page


def test_what_conforms_is_told_so(client: FlaskClient) -> None:
    page = send(client, GOOD).text
    assert "It conforms." in page
    assert "Read as a record in YAML" in page
    assert "The receipt called good is clear." in page  # the text is still there, to go on with


@pytest.mark.parametrize("form", FORMS)
def test_every_syntax_is_recognised(client: FlaskClient, form: str) -> None:
    text = as_form(addition("good"), form).decode()
    assert "It conforms." in send(client, text).text
    assert "It conforms." in send(client, text, form=form).text


def test_a_violation_stands_at_its_line_and_in_the_list(client: FlaskClient) -> None:
    page = send(client, BAD).text
    assert "It does not conform: one violation." in page
    assert f'<a href="#line-{BAD_LINE}" data-line="{BAD_LINE}">' in page
    at_line = line_of(page, BAD_LINE)
    assert "holder: tellbruck-toll" in at_line
    assert "An assertion needs exactly one holder" in at_line
    assert "toll on the bridge at Tellbrück" in at_line
    assert "check the\nspelling".replace("\n", " ") in at_line
    assert "needs exactly one holder" not in line_of(page, BAD_LINE - 1)


def test_a_violation_in_turtle_stands_where_its_node_begins(client: FlaskClient) -> None:
    text = as_form(BAD.encode(), "ttl").decode()
    page = send(client, text).text
    number = next(n for n, line in enumerate(text.split("\n"), 1) if line.startswith("<") and "/bad>" in line)
    assert "An assertion needs exactly one holder" in line_of(page, number)


def test_what_cannot_be_read_is_told_at_its_line(client: FlaskClient) -> None:
    page = send(client, GOOD.replace("polarity: affirms", "polarity: perhaps")).text
    assert "It cannot be taken: " in page
    number = next(n for n, line in enumerate(GOOD.split("\n"), 1) if "polarity: affirms" in line)
    assert "is no value of `polarity`" in line_of(page, number)


def test_lines_of_a_form_that_come_with_carriage_returns_keep_their_numbers(client: FlaskClient) -> None:
    page = send(client, BAD.replace("\n", "\r\n")).text
    assert "An assertion needs exactly one holder" in line_of(page, BAD_LINE)


def test_a_file_is_judged_by_its_name_and_comes_back_to_be_edited(client: FlaskClient) -> None:
    page = send(client, "", file=(io.BytesIO(BAD.encode()), "../odd name.yaml")).text
    assert "It does not conform" in page
    assert 'value="odd name.yaml"' in page
    assert "tellbruck-toll" in page[page.index("<textarea") : page.index("</textarea>")]


def test_a_urlencoded_form_is_taken_too(client: FlaskClient) -> None:
    assert "It conforms." in client.post("/validate", data={"text": GOOD}, headers=HTML).text


def test_a_large_file_shows_what_matters_alone(server: RunningServer) -> None:
    filler = "# filler\n" * 300_000
    page = server.post("/validate", files={"file": ("large.yaml", (filler + BAD).encode())}, headers=HTML)
    assert page.status_code == 200
    assert len(page.content) < 60_000
    assert "needs exactly one holder" in line_of(page.text, 300_000 + BAD_LINE)
    assert f"{300_000 + BAD_LINE - AROUND - 1:,} lines" in page.text


def test_more_than_is_taken_is_413(server: RunningServer) -> None:
    assert server.post("/validate", files={"file": ("huge.ttl", b"#" * 10_200_000)}).status_code == 413


def test_nothing_is_told_to_be_nothing(client: FlaskClient) -> None:
    assert "there is nothing to judge" in send(client, " \n").text


def test_what_looks_like_nothing_is_told(client: FlaskClient) -> None:
    assert "cannot tell in which form this is" in send(client, "Dear Sir or Madam").text


def test_what_is_no_text_at_all_does_no_harm(client: FlaskClient) -> None:
    page = send(client, "", file=(io.BytesIO(bytes(range(256)) * 10), "noise.ttl"))
    assert page.status_code == 200
    assert "It cannot be taken" in page.text


def test_markup_in_a_text_is_shown_as_text(client: FlaskClient) -> None:
    text = BAD.replace("tellbruck-toll", "'<img src=x onerror=alert(1)>'", 1)
    page = send(client, text).text
    assert "<img" not in page
    assert "&lt;img" in page


def test_the_report_alone_shows_only_what_is_wrong(client: FlaskClient) -> None:
    found = client.post("/validate", data={"text": BAD}, headers={**HTML, "X-Fragment": "1"}).text
    assert "<html" not in found
    assert "needs exactly one holder" in line_of(found, BAD_LINE)
    assert 'id="line-1"' not in found


def test_a_program_still_gets_its_verdict(client: FlaskClient) -> None:
    told = client.post("/validate", data=BAD.encode(), content_type="application/yaml").get_json()
    assert told["conforms"] is False
    assert told["violations"][0]["line"] == BAD_LINE


def test_a_program_that_sends_an_unknown_type_is_told_415(client: FlaskClient) -> None:
    assert client.post("/validate", data=b"x", content_type="image/png").status_code == 415


def test_a_contributor_proposes_what_conforms(store: Path) -> None:
    client, csrf = signed_in(store, "contributor")
    page = client.get("/validate", headers=HTML).text
    assert "Propose this" in page
    assert "Publish this" not in page
    response = send(client, GOOD, intent="propose", csrf=csrf)
    assert response.status_code == 303
    assert "It is proposal 1" in client.get(response.headers["Location"], headers=HTML).text
    assert client.get("/proposals/1").get_json()["state"] == "waiting"


def test_what_does_not_conform_is_not_proposed(store: Path) -> None:
    client, csrf = signed_in(store, "contributor")
    response = send(client, BAD, intent="propose", csrf=csrf)
    assert response.status_code == 200
    assert "It does not conform" in response.text
    assert "Propose this" not in response.text
    assert client.get("/proposals").get_json() == []


def test_a_curator_publishes_once(store: Path) -> None:
    client, csrf = signed_in(store, "curator")
    response = send(client, GOOD, intent="publish", csrf=csrf)
    assert response.status_code == 303, response.text
    assert "It is published, as change" in client.get(response.headers["Location"], headers=HTML).text
    again = send(client, GOOD, intent="publish", csrf=csrf)
    assert "nothing of this is new" in again.text


@pytest.mark.parametrize("intent", ["propose", "publish"])
def test_nobody_else_passes_anything_on(client: FlaskClient, store: Path, intent: str) -> None:
    assert send(client, GOOD, intent=intent).status_code == 401
    visitor, csrf = signed_in(store, "contributor")
    assert send(visitor, GOOD, intent=intent, csrf="forged").status_code == 403
    if intent == "publish":
        assert send(visitor, GOOD, intent=intent, csrf=csrf).status_code == 403


def test_numbers_in_the_address_that_are_none_are_passed_over(client: FlaskClient) -> None:
    page = client.get("/validate", query_string={"proposed": "<b>1", "published": "x"}, headers=HTML).text
    assert "It is proposal" not in page
    assert "It is published" not in page


def note(line: int | None) -> Note:
    return Note("violation", line, "", "", "", "", "expected", "mend")


def test_neighbouring_notes_share_their_surroundings() -> None:
    shown = [line.number for line in lay_out(b"x\n" * 1_000, [note(500), note(503), note(1_000), note(5_000)])]
    assert shown == [0, *range(498, 506), 0, 998, 999, 1_000]


def test_a_line_of_megabytes_is_cut() -> None:
    (line,) = lay_out(b"[" * 5_000_000, [note(1)])
    assert len(line.text) < 1_000


def test_of_very_many_notes_the_first_are_shown() -> None:
    lines = lay_out(b"x\n" * 2_000, [note(n) for n in range(1, 2_001)])
    assert sum(len(line.notes) for line in lines) == MOST_NOTES


def test_a_server_that_is_busy_is_no_fault_of_the_text() -> None:
    judged = refuse_text(b"x", BusyError("too many wait", mend="try again"))
    assert judged.notes == ()
    assert judged.error is not None
