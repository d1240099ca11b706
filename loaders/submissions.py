"""Submissions: what somebody sends to the door, from bytes to a draft that can be judged.

The way: bytes → content (`loaders.foreign`) → statements in their graphs (`loaders.placing`) →
draft (`kg.drafts`). A record of a whole document stands for the document: it replaces what is
published of it. Anything else is added, or, where that is asked for, takes the place of what is
said of the nodes that it speaks of; assertions are never overwritten, they are superseded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import pyoxigraph as ox

from kg import drafts
from kg.change import View, is_asserted, make_change
from kg.digests import text_digest
from kg.errors import ConflictError
from kg.names import ID, LINKS_GRAPH, RDF, WS, document_graph, shorten
from kg.provenance import Activity
from kg.publisher import Draft
from kg.reach import all_classes
from kg.units import Unit
from loaders.foreign import Content, read_content
from loaders.placing import place

Mode: TypeAlias = Literal["add", "replace"]
"""What is to become of what is said already of the nodes that a submission speaks of: it stays, or goes."""

_TYPE = ox.NamedNode(RDF + "type")
_ASSERTION, _DOCUMENT = ox.NamedNode(WS + "Assertion"), ox.NamedNode(WS + "Document")
_DIGEST = ox.NamedNode(WS + "digest")
_CREATOR, _PUBLISHER = ox.NamedNode(WS + "creator"), ox.NamedNode(WS + "publisher")
_DOCUMENT_OF = [ox.NamedNode(WS + name) for name in ("statedIn", "inDocument", "citingDocument")]


@dataclass(frozen=True)
class Submission:
    """What somebody sent.

    Parameters:
        data: the bytes.
        form: short name or media type of their syntax.
        name: of the file or request, for messages.
        mode: what becomes of what is said already.
        texts: folder of the texts that its passages are held against, where they are there.
    """

    data: bytes
    form: str
    name: str
    mode: Mode = "add"
    texts: Path | None = None


def read_submission(submission: Submission, store: ox.Store) -> Content:
    """Read a submission, as far as its syntax goes; see `loaders.foreign.read_content` for what it raises."""

    def voices(document: str) -> tuple[list[str], list[str]]:
        node = ox.NamedNode(document)
        view = View(store)
        return _names(view.objects(node, _CREATOR)), _names(view.objects(node, _PUBLISHER))

    return read_content(submission.data, submission.form, submission.name, voices=voices)


def draft_submission(submission: Submission, content: Content, store: ox.Store, *, agent: str) -> Draft:
    """Draft what a submission asks for.

    Parameters:
        submission: what was sent.
        content: what it says.
        store: the state to be changed.
        agent: IRI of who publishes.

    Raises:
        PlacingErrors: statements that may not be said, or belong nowhere.
        ConflictError: assertions would be overwritten, or a name is taken by something else.
    """
    view = View(store)
    record = content.record
    if record is not None and record.document is not None:
        unit = Unit(
            document_graph(record.document), record.document, frozenset(record.quads), record.digest, content.name
        )
        place(unit.quads, view, content.place)
        return drafts.replace(store, unit, agent=agent)
    quads = place(content.quads, view, content.place)
    documents = {q.subject for q in quads if q.predicate == _TYPE and q.object == _DOCUMENT}
    whole = [q.subject for q in quads if q.predicate == _DIGEST and q.subject in documents]
    if submission.mode == "replace" and len(whole) == 1 and isinstance(whole[0], ox.NamedNode):
        document = whole[0].value
        text = submission.data.decode("utf-8", "replace")
        unit = Unit(document_graph(document), document, quads, text_digest(text), content.name)
        return drafts.replace(store, unit, agent=agent)
    entries = record is not None and record.adds_to is None  # a record says all there is to say of an entry
    if submission.mode == "replace" or entries:
        return _replace_nodes(quads, store, agent=agent, source=content.name)
    _check_names(quads, view)
    return drafts.add(store, quads, agent=agent, source=content.name)


def concerned_documents(quads: Iterable[ox.Quad]) -> list[str]:
    """Return the IRIs of the documents that statements belong to, by name.

    >>> concerned_documents([ox.Quad(ox.NamedNode(ID + "d/a"), _DOCUMENT_OF[0], ox.NamedNode(ID + "d"))])
    ['https://w3id.org/whosays/id/d']
    """
    return sorted({q.object.value for q in quads if q.predicate in _DOCUMENT_OF and isinstance(q.object, ox.NamedNode)})


def _replace_nodes(quads: frozenset[ox.Quad], store: ox.Store, *, agent: str, source: str) -> Draft:
    nodes = {q.subject for q in quads if q.predicate == _TYPE}
    before = {q for n in nodes for q in store.quads_for_pattern(n, None, None) if is_asserted(q.graph_name) and _own(q)}
    assertions = {q.subject for q in before if q.predicate == _TYPE and q.object == _ASSERTION}
    altered = {q.subject for q in before ^ quads if q.subject in assertions}
    if altered:
        first = min(shorten(str(n).strip("<>")) for n in altered)
        raise ConflictError(
            f"the assertion `{first}` is published and would be overwritten",
            mend="give the new one a name of its own and let it `supersedes:` the old one",
        )
    change = make_change(store, quads, before)
    names = ", ".join(sorted(shorten(str(n).strip("<>")) for n in nodes)[:3])
    return Draft(change, Activity(agent, "replace", f"replaces what is said of {names}", source))


def _check_names(quads: Iterable[ox.Quad], view: View) -> None:
    """A name that is taken by something else would make one node of two."""
    for quad in sorted((q for q in quads if q.predicate == _TYPE), key=str):
        known = view.types(quad.subject)
        if known and isinstance(quad.object, ox.NamedNode) and quad.object.value not in all_classes(known):
            name = shorten(str(quad.subject).strip("<>"))
            raise ConflictError(
                f"the name `{name}` is taken: what is published under it is a {shorten(min(known))}, "
                f"not a {shorten(quad.object.value)}",
                mend="choose another name",
            )


def _own(quad: ox.Quad) -> bool:
    """Tell whether a statement goes with its node's description, and is no mapping to other data."""
    return quad.graph_name != ox.NamedNode(LINKS_GRAPH)


def _names(nodes: Iterable[object]) -> list[str]:
    return sorted(n.value.removeprefix(ID) for n in nodes if isinstance(n, ox.NamedNode))
