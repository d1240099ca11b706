"""What the documents of a generated corpus have in common: dice, register, and the drawing of properties.

A node is described by its class's *plan*: for every property how often it has how many values, and
of which class or concept they are, as measured (`loaders.proportions`). What hangs together
(a date and its basis, a cause and an effect that is another) is drawn one after the other.
"""

from __future__ import annotations

import math
import random
from bisect import bisect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Final, TypeAlias

from kg.names import CONTENTS_GRAPH, EDTF, ID, LINKS_GRAPH, PREFIXES, RDF, RDFS, REGISTER_GRAPH, SKOS, WS, XSD
from loaders.invented_names import PHRASES, invent_name, make_slug
from loaders.proportions import Proportions

REGISTER: Final = (
    "State", "Organization", "Collective", "Person", "Place", "Issue", "Theory", "Agreement", "Measure", "Office",
    "Document",
)  # fmt: skip
"""The classes of the register in the order in which its entries are made: each refers only to earlier ones."""

CONTENTS: Final = (
    "Relation", "CausalClaim", "Evaluation", "Proposition", "Comparison", "Quantity", "Argument", "Prescription",
    "CausalPathway", "Interpretation",
)  # fmt: skip
"""The classes of propositions."""

Pick: TypeAlias = Callable[[str, str], str]
Made: TypeAlias = dict[str, dict[str, None]]

_VOCABULARIES = {"prefLabel": SKOS, "altLabel": SKOS, "broader": SKOS, "isDefinedBy": RDFS}


def _keys(names: str) -> frozenset[str]:
    return frozenset(names.split(" "))


_DATES = _keys("date time heldDuring attestedAt")
_PLAIN: Mapping[str, str] = {
    "named": f'"false"^^<{XSD}boolean> ',
    "joint": f'"true"^^<{XSD}boolean> ',
    "necessary": f'"true"^^<{XSD}boolean> ',
    "pages": '"12-15" ',
    **dict.fromkeys(("archived", "captured", "released"), f'"2026-05"^^<{EDTF}> '),
    "webPage": f'"https://example.org/archive"^^<{XSD}anyURI> ',
}
_MADE_ELSEWHERE: Mapping[str, frozenset[str]] = {
    "": _keys("prefLabel isDefinedBy attestedBy successor exactMatch source gloss title publisher"),
    "Own": (
        _ASSERTION := _keys(
            "holder holderQuantifier possibleHolder statedIn evidencedBy proposition reports otherReading act polarity "
            "certainty basis coder status coded"
        )
    ),
    "Reported": _ASSERTION,
    "Report": _ASSERTION,
    "CodedDocument": _keys("digest textLength creator language"),
    "CausalPathway": frozenset({"hasStep"}),
    "Link": _keys("from to drawnBy"),
    "Attack": _keys("attacker attacked drawnBy"),
    "NameUse": _keys("inPassage names printedAs"),
    "Citation": _keys("citingDocument supports evidencedBy noteNumber"),
}
_NEEDS: Mapping[str, tuple[str, int]] = {
    "Event.dateBasis": ("date", 1),
    "Step.dateBasis": ("date", 1),
    "Document.issuedBasis": ("issued", 1),
    "CodedDocument.issuedBasis": ("issued", 1),
    "Report.speakerQuantifier": ("speaker", 1),
    "Reported.speakerQuantifier": ("speaker", 1),
    "Factor.attitude": ("attitudeOf", 1),
    "Factor.valence": ("between", 1),
    "CausalClaim.joint": ("cause", 2),
}
"""What makes no sense without so many values of another property."""

_OTHER_THAN: Mapping[str, tuple[str, ...]] = {
    "cause": ("effect",),
    "comparedWith": ("compared",),
    "premise": ("conclusion",),
    "mechanism": ("cause", "effect"),
    "towards": ("quantityOf",),
    "insteadOf": ("image",),
    "speaker": ("holder",),
    "holderIncludes": ("holder", "speaker"),
    "addressee": ("holder", "speaker"),
}
_LATE = (*_OTHER_THAN, *dict.fromkeys(name.partition(".")[2] for name in _NEEDS), "about")
_TRIES = 20


