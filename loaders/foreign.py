"""Foreign content: bytes that anybody sent, read into quads, or refused in plain words.

Nothing is believed: the size is capped, what would bring a parser down is looked for before it
is parsed (`turtle_guard`, `jsonld_guard`, `xml_guard`, `yaml_source`), no file is opened and
nothing is fetched, and what the store does not hold is refused: blank nodes, triples inside
triples, characters that no XML can carry. What is left to go wrong goes wrong in a cell
(`kg.cells`), where it harms nobody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pyoxigraph as ox

from kg.change import as_stored
from kg.errors import MalformedError, Place
from kg.names import ID, Term, shorten
from loaders.jsonld_guard import UNMAPPED, prepare_jsonld
from loaders.records import Record, Voices, parse_record
from loaders.syntaxes import Syntax, find_syntax
from loaders.turtle_guard import scan_turtle
from loaders.xml_guard import scan_xml

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_BLANK_MEND = f"give it an IRI under {ID}"
_ENCODINGS = ((b"\xff\xfe\x00\x00", "UTF-32"), (b"\x00\x00\xfe\xff", "UTF-32"), (b"\xff\xfe", "UTF-16"),
              (b"\xfe\xff", "UTF-16"))  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """How much content may hold.

    Parameters:
        size: bytes in all.
        quads: how many.
        literal: bytes of one literal's text, in UTF-8.
        iri: characters of one IRI.
        depth: how deep brackets, objects or elements may nest; records have a limit of their own.
    """

    size: int = 10_000_000
    quads: int = 200_000
    literal: int = 100_000
    iri: int = 2_000
    depth: int = 100


DOOR = Limits()


@dataclass(frozen=True)
class Content:
    """What was read.

    Parameters:
        name: of the file, for messages.
        form: short name of its syntax.
        quads: what it says, in its order; in the default graph where it names no graph.
        lines: the line on which each subject first stands, by IRI, where that could be seen.
        record: the record, where it is one.
    """

    name: str
    form: str
    quads: tuple[ox.Quad, ...]
    lines: Mapping[str, int] = field(repr=False, default_factory=dict)
    record: Record | None = field(repr=False, default=None)

    def place(self, iri: str, path: str | None = None) -> Place | None:
        """Return where the content says something of a node.

        Parameters:
            iri: the node.
            path: IRI of a property, which counts in records; None for the node as a whole.
        """
        if self.record is not None:
            return self.record.place(iri, path)
        return Place(self.name, self.lines[iri]) if iri in self.lines else None

    def __getstate__(self) -> dict[str, object]:
        # Quads one by one pickle at 40 µs each; as N-Quads at 2 µs.
        record = None if self.record is None else replace(self.record, quads=())
        quads = ox.serialize(self.quads, format=ox.RdfFormat.N_QUADS)
        return {**self.__dict__, "quads": quads, "record": record}

    def __setstate__(self, state: dict[str, object]) -> None:
        packed, record = state["quads"], state["record"]
        assert isinstance(packed, bytes)
        quads = tuple(ox.parse(packed, format=ox.RdfFormat.N_QUADS))
        if isinstance(record, Record):
            record = replace(record, quads=quads)
        self.__dict__.update({**state, "quads": quads, "record": record})


def read_content(data: bytes, form: str, name: str, limits: Limits = DOOR, *, voices: Voices | None = None) -> Content:
    """Read what somebody sent.

    Parameters:
        data: the bytes.
        form: short name, ending or media type of the syntax; see `loaders.syntaxes`.
        name: of the file, for messages.
        limits: how much it may hold.
        voices: what a record that adds to a published document needs; see `loaders.records.parse_record`.

    Returns:
        The content. Relative IRIs are taken under ``id/``.

    Raises:
        MalformedError: it does not parse, or has what is not taken; names line, limit and mend.
        RecordError: it is a record that cannot be read as one.

    >>> content = read_content(b"<toll> a <ex:Toll> .", "ttl", "x.ttl")
    >>> content.quads[0].subject, content.lines
    (<NamedNode value=https://w3id.org/whosays/id/toll>, {'https://w3id.org/whosays/id/toll': 1})
    """
    syntax = find_syntax(form)
    if len(data) > limits.size:
        raise MalformedError(
            f"{len(data):,} bytes are more than the {limits.size:,} that are taken",
            mend="send it in parts",
            place=Place(name),
        )
    text = _decode(data, name)
    if syntax.rdf_format is None:
        return _read_record(text, name, limits, voices)
    blank: int | None = None
    lines: Mapping[str, int]
    if syntax.name == "jsonld":
        encoded, lines = prepare_jsonld(text, name, depth=limits.depth)
    elif syntax.name == "rdf":
        encoded = text.encode()
        in_xml = scan_xml(encoded, name, depth=limits.depth)
        lines, blank = in_xml.lines, in_xml.blank
    else:
        encoded = text.encode()
        scan = scan_turtle(text, name, depth=limits.depth)
        lines, blank = scan.lines, scan.blank
    judge = _Judge(name, limits, lines, blank)
    quads = as_stored(_parse(encoded, syntax, name, judge))
    if syntax.name == "jsonld" and not quads and text.strip(" \t\r\n[]{}"):
        raise MalformedError(
            "it says nothing that can be read as triples",
            mend="give each node an `@id`, and explain its keys in the @context",
            place=Place(name),
        )
    subjects = {q.subject.value for q in quads if isinstance(q.subject, ox.NamedNode)}
    return Content(name, syntax.name, quads, {iri: line for iri, line in lines.items() if iri in subjects})


def _decode(data: bytes, name: str) -> str:
    for mark, encoding in _ENCODINGS:
        if data.startswith(mark):
            raise MalformedError(f"the text is {encoding}", mend="save it as UTF-8", place=Place(name, 1))
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise MalformedError(
            f"not UTF-8 text (byte {error.start})",
            mend="save it as UTF-8",
            place=Place(name, data.count(b"\n", 0, error.start) + 1),
        ) from error
    control = _CONTROL.search(text)
    if control is not None:
        raise MalformedError(
            f"the character U+{ord(control.group()):04X} is not taken",
            mend="remove it; a text full of U+0000 is not UTF-8",
            place=Place(name, text.count("\n", 0, control.start()) + 1),
        )
    return text


def _read_record(text: str, name: str, limits: Limits, voices: Voices | None) -> Content:
    try:
        record = parse_record(text, name, voices)
    except SyntaxError as error:
        raise MalformedError(
            f"the record holds what RDF cannot: {error.msg[:300]}",
            mend="look for odd language tags or names",
            place=Place(name),
        ) from error
    lines = {iri: keys[""] for iri, keys in record.lines.items() if "" in keys}
    judge = _Judge(name, limits, lines, None)
    for number, quad in enumerate(record.quads, 1):
        judge.check(quad, number)
    return Content(name, "yaml", record.quads, lines, record)


def _parse(data: bytes, syntax: Syntax, name: str, judge: _Judge) -> list[ox.Quad]:
    quads: list[ox.Quad] = []
    try:
        for quad in ox.parse(data, format=syntax.rdf_format, base_iri=ID, lenient=False):
            judge.check(quad, len(quads) + 1)
            quads.append(quad)
    except SyntaxError as error:
        raise MalformedError(
            f"not valid {syntax.title}: {(error.msg or str(error))[:300]}",
            mend="correct it there; a file that is cut off ends too early",
            place=Place(name, error.lineno),
        ) from error
    return quads


class _Judge:
    """Refuses the quads that the store does not hold."""

    def __init__(self, name: str, limits: Limits, lines: Mapping[str, int], blank: int | None) -> None:
        self.name, self.limits, self.lines, self.blank = name, limits, lines, blank

    def check(self, quad: ox.Quad, number: int) -> None:
        if number > self.limits.quads:
            raise MalformedError(
                f"more than {self.limits.quads:,} triples", mend="send it in parts", place=Place(self.name)
            )
        for term in (quad.subject, quad.predicate, quad.object):
            if isinstance(term, ox.NamedNode):
                self._iri(term.value, quad)
            elif isinstance(term, ox.Literal):
                self._literal(term, quad)
            elif isinstance(term, ox.BlankNode):
                raise self._blank_error(quad)
            else:
                raise self._error(quad, "a triple stands inside a triple (RDF 1.2)", "say it with an Assertion")
        if isinstance(quad.graph_name, ox.BlankNode):
            raise self._error(quad, "a graph without an IRI", "give the graph an IRI")
        if isinstance(quad.graph_name, ox.NamedNode):
            self._iri(quad.graph_name.value, quad)

    def _iri(self, iri: str, quad: ox.Quad) -> None:
        if len(iri) > self.limits.iri:
            raise self._error(quad, f"an IRI of more than {self.limits.iri:,} characters", "shorten it")
        if iri.startswith(UNMAPPED):
            word = iri.removeprefix(UNMAPPED)
            raise self._error(
                quad, f"`{word[:100]}` is explained by no @context", "correct it, explain it, or leave it out"
            )

    def _literal(self, literal: ox.Literal, quad: ox.Quad) -> None:
        text, limit = literal.value, self.limits.literal
        if len(text) > limit or (len(text) > limit // 4 and len(text.encode()) > limit):
            raise self._error(quad, f"a text of more than {limit:,} bytes", "shorten it; texts stay with their owners")
        control = _CONTROL.search(text)
        if control is not None:
            raise self._error(quad, f"a text with the character U+{ord(control.group()):04X}", "remove it")
        if literal.direction is not None:
            raise self._error(quad, "a text with a direction (RDF 1.2)", "leave the direction out")
        self._iri(literal.datatype.value, quad)

    def _blank_error(self, quad: ox.Quad) -> MalformedError:
        if isinstance(quad.subject, ox.NamedNode):
            problem = f"`{_name(quad.predicate)}` leads to a node without an IRI"
            return self._error(quad, problem, _BLANK_MEND, self.blank)
        said = f"`{_name(quad.predicate)} {_name(quad.object)}`"
        return self._error(quad, f"a node without an IRI (the one of which it says {said})", _BLANK_MEND, self.blank)

    def _error(self, quad: ox.Quad, problem: str, mend: str, line: int | None = None) -> MalformedError:
        if isinstance(quad.subject, ox.NamedNode):
            problem = f"{shorten(quad.subject.value)[:200]}: {problem}"
            line = line or self.lines.get(quad.subject.value)
        return MalformedError(problem, mend=mend, place=Place(self.name, line))


def _name(term: Term) -> str:
    if isinstance(term, ox.NamedNode):
        return shorten(term.value)[:200]
    return "a node without an IRI" if isinstance(term, ox.BlankNode) else str(term)[:200]
