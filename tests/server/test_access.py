"""Who may: reading is open, all else needs a token with the role, and who is refused leaves no trace."""

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from kg.proposals import Proposals
from kg.settings import Settings
from kg.tokens import Tokens
from tests.additions import addition, reply_record
from tests.door import ServedDoor, serve_door

DOCUMENT = "/documents/reply-from-borduria"
RETRACTION = {"assertion": "reply-from-borduria/s1a", "reason": "It was misread."}
DECISION = {"accept": [{"id": 1, "revision": 1}]}
CURATING: list[tuple[str, str, object]] = [
    ("POST", "/assertions", addition("sneaked")),
    ("POST", "/assertions?mode=replace", addition("sneaked")),
    ("PUT", DOCUMENT, reply_record(without="s7a")),
    ("POST", "/retractions", RETRACTION),
    ("POST", "/changes/1/undo", None),
    ("POST", "/proposals/decisions", DECISION),
]
CONTRIBUTING: list[tuple[str, str, object]] = [
    ("POST", "/proposals", addition("sneaked")),
    ("GET", "/proposals", None),
    ("GET", "/proposals/1", None),
    ("PUT", "/proposals/1?revision=1", addition("sneaked")),
    ("POST", "/proposals/1/withdraw", None),
]
READING = ["/", "/queries", "/changes", "/changes/1", "/sparql?query=ASK%7B%7D"]


@pytest.fixture(scope="module")
def door(sample_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDoor]:
    with serve_door(sample_settings.store, tmp_path_factory.mktemp("door")) as served:
        assert served.ask("POST", "/proposals", addition("waiting"), by="anna").status_code == 201
        yield served


@pytest.fixture(autouse=True)
def no_trace(door: ServedDoor) -> Iterator[None]:
    """Neither graph nor history nor proposals are other than before."""

    def traces() -> object:
        proposals = Proposals(door.folder.path / "proposals.sqlite")
        waiting = proposals.find()
        return (
            door.folder.current_name(),
            door.state(),
            door.numbers(),
            waiting,
            [proposals.revisions(p.id) for p in waiting],
        )

    before = traces()
    yield
    assert traces() == before
    assert door.leftovers() == []


def tokens(door: ServedDoor) -> Tokens:
    return Tokens(door.folder.path / "tokens.sqlite")


def revoked(door: ServedDoor) -> str:
    secret = tokens(door).make("eve", "curator", days=1)
    tokens(door).revoke("eve")
    return secret


def expired(door: ServedDoor) -> str:
    secret = tokens(door).make("frank", "curator", days=1)
    with tokens(door)._file.writing() as connection:
        connection.execute("UPDATE token SET expires = '2020-01-01T00:00:00+00:00' WHERE name = 'frank'")
    return secret


def refused(door: ServedDoor) -> dict[str, str]:
    """What may stand in the header and opens nothing."""
    good = door.secrets["cleo"]
    return {
        "revoked": f"Bearer {revoked(door)}",
        "expired": f"Bearer {expired(door)}",
        "mistyped": f"Bearer {good[:-1]}{'0' if good[-1] != '0' else '1'}",
        "cut off": f"Bearer {good[:-9]}",
        "of another store": f"Bearer {Tokens(Path(door.log.parent) / 'other.sqlite').make('cleo', 'curator', days=1)}",
        "nothing": "Bearer",
        "another scheme": f"Basic {good}",
        "no scheme": good,
        "twice": f"Bearer {good} {good}",
        "parameters": f'Bearer token="{good}"',
        "long": "Bearer " + "x" * 6_000,
        "its digest": f"Bearer {hashlib.sha256(good.encode()).hexdigest()}",
    }


def is_refusal(answer: httpx.Response, status: int) -> bool:
    challenge = answer.headers.get("WWW-Authenticate", "")
    return answer.status_code == status and (status != 401 or challenge.startswith("Bearer"))


@pytest.mark.parametrize(("method", "path", "body"), CURATING + CONTRIBUTING)
def test_without_a_valid_token_it_is_401(door: ServedDoor, method: str, path: str, body: object) -> None:
    assert is_refusal(door.ask(method, path, body), 401)
    for kind, header in refused(door).items():
        assert is_refusal(door.ask(method, path, body, headers={"Authorization": header}), 401), kind


@pytest.mark.parametrize(("method", "path", "body"), CURATING)
def test_a_contributor_does_not_curate(door: ServedDoor, method: str, path: str, body: object) -> None:
    answer = door.ask(method, path, body, by="anna")
    assert is_refusal(answer, 403)
    assert "curator" in answer.json()["detail"]


