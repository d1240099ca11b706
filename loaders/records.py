"""Curated records: YAML files that are JSON-LD, read into quads.

A record is the register (``entries:``), one document (``id:``, ``type: Document``), or an
addition to a published document (``to:``, with sections and the entries that they need). The
context in ``ontology/`` maps it to triples; nothing here repeats that mapping. What this
module adds is what JSON-LD does not do: it refuses what expansion would silently drop (an
unknown key) or hide (a node without a name), fills in what is said once for all (``defaults``,
the class of a section's entries, the document that an entry belongs to), adds the author's
plain report where a record gives only the inner assertion, and sends each triple to its graph.

The way of a record: YAML → checked tree → completed tree → JSON-LD expansion → quads by graph.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypeAlias

import pyoxigraph as ox

from kg.change import as_stored
from kg.digests import text_digest
from kg.errors import ENOUGH, NOT_ALL, Place, RecordError
from kg.names import CONTENTS_GRAPH, ID, RDF, REGISTER_GRAPH, WS, Term, document_graph
from kg.vocabulary import SECTIONS, Property, Vocabulary, make_context, own_context, vocabulary, words_of
from loaders.yaml_source import Items, Table, Text, Value, read_yaml

Lines: TypeAlias = dict[str, dict[str, int]]
Voices: TypeAlias = Callable[[str], tuple[Sequence[str], Sequence[str]]]
"""From the IRI of a document to the names of its creators and of its publishers."""

_NAME = re.compile(r"[a-z0-9]+(?:[-.][a-z0-9]+)*(?:/[A-Za-z0-9]+(?:[-.][A-Za-z0-9]+)*)*\Z")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{1,8})*\Z")
_KEYWORDS = frozenset({"id", "type"})
_BORROWED_RELATIONS = frozenset({"broader", "definedIn"})
_SHARED = ("Proposition", "Factor", "PathwayStep")


class RecordErrors(RecordError):
    """What is wrong with one record, all of it or as much as is enough to be told, in the order of its lines.

    Parameters:
        problems: the single errors, at least one.
    """

    def __init__(self, problems: Iterable[RecordError]) -> None:
        self.problems = sorted(problems, key=lambda p: (p.place.line or 0) if p.place else 0)
        first = self.problems[0]
        super().__init__(first.problem, mend=first.mend, place=first.place)

    def __str__(self) -> str:
        return "\n".join(str(p) for p in self.problems)


@dataclass(frozen=True)
class Record:
    """One record, read.

    Parameters:
        file: its path.
        document: the IRI of its document; None for a part of the register or an addition.
        quads: what it says, each in its graph.
        lines: for each IRI, the line of each key (``""``: of the entry itself).
        adds_to: the IRI of the published document that it adds to, where it is an addition.
        digest: SHA-256 of the file's content, hexadecimal.
    """

    file: str
    document: str | None
    quads: tuple[ox.Quad, ...]
    digest: str
    lines: Lines = field(repr=False, default_factory=dict)
    adds_to: str | None = None

    def place(self, iri: str, path: str | None = None) -> Place | None:
        """Return where the record says something of a node.

        Parameters:
            iri: the node.
            path: IRI of a property; None for the entry as a whole.
        """
        keys = self.lines.get(iri)
        if keys is None:
            return None
        key = (path or "").rsplit("#", 1)[-1].rsplit("/", 1)[-1]
        return Place(self.file, keys.get(key, keys[""]))


def record_files(folder: Path) -> list[Path]:
    """Return the records under a folder, the register's first, by name.

    >>> from importlib import resources
    >>> files = record_files(Path(str(resources.files("kg") / "records")))
    >>> files[0].parent.name
    'register'
    """
    return sorted(folder.glob("register/*.yaml")) + sorted(folder.glob("documents/*.yaml"))


def read_record(path: Path) -> Record:
    """Read a record from a file.

    Raises:
        RecordError: the file is missing, is not UTF-8, or is not a record; see `parse_record`.
    """
    return parse_record(read_source(path), str(path))


def read_source(path: Path) -> str:
    """Read the content of a curated file.

    Raises:
        RecordError: the file is missing or not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise RecordError(
            f"cannot be read: {error.strerror}", mend="check the path and the permissions", place=Place(str(path))
        ) from error
    except UnicodeDecodeError as error:
        raise RecordError(
            f"not UTF-8 text (byte {error.start})", mend="save the file as UTF-8", place=Place(str(path))
        ) from error


