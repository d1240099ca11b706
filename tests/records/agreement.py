"""Agreement of two codings of the same sentences, field by field.

``python -m tests.records.agreement [ROUND]`` prints the figures (the first round has no number). ``python -m
tests.records.agreement derive RECORDS [ROUND]`` writes the first coding anew from a folder of records. How it was done,
and what the figures mean: ``kg/records/AGREEMENT.md``.
"""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import krippendorff
import numpy as np
import pyoxigraph as ox
import yaml

from kg.names import WS
from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / "kg" / "records" / "agreement"
COLUMNS = ("document", "sentence", "key", "holder", "act", "polarity", "certainty", "target", "kind", "gloss")
FIELDS = ("holder", "act", "family", "polarity", "certainty", "target", "kind")
AIMS = {"holder": 0.8, "polarity": 0.8}
AIM = 0.67
DRAWS = 2000
CAUSES = (
    "slip in the first",
    "slip in the second",
    "manual silent",
    "manual ambiguous",
    "real ambiguity",
    "alignment",
    "follows from another",
)

Row = dict[str, str]
Pair = tuple[Row, Row]


def read_table(name: str, round_: str = "") -> list[Row]:
    """Return the rows of one table of a round."""
    with (FOLDER / f"{name}{round_ and '-' + round_}.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def read_pairs(round_: str = "") -> list[Pair]:
    """Return the rows of the two codings that the alignment puts side by side."""
    first = {row["key"]: row for row in read_table("first-coding", round_)}
    second = {(row["document"], row["sentence"], row["key"]): row for row in read_table("second-coding", round_)}
    return [
        (first[row["first"]], second[row["document"], row["sentence"], row["second"]])
        for row in read_table("alignment", round_)
    ]


@cache
def families() -> dict[str, str]:
    """Return the family of each act, by short names."""
    quads = ox.parse(path=REPOSITORY / "ontology" / "schemes.ttl", format=ox.RdfFormat.TURTLE)
    return {
        q.subject.value.removeprefix(WS + "act-"): q.object.value.removeprefix(WS + "family-")
        for q in quads
        if q.predicate.value == WS + "family" and q.object.value.startswith(WS + "family-")
    }


@cache
def members() -> dict[str, frozenset[str]]:
    """Return the members of each collective of the register that names them."""
    found = {}
    for path in sorted((REPOSITORY / "kg" / "records" / "register").glob("*.yaml")):
        for node, _ in walk(load(path)):
            if "hasMember" in node:
                found[node["id"]] = frozenset(listed(node["hasMember"]))
    return found


def targets(text: str) -> list[str]:
    """Return the entries that a target names: several are a set, a collective stands for its members too."""
    named = text.split()
    return [*named, *sorted(m for name in named for m in members().get(name, ()))]


def values(pair: Pair, field: str) -> tuple[str, str]:
    """Return the two nominal values of a pair; targets that overlap become their common member."""
    one, two = pair
    if field == "family":
        return families()[one["act"]], families()[two["act"]]
    if field == "target":
        here, there = targets(one["target"]), targets(two["target"])
        common = [name for name in here if name in there]
        return (common[0], common[0]) if common else (here[0], there[0])
    return one[field], two[field]


@dataclass(frozen=True)
class Agreement:
    """How far two codings agree in one field.

    Parameters:
        field: its name.
        agreed: how many pairs agree.
        pairs: how many pairs there are.
        alpha: Krippendorff's alpha, nominal.
        low: lower end of its 95 % interval.
        high: upper end.
        confused: the pairs of values that differ, most frequent first.
    """

    field: str
    agreed: int
    pairs: int
    alpha: float
    low: float
    high: float
    confused: tuple[tuple[tuple[str, str], int], ...]

    @property
    def aim(self) -> float:
        """The alpha aimed at."""
        return AIMS.get(self.field, AIM)


def alpha(numbers: np.ndarray) -> float:
    """Return the nominal alpha of two codings without gaps: as ``krippendorff.alpha``, a hundred times as fast.

    Parameters:
        numbers: pairs x 2, the numbers of the values.
    """
    size = numbers.size
    margins = np.bincount(numbers.ravel())
    expected = 1 - (margins * (margins - 1)).sum() / (size * (size - 1))
    observed = (numbers[:, 0] != numbers[:, 1]).mean()
    return float(1 - observed / expected) if expected else float("nan")  # of one value only, it is undefined


def measure(pairs: list[Pair], field: str) -> Agreement:
    """Return the agreement in a field; the interval is a bootstrap over whole sentences."""
    coded = [values(pair, field) for pair in pairs]
    names = {name: number for number, name in enumerate(sorted({value for two in coded for value in two}))}
    numbers = np.array([[names[value] for value in two] for two in coded])
    sentences: dict[tuple[str, str], list[int]] = {}
    for number, (one, _) in enumerate(pairs):
        sentences.setdefault((one["document"], one["sentence"]), []).append(number)
    blocks = list(sentences.values())
    generator = np.random.default_rng(1)
    drawn = []
    for _ in range(DRAWS):
        rows = [row for block in generator.integers(len(blocks), size=len(blocks)) for row in blocks[block]]
        drawn.append(alpha(numbers[rows]))
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    confused = Counter(two for two in coded if two[0] != two[1])
    return Agreement(
        field=field,
        agreed=len(coded) - confused.total(),
        pairs=len(coded),
        alpha=float(krippendorff.alpha(reliability_data=numbers.T, level_of_measurement="nominal")),
        low=float(low),
        high=float(high),
        confused=tuple(sorted(confused.items(), key=lambda item: (-item[1], item[0]))),
    )


def unitizing(round_: str = "") -> tuple[int, int, int]:
    """Return how many rows the first coding has, the second, and both side by side."""
    return tuple(len(read_table(name, round_)) for name in ("first-coding", "second-coding", "alignment"))  # type: ignore[return-value]


def figures(round_: str = "") -> Iterator[str]:
    """Yield the lines of the two tables that ``AGREEMENT.md`` holds."""
    first, second, both = unitizing(round_)
    precision, recall = both / second, both / first
    yield "| first coding | second coding | aligned | of the second | of the first | F1 |"
    yield "| --- | --- | --- | --- | --- | --- |"
    f1 = 2 * precision * recall / (precision + recall)
    yield f"| {first} | {second} | {both} | {precision:.2f} | {recall:.2f} | {f1:.2f} |"
    yield ""
    yield "| field | agree | share | alpha | 95 % interval | aim | reached |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    pairs = read_pairs(round_)
    for field in FIELDS:
        got = measure(pairs, field)
        agree = f"{got.agreed} of {got.pairs} | {got.agreed / got.pairs:.2f}"
        reached = "yes" if got.alpha >= got.aim else "no"
        yield f"| {field} | {agree} | {got.alpha:.2f} | {got.low:.2f} to {got.high:.2f} | {got.aim} | {reached} |"


def causes(round_: str = "") -> Iterator[str]:
    """Yield the lines of the table of causes: how often each is the cause of a disagreement, by field."""
    counted = Counter((row["cause"], row["field"]) for row in read_table("causes", round_))
    fields = ("unit", *(field for field in FIELDS if field != "family"))
    yield f"| cause | {' | '.join(fields)} | all |"
    yield "| --- |" + " --- |" * (len(fields) + 1)
    for cause in CAUSES:
        numbers = [counted[cause, field] for field in fields]
        yield f"| {cause} | {' | '.join(map(str, numbers))} | {sum(numbers)} |"
    sums = [sum(counted[cause, field] for cause in CAUSES) for field in fields]
    yield f"| all | {' | '.join(map(str, sums))} | {sum(sums)} |"


# The first coding, from the records: their YAML as it stands, since "the first about" needs the order of the list.

KINDS = frozenset(
    [
        "Relation",
        "Evaluation",
        "Interpretation",
        "Comparison",
        "Quantity",
        "Prescription",
        "CausalClaim",
        "CausalPathway",
        "Argument",
        "Proposition",
    ]
)
TARGET_OF = {
    "Evaluation": "evaluated",
    "Relation": "subject",
    "Comparison": "compared",
    "CausalClaim": "effect",
    "Interpretation": "interprets",
    "Argument": "conclusion",
    "Quantity": "quantityOf",
    "Prescription": "prescribedTo",
}
KINDS = frozenset({*TARGET_OF, "CausalPathway", "Proposition"})
Node = dict[str, object]


def load(path: Path) -> object:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def listed(value: object) -> list[str]:
    """Return the names that a value gives, one or several, written out or by name."""
    items = value if isinstance(value, list) else [] if value is None else [value]
    return [item["id"] if isinstance(item, dict) else str(item) for item in items]


def walk(value: object, section: str = "") -> Iterator[tuple[Node, str]]:
    """Yield every node of a record that has a name, with the section it stands in."""
    if isinstance(value, dict):
        if "id" in value:
            yield value, section
        for key, inner in value.items():
            yield from walk(inner, section if section else key)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner, section)


