"""Proposals over HTTP: contributors send them, curators decide.

    POST /proposals                 propose the body                        (contributor)
    GET  /proposals, /proposals/ID  those that one may see: one's own, a curator all
    PUT  /proposals/ID?revision=N   a new version, by its contributor or a curator
    POST /proposals/ID/withdraw     by its contributor
    POST /proposals/decisions       accept or reject, one or many           (curator)

A proposal is judged when it comes in, by what is published then, and again when it is accepted.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import partial

from flask import Blueprint, Response, request
from werkzeug.exceptions import Forbidden

from kg.errors import MalformedError, ParameterError
from kg.names import expand
from kg.proposals import Proposal, Proposals
from kg.tokens import Bearer
from loaders import deciding
from loaders.judging import Verdict, judge_submissions, plan_quads
from loaders.submissions import Submission
from server.access import needs
from server.door import json_response, read_body, read_object, show_verdict, the_door
from server.telling import tell_proposal

MAX_WORDS = 10_000
"""Characters that a note or a reason may have."""

proposals = Blueprint("proposals", __name__)


def the_proposals() -> Proposals:
    """Return the proposals of the store that is served."""
    return Proposals(the_door().settings.store / "proposals.sqlite")


@proposals.post("/proposals")
def propose() -> Response:
    """Put the body among the proposals: 201; 422 with the report where it does not conform."""
    who = needs("contributor")
    note = read_words("note", request.args.get("note", ""))
    submission, verdict = _judge(who)
    if not verdict.conforms:
        return show_verdict(verdict, 422)
    proposal = deciding.propose(the_proposals(), who.name, submission, verdict, note=note)
    response = json_response(asdict(proposal), 201)
    response.headers["Location"] = f"/proposals/{proposal.id}"
    return response


@proposals.get("/proposals")
def list_proposals() -> Response:
    """List proposals: `state=`, `contributor=`, `document=`, `after=`, `limit=`."""
    who = needs("contributor")
    given = request.args
    own = None if who.may("curator") else who.name
    if own and given.get("contributor", own) != own:
        raise Forbidden("a contributor sees the own proposals only")
    document = given.get("document")
    found = the_proposals().find(
        state=given.get("state"),  # type: ignore[arg-type]
        contributor=own or given.get("contributor"),
        document=expand(document) if document else None,
        after=_whole(given.get("after", "0")),
        limit=_whole(given.get("limit", "50")),
    )
    return json_response([asdict(p) for p in found])


@proposals.get("/proposals/<int:number>")
def show_proposal(number: int) -> Response:
    """Tell one proposal, with every version of its content."""
    who = needs("contributor")
    proposal = _visible(who, number)
    return json_response(tell_proposal(proposal, the_proposals().revisions(number)))


@proposals.put("/proposals/<int:number>")
def edit_proposal(number: int) -> Response:
    """Put a new version of a proposal in front of the old ones; `revision=` names the one that was seen."""
    who = needs("contributor")
    _visible(who, number)
    revision = _whole(request.args.get("revision", ""))
    submission, verdict = _judge(who)
    if not verdict.conforms:
        return show_verdict(verdict, 422)
    edited = deciding.revise(the_proposals(), number, revision, who.name, submission, verdict)
    return json_response(asdict(edited))


@proposals.post("/proposals/<int:number>/withdraw")
def withdraw_proposal(number: int) -> Response:
    """Withdraw one's own proposal."""
    who = needs("contributor")
    if the_proposals().get(number).contributor != who.name:
        raise Forbidden("a proposal is withdrawn by its contributor; a curator rejects it")
    return json_response(asdict(the_proposals().withdraw(number, who.name)))


@proposals.post("/proposals/decisions")
def decide() -> Response:
    """Accept or reject proposals, all or none.

    JSON: `{"accept": [{"id": 1, "revision": 1}]}` or `{"reject": [{"id": 2, "revision": 1}], "reason": "..."}`.
    """
    who = needs("curator")
    told = read_object()
    accept, reject = told.get("accept"), told.get("reject")
    if (accept is None) == (reject is None):
        raise MalformedError("a decision has either `accept` or `reject`", mend="send one request for each")
    ids, revisions = _chosen(accept if reject is None else reject)
    if reject is not None:
        reason = told.get("reason")
        if not isinstance(reason, str):
            raise MalformedError("there is no `reason`", mend="say why, for the contributor to read")
        decided = the_proposals().reject(ids, who.name, read_words("reason", reason), revisions=revisions)
        return json_response([asdict(p) for p in decided])
    the_door().cells()  # to start them takes seconds, and while we decide nobody else can
    publish = partial(the_door().publish, plan_quads)
    outcome = deciding.accept_proposals(the_proposals(), ids, revisions, who.name, publish)
    if isinstance(outcome, Verdict):
        return show_verdict(outcome, 422)
    return json_response([asdict(p) for p in outcome])


def read_words(name: str, text: str) -> str:
    """Return words that somebody sends, such as a reason.

    Parameters:
        name: of what they are.
        text: the words.

    Raises:
        ParameterError: they are too many.

    >>> read_words("reason", "Misread.")
    'Misread.'
    """
    if len(text) > MAX_WORDS:
        raise ParameterError(f"`{name}` has {len(text):,} characters", mend=f"say it in at most {MAX_WORDS:,}")
    return text


def _judge(who: Bearer) -> tuple[Submission, Verdict]:
    submission = read_body()
    verdict = the_door().cells().run(judge_submissions, the_door().settings.store, [submission], who.agent)
    return submission, verdict


def _visible(who: Bearer, number: int) -> Proposal:
    proposal = the_proposals().get(number)
    if proposal.contributor != who.name and not who.may("curator"):
        raise Forbidden("a contributor sees the own proposals only")
    return proposal


def _chosen(given: object) -> tuple[list[int], list[int]]:
    mend = 'name each as {"id": 1, "revision": 1}'
    if not isinstance(given, list) or not given:
        raise MalformedError("no proposals are named", mend=mend)
    ids, revisions = [], []
    for one in given:
        if not isinstance(one, dict) or not all(type(one.get(key)) is int for key in ("id", "revision")):
            raise MalformedError("a proposal is not named by id and revision", mend=mend)
        ids.append(one["id"])
        revisions.append(one["revision"])
    return ids, revisions


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 15:
        raise ParameterError(f"`{text[:40]}` is no whole number", mend="give one, such as 1")
    return int(text)
