"""Visitors: who is signed in to the pages, and which language they like names in.

Signing in puts the token (`kg.tokens`) into a cookie that scripts cannot read and that no other site can have sent
(HttpOnly, SameSite=Strict, Secure where the page came by HTTPS). Nothing is kept on the server, so a token that is
revoked or expires signs out at once, everywhere.

Against forged requests a second token goes with everything that changes something: a keyed hash of the first, which
pages carry in their forms and scripts in a header. Who forges a request has neither.

Source: OWASP Cross-Site Request Forgery Prevention Cheat Sheet, "HMAC CSRF token";
https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlsplit

from flask import Response, current_app, g, request
from markupsafe import Markup
from werkzeug.exceptions import Forbidden

from kg.languages import LANGUAGES
from kg.settings import Settings
from kg.tokens import Bearer, Tokens, is_token

COOKIE = "whosays-token"
LANGUAGE_COOKIE = "whosays-language"
FIELD = "csrf"
HEADER = "X-CSRF-Token"

LIFE = 12 * 3600
"""Seconds for which one stays signed in."""


def visitor() -> Bearer | None:
    """Return who is signed in with a cookie; None where nobody is, or the token is good no longer."""
    if "visitor" not in g:
        secret = request.cookies.get(COOKIE, "")
        g.visitor = the_tokens().check(secret) if is_token(secret) else None
    found = g.visitor
    assert found is None or isinstance(found, Bearer)
    return found


def csrf_token() -> str:
    """Return what a request that changes something must bring along; empty where nobody is signed in."""
    return csrf_of(request.cookies[COOKIE]) if visitor() else ""


def csrf_of(secret: str) -> str:
    """Return the token against forged requests that belongs to a token.

    >>> csrf_of("a") == csrf_of("a"), csrf_of("a") == csrf_of("b"), len(csrf_of("a"))
    (True, False, 64)
    """
    return hmac.new(secret.encode(), b"whosays csrf", hashlib.sha256).hexdigest()


def csrf_field() -> Markup:
    """Return the hidden field that forms carry."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, csrf_token())


def check_csrf() -> None:
    """See that a request that changes something was made by one of our pages.

    Raises:
        Forbidden: it has no token against forgery, or a wrong one (403).
    """
    given = request.headers.get(HEADER, "")
    if not given and request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
        given = request.form.get(FIELD, "")
    if not hmac.compare_digest(given.encode("utf-8", "replace"), csrf_token().encode()):
        raise Forbidden("this request does not come from one of our pages; load the page again, and send it once more")


def sign_in(response: Response, secret: str) -> Bearer | None:
    """Sign in with a token.

    Parameters:
        response: gets the cookie.
        secret: the token as it was typed.

    Returns:
        Who that is; None, and no cookie, where the token is no good.
    """
    found = the_tokens().check(secret) if is_token(secret) else None
    if found is not None:
        response.set_cookie(COOKIE, secret, max_age=LIFE, httponly=True, samesite="Strict", secure=_is_secure())
    return found


def sign_out(response: Response) -> None:
    """Take the cookie away."""
    response.delete_cookie(COOKIE, httponly=True, samesite="Strict", secure=_is_secure())


def language() -> str:
    """Return the tag of the language in which the visitor likes names: chosen, else the browser's, else English."""
    chosen = request.args.get("lang", "") or request.cookies.get(LANGUAGE_COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    return request.accept_languages.best_match(list(LANGUAGES), "en") or "en"


def keep_language(response: Response) -> None:
    """Remember the language that an address chose by `?lang=`."""
    chosen = request.args.get("lang", "")
    if chosen in LANGUAGES and chosen != request.cookies.get(LANGUAGE_COOKIE):
        response.set_cookie(LANGUAGE_COOKIE, chosen, max_age=31_536_000, samesite="Lax", secure=_is_secure())


def own_address(address: str) -> str:
    """Return an address of ours to go on to; the home page where it is none.

    Parameters:
        address: what somebody's link says.

    >>> own_address("/review?state=open"), own_address("//evil.example"), own_address("https://evil.example/")
    ('/review?state=open', '/', '/')
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    ours = not parts.scheme and not parts.netloc and address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if ours and address.isprintable() and "\\" not in address else "/"


def _is_secure() -> bool:
    return request.is_secure or (_settings().base or "").startswith("https:")


def the_tokens() -> Tokens:
    """Return the tokens of the store that is served."""
    return Tokens(_settings().store / "tokens.sqlite")


def _settings() -> Settings:
    settings = current_app.config["SETTINGS"]
    assert isinstance(settings, Settings)
    return settings