class Coding:
    """What a folder of records says, ready to be laid beside a second coding."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self.nodes: dict[str, Node] = {}
        self.factors: set[str] = set()
        for path in paths:
            record = load(path)
            defaults = record.get("defaults", {}) if isinstance(record, dict) else {}
            for node, section in walk(record):
                name = str(node["id"])
                known = self.nodes.setdefault(name, dict(defaults) if is_assertion(name) else {})
                known.update(node)
                if section == "factors" or ("prefLabel" in node and section != "entries"):
                    self.factors.add(name)

    def inner(self, assertion: str) -> str | None:
        return next(iter(listed(self.nodes[assertion].get("reports"))), None)

    def target(self, name: str) -> list[str]:
        """Return the target, by the rule in the manual: see CODING.md, "The target"."""
        node = self.nodes.get(name, {})
        if is_assertion(name):
            inner = self.inner(name)
            return listed(self.nodes[inner]["holder"]) if inner else self.target(listed(node["proposition"])[0])
        if name in self.factors:
            for key in ("denotes", "between", "attitudeOf"):
                found = listed(node.get(key))
                found = [n for n in found if not is_assertion(n)] or (found if "attitudeOf" not in node else [])
                if found:
                    return self.all_targets(found)
            return [name]
        kind = node.get("type")
        if kind not in KINDS:
            return [name]
        if kind == "CausalPathway":
            last = max(node["hasStep"], key=lambda step: int(step["position"]))  # type: ignore[call-overload, attr-defined]
            return self.target(listed(last["claim"])[0])
        return self.all_targets(listed(node.get(TARGET_OF.get(str(kind), "")))) or listed(node["about"])[:1]

    def all_targets(self, names: Iterable[str]) -> list[str]:
        return list(dict.fromkeys(target for name in names for target in self.target(name)))

    def rows(self, sample: Iterable[Row]) -> Iterator[list[str]]:
        """Yield a row for each assertion of the sampled sentences."""
        for drawn in sample:
            start, end = int(drawn["start"]), int(drawn["end"])
            own = re.compile(rf"{re.escape(drawn['document'])}/s{drawn['sentence']}([a-z]+)\Z")
            for name in sorted(filter(own.match, self.nodes), key=lambda n: (len(n), n)):
                node = self.nodes[name]
                if any(s < end and e > start for s, e in map(span, listed(node["evidencedBy"]))):
                    core = name
                    while inner := self.inner(core):
                        core = inner
                    content = self.nodes[listed(self.nodes[core]["proposition"])[0]]
                    yield [
                        drawn["document"],
                        drawn["sentence"],
                        name,
                        *(str(node[key]) for key in ("holder", "act", "polarity", "certainty")),
                        " ".join(self.target(name)),
                        "Report" if self.inner(name) else str(content["type"]),
                        " ".join(str(content["gloss"]).split()),
                    ]


def is_assertion(name: str) -> bool:
    return re.search(r"/s\d+[a-z]+\Z", name) is not None


def span(passage: str) -> tuple[int, int]:
    start, end = passage.rsplit("/", 1)[1].split("-")
    return int(start), int(end)


def derive(records: Path, round_: str = "") -> None:
    """Write the first coding of a round from the documents in a folder and the register."""
    register = (REPOSITORY / "kg" / "records" / "register").glob("*.yaml")
    coding = Coding([*sorted(records.glob("*.yaml")), *sorted(register)])
    lines = ["\t".join(row) for row in [COLUMNS, *coding.rows(read_table("sample", round_))]]
    (FOLDER / f"first-coding{round_ and '-' + round_}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["derive"]:
        derive(Path(arguments[1]), *arguments[2:3])
        return
    print("\n".join([*figures(*arguments[:1]), "", *causes(*arguments[:1]), ""]))
    for field in FIELDS:
        for (one, two), count in measure(read_pairs(*arguments[:1]), field).confused:
            print(f"{field}: {one} / {two}: {count}")


if __name__ == "__main__":
    main(sys.argv[1:])
