"""Records made from filled forms.

A filled form becomes an addition to a published document (`to:`), the same that a coder would write
by hand and send to the door; there is no other way in. The names are made here: an assertion is called
after its sentence (`toll-1998/s8a`), a proposition after its gloss, a thing after what it is called.

What is written for a thing may be its name (`ruritania`), what it is called (Ruritania), both (`Ruritania
[ruritania]`, as suggestions are), or its place in the form (`voice 2`, `new 1`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import yaml

from kg.digests import passage_digest, text_digest
from kg.forms import Field, keys, part_field
from kg.names import ID
from kg.vocabulary import SECTIONS, vocabulary
from loaders.filled_forms import LANGUAGE, SHARED, STRUCTURE, Entry, FilledForm, Value
from loaders.records import check_name
from loaders.yaml_source import Items, Table, Text, read_yaml
from loaders.yaml_source import Value as Node

_BRACKETED = re.compile(r"\[([^\[\]\s]+)\]\s*\Z")
_AT_PLACE = re.compile(r"(voice|part|new)[ -]([0-9]+)\Z|(content)\Z", re.IGNORECASE)
_SPAN = re.compile(r"([0-9]{1,9})\s*[-–]\s*([0-9]{1,9})\Z")
_LEFT_OUT = frozenset({"the", "a", "an"})
_LONGEST_NAME = 70


@dataclass(frozen=True)
class Surroundings:
    """What has to be known of the graph and the text, for names to be made and found.

    Parameters:
        called: names (slugs) of the published things that are called so and are of one of these classes.
        is_published: whether anything that is published has a name.
        is_taken: whether a name cannot be given again, for something published or proposed has it.
        sentence: number of the sentence that a position lies in.
        words: what stands between two positions of the document's text; None where the text is not here.
        length: of the text, None where it is not here.
    """

    called: Callable[[str, tuple[str, ...]], Sequence[str]]
    is_published: Callable[[str], bool]
    is_taken: Callable[[str], bool]
    sentence: Callable[[int], int | None] = lambda _: None
    words: Callable[[int, int], str | None] = lambda _start, _end: None
    length: int | None = None


@dataclass(frozen=True)
class Trouble:
    """Something in a form that keeps a record from being made of it.

    Parameters:
        control: name of the control, such as `voice-1.holder`.
        problem: what is wrong.
        mend: what to do.
    """

    control: str
    problem: str
    mend: str


@dataclass(frozen=True)
class MadeRecord:
    """A record made from a form.

    Parameters:
        source: YAML.
        places: where in the form a thing stands, by its IRI.
        troubles: what could not be put into the record.
    """

    source: str
    places: Mapping[str, str]
    troubles: tuple[Trouble, ...] = ()
    _lines: dict[int, str] = field(repr=False, default_factory=dict)

    def control_at(self, line: int) -> str | None:
        """Return the name of the control that a line of the record comes from."""
        if not self._lines:
            self._lines.update(_lines_of(read_yaml(self.source, ""), self.places))
        return next((self._lines[n] for n in range(line, 0, -1) if n in self._lines), None)


def make_record(filled: FilledForm, around: Surroundings) -> MadeRecord:
    """Make a record of a filled form.

    Parameters:
        filled: the form.
        around: the graph and the text.

    >>> from loaders.filled_forms import empty_form
    >>> around = Surroundings(lambda text, classes: [], lambda name: False, lambda name: False)
    >>> print(make_record(empty_form("toll"), around).source.splitlines()[0])
    to: toll
    """
    return _Maker(filled, around).make()


def slug(words: str) -> str:
    """Return a name made from words: at most 70 characters, without articles and accents.

    >>> slug("The toll at Tellbrück ruins the border towns.")
    'toll-at-tellbruck-ruins-border-towns'
    >>> slug("통행료는 도시를 망친다.")
    'n-1f7632fd02fd'
    """
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower().replace("'", "")
    parts = [part for part in re.findall(r"[a-z0-9]+", plain) if part not in _LEFT_OUT]
    while len("-".join(parts)) > _LONGEST_NAME and len(parts) > 1:
        parts.pop()
    letters = sum(character.isalnum() for character in words)
    if not parts or sum(map(len, parts)) * 3 < letters:  # another script: what is left of it says nothing
        return f"n-{text_digest(words)[:12]}"
    return "-".join(parts)[:_LONGEST_NAME]


class _Maker:
    def __init__(self, filled: FilledForm, around: Surroundings) -> None:
        self.filled, self.around = filled, around
        self.troubles: list[Trouble] = []
        self.names: dict[str, str] = {}
        self.passages: dict[str, dict[str, object]] = {}

    def trouble(self, control: str, problem: str, mend: str) -> None:
        self.troubles.append(Trouble(control, problem, mend))

    def make(self) -> MadeRecord:
        filled = self.filled
        evidence = [name for text in filled.passages if text.strip() and (name := self.passage(text, "passage"))]
        self.name_all(evidence)
        defaults = {key: self.shared(key) for key in SHARED if filled.shared.get(key, "").strip()}
        content = self.content()
        assertion: dict[str, object] = {}
        for voice in reversed(filled.voices):
            inner = {"reports": assertion} if assertion else {"proposition": content} if content else {}
            said = self.values(voice, without=(*STRUCTURE, *SHARED))
            assertion = {"id": self.names[voice.place], "type": "Assertion", **said, "evidencedBy": evidence, **inner}
            if not evidence:
                del assertion["evidencedBy"]
        sections: dict[str, list[object]] = {}
        for entry in filled.new:
            own = _left_out(entry.class_name)
            told = {"id": self.names[entry.place], "type": entry.class_name, **self.values(entry, without=own)}
            sections.setdefault(_section(entry.class_name), []).append(told)
        tree: dict[str, object] = {"to": filled.document}
        tree |= {"defaults": defaults} if defaults else {}
        tree |= {"entries": sections.pop("entries")} if "entries" in sections else {}
        tree |= {"passages": [*self.passages.values()]} if self.passages else {}
        tree |= {"assertions": [assertion], **sections}
        places = {ID + name: place for place, name in self.names.items()}
        return MadeRecord(_write(tree), places, tuple(self.troubles))

    def content(self) -> object:
        filled = self.filled
        if filled.use.strip():
            return self.reference(filled.use, ("Proposition",), "content.use")
        entry = filled.content
        parts = part_field(entry.class_name or "Proposition")
        said = self.values(entry, without=(parts.key,) if parts else ())
        if not said and not entry.class_name:
            return None
        if not entry.class_name:
            self.trouble(
                "content.type", "nothing says of which kind the content is", "choose one; Proposition if none fits"
            )
        told: dict[str, object] = {"id": self.names["content"], "type": entry.class_name or "Proposition", **said}
        if parts and filled.parts:
            told[parts.key] = [
                {"id": self.names[part.place], "type": part.class_name, **self.values(part)} for part in filled.parts
            ]
        return told

    # Names.

    def name_all(self, evidence: Sequence[str]) -> None:
        given = {entry.place: entry.name for entry in self.filled.entries if entry.name}
        for place, name in given.items():
            if not check_name(name):
                mend = "use lower-case letters, digits and hyphens, or leave it empty"
                self.trouble(f"{place}.id", f"`{name[:80]}` is not a name", mend)
            elif name in self.names.values():
                self.trouble(f"{place}.id", f"two things are called `{name}`", "give each a name of its own")
            else:
                self.names[place] = name
        for entry in self.filled.entries:
            if entry.place not in self.names:
                self.names[entry.place] = self.new_name(entry, evidence)

    def new_name(self, entry: Entry, evidence: Sequence[str]) -> str:
        document = self.filled.document
        if entry.class_name == "Assertion":
            return self.free(self.key_of(evidence), letters=True, before=f"{document}/")
        if entry.place.startswith("part-"):
            number = next(iter(entry.texts("position")), entry.place.partition("-")[2])
            return self.free(f"{self.names['content']}/{slug(number)}")
        if entry.class_name in ("", "Factor") or _is_a(entry, "RegisterEntry") or _is_a(entry, "Proposition"):
            return self.free(slug(_words_of(entry) or f"new {entry.class_name or 'proposition'}"))
        kind = entry.class_name[0].lower() + entry.class_name[1:]
        return self.free(f"{document}/{kind}-1", counted=True)

    def key_of(self, evidence: Sequence[str]) -> str:
        """Return the beginning of an assertion's key: after the sentence that its first passage begins in."""
        starts = [int(found[1]) for name in evidence if (found := re.search(r"/([0-9]+)-[0-9]+\Z", name))]
        number = self.around.sentence(min(starts)) if starts else None
        return f"s{number}" if number is not None else f"p{min(starts)}" if starts else "a"

    def free(self, name: str, *, letters: bool = False, counted: bool = False, before: str = "") -> str:
        """Return a name that nothing has: with letters after it, with the next number, or as it is if it is free."""
        number = 1
        while True:
            if letters:
                tried = f"{before}{name}{_letters(number)}"
            elif counted:
                tried = f"{name.removesuffix('1')}{number}"
            else:
                tried = name if number == 1 else f"{name}-{number}"
            if tried not in self.names.values() and not self.around.is_taken(tried):
                return tried
            number += 1

    # Values.

    def values(self, entry: Entry, without: Sequence[str] = ()) -> dict[str, object]:
        found: dict[str, object] = {}
        for asked in entry.form.fields:
            if asked.key in without:
                continue
            values = [v for v in entry.values.get(asked.key, ()) if v.text.strip()]
            control = f"{entry.place}.{asked.key}"
            if asked.kind == "text":
                told: object = _by_language(values, asked)
            elif asked.kind == "reference":
                names = [self.reference(v.text, asked.classes, control) for v in values]
                told = _one_or_list([name for name in names if name])
            else:
                told = _one_or_list([v.text.strip() for v in values])
            if told:
                found[asked.key] = told
        return found

    def shared(self, key: str) -> object:
        text = self.filled.shared[key].strip()
        return (self.reference(text, ("Agent",), "shared.coder") or text) if key == "coder" else text

    def reference(self, text: str, classes: tuple[str, ...], control: str) -> str | None:
        """Return the name of the thing that is meant; say what is wrong where there is none."""
        text = " ".join(text.split())
        if bracketed := bracketed_name(text):
            return bracketed
        if found := _AT_PLACE.match(text):
            place = found[3].lower() if found[3] else f"{found[1].lower()}-{found[2]}"
            if place in self.names:
                return self.names[place]
        if "Passage" in classes and _SPAN.match(text):
            return self.passage(text, control)
        for place, name in self.names.items():
            entry = self.filled.entry(place)
            if name == text or (entry and _is_called(entry, text)):
                return name
        if check_name(text) and self.around.is_published(text):
            return text
        called = self.around.called(text, classes)
        if len(called) == 1:
            return called[0]
        if called:
            several = ", ".join(f"`{name}`" for name in called[:5])
            self.trouble(control, f"several things are called “{text[:80]}”", f"choose one of them: {several}")
        elif check_name(text):
            return text  # the shapes say what a thing has to be that is named here
        else:
            self.trouble(
                control,
                f"nothing is called “{text[:80]}”",
                "choose one that is there, or describe it under “Things that are missing” and name it here",
            )
        return None

    def passage(self, text: str, control: str) -> str | None:
        """Return the name of a passage, which is made where it is new."""
        found = _SPAN.match(text.strip())
        name = text.strip() if found is None else f"{self.filled.document}/{int(found[1])}-{int(found[2])}"
        name = bracketed_name(text) or name
        if self.around.is_published(name) or name in self.passages:
            return name
        own = re.fullmatch(re.escape(self.filled.document) + r"/([0-9]+)-([0-9]+)", name)
        if own is None:
            self.trouble(control, f"“{text[:80]}” is no passage", "give its first and last position, such as 120-181")
            return None
        start, end = int(own[1]), int(own[2])
        if self.around.length is None:
            self.trouble(
                control,
                f"the passage from {start} to {end} is not known yet, and the text of the document is not here",
                "choose a sentence or a passage that is known, or code where the text is",
            )
            return None
        if not 0 <= start < end <= self.around.length:
            self.trouble(
                control,
                f"there is no passage from {start} to {end} in a text of {self.around.length:,} characters",
                "give its first and last position, such as 120-181",
            )
            return None
        words = self.around.words(start, end)
        assert words is not None
        self.passages[name] = {"id": name, "start": start, "end": end, "digest": passage_digest(words)}
        return name


