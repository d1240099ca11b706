"""What things are called, as the index knows it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable
from typing import NamedTuple

from kg.index.entries import OTHER_NAME
from kg.names import shorten


class Label(NamedTuple):
    """What a thing is called.

    Parameters:
        text: the name.
        language: tag, empty where the thing has no name and is given by its address.
    """

    text: str
    language: str


def as_list(numbers: Iterable[int]) -> str:
    """Return numbers as one parameter, for `IN (SELECT value FROM json_each(?))`.

    >>> as_list([1, 2])
    '[1, 2]'
    """
    return json.dumps(list(numbers))


def find_iris(connection: sqlite3.Connection, nodes: Iterable[int]) -> dict[int, str]:
    """Return the IRIs of nodes.

    Parameters:
        connection: to the index.
        nodes: their numbers.
    """
    rows = connection.execute(
        "SELECT id, iri FROM node WHERE id IN (SELECT value FROM json_each(?))", (as_list(nodes),)
    )
    return {row["id"]: row["iri"] for row in rows}


def find_labels(connection: sqlite3.Connection, nodes: Collection[int], language: str) -> dict[int, Label]:
    """Return what nodes are called; a proposition is called by its gloss.

    Parameters:
        connection: to the index.
        nodes: their numbers.
        language: the one preferred; else English, else the name that comes first. What has no name gets its short
            address.
    """
    rows = connection.execute(
        "SELECT node, text, language FROM name WHERE node IN (SELECT value FROM json_each(?)) AND sort <> ?",
        (as_list(nodes), OTHER_NAME),
    )
    best: dict[int, tuple[bool, bool, str, str]] = {}
    for node, text, tag in rows:
        candidate = (tag != language, tag != "en", text, tag)
        if node not in best or candidate < best[node]:
            best[node] = candidate
    found = {node: Label(text, tag) for node, (_, _, text, tag) in best.items()}
    missing = find_iris(connection, [node for node in nodes if node not in found])
    return found | {node: Label(shorten(iri), "") for node, iri in missing.items()}
