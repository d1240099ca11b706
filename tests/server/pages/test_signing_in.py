"""Signing in to the pages: cookie, forged requests, revoked tokens, and where one goes on to."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from kg.settings import Settings
from kg.tokens import Tokens
from server.app import create_app
from server.visitors import COOKIE, csrf_of
from tests.conftest import SAMPLE


@pytest.fixture
def secret(store: Path) -> str:
    return Tokens(store / "tokens.sqlite").make("carla", "curator", days=None)


@pytest.fixture
def client(store: Path) -> FlaskClient:
    return create_app(Settings(store=store, texts=SAMPLE / "texts")).test_client()


def signed_in(client: FlaskClient, secret: str) -> FlaskClient:
    assert client.post("/signin", data={"token": secret}).status_code == 303
    return client


def test_the_cookie_cannot_be_read_by_scripts_nor_sent_by_other_sites(client: FlaskClient, secret: str) -> None:
    response = client.post("/signin", data={"token": f" {secret}\n", "next": "/explore?act=wants"})
    assert response.status_code == 303
    assert response.headers["Location"] == "/explore?act=wants"
    (cookie,) = [c for c in response.headers.getlist("Set-Cookie") if c.startswith(COOKIE)]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Secure" not in cookie  # this is the loopback, by plain HTTP


def test_behind_https_the_cookie_travels_by_https_alone(store: Path, secret: str) -> None:
    app = create_app(Settings(store=store, base="https://whosays.example.org"))
    assert "Secure" in app.test_client().post("/signin", data={"token": secret}).headers["Set-Cookie"]


@pytest.mark.parametrize("token", ["", "nonsense", "whosays_0123456789ab_" + "x" * 43 + "_00000000"])
def test_a_token_that_is_no_good_is_told_and_sets_nothing(client: FlaskClient, token: str) -> None:
    response = client.post("/signin", data={"token": token})
    assert response.status_code == 401
    assert "mistyped, unknown, expired or revoked" in response.text
    assert "Set-Cookie" not in response.headers
    if token:
        assert token not in response.text


@pytest.mark.parametrize(
    "onwards", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "\t//x"]
)
def test_nobody_is_led_to_another_site(client: FlaskClient, secret: str, onwards: str) -> None:
    assert client.post("/signin", data={"token": secret, "next": onwards}).headers["Location"] == "/"


def test_another_site_cannot_sign_somebody_in(client: FlaskClient, secret: str) -> None:
    response = client.post("/signin", data={"token": secret}, headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403


def test_who_is_signed_in_may_do_what_the_token_may_if_the_request_is_not_forged(
    client: FlaskClient, secret: str
) -> None:
    signed_in(client, secret)
    assert client.get("/proposals").status_code == 200
    forged = client.post("/retractions", json={"assertion": "nothing", "reason": "?"})
    assert forged.status_code == 403
    assert "does not come from one of our pages" in forged.text
    wrong = client.post("/retractions", json={}, headers={"X-CSRF-Token": "0" * 64})
    assert wrong.status_code == 403
    right = client.post(
        "/retractions", json={"assertion": "nothing", "reason": "?"}, headers={"X-CSRF-Token": csrf_of(secret)}
    )
    assert right.status_code == 404


def test_the_header_needs_no_token_against_forgery(client: FlaskClient, secret: str) -> None:
    answer = client.post(
        "/retractions", json={"assertion": "no", "reason": "?"}, headers={"Authorization": f"Bearer {secret}"}
    )
    assert answer.status_code == 404


def test_a_revoked_token_signs_out_at_once(client: FlaskClient, secret: str, store: Path) -> None:
    signed_in(client, secret)
    assert "carla" in client.get("/").text
    Tokens(store / "tokens.sqlite").revoke("carla")
    assert "carla" not in client.get("/").text
    assert client.get("/proposals").status_code == 401


def test_signing_out_takes_the_cookie_away_and_cannot_be_forged(client: FlaskClient, secret: str) -> None:
    signed_in(client, secret)
    assert client.post("/signout").status_code == 403
    assert client.post("/signout", data={"csrf": csrf_of(secret)}).status_code == 303
    assert client.get("/proposals").status_code == 401


def test_pages_carry_the_token_against_forgery_only_for_who_is_signed_in(client: FlaskClient, secret: str) -> None:
    assert "csrf-token" not in client.get("/").text
    assert csrf_of(secret) in signed_in(client, secret).get("/").text
    assert secret not in client.get("/").text


def test_names_are_asked_for_in_a_language_that_is_remembered(client: FlaskClient) -> None:
    response = client.get("/?lang=ko")
    assert "whosays-language=ko" in response.headers["Set-Cookie"]
    assert '<strong lang="ko">' in client.get("/").text
    assert "Set-Cookie" not in client.get("/?lang=<script>").headers
    assert '<strong lang="ja">' in create_app().test_client().get("/signin", headers={"Accept-Language": "ja"}).text