def test_nobody_is_told_what_is_wrong_with_a_body_that_they_may_not_send(door: ServedDoor) -> None:
    for body in (b"", b"\xff\xfe", b"#" * 11_000_000):
        assert is_refusal(door.ask("POST", "/assertions", body), 401)
        assert is_refusal(door.ask("PUT", DOCUMENT, body, by="anna"), 403)
    assert is_refusal(door.ask("POST", "/assertions?mode=nonsense", b"x", form="image/png"), 401)
    assert is_refusal(door.ask("POST", "/changes/1000000/undo"), 401)
    assert is_refusal(door.ask("GET", "/proposals/1000000"), 401)


def test_a_token_in_the_address_or_the_body_opens_nothing(door: ServedDoor) -> None:
    secret = door.secrets["cleo"]
    for path in (f"/assertions?access_token={secret}", f"/assertions?token={secret}"):
        assert is_refusal(door.ask("POST", path, addition("sneaked")), 401)
    body = f"access_token={secret}".encode()
    assert is_refusal(door.ask("POST", "/assertions", body, form="application/x-www-form-urlencoded"), 401)
    assert is_refusal(door.ask("POST", "/assertions", addition("x"), headers={"Cookie": f"token={secret}"}), 401)


@pytest.mark.parametrize("path", READING)
def test_reading_is_open_to_everybody_and_to_other_sites(door: ServedDoor, path: str) -> None:
    answer = door.ask("GET", path, headers={"Origin": "https://example.org"})
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    head = door.ask("HEAD", path)
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(("method", "path", "body"), CURATING + CONTRIBUTING)
def test_other_sites_do_not_write(door: ServedDoor, method: str, path: str, body: object) -> None:
    origin = {"Origin": "https://example.org"}
    asked = origin | {
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization, content-type",
    }
    preflight = door.ask("OPTIONS", path, headers=asked)
    assert preflight.status_code == 204
    assert "Access-Control-Allow-Headers" not in preflight.headers
    assert "Access-Control-Allow-Methods" not in preflight.headers
    assert "Access-Control-Allow-Credentials" not in preflight.headers
    if method != "GET":
        assert "Access-Control-Allow-Origin" not in door.ask(method, path, body, headers=origin).headers


@pytest.mark.parametrize("path", ["/assertions", "/retractions", DOCUMENT, "/changes/1/undo", "/proposals/decisions"])
def test_to_ask_for_the_head_of_a_writing_address_does_nothing(door: ServedDoor, path: str) -> None:
    before = door.state()
    shown = (200,) if path == DOCUMENT else (404, 405)  # a document is read at the address where it is put
    assert door.ask("HEAD", path, by="cleo").status_code in shown
    assert door.ask("GET", path, by="cleo").status_code in shown
    assert door.ask("DELETE", path, by="cleo").status_code in (404, 405)
    assert door.state() == before


def test_checking_needs_no_token_and_a_bad_one_does_no_harm(door: ServedDoor) -> None:
    assert door.ask("POST", "/validate", addition("x")).json()["conforms"]
    assert door.ask("POST", "/validate", addition("x"), headers={"Authorization": "Bearer x"}).json()["conforms"]


def test_a_token_that_is_revoked_ends_at_once(door: ServedDoor) -> None:
    secret = tokens(door).make("grace", "curator", days=None)
    header = {"Authorization": f"Bearer {secret}"}
    assert door.ask("GET", "/proposals", headers=header).status_code == 200
    tokens(door).revoke("grace")
    assert is_refusal(door.ask("GET", "/proposals", headers=header), 401)


def test_the_secret_is_in_no_answer_no_log_and_no_file(door: ServedDoor) -> None:
    secrets = [*door.secrets.values(), revoked(door), expired(door)]
    answers = []
    for secret in secrets:
        header = {"Authorization": f"Bearer {secret}"}
        for method, path, body in (
            ("GET", "/proposals", None),
            ("POST", "/assertions", b"\xff"),
            ("POST", "/retractions", {"assertion": secret, "reason": "x"}),
            ("POST", "/proposals/decisions", {"accept": []}),
            ("GET", f"/proposals/{secret}", None),
        ):
            answers.append(door.ask(method, path, body, headers=header))
    time.sleep(0.2)
    told = [(a.text, str(a.headers)) for a in answers if a.status_code != 404]
    written = [p for p in [door.log, *door.folder.path.rglob("*")] if p.is_file()]
    assert len(written) > 5
    for secret in secrets:
        private = secret.split("_", 2)[2]
        assert not any(private in text or private in headers for text, headers in told)
        for path in written:
            assert private.encode() not in path.read_bytes(), path