@cache
def term(name: str) -> str:
    """Return a term as it stands in a line of N-Quads, with the blank that follows it.

    >>> term("prefLabel")
    '<http://www.w3.org/2004/02/skos/core#prefLabel> '
    """
    return f"<{_VOCABULARIES.get(name, WS)}{name}> "


def resource(name: str) -> str:
    """Return a resource as it stands in a line of N-Quads.

    >>> resource("voradia")
    '<https://w3id.org/whosays/id/voradia> '
    """
    return f"<{ID}{name}> "


def slug(node: str) -> str:
    """Return the name of a resource that `resource` made.

    >>> slug(resource("voradia"))
    'voradia'
    """
    return node[len(ID) + 1 : -2]


def text(words: str) -> str:
    """Return a text in English as it stands in a line of N-Quads."""
    return f'"{words}"@en '


def integer(value: int) -> str:
    """Return a whole number as it stands in a line of N-Quads."""
    return f'"{value}"^^<{XSD}integer> '


TYPE: Final = f"<{RDF}type> "
IN_REGISTER: Final = f"<{REGISTER_GRAPH}> .\n"
IN_CONTENTS: Final = f"<{CONTENTS_GRAPH}> .\n"
_IN_LINKS = f"<{LINKS_GRAPH}> .\n"
CODERS: Final = resource("coding-team")


def register_size(kind: str, count: int, proportions: Proportions) -> int:
    """Return how many entries of a class the register of a corpus has.

    Parameters:
        kind: class of the entries.
        count: quads of the corpus.
        proportions: what it is made by.

    >>> from loaders.proportions import coded_proportions
    >>> measured = coded_proportions()
    >>> [register_size("State", n * measured.quads, measured) for n in (1, 100)]
    [18, 180]
    """
    growth = count / proportions.quads
    measured = proportions.classes[kind] * proportions.stances
    return max(3, round(measured * (growth if kind == "Document" else math.sqrt(growth))))


@dataclass(frozen=True)
class _Drawing:
    """How a property of a class is drawn.

    Parameters:
        key: its name.
        predicate: as it stands in a line.
        shares: cumulated shares of 0, 1, 2 … values.
        values: name by which the class or concept of a value is drawn; empty for a literal.
        needs: the property without which it makes no sense, and how many values of it.
    """

    key: str
    predicate: str
    shares: list[float]
    values: str
    needs: tuple[str, int] | None


@dataclass(frozen=True)
class _Shares:
    names: tuple[str, ...]
    cumulated: list[float]

    @classmethod
    def of(cls, shares: Mapping[str, float]) -> _Shares:
        total = sum(shares.values())
        return cls(tuple(shares), list(accumulate(share / total for share in shares.values())))


