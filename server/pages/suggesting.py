"""Suggestions: what somebody may mean, as they type, and the things that are called just so.

    GET /suggest?q=rur&class=Agent          things of a class of the ontology, several classes if it is given again
    GET /suggest?q=rur&kind=agent           things of a kind of the index (`kg.index.Hit`)

JSON: a list of `{"name", "iri", "label", "kind", "class", "matched", "value"}`, the likeliest first; `value` is what is
written into a form. Names are in the reader's language and are found in every language and script. Assertions,
which have no names, are those of `document=`, found by their contents.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyoxigraph as ox
from flask import Blueprint, Response, request

from kg.errors import ParameterError
from kg.index import HIT_KINDS, Hit
from kg.labels import find_labels
from kg.names import ID, RDF, WS, shorten
from kg.reach import all_classes
from kg.store import Snapshot
from kg.terms import terms
from kg.vocabulary import vocabulary
from server.asked import asked_number
from server.door import json_response
from server.reader import Reader, the_reader
from server.visitors import language

suggesting = Blueprint("suggesting", __name__)

LIMIT = 10
"""Suggestions at once."""

LONGEST_LABEL = 120
"""Characters of a name in a suggestion."""

_KIND_OF = {
    "Agent": "agent", "Document": "document", "Issue": "issue", "Proposition": "proposition", "Factor": "factor",
    "Passage": "passage", "RegisterEntry": "other",
}  # fmt: skip
_TYPE = ox.NamedNode(RDF + "type")
_MOST_WORDS = 300
_ASSERTIONS = """
SELECT ?assertion ?gloss WHERE {{
  ?assertion ws:statedIn {document} ; ws:reports*/ws:proposition/ws:gloss ?gloss .
  FILTER(CONTAINS(LCASE(STR(?gloss)), {words}) || CONTAINS(STR(?assertion), {words}))
}}
ORDER BY ?assertion
LIMIT {limit}"""


@dataclass(frozen=True)
class Suggestion:
    """A thing that may be meant.

    Parameters:
        name: its slug.
        iri: its IRI.
        label: what it is called.
        kind: its kind in the index.
        class_label: what it is, in words.
        matched: the name that was found, if another than the label.
    """

    name: str
    iri: str
    label: str
    kind: str
    class_label: str
    matched: str

    @property
    def value(self) -> str:
        """What is written into a form."""
        return form_value(self.name, self.label)


@suggesting.get("/suggest")
def show_suggestions() -> Response:
    """What somebody may mean by `q=`."""
    given = request.args
    classes = tuple(given.getlist("class"))
    kinds = [kind for text in given.getlist("kind") for kind in text.split(",")]
    for name in classes:
        if name not in vocabulary().classes:
            raise ParameterError(f"`{name[:60]}` is no class", mend="use one of the ontology's classes, such as Agent")
    for kind in kinds:
        if kind not in HIT_KINDS:
            raise ParameterError(f"`{kind[:60]}` is no kind", mend=f"use one of {', '.join(HIT_KINDS)}")
    limit = asked_number("limit", LIMIT, least=1, most=50)
    reader = the_reader()
    with reader.snapshot() as snapshot:
        found = suggest(
            reader,
            snapshot,
            given.get("q", ""),
            classes,
            kinds=kinds,
            document=given.get("document", ""),
            limit=limit,
            in_language=language(),
        )
    return json_response(
        [
            {
                "name": s.name,
                "iri": s.iri,
                "label": s.label,
                "kind": s.kind,
                "class": s.class_label,
                "matched": s.matched,
                "value": s.value,
            }
            for s in found
        ]
    )


def suggest(
    reader: Reader,
    snapshot: Snapshot,
    words: str,
    classes: Sequence[str] = (),
    *,
    kinds: Sequence[str] = (),
    document: str = "",
    limit: int = LIMIT,
    in_language: str = "en",
) -> list[Suggestion]:
    """Return what somebody may mean, the likeliest first.

    Parameters:
        reader: has the index.
        snapshot: of the graph.
        words: what was typed, the beginning of a name or some words.
        classes: local names of the classes that it may be of; any will do where none is given.
        kinds: kinds of the index that it may be of; by default those that the classes amount to.
        document: slug of the document whose assertions may be meant.
        limit: how many at most.
        in_language: tag of the language that names are preferred in.
    """
    words = " ".join(words.split())[:_MOST_WORDS]
    if not words:
        return []
    found: list[Suggestion] = []
    sought = kinds or kinds_of(classes)
    if sought:
        narrow = not kinds and bool(classes)
        most = limit * (4 if narrow else 1)
        hits = reader.index_of(snapshot).suggest(words, sought, language=in_language, limit=most)
        found = [_told(hit, snapshot) for hit in hits if not narrow or _is_one_of(snapshot, hit.iri, classes)]
    if "Assertion" in classes and document:
        found += _assertions(reader, snapshot, words, document, limit)
    return found[:limit]


def called(
    reader: Reader,
    snapshot: Snapshot,
    text: str,
    classes: Sequence[str] = (),
    *,
    kinds: Sequence[str] = (),
    in_language: str = "en",
) -> list[str]:
    """Return the slugs of the things that are called just so, in any language.

    Parameters:
        reader, snapshot, classes, kinds, in_language: as for `suggest`.
        text: a name, whole.
    """
    found = suggest(reader, snapshot, text, classes, kinds=kinds, limit=20, in_language=in_language)
    same = text.casefold().strip()
    return [s.name for s in found if same in (s.label.casefold(), s.matched.casefold())]


def kinds_of(classes: Iterable[str]) -> list[str]:
    """Return the kinds of the index that things of some classes are of; all that can be meant where none is given.

    >>> kinds_of(["Person"]), kinds_of(["RegisterEntry"]), kinds_of(["Assertion"])
    (['agent'], ['agent', 'document', 'issue', 'other'], [])
    """
    known, kinds = vocabulary(), set[str]()
    given = list(classes)
    for name in given:
        own = next((kind for above, kind in _KIND_OF.items() if known.is_a(name, above)), None)
        below = {kind for other, kind in _KIND_OF.items() if known.is_a(other, name)}
        kinds |= below | ({own} if own else set())
    if not given:
        kinds = set(_KIND_OF.values())
    return [kind for kind in _KIND_OF.values() if kind in kinds]


def form_value(name: str, label: str) -> str:
    """Return how a thing is written into a form: what it is called, and its name in brackets.

    >>> form_value("ruritania", "Ruritania")
    'Ruritania [ruritania]'
    """
    label = " ".join(label.split())
    short = label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"
    return f"{short} [{name}]" if label and label != name else name


def _told(hit: Hit, snapshot: Snapshot) -> Suggestion:
    label = hit.label if len(hit.label) <= LONGEST_LABEL else f"{hit.label[: LONGEST_LABEL - 1]}…"
    name = shorten(hit.iri)
    classes = _types(snapshot, hit.iri) & terms().keys()
    above = {parent for c in classes for parent in all_classes({c}) - {c}}
    told = [terms()[c].label for c in sorted(classes - above)]
    matched = hit.matched[:LONGEST_LABEL] if hit.matched != hit.label else ""
    return Suggestion(name, hit.iri, label or name, hit.kind, ", ".join(told), matched)


def _assertions(reader: Reader, snapshot: Snapshot, words: str, document: str, limit: int) -> list[Suggestion]:
    try:
        node = ox.NamedNode(ID + document)
    except ValueError:
        return []
    text = _ASSERTIONS.format(document=node, words=ox.Literal(words.lower()), limit=limit)
    results = reader.run(snapshot, text)
    assert isinstance(results, ox.QuerySolutions)
    glosses = {str(row["assertion"].value): str(row["gloss"].value) for row in results}
    return [Suggestion(shorten(iri), iri, gloss, "assertion", "assertion", "") for iri, gloss in glosses.items()]


def _types(snapshot: Snapshot, iri: str) -> set[str]:
    quads = snapshot.store.quads_for_pattern(ox.NamedNode(iri), _TYPE, None)
    return {q.object.value for q in quads if isinstance(q.object, ox.NamedNode)}


def _is_one_of(snapshot: Snapshot, iri: str, classes: Sequence[str]) -> bool:
    return not all_classes(_types(snapshot, iri)).isdisjoint(WS + name for name in classes)


def value_of(snapshot: Snapshot, names: Iterable[str], in_language: str) -> dict[str, str]:
    """Return how published things are written into a form.

    Parameters:
        snapshot: of the graph.
        names: their slugs.
        in_language: tag of the language that names are preferred in.
    """
    listed = [name for name in dict.fromkeys(names) if _is_iri(ID + name)]
    labels = find_labels(snapshot, (ID + name for name in listed), in_language)
    return {name: form_value(name, labels[ID + name]) for name in listed}


def _is_iri(text: str) -> bool:
    try:
        ox.NamedNode(text)
    except ValueError:
        return False
    return True
