"""JSON-LD looked through before it is parsed.

The parser brings its process down where objects nest ten thousand deep, takes hours over many
contexts with many terms, and drops without a word what it cannot make sense of: unknown keys,
names that are no IRIs. So the JSON is read first: nesting and contexts are counted, contexts
that stand elsewhere are refused (ours is put in from here), and words that no context explains
are made visible, as IRIs under `UNMAPPED`.

Source: JSON-LD 1.1, https://www.w3.org/TR/json-ld11/ (section 9, and 9.15 for contexts).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pyoxigraph as ox

from kg.errors import MalformedError, Place
from kg.names import BASE, ID
from kg.vocabulary import own_context, words_of

CONTEXT = BASE + "ontology/context.jsonld"
"""The address of our own context, the only one that a document may name."""

UNMAPPED = "urn:x-whosays-unmapped:"
"""What the IRI of a word begins with that no context explains."""

MAX_CONTEXT_WORK = 20_000_000
"""Terms in contexts times uses of contexts inside the document; about five seconds' work."""

_KEYWORDS = frozenset(
    (
        "@base",
        "@container",
        "@context",
        "@direction",
        "@graph",
        "@id",
        "@import",
        "@included",
        "@index",
        "@json",
        "@language",
        "@list",
        "@nest",
        "@none",
        "@prefix",
        "@propagate",
        "@protected",
        "@reverse",
        "@set",
        "@type",
        "@value",
        "@version",
        "@vocab",
    )
)
_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)
_IDENTIFIED = re.compile(r'(\{\s*)?"(?:@id|id)"\s*+:\s*+("(?:[^"\\]++|\\.)*+")(\s*\})?', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
_NOT_IN_IRI = re.compile(r'[\x00-\x20<>"{}|^`\\]')
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*\Z")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")


@dataclass
class _Contexts:
    """What the contexts of a document say, all taken together."""

    terms: int = 0
    uses: int = 0
    scoped: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=lambda: {"@id"})
    others: set[str] = field(default_factory=set)
    language_maps: set[str] = field(default_factory=set)
    prefixes: dict[str, str] = field(default_factory=dict)
    free_keys: bool = False


def prepare_jsonld(text: str, name: str, *, depth: int = 100) -> tuple[bytes, Mapping[str, int]]:
    """Make a JSON-LD document fit to be parsed.

    Parameters:
        text: the document.
        name: for messages.
        depth: how deep objects and arrays may nest.

    Returns:
        The document with its contexts put in and unknown words made visible; and the line on which
        each subject first stands, by IRI, as far as that can be seen without expanding it.

    Raises:
        MalformedError: it is not JSON, nests deeper, or has what would be fetched, dropped or hidden.

    >>> data, lines = prepare_jsonld('{"@id": "a",\\n "b": 1}', "x.jsonld")
    >>> json.loads(data)["@context"], lines
    ([{'@vocab': 'urn:x-whosays-unmapped:'}], {'https://w3id.org/whosays/id/a': 1})
    """
    _check_depth(text, name, depth)
    try:
        tree = json.loads(
            text,
            object_pairs_hook=lambda pairs: _object(pairs, name),
            parse_constant=lambda word: _refuse(word, name),
            parse_float=lambda digits: _number(digits, name),
        )
    except json.JSONDecodeError as error:
        raise MalformedError(
            f"not valid JSON: {error.msg} (column {error.colno})",
            mend="correct it there; a file that is cut off ends too early",
            place=Place(name, error.lineno),
        ) from error
    except ValueError as error:
        raise MalformedError(
            "a number has too many digits", mend="shorten it, or write it as text", place=Place(name)
        ) from error
    except RecursionError as error:
        raise MalformedError("nested too deeply", mend="nest less deeply", place=Place(name)) from error
    if not isinstance(tree, dict | list):
        raise MalformedError("neither an object nor a list", mend='begin with { "@context": …', place=Place(name))
    contexts = _Contexts()
    _read_contexts(tree, contexts, name, own_context(words_of(tree)))
    _Checker(contexts, name).check(tree)
    if contexts.terms * contexts.uses > MAX_CONTEXT_WORK:
        raise MalformedError(
            f"{contexts.terms} terms in contexts that are used {contexts.uses} times are too many",
            mend="write one context at the top, with the terms that are used",
            place=Place(name),
        )
    for top in tree if isinstance(tree, list) else [tree]:
        if isinstance(top, dict):
            top["@context"] = [{"@vocab": UNMAPPED}, *_as_list(top.get("@context", []))]
    return json.dumps(tree).encode(), _lines(text, contexts.prefixes)


def _check_depth(text: str, name: str, limit: int) -> None:
    depth = 0
    for match in _BRACKET.finditer(text):
        token = match.group()
        if token in "[{":
            depth += 1
            if depth > limit:
                line = text.count("\n", 0, match.start()) + 1
                raise MalformedError(
                    f"objects and lists nest deeper than {limit}", mend="nest less deeply", place=Place(name, line)
                )
        elif token in "]}":
            depth -= 1


def _object(pairs: list[tuple[str, object]], name: str) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise MalformedError(f"the key `{twice}` stands twice in one object", mend="keep one", place=Place(name))
    return found


def _refuse(word: str, name: str) -> object:
    raise MalformedError(f"`{word}` is no JSON number", mend="write a number", place=Place(name))


