"""Who may: bearer tokens, as RFC 6750 has them.

Reading is open. Everything else names the role that it needs, before anything of the request is
looked at. A program sends its token in the header; who is signed in to the pages (`server.visitors`)
has it in a cookie, and then whatever changes something must come from one of our pages. A token is
never put into a message or a log.
"""

from __future__ import annotations

from flask import request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized

from kg.tokens import Bearer, Role
from server.visitors import check_csrf, the_tokens, visitor


def bearer() -> Bearer | None:
    """Return who makes the request, by header or else by cookie; None where it has no token that is known.

    Raises:
        Forbidden: the cookie came with a request that would change something and is not of our pages (403).
    """
    given = request.authorization
    if given is None or given.type != "bearer" or not given.token:
        found = visitor()
        if found is not None and request.method not in ("GET", "HEAD", "OPTIONS"):
            check_csrf()
        return found
    return the_tokens().check(given.token)


def needs(role: Role) -> Bearer:
    """Return who makes the request, if they may.

    Parameters:
        role: what is needed.

    Raises:
        Unauthorized: there is no token, or none that is valid (401).
        Forbidden: the token is for another role (403).
    """
    found = bearer()
    if found is None:
        realm = WWWAuthenticate("bearer", {"realm": "whosays"})
        raise Unauthorized(
            f"this needs a token of a {role}, valid and sent as `Authorization: Bearer ...`", www_authenticate=realm
        )
    if not found.may(role):
        raise Forbidden(f"this needs the role {role}; yours is {found.role}")
    return found