# --- small matters


def bracketed_name(text: str) -> str | None:
    """Return the name of a thing that a suggestion wrote into a field, None where none did.

    >>> bracketed_name("Ruritania [ruritania]"), bracketed_name("Ruritania")
    ('ruritania', None)
    """
    found = _BRACKETED.search(text)
    return found[1] if found else None


def _words_of(entry: Entry) -> str:
    """Return words that a thing can be named after."""
    texts = [values for f in entry.form.fields if f.kind == "text" and (values := entry.values.get(f.key))]
    for values in texts:
        written = [v for v in values if v.text.strip()]
        if written:
            return min(written, key=lambda v: (v.language or LANGUAGE) != LANGUAGE).text
    told = [text for f in entry.form.fields for text in entry.texts(f.key)]
    return " ".join(bracketed_name(text) or text for text in told[:2])


def _is_called(entry: Entry, text: str) -> bool:
    return any(
        text.casefold() == v.casefold() for f in entry.form.fields if f.kind == "text" for v in entry.texts(f.key)
    )


def _is_a(entry: Entry, class_name: str) -> bool:
    return vocabulary().is_a(entry.class_name, class_name)


def _section(class_name: str) -> str:
    """Return the section of a record that a thing is written into."""
    known = vocabulary()
    found = [key for key, (_, name) in SECTIONS.items() if known.is_a(class_name, name)]
    return found[0] if found else "entries"


