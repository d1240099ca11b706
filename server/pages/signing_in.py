"""Signing in to the pages with a token, and out again.

GET  /signin?next=/review   the form
POST /signin                signs in, and leads on
POST /signout               signs out
"""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response as BaseResponse

from server.visitors import check_csrf, own_address, sign_in, sign_out, visitor

signing_in = Blueprint("signing_in", __name__)


@signing_in.get("/signin")
def ask_token() -> str:
    """The form that asks for a token."""
    return render_template("signin.html", next=own_address(request.args.get("next", "/")), refused=False)


@signing_in.post("/signin")
def take_token() -> BaseResponse:
    """Sign in: 303 to where one wanted to go; 401 and the form again where the token is no good.

    Raises:
        Forbidden: another site sent this, to have the visitor act as somebody else (403).
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden("this does not come from our own page; open /signin and sign in there")
    onwards = own_address(request.form.get("next", "/"))
    response = redirect(onwards, 303, Response=Response)
    assert isinstance(response, Response)
    if sign_in(response, request.form.get("token", "").strip()) is None:
        return Response(render_template("signin.html", next=onwards, refused=True), 401)
    return response


@signing_in.post("/signout")
def leave() -> BaseResponse:
    """Sign out: 303 to the home page."""
    if visitor():
        check_csrf()
    response = redirect("/", 303, Response=Response)
    assert isinstance(response, Response)
    sign_out(response)
    return response