def parse_record(source: str, file: str, voices: Voices | None = None) -> Record:
    """Read a record from text.

    Parameters:
        source: YAML.
        file: name for messages.
        voices: gives the names of creators and of publishers of a published document, which an addition to it needs.

    Returns:
        The record with its quads.

    Raises:
        RecordErrors: what is wrong with it, each with file, line and mend.

    >>> record = parse_record("entries: [{id: ruritania, type: State, prefLabel: Ruritania}]", "r.yaml")
    >>> len(record.quads)
    2
    """
    tree = read_yaml(source, file)
    reader = _Reader(file)
    adds_to = reader.complete_addition(tree, voices) if "to" in tree else None
    document = None if adds_to else reader.complete(tree)
    if reader.problems:
        raise RecordErrors(reader.problems)
    quads: tuple[ox.Quad, ...]
    if adds_to:
        entries = Table({"entries": tree.pop("entries", Items())})
        tree["id"] = _text(adds_to.removeprefix(ID), 1)
        quads = (*_expand(entries, None), *_expand(tree, adds_to))
    else:
        quads = tuple(_expand(tree, document))
    return Record(file, document, as_stored(quads), text_digest(source), reader.lines, adds_to)


def _expand(tree: Table, document: str | None) -> Iterator[ox.Quad]:
    text = json.dumps({"@context": own_context(words_of(tree)), **tree})
    triples = {q.triple for q in ox.parse(text.encode(), format=ox.RdfFormat.JSON_LD, base_iri=ID)}
    classes: dict[Term, set[str]] = {}
    for triple in triples:
        if triple.predicate.value == RDF + "type" and isinstance(triple.object, ox.NamedNode):
            classes.setdefault(triple.subject, set()).add(triple.object.value.removeprefix(WS))
    known = vocabulary()
    for triple in sorted(triples, key=str):
        shared = any(known.is_a(c, s) for c in classes.get(triple.subject, ()) for s in _SHARED)
        graph = CONTENTS_GRAPH if shared else document_graph(document) if document else REGISTER_GRAPH
        yield ox.Quad(triple.subject, triple.predicate, triple.object, ox.NamedNode(graph))


def check_name(name: str) -> bool:
    """Tell whether a name may stand for a resource: lower-case slug, then parts after slashes.

    >>> check_name("park-2013/141-401"), check_name("United States")
    (True, False)
    """
    return bool(_NAME.match(name))


