"""Examples and patterns: sentences of our own making and how they are said in Turtle.

`ontology/examples/` has the ten of "How to say it", `ontology/patterns/` those that are drawn. Each file begins
with a comment: the sentence, an empty comment line, a remark. What the file relies on, such as states and the two
documents that the sentences stand in, is in `ontology/examples/world.ttl`. In a pattern, what follows the heading
``### Around it`` is needed for validation and is not drawn.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

import pyoxigraph as ox

from kg.errors import NotFoundError
from kg.names import ID

_AROUND = "### Around it"


@dataclass(frozen=True)
class Example:
    """A sentence and its Turtle.

    Parameters:
        name: of the file, without its ending.
        sentence: what is said.
        remark: what there is to learn from it.
        text: the file as it is.
    """

    name: str
    sentence: str
    remark: str
    text: str

    @property
    def body(self) -> str:
        """The Turtle without the opening comment and the prefixes."""
        lines = self.text.splitlines()
        last = max(i for i, line in enumerate(lines) if line.startswith("@"))
        return "\n".join(lines[last + 1 :]).strip()

    @property
    def core(self) -> str:
        """What of the body is drawn."""
        return self.body.partition(_AROUND)[0].strip()

    @property
    def prefixes(self) -> str:
        """The lines that declare base and prefixes."""
        return "\n".join(line for line in self.text.splitlines() if line.startswith("@"))

    def triples(self) -> list[ox.Triple]:
        """Return all that the file says."""
        return parse_turtle(self.text)

    def core_triples(self) -> list[ox.Triple]:
        """Return what is drawn."""
        return parse_turtle(f"{self.prefixes}\n{self.core}")


def parse_turtle(text: str) -> list[ox.Triple]:
    """Return the triples of a Turtle document, in its order.

    >>> len(parse_turtle("<a> <b> <c>, <d> ."))
    2
    """
    return [quad.triple for quad in ox.parse(text, format=ox.RdfFormat.TURTLE, base_iri=ID)]


@cache
def load_examples() -> tuple[Example, ...]:
    """Return the sentences of "How to say it", in the order of the page.

    >>> load_examples()[0].sentence
    'Borduria should lift the toll.'
    """
    return _load("examples")


@cache
def load_patterns() -> tuple[Example, ...]:
    """Return the patterns, in the order of the page.

    >>> [pattern.name for pattern in load_patterns()][:2]
    ['assertion', 'nesting']
    """
    order = ("assertion", "nesting", "perception", "causal-pathway", "argument", "agreement", "office")
    return tuple(sorted(_load("patterns"), key=lambda pattern: order.index(pattern.name)))


def get_pattern(name: str) -> Example:
    """Return a pattern by its name.

    Raises:
        NotFoundError: there is none of this name.
    """
    found = {pattern.name: pattern for pattern in load_patterns()}
    if name not in found:
        raise NotFoundError(f"there is no pattern `{name}`", mend=f"there are: {', '.join(found)}")
    return found[name]


def world_text() -> str:
    """Return the Turtle that all examples and patterns rely on."""
    return (resources.files("ontology") / "examples" / "world.ttl").read_text("utf-8")


@cache
def world_triples() -> tuple[ox.Triple, ...]:
    """Return what all examples and patterns rely on."""
    return tuple(parse_turtle(world_text()))


def _load(folder: str) -> tuple[Example, ...]:
    files = [f for f in (resources.files("ontology") / folder).iterdir() if f.name.endswith(".ttl")]
    files = [f for f in files if f.name != "world.ttl"]
    return tuple(_read(f.name, f.read_text("utf-8")) for f in sorted(files, key=lambda f: f.name))


def _read(file: str, text: str) -> Example:
    opening = re.match(r"(?:#.*\n)+", text)
    assert opening, f"{file}: the sentence stands in a comment at the beginning"
    sentence, _, remark = "\n".join(line.removeprefix("#").strip() for line in opening[0].splitlines()).partition(
        "\n\n"
    )
    return Example(file.removesuffix(".ttl"), " ".join(sentence.split()), " ".join(remark.split()), text)
