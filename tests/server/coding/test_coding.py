"""Coding over HTTP: the form for a passage, checks beside the fields, proposals through the door, suggestions."""

import re
import time
from collections.abc import Iterator, Mapping
from html import unescape
from pathlib import Path
from statistics import median

import httpx
import pytest
from rdflib import Graph, Literal, URIRef
from rdflib.namespace import SH

from kg.digests import passage_digest
from kg.forms import class_form
from kg.names import ID, WS
from kg.settings import Settings
from kg.shapes import shapes_graph
from kg.tokens import Tokens
from server.app import create_app
from server.visitors import COOKIE, csrf_of
from tests.additions import addition
from tests.conftest import SAMPLE
from tests.door import ServedDoor, serve_door
from tests.pace import within

TEXT = (SAMPLE / "texts" / "bridge-toll.txt").read_text("utf-8")
SENTENCE = (109, 254)
WHERE = "/code/bridge-toll?start=109&end=254"
Fields = Mapping[str, str | list[str]]


@pytest.fixture(scope="module")
def door(sample_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDoor]:
    with serve_door(sample_settings.store, tmp_path_factory.mktemp("coding")) as served:
        yield served


def fields(**changes: str | list[str]) -> Fields:
    """What a coder fills in; `voice_1__holder="x"` is `voice-1.holder`, and an empty value leaves a field empty."""
    told: dict[str, str | list[str]] = {
        "passage": "109-254", "voice-1.type": "Assertion", "voice-1.holder": "Ruritania [ruritania]",
        "voice-1.holderBasis": "named", "voice-1.act": "resents", "voice-1.polarity": "affirms",
        "voice-1.certainty": "unhedged", "voice-1.basis": "stated", "content.type": "Evaluation",
        "content.gloss": "The toll on the lorries is a nuisance.", "content.gloss:language": "en",
        "content.about": ["tellbruck-toll"], "content.evaluated": "tellbruck-toll", "content.valence": "negative",
        "shared.coder": "whosays-team", "shared.coded": "2026-11-22", "shared.status": "published",
    }  # fmt: skip
    return {**told, **{name.replace("__", ".").replace("_", "-"): value for name, value in changes.items()}}


def send(
    door: ServedDoor, told: Fields, intent: str, *, where: str = WHERE, by: str | None = "anna", json: bool = True
) -> httpx.Response:
    secret = door.secrets[by] if by else ""
    return door.client.post(
        door.address + where,
        data={**told, "intent": intent, "csrf": csrf_of(secret)},
        headers={"Accept": "application/json" if json else "text/html", "Cookie": f"{COOKIE}={secret}"},
        follow_redirects=False,
    )


def page(door: ServedDoor, where: str = WHERE, by: str | None = "anna", **headers: str) -> str:
    cookies = {"Cookie": f"{COOKIE}={door.secrets[by]}"} if by else {}
    answer = door.client.get(door.address + where, headers={"Accept": "text/html", **cookies, **headers})
    assert answer.status_code == 200, answer.text
    return answer.text


def remarks(answer: httpx.Response, severity: str = "Violation") -> set[str]:
    return {remark["control"] for remark in answer.json()["remarks"] if remark["severity"] == severity}


def proposed(door: ServedDoor, told: Fields, by: str = "anna") -> int:
    answer = send(door, told, "propose", by=by)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["proposal"])


def source(door: ServedDoor, number: int) -> str:
    return str(door.ask("GET", f"/proposals/{number}", by="cleo").json()["revisions"][-1]["source"])


def accept(door: ServedDoor, number: int, revision: int = 1) -> httpx.Response:
    return door.ask("POST", "/proposals/decisions", {"accept": [{"id": number, "revision": revision}]}, by="cleo")


# --- the page


def test_who_is_not_signed_in_reads_the_passage_and_is_led_to_where_one_signs_in(door: ServedDoor) -> None:
    text = page(door, by=None)
    assert "black-letter" in text
    assert "/signin?next=%2Fcode%2Fbridge-toll%3Fstart%3D109%26end%3D254" in text
    assert '<form method="post" action="/code' not in text