def _number(digits: str, name: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise MalformedError(f"the number {digits[:40]} is too large", mend="write it as text", place=Place(name))
    return number


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _read_contexts(node: object, contexts: _Contexts, name: str, own: Mapping[str, object], top: bool = True) -> None:
    if isinstance(node, list):
        for child in node:
            _read_contexts(child, contexts, name, own, top)
    elif isinstance(node, dict):
        if "@context" in node:
            node["@context"] = _inlined(node["@context"], name, own)
            contexts.uses += not top
            for part in _as_list(node["@context"]):
                if isinstance(part, dict):
                    _note_terms(part, contexts)
        for key, child in node.items():
            if key in contexts.scoped:
                contexts.uses += len(child) if isinstance(child, list) else 1
            if isinstance(child, dict | list):
                _read_contexts(child, contexts, name, own, top=False)


def _inlined(context: object, name: str, own: Mapping[str, object]) -> object:
    """Return a context with our own put in for its address; anything else that stands elsewhere is refused."""
    if isinstance(context, list):
        return [_inlined(part, name, own) for part in context]
    if isinstance(context, str):
        if context == CONTEXT:
            return own
        raise MalformedError(
            f"the @context stands elsewhere ({context[:200]}), and nothing is fetched",
            mend=f"write its content in its place, or name ours: {CONTEXT}",
            place=Place(name),
        )
    if isinstance(context, dict) and "@import" in context:
        raise MalformedError(
            "a @context imports another, and nothing is fetched",
            mend="write the content of that one in its place",
            place=Place(name),
        )
    return context


def _note_terms(context: dict[str, object], contexts: _Contexts) -> None:
    contexts.terms += len(context)
    for term, meaning in context.items():
        if term.startswith("@"):
            continue
        iri = meaning.get("@id", meaning.get("@reverse")) if isinstance(meaning, dict) else meaning
        if isinstance(iri, str) and _SCHEME.match(iri) and iri.endswith(("/", "#", ":")):
            contexts.prefixes.setdefault(term, iri)
        kind = meaning.get("@type") if isinstance(meaning, dict) else None
        if iri == "@id" or kind in ("@id", "@vocab"):
            contexts.ids.add(term)
        else:
            contexts.others.add(term)
        if isinstance(meaning, dict):
            if "@context" in meaning:
                contexts.scoped.add(term)
                inner = [part for part in _as_list(meaning["@context"]) if isinstance(part, dict)]
                contexts.terms += sum(map(len, inner))
            container = _as_list(meaning.get("@container", []))
            if "@language" in container:
                contexts.language_maps.add(term)
            contexts.free_keys |= any(c not in ("@set", "@list", "@language", None) for c in container)


class _Checker:
    """Looks for what the parser would drop without a word."""

    def __init__(self, contexts: _Contexts, name: str) -> None:
        self.terms = contexts.ids | contexts.others
        self.ids = contexts.ids - contexts.others
        self.language_maps = contexts.language_maps
        self.free_keys = contexts.free_keys
        self.name = name

    def check(self, node: object, key: str = "") -> None:
        if isinstance(node, list):
            for child in node:
                self.check(child, key)
        elif isinstance(node, dict):
            if node.get("@type") == "@json":
                return
            in_languages = key in self.language_maps and "@value" not in node
            for word, child in node.items():
                if word == "@direction" and child is not None:
                    raise self._error("a text with a direction (RDF 1.2)", "leave `@direction` out")
                if in_languages and word != "@none":
                    self._language(word)
                elif word == "@context":
                    for part in _as_list(child):
                        self._language(part.get("@language") if isinstance(part, dict) else None)
                    continue
                elif word == "@language":
                    self._language(child)
                else:
                    self._key(word)
                self.check(child, word)
        elif isinstance(node, str):
            if not node.isascii() and _SURROGATE.search(node):
                raise self._error("a text has half a character (a lone surrogate)", "write the whole character")
            if key in self.ids:
                self._iri(node, key)

    def _key(self, word: str) -> None:
        if word.startswith("@") and word not in _KEYWORDS and re.fullmatch("@[A-Za-z]+", word):
            raise self._error(f"`{word}` is no keyword of JSON-LD", "correct it, or leave it out")
        if word.startswith("_:"):
            raise self._error(f"the key `{word}` is a blank node", "give the property an IRI")
        if not self.free_keys and word not in self.terms and _NOT_IN_IRI.search(word):
            raise self._error(f"`{word[:100]}` is no key", "explain it in the @context, or leave it out")

    def _language(self, tag: object) -> None:
        if isinstance(tag, str) and not _LANGUAGE.match(tag):
            raise self._error(f"`{tag[:100]}` is no language tag", "use tags such as en, ko, zh-Hant")

    def _iri(self, text: str, key: str) -> None:
        if text.startswith("_:"):
            raise self._error(f"`{text[:100]}` is a blank node", f"give it an IRI under {ID}")
        try:
            ox.NamedNode(text if _SCHEME.match(text) else ID + text)
        except ValueError:
            raise self._error(
                f"`{text[:100]}` (value of `{key}`) is no IRI", "correct it; no spaces, quotes or braces in it"
            ) from None

    def _error(self, problem: str, mend: str) -> MalformedError:
        return MalformedError(problem, mend=mend, place=Place(self.name))


def _lines(text: str, prefixes: Mapping[str, str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for is_reference, identifier, line in _identifiers(text):
        prefix, colon, rest = identifier.partition(":")
        if colon and prefix in prefixes and not rest.startswith("//"):
            identifier = prefixes[prefix] + rest
        elif not _SCHEME.match(identifier):
            identifier = ID + identifier
        if not is_reference:
            found.setdefault(identifier, line)
    return found


def _identifiers(text: str) -> Iterable[tuple[bool, str, int]]:
    line, counted = 1, 0
    for match in _IDENTIFIED.finditer(text):
        line += text.count("\n", counted, match.start(2))
        counted = match.start(2)
        yield bool(match[1] and match[3]), json.loads(match[2]), line
