"""A document of a generated corpus: sentence by sentence, stance by stance, with all that belongs to them."""

from __future__ import annotations

import math
from bisect import bisect
from itertools import accumulate

from kg.names import GRAPH, XSD
from loaders.invented_names import invent_name, make_slug, split_words
from loaders.invented_register import (
    CODERS,
    CONTENTS,
    IN_CONTENTS,
    IN_REGISTER,
    REGISTER,
    TYPE,
    Corpus,
    Made,
    integer,
    resource,
    slug,
    term,
    text,
)

SMALL = 1_500
"""Quads below which a document is not worth beginning."""

_ROOM = 500  # below it only plain stances are made, so that …
_RESERVE = 150  # … this many quads hold any of them with all that belongs to it
_SENTENCE = 6  # quads of a sentence
_PREMISES = 6  # assertions that an argument can choose from
_AS_MEASURED = 5  # documents that the measured share of crossings was found in
_STRICT = {"interprets": "Assertion", "premise": "Assertion", "conclusion": "Assertion"}
_MAY_BE_ABSENT = frozenset({"saidAt", "partOf"})
_SIMPLE = ("Relation", "Evaluation", "Proposition")
_VERBS = {
    "Evaluation": "is judged",
    "Proposition": "bears upon",
    "Quantity": "is counted in",
    "Argument": "speaks for",
    "Prescription": "should take up",
    "CausalPathway": "leads by steps to",
    "Interpretation": "gives voice to",
}
_LETTERS = [a + b for a in ("", *"abc") for b in "abcdefghijklmnopqrstuvwxyz"]
_STATUS = f"{term('status')}{term('status-published')}"
_CODED = f'{term("coded")}"2026-11-22"^^<{XSD}date> '


