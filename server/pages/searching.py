"""Searching: agents, documents, issues, contents, passages and everything else that has a name.

    GET /search?q=&kind=&page=     a page for people; JSON with `format=json`

Names are found in all languages and scripts, also by a part of them; the words of passages where the server has the
texts. The index (`kg.index`) does the work.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request

from kg.errors import ParameterError
from kg.labels import find_labels
from server.asked import asked_number
from server.reader import the_reader
from server.visitors import language

searching = Blueprint("searching", __name__)

PAGE = 20
"""Hits on one page."""

LONGEST = 1_000
"""Characters that can be looked for."""

KINDS = {
    "agent": "Agents", "document": "Documents", "issue": "Issues", "proposition": "Contents", "passage": "Passages",
    "factor": "Factors", "other": "Offices, agreements, events, places", "concept": "Concepts",
}  # fmt: skip
"""Kinds of things, as they are called on the page."""

ONE = {
    "agent": "agent", "document": "document", "issue": "issue", "proposition": "content", "passage": "passage",
    "factor": "factor", "other": "register", "concept": "concept",
}  # fmt: skip
"""What stands beside one of them."""


@searching.get("/search")
def search() -> str | Response:
    """What has these words."""
    words = request.args.get("q", "").strip()
    kinds = [kind for kind in request.args.getlist("kind") if kind]
    if len(words) > LONGEST:
        raise ParameterError(f"`q` has {len(words):,} characters", mend=f"look for at most {LONGEST:,}")
    if wrong := [kind for kind in kinds if kind not in KINDS]:
        raise ParameterError(f"there is no kind `{wrong[0][:40]}`", mend=f"use one of: {', '.join(KINDS)}")
    page = asked_number("page", 1, least=1, most=10_000)
    reader = the_reader()
    with reader.snapshot() as snapshot:
        index = reader.index_of(snapshot)
        found = index.search(words, kinds=kinds, language=language(), limit=PAGE, offset=(page - 1) * PAGE)
        if request.args.get("format") == "json":
            told = {"total": found.total, "counts": dict(found.counts), "hits": [asdict(hit) for hit in found.hits]}
            return Response(json.dumps(told, ensure_ascii=False) + "\n", mimetype="application/json")
        return render_template(
            "search.html",
            words=words,
            kinds=KINDS,
            one=ONE,
            chosen=kinds,
            found=found,
            names=find_labels(snapshot, [hit.document for hit in found.hits if hit.document], language()),
            page=page,
            pages=max(1, -(-found.total // PAGE)),
            address=_address,
        )


def _address(**changed: object) -> str:
    told = [("q", request.args.get("q", "")), *(("kind", kind) for kind in request.args.getlist("kind") if kind)]
    told = [(name, value) for name, value in told if name not in changed]
    return "/search?" + urlencode([*told, *((name, str(value)) for name, value in changed.items() if value)])
