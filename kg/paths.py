"""Property paths over the asserted graph: what a shape looks at, as something that can be walked.

A path is walked forwards, to gather what a verdict on a node rests on, and backwards, to find the
nodes whose verdict a triple can alter.

Source: SHACL, https://www.w3.org/TR/shacl/#property-paths
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import pyoxigraph as ox

from kg.change import View
from kg.names import Term


@dataclass(frozen=True)
class Step:
    """One edge.

    Parameters:
        predicate: None for any predicate.
        inverse: walked from object to subject.
    """

    predicate: ox.NamedNode | None
    inverse: bool = False


@dataclass(frozen=True)
class Sequence:
    """One path after the other; an empty one stays where it is."""

    parts: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Choice:
    """Any of several paths."""

    parts: tuple[Path, ...]


@dataclass(frozen=True)
class Repeat:
    """A path, any number of times, also none."""

    part: Path


Path: TypeAlias = Step | Sequence | Choice | Repeat
HERE = Sequence()


def join(first: Path, second: Path) -> Path:
    """Return the path that follows one and then another.

    >>> join(HERE, Step(None)) == Step(None)
    True
    """
    parts = [p for path in (first, second) for p in (path.parts if isinstance(path, Sequence) else (path,))]
    return parts[0] if len(parts) == 1 else Sequence(tuple(parts))


def reverse(path: Path) -> Path:
    """Return the path that leads back.

    >>> reverse(Step(None)) == Step(None, inverse=True)
    True
    """
    if isinstance(path, Step):
        return Step(path.predicate, not path.inverse)
    if isinstance(path, Repeat):
        return Repeat(reverse(path.part))
    if isinstance(path, Choice):
        return Choice(tuple(reverse(p) for p in path.parts))
    return Sequence(tuple(reverse(p) for p in reversed(path.parts)))


class Neighbourhood:
    """The part of a view that has been looked at.

    Parameters:
        view: the graph; each edge is fetched from it once.

    Attributes:
        triples: all that was fetched.
    """

    def __init__(self, view: View) -> None:
        self.view = view
        self.triples: set[ox.Triple] = set()
        self._known: dict[tuple[Term, Step], tuple[Term, ...]] = {}

    def follow(self, node: Term, step: Step) -> tuple[Term, ...]:
        """Return where an edge leads from a node."""
        found = self._known.get((node, step))
        if found is None:
            if step.inverse:
                triples = list(self.view.triples(None, step.predicate, node))
                found = tuple(t.subject for t in triples)
            else:
                triples = list(self.view.triples(node, step.predicate))
                found = tuple(t.object for t in triples)
            self.triples.update(triples)
            self._known[node, step] = found
        return found

    def walk(self, nodes: Iterable[Term], path: Path) -> set[Term]:
        """Return where a path leads from any of several nodes.

        >>> a, b, p = ox.NamedNode("ex:a"), ox.NamedNode("ex:b"), ox.NamedNode("ex:p")
        >>> store = ox.Store()
        >>> store.add(ox.Quad(a, p, b))
        >>> Neighbourhood(View(store)).walk([a], Repeat(Step(p))) == {a, b}
        True
        """
        if isinstance(path, Step):
            return {found for node in nodes for found in self.follow(node, path)}
        if isinstance(path, Choice):
            starts = set(nodes)
            return {found for part in path.parts for found in self.walk(starts, part)}
        reached = set(nodes)
        if isinstance(path, Sequence):
            for part in path.parts:
                reached = self.walk(reached, part)
            return reached
        fresh = reached
        while fresh:
            fresh = self.walk(fresh, path.part) - reached
            reached |= fresh
        return reached
