"""A generator of corpora for measuring: the same quads for the same number and seed, always.

What comes out is what records would give: the same properties in the same named graphs, in
agreement with the shapes, in the proportions of our own coded documents (`loaders.proportions`).
Those hold per stance. Two things grow otherwise: the register with the square root of the number
of quads, so that what is popular becomes very popular; and documents take up one another's
propositions the more often, the more of them there are (with the logarithm; and the older a
proposition, the likelier). Both are suppositions: five documents cannot show growth.

A corpus is made document by document, sentence by sentence, stance by stance, as lines of
N-Quads; only names are kept. Towards its end it is filled up with sentences that nobody has
coded, to the very number asked for.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyoxigraph as ox

from kg.digests import text_digest
from kg.errors import ConflictError, ParameterError
from kg.inference import infer
from kg.names import GRAPH, ID, LINKS_GRAPH, REGISTER_GRAPH
from kg.provenance import Activity, describe_change, describe_unit
from kg.sqlite_file import utc_now
from kg.store import StoreFolder
from kg.units import Unit, ontology_unit
from loaders.invented_documents import Coding
from loaders.invented_register import Corpus
from loaders.proportions import coded_proportions

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_AGENT: Final = ID + "coding-team"

SMALLEST: Final = 3_000
"""Quads below which the register leaves no room for a document."""


@dataclass(frozen=True)
class Part:
    """What a record would give: a document with the contents that it defines, the register, or the links.

    Parameters:
        graph: IRI of its named graph; shared contents stand in a graph of their own.
        lines: its quads as lines of N-Quads.
    """

    graph: str
    lines: list[str]


def generate_parts(count: int, seed: int) -> Iterator[Part]:
    """Make a corpus part by part: the documents, then the register and the links.

    Parameters:
        count: how many quads, 3,000 or more; exactly so many come.
        seed: another seed gives another corpus.

    Raises:
        ParameterError: fewer quads than a register and a document take.

    >>> [part.graph.rsplit("/", 1)[1] for part in generate_parts(3000, 1)][-2:]
    ['register', 'links']
    """
    if count < SMALLEST:
        raise ParameterError(f"a corpus of {count:,} quads is too small", mend=f"ask for {SMALLEST:,} or more")
    corpus = Corpus(count, seed, coded_proportions())
    while corpus.left > 0:
        document = Coding(corpus)
        yield Part(document.graph, document.make())
    yield Part(REGISTER_GRAPH, corpus.register)
    yield Part(LINKS_GRAPH, corpus.links)


def generate_lines(count: int, seed: int) -> Iterator[str]:
    """Make a corpus as lines of N-Quads, each with its line feed; see `generate_parts`.

    >>> sum(1 for _ in generate_lines(3000, 1))
    3000
    """
    for part in generate_parts(count, seed):
        yield from part.lines


def generate_quads(count: int, seed: int) -> Iterator[ox.Quad]:
    """Make a corpus as quads; see `generate_parts`.

    >>> len(set(generate_quads(3000, 1)))
    3000
    """
    for part in generate_parts(count, seed):
        yield from ox.parse("".join(part.lines).encode(), format=ox.RdfFormat.N_QUADS)


def write_corpus(path: Path, count: int, seed: int) -> None:
    """Write a corpus to a file as N-Quads; see `generate_parts`.

    Parameters:
        path: the file; what it held is lost.
        count, seed: see `generate_parts`.
    """
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for part in generate_parts(count, seed):
            file.writelines(part.lines)


def fill_store(folder: StoreFolder, count: int, seed: int, *, progress: Callable[[str], None] = lambda _: None) -> str:
    """Fill a store with the ontology and a corpus, as a build of its records would leave it.

    It is loaded without being validated, since what is generated conforms, and the history begins after it.

    Parameters:
        folder: a store that nothing was ever published to.
        count, seed: see `generate_parts`; the ontology, what is inferred and the provenance come on top.
        progress: told what is being done.

    Returns:
        The number of the snapshot.

    Raises:
        ConflictError: there is a graph in the folder.
        ParameterError: see `generate_parts`.
    """
    with folder.writer() as writer:
        live = writer.live
        if folder.current_name() is not None or len(live):
            raise ConflictError(f"there is a graph in {folder.path}", mend="name a folder that is not there yet")
        now = utc_now()
        ontology = ontology_unit()
        told = describe_unit(ontology, _AGENT, now)
        try:
            progress(f"generating {count:,} quads")
            text = io.BufferedReader(_Stream(_told_parts(generate_parts(count, seed), told, now)), 1 << 20)
            live.bulk_load(text, format=ox.RdfFormat.N_QUADS)
            graphs = {quad.subject.value for quad in told if isinstance(quad.subject, ox.NamedNode)}
            activity = Activity(_AGENT, "build", f"a corpus of {count:,} quads, seed {seed}", "generated")
            live.bulk_extend([*ontology.quads, *told, *describe_change(1, activity, now, graphs)])
            progress("inferring")
            infer(live)
        except BaseException:
            live.clear()
            raise
        progress("publishing")
        return writer.publish()


def _told_parts(parts: Iterator[Part], told: list[ox.Quad], now: str) -> Iterator[bytes]:
    """Give the parts as text, and gather what the provenance is to say of each."""
    for part in parts:
        text = "".join(part.lines)
        quads = frozenset(ox.parse(text.encode(), format=ox.RdfFormat.N_QUADS))
        name = part.graph.removeprefix(GRAPH)
        shared = part.graph in (REGISTER_GRAPH, LINKS_GRAPH)
        source = f"{name}/" if shared else f"documents/{name}.yaml"
        unit = Unit(part.graph, None if shared else ID + name, quads, text_digest(text), source)
        told += describe_unit(unit, _AGENT, now)
        yield text.encode()


class _Stream(io.RawIOBase):
    """Bytes that are made as they are read.

    Parameters:
        chunks: the bytes, in pieces of any length.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._open = io.BytesIO()

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Put the next bytes where they are wanted; return how many, 0 at the end."""
        wanted = memoryview(buffer)
        piece = self._open.read(len(wanted))
        while not piece:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._open = io.BytesIO(chunk)
            piece = self._open.read(len(wanted))
        wanted[: len(piece)] = piece
        return len(piece)
