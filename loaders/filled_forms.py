"""Filled forms: what a coder has written into the form for an assertion, as a browser sends it.

A form is one chain of voices, from the outermost inwards, with one content: "the chancellor says
that Borduria fears …" has two voices. The content is a proposition that is known already, or a new
one with its parts. Beside it stand the things that have to be made for it, such as a factor or an agent.

    FilledForm
    ├── passages   on which all of it rests
    ├── shared     what all voices have in common: coder, day, status
    ├── voices     Entry, of class Assertion
    ├── content    Entry, of the class of a proposition; or `use`, the name of one that is known
    ├── parts      Entry, such as the steps of a pathway
    └── new        Entry, of any class that `kg.forms.new_things` has

The name of each control is its place and its key, `voice-1.holder`; the language of a text stands under
`content.gloss:language`. What belongs to no field of the class chosen is kept, since the coder may choose
another class again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from kg.errors import ParameterError
from kg.forms import Form, class_form, new_things, part_field, proposition_kinds

STRUCTURE = ("statedIn", "evidencedBy", "proposition", "reports")
"""Keys of an assertion that follow from where it stands in the form."""

SHARED = ("coder", "coded", "status")
"""Keys of assertions that all voices have in common."""

LANGUAGE = "en"
"""What a text is in unless it says otherwise."""

MOST_ENTRIES, MOST_VALUES = 60, 200

_PLACE = re.compile(r"(voice|part|new)-([1-9][0-9]{0,3})\Z")
_KINDS = ("voice", "part", "new")


@dataclass(frozen=True)
class Value:
    """One value, as it was written.

    Parameters:
        text: the characters.
        language: tag of the language, where it is a text.
    """

    text: str
    language: str = ""


@dataclass
class Entry:
    """What the form says of one thing.

    Parameters:
        place: where in the form it stands, such as `voice-1`.
        class_name: local name of its class; empty where none was chosen.
        name: its name, where the coder gave one or it has one already.
        values: by key.
    """

    place: str
    class_name: str
    name: str = ""
    values: dict[str, list[Value]] = field(default_factory=dict)

    @property
    def form(self) -> Form:
        """What is asked for of such a thing."""
        return class_form(self.class_name or "Proposition")

    def texts(self, key: str) -> list[str]:
        """Return what was written under a key, blanks aside."""
        return [value.text.strip() for value in self.values.get(key, ()) if value.text.strip()]

    def others(self) -> Iterator[tuple[str, Value]]:
        """Give what was written under keys that the class does not have."""
        for key, values in self.values.items():
            if self.form.field(key) is None:
                yield from ((key, value) for value in values)


@dataclass
class FilledForm:
    """What a coder has written into the form.

    Parameters:
        document: slug of the document.
        passages: as written: positions such as `12-40`, or names.
        shared: what all voices have in common, by key.
        voices: from the outermost inwards, at least one.
        content: of the new proposition.
        use: the proposition that is known already; empty for a new one.
        parts: of the content.
        new: things that have to be made for it.
        note: words to the curator.
    """

    document: str
    passages: list[str] = field(default_factory=list)
    shared: dict[str, str] = field(default_factory=dict)
    voices: list[Entry] = field(default_factory=list)
    content: Entry = field(default_factory=lambda: Entry("content", ""))
    use: str = ""
    parts: list[Entry] = field(default_factory=list)
    new: list[Entry] = field(default_factory=list)
    note: str = ""

    @property
    def entries(self) -> list[Entry]:
        """Everything that the form describes."""
        return [*self.voices, *([] if self.use.strip() else [self.content, *self.parts]), *self.new]

    def entry(self, place: str) -> Entry | None:
        """Return what stands at a place."""
        everything = [*self.voices, self.content, *self.parts, *self.new]
        return next((entry for entry in everything if entry.place == place), None)

    def value(self, name: str) -> bool:
        """Tell whether anything was written under the name of a control, such as `voice-1.holder`."""
        place, _, key = name.partition(".")
        if place == "passage":
            return any(passage.strip() for passage in self.passages)
        if place == "shared":
            return bool(self.shared.get(key, "").strip())
        if name == "content.use":
            return bool(self.use.strip())
        entry = self.entry(place)
        return bool(entry and (entry.texts(key) or (key == "type" and entry.class_name)))


def empty_form(document: str, passages: Iterable[str] = (), shared: Mapping[str, str] | None = None) -> FilledForm:
    """Return the form as it is before anything is written into it.

    Parameters:
        document: slug of the document.
        passages: on which it rests.
        shared: what all voices have in common.

    >>> empty_form("toll").voices[0].texts("polarity")
    ['affirms']
    """
    filled = FilledForm(document, list(passages), dict(shared or {}))
    add_voice(filled)
    return filled


def add_voice(filled: FilledForm) -> Entry:
    """Put one more voice innermost, whose stance the one before it then reports."""
    if filled.voices and filled.voices[-1].texts("act") == []:
        filled.voices[-1].values["act"] = [Value("reports")]
    starting = {field.key: [Value(field.default)] for field in class_form("Assertion").fields if field.default}
    return _append(filled.voices, "voice", "Assertion", starting)


def add_new(filled: FilledForm, class_name: str) -> Entry:
    """Begin the description of one more thing that has to be made.

    Parameters:
        filled: the form; altered.
        class_name: local name of its class.

    Raises:
        ParameterError: nothing of that class is made in a form.
    """
    if not any(class_name in names for names in new_things().values()):
        raise ParameterError(f"`{class_name[:40]}` is nothing that a form makes", mend="choose one that it offers")
    return _append(filled.new, "new", class_name, {})


def add_part(filled: FilledForm) -> Entry | None:
    """Begin one more part of the content, numbered where parts are; None where its kind has no parts."""
    found = part_field(filled.content.class_name or "Proposition")
    if found is None:
        return None
    entry = _append(filled.parts, "part", found.classes[0], {})
    for asked in entry.form.fields:
        if asked.kind == "number" and asked.needed:
            entry.values[asked.key] = [Value(str(len(filled.parts)))]
    return entry


def drop(filled: FilledForm, place: str) -> None:
    """Take an entry out of the form; the last voice stays."""
    if place.startswith("voice-") and len(filled.voices) == 1:
        return
    for entries in (filled.voices, filled.parts, filled.new):
        entries[:] = [entry for entry in entries if entry.place != place]


def read_pairs(document: str, pairs: Iterable[tuple[str, str]]) -> FilledForm:
    """Read what a browser sends.

    Parameters:
        document: slug of the document.
        pairs: names and values of the form's controls, in its order; those that are none of ours are passed over.

    Raises:
        ParameterError: it is no form of ours, or describes more things than one form may.

    >>> filled = read_pairs("toll", [("voice-1.type", "Assertion"), ("voice-1.holder", "ruritania")])
    >>> filled.voices[0].texts("holder")
    ['ruritania']
    """
    filled = FilledForm(document)
    entries: dict[str, Entry] = {"content": filled.content}
    languages: dict[tuple[str, str], list[str]] = {}
    for name, text in pairs:
        place, dot, key = name.partition(".")
        text = text.replace("\r\n", "\n")
        if name == "passage":
            filled.passages.append(text)
        elif name == "note":
            filled.note = text
        elif place == "shared" and key in SHARED:
            filled.shared[key] = text
        elif name == "content.use":
            filled.use = text
        elif dot and (place == "content" or _PLACE.match(place)):
            entry = entries.setdefault(place, Entry(place, ""))
            if len(entries) > MOST_ENTRIES:
                raise ParameterError(f"the form describes more than {MOST_ENTRIES} things", mend="make two of it")
            if key == "type":
                entry.class_name = text
            elif key == "id":
                entry.name = text.strip()
            elif key.endswith(":language"):
                languages.setdefault((place, key.removesuffix(":language")), []).append(text.strip())
            elif key.isalpha():
                entry.values.setdefault(key, []).append(Value(text))
    for (place, key), tags in languages.items():
        values = entries[place].values.get(key, [])
        entries[place].values[key] = [Value(v.text, tag) for v, tag in zip(values, tags, strict=False)]
    _sort(filled, entries)
    return filled


def write_pairs(filled: FilledForm) -> list[tuple[str, str]]:
    """Write a filled form as a browser would send it, blanks included.

    >>> ("voice-1.type", "Assertion") in write_pairs(empty_form("toll"))
    True
    """
    pairs = [("passage", passage) for passage in filled.passages]
    pairs += [(f"shared.{key}", text) for key, text in filled.shared.items()]
    pairs += [("content.use", filled.use), ("note", filled.note)]
    for entry in [*filled.voices, filled.content, *filled.parts, *filled.new]:
        pairs += [(f"{entry.place}.type", entry.class_name), (f"{entry.place}.id", entry.name)]
        for key, values in entry.values.items():
            for value in values:
                pairs.append((f"{entry.place}.{key}", value.text))
                if any(v.language for v in values):
                    pairs.append((f"{entry.place}.{key}:language", value.language))
    return pairs


def _sort(filled: FilledForm, entries: Mapping[str, Entry]) -> None:
    allowed = {"voice": {"Assertion"}, "new": {name for names in new_things().values() for name in names}}
    if filled.content.class_name not in ("", *proposition_kinds()):
        raise ParameterError(
            f"`{filled.content.class_name[:40]}` is no kind of proposition",
            mend=f"choose one of {', '.join(proposition_kinds())}",
        )
    parts = part_field(filled.content.class_name or "Proposition")
    lists = {"voice": filled.voices, "part": filled.parts, "new": filled.new}
    for place in sorted(entries, key=lambda p: (p.partition("-")[0], int(p.partition("-")[2] or 0))):
        entry, kind = entries[place], place.partition("-")[0]
        if kind not in _KINDS:
            continue
        if kind == "part":
            entry.class_name = entry.class_name if parts is None else parts.classes[0]
            if not class_form(entry.class_name).part_of:
                continue
        elif entry.class_name not in allowed[kind]:
            raise ParameterError(f"`{entry.class_name[:40]}` stands at {place}", mend="choose what the form offers")
        if any(len(values) > MOST_VALUES for values in entry.values.values()):
            raise ParameterError(f"{place} has more than {MOST_VALUES} values of one kind", mend="give fewer")
        lists[kind].append(entry)
    if not filled.voices:
        add_voice(filled)


def _append(entries: list[Entry], kind: str, class_name: str, values: dict[str, list[Value]]) -> Entry:
    number = max((int(entry.place.partition("-")[2]) for entry in entries), default=0) + 1
    entry = Entry(f"{kind}-{number}", class_name, "", values)
    entries.append(entry)
    return entry
