"""YAML read as plain data with line numbers.

Scalars stay strings (no ``no`` turned into false, no dates turned into objects), every value
knows its line, and what a curated file never needs is refused: duplicate keys, anchors and
aliases, tags, several documents in one file.

>>> tree = read_yaml("id: park-2013\\ntitle: On no\\n", "example.yaml")
>>> tree["title"], tree["title"].line
('On no', 2)
"""

from __future__ import annotations

from typing import TypeAlias

import yaml

from kg.errors import Place, RecordError

MAX_DEPTH = 40
MAX_TEXT = 1_000_000
"""Characters of one value; the JSON parser that comes after takes no more than sixteen million."""


class Text(str):
    """A scalar and the line that it stands on."""

    line: int


class Table(dict[str, "Value"]):
    """A mapping, the line that it begins on, and the line of each key."""

    line: int
    key_lines: dict[str, int]


class Items(list["Value"]):
    """A sequence and the line that it begins on."""

    line: int


Value: TypeAlias = Text | Table | Items

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(source: str, file: str) -> Table:
    """Read one YAML mapping.

    Parameters:
        source: the file's content.
        file: its name, for messages.

    Returns:
        The mapping, with lines.

    Raises:
        RecordError: where the source is not YAML, not a mapping, or uses what is refused.
    """
    try:
        root = yaml.compose(source, Loader=_Loader) if _check_events(source, file) == 1 else None
    except yaml.MarkedYAMLError as error:
        spot = error.problem_mark or error.context_mark
        raise RecordError(
            f"not valid YAML: {error.problem or error.context}",
            mend="check indentation and quotes; a value with ': ' or ' #' in it needs quotes",
            place=Place(file, spot.line + 1 if spot else None),
        ) from error
    except yaml.YAMLError as error:
        raise RecordError(f"not valid YAML: {error}", mend="save the file as UTF-8 text", place=Place(file)) from error
    except RecursionError as error:
        raise RecordError("nested too deeply", mend="records nest a few levels", place=Place(file)) from error
    if not isinstance(root, yaml.MappingNode):
        raise RecordError("not one YAML mapping", mend="begin the file with `id:` or `entries:`", place=Place(file))
    value = _convert(root, file, 0)
    assert isinstance(value, Table)
    return value


def _check_events(source: str, file: str) -> int:
    """Refuse what records never need, before composing, which recurses in C; return how many documents there are."""
    documents = depth = 0
    for event in yaml.parse(source, Loader=_Loader):
        place = Place(file, event.start_mark.line + 1 if event.start_mark else None)
        documents += isinstance(event, yaml.DocumentStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise RecordError("nested too deeply", mend="records nest a few levels", place=place)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise RecordError(
                "an anchor or alias (& or *) is used",
                mend="write the value out; records use no anchors. A value that begins with & or * needs quotes",
                place=place,
            )
        if len(getattr(event, "value", None) or "") > MAX_TEXT:
            raise RecordError(
                f"a value of more than {MAX_TEXT:,} characters",
                mend="shorten it; texts stay with their owners",
                place=place,
            )
        tag = getattr(event, "tag", None)
        if tag:
            raise RecordError(
                f"a tag ({str(tag)[:40]}) is used",
                mend="leave it out; a value that begins with ! needs quotes",
                place=place,
            )
    return documents


def _convert(node: yaml.Node, file: str, depth: int) -> Value:
    line = node.start_mark.line + 1
    if depth > MAX_DEPTH:
        raise RecordError("nested too deeply", mend="records nest a few levels", place=Place(file, line))
    if isinstance(node, yaml.ScalarNode):
        text = Text(node.value)
        text.line = line
        return text
    if isinstance(node, yaml.SequenceNode):
        items = Items(_convert(child, file, depth + 1) for child in node.value)
        items.line = line
        return items
    table = Table()
    table.line = line
    table.key_lines = {}
    for key_node, value_node in node.value:
        key, key_line = str(key_node.value), key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise RecordError("a key that is not a word", mend="use a plain key", place=Place(file, key_line))
        if key in table:
            raise RecordError(
                f"the key `{key[:200]}` stands twice in one entry (first on line {table.key_lines[key]})",
                mend="keep one, or make its value a list",
                place=Place(file, key_line),
            )
        table.key_lines[key] = key_line
        table[key] = _convert(value_node, file, depth + 1)
    return table
