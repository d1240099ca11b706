"""Superseding: saying, of content that does not say it itself, which assertion takes the place of an old one."""

from __future__ import annotations

from dataclasses import replace

import pyoxigraph as ox

from kg.change import View
from kg.errors import NotFoundError, ParameterError, Place
from kg.names import RDF, WS, shorten
from loaders.foreign import Content

_TYPE = ox.NamedNode(RDF + "type")
_ASSERTION = ox.NamedNode(WS + "Assertion")
_REPORTS, _SUPERSEDES = ox.NamedNode(WS + "reports"), ox.NamedNode(WS + "supersedes")


def supersede(content: Content, old: str, store: ox.Store) -> Content:
    """Let the one assertion of some content supersede a published one.

    Reports do not count, and neither does what supersedes another already. Content that says itself
    what supersedes the old assertion is left as it is.

    Parameters:
        content: what was sent, an addition.
        old: IRI of the assertion that is superseded.
        store: what is published.

    Returns:
        The content, with one statement more.

    Raises:
        NotFoundError: no such assertion is published.
        ParameterError: the content is a whole document, or it does not tell which assertion is meant.

    >>> graph = ox.NamedNode("https://w3id.org/whosays/graph/d")
    >>> store = ox.Store()
    >>> store.add(ox.Quad(ox.NamedNode("ex:old"), _TYPE, _ASSERTION, graph))
    >>> content = Content("d.nt", "nt", (ox.Quad(ox.NamedNode("ex:new"), _TYPE, _ASSERTION),))
    >>> [quad.object.value for quad in supersede(content, "ex:old", store).quads[1:]]
    ['ex:old']
    """
    name, node = shorten(old), ox.NamedNode(old)
    if not View(store).has(node, _TYPE, _ASSERTION):
        raise NotFoundError(f"there is no assertion `{name}`", mend="check the spelling")
    if content.record is not None and content.record.document is not None:
        raise ParameterError(
            f"{content.name} is the whole record of a document, which takes the place of all that is said of it",
            mend="write an addition (`to:` with the document's name); or alter the record and publish it",
        )
    said = {(q.subject, q.predicate) for q in content.quads}
    if any(q.predicate == _SUPERSEDES and q.object == node for q in content.quads):
        return content
    new = [
        q
        for q in content.quads
        if q.predicate == _TYPE
        and q.object == _ASSERTION
        and (q.subject, _REPORTS) not in said
        and (q.subject, _SUPERSEDES) not in said
    ]
    if len(new) != 1:
        names = ", ".join(sorted(shorten(str(q.subject).strip("<>")) for q in new)) or "none"
        raise ParameterError(
            f"{len(new)} assertions could supersede `{name}`: {names}",
            mend=f"write `supersedes: {name}` into the assertion that takes its place",
            place=Place(content.name),
        )
    return replace(content, quads=(*content.quads, ox.Quad(new[0].subject, _SUPERSEDES, node, new[0].graph_name)))