def test_the_form_begins_with_the_passage_and_what_is_true_of_most(door: ServedDoor) -> None:
    text = page(door)
    assert 'name="passage" value="109-254"' in text
    assert 'name="voice-1.holder"' in text
    assert '<option value="affirms"' in text
    assert re.search(r'<option value="unhedged"[^>]* selected', text)
    assert text.count("<h1>") == 1


def test_a_fragment_is_the_form_alone(door: ServedDoor) -> None:
    text = page(door, **{"X-Fragment": "1"})
    assert "data-coding-form" in text
    assert "<html" not in text
    assert "<h1" not in text


def test_without_positions_the_sentences_are_listed_to_choose_one(door: ServedDoor) -> None:
    text = unescape(page(door, "/code/bridge-toll"))
    assert "/code/bridge-toll?start=109&end=254" in text
    assert "Borduria" in text


@pytest.mark.parametrize("where", ["/code/nothing?start=0&end=4", "/code/bridge-toll?start=x&end=4", "/code/a%20b"])
def test_what_is_not_there_or_makes_no_sense_is_told(door: ServedDoor, where: str) -> None:
    assert door.client.get(door.address + where, headers={"Accept": "text/html"}).status_code in (400, 404)


def test_who_is_new_gets_an_entry_along_and_who_is_not_does_not(door: ServedDoor) -> None:
    text = page(door)
    assert 'name="new-1.type" value="Person"' in text
    assert 'name="shared.coder" value="anna"' in text


