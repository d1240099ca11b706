"""Filled forms read back from records, so that what was proposed can be altered where it was made.

A record that says more than a form can say is none; its source is altered then. Whether the form that
was read says the same as the record is for `same_record` to tell.
"""

from __future__ import annotations

from collections.abc import Sequence

from kg.errors import RecordError
from kg.forms import part_field
from kg.vocabulary import SECTIONS, vocabulary
from loaders.filled_forms import LANGUAGE, SHARED, Entry, FilledForm, Value
from loaders.records import parse_record
from loaders.yaml_source import Items, Table, read_yaml
from loaders.yaml_source import Value as Node


def read_form(source: str, document: str) -> FilledForm | None:
    """Return the form that a record could have been made from; None where it says what no form says.

    Parameters:
        source: YAML.
        document: slug of the document that it adds to.

    >>> read_form("to: toll", "toll") is None
    True
    """
    try:
        tree = read_yaml(source, "")
    except RecordError:
        return None
    sections = [key for key in tree if key not in ("to", "defaults", "assertions", "passages")]
    assertions = tree.get("assertions")
    if str(tree.get("to")) != document or not isinstance(assertions, Items) or len(assertions) != 1:
        return None
    if not set(sections) <= {"entries", *SECTIONS}:
        return None
    try:
        return _Back(document).read(tree, assertions[0], sections)
    except _NotOfAForm:
        return None


class _NotOfAForm(Exception):
    """Ends the reading of a record that no form could have made."""


class _Back:
    def __init__(self, document: str) -> None:
        self.filled = FilledForm(document)

    def read(self, tree: Table, assertion: Node, sections: Sequence[str]) -> FilledForm:
        filled = self.filled
        defaults = tree.get("defaults", Table())
        self.sure(isinstance(defaults, Table))
        assert isinstance(defaults, Table)
        inner: Node | None = assertion
        evidence: list[str] | None = None
        while inner is not None:
            self.sure(isinstance(inner, Table))
            assert isinstance(inner, Table)
            told = Table({**defaults, **inner})
            own = [str(v) for v in _listed(told.pop("evidencedBy", None))]
            self.sure(evidence in (None, own))
            evidence = own
            for key in SHARED:
                text = str(told.pop(key, ""))
                self.sure(filled.shared.setdefault(key, text) == text)
            content, inner = told.pop("proposition", None), told.pop("reports", None)
            self.sure((content is None) != (inner is None) and str(told.pop("type", "Assertion")) == "Assertion")
            filled.voices.append(self.entry(f"voice-{len(filled.voices) + 1}", "Assertion", told))
            if isinstance(content, Table):
                self.content(content)
            elif content is not None:
                filled.use = str(content)
        filled.passages = [name.removeprefix(f"{filled.document}/") for name in evidence or ()]
        for section in sections:
            for one in _listed(tree[section]):
                self.sure(isinstance(one, Table))
                assert isinstance(one, Table)
                class_name = str(one.pop("type", SECTIONS.get(section, ("", ""))[1]))
                filled.new.append(self.entry(f"new-{len(filled.new) + 1}", class_name, one))
        return filled

    def content(self, told: Table) -> None:
        class_name = str(told.pop("type", ""))
        parts = part_field(class_name)
        steps = _listed(told.pop(parts.key, None)) if parts else []
        self.filled.content = self.entry("content", class_name, told)
        for number, step in enumerate(steps, 1):
            self.sure(isinstance(step, Table))
            assert isinstance(step, Table)
            assert parts is not None
            self.sure(str(step.pop("type", parts.classes[0])) == parts.classes[0])
            self.filled.parts.append(self.entry(f"part-{number}", parts.classes[0], step))

    def entry(self, place: str, class_name: str, told: Table) -> Entry:
        entry = Entry(place, class_name, str(told.get("id", "")))
        self.sure(class_name in vocabulary().classes)
        for key, value in told.items():
            if key == "id":
                continue
            asked = entry.form.field(key)
            self.sure(asked is not None)
            for one in _listed(value):
                if isinstance(one, Table):
                    self.sure(asked is not None and asked.kind == "text")
                    values = [Value(str(t), tag) for tag, texts in one.items() for t in _listed(texts)]
                else:
                    values = [Value(str(one), LANGUAGE if asked is not None and asked.kind == "text" else "")]
                entry.values.setdefault(key, []).extend(values)
        return entry

    def sure(self, holds: bool) -> None:
        if not holds:
            raise _NotOfAForm


def same_record(one: str, other: str, creators: Sequence[str], publishers: Sequence[str]) -> bool:
    """Tell whether two additions say the same.

    Parameters:
        one, other: YAML.
        creators, publishers: names of those of the document.
    """
    try:
        said = [set(parse_record(text, "", lambda _: (creators, publishers)).quads) for text in (one, other)]
    except RecordError:
        return False
    return said[0] == said[1]


def _listed(value: Node | None) -> list[Node]:
    return [] if value is None else list(value) if isinstance(value, Items) else [value]