class Corpus:
    """The register, the contents so far and the dice.

    Parameters:
        count: quads of the whole corpus.
        seed: of the dice.
        proportions: what the corpus is made by.
    """

    def __init__(self, count: int, seed: int, proportions: Proportions) -> None:
        self.count = count
        self.written = 0
        self.proportions = proportions
        self.dice = random.Random(f"whosays {count} {seed}")
        self.chance = self.dice.random
        self.register: list[str] = []
        self.links: list[str] = []
        self.entries: dict[str, list[str]] = {kind: [] for kind in (*REGISTER, "Event", "OfficeHolding")}
        self.labels: dict[str, str] = {}
        self.populations: set[str] = set()
        self.known: dict[str, list[str]] = {kind: [] for kind in (*CONTENTS, "Factor")}
        self.documents = 0
        self.factors = 0
        self.serial = 0
        self.last_tenure: tuple[str, str] | None = None
        days = [f"{y}{day}" for y in range(1980, 2026) for day in ("-01-17", "-04-05", "-06-30", "-10-12")]
        parts = [f"{y}{part}" for y in range(1950, 2026) for part in ("", "~", "-05", "/..", f"/{y + 2}")]
        self._days = [f'"{day}"^^<{EDTF}> ' for day in days]
        self.today = len(self._days)
        self._dates = self._days + [f'"{part}"^^<{EDTF}> ' for part in parts]
        self._weights = {
            kind: list(accumulate(rank ** -proportions.popularity[kind] for rank in range(1, size + 1)))
            for kind in REGISTER
            for size in [register_size(kind, count, proportions)]
        }
        self.states = len(self._weights["State"])
        self._ways = {kind: _Shares.of(ways) for kind, ways in proportions.ways.items()}
        self._values_of: dict[str, _Shares] = {}
        self._numbers_of: dict[str, list[float]] = {}
        self._plans = {kind: self._plan(kind) for kind in proportions.classes}
        self._make_register()

    @property
    def left(self) -> int:
        """How many quads are still to be made."""
        return self.count - self.written - len(self.register) - len(self.links)

    # Dice.

    def value(self, name: str) -> str:
        """Draw the class or the concept of a value of a property, such as ``Own.polarity``."""
        shares = self._values_of.get(name)
        if shares is None:
            shares = self._values_of[name] = _Shares.of(self.proportions.values[name])
        return shares.names[min(len(shares.names) - 1, bisect(shares.cumulated, self.chance()))]

    def way(self, kind: str) -> list[str]:
        """Draw a way of taking a stance: class of the content, act, polarity, certainty and basis."""
        ways = self._ways[kind]
        return ways.names[min(len(ways.names) - 1, bisect(ways.cumulated, self.chance()))].split(" ")

    def early(self, row: list[str]) -> str:
        """Draw from a row that grows, the r-th with a chance of about 1/r; nothing where it is empty."""
        return row[int((len(row) + 1) ** self.chance()) - 1] if row else ""

    def popular(self, kind: str) -> str:
        """Draw an entry of the register, by the skew that was measured for its class."""
        row, weights = self.entries[kind], self._weights[kind]
        if len(row) < len(weights):
            return self.early(row)
        return row[min(len(row) - 1, bisect(weights, self.chance() * weights[-1]))]

    def number(self, name: str) -> int:
        """Draw the number of values of a property, such as ``Own.evidencedBy``."""
        shares = self._numbers_of.get(name)
        if shares is None:
            shares = self._numbers_of[name] = list(accumulate(self.proportions.numbers[name][:-1]))
        return bisect(shares, self.chance())

    def words(self, start: str, name: str) -> str:
        """Draw a text out with phrases until it is about as long as texts of a property are."""
        wanted = self.proportions.lengths.get(name, 40.0) * (0.5 + self.chance()) - 10
        while len(start) < wanted or not start:
            phrase = PHRASES[int(self.chance() * len(PHRASES))]
            start = f"{start} {phrase}" if start else phrase
        return start

    def digest(self, digits: int) -> str:
        """Make up a digest."""
        return f'"{self.dice.getrandbits(4 * digits):0{digits}x}" '

    # Properties.

    def describe(self, kind: str, node: str, end: str, lines: list[str], pick: Pick, made: Made | None = None) -> Made:
        """Draw the properties of a node.

        Parameters:
            kind: its class.
            node: as it stands in a line.
            end: graph name and full stop.
            lines: where its quads are put.
            pick: given a class and a property, finds a node of that class; may find none.
            made: values that are settled already; they are written too.

        Returns:
            The values of each property.
        """
        made = {} if made is None else made
        for drawing in self._plans[kind]:
            key = drawing.key
            values = made.get(key)
            if values is None:
                values = made[key] = self._values(kind, drawing, made, pick)
            for value in values:
                lines.append(f"{node}{drawing.predicate}{value}{end}")
        return made

    def _values(self, kind: str, drawing: _Drawing, made: Made, pick: Pick) -> dict[str, None]:
        key, drawn = drawing.key, drawing.values
        values: dict[str, None] = {}
        if drawing.needs and len(made.get(drawing.needs[0], ())) < drawing.needs[1]:
            return values
        number = bisect(drawing.shares, self.chance())
        if key == "valence" and kind == "Evaluation" and not made["image"]:
            number = 1
        elif key == "about":
            named = [v for row in made.values() for v in row if v in self.labels]
            values.update(dict.fromkeys(named[:number]))
        unwanted = [value for other in _OTHER_THAN.get(key, ()) for value in made.get(other, ())]
        for _ in range(number + _TRIES):
            if len(values) >= number:
                break
            if drawn:
                value = self.value(drawn)
                value = term(value) if "-" in value else pick(value, key)
            else:
                value = self._literal(kind, key)
            if value and value not in unwanted:
                values[value] = None
        if key == "hasMember" and len(values) == 1:
            values.clear()
        return values

    def _literal(self, kind: str, key: str) -> str:
        if key == "issued":
            self.today = len(self._days) // 4 + int(self.chance() * len(self._days) * 3 / 4)
            return self._days[self.today]
        if key == "saidOn":
            return self._days[int(self.chance() * self.today)]
        if key in _DATES:
            return self._dates[int(self.chance() * len(self._dates))]
        if key == "value":
            return f'"{int(1 + 100 ** (3 * self.chance()))}"^^<{XSD}decimal> '
        return _PLAIN.get(key) or text(self.words("", f"{kind}.{key}"))

    def _plan(self, kind: str) -> list[_Drawing]:
        proportions, plan = self.proportions, []
        elsewhere = _MADE_ELSEWHERE[""] | _MADE_ELSEWHERE.get(kind, frozenset())
        for name, shares in proportions.numbers.items():
            owner, _, key = name.partition(".")
            if owner != kind or key in elsewhere:
                continue
            needs = _NEEDS.get(name)
            if needs:
                able = sum(proportions.numbers[f"{kind}.{needs[0]}"][needs[1] :])
                shares = (max(0.0, 1 - proportions.mean(name) / able), 1.0)
            if name == "Evaluation.valence":
                without = 1 - proportions.mean("Evaluation.image")
                shares = (1 - (proportions.mean(name) - without) / (1 - without), 1.0)
            drawn = name if name in proportions.values else ""
            plan.append(_Drawing(key, term(key), list(accumulate(shares[:-1])), drawn, needs))
        return sorted(plan, key=lambda drawing: _LATE.index(drawing.key) if drawing.key in _LATE else -1)

    # The register.

    def enter(self, kind: str, name: str, node: str, end: str, lines: list[str], pick: Pick) -> Made:
        """Make an entry of the register.

        Parameters:
            kind: its class.
            name: what it is called.
            node, end, lines, pick: see `describe`.

        Returns:
            The values of its properties.
        """
        lines.append(f"{node}{TYPE}{term(kind)}{end}")
        lines.append(f"{node}{term('title' if kind == 'Document' else 'prefLabel')}{text(name)}{end}")
        made = self.describe(kind, node, end, lines, pick)
        self.entries[kind].append(node)
        self.labels[node] = name
        return made

    def _make_register(self) -> None:
        self.register.append(f"{CODERS}{TYPE}{term('Organization')}{IN_REGISTER}")
        self.register.append(f"{CODERS}{term('prefLabel')}{text('coding team')}{IN_REGISTER}")
        for kind in REGISTER:
            matched = self.proportions.mean(f"{kind}.exactMatch")
            for number in range(len(self._weights[kind])):
                name = invent_name(kind, number, self.states)
                node = resource(make_slug(name))
                made = self.enter(kind, name, node, IN_REGISTER, self.register, self._pick_earlier)
                if kind == "Collective" and not made["hasMember"]:
                    self.populations.add(node)
                if kind == "Document":
                    publisher = self.early(self.entries["Organization"])
                    self.register.append(f"{node}{term('publisher')}{publisher}{IN_REGISTER}")
                if self.chance() < matched:
                    match = f"<{PREFIXES['wd']}Q{9_000_000_000 + len(self.links)}> "  # no entity has so high a number
                    self.links.append(f"{node}<{SKOS}exactMatch> {match}{_IN_LINKS}")

    def _pick_earlier(self, kind: str, key: str) -> str:
        row = self.entries[kind]
        return self.early(row if row or key == "broader" else self.entries["State"])
