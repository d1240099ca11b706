"""YAML as records use it: strings only, lines known, surprises refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.errors import RecordError
from loaders.yaml_source import read_yaml


def test_scalars_stay_strings() -> None:
    tree = read_yaml("a: no\nb: 2003-06-07\nc: 1_000\nd: ~\ne: [yes, 0x10]\n", "r.yaml")
    assert dict(tree) == {"a": "no", "b": "2003-06-07", "c": "1_000", "d": "~", "e": ["yes", "0x10"]}


def test_every_key_and_value_knows_its_line() -> None:
    tree = read_yaml("a: 1\nb:\n  - c: 2\n", "r.yaml")
    assert tree.key_lines == {"a": 1, "b": 2}
    assert tree["b"].line == 3


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("a: 1\na: 2\n", 2, "stands twice"),
        ("a: &x 1\nb: *x\n", 1, "anchor"),
        ("a: [1, 2\n", 2, "not valid YAML"),
        ("a: b: c\n", 1, "not valid YAML"),
        ("\ta: 1\n", 1, "not valid YAML"),
        ("? [a, b]\n: 1\n", 1, "not a word"),
    ],
)
def test_what_is_refused_names_file_line_and_mend(source: str, line: int, words: str) -> None:
    with pytest.raises(RecordError, match=words) as caught:
        read_yaml(source, "r.yaml")
    assert str(caught.value).startswith(f"r.yaml:{line}: ")
    assert caught.value.mend


@pytest.mark.parametrize("source", ["", "- a\n", "just words\n", "a: 1\n---\nb: 2\n", "[" * 2000, "a: \x00"])
def test_what_is_no_mapping_is_told(source: str) -> None:
    with pytest.raises(RecordError):
        read_yaml(source, "r.yaml")


@given(st.text(max_size=200))
def test_no_text_at_all_makes_it_fail_otherwise(source: str) -> None:
    try:
        tree = read_yaml(source, "r.yaml")
    except RecordError as error:
        assert error.mend  # noqa: PT017 - any text may or may not be YAML
    else:
        assert isinstance(tree, dict)
