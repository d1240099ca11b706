"""What the tests of the door send: small additions to the sample, in every syntax."""

from __future__ import annotations

import pyoxigraph as ox

from kg.names import ID, document_graph
from loaders.records import parse_record
from loaders.syntaxes import find_syntax
from tests.conftest import SAMPLE

REPLY = ID + "reply-from-borduria"
REPLY_GRAPH = document_graph(REPLY)
BRIDGE = ID + "bridge-toll"
FORMS = ("yaml", "ttl", "trig", "nt", "nq", "jsonld", "rdf")

_HEAD = """to: reply-from-borduria
defaults:
  coder: whosays-team
  coded: 2026-11-22
  status: published
  holderBasis: named
  polarity: affirms
  certainty: unhedged
  basis: stated
assertions:
"""


def assertion(key: str, **changes: str) -> str:
    """Return an entry of a record: the ambassador asserts something that nobody else does.

    Parameters:
        key: of the assertion in his reply.
        changes: keys of the entry that are to be others or to come beside; an empty value takes one away.
    """
    said = {
        "id": f"reply-from-borduria/{key}",
        "holder": "kazimir-vlastok",
        "act": "states",
        "evidencedBy": "reply-from-borduria/562-634",
    }
    if "reports" not in changes:
        said["proposition"] = (
            f"{{id: view-{key}, type: Evaluation, gloss: The receipt called {key} is clear., "
            "about: tellbruck-toll, evaluated: tellbruck-toll, valence: positive}"
        )
    lines = [f"{name}: {value}" for name, value in (said | changes).items() if value]
    return "  - " + "\n    ".join(lines) + "\n"


def addition(key: str, *more: str, **changes: str) -> bytes:
    """Return an addition to the ambassador's reply.

    Parameters:
        key: of its first assertion.
        more: further entries; see `assertion`.
        changes: of its first assertion.
    """
    return (_HEAD + assertion(key, **changes) + "".join(more)).encode()


def quads_of(record: bytes) -> tuple[ox.Quad, ...]:
    """Return what an addition says, each statement in its graph."""
    return parse_record(record.decode(), "a.yaml", lambda _: (["kazimir-vlastok"], [])).quads


def as_form(record: bytes, form: str) -> bytes:
    """Return what an addition says in another syntax; in its graphs where the syntax has graphs."""
    syntax = find_syntax(form)
    if syntax.rdf_format is None:
        return record
    quads = quads_of(record)
    data = (
        ox.serialize(quads, format=syntax.rdf_format)
        if form in ("trig", "nq")
        else ox.serialize((q.triple for q in quads), format=syntax.rdf_format)
    )
    return data or b""


def reply_record(*, without: str = "", old: str = "", new: str = "") -> bytes:
    """Return the record of the ambassador's reply.

    Parameters:
        without: key of an assertion that is to be left out, with the contents that it defines.
        old, new: text to exchange, once.
    """
    text = (SAMPLE / "records" / "documents" / "reply-from-borduria.yaml").read_text("utf-8")
    if without:
        start = text.index(f"  - id: reply-from-borduria/{without}\n")
        ends = [text.find(mark, start + 1) for mark in ("\n  - id: ", "\n  # ", "\n\n")]
        text = text[:start] + text[min(end for end in ends if end > 0) + 1 :]
    assert old in text
    return text.replace(old, new, 1).encode()


def iri(name: str) -> ox.NamedNode:
    """Return the node that a name stands for."""
    return ox.NamedNode(ID + name)
