"""The same content has one name: pairs of propositions that look alike are joined by a Link, or reviewed.

Two propositions look alike where their glosses are nearly equal, or where their parts are (the same
subject, relation and object; cause, effect and sign; judged and image). `near-duplicates.tsv` lists the
pairs that were looked at and are neither the same nor worth a Link, each with the reason.
"""

import re
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from rapidfuzz import fuzz

from kg.settings import Settings

REVIEWED = Path(__file__).parent / "near-duplicates.tsv"
ALIKE_OF_ONE_KIND, ALIKE_OF_TWO_KINDS = 80, 90  # per cent; below that, reading a hundred pairs found no duplicate
FILLERS = re.compile(
    r"\b(an?|and|are|as|at|be|been|by|for|from|had|has|have|in|into|is|it|its|of|on|than|that|the|their|through|to|was"
    r"|were|with)\b"
)
PARTS = {
    "Relation": ("subject", "relation", "object"),
    "Evaluation": ("evaluated", "image", "valence"),
    "Interpretation": ("interprets", "asExpressing"),
    "Comparison": ("compared", "comparedWith", "dimension"),
    "Quantity": ("measured", "value", "unit"),
    "CausalClaim": ("cause", "effect", "sign"),
    "Argument": ("premise", "conclusion"),
}

Pair = tuple[str, str]


@dataclass
class Contents:
    """The propositions of all records, and what joins two of them."""

    propositions: dict[str, dict[str, Any]] = field(default_factory=dict)
    stances: dict[str, str] = field(default_factory=dict)
    links: list[Pair] = field(default_factory=list)

    def collect(self, node: Any) -> None:
        """Take in what a record defines, however deep it is written."""
        if isinstance(node, list):
            for member in node:
                self.collect(member)
        elif isinstance(node, dict):
            if "gloss" in node:
                self.propositions[node["id"]] = node
            if "linkKind" in node:
                self.links.append((node["from"], node["to"]))
            if "act" in node and "proposition" in node:
                self.stances[node["id"]] = name_of(node["proposition"])
                if "otherReading" in node:  # two readings of one passage are meant to be alike
                    self.links.append((node["id"], name_of(node["otherReading"]["proposition"])))
            for member in node.values():
                self.collect(member)

    def joined(self) -> set[Pair]:
        """Return the pairs of propositions that a link joins, by themselves or by stances to them."""
        return {in_order(self.stances.get(one, one), self.stances.get(other, other)) for one, other in self.links}


def name_of(content: dict[str, Any] | str) -> str:
    return content if isinstance(content, str) else content["id"]


def in_order(one: str, other: str) -> Pair:
    return (one, other) if one < other else (other, one)


def words(proposition: dict[str, Any]) -> str:
    """The words of the gloss that carry its sense, sorted."""
    gloss = proposition["gloss"]
    text = gloss if isinstance(gloss, str) else gloss["en"]
    return " ".join(sorted(re.findall(r"[^\W_]+", FILLERS.sub(" ", text.lower()))))


def parts(proposition: dict[str, Any]) -> tuple[Any, ...] | None:
    """The kind and what it needs, whatever the order of a list and the side of a comparison; None without parts."""
    kind = proposition.get("type", "Proposition")
    if kind not in PARTS:
        return None
    values = [proposition.get(key, []) for key in PARTS[kind]]
    sets = [frozenset(map(str, value if isinstance(value, list) else [value])) for value in values]
    if kind == "Comparison":
        return (kind, frozenset(sets[:2]), *sets[2:])
    if kind == "Evaluation" and sets[1]:
        return (kind, *sets[:2])
    return (kind, *sets)


def look_alikes(propositions: dict[str, dict[str, Any]]) -> dict[Pair, str]:
    """Return the pairs that look alike, each with what is alike."""
    found: dict[Pair, str] = {}
    by_parts: dict[Any, list[str]] = {}
    for name, proposition in propositions.items():
        by_parts.setdefault(parts(proposition), []).append(name)
    for key, names in by_parts.items():
        if key is not None:
            found |= {in_order(*pair): "the same parts" for pair in combinations(names, 2)}
    glosses = {name: (words(proposition), proposition.get("type")) for name, proposition in propositions.items()}
    for (name, (text, kind)), (other, (other_text, other_kind)) in combinations(glosses.items(), 2):
        threshold = ALIKE_OF_ONE_KIND if kind == other_kind else ALIKE_OF_TWO_KINDS
        if likeness := fuzz.ratio(text, other_text, score_cutoff=threshold):
            found.setdefault(in_order(name, other), f"glosses alike by {likeness:.0f} %")
    return found


def read_reviewed() -> list[list[str]]:
    head, *lines = REVIEWED.read_text("utf-8").splitlines()
    assert head.split("\t") == ["first", "second", "reason"]
    return [line.split("\t") for line in lines]


@pytest.fixture(scope="module")
def contents() -> Contents:
    found = Contents()
    for path in sorted((Settings().records / "documents").glob("*.yaml")):
        found.collect(yaml.load(path.read_text("utf-8"), yaml.CSafeLoader))
    return found


def test_propositions_that_look_alike_are_joined_or_reviewed(contents: Contents) -> None:
    settled = contents.joined() | {(first, second) for first, second, _ in read_reviewed()}
    open_pairs = {pair: why for pair, why in sorted(look_alikes(contents.propositions).items()) if pair not in settled}
    assert not open_pairs, (
        "the same content is one proposition, related contents have a Link, others a line in near-duplicates.tsv:\n"
        + "\n".join(
            f"{first}\t{second}\t({why})\n  {contents.propositions[first]['gloss']}\n"
            f"  {contents.propositions[second]['gloss']}"
            for (first, second), why in open_pairs.items()
        )
    )


def test_the_review_list_is_in_order(contents: Contents) -> None:
    rows = read_reviewed()
    assert all(len(row) == 3 for row in rows)
    pairs = [(first, second) for first, second, _ in rows]
    assert pairs == sorted(set(pairs))
    for first, second, reason in rows:
        assert first < second
        assert {first, second} <= contents.propositions.keys(), f"nothing defines {first} or {second} any more"
        assert len(reason.split()) >= 3, f"why do {first} and {second} differ?"


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        ({"gloss": "The bridge toll has ruined the border towns."}, True),
        ({"gloss": "What is said with other words.", "cause": "toll-level"}, True),
        ({"gloss": "What is said with other words.", "cause": "ferry-traffic"}, False),
        ({"gloss": "The toll on the bridge ruins the border towns.", "type": "Proposition"}, True),
    ],
)
def test_a_second_name_for_one_content_is_found(other: dict[str, Any], alike: bool) -> None:
    ruin = {"type": "CausalClaim", "effect": "ruin-of-border-towns", "sign": "increases"}
    first = ruin | {"gloss": "The toll on the bridge ruins the border towns.", "cause": ["toll-level"]}
    second = ruin | {"cause": "age-of-bridge"} | other
    assert (("one", "two") in look_alikes({"two": second, "one": first})) is alike