class _Reader:
    """Checks and completes the tree of one record in place, gathering problems and lines."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.known: Vocabulary = vocabulary()
        self.problems: list[RecordError] = []
        self.lines: Lines = {}
        self.assertions: list[Table] = []
        self.reported: set[str] = set()

    def problem(self, line: int, what: str, mend: str) -> None:
        what = what if len(what) <= 500 else f"{what[:500]}…"
        self.problems.append(RecordError(what, mend=mend, place=Place(self.file, line)))
        if len(self.problems) >= ENOUGH:
            more = RecordError(NOT_ALL, mend="mend these first", place=Place(self.file, line))
            raise RecordErrors([*self.problems, more])

    def complete(self, tree: Table) -> str | None:
        """Check and complete a whole record; return its document's IRI, None for the register."""
        if "entries" in tree:
            self._register(tree)
            return None
        if str(tree.get("type")) != "Document":
            self.problem(
                tree.line,
                "neither `entries:` nor `type: Document`",
                "a part of the register begins with `entries:`, a document's record with `id:` and `type: Document`",
            )
            return None
        defaults = tree.pop("defaults", None)
        document = str(tree.get("id", ""))
        self._node(tree, document=None)
        if "/" in document:
            self.problem(
                tree.line, f"`{document}` cannot name a document", "use a slug without a slash, such as park-2013"
            )
        self._sections(tree, document)
        if not self.problems:
            self._defaults(defaults)
            self._author_reports(tree, document, _names(tree.get("creator")), _names(tree.get("publisher")))
        return ID + document

    def complete_addition(self, tree: Table, voices: Voices | None) -> str:
        """Check and complete an addition; return the IRI of the document that it adds to."""
        line = tree.key_lines["to"]
        document = str(tree.pop("to"))
        if not check_name(document) or "/" in document:
            self.problem(line, f"`{document}` cannot name a document", "name a published document under `to:`")
        defaults = tree.pop("defaults", None)
        for key in tree.keys() - SECTIONS.keys() - {"entries"}:
            self.problem(
                tree.key_lines[key],
                f"`{key}` stands beside `to`",
                f"an addition has `to:`, `defaults:`, `entries:` and sections ({', '.join(SECTIONS)})",
            )
        if "entries" in tree:
            entries = Table({"entries": tree["entries"]})
            entries.line = tree.key_lines["entries"]
            self._register(entries)
        self._sections(tree, document)
        if not self.problems:
            creators, publishers = voices(ID + document) if voices else ((), ())
            if not creators and not publishers:
                self.problem(
                    line, f"no document `{document}` is published", "add to one that is, or send its whole record"
                )
                return ID + document
            self._defaults(defaults)
            self._author_reports(tree, document, creators, publishers)
        return ID + document

    def _sections(self, tree: Table, document: str) -> None:
        for key, (_, class_name) in SECTIONS.items():
            entries = tree.get(key)
            if entries is None:
                continue
            if not isinstance(entries, Items):
                self.problem(tree.key_lines[key], f"`{key}` is not a list", "begin each entry with a dash")
                continue
            for entry in entries:
                if isinstance(entry, Table):
                    self._put(entry, "type", class_name)
                    self._node(entry, document)
                else:
                    self.problem(tree.key_lines[key], f"an entry of `{key}` is not a mapping", "give it an `id:`")

    def _register(self, tree: Table) -> None:
        for key in tree.keys() - {"entries"}:
            self.problem(tree.key_lines[key], f"`{key}` stands beside `entries`", "keep only `entries:`")
        entries = tree["entries"]
        if not isinstance(entries, Items):
            self.problem(tree.line, "`entries` is not a list", "begin each entry with a dash")
            return
        for entry in entries:
            if not isinstance(entry, Table):
                self.problem(tree.line, "an entry of the register is not a mapping", "give it an `id:` and a `type:`")
                continue
            self._node(entry, document=None)
            kind = str(entry.get("type", ""))
            if kind in self.known.classes and not self.known.is_a(kind, "RegisterEntry"):
                self.problem(entry.line, f"a {kind} does not belong in the register",
                             "put it into the record of the document that it is taken from")  # fmt: skip

    # One node: its name, its class, its keys, its values.

    def _node(self, node: Table, document: str | None) -> None:
        name = node.get("id")
        if not isinstance(name, Text):
            self.problem(node.line, "an entry without `id:`", "give it a name of its own")
        elif not check_name(name):
            self.problem(
                name.line, f"`{name}` is not a name", "use lower-case letters, digits and hyphens; parts after a slash"
            )
        else:
            keys = self.lines.setdefault(ID + name, {})
            if "" in keys and "type" in node:
                self.problem(
                    node.line,
                    f"`{name}` is defined twice (first on line {keys['']})",
                    "keep one definition; elsewhere write only the name",
                )
            keys |= {"": node.line, **node.key_lines}
        class_name = node.get("type")
        if class_name is None:
            self.problem(node.line, f"`{name}` has no `type:`", "say what it is, for instance `type: Relation`")
        elif not isinstance(class_name, Text) or class_name not in self.known.classes:
            self.problem(
                node.line,
                f"`{class_name}` is no class",
                f"use one of the ontology's classes{self._like(str(class_name), self.known.classes)}",
            )
        elif class_name in ("Leader", "Perception"):
            self.problem(
                node.line,
                f"`{class_name}` is inferred, never written",
                "use Person or Assertion; the build infers the rest",
            )
        for key, value in list(node.items()):
            if key not in _KEYWORDS:
                self._property(node, key, value, document)
        if document is not None:
            self._belongs(node, str(class_name), document)

    def _belongs(self, node: Table, class_name: str, document: str) -> None:
        if class_name == "Assertion":
            self.assertions.append(node)
            self.reported |= {str(v) for v in _names(node.get("reports"))}
        elif self.known.is_a(class_name, "Passage"):
            self._put(node, "inDocument", document)
        elif class_name != "Citation":
            self._put(node, "definedIn", document)

    def _property(self, node: Table, key: str, value: Value, document: str | None) -> None:
        line = node.key_lines.get(key, node.line)
        if key in SECTIONS:
            if str(node.get("type")) != "Document":
                self.problem(
                    line,
                    f"`{key}` stands inside an entry",
                    "sections belong to the document itself, at the left margin",
                )
            return
        prop = self.known.properties.get(key)
        if prop is None and key not in make_context_keys():
            self.problem(
                line, f"`{key}` is no key", f"see ontology/ for the properties{self._like(key, make_context_keys())}"
            )
            return
        if prop is not None and prop.derived and key != "image":
            self.problem(line, f"`{key}` is computed when the graph is built", "leave it out")
            return
        for item in value if isinstance(value, Items) else [value]:
            self._value(key, prop, item, line, document)

    def _value(self, key: str, prop: Property | None, value: Value, line: int, document: str | None) -> None:
        relation = prop.is_relation if prop else key in _BORROWED_RELATIONS
        if isinstance(value, Items):
            self.problem(line, f"a list inside the list of `{key}`", "use one flat list")
        elif not relation and isinstance(value, Table):
            if prop is not None and prop.datatype:
                self.problem(line, f"`{key}` takes a plain value", "write it after the colon")
            for language in value:
                if not _LANGUAGE.match(language):
                    self.problem(
                        line,
                        f"`{language}` is no language tag",
                        f"`{key}` takes text, or a mapping from language tags such as en, ko, ja",
                    )
        elif relation and isinstance(value, Table):
            if prop is not None and prop.scheme:
                self.problem(
                    line, f"`{key}` takes the name of a concept", "concepts are defined in ontology/schemes.ttl"
                )
            elif document is None:
                self.problem(
                    line, f"an entry inside `{key}`", "define it as an entry of its own and write its name here"
                )
            else:
                if prop is not None and prop.range:
                    self._put(value, "type", prop.range)
                self._node(value, document)
        elif isinstance(value, Text) and not value.strip():
            self.problem(line, f"`{key}` is empty", "fill it in or leave the key out")
        elif prop is not None and prop.scheme:
            names = self.known.concepts[prop.scheme]
            if value not in names:
                self.problem(line, f"`{value}` is no value of `{key}`", f"use one of: {', '.join(names)}")
        elif relation and not check_name(str(value)):
            self.problem(line, f"`{value}` is not a name", f"`{key}` takes the id of an entry, such as united-states")

    # What is said once for all.

    def _put(self, node: Table, key: str, value: str) -> None:
        if key not in node:
            node[key] = _text(value, node.line)

    def _defaults(self, defaults: Value | None) -> None:
        if defaults is None:
            return
        if not isinstance(defaults, Table):
            self.problem(1, "`defaults` is not a mapping", "give keys and values of assertions")
            return
        template = Table(defaults)
        template.line, template.key_lines = defaults.line, defaults.key_lines
        for key, value in defaults.items():
            self._property(template, key, value, document=None)
        for assertion in self.assertions:
            for key, value in defaults.items():
                assertion.setdefault(key, value)

    def _author_reports(self, tree: Table, document: str, creators: Sequence[str], publishers: Sequence[str]) -> None:
        voices = {*map(str, creators), *map(str, publishers)}
        for assertion in self.assertions:
            name = str(assertion["id"])
            self._put(assertion, "statedIn", document)
            if name in self.reported or voices.intersection(str(v) for v in _names(assertion.get("holder"))):
                continue
            if len(creators) != 1:
                self.problem(
                    assertion.line,
                    f"`{name}` is held by another, and the document has {len(creators)} creators",
                    "write the assertion of the one who reports it, with `reports:`",
                )
                continue
            report = Table()
            report.line, report.key_lines = assertion.line, {}
            for key, value in plain_report(assertion, str(creators[0])).items():
                report[key] = value if isinstance(value, Text | Items) else _text(str(value), assertion.line)
            report["statedIn"] = _text(document, assertion.line)
            self.lines[ID + report["id"]] = {"": assertion.line}  # type: ignore[operator]
            section = tree.setdefault("assertions", Items())
            assert isinstance(section, Items)
            section.append(report)

    def _like(self, word: str, words: Iterable[str]) -> str:
        close = difflib.get_close_matches(word, list(words), n=1)
        return f"; did you mean `{close[0]}`?" if close else ""


