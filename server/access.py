"""Who may: bearer tokens, as RFC 6750 has them.

Reading is open. Everything else names the role that it needs, before anything of the request is
looked at. A token is read from the header only, and never put into a message or a log.
"""

from __future__ import annotations

from flask import current_app, request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized

from kg.settings import Settings
from kg.tokens import Bearer, Role, Tokens


def bearer() -> Bearer | None:
    """Return who makes the request; None where it has no token that is known."""
    given = request.authorization
    if given is None or given.type != "bearer" or not given.token:
        return None
    settings = current_app.config["SETTINGS"]
    assert isinstance(settings, Settings)
    return Tokens(settings.store / "tokens.sqlite").check(given.token)


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
