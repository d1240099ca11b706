"""Verifying: what was sent to the door, held against the texts.

A record of a whole document says which text it is made from. An addition, and RDF from elsewhere,
name a document that is published, so the digest of its text is looked up there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pyoxigraph as ox

from kg.change import View
from kg.errors import TextError
from kg.names import WS
from loaders.corpus import Verification, verify_texts
from loaders.foreign import Content
from loaders.records import Record
from loaders.texts import Texts

_IN_DOCUMENT, _DIGEST = ox.NamedNode(WS + "inDocument"), ox.NamedNode(WS + "digest")


class PassageErrors(TextError):
    """Passages that do not match their text.

    Parameters:
        problems: the single errors, at least one.
    """

    def __init__(self, problems: Sequence[TextError]) -> None:
        self.problems = list(problems)
        super().__init__(problems[0].problem, mend=problems[0].mend, place=problems[0].place)

    def __str__(self) -> str:
        return "\n".join(str(p) for p in self.problems)


def check_contents(contents: Iterable[Content], store: ox.Store, folder: Path | None) -> None:
    """See that the passages of what was sent match the texts, as far as these are there.

    Parameters:
        contents: what was sent.
        store: what is published.
        folder: of the texts.

    Raises:
        PassageErrors: one does not.
    """
    if folder is None or not folder.is_dir():
        return
    stamp = tuple(sorted((path.name, path.stat().st_mtime_ns) for path in folder.glob("*.txt")))
    problems = [p for v in verify_contents(contents, store, _texts(folder, stamp)) for p in v.problems]
    if problems:
        raise PassageErrors(problems)


@lru_cache(maxsize=2)
def _texts(folder: Path, _stamp: tuple[tuple[str, int], ...]) -> Texts:
    return Texts(folder)


def verify_contents(contents: Iterable[Content], store: ox.Store, texts: Texts) -> list[Verification]:
    """Hold every passage of what was sent against the user's copies of the texts.

    Parameters:
        contents: what was sent.
        store: what is published.
        texts: the copies.

    Returns:
        One verification for each record of a document, and for each document of which other content has passages.

    >>> verify_contents([], ox.Store(), Texts(None))
    []
    """
    return verify_texts((record for content in contents for record in _records(content, View(store))), texts)


def _records(content: Content, view: View) -> Iterator[Record]:
    if content.record is not None and content.record.document is not None:
        yield content.record
        return
    lines = {iri: {"": line} for iri, line in content.lines.items()}
    record = content.record or Record(content.name, None, content.quads, "", lines)
    documents = {q.object for q in content.quads if q.predicate == _IN_DOCUMENT and isinstance(q.object, ox.NamedNode)}
    for document in sorted(documents, key=str):
        sent = {q for q in content.quads if q.subject == document and q.predicate == _DIGEST}
        digest = sent or {ox.Quad(document, _DIGEST, d) for d in view.objects(document, _DIGEST)}
        if digest:  # else it is coded from no text, or nobody knows of it
            yield replace(record, document=document.value, quads=(*content.quads, *digest))