class Coding:
    """Makes one coded document.

    Parameters:
        corpus: what it takes from and adds to.
    """

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self.chance = corpus.chance
        self.measured = corpus.proportions
        corpus.documents += 1
        self.creator = corpus.popular("Person")
        self.name = f"{slug(self.creator).rsplit('-', 1)[-1]}-{1990 + corpus.documents % 36}-{corpus.documents}"
        self.document = resource(self.name)
        self.graph = GRAPH + self.name
        self.end = f"<{self.graph}> .\n"
        self.lines: list[str] = []
        self.position = self.sentences = 0
        self.assertions: list[str] = []
        self.stated: list[str] = []
        self.stated_by_kind: dict[str, list[str]] = {kind: [] for kind in CONTENTS}
        self.local: dict[str, list[str]] = {kind: [] for kind in (*CONTENTS, "Factor")}
        self.recent: list[str] = []
        self.span = (0, 0)
        self.passages: list[str] = []
        self.depths = list(accumulate(self.measured.depths[:-1]))

    @property
    def room(self) -> int:
        """How many quads may still be made, the document's length set apart."""
        return self.corpus.left - len(self.lines) - 1

    def make(self) -> list[str]:
        """Make the document; where the corpus comes to its end, to the very last quad.

        Returns:
            The quads of its record, as lines of N-Quads.
        """
        mean, deviation = self.measured.document_sentences
        # small corpora get small documents, so that there are some
        largest = min(600, self.corpus.count / self.measured.quads * 404 / _AS_MEASURED)
        wanted = max(12, min(largest, math.exp(self.corpus.dice.gauss(mean, deviation))))
        self._header()
        shares = list(accumulate(self.measured.sentence_stances[:-1]))
        while (self.sentences < wanted or self.room < SMALL) and self.room >= _RESERVE:
            self._sentence()
            stances = bisect(shares, self.chance())
            for number in range(stances):
                if self.room < _RESERVE:
                    break
                self._stance(number)
            if not stances and self.chance() < self.measured.mean("Sentence.assertsNothing") / shares[0]:
                self._assert_nothing(self.recent[-1])
        if self.room < SMALL:
            self._fill()
        self._say(self.document, "textLength", integer(self.position))
        self.corpus.written += len(self.lines)
        return self.lines

    def _header(self) -> None:
        corpus, node = self.corpus, self.document
        self._say(node, "title", text(corpus.words(invent_name("Document", corpus.documents * 7), "Document.title")))
        self._say(node, "creator", self.creator)
        self._say(node, "digest", corpus.digest(64))
        self._say(node, "language", '"en" ')
        if self.chance() < self.measured.mean("CodedDocument.publisher"):
            self._say(node, "publisher", corpus.popular("Organization"))
        self._describe("CodedDocument", node, self.end)
        self.lines.append(f"{node}{TYPE}{term('Document')}{self.end}")

    def _fill(self) -> None:
        """Make sentences that nobody coded until no quad is left."""
        first = self.sentences
        uncoded = []
        while self.room >= _SENTENCE:
            self._sentence()
            uncoded.append(self.recent[-1])
        assert self.sentences > first, "the reserve was too small"
        for sentence in uncoded[: self.room]:
            self._assert_nothing(sentence)

    # Writing.

    def _say(self, node: str, key: str, value: str, end: str = "") -> None:
        self.lines.append(f"{node}{term(key)}{value}{end or self.end}")

    def _describe(self, kind: str, node: str, end: str, made: Made | None = None) -> Made:
        return self.corpus.describe(kind, node, end, self.lines, self._pick, made)

    def _node(self, kind: str, node: str, end: str, made: Made | None = None) -> Made:
        self.lines.append(f"{node}{TYPE}{term(kind)}{end}")
        self.lines.append(f"{node}{term('isDefinedBy')}{self.document}{end}")
        return self._describe(kind, node, end, made)

    def _pick(self, kind: str, key: str) -> str:
        found = ""
        if kind in REGISTER:
            found = self.corpus.popular(kind)
        elif kind == "Assertion":
            found = self._any(self.assertions)
        elif kind == "Factor":
            return self._factor()
        elif kind == "Event":
            found = self.corpus.early(self.corpus.entries["Event"])
        elif kind in self.local:
            found = self._any(self.local[kind]) or self.corpus.early(self.corpus.known[kind])
        if found or key in _MAY_BE_ABSENT:
            return found
        if key in _STRICT:
            return self._any(self.assertions)
        return self._any(self.stated) if key in ("asExpressing", "proposition") else self.corpus.popular("Issue")

    def _any(self, row: list[str]) -> str:
        return row[int(self.chance() * len(row))] if row else ""

    # Sentences and passages.

    def _passage(self, kind: str, start: int, end: int) -> str:
        node = resource(f"{self.name}/{start}-{end}")
        self.lines.append(f"{node}{TYPE}{term(kind)}{self.end}")
        self._say(node, "digest", self.corpus.digest(16))
        self._say(node, "end", integer(end))
        self._say(node, "inDocument", self.document)
        self._say(node, "start", integer(start))
        return node

    def _sentence(self) -> None:
        start = self.position
        end = start + 40 + int(150 * self.chance())
        sentence = self._passage("Sentence", start, end)
        self.sentences += 1
        self._say(sentence, "sentenceNumber", integer(self.sentences))
        if self.recent and self.room > _RESERVE and self.chance() < self.measured.mean("Sentence.continues"):
            self._say(sentence, "continues", self.recent[-1])
        self.recent = [*self.recent[-4:], sentence]
        self.span, self.position, self.passages = (start, end), end + 1, []

    def _assert_nothing(self, sentence: str) -> None:
        reason = self.corpus.words("a heading", "Sentence.assertsNothing")
        self._say(sentence, "assertsNothing", text(reason))

    def _evidence(self, kind: str) -> list[str]:
        measured, (start, end) = self.measured, self.span
        sentence = found = self.recent[-1]
        if self.chance() < measured.values[f"{kind}.evidencedBy"]["Passage"]:
            share = sum(
                measured.classes[k] * measured.values[f"{k}.evidencedBy"]["Passage"] for k in ("Own", "Reported")
            )
            if not self.passages or self.chance() < measured.classes["Passage"] / share:
                a = start + int(self.chance() * (end - start) / 2)
                b = min(end - 1, a + 12 + int(self.chance() * 100))
                if resource(f"{self.name}/{a}-{b}") not in self.passages:
                    self.passages.append(self._passage("Passage", a, b))
            found = self.passages[-1]
        evidence = [found]
        if self.corpus.number(f"{kind}.evidencedBy") > 1 and found != sentence:
            evidence.append(self.passages[0] if self.passages[0] != found else sentence)
        return evidence

    # Stances.

    def _stance(self, number: int) -> None:
        """Make a stance, the reports around it, and what is taken from it."""
        corpus, measured = self.corpus, self.measured
        depth = bisect(self.depths, self.chance())
        if self.room < _ROOM:
            depth = min(depth, 1)
        kind = "Reported" if depth else "Own"
        name = f"{self.name}/s{self.sentences}{_LETTERS[number]}"
        evidence = self._evidence(kind)
        way = corpus.way(kind)
        while not self._possible(way[0]):
            way = corpus.way(kind)
        proposition = self._proposition(way[0])
        holder = self._holder() if depth else self.creator
        inner = self._assertion(kind, resource(name), holder, evidence, "proposition", proposition, way)
        if self.chance() < measured.mean(f"{kind}.otherReading"):
            reading = resource(f"{name}/reading")
            self._say(inner, "otherReading", reading)
            self._node("Reading", reading, self.end)
        made, node = [inner], inner
        for level in range(1, depth + 1):
            outermost = level == depth
            node = resource(f"{name}/report" if outermost else f"{name}{level}")
            holder = self.creator if outermost else self._holder()
            made.append(self._assertion("Report", node, holder, evidence, "reports", made[-1], corpus.way("Report")))
        self.assertions += made
        self.stated.append(proposition)
        self.stated_by_kind[way[0]].append(proposition)
        for extra, make in (
            ("Citation", self._citation),
            ("Link", self._link),
            ("Attack", self._attack),
            ("NameUse", self._name_use),
            ("Step", self._step),
            ("Event", self._event),
            ("OfficeHolding", self._office_holding),
        ):
            if self.chance() < measured.classes[extra]:
                make(inner)

    def _holder(self) -> str:
        return self.corpus.popular(self.corpus.value("Reported.holder"))

    def _assertion(
        self, kind: str, node: str, holder: str, evidence: list[str], key: str, content: str, way: list[str]
    ) -> str:
        corpus, end = self.corpus, self.end
        self.lines += [
            f"{node}{TYPE}{term('Assertion')}{end}",
            f"{node}{term('statedIn')}{self.document}{end}",
            f"{node}{term(key)}{content}{end}",
            f"{node}{term('coder')}{CODERS}{end}",
            f"{node}{_CODED}{end}",
            f"{node}{_STATUS}{end}",
            *(f"{node}{term('evidencedBy')}{passage}{end}" for passage in evidence),
        ]
        for way_key, concept in zip(("act", "polarity", "certainty", "basis"), way[1:], strict=True):
            self._say(node, way_key, term(concept))
        made = self._describe(kind, node, end, {"holder": {holder: None}})
        self._say(node, "holder", holder)
        if holder in corpus.populations:
            self._say(node, "holderQuantifier", term(corpus.value("Reported.holderQuantifier")))
        named = term("holderBasis-named") in made["holderBasis"]
        unnamed = 1 - self.measured.values[f"{kind}.holderBasis"]["holderBasis-named"]
        if not named and self.chance() < self.measured.mean(f"{kind}.possibleHolder") / unnamed:
            other = self._holder()
            if all(other not in made.get(key, ()) for key in ("holder", "speaker", "holderIncludes")):
                self._say(node, "possibleHolder", other)
        return node

    def _possible(self, kind: str) -> bool:
        """Tell whether a proposition of a class can be made yet, and still."""
        if kind in ("Argument", "Interpretation") and len(self.assertions) <= _PREMISES:
            return False
        return self.room >= _ROOM or kind in _SIMPLE

    def _proposition(self, kind: str) -> str:
        """Take up a proposition or make one."""
        corpus, measured = self.corpus, self.measured
        if self.stated_by_kind[kind] and self.chance() < measured.repeated:
            growth = math.log1p(corpus.documents) / math.log1p(_AS_MEASURED)
            if self.chance() < measured.crossing * growth:
                return corpus.early(corpus.known[kind])
            return self._any(self.stated_by_kind[kind])
        return self._content(kind)

    def _content(self, kind: str, settled: Made | None = None) -> str:
        corpus = self.corpus
        first, second = corpus.popular("State"), corpus.popular("Issue")
        corpus.serial += 1
        verb = _VERBS.get(kind, kind.lower())
        node = resource(f"{slug(first)}-{verb.replace(' ', '-')}-{slug(second)}-{corpus.serial}")
        if kind == "CausalPathway":
            self._pathway(node)
        made = self._node(kind, node, IN_CONTENTS, settled)
        for key in ("relation", "sign", "dimension"):
            for value in made.get(key, {}):
                verb = split_words(value.rsplit("#", 1)[1][:-2])
        entries = [corpus.labels[v] for v in made["about"]] + [corpus.labels[second]]
        gloss = corpus.words(f"{entries[0]} {verb} {entries[1]}", f"{kind}.gloss")
        self._say(node, "gloss", text(f"{gloss[0].upper()}{gloss[1:]}."), IN_CONTENTS)
        self.local[kind].append(node)
        corpus.known[kind].append(node)
        return node

    def _pathway(self, node: str) -> None:
        """Make the steps of a pathway: the effect of each is the cause of the next."""
        cause = self._factor()
        for position in range(1, self.corpus.number("CausalPathway.hasStep") + 1):
            effect = self._new_factor()
            claim = self._content("CausalClaim", {"cause": {cause: None}, "effect": {effect: None}})
            step = resource(f"{slug(node)}/{position}")
            self._say(node, "hasStep", step, IN_CONTENTS)
            self._node(
                "PathwayStep", step, IN_CONTENTS, {"claim": {claim: None}, "position": {integer(position): None}}
            )
            cause = effect

    def _factor(self) -> str:
        if self.chance() < self.measured.factor_repeated:
            crossing = self.chance() < self.measured.crossing
            found = self.corpus.early(self.corpus.known["Factor"]) if crossing else self._any(self.local["Factor"])
            if found:
                return found
        return self._new_factor()

    def _new_factor(self) -> str:
        corpus = self.corpus
        corpus.factors += 1
        name = invent_name("Factor", corpus.factors, corpus.states)
        node = resource(make_slug(name))
        self._node("Factor", node, IN_CONTENTS)
        self._say(node, "prefLabel", text(corpus.words(name, "Factor.prefLabel")), IN_CONTENTS)
        corpus.known["Factor"].append(node)
        self.local["Factor"].append(node)
        return node

    # What is taken from a stance.

    def _citation(self, _: str) -> None:
        corpus = self.corpus
        corpus.serial += 1
        node = resource(f"{self.name}/note-{corpus.serial}")
        self.lines.append(f"{node}{TYPE}{term('Citation')}{self.end}")
        self._say(node, "citingDocument", self.document)
        self._say(node, "noteNumber", f'"{corpus.serial}" ')
        for sentence in self.recent[-corpus.number("Citation.evidencedBy") :]:
            self._say(node, "evidencedBy", sentence)
        for assertion in self.assertions[-corpus.number("Citation.supports") :]:
            self._say(node, "supports", assertion)
        self._describe("Citation", node, self.end)

    def _link(self, _: str) -> None:
        kind = self.corpus.value("Link.from")
        row = self.local.get(kind, [])
        if len(row) < 2:
            row = self.assertions
        self._tie("Link", "from", "to", row)

    def _attack(self, _: str) -> None:
        self._tie("Attack", "attacker", "attacked", self.assertions)

    def _tie(self, kind: str, key: str, other_key: str, row: list[str]) -> None:
        if len(row) < 2:
            return
        first = int(self.chance() * len(row))
        second = (first + 1 + int(self.chance() * (len(row) - 1))) % len(row)
        self.corpus.serial += 1
        node = resource(f"{self.name}/{kind.lower()}-{self.corpus.serial}")
        self._node(kind, node, self.end)
        self._say(node, key, row[first])
        self._say(node, other_key, row[second])
        by_author = self.chance() < self.measured.values[f"{kind}.drawnBy"]["Person"]
        self._say(node, "drawnBy", self.creator if by_author else CODERS)

    def _name_use(self, _: str) -> None:
        corpus = self.corpus
        corpus.serial += 1
        node = resource(f"{self.name}/name-{corpus.serial}")
        named = self._pick(corpus.value("NameUse.names"), "names")
        self._node("NameUse", node, self.end)
        self._say(node, "names", named)
        self._say(node, "printedAs", f'"{corpus.labels[named]}" ')
        self._say(node, "inPassage", self.recent[-1])

    def _step(self, assertion: str) -> None:
        self.corpus.serial += 1
        node = resource(f"{self.name}/step-{self.corpus.serial}")
        self._node("Step", node, self.end)
        self._attest(node, "Step", assertion, self.end, self.lines)

    def _event(self, assertion: str) -> None:
        corpus = self.corpus
        name = invent_name("Event", len(corpus.entries["Event"]), corpus.states)
        node = resource(make_slug(name))
        end, lines = self._home("Event", node)
        corpus.enter("Event", name, node, end, lines, self._pick)
        self._attest(node, "Event", assertion, end, lines)

    def _office_holding(self, assertion: str) -> None:
        corpus = self.corpus
        corpus.serial += 1
        office = corpus.popular("Office")
        before, after = corpus.last_tenure, self.chance() < self.measured.mean("OfficeHolding.successor")
        if after and before:
            office = before[1]
        node = resource(f"{slug(office)}-tenure-{corpus.serial}")
        if after and before:
            corpus.register.append(f"{before[0]}{term('successor')}{node}{IN_REGISTER}")
            corpus.last_tenure = None
        end, lines = self._home("OfficeHolding", node)
        if end == IN_REGISTER:
            corpus.last_tenure = (node, office)
        lines.append(f"{node}{TYPE}{term('OfficeHolding')}{end}")
        corpus.describe("OfficeHolding", node, end, lines, self._pick, {"office": {office: None}})
        self._attest(node, "OfficeHolding", assertion, end, lines)

    def _home(self, kind: str, node: str) -> tuple[str, list[str]]:
        """Choose the graph of an event or a tenure: the document's, which then defines it, or the register's."""
        if self.chance() < self.measured.mean(f"{kind}.isDefinedBy"):
            self._say(node, "isDefinedBy", self.document)
            return self.end, self.lines
        return IN_REGISTER, self.corpus.register

    def _attest(self, node: str, kind: str, assertion: str, end: str, lines: list[str]) -> None:
        number = self.corpus.number(f"{kind}.attestedBy")
        for attesting in dict.fromkeys((assertion, *self.assertions[-number:][: number - 1])):
            lines.append(f"{node}{term('attestedBy')}{attesting}{end}")