def _left_out(class_name: str) -> tuple[str, ...]:
    """Return the keys that follow from the section that a thing is written into."""
    section = SECTIONS.get(_section(class_name))
    return (keys()[section[0]],) if section and section[0] in keys() else ()


def _letters(number: int) -> str:
    """Return a, b … z, aa, ab …"""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("a") + rest) + letters
    return letters


def _by_language(values: Sequence[Value], asked: Field) -> object:
    told: dict[str, list[str]] = {}
    for value in values:
        text = value.text.strip() if asked.long and not asked.longest else " ".join(value.text.split())
        told.setdefault(value.language or LANGUAGE, []).append(text)
    return {tag: _one_or_list(texts) for tag, texts in told.items()}


def _one_or_list(values: Sequence[object]) -> object:
    return values[0] if len(values) == 1 else list(values)


class _Dumper(yaml.SafeDumper):
    """Writes no anchors, which records do not have."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def _write(tree: Mapping[str, object]) -> str:
    return yaml.dump(tree, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110)


def _lines_of(node: Node, places: Mapping[str, str], section: str = "") -> dict[int, str]:
    """Return the controls that lines come from."""
    found: dict[int, str] = {}
    if isinstance(node, Items):
        for one in node:
            found |= _lines_of(one, places, section)
    elif isinstance(node, Table):
        name = node.get("id")
        place = places.get(ID + name) if isinstance(name, Text) else None
        if place:
            found[node.line] = f"{place}.id"
        for key, value in node.items():
            found |= _lines_of(value, places, key)
            control = f"shared.{key}" if section == "defaults" else f"{place}.{key}" if place and key != "id" else None
            if section == "passages" or key in ("passages", "evidencedBy"):
                control = "passage"
            if control:
                found[node.key_lines[key]] = control
    return found
