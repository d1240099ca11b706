"""What of the index a change touches, so that just that is made anew.

A statement alters the entry of its subject. Some alter others too: what an issue stands under, whom a holder belongs
to, when a document was issued, who reports an assertion. Each of these is followed from the statement to the
assertions, in the state after the change; what was so before and is no longer so, lost a statement on the way, and is
reached from that one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import pyoxigraph as ox

from kg.change import Change, is_asserted
from kg.index.entries import (
    ABOUT,
    BELONGS_TO,
    BROADER,
    DIGEST,
    EVIDENCED_BY,
    HOLDER,
    IN_DOCUMENT,
    NAMES,
    PRINTED_AS,
    PROPOSITION,
    REPORTS,
    SAID_AT,
    SENTENCE_NUMBER,
    STATED_IN,
    TYPE,
)
from kg.index.reading import Reading
from kg.names import WS

_SPAN = (WS + "start", WS + "end", SENTENCE_NUMBER, IN_DOCUMENT)
_WHERE = (WS + "start", IN_DOCUMENT, TYPE)


def find_touched(changes: Iterable[Change], reading: Reading) -> tuple[set[str], set[str]]:
    """Return which things and which assertions some changes touch.

    Parameters:
        changes: of the asserted graphs.
        reading: the state after them.

    Returns:
        IRIs of things, passages among them, and of assertions; some may be neither, or no longer be there.
    """
    said: dict[str, set[str]] = {}
    meant: dict[str, set[str]] = {NAMES: set(), REPORTS: set()}
    placed: dict[str, set[str]] = {}
    for quad in (quad for change in changes for quad in change):
        if isinstance(quad.subject, ox.NamedNode) and is_asserted(quad.graph_name):
            said.setdefault(quad.predicate.value, set()).add(quad.subject.value)
            if isinstance(quad.object, ox.NamedNode):
                if quad.predicate.value in meant:
                    meant[quad.predicate.value].add(quad.object.value)
                elif quad.predicate.value == IN_DOCUMENT:
                    placed.setdefault(quad.subject.value, set()).add(quad.object.value)
    subjects = set().union(*said.values())
    things = subjects | meant[NAMES] | _things(said, placed, reading)
    return things, _stances(subjects | meant[REPORTS], said, reading)


def _things(said: Mapping[str, set[str]], placed: Mapping[str, set[str]], reading: Reading) -> set[str]:
    found = {node for use in said.get(PRINTED_AS, ()) for node in reading.nodes(use, NAMES)}
    documents = set(said.get(DIGEST, ()))
    for node in _having(said, _SPAN):
        # A sentence that comes, goes or is moved alters which passages of its document stand inside sentences.
        if node in said.get(SENTENCE_NUMBER, ()) or reading.words(node, SENTENCE_NUMBER):
            documents.update(placed.get(node, ()), reading.nodes(node, IN_DOCUMENT))
    for document in documents:
        found.update(reading.subjects(IN_DOCUMENT, document))
    return found


def _stances(start: Iterable[str], said: Mapping[str, set[str]], reading: Reading) -> set[str]:
    found = set(start)
    contents = _having(said, (TYPE, ABOUT))
    for node in _closure(_having(said, (TYPE, BROADER)), lambda node: reading.subjects(BROADER, node)):
        contents.update(reading.subjects(ABOUT, node))
    for content in contents:
        found.update(reading.subjects(PROPOSITION, content))
    for agent in _having(said, (TYPE, BELONGS_TO)):
        for holder in (agent, *reading.subjects(BELONGS_TO, agent)):
            found.update(reading.subjects(HOLDER, holder))
    for predicates, leads in (((WS + "issued",), STATED_IN), ((WS + "date",), SAID_AT), (_WHERE, EVIDENCED_BY)):
        for node in _having(said, predicates):
            found.update(reading.subjects(leads, node))

    # What was reported and no longer is, is among those to start from.
    return _closure(found, lambda one: {*reading.nodes(one, REPORTS), *reading.subjects(REPORTS, one)})


def _having(said: Mapping[str, set[str]], predicates: Iterable[str]) -> set[str]:
    return {node for predicate in predicates for node in said.get(predicate, ())}


def _closure(start: Iterable[str], step: Callable[[str], Iterable[str]]) -> set[str]:
    found = set(start)
    waiting = list(found)
    while waiting:
        fresh = set(step(waiting.pop())) - found
        found |= fresh
        waiting += fresh
    return found