def plain_report(assertion: Mapping[str, object], creator: object) -> dict[str, object]:
    """Return the plain report by which a document's creator tells of another's stance.

    Parameters:
        assertion: the record's entry for that stance.
        creator: name of the document's creator.

    >>> plain_report({"id": "toll/s1a", "holder": "ruritania"}, "anna")["reports"]
    'toll/s1a'
    """
    report = {
        "id": f"{assertion['id']}/report",
        "type": "Assertion",
        "holder": creator,
        "holderBasis": "named",
        "act": "reports",
        "polarity": "affirms",
        "certainty": "unhedged",
        "basis": "stated",
        "reports": assertion["id"],
    }
    return report | {key: assertion[key] for key in ("evidencedBy", "coder", "coded", "status") if key in assertion}


@cache
def make_context_keys() -> frozenset[str]:
    """Return every key that a record may use besides the sections.

    >>> "holder" in make_context_keys()
    True
    """
    context = make_context()["@context"]
    assert isinstance(context, Mapping)
    return frozenset(k for k, v in context.items() if not k.startswith("@") and isinstance(v, dict))


def _text(value: str, line: int) -> Text:
    text = Text(value)
    text.line = line
    return text


def _names(value: Value | None) -> list[Text]:
    if value is None:
        return []
    if isinstance(value, Items):
        return [name for item in value for name in _names(item)]
    if isinstance(value, Table):
        return _names(value.get("id"))
    return [value]