def test_a_shape_that_is_altered_alters_the_page(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = Graph()
    shapes += shapes_graph()
    shapes.remove((URIRef(WS + "AssertionShape"), SH.property, URIRef(WS + "Assertion-trend")))
    shapes.add((URIRef(WS + "AssertionShape"), SH.property, URIRef(WS + "Document-webPage")))
    shapes.add((URIRef(WS + "Assertion-speaker"), SH.minCount, Literal(1)))
    app = create_app(Settings(store=store, texts=SAMPLE / "texts"))
    headers = {"Authorization": f"Bearer {Tokens(store / 'tokens.sqlite').make('anna', 'contributor', days=1)}"}

    def shown() -> str:
        class_form.cache_clear()
        return app.test_client().get(WHERE, headers=headers).text

    before = shown()
    monkeypatch.setattr("kg.forms.shapes_graph", lambda: shapes)
    after = shown()
    monkeypatch.undo()
    assert 'name="voice-1.trend"' in before
    assert 'name="voice-1.trend"' not in after
    assert 'name="voice-1.webPage"' in after
    assert 'data-control="voice-1.speaker" data-needed' in after
    assert 'data-control="voice-1.speaker" data-needed' not in before
    assert shown() == before


# --- checks


def test_what_is_right_conforms_and_shows_its_record(door: ServedDoor) -> None:
    answer = send(door, fields(), "check")
    assert answer.status_code == 200
    assert answer.json()["conforms"], answer.json()
    assert "to: bridge-toll" in answer.json()["record"]


@pytest.mark.parametrize(
    ("changes", "control"),
    [
        ({"voice_1__holder": ""}, "voice-1.holder"), ({"voice_1__act": ""}, "voice-1.act"),
        ({"voice_1__holder": "ruritanians"}, "voice-1.holderQuantifier"),
        ({"voice_1__holderQuantifier": "many"}, "voice-1.holderQuantifier"),
        ({"voice_1__holder": "tellbruck-toll"}, "voice-1.holder"),
        ({"voice_1__holder": "Nobody at all"}, "voice-1.holder"),
        ({"voice_1__act": "nonsense"}, "voice-1.act"), ({"voice_1__saidOn": "yesterday"}, "voice-1.saidOn"),
        ({"voice_1__speaker": "ruritania"}, "voice-1.holder"),
        ({"voice_1__possibleHolder": "borduria"}, "voice-1.possibleHolder"),
        ({"content__gloss": ""}, "content.gloss"), ({"content__gloss": "x" * 301}, "content.gloss"),
        ({"content__about": ""}, "content.about"), ({"content__about": "nothing-known"}, "content.about"),
        ({"content__evaluated": ""}, "content.evaluated"), ({"content__valence": ""}, "content.image"),
        ({"content__gloss:language": "not a tag"}, "content.gloss"), ({"content__type": ""}, "content.type"),
        ({"content__time": "1999-13"}, "content.time"), ({"content__use": "nothing-known"}, "content.use"),
        ({"passage": "9-3"}, "passage"), ({"passage": ""}, "passage"), ({"passage": "0-99999"}, "passage"),
        ({"shared_coder": ""}, "shared.coder"), ({"shared_coded": "soon"}, "shared.coded"),
        ({"content__id": "Not A Name"}, "content.id"),
    ],
)  # fmt: skip
def test_each_violation_stands_beside_the_field_that_it_concerns(
    door: ServedDoor, changes: dict[str, str], control: str
) -> None:
    told = fields(**{name.replace("shared_", "shared__"): value for name, value in changes.items()})
    found = remarks(send(door, told, "check"))
    assert control in found, found
    text = send(door, told, "check", json=False).text
    around = text[text.index(f'data-control="{control}"') :]
    assert "<li" in around[: around.index("</ul>")]


def test_what_is_only_missing_is_told_apart_from_what_is_wrong(door: ServedDoor) -> None:
    told = send(door, fields(voice_1__act="", voice_1__holder="tellbruck-toll"), "check").json()["remarks"]
    assert {r["control"]: r["missing"] for r in told} == {"voice-1.act": True, "voice-1.holder": False}


def test_a_warning_keeps_nothing_out(door: ServedDoor) -> None:
    answer = send(door, fields(content__gloss="The toll is not a courtesy."), "check")
    assert answer.json()["conforms"]
    assert remarks(answer, "Warning") == {"content.gloss"}


def test_propositions_worded_nearly_the_same_are_shown_and_can_be_taken(door: ServedDoor) -> None:
    told = fields(content__gloss="The toll at Tellbrück ruins the border towns of Ruritania.")
    names = [one["name"] for one in send(door, told, "check").json()["similar"]]
    assert names[0] == "tellbruck-toll-ruins-border-towns"
    text = send(door, told, "take:tellbruck-toll-ruins-border-towns", json=False).text
    assert re.search(r'name="content.use" value="[^"]*\[tellbruck-toll-ruins-border-towns\]"', text)
    assert "of Ruritania.</textarea>" in text, "what was written of a new one is kept"


def test_without_script_every_button_gives_the_form_back_with_all_that_was_written(door: ServedDoor) -> None:
    told = fields(voice_1__note="Kept <here>.", note="To the curator.")
    for intent in ("form", "check", "voice", "new:Factor", "more:content.about", "drop:voice-9", "other", "nonsense"):
        text = unescape(send(door, told, intent, json=False).text)
        for kept in (
            "The toll on the lorries is a nuisance.",
            "Kept <here>.",
            "To the curator.",
            "Ruritania [ruritania]",
        ):
            assert kept in text, (intent, kept)
    assert 'name="voice-2.holder"' in send(door, told, "voice", json=False).text
    assert 'name="new-1.prefLabel"' in send(door, told, "new:Factor", json=False).text
    assert 'name="part-1.claim"' in send(door, {**told, "content.type": "CausalPathway"}, "part", json=False).text


def test_the_fields_of_another_kind_are_kept_until_it_is_chosen_again(door: ServedDoor) -> None:
    text = send(door, fields(content__type="Relation"), "form", json=False).text
    assert '<input type="hidden" name="content.evaluated" value="tellbruck-toll">' in text
    assert 'name="content.relation"' in text


# --- proposing


def test_what_is_proposed_goes_through_the_door_and_is_published_when_it_is_accepted(door: ServedDoor) -> None:
    number = proposed(door, fields(content__gloss="The toll on lorries is a great nuisance."))
    proposal = door.ask("GET", f"/proposals/{number}", by="anna").json()
    assert (proposal["contributor"], proposal["state"]) == ("anna", "waiting")
    assert accept(door, number).status_code == 200
    rows = door.rows(
        f"SELECT ?act ?gloss {{ ?a <{WS}evidencedBy> <{ID}bridge-toll/109-254> ; <{WS}holder> <{ID}ruritania> ; "
        f"<{WS}act> ?act ; <{WS}proposition>/<{WS}gloss> ?gloss }}"
    )
    assert [f"{WS}act-resents", "The toll on lorries is a great nuisance."] in rows


def test_a_passage_that_is_new_is_made_from_the_text(door: ServedDoor) -> None:
    number = proposed(door, fields(passage="115-130", content__gloss="A passage of one's own is coded."))
    assert passage_digest(TEXT[115:130]) in source(door, number)
    assert accept(door, number).status_code == 200


def test_nested_reports_are_proposed_as_nested(door: ServedDoor) -> None:
    told = fields(
        voice_1__holder="edda-tannhof", voice_1__act="reports", voice_2__type="Assertion", voice_2__holder="borduria",
        voice_2__holderBasis="named", voice_2__act="fears", voice_2__polarity="affirms", voice_2__certainty="possible",
        voice_2__basis="stated", content__use="tellbruck-toll-ruins-border-towns",
    )  # fmt: skip
    number = proposed(door, told)
    assert accept(door, number).status_code == 200
    rows = door.rows(
        f"SELECT ?author ?outer ?inner {{ ?a <{WS}holder> ?author ; <{WS}reports> ?b . ?b <{WS}holder> ?outer ; "
        f"<{WS}reports> ?c . ?c <{WS}holder> ?inner ; <{WS}certainty> <{WS}certainty-possible> ; "
        f"<{WS}evidencedBy> <{ID}bridge-toll/109-254> }}"
    )
    assert rows == [[f"{ID}amalia-orvosd", f"{ID}edda-tannhof", f"{ID}borduria"]]


def test_a_missing_factor_and_a_missing_agent_are_described_along_with_it(door: ServedDoor) -> None:
    told = fields(
        voice_1__holder="lorry drivers", voice_1__holderQuantifier="many", content__type="CausalClaim",
        content__gloss="The toll wearies the drivers.", content__cause="height of the toll at Tellbrück",
        content__effect="weariness of the drivers", content__sign="increases", content__causeStatus="actual",
        new_1__type="Factor", new_1__prefLabel="weariness of the drivers", new_2__type="Collective",
        new_2__prefLabel="lorry drivers",
    )  # fmt: skip
    number = proposed(door, told)
    assert "id: weariness-of-drivers" in source(door, number)
    assert accept(door, number).status_code == 200


def test_a_pathway_is_proposed_with_its_steps(door: ServedDoor) -> None:
    told = fields(
        content__type="CausalPathway", content__gloss="The toll sends lorries to the ferry and empties the inns.",
        part_1__type="PathwayStep", part_1__position="1", part_1__claim="tellbruck-toll-raises-ferry-traffic",
        part_2__type="PathwayStep", part_2__position="2", part_2__claim="ferry-traffic-lowers-inn-custom",
    )  # fmt: skip
    proposed(door, told)
    broken = send(door, {**told, "part-2.position": "3"}, "check")
    assert "content.hasStep" in remarks(broken)


def test_who_is_new_is_proposed_as_an_entry_of_the_register(door: ServedDoor) -> None:
    told = fields(
        shared__coder="ben", new_1__type="Person", new_1__id="ben", new_1__prefLabel="Ben",
        content__gloss="Ben is new here.",
    )  # fmt: skip
    number = proposed(door, told, by="ben")
    assert accept(door, number).status_code == 200
    assert 'name="new-1.type"' not in page(door, by="ben")
    assert 'name="shared.coder" value="Ben [ben]"' in page(door, by="ben")


def test_two_that_wait_never_get_the_same_names(door: ServedDoor) -> None:
    first, second = (proposed(door, fields(content__gloss="Two say the same of the toll.")) for _ in range(2))
    names = [re.findall(r"^\W*id: (\S+)", source(door, n), re.MULTILINE) for n in (first, second)]
    assert not {*names[0]} & {*names[1]}
    assert accept(door, first).status_code == 200
    assert accept(door, second).status_code == 200


def test_what_does_not_conform_is_not_proposed(door: ServedDoor) -> None:
    before = len(door.ask("GET", "/proposals?limit=1000", by="cleo").json())
    answer = send(door, fields(voice_1__act=""), "propose")
    assert not answer.json()["conforms"]
    assert send(door, fields(voice_1__holder="Nobody at all"), "propose").json()["conforms"] is False
    assert send(door, fields(voice_1__act=""), "propose", json=False).status_code == 422
    assert len(door.ask("GET", "/proposals?limit=1000", by="cleo").json()) == before


def test_a_forged_request_and_one_without_token_propose_nothing_and_lose_nothing(door: ServedDoor) -> None:
    for secret, csrf, status in ((door.secrets["anna"], "wrong", 403), ("", "", 401)):
        answer = door.client.post(
            door.address + WHERE,
            data={**fields(), "intent": "propose", "csrf": csrf},
            headers={"Accept": "text/html", "Cookie": f"{COOKIE}={secret}"},
        )
        assert answer.status_code == status
        assert "The toll on the lorries is a nuisance." in answer.text


def test_without_script_a_proposal_leads_on_to_itself(door: ServedDoor) -> None:
    answer = send(door, fields(content__gloss="It leads on."), "propose", json=False)
    assert answer.status_code == 303
    text = page(door, answer.headers["Location"])
    assert "waits for a curator" in text
    assert "It leads on." in text


# --- altering a proposal


def test_a_proposal_is_altered_in_the_form_that_it_was_made_with(door: ServedDoor) -> None:
    number = proposed(door, fields(content__gloss="It is altered later."))
    where = f"/code/bridge-toll?proposal={number}"
    text = page(door, where)
    assert 'name="voice-1.holder" value="Ruritania [ruritania]"' in text
    assert 'name="voice-1.id" value="bridge-toll/' in text
    key = re.findall(r'name="voice-1.id" value="([^"]+)"', text)[0]
    told = fields(voice_1__id=key, content__id="it-is-altered-later", content__gloss="It was altered.")
    answer = send(door, {**told, "revision": "1"}, "propose", where=where)
    assert answer.json()["revision"] == 2
    assert f"id: {key}\n" in source(door, number)
    stale = send(door, {**told, "revision": "1"}, "propose", where=where, json=False)
    assert stale.status_code == 409
    assert "It was altered." in stale.text
    assert accept(door, number, 2).status_code == 200
    again = send(door, {**told, "revision": "2"}, "propose", where=where, json=False)
    assert again.status_code == 422
    assert 'value="propose"' not in again.text


def test_a_record_that_no_form_makes_is_altered_as_it_is_written(door: ServedDoor) -> None:
    several = addition("code-1", "\n".join(addition("code-2").decode().splitlines()[10:]) + "\n")
    number = door.ask("POST", "/proposals", several, by="anna").json()["id"]
    where = f"/code/reply-from-borduria?proposal={number}"
    text = page(door, where)
    assert 'name="source"' in text
    assert "view-code-2" in text
    written = unescape(re.findall(r"<textarea id=\"code-source\"[^>]*>(.*?)</textarea>", text, re.DOTALL)[0])
    wrong = {"source": written.replace("act: states", "act: nonsense", 1), "media_type": "application/yaml"}
    answer = send(door, wrong, "check", where=where)
    line = wrong["source"].splitlines()[answer.json()["remarks"][0]["line"] - 1]
    assert line.strip() == "act: nonsense"
    right = {"source": written.replace("is clear", "is legible"), "media_type": "application/yaml", "revision": "1"}
    assert send(door, right, "propose", where=where).json()["revision"] == 2
    assert "is legible" in source(door, number)


def test_a_proposal_in_another_syntax_is_altered_as_it_is_written(door: ServedDoor) -> None:
    turtle = f"<{ID}tower> a <{WS}Place> ; <http://www.w3.org/2004/02/skos/core#prefLabel> 'Tower'@en .".encode()
    number = door.ask("POST", "/proposals", turtle, by="anna", form="ttl").json()["id"]
    where = f"/code/bridge-toll?proposal={number}"
    assert 'name="source"' in page(door, where)
    changed = {"source": turtle.decode().replace("Tower", "Old tower"), "media_type": "text/turtle", "revision": "1"}
    assert send(door, changed, "propose", where=where).json()["revision"] == 2


def test_nobody_sees_or_alters_the_proposal_of_another_but_a_curator(door: ServedDoor) -> None:
    number = proposed(door, fields(content__gloss="It is anna's."))
    where = f"/code/bridge-toll?proposal={number}"
    headers = {"Accept": "text/html", "Cookie": f"{COOKIE}={door.secrets['ben']}"}
    assert door.client.get(door.address + where, headers=headers).status_code == 403
    assert send(door, {**fields(), "revision": "1"}, "propose", where=where, by="ben").status_code == 403
    assert "It is anna&#39;s." in page(door, where, by="cleo")


# --- suggestions


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("q=rur&kind=agent", "ruritania"), ("q=Strelsau&class=Agent", "ruritania"),
        ("q=Örv&class=Person", "amalia-orvosd"), ("q=orvosd&class=Agent", "amalia-orvosd"),
        ("q=зворник&class=Agent", "milos-zvornik"),
        ("q=height+of&class=Factor", "tellbruck-toll-level"), ("q=toll&class=Issue", "tellbruck-toll"),
        ("q=toll+ruins&class=Proposition", "tellbruck-toll-ruins-border-towns"),
        ("q=lorries+stay&class=Assertion&document=bridge-toll", "bridge-toll/s6c"),
    ],
)  # fmt: skip
def test_suggestions_are_found_by_names_in_any_script_and_by_words(door: ServedDoor, query: str, name: str) -> None:
    answer = door.client.get(f"{door.address}/suggest?{query}").json()
    assert name in [one["name"] for one in answer][:3], answer
    assert all(one["value"].endswith(f"[{one['name']}]") or one["value"] == one["name"] for one in answer)


