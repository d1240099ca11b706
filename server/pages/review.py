"""Reviewing proposals in the browser: beside their passages, one by one or many at once.

    GET  /review?state=&contributor=&document=&after=   the queue; who contributes sees the own proposals
    POST /review                                        accept, reject with a reason, withdraw; leads back

What is decided here is decided as over ``/proposals/decisions``, by the same functions; the page only shows it.
Without script every card has its buttons; the island `review` adds the keyboard.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response as BaseResponse

from kg.errors import ParameterError, WhosaysError
from kg.names import ID, expand
from kg.proposals import Proposal
from kg.tokens import Bearer
from loaders import deciding
from loaders.judging import Verdict, plan_quads
from server.access import needs
from server.asked import asked_number
from server.door import the_door
from server.pages.proposed import Proposed, read_proposed
from server.proposals import read_words, the_proposals
from server.reader import the_reader
from server.reading.cards import KIND_NAMES
from server.telling import source_text
from server.visitors import language, visitor

review = Blueprint("review", __name__)

PAGE = 20
"""Proposals on one page."""

STATES = ("waiting", "accepted", "rejected", "withdrawn")


@dataclass(frozen=True)
class Card:
    """A proposal as it is shown.

    Parameters:
        proposal: what is known of it.
        said: what it would add.
        source: as it was sent, where it is text.
        edit: address of the page that edits it.
    """

    proposal: Proposal
    said: Proposed
    source: str
    edit: str

    @property
    def key(self) -> str:
        """Number and revision, as the page sends them back."""
        return f"{self.proposal.id}.{self.proposal.revision}"


@review.get("/review")
def show_queue() -> BaseResponse | str:
    """The queue of proposals; who is not signed in is led to where one signs in."""
    if visitor() is None:
        return redirect("/signin?" + urlencode({"next": request.full_path.removesuffix("?")}), 303)
    return _show(needs("contributor"))


@review.post("/review")
def decide() -> BaseResponse:
    """Do what the button says: 303 back to the queue; the queue with what is wrong, where it cannot be done."""
    who = needs("contributor")
    button, _, single = request.form.get("do", "").partition(" ")
    chosen = [single] if single else request.form.getlist("chosen")
    try:
        done = _decide(who, button, chosen)
    except WhosaysError as error:
        return Response(_show(who, problem=error), 409)
    if isinstance(done, Verdict):
        return Response(_show(who, verdict=done), 422)
    told = {"done": button, "numbers": ",".join(str(p.id) for p in done)}
    kept = {name: request.args[name] for name in ("state", "contributor", "document") if request.args.get(name)}
    return redirect("/review?" + urlencode(kept | told), 303)


def _decide(who: Bearer, button: str, chosen: list[str]) -> list[Proposal] | Verdict:
    if not chosen:
        raise ParameterError("no proposal is chosen", mend="tick those that are meant")
    pairs = [key.partition(".") for key in chosen]
    if not all(a.isdecimal() and b.isdecimal() and len(a) < 16 and len(b) < 16 for a, _, b in pairs):
        raise ParameterError("what was chosen is no proposal", mend="load the page again")
    ids, revisions = [int(a) for a, _, _ in pairs], [int(b) for _, _, b in pairs]
    if button == "withdraw":
        for number in ids:
            if the_proposals().get(number).contributor != who.name:
                raise Forbidden("a proposal is withdrawn by its contributor; a curator rejects it")
        return [the_proposals().withdraw(number, who.name) for number in ids]
    if not who.may("curator"):
        raise Forbidden("a curator decides")
    if button == "accept":
        the_door().cells()
        publish = partial(the_door().publish, plan_quads)
        return deciding.accept_proposals(the_proposals(), ids, revisions, who.name, publish)
    if button == "reject":
        # A card's own field goes before the one for many.
        reason = (request.form.get(f"reason-{chosen[0]}", "") if len(ids) == 1 else "") or request.form.get(
            "reason", ""
        )
        if not reason.strip():
            raise ParameterError("there is no reason", mend="say why, for the contributor to read")
        return the_proposals().reject(ids, who.name, read_words("reason", reason.strip()), revisions=revisions)
    raise ParameterError(f"`{button[:40]}` is nothing that can be done", mend="accept, reject or withdraw")


def _show(who: Bearer, *, problem: WhosaysError | None = None, verdict: Verdict | None = None) -> str:
    given = request.args
    state = given.get("state", "waiting")
    own = None if who.may("curator") else who.name
    document = given.get("document") or None
    found = the_proposals().find(
        state=None if state == "all" else state,  # type: ignore[arg-type]
        contributor=own or given.get("contributor") or None,
        document=expand(document) if document else None,
        after=asked_number("after", 0),
        limit=PAGE + 1,
    )
    shown, more = found[:PAGE], len(found) > PAGE
    reader = the_reader()
    with reader.snapshot() as snapshot:
        cards = []
        for proposal in shown:
            revision = the_proposals().content(proposal.id)
            said = read_proposed(revision.quads, snapshot, reader.texts, reader.settings, language())
            first = proposal.documents[0].removeprefix(ID) if proposal.documents else "-"
            cards.append(Card(proposal, said, source_text(revision), f"/code/{first}?proposal={proposal.id}"))
    last = shown[-1].id if shown else 0
    return render_template(
        "review.html",
        cards=cards,
        kind_names=KIND_NAMES,
        curates=who.may("curator"),
        who=who,
        state=state,
        states=(*STATES, "all"),
        next_page=_address(after=last) if more else None,
        problem=problem,
        verdict=verdict,
        done=given.get("done") if request.method == "GET" else None,
        numbers=given.get("numbers", "")[:200],
        around=given,
        here_with=_address,
    )


def _address(**changed: object) -> str:
    kept = {name: request.args[name] for name in ("state", "contributor", "document") if request.args.get(name)}
    return "/review?" + urlencode(kept | {name: str(value) for name, value in changed.items()})