def test_suggestions_are_of_the_class_asked_for_and_in_the_language_of_the_reader(door: ServedDoor) -> None:
    answer = door.client.get(door.address + "/suggest?q=ruritan&class=State", headers={"Accept-Language": "de"}).json()
    assert [(one["label"], one["class"]) for one in answer] == [("Ruritanien", "state")]


@pytest.mark.parametrize("query", ["q=a&class=Nonsense", "q=a&kind=nonsense", "q=a&limit=0", "q=a&limit=x"])
def test_what_cannot_be_suggested_is_told(door: ServedDoor, query: str) -> None:
    assert door.client.get(f"{door.address}/suggest?{query}").status_code == 400


@pytest.mark.parametrize("words", ["", " ", '"', "NEAR(", "*", "\u202e", "%00", "a" * 5_000, "[x]", "'; --"])
def test_no_words_harm_the_suggestions(door: ServedDoor, words: str) -> None:
    query = {"q": words, "class": "Assertion", "document": "bridge-toll"}
    assert door.client.get(door.address + "/suggest", params=query).status_code == 200
    assert door.client.get(door.address + "/suggest", params={"q": words}).status_code == 200


# --- hostile content

HOSTILE = [
    "<script>alert(1)</script>", "\u202e evil", "javascript:alert(1)", "\x00\x01", "a" * 100_000, "'\"><b>", "{{7*7}}",
    "[x]", "&x *y !z", "- a: [", "\ufffe", "\U0001f600", "\n\n# x", "ws:act-wants", "../../x", "no", "1e400",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_is_written_is_judged_and_shown_harmlessly(door: ServedDoor, text: str) -> None:
    for name in ("voice-1.holder", "content.gloss", "content.gloss:language", "content.use", "content.id", "passage",
                 "shared.coder", "shared.coded", "content.time", "content.valence", "voice-1.note"):  # fmt: skip
        told = {**fields(), name: text}
        answer = send(door, told, "check")
        assert answer.status_code == 200, (name, answer.text)
        shown = send(door, told, "check", json=False)
        assert shown.status_code == 200
        assert "<script>alert" not in shown.text
        assert "<b>" not in shown.text.replace("<b>Perhaps:</b>", "")


# --- speed


def test_a_check_answers_while_one_types(door: ServedDoor) -> None:
    send(door, fields(), "check")
    times = []
    for _ in range(9):
        began = time.perf_counter()
        assert send(door, fields(), "check").json()["conforms"]
        times.append(time.perf_counter() - began)
    assert within(median(times), 0.5)
